# SPDX-License-Identifier: Apache-2.0
# Sourced by the end-to-end tests of `peal`. They start the real program beside real publishers and subscribers, on a bus of
# their own, and wait for what these say: never for time to pass.
#
# A test is called as NAME.sh FOLDER EXAMPLES SOURCE CASE: the folder of `peal`, that of the example programs, the tree, and
# one of the cases that the script has.
set -eu
peal=$1/peal examples=$2 source=$3 case=$4
bus=posix:tool-$$
PEAL_BUS=$bus
LC_ALL=C.UTF-8
TZ=UTC
export PEAL_BUS LC_ALL TZ
unset NO_COLOR
dir=$(mktemp -d)
pids=
limit_s=30

# Kept out of the way of the test's own commands: a test that needs more to be cleared away defines at_end().
at_end() { :; }

end() {
    code=$?
    set +e
    at_end
    for pid in $pids; do
        kill -CONT "$pid" 2>/dev/null
        kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    rm -f "/dev/shm/peal.${bus#posix:}" "/dev/shm/peal.${bus#posix:}"[.~]* # the object, those of more buses, FIFOs
    if [ "$code" -ne 0 ] && [ "$code" -ne 77 ]; then
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

# start NAME PROGRAM ARGUMENT...: in the background; what it says goes to files named after NAME. PROGRAM is `peal`, an example,
# or a path.
start() {
    name=$1 program=$2
    shift 2
    case $program in
    peal) program=$peal ;;
    */*) ;;
    *) program=$examples/$program ;;
    esac
    : >"$dir/$name.out" # before the child does: what an earlier one of this name said must not be taken for its word
    : >"$dir/$name.err"
    "$program" "$@" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null &
    eval "pid_$name=$!"
    pids="$pids $!"
}

pid_of() {
    eval "echo \$pid_$1"
}

# until_true COMMAND...: again and again, until it is true or the limit has passed.
until_true() {
    deadline=$(($(date +%s) + limit_s))
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "not so within $limit_s s: $*"
        sleep 0.02
    done
}

at_least() {
    [ "$(grep -c -- "$2" "$1")" -ge "$3" ]
}

# expect_line NAME PATTERN [COUNT]: the program says so on stdout, COUNT times at least, before the limit.
expect_line() {
    until_true at_least "$dir/$1.out" "$2" "${3-1}"
}

# The same on stderr.
expect_note() {
    until_true at_least "$dir/$1.err" "$2" "${3-1}"
}

# expect_exit NAME CODE: the program ends, with this exit code.
expect_exit() {
    code=0
    wait "$(pid_of "$1")" || code=$?
    [ "$code" -eq "$2" ] || fail "$1 ended with exit code $code instead of $2"
}

# stop NAME [CODE]: as Ctrl-C does. Programs in the background of a script ignore SIGINT, hence SIGTERM.
stop() {
    kill -TERM "$(pid_of "$1")"
    expect_exit "$1" "${2-0}"
}

# run CODE ARGUMENT...: `peal ARGUMENT...` ends with CODE; what it said is in $dir/run.out and $dir/run.err.
run() {
    expected=$1
    shift
    code=0
    timeout 60 "$peal" "$@" >"$dir/run.out" 2>"$dir/run.err" </dev/null || code=$?
    [ "$code" -eq "$expected" ] || fail "peal $* ended with exit code $code instead of $expected"
}

# said PATTERN: the last run did.
said() {
    grep -q -- "$1" "$dir/run.out" || fail "it did not say '$1'"
}

# refused CODE PATTERN ARGUMENT...: ends with CODE, and one line on stderr that matches PATTERN.
refused() {
    expected=$1 pattern=$2
    shift 2
    run "$expected" "$@"
    [ "$(wc -l <"$dir/run.err")" -eq 1 ] || fail "peal $* did not say one line but: $(cat "$dir/run.err")"
    grep -q -- "$pattern" "$dir/run.err" || fail "peal $* did not say '$pattern' but: $(cat "$dir/run.err")"
}

# json EXPRESSION: prints the value of a Perl expression, $j being the JSON that the last run printed.
json() {
    perl -MJSON::PP -e 'local $/; our $j = decode_json(<STDIN>); my $v = eval $ARGV[0]; die $@ if $@;
        print ref $v ? encode_json($v) : defined $v ? $v : "null", "\n"' "$1" <"$dir/run.out"
}

# json_is EXPRESSION VALUE
json_is() {
    value=$(json "$1") || fail "no JSON: $(cat "$dir/run.out")"
    [ "$value" = "$2" ] || fail "$1 is $value, not $2"
}

# to_list NAME: the JSON lines of a program become the list that json_is() looks at.
to_list() {
    { echo '['; paste -sd, "$dir/$1.out"; echo ']'; } >"$dir/list"
    mv "$dir/list" "$dir/run.out"
}

# takes_part TOPIC PATTERN: somebody or something of that name shows in what peal tells of the topic.
takes_part() {
    "$peal" info --no-rates "$1" | grep -q "$2"
}

# measured EXPRESSION ARGUMENT...: `peal ARGUMENT... --json` with a longer and longer --interval, until EXPRESSION is true of the list
# of lines: on a busy machine nothing may come for a while.
measured() {
    expression=$1
    shift
    for interval in 30ms 60ms 120ms 500ms 2s 10s; do
        run 0 "$@" --json --interval $interval
        cp "$dir/run.out" "$dir/lines.out"
        to_list lines
        [ "$(json "$expression")" != 1 ] || return 0
    done
    fail "never so: $expression"
}

# An example's publisher `alpha`, 1000 times a second, on a small region; and its subscriber.
start_machine() {
    start machine telemetry pub --bus "$bus?size=2M" --name alpha --rate-hz 1000 --duration-s 60
    expect_line machine 'alpha publishes'
}

start_table() {
    start table telemetry sub --bus "$bus" --plain --duration-s 60
    expect_line table 'alpha'
}
