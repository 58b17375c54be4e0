#!/usr/bin/env python3
"""A session quotes on while its tapes rotate: nothing of it becomes cold, though warm-up takes seconds. Prints TAP."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
from live_common import (CAPSTAN, Venue, chain, expect, live_until, log_lines, main, port_of, run, seconds_of,  # noqa: E402
                         start_live, started, test, until)

WARM_UP_S = 4


class Told:
    """A tape, from its text."""

    def __init__(self, tape):
        self.lines = run("tape", "cat", tape).stdout.splitlines()

    def times(self, *kinds):
        return [seconds_of(line) for line in self.lines if line.split(" ")[1] in kinds]

    def epochs(self):
        return [re.search(r" epoch=(\d+)", line)[1] for line in self.lines if line.split(" ")[1] == "start"]


@test
def quoting_goes_on_across_rotations(folder, venue):
    tape, log = folder / "s.tape", folder / "log"

    def tapes_that_send():
        """Their names, as the log has them."""
        return {line["span"]["tape"] for line in log_lines(log) if line["message"] in ("place", "replace", "modify")}

    # Each is of a second or a little more: one that began cold would be over before it sent anything.
    live_until(lambda: len(tapes_that_send()) > 6, venue, tape, log, "--set", "tape.rotate_every=1s",
               "--set", f"warm_up.samples={WARM_UP_S}", "--set", "warm_up.book_messages=50", "--set", "quote.levels=2",
               "--set", "reconcile.price_tolerance=0tick", codes=(0, 3))
    tapes = chain(tape)
    told = [Told(path) for path in tapes]
    assert len({epoch for of in told for epoch in of.epochs()}) == 1, "an epoch began"
    first = [i for i, of in enumerate(told) if of.times("place", "replace", "modify")]
    assert first, "nothing was quoted"
    # Behind the first that quotes, each begins with what rests, and is warm.
    later = told[first[0] + 1:-1]
    sends = [min(of.times("place", "replace", "modify"), default=None) for of in later]
    soon = sum(1 for of, sent in zip(later, sends)
               if sent is not None and sent - of.times("start")[0] < WARM_UP_S - 1)
    assert soon > 3, (len(later), soon)
    blocked = [line for of in later for line in of.lines if " gate " in line and
               re.search(r"gate=(warm_up|unreconciled) blocking=yes", line)]
    assert not blocked, blocked[:3]
    expect(run("verify", *tapes), 0, "identical")
    expect(run("verify", tapes[-2]), 0, "identical")
    expect(run("verify", "--restarts", tapes[-2]), 0)


@test
def operators_see_no_restart(folder, venue):
    """A rotation is one line that names the next tape, which from then on is that of the session."""
    tape, log = folder / "s.tape", folder / "log"
    # Few notices beside those of starts: all that are kept are looked at.
    session = start_live(venue, tape, log, "--set", "tape.rotate_every=1s", "--set", "warm_up.samples=600")
    shown = {}

    def is_shown():
        """A tape behind the third."""
        if port_of(log):
            with urllib.request.urlopen(f"http://127.0.0.1:{port_of(log)}/api/dashboard", timeout=60) as answer:
                shown.update(json.loads(answer.read()))
        name = (shown.get("session") or {}).get("tape")
        return name and chain(tape).index(Path(name)) >= 3

    until(is_shown, lambda: f"no fourth tape is shown: {shown.get('session')}", process=session)
    starts = [notice for notice in shown["notices"] if notice["kind"] == "start"]
    session.send_signal(signal.SIGTERM)
    assert session.wait(120) == 0, log.read_text()[-1500:]
    assert len(starts) == 1, (starts, len(shown["notices"]))
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
    tape, log = folder / "s.tape", folder / "log"
    settings = ["--set", "tape.rotate_every=1s", "--set", f"warm_up.samples={WARM_UP_S}"]
    for _ in range(2):  # it quotes, and rotates behind that
        live_until(lambda: '"message":"place"' in log.read_text().partition("goes on with a new tape")[2].rpartition(
            "goes on with a new tape")[0], venue, tape, log, *settings, codes=(0, 3))
    told = [Told(path) for path in chain(tape)]
    epochs = [int(epoch) for of in told for epoch in of.epochs()]
    assert len(set(epochs)) == 2 and max(epochs) == min(epochs) + 1, epochs
    second = next(i for i, of in enumerate(told) if str(max(epochs)) in of.epochs())
    begins = next(seconds_of(line) for of in told[second:second + 1] for line in of.lines
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
    tape, log = folder / "s.tape", folder / "log"
    live_until(lambda: len(chain(tape)) > 8, venue, tape, log, "--db", folder / "r.db", "--set", "tape.rotate_every=1s",
               codes=(0, 3))
    # A busy machine may end one before it has all that its tape has, and says so.
    behind = [line["fields"]["file"] for line in log_lines(log) if "is behind the tape" in line["message"]]
    compared = 0
    for path in chain(tape)[1:-1]:
        kept, made = folder / path.name.replace("s-", "r-").replace(".tape", ".db"), folder / f"{path.stem}.db"
        if str(kept) in behind:
            continue
        expect(run("project", path, "-o", made), 0)
        first, second = rows(kept), rows(made)
        for table in second:
            assert first[table] == second[table], (path.name, table, first[table][:2], second[table][:2])
        compared += 1
    assert compared > 4, compared


@test
def a_rotation_that_fails_is_no_end(folder, venue):
    tape, database, made = folder / "s.tape", folder / "r.db", folder / "made.db"
    log = folder / "log"
    process = started([CAPSTAN, "live", "-c", str(venue.config), "--tape", str(tape), "--db", str(database),
                       "--set", "tape.rotate_every=1s"], stdout=subprocess.DEVNULL, stderr=open(log, "w"),
                      preexec_fn=lambda: (folder / f"s-0002.tape.{os.getpid()}.part").mkdir())
    until(lambda: log.read_text().count("stays on its tape") > 1, lambda: log.read_text()[-1500:], process=process)
    process.terminate()
    assert process.wait(120) in (0, 3)
    assert chain(tape) == [tape]
    verified = run("verify", tape)
    expect(verified, 0, "identical")
    assert "sessions" not in verified.stdout, verified.stdout
    expect(run("project", tape, "-o", made), 0)
    first, second = rows(database), rows(made)
    for table in second:
        assert first[table] == second[table], (table, first[table][:2], second[table][:2])


@test
def a_gate_that_blocks_goes_on_blocking_in_the_next_database(folder, venue):
    tape, log = folder / "s.tape", folder / "log"
    live_until(lambda: len(list(folder.glob("r-[0-9]*.db"))) > 4, venue, tape, log, "--db", folder / "r.db",
               "--set", "tape.rotate_every=1s", "--set", "warm_up.samples=600", codes=(0, 3))
    # Those that begin behind the gate's first word of each instrument, but for those that a busy machine left behind.
    words = [re.findall(r" gate (\S+) gate=warm_up blocking=yes", run("tape", "cat", path).stdout) for path in chain(tape)]
    begun = max(next(n for n, names in enumerate(words) if name in names) for name in set(sum(words, [])))
    behind = [line["fields"]["file"] for line in log_lines(log) if "is behind the tape" in line["message"]]
    databases = [path for path in sorted(folder.glob("r-[0-9]*.db"))[begun:] if str(path) not in behind]
    assert len(databases) > 1, (databases, begun, behind)
    for database in databases:
        connection = sqlite3.connect(database)
        instruments = connection.execute("SELECT count(*) FROM instrument").fetchone()
        held = connection.execute("SELECT count(*) FROM gate_interval, run WHERE gate = 'warm_up'"
                                  " AND since_ns = first_ns").fetchone()
        connection.close()
        assert held == instruments, (database.name, held, instruments)


if __name__ == "__main__":
    sys.exit(main(lambda folder: Venue(folder, "--rate", 400)))
