#!/usr/bin/env python3
"""A recorded session of Coinbase through the adapter, against books built here from its raw frames.

Written from the venue's rules for level2 (a snapshot replaces the book, updates are absolute quantities, "0"
removes) and from trading-semantics 7 (a trade's side is the maker's), not from src/. After each frame the best prices
are compared, and at the end and at seeded random moments every level; every trade; and that nothing of the session
was unknown to the adapter. Needs the recorded data (CAPSTAN_SHARED, or ../shared beside the sources); without it every
test is skipped. Speaks TAP.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from decimal import Decimal

SHARED = os.environ.get("CAPSTAN_SHARED", os.path.join(os.environ.get("srcdir", "."), "../shared"))
CAPTURE = os.path.join(SHARED, "data/coinbase-2026-08/COINBASE.jsonl.zst")
TOOL = "./tests/tools/coinbase_capture"
PRODUCTS = ["BTC-USD", "ETH-USD"]
WHOLE_MOMENTS = 40
NAMES = ["nothing was unknown, and the books stand at the end", "best prices after each frame",
         "whole books at random moments and at the end", "trades with their aggressors, once each"]


class Book:
    def __init__(self):
        self.sides = {"bid": {}, "ask": {}}

    def set(self, side, price, quantity):
        if quantity == 0:
            self.sides[side].pop(price, None)
        else:
            self.sides[side][price] = quantity

    def best(self):
        bids, asks = self.sides["bid"], self.sides["ask"]
        return (max(bids) if bids else None, min(asks) if asks else None)


def raw_frame(books, trades, frame):
    """What the frame does to books, and the trades after the first snapshot's."""
    for event in frame.get("events", []):
        if frame["channel"] == "l2_data":
            book = books[event["product_id"]]
            if event["type"] == "snapshot":
                book.sides = {"bid": {}, "ask": {}}
            for update in event["updates"]:
                side = {"bid": "bid", "offer": "ask"}[update["side"]]
                book.set(side, Decimal(update["price_level"]), Decimal(update["new_quantity"]))
        elif frame["channel"] == "market_trades" and event["type"] == "update":
            for trade in reversed(event["trades"]):
                aggressor = {"BUY": "sell", "SELL": "buy"}[trade["side"]]
                trades.append((trade["product_id"], trade["trade_id"], aggressor, Decimal(trade["price"]),
                               Decimal(trade["size"])))


def told_line(books, trades, line):
    """The same from a message of the adapter."""
    words = line.split(" ")
    if words[0] not in ("snapshot", "depth", "trade"):
        return
    product = words[1].split(":")[1]
    if words[0] == "trade":
        side, row = re.search(r" (buy|sell) (\S+)$", line).groups()
        price, quantity = row.split("*")
        trades.append((product, re.search(r"sequence=(\d+)", line)[1], side, Decimal(price), Decimal(quantity)))
        return
    if words[0] == "snapshot":
        books[product].sides = {"bid": {}, "ask": {}}
    side = None
    for word in words[2:]:
        if word in ("bid", "ask"):
            side = word
        elif "*" in word:
            price, quantity = word.split("*")
            books[product].set(side, Decimal(price), Decimal(quantity))


def run():
    raw = subprocess.run(["zstd", "-dc", CAPTURE], check=True, capture_output=True).stdout
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(raw)
        file.flush()
        told = subprocess.run([TOOL, file.name, *PRODUCTS], check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in raw.decode().splitlines()]
    frames = [json.loads(line["data"]) for line in lines if line["t"] == "recv"]
    parts = re.split(r"^frame \d+\n", told, flags=re.M)
    before, after = parts[0], parts[1:]
    tail = after[-1].splitlines()[-1] if after else ""
    return frames, before, after, tail


def compare(frames, after):
    chance = random.Random(1)
    whole = set(chance.sample(range(len(frames)), WHOLE_MOMENTS)) | {len(frames) - 1}
    ours, theirs = ({name: Book() for name in PRODUCTS} for _ in range(2))
    our_trades, their_trades, best_wrong, whole_wrong, levels = [], [], [], [], 0
    for number, frame in enumerate(frames):
        raw_frame(ours, our_trades, frame)
        for line in after[number].splitlines():
            told_line(theirs, their_trades, line)
        for name in PRODUCTS:
            if ours[name].best() != theirs[name].best():
                best_wrong.append((number, name, ours[name].best(), theirs[name].best()))
            if number in whole:
                levels += sum(map(len, ours[name].sides.values()))
                if ours[name].sides != theirs[name].sides:
                    whole_wrong.append((number, name))
    # One product's trades keep their order.
    by_product = [sorted(trades, key=lambda trade: (trade[0], int(trade[1]))) for trades in (our_trades, their_trades)]
    return best_wrong, whole_wrong, levels, by_product


def main():
    print(f"1..{len(NAMES)}")
    if not os.path.exists(CAPTURE):
        for number, name in enumerate(NAMES, 1):
            print(f"ok {number} - {name} # SKIP no recorded data; set CAPSTAN_SHARED")
        return 0
    frames, before, after, tail = run()
    odd = [line for line in "\n".join([before, *after]).splitlines()
           if re.match(r"log|close|gap|source_text", line) and "fees are not known" not in line]
    best_wrong, whole_wrong, levels, trades = compare(frames, after)
    results = [(not odd and tail == "synchronised yes" and len(after) == len(frames) > 1000, odd[:5] or tail),
               (not best_wrong, best_wrong[:3]),
               (not whole_wrong and levels > 100000, whole_wrong[:3] or levels),
               (trades[0] == trades[1] and len(trades[0]) > 50, [len(trades[0]), len(trades[1])])]
    failed = 0
    for number, (name, (holds, detail)) in enumerate(zip(NAMES, results), 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {name}")
        if not holds:
            failed = 1
            print(f"# {detail}")
    print(f"# {len(frames)} frames, {levels} levels and {len(trades[0])} trades compared")
    return failed


if __name__ == "__main__":
    sys.exit(main())
