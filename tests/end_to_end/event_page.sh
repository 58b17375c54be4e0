#!/bin/sh
# docs/event-kinds.md agrees with the tables of src/event.
source=$(cd "${srcdir:-.}" && pwd)
echo 1..1
if ! command -v python3 >/dev/null 2>&1; then
    echo 'ok 1 - event page # SKIP no python3'
    exit 0
fi
if "$source/scripts/event-page" --check | sed 's/^/# /' | grep .; then
    echo 'not ok 1 - docs/event-kinds.md agrees with the tables (else run scripts/event-page)'
    exit 1
fi
echo 'ok 1 - docs/event-kinds.md agrees with the tables'
