#!/usr/bin/env python3
"""A second, slow report of a run, to disagree with the first.

It is written from docs/report.md, docs/store.md and the trading semantics alone, never from the C source, and shares no
code with it. It reads the text of a session, works out every table of `capstan report` from the messages by itself
(books, fills, positions, marks, spells, requests and answers), and compares field by field. Integers and fractions only.

    refreport.py --capstan PROGRAM SESSION.tape RUN.db [--tape MARKET.tape]
    refreport.py --session-text FILE --csv FOLDER [--tape-text FILE]

The prepared files are what these commands print: tape cat --full of the session (and of the tape that was replayed);
report RUN.db --csv FOLDER. Of a session whose tape goes on from others those are given first to last with --before
(or their texts with --before-text). A session that adopts a position is not read.
Exit status: 0 all agrees, 1 a difference, 2 bad input.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from fractions import Fraction

sys.dont_write_bytecode = True  # the source may be read-only
from refreport_fold import HORIZONS, STOPPING, WHOLE, Session, gain_of, profit_asset, union, worth_of
from refsim_text import MARKET, NANOSECONDS, BadInput, Tape, read_duration, show_money, show_time

CAUSES = ("queue", "through", "cross", "take", "reported")
# What identifies a row; rows alike are told apart by their number.
KEYS = {
    "provenance": ("what",), "account": ("asset",), "profit": ("instrument",), "chain": ("instrument",),
    "fills": ("instrument", "side"),
    "markouts": ("instrument", "horizon"), "fill_rate": ("instrument", "side", "level"), "orders": ("instrument",),
    "breakers": ("instrument", "breaker", "state", "since"), "not_quoting": ("instrument", "cause"),
    "gates": ("instrument", "gate"), "latency": ("venue", "request"), "fees": ("instrument", "liquidity", "fee_asset"),
    "equity": ("at_ns", "asset"), "inventory": ("at_ns", "instrument"),
}
# What text does not tell: compared with nothing, and counted as such.
NOT_TOLD = {
    "provenance": ("grade of the run", "why not better", "identity of the tape", "fingerprint of the run", "tape", "cycles",
                   "events", "invariant checks", "invariant violations", "database", "capstan", "build"),
}


class Ratio:
    """A figure that is rounded once, half to even, to so many decimals."""

    def __init__(self, value, decimals):
        self.value, self.decimals = Fraction(value), decimals

    def __str__(self):
        scaled = round(self.value * 10**self.decimals)  # halves to even
        whole, rest = divmod(abs(scaled), 10**self.decimals)
        return f"{'-' if scaled < 0 else ''}{whole}" + (f".{rest:0{self.decimals}d}" if self.decimals else "")


class Within:
    """A count that text tells only the least of, and the most or not even that (None)."""

    def __init__(self, least, most):
        self.least, self.most = least, most

    def __str__(self):
        return f"{self.least} to {'more' if self.most is None else self.most}"


def seconds(nanoseconds):
    """A length, in seconds of three decimals."""
    return Ratio(Fraction(nanoseconds, NANOSECONDS), 3)


class Expected:
    """Every table, worked out of a folded session."""

    def __init__(self, session, tape, market, kept_live):
        self.session, self.tape, self.market, self.kept_live = session, tape, market, kept_live
        self.tables = {name: [] for name in KEYS}
        for make in (self.provenance, self.account, self.profit, self.chain, self.fills, self.markouts, self.fill_rate, self.orders,
                     self.breakers, self.not_quoting, self.gates, self.latency, self.fees, self.series):
            make()

    def add(self, name, **row):
        """A row."""
        self.tables[name].append(row)

    def provenance(self):
        """Where the figures come from, as far as text tells it."""
        session, header = self.session, (self.market or self.tape).lines
        counts = session.counts_of_last if self.kept_live else session.counts
        answers = counts["answers"]
        told = {
            "grade of the tape": header["grade"][0],
            "hash of the configuration": f"{int(session.start['config_hash']):016x}",
            "seed": session.start["seed"],
            "first message": show_time(session.first),
            "last message": show_time(session.last),
            "length, seconds": Ratio(Fraction(session.last - session.first, NANOSECONDS), 9),
            "messages to the engine": counts["market"] + counts["ticks"] + answers + counts["starts"],
            "of the market": counts["market"], "ticks": counts["ticks"], "answers": answers, "starts": counts["starts"],
            "decisions": session.counts_of_last["decisions"],
        }
        for what, value in told.items():
            self.add("provenance", what=what, value=value)

    def account(self):
        """Peak and deepest drawdown of the samples and the end, counted from 0 at the start."""
        fees, worth = defaultdict(Fraction), {}
        peak, drawdown, when = defaultdict(Fraction), defaultdict(Fraction), {}
        for name, instrument in self.tape.instruments.items():
            fees[profit_asset(instrument)] += self.session.positions[name].fees - self.session.before[name][0][3]
        for at, asset, net in self.session.equity:
            worth[asset] = net
            peak[asset] = max(peak[asset], net)
            if peak[asset] - net > drawdown[asset]:
                drawdown[asset], when[asset] = peak[asset] - net, at
        for asset, fee in fees.items():
            self.add("account", asset=asset, net=worth[asset], peak=peak[asset], drawdown=drawdown[asset],
                     drawdown_at=show_time(when[asset]) if asset in when else "", fees=fee)

    def profit(self):
        """What came to each instrument in this run."""
        for name, instrument in self.tape.instruments.items():
            *now, mark, stale = self.session.profit(name, self.session.last)
            net, realised, unrealised, fees, funding = (value - began for value, began in zip(now, self.session.before[name][0]))
            shown = "" if mark is None else instrument.show_price(round(mark / instrument.price_unit))
            self.add("profit", instrument=name, asset=profit_asset(instrument), net=net, realised=realised,
                     unrealised=unrealised, fees=fees, funding=funding, position=self.session.positions[name].held,
                     mark=shown, mark_stale="stale" if stale else "fresh")

    def chain(self):
        """What each has come to since the first tape of the chain, where it began with anything."""
        for name, instrument in self.tape.instruments.items():
            net, realised, unrealised, fees, funding, *_ = self.session.profit(name, self.session.last)
            before, held = self.session.before[name]
            if held or any(before[1:5]):
                self.add("chain", instrument=name, asset=profit_asset(instrument), net=net, net_before=before[0], realised=realised,
                         unrealised=unrealised, fees=fees, funding=funding, position_before=held)

    def fills(self):
        """How many, how much, what they were worth."""
        groups = defaultdict(list)
        for fill in self.session.fills:
            groups[fill.instrument, fill.side].append(fill)
        for (name, side), fills in groups.items():
            instrument = self.tape.instruments[name]
            self.add("fills", instrument=name, side=side, fills=len(fills), quantity=sum(f.quantity for f in fills),
                     notional=sum(worth_of(f, instrument) for f in fills), asset=profit_asset(instrument))

    def markouts(self):
        """Spread captured, and what fills were worth a while later."""
        groups = defaultdict(list)
        for fill in self.session.fills:
            groups[fill.instrument].append(fill)
        for name, fills in groups.items():
            instrument = self.tape.instruments[name]
            for horizon, after in HORIZONS:
                gain = worth = Fraction(0)
                measured = 0
                for fill in fills:
                    moment = fill.venue_time + after
                    mid = fill.mids.at(moment, after > 0 or fill.cause == "take")
                    if mid is None or moment > self.session.end_of(fill.told):
                        continue
                    gain += gain_of(fill, mid * instrument.price_unit / 2, instrument)
                    worth += worth_of(fill, instrument)
                    measured += 1
                self.add("markouts", instrument=name, horizon=horizon, gain=gain if measured else "",
                         basis_points=Ratio(gain * 10000 / worth, 2) if measured else "",
                         asset=profit_asset(instrument), fills_measured=measured,
                         fills_not_measured=len(fills) - measured)

    def fill_rate(self):
        """The spells of an instrument, side and level."""
        groups, fills = defaultdict(list), defaultdict(Counter)
        for order in self.session.orders.values():
            for spell in order.spells:
                groups[order.instrument.name, order.side, spell.level].append(spell)
        for fill in self.session.fills:
            fills[fill.instrument, fill.side, fill.level][fill.cause] += 1
        for (name, side, level), spells in groups.items():
            instrument = self.tape.instruments[name]
            distances = [spell.distance for spell in spells if spell.distance is not None]
            rested, filled = (sum(getattr(spell, what) for spell in spells) for what in ("rested", "filled"))
            length = sum((spell.until or self.session.last) - spell.since for spell in spells)
            self.add("fill_rate", instrument=name, side=side, level=level,
                     distance_ticks=Ratio(Fraction(sum(distances), 1000 * len(distances)), 2) if distances else "",
                     spells=len(spells), rested_seconds=seconds(length), rested=rested * instrument.quantity_unit,
                     filled=sum(spell.whole for spell in spells),
                     filled_part=sum(spell.filled > 0 and not spell.whole for spell in spells),
                     fill_rate_percent=Ratio(Fraction(100 * filled, rested), 2),
                     **{f"fills_{cause}": fills[name, side, level][cause] for cause in CAUSES})

    def orders(self):
        """What became of them."""
        groups = {name: [] for name in self.tape.instruments}
        for order in self.session.orders.values():
            groups[order.instrument.name].append(order)
        for name, orders in groups.items():
            ends = Counter(order.outcome or "open" for order in orders)
            self.add("orders", instrument=name, sent=len(orders), placed=sum(order.placed for order in orders),
                     **{end: ends[end] for end in ("filled", "cancelled", "rejected", "expired", "not_found", "open")})

    def breakers(self):
        """Times in which a breaker stood in one state."""
        for (name, breaker, state), since, until, over in self.session.breakers.all(self.session.last):
            self.add("breakers", instrument=name, breaker=breaker, state=state, since=show_time(since),
                     until=show_time(until) if over else "", seconds=seconds(until - max(since, self.session.first)))

    def not_quoting(self):
        """How long nothing of an instrument could be placed, and why."""
        causes = defaultdict(list)
        for (name, gate), since, until, _ in self.session.gates.all(self.session.last):
            if gate in WHOLE:
                causes[name, gate].append((since, until))
        for (name, breaker, state), since, until, _ in self.session.breakers.all(self.session.last):
            if state in STOPPING:
                causes[name, f"breaker {breaker}"].append((max(since, self.session.first), until))
        for name in {name for name, _ in causes}:
            # While a breaker stops it the gate `breaker` does too, which ends with a session.
            causes[name, "any"] = [(since, until) for (other, gate), since, until, _ in self.session.gates.all(self.session.last)
                                   if other == name and gate in WHOLE + ("breaker",)]
        length = self.session.last - self.session.first
        for (name, cause), spans in causes.items():
            stood = union(spans)
            self.add("not_quoting", instrument=name, cause=cause, seconds=seconds(stood),
                     percent=Ratio(Fraction(100 * stood, length) if length else 0, 2))

    def gates(self):
        """How often a gate blocked: each time in which it did tells at its end. Of one that goes on at the end of the run
        only the beginning is told, of one that went on at its start maybe more than is of this tape."""
        session = self.session
        for key in session.blocked.keys() | session.blocking.keys():
            told = session.blocked[key] + session.blocking.get(key, 0)
            least = told - session.before_it[key]
            open_ended = key in session.blocking or key in session.unsure
            self.add("gates", instrument=key[0], gate=key[1],
                     blocked=Within(least, None if open_ended else told) if open_ended or least < told else told)

    def latency(self):
        """Percentiles by nearest rank."""
        for (venue, request), times in self.session.latencies.times.items():
            ranked = sorted(times)
            figures = {f"p{percent}_ms": Ratio(Fraction(ranked[max(-(-len(ranked) * percent // 100), 1) - 1], 10**6), 6)
                       for percent in (50, 95, 99)}
            self.add("latency", venue=venue, request=request, answers=len(ranked),
                     slowest_ms=Ratio(Fraction(ranked[-1], 10**6), 6), **figures)

    def fees(self):
        """Fees as the fills told them."""
        groups = defaultdict(list)
        for fill in self.session.fills:
            groups[fill.instrument, fill.liquidity, fill.fee_asset].append(fill)
        for (name, liquidity, asset), fills in groups.items():
            instrument = self.tape.instruments[name]
            self.add("fees", instrument=name, liquidity=liquidity, fee_asset=asset, fees=sum(f.fee for f in fills),
                     fills=len(fills), notional=sum(worth_of(f, instrument) for f in fills),
                     notional_asset=profit_asset(instrument))

    def series(self):
        """Profit and positions over time."""
        for at, asset, net in self.session.equity:
            self.add("equity", at_ns=at, time=show_time(at), asset=asset, net=net)
        for at, name, held in self.session.inventory:
            self.add("inventory", at_ns=at, time=show_time(at), instrument=name, position=held)


# --- comparison ----------------------------------------------------------------------------------


def same(mine, told):
    """Whether a field says what was worked out: money by value, in canonical digits; all else letter by letter."""
    if isinstance(mine, Fraction):
        try:
            return Fraction(told) == mine
        except ValueError:
            return False
    if isinstance(mine, Within):
        return told.isdecimal() and mine.least <= int(told) and (mine.most is None or int(told) <= mine.most)
    return str(mine) == told


def shown(value):
    """A value as a difference shows it."""
    return show_money(value) if isinstance(value, Fraction) else str(value) if value != "" else "nothing"


class Comparison:
    """Tables of mine against the CSV files of a report."""

    def __init__(self, expected, folder, run):
        self.folder, self.run = folder, run
        self.differences, self.cells, self.rows, self.skipped = [], 0, Counter(), 0
        for name, rows in expected.tables.items():
            self.table(name, self.numbered(name, rows), self.numbered(name, self.read(name)))

    def read(self, name):
        """The rows of a CSV file that are of this run."""
        with open(os.path.join(self.folder, f"{name}.csv"), newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row.pop("run") == self.run]

    @staticmethod
    def numbered(name, rows):
        """Rows by their key, and by their number where several have it."""
        result, seen = {}, Counter()
        for row in rows:
            key = tuple(str(row[part]) for part in KEYS[name])
            seen[key] += 1
            result[key + ((f"{seen[key]}",) if seen[key] > 1 else ())] = row
        return result

    def table(self, name, mine, told):
        """Every field of every row."""
        for key in list(told):
            if key[0] in NOT_TOLD.get(name, ()):
                self.skipped += 1
                del told[key]
        for key in list(mine) + [key for key in told if key not in mine]:
            where = f"{name}, {' '.join(key)}"
            if key not in told and any(isinstance(value, Within) and value.least == 0 for value in mine[key].values()):
                continue
            if key not in told or key not in mine:
                self.differences.append((name, f"{where}: refreport has {'the' if key in mine else 'no such'} row, the "
                                         f"report has {'it' if key in told else 'none'}"))
                continue
            self.rows[name] += 1
            for column in list(mine[key]) + [column for column in told[key] if column not in mine[key]]:
                left, right = mine[key].get(column), told[key].get(column)
                self.cells += 1
                if left is None or right is None or not same(left, right):
                    self.differences.append((name, f"{where}, {column}: refreport {shown(left)}, report {right or 'nothing'}"))

    def report(self, limit):
        """Print the first differences of each table, and counts; whether all agrees."""
        printed = Counter()
        for name, text in self.differences:
            printed[name] += 1
            if printed[name] <= limit:
                print(f"DIFFERENCE {text}")
        for name, count in printed.items():
            if count > limit:
                print(f"{name}: {count - limit} differences more")
        print(", ".join(f"{count} {name}" for name, count in self.rows.items()))
        print(f"refreport: {len(self.rows)} tables, {sum(self.rows.values())} rows, {self.cells} fields compared, "
              f"{self.skipped} rows not told by text; {len(self.differences)} differences")
        return not self.differences


def compare_market(session, market, first, last):
    """The session's market is the tape's: what differs first, or nothing."""
    ours = [message.text for message in session.messages if message.kind in MARKET]
    theirs = [message.text for message in market.messages if message.kind in MARKET]
    for place, text in enumerate(ours):
        if place >= len(theirs) or theirs[place] != text:
            return f"the session's market message {place} is not the tape's: {text[:200]}"
    if len(theirs) > len(ours) and market.messages[len(ours)].time <= last and first is not None:
        return f"the session lacks the tape's market message {len(ours)}: {theirs[len(ours)][:200]}"
    return None


# --- the command ---------------------------------------------------------------------------------


class FullTape(Tape):
    """A tape's text with the lines of its header."""

    def __init__(self, path):
        self.lines = defaultdict(list)
        super().__init__(path)

    def header(self, line):
        """One line of the header."""
        word, _, value = line.partition(" ")
        self.lines[word].append(value)
        super().header(line)

    def setting(self, key):
        """A setting of the effective configuration that stands in the header."""
        for line in self.lines["config"]:
            name, _, value = line.partition(": ")
            if name == key:
                return value.strip('"')
        raise BadInput(f"the session's header has no setting {key}")


