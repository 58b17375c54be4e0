#!/usr/bin/env python3
"""`capstan tape book` against a book built here from the raw frames, at seeded random moments.

Written from Binance's own rules for a local order book ("How to manage a local order book correctly",
spot, USD-M and COIN-M) and from trading-semantics 2 (clock correction), not from src/. Needs the
recorded data (CAPSTAN_SHARED, or ../shared beside the sources); without it every test is skipped.
Speaks TAP. Usage: book_oracle.py [MOMENTS]
"""
import glob
import gzip
import heapq
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

CAPSTAN = os.environ.get("CAPSTAN", "capstan")
SHARED = os.environ.get("CAPSTAN_SHARED", os.path.join(os.environ.get("srcdir", "."), "../shared"))
MOMENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
WHOLE_MOMENTS = 20  # of them are compared with every level
DEPTH = 5
FLOOR_NS = 1_000_000
WINDOW_NS = 600 * 10**9
SCALE = 10**8  # all prices and quantities here have at most eight decimals


def scaled(text):
    whole, _, part = text.partition(".")
    return int(whole) * SCALE + int((part + "00000000")[:8])


class Book:
    """One market's book, from a snapshot and what follows it."""

    def __init__(self, spot):
        self.spot = spot
        self.buffer = []
        self.ready = False
        self.joined = False
        self.last = 0
        self.bids, self.asks = {}, {}

    def change(self, levels, side):
        for price, quantity in levels:
            price, quantity = scaled(price), scaled(quantity)
            if quantity:
                side[price] = quantity
            else:
                side.pop(price, None)

    def apply(self, frame):
        first, last, previous = frame["U"], frame["u"], frame.get("pu")
        if not self.joined:
            if (last <= self.last) if self.spot else (last < self.last):
                return
            joins = (first <= self.last + 1 <= last) if self.spot else (
                first <= self.last <= last or previous <= self.last < first)
            assert joins, ("does not join", self.last, first, last, previous)
            self.joined = True
        else:
            assert (first == self.last + 1) if self.spot else (previous == self.last), "gap"
        self.change(frame["b"], self.bids)
        self.change(frame["a"], self.asks)
        self.last = last

    def depth(self, frame):
        if self.ready:
            self.apply(frame)
        else:
            self.buffer.append(frame)

    def snapshot(self, frame):
        self.bids, self.asks = {}, {}
        self.change(frame["bids"], self.bids)
        self.change(frame["asks"], self.asks)
        self.last = frame["lastUpdateId"]
        self.ready, self.joined = True, False
        for held in self.buffer:
            self.apply(held)
        self.buffer = []

    def side(self, which, depth):
        levels = self.bids if which == "bids" else self.asks
        if which == "bids":
            prices = sorted(levels, reverse=True) if not depth else heapq.nlargest(depth, levels)
        else:
            prices = sorted(levels) if not depth else heapq.nsmallest(depth, levels)
        return [(price, levels[price]) for price in prices]


def read(path, market):
    """(receive time in ns, market, frame) of each line."""
    with gzip.open(path, "rt") as file:
        for line in file:
            time, _, text = line.partition(" ")
            frame = json.loads(text)
            frame = frame.get("data", frame)
            yield int(time) * 10**(19 - len(time)), market, frame


def venue_time(frame):
    milliseconds = frame.get("T", frame.get("E"))
    return None if milliseconds is None else milliseconds * 10**6


