#!/usr/bin/env python3
"""A second, slow simulated venue, to disagree with the first.

It is written from the rules alone (the trading semantics, cited here as "rule 4"), never from the C
source, and shares no code with it. Of a replay it takes the tape's text, the settings and what the
engine sent and when; it works out each answer, each fill and the end by itself and compares them with
the journal, one by one. Integers and fractions only.

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
from datetime import datetime, timezone
from fractions import Fraction

NANOSECONDS = 10**9
MARK_AGE = 5 * NANOSECONDS  # rule 14
COIN_UNIT = Fraction(1, 10**8)  # rule 11
ANSWERS = ("order_accepted", "order_rejected", "order_filled", "order_cancelled",
           "cancel_rejected", "order_modified", "modify_rejected", "order_expired",
           "order_unknown", "order_not_found")
REQUESTS = ("place", "cancel", "modify", "query")
ROWS = ("depth", "snapshot", "trade", "top")
BUY, SELL = "buy", "sell"
BID, ASK = "bid", "ask"
# At one venue time: trades, then the book, then our orders (rule 1).
RANK_TRADE, RANK_BOOK, RANK_OURS = 0, 1, 2


class BadInput(Exception):
    """What was given is no tape text, journal or configuration."""


# --- numbers and times -----------------------------------------------------------------------------


def read_time(text):
    """Nanoseconds since 1970 of RFC 3339 in UTC, or of a whole number of nanoseconds."""
    if text.isdigit():
        return int(text)
    if text == "never":
        return 2**63 - 1
    try:
        whole, _, fraction = text.rstrip("Z").partition(".")
        moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
        seconds = since.days * 86400 + since.seconds
        return seconds * NANOSECONDS + int((fraction + "0" * 9)[:9])
    except ValueError as error:
        raise BadInput(f"'{text}' is no time") from error


def show_time(nanoseconds):
    """RFC 3339 with nine decimals."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def read_duration(text):
    """Nanoseconds of 250ms, 1.5s, 0."""
    units = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(digits):]
    if unit not in units and text != "0":
        raise BadInput(f"'{text}' is no duration")
    return int(Fraction(digits) * units.get(unit, 1))


def show_money(value):
    """Exact decimal without trailing zeros; a fraction that has none shows as a fraction."""
    value = Fraction(value)
    scaled = value * 10**18
    if scaled.denominator != 1:
        return str(value)
    sign = "-" if scaled < 0 else ""
    whole, rest = divmod(abs(scaled.numerator), 10**18)
    text = f"{rest:018d}".rstrip("0")
    return f"{sign}{whole}" + (f".{text}" if text else "")


def power(exponent):
    """Ten to an exponent of either sign, exactly."""
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def toward_zero(value, unit):
    """Round to a whole number of units, toward zero (rules 10 and 11)."""
    count = abs(value) // unit
    return count * unit if value >= 0 else -count * unit


def half_even(value, unit):
    """Round to a whole number of units, halves to even (rule 11)."""
    return round(Fraction(value) / unit) * unit


