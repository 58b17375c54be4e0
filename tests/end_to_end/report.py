#!/usr/bin/env python3
"""`capstan report` from outside: a run worked out by hand shows its figures in page and CSV; another one's figures
are those that Python finds in the database with fractions; hostile names stay text; what is no run database is
refused in one line. Speaks TAP."""
import bisect
import calendar
import csv
import hashlib
import html.parser
import json
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hand_run import (AHEAD, AHEAD_MARKOUTS, AHEAD_SETTINGS, MARKET, MARKOUTS, PROFIT,  # noqa: E402
                      SETTINGS)
from tap import check, plan  # noqa: E402

CAPSTAN = os.environ.get("CAPSTAN", "capstan")
SRCDIR = os.environ.get("srcdir", ".")

def run(*arguments):
    return subprocess.run([CAPSTAN, *map(str, arguments)], capture_output=True, text=True)


def table(folder, name):
    with open(os.path.join(folder, name + ".csv"), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def key(row, *names):
    return tuple(row[name] for name in names)


class Page(html.parser.HTMLParser):
    """The tables of a page by section, its elements, and what stands in its data script."""

    def __init__(self, path):
        super().__init__()
        self.tables, self.elements, self.attributes, self.data = {}, [], [], ""
        self.section = self.cell = None
        self.in_data = False
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append(tag)
        self.attributes.extend(attributes.items())
        if tag == "section":
            self.section = attributes.get("id")
        elif tag == "tr":
            self.tables.setdefault(self.section, []).append([])
        elif tag in ("td", "th"):
            self.cell = ""
        self.in_data = tag == "script" and attributes.get("id") == "data"

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[self.section][-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        if self.in_data:
            self.data += data


def replay(folder, tape, database, *settings, session=None):
    arguments = [part for setting in settings for part in ("--set", setting)]
    arguments += ["--tape", os.path.join(folder, session)] if session else []
    return run("replay", os.path.join(folder, tape), *arguments, "--json", "-o", os.path.join(folder, database))


def by_hand(folder):
    with open(f"{folder}/market.txt", "w", encoding="ascii") as file:
        file.write(MARKET)
    run("tape", "make", f"{folder}/market.txt", "-o", f"{folder}/market.tape")
    made = replay(folder, "market.tape", "hand.db", *SETTINGS)
    done = run("report", f"{folder}/hand.db", "-o", f"{folder}/hand.html", "--csv", f"{folder}/hand")
    check("a report of a small run", made.returncode == 0 and done.returncode == 0, made.stderr, done.stderr)
    profit = table(f"{folder}/hand", "profit")
    check("its profit is what was worked out by hand",
          len(profit) == 1 and {name: profit[0][name] for name in PROFIT} == PROFIT, profit)
    markouts = {row["horizon"]: key(row, "gain", "basis_points", "fills_measured", "fills_not_measured")
                for row in table(f"{folder}/hand", "markouts")}
    check("so are spread captured and markouts", markouts == MARKOUTS, markouts)
    fees = [key(row, "liquidity", "fee_asset", "fees", "fills", "notional") for row in table(f"{folder}/hand", "fees")]
    check("fees", fees == [("maker", "USD", "0.0007055", "2", "0.7055")], fees)
    # The offer that was filled in part was cancelled for a whole one: 0.005 of 0.020.
    rates = [key(row, "side", "level", "spells", "filled_part", "fill_rate_percent", "fills_through", "fills_queue")
             for row in table(f"{folder}/hand", "fill_rate")]
    check("fill rates", rates == [("buy", "0", "1", "1", "20.00", "1", "0"),
                                  ("sell", "0", "2", "1", "25.00", "1", "0")], rates)
    told = {row["what"]: row["value"] for row in table(f"{folder}/hand", "provenance")}
    said = json.loads(made.stdout)
    counts = {"messages to the engine": said["messages"], "of the market": 7, "ticks": said["ticks"],
              "answers": said["answers"], "starts": 1}
    check("messages are counted as in the result, and add up", said["market_messages"] == 7
          and said["messages"] == 7 + said["ticks"] + said["answers"] + 1
          and {name: told[name] for name in counts} == {name: str(count) for name, count in counts.items()}, told, said)
    page = Page(f"{folder}/hand.html")
    cells = {cell for rows in page.tables.values() for row in rows for cell in row}
    wanted = set(PROFIT.values()) | {figure for row in MARKOUTS.values() for figure in row}
    check("the page has each of these figures in its tables, without a script", wanted <= cells, wanted - cells)
    titles = [row[0] for row in page.tables["provenance"]]
    check("provenance and grade come first",
          titles[1] == "grade of the run" and page.tables["provenance"][1][1] == "A"
          and list(page.tables)[0] == "provenance", titles)
    check("nothing is fetched from anywhere",
          not {"img", "link", "iframe", "object"} & set(page.elements)
          and not [item for item in page.attributes if item[0] in ("src", "srcset")]
          and not [item for item in page.attributes if item[0] == "href" and not item[1].startswith("#")])
    points = {chart["id"]: chart["series"][0]["y"] for chart in json.loads(page.data)["charts"]}
    check("the equity's chart ends at the profit", points["equity-0"][-1] == 0.0087945, points)


def edited(folder, name, sql):
    """A copy of the run worked out by hand, changed; and its report."""
    path = f"{folder}/{name}.db"
    shutil.copyfile(f"{folder}/hand.db", path)
    with sqlite3.connect(path) as database:
        database.executescript(sql)
    database.close()
    return run("report", path, "--csv", f"{folder}/{name}")


def what_venues_tell(folder):
    """Of an order whose place got no answer a query tells; a fill's fee may be in any asset, or in none."""
    done = edited(folder, "asked", "UPDATE order_event SET kind = 'order_status' WHERE kind = 'order_accepted'")
    placed, asked = (table(f"{folder}/{name}", "orders") for name in ("hand", "asked"))
    check("an order that a query found was placed", done.returncode == 0 and asked == placed and placed[0]["placed"] == "3",
          asked, placed, done.stderr)
    done = edited(folder, "fees", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
                  " INSERT INTO fill SELECT 1000 + i, at_ns, venue_ns, order_id, instrument, 'more ' || i, side, price, quantity,"
                  " leaves, price_units, quantity_units, cause, iif(i % 2, 'maker', 'taker'), '0.5',"
                  " iif(i > 2, 'ASSET' || (i / 2), NULL), level FROM n, (SELECT * FROM fill LIMIT 1)")
    fees = table(f"{folder}/fees", "fees")
    check("fees in ten assets", done.returncode == 0 and len(fees) == 1 + 20, done.stderr, fees)


def ahead_of_depth(folder):
    """Best prices run ahead of the depth: the mid is that of the best prices, just before the fill and after it."""
    with open(f"{folder}/ahead.txt", "w", encoding="ascii") as file:
        file.write(AHEAD)
    run("tape", "make", f"{folder}/ahead.txt", "-o", f"{folder}/ahead.tape")
    made = replay(folder, "ahead.tape", "ahead.db", *AHEAD_SETTINGS)
    run("report", f"{folder}/ahead.db", "--csv", f"{folder}/ahead")
    markouts = {row["horizon"]: key(row, "gain", "basis_points", "fills_measured", "fills_not_measured")
                for row in table(f"{folder}/ahead", "markouts")}
    check("mids are of the best prices that the engine quotes by, before the fill's own trade moved them",
          markouts == AHEAD_MARKOUTS, markouts, made.stderr)


def profit_from(database):
    """Net by instrument from the last rows, as text that money has."""
    return {name: sum(map(Fraction, (realised, unrealised, funding))) - Fraction(fees)
            for name, realised, unrealised, fees, funding in database.execute(
                "SELECT i.name, p.realised, p.unrealised, p.fees, p.funding FROM position p JOIN instrument i"
                " ON i.id = p.instrument WHERE p.why = 'final'")}


def equity_from(database):
    """Deepest drawdown by asset, from the samples."""
    assets = {i: (settle if contract == "inverse" else quote) for i, settle, quote, contract in
              database.execute("SELECT id, settle, quote, contract FROM instrument")}
    worth, samples = {}, {}
    for at, why, i, realised, unrealised, fees, funding in database.execute(
            "SELECT at_ns, why, instrument, realised, unrealised, fees, funding FROM position ORDER BY id"):
        worth[i] = sum(map(Fraction, (realised, unrealised, funding))) - Fraction(fees)
        if why != "fill":
            samples[at] = dict(worth)
    drawdown = {}
    for asset in set(assets.values()):
        peak = deepest = Fraction(0)
        for at in sorted(samples):
            now = sum(samples[at].get(i, 0) for i in assets if assets[i] == asset)
            peak = max(peak, now)
            deepest = max(deepest, peak - now)
        drawdown[asset] = deepest
    return drawdown


def markouts_from(database):
    """Gain and basis points by instrument and horizon. A coin's worth is rounded to 1e-18 a fill."""
    found = {}
    for name, contract, multiplier, pe, qe, horizon, mid2, side, price, quantity in database.execute(
            "SELECT i.name, i.contract, i.multiplier, i.price_exponent, i.quantity_exponent, m.horizon_ns, m.mid2_units,"
            " f.side, f.price_units, f.quantity_units FROM fill_mid m JOIN fill f ON f.id = m.fill"
            " JOIN instrument i ON i.id = f.instrument"):
        price, mid = Fraction(price) * Fraction(10) ** pe, Fraction(mid2, 2) * Fraction(10) ** pe
        size = quantity * Fraction(10) ** qe * Fraction(multiplier)
        gain, worth = (((1 / price - 1 / mid) * size, size / price) if contract == "inverse"
                       else ((mid - price) * size, price * size))
        entry = found.setdefault((name, horizon), [0, 0, 0])
        entry[0] += gain if side == "buy" else -gain
        entry[1] += worth
        entry[2] += 1
    return found


def nanoseconds(text):
    moment, fraction = text.rstrip("Z").split(".")
    return int(calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%S"))) * 10**9 + int(fraction)


def mids_of_tape(tape):
    """By instrument, when the middle of its best prices was which (twice it, as text has prices), by the venue's clock: of
    depth, and of `top` until depth is as new (trading-semantics 3). While they are crossed the last one stands."""
    books, mids, reached = {}, {}, {}
    kinds = ("--kind", "depth", "--kind", "snapshot", "--kind", "top")
    for line in run("tape", "cat", tape, *kinds).stdout.splitlines():
        words = line.split(" ")
        local, kind, name = words[:3]
        fields = dict(word.split("=", 1) for word in words[3:] if "=" in word)
        venue = fields.get("venue_time", local).removeprefix("estimated:")
        sequence = int(fields.get("sequence", 0))
        book = books.setdefault(name, {"bid": {}, "ask": {}, "best": {}, "top": 0, "depth": 0})
        levels = [(side, *map(Fraction, level.split("*"))) for side, level in zip(words, words[1:]) if side in ("bid", "ask")]
        if kind == "top":
            if sequence and sequence < max(book["top"], book["depth"]):
                continue
            book["top"] = sequence
            book["best"].update((side, price if quantity else None) for side, price, quantity in levels)
        else:
            if kind == "snapshot":
                book["bid"].clear()
                book["ask"].clear()
            for side, price, quantity in levels:
                if quantity:
                    book[side][price] = quantity
                else:
                    book[side].pop(price, None)
            book["depth"] = sequence
            if sequence == 0 or sequence >= book["top"]:
                book["best"] = {"bid": max(book["bid"], default=None), "ask": min(book["ask"], default=None)}
        reached[name] = max(reached.get(name, 0), nanoseconds(venue))
        bid, ask = book["best"].get("bid"), book["best"].get("ask")
        if bid is None or ask is None:
            mids.setdefault(name, []).append((reached[name], None))
        elif bid < ask:
            mids.setdefault(name, []).append((reached[name], bid + ask))
    return mids


def mids_wrong(database, tape):
    """Fills and horizons whose mid in the database is not the tape's; the first horizon is just before the fill."""
    wrong, count = [], 0
    mids = mids_of_tape(tape)
    times = {name: [at for at, _ in each] for name, each in mids.items()}
    last, = database.execute("SELECT last_ns FROM run").fetchone()
    kept = {(fill, horizon): mid2 for fill, horizon, mid2 in database.execute("SELECT * FROM fill_mid")}
    for fill, at, name, exponent, cause in database.execute(
            "SELECT f.id, coalesce(f.venue_ns, f.at_ns), i.name, i.price_exponent, f.cause FROM fill f JOIN instrument i"
            " ON i.id = f.instrument"):
        for horizon in (0, 10**8, 10**9, 10**10, 6 * 10**10):
            find = bisect.bisect_left if horizon == 0 and cause != "take" else bisect.bisect_right
            place = find(times[name], at + horizon) - 1
            wanted = mids[name][place][1] if at + horizon <= last else None
            found = kept.get((fill, horizon))
            count += found is not None
            if wanted != (None if found is None else found * Fraction(10) ** exponent):
                wrong.append((name, at, horizon, wanted, found))
    return wrong, count


def spells_of_tape(tape):
    """From a session's text alone: by instrument, side and level the spells, what rested and what filled in them, and fills."""
    orders, rates, fills = {}, {}, {}

    def close(order):
        if order["spell"]:
            level, rested, filled = order["spell"]
            entry = rates.setdefault((*order["key"], level), [0, 0, 0])
            for place, amount in enumerate((1, rested, filled)):
                entry[place] += amount
        order["spell"] = None

    def rest(order, level, leaves):
        """It is shown to rest for that level with these leaves."""
        if order["spell"] and order["spell"][0] == level:
            order["spell"][1] = max(order["spell"][1], order["spell"][2] + leaves)
            order["left"] = leaves
        else:
            close(order)
            order["spell"] = [level, leaves, 0]
            order["left"] = leaves

    def begin(order):
        if not order["begun"]:
            order["begun"] = True
            rest(order, order["level"], order["quantity"])

    for line in run("tape", "cat", tape).stdout.splitlines():
        words = line.split(" ")
        fields = dict(word.split("=", 1) for word in words[3:] if "=" in word)
        kind, order = words[1], orders.get(fields.get("order"))
        if kind in ("place", "replace"):
            orders[fields["order"]] = {"key": (words[2], fields["side"]), "level": int(fields["level"]), "begun": False,
                                       "quantity": Fraction(fields["quantity"]), "spell": None, "sent": None}
        elif order is None:
            continue
        elif kind == "modify":
            order["sent"] = (int(fields["level"]), Fraction(fields["price"]))
        elif kind == "order_accepted":
            begin(order)
        elif kind == "order_modified":
            begin(order)
            level = order["sent"][0] if order["sent"] else order["spell"][0]
            order["sent"] = None
            rest(order, level, Fraction(fields["leaves"]))
        elif kind == "modify_rejected":
            order["sent"] = None
        elif kind == "learned" and order["spell"] and not order["sent"] and fields["next"] != fields["level"]:
            rest(order, int(fields["next"]), order["left"])
        elif kind == "order_filled":
            begin(order)
            quantity, leaves, level = Fraction(fields["quantity"]), Fraction(fields["leaves"]), order["spell"][0]
            if order["sent"] and order["sent"][1] == Fraction(fields["price"]):
                level, order["sent"] = order["sent"][0], None
            rest(order, level, quantity + leaves)
            order["spell"][2] += quantity
            order["left"] = leaves
            fills[(*order["key"], level)] = fills.get((*order["key"], level), 0) + 1
            if leaves == 0:
                close(order)
        elif kind in ("order_cancelled", "order_expired"):
            close(order)
    for order in orders.values():
        close(order)
    return rates, fills


def lives_of_orders(folder, settings):
    """Where a venue changes orders, each fill counts at the level for which its order rested then."""
    for modify in ("edit", "replace"):
        name = f"{folder}/{modify}"
        replay(folder, "synth.tape", f"{modify}.db", *settings, f"venue.modify={modify}",
               session=f"{modify}.tape")
        run("report", f"{name}.db", "--csv", name)
        rates, fills = spells_of_tape(f"{name}.tape")
        found = {(row["instrument"], row["side"], int(row["level"])): row for row in table(name, "fill_rate")}
        wrong = [(where, row, rates.get(where)) for where, row in found.items()
                 if [int(row["spells"]), Fraction(row["rested"])] != rates[where][:2]
                 or abs(Fraction(row["fill_rate_percent"]) - 100 * rates[where][2] / rates[where][1]) > Fraction(1, 200)
                 or sum(int(row["fills_" + cause]) for cause in ("queue", "through", "cross", "take", "reported"))
                 != fills.get(where, 0)]
        check(f"fill rates are by the level at the fill ({modify})", len(found) >= 36 and set(found) == set(rates)
              and not wrong, wrong[:3])
        database = sqlite3.connect(f"{name}.db")
        moved, = database.execute("SELECT count(*) FROM fill f JOIN orders o ON o.id = f.order_id WHERE o.level <> f.level"
                                  ).fetchone()
        over, = database.execute("SELECT count(*) FROM spell WHERE filled_units > rested_units").fetchone()
        check(f"of which many had moved, and none filled more than rested ({modify})", moved > 20 and over == 0, moved, over)
        requests = {}
        for row in table(name, "latency"):
            requests[row["request"]] = requests.get(row["request"], 0) + int(row["answers"])
        sent = dict(database.execute("SELECT kind, count(*) FROM order_event WHERE kind IN ('place', 'replace', 'modify')"
                                     " GROUP BY kind"))
        other = "modify" if modify == "edit" else "replace"
        # Some of the last have no answer at the end.
        check(f"latency is by kind of request ({modify})", set(sent) == {"place", other}
              and set(requests) == {"place", "cancel", other}
              and all(0.98 * sent[kind] < requests[kind] <= sent[kind] for kind in sent), requests, sent)
        database.close()


def percentile(values, percent):
    values = sorted(values)
    return values[max(-(-len(values) * percent // 100), 1) - 1]


def independently(folder):
    run("synth", "-o", f"{folder}/synth.tape", "--seed", 7, "--events", 150000, "--instruments", 6)
    relaxed = ("quote.size=10lot", "risk.position_limit=100lot", "warm_up.trades=0", "warm_up.book_messages=0",
               "warm_up.samples=0", "breaker.edge=0", "quote.interval=100ms", "sim.reorder=250ms")
    made = replay(folder, "synth.tape", "a.db", *relaxed)
    told = json.loads(made.stdout)
    done = run("report", f"{folder}/a.db", "-o", f"{folder}/a.html", "--csv", f"{folder}/a")
    check("a report of six markets with every contract", done.returncode == 0 and told["fills"] > 1000, done.stderr)
    database = sqlite3.connect(f"{folder}/a.db")
    profit = {row["instrument"]: Fraction(row["net"]) for row in table(f"{folder}/a", "profit")}
    check("net profit is the sum of its exact parts", profit == profit_from(database) and len(profit) == 6, profit)
    drawdown = {row["asset"]: Fraction(row["drawdown"]) for row in table(f"{folder}/a", "account")}
    check("drawdown is that of the samples", drawdown == equity_from(database) and any(drawdown.values()), drawdown)
    horizons = {"at the fill": 0, "0.1 s": 10**8, "1 s": 10**9, "10 s": 10**10, "60 s": 6 * 10**10}
    wanted, wrong = markouts_from(database), []
    rows = table(f"{folder}/a", "markouts")
    for row in rows:
        gain, worth, fills = wanted.get((row["instrument"], horizons[row["horizon"]]), (0, 0, 0))
        points = gain / worth * 10000 if worth else 0
        if abs(Fraction(row["gain"] or 0) - gain) > Fraction(fills + 1, 10**18) or int(row["fills_measured"]) != fills \
                or abs(Fraction(row["basis_points"] or 0) - points) > Fraction(6, 1000):
            wrong.append((row, float(gain), float(points), fills))
    check("markouts are those of fractions", rows and not wrong and len(wanted) >= 24, wrong)
    wrong, count = mids_wrong(database, f"{folder}/synth.tape")
    check("their mids are those of a book kept from the tape's text", not wrong and count > 4000, count, wrong[:5])
    blocked = {(row["instrument"], row["gate"]): int(row["blocked"]) for row in table(f"{folder}/a", "gates")}
    check("gate blocks are those of the result", blocked and blocked == {
        (name, gate): count for name, each in told["instruments"].items() for gate, count in each["blocked"].items()},
        blocked)
    orders = table(f"{folder}/a", "orders")
    sums = {name: sum(int(row[name]) for row in orders) for name in orders[0] if name not in ("run", "instrument")}
    check("orders end as in the result", sums == {
        "sent": told["place_requests"], "placed": told["orders_placed"], "filled": told["orders_filled"],
        "cancelled": told["orders_cancelled"], "rejected": told["orders_rejected"],
        "expired": told["orders_expired"], "not_found": told["orders_not_found"], "open": told["orders_open"]}, sums)
    rates = table(f"{folder}/a", "fill_rate")
    causes = {cause: sum(int(row["fills_" + cause]) for row in rates) for cause in told["fills_by_cause"]}
    check("fills by cause are those of the result", causes == told["fills_by_cause"], causes)
    filled = {(name, side, str(level)): Fraction(100 * got, all_of) for name, side, level, got, all_of in
              database.execute("SELECT instrument, side, level, filled_units, rested_units FROM fill_rates")}
    refused = database.execute("SELECT count(*) FROM spell s JOIN order_outcome o ON o.id = s.order_id"
                               " WHERE o.outcome = 'rejected'").fetchone()
    check("refused orders never rested", refused == (0,) and told["orders_rejected"] > 20, refused, told["orders_rejected"])
    check("fill rates are filled of rested quantity", {key(row, "instrument", "side", "level") for row in rates}
          == set(filled) and all(abs(Fraction(row["fill_rate_percent"]) - filled[key(row, "instrument", "side", "level")])
                                 <= Fraction(1, 200) for row in rates))
    first = {}
    for venue, order, took in database.execute(
            "SELECT i.venue, o.id, e.at_ns - o.placed_ns FROM orders o JOIN order_event e ON e.order_id = o.id"
            " JOIN instrument i ON i.id = o.instrument WHERE e.kind LIKE 'order\\_%' ESCAPE '\\' ORDER BY e.id"):
        first.setdefault((venue, order), took)
    wrong = []
    for row in table(f"{folder}/a", "latency"):
        times = [took for (venue, _), took in first.items() if venue == row["venue"]]
        if row["request"] == "place" and (len(times) != int(row["answers"]) or any(
                Fraction(row[f"p{p}_ms"]) * 10**6 != percentile(times, p) for p in (50, 95, 99))):
            wrong.append(row)
    check("latency is the time to the first answer", not wrong, wrong)
    database.close()
    page, wrong = Page(f"{folder}/a.html"), []
    for name in ("provenance", "account", "profit", "fills", "markouts", "fill_rate", "orders", "not_quoting", "gates",
                 "latency", "fees"):
        rows = [list(row.values())[1:] for row in table(f"{folder}/a", name)]
        if page.tables[name][1:] != rows or not rows:
            wrong.append((name, page.tables[name][1:3], rows[:2]))
    check("page and CSV have the same cells", not wrong, wrong)
    with open(f"{folder}/a.html", "rb") as file:
        before = file.read()
    run("report", f"{folder}/a.db", "-o", f"{folder}/a.html")
    with open(f"{folder}/a.html", "rb") as file:
        check("a database has one page, byte for byte", file.read() == before)
    return relaxed


def unmarked(folder):
    """A sample of which a position has no mark is no point of its asset's profit, and no drawdown."""
    shutil.copy(f"{folder}/a.db", f"{folder}/unmarked.db")
    with sqlite3.connect(f"{folder}/unmarked.db") as database:
        at, = database.execute("SELECT at_ns FROM position WHERE why = 'sample' AND instrument = 2 AND position <> '0' LIMIT 1"
                               ).fetchone()
        database.execute("UPDATE position SET mark = NULL, unrealised = '-1000000' WHERE at_ns = ? AND instrument = 2", (at,))
    database.close()
    done = run("report", f"{folder}/unmarked.db", "--csv", f"{folder}/unmarked")
    before, after = ({(row["at_ns"], row["asset"]) for row in table(f"{folder}/{name}", "equity")} for name in ("a", "unmarked"))
    deepest = max(Fraction(row["drawdown"]) for row in table(f"{folder}/unmarked", "account"))
    check("a sample of a position without a mark is no point and no drawdown", before - after == {(str(at), "USD")}
          and after < before and deepest < 1000000, done.stderr, before - after, deepest)
    with sqlite3.connect(f"{folder}/unmarked.db") as database:
        database.execute("UPDATE position SET mark = NULL, position = '1' WHERE why = 'start' AND instrument = 2")
    database.close()
    run("report", f"{folder}/unmarked.db", "--csv", f"{folder}/unmarked")
    first = table(f"{folder}/unmarked", "equity")[0]
    check("the start is a point, mark or no", first["net"] == "0" and first["at_ns"] == min(at for at, _ in before), first)


def edge_trips(fills, fee):
    """When the edge breaker trips by the report's own mids, two times at most: the mean of the last 128 markouts less fees of
    30 fills or more is below 0 by two standard errors. Fills that were told before a trip don't count for the next."""
    trips, values, tripped = [], [], 0
    for venue, told, side, price, mid2 in fills:
        if told <= tripped or len(trips) == 2:
            continue
        gain = (mid2 - 2 * price) / (2 * price)
        values.append((gain if side == "buy" else -gain) - fee)
        last = values[-128:]
        if len(last) >= 30 and statistics.mean(last) + 2 * statistics.stdev(last) / len(last) ** 0.5 < 0:
            tripped = venue + 10**9
            trips.append(tripped)
            values = []
    return trips


def trips(folder, settings):
    """The edge breaker's markout is the report's: it trips when the report's mids say so. The tables tell of it."""
    replay(folder, "synth.tape", "trips.db", *settings, "breaker.edge=2", "breaker.edge_horizon=1s")
    run("report", f"{folder}/trips.db", "--csv", f"{folder}/trips")
    database = sqlite3.connect(f"{folder}/trips.db")
    first, last = database.execute("SELECT first_ns, last_ns FROM run").fetchone()
    wanted = {}
    for number, name, fee in database.execute("SELECT id, name, maker_fee FROM instrument").fetchall():
        wanted[name] = edge_trips(database.execute(
            "SELECT f.venue_ns, f.at_ns, f.side, f.price_units, m.mid2_units FROM fill f JOIN fill_mid m ON m.fill = f.id"
            " AND m.horizon_ns = 1000000000 WHERE f.instrument = ? ORDER BY f.id", (number,)).fetchall(), float(fee))
    database.close()
    rows = [row for row in table(f"{folder}/trips", "breakers") if row["breaker"] == "edge"]
    found = {name: [nanoseconds(row["since"]) for row in rows if row["instrument"] == name] for name in wanted}
    check("the edge breaker trips when the report's own mids say so", found == wanted
          and sum(map(len, found.values())) >= 6, found, wanted)
    states = {name: [(row["state"], row["until"]) for row in rows if row["instrument"] == name] for name in wanted}
    check("it widens until it pauses, to the end of the run", all(
        each == [("widen", time_text(found[name][1])), ("pause", "")] for name, each in states.items() if len(each) == 2)
        and any(len(each) == 2 for each in states.values()), states)
    paused = {row["instrument"]: key(row, "seconds", "percent") for row in table(f"{folder}/trips", "not_quoting")
              if row["cause"] == "breaker edge"}
    for name, each in found.items():
        seconds = Fraction(last - each[1], 10**9) if len(each) == 2 else 0
        share = seconds * 100 / Fraction(last - first, 10**9)
        shown = [Fraction(part) for part in paused.get(name, (0, 0))]
        if abs(shown[0] - seconds) > Fraction(1, 2000) or abs(shown[1] - share) > Fraction(1, 200):
            check(f"time not quoting of {name}", False, shown, seconds, share)
    check("the time that it paused is time without quoting", paused, paused)


def time_text(time_ns):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_ns // 10**9)) + f".{time_ns % 10**9:09d}Z"


def two_runs(folder, settings):
    replay(folder, "synth.tape", "b.db", *settings, "quote.half_spread=5tick")
    done = run("report", f"{folder}/a.db", f"{folder}/b.db", "-o", f"{folder}/two.html", "--csv", f"{folder}/two")
    rows = table(f"{folder}/two", "account")
    check("two runs in one report", done.returncode == 0 and {row["run"] for row in rows} == {"A", "B"}, done.stderr)
    net = {key(row, "run", "asset"): Fraction(row["net"]) for row in rows}
    shown = [row for row in Page(f"{folder}/two.html").tables["account"] if row[0].startswith("B \N{MINUS SIGN}")]
    assets = list(dict.fromkeys(row["asset"] for row in rows))
    check("the page has their differences", assets and [Fraction(row[1]) for row in shown]
          == [net["B", asset] - net["A", asset] for asset in assets] and any(Fraction(row[1]) for row in shown), shown)


def hostile(folder):
    names = ["</script><script>alert(1)</script>", "\"><img src=x onerror='alert(1)'>", "a,\"b\"\r\nc\u2028\u202e&amp;"]
    shutil.copy(f"{folder}/a.db", f"{folder}/hostile.db")
    with sqlite3.connect(f"{folder}/hostile.db") as database:
        for number, name in enumerate(names):
            database.execute("UPDATE instrument SET name = ? WHERE id = ?", (name, number))
        database.execute("UPDATE run SET tape_name = ?, config = ?", (names[1], names[0]))
    database.close()
    done = run("report", f"{folder}/hostile.db", "-o", f"{folder}/hostile.html", "--csv", f"{folder}/hostile")
    page, clean = Page(f"{folder}/hostile.html"), Page(f"{folder}/a.html")
    shown = [row[0] for row in page.tables["profit"][1:4]]
    check("hostile names are text in the page", done.returncode == 0 and page.elements == clean.elements
          and shown == [names[0], names[1], names[2].replace("\r", "\N{REPLACEMENT CHARACTER}")], shown, done.stderr)
    titles = [chart["series"][0]["name"] for chart in json.loads(page.data)["charts"]]
    check("and in its data", set(names) <= set(titles) and "<" not in page.data, titles)
    check("and in CSV", [row["instrument"] for row in table(f"{folder}/hostile", "profit")[:3]] == names)


def refused(folder):
    def refuse(title, words, *arguments):
        done = run("report", *arguments)
        lines = done.stderr.splitlines()
        check(title, done.returncode == 2 and len(lines) == 1 and words in lines[0] and not done.stdout,
              done.returncode, done.stderr)

    def spoil(name, sql=None, write=None):
        path = f"{folder}/{name}.db"
        shutil.copy(f"{folder}/a.db", path)
        if sql:
            with sqlite3.connect(path) as database:
                database.executescript(sql)
            database.close()
        if write:
            with open(path, "r+b") as file:
                write(file)
        return path

    out = ("-o", f"{folder}/refused.html")
    refuse("a file that is not there", "no such file", f"{folder}/none.db", *out)
    refuse("a folder", "is no file", folder, *out)
    open(f"{folder}/empty.db", "w", encoding="ascii").close()
    refuse("an empty file", "is empty", f"{folder}/empty.db", *out)
    refuse("a tape", "no SQLite database", f"{folder}/synth.tape", *out)
    with sqlite3.connect(f"{folder}/other.db") as database:
        database.execute("CREATE TABLE t (a)")
    database.close()
    refuse("another SQLite database", "not of a run", f"{folder}/other.db", *out)
    refuse("another version", "of version 3, this build reads version 4; make it again from its tape",
           spoil("old", "PRAGMA user_version = 3"), *out)
    refuse("a page overwritten", "damaged",
           spoil("page", write=lambda file: (file.seek(4096 * 40), file.write(b"\xff" * 4096))), *out)
    refuse("a file cut off", "damaged",
           spoil("cut", write=lambda file: file.truncate(os.path.getsize(f"{folder}/a.db") // 2)), *out)
    refuse("a table that is not there", "no such table", spoil("table", "DROP TABLE gate_block"), *out)
    refuse("a figure that is none", "position.realised in row",
           spoil("figure", "UPDATE position SET realised = '1,5' WHERE id = 5"), *out)
    refuse("an exponent that is none", "instrument.price_exponent in row 3: expected an integer from -18 to 18",
           spoil("exponent", "UPDATE instrument SET price_exponent = 77 WHERE id = 2"), *out)
    with sqlite3.connect(f"{folder}/a.db") as database:
        rest = ", ".join(row[1] for row in database.execute("PRAGMA table_info(instrument)") if row[1] not in ("id", "name"))
    database.close()
    refuse("more instruments than there can be", "instrument.id in row 8193: expected 8192 instruments at most",
           spoil("many", "WITH RECURSIVE more(id) AS (SELECT max(id) + 1 FROM instrument UNION ALL SELECT id + 1 FROM more"
                 f" WHERE id < 8192) INSERT INTO instrument (id, name, {rest})"
                 f" SELECT more.id, 'many:' || more.id, {rest} FROM more, instrument WHERE instrument.id = 0"), *out)
    refuse("an instrument that there is not", "expected an instrument",
           spoil("instrument", "PRAGMA foreign_keys = OFF; UPDATE fill SET instrument = 99 WHERE id ="
                 " (SELECT min(id) FROM fill)"), *out)
    refuse("sums that no money holds", "leaves the range of money",
           spoil("sum", "UPDATE position SET realised = '160000000000000000000', unrealised = realised WHERE why <> 'start'"), *out)
    chance = random.Random(7)
    statuses = []
    for number in range(80):
        path = f"{folder}/chance.db"
        with open(f"{folder}/hand.db", "rb") as file:
            data = bytearray(file.read())
        for _ in range(chance.choice((1, 3, 30))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with open(path, "wb") as file:
            file.write(data)
        done = run("report", path, "-o", f"{folder}/chance.html", "--csv", f"{folder}/chance")
        statuses.append(done.returncode)
        if done.returncode not in (0, 2):
            print(f"# {number}: {done.returncode} {done.stderr[-1500:]}")
    check("bytes changed by chance are a report or a refusal", set(statuses) == {0, 2}, sorted(set(statuses)))
    refuse("no output", "say -o FILE, --csv FOLDER or both", f"{folder}/a.db")
    refuse("an output that is read", "expected another file", f"{folder}/a.db", "-o", f"{folder}/a.db")
    refuse("a folder that is a file", "is no folder", f"{folder}/a.db", "--csv", f"{folder}/a.html")
    check("nothing was left behind", not os.path.exists(f"{folder}/refused.html")
          and not [name for name in os.listdir(folder) if "unfinished" in name])


def libraries():
    place = os.path.join(SRCDIR, "third_party/uplot")
    with open(os.path.join(place, "README"), encoding="ascii") as file:
        sums = re.findall(r"^sha256 (\w{64})  (\S+)$", file.read(), re.M)
    wrong = []
    for wanted, name in sums:
        with open(os.path.join(place, name), "rb") as file:
            if hashlib.sha256(file.read()).hexdigest() != wanted:
                wrong.append(name)
    check("uPlot is what its page says", len(sums) == 3 and not wrong, wrong)


def licences(folder):
    """What uPlot's licence wants of whoever hands on a copy: here whoever sends a page to somebody."""
    with open(os.path.join(SRCDIR, "third_party/uplot/LICENSE"), encoding="ascii") as file:
        text = file.read()
    with open(f"{folder}/a.html", encoding="utf-8") as file:
        check("a page holds the licence of the library in it", text in file.read())


def main():
    with tempfile.TemporaryDirectory() as folder:
        by_hand(folder)
        what_venues_tell(folder)
        ahead_of_depth(folder)
        settings = independently(folder)
        unmarked(folder)
        lives_of_orders(folder, settings)
        trips(folder, settings)
        two_runs(folder, settings)
        hostile(folder)
        refused(folder)
        libraries()
        licences(folder)
    plan()


main()
