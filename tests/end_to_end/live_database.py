#!/usr/bin/env python3
"""The database of live sessions against the exchange of this machine: removed, locked, full, and back. What is in it is
read by Python's SQLite and compared with the tape as the independent reader shows it. Prints TAP."""
import csv
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from fractions import Fraction
from pathlib import Path

sys.dont_write_bytecode = True
import live_common  # noqa: E402
from live_common import (CAPSTAN, Skip, Venue, chain, count_of, expect, freeze, let_go, log_lines, port_of,  # noqa: E402
                         run, seconds_of, started, stop_thread, test, until)

TOP = Path(os.environ.get("srcdir", ".")).resolve()
QUICK = ["--set", "database.timeout=2s", "--set", "database.every=50ms",
         # An end in order on a busy machine too.
         "--set", "shutdown.timeout=20s", "--set", "shutdown.step_timeout=20s"]
PATIENT = ["--set", "database.call_timeout=4s"]  # where no call is to fail
ROTATED = "the session goes on with a new tape"


class Session:
    """One `capstan live` with a database."""

    def __init__(self, venue, folder, tape, database, *more, mode="live"):
        self.log = folder / f"{time.monotonic_ns()}.log"
        self.errors = open(folder / "errors", "a+")
        self.process = started([CAPSTAN, mode, "-c", str(venue.config), "--tape", str(tape), "--db", str(database),
                                "--log", str(self.log), *QUICK, *map(str, more)],
                               stdout=subprocess.DEVNULL, stderr=self.errors)

    def lines(self):
        return log_lines(self.log)

    def count(self, message, level=None):
        if level is None:
            return count_of(self.log, message)
        return sum(line["message"] == message and line["level"] == level for line in self.lines())

    def await_line(self, message, count=1):
        until(lambda: self.count(message) >= count, lambda: f"no {message!r}: {self.log.read_text()[-800:]}",
              process=self.process, every=0.05)

    def end(self, code=0):
        self.process.send_signal(signal.SIGTERM)
        found = self.process.wait(120)
        assert found == code, f"exit {found}: {self.log.read_text()[-1500:]}"

    def kill(self):
        self.process.kill()
        self.process.wait()


def records(tape):
    """The tape's text, by the reader that knows nothing of the program."""
    if subprocess.run(["/usr/bin/python3", "-c", "import xxhash"], capture_output=True).returncode == 0:
        command = ["/usr/bin/python3", TOP / "scripts/read-tape", tape]
    else:
        command = [CAPSTAN, "tape", "cat", tape]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def field(line, name):
    found = re.search(rf" {name}=(\"[^\"]*\"|\S*)", line)
    return found[1].strip('"') if found else None


def rows(database, sql):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60) as connection:
        return connection.execute(sql).fetchall()


def check_fills(tape, database, least=1):
    """Each fill of the tape once in the database, in order, and so each order."""
    lines = records(tape)
    told, seen = [], set()
    for line in lines:
        if " order_filled " in line:
            key = (line.split(" ")[2], field(line, "trade"))
            if key not in seen:
                told.append((field(line, "trade"), field(line, "side"), field(line, "price"), field(line, "quantity")))
            seen.add(key)
    found = rows(database, "SELECT trade, side, price, quantity FROM fill ORDER BY id")
    assert found == told, f"{len(told)} fills on the tape, {len(found)} in the database"
    assert len(told) >= least, f"only {len(told)} fills: nothing was shown"
    sent = sum(1 for line in lines if line.split(" ")[1] in ("place", "replace"))
    assert rows(database, "SELECT count(*) FROM orders") == [(sent,)]
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]


