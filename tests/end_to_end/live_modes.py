#!/usr/bin/env python3
"""record, paper and watchdog against the exchange of this machine; what must never connect; and that a secret
stands nowhere. Prints TAP."""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CAPSTAN = os.environ["CAPSTAN"]
os.environ["CAPSTAN_OPS__PORT"] = "0"  # sessions of other tests run beside these
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Venue:
    """capstan exchange, as Binance.US."""

    def __init__(self, folder, *more):
        self.folder = folder / "venue"
        self.log = open(folder / "exchange.log", "w")
        command = [CAPSTAN, "exchange", "--dir", str(self.folder), "--synth", "5", "--venue", "binance_us", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout.readline().strip() == "ready", "the exchange did not become ready"
        self.config = self.folder / "live.yaml"

    def state(self):
        """What it holds now."""
        path = self.folder / "state.json"
        path.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        for _ in range(200):
            time.sleep(0.05)
            try:
                return json.loads(path.read_text())["binance_us"]
            except (FileNotFoundError, json.JSONDecodeError):
                pass
        raise AssertionError("the exchange does not tell its state")

    def end(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def run(*command, env=None, timeout=120):
    return subprocess.run([CAPSTAN, *map(str, command)], capture_output=True, text=True, timeout=timeout, env=env)


def expect(result, code, text=""):
    said = result.stdout + result.stderr
    assert result.returncode == code, f"exit {result.returncode}, expected {code}: {said[-1500:]}"
    assert text in said, f"no {text!r} in: {said[-1500:]}"


@test
def record_writes_a_tape_that_replays(folder, venue):
    tape = folder / "market.tape"
    raw = folder / "market.raw"
    expect(run("record", "-c", venue.config, "--tape", tape, "--for", "4s", "--raw", raw), 0)
    expect(run("tape", "check", tape), 0, "sound")
    told = json.loads(run("replay", tape, "--json", "--set", "quote.enabled=no").stdout)
    assert told["events"] > 100, told
    lines = [json.loads(line) for line in raw.read_text().splitlines()]
    assert any(line["t"] == "recv" and "depthUpdate" in line["data"] for line in lines)
    snapshots = [json.loads(line["data"]) for line in lines if line["t"] == "http" and "/depth" in line["url"]]
    assert snapshots and "lastUpdateId" in snapshots[0], "no book as it was answered"
    state = venue.state()
    assert "place" not in state["requests"] and "account" not in state["requests"], state["requests"]


@test
def paper_sends_nothing_and_verifies(folder, venue):
    tape = folder / "paper.tape"
    result = run("paper", "-c", venue.config, "--tape", tape, "--for", "6s", "--json")
    expect(result, 0)
    assert json.loads(result.stdout)["decisions"] > 4, result.stdout
    text = run("tape", "cat", tape).stdout
    assert " order_accepted " in text, "no order was taken at the simulated venue"
    expect(run("verify", tape), 0, "identical")
    assert "place" not in venue.state()["requests"]
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "1s"), 2, "begin a new tape")


@test
def a_session_that_begins_with_a_position_agrees_with_the_account(folder, venue):
    tape = folder / "held.tape"
    session = ("live", "-c", venue.config, "--tape", tape, "--set", "safety.sync_interval=1s", "--for")
    for _ in range(6):
        expect(run(*session, "6s"), 0)
        held = re.findall(r" final_position (\S+) position=(\S+)", run("tape", "cat", tape).stdout)[-2:]
        if any(float(position) != 0 for _, position in held):
            break
    assert any(float(position) != 0 for _, position in held), f"no position came about: {held}"
    expect(run(*session, "8s"), 0)
    told = run("tape", "cat", tape).stdout.split(" start ")[-1]
    assert told.count(" snapshot_end ") >= 4, "the account was not told often enough"
    assert " venue_position " in told
    alarms = [line for line in told.splitlines() if " alarm " in line and "drift" in line]
    assert not alarms, alarms
    assert " place " in told, "nothing was quoted"
    expect(run("verify", tape), 0, "identical")


