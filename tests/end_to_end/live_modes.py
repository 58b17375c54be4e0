#!/usr/bin/env python3
"""record, paper and live against the exchange of this machine, and what must never connect. Prints TAP."""
import json
import re
import signal
import sys
import urllib.request

sys.dont_write_bytecode = True
from live_common import (Venue, await_orders, chain, count_of, expect, freeze, live_until, main, port_of, run,  # noqa: E402
                         start_live, test, until)


def cat(*tapes):
    """Their text; of a tape that is written, what stands on it by now."""
    return "".join(run("tape", "cat", tape).stdout for tape in tapes if tape.exists())


@test
def record_writes_a_tape_that_replays(folder, venue):
    tape = folder / "market.tape"
    raw = folder / "market.raw"
    live_until(lambda: cat(tape).count("\n") > 100, venue, tape, folder / "log", "--raw", raw, mode="record")
    expect(run("tape", "check", tape), 0, "sound")
    told = json.loads(run("replay", tape, "--json", "--set", "quote.enabled=no").stdout)
    assert told["events"] > 100, told
    lines = [json.loads(line) for line in raw.read_text().splitlines()]
    assert any(line["t"] == "recv" and "depthUpdate" in line["data"] for line in lines)
    snapshots = [json.loads(line["data"]) for line in lines if line["t"] == "http" and "/depth" in line["url"]]
    assert snapshots and "lastUpdateId" in snapshots[0], "no book as it was answered"
    state = venue.state()
    assert "place" not in state["requests"] and "account" not in state["requests"], state["requests"]


@test
def paper_sends_nothing_and_verifies(folder, venue):
    tape = folder / "paper.tape"
    log = folder / "log"
    # Orders are taken at the simulated venue.
    live_until(lambda: count_of(log, "order_accepted") > 4, venue, tape, log, mode="paper")
    assert " order_accepted " in cat(tape), "they do not stand on the tape"
    expect(run("verify", tape), 0, "identical")
    assert "place" not in venue.state()["requests"]
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "1m"), 2, "begin a new tape")


@test
def a_session_that_begins_with_a_position_agrees_with_the_account(folder, venue):
    tape, log = folder / "held.tape", folder / "log"
    often = ("--set", "safety.sync_interval=1s")

    def holds():
        live_until(lambda: count_of(log, "order_filled"), venue, tape, log, *often)
        held = re.findall(r" final_position (\S+) position=(\S+)", cat(tape))[-2:]
        return any(float(position) != 0 for _, position in held)

    until(holds, "no position came about")
    # The account is told often, and meanwhile it quotes.
    live_until(lambda: count_of(log, "snapshot_end") >= 4 and count_of(log, "place"), venue, tape, log, *often)
    told = cat(tape).split(" start ")[-1]
    assert " venue_position " in told
    alarms = [line for line in told.splitlines() if " alarm " in line and "drift" in line]
    assert not alarms, alarms
    assert " place " in told, "nothing was quoted"
    expect(run("verify", tape), 0, "identical")


@test
def a_recording_rotates_and_each_tape_replays_alone(folder, venue):
    tape = folder / "market.tape"

    def kinds(one):
        return json.loads(run("tape", "info", one, "--json").stdout)["kinds"]

    def booked():
        """Tapes from the first that both books came on: one that ends soon has none."""
        tapes = chain(tape)[:-1]  # the last is written still
        return next((tapes[n:] for n, one in enumerate(tapes) if kinds(one).get("snapshot", 0) >= 2), [])

    live_until(lambda: len(booked()) > 2, venue, tape, folder / "log", "--set", "tape.rotate_every=2s", mode="record")
    tapes = [*booked(), chain(tape)[-1]]
    assert not list(folder.glob("*.journal-*")), "journals are left"
    for number, one in enumerate(chain(tape), 1):
        info = json.loads(run("tape", "info", one, "--json").stdout)
        assert info["finished"], info
        assert info.get("predecessor", {}).get("number", 1) == number, info
        if one not in tapes:
            continue
        assert info["grade"] == "A", info
        if one != tapes[0]:
            assert info["predecessor"]["tape"] == chain(tape)[number - 2].name, info
            assert info["predecessor"]["identity"] == before, info
            # The venue was asked nothing anew: the books of before stand at the beginning.
            assert info["kinds"]["snapshot"] == 2 and "feed_connection" not in info["kinds"], info["kinds"]
            assert f'{books(one, info["first"])}' == last, "another book than the one before ended with"
        before, last = info["identity"], f'{books(one, info["last"])}'
        assert json.loads(run("replay", one, "--json", "--set", "quote.enabled=no").stdout)["events"] > 0


