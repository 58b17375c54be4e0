#!/usr/bin/env python3
"""A session quotes on while its tapes rotate: nothing of it becomes cold, though warm-up takes seconds. Prints TAP."""
import json
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request

sys.dont_write_bytecode = True
from live_common import (CAPSTAN, Venue, chain, expect, free_port, log_lines, main, run, start_live,  # noqa: E402
                         started, test, until)

WARM_UP_S = 4


class Told:
    """A tape, from its text."""

    def __init__(self, tape):
        self.lines = run("tape", "cat", tape).stdout.splitlines()

    def times(self, *kinds):
        return [self.seconds(line) for line in self.lines if line.split(" ")[1] in kinds]

    @staticmethod
    def seconds(line):
        hour, minute, second = re.search(r"T(\d+):(\d+):([\d.]+)Z", line).groups()
        return int(hour) * 3600 + int(minute) * 60 + float(second)

    def epochs(self):
        return [re.search(r" epoch=(\d+)", line)[1] for line in self.lines if line.split(" ")[1] == "start"]


@test
def quoting_goes_on_across_rotations(folder, venue):
    tape = folder / "s.tape"
    result = run("live", "-c", venue.config, "--tape", tape, "--for", f"{WARM_UP_S + 10}s",
                 "--set", "tape.rotate_every=1s", "--set", f"warm_up.samples={WARM_UP_S}",
                 "--set", "warm_up.book_messages=50", "--set", "quote.levels=2",
                 "--set", "reconcile.price_tolerance=0tick", timeout=180)
    assert result.returncode in (0, 3), result.stderr[-1500:]
    tapes = chain(tape)
    assert len(tapes) > 6, f"{len(tapes)} tapes"
    told = [Told(path) for path in tapes]
    assert len({epoch for of in told for epoch in of.epochs()}) == 1, "an epoch began"
    first = [i for i, of in enumerate(told) if of.times("place", "replace", "modify")]
    assert first, "nothing was quoted"
    # Behind the first that quotes, each begins with what rests; at least most of them send within a second.
    later = told[first[0] + 1:-1]
    sends = [min(of.times("place", "replace", "modify"), default=None) for of in later]
    soon = sum(1 for of, sent in zip(later, sends)
               if sent is not None and sent - of.times("start")[0] < 1)
    assert len(later) > 3 and soon >= len(later) - 1, (len(later), soon)
    blocked = [line for of in later for line in of.lines if " gate " in line and
               re.search(r"gate=(warm_up|unreconciled) blocking=yes", line)]
    assert not blocked, blocked[:3]
    expect(run("verify", *tapes), 0, "identical")
    expect(run("verify", tapes[-2]), 0, "identical")
    expect(run("verify", "--restarts", tapes[-2]), 0)


@test
def operators_see_no_restart(folder, venue):
    """A rotation is one line that names the next tape, which from then on is that of the session."""
    tape, log, port = folder / "s.tape", folder / "log", free_port()
    session = start_live(venue, tape, log, "--set", "tape.rotate_every=1s", "--set", f"ops.port={port}")

    def shown():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/dashboard", timeout=10) as answer:
                return json.loads(answer.read())
        except OSError:
            return {}

    fourth = str(folder / "s-0004.tape")
    until(lambda: (shown().get("session") or {}).get("tape") == fourth, f"{fourth} is not shown", 60)
    starts = [notice for notice in shown()["notices"] if notice["kind"] == "start"]
    session.send_signal(signal.SIGTERM)
    assert session.wait(60) == 0, log.read_text()[-1500:]
    assert len(starts) == 1, starts
    lines = log_lines(log)
    told = {kind: sum(line["message"] == kind and line["level"] == "info" for line in lines)
            for kind in ("start", "final_counters", "the session goes on with a new tape")}
    tapes = chain(tape)
    assert told == {"start": 1, "final_counters": 1, "the session goes on with a new tape": len(tapes) - 1}, told
    spans = [line["span"]["tape"] for line in lines
             if line["message"] in ("start", "final_counters") and line["level"] == "info"]
    assert spans == [str(tapes[0]), str(tapes[-1])], spans


