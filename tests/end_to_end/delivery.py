#!/usr/bin/env python3
"""What can be checked of a delivery without a network: workflows, compose files, manifests, units, the dashboard, scripts.
Prints TAP."""
import http.server
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

try:
    import yaml
except ImportError:
    print("1..0 # SKIP no PyYAML here")
    sys.exit(0)

CAPSTAN = os.environ["CAPSTAN"]
TOP = Path(os.environ.get("srcdir", ".")).resolve()
WORKFLOWS = sorted((TOP / ".github/workflows").glob("*.yml"))
# Compose file → service of the engine.
ENGINES = {"docker-compose.yml": "trading-engine", "docker-compose.prod.yml": "trading-engine-prod"}
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def load(path):
    return list(yaml.safe_load_all((TOP / path).read_text(encoding="utf-8")))


def jobs():
    for path in WORKFLOWS:
        for name, job in load(path)[0]["jobs"].items():
            yield f"{path.name}: {name}", job


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m)?", str(text)).groups()
    return int(number) * (60 if unit == "m" else 1)


@test
def each_yaml_file_is_yaml():
    files = [*WORKFLOWS, *(TOP / "deploy").rglob("*.y*ml"), TOP / "docker-compose.yml", TOP / "docker-compose.prod.yml",
             TOP / "docker-compose.venue.yml"]
    assert len(files) > 15, files
    for path in files:
        assert all(document for document in load(path)), path


@test
def the_workflows_are_the_ones_asked_for():
    names = {load(path)[0]["name"]: path.name for path in WORKFLOWS}
    assert names == {"Continuous Integration": "ci.yml", "Security Audit": "security.yml", "Benchmarks": "benchmark.yml",
                     "Build Release": "build.yml", "Docker Build & Push": "docker.yml", "Fuzzing": "fuzz.yml"}, names
    ci = load(TOP / ".github/workflows/ci.yml")[0]["jobs"]
    assert {"check", "fmt", "lint", "test", "coverage", "compilers", "instrumented", "determinism", "macos"} <= set(ci)
    for name in ("test", "coverage"):
        assert ci[name]["services"]["postgres"]["image"] == "postgres:15", name
        assert ci[name]["env"]["REDIS_URL"] == "redis://localhost:6379", name


@test
def actions_are_pinned_by_commit():
    pins = 0
    for path in WORKFLOWS:
        for used in re.findall(r"uses: *(\S+)(.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", used[0]), f"{path.name}: {used[0]}"
            assert re.search(r"# v\d+\.\d+\.\d+$", used[1]), f"{path.name}: {used[0]} names no release"
            pins += 1
    assert pins > 20, pins


@test
def one_action_has_one_pin():
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    seen = {}
    for action, commit in re.findall(r"uses: *([^@\s]+)@([0-9a-f]+)", text):
        assert seen.setdefault(action, commit) == commit, action


@test
def jobs_may_do_little_and_end():
    for path in WORKFLOWS:
        assert load(path)[0]["permissions"]["contents"] == "read", path.name
    for where, job in jobs():
        assert job["timeout-minutes"] <= 180, where
        written = [name for name, right in job.get("permissions", {}).items() if right == "write"]
        assert not written or "publish" in where or "history" in where, f"{where}: {written}"


# What a bare container lacks for a checkout and a cache; no script is there yet.
BEFORE_CHECKOUT = "apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates git zstd"
# Jobs that build nothing of ours, or in an image; `test` and `coverage` run scripts/in-debian.
ON_THE_RUNNER = {"ci.yml: test", "ci.yml: coverage", "ci.yml: macos", "ci.yml: deploy", "ci.yml: image", "docker.yml: image",
                 "build.yml: publish", "security.yml: secret-scan"}


