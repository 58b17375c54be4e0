#!/bin/bash
# Manual pages and completion say what --help says, for every command.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

result()
{
    count=$((count + 1))
    if [ "$1" = yes ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=1
    fi
}

# Every command of --help that is none itself, as "tape cut".
commands()
{
    local word
    for word in $("$CAPSTAN" ${1:+"$1"} --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        [ "$word" = help ] && continue
        if "$CAPSTAN" ${1:+"$1"} "$word" --help | grep -q '^Commands:'; then
            commands "$word"
        else
            echo "${1:+$1 }$word"
        fi
    done
}
commands '' >"$work/commands"
mkdir "$work/man"
"$CAPSTAN" pages man "$work/man" || exit 1

good=yes
while read -r command; do
    page="$work/man/capstan-${command// /-}.1"
    # shellcheck disable=SC2086 # two words
    options=$("$CAPSTAN" $command --help | sed -n 's/^  .*--\([a-z-]*\).*/\1/p')
    for option in $options; do
        sed 's/\\-/-/g' "$page" | grep -q -- "--$option" || {
            echo "# $page: no --$option"
            good=no
        }
    done
done <"$work/commands"
[ "$(wc -l <"$work/commands")" -gt 15 ] || good=no
result $good "a page for each of $(wc -l <"$work/commands") commands, with every option"

good=yes
if command -v groff >/dev/null 2>&1; then
    for page in "$work"/man/*.1; do
        groff -man -Tutf8 -ww -z "$page" 2>"$work/said" || good=no
        [ ! -s "$work/said" ] || good=no
        sed 's/^/# /' "$work/said"
    done
    result $good "roff has nothing to say about the pages"
else
    count=$((count + 1))
    echo "ok $count - roff has nothing to say about the pages # SKIP no groff here"
fi

"$CAPSTAN" pages bash >"$work/completion.bash"
# shellcheck disable=SC1091 # just made
. "$work/completion.bash"

# completes WANTED WORD…: the last word is completed, and WANTED is what comes.
completes()
{
    local wanted=$1
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _capstan 2>/dev/null
    if [ "${COMPREPLY[*]}" = "$wanted" ]; then
        result yes "completed: $*"
    else
        echo "# found: ${COMPREPLY[*]}"
        result no "completed: $*"
    fi
}
completes 'replay record report' capstan re
completes 'cat check cut' capstan tape c
completes '--config=' capstan replay --conf
completes '--from=' capstan tape cut --fr
completes 'quote.skew=' capstan replay --set quote.sk
completes 'quote.skew=' capstan replay --set = quote.sk
cd "$work" && : >some.tape && completes 'some.tape' capstan verify som

for shell in zsh fish; do
    "$CAPSTAN" pages $shell >"$work/completion.$shell"
    if command -v $shell >/dev/null 2>&1; then
        good=no
        $shell -n "$work/completion.$shell" && good=yes
        result $good "$shell reads its completion"
    else
        count=$((count + 1))
        echo "ok $count - $shell reads its completion # SKIP no $shell here"
    fi
done
if command -v fish >/dev/null 2>&1; then
    found=$(HOME=$work fish --no-config -c "source $work/completion.fish; complete -C 'capstan tape cu'" | cut -f 1)
    good=no
    [ "$found" = cut ] && good=yes
    result $good "fish completes a command of a group"
    found=$(HOME=$work fish --no-config -c "source $work/completion.fish; complete -C 'capstan replay --journ'" | cut -f 1)
    good=no
    [ "${found%=}" = --journal ] && good=yes
    result $good "fish completes an option ($found)"
fi

echo "1..$count"
[ $failed -eq 0 ]
