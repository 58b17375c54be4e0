#!/bin/sh
# replay --why: the story of one order of a small made market, word for word, and what it refuses.
capstan=${CAPSTAN:?}
header=$(cd "${srcdir:-.}" && pwd)/tests/end_to_end/hand_header.txt # one instrument of a spot venue, without fees
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99
number=0

# result STATUS TEXT: one line of TAP.
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

why() {
    "$capstan" replay market.tape --why "$1" --set quote.levels=1 --set quote.size=10lot \
        --set quote.skew=0tick --set quote.interval=1h --set safety.stale_after=1h \
        --set risk.collar=10% --set warm_up.trades=0 --set warm_up.book_messages=0 \
        --set warm_up.samples=0 2>&1
}

# The mid is 100.25, then 101.25. With 0.040 at either side the fair value is the mid. A half spread of two
# ticks of 0.5 makes the bid 99.0, then 100.0 (99.25 and 100.25 before the grid). Latency is 5 ms each way. The
# five cycles: two acceptances, two cancels confirmed, and the fill.
cat "$header" - >market.txt <<'END'
2024-01-01T00:00:00.000000000Z snapshot v1:BTC-USD sequence=1 venue_time=2024-01-01T00:00:00.000000000Z bid 100.0*0.040 ask 100.5*0.040
2024-01-01T00:00:01.000000000Z depth v1:BTC-USD sequence=2 venue_time=2024-01-01T00:00:01.000000000Z bid 101.0*0.040 ask 100.5*0.000 ask 101.5*0.040
2024-01-01T00:00:02.000000000Z trade v1:BTC-USD sequence=3 venue_time=2024-01-01T00:00:02.000000000Z sell 99.5*0.002
2024-01-01T00:00:03.000000000Z depth v1:BTC-USD sequence=4 venue_time=2024-01-01T00:00:03.000000000Z bid 101.0*0.040
END
echo "1..8"
"$capstan" tape make market.txt -o market.tape >out 2>&1
result $? "a market to replay"
sed 's/^/# /' out
why '#3' >story
cat >wanted <<'END'
order     #3: buy 0.010 at 100.0, level 0 of v1:BTC-USD
placed    2024-01-01T00:00:01.000000000Z
because   of message 6: absolute quantities of changed price levels; the best bid moved from 100.0 to 101.0; the best ask moved from 100.5 to 101.5
price     fair value 101.2500, skew 0.0000: 100.0 on the grid, 1.2500 from fair value
gates     passed shutdown paused breaker unsynchronised stale not_trading warm_up unreconciled number grid collar own_cross post_only exposure funds minimum_notional order_count rate table_full drawdown daily_loss open_interest reference_rate infrastructure safety orders_stream refused
answer    2024-01-01T00:00:01.010000000Z: the venue took a new order, 10.000 ms after the request
fill      2024-01-01T00:00:02.005000000Z: 0.002 at 100.0 (through, maker), 0.008 left, 1005.000 ms after it was placed
end       of the run: not known to have ended, kept over 5 cycles
END
diff wanted story >difference
result $? "the story of an order, word for word"
sed 's/^/# /' difference
why 3 | diff story - >/dev/null && why 0-3 | diff story - >/dev/null && why '#0.3' | diff story - >/dev/null
result $? "an order by its number, with its epoch too"
why 99 >out
[ $? -eq 2 ] && grep -q 'no such order; its ids go from #1 to #4$' out
result $? "an order that there is not"
sed 's/^/# /' out
why 1.1 >out
[ $? -eq 2 ] && grep -q 'why #1.1: this run placed no such order' out
result $? "an epoch that there is not"
why nothing >out
[ $? -eq 2 ] && grep -q "'nothing' is no order; expected #12" out
result $? "what is no order"
"$capstan" replay market.tape --tape session.tape --json --set quote.levels=1 --set quote.size=10lot \
    --set quote.skew=0tick --set quote.interval=1h --set safety.stale_after=1h --set risk.collar=10% \
    --set warm_up.trades=0 --set warm_up.book_messages=0 --set warm_up.samples=0 >out 2>&1 &&
    "$capstan" verify session.tape --why '#3' >out 2>&1 && diff story out >difference
result $? "verify --why tells it of a session's tape, word for word"
sed 's/^/# /' difference
"$capstan" verify session.tape --why 99 >out 2>&1
[ $? -eq 2 ] && grep -q 'no such order; its ids go from #1 to #4$' out
result $? "an order that the session did not place"
