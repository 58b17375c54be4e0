#!/usr/bin/env python3
"""A second, slow simulated venue, to disagree with the first.

It is written from the rules alone (the trading semantics, cited here as "rule 4"), never from the C
source, and shares no code with it. Of a replay it takes the tape's text, the settings and what the
engine sent and when; it works out each answer, each fill and the end by itself and compares them
with the journal, one by one. Integers and fractions only.

    refsim.py --capstan PROGRAM TAPE [-c CONFIG] [--set K=V]... [--from T] [--to T]
    refsim.py --tape-text FILE --journal FILE --config FILE [--from T] [--to T]

The prepared files are what these commands print: tape cat --full; replay --journal, or tape cat of
the session that replay --tape recorded, which has the account snapshots too; config show.
Exit status: 0 all agrees, 1 a difference, 2 bad input.
"""

import argparse
import bisect
import copy
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from fractions import Fraction

sys.dont_write_bytecode = True  # the source may be read-only
from refsim_money import Position
from refsim_text import (ASK, BID, BUY, BadInput, Journal, MARKET, Message, NANOSECONDS, Settings,
                         Tape, account_of, book_lost, read_time, show_money, show_time)
from refsim_venue import Answer, Book, Venue

MARK_AGE = 5 * NANOSECONDS  # rule 14


# --- the account ---------------------------------------------------------------------------------


class LocalView:
    """What the engine knows of one instrument, by ts_local, for the mark (rules 3 and 14)."""

    def __init__(self, instrument):
        self.instrument = copy.copy(instrument)  # as the engine knows it
        self.book = Book()
        self.sequence = 0
        self.top = None  # (sequence, bid, ask)
        self.book_time = None  # of the newest message of depth or best prices
        self.two_sided = False  # both best prices are there, and not crossed
        self.mark = None  # (order on the tape, price, time)
        self.mid = None  # the same, the last there was
        self.mid_stood = 0  # until when that was a mark, where it is none any more
        self.funding = {}  # due: rate
        self.funded = []  # (due, rate, mark)

    def pass_time(self, now):
        """Rule 15: at its time, with the mark of that time."""
        for due in sorted(self.funding):
            if due <= now:
                rate = self.funding.pop(due)
                mark, _ = self.valued(due)
                if mark is not None:
                    self.funded.append((due, rate, mark))

    def message(self, message):
        """One market message."""
        self.pass_time(message.time - 1)
        stood = self.mid_until()
        self.change(message)
        if stood and not self.mid_until():
            self.mid_stood = min(stood, message.time)

    def mid_until(self):
        """Until when the mid is a mark if nothing comes; 0 where the book has none."""
        return self.book_time + MARK_AGE if self.book.synchronised and self.two_sided else 0

    def change(self, message):
        """What a market message changes."""
        if message.kind == "funding":
            fields = message.fields()
            due = read_time(fields["due"])
            self.funding = {due: Fraction(fields["rate"])}
        elif message.kind == "definition":
            self.instrument.update(message.fields())
        elif message.kind == "mark":
            price = self.instrument.price(message.fields()["price"])
            if price is not None and price > 0:
                self.mark = (message.index, price * self.instrument.price_unit, message.time)
        elif book_lost(message):
            self.book.clear()
            self.top = None
        elif message.kind == "snapshot":
            self.book.snapshot(self.on_tick(message))
            self.depth(message)
        elif message.kind == "depth" and self.book.synchronised:
            for side, price, quantity, _, _ in self.on_tick(message):
                self.book.set(side, price, quantity)
            self.depth(message)
        elif message.kind == "top":
            # Any top makes the book young, also one that changes nothing (rule 14).
            best = {row[0]: row[1] for row in self.on_tick(message) if row[2] > 0}
            if message.sequence > self.sequence or not self.sequence:
                self.top = (message.sequence, best.get(BID), best.get(ASK))
            self.renew(message)

    def on_tick(self, message):
        """Rows that the engine's book takes: those on the present tick."""
        return [row for row in message.rows(self.instrument) if row[1] % self.instrument.tick == 0]

    def depth(self, message):
        """Depth as new as the top view replaces it."""
        self.sequence = message.sequence
        if self.top and message.sequence >= self.top[0]:
            self.top = None
        self.renew(message)

    def renew(self, message):
        """The mid of the top view, while the book is synchronised."""
        self.book_time = message.time
        if not self.book.synchronised:
            return
        bid, ask = self.top[1:] if self.top else (self.book.best(BID), self.book.best(ASK))
        self.two_sided = bid is not None and ask is not None and bid < ask
        if self.two_sided:
            price = Fraction(bid + ask, 2) * self.instrument.price_unit
            self.mid = (message.index, price, message.time)

    def valued(self, now):
        """(mark, stale): the venue's if younger than 5 s (perpetuals), else the mid of a
        synchronised, uncrossed book younger than 5 s, else the one of the two that was a mark
        last, flagged, whatever became of its source."""
        venue = self.mark if self.instrument.contract != "spot" else None
        if venue and now - venue[2] < MARK_AGE:
            return venue[1], False
        if now < self.mid_until():
            return self.mid[1], False
        if venue and (not self.mid or venue[2] + MARK_AGE >= (self.mid_until() or self.mid_stood)):
            return venue[1], True
        return (self.mid[1] if self.mid else None), True


