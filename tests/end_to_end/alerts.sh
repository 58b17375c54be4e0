#!/bin/sh
# The alerts of deploy/monitoring: their unit tests, and each caused in a live session (scripts/alert-campaign, a
# short form).
top=$(cd "${srcdir:-.}" && pwd)
echo 1..3
if ! command -v promtool >/dev/null 2>&1; then
    for number in 1 2 3; do echo "ok $number - alerts # SKIP no promtool (package prometheus)"; done
    exit 0
fi
failed=0

# tell NUMBER NAME STATUS: of what stands in $output.
output=$(mktemp)
trap 'rm -f "$output"' EXIT
tell()
{
    if [ "$3" -eq 77 ]; then
        echo "ok $1 - $2 # SKIP $(tail -n 1 "$output")"
    elif [ "$3" -eq 0 ]; then
        echo "ok $1 - $2"
    else
        failed=1
        echo "not ok $1 - $2"
        sed 's/^/# /' "$output"
    fi
}

promtool check config "$top/deploy/monitoring/prometheus.yml" >"$output" 2>&1
tell 1 "rules and configuration are well formed" $?
promtool test rules "$top/deploy/monitoring/alerts_test.yml" >"$output" 2>&1
tell 2 "each alert fires when it should, and only then" $?
"$top/scripts/alert-campaign" --capstan "$CAPSTAN" --short >"$output" 2>&1
tell 3 "each alert is caused, told and resolved" $?
exit $failed
