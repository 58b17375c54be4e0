"""A run of one market and two fills whose every figure was worked out by hand, for tests of what shows them."""
# The book's mid is 100.25; from 2.050 s on 100.00, from 2.500 s on 100.50, from 8 s on 100.00. Our bid stands at
# 99.0, our offer at 101.5, two ticks of 0.5 from the fair value, as the grid has them.
MARKET = """capstan-tape 1
origin made
grade A
tool 0.1.0
build made
seed 1
feed_floor 1ms
venue v1
asset BTC
asset USD
instrument v1:BTC-USD venue=v1 contract=spot price_exponent=-1 quantity_exponent=-3 tick=5 lot=1 multiplier=1 \
multiplier_exponent=0 minimum_notional=0 maker_fee=0.001 taker_fee=0.002 fee_asset=quote \
base_commission_exponent=-8 quote_commission_exponent=-8 base=BTC quote=USD settle=USD grid_basis=given
messages
""" + "".join(f"2024-01-01T00:00:{at}000000Z {kind} v1:BTC-USD sequence={number} "
              f"venue_time=2024-01-01T00:00:{at}000000Z {rows}\n" for number, (at, kind, rows) in enumerate([
                  ("00.000", "snapshot", "bid 100.0*0.040 ask 100.5*0.040"),
                  ("02.000", "trade", "sell 98.5*0.002"),
                  ("02.050", "depth", "bid 100.0*0.000 bid 99.5*0.040"),
                  ("02.500", "depth", "ask 100.5*0.000 ask 101.5*0.040"),
                  ("05.000", "trade", "buy 103.0*0.005"),
                  ("08.000", "depth", "bid 99.5*0.000 bid 98.5*0.040"),
                  ("20.000", "depth", "ask 104.0*0.040")], 1))
SETTINGS = ["quote.levels=1", "quote.size=10lot", "quote.skew=0tick", "quote.interval=1h", "safety.stale_after=1h",
            "risk.collar=10%", "warm_up.trades=0", "warm_up.book_messages=0", "warm_up.samples=0", "breaker.edge=0"]
# Bought 0.002 at 99.0 at 2 s, sold 0.005 at 101.5 at 5 s. Closed: 0.002 x 2.5 = 0.005. Short 0.003 from 101.5 with
# the mark at 100.0: 0.003 x 1.5 = 0.0045. Fees 0.1 % of 0.198 + 0.5075 = 0.7055.
PROFIT = {"net": "0.0087945", "realised": "0.005", "unrealised": "0.0045", "fees": "0.0007055", "funding": "0",
          "position": "-0.003", "mark": "100.0", "mark_stale": "fresh", "asset": "USD"}
# (mid - 99.0) x 0.002 + (101.5 - mid) x 0.005, each with the mid of its time, of 0.7055:
#   at the fill  1.25 x 0.002 + 1.00 x 0.005      0.1 s  1.00 x 0.002 + 1.00 x 0.005
#   1 s          1.50 x 0.002 + 1.00 x 0.005      10 s   1.00 x 0.002 + 1.50 x 0.005     60 s  past the end
MARKOUTS = {"at the fill": ("0.0075", "106.31", "2", "0"), "0.1 s": ("0.007", "99.22", "2", "0"),
            "1 s": ("0.008", "113.39", "2", "0"), "10 s": ("0.0095", "134.66", "2", "0"), "60 s": ("", "", "0", "2")}