def run(command, output):
    """Run the program, its output to a file."""
    with open(output, "wb") as target:
        result = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, check=False)
    if result.returncode:
        raise BadInput(result.stderr.decode(errors="replace").strip() or f"{command[1]} failed")


def prepare(options, folder):
    """Make the texts with the program."""
    files = [os.path.join(folder, name) for name in ("session", "csv", "market")]
    run([options.capstan, "tape", "cat", "--full", options.session], files[0])
    run([options.capstan, "report", options.database, "--csv", files[1]], os.devnull)
    if options.tape:
        run([options.capstan, "tape", "cat", "--full", options.tape], files[2])
    return files[0], files[1], files[2] if options.tape else None


def befores(options, folder):
    """The texts of the tapes before."""
    for number, path in enumerate(options.before):
        run([options.capstan, "tape", "cat", "--full", path], os.path.join(folder, f"before-{number}"))
    return options.before_text + [os.path.join(folder, f"before-{number}") for number in range(len(options.before))]


def folded(tape, before):
    """A tape's session, after those on the tapes before."""
    return Session(tape, read_duration(tape.setting("store.sample")), before)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("session", nargs="?", help="the session's tape, with --capstan")
    parser.add_argument("database", nargs="?", help="the run database, with --capstan")
    parser.add_argument("--capstan", help="the program")
    parser.add_argument("--tape", help="the tape that was replayed")
    parser.add_argument("--before", action="append", default=[], metavar="TAPE",
                        help="a session's tape that this one goes on from, the first of the chain first")
    parser.add_argument("--before-text", action="append", default=[], metavar="FILE", help="the text of such a tape")
    parser.add_argument("--session-text", help="the session's text")
    parser.add_argument("--tape-text", help="the text of the tape that was replayed")
    parser.add_argument("--csv", help="the folder of the report's CSV files")
    parser.add_argument("--live", action="store_true", help="a live session kept the database: it counts messages of the "
                        "last session on the tape")
    parser.add_argument("--run", default="A", help="which run of the report (A)")
    parser.add_argument("--show", type=int, default=5, help="differences to show of each table (5)")
    options = parser.parse_args()
    prepared = options.session_text and options.csv
    if not prepared and not (options.capstan and options.session and options.database):
        parser.error("give --capstan PROGRAM SESSION.tape RUN.db, or --session-text and --csv")
    try:
        with tempfile.TemporaryDirectory() as folder:
            text, tables, market_text = ((options.session_text, options.csv, options.tape_text) if prepared
                                         else prepare(options, folder))
            tape = FullTape(text)
            market = FullTape(market_text) if market_text else None
            session = None
            for path in befores(options, folder):
                session = folded(FullTape(path), session)
            session = folded(tape, session)
            wrong = compare_market(tape, market, session.first, session.last) if market else None
            if wrong:
                print(f"DIFFERENCE {wrong}")
            agrees = Comparison(Expected(session, tape, market, options.live), tables, options.run).report(options.show)
    except (BadInput, OSError, UnicodeDecodeError) as error:
        print(f"refreport: {error}", file=sys.stderr)
        return 2
    return 0 if agrees and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
