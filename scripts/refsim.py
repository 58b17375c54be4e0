#!/usr/bin/env python3
"""A second, slow simulated venue, to disagree with the first.

It is written from the rules alone (the trading semantics, cited here as "rule 4"), never from the C
source, and shares no code with it. Of a replay it takes the tape's text, the settings and what the
engine sent and when; it works out each answer, each fill and the end by itself and compares them
with the journal, one by one. Integers and fractions only.

    refsim.py --capstan PROGRAM TAPE [-c CONFIG] [--set K=V]... [--from T] [--to T]
    refsim.py --tape-text FILE --journal FILE --config FILE [--from T] [--to T]

The prepared files are what these commands print: tape cat --full, replay --journal, config show.
Exit status: 0 all agrees, 1 a difference, 2 bad input.
"""

import argparse
import bisect
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from fractions import Fraction

sys.dont_write_bytecode = True  # the source may be read-only
from refsim_money import Fill, Position
from refsim_text import (ASK, BID, BUY, BadInput, Journal, MARKET, Message, NANOSECONDS,
                         Request, SELL, Settings, Tape, down, read_duration, read_time,
                         show_money, show_time)

MARK_AGE = 5 * NANOSECONDS  # rule 14
# At one venue time: trades, then the book, then our orders (rule 1).
RANK_TRADE, RANK_BOOK, RANK_OURS = 0, 1, 2


# --- the venue -----------------------------------------------------------------------------------


class Book:
    """The venue's own depth book of one instrument. Only depth changes it (rule 3), and what we
    take is gone until depth renews the level (rule 6)."""

    def __init__(self):
        self.synchronised = False
        self.quantity = {BID: {}, ASK: {}}
        self.prices = {BID: [], ASK: []}  # ascending
        self.worst = {BID: None, ASK: None}  # worst of the snapshot's own levels

    def clear(self):
        """No level is known."""
        self.__init__()

    def set(self, side, price, quantity):
        """Absolute quantity of a level."""
        levels = self.quantity[side]
        if quantity:
            if price not in levels:
                bisect.insort(self.prices[side], price)
            levels[price] = quantity
        elif price in levels:
            del levels[price]
            del self.prices[side][bisect.bisect_left(self.prices[side], price)]

    def snapshot(self, rows):
        """The whole shown book; held changes after its own levels."""
        self.clear()
        self.synchronised = True
        for side, price, quantity, own, _ in rows:
            self.set(side, price, quantity)
            worst = self.worst[side]
            if own and (worst is None or (price < worst if side == BID else price > worst)):
                self.worst[side] = price

    def shown(self, side, price):
        """Shown quantity at a price; None beyond the snapshot's depth (rule 4), which a side
        without levels of its own does not have, unless a level stands there: that depth told the
        price empty is not remembered."""
        worst = self.worst[side]
        beyond = worst is not None and (price < worst if side == BID else price > worst)
        return self.quantity[side].get(price, None if beyond else 0)

    def best(self, side):
        """Best price of a side, or None."""
        prices = self.prices[side]
        return (prices[-1] if side == BID else prices[0]) if prices else None

    def reaching(self, side, price):
        """Levels of a side that an opposite order at `price` can have, best first."""
        prices = self.prices[side]
        if side == ASK:
            return prices[:bisect.bisect_right(prices, price)]
        return prices[bisect.bisect_left(prices, price):][::-1]

    def take(self, side, price, quantity):
        """What we take of a level is gone."""
        left = self.quantity[side][price] - quantity
        if left:
            self.quantity[side][price] = left
        else:
            del self.quantity[side][price]
            self.prices[side].remove(price)


class Order:
    """One of our orders at the venue."""

    def __init__(self, request, side, price, quantity, post_only):
        self.id = request.order
        self.side, self.price, self.left = side, price, quantity
        self.post_only = post_only
        self.ahead = None
        self.arrival = 0
        self.fills = []
        self.state = "new"

    def depth_side(self):
        """The side of the book where it stands."""
        return BID if self.side == BUY else ASK

    def opposite(self):
        """The side of the book that it takes from."""
        return ASK if self.side == BUY else BID

    def reached_by(self, price):
        """Whether an opposite price is at its own or beyond."""
        return price <= self.price if self.side == BUY else price >= self.price