@test
def a_restart_after_rotations_is_cold(folder, venue):
    tape = folder / "s.tape"
    settings = ["--set", "tape.rotate_every=1s", "--set", f"warm_up.samples={WARM_UP_S}"]
    for _ in range(2):
        result = run("live", "-c", venue.config, "--tape", tape, "--for", f"{WARM_UP_S + 4}s", *settings, timeout=180)
        assert result.returncode in (0, 3), result.stderr[-1500:]
    told = [Told(path) for path in chain(tape)]
    epochs = [int(epoch) for of in told for epoch in of.epochs()]
    assert len(set(epochs)) == 2 and max(epochs) == min(epochs) + 1, epochs
    second = next(i for i, of in enumerate(told) if str(max(epochs)) in of.epochs())
    begins = next(of.seconds(line) for of in told[second:second + 1] for line in of.lines
                  if f" epoch={max(epochs)}" in line)
    sent = [time for of in told[second:] for time in of.times("place") if time > begins]
    assert sent and sent[0] - begins > WARM_UP_S - 1, (begins, sent[:3])
    expect(run("verify", *chain(tape)), 0, "identical")


def rows(database):
    """Tables and their rows, but for what a session does not know of its own tape, and how far it came."""
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    tables = [name for (name,) in connection.execute("select name from sqlite_master where type='table'")]
    unknown = {"tape_identity", "fingerprint"}
    told = {table: sorted(repr([(key, row[key]) for key in row.keys() if key not in unknown])
                          for row in connection.execute(f"select * from {table}"))
            for table in tables if table != "progress"}
    connection.close()
    return told


@test
def a_database_has_what_its_tape_comes_to(folder, venue):
    tape = folder / "s.tape"
    result = run("live", "-c", venue.config, "--tape", tape, "--db", folder / "r.db", "--for", "10s",
                 "--set", "tape.rotate_every=1s", timeout=180)
    assert result.returncode in (0, 3), result.stderr[-1500:]
    compared = 0
    for path in chain(tape)[1:-1]:
        kept, made = folder / path.name.replace("s-", "r-").replace(".tape", ".db"), folder / f"{path.stem}.db"
        expect(run("project", path, "-o", made), 0)
        first, second = rows(kept), rows(made)
        for table in second:
            assert first[table] == second[table], (path.name, table, first[table][:2], second[table][:2])
        compared += 1
    assert compared > 4, compared


@test
def a_rotation_that_fails_is_no_end(folder, venue):
    tape, database, made = folder / "s.tape", folder / "r.db", folder / "made.db"
    process = started([CAPSTAN, "live", "-c", str(venue.config), "--tape", str(tape), "--db", str(database),
                       "--for", "6s", "--set", "tape.rotate_every=1s"], stdout=subprocess.DEVNULL, stderr=open(folder / "log", "w"))
    (folder / f"s-0002.tape.{process.pid}.part").mkdir()
    assert process.wait(60) in (0, 3)
    assert chain(tape) == [tape] and (folder / "log").read_text().count("stays on its tape") > 1
    verified = run("verify", tape)
    expect(verified, 0, "identical")
    assert "sessions" not in verified.stdout, verified.stdout
    expect(run("project", tape, "-o", made), 0)
    first, second = rows(database), rows(made)
    for table in second:
        assert first[table] == second[table], (table, first[table][:2], second[table][:2])


@test
def a_gate_that_blocks_goes_on_blocking_in_the_next_database(folder, venue):
    tape = folder / "s.tape"
    result = run("live", "-c", venue.config, "--tape", tape, "--db", folder / "r.db", "--for", "6s",
                 "--set", "tape.rotate_every=1s", "--set", "warm_up.samples=600", timeout=180)
    assert result.returncode in (0, 3), result.stderr[-1500:]
    databases = sorted(folder.glob("r-[0-9]*.db"))
    assert len(databases) > 3, databases
    for database in databases:
        connection = sqlite3.connect(database)
        instruments = connection.execute("SELECT count(*) FROM instrument").fetchone()
        held = connection.execute("SELECT count(*) FROM gate_interval, run WHERE gate = 'warm_up'"
                                  " AND since_ns = first_ns").fetchone()
        connection.close()
        assert held == instruments, (database.name, held, instruments)


if __name__ == "__main__":
    sys.exit(main(lambda folder: Venue(folder, "--rate", 400)))
