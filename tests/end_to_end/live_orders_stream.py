#!/usr/bin/env python3
"""A venue's private stream breaks alone for some seconds: no new order leaves, what rests is pulled, no fill is lost,
quoting goes on when stream and account are back, and verify finds the same decisions. Prints TAP."""
import re
import signal
import subprocess
import sys
from decimal import Decimal

from live_common import CAPSTAN, Venue, expect, main, run, start_live, test, until

OUTAGE = (10, 12)  # seconds after the exchange's start, and how long


def seconds(line):
    """Of the day of a message; a session of a test that crosses midnight is no loss."""
    hours, minutes, rest = re.match(r"\S+T(\d+):(\d+):([\d.]+)Z", line).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def told(lines, kind, text=""):
    return [seconds(line) for line in lines if line.split(" ", 2)[1] == kind and text in line]


def of_venue(folder, venue, name):
    tape, log = folder / "session.tape", folder / "session.log"
    process = start_live(venue, tape, log)

    def lines():
        read = subprocess.run([CAPSTAN, "tape", "cat", str(tape)], capture_output=True, text=True)
        return read.stdout.splitlines()

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
    messages = lines()
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
    made = {str(fill["trade"]) for fill in venue.state()["fills"]}
    ids = [re.search(r' trade="([^"]*)"', line)[1] for line in messages if " order_filled " in line]
    tape_trades = {str(int(i.rsplit("-", 1)[1], 16)) if name == "coinbase" else i for i in ids}
    assert made <= tape_trades, f"fills that the tape lacks: {sorted(made - tape_trades)}"
    totals = {line.split()[4].split("=")[1]: Decimal(line.split("total=")[1].split()[0]) for line in messages
              if " final_balance " in line}
    for asset, total in totals.items():
        held = venue.state()["balances"].get(asset)
        assert held is None or Decimal(held["total"]) == total, f"{asset}: {held} at the venue, {total} on the tape"
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


def make(folder):
    name = folder.name.removesuffix("_alone")
    faults = folder / "faults"
    faults.write_text(f"private_outage venue={name} at={OUTAGE[0]}s for={OUTAGE[1]}s\n")
    return Venue(folder, "--faults", faults, venues=(name,))


if __name__ == "__main__":
    sys.exit(main(make))
