"""The simulated venue of scripts/refsim.py: books, queues, our orders, the account, in venue time.

Written from the rules alone (the trading semantics; docs/semantics.md says how they were read).
"""

import bisect
import copy
from collections import defaultdict
from fractions import Fraction

from refsim_money import Fill
from refsim_text import (ASK, BID, BUY, MARKET, Request, SELL, account_of, book_lost, read_duration,
                         show_money, show_time)

# At one venue time: trades, then the book, then our orders (rule 1).
RANK_TRADE, RANK_BOOK, RANK_OURS = 0, 1, 2


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
        self.fills = []  # quantities
        self.told = []  # the answers that told of them
        self.ended = None  # the answer that told its end, other than by a fill
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
        self.trade = None  # (order, number of its fill): what the venue's trade id names
        self.text = (f"{show_time(time)} {kind} {instrument} venue_time={show_time(venue_time)} "
                     f"order={order}" + (f" {text}" if text else ""))


class Matching:
    """One instrument at the venue: its book and our orders, in venue time (rules 3 to 7)."""

    def __init__(self, instrument, account, cross, answer_latency, emit):
        self.instrument = copy.copy(instrument)  # the venue's, as of its own time
        self.account = account
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
        elif book_lost(message):
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
        self.account.fill(self.instrument, fill)
        answer = self.answer(
            "order_filled", order.id,
            f"side={order.side} price={self.instrument.show_price(price)} "
            f"quantity={show(quantity)} leaves={show(order.left)} cause={cause} "
            f"liquidity={liquidity} fee={show_money(fill.fee)} fee_asset={fill.fee_asset}", state)
        answer.fill = fill
        answer.trade = (order.id, len(order.fills))
        order.told.append(answer)
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
        elif request.kind == "replace":
            self.replace(request)
        else:
            self.query(request, order)

    def query(self, request, order):
        """Rule 28: each fill again, the end, then what rests."""
        if order is None or order.state == "rejected":
            self.answer("order_not_found", request.order, "",
                        self.state(order) if order else "no such order")
            return
        for told in order.told:
            self.again(told)
        if order.ended:
            self.answer(order.ended[0], order.id, order.ended[1], self.state(order))
        leaves = order.left if order.state == "active" else 0
        self.answer("order_status", order.id,
                    f"side={order.side} price={self.instrument.show_price(order.price)} "
                    f"leaves={self.instrument.show_quantity(leaves)}", self.state(order))

    def again(self, told):
        """A fill that was told before: the same, at the time when it happened."""
        words = told.text.split(" ", 1)[1]
        again = Answer(self.now + self.answer_latency, told.venue_time, told.kind, told.instrument,
                       told.order, "", told.state)
        again.text = f"{show_time(again.time)} {words}"
        again.trade = told.trade
        self.emit(again)

    def replace(self, request):
        """Rule 27, STOP_ON_FAILURE: the new order is sent only where the cancel succeeded."""
        old = self.orders.get(request.fields["replaces"])
        if old is not None and old.state == "active":
            self.end(old, "replaced")
            self.place(request)
            return
        self.refuse("cancel_rejected", request.fields["replaces"], old)
        self.answer("order_rejected", request.order, "reason=replaced_order_stays", "not sent")

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

    def unfit(self, price, quantity):
        """Why numbers are none that the instrument takes, or None. An inverse contract is worth its
        multiplier in quote at every price (rule 11)."""
        instrument = self.instrument
        if price is None or price <= 0:
            return "bad_price"
        if quantity is None or quantity <= 0:
            return "bad_quantity"
        if price % instrument.tick:
            return "off_tick"
        if quantity % instrument.lot:
            return "off_lot"
        value = quantity * instrument.quantity_unit * instrument.multiplier
        if instrument.contract != "inverse":
            value *= price * instrument.price_unit
        return "minimum_notional" if value < instrument.minimum_notional else None

    def refusal(self, order, time_in_force):
        """Why an order is refused, or None."""
        if not self.matches():
            return "halted"
        reason = self.unfit(order.price, order.left)
        if reason:
            return reason
        if not self.book.synchronised:
            return "no_book"
        if order.post_only and self.crosses(order.side, order.price):
            return "post_only_would_cross"
        if time_in_force == "fok":
            levels = self.book.quantity[order.opposite()]
            reach = self.book.reaching(order.opposite(), order.price)
            if sum(levels[price] for price in reach) < order.left:
                return "fill_or_kill"
        if not self.account.affords(self.instrument, order.side, order.price, order.left):
            return "insufficient_funds"
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
        order.ended = ("order_cancelled",
                       f"leaves={self.instrument.show_quantity(order.left)} cause={cause}")
        self.answer(order.ended[0], order.id, order.ended[1], self.state(order))

    def cancel(self, request, order):
        """A cancel ends what rests."""
        if order is not None and order.state == "active":
            self.end(order, "requested")
        else:
            self.refuse("cancel_rejected", request.order, order)

    def refuse(self, kind, name, order):
        """A cancel or a modify of an order that does not rest."""
        reason = "already_filled" if order is not None and order.state == "filled" else "not_found"
        self.answer(kind, name, f"reason={reason}",
                    self.state(order) if order else "no such order")

    def modify(self, request, order):
        """New leaves are a new total: less what was filled without the engine's knowledge. Smaller
        size keeps the place, a new price or larger size starts again (rule 4)."""
        if order is None or order.state != "active":
            self.refuse("modify_rejected", request.order, order)
            return
        price = self.instrument.price(request.fields["price"])
        asked = self.instrument.quantity(request.fields["leaves"])
        left = asked - sum(order.fills[request.fills_known:])
        again = price != order.price or left > order.left
        reason = self.refused_change(order, price, asked, left, again)
        if reason:
            self.answer("modify_rejected", order.id, f"reason={reason}", self.state(order))
            return
        order.price, order.left = price, left
        self.answer("order_modified", order.id, f"price={self.instrument.show_price(price)} "
                    f"leaves={self.instrument.show_quantity(left)}", self.state(order))
        if again:
            self.take(order)
            if order.left:
                self.rest(order)

    def refused_change(self, order, price, asked, left, again):
        """Why a change is refused, or None. What keeps its place enters no book and takes no funds;
        the rest is as of a new order."""
        if not self.matches():
            return "halted"
        reason = self.unfit(price, asked)
        if reason:
            return reason
        if left <= 0:
            return "already_filled"
        if not again:
            return None
        if not self.book.synchronised:
            return "no_book"
        if order.post_only and self.crosses(order.side, price):
            return "post_only_would_cross"
        if not self.account.affords(self.instrument, order.side, price, left, order):
            return "insufficient_funds"
        return None

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


