#!/bin/sh
# scripts/lint finds what it is there to find: each test plants one violation in a small tree of its own.
set -u
source=$(cd "${srcdir:-.}" && pwd)
lint="$source/scripts/lint"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# A tree with one clean room; every test begins with it.
fresh()
{
    rm -rf "$work/tree"
    mkdir -p "$work/tree/src/engine" "$work/tree/src/tape" "$work/tree/src/base" "$work/tree/scripts"
    cd "$work/tree" || exit 1
    # shellcheck disable=SC2016 # the table has backquotes
    {
        echo '| room | what stands there | may use |'
        echo '| `src/base/` | numbers | nothing |'
        echo '| `src/tape/` | files | base |'
        echo '| `src/engine/` | pure | base |'
    } >ARCHITECTURE.md
    printf '/* A clean file. */\n#include "base/sum.h"\n\nint sum(int a, int b)\n{\n    return a + b;\n}\n' \
        >src/base/sum.c
    printf '/* A clean header. */\n\n/* The sum. */\nint sum(int a, int b);\n' >src/base/sum.h
    printf '/* Another clean header. */\n' >src/tape/tape.h
    echo '# No exceptions.' >scripts/lint-ratchet
    echo '# All files. src/base/sum.c src/base/sum.h src/tape/tape.h ARCHITECTURE.md scripts/lint-ratchet' \
        >Makefile.am
}

# expect NAME CHECK TEXT: lint of CHECK fails and prints TEXT; with empty TEXT it passes.
expect()
{
    count=$((count + 1))
    output=$("$lint" --root "$work/tree" --build "$work/tree/build" --only "$2" 2>&1)
    status=$?
    good=no
    if [ -z "$3" ]; then
        [ $status -eq 0 ] && good=yes
    elif [ $status -eq 1 ]; then
        case $output in *"$3"*) good=yes ;; esac
    fi
    if [ $good = yes ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        echo "$output" | sed 's/^/# /'
        failed=1
    fi
}

fresh
expect "a clean tree has no findings" includes,lengths,comments,words,unused ""

fresh
printf '/* The engine. */\n#include "tape/tape.h"\n' >src/engine/engine.c
expect "an include against the table of rooms" includes "engine may not include tape/tape.h"

fresh
printf '/* The engine. */\n#include <time.h>\n' >src/engine/engine.c
expect "a system header in a pure room" includes "a pure room includes <time.h>"

fresh
printf '/* A tape. */\n#include <sqlite3.h>\n' >src/tape/tape.c
expect "a library's header outside its room" includes "<sqlite3.h> belongs to store"

fresh
printf '/* The sum. */\n#include <stdint.h>\n#include "base/sum.h"\n' >src/base/sum.c
expect "a file that does not include its own header first" includes "before its own base/sum.h"

fresh
{
    printf '/* Long. */\nint longest(int a)\n{\n'
    i=0
    while [ $i -lt 70 ]; do
        echo '    a += 1;'
        i=$((i + 1))
    done
    printf '    return a;\n}\n'
} >src/base/long.c
expect "a function of more than 70 lines" lengths "src/base/long.c:longest has 73 lines"
echo 'src/base/long.c:longest 80' >>scripts/lint-ratchet
expect "a ratchet that may be lowered" lengths "lower it from 80"

fresh
{
    echo '/* A long file. */'
    i=0
    while [ $i -lt 1000 ]; do
        echo
        i=$((i + 1))
    done
} >src/base/sum.h
expect "a file of more than 1,000 lines" lengths "src/base/sum.h has 1001 lines"

fresh
printf '/* A header. */\n\nint naked(int a);\n' >src/base/sum.h
expect "an exported function without a comment" comments "naked is exported without a comment"

fresh
printf 'int sum(int a, int b);\n' >src/base/sum.h
expect "a file without an opening sentence" comments "does not open with a sentence"

fresh
printf '/* Half made: %s. */\n' "TO""DO" >src/base/sum.c
expect "a half-made file" words "says TO""DO"

fresh
printf '/* Forgotten. */\n' >src/base/forgotten.c
expect "a file that nobody builds" unused "src/base/forgotten.c: Makefile.am neither builds"

compiler=
for name in gcc clang-14 clang cc; do
    if command -v "$name" >/dev/null 2>&1; then
        compiler=$name
        break
    fi
done
# library ROOM TEXT: compiles TEXT as build/libROOM.a.
library()
{
    mkdir -p build
    printf '%s\n' "$2" >"build/$1.c"
    "$compiler" -c "build/$1.c" -o "build/$1.o" && ar cr "build/lib$1.a" "build/$1.o"
}
fresh
library base 'int sum(int a) { return a; }'
library engine 'int sum(int); int step(int a) { return sum(a); }'
expect "a pure library" symbols ""
library engine 'long time(long *); long step(void) { return time(0); }'
expect "a clock in a pure library" symbols "needs time, which a pure room may not"
library base 'void *malloc(unsigned long); void *sum(void) { return malloc(1); }'
library engine 'void *sum(void); void *step(void) { return sum(); }'
expect "memory taken through another room" symbols "reaches malloc through"
library base 'int sum(int a) { return a; }'
library engine 'int counter; int step(void) { return ++counter; }'
expect "a changeable global in a pure library" symbols "has a changeable global: counter"
library engine 'double log(double); double step(double a) { return log(a); }'
expect "a function of libm in a pure library" symbols "needs log of libm"

echo "1..$count"
exit $failed
