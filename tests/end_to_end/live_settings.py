#!/usr/bin/env python3
"""A session that begins under other settings goes on with the next tape of its chain: with its orders, position, profit
and the day's figures, quoting by the new settings; and what it can't go on with is refused. Prints TAP."""
import json
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from decimal import Decimal

sys.dont_write_bytecode = True
from live_common import (Venue, chain, count_of, expect, explains, kill_where, live_until, log_lines, main, moved,  # noqa: E402
                         on_one_day, port_of, run, start_live, test, until)

BTC, ETH = "binance_us:BTCUSD", "binance_us:ETHUSD"
SPREAD = f"instruments.{BTC}.quote.half_spread"


class Session:
    """One whose dashboard is looked at."""

    def __init__(self, folder, venue, tape, name, *more):
        self.log = folder / f"{name}.log"
        self.process = start_live(venue, tape, self.log, *more)

    def dashboard(self):
        """{} where there is none yet."""
        port = port_of(self.log)
        if not port:
            return {}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/dashboard", timeout=60) as answer:
            return json.loads(answer.read() or "{}")

    def account(self):
        return self.dashboard().get("account") or {}

    def instrument(self, name):
        """{} where there is nothing yet."""
        listed = self.dashboard().get("instruments", [])
        return next((i for i in listed if i["instrument"] == name and i.get("known")), {})


def records(tape, kind):
    return [line for line in run("tape", "cat", tape).stdout.splitlines() if f" {kind} " in line]


def figure(line, name):
    return re.search(rf" {name}=(\S+)", line)[1]


def holds(session, state):
    """It has a position in BTC, as the venue's fills have it, and orders of BTC rest."""
    resting = [order for order in state["orders"] if order["state"] == "open" and order["symbol"] == "BTCUSD"]
    told = count_of(session.log, "order_filled")
    return resting and told == len(state["fills"]) and moved(state["fills"], "BTCUSD") != 0


def sides(tape):
    """Prices of BTC's orders that were placed on the tape, or put in an older one's place: bids, asks."""
    placed = [line for line in records(tape, "place") + records(tape, "replace") if f" {BTC} " in line]
    return [[Decimal(figure(line, "price")) for line in placed if figure(line, "side") == side]
            for side in ("buy", "sell")]


def killed_with_a_position(folder, venue, tape, *more):
    """How many fills there were by then."""
    session = Session(folder, venue, tape, "first", *more)
    until(lambda: holds(session, venue.state()), "no position came about", process=session.process)
    kill_where(lambda state: holds(session, state), venue, session.process)
    return len(venue.state()["fills"])


def ended(session):
    session.process.send_signal(signal.SIGTERM)
    assert session.process.wait(120) == 0, session.log.read_text()[-1500:]


def lines_of(log, message):
    return [line["fields"] for line in log_lines(log) if line["message"] == message]


@test
def the_chain_goes_on(folder, venue):
    on_one_day()
    tape = folder / "s.tape"
    before = killed_with_a_position(folder, venue, tape)
    last = records(tape, "risk_mark")[-1]
    session = Session(folder, venue, tape, "second", "--set", f"{SPREAD}=9.00", "--set", "risk.daily_loss_limit=4000",
                      "--db", str(folder / "run.db"))
    account = {}

    def is_known():
        account.update(session.account())
        return account.get("day_profit") is not None

    until(is_known, "the day's profit is not known", process=session.process)
    day_start = Decimal(account["profit"]) - Decimal(account["day_profit"])
    assert day_start == Decimal(figure(last, "day_start")), (account, last)
    assert Decimal(account["peak"]) >= Decimal(figure(last, "peak")), (account, last)
    until(lambda: len(chain(tape)) > 1 and all(sides(chain(tape)[-1])), "not quoted on both sides", process=session.process)
    ended(session)
    tapes = chain(tape)
    assert [path.name for path in tapes] == ["s.tape", "s-0002.tape"], tapes
    # What was changed is told, with both values.
    told = {line["setting"]: (line["before"], line["now"])
            for line in lines_of(session.log, "a setting is another than on the tape")}
    assert told == {SPREAD: ("1.8", "9"), "risk.daily_loss_limit": ("5000", "4000")}, told
    # Orders that rested are known, and the position is the account's but for fills that came meanwhile.
    known = lines_of(session.log, "the venue's account is known")[0]
    assert known["of_them_not_on_the_tape"] == 0, known
    positions = lines_of(session.log, "position of the tape against the venue's")
    assert len(positions) == 2 and all(explains(line, venue.state()["fills"][before:]) for line in positions), positions
    # Quoted by the new settings: both sides stand further apart than the old ones let them.
    bids, asks = sides(tapes[1])
    assert asks[0] - bids[0] > 9, (bids[:2], asks[:2])
    expect(run("verify", *tapes), 0, "s-0002.tape: goes on where")
    expect(run("verify", tapes[1]), 0, "identical")
    expect(run("tape", "check", tapes[1]), 0, "sound")
    expect(run("tape", "info", tapes[1]), 0, "goes on behind s.tape")
    expect(run("tape", "recover", tape), 0)
    expect(run("replay", tapes[1]), 0)
    expect(run("project", tapes[1], "-o", folder / "p.db"), 0)
    expect(run("report", folder / "p.db", "-o", folder / "report.html"), 0)
    counts = [sqlite3.connect(path).execute("select count(*) from fill").fetchone()
              for path in (folder / "p.db", folder / "run-0002.db")]
    assert counts[0] == counts[1], counts


