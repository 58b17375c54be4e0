#!/usr/bin/env python3
"""An account that holds something before its tape begins: an operator adopts it, the session quotes on with it, a
restart keeps it, and verify finds the same decisions. Prints TAP."""
import json
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from decimal import Decimal

from live_common import CAPSTAN, Venue, count_of, expect, log_lines, main, port_of, run, start_live, test, until

TOKEN = "a-token-for-this-test-only"


class Session:
    """A session that can be commanded."""

    def __init__(self, folder, venue, tape, name, *more):
        token = folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        self.tape, self.log = tape, folder / f"{name}.log"
        self.process = start_live(venue, tape, self.log, "--set", f"ops.token_file={token}",
                                  "--set", "safety.sync_interval=2s", *more)

    def ask(self, path, body=None):
        """Status and what it said; (0, {}) where it does not serve yet."""
        port = port_of(self.log)
        if not port:
            return 0, {}
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers,
                                         data=json.dumps(body).encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or "{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or "{}")

    def command(self, name, **body):
        status, said = self.ask(f"/api/command/{name}", body)
        assert status == 202, f"{name}: {status} {said}"

    def instrument(self, name):
        """What the dashboard shows of it; {} where there is nothing yet."""
        listed = self.ask("/api/dashboard")[1].get("instruments", [])
        return next((i for i in listed if i["instrument"] == name and i.get("known")), {})

    def adopted(self):
        """What became of each, newest first."""
        return [d for d in self.ask("/api/dashboard")[1].get("notices", []) if d["kind"] == "adopted"]

    def until(self, holds, what):
        until(holds, lambda: f"{what}: {self.log.read_text()[-1500:]}", process=self.process)

    def adopt(self, result, **body):
        """Say so, and wait for what becomes of it; again where a fill has just come, which may not be in the account yet."""
        told = {"result": "fill_too_recent"}
        while told["result"] == "fill_too_recent" != result:
            before = len(self.adopted())
            self.command("adopt", **body)
            self.until(lambda: len(self.adopted()) > before, f"nothing became of adopt {body}")
            told = self.adopted()[0]
        assert told["result"] == result, f"adopt {body}: {told}"
        assert told["after"] == {"kind": "adopt", "instrument": body["instrument"]}, told["after"]
        return told

    def end(self, status=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)
        assert self.process.returncode == status, self.log.read_text()[-1500:]


def messages(tape, kind):
    """Fields of the tape's messages of a kind."""
    text = subprocess.run([CAPSTAN, "tape", "cat", str(tape)], check=True, capture_output=True,
                          text=True).stdout
    lines = [line.split() for line in text.splitlines()]
    return [dict(word.split("=", 1) for word in line[3:] if "=" in word) | {"name": line[2]} for line in lines
            if line[1] == kind]


def last_position(tape, name):
    return Decimal([m for m in messages(tape, "final_position") if m["name"] == name][-1]["position"])


def made(venue, symbol):
    """What the venue's fills of a symbol came to."""
    return sum((Decimal(fill["quantity"]) * (1 if fill["side"] == "buy" else -1)
                for fill in venue.state()["fills"] if fill["symbol"] == symbol), Decimal(0))