def chain(tape):
    """The tape and those that follow it."""
    return [tape, *sorted(tape.parent.glob(f"{tape.stem}-[0-9]*.tape"))]


@test
def a_recording_rotates_and_each_tape_replays_alone(folder, venue):
    tape = folder / "market.tape"
    expect(run("record", "-c", venue.config, "--tape", tape, "--for", "7s", "--set", "tape.rotate_every=2s"), 0)
    tapes = chain(tape)
    assert len(tapes) in (4, 5), tapes
    assert not list(folder.glob("*.journal-*")), "journals are left"
    for number, one in enumerate(tapes, 1):
        info = json.loads(run("tape", "info", one, "--json").stdout)
        assert info["finished"] and info["grade"] == "A", info
        assert info.get("predecessor", {}).get("number", 1) == number, info
        if number > 1:
            assert info["predecessor"]["tape"] == tapes[number - 2].name, info
            assert info["predecessor"]["identity"] == before, info
            # The venue was asked nothing anew: the books of before stand at the beginning.
            assert info["kinds"]["snapshot"] == 2 and "feed_connection" not in info["kinds"], info["kinds"]
            assert f'{books(one, info["first"])}' == last, "another book than the one before ended with"
        before, last = info["identity"], f'{books(one, info["last"])}'
        assert json.loads(run("replay", one, "--json", "--set", "quote.enabled=no").stdout)["events"] > 0


def books(tape, at):
    """The levels of all books at a time, without its line."""
    text = run("tape", "book", tape, "--at", at, "--depth", "1000").stdout
    assert "synchronised=true" in text and "synchronised=false" not in text, text[:500]
    return [line.split(" sequence=")[0].split(" ", 1)[1] if "synchronised" in line else line
            for line in text.splitlines()]


@test
def paper_rotates_and_verifies(folder, venue):
    tape = folder / "paper.tape"
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "6s", "--set", "tape.rotate_every=2s"), 0)
    tapes = chain(tape)
    assert len(tapes) > 2, tapes
    expect(run("verify", *tapes), 0, "goes on where")
    expect(run("verify", tapes[-1]), 0, "identical")
    expect(run("verify", tapes[0], tapes[2]), 1, "follows")
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "1s"), 2, "begin a new tape")


@test
def a_rotation_that_can_t_be_is_told(folder, venue):
    tape = folder / ("n" * 58 + ".tape")
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "1s"), 2, "too long")
    expect(run("live", "-c", venue.config, "--tape", folder / "s.tape", "--set", "tape.rotate_every=10ms"), 2,
           "tape.rotate_every")


def start_live(venue, tape, log, *more, env=None):
    command = [CAPSTAN, "live", "-c", str(venue.config), "--tape", str(tape), *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(log, "w"), env=env)


def await_orders(venue, process):
    """The venue may have the session wait for a minute: it limits how much is asked for."""
    for _ in range(500):
        assert process.poll() is None, "the session ended by itself"
        if venue.state()["open"]:
            return
        time.sleep(0.1)
    process.kill()
    process.wait()
    raise AssertionError("no order came to rest")


@test
def the_watchdog_cancels_what_a_dead_engine_left(folder, venue):
    tape = folder / "watched.tape"
    live = start_live(venue, tape, folder / "watched.log")
    await_orders(venue, live)
    watchdog = subprocess.Popen([CAPSTAN, "watchdog", "-c", str(venue.config), "--tape", str(tape), "--after", "1s"],
                                stderr=open(folder / "watchdog.log", "w"))
    time.sleep(3)
    assert venue.state()["open"] and watchdog.poll() is None, "an engine that lives is left alone"
    live.kill()
    live.wait()
    assert venue.state()["open"], "orders outlive the engine"
    for _ in range(200):
        time.sleep(0.1)
        if not venue.state()["open"]:
            break
    assert not venue.state()["open"], (folder / "watchdog.log").read_text()[-1500:]
    watchdog.terminate()
    assert watchdog.wait(20) == 0
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "3s"), 0)
    expect(run("verify", tape), 0, "identical")


