#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# latest.sh FOLDER CASE
bin=$1 case=$2
. "$(dirname "$0")/lib.sh"

case $case in
a_late_subscriber_has_the_value_at_once)
    # One update now, the next one in a hundred seconds.
    start writer latest pub --bus "$bus" --duration-s 60 --rate-hz 0.01
    expect_line writer 'updating'
    start first latest sub --bus "$bus" --duration-s 60 --once
    expect_exit first 0
    start viewer latest sub --bus "$bus" --duration-s 10 --once
    expect_exit viewer 0
    expect_line viewer '^0.010 degrees, update 1, '
    ;;
a_subscriber_may_wait_for_the_publisher)
    start viewer latest sub --bus "$bus" --duration-s 60 --once
    start writer latest pub --bus "$bus" --duration-s 60
    expect_exit viewer 0
    expect_line viewer 'degrees, update '
    ;;
a_slow_subscriber_skips_to_the_newest)
    start writer latest pub --bus "$bus" --duration-s 60 --rate-hz 1000
    start viewer latest sub --bus "$bus" --duration-s 60 --interval-s 0.2 --count 4
    expect_exit viewer 0
    # About 200 updates lie between two looks; all but the one shown are reported as skipped.
    awk '{ update = $4 + 0; skipped = $8 + 0
           if (NR > 1 && (skipped < 20 || update != last + skipped + 1)) bad = 1
           last = update }
         END { exit bad || NR != 4 }' "$dir/viewer.out" || fail "the values do not add up"
    stop writer
    ;;
nobody_need_be_there)
    expect_refused 'only 0 values came' 1 latest sub --bus "$bus" --once --duration-s 0.2
    expect_refused 'a command is missing' 2 latest
    expect_refused "no option '--twice'" 2 latest sub --twice
    expect_refused 'cannot open the bus: .*' 1 latest pub --bus 'carrier-pigeon:x'
    ;;
*)
    fail "there is no case $case"
    ;;
esac
