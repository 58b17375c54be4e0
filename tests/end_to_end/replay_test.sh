#!/bin/sh
# replay and verify from the command line: result, journal, session tape, bounds, refusals.
capstan=${CAPSTAN:?}
srcdir=${srcdir:?}
config=$srcdir/scripts/demo.yaml
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

# expect NAME COMMAND…: the command succeeds.
expect() {
    name=$1
    shift
    "$@" >"$folder/out" 2>"$folder/err"
    status=$?
    report "$name" $status
    [ $status -eq 0 ] || sed 's/^/# /' "$folder/out" "$folder/err"
}

# refuse NAME STATUS TEXT COMMAND…: exit status, and one line on standard error that has TEXT.
refuse() {
    name=$1
    wanted=$2
    text=$3
    shift 3
    "$@" >"$folder/out" 2>"$folder/err"
    status=$?
    [ $status -eq "$wanted" ] && [ "$(wc -l <"$folder/err")" -eq 1 ] && grep -q -- "$text" "$folder/err"
    status=$?
    report "$name" $status
    [ $status -eq 0 ] || sed 's/^/# /' "$folder/out" "$folder/err"
}

# field NAME FILE: a top-level count or text of a result.
field() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"]*\).*/\1/p" "$2"
}

replay() {
    "$capstan" replay "$folder/day.tape" -c "$config" "$@"
}

echo "1..28"
expect "a tape to replay" "$capstan" synth --seed 3 --events 100000 --instruments 6 \
    -o "$folder/day.tape"
replay --json --journal "$folder/one.journal" >"$folder/one.json"
report "replay --json" $?
all=0
for key in events decisions cycles fingerprint wall_seconds events_per_second orders_placed \
    orders_cancelled fills fills_by_cause position realized_pnl unrealized_pnl fees balances \
    input_grade invariant_checks invariant_violations; do
    grep -q "\"$key\":" "$folder/one.json" || { all=1; echo "# no $key"; }
done
report "every figure of the result is there" $all
[ "$(field invariant_violations "$folder/one.json")" = 0 ] && [ "$(field fills "$folder/one.json")" -gt 0 ]
report "fills, and no invariant violated" $?
[ "$(grep -c ' place ' "$folder/one.journal")" = "$(field place_requests "$folder/one.json")" ]
report "the journal has a line for each order" $?
placed=$(grep -E ' order_(accepted|filled|cancelled|expired) ' "$folder/one.journal" | grep -o ' order=#[0-9.]*' | sort -u | wc -l)
[ "$placed" = "$(field orders_placed "$folder/one.json")" ] &&
    [ "$placed" -lt "$(field place_requests "$folder/one.json")" ] &&
    [ "$(grep -c ' order_cancelled ' "$folder/one.journal")" = "$(field orders_cancelled "$folder/one.json")" ] &&
    [ "$(grep -c ' cancel ' "$folder/one.journal")" = "$(field cancel_requests "$folder/one.json")" ]
report "placed is accepted by the venue, cancelled is ended by a cancel; requests count apart" $?
replay --json --journal "$folder/two.journal" --set feed.threads=2 >"$folder/two.json"
[ "$(field fingerprint "$folder/one.json")" = "$(field fingerprint "$folder/two.json")" ] &&
    cmp -s "$folder/one.journal" "$folder/two.journal"
report "the same fingerprint and journal with a decoder on a second thread" $?
replay >"$folder/table" && grep -q "^fingerprint  $(field fingerprint "$folder/one.json")$" "$folder/table"
report "the table has the same fingerprint" $?
[ "$(field input_grade "$folder/one.json")" = A ] && grep -q '"grade_reasons":\[\]' "$folder/one.json"
report "a clean tape keeps its grade" $?
head -c 200000 "$folder/day.tape" >"$folder/cut.tape"
"$capstan" replay "$folder/cut.tape" -c "$config" --json >"$folder/cut.json" 2>"$folder/err"
[ "$(field input_grade "$folder/cut.json")" = D ] && grep -q 'never finished' "$folder/cut.json" &&
    "$capstan" replay "$folder/cut.tape" -c "$config" 2>"$folder/err" | grep -q 'grade D'
report "a tape that was cut off has no good grade" $?
replay --json --set sim.reorder=0 >"$folder/late.json"
[ "$(field late_messages "$folder/late.json")" -gt 0 ] &&
    [ "$(field input_grade "$folder/late.json")" = C ] && grep -q 'sim.reorder' "$folder/late.json"
report "messages later than sim.reorder lower the grade" $?
expect "replay --tape" replay --tape "$folder/session.tape"
expect "verify finds the session identical" "$capstan" verify "$folder/session.tape"
grep -q "identical: $(field decisions "$folder/one.json") decisions" "$folder/out"
report "every decision was compared" $?
"$capstan" replay "$folder/session.tape" -c "$config" --json >"$folder/again.json"
[ "$(field fingerprint "$folder/again.json")" = "$(field fingerprint "$folder/one.json")" ] &&
    [ "$(field records_left_out "$folder/again.json")" -gt 0 ]
