# SPDX-License-Identifier: Apache-2.0
# Checks: each is a function, run in a shell of its own (so what later checks must know lies in files in $work), and gets
# one line: PASS, FAIL or SKIPPED, with what it is about.
PLANNED=
passed=0 skipped=0 failed=0

# plan NAME TEXT: in the order in which they run.
plan() {
    PLANNED="$PLANNED $1"
    eval "text_$1=\$2"
}

text_of() {
    eval "echo \"\$text_$1\""
}

# verdict PASS|FAIL|SKIPPED NAME [REMARK]
verdict() {
    printf 'vm: %-8s %-34s %s%s\n' "$1" "$2" "$(text_of "$2")" "${3:+ ($3)}"
}

# In a check: this is why it fails; or why it can't be run here.
fail() {
    echo "$*" >>"$work/why"
    exit 1
}

skip() {
    echo "$*" >>"$work/why"
    exit 77
}

# must COMMAND...: its output goes with the failure.
must() {
    "$@" >"$work/output" 2>&1 || fail "$(tail -n 130 "$work/output")"
}

# Ends what the check left running in the guests.
tidy() {
    for guest in $GUESTS; do
        ! alive "$(guest_pid "$guest")" || in_guest "$guest" end_all >/dev/null
    done
}

# check NAME: calls the function check_NAME. What it says is kept, and shown if it fails.
check() {
    begin_s=$(date +%s)
    : >"$work/why"
    set +e
    (
        set -e
        "check_$1"
    ) >"$work/check-$1.log" 2>&1
    code=$?
    tidy
    set -e
    time_s=$(($(date +%s) - begin_s))
    case $code in
    0)
        passed=$((passed + 1))
        remark=$(sed -n 's/^remark: //p' "$work/check-$1.log" | tail -n 1)
        verdict PASS "$1" "${remark:+$remark; }$time_s s"
        ;;
    77)
        skipped=$((skipped + 1))
        verdict SKIPPED "$1" "$(tail -n 1 "$work/why")"
        ;;
    *)
        failed=$((failed + 1))
        verdict FAIL "$1" "$time_s s"
        cat "$work/why" "$work/check-$1.log" | sed 's/^/vm:     /'
        ;;
    esac
}

skip_all() {
    for name in $PLANNED; do
        skipped=$((skipped + 1))
        verdict SKIPPED "$name"
    done
    echo "vm: *** SKIPPED: $1"
    echo "vm: *** NOTHING WAS TESTED BETWEEN VIRTUAL MACHINES"
}

summary() {
    echo "vm: $passed passed, $skipped skipped, $failed failed, of $((passed + skipped + failed)) checks with $1 guests"
}
