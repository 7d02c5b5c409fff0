#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Regions that a hostile client has spoilt: tests/tools/spoilt.c tells how, and what is expected.
. "$(dirname "$0")/lib.sh"
spoilt=$1/../../../tests/tools/spoilt

case $case in
spoilt_copies_are_looked_at_without_harm)
    "$spoilt" copies "$peal" "$dir" 16
    ;;
a_region_is_looked_at_while_it_is_being_spoilt)
    "$spoilt" live "$peal" "$dir" 1500
    ;;
*)
    fail "there is no case $case"
    ;;
esac
