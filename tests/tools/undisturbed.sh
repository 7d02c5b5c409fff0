#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Observers do not slow a publisher: with `peal top` and without, in one run.
. "$(dirname "$0")/lib.sh"
undisturbed=$1/../../../tests/tools/undisturbed

# 77 is an answer as well: the machine cannot show it.
ask() {
    code=0
    "$undisturbed" "$peal" "$bus" "$1" || code=$?
    exit "$code"
}

case $case in
publishing_takes_as_long_with_peal_top_as_without)
    ask compare
    ;;
a_guilty_one_is_found_out)
    ask guilty
    ;;
peal_top_takes_no_part_and_writes_nothing)
    ask takes_no_part
    ;;
*)
    fail "there is no case $case"
    ;;
esac