@test
def the_watchdog_watches_a_session_whose_tapes_rotate(folder, venue):
    tape = folder / "rotated.tape"
    live = start_live(venue, tape, folder / "rotated.log", "--set", "tape.rotate_every=1s")
    await_orders(venue, live)
    watchdog = subprocess.Popen([CAPSTAN, "watchdog", "-c", str(venue.config), "--tape", str(tape), "--after", "1s"],
                                stderr=open(folder / "watchdog.log", "w"))
    time.sleep(4)
    assert len(chain(tape)) > 2 and watchdog.poll() is None, "an engine whose tapes rotate is left alone"
    live.kill()
    live.wait()
    for _ in range(200):
        time.sleep(0.1)
        if not venue.state()["open"]:
            break
    assert not venue.state()["open"], (folder / "watchdog.log").read_text()[-1500:]
    watchdog.terminate()
    assert watchdog.wait(20) == 0
    newest = chain(tape)[-1]
    expect(run("tape", "recover", newest), 0, "brought onto it")
    expect(run("tape", "recover", newest), 0, " 0 messages of 0 journals")
    expect(run("verify", *chain(tape)), 0, "identical")
    expect(run("tape", "repair", newest, "-o", folder / "repaired.tape"), 0)
    expect(run("tape", "recover", folder / "repaired.tape"), 0, "nothing to recover")
    expect(run("tape", "recover", folder / "none.tape"), 2, "no such tape")


@test
def the_watchdog_ends_with_a_session_that_ends_in_order(folder, venue):
    tape = folder / "orderly.tape"
    live = start_live(venue, tape, folder / "orderly.log", "--for", "5s")
    await_orders(venue, live)
    watchdog = run("watchdog", "-c", venue.config, "--tape", tape, "--after", "2s")
    expect(watchdog, 0)
    assert live.wait(30) == 0 and not venue.state()["open"]


@test
def one_session_of_a_name_trades_an_account(folder, venue):
    """Another tape, the same name: refused. A third stands by, ends in order by a signal, or takes over."""
    first = start_live(venue, folder / "first.tape", folder / "first.log")
    await_orders(venue, first)
    second = folder / "second.tape"
    expect(run("live", "-c", venue.config, "--tape", second, "--for", "1s"), 2, "another session trades this account")
    expect(run("live", "-c", venue.config, "--tape", second, "--for", "1s", "--stand-by"), 0, "standing by")
    assert not second.exists(), "a session that stands by has no tape"
    before = venue.state()["requests"]
    other = start_live(venue, second, folder / "second.log", "--stand-by")
    time.sleep(1)
    assert other.poll() is None and first.poll() is None
    told = [json.loads(line) for line in (folder / "second.log").read_text().splitlines()]
    port = next(line["fields"]["port"] for line in told if "port" in line["fields"])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:
        ready = json.load(answer)
    assert ready["ready"] and ready["reasons"] == ["standing_by"], ready
    assert venue.state()["requests"].get("account") == before.get("account"), "it asked for the account"
    first.kill()
    first.wait()
    for _ in range(300):
        if "the session begins" in (folder / "second.log").read_text():
            break
        time.sleep(0.1)
    log = (folder / "second.log").read_text()
    assert "the lease is ours" in log and "the session begins" in log, log[-1500:]
    other.terminate()
    assert other.wait(30) == 0 and not venue.state()["open"], (folder / "second.log").read_text()[-1500:]
    expect(run("live", "-c", venue.config, "--tape", folder / "first.tape", "--for", "2s"), 0)


