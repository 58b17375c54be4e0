#!/usr/bin/env python3
"""The end of a live session whose parts hang: the engine's thread and a venue's, stopped by ptrace, and a log that
nobody reads. And the log's rotation. Prints TAP."""
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

sys.dont_write_bytecode = True
from live_common import (CAPSTAN, count_of, expect, let_go, log_lines, main, reap_stopped, run, started, stop_thread,  # noqa: E402
                         test, until)

# Ended by force 4 s after the engine's own limit. What nothing hangs in ends in order sooner than that, on a busy machine too.
QUICK = ["--set", "shutdown.force_after=6s", "--set", "shutdown.timeout=5s", "--set", "shutdown.step_timeout=4s"]
LIMIT = 6 + 4
SLACK = 30  # of a machine with much else to do


class Session:
    def __init__(self, venue, folder, *more, log_name="log", terminal=None):
        """With `terminal`, its descriptor, log and result go there."""
        self.tape, self.log = folder / "session.tape", folder / log_name
        self.errors = open(folder / "errors", "w")
        log = [] if terminal else ["--log", str(self.log)]
        self.process = started([CAPSTAN, "live", "-c", str(venue.config), "--tape", str(self.tape), *log, *QUICK,
                                *map(str, more)], stdout=terminal or subprocess.DEVNULL,
                               stderr=terminal or self.errors)

    def lines(self):
        return log_lines(self.log)

    def await_line(self, message, count=1):
        """The first of so many."""
        until(lambda: count_of(self.log, message) >= count, f"no {message!r}", process=self.process, every=0.05)
        found = []
        until(lambda: found.extend(line for line in self.lines() if line["message"] == message) or found, "half of a line")
        return found[0]

    def end(self, code, least, most):
        """SIGTERM; the seconds until it has ended."""
        at = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None and time.monotonic() < at + most + 30:
            reap_stopped()
            time.sleep(0.02)
        found = self.process.poll()
        took = time.monotonic() - at
        assert found == code, f"exit {found}, expected {code}\n" + "\n".join(
            f"{line['time']} {line['message']} {line['fields']}" for line in self.lines()[-14:])
        assert least <= took <= most, f"it took {took:.2f} s"
        return took


def venue_thread(session):
    threads = {line["thread_id"] for line in session.lines() if line["span"] and line["span"]["name"] == "venue"}
    assert len(threads) == 1, threads
    return threads.pop()


def stop_where_orders_rest(threads, session, venue):
    """Of both sides: the market may fill those of one meanwhile."""

    def stand():
        for thread in threads:
            stop_thread(thread, session.process)
        if len({order["side"] for order in venue.settled()["orders"] if order["state"] == "open"}) == 2:
            return True
        for thread in threads:
            let_go(thread)
        time.sleep(0.5)
        return False

    until(stand, "no orders rest", process=session.process)


def check_forced(session, venue):
    """What may rest is named in file and log."""
    left = set(venue.state()["open"])
    assert left, "no order rests: nothing was shown"
    named = [json.loads(line) for line in Path(f"{session.tape}.unconfirmed").read_text().splitlines()]
    assert left <= {order["client_order"] for order in named}, (left, named)
    for order in named:
        assert order["venue"] == "binance_us" and order["side"] in ("buy", "sell"), order
        assert float(order["price"]) > 0 and float(order["leaves"]) > 0, order
    told = [json.loads(line["fields"]["order"]) for line in session.lines() if line["message"] == "unconfirmed"]
    assert told == named, told
    last = session.lines()[-1]
    assert last["level"] == "warn" and "ends by force" in last["message"], last
    assert last["fields"]["orders_not_confirmed"] == len(named), last


def check_cancelled(session, venue):
    """The engine's orders were cancelled without it, so none is named."""
    assert not set(venue.state()["open"])
    assert not Path(f"{session.tape}.unconfirmed").exists()
    swept = [line for line in session.lines() if line["message"] == "cancelled without the engine"]
    assert len(swept) == 1 and swept[0]["fields"]["cancels"] > 0 and swept[0]["fields"]["remaining"] == 0, swept
    last = session.lines()[-1]
    assert last["level"] == "warn" and "ends by force" in last["message"], last
    assert last["fields"]["orders_not_confirmed"] == 0, last


def go_on(session, venue, folder, named):
    """The next session on the tape ends all that rests, and its tape verifies."""
    again = Session(venue, folder, log_name="next.log")
    if named:
        line = again.await_line("the session before could not end all its orders")
        assert line["fields"]["orders"] > 0, line
    again.await_line("the venue's account is known")  # and what had filled meanwhile
    again.await_line("order_accepted")
    again.end(0, 0, LIMIT + SLACK)
    assert not set(venue.state()["open"])
    assert not Path(f"{session.tape}.unconfirmed").exists()
    expect(run("verify", session.tape), 0)