report "a session replays as its market data, the rest left out and counted" $?
replay --json --from 2024-01-01T00:01:00Z --to 2024-01-01T00:02:00Z --journal "$folder/part.journal" \
    --tape "$folder/part.tape" >/dev/null
first=$(head -n 1 "$folder/part.journal" | cut -c 1-17)
last=$(tail -n 1 "$folder/part.journal" | cut -c 1-17)
[ "$first" = 2024-01-01T00:01: ] && [ "$last" = 2024-01-01T00:01: ]
report "--from and --to bound the run" $?
expect "a bounded session verifies" "$capstan" verify "$folder/part.tape"
refuse "a tape without decisions is nothing to verify" 2 "no decisions" \
    "$capstan" verify "$folder/day.tape"
refuse "a start after the last message" 2 "nothing at or after it" replay --from 2030-01-01T00:00:00Z
refuse "a file that is no tape" 2 "one.json" "$capstan" replay "$folder/one.json"
refuse "a tape that is not there" 2 "nowhere.tape" "$capstan" replay "$folder/nowhere.tape"
refuse "a journal that cannot be made" 2 "journal" replay --journal "$folder/no/journal"
replay --set quote.size=0lot >"$folder/table"
grep -q '^no order     synth_spot:AAAUSD: quote.size is 0$' "$folder/table" &&
    grep -q '^blocked      .* unsynchronised' "$folder/table"
report "the table has the gates that blocked, and says of an instrument why it had no order" $?
sum=0
for key in orders_rejected orders_cancelled orders_filled orders_expired orders_not_found orders_open; do
    sum=$((sum + $(field $key "$folder/one.json")))
done
[ $sum -eq "$(field place_requests "$folder/one.json")" ]
report "every order sent has one end, or is open" $?
[ $(($(field market_messages "$folder/one.json") + $(field ticks "$folder/one.json") + \
    $(field answers "$folder/one.json") + 1)) -eq "$(field messages "$folder/one.json")" ]
report "messages are those of the market, ticks, answers and the start" $?
replay --json --from 2024-01-01T00:01:00Z >"$folder/late.json"
before=$(field events_before_start "$folder/late.json")
[ "$before" -gt 0 ] && [ "$(field events_before_start "$folder/one.json")" -eq 0 ] &&
    [ $((before + $(field events "$folder/late.json"))) -eq "$(field events "$folder/one.json")" ]
report "events count from the engine's start on, those before it apart" $?
"$capstan" replay "$folder/day.tape" >"$folder/table"
grep -q '^synth_spot  *funds: not limited' "$folder/table" &&
    "$capstan" replay "$folder/day.tape" --json | grep -q '"funds_limited":{[^}]*"synth_spot":false' &&
    grep -q '"funds_limited":{[^}]*"synth_spot":true' "$folder/one.json"
report "a venue without balances is said to have no limit of funds" $?

# The mid jumps by 2 % at 10 s, which cancels all until a minute of calm; the tape ends at 20 s.
cat "$srcdir/tests/end_to_end/hand_header.txt" - >"$folder/jump.txt" <<'END'
2024-01-01T00:00:00.000000000Z snapshot v1:BTC-USD sequence=1 venue_time=2024-01-01T00:00:00.000000000Z bid 100.0*0.040 ask 100.5*0.040
2024-01-01T00:00:10.000000000Z depth v1:BTC-USD sequence=2 venue_time=2024-01-01T00:00:10.000000000Z bid 102.0*0.040 ask 100.5*0.000 ask 102.5*0.040
2024-01-01T00:00:20.000000000Z depth v1:BTC-USD sequence=3 venue_time=2024-01-01T00:00:20.000000000Z bid 102.0*0.050
END
"$capstan" tape make "$folder/jump.txt" -o "$folder/jump.tape" >/dev/null
"$capstan" replay "$folder/jump.tape" --set safety.stale_after=1h >"$folder/table"
"$capstan" replay "$folder/jump.tape" --set safety.stale_after=1h --json >"$folder/jump.json"
grep -qx 'breaker      v1:BTC-USD: volatility cancel_all since 2024-01-01T00:00:10.000000000Z; no order left for 10.000 of 20.000 s; 1 trip' \
    "$folder/table" &&
    grep -q '"breakers":{"volatility":{"state":"cancel_all","since":"2024-01-01T00:00:10.000000000Z","trips":1,"stopped_seconds":"10.000000000"}}' \
        "$folder/jump.json"
report "which breaker stands where since when, and for how long no order left" $?
exit $failed
