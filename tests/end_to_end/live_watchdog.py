#!/usr/bin/env python3
"""The watchdog beside sessions against the exchange of this machine: sessions that live, end in order, die, and come
back; orders that the venue takes late; keys from the environment. Prints TAP."""
import json
import os
import sys
import time

sys.dont_write_bytecode = True
from live_common import (CAPSTAN, Venue, await_orders, chain, expect, main, run, start_live, started,  # noqa: E402
                         test, until)

CLEAN = "no order of the session rests"


class Watchdog:
    def __init__(self, folder, venue, tape, *more, env=None):
        self.path = folder / "watchdog.log"
        self.process = started([CAPSTAN, "watchdog", "-c", str(venue.config), "--tape", str(tape), "--after", "1s", *more],
                               stderr=open(self.path, "w"), env=env)

    def log(self):
        return self.path.read_text()

    def alive(self):
        return self.process.poll() is None

    def cancels_all(self, venue):
        until(lambda: not venue.state()["open"], self.log)
        until(lambda: CLEAN in self.log(), self.log)

    def end(self):
        self.process.terminate()
        return self.process.wait(30)


@test
def it_cancels_what_a_dead_engine_left(folder, venue):
    tape = folder / "watched.tape"
    live = start_live(venue, tape, folder / "watched.log")
    await_orders(venue, live)
    watchdog = Watchdog(folder, venue, tape)
    time.sleep(3)
    assert venue.state()["open"] and watchdog.alive(), "an engine that lives is left alone"
    live.kill()
    live.wait()
    assert venue.state()["open"], "orders outlive the engine"
    watchdog.cancels_all(venue)
    assert watchdog.end() == 0
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "3s"), 0)
    expect(run("verify", tape), 0, "identical")


@test
def it_watches_a_session_whose_tapes_rotate(folder, venue):
    tape = folder / "rotated.tape"
    live = start_live(venue, tape, folder / "rotated.log", "--set", "tape.rotate_every=1s")
    await_orders(venue, live)
    watchdog = Watchdog(folder, venue, tape)
    time.sleep(4)
    assert len(chain(tape)) > 2 and watchdog.alive(), "an engine whose tapes rotate is left alone"
    live.kill()
    live.wait()
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
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "1s"), 0)
    watchdog = Watchdog(folder, venue, tape)
    time.sleep(3)
    assert watchdog.alive(), "it took the session before for the one it watches"
    live = start_live(venue, tape, folder / "orderly.log", "--for", "5s")
    await_orders(venue, live)
    assert live.wait(60) == 0
    assert watchdog.process.wait(30) == 0, watchdog.log()
    assert not venue.state()["open"] and "gives no sign" not in watchdog.log(), watchdog.log()


@test
def it_cancels_an_order_that_the_venue_takes_late(folder, venue):
    tape = folder / "late.tape"
    live = start_live(venue, tape, folder / "late.log")
    until(lambda: venue.state()["intents"], "nothing was placed")
    live.kill()
    live.wait()
    assert not venue.state()["orders"], "the fault is not what this is about"
    watchdog = Watchdog(folder, venue, tape)
    until(lambda: venue.state()["orders"], "the venue never took it")
    watchdog.cancels_all(venue)
    assert any(step["what"] == "cancelled" for order in venue.state()["orders"] for step in order["history"])
    until(lambda: watchdog.log().count(CLEAN) > 1 or '"cancels":0' not in watchdog.log(), watchdog.log)
    assert watchdog.end() == 0, watchdog.log()


@test
def it_keeps_keys_of_the_environment(folder, venue):
    tape = folder / "environment.tape"
    keys = json.loads((venue.folder / "binance_us.json").read_text())
    env = {**os.environ, "CAPSTAN_BINANCE_US_KEY": keys["key"], "CAPSTAN_BINANCE_US_SECRET": keys["secret"]}
    live = start_live(venue, tape, folder / "live.log")
    await_orders(venue, live)
    watchdog = Watchdog(folder, venue, tape, "--set", "venues.binance_us.live.credentials=", env=env)
    live.kill()
    live.wait()
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
