# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of the examples. They start the real programs as processes of their own, on a bus of their own,
# and wait for what these say: never for time to pass. Each program gets --duration-s, so that none outlives a test that
# is killed.
#
# The caller gives: bin, the folder of the programs.
set -eu
bus=posix:example-test-$$
dir=$(mktemp -d)
pids=
limit_s=30

end() {
    code=$?
    set +e
    for pid in $pids; do
        kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    "$bin/telemetry" clean --bus "$bus" >/dev/null 2>&1
    if [ "$code" -ne 0 ]; then
        tail -n 20 "$dir"/*.out "$dir"/*.err 2>/dev/null
    fi
    rm -rf "$dir"
    exit "$code"
}
trap end EXIT
trap 'exit 1' INT TERM

fail() {
    echo "FAILED: $*"
    exit 1
}

# start NAME PROGRAM ARGUMENT...: in the background; what it says goes to files named after NAME.
start() {
    name=$1 program=$2
    shift 2
    # Emptied here and not only by the child's redirection, which comes when it comes: what an earlier program of this
    # name said must not be taken for the new one's word.
    : >"$dir/$name.out"
    : >"$dir/$name.err"
    "$bin/$program" "$@" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null &
    eval "pid_$name=$!"
    pids="$pids $!"
}

pid_of() {
    eval "echo \$pid_$1"
}

# expect_line NAME PATTERN [COUNT]: the program says so, COUNT times at least, before the limit.
expect_line() {
    deadline=$(($(date +%s) + limit_s))
    until [ "$(grep -c -- "$2" "$dir/$1.out")" -ge "${3-1}" ]; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "$1 did not say '$2' ${3-1} times in $limit_s s"
        sleep 0.02
    done
}

# expect_exit NAME CODE: the program ends, with this exit code.
expect_exit() {
    code=0
    wait "$(pid_of "$1")" || code=$?
    [ "$code" -eq "$2" ] || fail "$1 ended with exit code $code instead of $2"
}

# stop NAME: as Ctrl-C does; it must end well.
stop() {
    kill -INT "$(pid_of "$1")"
    expect_exit "$1" 0
}

# expect_never NAME PATTERN: has not said so; for programs that have ended.
expect_never() {
    ! grep -q -- "$2" "$dir/$1.out" || fail "$1 said '$2'"
}

# expect_refused PATTERN CODE PROGRAM ARGUMENT...: ends with CODE, and one line on stderr that matches PATTERN.
expect_refused() {
    pattern=$1 expected=$2 program=$3
    shift 3
    code=0
    "$bin/$program" "$@" >"$dir/refused.out" 2>"$dir/refused.err" </dev/null || code=$?
    [ "$code" -eq "$expected" ] || fail "$program $* ended with exit code $code instead of $expected"
    [ "$(wc -l <"$dir/refused.err")" -eq 1 ] || fail "$program $* did not say one line but: $(cat "$dir/refused.err")"
    grep -q -- "$pattern" "$dir/refused.err" || fail "$program $* did not say '$pattern' but: $(cat "$dir/refused.err")"
}