@test
def what_is_built_is_built_in_debian_12():
    contained = 0
    for where, job in jobs():
        container = job.get("container")
        if container is None:
            assert where in ON_THE_RUNNER, f"{where} runs on whatever ubuntu-latest is"
            continue
        assert job["steps"][0]["run"] == BEFORE_CHECKOUT, where
        if container == "${{ matrix.container }}":  # the runner's own system where there is none
            found = {entry["runner"]: entry.get("container") for entry in job["strategy"]["matrix"]["include"]}
            assert found == {"ubuntu-latest": "debian:bookworm", "macos-latest": None}, found
        else:
            assert container["image"] == "debian:bookworm" and "--init" in container["options"], where
        contained += 1
    assert contained > 10, contained
    ci = load(TOP / ".github/workflows/ci.yml")[0]["jobs"]
    for name in ("test", "coverage"):
        ran = [step["run"] for step in ci[name]["steps"] if "run" in step]
        assert ran and all(line.startswith("scripts/in-debian '") for line in ran), ran
    assert "scripts/run-demo && scripts/run-tests && " in str(ci["test"]["steps"]), "README says that CI runs both"
    # The pages call more than the tests do.
    assert "scripts/bootstrap --develop && scripts/check-docs " in str(ci["test"]["steps"]), "the container has no curl"
    # Each check that a deployment needs is run by some job.
    told = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    for path in (TOP / "scripts").glob("check-*"):
        called = f"scripts/{path.name}" in told
        assert called or path.name in ("check-limits", "check-kubernetes"), f"no job runs {path.name}"
    assert "debian:bookworm" in (TOP / "scripts/in-debian").read_text(encoding="utf-8")


@test
def each_step_runs_a_script_that_is_there():
    ran = 0
    for where, job in jobs():
        for step in job["steps"][1 if "container" in job else 0:]:
            for line in step.get("run", "").strip().splitlines():
                script = line.split()[0]
                assert script.startswith("scripts/"), f"{where}: {line}"
                mode = (TOP / script).stat().st_mode
                assert mode & stat.S_IXUSR, f"{where}: {script} can't be executed"
                ran += 1
    assert ran > 20, ran


@test
def a_scheduled_scan_and_the_branches():
    security = load(TOP / ".github/workflows/security.yml")[0]
    on = security[True]  # YAML 1.1 reads `on` as a truth
    assert on["schedule"] == [{"cron": "0 0 * * 0"}] and on["push"]["branches"] == ["main", "develop"], on
    fetched = [step["with"].get("fetch-depth") for step in security["jobs"]["secret-scan"]["steps"] if "checkout" in step["uses"]]
    assert fetched == [0], "the scan of secrets needs the whole history"


@test
def stopping_takes_longer_than_a_shutdown_everywhere():
    graces = {name: seconds(load(TOP / name)[0]["services"][service]["stop_grace_period"]) for name, service in ENGINES.items()}
    graces["deployment.yaml"] = load(TOP / "deploy/k8s/deployment.yaml")[0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    for unit in ("capstan", "capstan-watchdog"):
        text = (TOP / f"deploy/systemd/{unit}.service").read_text(encoding="utf-8")
        graces[unit] = seconds(re.search(r"^TimeoutStopSec=(\S+)$", text, re.M)[1])
    assert len(graces) == 5 and all(grace > 30 for grace in graces.values()), graces
    assert graces["docker-compose.yml"] == 40 and graces["deployment.yaml"] == 45, graces


@test
def containers_have_few_rights():
    for name, service in ENGINES.items():
        engine = load(TOP / name)[0]["services"][service]
        assert engine["read_only"] is True and engine["cap_drop"] == ["ALL"], name
        assert engine["environment"]["CAPSTAN_OPS__ADDRESS"] == "0.0.0.0", name
    pod = load(TOP / "deploy/k8s/deployment.yaml")[0]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    assert container["securityContext"]["readOnlyRootFilesystem"] and container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "--stand-by" in container["args"], "two pods would trade"
    assert re.search(r"^USER 1000:1000$", (TOP / "Dockerfile").read_text(encoding="utf-8"), re.M)


@test
def the_network_policy_lets_the_venues_through():
    """Out are the ports of the adapters' own addresses, and of the stores."""
    ports = set()
    for path in (TOP / "src/venue/live").glob("*.[ch]"):
        for scheme, port in re.findall(r'"(wss?|https?)://[^":/]+(?::(\d+))?"', path.read_text(encoding="utf-8")):
            ports.add(int(port or {"wss": 443, "https": 443}.get(scheme, 80)))
    assert len(ports) > 1, ports
    rules = load(TOP / "deploy/k8s/networkpolicy.yaml")[0]["spec"]["egress"]
    let = {entry["port"] for rule in rules for entry in rule["ports"] if entry["protocol"] == "TCP"}
    assert let == ports | {53, 5432, 6379}, f"{let}, the adapters' are {ports}"


@test
def every_service_has_a_health_check_and_the_engine_waits_for_its_stores():
    services = load(TOP / "docker-compose.yml")[0]["services"]
    assert {"trading-engine", "postgres", "redis", "prometheus", "grafana"} <= set(services)
    assert all("healthcheck" in service for service in services.values())
    waits = services["trading-engine"]["depends_on"]
    assert {name: how["condition"] for name, how in waits.items()} == {"postgres": "service_healthy", "redis": "service_healthy"}


@test
def production_is_not_the_development_stack():
    development, production = load(TOP / "docker-compose.yml")[0], load(TOP / "docker-compose.prod.yml")[0]
    assert not set(production["services"]) & set(development["services"]), "a service of both: one project would replace its container"
    assert set(production["networks"]) == {"capstan-prod-network"}, production["networks"]
    assert not set(production["volumes"]) & set(development["volumes"]), "a volume of both"
    names = [{service["container_name"] for service in stack["services"].values()} for stack in (development, production)]
    assert names[1] == {"capstan-engine-prod"} and not names[0] & names[1], names


def end_of(process):
    """Ends a process that is no child of ours, and waits: it may write to its folder until it is gone."""
    os.kill(process, signal.SIGTERM)
    for _ in range(600):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)


