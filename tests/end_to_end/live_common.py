"""What tests of live mode share: an exchange, commands, sessions and their threads, and the TAP of a list of tests."""
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

CAPSTAN = os.environ["CAPSTAN"]
os.environ["CAPSTAN_OPS__PORT"] = "0"  # sessions of other tests run beside these
TESTS, PROCESSES = [], []
STOPPED = []  # threads that nothing wakes
PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


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


def log_lines(path):
    """What stands whole in the log."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


def stop_thread(thread, process):
    """Nothing wakes it but let_go, and the end of the process."""
    if LIBC.ptrace(PTRACE_ATTACH, thread, None, None) != 0:
        raise Skip(f"a thread can't be stopped here: {os.strerror(ctypes.get_errno())}")
    os.waitpid(thread, WALL)
    if thread != process.pid:
        STOPPED.append(thread)


def let_go(thread):
    assert LIBC.ptrace(PTRACE_DETACH, thread, None, None) == 0, os.strerror(ctypes.get_errno())
    STOPPED.remove(thread)


def reap_stopped():
    """A thread that ended while it was traced is the tracer's to bury, before its process is gone."""
    for thread in STOPPED[:]:
        try:
            if os.waitpid(thread, os.WNOHANG | WALL)[0] == thread:
                STOPPED.remove(thread)
        except ChildProcessError:
            STOPPED.remove(thread)


def kill_all():
    """What a test has left."""
    for process in PROCESSES:
        if process.poll() is None:
            process.kill()
        while process.poll() is None:
            reap_stopped()
            time.sleep(0.02)
    PROCESSES.clear()


def judged(function, folder, venue):
    """Whether it passed, and what its line of TAP says behind its name."""
    try:
        function(folder, venue)
        return True, ""
    except Skip as why:
        return True, f" # SKIP {why}"
    except Exception as error:  # whatever it is: the other tests are run
        said = "".join(traceback.format_exception_only(error)).splitlines()[:15]
        return False, "".join(f"\n#   {line}" for line in said)


def main(make_venue=Venue):
    """The tests, or those that the arguments name."""
    tests = [function for function in TESTS if len(sys.argv) == 1 or function.__name__ in sys.argv[1:]]
    print(f"1..{len(tests)}")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, function in enumerate(tests, 1):
            folder = Path(scratch) / function.__name__
            folder.mkdir()
            # One each: a venue lets one address ask for so much a minute.
            venue = make_venue(folder)
            try:
                passed, rest = judged(function, folder, venue)
            finally:
                kill_all()
                venue.end()
            failed += not passed
            print(f"{'ok' if passed else 'not ok'} {number} - {function.__name__.replace('_', ' ')}{rest}", flush=True)
    return 1 if failed else 0
