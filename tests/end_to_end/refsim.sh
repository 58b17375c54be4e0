#!/bin/sh
# Replays against scripts/refsim.py, a simulator of its own that knows only the rules: every answer,
# every fill, the final positions and balances have to be the same.
capstan=${CAPSTAN:?}
srcdir=${srcdir:?}
refsim=$srcdir/scripts/refsim.py
shared=${CAPSTAN_SHARED:-$srcdir/../shared}
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

# report NAME STATUS: one TAP line.
report() {
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        failed=1
    fi
}

# agree NAME TAPE CONFIG OPTION…: the same replay by both, with at least one fill.
agree() {
    name=$1
    tape=$2
    config=$3
    shift 3
    "$refsim" --capstan "$capstan" "$tape" -c "$config" "$@" >"$folder/out" 2>"$folder/err"
    status=$?
    grep -q ', [1-9][0-9]* fills, ' "$folder/out" || status=1
    report "$name" $status
    sed 's/^/# /' "$folder/out" "$folder/err"
}

# prepared NAME: hand-made tape, settings and journal in $folder agree.
prepared() {
    "$refsim" --tape-text "$folder/text" --journal "$folder/journal" --config "$folder/config" \
        >"$folder/out" 2>"$folder/err"
    status=$?
    report "$1" $status
    [ $status -eq 0 ] || sed 's/^/# /' "$folder/out" "$folder/err"
}

# story LATENCY: the settings, and the header of a tape of one instrument with one trade of the past.
story() {
    cat >"$folder/config" <<END
sim.reorder: 250ms
sim.entry_latency: $1
sim.answer_latency: 0
sim.fill_on_cross: yes
sim.balances: "1000000 USD, 1000 X"
END
    cat >"$folder/text" <<'END'
capstan-tape 1
venue v
asset X
asset USD
instrument v:X venue=v contract=spot price_exponent=-1 quantity_exponent=-1 tick=1 lot=1 multiplier=1 multiplier_exponent=0 minimum_notional=0 maker_fee=0 taker_fee=0.001 fee_asset=quote base_commission_exponent=-8 quote_commission_exponent=-8 base=X quote=USD settle=USD grid_basis=given
messages
END
    : >"$folder/journal"
}

# market SECONDS KIND ROWS: a market message.
market() {
    echo "2024-01-01T00:00:$1Z $2 v:X venue_time=2024-01-01T00:00:$1Z $3" >>"$folder/text"
}

# said SECONDS KIND FIELDS: a line of the journal.
said() {
    echo "2024-01-01T00:00:$1Z $2 v:X $3" >>"$folder/journal"
}

# place SECONDS ORDER SIDE PRICE QUANTITY [TIME_IN_FORCE]: an order, accepted at once.
place() {
    said "$1" place "order=#$2 side=$3 price=$4 quantity=$5 time_in_force=${6:-gtc} post_only=no level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0"
    said "$1" order_accepted "venue_time=2024-01-01T00:00:$1Z order=#$2 venue_order=\"a$2\""
}

# filled SECONDS ORDER SIDE PRICE QUANTITY LEAVES CAUSE [FEE]: a fill, a taker's if it has a fee.
filled() {
    liquidity=maker
    [ -z "$8" ] || liquidity=taker
    said "$1" order_filled "venue_time=2024-01-01T00:00:$1Z order=#$2 trade=\"t$1-$2-$4\" side=$3 price=$4 quantity=$5 leaves=$6 cause=$7 liquidity=$liquidity fee=${8:-0} fee_asset=USD"
}

# end SECONDS POSITION REALISED UNREALISED FEES MARK BALANCE_X BALANCE_USD: the last lines.
end() {
    said "$1" final_position "position=$2 realised=$3 unrealised=$4 fees=$5 funding=0 mark=$6 mark_stale=no"
    echo "2024-01-01T00:00:$1Z final_balance - venue=v asset=X total=$7" >>"$folder/journal"
    echo "2024-01-01T00:00:$1Z final_balance - venue=v asset=USD total=$8" >>"$folder/journal"
}

echo "1..36"

