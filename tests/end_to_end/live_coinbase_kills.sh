#!/bin/sh
# Live sessions at Coinbase that are killed at random moments: scripts/live-campaign, a short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --venue coinbase --kills 3 --pace 3 --seconds 6
