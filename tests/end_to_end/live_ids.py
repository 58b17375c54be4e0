#!/usr/bin/env python3
"""A client order id never returns: not on another tape of the same session either. Coinbase answers a place whose id
it knows with the order of before. Prints TAP."""
import re
import sys
from decimal import Decimal

sys.dont_write_bytecode = True
from live_common import Venue, count_of, expect, live_until, main, run, test  # noqa: E402

VENUES = ("binance_us", "coinbase")


def field(line, name):
    return re.search(rf" {name}=\"?([^ \"]*)", line)[1]


class Told:
    """A tape, from its text."""

    def __init__(self, tape):
        lines = run("tape", "cat", tape).stdout.splitlines()
        self.epochs = [int(field(line, "epoch")) for line in lines if " start " in line]
        self.orders = [field(line, "order") for line in lines if re.search(r" (place|replace) ", line)]
        self.trades, self.filled, self.positions = [], {}, {}
        for line in lines:
            instrument = line.split(" ")[2]
            if " order_filled " in line:
                if (instrument, field(line, "trade")) in self.trades:
                    continue  # told again: an order that was asked for is answered with all its fills
                self.trades.append((instrument, field(line, "trade")))
                moved = Decimal(field(line, "quantity")) * (1 if field(line, "side") == "buy" else -1)
                if instrument.split(":")[1].startswith(field(line, "fee_asset")):
                    moved -= Decimal(field(line, "fee"))
                self.filled[instrument] = self.filled.get(instrument, 0) + moved
            elif " final_position " in line:
                self.positions[instrument] = Decimal(field(line, "position"))


@test
def two_new_tapes_on_one_account(folder, venue):
    told = []
    for name in ("a", "b"):
        tape, log = folder / f"{name}.tape", folder / f"{name}.log"
        # 1: an invariant was violated. 3: a busy venue did not confirm every cancel.
        live_until(lambda: count_of(log, "order_filled") > 8, venue, tape, log,
                   "--set", "shutdown.timeout=30s", "--set", "shutdown.step_timeout=20s", codes=(0, 3))
        expect(run("verify", tape), 0, "identical")
        told.append(Told(tape))
    first, second = told
    assert second.epochs[0] > first.epochs[-1], (first.epochs, second.epochs)
    for of in told:
        assert of.trades and len(of.orders) == len(set(of.orders)) > 2, "too little happened"
        for instrument, position in of.positions.items():
            assert position == of.filled.get(instrument, 0), (instrument, position, of.filled)
    assert not set(first.orders) & set(second.orders), "an order id came twice"
    assert not set(first.trades) & set(second.trades), "a fill was booked twice"
    for state in venue.states().values():
        twice = [client for client, kinds in state["intents"].items() if kinds.get("place", 0) > 1]
        assert not twice, twice


@test
def starts_of_one_tape_count_on(folder, venue):
    tape, log = folder / "s.tape", folder / "log"
    for _ in range(3):
        live_until(lambda: count_of(log, "start"), venue, tape, log, codes=(0, 3))
    epochs = Told(tape).epochs
    assert epochs == list(range(epochs[0], epochs[0] + 3)) and epochs[0] > 1700000000, epochs


if __name__ == "__main__":
    sys.exit(main(lambda folder: Venue(folder, "--rate", 400, venues=VENUES)))