def check_project(tape, database, folder):
    """And every row of the tables is the one that `capstan project` makes of the tape."""
    again = folder / "again.db"
    done = run("project", tape, "-o", again)
    assert done.returncode == 0, done.stderr
    for table in ("instrument", "orders", "order_event", "modify", "spell", "fill", "fill_mid", "gate_block",
                  "gate_interval", "breaker_interval", "position", "balance"):
        one, other = rows(database, f"SELECT * FROM {table}"), rows(again, f"SELECT * FROM {table}")
        assert one == other, (table, sorted(set(one) ^ set(other))[:8])
    counts = "SELECT messages, market_messages, ticks, answers FROM run"
    one, other = rows(database, counts), rows(again, counts)
    # The row of a live session counts that session; the tape of several has them all.
    sessions = sum(line.split(" ")[1] == "start" for line in records(tape))
    assert one == other and one[0][0] == sum(one[0][1:]) + 1 if sessions == 1 else other[0][0] > one[0][0], (one, other)
    again.unlink()


def check_breaker(tape, openings):
    """The engine's words stand on the tape where five calls in a row have failed, or the trial."""
    failures, state, opened = 0, "closed", 0
    for line in records(tape):
        kind = line.split(" ")[1]
        if kind == "start":
            failures, state = 0, "closed"
        elif kind == "breaker_input" and field(line, "venue") == "-":
            failures = 0 if field(line, "healthy") == "yes" else failures + 1
        elif kind == "infrastructure" and field(line, "venue") == "-":
            before, state = state, field(line, "state")
            if before == "closed":
                assert state == "open" and failures == 5, line
                opened += 1
            elif state == "closed":
                assert before == "half_open" and failures == 0, line
    assert opened == openings, f"it opened {opened} times"
    assert state == "closed", "it did not close"
    done = run("verify", tape)
    assert done.returncode == 0 and "identical" in done.stdout, done.stdout + done.stderr


def check_log(session):
    """D8's lines and levels; while it is open no call is made."""
    assert session.count("infrastructure breaker tripped", "error") == 1
    assert session.count("infrastructure breaker open", "warn") >= 1
    assert session.count("infrastructure breaker half-open", "info") >= 1
    assert session.count("infrastructure breaker trial", "debug") >= 1
    assert session.count("infrastructure breaker closed", "info") == 1
    open_now, late, calls = False, False, 0
    for line in session.lines():
        if line["message"].startswith("infrastructure breaker"):
            open_now = late = line["message"] == "infrastructure breaker open"
        elif line["message"] == "a call of the database failed":
            calls += 1
            assert late or not open_now, f"a call while it is open: {line}"
            late = False  # one that was begun before, if the engine had counted it as failed meanwhile
    assert calls >= 5, calls


def lock(database):
    holder = sqlite3.connect(database, isolation_level=None, timeout=120)
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def await_made(database):
    until(lambda: database.exists() and rows(database, "SELECT 1 FROM sqlite_master WHERE name = 'progress'"),
          f"no {database}", every=0.02)


def release(holder):
    holder.execute("COMMIT")
    holder.close()


def lock_newest(session, folder, period):
    """The number of the tape that is written, and a lock of its database that is held before that tape ends, in the
    second half of its period: a call that begins then is not over when the tape is."""
    while True:
        time.sleep((period / 2 - time.time()) % period)
        end = time.time() + period * 0.4
        number = session.count(ROTATED) + 1
        database = folder / f"run-{number:04}.db"
        await_made(database)
        holder = lock(database)
        if session.count(ROTATED) + 1 == number and time.time() < end:
            return number, holder
        release(holder)


def goes_away(venue, folder, take_away, bring_back, database):
    """A session whose database goes away and comes back."""
    tape = folder / "session.tape"
    session = Session(venue, folder, tape, database)
    session.await_line("order_filled")
    await_made(database)
    take_away()
    session.await_line("infrastructure breaker tripped")
    session.await_line("infrastructure breaker trial")  # which fails
    session.await_line("infrastructure breaker open", 2)
    filled = session.count("order_filled")
    session.await_line("order_filled", filled + 1)  # trading goes on
    bring_back()
    session.await_line("infrastructure breaker closed")
    session.await_line("order_filled", session.count("order_filled") + 1)
    session.end()
    check_log(session)
    check_breaker(tape, 1)
    check_fills(tape, database, 3)
    check_project(tape, database, folder)


@test
def removed_with_its_folder_and_back(folder, venue):
    place, away = folder / "data", folder / "away"
    place.mkdir()
    goes_away(venue, folder, lambda: place.rename(away), lambda: away.rename(place), place / "run.db")


