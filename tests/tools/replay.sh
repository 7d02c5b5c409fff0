#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
dump=$1/../../../tests/tools/mcap_dump
sample=$1/../../../tests/tools/mcap_sample
file=$dir/run.mcap
again=$dir/again.mcap

# with_bus [TOPIC...]: there is a bus with these topics, held by publishers of no interest. So a recorder of them is there before
# those who publish, and gets each message.
with_bus() {
    number=0
    for topic in other "$@"; do
        number=$((number + 1))
        start "maker$number" peal pub "$topic" x --keep
        until_true "$peal" info --no-rates "$topic"
    done
}

# recorded FILE ARGUMENT...: what `peal pub ARGUMENT...` publishes, 20 messages.
recorded() {
    to=$1
    shift
    start rec peal record "$1" -o "$to" -n 20 --reliable
    expect_note rec 'recording 1 topic'
    run 0 pub "$@"
    expect_exit rec 0
}

# replayed COUNT ARGUMENT...: records into $again what `peal replay ARGUMENT...` publishes.
replayed() {
    count=$1
    shift
    start rec peal record -o "$again" --overwrite -n "$count" --reliable --json
    expect_note rec 'recording'
    run 0 replay "$@" --quiet --json
    expect_exit rec 0
}

# What a replay must not change: topic, type, number, size, CRC.
essence() {
    "$dump" "$1" | cut -d '|' -f 1-3,6-
}

case $case in
what_was_recorded_is_published_again)
    with_bus t u
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
    with_bus s.one s.two s.three uno c.two.copy
    start rec peal record 's.*' -o "$file" -n 30 --reliable
    expect_note rec 'recording 3 topics'
    for topic in s.one s.two s.three; do
        run 0 pub "$topic" "$topic {n}" -e -r max -n 10
    done
    expect_exit rec 0
    start rec peal record 'c.*' uno -o "$again" -n 20 --reliable
    expect_note rec 'recording 2 topics'
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
    with_bus t
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
    with_bus t
    recorded "$file" t 'x {n}' -e -r 2000 -n 20
    start rec peal record t -o "$again" -n 100 --reliable
    expect_note rec 'recording 1 topic'
    start loop peal replay "$file" --loop --rate max --progress
    expect_exit rec 0
    stop loop 0
    grep -q ' messages, .* in .* late' "$dir/loop.err" || fail "no summary: $(cat "$dir/loop.err")"
    "$dump" "$again" text | cut -d '|' -f 4 >"$dir/found"
    for i in 1 2 3 4 5; do seq 0 19; done | sed 's/^/x /' | cmp - "$dir/found"
    ;;
a_restart_is_replayed_as_a_restart)
    with_bus t
    start rec peal record t -o "$file" -n 10 --reliable
    expect_note rec 'recording 1 topic'
    run 0 pub t 'one {n}' -e -r max -n 5 --name alpha
    run 0 pub t 'two {n}' -e -r max -n 5 --name alpha
    expect_exit rec 0
    replayed 10 "$file"
    for each in "$file" "$again"; do
        grep -aq 'peal:restarted....1' "$each" || fail "$each knows of no restart"
    done
    "$dump" "$again" text >"$dir/found"
    { for i in 0 1 2 3 4; do echo "t|alpha|$i|one $i"; done; for i in 0 1 2 3 4; do echo "t|alpha|$i|two $i"; done; } | cmp - "$dir/found"
    ;;
who_has_no_room_is_dealt_with_as_told)
    with_bus t
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
    with_bus topic/0 topic/1 topic/2 foreign
    "$sample" "$dir/sample.mcap" zstd >/dev/null
    replayed 2000 "$dir/sample.mcap" --rate max
    # The sample's numbers are of all topics together, those of a replay of each.
    "$dump" "$dir/sample.mcap" | cut -d '|' -f 1,2,6- | sort >"$dir/wanted"
    "$dump" "$again" | cut -d '|' -f 1,2,6- | sort | cmp - "$dir/wanted"
    # Without chunks, and with a message that is longer than anybody would have thought.
    perl -e 'sub r { pack("C Q< a*", $_[0], length $_[1], $_[1]) } sub t { pack("V/a*", $_[0]) }
        my $m = "\x89MCAP0\r\n";
        print $m, r(1, t("") . t("else")), r(4, pack("v v", 7, 0) . t("foreign") . t("") . t("")),
            (map { r(5, pack("v V Q< Q<", 7, $_, 1000 + $_, 0) . ("x" x ($_ * 9000))) } 0 .. 2),
            r(15, pack("V", 0)), r(2, pack("Q< Q< V", 0, 0, 0)), $m' >"$dir/plain.mcap"
    replayed 3 "$dir/plain.mcap"
    [ "$("$dump" "$again" | cut -d '|' -f 1,6 | tr '\n' ' ')" = 'foreign|0 foreign|9000 foreign|18000 ' ] || fail "$("$dump" "$again")"
    ;;
what_cannot_be_is_refused_in_one_line)
    with_bus t
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
