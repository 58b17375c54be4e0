#!/bin/sh
# scripts/read-tape, written from docs/tape-format.md alone, and capstan agree: on text, identity, counts and damage.
if ! /usr/bin/python3 -c 'import xxhash' 2>/dev/null; then
    echo "1..0 # SKIP scripts/read-tape needs /usr/bin/python3 with the module xxhash (Debian: python3-xxhash)"
    exit 0
fi
if ! command -v zstd >/dev/null; then
    echo "1..0 # SKIP scripts/read-tape needs the program zstd"
    exit 0
fi
echo 1..37
reader=$(cd "${srcdir:?}" && pwd)/scripts/read-tape
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99
number=0

# result STATUS TEXT: one line of TAP.
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}
# agree FILE: three results, text, identity and counts.
agree() {
    "$CAPSTAN" tape cat "$1" >program.txt && "$reader" "$1" >reader.txt && cmp program.txt reader.txt
    result $? "$1: same text"
    [ "$("$reader" --identity "$1")" = "$("$CAPSTAN" tape check "$1" | sed -n 's/.* identity //p')" ]
    result $? "$1: same identity"
    # The reader says {"name": 1, ...} on one line, the program "name":<tab>1, on several.
    "$reader" --summary "$1" >summary
    "$CAPSTAN" tape info "$1" --json >info.json
    tr -d '\n\t ' <info.json | sed 's/"instruments":.*//' >info
    same=0
    for name in identity blocks messages rows seed origin header_grade; do
        # The reader tells what stands in the header; the program's grade knows of the messages too.
        value=$(sed -n "s/.*\"${name#header_}\": \\([^,}]*\\).*/\\1/p" summary)
        grep -q "\"$name\":${value}[,}]" info || same=1
    done
    kinds=$(sed 's/.*"kinds": \({[^}]*}\).*/\1/' summary | tr -d '{} ' | tr ',' '\n' | sort)
    [ "$kinds" = "$(sed 's/.*"kinds":\({[^}]*}\).*/\1/' info | tr -d '{}' | tr ',' '\n' | sort)" ] || same=1
    result $same "$1: same counts"
}
# refused FILE TEXT: both end with status 2; the reader says a block, or the end, and a byte.
refused() {
    "$CAPSTAN" tape check "$1" >/dev/null 2>&1
    program=$?
    "$reader" "$1" >/dev/null 2>err
    [ $? -eq 2 ] && [ $program -eq 2 ] && grep -q "^read-tape: $1: \(block [0-9]*\|end\).*, byte [0-9]*: " err
    result $? "both refuse $2"
}
# flip BYTE: flip.tape is made.tape with that byte altered.
flip() {
    old=$(od -An -tu1 -j "$1" -N 1 made.tape | tr -d ' ')
    # shellcheck disable=SC2059 # an octal escape
    { head -c "$1" made.tape; printf "\\$(printf %o $((old ^ 1)))"; tail -c +$(($1 + 2)) made.tape; } >flip.tape
}

"$CAPSTAN" synth --seed 7 --events 3000 --instruments 3 --block-events 1024 --snapshot-interval 5s -o made.tape >/dev/null
result $? "a made tape of some blocks"
agree made.tape
"$CAPSTAN" synth --seed 8 --events 5000 --instruments 5 -o one_block.tape >/dev/null
agree one_block.tape
"$CAPSTAN" replay made.tape --tape session.tape >/dev/null
agree session.tape

