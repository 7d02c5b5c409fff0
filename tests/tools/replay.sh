#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
dump=$1/../../../tests/tools/mcap_dump
sample=$1/../../../tests/tools/mcap_sample
file=$dir/run.mcap
again=$dir/again.mcap

# recorded FILE ARGUMENT...: what `peal pub ARGUMENT...` publishes.
recorded() {
    to=$1
    shift
    start source peal pub "$@" -w 1
    until_true "$peal" info --no-rates "$1"
    "$peal" record "$1" -o "$to" -n 20 --history 1000 --quiet
    expect_exit source 0
}

# The bus is there from the beginning.
with_bus() {
    start maker peal pub other x --keep
    expect_note maker "there was no $bus"
    until_true "$peal" info --no-rates other
}

# replayed COUNT ARGUMENT...: records into $again what `peal replay ARGUMENT...` publishes.
replayed() {
    count=$1
    shift
    start rec peal record "[!o]*" --history 1000 -o "$again" --overwrite -n "$count" --quiet --json
    run 0 replay "$@" --quiet --json
    expect_exit rec 0
}

# What a replay must not change: topic, type, number, size, CRC.
essence() {
    "$dump" "$1" | cut -d '|' -f 1-3,6-
}

case $case in
what_was_recorded_is_published_again)
    with_bus
    recorded "$file" t 'note {n}' -e -r 2000 -n 20 --name alpha --type note/1 --depth 32
    channels='join "|", map { my $c = $_; map { $c->{$_} } qw(topic publisher type_name messages) } @{$j->{channels}}'
    recorded "$dir/large.mcap" u --size 70000 -r 2000 -n 20 --name beta
    for each in "$file" "$dir/large.mcap"; do
        replayed 20 "$each" --wait-subscribers 1
        json_is '$j->{messages}' 20
        essence "$each" >"$dir/wanted"
        essence "$again" | cmp - "$dir/wanted"
        run 0 replay "$each" -i --json
        json "$channels" >"$dir/wanted"
        run 0 replay "$again" -i --json
        json "$channels" | cmp - "$dir/wanted"
    done
    grep -aq 'peal:depth....32' "$file" || fail "the depth is not in the file"
    ;;
topics_can_be_chosen_and_renamed)
    with_bus
    start rec peal record 's.*' --history 1000 -o "$file" -n 30 --quiet
    for topic in s.one s.two s.three; do
        start "pub_${topic#s.}" peal pub $topic "$topic {n}" -e -r max -n 10 --keep
    done
    expect_exit rec 0
    start rec peal record 'c.*' uno --history 1000 -o "$again" -n 20 --quiet
    run 0 replay "$file" s.one s.two --map s.one=uno --map 's.*=c.*.copy' --rate max -w 1
    expect_exit rec 0
    "$dump" "$again" text | cut -d '|' -f 1,3- | sort >"$dir/found"
    for i in $(seq 0 9); do
        echo "uno|$i|s.one $i"
        echo "c.two.copy|$i|s.two $i"
    done | sort | cmp - "$dir/found"
    run 0 replay "$file" --info 's.t*' --map 's.two=zwei'
    said '^zwei .* 10$'
    said '^s.three .* 10$'
    ! grep -q 's.one' "$dir/run.out" || fail "it showed more than was asked for"
    ;;
it_is_as_fast_as_wanted_and_never_faster)
    with_bus
    recorded "$file" t 'x {n}' -e -r 100 -n 20
    run 0 replay "$file" -i --json
    span=$(json '$j->{duration_ns}')
    run 0 replay "$file" --rate 2x --json
    json_is "\$j->{duration_ns} >= $span / 2 ? 'yes' : \$j->{duration_ns}" yes
    run 0 replay "$file" --rate 100x --loops 4 --json
    json_is "\$j->{duration_ns} >= $span * 3 / 100 ? 'yes' : \$j->{duration_ns}" yes
    json_is '$j->{messages}' 80
    json_is '$j->{loops}' 4
    # Offsets: by the recorded times.
    "$dump" "$file" | cut -d '|' -f 4 >"$dir/times"
    middle=$(perl -e 'my @t = <>; print $t[10] - $t[0]' "$dir/times")
    run 0 replay "$file" --rate max --json --start "${middle}ns"
    json_is '$j->{messages}' 10
    run 0 replay "$file" --rate max --json --duration "${middle}ns"
    json_is '$j->{messages}' 11
    ;;
a_loop_goes_on_until_it_is_stopped)
    with_bus
    recorded "$file" t 'x {n}' -e -r 2000 -n 20
    start loop peal replay "$file" --loop --rate max --progress --wait-subscribers 1
    run 0 record t -o "$again" -n 100 --reliable --history 1000 --quiet
    stop loop 0
    grep -q ' messages, .* in .* late' "$dir/loop.err" || fail "no summary: $(cat "$dir/loop.err")"
    "$dump" "$again" text | cut -d '|' -f 4 >"$dir/found"
    for i in 1 2 3 4 5; do seq 0 19; done | sed 's/^/x /' | cmp - "$dir/found"
    ;;