class Account:
    """Our account at one venue: balances and positions in venue time, and what resting orders
    hold (rules 9, 17 and 28)."""

    def __init__(self, balances):
        self.limited = bool(balances)  # rule 17: where no balance was told, funds limit nothing
        self.named = sorted(balances)
        self.totals = defaultdict(Fraction, balances)
        self.positions = defaultdict(Fraction)  # sums of fills
        self.base_fees = defaultdict(Fraction)
        self.places = []  # each instrument's Matching

    def fill(self, instrument, fill):
        """What a fill moves; contracts settle where only the engine books their profit."""
        sign = 1 if fill.side == BUY else -1
        self.positions[instrument.name] += sign * fill.quantity
        if instrument.contract != "spot":
            return
        self.totals[instrument.base] += sign * fill.quantity
        self.totals[instrument.quote] -= sign * fill.value
        self.totals[fill.fee_asset] -= fill.fee
        if fill.fee_asset == instrument.base:
            self.base_fees[instrument.name] += fill.fee

    @staticmethod
    def need(instrument, side, price, quantity):
        """(asset, amount) that an order of spot holds; the larger fee where it is paid in quote
        (docs/semantics.md, 17)."""
        size = quantity * instrument.quantity_unit
        if side == SELL:
            return instrument.base, size
        fee = max(0, *instrument.fees.values()) if instrument.fee_rule == "quote" else 0
        return instrument.quote, size * price * instrument.price_unit * (1 + fee)

    def held(self, asset, besides=None):
        """What resting orders hold of an asset."""
        result = Fraction(0)
        for place in self.places:
            if place.instrument.contract == "spot":
                for order in place.resting:
                    what, amount = self.need(place.instrument, order.side, order.price, order.left)
                    result += amount if what == asset and order is not besides else 0
        return result

    def affords(self, instrument, side, price, quantity, besides=None):
        """Rule 17 at the venue."""
        if not self.limited or instrument.contract != "spot":
            return True
        asset, amount = self.need(instrument, side, price, quantity)
        return amount <= self.totals[asset] - self.held(asset, besides)

    def told_assets(self):
        """Assets of which a balance is told (docs/semantics.md, 28): none that a contract settles
        in."""
        settled = {p.instrument.settle for p in self.places if p.instrument.contract != "spot"}
        return [asset for asset in self.named if asset not in settled]

    def rows(self):
        """An account snapshot's rows."""
        result = [self.balance_row(asset, self.held(asset)) for asset in self.told_assets()]
        for place in self.places:
            instrument = place.instrument
            # Fills are whole units, fees may be finer; no rule says how they are told: drift is
            # more than a lot.
            name, unit = instrument.name, instrument.quantity_unit
            position = int(self.positions[name] / unit) - round(self.base_fees[name] / unit)
            result.append(f"venue_position {instrument.name} "
                          f"position={instrument.show_quantity(position)}")
            for order in place.resting:
                result.append(f"open_order {instrument.name} order={order.id} side={order.side} "
                              f"price={instrument.show_price(order.price)} "
                              f"leaves={instrument.show_quantity(order.left)}")
        return result

    def balance_row(self, asset, held):
        """One asset's row."""
        total = self.totals[asset]
        return (f"balance - asset={asset} total={show_money(total)} "
                f"available={show_money(total - held)}")