# The examples of the trading semantics: is the reference itself right?
story 0
market 00.500000000 snapshot "bid 100.0*0.5 ask 101.0*5.0"
market 00.900000000 depth "bid 100.0*0.0"
place 00.999900000 1 buy 100.0 1.0
market 01.000000000 trade "sell 100.0*0.4"
filled 01.000000000 1 buy 100.0 0.4 0.6 queue
place 01.000400000 2 buy 100.0 1.0
market 01.100000000 depth "bid 99.0*1.0"
end 01.100000000 0.4 0 0 0 100.0 1000.4 999960
prepared "reference: an order that arrives at 999.9 has part in a trade of 1000"
story 0
market 00.000000000 snapshot "bid 100.0*10.0 ask 101.0*5.0"
place 00.000000000 1 buy 100.0 2.0
market 01.000000000 depth "bid 100.0*7.0"
market 02.000000000 trade "sell 100.0*4.0"
market 03.000000000 depth "bid 100.0*3.0"
market 04.000000000 trade "sell 100.0*4.0"
filled 04.000000000 1 buy 100.0 1.0 1.0 queue
end 04.000000000 1 0 0.5 0 100.5 1001 999900
prepared "reference: ahead is the least that was shown, less what traded"
story 0
market 00.000000000 snapshot "bid 100.0*10.0 ask 101.0*5.0"
place 00.000000000 1 buy 100.0 2.0
market 01.000000000 depth "bid 100.0*12.0"
market 02.000000000 depth "bid 100.0*10.0"
market 03.000000000 trade "sell 100.0*10.0"
end 03.000000000 0 0 0 0 100.5 1000 1000000
prepared "reference: an increase joins behind us"
story 0
market 00.000000000 snapshot "bid 100.0*0.1 bid 99.9*5.0 bid 99.0*1.0 ask 101.0*5.0"
market 00.100000000 depth "bid 100.0*0.0"
place 00.200000000 1 buy 100.0 2.0
place 00.200000000 2 buy 99.9 2.0
market 01.000000000 trade "sell 99.8*3.0"
filled 01.000000000 1 buy 100.0 2.0 0.0 through
filled 01.000000000 2 buy 99.9 1.0 1.0 through
end 01.000000000 3 0 1.45 0 100.4 1003 999700.1
prepared "reference: one trade is shared by price"
story 0
market 00.000000000 snapshot "bid 100.0*1.0 ask 101.0*2.0 ask 103.0*1.0"
place 00.000000000 1 sell 101.0 5.0
market 01.000000000 trade "buy 102.0*3.0"
filled 01.000000000 1 sell 101.0 3.0 2.0 through
market 02.000000000 depth "ask 101.0*0.0 bid 101.0*1.0"
filled 02.000000000 1 sell 101.0 1.0 1.0 cross
end 02.000000000 -4 0 -4 0 102.0 996 1000404
prepared "reference: through, then cross at our price"
story 0
market 00.000000000 snapshot "bid 99.0*1.0 ask 100.0*1.0 ask 101.0*2.0"
place 00.000000000 1 buy 101.0 2.5 ioc
filled 00.000000000 1 buy 100.0 1.0 1.5 take 0.1
filled 00.000000000 1 buy 101.0 1.5 0.0 take 0.1515
place 01.000000000 2 buy 101.0 1.0 ioc
filled 01.000000000 2 buy 101.0 0.5 0.5 take 0.0505
said 01.000000000 order_cancelled "venue_time=2024-01-01T00:00:01.000000000Z order=#2 leaves=0.5 cause=unfilled"
market 02.000000000 depth "bid 99.0*2.0"
end 02.000000000 3 0 -3.5 0.302 99.5 1003 999697.698
prepared "reference: what we took is gone until depth renews the level"
sed -i 's/quantity=0.5 leaves=0.5/quantity=1.0 leaves=0.0/' "$folder/journal"
"$refsim" --tape-text "$folder/text" --journal "$folder/journal" --config "$folder/config" >"$folder/out"
[ $? -eq 1 ] && grep -q DIFFERENCE "$folder/out"
report "a wrong fill is a difference" $?
: >"$folder/text"
"$refsim" --tape-text "$folder/text" --journal "$folder/journal" --config "$folder/config" 2>"$folder/err"
[ $? -eq 2 ] && [ "$(wc -l <"$folder/err")" -eq 1 ]
report "a file that is no tape's text is bad input" $?

