#!/usr/bin/env python3
"""A captured Binance.US session through the adapter: no text that can't be read, and after every change the books
that are built here from the raw frames.

Written from the venue's rules for a local order book ("How to manage a local order book correctly") and the
shapes of its streams, not from src/. Needs the recorded session (CAPSTAN_SHARED, or ../shared beside the
sources) and zstd; without them every test is skipped. Speaks TAP."""
import collections
import decimal
import json
import os
import shutil
import subprocess
import sys

SHARED = os.environ.get("CAPSTAN_SHARED", os.path.join(os.environ.get("srcdir", "."), "../shared"))
SESSION = os.path.join(SHARED, "data/binance-us-2026-08/BINANCE_US.jsonl.zst")
TOOL = "./tests/tools/adapter_session"
SYMBOLS = ["CRVUSDT", "COMPUSDT", "OMGBUSD", "ZRXUSDT"]
NAMES = ["the session is read to its end", "no text that can't be read",
         "what is passed over is what was not asked for", "books after every change",
         "best prices", "no gap", "every frame is accounted for"]
number = 0
failed = False


def check(title, good, *notes):
    global number, failed
    number += 1
    failed |= not good
    print(f"{'ok' if good else 'not ok'} {number} - {title}", flush=True)
    if not good:
        for note in notes:
            print("#", str(note)[:2000].replace("\n", "\n# "))


def plain(text):
    """A decimal text without zeros that say nothing."""
    value = decimal.Decimal(text).normalize()
    return f"{value:f}" if value else "0"


class Book:
    """One symbol's book as the venue says that it is to be kept."""

    def __init__(self):
        self.waiting = []      # frames before the snapshot
        self.last = None       # update id of the book; None: no snapshot yet
        self.first = False     # no frame has followed the snapshot yet
        self.sides = ({}, {})
        self.gaps = 0

    def set_levels(self, levels, side):
        for price, quantity in levels:
            price, quantity = decimal.Decimal(price), decimal.Decimal(quantity)
            if quantity == 0:
                self.sides[side].pop(price, None)
            else:
                self.sides[side][price] = quantity

    def follow(self, frame):
        """Apply one frame; False where it is in the book already."""
        if frame["u"] <= self.last:
            return False
        good = frame["U"] <= self.last + 1 <= frame["u"] if self.first else frame["U"] == self.last + 1
        self.gaps += not good
        self.first = False
        self.last = frame["u"]
        self.set_levels(frame["b"], 0)
        self.set_levels(frame["a"], 1)
        return True

    def take_snapshot(self, answer):
        self.last = answer["lastUpdateId"]
        self.first = True
        self.set_levels(answer["bids"], 0)
        self.set_levels(answer["asks"], 1)
        for frame in self.waiting:
            self.follow(frame)
        self.waiting = []

    def text(self):
        bids = sorted(self.sides[0].items(), reverse=True)
        asks = sorted(self.sides[1].items())
        words = [" ".join(f"{plain(p)}*{plain(q)}" for p, q in side) for side in (bids, asks)]
        return f"{self.last} {words[0]} | {words[1]}"


def independent(lines):
    """What must be told: books as they change, best prices, and how many texts of which kind there are."""
    books = {symbol: Book() for symbol in SYMBOLS}
    states = collections.defaultdict(list)
    tops = collections.defaultdict(list)
    kinds = collections.Counter()
    for line in lines:
        if line["t"] == "http" and "/depth" in line["url"]:
            symbol = line["url"].split("symbol=")[1].split("&")[0]
            books[symbol].take_snapshot(json.loads(line["data"]))
            states[symbol].append(books[symbol].text())
        if line["t"] != "recv":
            continue
        wrapped = json.loads(line["data"])
        frame, kind = wrapped["data"], wrapped["stream"].split("@")[1]
        kinds[kind] += 1
        symbol = frame["s"]
        if kind == "depth":
            if books[symbol].last is None:
                books[symbol].waiting.append(frame)
            elif books[symbol].follow(frame):
                states[symbol].append(books[symbol].text())
        elif kind == "bookTicker":
            top = (frame["u"], *(plain(frame[key]) for key in "bBaA"))
            if not tops[symbol] or top != tops[symbol][-1]:
                tops[symbol].append(top)
    return books, states, tops, kinds


def told(output):
    """The same from what the adapter told."""
    states = collections.defaultdict(list)
    tops = collections.defaultdict(list)
    other = collections.Counter()
    for line in output.splitlines():
        words = line.split(" ")
        if words[0] == "book":
            levels = [w if w == "|" else "*".join(map(plain, w.split("*"))) for w in words[3:]]
            bids, asks = " ".join(levels[:levels.index("|")]), " ".join(levels[levels.index("|") + 1:])
            states[words[1]].append(f"{words[2]} {bids} | {asks}")
        elif words[0] == "message" and words[2] == "top":
            symbol = words[3].split(":")[1]
            sequence = int(next(w for w in words if w.startswith("sequence=")).split("=")[1])
            bid = words[words.index("bid") + 1].split("*")
            ask = words[words.index("ask") + 1].split("*")
            tops[symbol].append((sequence, *map(plain, bid + ask)))
        elif words[0] == "message":
            other[words[2]] += 1
        elif words[0] in ("unread", "other"):
            other[words[0]] = int(words[1])
    return states, tops, other


def first_difference(ours, theirs):
    for symbol in SYMBOLS:
        for at, (a, b) in enumerate(zip(ours[symbol], theirs[symbol])):
            if a != b:
                return f"{symbol} {at}: expected {a}\ngot {b}"
        if len(ours[symbol]) != len(theirs[symbol]):
            return f"{symbol}: expected {len(ours[symbol])}, got {len(theirs[symbol])}"
    return ""


def main():
    print(f"1..{len(NAMES)}")
    if not os.path.exists(SESSION) or not shutil.which("zstd"):
        for index, name in enumerate(NAMES, 1):
            print(f"ok {index} - {name} # SKIP no recorded session in {SHARED}, or no zstd; set CAPSTAN_SHARED")
        return 0
    text = subprocess.run(["zstd", "-dc", SESSION], check=True, capture_output=True, text=True).stdout
    # Answers stand before the stream in the file; each line has its time.
    lines = sorted((json.loads(line) for line in text.splitlines()), key=lambda line: line.get("ts", 0))
    session = "\n".join(json.dumps(line) for line in lines) + "\n"
    done = subprocess.run([TOOL, *SYMBOLS], input=session, capture_output=True, text=True)
    books, states, tops, kinds = independent(lines)
    got_states, got_tops, other = told(done.stdout)
    check(NAMES[0], done.returncode == 0, done.stderr)
    check(NAMES[1], other["unread"] == 0, other)
    check(NAMES[2], other["other"] == kinds["aggTrade"] + kinds["kline_1m"], other, kinds)
    changes = sum(len(states[symbol]) for symbol in SYMBOLS)
    check(NAMES[3], changes > 300 and states == got_states, changes, first_difference(states, got_states))
    count = sum(len(tops[symbol]) for symbol in SYMBOLS)
    check(NAMES[4], count > 100 and tops == got_tops, count, first_difference(tops, got_tops))
    check(NAMES[5], other["gap"] == 0 and all(book.gaps == 0 for book in books.values()), other)
    check(NAMES[6], sum(kinds.values()) == 480, kinds)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
