#!/bin/sh
# One live session at three venues, killed, and again while everything goes wrong now and then: scripts/live-campaign, a
# short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --venue binance_us --venue coinbase --venue oanda \
    --kills 1 --seconds 14 --faults "${srcdir:-.}/fixtures/faults/everything.faults"