@test
def the_development_stack_trades_without_an_account():
    """Its engine's command, run twice here as the container would, with the placeholders of .env; the venue is not one of it."""
    if os.environ.get("CAPSTAN_LIVE_TESTS") == "no":
        return
    engine = load(TOP / "docker-compose.yml")[0]["services"]["trading-engine"]
    real = load(TOP / "docker-compose.venue.yml")[0]["services"]["trading-engine"]
    image = (TOP / "Dockerfile").read_text(encoding="utf-8")
    assert f"ENTRYPOINT {json.dumps(real['entrypoint'])}" in image and f"CMD {json.dumps(real['command'])}" in image, real
    tape = re.search(r"--tape (\S+)", engine["command"][0])[1]
    assert tape not in real["command"], "practice goes on the account's tape"
    with tempfile.TemporaryDirectory() as folder:
        command = engine["command"][0].replace("/app/capstan", CAPSTAN).replace("/app/data", folder)
        env = dict(os.environ, CAPSTAN_OPS__PORT="0")
        env.update(line.split("=", 1) for line in (TOP / "deploy/env.example").read_text(encoding="utf-8").splitlines() if line[0] != "#")
        for _ in range(2):
            with open(f"{folder}/out", "w", encoding="utf-8") as out:
                session = subprocess.Popen([*engine["entrypoint"], command], env=env, stdout=out, stderr=subprocess.STDOUT)
            try:
                healthy = False
                for _ in range(600):
                    said = Path(f"{folder}/out").read_text(encoding="utf-8")
                    port = re.search(r'"port":(\d+)', said)
                    asked = dict(env, CAPSTAN_OPS__PORT=port[1] if port else "1")
                    healthy = healthy or subprocess.run([CAPSTAN, "health"], env=asked, capture_output=True, check=False).returncode == 0
                    if session.poll() is not None or (healthy and "the session begins" in said):
                        break
                    time.sleep(0.25)
                session.terminate()
                code = session.wait(timeout=120)
                assert healthy and code == 0, f"healthy {healthy}, exit {code}: {said[-1500:]}"
            finally:
                session.kill()
                first = Path(f"{folder}/out").read_text(encoding="utf-8").splitlines()
                exchange = next((int(line) for line in first if line.isdigit()), None)
                if exchange:
                    end_of(exchange)


@test
def what_is_mounted_or_copied_is_there():
    for name in ("docker-compose.yml", "docker-compose.prod.yml"):
        for service in load(TOP / name)[0]["services"].values():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                assert not source.startswith("./") or (TOP / source).exists(), f"{name}: {source}"
    for words in re.findall(r"^COPY (?:--\S+ )*(\S+) ", (TOP / "Dockerfile").read_text(encoding="utf-8"), re.M):
        assert words == "/capstan" or (TOP / words).exists(), words