class Answer:
    """What the venue says, and when the engine hears it."""

    def __init__(self, time, venue_time, kind, instrument, order, text, state):
        self.time, self.venue_time, self.kind = time, venue_time, kind
        self.instrument, self.order, self.state = instrument, order, state
        self.fill = None
        self.text = (f"{show_time(time)} {kind} {instrument} venue_time={show_time(venue_time)} "
                     f"order={order}" + (f" {text}" if text else ""))


class Matching:
    """One instrument at the venue: its book and our orders, in venue time (rules 3 to 7)."""

    def __init__(self, instrument, cross, answer_latency, emit):
        self.instrument = instrument
        self.cross_fills = cross
        self.answer_latency = answer_latency
        self.emit = emit
        self.book = Book()
        self.orders = {}
        self.resting = []
        self.arrivals = 0
        self.trading = "open"
        self.now = 0

    # market

    def market(self, message):
        """One market message, at its venue time."""
        if message.kind == "trade":
            for aggressor, price, quantity, _, market in message.rows(self.instrument):
                if market and quantity > 0:
                    self.trade(aggressor, price, quantity)
        elif message.kind == "snapshot":
            rows = message.rows(self.instrument)
            self.book.snapshot(rows)
            self.after_depth(rows)
        elif message.kind == "depth":
            if self.book.synchronised:
                rows = message.rows(self.instrument)
                for side, price, quantity, _, _ in rows:
                    self.book.set(side, price, quantity)
                self.after_depth(rows)
        elif message.kind == "gap" or down(message):
            self.book.clear()
        elif message.kind == "instrument_status":
            self.trading = message.fields()["trading"]
        elif message.kind == "definition":
            self.instrument.update(message.fields())

    def matches(self):
        """Halted and cancel_only are what they say: nobody trades."""
        return self.trading in ("open", "post_only")

    def queue_order(self, side):
        """Our resting orders of a side by price, then arrival (rule 5)."""
        sign = -1 if side == BUY else 1
        orders = [order for order in self.resting if order.side == side]
        return sorted(orders, key=lambda order: (sign * order.price, order.arrival))

    def trade(self, aggressor, price, quantity):
        """Rules 4 and 5: at our price it eats what is ahead, then us; beyond, us at once. What
        one order got is not there for the next."""
        if not self.book.synchronised or not self.matches():
            return  # during a gap nothing fills
        unused = quantity
        for order in self.queue_order(BUY if aggressor == SELL else SELL):
            if not order.reached_by(price):
                break
            if order.price != price:
                order.ahead = 0
                cause, free = "through", unused
            elif order.ahead is None:
                continue
            else:
                cause, free = "queue", max(0, unused - order.ahead)
                order.ahead = max(0, order.ahead - unused)
            filled = min(order.left, free)
            if filled:
                unused -= filled
                self.fill(order, order.price, filled, cause, "maker")

    def after_depth(self, rows):
        """Rule 4: ahead = min(ahead, shown), where these rows tell of our price also beyond the
        snapshot. Rule 5: depth that reaches our price fills us."""
        told = {row[:2]: row[2] for row in rows} if self.resting else {}
        for order in self.resting:
            place = (order.depth_side(), order.price)
            shown = told.get(place, self.book.shown(*place))
            if shown is not None:
                order.ahead = shown if order.ahead is None else min(order.ahead, shown)
        if not self.cross_fills or not self.matches():
            return
        for side in (BUY, SELL):
            for order in self.queue_order(side):
                filled = self.consume(order)
                if sum(quantity for _, quantity in filled):
                    self.fill(order, order.price, sum(quantity for _, quantity in filled), "cross",
                              "maker")

    def consume(self, order):
        """Take from the opposite side what reaches the order; (price, quantity), best first."""
        taken, side, left = [], order.opposite(), order.left
        for price in self.book.reaching(side, order.price):
            if not left:
                break
            quantity = min(left, self.book.quantity[side][price])
            self.book.take(side, price, quantity)
            taken.append((price, quantity))
            left -= quantity
        return taken

    def fill(self, order, price, quantity, cause, liquidity):
        """One fill of an order."""
        show = self.instrument.show_quantity
        state = self.state(order)
        order.left -= quantity
        fill = Fill(self.instrument, order.side, price, quantity, liquidity)
        fill.venue_time = self.now
        order.fills.append(quantity)
        answer = self.answer(
            "order_filled", order.id,
            f"side={order.side} price={self.instrument.show_price(price)} "
            f"quantity={show(quantity)} leaves={show(order.left)} cause={cause} "
            f"liquidity={liquidity} fee={show_money(fill.fee)} fee_asset={fill.fee_asset}", state)
        answer.fill = fill
        if not order.left:
            order.state = "filled"
            if order in self.resting:
                self.resting.remove(order)

    # requests

    def request(self, request):
        """One of our requests, as it arrives."""
        order = self.orders.get(request.order)
        if request.kind == "place":
            self.place(request)
        elif request.kind == "cancel":
            self.cancel(request, order)
        elif request.kind == "modify":
            self.modify(request, order)
        elif order is None or order.state != "active":
            self.answer("order_not_found", request.order, "",
                        self.state(order) if order else "no such order")

    def place(self, request):
        """A new order (rule 6)."""
        fields = request.fields
        order = Order(request, fields["side"], self.instrument.price(fields["price"]),
                      self.instrument.quantity(fields["quantity"]), fields["post_only"] == "yes")
        self.orders[order.id] = order
        reason = self.refusal(order, fields["time_in_force"])
        if reason:
            order.state = "rejected"
            self.answer("order_rejected", order.id, f"reason={reason}", self.state(order))
            return
        self.answer("order_accepted", order.id, "", self.state(order))
        self.take(order)
        if order.left and fields["time_in_force"] == "gtc":
            self.rest(order)
        elif order.left:
            self.end(order, "unfilled")

    def refusal(self, order, time_in_force):
        """Why an order is refused, or None."""
        instrument = self.instrument
        if not self.matches():
            return "halted"
        if order.price is None or order.price <= 0:
            return "bad_price"
        if order.left is None or order.left <= 0:
            return "bad_quantity"
        if order.price % instrument.tick:
            return "off_tick"
        if order.left % instrument.lot:
            return "off_lot"
        if instrument.contract != "inverse":
            value = order.price * instrument.price_unit * order.left * instrument.quantity_unit
            if value * instrument.multiplier < instrument.minimum_notional:
                return "minimum_notional"
        if not self.book.synchronised:
            return "no_book"
        if order.post_only and self.crosses(order.side, order.price):
            return "post_only_would_cross"
        if time_in_force == "fok":
            levels = self.book.quantity[order.opposite()]
            reach = self.book.reaching(order.opposite(), order.price)
            if sum(levels[price] for price in reach) < order.left:
                return "fill_or_kill"
        return None

    def crosses(self, side, price):
        """Whether an order would take from the shown book."""
        best = self.book.best(ASK if side == BUY else BID)
        return best is not None and (best <= price if side == BUY else best >= price)

    def take(self, order):
        """Walk the shown levels at arrival (rule 6)."""
        for price, quantity in self.consume(order):
            self.fill(order, price, quantity, "take", "taker")

    def rest(self, order):
        """Join the queue behind what is shown (rule 4)."""
        self.arrivals += 1
        order.arrival = self.arrivals
        order.ahead = self.book.shown(order.depth_side(), order.price)
        order.state = "active"
        if order not in self.resting:
            self.resting.append(order)

    def end(self, order, cause):
        """An order ends without being filled whole."""
        order.state = "cancelled"
        if order in self.resting:
            self.resting.remove(order)
        self.answer("order_cancelled", order.id,
                    f"leaves={self.instrument.show_quantity(order.left)} cause={cause}",
                    self.state(order))

    def cancel(self, request, order):
        """A cancel ends what rests."""
        if order is not None and order.state == "active":
            self.end(order, "requested")
        else:
            self.refuse("cancel_rejected", request, order)

    def refuse(self, kind, request, order):
        """A cancel or a modify of an order that does not rest."""
        reason = "already_filled" if order is not None and order.state == "filled" else "not_found"
        self.answer(kind, request.order, f"reason={reason}",
                    self.state(order) if order else "no such order")

    def modify(self, request, order):
        """New leaves are a new total: less what was filled without the engine's knowledge. Smaller
        size keeps the place, a new price or larger size starts again (rule 4)."""
        if order is None or order.state != "active":
            self.refuse("modify_rejected", request, order)
            return
        price = self.instrument.price(request.fields["price"])
        left = self.instrument.quantity(request.fields["leaves"])
        left -= sum(order.fills[request.fills_known:])
        if left <= 0:
            self.answer("modify_rejected", order.id, "reason=already_filled", self.state(order))
            return
        if order.post_only and self.crosses(order.side, price):
            self.answer("modify_rejected", order.id, "reason=post_only_would_cross",
                        self.state(order))
            return
        again = price != order.price or left > order.left
        order.price, order.left = price, left
        self.answer("order_modified", order.id, f"price={self.instrument.show_price(price)} "
                    f"leaves={self.instrument.show_quantity(left)}", self.state(order))
        if again:
            self.take(order)
            if order.left:
                self.rest(order)

    # answers

    def answer(self, kind, order, text, state):
        """Say something: the engine hears it after the answer latency."""
        answer = Answer(self.now + self.answer_latency, self.now, kind, self.instrument.name, order,
                        text, state)
        self.emit(answer)
        return answer

    def state(self, order):
        """The order and the best levels, for a report."""
        price, show = self.instrument.show_price, self.instrument.show_quantity
        levels = []
        for side in (BID, ASK):
            best = self.book.best(side)
            levels.append("none" if best is None else
                          f"{price(best)}*{show(self.book.quantity[side][best])}")
        if order.price is None or order.left is None:
            return "order without numbers"
        shown = self.book.shown(order.depth_side(), order.price)
        return (f"{order.id} {order.side} {price(order.price)} left {show(order.left)} "
                f"{order.state} ahead "
                f"{'unknown' if order.ahead is None else show(order.ahead)}, shown there "
                f"{'unknown' if shown is None else show(shown)}, best {levels[0]} / {levels[1]}"
                + ("" if self.book.synchronised else ", no book"))