@test
def the_engines_thread_hangs(folder, venue):
    session = Session(venue, folder)
    line = session.await_line("order_accepted", 4)
    assert line["spans"][0]["name"] == "session", line
    stop_where_orders_rest([line["thread_id"]], session, venue)
    session.end(3, LIMIT - 0.5, LIMIT + SLACK)
    check_cancelled(session, venue)
    go_on(session, venue, folder, False)


@test
def both_hang(folder, venue):
    session = Session(venue, folder)
    line = session.await_line("order_accepted", 4)
    stop_where_orders_rest([venue_thread(session), line["thread_id"]], session, venue)
    session.end(3, LIMIT - 0.5, LIMIT + SLACK)
    check_forced(session, venue)
    go_on(session, venue, folder, True)


@test
def a_venues_thread_hangs(folder, venue):
    """The engine ends its part by force, then nothing ends the wait for the thread."""
    session = Session(venue, folder)
    session.await_line("order_accepted", 4)
    stop_where_orders_rest([venue_thread(session)], session, venue)
    session.end(3, LIMIT - 0.5, LIMIT + SLACK)
    left = set(venue.state()["open"])
    assert left, "no order rests: nothing was shown"
    named = [json.loads(line) for line in Path(f"{session.tape}.unconfirmed").read_text().splitlines()]
    assert left <= {order["client_order"] for order in named}, (left, named)
    assert any("shutdown ended by force" in line["message"] for line in session.lines())
    go_on(session, venue, folder, True)


@test
def a_second_signal_is_less_patient(folder, venue):
    session = Session(venue, folder, "--set", "shutdown.force_after=1h")
    line = session.await_line("order_accepted", 4)
    stop_where_orders_rest([line["thread_id"]], session, venue)
    session.process.send_signal(signal.SIGTERM)
    session.await_line("SIGTERM: shutting down")
    time.sleep(0.6)  # what comes sooner is the same wish
    session.end(3, 4.5, 5 + SLACK)
    check_cancelled(session, venue)


def goes_on_behind(descriptor, venue, session):
    """New orders are sent while what is written there does not grow any more."""
    seen = []

    def stands():
        waiting = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0]
        seen.append((waiting, len(venue.state()["orders"])))
        first = next(orders for before, orders in seen if before == waiting)
        return waiting > 0 and seen[-1][1] > first + 4

    until(stands, lambda: seen[-3:], process=session.process)


@test
def a_log_that_nobody_reads_holds_up_nobody(folder, venue):
    (folder / "session").mkdir()
    os.mkfifo(folder / "log")
    reader = os.open(folder / "log", os.O_RDONLY | os.O_NONBLOCK)
    environment = os.environ.get("CAPSTAN_LOG")
    os.environ["CAPSTAN_LOG"] = "trace"
    try:
        session = Session(venue, folder)
    finally:
        os.environ.pop("CAPSTAN_LOG")
        if environment:
            os.environ["CAPSTAN_LOG"] = environment
    goes_on_behind(reader, venue, session)
    session.end(0, 0, LIMIT + SLACK)
    os.close(reader)
    assert not set(venue.state()["open"])


@test
def a_terminal_that_nobody_reads_holds_up_nobody(folder, venue):
    """It takes a part of a line and holds the write, as it would hold the result's."""
    master, terminal = os.openpty()
    session = Session(venue, folder, terminal=terminal)
    os.close(terminal)
    goes_on_behind(master, venue, session)
    session.end(3, 0, LIMIT + SLACK)
    os.close(master)
    assert not set(venue.state()["open"])
    expect(run("verify", session.tape), 0)


@test
def the_log_is_rotated_by_a_signal(folder, venue):
    session = Session(venue, folder)
    session.await_line("order_accepted")
    old = folder / "log.1"
    session.log.rename(old)
    written = old.stat().st_size
    until(lambda: old.stat().st_size > written, "nothing is written to it any more", process=session.process)
    session.process.send_signal(signal.SIGHUP)
    session.await_line("the log's file was opened again")
    session.await_line("order_accepted")
    session.end(0, 0, LIMIT + SLACK)
    before = [json.loads(line) for line in old.read_text().splitlines()]
    lines = before + session.lines()
    assert not any(line["target"] == "capstan.log" and "dropped" in line["fields"] for line in lines)
    numbers = [line["fields"]["order"] for line in lines if line["message"] == "place"]
    assert len({number.split(".")[0] for number in numbers}) == 1, numbers
    counters = [int(number.split(".")[1]) for number in numbers]
    assert counters == sorted(counters), counters
    assert lines[-1]["message"] == "final_balance", lines[-1]


@test
def a_signal_before_the_session_begins(folder, venue):
    """While a venue is asked that does not answer."""
    venue.process.send_signal(signal.SIGSTOP)
    session = Session(venue, folder)
    session.await_line("connecting")
    session.end(0, 0, LIMIT + SLACK)
    venue.process.send_signal(signal.SIGCONT)
    said = [line["message"] for line in session.lines()]
    assert "stopped before the session began: no order was sent" in said, said
    assert not set(venue.state()["open"]) and not session.tape.exists()


if __name__ == "__main__":
    sys.exit(main())
