#!/bin/sh
# Bad input to every command: one clear line on standard error that names what is wrong, and exit 2.
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

mkdir folder
: >empty
printf 'Dear diary, today the market went up.\n' >text
printf '\037\213\010\000\001\002\003\004' >gzip_head

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
bad 'config: -c of a missing file' 'gone.yaml: No such file' config show -c gone.yaml
bad 'config: --set of a wrong key' "did you mean 'quote.size'?" config show --set quote.sise=1
bad 'config: --set of a wrong unit' 'expected a quantity like 0.010 or 10lot' config show --set quote.size=10lots
bad 'config: --set without a value' 'expected KEY=VALUE' config show --set quote.size
bad 'config: --set of a NaN' "'nan' is not a number that can be used" config show --set quote.size=nan

echo "1..$count"
[ $failed -eq 0 ]