# --- comparison ----------------------------------------------------------------------------------


class Reference:
    """The whole prediction of one replay."""

    def __init__(self, tape, journal, settings, stop=None):
        self.tape, self.journal, self.settings = tape, journal, settings
        market = [message for message in tape.messages if message.kind in MARKET]
        if not market:
            raise BadInput("the tape has no market message")
        self.end = market[-1].time
        names = sorted({instrument.venue for instrument in tape.instruments.values()})
        self.venues = {name: Venue(name, tape, journal, settings, stop) for name in names}
        self.late = 0
        self.answers = {}
        for name, venue in self.venues.items():
            self.answers[name] = [a for a in venue.answers if a.time <= self.end]
            self.late += len(venue.answers) - len(self.answers[name])

    def ends(self):
        """Positions (with mark and staleness) and balances at the end."""
        views = {name: LocalView(i) for name, i in self.tape.instruments.items()}
        for message in self.tape.messages:
            if message.kind == "feed_connection":  # of a venue, whatever stream it stands in
                for view in views.values():
                    if view.instrument.venue == message.fields()["venue"]:
                        view.message(message)
            elif message.stream in views:
                views[message.stream].message(message)
        positions = {name: Position(i) for name, i in self.tape.instruments.items()}
        balances = {name: defaultdict(Fraction, self.settings.balances(name))
                    for name in self.venues}
        for name, answers in self.answers.items():
            for answer in answers:
                if answer.fill:
                    self.book_fill(positions[answer.instrument], balances[name], answer.fill)
        for name, view in views.items():
            view.pass_time(self.end)
            fills = [a.fill for a in self.answers[view.instrument.venue]
                     if a.fill and a.instrument == name]
            for due, rate, mark in view.funded:
                paid = positions[name].fund(sum(f.quantity * (1 if f.side == BUY else -1)
                                                for f in fills if f.venue_time <= due), rate, mark)
                if paid:
                    balances[view.instrument.venue][view.instrument.settle] += paid
        marks = {name: view.valued(self.end) for name, view in views.items()}
        return positions, marks, balances

    @staticmethod
    def book_fill(position, balance, fill):
        """A fill moves base, quote and fee (rule 9), or what it realises and its fee."""
        instrument, before = position.instrument, position.realised
        position.apply(fill)
        balance[fill.fee_asset] -= fill.fee
        if instrument.contract == "spot":
            sign = 1 if fill.side == BUY else -1
            balance[instrument.base] += sign * fill.quantity
            balance[instrument.quote] -= sign * fill.value
        else:
            balance[instrument.settle] += position.realised - before


