#!/usr/bin/env python3
"""A power cut that takes the tape's end with it: orders that the tape does not know are filled and over when the
session starts again. Their fills are found at each venue, and engine and venue agree. Prints TAP."""
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
from live_common import CAPSTAN, count_of, explains, freeze, moved, until  # noqa: E402

VENUES = ["binance_us", "coinbase", "oanda"]
SETTINGS = ["--set", "safety.sync_interval=4s"]
loader = SourceFileLoader("campaign", str(Path(__file__).resolve().parents[2] / "scripts/live-campaign"))
campaign = importlib.util.module_from_spec(importlib.util.spec_from_loader("campaign", loader))
loader.exec_module(campaign)


def state_of(exchange):
    path = exchange.folder / "state.json"
    path.unlink(missing_ok=True)
    exchange.process.send_signal(signal.SIGUSR1)
    until(path.exists, "the exchange does not tell its state", every=0.02)
    return json.loads(path.read_text())


def settled_state(exchange):
    """Once it has served what was sent to it; for a session that stands still."""
    last = None
    while True:
        state = state_of(exchange)
        requests = [state[name]["requests"] for name in VENUES]
        if requests == last:
            return state
        last = requests
        time.sleep(0.2)


def lost_fills(state, orders):
    """Fills of orders that were made after the moment with so many orders, and that are over."""
    made = {name: state[name]["orders"][orders[name]:] for name in VENUES}
    over = {name: {order["client"] for order in made[name] if order["state"] in ("filled", "cancelled")}
            for name in VENUES}
    return {name: [fill for fill in state[name]["fills"] if fill["client"] in over[name]] for name in VENUES}


def cut_and_kill(options, folder, tape, exchange):
    """A session whose disk is that of a moment ago. Returns its lost fills by venue, and how many were made at each."""
    image = folder / "image"
    session = campaign.Session(options, folder, tape, "cut", SETTINGS)
    until(lambda: all(state_of(exchange)[name]["fills"] for name in VENUES), "a venue fills nothing", process=session.process)
    freeze(session.process)
    image.mkdir()
    for path in folder.glob("session.tape*"):
        shutil.copy(path, image / path.name)
    before = settled_state(exchange)
    orders = {name: len(before[name]["orders"]) for name in VENUES}
    session.process.send_signal(signal.SIGCONT)
    until(lambda: all(lost_fills(state_of(exchange), orders).values()), "a venue fills nothing more", process=session.process)
    session.kill()
    state = settled_state(exchange)
    lost = lost_fills(state, orders)
    for path in folder.glob("session.tape*"):
        path.unlink()
    for path in image.iterdir():
        shutil.copy(path, folder / path.name)
    return lost, {name: len(state[name]["fills"]) for name in VENUES}


def ended_where(session, accounts):
    """Ended in order once every venue's account is known, and so many were told in all."""
    until(lambda: count_of(session.path, "the venue's account is known") == len(VENUES)
          and count_of(session.path, "snapshot_end") >= accounts, lambda: session.path.read_text()[-1500:],
          process=session.process)
    session.process.send_signal(signal.SIGTERM)
    return session.end(240)


def positions_of(options, tape):
    text = subprocess.run([CAPSTAN, "tape", "cat", tape], check=True, capture_output=True, text=True).stdout
    last = text[text.rindex(" start "):].splitlines()
    words = [line.split() for line in last if " final_position " in line]
    return {word[2]: Decimal(word[3].split("=")[1]) for word in words}, last


def lines_of(log):
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["target"] == "capstan.reconcile"]