class Venue:
    """One venue: all that happens there, in its own time (rule 1)."""

    def __init__(self, name, tape, journal, settings, stop=None):
        self.name = name
        self.answers = []
        self.matching = {}
        latency = read_duration(settings.get("sim.answer_latency", name))
        cross = settings.get("sim.fill_on_cross", name) == "yes"
        self.account = Account(settings.balances(name))
        for instrument in tape.instruments.values():
            if instrument.venue == name:
                self.matching[instrument.name] = Matching(instrument, self.account, cross, latency,
                                                          self.answers.append)
        self.account.places = list(self.matching.values())
        if journal.start is not None:
            self.tell_account(journal.start, 0, journal.start,
                              [self.account.balance_row(asset, 0) for asset in self.account.named])
        for time, _, _, happening in self.happenings(tape, journal, settings):
            if stop is not None and time > stop:
                break
            if isinstance(happening, Request) and happening.kind == "request_snapshot":
                self.tell_account(time, latency, happening.sent, self.account.rows())
                continue
            for place in self.concerned(happening):
                place.now = time
                if isinstance(happening, Request):
                    place.request(happening)
                else:
                    place.market(happening)

    def tell_account(self, venue_time, latency, taken, rows):
        """An account snapshot. Its rows have no order of their own: none is given by a rule."""
        self.answers.append(Answer(venue_time + latency, venue_time, "account", "-",
                                   account_of(self.name),
                                   " ".join([f"taken={show_time(taken)}", *sorted(rows)]), ""))

    def concerned(self, happening):
        """Whom it concerns: one instrument, or all where the venue's feed went down."""
        if isinstance(happening, Request):
            return [self.matching[happening.instrument]]
        if happening.kind == "feed_connection":
            return self.matching.values()
        return [self.matching[happening.stream]]

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
            if request.instrument in self.matching or request.venue == self.name:
                result.append((request.sent + entry, RANK_OURS, number, request))
        result.sort(key=lambda entry: entry[:3])
        return result