class Comparison:
    """Prediction against journal."""

    def __init__(self, reference):
        self.reference = reference
        self.differences = []  # (time, title, lines)
        self.counts = defaultdict(Counter)
        self.orders()
        self.order_of_answers()
        self.positions_and_balances()

    @staticmethod
    def plain(message):
        """A journal's answer without the identifiers that no rule gives."""
        words = [word for word in message.text.split()
                 if not word.startswith(("venue_order=", "trade="))]
        return " ".join(words)

    def orders(self):
        """The answers to each order, one by one; account snapshots alike."""
        reference = self.reference
        ours, theirs = defaultdict(list), defaultdict(list)
        for answers in self.reference.answers.values():
            for answer in answers:
                ours[answer.order].append(answer)
        for message in self.reference.journal.answers:
            theirs[message.about].append(message)
        named = defaultdict(set)  # what each of the venue's ids names
        for order in sorted(ours.keys() | theirs.keys()):
            mine, their = ours[order], theirs[order]
            for place in range(max(len(mine), len(their))):
                left = mine[place] if place < len(mine) else None
                right = their[place] if place < len(their) else None
                if not left or not right or left.text != self.plain(right):
                    self.differ(order, left, right)
                    break
                self.count(left)
                self.identifiers(named, left, right)
        for (venue, identifier), whats in sorted(named.items()):
            if len(whats) > 1:
                self.differences.append((reference.end, venue, None, [
                    f"{identifier} names several: {', '.join(sorted(map(str, whats)))}"]))

    def identifiers(self, named, mine, their):
        """No rule gives the venue's ids, but each names one thing, and each thing has one."""
        for message in their.rows_of or [their]:
            fields = message.fields()
            venue = self.venue_of(message.stream)
            for key, what in (("venue_order", fields.get("order")), ("trade", mine.trade)):
                if key in fields:
                    named[venue, f"{key} {fields[key]}"].add(what)
                    named[venue, f"{key} of {what}"].add(fields[key])

    def venue_of(self, stream):
        """The venue of an instrument."""
        instrument = self.reference.tape.instruments.get(stream)
        return instrument.venue if instrument else stream

    def count(self, answer):
        """An answer that agrees."""
        counts = self.counts[answer.instrument]
        counts["answers"] += 1
        counts[answer.kind] += 1
        counts["told again"] += answer.kind == "order_filled" and not answer.fill
        if answer.fill:
            counts["fills"] += 1
            counts[answer.text.split("cause=")[1].split()[0]] += 1

    def differ(self, order, mine, their):
        """The first difference of one order, with what was around."""
        first = min((x for x in (mine, their) if x), key=lambda x: x.time)
        instrument = first.instrument if isinstance(first, Answer) else first.stream
        moment = first.venue_time if first.venue_time is not None else first.time
        lines = [f"refsim:  {mine.text if mine else 'nothing'}",
                 f"journal: {self.plain(their) if their else 'nothing'}"]
        if mine and their and mine.kind == "account":
            lines = [" ".join(word if left == right else f"{left}!={right}" for word, left, right in [
                (left, left, right) for left, right in zip(mine.text.split(),
                                                           self.plain(their).split())])]
        if mine:
            lines.append(f"state before: {mine.state}")
        self.differences.append((moment, instrument, order, lines))

    def order_of_answers(self):
        """First in, first out: the answers of a venue in the same order."""
        if self.differences:
            return
        for name, answers in self.reference.answers.items():
            theirs = [m for m in self.reference.journal.answers
                      if self.venue_of(m.stream) == name
                      or m.about == account_of(name)]
            for mine, their in zip(answers, theirs):
                if mine.text != self.plain(their):
                    self.differences.append((mine.venue_time, mine.instrument, mine.order, [
                        "the same answers in another order", f"refsim:  {mine.text}",
                        f"journal: {self.plain(their)}"]))
                    break

    def positions_and_balances(self):
        """The end: final_position, final_balance."""
        reference = self.reference
        positions, marks, balances = reference.ends()
        for name, position in sorted(positions.items()):
            instrument = position.instrument
            mark, stale = marks[name]
            # The text has the instrument's price unit; the mid may lie halfway between two.
            shown = ("absent" if mark is None else
                     instrument.show_price(round(mark / instrument.price_unit)))
            mine = (f"{show_time(reference.end)} final_position {name} "
                    f"position={show_money(position.held)} "
                    f"realised={show_money(position.realised)} "
                    f"unrealised={show_money(position.unrealised(mark))} "
                    f"fees={show_money(position.fees)} "
                    f"funding={show_money(position.funding)} mark={shown} "
                    f"mark_stale={'yes' if stale else 'no'}")
            self.last(mine, reference.journal.positions.get(name), name)
        for venue, assets in sorted(balances.items()):
            for asset, total in sorted(assets.items()):
                mine = (f"{show_time(reference.end)} final_balance - venue={venue} asset={asset} "
                        f"total={show_money(total)}")
                self.last(mine, reference.journal.balances.get((venue, asset)), venue)
        for venue, asset in sorted(reference.journal.balances):
            if venue not in balances or asset not in balances[venue]:
                self.last("nothing", reference.journal.balances[(venue, asset)], venue)

    def last(self, mine, their, name):
        """One line of the end."""
        text = their.text if their else "nothing"
        if mine != text:
            self.differences.append((self.reference.end, name, None,
                                     [f"refsim:  {mine}", f"journal: {text}"]))
        else:
            self.counts[name]["ends"] += 1

    def report(self, limit):
        """Print counts, and the first differences; whether all agrees."""
        reference = self.reference
        total = Counter()
        for name, counts in sorted(self.counts.items()):
            total += counts
            if name in reference.tape.instruments:
                causes = ", ".join(f"{counts[cause]} {cause}"
                                   for cause in ("queue", "through", "cross", "take"))
                print(f"{name}: {counts['answers']} answers, {counts['fills']} fills ({causes})")
        for moment, instrument, order, lines in sorted(self.differences,
                                                       key=lambda d: (d[0], d[1]))[:limit]:
            print(f"DIFFERENCE {instrument} {order or 'at the end'}")
            for line in lines:
                print(f"    {line}")
            if order:
                self.around(moment, instrument, order)
        print(f"refsim: {len(reference.journal.requests)} requests, {total['answers']} answers, "
              f"{total['fills']} fills, {total['account']} snapshots, {total['told again']} fills "
              f"told again, {total['ends']} ends agree; "
              f"{len(self.differences)} differences; {reference.late} answers after the end")
        return not self.differences

    def around(self, moment, instrument, order):
        """The order's requests, the market messages around, and the state after the moment."""
        reference = self.reference
        if instrument not in reference.tape.instruments:
            return
        sent = [request for request in reference.journal.requests
                if order in (request.order, request.fields.get("replaces"))]
        for request in sent[:1] + sent[1:][-5:]:
            print(f"    sent: {request.text[:200]}")
        venue = reference.tape.instruments[instrument].venue
        happenings = [h for h in reference.venues[venue].happenings(
            reference.tape, reference.journal, reference.settings)
            if isinstance(h[3], Message) and h[3].stream == instrument]
        place = bisect.bisect_right([h[0] for h in happenings], moment)
        for time, _, _, message in happenings[max(0, place - 4):place + 2]:
            print(f"    at {show_time(time)}: {message.text[:300]}")
        stopped = Reference(reference.tape, reference.journal, reference.settings, moment)
        matching = stopped.venues[venue].matching[instrument]
        print(f"    after {show_time(moment)}:")
        for own in matching.orders.values():
            if own.state == "active" or own.id == order:
                print(f"        {matching.state(own)}")


