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

CAPSTAN = os.environ["CAPSTAN"]
VENUES = ["binance_us", "coinbase", "oanda"]
SETTINGS = ["--set", "safety.sync_interval=4s"]
loader = SourceFileLoader("campaign", str(Path(__file__).resolve().parents[2] / "scripts/live-campaign"))
sys.dont_write_bytecode = True
campaign = importlib.util.module_from_spec(importlib.util.spec_from_loader("campaign", loader))
loader.exec_module(campaign)


def state_of(exchange):
    path = exchange.folder / "state.json"
    path.unlink(missing_ok=True)
    exchange.process.send_signal(signal.SIGUSR1)
    for _ in range(400):
        time.sleep(0.05)
        try:
            return json.loads(path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            pass
    sys.exit("live_missed: the exchange does not tell its state")


def lost_fills(state, orders):
    """Fills of orders that were made after the moment with so many orders, and that are over."""
    made = {name: state[name]["orders"][orders[name]:] for name in VENUES}
    over = {name: {order["client"] for order in made[name] if order["state"] in ("filled", "cancelled")}
            for name in VENUES}
    return {name: [fill for fill in state[name]["fills"] if fill["client"] in over[name]] for name in VENUES}


def cut_and_kill(options, folder, tape, exchange):
    """A session whose disk is that of a moment ago. Returns its lost fills by venue."""
    image = folder / "image"
    session = campaign.Session(options, folder, tape, "cut", SETTINGS)
    for _ in range(400):
        if all(state_of(exchange)[name]["fills"] for name in VENUES):
            break
        time.sleep(0.1)
    session.process.send_signal(signal.SIGSTOP)
    image.mkdir()
    for path in folder.glob("session.tape*"):
        shutil.copy(path, image / path.name)
    before = state_of(exchange)
    orders = {name: len(before[name]["orders"]) for name in VENUES}
    session.process.send_signal(signal.SIGCONT)
    for _ in range(400):
        lost = lost_fills(state_of(exchange), orders)
        if all(lost.values()):
            break
        time.sleep(0.1)
    session.kill()
    lost = lost_fills(state_of(exchange), orders)
    for path in folder.glob("session.tape*"):
        path.unlink()
    for path in image.iterdir():
        shutil.copy(path, folder / path.name)
    return lost


def positions_of(options, tape):
    text = subprocess.run([CAPSTAN, "tape", "cat", tape], check=True, capture_output=True, text=True).stdout
    last = text[text.rindex(" start "):].splitlines()
    words = [line.split() for line in last if " final_position " in line]
    return {word[2]: Decimal(word[3].split("=")[1]) for word in words}, last


def made_position(state, symbol, base):
    total = Decimal(0)
    for fill in state["fills"]:
        if fill["symbol"] == symbol:
            total += Decimal(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)
            total -= Decimal(fill["fee"]) if fill["fee_asset"] == base else 0
    return total


def lines_of(log):
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["target"] == "capstan.reconcile"]


def judge_lines(judge, name, lines, lost):
    """What the session said of tape and account at its start."""
    ours = [line for line in lines if line["fields"]["venue"] == name]
    known = [line["fields"] for line in ours if line["message"] == "the venue's account is known"]
    orphans = [line for line in ours if line["message"] == "an order of ours rests that the tape does not know"]
    judge.check(len(known) == 1 and known[0]["fills_not_on_the_tape"] >= lost
                and known[0]["of_them_not_on_the_tape"] == len(orphans)
                and all(re.fullmatch(r"#[1-9]\d*\.\d+", line["fields"]["order"]) for line in orphans),
                f"{name}: the log counts fills and names {len(orphans)} orders that the tape did not have", known)
    told = [line["fields"] for line in ours if line["message"] == "position of the tape against the venue's"]
    moved = [fields for fields in told if Decimal(fields["difference"]) != 0]
    explained = [fields for fields in moved if Decimal(fields["difference"]) == Decimal(fields["by_fills"])]
    # A fill in the moment in which the account is read may be in one of both.
    judge.check(len(told) == 2 and (len(explained) > 0 or not moved),
                f"{name}: fills explain the positions' differences ({len(explained)} of {len(moved)})", told)


def base_of(symbol):
    for mark in "-_":
        if mark in symbol:
            return symbol.split(mark)[0]
    return symbol[:-3]


def main():
    judge = campaign.Judge()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(os.environ.get("KEEP", scratch))
        folder.mkdir(parents=True, exist_ok=True)
        options = SimpleNamespace(capstan=CAPSTAN, seed=3, rate=400, venue=VENUES, faults=None)
        tape = folder / "session.tape"
        exchange = campaign.Exchange(options, folder)
        try:
            lost = cut_and_kill(options, folder, tape, exchange)
            last = campaign.Session(options, folder, tape, "last", SETTINGS, 12)
            code, out = last.end(120)
            # A fill in the moment in which an account is read may be in one of both, until the next account: balances
            # are compared where nothing is filled any more, on the next tape of the chain.
            quiet = ["--set", "quote.enabled=no"]
            calm = campaign.Session(options, folder, tape, "calm", [*SETTINGS, *quiet], 2)
            calm_code, calm_out = calm.end(120)
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
            judge_lines(judge, name, lines_of(log), len(unknown))
            judge.check(len(unknown) > 0, f"{name}: {len(unknown)} fills of orders that the tape lost")
            made = {str(fill["trade"]) for fill in state[name]["fills"]}
            known = {campaign.trade_of(venue, trade) for venue, trade in written.trades if venue == name}
            judge.check(made == known, f"{name}: all {len(made)} fills are on the tape",
                        f"not told: {sorted(made - known)}\nnever made: {sorted(known - made)}")
            wrong = {key: (str(position), str(made_position(state[name], key.split(":")[1], base_of(key.split(":")[1]))))
                     for key, position in positions.items() if key.startswith(name + ":")
                     and position != made_position(state[name], key.split(":")[1], base_of(key.split(":")[1]))}
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
