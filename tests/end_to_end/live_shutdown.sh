#!/bin/sh
# Live sessions that are ended at random moments, half of them while everything goes wrong: scripts/shutdown-campaign, a
# short form.
"${srcdir:-.}/scripts/shutdown-campaign" --capstan "$CAPSTAN" --longest 3 --pace 3 8
