#!/bin/sh
# Live sessions on the exchange of this machine, killed at random moments: scripts/live-campaign, a short form.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --kills 4 --longest 2 --pace 2 --seconds 6
