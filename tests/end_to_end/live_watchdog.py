#!/usr/bin/env python3
"""The watchdog beside sessions against the exchange of this machine: sessions that live, end in order, die, and come
back; orders that the venue takes late; keys from the environment. Prints TAP."""
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
from live_common import (CAPSTAN, Venue, await_orders, chain, count_of, expect, kill_where, live_until,  # noqa: E402
                         log_lines, main, run, start_live, started, test, until)

CLEAN = "no order of the session rests"
PATIENT = 4  # seconds, where an engine lives that a busy machine may hold up


class Watchdog:
    def __init__(self, folder, venue, tape, *more, after=1, env=None):
        self.path = folder / "watchdog.log"
        self.process = started([CAPSTAN, "watchdog", "-c", str(venue.config), "--tape", str(tape), "--after", f"{after}s", *more],
                               stderr=open(self.path, "w"), env=env)

    def log(self):
        return self.path.read_text()

    def watches(self):
        until(lambda: count_of(self.path, "watching"), self.log, process=self.process)

    def leaves_alone(self, tape):
        """An engine that lives on for longer than the watchdog's patience, without a pause: a disk may hold it up."""
        self.watches()
        seen = {"sign": None, "changed": -PATIENT, "first": None, "said": 0}

        def lives_on():
            sign, now = signs(tape), time.monotonic()
            if sign != seen["sign"]:
                if now - seen["changed"] > PATIENT / 2:
                    seen.update(first=sign, said=self.log().count("gives no sign"))
                seen.update(sign=sign, changed=now)
            return sign > seen["first"] + (PATIENT + 1) * 10**9

        until(lives_on, "the engine does not go on", process=self.process)
        assert self.log().count("gives no sign") == seen["said"], self.log()

    def cancels_all(self, venue):
        """Orders that outlived their engine; there were some."""

        def is_clean():
            swept = [line for line in log_lines(self.path) if "cancels" in line["fields"]]
            return (sum(line["fields"]["cancels"] for line in swept) > 0 and CLEAN in swept[-1]["message"]
                    and not venue.state()["open"])

        until(is_clean, self.log, process=self.process)

    def end(self):
        self.process.terminate()
        return self.process.wait(120)


def signs(tape):
    """The engine's newest sign of life, by the session's clock (src/live/heartbeat.h)."""
    return int.from_bytes(Path(f"{tape}.heartbeat").read_bytes()[8:], sys.byteorder)


def rests(state):
    return state["open"]


@test
def it_cancels_what_a_dead_engine_left(folder, venue):
    tape = folder / "watched.tape"
    live = start_live(venue, tape, folder / "watched.log")
    await_orders(venue, live)
    watchdog = Watchdog(folder, venue, tape, after=PATIENT)
    watchdog.leaves_alone(tape)
    kill_where(rests, venue, live)
    watchdog.cancels_all(venue)
    assert watchdog.end() == 0
    log = folder / "again.log"
    live_until(lambda: count_of(log, "order_accepted"), venue, tape, log)
    expect(run("verify", tape), 0, "identical")


@test
def it_watches_a_session_whose_tapes_rotate(folder, venue):
    tape = folder / "rotated.tape"
    live = start_live(venue, tape, folder / "rotated.log", "--set", "tape.rotate_every=1s")
    await_orders(venue, live)
    watchdog = Watchdog(folder, venue, tape, after=PATIENT)
    watchdog.leaves_alone(tape)
    assert len(chain(tape)) > 2, "its tapes do not rotate"

    def leaves_journals(state):
        """Not where a tape has just ended, or begun: what recovers a copy has something to do."""
        copy = Path(tempfile.mkdtemp(dir=folder))
        for path in folder.glob("rotated*"):
            shutil.copy(path, copy)
        return rests(state) and "brought onto it" in run("tape", "recover", copy / chain(tape)[-1].name).stdout

    kill_where(leaves_journals, venue, live)
    watchdog.cancels_all(venue)
    assert watchdog.end() == 0
    newest = chain(tape)[-1]
    expect(run("tape", "recover", newest), 0, "brought onto it")
    expect(run("tape", "recover", newest), 0, " 0 messages of 0 journals")
    expect(run("verify", *chain(tape)), 0, "identical")
    expect(run("tape", "repair", newest, "-o", folder / "repaired.tape"), 0)
    expect(run("tape", "recover", folder / "repaired.tape"), 0, "nothing to recover")
    expect(run("tape", "recover", folder / "none.tape"), 2, "no such tape")


@test
def it_waits_for_a_session_and_ends_with_one_that_ends_in_order(folder, venue):
    tape = folder / "orderly.tape"
    log = folder / "orderly.log"
    live_until(lambda: count_of(log, "the session begins"), venue, tape, log)
    watchdog = Watchdog(folder, venue, tape, after=30)
    until(lambda: "the last session has ended: waiting for the next" in watchdog.log(), watchdog.log, process=watchdog.process)
    live = start_live(venue, tape, log)
    await_orders(venue, live)
    assert watchdog.process.poll() is None, "it took the session before for the one it watches"
    live.terminate()
    assert live.wait(120) == 0
    assert watchdog.process.wait(120) == 0, watchdog.log()
    assert not venue.state()["open"] and "gives no sign" not in watchdog.log(), watchdog.log()


@test
def it_cancels_an_order_that_the_venue_takes_late(folder, venue):
    tape = folder / "late.tape"
    live = start_live(venue, tape, folder / "late.log")
    until(lambda: venue.state()["intents"], "nothing was placed", process=live)
    live.kill()
    live.wait()
    assert not venue.state()["orders"], "the fault is not what this is about"
    watchdog = Watchdog(folder, venue, tape)
    until(lambda: venue.state()["orders"], "the venue never took it")
    watchdog.cancels_all(venue)
    assert any(step["what"] == "cancelled" for order in venue.state()["orders"] for step in order["history"])
    assert watchdog.end() == 0, watchdog.log()


@test
def it_keeps_keys_of_the_environment(folder, venue):
    tape = folder / "environment.tape"
    keys = json.loads((venue.folder / "binance_us.json").read_text())
    env = {**os.environ, "CAPSTAN_BINANCE_US_KEY": keys["key"], "CAPSTAN_BINANCE_US_SECRET": keys["secret"]}
    live = start_live(venue, tape, folder / "live.log")
    await_orders(venue, live)
    watchdog = Watchdog(folder, venue, tape, "--set", "venues.binance_us.live.credentials=", env=env)
    watchdog.watches()
    kill_where(rests, venue, live)
    watchdog.cancels_all(venue)
    assert watchdog.end() == 0


def make_venue(folder):
    if "late" not in folder.name:
        return Venue(folder)
    faults = folder / "late.faults"
    faults.write_text("accept_late venue=coinbase request=place every=1 by=12s\n")
    # Binance.US refuses what comes so late: its recvWindow.
    return Venue(folder, "--faults", faults, venues=("coinbase",))


if __name__ == "__main__":
    sys.exit(main(make_venue))
