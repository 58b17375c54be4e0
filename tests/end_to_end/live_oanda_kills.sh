#!/bin/sh
# Live sessions at OANDA that are killed at random moments: scripts/live-campaign, a short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --venue oanda --kills 3 --seconds 8
