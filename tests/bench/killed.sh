#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# killed.sh PEAL-BENCH: kills the process that measures, in the middle of a turn of a peer that has files or a daemon. The
# guard must see it, fail, and leave nothing of any kind.
set -u
bench=$1
folder=$(mktemp -d)
guard=''

clean() {
    # The second signal ends it at once, and it still clears up.
    [ -z "$guard" ] || { kill -TERM "$guard" && sleep 0.1 && kill -TERM "$guard" && wait "$guard"; } 2>/dev/null
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 1' INT TERM

fail() {
    echo "$*" >&2
    tail -5 "$folder/err" >&2
    exit 1
}

# until_true COMMAND...: asks every hundredth of a second, for a minute.
until_true() {
    tries=6000
    while ! "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.01
    done
}

# Of the children of the guard the conductor is the one that stays; its workers are its own children.
find_conductor() {
    conductor=$(pgrep -P "$guard" -x peal-bench | head -1)
    [ -n "$conductor" ]
}
has_file() { ls "/tmp/peal-bench-$conductor-"*.nanomsg >/dev/null 2>&1; }
has_daemon() { pgrep -P "$conductor" iox-roudi >/dev/null && ls "/tmp/peal-bench-$conductor-"*-r0 >/dev/null 2>&1; }
has_worker() { pgrep -P "$conductor" >/dev/null; }
remains() {
    find /dev/shm /tmp /dev/mqueue -maxdepth 1 \( -name "*peal-bench-$conductor*" -o -name "*peal-bench-$guard*" \) 2>/dev/null
    pgrep -f "peal-bench-$conductor"
}

# Stops the conductor to look, so that what is seen is still there when it is killed.
is_caught() {
    find_conductor && kill -STOP "$conductor" 2>/dev/null || return 1
    "$1" && return 0
    kill -CONT "$conductor"
    return 1
}

# kill_when CONDITION CONTENDERS
kill_when() {
    "$bench" --rounds 999 --filter '^latency/64$' --contenders "$2" >"$folder/out" 2>"$folder/err" &
    guard=$!
    until_true find_conductor || fail "$2: there is no conductor"
    until_true is_caught "$1" || fail "$2: its turn does not come"
    kill -KILL "$conductor"
    wait "$guard"
    code=$?
    [ "$code" -eq 1 ] || fail "$2: exit code $code instead of 1"
    left=$(remains)
    [ -z "$left" ] || fail "$2: this is left: $left"
    guard=''
}

for round in 1 2 3; do
    if "$bench" --list --contenders '^nanomsg$' >/dev/null 2>&1; then
        kill_when has_file '^nanomsg$'
    fi
    if "$bench" --list --contenders '^iceoryx$' >/dev/null 2>&1; then
        kill_when has_daemon '^iceoryx$'
        [ ! -e /dev/shm/iceoryx_mgmt ] || pgrep -x iox-roudi >/dev/null || fail "iceoryx: its memory is left"
    fi
    kill_when has_worker '^(peal|POSIX|boost|ZeroMQ|NNG)'
done
