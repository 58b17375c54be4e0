#!/usr/bin/env python3
"""Writes the hand-made captures beside this script (see README). Usage: make_captures.py [FOLDER]

Frames have the shapes that Binance's documents give; figures are invented. A capture's lines begin at
23:59:50 UTC on 2024-03-01, received 40 ms after the venue's time unless a story needs otherwise.
"""
import json
import os
import sys

START_MS = 1709337590000


def wrapped(stream, frame):
    return {"stream": stream, "data": frame}


def depth(ms, symbol, first, last, bids=(), asks=(), previous=None, pair=None):
    frame = {"e": "depthUpdate", "E": START_MS + ms}
    if previous is not None:
        frame["T"] = START_MS + ms - 2
    frame["s"] = symbol
    if pair is not None:
        frame["ps"] = pair
    frame.update({"U": first, "u": last})
    if previous is not None:
        frame["pu"] = previous
    frame.update({"b": [list(level) for level in bids], "a": [list(level) for level in asks]})
    return frame


def spot_trade(ms, symbol, number, price, quantity, seller):
    return {"e": "trade", "E": START_MS + ms, "s": symbol, "t": number, "p": price, "q": quantity,
            "T": START_MS + ms - 1, "m": seller, "M": True}


def futures_trade(ms, symbol, number, price, quantity, seller, kind="MARKET"):
    return {"e": "trade", "E": START_MS + ms, "T": START_MS + ms - 1, "s": symbol, "t": number,
            "p": price, "q": quantity, "X": kind, "m": seller}


def spot_top(symbol, last, bid, bid_quantity, ask, ask_quantity):
    return {"u": last, "s": symbol, "b": bid, "B": bid_quantity, "a": ask, "A": ask_quantity}


def futures_top(ms, symbol, last, bid, bid_quantity, ask, ask_quantity, pair=None):
    frame = {"e": "bookTicker", "u": last, "s": symbol}
    if pair is not None:
        frame["ps"] = pair
    frame.update({"b": bid, "B": bid_quantity, "a": ask, "A": ask_quantity, "T": START_MS + ms - 1,
                  "E": START_MS + ms})
    return frame


def snapshot(last, bids, asks, **more):
    return {"lastUpdateId": last, **more, "bids": [list(level) for level in bids],
            "asks": [list(level) for level in asks]}


def lines(frames, unit_ns=1, delay_ms=40):
    """Lines of (ms, frame); `unit_ns` is what one count of the receive time is worth."""
    return "".join(f"{(START_MS + ms + delay_ms) * 10**6 // unit_ns} "
                   f"{frame if isinstance(frame, str) else json.dumps(frame, separators=(',', ':'))}\n"
                   for ms, frame in frames)


SPOT_HELD = [
    (0, wrapped("btcusdt@depth@100ms", depth(0, "BTCUSDT", 10, 12, [("100.00", "9.00")]))),
    (50, wrapped("btcusdt@trade", spot_trade(50, "BTCUSDT", 7, "100.50", "0.25", False))),
    (100, wrapped("btcusdt@depth@100ms",
                  depth(100, "BTCUSDT", 13, 15, [("100.00", "3.00")], [("100.50", "0.00")]))),
    (150, snapshot(13, [("100.00", "2.00"), ("99.50", "4.00")], [("100.50", "1.00"), ("101.00", "5.00")])),
    (200, wrapped("btcusdt@depth@100ms", depth(200, "BTCUSDT", 16, 16, [], [("101.00", "4.75")]))),
    (210, wrapped("btcusdt@bookTicker", spot_top("BTCUSDT", 17, "100.00", "3.00", "101.00", "4.50"))),
    (300, wrapped("btcusdt@depth@100ms", depth(300, "BTCUSDT", 17, 18, [("99.50", "0.00")], [("101.00", "4.50")]))),
    (310, wrapped("btcusdt@trade", spot_trade(310, "BTCUSDT", 8, "100.00", "0.50", True))),
]

