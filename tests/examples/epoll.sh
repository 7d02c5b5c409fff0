#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# epoll.sh FOLDER CASE
bin=$1 case=$2
. "$(dirname "$0")/lib.sh"

# talk NAME ARGUMENT...: a chatter whose stdin is a FIFO that descriptor 8 or 9 writes to.
talk() {
    name=$1
    shift
    "$bin/epoll" --bus "$bus" --name "$name" --duration-s 60 "$@" >"$dir/$name.out" 2>"$dir/$name.err" <"$dir/$name.in" &
    eval "pid_$name=$!"
    pids="$pids $!"
}

case $case in
what_one_types_the_other_reads)
    mkfifo "$dir/alice.in" "$dir/bob.in"
    talk alice --count 4
    exec 8>"$dir/alice.in"
    talk bob --count 4
    exec 9>"$dir/bob.in"
    expect_line alice '^on posix'
    expect_line bob '^on posix'
    echo hello >&8
    expect_line bob '^alice: hello$'
    echo 'and a good day' >&9
    expect_line alice '^bob: and a good day$'
    printf 'how are you\n\n' >&8
    expect_exit alice 0
    expect_exit bob 0
    expect_line bob '^alice: how are you$'
    expect_line alice '^alice: how are you$'
    ;;
the_bus_wakes_the_loop_and_not_the_timer)
    # Each line is typed when the one before has come. If only the timer, once a second, made the reader look, it would
    # tick as often as it reads.
    mkfifo "$dir/alice.in" "$dir/bob.in"
    talk alice
    exec 8>"$dir/alice.in"
    talk bob --ticks
    exec 9>"$dir/bob.in"
    expect_line alice '^on posix'
    expect_line bob '^on posix'
    for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        echo "line $number" >&8
        expect_line bob "^alice: line $number\$"
    done
    stop bob
    stop alice
    [ "$(grep -c '^([0-9]* s' "$dir/bob.out")" -lt 10 ] || fail "the bus did not wake the loop: $(cat "$dir/bob.out")"
    ;;
the_timer_ticks_beside_the_bus)
    start clock epoll --bus "$bus" --ticks --duration-s 2
    expect_exit clock 0
    expect_line clock '^(1 s, 0 lines)'
    expect_line clock '^(2 s, 0 lines)'
    ;;
ctrl_c_ends_a_loop_that_sleeps)
    start sleeper epoll --bus "$bus" --duration-s 60
    expect_line sleeper '^on posix'
    stop sleeper
    ;;
the_end_of_stdin_ends_it)
    printf 'one\ntwo\n' | "$bin/epoll" --bus "$bus" --name pipe >"$dir/pipe.out" || fail "it failed"
    ;;
many_lines_arrive_in_order)
    # As many as a reliable reader may be behind, for stdin is read without regard to it.
    start reader epoll --bus "$bus" --duration-s 60 --count 1000
    expect_line reader '^on posix'
    seq 1 1000 | "$bin/epoll" --bus "$bus" --name counter --count 1000 --duration-s 60 >"$dir/counter.out"
    expect_exit reader 0
    seq -f 'counter: %.0f' 1 1000 >"$dir/expected"
    grep '^counter' "$dir/reader.out" | cmp - "$dir/expected" || fail "lines are missing or out of order"
    ;;
what_cannot_be_is_refused_in_one_line)
    expect_refused "no option '--nick'" 2 epoll --nick x
    expect_refused "what to do with 'x'" 2 epoll x
    expect_refused 'cannot open the bus: .*' 1 epoll --bus 'posix:.hidden'
    expect_refused 'only 0 lines came' 1 epoll --bus "$bus" --count 1 --duration-s 1
    ;;
*)
    fail "there is no case $case"
    ;;
esac