def without(folder, venue, instrument):
    """The configuration without an instrument."""
    text, kept, skips = venue.config.read_text(), [], False
    for line in text.splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            skips = line.strip() == f'"{instrument}":'
        elif not line.startswith(" "):
            skips = False
        if not skips:
            kept.append(re.sub(rf" ?{instrument}", "", line) if "instruments: \"" in line else line)
    path = folder / "without.yaml"
    path.write_text("\n".join(kept) + "\n")
    return path


@test
def an_instrument_goes_when_it_is_flat(folder, venue):
    tape = folder / "s.tape"
    killed_with_a_position(folder, venue, tape)
    gone = without(folder, venue, BTC)
    refused = run("live", "-c", gone, "--tape", tape, "--for", "1m")
    expect(refused, 2, f"{BTC}: is not among this configuration's instruments")
    assert re.search(r"its position is -?0\.\d+ and orders of it are open", refused.stderr), refused.stderr
    assert chain(tape) == [tape]
    log = folder / "log"
    live_until(lambda: count_of(log, "the venue's account is known"), venue, tape, log)
    assert chain(tape) == [tape], "the same settings go on with the same tape"
    held = Decimal(figure([line for line in records(tape, "final_position") if f" {BTC} " in line][-1], "position"))
    if held != 0:
        expect(run("live", "-c", gone, "--tape", tape, "--for", "1m"), 2, f"its position is {held}")
    expect(run("verify", tape), 0, "identical")


@test
def a_new_instrument_begins_flat(folder, venue):
    tape = folder / "s.tape"
    log = folder / "log"
    live_until(lambda: count_of(log, "order_accepted"), venue, tape, log, config=without(folder, venue, BTC))
    live_until(lambda: any(f" {BTC} " in line for line in records(chain(tape)[-1], "place")), venue, tape, log)
    assert len(chain(tape)) == 2
    known = {line["symbol"]: line["tape"] for line in lines_of(log, "position of the tape against the venue's")}
    assert Decimal(known["BTCUSD"]) == 0, known
    expect(run("verify", *chain(tape)), 0, "s-0002.tape: goes on where")
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "1m", "--set", "account.currency=BTC"), 2,
           "account.currency: the day's profit and its peak are in USD")


@test
def killed_while_it_begins(folder, venue):
    """Again and again under other settings, killed a little later each time."""
    tape = folder / "s.tape"
    before = killed_with_a_position(folder, venue, tape)
    turn = 0
    while turn < 7 or len(chain(tape)) < 3:  # on a busy machine the first come to nothing
        session = start_live(venue, tape, folder / "log", "--set", f"{SPREAD}={2 + turn}.00")
        try:
            session.wait(0.1 + 0.15 * turn)
        except subprocess.TimeoutExpired:
            session.kill()
            session.wait()
        turn += 1
        assert turn < 40, "none of them began a tape"
    session = Session(folder, venue, tape, "last", "--set", f"{SPREAD}=60.00")
    until(lambda: count_of(session.log, "order_accepted"), lambda: session.log.read_text()[-1500:], process=session.process)
    ended(session)
    tapes = chain(tape)
    assert len(tapes) > 2, tapes
    expect(run("verify", *tapes), 0, "identical")
    positions = lines_of(session.log, "position of the tape against the venue's")
    assert positions and all(explains(line, venue.state()["fills"][before:]) for line in positions), positions


sys.exit(main(lambda folder: Venue(folder, "--rate", 200)))