@test
def a_position_of_a_lost_tape_is_adopted_at_oanda(folder, venue):
    name, symbol, lost, tape = "oanda:EUR_USD", "EUR_USD", folder / "lost.tape", folder / "session.tape"

    def holds():
        """A session behind which a position is left."""
        session = Session(folder, venue, lost, "lost")
        session.until(lambda: made(venue, symbol) != 0, "no position came to be")
        session.end()
        return made(venue, symbol) != 0

    until(holds, "each position went again")
    held = made(venue, symbol)
    session = Session(folder, venue, tape, "session", "--db", folder / "run.db")
    session.until(lambda: "drift" in session.instrument(name).get("alarms", []), "the position of before is no drift")
    session.until(lambda: not session.instrument(name)["orders"], "something rests while drift stands")
    session.adopt("not_what_the_venue_has", instrument=name, position=str(held + 1))
    told = session.adopt("taken", instrument=name)
    assert Decimal(told["position"]) == held and not told["apart"], told
    session.until(lambda: session.instrument(name)["orders"], "nothing is quoted after it")
    session.end()
    assert last_position(tape, name) == made(venue, symbol), "engine and venue differ"
    entry = [m for m in messages(tape, "venue_entry") if m["name"] == name][0]["price"]
    adopted = [m for m in messages(tape, "adopted") if m["result"] == "taken"][0]
    assert adopted["price"] == entry, f"taken at {adopted['price']}, the venue's average was {entry}"
    with sqlite3.connect(folder / "run.db") as database:
        rows = database.execute("SELECT text FROM order_event WHERE kind = 'adopted' ORDER BY id").fetchall()
        last = database.execute("SELECT position FROM position JOIN instrument ON instrument.id = instrument"
                                " WHERE name = ? AND why = 'final'", [name]).fetchall()
    assert len(rows) == 2 and " result=taken " in rows[1][0], f"the database has {rows}"
    assert [Decimal(row[0]) for row in last] == [last_position(tape, name)], f"the database's last position is {last}"
    # The restart carries it: the account agrees, no drift.
    session = Session(folder, venue, tape, "again")
    session.until(lambda: session.instrument(name).get("orders"), "the restart does not quote")
    session.until(lambda: count_of(session.log, "snapshot_end") > 2, "the account is not told again")
    session.end()
    assert last_position(tape, name) == made(venue, symbol), (
        f"after the restart ours is {last_position(tape, name)}, the venue's {made(venue, symbol)}")
    raised = [m for m in messages(tape, "alarm") if m["reason"] == "drift" and m["raised"] == "yes"]
    assert len({m["name"] for m in raised}) == len(raised), f"drift again: {raised}"
    expect(run("verify", tape), 0, "identical")


@test
def of_a_balance_a_position_is_named_at_binance_us(folder, venue):
    name, symbol, tape = "binance_us:BTCUSD", "BTCUSD", folder / "session.tape"
    limit = ("--set", f'instruments."{name}".risk.position_limit=0.01')
    session = Session(folder, venue, tape, "session", *limit)
    session.until(lambda: session.instrument(name).get("synchronised"), "no book")
    status, said = session.ask("/api/command/adopt", {"instrument": name, "position": "a lot"})
    assert status == 400 and "position: expected a decimal" in said["error"], (status, said)
    session.command("cancel-all")
    session.until(lambda: session.instrument(name)["paused"] and not session.instrument(name)["orders"], "not all was cancelled")
    before = made(venue, symbol)
    session.adopt("no_position", instrument=name)
    session.adopt("more_than_the_account_has", instrument=name, position="999999")
    told = session.adopt("taken", instrument=name, position="0.01", price="1000.00")
    change = Decimal(told["change"])
    assert Decimal(told["position"]) == Decimal("0.01") and told["apart"], told
    number = told["number"]
    session.command("resume")
    # The limit is reached, so that only sells leave until one fills.
    session.until(lambda: session.instrument(name)["orders"], "nothing is quoted after it")
    assert number > 0
    session.end()
    text = subprocess.run([CAPSTAN, "tape", "cat", str(tape)], check=True, capture_output=True,
                          text=True).stdout.splitlines()
    after = text[next(i for i, line in enumerate(text) if " adopted " in line and " result=taken " in line):]
    first = next(line for line in after if f" place {name} " in line)
    assert " side=sell " in first, f"the first order after it adds: {first}"
    fees = sum((Decimal(m["fee"]) for m in messages(tape, "order_filled") if m["name"] == name
                and m["fee_asset"] == "BTC"), Decimal(0))
    assert last_position(tape, name) == made(venue, symbol) - fees + change, (last_position(tape, name), before)
    session = Session(folder, venue, tape, "again", *limit)
    session.until(lambda: session.instrument(name).get("orders"), "the restart does not quote")
    assert "drift" not in session.instrument(name)["alarms"], session.instrument(name)["alarms"]
    session.end()
    lines = [line["fields"] for line in log_lines(session.log) if line["target"] == "capstan.reconcile"]
    carried = [Decimal(fields["adopted"]) for fields in lines if fields.get("symbol") == symbol and "tape" in fields]
    assert carried == [change] and sum("adopted" in fields for fields in lines) == 1, lines
    assert not [m for m in messages(tape, "alarm") if m["reason"] == "drift"], "drift"
    expect(run("verify", tape), 0, "identical")


def make(folder):
    return Venue(folder, venues=("oanda",) if "oanda" in folder.name else ("binance_us",))


if __name__ == "__main__":
    sys.exit(main(make))
