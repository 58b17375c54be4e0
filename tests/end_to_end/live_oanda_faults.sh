#!/bin/sh
# A live session at OANDA while everything goes wrong now and then: scripts/live-campaign, a short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --venue oanda --kills 0 --seconds 20 \
    --faults "${srcdir:-.}/fixtures/faults/everything.faults"
