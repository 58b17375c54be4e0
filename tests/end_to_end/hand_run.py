"""A run of one market and two fills whose every figure was worked out by hand, for tests of what shows them."""
import pathlib

# One instrument of a spot venue; there without fees.
HEADER = (pathlib.Path(__file__).resolve().parent / "hand_header.txt").read_text(encoding="utf-8").replace(
    "maker_fee=0 taker_fee=0", "maker_fee=0.001 taker_fee=0.002")


def market(messages):
    """A tape's text of (seconds, kind, rows); sequences count, and the venue's clock is the tape's."""
    return HEADER + "".join(f"2024-01-01T00:00:{at}000000Z {kind} v1:BTC-USD sequence={number} "
                            f"venue_time=2024-01-01T00:00:{at}000000Z {rows}\n"
                            for number, (at, kind, rows) in enumerate(messages, 1))


# The book's mid is 100.25; from 2.050 s on 100.00, from 2.500 s on 100.50, from 8 s on 100.00. Our bid stands at
# 99.0, our offer at 101.5, two ticks of 0.5 from the fair value, as the grid has them.
MARKET = market([("00.000", "snapshot", "bid 100.0*0.040 ask 100.5*0.040"),
                 ("02.000", "trade", "sell 98.5*0.002"),
                 ("02.050", "depth", "bid 100.0*0.000 bid 99.5*0.040"),
                 ("02.500", "depth", "ask 100.5*0.000 ask 101.5*0.040"),
                 ("05.000", "trade", "buy 103.0*0.005"),
                 ("08.000", "depth", "bid 99.5*0.000 bid 98.5*0.040"),
                 ("20.000", "depth", "ask 104.0*0.040")])
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

# The same fills in a market whose best prices run ahead of its depth. The depth's mid is 100.25, 100.00 from 2.050 s on,
# 100.50 from 2.500 s on and 100.00 from 8 s on. That of the best prices: 100.00 just before the first fill, 99.50 by what
# its own trade left at the same time, 100.25 from 2.080 s on, 100.50 from 2.500 s on; 100.75 just before the second fill,
# 101.50 by what its trade left; from 5.300 s on crossed for a while, which is no mid, so that 101.50 stands; 100.25 from
# 8.010 s on.
AHEAD = market([("00.000", "snapshot", "bid 100.0*0.040 ask 100.5*0.040"),
                ("01.980", "top", "bid 99.5*0.040 ask 100.5*0.040"),
                ("02.000", "trade", "sell 98.5*0.002"),
                ("02.000", "top", "bid 98.5*0.040 ask 100.5*0.040"),
                ("02.050", "depth", "bid 100.0*0.000 bid 99.5*0.040"),
                ("02.080", "top", "bid 99.5*0.040 ask 101.0*0.040"),
                ("02.500", "depth", "ask 100.5*0.000 ask 101.5*0.040"),
                ("04.900", "top", "bid 100.0*0.040 ask 101.5*0.040"),
                ("05.000", "trade", "buy 103.0*0.005"),
                ("05.000", "top", "bid 100.0*0.040 ask 103.0*0.040"),
                ("05.300", "top", "bid 103.5*0.040 ask 103.0*0.040"),
                ("08.000", "depth", "bid 99.5*0.000 bid 98.5*0.040"),
                ("08.010", "top", "bid 99.0*0.040 ask 101.5*0.040"),
                ("20.000", "depth", "ask 104.0*0.040")])
AHEAD_SETTINGS = SETTINGS + ["reconcile.price_tolerance=20tick", "breaker.move=0", "breaker.spread=0"]
#   at the fill  1.00 x 0.002 + 0.75 x 0.005      0.1 s  1.25 x 0.002 + 0.00 x 0.005
#   1 s          1.50 x 0.002 + 0.00 x 0.005      10 s   1.25 x 0.002 + 1.25 x 0.005     60 s  past the end
AHEAD_MARKOUTS = {"at the fill": ("0.00575", "81.50", "2", "0"), "0.1 s": ("0.0025", "35.44", "2", "0"),
                  "1 s": ("0.003", "42.52", "2", "0"), "10 s": ("0.00875", "124.03", "2", "0"), "60 s": ("", "", "0", "2")}
