"""A session's text folded once into what a report tells, for scripts/refreport.py.

Written from docs/report.md, docs/store.md and the trading semantics alone. All numbers are integers and fractions.
"""

import bisect
from collections import Counter, defaultdict
from fractions import Fraction
from types import SimpleNamespace

from refsim import LocalView
from refsim_money import Position
from refsim_text import (ANSWERS, ASK, BID, BUY, BadInput, MARKET, NANOSECONDS, book_lost,
                         half_even)

HORIZONS = (("at the fill", 0), ("0.1 s", NANOSECONDS // 10), ("1 s", NANOSECONDS), ("10 s", 10 * NANOSECONDS),
            ("60 s", 60 * NANOSECONDS))
WAIT = NANOSECONDS  # for messages that are still on their way
FINEST = Fraction(1, 10**18)  # of money
ENDS = {"order_cancelled": "cancelled", "order_rejected": "rejected", "order_expired": "expired"}
STOPPING = ("pause", "cancel_all")  # states of a breaker in which nothing is placed
OF_BOOKS = ("depth", "snapshot", "top", "feed_connection")
# Gates of a whole instrument; the others hold back a side, an order or what adds. `breaker` goes by the breaker's name.
WHOLE = ("shutdown", "paused", "unsynchronised", "stale", "not_trading", "warm_up", "unreconciled", "rate", "drawdown",
         "reference_rate", "infrastructure", "safety", "orders_stream")


def profit_asset(instrument):
    """The asset that an instrument's profit is in."""
    return instrument.settle if instrument.contract == "inverse" else instrument.quote


class Mids:
    """The engine's mid of one instrument by the venue's clock (rule 3; docs/report.md, "Which mid")."""

    def __init__(self):
        self.reached, self.told, self.doubled = [], [], []
        self.present = None

    def message(self, view, message):
        """After a message of depth or best prices, or one that loses the book."""
        self.note(view, message.time if message.venue_time is None else message.venue_time, message.time)

    def note(self, view, at, told):
        """What the view says now."""
        bid, ask = view.top[1:] if view.top else (view.book.best(BID), view.book.best(ASK))
        if not view.book.synchronised or bid is None or ask is None:
            self.present = None
        elif bid < ask:
            self.present = bid + ask
        # What a message that comes late changes stands behind what came before it.
        self.reached.append(max(at, self.reached[-1] if self.reached else at))
        self.told.append(told)
        self.doubled.append(self.present)

    def at(self, moment, inclusive):
        """Twice the mid that stood then; messages get a second to arrive."""
        find = bisect.bisect_right if inclusive else bisect.bisect_left
        place = min(find(self.reached, moment), bisect.bisect_right(self.told, moment + WAIT)) - 1
        return self.doubled[place] if place >= 0 else None


class Spell:
    """A time in which an order rested for one level."""

    def __init__(self, since, level, distance, leaves):
        self.since, self.level, self.distance = since, level, distance
        self.until = None
        self.rested, self.filled = leaves, 0

    @property
    def whole(self):
        """All that could have filled did."""
        return self.filled == self.rested

    def show(self, leaves):
        """That much is left: a size that grows adds to what could have filled."""
        self.rested = max(self.rested, self.filled + leaves)


class Order:
    """One of our orders, by what was sent and what was told."""

    def __init__(self, fields, instrument):
        self.instrument = instrument
        self.side = fields["side"]
        self.left = self.quantity = instrument.quantity(fields["quantity"])
        self.level, self.distance = int(fields["level"]), int(fields["distance"])
        self.change = None  # the fields of a modify that is on its way
        self.spells = []
        self.outcome = None
        self.ended = False  # and that by what the engine made of it: nothing that comes later changes it
        self.owes = False  # the venue says that it is over, and fewer fills were told than that takes
        self.placed = False  # the venue told that it had it
        self.unknown = False  # whether it rests is asked
        self.asked = 0  # when that began, or anything else was asked for later
        self.not_found = 0  # times since that the venue did not know it

    @property
    def spell(self):
        """The one that goes on."""
        return self.spells[-1] if self.spells and self.spells[-1].until is None else None

    def begin(self, now):
        """The venue has it."""
        self.placed, self.unknown = True, False
        if not self.spells:
            self.spells.append(Spell(now, self.level, self.distance, self.quantity))

    def move(self, now, level, distance, leaves):
        """From now on it rests for a level."""
        if self.spell and self.spell.level == level:
            self.spell.show(leaves)
        else:
            self.stop(now)
            self.spells.append(Spell(now, level, distance, leaves))
        self.left = leaves

    def show(self, now, leaves, done):
        """The venue shows what rests; done: as the change on its way has it."""
        self.begin(now)
        if done and self.change:
            self.move(now, int(self.change["level"]), int(self.change["distance"]), leaves)
            self.change = None
        else:
            self.spells[-1].show(leaves)
            self.left = leaves

    def stop(self, now):
        """The spell ends."""
        if self.spell:
            self.spell.until = now

    def end(self, now, outcome):
        """The engine has it for over."""
        if not self.ended and (self.outcome is None or self.owes):
            self.outcome, self.ended, self.owes = outcome, True, False
            self.placed |= outcome != "not_found"
            self.stop(now)

    def ask(self, now):
        """Nobody knows whether it rests, from now on."""
        if not self.unknown:
            self.unknown, self.asked, self.not_found = True, now, 0

    def lost(self, now, looked):
        """The venue does not know it: that ends it after 5 s and twice (rule 28)."""
        self.not_found += 1
        if self.unknown and self.not_found >= 2 and looked - self.asked >= 5 * NANOSECONDS:
            self.end(now, "not_found")

    def told_over(self, now, outcome, leaves):
        """The venue says that it is over; where more filled than was told those fills are still to come."""
        if self.ended or self.outcome and not self.owes:
            return
        owes = not self.owes and leaves is not None and leaves < self.left
        self.owes = owes
        if outcome:
            self.outcome = outcome
        elif not owes:
            self.end(now, "cancelled")
        self.stop(now)


class Latencies:
    """Time from a decision to the first answer."""

    def __init__(self):
        self.open = defaultdict(list)  # order: (request, sent)
        self.times = defaultdict(list)

    def sent(self, kind, order, now):
        """A request leaves."""
        self.open[order].append((kind, now))

    def answer(self, venue, message, order):
        """What is told of an order answers the requests that it can answer."""
        left = []
        for kind, sent in self.open.pop(order, ()):
            if message.kind in ANSWERED_BY[kind]:
                self.times[venue, kind].append(message.time - sent)
            else:
                left.append((kind, sent))
        if left:
            self.open[order] = left


# What only the venue can have caused, and answers that request; a query's answers and "unknown" are none.
TO_A_NEW_ORDER = ("order_accepted", "order_rejected", "order_filled", "order_cancelled", "order_expired")
ANSWERED_BY = {
    "place": TO_A_NEW_ORDER, "replace": TO_A_NEW_ORDER, "cancel": ("order_cancelled", "cancel_rejected"),
    "modify": ("order_modified", "modify_rejected"),
}


class Intervals:
    """Times in which something stood, by key."""

    def __init__(self):
        self.open = {}
        self.closed = []  # (key, since, until)

    def begin(self, key, now):
        """It stands from now on."""
        self.open.setdefault(key, now)

    def end(self, key, now):
        """It stood until now."""
        if key in self.open:
            self.closed.append((key, self.open.pop(key), now))

    def all(self, now):
        """Those that are over and those that go on, the latter until now; (key, since, until, over)."""
        return ([(*each, True) for each in self.closed] +
                [(key, since, now, False) for key, since in self.open.items()])


def union(spans):
    """The length of a union of spans."""
    length, end = 0, None
    for since, until in sorted(spans):
        if end is None or since > end:
            length += until - since
            end = until
        elif until > end:
            length += until - end
            end = until
    return length


class Session:
    """The fold of every message of a tape's text; `before`: that of the tape which it goes on from."""

    def __init__(self, tape, sample, before=None):
        self.tape, self.sample, self.earlier = tape, sample, before
        self.views = {name: LocalView(instrument) for name, instrument in tape.instruments.items()}
        self.mids = {name: Mids() for name in tape.instruments}
        self.positions = {name: Position(instrument) for name, instrument in tape.instruments.items()}
        self.fills, self.trades, self.orders = [], set(), {}
        self.held_since = None  # the start of the first tape of the chain
        self.told_before = []  # fills on tapes before
        self.before = {}  # what each instrument began with
        self.latencies = Latencies()
        self.breakers, self.gates = Intervals(), Intervals()
        self.counts, self.counts_of_last = Counter(), Counter()  # of messages; of those of the last session
        self.blocked = Counter()  # how often each gate blocked, in the times that are over
        self.blocking = {}  # and at the beginning of a time that goes on
        self.unsure = set()  # of which a session's end told no number
        self.shared = set()  # gates that block since the tape before
        self.before_it = Counter()  # of what they told at their end, how much may have been counted there
        self.inventory, self.equity = [], []
        self.first = self.last = self.next_sample = None
        self.finals, self.start = {}, None
        self.ends = []  # of sessions
        self.warm = False  # the session of the tape before goes on: its engine knows what it knew
        if before:
            self.follow(before)
        for message in tape.messages:
            self.message(message)
        self.finish()

    def follow(self, before):
        """What goes over to the next tape: positions, money, what was filled, breakers; and where the session goes on, the
        view of the market and the gates that block."""
        if set(before.tape.instruments) != set(self.tape.instruments):
            raise BadInput("the tapes are not of the same instruments")
        epoch = next((message.fields()["epoch"] for message in self.tape.messages if message.kind == "start"), None)
        self.warm = epoch == before.start["epoch"]
        self.positions, self.trades = before.positions, before.trades
        self.told_before, self.held_since = before.told_before + before.fills, before.held_since
        self.breakers.open = dict(before.breakers.open)
        if self.warm:
            self.views, self.shared = before.views, set(before.gates.open)
        for name, view in self.views.items():
            view.funded = before.views[name].funded

    # --- one message ------------------------------------------------------------------------------

    def message(self, message):
        """One message, in the order of the tape."""
        kind = message.kind
        if kind == "adopt" or kind == "predecessor" and not self.earlier:
            raise BadInput(f"line {message.index}: {kind}: " + (
                "a session that adopts is not read" if kind == "adopt" else "give the tapes before this one (--before)"))
        if kind in ("predecessor", "carry"):
            return
        if kind == "start":
            self.begin(message)
        if self.first is not None:
            self.sample_until(message.time)
            self.last = message.time
        if kind in MARKET:
            self.market(message)
        elif kind == "tick":
            self.count("ticks")
        elif kind == "start":
            self.count("starts")
        elif kind in DECISIONS:
            self.count("decisions")
            DECISIONS[kind](self, message, message.fields())
        else:
            self.count("answers")
            if kind == "open_order" and message.fields()["order"] in self.orders:
                self.orders[message.fields()["order"]].placed = True
            if kind in ANSWERS:
                self.answer(message, message.fields())

    def count(self, what):
        """One message more of a kind, from the start on."""
        if self.first is not None:
            self.counts[what] += 1
            self.counts_of_last[what] += 1

    def end_of(self, moment):
        """When the session ended in which that moment was."""
        return next((end for end in self.ends if moment <= end), self.last)

    def begin(self, message):
        """An engine starts here; the first start is the run's beginning. Between two sessions nothing is measured, and what
        blocked has ended."""
        if self.first is None:
            self.first = message.time
            self.begin_run()
        else:
            self.ends.append(self.last)
            for key in list(self.gates.open):
                self.gates.end(key, self.last)
            for key, blocked in self.blocking.items():
                self.blocked[key] += blocked
                self.unsure.add(key)
            self.blocking.clear()
            for name, view in self.views.items():  # it knows nothing of the market yet, and no mid of the session before
                self.mids[name] = Mids()
                self.views[name] = LocalView(view.instrument)
                self.views[name].funded = view.funded
        for name, view in self.views.items():
            self.mids[name].note(view, message.time, message.time)
        self.start, self.counts_of_last = message.fields(), Counter()
        self.next_sample = (message.time // self.sample + 1) * self.sample

    def begin_run(self):
        """The first start: what the run begins with, and its first points."""
        self.held_since = self.first if self.held_since is None else self.held_since
        for key in self.shared:
            self.gates.begin(key, self.first)
            self.blocking[key] = 0
        assets = []
        for name, instrument in self.tape.instruments.items():
            self.before[name] = (self.profit(name, self.first), self.positions[name].held)
            self.inventory.append((self.first, name, self.positions[name].held))
            if profit_asset(instrument) not in assets:
                assets.append(profit_asset(instrument))
        self.equity += [(self.first, asset, Fraction(0)) for asset in assets]

    def market(self, message):
        """Books, best prices, marks and funding; before the start they only build books."""
        self.count("market")
        if self.first is None and self.warm:  # it tells what is known
            return
        names = [message.stream] if message.stream in self.views else []
        if message.kind == "feed_connection":
            venue = message.fields()["venue"]
            names = [name for name, view in self.views.items() if view.instrument.venue == venue]
        for name in names:
            view = self.views[name]
            view.message(message)
            if message.kind in OF_BOOKS or book_lost(message):
                self.mids[name].message(view, message)

    # --- what was decided -------------------------------------------------------------------------

    def place(self, message, fields):
        """A new order."""
        order = self.orders[fields["order"]] = Order(fields, self.tape.instruments[message.stream])
        order.asked = message.time
        self.latencies.sent(message.kind, fields["order"], message.time)

    def cancel(self, message, fields):
        """A cancel leaves."""
        if fields["order"] in self.orders:
            self.orders[fields["order"]].asked = message.time
        self.latencies.sent("cancel", fields["order"], message.time)

    def modify(self, message, fields):
        """A change leaves: it is done when the venue says so, or a fill at its price shows it."""
        order = self.orders.get(fields["order"])
        if order:
            order.change, order.asked = fields, message.time
        self.latencies.sent("modify", fields["order"], message.time)

    def query(self, message, fields):
        """The first question about an order."""
        if fields["order"] in self.orders:
            self.orders[fields["order"]].ask(message.time)

    def learned(self, message, fields):
        """Tells when an order is kept for another level."""
        order = self.orders.get(fields["order"])
        if order and order.spell and not order.change and fields["next"] != fields["level"]:
            order.move(message.time, int(fields["next"]), None, order.left)

    def gate(self, message, fields):
        """A gate begins or ceases to block."""
        key = message.stream, fields["gate"]
        begins = fields["blocking"] == "yes"
        if begins:
            self.blocking[key] = int(fields["blocked"])
        else:
            self.blocked[key] += int(fields["blocked"])
            if key in self.shared:
                self.before_it[key] = int(fields["blocked"])
                self.shared.discard(key)
            self.blocking.pop(key, None)
        (self.gates.begin if begins else self.gates.end)(key, message.time)

    def breaker(self, message, fields):
        """A breaker changes its state."""
        for key in [key for key in self.breakers.open if key[:2] == (message.stream, fields["breaker"])]:
            self.breakers.end(key, message.time)
        if fields["state"] != "clear":
            self.breakers.begin((message.stream, fields["breaker"], fields["state"]), message.time)

    def final_position(self, message, fields):
        """What the run says of its end; compared with the fold's own."""
        self.finals[message.stream] = fields

    def nothing(self, message, fields):
        """A decision that no table tells of, but for its number."""

    # --- what was told ----------------------------------------------------------------------------

    def answer(self, message, fields):
        """An answer about an order."""
        name, order = fields["order"], self.orders.get(fields["order"])
        venue = self.tape.instruments[message.stream].venue
        if message.kind == "order_filled":
            if (venue, fields["trade"]) in self.trades:  # a query tells it again
                return
            self.trades.add((venue, fields["trade"]))
            self.fill(message, fields, order)
        self.latencies.answer(venue, message, name)
        if order:
            self.life(message, fields, order)

    def life(self, message, fields, order):
        """What an answer means for the order's life."""
        now, kind = message.time, message.kind
        if kind == "order_accepted":
            order.begin(now)
        elif kind == "order_modified":
            order.show(now, order.instrument.quantity(fields["leaves"]), True)
        elif kind == "order_status":
            self.status(now, fields, order)
        elif kind == "modify_rejected":
            order.change = None
        elif kind in ENDS:
            order.placed |= kind != "order_rejected"
            order.told_over(now, ENDS[kind], order.instrument.quantity(fields.get("leaves", "absent")))
        elif kind == "order_unknown":
            order.ask(now)
        elif kind == "order_not_found":
            order.lost(now, now if message.venue_time is None else min(now, message.venue_time))

    @staticmethod
    def status(now, fields, order):
        """A query's answer: it rests, maybe as a change has it whose answer was lost, or it has ended."""
        leaves = order.instrument.quantity(fields["leaves"])
        if leaves == 0:
            order.told_over(now, None, leaves)
        elif leaves is not None:
            order.show(now, leaves, order.change and (fields["price"], fields["leaves"]) == (
                order.change["price"], order.change["leaves"]))

    def fill(self, message, fields, order):
        """A fill moves the position, and belongs to the level for which its order rested."""
        instrument = self.tape.instruments[message.stream]
        price, quantity = instrument.price(fields["price"]), instrument.quantity(fields["quantity"])
        fill = SimpleNamespace(
            instrument=message.stream, side=fields["side"], price=price * instrument.price_unit,
            quantity=quantity * instrument.quantity_unit, fee=Fraction(fields["fee"]), fee_asset=fields["fee_asset"],
            price_units=price, told=message.time, mids=self.mids[message.stream], cause=fields["cause"], liquidity=fields["liquidity"], level=None,
            venue_time=message.time if message.venue_time is None else message.venue_time)
        if fill.fee and fill.fee_asset != profit_asset(instrument) and (
                instrument.contract != "spot" or fill.fee_asset != instrument.base):
            raise BadInput(f"line {message.index}: a fee in {fill.fee_asset} is not read")
        self.positions[message.stream].apply(fill)
        self.fills.append(fill)
        self.inventory.append((message.time, message.stream, self.positions[message.stream].held))
        if order:
            fill.level = self.fill_of(message, fields, order, quantity)

    @staticmethod
    def fill_of(message, fields, order, quantity):
        """The level of a fill; a fill before the acceptance shows that the order rested, one at the price of a change
        that was not confirmed shows that it was done."""
        leaves = order.instrument.quantity(fields["leaves"])
        if leaves is None:  # a venue that does not tell it
            leaves = max(order.left - quantity, 0)
        order.show(message.time, quantity + leaves, order.change and order.change["price"] == fields["price"])
        spell = order.spells[-1]
        spell.filled += quantity
        order.left = leaves
        if leaves == 0:
            order.end(message.time, "filled")
            order.stop(message.time)
        return spell.level

    # --- profit over time -------------------------------------------------------------------------

    def profit(self, name, now):
        """(net, realised, unrealised, fees, funding, mark, stale) of an instrument."""
        view, position = self.views[name], self.positions[name]
        view.pass_time(now)
        position.funding = Fraction(0)
        for due, rate, mark in view.funded:
            if due >= self.held_since:
                position.fund(sum(f.quantity * (1 if f.side == BUY else -1) for f in self.told_before + self.fills
                                  if f.instrument == name and f.venue_time <= due), rate, mark)
        mark, stale = view.valued(now)
        unrealised = position.unrealised(mark)
        net = position.realised + unrealised - position.fees + position.funding
        return net, position.realised, unrealised, position.fees, position.funding, mark, stale

    def sample_until(self, now):
        """The sample that time has passed, of what stood after the message before it; of a longer silence the first alone."""
        if now >= self.next_sample:
            self.row(self.next_sample, self.last)
            self.next_sample = (now // self.sample + 1) * self.sample

    def row(self, at, valued, end=False):
        """A point of every instrument's position and of every asset's profit, but where a position has no mark."""
        net, unmarked = defaultdict(Fraction), set()
        for name, instrument in self.tape.instruments.items():
            self.inventory.append((at, name, self.positions[name].held))
            profit = self.profit(name, valued)
            net[profit_asset(instrument)] += profit[0] - self.before[name][0][0]
            if self.positions[name].held and profit[5] is None and not end:
                unmarked.add(profit_asset(instrument))
        for asset, value in net.items():
            if asset not in unmarked:
                self.equity.append((at, asset, value))

    def finish(self):
        """The end of the run."""
        if self.first is None:
            raise BadInput("the session has no start")
        self.ends.append(self.last)
        self.row(self.last, self.last, end=True)


DECISIONS = {
    "place": Session.place, "replace": Session.place, "cancel": Session.cancel, "modify": Session.modify,
    "learned": Session.learned, "gate": Session.gate, "breaker": Session.breaker,
    "final_position": Session.final_position, "query": Session.query,
}
for _kind in ("removed", "pause", "learning", "risk_mark", "final_balance", "shutdown_state",
              "request_snapshot", "infrastructure", "alarm", "cancel_orphan", "step_failed", "unconfirmed",
              "final_counters", "funding_booked", "adopted"):
    DECISIONS[_kind] = Session.nothing


def worth_of(fill, instrument, price=None):
    """What a fill is worth at its price or another; of inverse contracts in coin, as far as money goes."""
    size, price = fill.quantity * instrument.multiplier, fill.price if price is None else price
    return half_even(size / price, FINEST) if instrument.contract == "inverse" else size * price


def gain_of(fill, mid, instrument):
    """What a fill gained at a mid, before fees."""
    gain = worth_of(fill, instrument, mid) - worth_of(fill, instrument)
    return gain if (fill.side == BUY) != (instrument.contract == "inverse") else -gain


__all__ = ["HORIZONS", "STOPPING", "Session", "WHOLE", "gain_of", "profit_asset", "union", "worth_of"]
