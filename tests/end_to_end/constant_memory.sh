#!/bin/sh
# A tape six times as long takes no more memory: not to replay, nor with a session tape, a journal and a
# run database beside it.
set -u
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
if ! command -v python3 >/dev/null 2>&1; then
    echo "1..0 # SKIP no python3"
    exit 0
fi
if ldd "$CAPSTAN" 2>/dev/null | grep -q asan || nm "$CAPSTAN" 2>/dev/null | grep -q __asan_init; then
    echo "1..0 # SKIP the address sanitizer keeps freed memory"
    exit 0
fi
echo "1..2"
"$CAPSTAN" synth -o "$folder/short.tape" --seed 3 --events 500000 --instruments 2 >/dev/null || exit 99
"$CAPSTAN" synth -o "$folder/long.tape" --seed 3 --events 3000000 --instruments 2 >/dev/null || exit 99
cat >"$folder/peak.py" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
# peak NAME OPTION…: KiB at most while replaying that tape
peak()
{
    tape=$1
    shift
    python3 "$folder/peak.py" "$CAPSTAN" replay "$folder/$tape.tape" --set quote.size=20lot "$@"
}
# compare NUMBER NAME OPTION…
compare()
{
    number=$1
    name=$2
    shift 2
    if ! short=$(peak short "$@") || ! long=$(peak long "$@"); then
        echo "not ok $number - $name"
        return
    fi
    echo "# $short KiB, $long KiB"
    # A page here or there is the allocator's, and tables of fixed size are touched as they fill, which the short
    # tape has done; the long one is 12 MiB on disk.
    if [ "$long" -le $((short + 1024)) ]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
    fi
}
compare 1 "replay"
compare 2 "replay with session tape, journal and run database" \
    --tape "$folder/session.tape" --journal "$folder/journal" -o "$folder/run.db"