@test
def the_images_configuration_and_the_secrets_template():
    for path in (TOP / "deploy/config").glob("*.yaml"):
        done = subprocess.run([CAPSTAN, "config", "check", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    secret = load(TOP / "deploy/k8s/secret.yaml")[0]["stringData"]
    wanted = [variable["valueFrom"]["secretKeyRef"]["key"]
              for variable in load(TOP / "deploy/k8s/deployment.yaml")[0]["spec"]["template"]["spec"]["containers"][0]["env"]
              if "valueFrom" in variable]
    assert set(wanted) == set(secret), set(wanted) ^ set(secret)
    assert all(value == "changeme" for name, value in secret.items() if "-api-" in name), "a key stands in the template"


@test
def the_dashboard_asks_for_metrics_that_there_are():
    """Every name of a query stands in the table that /metrics is made of."""
    table = (TOP / "src/ops/metrics.h").read_text(encoding="utf-8") + (TOP / "src/ops/metrics.c").read_text(encoding="utf-8")
    dashboard = json.loads((TOP / "deploy/monitoring/grafana/dashboards/capstan-dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    alerts = TOP / "deploy/monitoring/alerts.yml"
    if alerts.exists():
        queries += [rule["expr"] for group in load(alerts)[0]["groups"] for rule in group["rules"]]
    names = set(re.findall(r"\b((?:capstan|process)_[a-z_]+)", " ".join(queries)))
    assert len(queries) > 20 and len(names) > 12, names
    for name in names:
        short = re.sub(r"^capstan_", "", re.sub(r"_(bucket|count|sum)$", "", name))
        assert f'"{short}"' in table, f"{name} is not in src/ops"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    rows = {panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"}
    assert rows == {"Trading", "Performance", "System", "Errors"}, rows
    asked = {panel["title"]: " ".join(target["expr"] for target in panel.get("targets", [])) for panel in dashboard["panels"]}
    for title, name in (("Orders placed", "orders_placed_total"), ("Fills", "fills_total"), ("Cancels", "orders_cancelled_total"),
                        ("Decisions", "decisions_total"), ("Order failures", "orders_failed_total")):
        assert f"(capstan_{name}[" in asked[title], (title, asked[title])


@test
def bootstrap_calls_each_package_manager():
    """With a stand-in of each that installs nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("dnf", "brew", "rpm", "sudo"):
            path = Path(folder) / name
            path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{folder}/calls"\ncase "$*" in --prefix) echo "{folder}" ;; *list*|-q*) exit 1 ;; '
                            '-n*) exit 0 ;; env*) shift; exec "$@" ;; esac\n', encoding="utf-8")
            path.chmod(0o755)
        (Path(folder) / "include").mkdir()
        (Path(folder) / "include/http_parser.h").touch()
        env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
        env.pop("CAPSTAN_NO_BOOTSTRAP", None)
        for manager, wanted in (("dnf", "dnf install -y .*libzstd-devel .*wslay-devel"), ("brew", "brew install -q .*zstd .*openssl@3")):
            done = subprocess.run([TOP / "scripts/bootstrap", "--build", "--manager", manager], env=env, capture_output=True, text=True,
                                  check=False)
            calls = (Path(folder) / "calls").read_text(encoding="utf-8")
            assert done.returncode == 0 and re.search(wanted, calls), f"{manager}: {done.stdout}{done.stderr}{calls}"
        done = subprocess.run([TOP / "scripts/bootstrap", "--cross", "--manager", "brew"], env=env, capture_output=True, check=False)
        assert done.returncode == 2


@test
def bootstrap_leaves_out_what_is_optional_and_not_there():
    """With a stand-in of apt that has everything but chromium."""
    with tempfile.TemporaryDirectory() as folder:
        stand_ins = {"dpkg-query": "exit 1", "sudo": '[ "$1" = -n ] && exit; shift; exec env "$@"',
                     "apt-cache": 'case $2 in chromium) echo "  Candidate: (none)" ;; *) echo "  Candidate: 1.0" ;; esac',
                     "apt-get": f'echo "$*" >>"{folder}/calls"; case "$*" in *chromium*) exit 100 ;; esac'}
        for name, body in stand_ins.items():
            path = Path(folder) / name
            path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            path.chmod(0o755)
        env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
        env.pop("CAPSTAN_NO_BOOTSTRAP", None)
        done = subprocess.run([TOP / "scripts/bootstrap", "--develop", "--manager", "apt"], env=env, capture_output=True, text=True,
                              check=False)
        calls = (Path(folder) / "calls").read_text(encoding="utf-8")
        assert done.returncode == 0 and "left out: apt has no chromium" in done.stdout, done.stdout + done.stderr
        assert re.search(r"install .* make .* shellcheck", calls) and "chromium" not in calls, calls


@test
def a_build_on_macos_looks_in_brews_folder_and_one_of_the_pipeline_has_no_warning():
    """With stand-ins of uname, brew and make, in a tree whose configure prints its arguments."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        (tree / "scripts").mkdir(parents=True)
        shutil.copy(TOP / "scripts/build", tree / "scripts/build")
        for path, body in ((tree / "configure", 'for word; do echo "[$word]"; done'), (Path(folder) / "uname", "echo $SYSTEM"),
                           (Path(folder) / "brew", "echo /opt/brew"), (Path(folder) / "make", ":")):
            path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
            path.chmod(0o755)
        for system, more, wanted in (
                ("Darwin", {}, {"[LDFLAGS=-L/opt/brew/lib]", "[CPPFLAGS=-fdiagnostics-color=always -I/opt/brew/include]"}),
                ("Linux", {}, {"[CPPFLAGS=-fdiagnostics-color=always]"}),
                ("Linux", {"CI": "true"}, {"[CPPFLAGS=-fdiagnostics-color=always]", "[--enable-werror]"})):
            env = {"PATH": f"{folder}:{os.environ['PATH']}", "SYSTEM": system, "FORCE_COLOR": "1"} | more
            done = subprocess.run([tree / "scripts/build", tree / system, "CC=cc"], env=env, capture_output=True, text=True, check=True)
            told = {line for line in done.stdout.splitlines() if line.startswith("[")}
            assert told == wanted | {"[--quiet]", "[CC=cc]"}, done.stdout


@test
def an_audit_fails_where_a_fixed_version_is_there():
    """Asked of a stand-in of the database."""
    package = {"ecosystem": "Debian:12", "name": "zlib"}
    advisories = {"OPEN": [{"package": package, "ranges": [{"events": [{"introduced": "0"}]}]},
                           {"package": dict(package, ecosystem="Debian:13"), "ranges": [{"events": [{"fixed": "2"}]}]}],
                  "FIXED": [{"package": package, "ranges": [{"events": [{"introduced": "0"}, {"fixed": "2"}]}]}]}

    class Database(http.server.BaseHTTPRequestHandler):
        said = []

        def answer(self, body):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer({"results": [{"vulns": [{"id": name} for name in self.said]} for _ in asked["queries"]]})

        def do_GET(self):
            self.answer({"affected": advisories[self.path.rsplit("/", 1)[1]]})

        def log_message(self, *_):
            pass

    component = {"name": "zlib", "version": "1", "properties": [{"name": "source-package", "value": "zlib"},
                                                                {"name": "ecosystem", "value": "Debian:12"}]}
    with tempfile.TemporaryDirectory() as folder, http.server.HTTPServer(("127.0.0.1", 0), Database) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bill = Path(folder) / "bill.json"
        bill.write_text(json.dumps({"components": [component]}), encoding="utf-8")
        env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        env["OSV_URL"] = f"http://127.0.0.1:{server.server_port}"
        for said, code, last in (([], 0, "1 passed, 0 failed"), (["OPEN"], 0, "1 passed, 0 failed"),
                                 (["OPEN", "FIXED"], 1, "0 passed, 1 failed")):
            Database.said = said
            done = subprocess.run([TOP / "scripts/audit", "--sbom", bill], env=env, capture_output=True, text=True, check=False)
            lines = done.stdout.splitlines()
            assert done.returncode == code and lines[-1] == last and len(lines) == len(said) + 1, done.stdout + done.stderr
        server.shutdown()
        server.server_close()
        done = subprocess.run([TOP / "scripts/audit", "--sbom", bill], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stderr == f"audit: {env['OSV_URL']} does not answer: [Errno 111] Connection refused\n", done


@test
def the_list_of_libraries_has_what_is_vendored():
    if not all(shutil.which(tool) for tool in ("dpkg-query", "readelf", "ldd")):
        return
    done = subprocess.run([TOP / "scripts/sbom", CAPSTAN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {component["name"]: component for component in json.loads(done.stdout)["components"]}
    assert {"zstd", "SQLite", "uPlot"} <= set(found), set(found)
    readme = (TOP / "third_party/uplot/README").read_text(encoding="utf-8")
    assert f"uPlot {found['uPlot']['version']}," in readme and found["uPlot"]["licenses"] == [{"expression": "MIT"}], found["uPlot"]


@test
def the_front_page_leads_to_every_page():
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(docs/[\w-]+\.md)`", readme))
    there = {str(path.relative_to(TOP)) for path in (TOP / "docs").glob("*.md")}
    assert named == there, named ^ there


@test
def the_package_names_who_wrote_what_is_vendored():
    text = (TOP / "deploy/debian/copyright").read_text(encoding="utf-8")
    for licence in (TOP / "third_party").glob("*/LICENSE"):
        stanza = text.partition(f"Files: third_party/{licence.parent.name}/*\n")[2].partition("\n\n")[0]
        told = " ".join(stanza.split())
        wanted = licence.read_text(encoding="utf-8").partition("Copyright (c) ")[2]
        owner, _, terms = wanted.partition("\n")
        assert f"Copyright: {owner}" in told, licence
        assert " ".join(terms.split()) in told.replace(" . ", " "), licence


@test
def an_image_is_made_of_no_build():
    """What git leaves alone in the top folder as built or secret, docker does too."""
    left = set((TOP / ".dockerignore").read_text(encoding="utf-8").split("\n"))
    ignored = re.findall(r"^/([^\n]+)$", (TOP / ".gitignore").read_text(encoding="utf-8"), re.M) if (TOP / ".gitignore").exists() else []
    for name in ignored:
        # A pattern of git's that begins with a slash is one of docker's without it.
        assert {name, name.replace("build*/", "build-*/"), re.sub(r"^\.env.*", ".env.*", name)} & left, name


@test
def the_branch_of_benchmarks_is_made_once():
    if not shutil.which("git"):
        return
    with tempfile.TemporaryDirectory() as folder:
        tree, remote = Path(folder) / "tree", Path(folder) / "remote"
        (tree / "scripts").mkdir(parents=True)
        shutil.copy(TOP / "scripts/bench-branch", tree / "scripts")
        env = dict(os.environ, HOME=folder, TOKEN="token", GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")

        def git(*words):
            return subprocess.run(["git", *words], env=env, capture_output=True, text=True, check=True).stdout.split()

        def made():
            return subprocess.run([tree / "scripts/bench-branch", remote], env=env, capture_output=True, text=True, check=False)

        git("init", "-q", tree)
        assert made().returncode == 3, "there is no remote repository yet"
        git("init", "-q", "--bare", remote)
        for said in ("gh-pages is made", "gh-pages is there"):
            done = made()
            assert done.returncode == 0 and said in done.stdout, done.stdout + done.stderr
            assert len(git("-C", remote, "rev-list", "--parents", "gh-pages")) == 1, "one commit without a parent"
        assert git("-C", remote, "ls-tree", "gh-pages") == []


@test
def the_coverage_gate_is_above_not_at():
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cobertura.xml"
        for covered, valid, code in ((801, 1000, 0), (800, 1000, 1), (799, 1000, 1), (0, 0, 1)):
            report.write_text(f'<coverage lines-covered="{covered}" lines-valid="{valid}"/>', encoding="utf-8")
            done = subprocess.run([TOP / "scripts/coverage-gate", report, "80"], capture_output=True, check=False)
            assert done.returncode == code, (covered, valid)


@test
def a_history_of_benchmarks_is_made_of_what_bench_prints():
    with tempfile.TemporaryDirectory() as folder:
        bench, out = Path(folder) / "bench", Path(folder) / "out.json"
        bench.write_text('{"events": 5, "ns_per_event": {"replay": 50.5}, "ratio": {"replay": 8.1}, "instructions_per_event": null}\nx 1\n',
                         encoding="utf-8")
        subprocess.run([TOP / "scripts/bench-history", out, "--bench", bench], check=True, capture_output=True)
        assert json.loads(out.read_text(encoding="utf-8")) == [
            {"name": "ns per event replay", "unit": "ns", "value": 50.5}, {"name": "ratio replay", "unit": "ratio", "value": 8.1}]


@test
def the_documents_commands_and_marks():
    done = subprocess.run([TOP / "scripts/check-docs", "--list", CAPSTAN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@test
def shell_scripts_pass_shellcheck():
    if not shutil.which("shellcheck"):
        return
    scripts = [path for path in (TOP / "scripts").iterdir() if path.is_file() and path.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash"))]
    assert len(scripts) > 12
    done = subprocess.run(["shellcheck", *sorted(path.relative_to(TOP) for path in scripts)], cwd=TOP, capture_output=True, text=True,
                          check=False)  # they name what they read from here
    assert done.returncode == 0, done.stdout


def main():
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, function in enumerate(TESTS, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}")
        except (AssertionError, KeyError, TypeError, OSError, ValueError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"not ok {number} - {name}")
            for line in (str(error) or type(error).__name__).splitlines()[:15]:
                print(f"#   {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