@test
def removed_for_good_and_made_anew(folder, venue):
    place = folder / "data"
    place.mkdir()
    goes_away(venue, folder, lambda: shutil.rmtree(place), place.mkdir, place / "run.db")


@test
def locked_and_released(folder, venue):
    database = folder / "run.db"
    holder = []

    goes_away(venue, folder, lambda: holder.append(lock(database)), lambda: release(holder[0]), database)


@test
def full_and_free_again(folder, venue):
    """On a file system of its own, in a namespace of this test's own."""
    if os.environ.get("CAPSTAN_OWN_MOUNTS") != "yes":
        raise Skip("no mount of our own: unshare")
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    ballast = disk / "ballast"

    def fill():
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    try:
        goes_away(venue, folder, fill, ballast.unlink, disk / "run.db")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


@test
def only_its_file_removed(folder, venue):
    """The next call but one makes it anew: the breaker has nothing to do."""
    tape, database = folder / "session.tape", folder / "run.db"
    session = Session(venue, folder, tape, database, *PATIENT)
    session.await_line("order_filled")
    await_made(database)
    database.unlink()
    session.await_line("order_filled", session.count("order_filled") + 1)
    session.end()
    assert session.count("infrastructure breaker tripped") == 0
    check_fills(tape, database)
    check_project(tape, database, folder)


@test
def killed_and_caught_up_by_the_next_session(folder, venue):
    tape, database = folder / "session.tape", folder / "run.db"
    session = Session(venue, folder, tape, database, *PATIENT)
    session.await_line("order_filled", 2)
    session.kill()
    session = Session(venue, folder, tape, database, *PATIENT)
    session.await_line("order_filled")
    session.end()
    session = Session(venue, folder, tape, database, *PATIENT)  # behind one that ended in order nothing is made anew
    session.await_line("order_filled")
    session.end()
    assert session.count("the database was behind the tape and is made anew from it") == 0
    check_fills(tape, database, 4)
    check_project(tape, database, folder)


@test
def away_at_the_end_and_caught_up_by_the_next_session(folder, venue):
    tape, database, away = folder / "session.tape", folder / "run.db", folder / "away.db"
    session = Session(venue, folder, tape, database)
    session.await_line("order_filled")
    await_made(database)
    holder = lock(database)
    session.end()
    release(holder)
    assert session.count("step_failed", "error") == 1, "the step that failed is told"
    assert session.count("shutdown complete", "info") == 1, "and the shutdown goes on"
    assert session.count("shutdown, step 6: disconnecting venues") == 1
    session = Session(venue, folder, tape, database)
    session.await_line("order_filled")
    session.end()
    check_fills(tape, database, 2)
    check_project(tape, database, folder)
    assert not away.exists()


@test
def required_stops_new_orders(folder, venue):
    place, away, tape = folder / "data", folder / "away", folder / "session.tape"
    place.mkdir()
    session = Session(venue, folder, tape, place / "run.db", "--set", "database.required=yes")
    session.await_line("order_filled")
    place.rename(away)
    session.await_line("infrastructure breaker open", 2)
    away.rename(place)
    session.await_line("infrastructure breaker closed")
    session.await_line("order_filled", session.count("order_filled") + 1)
    session.end()
    state = "closed"
    for line in records(tape):
        kind = line.split(" ")[1]
        if kind == "infrastructure" and field(line, "venue") == "-":
            state = field(line, "state")
        assert state == "closed" or kind not in ("place", "modify", "replace"), line
    check_fills(tape, place / "run.db")


