"""Fills, fees, average cost and funding for scripts/refsim.py, exactly (rules 9 to 11 and 15)."""

from fractions import Fraction

from refsim_text import (BUY, against_us, half_even, toward_zero)

COIN_UNIT = Fraction(1, 10**8)  # rule 11


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


class Position:
    """Average cost of one instrument (rules 9, 10 and 11)."""

    def __init__(self, instrument):
        self.instrument = instrument
        self.held = Fraction(0)  # signed
        self.cost = Fraction(0)  # of what is held, never negative
        self.realised = Fraction(0)
        self.fees = Fraction(0)
        self.funding = Fraction(0)
        quantity_unit = instrument.quantity_unit
        if instrument.contract == "spot":
            quantity_unit = min(quantity_unit, instrument.base_commission)
        # A cost's unit has the multiplier's power of ten, not the multiplier (rule 10).
        self.unit = (COIN_UNIT if instrument.contract == "inverse"
                     else instrument.price_unit * quantity_unit * instrument.multiplier_unit)

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
        # One value a fill (docs/semantics.md, rules 10 and 11): through zero it is shared out as a cost
        # is, the remainder stays with the part that opens.
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

    def fund(self, held, rate, mark):
        """Rule 15: the position as of venue time pays the rate."""
        sign = 1 if held > 0 else -1
        paid = -sign * self.value(abs(held), mark) * rate
        if self.instrument.contract == "inverse":
            size = abs(held) * self.instrument.multiplier
            paid = half_even(-sign * size / mark * rate, COIN_UNIT)
        if self.instrument.contract == "spot":
            paid = Fraction(0)
        self.funding += paid
        return paid

    def unrealised(self, mark):
        """At a mark."""
        if not self.held or mark is None:
            return Fraction(0)
        return self.profit(1 if self.held > 0 else -1, self.value(abs(self.held), mark), self.cost)