def against_us(value, unit):
    """Round a fee up to a whole number of units (rule 9)."""
    return -((-value) // unit) * unit


# --- what is on the tape ---------------------------------------------------------------------------


class Instrument:
    """A definition: units, tick, lot, multiplier and fees."""

    def __init__(self, name, fields):
        self.name = name
        self.update(fields)

    def update(self, fields):
        """Take the fields of a definition, of the tape's header or of a message."""
        try:
            self.venue = fields["venue"]
            self.contract = fields["contract"]
            self.price_exponent = int(fields["price_exponent"])
            self.quantity_exponent = int(fields["quantity_exponent"])
            self.price_unit = power(self.price_exponent)
            self.quantity_unit = power(self.quantity_exponent)
            self.tick = int(fields["tick"])
            self.lot = int(fields["lot"])
            self.multiplier = int(fields["multiplier"]) * power(int(fields["multiplier_exponent"]))
            self.minimum_notional = Fraction(fields["minimum_notional"])
            self.fees = {"maker": Fraction(fields["maker_fee"]),
                         "taker": Fraction(fields["taker_fee"])}
            self.fee_rule = fields["fee_asset"]
            self.base_commission = power(int(fields["base_commission_exponent"]))
            self.quote_commission = power(int(fields["quote_commission_exponent"]))
            self.base, self.quote = fields["base"], fields["quote"]
            self.settle = fields["settle"]
        except (KeyError, ValueError) as error:
            raise BadInput(f"definition of {self.name}: {error}") from error

    def units(self, text, exponent):
        """A price's or quantity's text as whole units; None where it has no value."""
        whole, _, decimals = text.partition(".")
        if len(decimals) == -exponent and not decimals.startswith("-"):
            try:
                return int(whole + decimals)
            except ValueError:
                return None
        try:
            value = Fraction(text) / power(exponent)
        except ValueError:
            return None
        return value.numerator if value.denominator == 1 else None

    def price(self, text):
        """Price text to units."""
        return self.units(text, self.price_exponent)

    def quantity(self, text):
        """Quantity text to units."""
        return self.units(text, self.quantity_exponent)

    @staticmethod
    def show(count, exponent):
        """Units as text with as many decimals as the unit has."""
        if exponent >= 0:
            return str(count * 10**exponent)
        sign = "-" if count < 0 else ""
        whole, rest = divmod(abs(count), 10**-exponent)
        return f"{sign}{whole}.{rest:0{-exponent}d}"

    def show_price(self, units):
        """Price units as text."""
        return self.show(units, self.price_exponent)

    def show_quantity(self, units):
        """Quantity units as text."""
        return self.show(units, self.quantity_exponent)


class Message:
    """One line of canonical text."""

    __slots__ = ("index", "time", "kind", "stream", "sequence", "venue_time", "tokens", "text")

    def __init__(self, text, index):
        tokens = text.split()
        if len(tokens) < 3:
            raise BadInput(f"line {index}: no message: {text[:60]}")
        self.text = text
        self.index = index
        self.time = read_time_cached(tokens[0])
        self.kind = tokens[1]
        self.stream = tokens[2]
        self.sequence = 0
        self.venue_time = None
        place = 3
        while place < len(tokens):
            name, _, value = tokens[place].partition("=")
            if name == "sequence":
                self.sequence = int(value)
            elif name == "venue_time":
                self.venue_time = read_time_cached(value.removeprefix("estimated:"))
            elif tokens[place] != "more" and not (name == "channel" and value):
                break
            place += 1
        self.tokens = tokens[place:]

    def fields(self):
        """The fields of a record as a dictionary; quoted texts are cut at their blanks."""
        return dict(token.partition("=")[::2] for token in self.tokens)

    def rows(self, instrument):
        """Rows (side, price, quantity, own level of a snapshot, fills somebody), in units."""
        held, market, result = False, True, []
        tokens, count, place = self.tokens, len(self.tokens), 0
        while place < count:
            word = tokens[place]
            place += 1
            if word in ("held", "snapshot"):
                held = word == "held"
            elif word in (BID, ASK, BUY, SELL):
                price, _, quantity = tokens[place].partition("*")
                place += 1
                market = not (place < count and tokens[place] == "not_market")
                place += not market
                price, quantity = instrument.price(price), instrument.quantity(quantity)
                # A number without value is no level and no trade (DESIGN 5).
                if price is not None and quantity is not None and price > 0 and quantity >= 0:
                    result.append((word, price, quantity, not held, market))
                held = False
            else:
                raise BadInput(f"line {self.index}: '{word}' where a row was expected")
        return result


_times = {}


def read_time_cached(text):
    """The same for a text whose second was seen before."""
    second = text[:19]
    if len(text) == 30 and second in _times:
        return _times[second] + int(text[20:29])
    value = read_time(text)
    if len(text) == 30:
        _times[second] = value - value % NANOSECONDS
    return value


class Tape:
    """Tape text: header lines, then messages."""

    def __init__(self, path, last=None):
        self.feed_floor = 0
        self.instruments = {}
        self.messages = []
        with open(path, encoding="utf-8") as lines:
            if lines.readline().rstrip("\n") != "capstan-tape 1":
                raise BadInput(f"{path}: not a tape's text")
            for line in lines:
                line = line.rstrip("\n")
                if line == "messages":
                    break
                if line and not line.startswith("#"):
                    self.header(line)
            for index, line in enumerate(lines):
                if line.strip() and not line.startswith("#"):
                    message = Message(line.rstrip("\n"), index)
                    if last is not None and message.time > last:
                        break
                    self.messages.append(message)

    def header(self, line):
        """One header line."""
        word, _, value = line.partition(" ")
        if word == "feed_floor":
            self.feed_floor = read_duration(value)
        elif word == "instrument":
            name, _, rest = value.partition(" ")
            fields = dict(field.partition("=")[::2] for field in rest.split())
            self.instruments[name] = Instrument(name, fields)


MARKET = ROWS + ("definition", "instrument_status", "mark", "index_price", "funding", "gap",
                 "reference_rate", "open_interest", "feed_connection", "source_text",
                 "order_level")


class Settings:
    """The effective settings, as `capstan config show` prints them."""

    def __init__(self, path):
        self.top = {}
        self.venues = defaultdict(dict)
        section = name = None
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                body = line.split("#")[0].rstrip() if line.lstrip().startswith("#") else line.rstrip()
                if not body:
                    continue
                indent = len(body) - len(body.lstrip())
                key, _, value = body.strip().rpartition(": ") if ": " in body else (
                    body.strip().rstrip(":"), "", "")
                key, value = key.strip('"'), value.strip().strip('"')
                if indent == 0 and body.endswith(":"):
                    section = key
                elif indent == 0:
                    section, self.top[key] = None, value
                elif indent == 2:
                    name = key
                elif section == "venues":
                    self.venues[name][key] = value

    def get(self, key, venue=None):
        """The value for a venue; the narrower place wins."""
        value = self.venues.get(venue, {}).get(key, self.top.get(key))
        if value is None:
            raise BadInput(f"settings without {key}")
        return value

    def balances(self, venue):
        """What the simulated account holds at the start."""
        result = {}
        for part in self.get("sim.balances", venue).split(","):
            if part.strip():
                amount, asset = part.split()
                result[asset] = Fraction(amount)
        return result


class Journal:
    """A replay's journal: what was sent, and the answers to compare with."""

    def __init__(self, path):
        self.requests = []
        self.answers = []
        self.positions = {}
        self.balances = {}
        filled = Counter()
        with open(path, encoding="utf-8") as lines:
            for index, line in enumerate(lines):
                words = line.split(" ", 3)
                kind = words[1] if len(words) > 2 else ""
                if kind not in ANSWERS + REQUESTS and not kind.startswith("final_"):
                    continue
                message = Message(line.rstrip("\n"), index)
                fields = message.fields()
                if kind in REQUESTS:
                    self.requests.append(Request(message, fields, filled[fields["order"]]))
                elif kind in ANSWERS:
                    filled[fields["order"]] += kind == "order_filled"
                    self.answers.append(message)
                elif kind == "final_position":
                    self.positions[message.stream] = message
                else:
                    self.balances[(fields["venue"], fields["asset"])] = message


class Request:
    """A decision that goes to the venue."""

    def __init__(self, message, fields, fills_known):
        self.kind = message.kind
        self.sent = message.time
        self.instrument = message.stream
        self.order = fields["order"]
        self.fields = fields
        self.fills_known = fills_known  # how many fills of it the engine had been told of
        self.text = message.text


# --- the venue -------------------------------------------------------------------------------------


class Book:
    """The venue's own depth book of one instrument. Only depth changes it (rule 3), and what we
    take is gone until depth renews the level (rule 6)."""

    def __init__(self):
        self.synchronised = False
        self.quantity = {BID: {}, ASK: {}}
        self.prices = {BID: [], ASK: []}  # ascending
        self.worst = {BID: None, ASK: None}  # worst of the snapshot's own levels
        self.told = {BID: set(), ASK: set()}  # prices that depth told of since

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
        self.told[side].add(price)

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
        """Shown quantity at a price; None beyond the snapshot's depth (rule 4)."""
        worst = self.worst[side]
        beyond = worst is None or (price < worst if side == BID else price > worst)
        if beyond and price not in self.told[side]:
            return None
        return self.quantity[side].get(price, 0)

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


class Fill:
    """One fill, in units and exact money."""

    def __init__(self, instrument, side, price, quantity, liquidity):
        self.side = side
        self.venue_time = 0
        self.price = price * instrument.price_unit
        self.quantity = quantity * instrument.quantity_unit
        self.value = self.fill_value(instrument)
        self.fee, self.fee_asset = self.charge(instrument, liquidity)

    def fill_value(self, instrument):
        """Value in the asset of account: rule 11 rounds an inverse one at the fill."""
        size = self.quantity * instrument.multiplier
        if instrument.contract == "inverse":
            return half_even(size / self.price, COIN_UNIT)
        return size * self.price

    def charge(self, instrument, liquidity):
        """The fee, in the asset that the definition names, rounded against us (rule 9)."""
        rate = instrument.fees[liquidity]
        if instrument.contract == "spot" and instrument.fee_rule == "received" and self.side == BUY:
            return against_us(self.quantity * rate, instrument.base_commission), instrument.base
        asset = instrument.settle if instrument.contract != "spot" else instrument.quote
        unit = (instrument.base_commission if asset == instrument.base
                else instrument.quote_commission)
        return against_us(self.value * rate, unit), asset


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
            self.book.snapshot(message.rows(self.instrument))
            self.after_depth()
        elif message.kind == "depth":
            if self.book.synchronised:
                for side, price, quantity, _, _ in message.rows(self.instrument):
                    self.book.set(side, price, quantity)
                self.after_depth()
        elif message.kind == "gap":
            self.book.clear()
        elif message.kind == "instrument_status":
            self.trading = message.fields()["trading"]
        elif message.kind == "definition":
            self.instrument.update(message.fields())

    def queue_order(self, side):
        """Our resting orders of a side by price, then arrival (rule 5)."""
        sign = -1 if side == BUY else 1
        orders = [order for order in self.resting if order.side == side]
        return sorted(orders, key=lambda order: (sign * order.price, order.arrival))

    def trade(self, aggressor, price, quantity):
        """Rules 4 and 5: at our price it eats what is ahead, then us; beyond, us at once. What
        one order got is not there for the next."""
        if not self.book.synchronised:
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

    def after_depth(self):
        """Rule 4: ahead = min(ahead, shown). Rule 5: depth that reaches our price fills us."""
        for order in self.resting:
            shown = self.book.shown(order.depth_side(), order.price)
            if shown is not None:
                order.ahead = shown if order.ahead is None else min(order.ahead, shown)
        if not self.cross_fills:
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
            "order_filled", order.id, f"side={order.side} price={self.instrument.show_price(price)} "
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
        if self.trading in ("halted", "cancel_only"):
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
        return (f"{order.id} {order.side} {price(order.price)} left {show(order.left)} {order.state} "
                f"ahead {'unknown' if order.ahead is None else show(order.ahead)}, shown there "
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
            if isinstance(happening, Request):
                place = self.matching[happening.instrument]
                place.now = time
                place.request(happening)
            else:
                place = self.matching[happening.stream]
                place.now = time
                place.market(happening)

    def happenings(self, tape, journal, settings):
        """Market messages and our requests by venue time; ties: trades, book, ours; then as they
        stand on the tape. A venue time is kept within [ts_local - sim.reorder, ts_local]; where it
        is absent it is ts_local less the feed floor."""
        reorder = read_duration(settings.get("sim.reorder"))
        entry = read_duration(settings.get("sim.entry_latency", self.name))
        result = []
        for message in tape.messages:
            if message.stream in self.matching and message.kind in MARKET and message.kind != "top":
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


# --- the account -----------------------------------------------------------------------------------


class Position:
    """Average cost of one instrument (rules 9, 10 and 11)."""

    def __init__(self, instrument):
        self.instrument = instrument
        self.held = Fraction(0)  # signed
        self.cost = Fraction(0)  # of what is held, never negative
        self.realised = Fraction(0)
        self.fees = Fraction(0)
        quantity_unit = instrument.quantity_unit
        if instrument.contract == "spot":
            quantity_unit = min(quantity_unit, instrument.base_commission)
        self.unit = (COIN_UNIT if instrument.contract == "inverse"
                     else instrument.price_unit * quantity_unit * instrument.multiplier)

    def value(self, quantity, price):
        """Value of a quantity at a price: linear exact, inverse rounded to 1e-8 coin."""
        size = quantity * self.instrument.multiplier
        if self.instrument.contract == "inverse":
            return half_even(size / price, COIN_UNIT)
        return size * price

    def apply(self, fill):
        """A fill; one through zero closes, then opens. A fee in base lessens what comes in, and
        counts among the fees at the fill's price."""
        quantity, instrument = fill.quantity, self.instrument
        if instrument.contract == "spot" and fill.fee_asset == instrument.base:
            quantity -= fill.fee
            self.fees += fill.fee * fill.price
        else:
            self.fees += fill.fee
        sign = 1 if fill.side == BUY else -1
        closed = min(quantity, abs(self.held)) if self.held * sign < 0 else Fraction(0)
        value = self.value(quantity, fill.price)
        # One value a fill (DESIGN 5): through zero it is shared out as a cost is, the remainder
        # stays with the part that opens.
        worth = toward_zero(value * closed / quantity, self.unit)
        if closed:
            removed = toward_zero(self.cost * closed / abs(self.held), self.unit)
            self.realised += self.profit(-sign, worth, removed)
            self.cost -= removed
            self.held += sign * closed
        if quantity > closed:
            self.held += sign * (quantity - closed)
            self.cost += value - worth

    def profit(self, side, worth, cost):
        """Of a long (side 1) or short (-1) part: inverse contracts count the other way."""
        return side * (cost - worth if self.instrument.contract == "inverse" else worth - cost)

    def unrealised(self, mark):
        """At a mark."""
        if not self.held or mark is None:
            return Fraction(0)
        return self.profit(1 if self.held > 0 else -1, self.value(abs(self.held), mark), self.cost)


class LocalView:
    """What the engine knows of one instrument, by ts_local, for the mark (rules 3 and 14)."""

    def __init__(self, instrument):
        self.instrument = instrument
        self.book = Book()
        self.sequence = 0
        self.top = None  # (sequence, bid, ask)
        self.book_time = None
        self.mark = None  # (time, price)
        self.mid = None  # (time, price)

    def message(self, message):
        """One market message."""
        if message.kind == "mark":
            price = self.instrument.price(message.fields()["price"])
            if price is not None and price > 0:
                self.mark = (message.time, price * self.instrument.price_unit)
        elif message.kind == "gap":
            self.book.clear()
            self.top = None
        elif message.kind == "snapshot":
            self.book.snapshot(message.rows(self.instrument))
            self.depth(message)
        elif message.kind == "depth" and self.book.synchronised:
            for side, price, quantity, _, _ in message.rows(self.instrument):
                self.book.set(side, price, quantity)
            self.depth(message)
        elif message.kind == "top":
            best = {row[0]: row[1] for row in message.rows(self.instrument) if row[2] > 0}
            if message.sequence > self.sequence or not self.sequence:
                self.top = (message.sequence, best.get(BID), best.get(ASK))
            self.renew(message.time)

    def depth(self, message):
        """Depth as new as the top view replaces it."""
        self.sequence = message.sequence
        if self.top and message.sequence >= self.top[0]:
            self.top = None
        self.renew(message.time)

    def renew(self, time):
        """The mid of the top view, while the book is synchronised."""
        if not self.book.synchronised:
            return
        self.book_time = time
        bid, ask = self.top[1:] if self.top else (self.book.best(BID), self.book.best(ASK))
        if bid is not None and ask is not None and bid < ask:
            self.mid = (time, Fraction(bid + ask, 2) * self.instrument.price_unit)

    def valued(self, now):
        """(mark, stale): the venue's if younger than 5 s (perpetuals), else the mid of a
        synchronised book younger than 5 s, else the last, flagged."""
        venue = self.mark if self.instrument.contract != "spot" else None
        if venue and now - venue[0] < MARK_AGE:
            return venue[1], False
        if self.mid and self.book.synchronised and now - self.book_time < MARK_AGE:
            return self.mid[1], False
        last = max((known for known in (venue, self.mid) if known), default=None)
        return (last[1] if last else None), True


# --- comparison ------------------------------------------------------------------------------------


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
        positions = {name: Position(i) for name, i in self.tape.instruments.items()}
        balances = {name: defaultdict(Fraction, self.settings.balances(name)) for name in self.venues}
        for name, answers in self.answers.items():
            for answer in answers:
                if answer.fill:
                    self.book_fill(positions[answer.instrument], balances[name], answer.fill)
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
                    f"position={show_money(position.held)} realised={show_money(position.realised)} "
                    f"unrealised={show_money(position.unrealised(mark))} "
                    f"fees={show_money(position.fees)} funding=0 mark={shown} "
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
                causes = ", ".join(f"{counts[c]} {c}" for c in ("queue", "through", "cross", "take"))
                print(f"{name}: {counts['answers']} answers, {counts['fills']} fills ({causes})")
        for moment, instrument, order, lines in sorted(self.differences,
                                                       key=lambda d: (d[0], d[1]))[:limit]:
            print(f"DIFFERENCE {instrument} {order or 'at the end'}")
            for line in lines:
                print(f"    {line}")
            if order:
                self.around(moment, instrument, order)
        print(f"refsim: {len(reference.journal.requests)} requests, {total['answers']} answers, "
              f"{total['fills']} fills, {total['ends']} ends agree; {len(self.differences)} differences; "
              f"{reference.late} answers after the end")
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


# --- the command -----------------------------------------------------------------------------------


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
    run([options.capstan, "replay", options.tape, *settings, *bounds, "--journal", files[1]], files[3])
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
