#!/bin/sh
# A live session while everything goes wrong now and then: scripts/live-campaign, a short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --kills 0 --seconds 20 \
    --faults "${srcdir:-.}/fixtures/faults/everything.faults"