class Clock:
    """trading-semantics 2."""

    def __init__(self, frames):
        windows = {}
        self.first, self.last = 2**62, 0
        for time, _, frame in frames:
            self.first, self.last = min(self.first, time), max(self.last, time)
            venue = venue_time(frame)
            if venue is None:
                continue
            start = time // WINDOW_NS * WINDOW_NS
            least, first, last = windows.get(start, (time - venue, time, time))
            windows[start] = (min(least, time - venue), min(first, time), max(last, time))
        points = []
        waiting = None
        for start in sorted(windows):
            least, first, last = windows[start]
            short = last - first < 60 * 10**9
            if short and points:
                points[-1] = (points[-1][0], min(points[-1][1], least))
                continue
            if waiting is not None:
                least, waiting = min(least, waiting), None
            if short and start != max(windows):
                waiting = least
                continue
            points.append((start, least))
        self.points = [(start + WINDOW_NS // 2, FLOOR_NS - least) for start, least in points]

    def corrected(self, time):
        points = self.points
        if time <= points[0][0]:
            return time + points[0][1]
        for (t0, c0), (t1, c1) in zip(points, points[1:]):
            if time <= t1:
                return time + c0 + (c1 - c0) * (time - t0) // (t1 - t0)
        return time + points[-1][1]


def capstan(*arguments):
    done = subprocess.run([CAPSTAN, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"Bail out! {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done.stdout


def printed(book, which):
    return [(scaled(price), scaled(quantity)) for price, quantity in book[which]]


def compare(books, lines, moments, depth):
    """Differences between our books at one moment and a printed line."""
    wrong = []
    shown = json.loads(lines)
    for name, book in books.items():
        theirs = shown[name]
        if not book.ready:
            if theirs["bids"] or theirs["asks"] or theirs["synchronised"]:
                wrong.append((moments, name, "shown before its snapshot"))
            continue
        if theirs["sequence"] != book.last:
            wrong.append((moments, name, "sequence", theirs["sequence"], book.last))
        for which in ("bids", "asks"):
            if printed(theirs, which) != book.side(which, depth):
                wrong.append((moments, name, which))
    return wrong


def run(number, title, markets):
    """markets: {name: (is spot, files)}."""
    paths = [path for _, files in markets.values() for path in files]
    with tempfile.TemporaryDirectory() as folder:
        tape = os.path.join(folder, "oracle.tape")
        capstan("import", "binance", *paths, "-o", tape)
        clock = Clock(item for path in paths for item in read(path, None))
        ends = clock.corrected(clock.first), clock.corrected(clock.last)
        chance = random.Random(20240808)
        moments = sorted(chance.randrange(ends[0], ends[1] + 10**6) for _ in range(MOMENTS))
        whole = set(moments[::max(1, MOMENTS // WHOLE_MOMENTS)])
        answers = {}
        for depth in (DEPTH, 0):
            asked = [moment for moment in moments if depth or moment in whole]
            listing = os.path.join(folder, "moments")
            with open(listing, "w") as file:
                file.writelines(f"{moment}\n" for moment in asked)
            output = capstan("tape", "book", tape, "--at-file", listing, "--json",
                             "--depth", str(depth))
            for moment, line in zip(asked, output.splitlines()):
                answers[moment, depth] = line
    books = {name: Book(spot) for name, (spot, _) in markets.items()}
    wrong, at = [], 0
    sources = [read(path, name) for name, (_, files) in markets.items() for path in files]
    frames = heapq.merge(*sources, key=lambda item: item[0])
    for time, market, frame in itertools.chain(frames, [(2**62, None, None)]):
        while at < len(moments) and (market is None or clock.corrected(time) > moments[at]):
            wrong += compare(books, answers[moments[at], DEPTH], moments[at], DEPTH)
            if moments[at] in whole:
                wrong += compare(books, answers[moments[at], 0], moments[at], 0)
            at += 1
        if market is None:
            break
        if "lastUpdateId" in frame:
            books[market].snapshot(frame)
        elif frame.get("e") == "depthUpdate":
            books[market].depth(frame)
    good = not wrong and at == MOMENTS
    print(f"{'ok' if good else 'not ok'} {number} - {title}: {at} moments, "
          f"{len(whole)} of them with every level")
    for line in wrong[:10]:
        print("#", *line)


def main():
    six = os.path.join(SHARED, "data/binance-2024-08-08")
    nexo = os.path.join(SHARED, "data/nexousdt-2024-07")
    print("1..2")
    if os.path.isdir(six):
        names = {"spot_btcusdt": "binance_spot:BTCUSDT", "spot_ethusdt": "binance_spot:ETHUSDT",
                 "usdm_btcusdt": "binance_usdm:BTCUSDT", "usdm_ethusdt": "binance_usdm:ETHUSDT",
                 "cm_btcusd_perp": "binance_coinm:BTCUSD_PERP",
                 "cm_ethusd_perp": "binance_coinm:ETHUSD_PERP"}
        run(1, "six books of Binance",
            {name: (prefix.startswith("spot"), sorted(glob.glob(f"{six}/{prefix}_2*.gz")))
             for prefix, name in names.items()})
    else:
        print("ok 1 - six books of Binance # SKIP no recorded data at", six)
    if os.path.isdir(nexo):
        run(2, "NEXOUSDT, 34 hours",
            {"binance_spot:NEXOUSDT": (True, sorted(glob.glob(f"{nexo}/*.gz")))})
    else:
        print("ok 2 - NEXOUSDT, 34 hours # SKIP no recorded data at", nexo)


main()
