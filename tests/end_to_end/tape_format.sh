#!/bin/sh
# The tables of kinds and fields in docs/tape-format.md are those of src/event/kinds.h.
# shellcheck disable=SC2154 # srcdir comes from make check
echo 1..1
tables=$(dirname "$CAPSTAN")/tests/tape_tables
page=$srcdir/docs/tape-format.md
from_page=$(sed -n '/<!-- tables from/,/<!-- tables end/p' "$page" | sed '1d;$d')
if [ "$from_page" = "$("$tables")" ]; then
    echo "ok 1 - tables of docs/tape-format.md"
else
    echo "not ok 1 - tables of docs/tape-format.md: put the output of tests/tape_tables there"
fi