def books(tape, at):
    """The levels of all books at a time, without its line."""
    text = run("tape", "book", tape, "--at", at, "--depth", "1000").stdout
    assert "synchronised=true" in text and "synchronised=false" not in text, text[:500]
    return [line.split(" sequence=")[0].split(" ", 1)[1] if "synchronised" in line else line
            for line in text.splitlines()]


@test
def paper_rotates_and_verifies(folder, venue):
    tape = folder / "paper.tape"
    # The first may end before anything is quoted.
    live_until(lambda: len(chain(tape)) > 2 and count_of(folder / "log", "place"), venue, tape, folder / "log",
               "--set", "tape.rotate_every=2s", mode="paper")
    tapes = chain(tape)
    expect(run("verify", *tapes), 0, "goes on where")
    expect(run("verify", tapes[-1]), 0, "identical")
    assert run("verify", *reversed(tapes)).stdout == run("verify", *tapes).stdout, "the order that a shell gives matters"
    expect(run("verify", tapes[0], tapes[2]), 2, f"follows {tapes[1].name}, which is not among these tapes")
    expect(run("verify", tapes[0], tapes[1], tapes[1]), 2, "is there twice")
    first = re.search(r" place .* order=(#[0-9.]+)", cat(*tapes))[1]
    story = run("verify", *reversed(tapes), "--why", first)
    expect(story, 0, f"order     {first}: ")
    assert re.search(r"^because   of message", story.stdout, re.M) and "identical" not in story.stdout, story.stdout
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "1m"), 2, "begin a new tape")


@test
def why_a_venue_can_t_be_reached_is_told(folder, venue):
    for number, (setting, text) in enumerate((
            ("rest_url=https://127.0.0.1:9", "connection refused by 127.0.0.1:9"),
            ("rest_url=https://nosuch.invalid", "no such host: nosuch.invalid"),
            ("ca_file=/etc/ssl/certs/ca-certificates.crt", "is not trusted: "))):
        log = folder / f"{number}.log"
        live_until(lambda log=log: "could not ask for the time: " in log.read_text(), venue, folder / f"{number}.tape", log,
                   "--set", f"venues.binance_us.live.{setting}", mode="record", by=signal.SIGALRM, codes=(3,))
        assert text in log.read_text().splitlines()[-1], log.read_text()


@test
def a_rotation_that_can_t_be_is_told(folder, venue):
    tape = folder / ("n" * 58 + ".tape")
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "1m", "--set", "tape.rotate_every=24h"), 2, "too long")
    expect(run("live", "-c", venue.config, "--tape", folder / "s.tape", "--set", "tape.rotate_every=10ms"), 2,
           "tape.rotate_every")


