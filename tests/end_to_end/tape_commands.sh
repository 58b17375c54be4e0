#!/bin/sh
# capstan tape: what each command promises, on a made tape.
echo 1..46
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99
number=0

# result STATUS TEXT: one line of TAP.
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}
# refused PATTERN COMMAND...: exit status 2, one line on standard error that has the pattern.
refused() {
    pattern=$1
    shift
    "$CAPSTAN" "$@" >out 2>err
    status=$?
    [ $status -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q "$pattern" err
    result $? "exit 2, one line: capstan $*"
}
identity() { "$CAPSTAN" tape info "$1" --json | sed -n 's/.*"identity":[^"]*"\([0-9a-f]*\)".*/\1/p'; }

"$CAPSTAN" synth --seed 7 --events 60000 --instruments 3 --block-events 1024 -o day.tape >/dev/null
result $? "a made tape"
[ "$("$CAPSTAN" --version >/dev/null; zstd -tq day.tape 2>&1)" = "" ] || ! command -v zstd >/dev/null
result $? "zstd -t accepts it"
"$CAPSTAN" tape check day.tape | grep -q "^day.tape: sound: .* identity $(identity day.tape)\$"
result $? "check: sound, with the identity that info tells"
"$CAPSTAN" tape check day.tape --json | grep -q '"sound":true,"fault":"","finished":true'
result $? "check --json"
"$CAPSTAN" tape info day.tape | grep -q "messages of kind snapshot"
result $? "info counts kinds"
"$CAPSTAN" tape info day.tape | grep -q '^  fees: maker -\{0,1\}[0-9.]*, taker [0-9.]* of the value; commission' &&
    "$CAPSTAN" tape info day.tape --json | tr -d '\n\t ' | grep -q \
        '"base":"[^"]*","quote":"[^"]*","settle":"[^"]*","multiplier":"[^"]*","minimum_notional":"[^"]*","maker_fee":"[^"]*","taker_fee":"[^"]*","base_commission_exponent":-[0-9]*,"quote_commission_exponent":-[0-9]*,'
result $? "info tells the terms of an instrument"

"$CAPSTAN" tape cat day.tape --full >day.txt && "$CAPSTAN" tape make day.txt -o made.tape >/dev/null &&
    [ "$(identity made.tape)" = "$(identity day.tape)" ]
result $? "cat --full and make give the same identity"
"$CAPSTAN" tape cat made.tape --full | cmp -s - day.txt
result $? "and the same text"
"$CAPSTAN" tape make day.txt -o same.tape --block-events 1024 >/dev/null && cmp -s day.tape same.tape
result $? "and with the same block size the same bytes"
"$CAPSTAN" tape cut day.tape -o recut.tape --block-events 65536 --level 9 >/dev/null &&
    [ "$(identity recut.tape)" = "$(identity day.tape)" ]
result $? "other blocks and level, same identity"

trades=$("$CAPSTAN" tape cat day.tape --kind trade | wc -l)
[ "$trades" -gt 0 ] && [ "$trades" -eq "$(grep -c '^[^ ]* trade ' day.txt)" ]
result $? "cat --kind"
last=$(tail -n 1 day.txt | cut -d ' ' -f 1)
first=$(sed -n '/^messages$/{n;p;q;}' day.txt | cut -d ' ' -f 1)
middle=$(sed '1,/^messages$/d' day.txt | awk '{t[NR]=$1} END {print t[int(NR/2)]}')
[ "$("$CAPSTAN" tape cat day.tape --from "$last" | tail -n 1)" = "$(tail -n 1 day.txt)" ] &&
    [ "$("$CAPSTAN" tape cat day.tape --to "$first" | head -n 1 | cut -d ' ' -f 1)" = "$first" ]
result $? "cat --from and --to are inclusive"
"$CAPSTAN" tape cat day.tape --from "$middle" >tail.txt
[ "$(head -n 1 tail.txt | cut -d ' ' -f 1)" = "$middle" ] &&
    [ "$(wc -l <tail.txt)" -lt "$(wc -l <day.txt)" ]
result $? "cat --from seeks"

"$CAPSTAN" tape cut day.tape --from "$middle" -o part.tape >/dev/null &&
    "$CAPSTAN" tape check part.tape >/dev/null
result $? "cut"
[ "$("$CAPSTAN" tape cat part.tape | tail -n "$(wc -l <tail.txt)" | cmp - tail.txt 2>&1)" = "" ]
result $? "a cut has the messages from its time on"
awk 'NR % 97 == 0 {print $1}' tail.txt | head -n 40 >moments.txt
"$CAPSTAN" tape book day.tape --at-file moments.txt --json >books.day &&
    "$CAPSTAN" tape book part.tape --at-file moments.txt --json >books.cut &&
    cmp -s books.day books.cut && grep -q bids books.day
result $? "a cut's books are the tape's books"

size=$(wc -c <day.tape)
head -c $((size / 2)) day.tape >torn.tape
refused "is cut: .*tape repair would keep\|is cut" tape check torn.tape
"$CAPSTAN" tape repair torn.tape -o whole.tape >/dev/null && "$CAPSTAN" tape check whole.tape >/dev/null
result $? "repair makes a sound tape of a torn one"
"$CAPSTAN" tape info torn.tape | grep -q '^  D: tape: never finished' &&
    "$CAPSTAN" tape info torn.tape --json | tr -d '\n\t ' | grep -q '"grade":"D"'
result $? "info does not give a torn tape the grade it began with"
"$CAPSTAN" tape info whole.tape | tr '\n' '|' |
    grep -q '|grade D: [^|]*|  D: tape: [0-9]* bytes after the last whole block were lost|'
result $? "nor does repair"
"$CAPSTAN" tape cut torn.tape -o again.tape >/dev/null &&
    "$CAPSTAN" tape info again.tape | grep -q '^  D: tape: never finished'
result $? "nor cut"
"$CAPSTAN" tape cat whole.tape | sed 's/$//' >whole.txt
sed '1,/^messages$/d' day.txt | head -n "$(wc -l <whole.txt)" | cmp -s - whole.txt
result $? "with the messages before the cut"
{ head -c 20000 day.tape; printf 'x'; tail -c +20002 day.tape; } >bad.tape
refused "block [0-9]*.* byte [0-9]*" tape check bad.tape
refused "damage in the middle" tape repair bad.tape -o never.tape
[ ! -e never.tape ] && [ -z "$(find . -name '*.part')" ]
result $? "nothing is left of a tape that was not finished"

build=$("$CAPSTAN" --version | sed -n '1s/.*, build //p')
wrong=
sed '/^tool /d; /^build /d' day.txt >plain.txt
"$CAPSTAN" tape make plain.txt -o plain.tape >/dev/null
for tape in part.tape whole.tape plain.tape; do
    "$CAPSTAN" tape info "$tape" | grep -q "^tool [^ ]*, build $build, " || wrong="$wrong $tape"
done
"$CAPSTAN" tape info day.tape | grep -q '^tool [^ ]*, build not told, ' || wrong="$wrong day.tape"
[ -n "$build" ] && [ -z "$wrong" ]
result $? "cut, repair and make name this build, synth none$wrong"

mkdir folder.tape
: >empty.tape
refused "not a regular file" tape info folder.tape
refused "empty" tape info empty.tape
refused "not a tape" tape info day.txt
sed '$a nonsense' day.txt >bad.txt
refused "bad.txt:[0-9]*: " tape make bad.txt -o never.tape
refused "capstan-tape 1" tape make moments.txt -o never.tape

# make_refused PATTERN SCRIPT: make refuses the header of day.txt as sed altered it.
make_refused() {
    sed "$2" day.txt >altered.txt
    refused "altered.txt:[0-9]*: $1" tape make altered.txt -o never.tape
}
instrument=$(sed -n 's/^instrument \([^ ]*\) .*/\1/p' day.txt | head -n 1)
venue=${instrument%%:*}
make_refused "instrument $instrument: its tick is 0, expected more than 0" "/^instrument /s/ tick=[^ ]*/ tick=0/"
make_refused "instrument $instrument: its lot is -1, expected more than 0" "/^instrument /s/ lot=[^ ]*/ lot=-1/"
make_refused "instrument $instrument: its multiplier is 0" "/^instrument /s/ multiplier=[^ ]*/ multiplier=0/"
make_refused "instrument $instrument: .*add up to less than -18" "/^instrument /s/_exponent=[^ ]*/_exponent=-9/g"
make_refused "instrument $instrument: named before" "/^instrument $instrument /{p;}"
make_refused "venue $venue: named before" "/^venue $venue\$/{p;}"
make_refused "asset .*: named before" "/^asset /{p;}"
make_refused "venue x:y: expected a name without a colon" "s/^venue $venue\$/venue x:y/"

# What was told once, long before the block at which reading begins, still holds there.
one=synth_linear:AAAUSD_PERP
"$CAPSTAN" synth --seed 7 --events 60000 --instruments 3 --snapshot-interval 5s --block-events 1024 -o told.tape >/dev/null &&
    "$CAPSTAN" tape cat told.tape --full >told.txt
messages=$(sed -n '/^messages$/=' told.txt)
late=2024-01-01T00:01:00Z
# with MESSAGE TAPE: the market with one more message behind its 40th.
with() {
    awk -v at=$((messages + 40)) -v message="$1" '{print} NR == at {print $1 " " message}' told.txt >with.txt &&
        "$CAPSTAN" tape make with.txt --block-events 1024 -o "$2" >/dev/null
}
# sent ARGUMENT...: how many orders of the instrument a replay sends.
sent() { "$CAPSTAN" replay "$@" --json | sed -n "s/.*\"$one\":{\"sent\":\([0-9]*\).*/\1/p"; }
with "instrument_status $one trading=halted" halted.tape &&
    "$CAPSTAN" tape cut halted.tape --from $late -o halted.part >/dev/null
[ "$(sent told.tape --from $late)" -gt 0 ] && [ "$(sent halted.tape --from $late)" = 0 ]
result $? "replay --from knows that trading was halted before"
"$CAPSTAN" tape cat halted.part --kind instrument_status | grep -q "$one trading=halted" && [ "$(sent halted.part)" = 0 ]
result $? "so does a cut"
with "funding $one rate=0.0001 due=2024-01-01T00:02:30Z" funding.tape
# funding TAPE: what a replay says of the instrument's funding.
funding() { "$CAPSTAN" replay "$1" --from $late | sed -n "s/^$one .*(funding \(.*\)).*/\1/p"; }
[ "$(funding told.tape)" = unknown ] && [ "$(funding funding.tape)" = "" ]
result $? "and replay --from the funding that is due"

# Books that nobody knows any more, and those that a gap of something else leaves whole.
# whole_after MESSAGE: how many books of three are whole just behind it, as book says and as cut does.
whole_after() {
    with "$1" lost.tape || return
    moment=$(sed -n "$((messages + 42))p" with.txt | cut -d ' ' -f 1)
    "$CAPSTAN" tape book lost.tape --at "$moment" >book.txt 2>err &&
        "$CAPSTAN" tape cut lost.tape --from "$moment" --to "$moment" -o lost.part >/dev/null &&
        echo "$(grep -c synchronised=true book.txt) $("$CAPSTAN" tape cat lost.part --kind snapshot | wc -l)"
}
[ "$(whole_after "gap - cause=damage expected=2 found=0")" = "0 0" ]
result $? "a gap without instrument loses every book"
[ "$(whole_after "feed_connection - venue=synth_linear connected=no")" = "2 2" ]
result $? "the end of a venue's connection loses its books"
[ "$(whole_after "gap $one channel=depth cause=sequence expected=2 found=9")" = "2 2" ]
result $? "a gap of depth loses one"
[ "$(whole_after "gap $one channel=trade cause=sequence expected=2 found=9")" = "3 3" ]
result $? "a gap of trades loses none"
