#!/bin/sh
# Random simulation: no seed of a fixed range breaks an invariant, and what happened on the way is counted.
capstan=${CAPSTAN:?}
: "${srcdir:?}"
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
"$capstan" simulate --seed 1 --seeds 300 --jobs 2 -o "$folder" >"$folder/out" 2>"$folder/err"
report "300 seeds of 10,000 events break no invariant" $?
sed 's/^/# /' "$folder/out" "$folder/err"
"$capstan" simulate --seed 5 --no-scenario >"$folder/first" 2>&1 &&
    "$capstan" simulate --seed 5 --no-scenario >"$folder/second" 2>&1 &&
    cmp "$folder/first" "$folder/second"
report "a seed counts the same twice" $?
"$capstan" simulate --seed 2 --counts >"$folder/out" 2>&1 &&
    grep -q 'seeds run again 1,.* restarts [1-9]' "$folder/out"
report "a seed with restarts decides the same again, and where it is only told the same" $?
"$capstan" simulate --seed 2 --without-gate collar -o "$folder" >"$folder/out" 2>&1
[ $? -eq 1 ] && grep -q '(it fails in the same way)$' "$folder/out" && [ -s "$folder/seed_2.scn" ]
report "a seed that fails is shrunk to a scenario that fails in the same way" $?
"$capstan" simulate --seed 5 --complete >"$folder/out" 2>&1
[ $? -eq 1 ] && grep -q ': never happened$' "$folder/out"
report "one seed alone is not complete, and it says what is missing" $?
"$capstan" simulate --seed 1 --seeds 40 --jobs 2 --all --without-gate paused >"$folder/out" 2>"$folder/err"
[ $? -eq 1 ] && [ "$(grep -c 'breaks invariant 4' "$folder/err")" -gt 1 ]
report "with --all every seed that fails is named" $?
# What stands here was drawn by gcc for x86-64; no compiler may draw in another order.
"$capstan" simulate --seed 3 --write "$folder" >/dev/null &&
    "$capstan" tape check --json "$folder/seed_3.tape" | grep -q a88ac2c91aa0fd8c96af3d7f1e124050 &&
    [ "$(sed -n 's/^    sim.balances: //p' "$folder/seed_3.yaml" | tr '\n' ' ')" = \
        '"512 BTC, 512000 USD" "" ' ] &&
    [ "$(sed -n 's/^    risk.collar: //p' "$folder/seed_3.yaml" | tr '\n' ' ')" = '0.9% 1.4% ' ]
report "a seed is the same market and the same settings with every compiler" $?
"$capstan" simulate --seed 1000133 -o "$folder" >"$folder/out" 2>&1
report "a balance that was lost, and then always told too late, is not taken for one of 0" $?
exit "$failed"