# How the rules were read (docs/semantics.md).
story 0
market 00.000000000 snapshot "bid 100.0*1.0 ask 101.0*5.0"
market 00.100000000 depth "bid 99.0*0.0"
place 00.200000000 1 buy 99.0 1.0
market 01.000000000 trade "sell 99.0*5.0"
market 02.000000000 depth "bid 99.0*2.0"
market 03.000000000 trade "sell 99.0*2.5"
filled 03.000000000 1 buy 99.0 0.5 0.5 queue
place 03.100000000 2 buy 98.0 1.0
market 04.000000000 depth "bid 98.0*0.0"
market 05.000000000 trade "sell 98.0*1.0"
filled 05.000000000 1 buy 99.0 0.5 0.0 through
filled 05.000000000 2 buy 98.0 0.5 0.5 queue
market 06.000000000 depth "ask 102.0*1.0"
end 06.000000000 1.5 0 2.75 0 100.5 1001.5 999852
prepared "reference: a price beyond the snapshot is known while a level stands there"
story 0
sed -i 's/contract=spot/contract=linear/; s/ multiplier=1 / multiplier=7 /' "$folder/text"
market 00.000000000 snapshot "bid 99.0*0.2 bid 98.0*0.2 ask 101.0*5.0"
place 00.000000000 1 buy 99.0 0.1
place 00.000000000 2 buy 98.0 0.2
market 01.000000000 trade "sell 97.0*0.3"
filled 01.000000000 1 buy 99.0 0.1 0.0 through
filled 01.000000000 2 buy 98.0 0.2 0.0 through
place 02.000000000 3 sell 101.0 0.1
market 03.000000000 trade "buy 101.1*0.1"
filled 03.000000000 3 sell 101.0 0.1 0.0 through
market 04.000000000 depth "bid 96.0*0.1"
# Cost 69.3 + 137.2 = 206.5; a third is 68.833…, in units of 0.01 (not 0.07) 68.83; sold for 70.7.
end 04.000000000 0.2 1.87 2.33 0 100.0 1000 1000001.87
prepared "reference: a cost's unit has not the multiplier, only its power of ten"
story 0
market 00.000000000 snapshot "bid 100.0*10.0 ask 101.0*5.0"
market 05.000000000 trade "sell 100.0*1.0"
end 05.000000000 0 0 0 0 100.5 1000 1000000
sed -i 's/mark_stale=no/mark_stale=yes/' "$folder/journal"
prepared "reference: a trade makes no book young"
story 0
market 00.000000000 snapshot "bid 100.0*10.0 ask 101.0*5.0"
market 01.000000000 depth "bid 101.5*1.0"
market 02.000000000 gap "cause=sequence expected=1 found=2"
end 02.000000000 0 0 0 0 100.5 1000 1000000
sed -i 's/mark_stale=no/mark_stale=yes/' "$folder/journal"
prepared "reference: the last mid stays after a crossed book and a gap, flagged"