class Venue:
    """One venue: all that happens there, in its own time (rule 1)."""

    def __init__(self, name, tape, journal, settings, stop=None):
        self.name = name
        self.answers = []
        self.matching = {}
        latency = read_duration(settings.get("sim.answer_latency", name))
        cross = settings.get("sim.fill_on_cross", name) == "yes"
        for instrument in tape.instruments.values():
            if instrument.venue == name:
                self.matching[instrument.name] = Matching(instrument, cross, latency,
                                                          self.answers.append)
        for time, _, _, happening in self.happenings(tape, journal, settings):
            if stop is not None and time > stop:
                break
            for place in self.concerned(happening):
                place.now = time
                if isinstance(happening, Request):
                    place.request(happening)
                else:
                    place.market(happening)

    def concerned(self, happening):
        """Whom it concerns: one instrument, or all where the venue's feed went down."""
        if isinstance(happening, Request):
            return [self.matching[happening.instrument]]
        if happening.stream in self.matching:
            return [self.matching[happening.stream]]
        return self.matching.values()

    def here(self, message):
        """Whether a market message is this venue's."""
        if message.kind == "feed_connection":
            return message.fields()["venue"] == self.name
        return message.stream in self.matching and message.kind in MARKET and message.kind != "top"

    def happenings(self, tape, journal, settings):
        """Market messages and our requests by venue time; ties: trades, book, ours; then as they
        stand on the tape. A venue time is kept within [ts_local - sim.reorder, ts_local]; where it
        is absent it is ts_local less the feed floor."""
        reorder = read_duration(settings.get("sim.reorder"))
        entry = read_duration(settings.get("sim.entry_latency", self.name))
        result = []
        for message in tape.messages:
            if self.here(message):
                stamp = message.venue_time
                if stamp is None:
                    stamp = message.time - tape.feed_floor
                time = max(message.time - reorder, min(stamp, message.time))
                rank = RANK_TRADE if message.kind == "trade" else RANK_BOOK
                result.append((time, rank, message.index, message))
        for number, request in enumerate(journal.requests):
            if request.instrument in self.matching:
                result.append((request.sent + entry, RANK_OURS, number, request))
        result.sort(key=lambda entry: entry[:3])
        return result


