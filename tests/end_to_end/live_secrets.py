#!/usr/bin/env python3
"""Keys of three venues stand nowhere but where they must: not in logs, tapes, databases, raw frames, metrics, arguments,
/proc or a core file, whether they come from files or from the environment. Prints TAP."""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
from live_common import CAPSTAN, Venue, expect, main, port_of, run, start_live, started, test, until  # noqa: E402

VENUES = ("binance_us", "coinbase", "oanda")
PAGES = ("/", "/healthz", "/readyz", "/health/live", "/health/ready", "/metrics", "/api/dashboard")


def credentials(venue):
    """(key, secret) by venue, as its file has them."""
    found = {}
    for name in VENUES:
        texts = json.loads((venue.folder / f"{name}.json").read_text())
        found[name] = (texts.get("key") or texts.get("name") or texts["account"],
                       texts.get("secret") or texts.get("privateKey") or texts["token"])
    return found


def canaries(venue):
    """Each text of them, and each line of those that have several."""
    texts = {}
    for name, pair in credentials(venue).items():
        for text in pair:
            for line in [text, *text.splitlines()]:
                if "-----" not in line or line == text:
                    texts[line.encode()] = name
    assert len(texts) >= 3 * 2 + 2 and all(len(text) >= 8 for text in texts), "too few to look for"
    return texts


def read_of(process, name):
    """A file of /proc; what others of this user can't read shows them nothing."""
    try:
        return (Path("/proc") / str(process.pid) / name).read_bytes()
    except PermissionError:
        return b""


def bytes_of(folder):
    """What its files have; a database's journal goes at any moment."""
    found = {}
    for path in folder.iterdir():
        try:
            found[path.name] = path.read_bytes()
        except FileNotFoundError:
            pass
    return found


def is_busy(venue):
    states = venue.states()
    return all(states[name]["orders"] for name in VENUES)


def runs_without_a_trace(folder, venue, env, *more):
    """A session that says and writes all it can."""
    out, log = folder / "out", folder / "session.log"
    out.mkdir()
    env = {**os.environ, **env, "CAPSTAN_LOG": "trace"}
    live = start_live(venue, out / "s.tape", log, "--raw", str(out / "raw"), "--db", str(out / "s.db"),
                      "--set", "shutdown.timeout=30s", "--set", "shutdown.step_timeout=20s", *more, env=env)
    until(lambda: is_busy(venue), lambda: log.read_text()[-1500:], process=live)
    port = port_of(log)
    seen = {f"/proc/PID/{name}": read_of(live, name) for name in ("cmdline", "environ")}
    for page in PAGES:
        try:
            seen[page] = urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=60).read()
        except urllib.error.HTTPError as answer:
            seen[page] = answer.read()
    seen.update({f"{name}, alive": content for name, content in bytes_of(out).items()})
    live.terminate()
    # 3: a busy venue did not confirm every cancel, which is not what this is about.
    assert live.wait(120) in (0, 3), log.read_text()[-1500:]
    seen.update(bytes_of(out))
    seen |= {"log": log.read_bytes(), "text of the tape": run("tape", "cat", out / "s.tape").stdout.encode(),
             "tape info": run("tape", "info", out / "s.tape").stdout.encode()}
    for where in ("log", "raw", "s.tape", "s.db", "text of the tape", "/metrics", "/proc/PID/cmdline"):
        assert seen[where], f"nothing was looked at in {where}"
    for text, name in canaries(venue).items():
        found = [where for where, content in seen.items() if text in content]
        assert not found, f"a key or secret of {name} stands in {found}"
    return out, seen


@test
def nothing_shows_what_stands_in_files(folder, venue):
    out, seen = runs_without_a_trace(folder, venue, {})
    assert (out / "raw").stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in seen["raw"].decode().splitlines()]
    assert {line["conn"].split(".")[0] for line in lines if line["t"] == "http"} == set(VENUES)
    urls = [line["url"] for line in lines if line["t"] == "http"]
    assert any("/accounts/***" in url for url in urls), "no account's id was hidden"
    signed = [url for url in urls if "signature=" in url]
    assert signed and all("signature=***" in url for url in signed), signed[:3]


@test
def nothing_shows_what_came_by_the_environment(folder, venue):
    env, more = {}, []
    for name, (key, secret) in credentials(venue).items():
        env |= {f"CAPSTAN_{name.upper()}_KEY": key, f"CAPSTAN_{name.upper()}_SECRET": secret}
        more += ["--set", f"venues.{name}.live.credentials="]
    _, seen = runs_without_a_trace(folder, venue, env, *more)
    environment = seen["/proc/PID/environ"]
    assert b"CAPSTAN_OANDA_KEY" not in environment.replace(b"CAPSTAN_OANDA_KEY=\0", b""), "its value was left"
    assert b"are taken from the environment" in seen["log"]


@test
def a_core_file_is_not_left(folder, venue):
    """Keys stand in the memory of the network's libraries too, which nobody can keep out of a core file."""
    command = [CAPSTAN, "live", "-c", str(venue.config), "--tape", str(folder / "died.tape")]
    most = (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2
    live = started(command, stdout=subprocess.DEVNULL, stderr=open(folder / "died.log", "w"), cwd=folder,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, most))
    until(lambda: is_busy(venue), "no orders", process=live)
    limits = read_of(live, "limits").decode()
    live.send_signal(signal.SIGABRT)
    assert live.wait(120) == -signal.SIGABRT
    assert re.search(r"Max core file size +0 +0 ", limits), limits
    cores = [path.name for path in folder.iterdir() if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert not cores, cores
    expect(run("live", "-c", venue.config, "--tape", folder / "died.tape", "--for", "2s"), 0)


@test
def credentials_that_others_can_read_are_refused(folder, venue):
    loose = folder / "loose.json"
    shutil.copy(venue.folder / "binance_us.json", loose)
    loose.chmod(0o644)
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape",
               "--set", f"venues.binance_us.live.credentials={loose}"), 2, "0600")
    loose.chmod(0o600)
    loose.write_text('{"key": "changeme", "secret": "changeme"}')
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape",
               "--set", f"venues.binance_us.live.credentials={loose}"), 2)


if __name__ == "__main__":
    sys.exit(main(lambda folder: Venue(folder, "--rate", 100, venues=VENUES)))
