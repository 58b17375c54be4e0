#!/usr/bin/env python3
"""Reports against scripts/refreport.py, a report of its own that knows only the documents: every field of every table has to
be the same, and a figure that was altered has to be noticed. Speaks TAP."""
import csv
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from live_common import Venue, chain, count_of, kill_all, live_until  # noqa: E402

CAPSTAN = os.environ["CAPSTAN"]
SRCDIR = Path(os.environ.get("srcdir", "."))
SHARED = Path(os.environ.get("CAPSTAN_SHARED", SRCDIR / "../shared"))
REFREPORT = SRCDIR / "scripts/refreport.py"
DEMO = SRCDIR / "scripts/demo.yaml"
# Edits, sizes that learning moves, and breakers that trip.
BUSY = ("venue.modify=edit", "learning.horizon=200ms", "breaker.edge=2", "breaker.edge_horizon=1s", "breaker.volatility=1.2",
        "breaker.volatility_clear=1.1", "breaker.volatility_samples=10", "breaker.spread=1.5", "breaker.spread_least=0",
        "breaker.spread_clear=1.2", "breaker.spread_samples=10")
NEAR = ("quote.levels=3", "quote.half_spread=1tick", "quote.step=1tick", "quote.skew=1tick", "reconcile.price_tolerance=0tick",
        "quote.size=100lot", "risk.position_limit=10000lot", "warm_up.trades=0", "warm_up.samples=0", "breaker.edge=0")
results = []


def check(title, good, *notes):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {title}", flush=True)
    if not good:
        for note in notes:
            print("#", str(note).replace("\n", "\n# "))


def run(*arguments):
    return subprocess.run([CAPSTAN, *map(str, arguments)], capture_output=True, text=True)


def refreport(*arguments):
    return subprocess.run([sys.executable, REFREPORT, *map(str, arguments)], capture_output=True, text=True)


def told(done):
    """Tables, rows, fields and differences of the last line."""
    counts = re.fullmatch(r"refreport: (\d+) tables, (\d+) rows, (\d+) fields compared, .*; (\d+) differences",
                          (done.stdout.splitlines() or [""])[-1])
    return tuple(map(int, counts.groups())) if counts else (0, 0, 0, -1)


def agree(title, session, database, *more, least):
    """No difference in at least so many fields."""
    done = refreport("--capstan", CAPSTAN, session, database, *more)
    counts = told(done)
    check(title, done.returncode == 0 and counts[3] == 0 and counts[2] >= least, done.stdout[-3000:], done.stderr[-2000:])


def replayed(folder, name, tape, *settings, config=(), least):
    """A replay, and its report."""
    session, database = folder / f"{name}.session", folder / f"{name}.db"
    made = run("replay", tape, *config, *(part for setting in settings for part in ("--set", setting)), "--tape", session,
               "-o", database)
    if made.returncode > 1:
        check(name, False, made.stderr)
        return
    agree(name, session, database, "--tape", tape, least=least)


def made_markets(folder):
    run("synth", "--seed", "7", "--events", "30000", "--instruments", "6", "-o", folder / "synth.tape")
    replayed(folder, "six made markets of every contract", folder / "synth.tape", config=("-c", DEMO), least=4000)
    replayed(folder, "orders that are changed, breakers that trip", folder / "synth.tape", *BUSY, config=("-c", DEMO), least=3000)
    # Gaps, funding, numbers without value, silence; old marks at samples; messages that come late.
    for seed, least in ((4, 1000), (11, 500), (13, 500)):
        run("simulate", "--seed", seed, "--events", "4000", "--write", folder)
        replayed(folder, f"random market {seed}", folder / f"seed_{seed}.tape", config=("-c", folder / f"seed_{seed}.yaml"),
                 least=least)


def recorded(folder):
    files = sorted((SHARED / "data/binance-2024-08-08").glob("*_btc*_20240808.gz"))[:2]
    if len(files) < 2:
        results.append(True)
        print(f"ok {len(results)} - two recorded books # SKIP no recordings in {SHARED}; set CAPSTAN_SHARED")
        return
    run("import", "binance", *files, "-o", folder / "all.tape")
    run("tape", "cut", folder / "all.tape", "--from", "2024-08-08T23:56:00Z", "--to", "2024-08-08T23:57:00Z", "-o",
        folder / "minute.tape")
    replayed(folder, "two recorded books", folder / "minute.tape", *NEAR, least=1000)


def sessions_end(title, times, holds, venue, tape, log, *more, mode="live"):
    """So many sessions, each ended in order once that holds of it."""
    try:
        for _ in range(times):
            live_until(holds, venue, tape, log, *more, mode=mode)
        check(title, True)
    except AssertionError as error:
        check(title, False, error)


