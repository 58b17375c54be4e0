#!/bin/sh
# A live session at Coinbase while everything goes wrong now and then: scripts/live-campaign, a short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --venue coinbase --kills 0 --seconds 12 \
    --faults "${srcdir:-.}/fixtures/faults/everything.faults"
