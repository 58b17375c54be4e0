"""What tests of live mode share: an exchange, commands, sessions and their threads, and the TAP of a list of tests."""
import calendar
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from decimal import Decimal
from pathlib import Path

CAPSTAN = os.environ["CAPSTAN"]
os.environ["CAPSTAN_OPS__PORT"] = "0"  # sessions of other tests run beside these
os.environ["CAPSTAN_TAPE__ROTATE_EVERY"] = "0"  # but where a test says so: else they would at midnight
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
        until(path.exists, "the exchange does not tell its state", every=0.02)  # it is whole once it is there
        return json.loads(path.read_text())

    def state(self):
        """Of its first venue."""
        return self.states()[self.venues[0]]

    def settled(self):
        """What it holds once it has served what was sent to it: for sessions that send nothing any more."""
        last = None
        while True:
            state = self.state()
            if state["requests"] == last:
                return state
            last = state["requests"]
            time.sleep(0.2)

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


def run(*command, env=None, timeout=240):
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


def count_of(log, message):
    """How often a log says it; engines log all that they take and decide."""
    return log.read_text().count(f'"message":"{message}"') if log.exists() else 0


def port_of(log):
    """Where the session of that log serves, which has it from the system; None where it does not say yet."""
    return next((line["fields"]["port"] for line in log_lines(log) if "port" in line["fields"]), None)


def seconds_of(line):
    """The time of a line of a tape's text, since 1970."""
    whole, fraction = re.match(r"(\S+T[\d:]+)\.(\d+)Z ", line).groups()
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{fraction}")


def on_one_day(seconds=240):
    """Wait until so much is left of the day, of UTC, where what a test compares begins anew with it."""
    left = 86400 - time.time() % 86400
    if left < seconds:
        time.sleep(left + 1)


def start_live(venue, tape, log, *more, mode="live", config=None, env=None):
    command = [CAPSTAN, mode, "-c", str(config or venue.config), "--tape", str(tape), *map(str, more)]
    return started(command, stdout=subprocess.DEVNULL, stderr=open(log, "w"), env=env)


def live_until(holds, venue, tape, log, *more, codes=(0,), by=signal.SIGTERM, **how):
    """A session that is ended in order once that holds. Its --for would count from its first moment, whenever it begins;
    SIGALRM is what that gives it."""
    process = start_live(venue, tape, log, *more, **how)
    until(holds, lambda: log.read_text()[-1500:], process=process)
    process.send_signal(by)
    found = process.wait(120)
    assert found in codes, f"exit {found}: {log.read_text()[-1500:]}"


def await_orders(venue, process):
    until(lambda: venue.state()["open"], "no order came to rest", process=process)


def until(holds, what, seconds=150, process=None, every=0.1):
    """Wait until it holds. A machine may be slow, and a venue may have a session wait for a minute: it limits how much is
    asked for. A process must not end meanwhile."""
    end = time.monotonic() + seconds
    while not holds():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() >= end:
            said = what() if callable(what) else what
            raise AssertionError(f"{'the session ended by itself' if ended else f'not in {seconds} s'}: {said}")
        time.sleep(every)


def freeze(process):
    """Stop it, and wait until it stands."""
    process.send_signal(signal.SIGSTOP)
    found = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert found.si_code == os.CLD_STOPPED, "the session ended by itself"


def kill_where(holds, venue, process):
    """Kill the session where that holds of the venue, which then stays so but for what the market fills."""

    def stands():
        freeze(process)
        if holds(venue.settled()):
            return True
        process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        return False

    until(stands, "never was it so", process=process)
    process.kill()
    process.wait()


def moved(fills, symbol):
    """What the venue's fills came to, less fees in what was bought."""
    total = Decimal(0)
    for fill in fills:
        if fill["symbol"] == symbol:
            total += Decimal(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)
            total -= Decimal(fill["fee"]) if fill["fee_asset"] == re.match("[A-Z]{3}", symbol)[0] else 0
    return total


def explains(told, fills):
    """Whether fills explain the difference of positions that a session tells at its start. One of a moment in which
    the account is read may be in one of both: `fills` are those that may be so."""
    apart = Decimal(told["difference"]) - Decimal(told["by_fills"])
    fills = [fill for fill in fills if fill["symbol"] == told["symbol"]]
    runs = [moved(fills[first:last], told["symbol"]) for first in range(len(fills)) for last in range(first + 1, len(fills) + 1)]
    return apart == 0 or apart in runs or -apart in runs


def stop_thread(thread, process):
    """Nothing wakes it but let_go, and the end of the process."""
    if LIBC.ptrace(PTRACE_ATTACH, thread, None, None) != 0:
        raise Skip(f"a thread can't be stopped here: {os.strerror(ctypes.get_errno())}")
    os.waitpid(thread, WALL)
    if thread != process.pid:
        STOPPED.append(thread)


def let_go(thread):
    assert LIBC.ptrace(PTRACE_DETACH, thread, None, None) == 0, os.strerror(ctypes.get_errno())
    if thread in STOPPED:
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
