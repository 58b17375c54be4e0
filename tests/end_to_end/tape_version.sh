#!/bin/sh
# Tapes of every version stay readable: the committed tapes of version 1, their texts and their identities agree.
# Those after the first have the kinds that came later.
echo 1..17
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
# sound TAPE NAME: check finds it sound, with the identity of the fixture.
sound() { "$CAPSTAN" tape check "$1" | grep -q ": sound: .* identity $(cat "$tapes/$2.identity")\$"; }

for name in version-1 version-1-orchestrator version-1-rotation version-1-account; do
    "$CAPSTAN" tape make "$tapes/$name.txt" -o made.tape >/dev/null && sound made.tape "$name"
    result $? "$name: the text makes a tape of the identity committed"
    sound "$tapes/$name.tape" "$name"
    result $? "$name: the tape committed has it too"
    "$CAPSTAN" tape cat --full "$tapes/$name.tape" | cmp - "$tapes/$name.txt"
    result $? "$name: and is the text, header and messages"
    "$CAPSTAN" tape cat --full made.tape | cmp - "$tapes/$name.txt"
    result $? "$name: so is the tape made"
    sed '1,/^messages$/d' "$tapes/$name.txt" >>messages
done
[ "$(cut -d ' ' -f 2 messages | sort -u)" = \
    "$(sed -n 's/^| [0-9]* | \([a-z_]*\) | \(market\|session\|decision\) |.*/\1/p' \
        "$tapes/../../docs/tape-format.md" | sort -u)" ]
result $? "every kind is on one of them"
