#!/bin/sh
# docs/semantics.md names a test for each rule that is built: they must exist, and each rule must have a row.
srcdir=${srcdir:?}
page=$srcdir/docs/semantics.md
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
failed=0

# report NUMBER NAME STATUS: one TAP line.
report() {
    if [ "$3" -eq 0 ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
        failed=1
    fi
}

echo "1..3"
missing=0
# shellcheck disable=SC2016 # the backticks are the page's
grep -o '`[a-z_]*_test: [a-z0-9_]*`' "$page" | tr -d '`' >"$folder/units"
while IFS=' ' read -r program test; do
    grep -q "^Test([a-z_]*, $test\\b" "$srcdir/tests/unit/${program%:}.c" 2>"$folder/err" || {
        missing=1
        echo "# no test $test in $program"
    }
done <"$folder/units"
[ -s "$folder/units" ] && [ $missing -eq 0 ]
report 1 "every unit test that the page names is there" $?

missing=0
# shellcheck disable=SC2016 # the backticks are the page's
grep -o '`[a-z0-9_][a-z0-9_]*\.scn`' "$page" | tr -d '`' >"$folder/scenarios"
while IFS= read -r scenario; do
    [ -f "$srcdir/fixtures/scenarios/$scenario" ] || {
        missing=1
        echo "# no scenario $scenario"
    }
done <"$folder/scenarios"
[ -s "$folder/scenarios" ] && [ $missing -eq 0 ]
report 2 "every scenario that the page names is there" $?

missing=0
for rule in $(seq 1 33); do
    grep -q "^| $rule [a-zA-Z]" "$page" || {
        missing=1
        echo "# no row for rule $rule"
    }
done
report 3 "each rule has its row" $missing
exit $failed