# --- the command ---------------------------------------------------------------------------------


def run(command, output, most=0):
    """Run the program, its output to a file; its status, which may be up to `most`."""
    with open(output, "wb") as target:
        result = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, check=False)
    if not 0 <= result.returncode <= most:
        raise BadInput(result.stderr.decode(errors="replace").strip() or f"{command[1]} failed")
    return result.returncode


def prepare(options, folder):
    """Make the three texts with the program."""
    files = [os.path.join(folder, name) for name in ("tape", "session", "config", "session.tape")]
    settings = ["-c", options.config] if options.config else []
    for change in options.set:
        settings += ["--set", change]
    bounds = []
    if options.from_time:
        bounds += ["--from", options.from_time]
    if options.to_time:
        bounds += ["--to", options.to_time]
    run([options.capstan, "tape", "cat", "--full", options.tape], files[0])
    # Status 1: an invariant was violated; what was recorded is compared all the same.
    if run([options.capstan, "replay", options.tape, *settings, *bounds, "--tape", files[3]],
           os.devnull, most=1):
        print("refsim: the replay violated an invariant of its own")
    run([options.capstan, "tape", "cat", files[3]], files[1])
    run([options.capstan, "config", "show", *settings], files[2])
    return files[:3]


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("tape", nargs="?", help="a tape, with --capstan")
    parser.add_argument("--capstan", help="the program")
    parser.add_argument("-c", "--config", help="settings; without --capstan: of `config show`")
    parser.add_argument("--set", action="append", default=[], metavar="K=V")
    parser.add_argument("--from", dest="from_time", metavar="T")
    parser.add_argument("--to", dest="to_time", metavar="T")
    parser.add_argument("--tape-text", help="a tape's text")
    parser.add_argument("--journal", help="a replay's journal")
    parser.add_argument("--show", type=int, default=5, help="differences to show (5)")
    options = parser.parse_args()
    prepared = options.tape_text and options.journal and options.config
    if not prepared and not (options.capstan and options.tape):
        parser.error("give --capstan PROGRAM TAPE, or --tape-text, --journal and --config")
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = ((options.tape_text, options.journal, options.config) if prepared
                     else prepare(options, folder))
            last = read_time(options.to_time) if options.to_time else None
            tape = Tape(files[0], last)
            journal, settings = Journal(files[1], tape.instruments), Settings(files[2])
        agrees = Comparison(Reference(tape, journal, settings)).report(options.show)
    except (BadInput, OSError, UnicodeDecodeError) as error:
        print(f"refsim: {error}", file=sys.stderr)
        return 2
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
