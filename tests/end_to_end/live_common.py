"""What tests of live mode share: the exchange of this machine, commands, sessions, and the TAP of a list of tests."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAPSTAN = os.environ["CAPSTAN"]
os.environ["CAPSTAN_OPS__PORT"] = "0"  # sessions of other tests run beside these
TESTS, PROCESSES = [], []


def test(function):
    TESTS.append(function)
    return function


class Skip(Exception):
    """What a test needs is not here."""


class Venue:
    """capstan exchange, as Binance.US or as those that are named."""

    def __init__(self, folder, *more, venues=("binance_us",)):
        self.folder = folder / "venue"
        self.venues = venues
        self.log = open(folder / "exchange.log", "w")
        command = [CAPSTAN, "exchange", "--dir", str(self.folder), "--synth", "5", *map(str, more)]
        for venue in venues:
            command += ["--venue", venue]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout.readline().strip() == "ready", "the exchange did not become ready"
        self.config = self.folder / "live.yaml"

    def states(self):
        """What it holds now, by venue."""
        path = self.folder / "state.json"
        path.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        for _ in range(200):
            time.sleep(0.05)
            try:
                return json.loads(path.read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                pass
        raise AssertionError("the exchange does not tell its state")

    def state(self):
        """Of its first venue."""
        return self.states()[self.venues[0]]

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


def chain(tape):
    """The tape and those that follow it."""
    return [tape, *sorted(tape.parent.glob(f"{tape.stem}-[0-9]*.tape"))]


def started(command, **more):
    """A process that is killed at the end of its test where that left it."""
    PROCESSES.append(subprocess.Popen(command, **more))
    return PROCESSES[-1]


def start_live(venue, tape, log, *more, env=None):
    command = [CAPSTAN, "live", "-c", str(venue.config), "--tape", str(tape), *more]
    return started(command, stdout=subprocess.DEVNULL, stderr=open(log, "w"), env=env)


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


def until(holds, what, seconds=60):
    """Wait until it holds; a machine may be slow."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"not in {seconds} s: {what() if callable(what) else what}")


def main(make_venue=Venue):
    print(f"1..{len(TESTS)}")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, function in enumerate(TESTS, 1):
            folder = Path(scratch) / function.__name__
            folder.mkdir()
            name = function.__name__.replace("_", " ")
            # One each: a venue lets one address ask for so much a minute.
            venue = make_venue(folder)
            try:
                function(folder, venue)
                print(f"ok {number} - {name}")
            except (AssertionError, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as error:
                failed += 1
                print(f"not ok {number} - {name}")
                for line in str(error).splitlines()[:15]:
                    print(f"#   {line}")
            sys.stdout.flush()
            for process in PROCESSES:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            venue.end()
    return 1 if failed else 0
