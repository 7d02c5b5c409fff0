#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The parts of smoke.cmake that need a process in the background: smoke.sh interrupt|hurry|vdev PEAL-BENCH JSON PEAL-VDEV
set -u
what=$1 bench=$2 json=$3 vdev=$4
folder=$(mktemp -d)
bench_pid='' vdev_pid=''

clean() {
    [ -z "$bench_pid" ] || kill -KILL "$bench_pid" 2>/dev/null
    [ -z "$vdev_pid" ] || kill "$vdev_pid" 2>/dev/null
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 1' INT TERM

fail() {
    echo "$what: $*" >&2
    cat "$folder"/* >&2 2>/dev/null
    exit 1
}

# until_true TRIES COMMAND...: asks every tenth of a second.
until_true() {
    tries=$1
    shift
    while ! "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

measures() { grep -q 'subject' "$folder/err"; }
has_gone() { ! kill -0 "$1" 2>/dev/null; }
is_listening() { [ -S "$folder/socket" ]; }

# Rounds without end, so that the signal meets it at work.
start_long() {
    "$bench" --rounds 999 --verbose --filter '^latency/ping_pong' --json "$json" >"$folder/out" 2>"$folder/err" &
    bench_pid=$!
    until_true 600 measures || fail "nothing was measured"
}

await_code() {
    wait "$bench_pid"
    code=$?
    [ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

remains() { ls /dev/shm | grep -e "peal-bench-$bench_pid\b"; }

# percentile FILE RECORD p50: of all rounds together.
percentile() {
    awk -v record="$2_median" -v key="\"$3\":" '
        $1 == "\"name\":" { is_it = index($0, "\"" record "\"") > 0 }
        is_it && $1 == key { sub(",", "", $2); print $2; exit }' "$1"
}

# is_of_one_order A B: neither is ten times the other.
is_of_one_order() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > 0 && b > 0 && a < 10 * b && b < 10 * a) }'
}

# Posix and vdev in the same rounds: p50 and p99 of one message are of one order. Above the rest of the machine where that
# is allowed, for else its load is what the tails show; and in three runs of ten at least, for the host has a load as well.
compare_buses() {
    record='paced/oneway/10k/peal topic, loan' good=0 run=0
    "$bench" --realtime --list >/dev/null 2>&1 && realtime=--realtime || realtime=
    while [ "$good" -lt 3 ]; do
        run=$((run + 1))
        [ "$run" -le 10 ] || fail "p50 and p99 over vdev were of the order of those over posix in $good runs of ten only"
        "$bench" $realtime --rounds 3 --json "$json.buses" --bus "posix:peal-bench-vdev-$$?topics=256" \
            --also-bus "vdev:also?device=$folder/socket" --filter '^paced/oneway/10k$' --contenders '^peal topic, loan' \
            >>"$folder/buses" 2>&1 || fail "two buses in one run: exit code $?"
        is_of_one_order "$(percentile "$json.buses" "$record" p50)" "$(percentile "$json.buses" "$record (vdev)" p50)" &&
            is_of_one_order "$(percentile "$json.buses" "$record" p99)" "$(percentile "$json.buses" "$record (vdev)" p99)" &&
            good=$((good + 1))
    done
    ! ls /dev/shm | grep -e "peal-bench-vdev-$$" || fail "the first bus is left in /dev/shm"
}

case $what in
interrupt)
    start_long
    kill -INT "$bench_pid"
    await_code 130
    grep -q 'INTERRUPTED' "$folder/out" || fail "the table does not say that it was interrupted"
    ;;
hurry)
    start_long
    # One that hangs: the first signal must not be enough.
    workers=$(pgrep -g 0 -x peal-bench | grep -v "^$bench_pid\$")
    for worker in $workers; do
        kill -STOP "$worker" 2>/dev/null
    done
    kill -INT "$bench_pid"
    until_true 100 grep -q 'once more' "$folder/err" || fail "the first signal has no answer"
    kill -INT "$bench_pid"
    await_code 130
    for worker in $workers; do
        until_true 100 has_gone "$worker" || fail "process $worker lives on"
    done
    ;;
vdev)
    "$vdev" --guest "$folder/socket" >"$folder/vdev" 2>&1 &
    vdev_pid=$!
    until_true 100 is_listening || fail "peal-vdev does not come"
    "$bench" --quick --rounds 2 --json "$json" --bus "vdev:bench?device=$folder/socket&topics=2048" \
        --filter '^(latency/ping_pong/copy/48|paced/.*|waiting/(wake/topic|.*50k)|throughput/(stream/copy/single/64|64/single)|patterns/queue/8:8/single|growth/(fan_out/2|asleep/(2|16)|waitset/.*/10|attach|first_message))$' \
        --contenders '^peal($| topic| queue$)' >"$folder/out" 2>"$folder/err" &
    bench_pid=$!
    await_code 0
    for row in ping_pong/copy/48 oneway/10k echo/100k wake/topic block/50k stream/copy/single/64 queue/8:8/single asleep/2; do
        grep -q "$row" "$folder/out" || fail "row $row is missing"
    done
    # A device has 16 clients: who needs more is left out, and said so.
    grep -q 'growth/asleep/16 is left out' "$folder/err" || fail "17 clients on a device of 16"
    compare_buses
    ;;
*) fail "unknown" ;;
esac
! remains || fail "something is left in /dev/shm"
bench_pid=''
