#!/usr/bin/env python3
"""What a recording's grade says when its feed breaks: by replay, tape check, tape info, the session's database, its report
and the database made anew from the tape. Against the exchange of this machine. Prints TAP."""
import csv
import json
import re
import sqlite3
import sys

sys.dont_write_bytecode = True
from live_common import Venue, count_of, expect, live_until, main, run, test  # noqa: E402

VENUES = ("binance_us", "coinbase", "oanda")
# OANDA's prices, of which each is a whole book, break only as a stream.
FAULTS = """
gap venue=binance_us message=depthUpdate nth=30
disconnect venue=coinbase message=l2_data nth=40
"""
# Coinbase tells its trades in bundles of 250 ms; sim.reorder is to hold them (docs/semantics.md 1).
QUIET = ("--json", "--set", "quote.enabled=no", "--set", "sim.reorder=1s")
MADE_OF = re.compile(r"^(?P<letter>[A-F]): (?P<name>\S+): (?P<cause>.*)$")


def venue_of(folder):
    """Feeds break in all tests but those of a clean recording."""
    if "clean" in folder.name:
        return Venue(folder, venues=VENUES)
    faults = folder / "feed.faults"
    faults.write_text(FAULTS)
    return Venue(folder, "--faults", faults, venues=VENUES)


def listened(venue, tape, log, *more, mode, faults=True):
    """A session that ends once every book came and something more; with faults, once they came and were mended."""
    books = {"binance_us": ("BTCUSD", "ETHUSD"), "coinbase": ("BTC-USD", "ETH-USD"), "oanda": ("BTC_USD", "EUR_USD")}
    before = len(run("tape", "cat", tape).stdout) if tape.exists() else 0

    def is_over():
        told = run("tape", "cat", tape).stdout[before:] if count_of(log, "the session begins") else ""
        came = {name: [told.count(f" snapshot {name}:{symbol} ") for symbol in books[name]] for name in books}
        return told.count("\n") > 400 and min(map(min, came.values())) > 0 and (
            not faults or sum(came["binance_us"]) > 2 and min(came["coinbase"]) > 1)

    live_until(is_over, venue, tape, log, *more, mode=mode)


def graded(*command):
    told = json.loads(run(*command).stdout)
    return told.get("input_grade", told.get("grade")), told["grade_reasons"]


def all_grades(tape):
    """Replay, check and info say the same."""
    replayed = graded("replay", tape, *QUIET)
    assert graded("tape", "check", tape, "--json") == replayed, (graded("tape", "check", tape, "--json"), replayed)
    assert graded("tape", "info", tape, "--json") == replayed, (graded("tape", "info", tape, "--json"), replayed)
    return replayed


def check_faults(grade, reasons):
    """D for what the faults did, and for nothing else."""
    parts = [MADE_OF.match(line) for line in reasons]
    assert grade == "D" and parts and all(part and part["letter"] == "D" for part in parts), (grade, reasons)
    by_name = {}
    for part in parts:
        by_name.setdefault(part["name"], []).append(part["cause"])
    assert {name.split(":")[0] for name in by_name} == {"binance_us", "coinbase"}, reasons
    gaps = [cause for name, causes in by_name.items() if name.startswith("binance_us") for cause in causes]
    assert "1 gap in the depth sequence" in gaps, reasons
    for name in ("coinbase:BTC-USD", "coinbase:ETH-USD"):
        causes = by_name[name]
        assert "1 connection of its feed lost" in causes, reasons
        time = [re.match(r"without a book for ([0-9.]+) s of ([0-9.]+) s \(([0-9.]+) %\)$", cause) for cause in causes]
        without, of, part = [[float(x) for x in found.groups()] for found in time if found][0]
        assert 0 < without < of and abs(100 * without / of - part) < 0.02, reasons


@test
def a_clean_recording_of_three_venues_is_A(folder, venue):
    tape = folder / "market.tape"
    listened(venue, tape, folder / "log", mode="record", faults=False)
    assert all_grades(tape) == ("A", []), all_grades(tape)
    assert "grade A: clean" in run("tape", "check", tape).stdout


@test
def a_recording_whose_feed_breaks_is_D_and_says_why(folder, venue):
    tape = folder / "market.tape"
    listened(venue, tape, folder / "log", mode="record")
    check_faults(*all_grades(tape))
    info = json.loads(run("tape", "info", tape, "--json").stdout)
    assert info["header_grade"] == "A" and info["origin"] == "recorded", info
    table = run("replay", tape, *QUIET[1:]).stdout
    assert "input        grade D\n" in table and "of its feed lost" in table, table
    # A run that was not told of a fault has none.
    last = next(line for line in reversed(run("tape", "cat", tape).stdout.splitlines()) if " snapshot coinbase" in line)
    part = graded("replay", tape, *QUIET, "--from", last.split(" ")[0])
    assert part == ("A", []), part


@test
def a_session_s_database_tells_its_grade(folder, venue):
    tape, database, anew = folder / "session.tape", folder / "run.db", folder / "anew.db"
    listened(venue, tape, folder / "log", "--db", database, "--set", "sim.reorder=1s", mode="paper")
    row = "SELECT tape_grade, run_grade, run_grade_reasons FROM run"
    tape_grade, grade, reasons = sqlite3.connect(database).execute(row).fetchone()
    assert tape_grade == "A", tape_grade
    check_faults(grade, reasons.split("\n"))
    expect(run("project", tape, "-o", anew), 0)
    assert sqlite3.connect(anew).execute(row).fetchone() == (tape_grade, grade, reasons)
    expect(run("report", database, "--csv", folder / "report"), 0)
    with open(folder / "report/provenance.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert any(cells[-2:] == ["grade of the run", "D"] for cells in rows), rows
    assert any("of its feed lost" in cell for cells in rows for cell in cells), rows


@test
def a_tape_s_next_session_does_not_forget_the_faults_of_the_one_before(folder, venue):
    tape, database = folder / "session.tape", folder / "run.db"

    def session(name, faults=False):
        listened(venue, tape, folder / "log", "--set", "quote.enabled=no", "--db", folder / name, mode="live", faults=faults)

    row = "SELECT run_grade, run_grade_reasons FROM run"
    session("run.db", faults=True)
    before = sqlite3.connect(database).execute(row).fetchone()
    check_faults(before[0], before[1].split("\n"))
    session("run.db")
    assert sqlite3.connect(database).execute(row).fetchone() == before
    # Another database has to be made of the whole tape.
    session("other.db")
    assert sqlite3.connect(folder / "other.db").execute(row).fetchone()[0] == "D"
    # Between sessions nobody listened: the tape lacks that, and a replay goes through it.
    grade, reasons = graded("tape", "check", tape, "--json")
    assert grade == "D" and any("oanda:EUR_USD: 2 connections of its feed lost" in line for line in reasons), reasons


if __name__ == "__main__":
    sys.exit(main(venue_of))
