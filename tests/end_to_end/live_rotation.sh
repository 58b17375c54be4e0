#!/bin/sh
# Live sessions on the exchange of this machine whose tapes rotate, killed at random moments: scripts/live-campaign.
"${srcdir:-.}/scripts/live-campaign" --capstan "$CAPSTAN" --kills 6 --longest 4 --pace 3 --seconds 6 --rotate 1s --seed 7