def is_well(port):
    """What /health/ready says of the database; and what it says of all must agree where that is no."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=60) as answer:
            told = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        told = json.loads(error.read())
    assert told["ready"] is False or told["checks"]["database"] is True, told
    return told["checks"]["database"]


def await_health(port, well):
    until(lambda: is_well(port) is well, f"/health/ready never said {well} of the database", every=0.05)


def ask(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return answer.read().decode()


def check_shown(port):
    """Dashboard and metrics name a breaker that has just opened, and when a call last failed."""
    shown = json.loads(ask(port, "/api/dashboard"))["database"]
    assert shown["well"] is False and shown["state"] != "closed" and shown["failures"] >= 5, shown
    assert time.time() - 60 < shown["last_failure_ms"] / 1000 < time.time() + 1, shown
    lines = dict(line.rsplit(" ", 1) for line in ask(port, "/metrics").splitlines() if not line.startswith("#"))
    assert lines["capstan_database_breaker_state"] in "12", lines["capstan_database_breaker_state"]
    assert int(lines["capstan_database_failures"]) >= 5
    assert float(lines["capstan_database_last_failure_timestamp_seconds"]) >= shown["last_failure_ms"] / 1000


class Stopped:
    """The thread of the database, which nothing wakes but its tracer."""

    def __init__(self, session):
        threads = {line["thread_id"] for line in session.lines() if line["target"] == "capstan.database" and line["span"]
                   and line["span"]["name"] == "database"}
        assert len(threads) == 1, threads
        self.thread = threads.pop()
        stop_thread(self.thread, session.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        let_go(self.thread)


def with_thread(venue, folder, database, *more):
    """A session whose database's thread has logged, so that it can be found; and its port."""
    session = Session(venue, folder, folder / "session.tape", database, *more)
    session.await_line("order_filled")
    port = port_of(session.log)
    await_made(database)
    holder = lock(database)
    session.await_line("a call of the database failed")
    release(holder)
    session.await_line("the database answers again")
    await_health(port, True)
    return session, port


def now():
    """As times stand on the tape."""
    second, ns = divmod(time.time_ns(), 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)) + f".{ns:09}Z"


def outcomes(tape):
    """Time and word of each outcome on the tape."""
    return [(line.split(" ")[0], field(line, "healthy")) for line in records(tape)
            if line.split(" ")[1] == "breaker_input" and field(line, "venue") == "-"]


@test
def a_thread_that_hangs_is_a_failure(folder, venue):
    """Nothing returns and nothing is told: the engine counts by itself, and holds new orders back."""
    tape, database = folder / "session.tape", folder / "run.db"
    session, port = with_thread(venue, folder, database, "--set", "database.required=yes")
    with Stopped(session):
        await_health(port, False)
        session.await_line("infrastructure breaker tripped")
        session.await_line("infrastructure breaker open", 2)  # the trial does not return either
        assert is_well(port) is False
        check_shown(port)
    session.await_line("infrastructure breaker closed")
    await_health(port, True)
    session.await_line("order_filled", session.count("order_filled") + 2)
    session.end()
    state = "closed"
    for line in records(tape):
        kind = line.split(" ")[1]
        if kind == "infrastructure" and field(line, "venue") == "-":
            state = field(line, "state")
        assert state == "closed" or kind not in ("place", "modify", "replace"), line
    check_breaker(tape, 1)
    check_fills(tape, database, 3)
    check_project(tape, database, folder)


@test
def what_a_hanging_call_tells_late_counts_once(folder, venue):
    """Stopped in a call that waits for a lock, and gone on with before the lock is released: it fails, and has already
    been counted."""
    tape, database = folder / "session.tape", folder / "run.db"
    session, port = with_thread(venue, folder, database, *PATIENT)
    failed = session.count("a call of the database failed")
    holder = lock(database)
    time.sleep(1)
    with Stopped(session):
        began = now()
        await_health(port, False)
        time.sleep(0.3)
        ended = now()
    session.await_line("a call of the database failed", failed + 1)
    release(holder)
    await_health(port, True)
    session.end()
    told = outcomes(tape)
    assert any(began < at < ended and healthy == "no" for at, healthy in told), (began, ended, told)
    counted = sum(healthy == "no" and not began < at < ended for at, healthy in told)
    assert counted < session.count("a call of the database failed"), (began, ended, told)
    assert session.count("infrastructure breaker tripped") == 0
    check_breaker(tape, 0)
    check_fills(tape, database)
    check_project(tape, database, folder)


