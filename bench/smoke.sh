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
        --filter '^(latency/ping_pong/copy/48|paced/.*|waiting/wake/topic|growth/(fan_out/2|attach))$' \
        --contenders '^peal' >"$folder/out" 2>"$folder/err" &
    bench_pid=$!
    await_code 0
    grep -q 'ping_pong/copy/48' "$folder/out" || fail "a row is missing"
    ;;
*) fail "unknown" ;;
esac
! remains || fail "something is left in /dev/shm"
bench_pid=''
