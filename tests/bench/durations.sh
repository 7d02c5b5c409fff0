#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# durations.sh PEAL-BENCH: what --duration takes, and that the plan keeps to it. Nothing is measured.
set -u
bench=$1
failed=0

complain() {
    echo "$*" >&2
    failed=1
}

for wrong in 0 0.5 x 1x 1e3 -5 inf nan 0x10 '' 100000 25h ' 5' 1.5.2 m; do
    text=$("$bench" --list --duration "$wrong" 2>&1 >/dev/null)
    code=$?
    [ "$code" -eq 2 ] || complain "--duration '$wrong': exit code $code"
    case $text in
    *"a time from 1 s to 24 h is wanted"*) ;;
    *) complain "--duration '$wrong': $text" ;;
    esac
done

# plan LEAST MOST ARGUMENT...: the whole plan takes so many seconds.
plan() {
    least=$1 most=$2
    shift 2
    sum=$("$bench" --list --verbose "$@" 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f", sum }')
    [ "$sum" -ge "$least" ] && [ "$sum" -le "$most" ] || complain "$*: planned for $sum s, not $least to $most"
}

plan 1 300                      # all of it: a few minutes
plan 1 40 --quick
plan 54 66 --duration 60
plan 54 66 --duration 1m
plan 81 99 --duration 1.5m
plan 3240 3960 --duration 1h
plan 54 66 --duration 60 --filter '^latency/64$'
plan 18 22 --duration 20 --filter '^growth/attach$'
plan 54 66 --duration 60 --contenders '^peal'

# What no number of rounds fills is said.
text=$("$bench" --list --verbose --duration 24h --filter '^latency/64$' 2>&1 >/dev/null)
case $text in
*"whatever is wanted"*) ;;
*) complain "a day of one scenario: $text" ;;
esac
exit $failed
