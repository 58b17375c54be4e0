#!/bin/sh
# Recomputes from text alone that no order left its collar and that exposure never passed its limit
# (scripts/check-limits), on a made tape and on a minute of six recorded books; and shows that it can fail.
capstan=${CAPSTAN:?}
srcdir=${srcdir:?}
check=$srcdir/scripts/check-limits
recorded=${CAPSTAN_SHARED:-$srcdir/../shared}/data/binance-2024-08-08
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
        tail -n 5 "$folder/out" "$folder/err" | sed 's/^/# /'
        failed=1
    fi
}

# replay TAPE ARGUMENT…: tape, journal and settings as text in the folder.
replay() {
    tape=$1
    shift
    "$capstan" tape cat --full "$tape" >"$folder/tape.txt" &&
        "$capstan" config show "$@" >"$folder/settings.txt" &&
        "$capstan" replay "$tape" --journal "$folder/journal.txt" "$@" >"$folder/out" 2>"$folder/err"
}

# judge JOURNAL: the exit status of the script.
judge() {
    python3 "$check" --tape "$folder/tape.txt" --journal "$1" --config "$folder/settings.txt" \
        >"$folder/out" 2>"$folder/err"
}

# holds NAME LEAST: no finding, and at least so many orders were checked.
holds() {
    judge "$folder/journal.txt"
    status=$?
    [ $status -eq 0 ] && [ "$(sed -n 's/ orders checked.*//p' "$folder/out")" -ge "$2" ]
    report "$1" $?
}

# refuses NAME TEXT PROGRAM: the journal as awk's program changes it has a finding with that text.
refuses() {
    awk "$3" "$folder/journal.txt" >"$folder/altered.txt"
    ! cmp -s "$folder/journal.txt" "$folder/altered.txt"
    changed=$?
    judge "$folder/altered.txt"
    status=$?
    [ $changed -eq 0 ] && [ $status -eq 1 ] && grep -q "$2" "$folder/out"
    report "$1" $?
}

command -v python3 >/dev/null || {
    echo "1..0 # SKIP no python3"
    exit 0
}
echo "1..8"
"$capstan" synth --seed 11 --events 60000 --instruments 6 -o "$folder/made.tape" >/dev/null
replay "$folder/made.tape" -c "$srcdir/scripts/demo.yaml" --set risk.position_limit=40lot
report "a made tape is replayed near its position limit" $?
holds "its orders keep collar and limit" 1000
# awk's program that changes one order.
# shellcheck disable=SC2016 # every $ is awk's
altered='$2 == "place" && !done && NR > 200 {
    for (i = 4; i <= NF; i++) {
        if ($i == "side=buy") factor = BUY
        if ($i == "side=sell") factor = SELL
        if ($i ~ /^FIELD=/) $i = "FIELD=" substr($i, length("FIELD=") + 1) * factor
    }
    done = 1
} { print }'
# alter FIELD BUY SELL: the program with these in it.
alter() {
    echo "$altered" | sed "s/FIELD/$1/g; s/BUY/$2/; s/SELL/$3/"
}
refuses "a price 1 % nearer the other side is found" "outside the collar" "$(alter price 1.01 0.99)"
refuses "a price 11 % away is found" "outside the collar" "$(alter price 0.89 1.11)"
refuses "a quantity above the limit is found" "passes the limit" "$(alter quantity 50 50)"
refuses "confirmed cancels that are left out are found" "passes the limit" '!/ order_cancelled / { print }'

if [ ! -d "$recorded" ]; then
    echo "ok 7 - six recorded books # SKIP no recordings in $recorded"
    echo "ok 8 - their orders keep collar and limit # SKIP no recordings in $recorded"
    exit $failed
fi
"$capstan" import binance "$recorded"/*.gz -o "$folder/six.tape" >/dev/null 2>&1 &&
    "$capstan" tape cut "$folder/six.tape" --from 2024-08-08T23:55:00Z --to 2024-08-08T23:56:00Z \
        -o "$folder/minute.tape" >/dev/null &&
    replay "$folder/minute.tape" -c "$srcdir/scripts/bench.yaml" --set warm_up.samples=0
report "a minute of six recorded books is replayed" $?
holds "their orders keep collar and limit" 500
exit $failed