USDM_HELD = [
    (0, wrapped("ethusdt@depth@0ms", depth(0, "ETHUSDT", 100, 110, [("20.0", "1")], [], previous=95))),
    (20, wrapped("ethusdt@depth@0ms", depth(20, "ETHUSDT", 115, 120, [("20.0", "2")], [("20.4", "6")], previous=110))),
    (40, snapshot(118, [("20.0", "1"), ("19.8", "7")], [("20.2", "3")], E=START_MS + 30, T=START_MS + 25)),
    (60, wrapped("ethusdt@depth@0ms", depth(60, "ETHUSDT", 125, 130, [("19.8", "0")], [], previous=120))),
    (70, wrapped("ethusdt@bookTicker", futures_top(70, "ETHUSDT", 131, "20.0", "2", "20.2", "3"))),
    (80, wrapped("ethusdt@trade", futures_trade(80, "ETHUSDT", 1, "20.2", "1", False))),
    (90, wrapped("ethusdt@trade", futures_trade(90, "ETHUSDT", 2, "20.6", "3", True, "INSURANCE_FUND"))),
    (95, wrapped("ethusdt@trade", futures_trade(95, "ETHUSDT", 3, "0", "0", True, "NA"))),
]

COINM = [
    (0, wrapped("btcusd_perp@depth@0ms",
                depth(0, "BTCUSD_PERP", 500, 510, [("60000.0", "12")], [], previous=490, pair="BTCUSD"))),
    (5, snapshot(505, [("60000.0", "10")], [("60000.5", "8")], E=START_MS + 3, T=START_MS + 2,
                 symbol="BTCUSD_PERP", pair="BTCUSD")),
    (10, wrapped("btcusd_perp@trade", futures_trade(10, "BTCUSD_PERP", 31, "60000.5", "2", False))),
    (12, wrapped("btcusd_perp@bookTicker",
                 futures_top(12, "BTCUSD_PERP", 512, "60000.0", "12", "60000.5", "6", pair="BTCUSD"))),
    (20, wrapped("btcusd_perp@depth@0ms",
                 depth(20, "BTCUSD_PERP", 511, 520, [], [("60000.5", "6")], previous=510, pair="BTCUSD"))),
]

GAP = [
    (0, snapshot(100, [("1.20", "5.0")], [("1.21", "6.0")])),
    (10, depth(10, "NEXOUSDT", 101, 101, [("1.20", "4.0")])),
    (20, depth(20, "NEXOUSDT", 103, 104, [("1.19", "9.0")])),
    (30, depth(30, "NEXOUSDT", 105, 105, [], [("1.22", "1.0")])),
    (40, snapshot(104, [("1.19", "9.0")], [("1.21", "2.0")])),
    (50, depth(50, "NEXOUSDT", 106, 106, [("1.19", "8.0")])),
]

NAN = [
    (0, snapshot(50, [("10.0", "1.0")], [("11.0", "1.0")])),
    (10, depth(10, "NEXOUSDT", 51, 51, [("NaN", "1.0"), ("10.5", "2.0")], [("11.0", "")])),
    (20, spot_trade(20, "NEXOUSDT", 1, "10.5", "Infinity", True)),
]

# Two markets of one name in one file: only the snapshot's ids tell to which it belongs.
MIXED = [
    (0, wrapped("btcusdt@depth@100ms", depth(0, "BTCUSDT", 10, 12, [("100.0", "1.0")]))),
    (1, wrapped("ethusdt@depth@100ms", depth(1, "ETHUSDT", 900, 905, [("20.0", "1.0")]))),
    (5, snapshot(902, [("20.0", "3.0")], [("21.0", "3.0")])),
    (6, snapshot(10, [("99.0", "4.0")], [("101.0", "4.0")])),
]
AMBIGUOUS = MIXED[:2] + [(5, snapshot(5000, [("20.0", "3.0")], [("21.0", "3.0")]))]