def judge_lines(judge, name, lines, lost, later):
    """What the session said of tape and account at its start; `later`: fills of no session's time, or of this one's."""
    ours = [line for line in lines if line["fields"]["venue"] == name]
    known = [line["fields"] for line in ours if line["message"] == "the venue's account is known"]
    orphans = [line for line in ours if line["message"] == "an order of ours rests that the tape does not know"]
    judge.check(len(known) == 1 and known[0]["fills_not_on_the_tape"] >= lost
                and known[0]["of_them_not_on_the_tape"] == len(orphans)
                and all(re.fullmatch(r"#[1-9]\d*\.\d+", line["fields"]["order"]) for line in orphans),
                f"{name}: the log counts fills and names {len(orphans)} orders that the tape did not have", known)
    told = [line["fields"] for line in ours if line["message"] == "position of the tape against the venue's"]
    moved = [fields for fields in told if Decimal(fields["difference"]) != 0]
    judge.check(len(told) == 2 and all(explains(fields, later) for fields in told),
                f"{name}: fills explain the positions' differences, which are {len(moved)}", told)


def main():
    judge = campaign.Judge()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(os.environ.get("KEEP", scratch))
        folder.mkdir(parents=True, exist_ok=True)
        options = SimpleNamespace(capstan=CAPSTAN, seed=3, rate=400, venue=VENUES, faults=None)
        tape = folder / "session.tape"
        exchange = campaign.Exchange(options, folder)
        try:
            lost, made_before = cut_and_kill(options, folder, tape, exchange)
            last = campaign.Session(options, folder, tape, "last", SETTINGS)
            code, out = ended_where(last, 3 * len(VENUES))
            # A fill in the moment in which an account is read may be in one of both, until the next account: balances
            # are compared where nothing is filled any more, on the next tape of the chain.
            quiet = ["--set", "quote.enabled=no"]
            calm = campaign.Session(options, folder, tape, "calm", [*SETTINGS, *quiet])
            calm_code, calm_out = ended_where(calm, len(VENUES))
        finally:
            state = exchange.end()
        log = last.path.read_text()
        judge.check(code == 0, "the session after the cut ends in order", f"exit {code}\n{out}\n{log[-3000:]}")
        judge.check(calm_code == 0, "and the one behind it, which quotes nothing",
                    f"exit {calm_code}\n{calm_out}\n{calm.path.read_text()[-3000:]}")
        tapes = [tape, folder / "session-0002.tape"]
        verify = subprocess.run([CAPSTAN, "verify", *tapes], capture_output=True, text=True)
        judge.check(verify.returncode == 0, "verify says identical", verify.stdout + verify.stderr)
        written = campaign.Tape(options, tapes)
        positions, told = positions_of(options, tape)
        for name in VENUES:
            unknown = [fill for fill in lost[name]
                       if campaign.order_of(fill["client"], "try1") not in written.sent]
            judge_lines(judge, name, lines_of(log), len(unknown), state[name]["fills"][made_before[name]:])
            judge.check(len(unknown) > 0, f"{name}: {len(unknown)} fills of orders that the tape lost")
            made = {str(fill["trade"]) for fill in state[name]["fills"]}
            known = {campaign.trade_of(venue, trade) for venue, trade in written.trades if venue == name}
            judge.check(made == known, f"{name}: all {len(made)} fills are on the tape",
                        f"not told: {sorted(made - known)}\nnever made: {sorted(known - made)}")
            wrong = {key: (str(position), str(moved(state[name]["fills"], key.split(":")[1])))
                     for key, position in positions.items() if key.startswith(name + ":")
                     and position != moved(state[name]["fills"], key.split(":")[1])}
            judge.check(not wrong and any(key.startswith(name + ":") for key in positions),
                        f"{name}: positions are the venue's", wrong or positions)
            unequal = {asset: (balance["total"], str(written.balances.get((name, asset))))
                       for asset, balance in state[name]["balances"].items()
                       if (name, asset) in written.balances
                       and Decimal(balance["total"]) != written.balances[name, asset]}
            judge.check(not unequal, f"{name}: balances are the venue's", unequal)
            judge.check(not state[name]["open"], f"{name}: no order rests", state[name]["open"])
        drift = [line for line in told if " alarm " in line and "drift" in line]
        judge.check(not drift, "no drift is seen", "\n".join(drift))
    print(f"1..{judge.count}")
    return 1 if judge.failed else 0


if __name__ == "__main__":
    sys.exit(main())