@test
def locked_over_a_rotation_it_holds_nothing_up(folder, venue):
    """What its database still waits for is not waited for by the session, whose next tape begins at once."""
    session = Session(venue, folder, folder / "session.tape", folder / "run.db", "--set", "tape.rotate_every=3s",
                      "--set", "database.call_timeout=3s")
    session.await_line(ROTATED)
    number, holder = lock_newest(session, folder, 3)
    tapes = [folder / f"session-{n:04}.tape" for n in (number, number + 1)]
    locked = folder / f"run-{number:04}.db"
    session.await_line("the database is behind the tape: capstan project makes it anew")
    release(holder)
    session.await_line(ROTATED, number + 1)
    session.end()
    lines = session.lines()
    # A busy machine may leave others behind; this one is.
    behind = {line["fields"]["file"]: at for at, line in enumerate(lines) if "is behind" in line["message"]}
    assert str(locked) in behind, behind
    ends = [at for at, line in enumerate(lines) if line["message"] == ROTATED]
    start = next(line for line in records(tapes[1]) if line.split(" ")[1] == "start")
    stall = seconds_of(start) - seconds_of(records(tapes[0])[-1])
    assert stall < 1 or ends[number - 1] < behind[str(locked)], f"the session waited {stall:.3f} s"
    for path in folder.glob("run*.db"):
        closed = rows(path, "SELECT closed FROM progress") == [(1,)]
        assert closed == (str(path) not in behind), path
    assert run("project", tapes[0], "-o", folder / "made.db").returncode == 0


@test
def killed_in_a_rotation_it_is_named(folder, venue):
    """The next session goes on with the next tape, and says which database nobody has finished; so does its report."""
    tape, database, told = folder / "session.tape", folder / "run.db", "capstan report: warning: "
    session = Session(venue, folder, tape, database, "--set", "tape.rotate_every=3s", *PATIENT)
    session.await_line(ROTATED)
    while True:
        number, holder = lock_newest(session, folder, 3)
        session.await_line(ROTATED, number)
        freeze(session.process)
        if len(chain(tape)) == number + 1:
            break
        session.process.send_signal(signal.SIGCONT)  # it went on with another one, which is none of these
        release(holder)
    session.kill()
    release(holder)
    locked = folder / f"run-{number:04}.db"

    def start(times):
        session = Session(venue, folder, tape, database, "--set", "tape.rotate_every=0", *PATIENT)
        session.await_line("order_accepted")
        session.end()
        named = [line["fields"]["file"] for line in session.lines() if "was not finished" in line["message"]]
        assert named == [str(locked)] * times, named

    for times in (1, 0):
        start(times)
        said = run("report", locked, "-o", folder / "page.html")
        assert said.returncode == 0 and said.stderr.count(told) == times, said.stderr
        expect(run("project", folder / f"session-{number:04}.tape", "-o", locked), 0)
    assert told not in run("report", folder / f"run-{number + 1:04}.db", "-o", folder / "page.html").stderr
    locked.write_bytes(b"")  # as a death leaves one that has no table yet
    start(1)


def command(port, path, token):
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/api/command/{path}", method="POST",
                                   headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 202, answer.status