ONE_TIME = [
    # All of one receive time: rank puts trade, snapshot, depth, best bid/ask in this order.
    (0, spot_top("BTCUSDT", 12, "100.0", "2.0", "101.0", "1.0")),
    (0, depth(0, "BTCUSDT", 11, 12, [("100.0", "2.0")])),
    (0, snapshot(10, [("100.0", "3.0")], [("101.0", "1.0")])),
    (0, spot_trade(0, "BTCUSDT", 5, "100.0", "1.0", True)),
]

TWICE = [
    (0, snapshot(10, [("100.0", "3.0")], [("101.0", "1.0")])),
    (1, depth(1, "BTCUSDT", 11, 12, [("100.0", "2.0")])),
    (2, depth(1, "BTCUSDT", 11, 12, [("100.0", "2.0")])),
    (3, spot_trade(3, "BTCUSDT", 5, "100.0", "1.0", True)),
    (4, spot_trade(4, "BTCUSDT", 8, "100.0", "1.0", True)),
    (5, spot_trade(3, "BTCUSDT", 5, "100.0", "1.0", True)),
    (6, spot_trade(3, "BTCUSDT", 6, "100.0", "1.0", True)),
    (7, spot_top("BTCUSDT", 20, "100.0", "2.0", "101.0", "1.0")),
    (8, spot_top("BTCUSDT", 20, "100.0", "2.0", "101.0", "1.0")),
    (9, spot_top("BTCUSDT", 19, "100.0", "1.0", "101.0", "1.0")),
    (10, snapshot(11, [("100.0", "3.0")], [("101.0", "1.0")])),
    (11, {"result": None, "id": 1}),
    (12, wrapped("btcusdt@kline_1m", {"e": "kline", "E": START_MS + 12, "s": "BTCUSDT"})),
    (13, depth(13, "BTCUSDT", 13, 13, [("101.0", "2.0")])),
    (14, depth(14, "BTCUSDT", 14, 14, [("101.0", "0.0")])),
]

FILES = {
    "good_spot_held.txt": lines(SPOT_HELD),
    "good_usdm_held.txt": lines(USDM_HELD),
    "good_coinm.txt": lines(COINM),
    "good_gap.txt": lines(GAP, unit_ns=10**3),
    "good_nan.txt": lines(NAN, unit_ns=10**6),
    "good_seconds.txt": lines(GAP[:2], unit_ns=10**9),
    "good_mixed.txt": lines(MIXED),
    "good_one_time.txt": lines(ONE_TIME),
    "good_twice.txt": lines(TWICE),
    "bad_ambiguous.txt": lines(AMBIGUOUS),
    "bad_text.txt": "Dear diary, today the market went up.\n",
    "bad_time.txt": "17093375900 {}\n",
    "bad_json.txt": lines([(0, GAP[0][1]), (1, '{"e":"depthUpdate","E":1709337590001')]),
    "bad_shape.txt": lines([(0, {"e": "depthUpdate", "s": "BTCUSDT", "U": 1, "u": 2, "b": [["1.0", 2.0]], "a": []})]),
    "bad_id.txt": lines([(0, {"e": "depthUpdate", "s": "BTCUSDT", "U": 9007199254740993, "u": 9007199254740994,
                             "b": [], "a": []})]),
    "bad_fraction.txt": lines([(0, {"e": "trade", "s": "BTCUSDT", "t": 1.5, "p": "1", "q": "1", "m": True})]),
    "bad_symbol.txt": lines([(0, spot_trade(0, "DOGEXYZ", 1, "1", "1", True))]),
    "bad_snapshot_alone.txt": lines([(0, GAP[0][1])]),
    "bad_frame.txt": lines([(0, {"hello": "world"})]),
}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, text in FILES.items():
        with open(os.path.join(folder, name), "w", encoding="ascii", newline="\n") as file:
            file.write(text)


main()
