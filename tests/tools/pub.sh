#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# hear TOPIC OPTION...: prints what is published there from now on, as the program `ear`.
hear() {
    topic=$1
    shift
    start ear peal echo "$topic" --wait --no-header "$@"
}

# heard LINE...: exactly these, once `ear` has ended.
heard() {
    expect_exit ear 0
    printf '%s\n' "$@" >"$dir/expected"
    cmp -s "$dir/expected" "$dir/ear.out" || fail "heard: $(cat "$dir/ear.out")"
}

# deaf DEPTH: a publisher's peer that has joined and takes nothing, and the bus it is on.
deaf() {
    start ear peal echo t --wait --reliable
    until_true sees_subscriber t
    kill -STOP "$(pid_of ear)"
}

sees_subscriber() {
    "$peal" pub "$1" --size 1 --wait-subscribers 1 --timeout 10s
}

case $case in
a_text_is_published_once_or_at_a_rate)
    start bus_maker peal pub other x --keep
    expect_note bus_maker "there was no $bus; made it"
    hear greetings --count 4
    run 0 pub greetings hello --wait-subscribers 1
    [ ! -s "$dir/run.err" ] || fail "it said $(cat "$dir/run.err")"
    expect_line ear hello # between publishers there is no order
    run 0 pub greetings 'tick {n}, {n}' --expand --rate 500 --count 3 -w 1 --verbose
    grep -q 'published 3 messages, 27 B, in' "$dir/run.err" || fail "no summary"
    heard hello 'tick 0, 0' 'tick 1, 1' 'tick 2, 2'
    run 0 pub nobody hello
    grep -q "nobody subscribed to 'nobody'" "$dir/run.err" || fail "it kept silent on having no subscriber"
    stop bus_maker
    ;;
lines_are_messages)
    printf 'x' | "$peal" pub other - 2>"$dir/first.err"
    hear log --count 6
    printf 'one\n\nthree\nlast' | "$peal" pub log - -w 1
    expect_line ear last # between publishers there is no order
    printf 'a\nb\nc\n' >"$dir/lines"
    run 0 pub log --file "$dir/lines" --lines --count 2
    heard one '' three last a b
    head -c 70000 /dev/zero | tr '\0' x >"$dir/long"
    refused 2 'line 1 of .* is longer than 65536 bytes; --message-bytes-max' pub log --file "$dir/long" --lines
    run 0 pub log --file "$dir/long" --lines --message-bytes-max 70000
    ;;
a_file_is_one_message)
    run 0 pub other x
    head -c 100000 /dev/urandom >"$dir/file"
    hear blob --format raw --count 2
    run 0 pub blob --file "$dir/file" -w 1 --crc
    "$peal" pub blob --file - <"$dir/file"
    expect_exit ear 0
    cat "$dir/file" "$dir/file" | cmp - "$dir/ear.out"
    : >"$dir/empty"
    hear blob --format json --count 1
    run 0 pub blob --file "$dir/empty" -w 1
    expect_exit ear 0
    grep -q '"size_bytes":0,"text":""' "$dir/ear.out" || fail "nothing is not a message"
    ;;
generated_messages_hold_their_number)
    run 0 pub other x
    hear load --format raw --count 3
    run 0 pub load --size 20 --count 3 -w 1
    expect_exit ear 0
    got=$(perl -e 'local $/; print join " ", unpack "(Q<Q<L<)*", <STDIN>' <"$dir/ear.out")
    [ "$got" = "0 1 2 1 1 2 2 1 2" ] || fail "it holds $got"
    run 0 pub load --size 3M --bus "$bus.small?size=4M"
    run 0 pub load --size 1M --count 3 --bus "$bus.small?size=4M"
    ;;
without_room_it_does_as_told)
    run 0 pub t x
    deaf
    run 6 pub t 1234 --depth 4 --count 10 --policy refuse
    grep -q 'published 4 messages, .* 0 dropped, 6 refused' "$dir/run.err" || fail "$(cat "$dir/run.err")"
    run 6 pub t 1234 --depth 4 --count 10 --policy drop
    grep -q 'published 4 messages, .* 6 dropped, 0 refused' "$dir/run.err" || fail "$(cat "$dir/run.err")"
    run 0 pub t 1234 --depth 4 --count 10 --policy evict
    run 6 pub t 1234 --depth 4 --count 5 --timeout 10ms
    grep -q 'published 4 messages, .* 0 dropped, 1 refused' "$dir/run.err" || fail "$(cat "$dir/run.err")"
    start waiting peal pub t 1234 --depth 4 --count 10 --verbose
    start stopped peal pub t 1234 --depth 4 --count 10 --verbose --name stopped
    until_true takes_part t stopped
    stop stopped
    grep -q 'published 4 messages, .* 0 dropped, 0 refused' "$dir/stopped.err" || fail "$(cat "$dir/stopped.err")"
    kill -CONT "$(pid_of ear)"
    expect_exit waiting 0
    grep -q 'published 10 messages' "$dir/waiting.err" || fail "$(cat "$dir/waiting.err")"
    ;;
