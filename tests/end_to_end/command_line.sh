#!/bin/sh
# The command line itself: help, unknown words, exit statuses, checked output, and that the pages of
# docs/ agree with the table of settings.
set -u
source=$(cd "${srcdir:-.}" && pwd)
capstan=${CAPSTAN:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# result GOOD TITLE: one line of TAP; what the program said where it is not good.
result()
{
    count=$((count + 1))
    if [ "$1" = yes ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=$((failed + 1))
        sed 's/^/# out: /' "$work/out"
        sed 's/^/# err: /' "$work/err"
    fi
}

# run STATUS TITLE OUT ERR ARGUMENT…: the exit status, and a text that each stream must have ("" for
# an empty stream, * for any).
run()
{
    wanted=$1 title=$2 out=$3 err=$4
    shift 4
    "$capstan" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    good=yes
    [ "$status" -eq "$wanted" ] || good=no
    match "$work/out" "$out" || good=no
    match "$work/err" "$err" || good=no
    result $good "$title"
}

match()
{
    case $2 in
    '') [ ! -s "$1" ] ;;
    '*') true ;;
    *) grep -qF -e "$2" "$1" ;;
    esac
}

run 0 'help says what it is' 'Usage: capstan COMMAND' '' --help
run 0 'help by its short option' 'Usage: capstan COMMAND' '' -h
run 0 'help by its word' 'Usage: capstan COMMAND' '' help
run 0 'help of a command' 'Usage: capstan version' '' help version
run 0 'help of a command in a command' 'Usage: capstan config check' '' help config check
run 0 'help of a command by its option' 'Usage: capstan config show' '' config show --help
run 0 'the version' ', build ' '' --version
run 0 'the version by its word' 'compiler ' '' version
run 2 'no command' '' "say which command; 'capstan --help' lists them"
run 2 'a mistyped command' '' "did you mean 'config'?" confg
run 2 'an unknown command' '' "'capstan --help' lists what there is" frobnicate
run 2 'an unknown option in place of a command' '' "there is no option '--frobnicate'" --frobnicate
run 2 'help of an unknown command' '' "there is no command 'frobnicate'" help frobnicate
run 2 'a mistyped option' '' "did you mean '--config'?" config show --confg=x
run 2 'an unknown letter' '' "there is no option '-x'" config show -x
run 2 'an option without its value' '' "'--set' needs a value" config show --set
run 2 'a value that no option takes' '' "'--help' takes no value" config show --help=me
run 2 'an argument too many' '' "'x' is one argument too many" config show x
run 2 'an argument missing' '' 'usage: capstan tape info' tape info
run 2 'a group without its command' '' "say which command" config

# Each command that is listed answers --help with its own usage.
"$capstan" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$work/commands"
while read -r command; do
    run 0 "capstan $command --help" "Usage: capstan" '' "$command" --help
done <"$work/commands"

if [ -w /dev/full ]; then
    "$capstan" config show >/dev/full 2>"$work/err"
    status=$?
    : >"$work/out"
    good=no
    [ $status -eq 3 ] && grep -q 'cannot write to standard output' "$work/err" && good=yes
    result $good 'a full disk is exit 3'

    # More than stdio holds: why is known when a write in the middle fails, not at the end.
    "$capstan" synth --events 20000 -o "$work/made.tape" >"$work/out" 2>&1
    "$capstan" tape cat "$work/made.tape" >/dev/full 2>"$work/err"
    status=$?
    good=no
    [ $status -eq 3 ] && grep -q 'cannot write to standard output: No space left' "$work/err" && good=yes
    result $good 'what is printed at length says why it could not be'
else
    for text in 'a full disk is exit 3' 'what is printed at length says why it could not be'; do
        count=$((count + 1))
        echo "ok $count - $text # SKIP no /dev/full"
    done
fi

mkfifo "$work/pipe"
(exec 3<"$work/pipe") &
{ wait $!; "$capstan" config show 2>"$work/err"; echo $? >"$work/status"; } >"$work/pipe"
: >"$work/out"
good=no
[ "$(cat "$work/status")" = 3 ] && grep -q 'cannot write to standard output' "$work/err" && good=yes
result $good 'a closed pipe is exit 3'

"$capstan" config show --set quote.size=0.25 --set venues.v.sim.entry_latency=7ms >"$work/a.yaml"
"$capstan" config show -c "$work/a.yaml" >"$work/out" 2>"$work/err"
good=no
cmp -s "$work/a.yaml" "$work/out" && grep -q '^quote.size: 0.25$' "$work/out" && good=yes
result $good 'config show reads back to the same'

CAPSTAN_QUOTE__SIZE=3lot CAPSTAN_QUOTE__LEVELS=4 CAPSTAN_LOG=debug "$capstan" config show \
    -c "$work/a.yaml" --set quote.levels=5 >"$work/out" 2>"$work/err"
good=no
grep -q '^quote.size: 3lot$' "$work/out" && grep -q '^quote.levels: 5$' "$work/out" && good=yes
result $good 'the file gives way to the environment, and that to --set'

"$source/scripts/settings-pages" --check "$capstan" >"$work/out" 2>"$work/err"
status=$?
good=no
[ $status -eq 0 ] && good=yes
result $good 'docs/capstan.1 and docs/settings.md agree with the table (else run scripts/settings-pages)'

run 0 'a scenario reads the defaults.yaml beside it' 'held' '' \
    scenario "$source/fixtures/scenarios/stale_book_pulls_quotes.scn"

sed 's/open #3/open none/' "$source/fixtures/scenarios/funds_exactly_enough.scn" >"$work/open.scn"
cp "$source/fixtures/scenarios/defaults.yaml" "$work" && cp "$source/fixtures/scenarios/funds_exactly_enough.golden" "$work/open.golden"
run 1 'a scenario names an order as its language does' '*' 'expected order #3 not open, it is' scenario "$work/open.scn"

echo 'risk.drawdown_limit: 7' >"$work/b.yaml"
echo 'quote.size: 2lot' >"$work/c.yaml"
"$capstan" config show -c "$work/a.yaml" -c "$work/b.yaml" -c "$work/c.yaml" >"$work/out" 2>"$work/err"
good=no
grep -q '^risk.drawdown_limit: 7$' "$work/out" && grep -q '^quote.size: 2lot$' "$work/out" &&
    grep -q 'sim.entry_latency: 7ms$' "$work/out" && good=yes
result $good 'files of -c are layered, the later wins by setting'

run 2 'record has no option for what it has not' '' "there is no option '--db'" record --db x
"$capstan" verify --help >"$work/out" 2>"$work/err" && "$capstan" exchange --help >>"$work/out" 2>"$work/err"
good=no
sed -n '/^Options:/,/^$/p' "$work/out" | grep -v '^Options:$\|^$\|^  ' >"$work/err" || good=yes
result $good 'no line of an option leaves its column'

echo "1..$count"
[ $failed -eq 0 ]