def rotated(folder, venue):
    """Two sessions whose tapes rotate: each tape alone, with what it goes on from told by the tapes before it."""
    place = folder / "rotated"
    place.mkdir()
    first = place / "s.tape"
    log = place / "log"
    sessions_end("rotation: sessions end, on many tapes", 2, lambda: count_of(log, "the session goes on with a new tape") >= 3
                 and count_of(log, "order_filled"), venue, first, log, "--db", place / "run.db", "--set", "tape.rotate_every=2s",
                 "--set", "store.sample=1s", "--set", "database.call_timeout=4s")
    tapes = chain(first)
    for number, tape in enumerate(tapes):
        before = [word for each in tapes[:number] for word in ("--before", each)]
        run("project", tape, "-o", folder / "chained.db")
        agree(f"rotation: tape {number + 1} as it was kept", tape, place / tape.name.replace("s", "run", 1).replace(".tape", ".db"),
              "--live", *before, least=100)
        agree(f"rotation: tape {number + 1} as it was projected", tape, folder / "chained.db", *before, least=100)
    done = refreport("--capstan", CAPSTAN, tapes[-1], folder / "chained.db")
    check("a tape that goes on, without those before it, is bad input", done.returncode == 2
          and "--before" in done.stderr, done.stderr)
    run("report", folder / "chained.db", "--csv", folder / "csv")
    text = (folder / "csv/chain.csv").read_bytes()
    rows = list(csv.reader(text.decode().splitlines()))
    column = rows[0].index("net_before")
    (folder / "csv/chain.csv").write_bytes(text.replace(rows[1][column].encode(), altered(rows[1][column]).encode()))
    texts = []
    for number, tape in enumerate(tapes):
        texts.append(folder / f"chained-{number}")
        texts[-1].write_text(run("tape", "cat", "--full", tape).stdout)
    done = refreport("--session-text", texts[-1], "--csv", folder / "csv", "--live",
                     *(word for each in texts[:-1] for word in ("--before-text", each)))
    check("a figure of the chain that is altered is noticed", done.returncode == 1 and "DIFFERENCE chain" in done.stdout,
          done.stdout[-2000:], done.stderr)


def live(folder):
    """A session on paper, and three live ones on one tape; the databases that they kept, and those made of their tapes."""
    place = folder / "live"
    place.mkdir()
    venue = Venue(place, "--rate", "200")
    try:
        for mode, times, more in (("paper", 1, ()), ("live", 3, ("--live",))):
            session, database = folder / f"{mode}.session", folder / f"{mode}.db"
            log = folder / f"{mode}.log"
            sessions_end(f"{mode}: sessions end", times, lambda log=log: count_of(log, "order_filled"), venue, session, log,
                         "--db", database, "--set", "database.call_timeout=4s", mode=mode)
            agree(f"{mode}: the session's own database", session, database, *more, least=100)
            projected = run("project", session, "-o", folder / "projected.db")
            check(f"{mode}: it is projected", projected.returncode == 0, projected.stderr)
            agree(f"{mode}: what was projected", session, folder / "projected.db", least=100)
        rotated(folder, venue)
    finally:
        kill_all()
        venue.end()


def altered(text):
    """Another figure, or another word."""
    digit = re.search(r"\d(?=\D*$)", text)
    if not digit:
        return text + "x"
    return text[:digit.start()] + str((int(digit[0]) + 1) % 10) + text[digit.end():]


def notices(folder):
    """The reference is worth nothing if it can't disagree."""
    name = "orders that are changed, breakers that trip"
    session, database = folder / f"{name}.session", folder / f"{name}.db"
    run("report", database, "--csv", folder / "csv")
    (folder / "text").write_text(run("tape", "cat", "--full", session).stdout)
    spoiled = {}
    for path in sorted((folder / "csv").glob("*.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        # The last figure of a row in the middle; of provenance the ticks. This one began no chain.
        row = next((row for row in rows if row[1] == "ticks"), rows[len(rows) // 2])
        place = max((i for i, cell in enumerate(row) if re.search(r"\d", cell)), default=len(row) - 1)
        spoiled[path.stem] = (row[1:4], rows[0][place], row[place])
        if len(rows) > 1:
            row[place] = altered(row[place])
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    done = refreport("--session-text", folder / "text", "--csv", folder / "csv")
    named = {line.split(",")[0].removeprefix("DIFFERENCE ") for line in done.stdout.splitlines() if line.startswith("DIFF")}
    check("a figure that is altered in each table is noticed in each", done.returncode == 1 and len(spoiled) == 15
          and named == set(spoiled) - {"chain"}, set(spoiled) - named, spoiled, done.stdout[-3000:], done.stderr)
    for title, statement in (
            ("a mid in the database", "UPDATE fill_mid SET mid2_units = mid2_units + 1 WHERE horizon_ns = 1000000000 AND"
             " fill = (SELECT min(fill) FROM fill_mid)"),
            ("a fill that is missing", "DELETE FROM fill_mid WHERE fill = (SELECT max(id) FROM fill); DELETE FROM fill WHERE id ="
             " (SELECT max(id) FROM fill)"),
            ("profit at one sample", "UPDATE position SET unrealised = '1' WHERE id = (SELECT max(id) FROM position WHERE"
             " why = 'sample')"),
            ("a spell that rested more", "UPDATE spell SET rested_units = rested_units + 1 WHERE id = 7")):
        shutil.copy(database, folder / "spoiled.db")
        with sqlite3.connect(folder / "spoiled.db") as spoil:
            spoil.executescript(statement)
        spoil.close()
        run("report", folder / "spoiled.db", "--csv", folder / "csv")
        done = refreport("--session-text", folder / "text", "--csv", folder / "csv")
        check(f"{title} is noticed", done.returncode == 1 and told(done)[3] > 0, done.stdout[-2000:], done.stderr)
    lines = (folder / "text").read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if " depth " in line)
    (folder / "other").write_text("".join(lines[:first] + lines[first + 1:]))
    run("report", database, "--csv", folder / "csv")
    done = refreport("--session-text", folder / "text", "--csv", folder / "csv", "--tape-text", folder / "other")
    check("a session of another market is noticed", done.returncode == 1 and "market message" in done.stdout, done.stdout[-2000:])
    (folder / "none").write_text("")
    done = refreport("--session-text", folder / "none", "--csv", folder / "csv")
    check("what is no tape's text is bad input", done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for part in (made_markets, recorded, live, notices):
            part(Path(folder))
    print(f"1..{len(results)}")


main()