queues_are_pushed_into)
    run 0 pub jobs first --queue
    run 0 pub jobs second
    run 6 pub jobs x --depth 4 --count 6 --policy refuse
    grep -q 'published 4 messages, .* 2 refused' "$dir/run.err" || fail "$(cat "$dir/run.err")"
    refused 8 "a message of 1025 bytes is longer than 'jobs' takes" pub jobs --size 1025
    refused 2 "'jobs' is a queue: --crc is for topics" pub jobs x --crc
    refused 2 'leave --wait-subscribers out' pub jobs x -w 1
    run 0 echo jobs --pop --count 6 --no-header
    [ "$(sort "$dir/run.out" | tr "\n" " ")" = "first second x x x x " ] || fail "popped $(cat "$dir/run.out")"
    ;;
what_stays_is_there_for_who_comes_late)
    start late peal pub news 'number {n}' -e --count 3 --keep --rate max
    until_true "$peal" info --no-rates news
    run 0 echo news --history 2 --count 2 --no-header
    printf 'number 1\nnumber 2\n' | cmp - "$dir/run.out"
    stop late
    [ "$(wc -l <"$dir/late.err")" -eq 1 ] || fail "$(cat "$dir/late.err")"
    run 0 pub news x --linger 1ms
    ;;
it_stops_when_asked_and_waits_no_longer_than_told)
    start slow peal pub t x --rate 0.001
    expect_note slow made
    start alone peal pub u x --wait-subscribers 3 --name alone
    until_true takes_part u alone
    refused 7 '0 of 2 subscribers came in time' pub u x -w 2 --timeout 5ms
    stop slow
    stop alone
    ;;
types_must_fit)
    start typed peal pub t x --type Pose --keep
    expect_note typed made
    run 0 pub t x
    run 0 pub t x --type Pose
    refused 5 'cannot publish' pub t x --type Twist
    ;;
what_cannot_be_is_refused_in_one_line)
    start kept peal pub t x --keep --name kept
    until_true takes_part t kept
    refused 2 'what shall be published?' pub t
    refused 2 'something is missing' pub
    refused 2 'exclude one another' pub t x --size 4
    refused 2 'exclude one another' pub t x --keep --linger 1s
    refused 2 '--lines goes with --file' pub t x --lines
    refused 2 '--expand goes with' pub t --size 4 --expand
    refused 2 '--rate wants a number of Hz as 100 or 0.5, or max' pub t x --rate fast
    refused 2 '--policy is one of: wait refuse drop evict' pub t x --policy lose
    refused 2 '--depth is too large' pub t x --depth 5000000000
    refused 2 'power of two' pub t x --depth 5
    refused 2 "'t' is a topic" pub t x --queue
    refused 3 "cannot open $dir/none: No such file" pub t --file "$dir/none"
    refused 1 "cannot read $dir: Is a directory" pub t --file "$dir"
    refused 8 'cannot publish' pub t --size 65M
    refused 2 'posix' pub t x --bus nonsense
    printf 'garbage' >"/dev/shm/peal.${bus#posix:}.x"
    refused 5 'cannot open' pub t x --bus "$bus.x"
    ;;
without_permission_it_says_so)
    setpriv --reuid=65534 --clear-groups "$peal" --version >"$dir/none.out" 2>&1 || {
        echo "skipped: this needs root, and a build folder that everybody may read"
        exit 77
    }
    run 0 pub t x
    code=0
    setpriv --reuid=65534 --clear-groups "$peal" pub t x 2>"$dir/denied.err" || code=$?
    [ "$code" -eq 4 ] || fail "it ended with exit code $code"
    [ "$(wc -l <"$dir/denied.err")" -eq 1 ] || fail "$(cat "$dir/denied.err")"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
