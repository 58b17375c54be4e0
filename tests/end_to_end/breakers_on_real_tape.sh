#!/bin/sh
# The market breakers on recorded markets. While all six books run none of them trips; when the files of two
# end, exactly the stale breakers of those two do; and each trips, alone, on a disturbance of its own kind
# that tests/tools/disturb splices in. Quotes stand wide, so that few fills happen, except where fills are
# the disturbance.
capstan=${CAPSTAN:?}
srcdir=${srcdir:?}
disturb=$(dirname "$capstan")/tests/tools/disturb
shared=${CAPSTAN_SHARED:-$srcdir/../shared}
recorded=$shared/data/binance-2024-08-08
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

echo "1..11"
if [ ! -d "$recorded" ]; then
    while [ $number -lt 11 ]; do
        number=$((number + 1))
        echo "ok $number - breakers on recorded markets # SKIP no recordings in $shared; set CAPSTAN_SHARED"
    done
    exit 0
fi

# trips: each breaker that left clear in a journal, with its instrument, once.
trips() {
    awk '$2 == "breaker" && $5 != "state=clear" { print $3, $4 }' "$folder/journal" | sort -u
}

# same NAME: the trips are those of standard input.
same() {
    number=$((number + 1))
    sort -u >"$folder/wanted"
    trips >"$folder/got"
    if cmp -s "$folder/wanted" "$folder/got"; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        sed 's/^/# wanted: /' "$folder/wanted"
        sed 's/^/# got:    /' "$folder/got"
        failed=1
    fi
}

replay() {
    "$capstan" replay "$@" --journal "$folder/journal" >"$folder/out" 2>&1 || sed 's/^/# /' "$folder/out"
}

# A ladder of one level, about 0.3 % from the mid; everything else as by default.
cat >"$folder/quiet.yaml" <<'END'
quote: {levels: 1, size: 10lot, half_spread: 7}
risk: {position_limit: 1000lot}
reconcile: {price_tolerance: 1}
instruments:
  "binance_spot:BTCUSDT": {quote.half_spread: 180, reconcile.price_tolerance: 20}
  "binance_usdm:BTCUSDT": {quote.half_spread: 180, reconcile.price_tolerance: 20}
  "binance_coinm:BTCUSD_PERP": {quote.half_spread: 180, reconcile.price_tolerance: 20}
END

"$capstan" import binance "$recorded"/*.gz -o "$folder/six.tape" >/dev/null
"$capstan" tape cut "$folder/six.tape" --to 2024-08-08T23:59:58Z -o "$folder/running.tape" >/dev/null
"$capstan" tape cut "$folder/six.tape" --from 2024-08-08T23:55:00Z --to 2024-08-08T23:56:50Z \
    -o "$folder/part.tape" >/dev/null

replay "$folder/running.tape" -c "$folder/quiet.yaml"
same "all six books run: nothing trips" </dev/null

replay "$folder/six.tape" -c "$folder/quiet.yaml"
same "two streams end: they are stale, and nothing else trips" <<'END'
binance_usdm:BTCUSDT breaker=stale
binance_usdm:ETHUSDT breaker=stale
END

# disturbed KIND INSTRUMENT BREAKER: that part of the tape with a disturbance at 80 s trips this and no more.
disturbed() {
    "$disturb" "$folder/part.tape" "$folder/$1.tape" "$1" "$2" 80
    replay "$folder/$1.tape" -c "$folder/quiet.yaml"
    same "$1: $3" <<END
$2 breaker=$3
END
}
disturbed jump binance_coinm:BTCUSD_PERP volatility
disturbed wide binance_coinm:ETHUSD_PERP spread
disturbed silence binance_spot:ETHUSDT stale
disturbed gap binance_usdm:BTCUSDT gap
disturbed mark binance_usdm:ETHUSDT reference
disturbed open_interest binance_usdm:BTCUSDT open_interest

# A jump of one of two peers: nobody knows which is right.
"$disturb" "$folder/part.tape" "$folder/peer.tape" jump binance_spot:BTCUSDT 80
replay "$folder/peer.tape" -c "$folder/quiet.yaml"
same "a jump of one of two peers: both are off their reference" <<'END'
binance_spot:BTCUSDT breaker=reference
binance_spot:BTCUSDT breaker=volatility
binance_usdm:BTCUSDT breaker=reference
END

# Rejects: orders take 4 s to the venue, which has halted before they arrive. The quotes follow the market
# closely, so that many are under way.
cat >"$folder/busy.yaml" <<'END'
sim: {entry_latency: 4s}
quote: {levels: 6, half_spread: 100tick, step: 5tick}
reconcile: {price_tolerance: 0tick}
risk: {position_limit: 10000lot}
breaker: {edge: 0}
END
"$disturb" "$folder/part.tape" "$folder/halt.tape" halt binance_usdm:BTCUSDT 82
replay "$folder/halt.tape" -c "$folder/busy.yaml"
same "halt while orders travel: rejects" <<'END'
binance_usdm:BTCUSDT breaker=rejects
END

# Adverse fills: quotes nearer to the mid than the maker's fee of 2 bp.
replay "$folder/six.tape" -c "$srcdir/scripts/bench.yaml" --set breaker.edge=2 --to 2024-08-08T23:59:00Z
awk '$2 == "breaker" && $3 == "binance_usdm:BTCUSDT" { print $4, $5 }' "$folder/journal" >"$folder/got"
number=$((number + 1))
if [ "$(tr '\n' ' ' <"$folder/got")" = "breaker=edge state=widen breaker=edge state=pause " ]; then
    echo "ok $number - fills that lose more than chance would: edge widens, then pauses"
else
    echo "not ok $number - fills that lose more than chance would: edge widens, then pauses"
    sed 's/^/# got: /' "$folder/got"
    failed=1
fi
exit $failed
