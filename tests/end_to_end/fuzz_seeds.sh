#!/bin/sh
# Gives every seed of tests/fuzz/seeds to its fuzz target, built plainly: none may end it.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/samples"
count=0
failed=0
for target in adapter binance carry coinbase config event net oanda ops tape; do
    count=$((count + 1))
    set -- "${srcdir:-.}/tests/fuzz/seeds/$target"-*
    if [ "$target" = tape ] && ./tests/fuzz/tape_samples "$work/samples"; then
        set -- "$@" "$work/samples"/*
    fi
    if TMPDIR=$work "./tests/fuzz/${target}_seeds" "$@" 2>"$work/err"; then
        echo "ok $count - seeds of $target"
    else
        failed=1
        echo "not ok $count - seeds of $target"
        sed 's/^/# /' "$work/err"
    fi
done
echo "1..$count"
exit $failed
