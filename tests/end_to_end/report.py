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
import subprocess
import sys
import tempfile
import time
from fractions import Fraction

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hand_run import MARKET, MARKOUTS, PROFIT, SETTINGS  # noqa: E402

CAPSTAN = os.environ.get("CAPSTAN", "capstan")
SRCDIR = os.environ.get("srcdir", ".")
results = []


def check(title, good, *notes):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {title}", flush=True)
    if not good:
        for note in notes:
            print("#", str(note).replace("\n", "\n# "))


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


def replay(folder, tape, database, *settings):
    arguments = [part for setting in settings for part in ("--set", setting)]
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
    # The offer that was filled in part was replaced by a whole one: 0.005 of 0.020.
    rates = [key(row, "side", "level", "orders", "filled_part", "fill_rate_percent", "fills_through", "fills_queue")
             for row in table(f"{folder}/hand", "fill_rate")]
    check("fill rates", rates == [("buy", "0", "1", "1", "20.00", "1", "0"),
                                  ("sell", "0", "2", "1", "25.00", "1", "0")], rates)
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
    """By instrument, when its book's mid was which (twice it, as text has prices), by the venue's clock."""
    books, mids, reached = {}, {}, {}
    for line in run("tape", "cat", tape, "--kind", "depth", "--kind", "snapshot").stdout.splitlines():
        words = line.split(" ")
        local, kind, name = words[:3]
        venue = next((word.split("=", 1)[1].removeprefix("estimated:") for word in words if
                      word.startswith("venue_time=")), local)
        book = books.setdefault(name, {"bid": {}, "ask": {}})
        if kind == "snapshot":
            book["bid"].clear()
            book["ask"].clear()
        for side, level in zip(words, words[1:]):
            if side in book:
                price, quantity = map(Fraction, level.split("*"))
                if quantity:
                    book[side][price] = quantity
                else:
                    book[side].pop(price, None)
        reached[name] = max(reached.get(name, 0), nanoseconds(venue))
        mid2 = max(book["bid"]) + min(book["ask"]) if book["bid"] and book["ask"] else None
        mids.setdefault(name, []).append((reached[name], mid2))
    return mids


def mids_wrong(database, tape):
    """Fills and horizons whose mid in the database is not the tape's."""
    wrong, count = [], 0
    mids = mids_of_tape(tape)
    times = {name: [at for at, _ in each] for name, each in mids.items()}
    last, = database.execute("SELECT last_ns FROM run").fetchone()
    kept = {(fill, horizon): mid2 for fill, horizon, mid2 in database.execute("SELECT * FROM fill_mid")}
    for fill, at, name, exponent in database.execute(
            "SELECT f.id, coalesce(f.venue_ns, f.at_ns), i.name, i.price_exponent FROM fill f JOIN instrument i"
            " ON i.id = f.instrument"):
        for horizon in (0, 10**8, 10**9, 10**10, 6 * 10**10):
            place = bisect.bisect_right(times[name], at + horizon) - 1
            wanted = mids[name][place][1] if at + horizon <= last else None
            found = kept.get((fill, horizon))
            count += found is not None
            if wanted != (None if found is None else found * Fraction(10) ** exponent):
                wrong.append((name, at, horizon, wanted, found))
    return wrong, count


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
              database.execute("SELECT i.name, o.side, o.level, sum(coalesce((SELECT sum(f.quantity_units) FROM fill f"
                               " WHERE f.order_id = o.id), 0)), sum(o.quantity_units) FROM orders o JOIN instrument i"
                               " ON i.id = o.instrument GROUP BY 1, 2, 3")}
    check("fill rates are filled of ordered quantity", {key(row, "instrument", "side", "level") for row in rates}
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
    for name in ("provenance", "account", "profit", "fills", "markouts", "fill_rate", "orders", "gates", "latency",
                 "fees"):
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
    refuse("another version", "of version 1, this build reads version 2",
           spoil("old", "PRAGMA user_version = 1"), *out)
    refuse("a page overwritten", "damaged",
           spoil("page", write=lambda file: (file.seek(4096 * 40), file.write(b"\xff" * 4096))), *out)
    refuse("a file cut off", "damaged",
           spoil("cut", write=lambda file: file.truncate(os.path.getsize(f"{folder}/a.db") // 2)), *out)
    refuse("a table that is not there", "no such table", spoil("table", "DROP TABLE gate_block"), *out)
    refuse("a figure that is none", "position.realised in row",
           spoil("figure", "UPDATE position SET realised = '1,5' WHERE id = 5"), *out)
    refuse("an exponent that is none", "instrument.price_exponent in row 3: expected an integer from -18 to 18",
           spoil("exponent", "UPDATE instrument SET price_exponent = 77 WHERE id = 2"), *out)
    refuse("an instrument that there is not", "expected an instrument",
           spoil("instrument", "PRAGMA foreign_keys = OFF; UPDATE fill SET instrument = 99 WHERE id ="
                 " (SELECT min(id) FROM fill)"), *out)
    refuse("sums that no money holds", "leaves the range of money",
           spoil("sum", "UPDATE position SET realised = '160000000000000000000', unrealised = realised"), *out)
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


def main():
    with tempfile.TemporaryDirectory() as folder:
        by_hand(folder)
        settings = independently(folder)
        two_runs(folder, settings)
        hostile(folder)
        refused(folder)
        libraries()
    print(f"1..{len(results)}")


main()
