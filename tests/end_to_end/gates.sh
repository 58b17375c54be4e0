#!/bin/sh
# docs/gates.md lists every gate, and a gate that is switched off is missed by a scenario and caught by
# random simulation, whose scenario of it holds once the gate is back. `make gates` does it for all.
capstan=${CAPSTAN:?}
srcdir=${srcdir:?}
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

echo "1..8"
"$srcdir/scripts/gates" --check
report "docs/gates.md lists every gate" $?
"$capstan" scenario --without-gate shutdown --defaults "$srcdir/fixtures/scenarios/defaults.yaml" \
    "$srcdir/fixtures/scenarios/graceful_shutdown_cancels_orders.scn" >/dev/null 2>&1
[ $? -eq 1 ]
report "without the gate shutdown a scenario fails" $?
full="$srcdir/fixtures/scenarios/order_table_full_ends_the_run.scn"
"$capstan" scenario --without-gate table_full --defaults "$srcdir/fixtures/scenarios/defaults.yaml" "$full" \
    >/dev/null 2>&1
[ $? -eq 1 ]
report "without the gate table_full its scenario fails" $?
sed -e 's/capacity=64/capacity=70/' -e '/expect gate/d' -e 's/  metric.*//' "$full" >"$folder/room.scn"
"$capstan" scenario --defaults "$srcdir/fixtures/scenarios/defaults.yaml" "$folder/room.scn" >/dev/null 2>"$folder/err"
[ $? -eq 1 ] && grep -q 'expected orders.capacity to be too small, and nothing was' "$folder/err"
report "a table that had room fails a scenario that says it was full" $?
"$capstan" simulate --without-gate paused --seed 26 --seeds 20 --events 3000 -o "$folder" >/dev/null 2>"$folder/err"
[ $? -eq 1 ] && grep -q 'breaks invariant 4: .* (it fails in the same way)$' "$folder/err"
report "without the gate paused a seed breaks invariant 4, and its scenario too" $?
sed 's/^/# /' "$folder/err"
scenario=$(echo "$folder"/seed_*.scn)
[ "$(wc -l <"$scenario")" -lt 400 ]
report "the scenario is shrunk" $?
"$capstan" scenario --bless "$scenario" >/dev/null
report "with the gate it holds" $?
"$capstan" simulate --without-gate nothing --seed 1 >/dev/null 2>"$folder/err"
[ $? -eq 2 ] && [ "$(wc -l <"$folder/err")" -eq 1 ]
report "a gate that is none is bad input" $?
exit $failed