@test
def an_unknown_authority_is_never_talked_to(folder, venue):
    other = folder / "other"
    other.mkdir()
    stranger = Venue(other)
    before = venue.state()["requests"]
    result = run("live", "-c", venue.config, "--tape", folder / "no.tape", "--for", "4s",
                 "--set", f"venues.binance_us.live.ca_file={stranger.folder / 'ca.pem'}")
    stranger.end()
    expect(result, 3)
    assert venue.state()["requests"] == before, "a request arrived"
    assert not (folder / "no.tape").exists()


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


@test
def a_secret_stands_nowhere(folder, venue):
    credentials = json.loads((venue.folder / "binance_us.json").read_text())
    secrets = [credentials["secret"].encode(), credentials["key"].encode()]
    tape, log = folder / "canary.tape", folder / "canary.log"
    env = {name: value for name, value in os.environ.items()} | {"CAPSTAN_LOG": "trace"}
    live = start_live(venue, tape, log, "--raw", str(folder / "canary.raw"), env=env)
    await_orders(venue, live)
    process = Path("/proc") / str(live.pid)
    seen = [("command line", (process / "cmdline").read_bytes()), ("environment", (process / "environ").read_bytes())]
    live.terminate()
    assert live.wait(30) == 0
    seen += [("log", log.read_bytes()), ("raw frames", (folder / "canary.raw").read_bytes()),
             ("tape", tape.read_bytes()), ("text of the tape", run("tape", "cat", tape).stdout.encode()),
             ("tape's header", run("tape", "info", tape).stdout.encode())]
    for where, content in seen:
        for secret in secrets:
            assert secret not in content, f"a secret stands in the {where}"
    assert seen[2][1] and seen[4][1], "nothing was looked at"


@test
def a_session_that_holds_keys_leaves_no_core_file(folder, venue):
    """Keys stand in the memory of the network's libraries too, which nobody can keep out of a core file."""
    command = [CAPSTAN, "live", "-c", str(venue.config), "--tape", str(folder / "died.tape")]
    live = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(folder / "died.log", "w"), cwd=folder,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE,
                                                                  (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2))
    await_orders(venue, live)
    limits = Path(f"/proc/{live.pid}/limits").read_text()
    live.send_signal(signal.SIGABRT)
    assert live.wait(60) == -signal.SIGABRT
    assert re.search(r"Max core file size +0 +0 ", limits), limits
    cores = [path.name for path in folder.iterdir() if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert not cores, cores
    expect(run("live", "-c", venue.config, "--tape", folder / "died.tape", "--for", "2s"), 0)


@test
def what_is_wrong_is_told(folder, venue):
    expect(run("live", "-c", venue.config), 2, "--tape")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.instruments="), 2,
           "live.instruments")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.instruments=nowhere:BTC"), 2,
           "no adapter")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.session=Not_One"), 2,
           "live.session")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.order_expiry=60s"), 2,
           "order.renew_after of binance_us: '0'; live.order_expiry is 1m")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.order_expiry=60s",
               "--set", "order.renew_after=60s"), 2, "order.renew_after of binance_us: '1m'")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.instruments=binance_us:NOTHING"),
           3, "NOTHING")
    expect(run("watchdog", "-c", venue.config, "--tape", folder / "no.tape"), 2, "no session")


def main():
    print(f"1..{len(TESTS)}")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, function in enumerate(TESTS, 1):
            folder = Path(scratch) / function.__name__
            folder.mkdir()
            name = function.__name__.replace("_", " ")
            # One each: a venue lets one address ask for so much a minute.
            venue = Venue(folder)
            try:
                function(folder, venue)
                print(f"ok {number} - {name}")
            except (AssertionError, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as error:
                failed += 1
                print(f"not ok {number} - {name}")
                for line in str(error).splitlines()[:15]:
                    print(f"#   {line}")
            sys.stdout.flush()
            venue.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