a_restart_is_replayed_as_a_restart)
    with_bus
    start rec peal record t --history 1000 -o "$file" -n 10 --quiet
    start first peal pub t 'one {n}' -e -r max -n 5 --name alpha -w 1
    expect_exit first 0
    start second peal pub t 'two {n}' -e -r max -n 5 --name alpha -w 1
    expect_exit rec 0
    replayed 10 "$file" --rate max -w 1
    for each in "$file" "$again"; do
        grep -aq 'peal:restarted....1' "$each" || fail "$each knows of no restart"
    done
    "$dump" "$again" text >"$dir/found"
    { for i in 0 1 2 3 4; do echo "t|alpha|$i|one $i"; done; for i in 0 1 2 3 4; do echo "t|alpha|$i|two $i"; done; } | cmp - "$dir/found"
    ;;
who_has_no_room_is_dealt_with_as_told)
    with_bus
    recorded "$file" t 'x {n}' -e -r 2000 -n 20 --depth 4
    start ear peal echo t --wait --reliable
    "$peal" pub t first -w 1
    expect_line ear first
    kill -STOP "$(pid_of ear)"
    run 6 replay "$file" --rate max --policy drop -w 1
    grep -q '16 messages were not published' "$dir/run.err" || fail "it said $(cat "$dir/run.err")"
    start wait peal replay "$file" --rate max
    kill -CONT "$(pid_of ear)"
    expect_exit wait 0
    stop ear
    ;;
files_of_other_writers_are_replayed)
    with_bus
    "$sample" "$dir/sample.mcap" zstd >/dev/null
    replayed 2000 "$dir/sample.mcap" --rate max -w 1
    # The sample's numbers are of all topics together, those of a replay of each.
    "$dump" "$dir/sample.mcap" | cut -d '|' -f 1,2,6- | sort >"$dir/wanted"
    "$dump" "$again" | cut -d '|' -f 1,2,6- | sort | cmp - "$dir/wanted"
    # Without chunks, and with a message that is longer than anybody would have thought.
    perl -e 'sub r { pack("C Q< a*", $_[0], length $_[1], $_[1]) } sub t { pack("V/a*", $_[0]) }
        my $m = "\x89MCAP0\r\n";
        print $m, r(1, t("") . t("else")), r(4, pack("v v", 7, 0) . t("foreign") . t("") . t("")),
            (map { r(5, pack("v V Q< Q<", 7, $_, 1000 + $_, 0) . ("x" x ($_ * 9000))) } 0 .. 2),
            r(15, pack("V", 0)), r(2, pack("Q< Q< V", 0, 0, 0)), $m' >"$dir/plain.mcap"
    replayed 3 "$dir/plain.mcap" -w 1
    [ "$("$dump" "$again" | cut -d '|' -f 1,6 | tr '\n' ' ')" = 'foreign|0 foreign|9000 foreign|18000 ' ] || fail "$("$dump" "$again")"
    ;;
what_cannot_be_is_refused_in_one_line)
    with_bus
    recorded "$file" t 'x {n}' -e -r max -n 20
    refused 3 'No such file' replay "$dir/none.mcap"
    refused 2 'not a regular file' replay "$dir"
    refused 5 'not an MCAP file' replay "$source/README.md"
    : >"$dir/empty"
    refused 5 'empty' replay "$dir/empty"
    head -c 400 "$file" >"$dir/torn.mcap"
    refused 5 'is torn: .*peal recover' replay "$dir/torn.mcap"
    perl -pe 's/x 7/x 8/' "$file" >"$dir/spoilt.mcap"
    run 5 replay "$dir/spoilt.mcap"
    grep -q 'is spoilt: at byte .*peal recover' "$dir/run.err" || fail "it said $(cat "$dir/run.err")"
    refused 3 "there is no topic 'u' in" replay "$file" u
    refused 3 'has no such topic' replay "$file" --map u=v
    refused 2 '--map wants A=B' replay "$file" --map 'a*=b*c*'
    refused 2 '--rate wants a factor' replay "$file" --rate fast
    refused 2 '--loop is for ever' replay "$file" --loop --loops 2
    refused 2 'something is missing' replay
    if [ "$(id -u)" -eq 0 ]; then
        chmod 600 "$file"
        chmod 711 "$dir"
        code=0
        setpriv --reuid 65534 "$peal" replay "$file" -i 2>"$dir/denied.err" || code=$?
        [ "$code" -eq 4 ] || fail "who may not read it got $code: $(cat "$dir/denied.err")"
    fi
    ;;
*)
    fail "there is no case $case"
    ;;
esac
