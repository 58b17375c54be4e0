"""The kinds of messages, from the tables of docs/tape-format.md, and their text, from docs/event-text.md.

For scripts/read-tape, written from these pages alone.
"""

import re
from datetime import date, timedelta
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "tape-format.md"
NO_STREAM = 65535
CHANNELS = ("depth", "trade", "top", "order_level", "reference", "session")
STATUSES = ("value", "absent", "nan", "infinite", "off_grid", "overflow", "malformed")
# Section 8, first table: the types that name an entry of the header's tables: struct's letter, and what none is.
NAMED = {"INSTRUMENT": ("<H", 0xFFFF), "VENUE": ("<B", 0xFF), "ASSET": ("<H", 0xFFFF)}


# --- section 8: the tables, from the page --------------------------------------------------------


def read_tables():
    """Kinds by number, each {name, class, shape, fields}; values by type."""
    text = PAGE.read_text(encoding="utf-8").split("<!-- tables from")[1]
    kinds, values = {}, {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if re.fullmatch(r"\d+", cells[0]):
            number, name, group, shape, size = cells
            kinds[int(number)] = {"name": name, "class": group, "shape": shape, "size": size, "fields": []}
        elif re.fullmatch(r"\d+ \w+", cells[0]):
            kinds[int(cells[0].split()[0])]["fields"] = [tuple(field.split()) for field in cells[1].split(", ")]
        elif len(cells) == 3 and re.match(r"0 \w+", cells[2]):
            values[cells[0]] = [value.split()[1] for value in cells[2].split(", ")]
    return kinds, values


KINDS, VALUES = read_tables()


# --- docs/event-text.md ---------------------------------------------------------------------------


def show_time(ns):
    """RFC 3339 with nine decimals."""
    if ns == (1 << 63) - 1:
        return "never"
    seconds, rest = divmod(ns, 10 ** 9)
    days, seconds = divmod(seconds, 86400)
    day = date(1970, 1, 1) + timedelta(days)
    return f"{day.isoformat()}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:09}Z"


def show_duration(ns):
    """A whole number of the longest unit that divides it."""
    for unit, name in (3600 * 10**9, "h"), (60 * 10**9, "m"), (10**9, "s"), (10**6, "ms"), (1000, "us"), (1, "ns"):
        if ns and ns % unit == 0:
            return f"{ns // unit}{name}"
    return "0"


def show_decimal(value, decimals, trim=False):
    """value / 10^decimals; decimals below 0 give whole numbers."""
    sign, value = "-" if value < 0 else "", abs(value)
    if decimals <= 0:
        return f"{sign}{value * 10 ** -decimals}"
    text = f"{value // 10 ** decimals}.{value % 10 ** decimals:0{decimals}}"
    return sign + (text.rstrip("0").rstrip(".") if trim else text)


def show_number(value, status, exponent):
    """A price or quantity, or its status."""
    return STATUSES[status] if status else show_decimal(value, -exponent)


def show_quoted(text):
    """A venue id or text."""
    shown = "".join(("\\" if chr(c) in "\"\\" else "") + chr(c) if 32 <= c < 127 else f"\\x{c:02x}" for c in text)
    return f'"{shown}"'


def show_field(kind_of, value, tape, unit):
    """A field's value; unit is the instrument whose units numbers have."""
    if kind_of in NAMED:
        table = {"INSTRUMENT": "instruments", "VENUE": "venues", "ASSET": "assets"}[kind_of]
        entry = "-" if value is None else tape[table][value]
        return entry if isinstance(entry, str) else entry["name"]
    if kind_of in ("PRICE", "QUANTITY"):
        return show_number(*value, unit[kind_of.lower()])
    if kind_of == "ORDER":
        epoch, counter = divmod(value, 1 << 32)
        return f"#{epoch}.{counter}" if epoch else f"#{counter}" if counter else "-"
    if kind_of in VALUES:
        return VALUES[kind_of][value]
    if kind_of == "TIME" and value == 0:
        return "absent"
    show = {"TIME": show_time, "DURATION": show_duration, "VENUE_ID": show_quoted, "TEXT": show_quoted, "GATES": hex,
            "MONEY": lambda money: show_decimal(money, 18, True), "RATE": lambda rate: show_decimal(rate, 9, True)}
    return show.get(kind_of, str)(value)


NO_UNIT = {"name": "-", "price": 0, "quantity": 0}


def usual_channel(kind):
    """The channel that is not said."""
    name = {"snapshot": "depth", "gap": "depth", "source_text": "depth"}.get(KINDS[kind]["name"], KINDS[kind]["name"])
    if name in CHANNELS:
        return name
    return "reference" if KINDS[kind]["class"] == "market" else "session"


def show_rows(message, unit):
    """The rows, each with a blank before it."""
    for price, quantity, flags, price_status, quantity_status, action, slot in message["rows"]:
        from_snapshot = flags >> 2 & 1
        if message["kind"] == 2:
            yield "" if from_snapshot else " held"
        elif from_snapshot:
            yield " snapshot"
        yield f" {(('bid', 'ask'), ('buy', 'sell'))[message['kind'] == 3][flags & 1]}"
        yield f" {show_number(price, price_status, unit['price'])}"
        yield f"*{show_number(quantity, quantity_status, unit['quantity'])}"
        yield " not_market" if flags & 8 else ""
        yield f" action={action} slot={slot}" if message["kind"] == 5 else ""


def show(message, tape):
    """A message's line."""
    kind, stream = KINDS[message["kind"]], message["stream"]
    head = None if stream == NO_STREAM else stream >> 3
    unit = NO_UNIT if head is None else tape["instruments"][head]
    parts = [f"{show_time(message['ts_local'])} {kind['name']} {unit['name']}"]
    if head is not None and CHANNELS[stream & 7] != usual_channel(message["kind"]):
        parts.append(f" channel={CHANNELS[stream & 7]}")
    if message["sequence"]:
        parts.append(f" sequence={message['sequence']}")
    if message["flags"] & 6:
        parts.append(f" venue_time={'estimated:' if message['flags'] & 4 else ''}{show_time(message['ts_venue'])}")
    parts.append(" more" if message["flags"] & 1 else "")
    parts.extend(show_rows(message, unit))
    for (name, kind_of), (_, value) in zip(kind["fields"], message.get("fields", ())):
        if kind_of == "INSTRUMENT":
            unit = NO_UNIT if value is None else tape["instruments"][value]
            if value == head:
                continue
        parts.append(f" {name}={show_field(kind_of, value, tape, unit)}")
    return "".join(parts)
