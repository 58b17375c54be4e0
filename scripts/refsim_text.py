"""Read what scripts/refsim.py compares: a tape's text, a journal, the settings.

docs/event-text.md and docs/tape-text.md have the grammar. Numbers are integers of the instrument's
units, money is a fraction; nothing is a float.
"""

from collections import defaultdict
from datetime import datetime, timezone
from fractions import Fraction

NANOSECONDS = 10**9
ANSWERS = ("order_accepted", "order_rejected", "order_filled", "order_cancelled",
           "cancel_rejected", "order_modified", "modify_rejected", "order_expired",
           "order_unknown", "order_not_found", "order_status")
REQUESTS = ("place", "cancel", "modify", "replace", "query", "request_snapshot")
ACCOUNT = ("balance", "venue_position", "open_order", "snapshot_end")
ROWS = ("depth", "snapshot", "trade", "top")
MARKET = ROWS + ("definition", "instrument_status", "mark", "index_price", "funding", "gap",
                 "reference_rate", "open_interest", "feed_connection", "source_text",
                 "order_level")
BUY, SELL = "buy", "sell"
BID, ASK = "bid", "ask"


class BadInput(Exception):
    """What was given is no tape text, journal or configuration."""


# --- numbers and times ---------------------------------------------------------------------------


def read_time(text):
    """Nanoseconds since 1970 of RFC 3339 in UTC, or of a whole number of nanoseconds."""
    if text.isdigit():
        return int(text)
    if text == "absent":
        return 0
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


# --- what is on the tape -------------------------------------------------------------------------


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
            self.multiplier_unit = power(int(fields["multiplier_exponent"]))
            self.multiplier = int(fields["multiplier"]) * self.multiplier_unit
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

    __slots__ = ("index", "time", "kind", "stream", "sequence", "venue_time", "channel", "tokens", "text",
                 "rows_of", "about")

    def __init__(self, text, index):
        tokens = text.split()
        if len(tokens) < 3:
            raise BadInput(f"line {index}: no message: {text[:60]}")
        self.text = text
        self.rows_of = ()  # of an account snapshot
        self.about = None  # of an answer: the order, or whose account
        self.index = index
        self.time = read_time_cached(tokens[0])
        self.kind = tokens[1]
        self.stream = tokens[2]
        self.sequence = 0
        self.venue_time = None
        self.channel = None  # only where it is not the kind's usual one
        place = 3
        while place < len(tokens):
            name, _, value = tokens[place].partition("=")
            if name == "sequence":
                self.sequence = int(value)
            elif name == "venue_time":
                self.venue_time = read_time_cached(value.removeprefix("estimated:"))
            elif name == "channel" and value:
                self.channel = value
            elif tokens[place] != "more":
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
                # A number without value is no level and no trade (ARCHITECTURE.md).
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


def down(message):
    """Whether a feed went down: a gap of each of the venue's instruments."""
    return message.kind == "feed_connection" and message.fields()["connected"] == "no"


def book_lost(message):
    """Whether a book is not known from here on. Only depth changes it (rule 3): what is missing of
    trades or best prices makes no gap in it."""
    return down(message) or message.kind == "gap" and message.channel is None


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


class Settings:
    """The effective settings, as `capstan config show` prints them."""

    def __init__(self, path):
        self.top = {}
        self.venues = defaultdict(dict)
        section = name = None
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                body = "" if line.lstrip().startswith("#") else line.rstrip()
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


def account_of(venue):
    """The name under which a venue's account snapshots are compared."""
    return f"account:{venue}"


class Journal:
    """What was sent, and the answers to compare with: a replay's journal, or the text of its
    session, which has the account snapshots too."""

    def __init__(self, path, instruments):
        self.requests = []
        self.answers = []
        self.positions = {}
        self.balances = {}
        self.start = None  # when the engine was started; only a session tells
        self.instruments = instruments
        self.rows = defaultdict(list)  # of each venue's snapshot that has not ended
        trades = defaultdict(set)
        with open(path, encoding="utf-8") as lines:
            for index, line in enumerate(lines):
                words = line.split(" ", 3)
                kind = words[1] if len(words) > 2 else ""
                if kind not in KEPT and not kind.startswith("final_"):
                    continue
                message = Message(line.rstrip("\n"), index)
                fields = message.fields()
                if kind in REQUESTS:
                    known = trades[fields["order"]] if "order" in fields else ()
                    self.requests.append(Request(message, fields, len(known)))
                elif kind in ANSWERS:
                    if kind == "order_filled":  # a query tells it again, with the same trade
                        trades[fields["order"]].add(fields["trade"])
                    message.about = fields["order"]
                    self.answers.append(message)
                elif kind in ACCOUNT:
                    self.account(message, fields)
                elif kind == "start":
                    self.start = message.time
                elif kind == "final_position":
                    self.positions[message.stream] = message
                elif kind == "final_balance":
                    self.balances[(fields["venue"], fields["asset"])] = message

    def account(self, message, fields):
        """A row of an account snapshot; the last makes one answer of all."""
        venue = fields.get("venue") or self.instruments[message.stream].venue
        rows = self.rows[venue]
        if message.kind != "snapshot_end":
            words = [word for word in message.tokens
                     if not word.startswith(("venue=", "venue_order="))]
            rows.append((message, " ".join([message.kind, message.stream, *words])))
            return
        for row, _ in rows:
            if (row.time, row.venue_time) != (message.time, message.venue_time):
                raise BadInput(f"line {row.index}: its snapshot has another time")
        whole = Message(f"{message.text.split()[0]} account - "
                        f"venue_time={show_time(message.venue_time)} order={account_of(venue)} "
                        + " ".join([f"taken={fields['taken']}", *sorted(t for _, t in rows)]),
                        message.index)
        whole.about = account_of(venue)
        whole.rows_of = [row for row, _ in rows]
        rows.clear()
        self.answers.append(whole)


KEPT = frozenset(ANSWERS + REQUESTS + ACCOUNT + ("start",))


class Request:
    """A decision that goes to the venue."""

    def __init__(self, message, fields, fills_known):
        self.kind = message.kind
        self.sent = message.time
        self.instrument = message.stream
        self.venue = fields.get("venue")  # of a request that concerns no instrument
        self.order = fields.get("order")
        self.fields = fields
        self.fills_known = fills_known  # how many fills of it the engine had been told of
        self.text = message.text
