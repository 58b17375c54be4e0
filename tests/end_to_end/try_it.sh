#!/bin/sh
# The blocks that documents and help tell a newcomer to type, as they stand there; sessions end by a signal once an order
# of theirs rests, however long that takes here. CAPSTAN is the program.
set -u
program=$(cd "$(dirname "$CAPSTAN")" && pwd)/$(basename "$CAPSTAN")
top=$(cd "${srcdir:-.}" && pwd)
work=$(mktemp -d)
export CAPSTAN_OPS__PORT=0
PATH=$work/bin:$PATH
mkdir "$work/bin"
cat >"$work/bin/capstan" <<END
#!/bin/sh
[ "\$1" = live ] && echo \$\$ >"$work/live.pid"
exec "$program" "\$@"
END
chmod +x "$work/bin/capstan"
# shellcheck disable=SC2317
clean_up() {
    for pid in "$work"/*/exchange.pid; do
        [ -s "$pid" ] && kill "$(cat "$pid")" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT

echo 1..5
number=0
# Runs the block in this folder. Its status.
run() {
    : >log
    timeout 300 sh -e ./block >out 2>log &
    block=$!
    while kill -0 "$block" 2>/dev/null; do
        if grep -q '"message":"order_accepted"' log; then
            kill "$(cat "$work/live.pid")"
            break
        fi
        sleep 0.2
    done
    wait "$block"
}

# $1: whose commands are tried.
try() {
    number=$((number + 1))
    sed 's/--for [0-9a-z]*/--for 10m/' "$work/$number/said" >"$work/$number/block"
    if grep -q 'capstan exchange' "$work/$number/block" && grep -q 'capstan live.*--for 10m' "$work/$number/block" &&
        (cd "$work/$number" && run); then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        tail -n 8 "$work/$number/block" "$work/$number/out" "$work/$number/log" | sed 's/^/#   /'
    fi
}

# The indented block behind a heading. $1: file, $2: heading.
block() {
    awk -v heading="$2" '$0 == heading { found = 1; next } found && /^#/ { exit } found && /^    / { print }' "$1"
}

mkdir "$work/1" "$work/2" "$work/3" "$work/4"
block "$top/README.md" '## Live mode without keys or network' >"$work/1/said"
block "$top/docs/live.md" '## Try it without keys or network' >"$work/2/said"
capstan live --help | awk '/^Example/ { found = 1; next } found && /^  / { print }' >"$work/3/said"
capstan exchange --help | awk '/^Example:/ { found = 1; next } found && /^  / { print }' >"$work/4/said"
try README.md
try docs/live.md
try 'capstan live --help'
try 'capstan exchange --help'

number=$((number + 1))
capstan exchange --dir "$work/bad" --venue nowhere --background >"$work/out" 2>"$work/err"
if [ $? -eq 2 ] && [ ! -s "$work/out" ] && grep -q 'nowhere' "$work/err"; then
    echo "ok $number - one that can't begin says so, and its exit status"
else
    echo "not ok $number - one that can't begin says so, and its exit status"
fi