@test
def one_session_of_a_name_trades_an_account(folder, venue):
    """Another tape, the same name: refused. A third stands by, ends in order by a signal, or takes over."""
    first = start_live(venue, folder / "first.tape", folder / "first.log")
    await_orders(venue, first)
    second = folder / "second.tape"
    expect(run("live", "-c", venue.config, "--tape", second, "--for", "1m"), 2, "another session trades this account")
    waits = folder / "waits.log"
    live_until(lambda: "standing by" in waits.read_text(), venue, second, waits, "--stand-by")
    assert not second.exists(), "a session that stands by has no tape"
    freeze(first)  # which keeps what it holds, and asks for nothing
    before = venue.settled()["requests"]
    log = folder / "second.log"
    other = start_live(venue, second, log, "--stand-by")
    until(lambda: "standing by" in log.read_text(), lambda: log.read_text()[-1500:], process=other)

    def ready():
        with urllib.request.urlopen(f"http://127.0.0.1:{port_of(log)}/health/ready", timeout=60) as answer:
            told = json.load(answer)
        return told["ready"] and told["reasons"] == ["standing_by"]

    until(ready, "it is not ready to take over", process=other)
    assert venue.settled()["requests"].get("account") == before.get("account"), "it asked for the account"
    assert not second.exists() and not count_of(log, "the session begins")
    first.kill()
    first.wait()
    until(lambda: count_of(log, "the session begins"), lambda: log.read_text()[-1500:], process=other)
    assert "the lease is ours" in log.read_text(), log.read_text()[-1500:]
    other.terminate()
    assert other.wait(120) == 0 and not venue.state()["open"], log.read_text()[-1500:]
    expect(run("live", "-c", venue.config, "--tape", folder / "first.tape", "--for", "2s"), 0)


@test
def a_recording_leaves_a_session_s_tape_alone(folder, venue):
    tape, log = folder / "session.tape", folder / "log"
    live_until(lambda: count_of(log, "order_accepted"), venue, tape, log)
    expect(run("record", "-c", venue.config, "--tape", tape, "--for", "1m"), 2, "which a recording would spoil; begin a new tape")
    expect(run("verify", tape), 0, "identical")


@test
def an_unknown_authority_is_never_talked_to(folder, venue):
    other = folder / "other"
    other.mkdir()
    stranger = Venue(other)
    before = venue.state()["requests"]
    log = folder / "log"
    live_until(lambda: log.read_text().count("is not trusted: ") > 2, venue, folder / "no.tape", log,
               "--set", f"venues.binance_us.live.ca_file={stranger.folder / 'ca.pem'}", by=signal.SIGALRM, codes=(3,))
    stranger.end()
    assert venue.state()["requests"] == before, "a request arrived"
    assert not (folder / "no.tape").exists()


@test
def what_is_wrong_is_told(folder, venue):
    expect(run("live", "-c", venue.config), 2, "--tape")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.instruments="), 2,
           "live.instruments")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.instruments=nowhere:BTC"), 2,
           "no adapter")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.session=Not_One"), 2,
           "live.session")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.order_expiry=60s"), 2,
           "order.renew_after of binance_us: '0'; live.order_expiry is 1m")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.order_expiry=60s",
               "--set", "order.renew_after=60s"), 2, "order.renew_after of binance_us: '1m'")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "live.instruments=binance_us:NOTHING"),
           2, "live: binance_us: has no NOTHING")
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", "venues.binance_us.live.rest_url=http://127.0.0.1:1"),
           2, "live.rest_url: 'http://127.0.0.1:1' is no address of a venue; expected https://")
    expect(run("watchdog", "-c", venue.config, "--tape", folder / "no.tape"), 2, "no session")
    expect(run("watchdog", "-c", venue.config, "--tape", folder / "no.tape", "--after", "1ms"), 2, "--after: expected 1s at least")
    # A service is not started again and again for these.
    keys = json.loads((folder / "venue/binance_us.json").read_text())
    stranger = folder / "stranger.json"
    stranger.touch(mode=0o600)
    stranger.write_text(json.dumps(dict(keys, key="x" * 64)))
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--set", f"venues.binance_us.live.credentials={stranger}"),
           2, "live: binance_us: the key is refused")
    expect(run("live", "-c", venue.config, "--tape", folder / "new.tape", "--db", folder), 2, "is a folder; expected a database's name")


if __name__ == "__main__":
    sys.exit(main())