# --- the account ---------------------------------------------------------------------------------


class LocalView:
    """What the engine knows of one instrument, by ts_local, for the mark (rules 3 and 14)."""

    def __init__(self, instrument):
        self.instrument = instrument
        self.book = Book()
        self.sequence = 0
        self.top = None  # (sequence, bid, ask)
        self.book_time = None  # of the newest message of depth or best prices
        self.two_sided = False  # both best prices are there, and not crossed
        self.mark = None  # (order on the tape, price, time)
        self.mid = None  # the same, the last there was
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
        elif message.kind == "gap" or down(message):
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
        synchronised, uncrossed book younger than 5 s, else the newest of what was last known of
        the two, flagged, whatever became of its source."""
        venue = self.mark if self.instrument.contract != "spot" else None
        if venue and now - venue[2] < MARK_AGE:
            return venue[1], False
        if self.book.synchronised and self.two_sided and now - self.book_time < MARK_AGE:
            return self.mid[1], False
        last = max((known for known in (venue, self.mid) if known), default=None)
        return (last[1] if last else None), True


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
            if message.stream in views:
                views[message.stream].message(message)
            elif message.kind == "feed_connection":
                for view in views.values():
                    if view.instrument.venue == message.fields()["venue"]:
                        view.message(message)
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
        """The answers to each order, one by one."""
        ours, theirs = defaultdict(list), defaultdict(list)
        for answers in self.reference.answers.values():
            for answer in answers:
                ours[answer.order].append(answer)
        for message in self.reference.journal.answers:
            theirs[message.fields()["order"]].append(message)
        for order in sorted(ours.keys() | theirs.keys()):
            mine, their = ours[order], theirs[order]
            for place in range(max(len(mine), len(their))):
                left = mine[place] if place < len(mine) else None
                right = their[place] if place < len(their) else None
                if not left or not right or left.text != self.plain(right):
                    self.differ(order, left, right)
                    break
                self.count(left)

    def count(self, answer):
        """An answer that agrees."""
        counts = self.counts[answer.instrument]
        counts["answers"] += 1
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
        if mine:
            lines.append(f"state before: {mine.state}")
        self.differences.append((moment, instrument, order, lines))

    def order_of_answers(self):
        """First in, first out: the answers of a venue in the same order."""
        if self.differences:
            return
        for name, answers in self.reference.answers.items():
            theirs = [m for m in self.reference.journal.answers
                      if self.reference.tape.instruments[m.stream].venue == name]
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
              f"{total['fills']} fills, {total['ends']} ends agree; "
              f"{len(self.differences)} differences; {reference.late} answers after the end")
        return not self.differences

    def around(self, moment, instrument, order):
        """The order's requests, the market messages around, and the state after the moment."""
        reference = self.reference
        for request in reference.journal.requests:
            if request.order == order:
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


def run(command, output):
    """Run the program, its output to a file."""
    with open(output, "wb") as target:
        result = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, check=False)
    if result.returncode != 0:
        raise BadInput(result.stderr.decode(errors="replace").strip() or f"{command[1]} failed")


def prepare(options, folder):
    """Make the three texts with the program."""
    files = [os.path.join(folder, name) for name in ("tape", "journal", "config", "result")]
    settings = ["-c", options.config] if options.config else []
    for change in options.set:
        settings += ["--set", change]
    bounds = []
    if options.from_time:
        bounds += ["--from", options.from_time]
    if options.to_time:
        bounds += ["--to", options.to_time]
    run([options.capstan, "tape", "cat", "--full", options.tape], files[0])
    run([options.capstan, "replay", options.tape, *settings, *bounds, "--journal", files[1]],
        files[3])
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
            tape, journal, settings = Tape(files[0], last), Journal(files[1]), Settings(files[2])
        agrees = Comparison(Reference(tape, journal, settings)).report(options.show)
    except (BadInput, OSError, UnicodeDecodeError) as error:
        print(f"refsim: {error}", file=sys.stderr)
        return 2
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
