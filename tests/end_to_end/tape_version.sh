#!/bin/sh
# Tapes of every version stay readable: the committed tape of version 1, its text and its identity agree.
echo 1..5
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tapes=$(cd "${srcdir:?}" && pwd)/fixtures/tapes
cd "$folder" || exit 99
number=0

# result STATUS TEXT: one line of TAP.
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}
# sound TAPE: check finds it sound, with the identity of the fixture.
sound() { "$CAPSTAN" tape check "$1" | grep -q ": sound: .* identity $(cat "$tapes/version-1.identity")\$"; }

"$CAPSTAN" tape make "$tapes/version-1.txt" -o made.tape >/dev/null && sound made.tape
result $? "the text makes a tape of the identity committed"
sound "$tapes/version-1.tape"
result $? "the tape committed has it too"
"$CAPSTAN" tape cat --full "$tapes/version-1.tape" | cmp - "$tapes/version-1.txt"
result $? "and is the text, header and messages"
"$CAPSTAN" tape cat --full made.tape | cmp - "$tapes/version-1.txt"
result $? "so is the tape made"
kinds=$(sed '1,/^messages$/d' "$tapes/version-1.txt" | cut -d ' ' -f 2 | sort -u)
[ "$kinds" = "$(sed -n 's/^| [0-9]* | \([a-z_]*\) | \(market\|session\|decision\) |.*/\1/p' \
    "$tapes/../../docs/tape-format.md" | sort -u)" ]
result $? "every kind is on it"