def sums_of_csv(folder, names, table, keys, figure):
    """Of the reports of several databases, an exact sum by key."""
    sums = {}
    for name in names:
        with open(folder / f"report-{name}" / f"{table}.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = tuple(row[each] for each in keys)
                sums[key] = sums.get(key, 0) + Fraction(row[figure] or 0)
    return {key: value for key, value in sums.items() if value}


@test
def reports_of_a_chain_add_up(folder, venue):
    """Each tape's report is of that tape alone, also of what goes on over a rotation: a position, and a pause that blocks."""
    tape, token = folder / "s.tape", "a-token-for-this-test-only"
    (folder / "token").write_text(token)
    (folder / "token").chmod(0o600)
    session = Session(venue, folder, tape, folder / "run.db", "--set", "tape.rotate_every=2s", "--set", "store.sample=1s",
                      "--set", f"ops.token_file={folder / 'token'}", *PATIENT)
    session.await_line("order_filled")
    command(port_of(session.log), "pause", token)
    session.await_line(ROTATED, session.count(ROTATED) + 3)  # two whole tapes at least
    command(port_of(session.log), "resume", token)
    session.await_line(ROTATED, session.count(ROTATED) + 1)
    session.end()
    tapes = chain(tape)
    names = ["run", *(path.name.replace("s", "run", 1).removesuffix(".tape") for path in tapes[1:])]
    figures = "SELECT instrument, position, realised, unrealised, fees, funding FROM position WHERE why = ?"
    before = None
    for name, each in zip(names, tapes):
        database = folder / f"{name}.db"
        check_project(each, database, folder)
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            began, ended = (connection.execute(figures, [why]).fetchall() for why in ("start", "final"))
        assert began and (began == before if before else all(set(row[1:]) == {"0"} for row in began)), (name, began, before)
        before = ended
        expect(run("report", database, "--csv", folder / f"report-{name}"), 0)
    name_of = dict(rows(folder / "run.db", "SELECT id, name FROM instrument"))
    net = {(name_of[row[0]],): sum(map(Fraction, (row[2], row[3], row[5]))) - Fraction(row[4]) for row in before}
    found = sums_of_csv(folder, names, "profit", ["instrument"], "net")
    assert found == {key: value for key, value in net.items() if value} != {}, (found, net)
    of_account = sums_of_csv(folder, names, "account", ["asset"], "net")
    assert of_account == {("USD",): sum(net.values())}, (of_account, net)
    of_chain = sums_of_csv(folder, names[-1:], "chain", ["instrument"], "net")
    assert of_chain == found, (of_chain, found)
    told = {}
    for line in (line for each in tapes for line in records(each) if line.split(" ")[1] == "gate"):
        key = (line.split(" ")[2], field(line, "gate"))
        told[key] = told.get(key, 0) + (int(field(line, "blocked")) if field(line, "blocking") == "no" else 0)
    blocked = sums_of_csv(folder, names, "gates", ["instrument", "gate"], "blocked")
    over = [key for key in told if key[1] == "paused"]
    assert over and all(blocked[key] == told[key] > 1 for key in over), (blocked, told)
    parts = [sums_of_csv(folder, [name], "gates", ["gate"], "blocked").get(("paused",), 0) for name in names]
    assert sum(part > 0 for part in parts) >= 2, f"the pause stands in {parts}"


@test
def paper_has_one_too(folder, venue):
    tape, database = folder / "session.tape", folder / "run.db"
    session = Session(venue, folder, tape, database, *PATIENT, mode="paper")
    session.await_line("order_filled")
    session.end()
    check_fills(tape, database)
    check_project(tape, database, folder)


def refused(venue, folder, expected, *arguments):
    expect(run("live", "-c", venue.config, "--tape", folder / "no.tape", "--for", "1m", *arguments), 2, expected)


@test
def what_can_not_be_is_refused(folder, venue):
    other = folder / "other.db"
    other.write_text("a file of somebody else, long enough to be no empty database " * 20)
    before = other.read_bytes()
    refused(venue, folder, "something else", "--db", other)
    with sqlite3.connect(folder / "tables.db") as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
    refused(venue, folder, "something else", "--db", folder / "tables.db")
    tape = folder / "session.tape"
    session = Session(venue, folder, tape, folder / "run.db", *PATIENT)
    session.await_line("order_filled")
    session.end()
    refused(venue, folder, "something else", "--db", folder / "run.db")
    refused(venue, folder, "database.required", "--set", "database.required=yes")
    refused(venue, folder, "the file of --tape", "--db", folder / "no.tape")
    assert other.read_bytes() == before


def main():
    own = ["unshare", "--mount", "--map-root-user"]
    if "CAPSTAN_OWN_MOUNTS" not in os.environ:
        can = shutil.which("unshare") and subprocess.run(
            [*own, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0
        os.environ["CAPSTAN_OWN_MOUNTS"] = "yes" if can else "no"
        if can:
            os.execvp("unshare", [*own, sys.executable, *sys.argv])
    return live_common.main(lambda folder: Venue(folder, "--rate", 800))


if __name__ == "__main__":
    sys.exit(main())
