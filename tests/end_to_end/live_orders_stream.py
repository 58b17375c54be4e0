#!/usr/bin/env python3
"""A venue's private stream breaks alone for some seconds: no new order leaves, what rests is pulled, no fill is lost,
quoting goes on when stream and account are back, and verify finds the same decisions; so it is where a session ends or
begins meanwhile. Prints TAP."""
import re
import signal
import subprocess
import sys
from decimal import Decimal

from live_common import (CAPSTAN, Venue, chain, count_of, expect, live_until, main, run, seconds_of, start_live, test,  # noqa: E402
                         until)

OUTAGE = (6, 12)  # seconds after the exchange's start, and how long
LATER = (30, 90)  # its start where a busy machine had quoted nothing by then
ALL = ("binance_us", "coinbase", "oanda")


def told(lines, kind, text=""):
    return [seconds_of(line) for line in lines if line.split(" ", 2)[1] == kind and text in line]


def lines(tape):
    return subprocess.run([CAPSTAN, "tape", "cat", str(tape)], capture_output=True, text=True).stdout.splitlines()


def go_on_calm(venue, tape):
    """A session behind it that quotes nothing: a fill in the moment in which an account is read may be in one of both,
    until the next account. Returns the messages of all tapes."""
    log = tape.parent / "calm.log"
    live_until(lambda: count_of(log, "the venue's account is known") >= len(venue.venues), venue, tape, log,
               "--set", "quote.enabled=no")
    expect(run("verify", *chain(tape)), 0, "goes on where")
    return [line for one in chain(tape) for line in lines(one)]


def agree(messages, name, state):
    """Every fill of the venue is on a tape, once, and the last balances are the same."""
    made = {str(fill["trade"]) for fill in state["fills"]}
    ids = {re.search(r' trade="([^"]*)"', line)[1] for line in messages if f" order_filled {name}:" in line}
    on_tape = {str(int(i.rsplit("-", 1)[1], 16)) if name == "coinbase" else i for i in ids}
    assert made == on_tape, f"fills of {name} that one of both lacks: {sorted(made ^ on_tape)}"
    last = dict(re.search(r" asset=(\S+) total=(\S+)", line).groups() for line in messages if f" final_balance - venue={name} " in line)
    for asset, total in last.items():
        held = state["balances"].get(asset)
        assert held is None or Decimal(held["total"]) == Decimal(total), f"{name}: {held} at the venue, {asset} {total} on the tape"


def quotes_before_it(venue, tape, log):
    """A session that quoted before the outage; None where it did not."""
    process = start_live(venue, tape, log)
    until(lambda: count_of(log, "order_accepted") or '"connected":false' in log.read_text(), lambda: log.read_text()[-1500:],
          process=process)
    if '"connected":false' not in log.read_text():
        return process
    process.kill()
    process.wait()
    return None


def of_venue(folder, venue, name):
    tape, log = folder / "session.tape", folder / "session.log"
    process = quotes_before_it(venue, tape, log)
    for at in LATER:
        if not process:
            again = folder / f"{at}s"
            again.mkdir()
            tape, log, venue = again / "session.tape", again / "session.log", with_outage(again, name, at, OUTAGE[1], (name,))
            process = quotes_before_it(venue, tape, log)
    assert process, "nothing was quoted before it"
    try:
        meets(venue, process, name, tape, log)
    finally:
        if venue.folder.parent != folder:
            venue.end()


def meets(venue, process, name, tape, log):
    def back():
        """Orders were placed after the stream came back."""
        text = log.read_text()
        return text.count('"message":"orders_stream"') >= 3 and '"gate":"orders_stream","blocking":false' in text

    until(back, lambda: f"the stream never came back: {log.read_text()[-1500:]}", process=process)
    until(lambda: "place" in log.read_text().rpartition('"gate":"orders_stream","blocking":false')[2],
          "nothing is quoted after it", process=process)
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    assert process.returncode == 0, log.read_text()[-1500:]
    messages = lines(tape)
    lost = told(messages, "orders_stream", "connected=no")[0]
    again = [at for at in told(messages, "orders_stream", "connected=yes") if at > lost][0]
    blocked = told(messages, "gate", "gate=orders_stream blocking=yes")[0]
    open_again = [at for at in told(messages, "gate", "gate=orders_stream blocking=no") if at > blocked][0]
    assert blocked - lost >= 0.999, f"lost at {lost}, blocked at {blocked}"
    late = [line for line in messages if lost + 1.001 < seconds_of(line) < blocked]
    assert not late, f"blocked at {blocked}, not with what came before: {late[:3]}"
    assert again - lost > 5, f"the outage lasted {again - lost} s only"
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
    expect(run("verify", tape), 0, "identical")
    agree(go_on_calm(venue, tape), name, venue.state())


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
    until(lambda: count_of(log, "orders_stream") >= 2 * len(ALL), lambda: log.read_text()[-1500:], process=process)
    process.kill()
    process.wait()
    next_log = folder / "next.log"
    process = start_live(venue, tape, next_log)
    until(lambda: count_of(next_log, "the venue's account is known") >= len(ALL), lambda: next_log.read_text()[-1500:],
          process=process)
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    assert process.returncode == 0, next_log.read_text()[-1500:]
    messages = lines(tape)
    begin = [at for at, line in enumerate(messages) if line.split(" ", 2)[1] == "start"][1]
    sent = [line for line in messages[begin:] if line.split(" ", 2)[1] in ("place", "modify", "replace")]
    assert not sent, f"an order left without the stream: {sent[0]}"
    assert not any(state["open"] for state in venue.states().values()), "something rests"
    expect(run("verify", tape), 0, "identical")
    messages = go_on_calm(venue, tape)
    for name, state in venue.states().items():
        agree(messages, name, state)


def with_outage(folder, name, at, lasts, venues):
    faults = folder / "faults"
    faults.write_text(f"private_outage venue={name} at={at}s for={lasts}s\n")
    return Venue(folder, "--faults", faults, venues=venues)


def make(folder):
    if not folder.name.endswith("_alone"):
        return with_outage(folder, "any", OUTAGE[0], 600, ALL)
    name = folder.name.removesuffix("_alone")
    return with_outage(folder, name, *OUTAGE, (name,))


if __name__ == "__main__":
    sys.exit(main(make))