# What one request asks for, and what is asked about (rules 27 and 28).
# replaced SECONDS ORDER OLD SIDE PRICE QUANTITY: one request for a cancel and a new order.
replaced() {
    said "$1" replace "order=#$2 replaces=#$3 side=$4 price=$5 quantity=$6 time_in_force=gtc post_only=yes level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0"
}
story 0
market 00.000000000 snapshot "bid 100.0*1.0 ask 101.0*5.0"
place 00.000000000 1 buy 100.0 2.0
replaced 01.000000000 2 1 buy 99.5 2.0
said 01.000000000 order_cancelled 'venue_time=2024-01-01T00:00:01.000000000Z order=#1 leaves=2.0 cause=replaced'
said 01.000000000 order_accepted 'venue_time=2024-01-01T00:00:01.000000000Z order=#2 venue_order="b"'
market 02.000000000 trade "sell 99.4*2.0"
filled 02.000000000 2 buy 99.5 2.0 0.0 through
replaced 03.000000000 3 2 buy 99.0 2.0
said 03.000000000 cancel_rejected 'venue_time=2024-01-01T00:00:03.000000000Z order=#2 reason=already_filled'
said 03.000000000 order_rejected 'venue_time=2024-01-01T00:00:03.000000000Z order=#3 reason=replaced_order_stays'
market 04.000000000 depth "bid 98.0*1.0"
end 04.000000000 2 0 2 0 100.5 1002 999801
prepared "reference: what replaces an order that is gone is not sent"
story 0
market 00.000000000 snapshot "bid 100.0*1.0 ask 101.0*5.0"
place 00.000000000 1 buy 100.0 2.0
market 01.000000000 trade "sell 100.0*1.5"
filled 01.000000000 1 buy 100.0 0.5 1.5 queue
said 01.500000000 modify 'order=#1 side=buy price=100.0 leaves=1.0 level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0'
said 01.500000000 order_modified 'venue_time=2024-01-01T00:00:01.500000000Z order=#1 price=100.0 leaves=1.0'
market 02.000000000 trade "sell 100.0*0.3"
filled 02.000000000 1 buy 100.0 0.3 0.7 queue
said 02.500000000 modify 'order=#1 side=buy price=100.0 leaves=0.8 level=0 cause=1 fair=0 skew=0 distance=0 gates=0x0'
said 02.500000000 order_modified 'venue_time=2024-01-01T00:00:02.500000000Z order=#1 price=100.0 leaves=0.8'
market 03.000000000 trade "sell 100.0*1.0"
end 03.000000000 0.8 0 0.4 0 100.5 1000.8 999920
prepared "reference: a smaller size keeps its place, a larger one does not"
story 0
market 00.000000000 snapshot "bid 100.0*1.0 ask 101.0*5.0"
place 00.000000000 1 buy 100.0 2.0
market 01.000000000 trade "sell 99.0*0.5"
filled 01.000000000 1 buy 100.0 0.5 1.5 through
said 02.000000000 cancel 'order=#1 why=unwanted cause=1'
said 02.000000000 order_cancelled 'venue_time=2024-01-01T00:00:02.000000000Z order=#1 leaves=1.5 cause=requested'
said 03.000000000 query 'order=#1 cause=1'
said 03.000000000 order_filled 'venue_time=2024-01-01T00:00:01.000000000Z order=#1 trade="t01.000000000-1-100.0" side=buy price=100.0 quantity=0.5 leaves=1.5 cause=through liquidity=maker fee=0 fee_asset=USD'
said 03.000000000 order_cancelled 'venue_time=2024-01-01T00:00:03.000000000Z order=#1 leaves=1.5 cause=requested'
said 03.000000000 order_status 'venue_time=2024-01-01T00:00:03.000000000Z order=#1 venue_order="a1" side=buy price=100.0 leaves=0.0'
said 03.000000000 query 'order=#7 cause=1'
said 03.000000000 order_not_found 'venue_time=2024-01-01T00:00:03.000000000Z order=#7'
market 04.000000000 depth "bid 98.0*1.0"
end 04.000000000 0.5 0 0.25 0 100.5 1000.5 999950
prepared "reference: a query tells each fill again, the end, and what rests"
sed -i '/00:00:03.*order_filled/s/trade="[^"]*"/trade="u"/' "$folder/journal"
"$refsim" --tape-text "$folder/text" --journal "$folder/journal" --config "$folder/config" >"$folder/out"
[ $? -eq 1 ] && grep -q 'names several' "$folder/out"
report "a fill that is told again with another trade id is a difference" $?

# Made markets: spot, linear and inverse.
demo=$srcdir/scripts/demo.yaml
for seed in 1 2 3; do
    "$capstan" synth --seed $seed --events 20000 --instruments 6 -o "$folder/synth$seed.tape" >/dev/null
done
"$capstan" synth --seed 4 --events 20000 --instruments 6 --rate 500 --snapshot-interval 2s \
    -o "$folder/synth4.tape" >/dev/null
agree "made market, no latency" "$folder/synth1.tape" "$demo" --set sim.entry_latency=0 \
    --set sim.answer_latency=0
agree "made market, 1 ms, no fill on cross" "$folder/synth2.tape" "$demo" \
    --set sim.entry_latency=1ms --set sim.answer_latency=1ms --set sim.fill_on_cross=no
agree "made market, 50 ms" "$folder/synth3.tape" "$demo" --set sim.entry_latency=50ms \
    --set sim.answer_latency=50ms --set quote.half_spread=1tick
agree "made market, quick, near the touch" "$folder/synth4.tape" "$demo" \
    --set quote.half_spread=1tick --set quote.interval=10ms
agree "made market, from and to, nothing read ahead" "$folder/synth4.tape" "$demo" \
    --from 2024-01-01T00:00:02Z --to 2024-01-01T00:00:06Z --set quote.half_spread=1tick \
    --set sim.reorder=0
