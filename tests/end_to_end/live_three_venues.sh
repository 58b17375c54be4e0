#!/bin/sh
# Live sessions at three venues at once, killed at random moments while everything goes wrong now and then: scripts/live-campaign, a
# short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --venue binance_us --venue coinbase --venue oanda \
    --kills 2 --pace 3 --seconds 8 --faults "${srcdir:-.}/fixtures/faults/everything.faults"
