#!/bin/sh
# Bad input to every command: one clear line on standard error that names what is wrong, and exit 2.
# shellcheck disable=SC2016 # messages have backquotes
set -u
capstan=${CAPSTAN:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
count=0
failed=0

# bad TITLE TEXT ARGUMENT…: exit 2, nothing but one line on standard error, which has TEXT.
bad()
{
    title=$1 text=$2
    shift 2
    count=$((count + 1))
    "$capstan" "$@" >out 2>err </dev/null
    status=$?
    if [ $status -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q '^capstan' err && grep -qF -e "$text" err; then
        echo "ok $count - $title"
    else
        failed=$((failed + 1))
        echo "not ok $count - $title"
        echo "# capstan $*"
        echo "# exit $status, expected 2; expected one line with: $text"
        sed 's/^/# out: /' out
        sed 's/^/# err: /' err
    fi
}

# yaml TEXT…: the lines of settings.yaml.
yaml()
{
    printf '%s\n' "$@" >settings.yaml
}

# capture TEXT: a capture of one frame, best bid and ask, whose price or symbol TEXT (a sed script) spoils.
capture()
{
    printf '%s %s\n' 1723161254087891268 \
        '{"stream":"btcusdt@bookTicker","data":{"u":7,"s":"BTCUSDT","b":"61837.63","B":"3.78","a":"61837.64","A":"1.5"}}' |
        sed "$1" >capture
}

mkdir folder
: >empty
printf 'Dear diary, today the market went up.\n' >text
printf '\037\213\010\000\001\002\003\004' >gzip_head
capture ''
gzip -c capture | head -c 60 >cut.gz
"$capstan" synth --seed 7 --events 3000 --instruments 2 -o market.tape >/dev/null || exit 1
head -c 5000 market.tape >cut.tape

# story FILE SETTING SYMBOL: a scenario with this setting that speaks of this symbol.
story()
{
    printf '%s\n' 'scenario "a story"' '' "config   $2" 'venue    v1 X-USD tick=1 lot=1' '' \
        "at 0s    v1 $3snapshot  bid 100*50  ask 101*50" 'end 1s   position 0' >"$1"
}
story key.scn quote.sise=1 'book '
story unit.scn quote.size=1tick 'book '
story range.scn quote.levels=99 'book '
story nan.scn quote.size=nan 'book '
story symbol.scn quote.size=1lot 'Y-USD book '

# --- config ----------------------------------------------------------------------------------------
bad 'config: missing file' 'gone.yaml: No such file' config check gone.yaml
bad 'config: directory' 'folder: Is a directory' config check folder
bad 'config: empty file' 'empty: holds no setting' config check empty
bad 'config: text' "text:1:1: expected settings" config check text
bad 'config: not text' 'gzip_head:1:1: not a text file' config check gzip_head
yaml 'quote:' '  sise: 10lot'
bad 'config: wrong key' "settings.yaml:2:3: quote.sise: no setting has this name; did you mean 'quote.size'?" \
    config check settings.yaml
yaml 'quote:' '  size: 2tick'
bad 'config: wrong unit' "settings.yaml:2:9: quote.size: '2tick' is in ticks" config check settings.yaml
yaml 'sim: {entry_latency: 5}'
bad 'config: no unit' "settings.yaml:1:22: sim.entry_latency: '5' has no unit; expected a time with its unit" \
    config check settings.yaml
yaml 'quote: {levels: 33}'
bad 'config: out of range' "settings.yaml:1:17: quote.levels: '33' is out of range; expected a whole number, from 1 to 32" \
    config check settings.yaml
yaml 'quote: {size: .nan}'
bad 'config: a NaN as YAML writes it' "settings.yaml:1:15: quote.size: '.nan' is not a number" config check settings.yaml
yaml 'risk: {collar: NaN}'
bad 'config: a NaN' "settings.yaml:1:16: risk.collar: 'NaN' is not a number that can be used" config check settings.yaml
yaml 'seed: 1' 'seed: 2'
bad 'config: a key twice' 'settings.yaml:2:1: seed: is given twice' config check settings.yaml
yaml 'seed: [1, 2]'
bad 'config: a list' 'settings.yaml:1:7: a list stands here' config check settings.yaml
yaml 'seed: &x 1' 'audit: {every: *x}'
bad 'config: an anchor' 'settings.yaml:1:7: anchor &x' config check settings.yaml
yaml 'instruments: {"BTCUSDT": {quote: {size: 1}}}'
bad 'config: an instrument without its venue' "settings.yaml:1:15: 'BTCUSDT' is no instrument's name" \
    config check settings.yaml
# One contradiction, its halves in two layers: whatever lays them on each other says so.
yaml 'breaker: {spread: 80%}'
contradiction='breaker.spread_clear=250% is above breaker.spread=80%: it would clear while it trips'
printf 'breaker: {spread_clear: 250%%}\n' >night.yaml
bad 'config: two files that contradict each other' "night.yaml:1:25: for all instruments: $contradiction" \
    config check -c settings.yaml -c night.yaml
bad 'config: a file that contradicts --set' "--set: for all instruments: $contradiction" \
    config check settings.yaml --set breaker.spread_clear=250%
bad 'replay: two files that contradict each other' "night.yaml:1:25: for all instruments: $contradiction" \
    replay market.tape -c settings.yaml -c night.yaml
bad 'live: a file that contradicts --set' "--set: for all instruments: $contradiction" \
    live --tape live.tape -c settings.yaml --set breaker.spread_clear=250%
export CAPSTAN_BREAKER__SPREAD_CLEAR=250%
bad 'config: a file that contradicts the environment' "CAPSTAN_BREAKER__SPREAD_CLEAR: for all instruments: $contradiction" \
    config check settings.yaml
bad 'paper: a file that contradicts the environment' "CAPSTAN_BREAKER__SPREAD_CLEAR: for all instruments: $contradiction" \
    paper --tape live.tape -c settings.yaml
unset CAPSTAN_BREAKER__SPREAD_CLEAR
bad 'config: -c of a missing file' 'gone.yaml: No such file' config show -c gone.yaml
bad 'config: --set of a wrong key' "did you mean 'quote.size'?" config show --set quote.sise=1
bad 'config: --set of a wrong unit' 'expected a quantity like 0.010 or 10lot' config show --set quote.size=10lots
bad 'config: --set without a value' 'expected KEY=VALUE' config show --set quote.size
bad 'config: --set of a NaN' "'nan' is not a number that can be used" config show --set quote.size=nan

# --- import binance --------------------------------------------------------------------------------
bad 'import: missing file' 'gone: cannot open: No such file' import binance gone -o out.tape
bad 'import: directory' 'folder: is a directory, expected a capture' import binance folder -o out.tape
bad 'import: empty file' 'empty: is empty, expected a capture' import binance empty -o out.tape
bad 'import: text' 'text:1: expected `<receive time> <frame>`' import binance text -o out.tape
bad 'import: truncated gzip' 'cut.gz:1: the gzip data ends early' import binance cut.gz -o out.tape
bad 'import: not gzip after its first bytes' 'gzip_head:1:' import binance gzip_head -o out.tape
bad 'import: a tape' 'market.tape:1: expected `<receive time> <frame>`' import binance market.tape -o out.tape
capture 's/BTCUSDT/WHOKNOWS/'
bad 'import: unknown symbol' 'tells nothing of binance_spot:WHOKNOWS' import binance capture -o out.tape
capture 's/"61837.63"/NaN/'
bad 'import: a NaN where JSON wants a number' 'capture:1: expected one JSON object' import binance capture -o out.tape
capture 's/^[0-9]*/nan/'
bad 'import: a NaN for a receive time' 'capture:1: expected `<receive time> <frame>`' import binance capture -o out.tape
capture 's/"s":/"z":/'
bad 'import: a frame without its symbol' 'capture:1: field s: expected a symbol' import binance capture -o out.tape
capture ''
bad 'import: no output' 'expected -o TAPE' import binance capture
bad 'import: output over input' '-o ./capture: is capture, which is read' import binance capture -o ./capture
bad 'import: output is a directory' 'folder: not a regular file' import binance capture -o folder
bad 'import: wrong unit' '--floor: duration "5": expected a number with its unit' import binance capture -o out.tape --floor 5
bad 'import: out of range' '--floor: expected a time from 0 to 1s' import binance capture -o out.tape --floor 2s
bad 'import: unknown format' "there is no command 'binanse'; did you mean 'binance'?" import binanse capture -o out.tape
yaml 'binance_spot: {contrakt: spot}'
bad 'import: wrong key in the instruments' 'settings.yaml:1: unknown key' \
    import binance capture -o out.tape --instruments settings.yaml
yaml 'binance_spot: {contract: spot, maker_fee: 5ms}'
bad 'import: wrong unit in the instruments' 'settings.yaml:1: maker_fee: expected a share' \
    import binance capture -o out.tape --instruments settings.yaml
yaml 'binance_spot: {contract: spot, maker_fee: 50}'
bad 'import: out of range in the instruments' 'settings.yaml:1: maker_fee: expected a share between -1 and 1' \
    import binance capture -o out.tape --instruments settings.yaml
yaml 'binance_spot: {contract: spot, maker_fee: NaN}'
bad 'import: a NaN in the instruments' 'settings.yaml:1: maker_fee: expected a share' \
    import binance capture -o out.tape --instruments settings.yaml
bad 'import: missing instruments' 'gone: cannot open' import binance capture -o out.tape --instruments gone

# --- commands that read a tape ----------------------------------------------------------------------
# of_tape NAME WORD…: what each of them says to what is no tape.
of_tape()
{
    name=$1
    shift
    bad "$name: missing file" 'gone: No such file' "$@" gone
    bad "$name: directory" 'folder: not a regular file, expected a tape' "$@" folder
    bad "$name: empty file" 'empty: empty, expected a tape' "$@" empty
    bad "$name: text" 'text: not a tape' "$@" text
    bad "$name: truncated gzip" 'cut.gz: not a tape' "$@" cut.gz
    bad "$name: no tape given" 'an argument is missing' "$@"
}
of_tape replay replay
of_tape verify verify
of_tape 'tape book' tape book --at 2024-01-01T00:00:01Z
of_tape 'tape info' tape info
of_tape 'tape cat' tape cat
of_tape 'tape check' tape check
of_tape 'tape repair' tape repair -o out.tape
of_tape 'tape cut' tape cut -o out.tape
bad 'tape recover: missing file' 'gone: there is no such tape' tape recover gone
bad 'tape recover: directory' 'folder: not a regular file, expected a tape' tape recover folder
bad 'tape cat: a mistyped kind' "--kind trde: there is no such kind; did you mean 'trade'?" tape cat market.tape --kind trde
bad 'tape cat: a kind like no other' 'there is no such kind; docs/event-kinds.md lists them' tape cat market.tape --kind diary
bad 'tape cut: a name that is empty' '--output: is empty; expected TAPE' tape cut market.tape -o ''
bad 'exchange: a folder for the faults' 'folder: Is a directory; expected a script of faults' exchange --dir venue --faults folder

bad 'tape book: wrong unit of a time' '--at 5s: time "5s": expected RFC 3339' tape book market.tape --at 5s
bad 'tape book: a NaN for a time' '--at nan: time "nan": expected RFC 3339' tape book market.tape --at nan
bad 'tape book: out of range' "--depth: '-1' is not a whole number from 0 to 1000000" \
    tape book market.tape --at 5 --depth -1
bad 'tape book: a time after the tape' \
    '2030-01-01T00:00:00.000000000Z: market.tape has nothing at or after it; it goes from 2024-01-01T00:00:00' \
    tape book market.tape --at 2024-01-01T00:00:01Z --at 2030-01-01T00:00:00Z
bad 'tape book: no time' 'expected --at TIME' tape book market.tape

bad 'tape check: cut tape' 'cut.tape: block 1 at byte' tape check cut.tape
bad 'tape repair: nothing to keep' 'there is nothing in front of that to keep' tape repair cut.tape -o kept.tape
bad 'tape repair: output over input' '-o ./cut.tape: is cut.tape, which is read' tape repair cut.tape -o ./cut.tape
bad 'tape cut: output over input' '-o ./market.tape: is market.tape, which is read' \
    tape cut market.tape -o ./market.tape
bad 'tape cut: a NaN for a time' '--from: time "nan": expected RFC 3339' tape cut market.tape --from nan -o out.tape
bad 'tape cut: from after to' '--from is after --to' tape cut market.tape --from 5 --to 4 -o out.tape
bad 'tape cut: a start after the tape' '--from 2030-01-01T00:00:00.000000000Z: market.tape has nothing at or after it' \
    tape cut market.tape --from 2030-01-01T00:00:00Z -o out.tape
bad 'tape cut: out of range' "--block-events: '0' is not a whole number" \
    tape cut market.tape --block-events 0 -o out.tape
bad 'tape make: missing file' 'gone: No such file' tape make gone -o out.tape
bad 'tape make: directory' 'folder: Is a directory' tape make folder -o out.tape
bad 'tape make: empty file' 'empty:1: expected the line' tape make empty -o out.tape
bad 'tape make: text' 'text:1: expected the line capstan-tape 1' tape make text -o out.tape
bad 'tape make: a tape' 'market.tape:1: a NUL byte' tape make market.tape -o out.tape
bad 'tape make: output over input' '-o ./text: is text, which is read' tape make text -o ./text
bad 'tape: unknown command' "there is no command 'chek'; did you mean 'check'?" tape chek market.tape

# --- scenario --------------------------------------------------------------------------------------
bad 'scenario: missing file' 'gone.scn: No such file' scenario gone.scn
bad 'scenario: directory' 'folder: Is a directory' scenario folder
bad 'scenario: empty file' "empty:0: the line ends, expected a line 'scenario" scenario empty
bad 'scenario: text' "text:1:1: found 'Dear', expected scenario" scenario text
bad 'scenario: not text' 'cut.gz: not text' scenario cut.gz
bad 'scenario: wrong key' "key.scn:3: quote.sise: no setting has this name; did you mean 'quote.size'?" scenario key.scn
bad 'scenario: wrong unit' "unit.scn:3: quote.size: '1tick' is in ticks" scenario unit.scn
bad 'scenario: out of range' "range.scn:3: quote.levels: '99' is out of range" scenario range.scn
bad 'scenario: a NaN' "quote.size: 'nan' is not a number that can be used" scenario nan.scn
bad 'scenario: unknown symbol' "Y-USD" scenario symbol.scn

story early.scn quote.size=1lot 'book '
sed -i 's/^end.*/  expect full orders.capacity\nend 1s/' early.scn
bad 'scenario: a full table before the end' "expected full on the 'end' line only, and once" scenario early.scn
story table.scn quote.size=1lot 'book '
sed -i 's/^end.*/end 1s  full table/' table.scn
bad 'scenario: a table that is none' "found 'table', expected orders.capacity or book.far_levels" scenario table.scn

story restart.scn quote.size=1lot 'book '
sed -i 's/^end.*/at 1s    restart quote.sise=1\nend 1s/' restart.scn
bad 'scenario: a wrong key of a restart' "restart.scn:7: quote.sise: no setting has this name; did you mean 'quote.size'?" \
    scenario restart.scn
sed -i 's/^at 1s .*/at 1s    restart quote.size=2lot\nat 1s    restart quote.size=1lot/' restart.scn
bad 'scenario: two restarts with other settings' 'expected the end of the line: one restart may bring other settings' \
    scenario restart.scn

# fills FILE PRICE QUANTITY: a scenario of two fills that nobody's order had.
fills()
{
    story "$1" quote.enabled=no 'book '
    sed -i '$d' "$1"
    for trade in a b; do
        echo "at 1s record order_filled v1:X-USD order=#9 trade=\"$trade\" side=buy price=$2 quantity=$3" \
            'leaves=0 cause=reported liquidity=maker fee=0 fee_asset=USD' >>"$1"
    done
    echo 'end 2s' >>"$1"
}
fills balance.scn 10000000000 10000000000
bad 'scenario: fills of more money than there is' 'balance.scn: at 1s the balance of USD comes to more than can be kept' \
    scenario balance.scn
fills position.scn 1 9000000000000000000
bad 'scenario: fills of more than a number holds' 'position.scn: at 1s the position of X-USD comes to more' scenario position.scn
fills value.scn 1000000000000000000 1000000000000000000
bad 'scenario: a fill of more than money holds' 'value.scn: at 1s the value of a fill comes to more' scenario value.scn
cat >venue.scn <<'END'
scenario "all the money there is, and more"

config   venues.v1.sim.balances="170000000000000000000 USD, 100000000000 X" quote.size=100000000000 risk.position_limit=1000000000000
config   warm_up.trades=0 warm_up.book_messages=0 warm_up.samples=0
venue    v1 X-USD tick=1 lot=1

at 0s    v1 book snapshot  bid 1000000000*50  ask 1000000001*50
at 1s    v1 trade buy 1000000100*100000000000
end 2s
END
bad 'scenario: more money than the simulated venue can hold' \
    "venue.scn: v1:X-USD: the simulated venue's account comes to more than it can hold" scenario venue.scn

# Seconds before the last nanosecond that a time can have.
"$capstan" tape cat --full market.tape >market.text
sed 's/2024-01-01T00:00:0/2262-04-11T23:47:1/g' market.text | grep -v -e '^2024-01-01' -e '23:47:1[6-9]' >late.text
"$capstan" tape make late.text -o late.tape >/dev/null || exit 1
bad 'replay: times without room for a deadline' \
    'a message of 2262-04-11T23:47:10.000000000Z: expected times from 1970 to 2116' replay late.tape

# --- replay, verify --------------------------------------------------------------------------------
bad 'replay: a tape cut before its first market data' 'cut.tape: is cut or was never finished' replay cut.tape
bad 'replay: unknown symbol' "--set: the tape has no instrument 'binance_spot:BTCUSDT'; it has synth_" \
    replay market.tape --set instruments.binance_spot:BTCUSDT.quote.size=1
yaml 'venues:' '  nowhere: {quote: {levels: 1}}'
bad 'replay: unknown venue' "settings.yaml:2:3: the tape has no venue 'nowhere'; it has synth_" \
    replay market.tape -c settings.yaml
bad 'replay: unknown asset' "the tape has no asset 'XYZ'" replay market.tape --set 'sim.balances=1 XYZ'
bad 'replay: wrong key' "did you mean 'quote.size'?" replay market.tape --set quote.sise=1lot
bad 'replay: wrong unit' "quote.size: '1tick' is in ticks" replay market.tape --set quote.size=1tick
bad 'replay: out of range' "quote.levels: '0' is out of range; expected a whole number, from 1 to 32" \
    replay market.tape --set quote.levels=0
bad 'replay: a NaN' "quote.size: 'nan' is not a number that can be used" replay market.tape --set quote.size=nan
bad 'replay: off the grid' 'quote.size: 0.000000000001 is finer than this instrument' \
    replay market.tape --set quote.size=0.000000000001
bad 'replay: less than a distance can be' "quote.step: 0.0001tick is less than 1/1,000 of this instrument's tick of " \
    replay market.tape --set quote.step=0.0001tick
bad 'replay: wrong time' '--from: time "noon": expected RFC 3339' replay market.tape --from noon
bad 'replay: a start after the tape' \
    '--from 2030-01-01T00:00:00.000000000Z: market.tape has nothing at or after it; it goes from 2024-01-01T00:00:00' \
    replay market.tape --from 2030-01-01T00:00:00Z
bad 'replay: an end before the tape' \
    '--to 2020-01-01T00:00:00.000000000Z: market.tape has nothing at or before it; it goes from 2024-01-01T00:00:00' \
    replay market.tape --to 2020-01-01T00:00:00Z
bad 'replay: from after to' '--from is after --to; market.tape goes from 2024-01-01T00:00:00' replay market.tape --from 5 --to 4
bad 'replay: a speed without a page' '--speed: paces what is watched; expected --serve' replay market.tape --speed 2
bad 'replay: two journals' '--journal: is given twice' replay market.tape --journal one --journal two
bad 'replay: a tape and a journal in one file' '--journal ./out.tape: is the file of --tape too' \
    replay market.tape --tape out.tape --journal ./out.tape
bad 'replay: a tape and a database in one file' '-o out.tape: is the file of --tape too' \
    replay market.tape --tape out.tape -o out.tape
bad 'replay: a database and a journal in one file' '--journal text: is the file of -o too' \
    replay market.tape -o ./text --journal text
bad 'replay: missing settings' 'gone.yaml: No such file' replay market.tape -c gone.yaml
bad 'replay: output over input' '--journal ./market.tape: is market.tape, which is read' \
    replay market.tape --journal ./market.tape
bad 'replay: a tape over its input' '--tape ./market.tape: is market.tape, which is read' \
    replay market.tape --tape ./market.tape
of_tape project project -o run.db
bad 'project: a tape without decisions' 'no decisions on this tape' project market.tape -o run.db
bad 'project: no output' 'say -o RUN.db' project market.tape
bad 'project: output over input' '-o ./market.tape: is market.tape, which is read' \
    project market.tape -o ./market.tape
bad 'replay: a database over its input' '-o ./market.tape: is market.tape, which is read' \
    replay market.tape -o ./market.tape
"$capstan" replay market.tape --tape session.tape >out 2>&1 || cat out
bad 'verify: a tape twice' 'session.tape: is there twice' verify session.tape session.tape
bad 'verify: tapes of two sessions' 'each is the first tape of a session' verify session.tape ./session.tape
bad 'verify: an order that is none' "--why: 'all' is no order" verify session.tape --why all
rm -f session.tape
bad 'verify: a tape without decisions' 'no decisions on this tape' verify market.tape

# --- synth -----------------------------------------------------------------------------------------
bad 'synth: no output' 'expected -o TAPE' synth
bad 'synth: two seeds' '--seed: is given twice' synth --seed 1 --seed 2 -o out.tape
bad 'synth: a NaN' "--rate: 'nan' is not a whole number" synth --rate nan -o out.tape
bad 'synth: out of range' "--rate: '0' is not a whole number from 1" synth --rate 0 -o out.tape
bad 'synth: wrong unit' 'expected a number with its unit' synth --depth-interval 5 -o out.tape

# Nothing of all this has made a tape or spoilt one.
count=$((count + 1))
if [ ! -e out.tape ] && [ ! -e out.tape.part ] && [ -s capture ] && "$capstan" replay market.tape >out 2>err; then
    echo "ok $count - bad input leaves no tape behind and spoils none"
else
    failed=$((failed + 1))
    echo "not ok $count - bad input leaves no tape behind and spoils none"
    find . | sed 's/^/# /'
fi

echo "1..$count"
[ $failed -eq 0 ]
