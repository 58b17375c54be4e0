#!/usr/bin/env python3
"""A venue's private stream breaks alone for some seconds: no new order leaves, what rests is pulled, no fill is lost,
quoting goes on when stream and account are back, and verify finds the same decisions; so it is where a session ends or
begins meanwhile. Prints TAP."""
import re
import signal
import subprocess
import sys
from decimal import Decimal

from live_common import CAPSTAN, Venue, expect, main, run, start_live, test, until

OUTAGE = (10, 12)  # seconds after the exchange's start, and how long
ALL = ("binance_us", "coinbase", "oanda")


def seconds(line):
    """Of the day of a message; a session of a test that crosses midnight is no loss."""
    hours, minutes, rest = re.match(r"\S+T(\d+):(\d+):([\d.]+)Z", line).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def told(lines, kind, text=""):
    return [seconds(line) for line in lines if line.split(" ", 2)[1] == kind and text in line]


def lines(tape):
    return subprocess.run([CAPSTAN, "tape", "cat", str(tape)], capture_output=True, text=True).stdout.splitlines()


def agree(messages, name, state):
    """Every fill of the venue is on the tape, once, and the balances are the same."""
    made = {str(fill["trade"]) for fill in state["fills"]}
    ids = {re.search(r' trade="([^"]*)"', line)[1] for line in messages if f" order_filled {name}:" in line}
    on_tape = {str(int(i.rsplit("-", 1)[1], 16)) if name == "coinbase" else i for i in ids}
    assert made == on_tape, f"fills of {name} that one of both lacks: {sorted(made ^ on_tape)}"
    for line in messages:
        if f" final_balance - venue={name} " in line:
            asset, total = re.search(r" asset=(\S+) total=(\S+)", line).groups()
            held = state["balances"].get(asset)
            assert held is None or Decimal(held["total"]) == Decimal(total), f"{name}: {held} at the venue, {line}"


def of_venue(folder, venue, name):
    tape, log = folder / "session.tape", folder / "session.log"
    process = start_live(venue, tape, log)

    def back():
        """Orders were placed after the stream came back."""
        assert process.poll() is None, f"the session ended: {log.read_text()[-1500:]}"
        text = log.read_text()
        return text.count('"message":"orders_stream"') >= 3 and '"gate":"orders_stream","blocking":false' in text

    until(back, lambda: f"the stream never came back: {log.read_text()[-1500:]}", 90)
    until(lambda: venue.state()["open"], "nothing is quoted after it", 30)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert process.returncode == 0, log.read_text()[-1500:]
    messages = lines(tape)
    lost = told(messages, "orders_stream", "connected=no")[0]
    again = [at for at in told(messages, "orders_stream", "connected=yes") if at > lost][0]
    blocked = told(messages, "gate", "gate=orders_stream blocking=yes")[0]
    open_again = [at for at in told(messages, "gate", "gate=orders_stream blocking=no") if at > blocked][0]
    assert 1 <= blocked - lost < 2, f"lost at {lost}, blocked at {blocked}"
    assert again - lost > 7, f"the outage lasted {again - lost} s only"
    assert open_again >= again, f"open at {open_again}, the stream came back at {again}"
    places = [at for kind in ("place", "modify", "replace") for at in told(messages, kind)]
    assert any(at < lost for at in places), "nothing was quoted before it"
    assert not [at for at in places if blocked < at < open_again], "an order left without the stream"
    assert any(at >= open_again for at in places), "no order left after it"
    resting = [at for at in told(messages, "cancel", "why=halt") if lost + 5 <= at < again]
    gone = [at for at in told(messages, "cancel") + told(messages, "order_filled") if lost <= at < lost + 5]
    assert resting or gone, "nothing was pulled"
    asked = [at for at in told(messages, "request_snapshot") if blocked <= at < again]
    assert len(asked) >= 2, f"the account was asked for {len(asked)} times"
    agree(messages, name, venue.state())
    expect(run("verify", tape), 0, "identical")


@test
def binance_us_alone(folder, venue):
    of_venue(folder, venue, "binance_us")


@test
def coinbase_alone(folder, venue):
    of_venue(folder, venue, "coinbase")


@test
def oanda_alone(folder, venue):
    of_venue(folder, venue, "oanda")


@test
def ends_within_one(folder, venue):
    """A session dies while no stream tells of its orders; the next begins, quotes nothing, and ends before they are back."""
    tape, log = folder / "session.tape", folder / "session.log"
    process = start_live(venue, tape, log)
    until(lambda: log.read_text().count('"message":"orders_stream"') >= 2 * len(ALL) or process.poll() is not None,
          lambda: f"the streams are not lost: {log.read_text()[-1500:]}", 60)
    process.kill()
    process.wait()
    next_log = folder / "next.log"
    process = start_live(venue, tape, next_log)
    until(lambda: next_log.read_text().count('"message":"snapshot_end"') >= len(ALL),
          lambda: f"not every account was told: {next_log.read_text()[-1500:]}", 60)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert process.returncode == 0, next_log.read_text()[-1500:]
    messages = lines(tape)
    begin = [at for at, line in enumerate(messages) if line.split(" ", 2)[1] == "start"][1]
    sent = [line for line in messages[begin:] if line.split(" ", 2)[1] in ("place", "modify", "replace")]
    assert not sent, f"an order left without the stream: {sent[0]}"
    for name, state in venue.states().items():
        assert not state["open"], f"rests at {name}: {state['open']}"
        agree(messages, name, state)
    expect(run("verify", tape), 0, "identical")


def make(folder):
    alone = folder.name.endswith("_alone")
    name = folder.name.removesuffix("_alone") if alone else "any"
    faults = folder / "faults"
    faults.write_text(f"private_outage venue={name} at={OUTAGE[0]}s for={OUTAGE[1] if alone else 600}s\n")
    return Venue(folder, "--faults", faults, venues=(name,) if alone else ALL)


if __name__ == "__main__":
    sys.exit(main(make))
