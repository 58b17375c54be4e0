#!/usr/bin/env python3
"""Grades: what stands on a tape is graded the same by the importer, by a replay and by whoever reads the tape, and told
once. Prints TAP."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from hand_run import MARKET, SETTINGS  # noqa: E402
from tap import check, plan  # noqa: E402

CAPSTAN = os.environ["CAPSTAN"]
CAPTURES = Path(__file__).resolve().parent / "captures"

def run(*command):
    done = subprocess.run([CAPSTAN, *map(str, command)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def graded(*command):
    told = json.loads(run(*command, "--json"))
    return told.get("input_grade", told.get("grade")), told["grade_reasons"]


def make(folder, name, text):
    (folder / f"{name}.txt").write_text(text)
    run("tape", "make", folder / f"{name}.txt", "-o", folder / f"{name}.tape")
    return folder / f"{name}.tape"


def of_market(reasons):
    """Those that a reader of the messages can find too, with the same figures. (Of numbers without a value the importer
    counts also those that it left out.)"""
    words = ("gap", "without a book", "book crossed", "never has a book", "venue time")
    return sorted(line for line in reasons if any(word in line for word in words))


def importer_and_reader(folder):
    files = sorted(CAPTURES.glob("good_*.txt"))
    tape = folder / "imported.tape"
    imported = json.loads(run("import", "binance", *files, "-o", tape, "--json"))
    written = (imported["grade"], imported["grade_reasons"])
    check("the captures have faults of books", len(of_market(written[1])) >= 4, written)
    check("tape check tells what the importer found, and that once", graded("tape", "check", tape) == written,
          (graded("tape", "check", tape), written))
    # The same messages under a header that knows of nothing.
    text = run("tape", "cat", tape, "--full")
    lines = [line for line in text.splitlines() if not line.startswith(("reason ", "grade "))]
    lines = ["origin recorded" if line.startswith("origin ") else line for line in lines]
    grade, reasons = graded("tape", "check", make(folder, "anew", "\n".join(lines) + "\n"))
    check("a reader of the messages alone finds the same figures", of_market(reasons) == of_market(written[1]),
          f"{of_market(reasons)} {of_market(written[1])}")
    rest = [line for line in reasons if line not in of_market(reasons)]
    check("and of the rest the numbers that stand on the tape",
          grade == written[0] and rest == ["B: binance_spot:NEXOUSDT: 1 price or quantity without a value"], (grade, rest))


def replay_and_reader(folder):
    day = "2024-01-01T00:00:"
    more = [f"{day}21.000000000Z depth v1:BTC-USD sequence=8 venue_time={day}21.000000000Z bid 106.0*1",
            f"{day}22.000000000Z depth v1:BTC-USD sequence=9 venue_time={day}22.000000000Z bid 106.0*0",
            f"{day}23.000000000Z depth v1:BTC-USD sequence=10 venue_time={day}23.000000001Z bid 98.0*1",
            f"{day}24.000000000Z gap v1:BTC-USD cause=sequence expected=11 found=12",
            f"{day}26.000000000Z snapshot v1:BTC-USD sequence=12 bid 98.0*1 ask 99.0*1",
            f"{day}27.000000000Z depth v1:BTC-USD sequence=13 bid 98.0*2",
            f"{day}28.000000000Z clock_jump - jump=-2500ms",
            f"{day}30.000000000Z depth v1:BTC-USD sequence=14 venue_time={day}30.000000000Z bid 98.0*1"]
    tape = make(folder, "faulty", MARKET + "\n".join(more) + "\n")
    wanted = ["D: v1:BTC-USD: without a book for 2.000000 s of 30.000 s (6.66 %)",
              "D: v1:BTC-USD: book crossed 1 times, 1000000000 ns in all",
              "D: v1:BTC-USD: 1 gap in the depth sequence",
              "C: v1:BTC-USD: 1 message without a venue time",
              "C: v1:BTC-USD: 1 message with a venue time later than they were received",
              "C: clock: jumped 1 time, the farthest by 2.500 s; receive times may be off by that"]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    replayed = graded("replay", tape, *settings)
    check("a replay tells each fault with its figure", replayed == ("D", wanted), replayed)
    check("so does tape check", graded("tape", "check", tape) == replayed, graded("tape", "check", tape))
    check("so does tape info", graded("tape", "info", tape) == replayed, graded("tape", "info", tape))
    told = json.loads(run("replay", tape, *settings, "--to", f"{day}20.500000000Z", "--json"))
    check("a run that ends before the faults has none", (told["input_grade"], told["grade_reasons"]) == ("A", []), told)
    part = graded("replay", tape, *settings, "--from", f"{day}26.500000000Z")
    check("one that begins behind some has the rest",
          part == ("C", [wanted[3], wanted[5]]), part)
    run("replay", tape, *settings, "--tape", folder / "session.tape")
    check("the session of a replay has the grade of what it was told",
          graded("tape", "check", folder / "session.tape") == ("D", wanted[:5]),
          graded("tape", "check", folder / "session.tape"))
    clean = make(folder, "clean", MARKET)
    check("a clean tape is A", graded("tape", "check", clean) == ("A", []), graded("tape", "check", clean))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        importer_and_reader(Path(scratch))
        replay_and_reader(Path(scratch))
    plan()


if __name__ == "__main__":
    main()