# Contracts of 0.7 and snapshots of three levels a side: costs have remainders, queues are unknown.
"$capstan" tape cat --full "$folder/synth4.tape" | awk '
    / contract=linear / { sub(/ multiplier=1 multiplier_exponent=0 /, " multiplier=7 multiplier_exponent=-1 ") }
    $2 == "snapshot" {
        split("", levels)
        text = ""
        for (i = 1; i <= NF; i++)
            if ($i != "bid" && $i != "ask")
                text = text $i " "
            else if (++levels[$i] <= 3)
                text = text $i " " $(++i) " "
            else
                i++
        $0 = text
    }
    { print }' >"$folder/text" && "$capstan" tape make "$folder/text" -o "$folder/few.tape" >/dev/null
agree "made market, contracts of 0.7, few levels known" "$folder/few.tape" "$demo" \
    --set quote.half_spread=1tick --set quote.step=2tick --set quote.levels=6 --set quote.interval=10ms

# Each way to change an order, and what an answer that takes too long asks for: with 10 ms there and
# back, an order is asked for after 8.
"$capstan" synth --seed 5 --events 20000 --instruments 6 --rate 500 --snapshot-interval 2s \
    -o "$folder/synth5.tape" >/dev/null
for modify in none shrink edit replace cancel_replace; do
    agree "made market, venue.modify=$modify, queries and snapshots" "$folder/synth5.tape" "$demo" \
        --set quote.half_spread=1tick --set quote.interval=10ms --set reconcile.price_tolerance=0tick \
        --set reconcile.size_tolerance=5% --set risk.position_limit=100000lot --set risk.size_band=500lot \
        --set safety.sync_interval=200ms --set order.pending_timeout=8ms \
        --set infrastructure.failures=0 --set "venue.modify=$modify"
done

# Random markets: gaps, numbers without value, status changes, funding.
CAPSTAN=$capstan "$srcdir/scripts/refsim-seeds" 6 5 >"$folder/out" 2>&1
report "five random markets" $?
sed 's/^/# /' "$folder/out"

# A minute of six recorded books, quoted from its beginning.
recorded=$shared/data/binance-2024-08-08
if [ -d "$recorded" ]; then
    "$capstan" import binance "$recorded"/*.gz -o "$folder/six.tape" >/dev/null &&
        "$capstan" tape cut "$folder/six.tape" --from 2024-08-08T23:56:00Z \
            --to 2024-08-08T23:57:00Z -o "$folder/minute.tape" >/dev/null
    bench=$folder/bench.yaml
    { echo 'warm_up: {samples: 0}' && cat "$srcdir/scripts/bench.yaml"; } >"$bench"
    agree "six books, 60 s" "$folder/minute.tape" "$bench"
    # Quotes at the touch, so that every book fills.
    sed '/^instruments/,$d' "$bench" >"$folder/near.yaml"
    cat >>"$folder/near.yaml" <<'END'
instruments:
  "binance_spot:BTCUSDT": {quote.size: 1000lot, risk.position_limit: 100000lot}
  "binance_spot:ETHUSDT": {quote.size: 1000lot, risk.position_limit: 100000lot}
END
    agree "six books, 60 s, at the touch" "$folder/minute.tape" "$folder/near.yaml" \
        --set quote.half_spread=1tick --set quote.step=1tick --set quote.skew=1tick \
        --set reconcile.price_tolerance=0tick
    for book in coinm:BTCUSD_PERP coinm:ETHUSD_PERP spot:BTCUSDT spot:ETHUSDT usdm:BTCUSDT \
        usdm:ETHUSDT; do
        grep -q "^binance_$book: .* [1-9][0-9]* fills" "$folder/out" ||
            echo "# no fill in binance_$book"
    done >"$folder/none"
    [ ! -s "$folder/none" ]
    report "each of the six books filled" $?
    cat "$folder/none"
    for modify in none shrink edit replace cancel_replace; do
        agree "six books, 60 s, at the touch, venue.modify=$modify" "$folder/minute.tape" \
            "$folder/near.yaml" --set quote.half_spread=1tick --set quote.step=1tick \
            --set quote.skew=1tick --set reconcile.price_tolerance=0tick \
            --set safety.sync_interval=500ms --set "venue.modify=$modify"
    done
else
    for name in "six books, 60 s" "six books, 60 s, at the touch" \
        "each of the six books filled" none shrink edit replace cancel_replace; do
        number=$((number + 1))
        echo "ok $number - $name # SKIP no recordings in $shared; set CAPSTAN_SHARED"
    done
fi
exit $failed
