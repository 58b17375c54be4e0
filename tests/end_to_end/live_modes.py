#!/usr/bin/env python3
"""record, paper and live against the exchange of this machine, and what must never connect. Prints TAP."""
import json
import re
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
from live_common import Venue, await_orders, chain, expect, main, run, start_live, test  # noqa: E402


@test
def record_writes_a_tape_that_replays(folder, venue):
    tape = folder / "market.tape"
    raw = folder / "market.raw"
    expect(run("record", "-c", venue.config, "--tape", tape, "--for", "4s", "--raw", raw), 0)
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
    result = run("paper", "-c", venue.config, "--tape", tape, "--for", "6s", "--json")
    expect(result, 0)
    assert json.loads(result.stdout)["decisions"] > 4, result.stdout
    text = run("tape", "cat", tape).stdout
    assert " order_accepted " in text, "no order was taken at the simulated venue"
    expect(run("verify", tape), 0, "identical")
    assert "place" not in venue.state()["requests"]
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "1s"), 2, "begin a new tape")


@test
def a_session_that_begins_with_a_position_agrees_with_the_account(folder, venue):
    tape = folder / "held.tape"
    session = ("live", "-c", venue.config, "--tape", tape, "--set", "safety.sync_interval=1s", "--for")
    for _ in range(6):
        expect(run(*session, "6s"), 0)
        held = re.findall(r" final_position (\S+) position=(\S+)", run("tape", "cat", tape).stdout)[-2:]
        if any(float(position) != 0 for _, position in held):
            break
    assert any(float(position) != 0 for _, position in held), f"no position came about: {held}"
    expect(run(*session, "8s"), 0)
    told = run("tape", "cat", tape).stdout.split(" start ")[-1]
    assert told.count(" snapshot_end ") >= 4, "the account was not told often enough"
    assert " venue_position " in told
    alarms = [line for line in told.splitlines() if " alarm " in line and "drift" in line]
    assert not alarms, alarms
    assert " place " in told, "nothing was quoted"
    expect(run("verify", tape), 0, "identical")


@test
def a_recording_rotates_and_each_tape_replays_alone(folder, venue):
    tape = folder / "market.tape"
    # Tapes end at whole multiples of the period: one that begins just before it may end before its books come.
    time.sleep(4 - time.time() % 4 + 0.1)
    expect(run("record", "-c", venue.config, "--tape", tape, "--for", "13s", "--set", "tape.rotate_every=4s"), 0)
    tapes = chain(tape)
    assert len(tapes) in (4, 5), tapes
    assert not list(folder.glob("*.journal-*")), "journals are left"
    for number, one in enumerate(tapes, 1):
        info = json.loads(run("tape", "info", one, "--json").stdout)
        assert info["finished"] and info["grade"] == "A", info
        assert info.get("predecessor", {}).get("number", 1) == number, info
        if number > 1:
            assert info["predecessor"]["tape"] == tapes[number - 2].name, info
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
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "6s", "--set", "tape.rotate_every=2s"), 0)
    tapes = chain(tape)
    assert len(tapes) > 2, tapes
    expect(run("verify", *tapes), 0, "goes on where")
    expect(run("verify", tapes[-1]), 0, "identical")
    assert run("verify", *reversed(tapes)).stdout == run("verify", *tapes).stdout, "the order that a shell gives matters"
    expect(run("verify", tapes[0], tapes[2]), 2, f"follows {tapes[1].name}, which is not among these tapes")
    expect(run("verify", tapes[0], tapes[1], tapes[1]), 2, "is there twice")
    told = "".join(run("tape", "cat", part).stdout for part in tapes)  # the first may end before anything is quoted
    first = re.search(r" place .* order=(#[0-9.]+)", told)[1]
    story = run("verify", *reversed(tapes), "--why", first)
    expect(story, 0, f"order     {first}: ")
    assert re.search(r"^because   of message", story.stdout, re.M) and "identical" not in story.stdout, story.stdout
    expect(run("paper", "-c", venue.config, "--tape", tape, "--for", "1s"), 2, "begin a new tape")


@test
def why_a_venue_can_t_be_reached_is_told(folder, venue):
    for number, (setting, text) in enumerate((
            ("rest_url=https://127.0.0.1:9", "connection refused by 127.0.0.1:9"),
            ("rest_url=https://nosuch.invalid", "no such host: nosuch.invalid"),
            ("ca_file=/etc/ssl/certs/ca-certificates.crt", "is not trusted: "))):
        told = run("record", "-c", venue.config, "--tape", folder / f"{number}.tape", "--for", "1s",
                   "--set", f"venues.binance_us.live.{setting}")
        expect(told, 3, text)
        assert "could not ask for the time: " in told.stderr and text in told.stderr.splitlines()[-1], told.stderr


@test
def a_rotation_that_can_t_be_is_told(folder, venue):
    tape = folder / ("n" * 58 + ".tape")
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "1s"), 2, "too long")
    expect(run("live", "-c", venue.config, "--tape", folder / "s.tape", "--set", "tape.rotate_every=10ms"), 2,
           "tape.rotate_every")


@test
def one_session_of_a_name_trades_an_account(folder, venue):
    """Another tape, the same name: refused. A third stands by, ends in order by a signal, or takes over."""
    first = start_live(venue, folder / "first.tape", folder / "first.log")
    await_orders(venue, first)
    second = folder / "second.tape"
    expect(run("live", "-c", venue.config, "--tape", second, "--for", "1s"), 2, "another session trades this account")
    expect(run("live", "-c", venue.config, "--tape", second, "--for", "1s", "--stand-by"), 0, "standing by")
    assert not second.exists(), "a session that stands by has no tape"
    before = venue.state()["requests"]
    other = start_live(venue, second, folder / "second.log", "--stand-by")
    time.sleep(1)
    assert other.poll() is None and first.poll() is None
    told = [json.loads(line) for line in (folder / "second.log").read_text().splitlines()]
    port = next(line["fields"]["port"] for line in told if "port" in line["fields"])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:
        ready = json.load(answer)
    assert ready["ready"] and ready["reasons"] == ["standing_by"], ready
    assert venue.state()["requests"].get("account") == before.get("account"), "it asked for the account"
    first.kill()
    first.wait()
    for _ in range(300):
        if "the session begins" in (folder / "second.log").read_text():
            break
        time.sleep(0.1)
    log = (folder / "second.log").read_text()
    assert "the lease is ours" in log and "the session begins" in log, log[-1500:]
    other.terminate()
    assert other.wait(30) == 0 and not venue.state()["open"], (folder / "second.log").read_text()[-1500:]
    expect(run("live", "-c", venue.config, "--tape", folder / "first.tape", "--for", "2s"), 0)


@test
def a_recording_leaves_a_session_s_tape_alone(folder, venue):
    tape = folder / "session.tape"
    expect(run("live", "-c", venue.config, "--tape", tape, "--for", "3s"), 0)
    expect(run("record", "-c", venue.config, "--tape", tape, "--for", "2s"), 2, "which a recording would spoil; begin a new tape")
    expect(run("verify", tape), 0, "identical")


@test
def an_unknown_authority_is_never_talked_to(folder, venue):
    other = folder / "other"
    other.mkdir()
    stranger = Venue(other)
    before = venue.state()["requests"]
    result = run("live", "-c", venue.config, "--tape", folder / "no.tape", "--for", "4s",
                 "--set", f"venues.binance_us.live.ca_file={stranger.folder / 'ca.pem'}")
    stranger.end()
    expect(result, 3)
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
