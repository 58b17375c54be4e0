#!/bin/sh
# docs/operate.md agrees with the tables of src/ops.
source=$(cd "${srcdir:-.}" && pwd)
echo 1..1
if ! command -v python3 >/dev/null 2>&1; then
    echo 'ok 1 - metrics page # SKIP no python3'
    exit 0
fi
if "$source/scripts/metrics-page" --check | sed 's/^/# /' | grep .; then
    echo 'not ok 1 - docs/operate.md agrees with the tables (else run scripts/metrics-page)'
    exit 1
fi
echo 'ok 1 - docs/operate.md agrees with the tables'