# By hand: every kind, odd numbers, every form of the venue's time, channels and names that are not the usual ones.
cat >by_hand.txt <<'END'
capstan-tape 1
origin scenario
grade B
reason first thing
reason second thing
seed 18446744073709551615
feed_floor 1ms
venue v1
venue v2
asset BTC
asset USD
instrument v1:BTC-USD venue=v1 contract=spot price_exponent=-1 quantity_exponent=-3 tick=5 lot=1 multiplier=1 multiplier_exponent=0 minimum_notional=0 maker_fee=0 taker_fee=0.001 fee_asset=received base_commission_exponent=-8 quote_commission_exponent=-8 base=BTC quote=USD settle=USD grid_basis=given
instrument v2:X venue=v2 contract=inverse price_exponent=2 quantity_exponent=0 tick=1 lot=1 multiplier=3 multiplier_exponent=18 minimum_notional=5.5 maker_fee=-0.0001 taker_fee=0.000000001 fee_asset=settle base_commission_exponent=0 quote_commission_exponent=-18 base=- quote=USD settle=- grid_basis=inferred
config a: 1
config  b: "é"
messages
1 snapshot v1:BTC-USD sequence=18446744073709551615 venue_time=estimated:1970-01-01T00:00:00Z bid nan*0.050 held ask 100.0*overflow ask absent*absent bid -5.5*-0.001
1 depth v1:BTC-USD sequence=5 more bid 922337203685477580.7*9223372036854775.807 ask -922337203685477580.8*-9223372036854775.808
2 depth v1:BTC-USD sequence=3 venue_time=2024-01-01T00:00:00.123456Z bid 1*1 ask malformed*infinite bid 2*2
3 snapshot v2:X
4 trade v2:X venue_time=1969-12-31T23:59:59.999999999Z buy 300*5 not_market sell off_grid*nan snapshot buy 300*4
5 trade v2:X venue_time=never
6 order_level v1:BTC-USD bid 1*1 action=255 slot=4294967295 ask 2*2 action=0 slot=0
7 order_level v1:BTC-USD channel=top venue_time=estimated:1969-12-31T23:59:59.999000007Z bid 1*nan action=1 slot=65536 ask overflow*2 action=0 slot=0
8 mark v1:BTC-USD instrument=- price=7
8 snapshot - bid 7*7
9 depth v1:BTC-USD channel=session bid 1*1
END
# A third of these lines each of two instruments and of none.
cat >kinds.txt <<'END'
depth @ bid 100*1
snapshot @ bid 100*1
trade @ buy 100*1
top @ bid 100*1
order_level @ bid 100*1 action=0 slot=0
definition @ venue=v1 contract=spot price_exponent=-1 quantity_exponent=-3 tick=5 lot=1 multiplier=1 multiplier_exponent=0 minimum_notional=0 maker_fee=0 taker_fee=0.001 fee_asset=received base_commission_exponent=-8 quote_commission_exponent=-8 base=BTC quote=USD settle=USD grid_basis=given
instrument_status @ trading=cancel_only
mark @ price=nan
index_price @ price=-500
funding @ rate=-0.0001 due=never
reference_rate @ from=BTC to=- bid=1 ask=2
open_interest @ open_interest=5 cap=absent
gap @ cause=crossed expected=18446744073709551615 found=0
feed_connection @ venue=- connected=no
source_text @ row=5 quantity=no text="a\"\\\x00\xff b~"
start @ epoch=1 seed=2 config_hash=3
tick @ deadline=0
order_accepted @ order=#2.17 venue_order=""
order_rejected @ order=#4294967295.4294967295 reason=venue_full
order_filled @ order=#17 trade="0123456789012345678901234567890123456789" side=sell price=malformed quantity=infinite leaves=overflow cause=cross liquidity=taker fee=-0.5 fee_asset=-
order_cancelled @ order=- leaves=0 cause=replaced
cancel_rejected @ order=#1 reason=none
order_modified @ order=#1 price=100 leaves=1
modify_rejected @ order=#1 reason=none
order_expired @ order=#1 leaves=1
order_unknown @ order=#1 request=query
order_not_found @ order=#1
order_status @ order=#1 venue_order="x" side=sell price=100 leaves=0
balance @ venue=v2 asset=USD total=1 available=-1e-18
venue_position @ position=-1
open_order @ order=#1 venue_order="x" side=buy price=100 leaves=1
snapshot_end @ venue=v1 taken=0
command @ command=reset
breaker_input @ venue=v1 healthy=yes
rate_budget @ venue=v1 left=5 resets=never
clock_jump @ jump=-90s
shutdown @ signal=15
place @ order=#1 side=buy price=9900 quantity=10 time_in_force=fok post_only=yes level=0 cause=5 fair=-200555 skew=0 distance=2000 gates=0x3fffff
cancel @ order=#1 why=unwanted cause=2032
modify @ order=#1 side=buy price=9900 leaves=10 level=0 cause=5 fair=-200555 skew=0 distance=2000 gates=0x0
query @ order=#1 cause=1
gate @ gate=open_interest blocking=yes blocked=1
removed @ where=resting order=- side=sell price=nan quantity=40 reason=bad_price
breaker @ breaker=edge state=widen
pause @ paused=yes why=rate
learning @ side=sell level=3 filled=0.5 weight=-9223372036.854775808
risk_mark @ profit=0.1 peak=1 day_start=2 day=3
final_position @ position=9 realised=0.00000005 unrealised=-0.00000003 fees=0.00000575 funding=0 mark=-300 mark_stale=no
final_balance @ venue=v1 asset=BTC total=-0.0000057
shutdown_state @ step=forced open_orders=1 unconfirmed=2
step_done @ step=closing failed=yes
request_snapshot @ venue=v2 cause=1
replace @ order=#2 replaces=#1 side=sell price=9900 quantity=4 time_in_force=gtc post_only=yes level=1 cause=5 fair=200555 skew=-3 distance=2000 gates=0x1ffffff
infrastructure @ venue=v1 state=half_open failures=5
alarm @ venue=v1 reason=drift order=- raised=yes clears=reset
cancel_orphan @ order=- venue_order="theirs-1" cause=9
step_failed @ step=flushing in_time=no
unconfirmed @ order=#1 venue_order="x" side=buy price=9900 leaves=2
final_counters @ placed=5 modified=1 replaced=2 cancels=3 fills=18446744073709551615
predecessor @ name="session.tape" identity_high=1 identity_low=18446744073709551615 messages=7 last=9 epoch=3 number=2
carry @ part=0 parts=2 bytes="\x00\xff" more=""
funding_booked @ due=9 rate=-0.0001 mark2=12400
adopt @ position=-5 price=absent
venue_entry @ price=100
orders_stream @ venue=v2 connected=no since=never
adopted @ result=taken change=-0.005 position=0 price=100 apart=yes as_of=7
adopted @ result=no_price change=0 position=0 price=absent apart=no as_of=absent
learned @ order=#1 side=buy level=0 filled=0.4 weight=0.5 alpha=1.4 beta=1.3 next=1
END
for head in v1:BTC-USD v2:X -; do sed "s/@/$head/; s/^/10 /" kinds.txt; done >>by_hand.txt
cat >>by_hand.txt <<'END'
2095-12-31T23:59:59.999999998Z top v1:BTC-USD sequence=1 venue_time=2000-01-01T00:00:00Z bid 1*1 ask 2*2
2095-12-31T23:59:59.999999999Z top v1:BTC-USD sequence=9223372036854775808 venue_time=2000-01-01T00:00:00.001Z bid 1*1
END
"$CAPSTAN" tape make by_hand.txt -o by_hand.tape >/dev/null
result $? "a tape made by hand"
agree by_hand.tape
cp "$(dirname "$reader")/../fixtures/tapes/version-1.tape" .
agree version-1.tape
[ "$("$reader" --summary by_hand.tape | sed 's/.*"kinds": {\([^}]*\)}.*/\1/' | tr ',' '\n' | wc -l)" -eq \
    "$(grep -c '^### ' "$(dirname "$reader")/../docs/event-kinds.md")" ]
result $? "with all kinds"
sed '/^messages$/q' by_hand.txt >nothing.txt
"$CAPSTAN" tape make nothing.txt -o nothing.tape >/dev/null && [ -z "$("$reader" nothing.tape)" ] &&
    "$CAPSTAN" tape check nothing.tape | grep -q " $("$reader" --identity nothing.tape)\$"
result $? "a tape without messages"

size=$(wc -c <made.tape)
for byte in 0 17 40 104 130 $((size / 3)) $((size / 2)) $((size - 200)) $((size - 81)) $((size - 40)) $((size - 1)); do
    flip "$byte"
    refused flip.tape "a flip at byte $byte"
done
for length in 60 150 $((size / 2)) $((size - 100)) $((size - 1)); do
    head -c "$length" made.tape >cut.tape
    refused cut.tape "a cut at byte $length"
done
{ cat made.tape; printf x; } >longer.tape
refused longer.tape "a byte too many"
cat made.tape made.tape >twice.tape
refused twice.tape "a tape behind a tape"
