#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

case $case in
delays_are_told)
    start clock peal pub clock x --rate 1000 --name clock
    until_true takes_part clock clock
    measured '$j->[0]{messages} > 0 && $j->[1]{messages} > 0' delay clock --count 2 # until the machine is not too busy
    run 0 delay clock --interval $interval --count 2 --histogram
    [ "$(grep -c '^TOPIC  *MESSAGES  *LOST  *MIN  *MEAN  *P50  *P90  *P99  *P99.9  *MAX$' "$dir/run.out")" -eq 2 ] ||
        fail 'headings are missing'
    [ "$(grep -c '^clock  *[0-9]*  *0  *[0-9.]* [mun]*s ' "$dir/run.out")" -eq 3 ] || fail 'rows are missing'
    said '^ *[0-9.]* [mun]*s \.\. [0-9.]* [mun]*s *#* *[0-9.]* %  [0-9]*$'
    for spin in '' --spin; do
        measured '$j->[0]{messages} > 0 && $j->[1]{messages} > 0' delay clock --count 2 $spin
        json_is '$j->[0]{messages} + $j->[1]{messages} <= $j->[2]{messages}' 1
        json_is '$j->[2]{measured} == $j->[2]{messages}' 1
        json_is '!grep { !($_->{min_ns} <= $_->{p50_ns} && $_->{p50_ns} <= $_->{p90_ns} && $_->{p90_ns} <= $_->{p99_ns}
            && $_->{p99_ns} <= $_->{p99_9_ns} && $_->{p99_9_ns} <= $_->{max_ns}) } @$j' 1
        json_is '$j->[2]{min_ns} > 0 && $j->[2]{min_ns} <= $j->[2]{mean_ns} && $j->[2]{mean_ns} <= $j->[2]{max_ns}' 1
    done
    stop clock
    ;;
what_was_held_up_was_held_up)
    start keeper peal pub t x --keep --name keeper
    until_true takes_part t keeper
    start gauge peal delay t --interval 10ms --json
    expect_line gauge '"topic":"t"'
    kill -STOP "$(pid_of gauge)"
    begin=$(date +%s%N)
    run 0 pub t x
    end=$(date +%s%N)
    least=$(($(date +%s%N) - end))
    kill -CONT "$(pid_of gauge)"
    expect_line gauge '"messages":1,'
    most=$(($(date +%s%N) - begin))
    stop gauge
    to_list gauge
    json_is "\$j->[-1]{min_ns} >= $least && \$j->[-1]{max_ns} <= $most" 1
    ;;
who_does_not_stamp_is_not_measured)
    start silent peal pub t x --rate 1000 --no-timestamp --name silent
    until_true takes_part t silent
    refused 1 "the messages of 't' carry no timestamps" delay t --interval 200ms
    start stamped peal pub t x --rate 1000 --name stamped
    until_true takes_part t stamped
    run 0 delay t --interval 300ms --count 1
    grep -q "messages of 't' carry no timestamps, and are not measured" "$dir/run.err" || fail "$(cat "$dir/run.err")"
    ;;
clocks_of_other_machines_do_not_compare)
    server=$examples/../device/peal-vdev
    [ -x "$server" ] || {
        echo "skipped: peal-vdev is not built here"
        exit 77
    }
    start server "$server" --guest "$dir/socket"
    expect_line server "^ready"
    PEAL_BUS="vdev:t?device=$dir/socket"
    start clock peal pub t x --keep
    expect_note clock made
    refused 1 'clocks do not compare with ours' delay t
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 'there is no region' delay t
    run 0 pub jobs x --queue
    refused 3 "there is no topic 't' on $bus" delay t
    refused 2 "'jobs' is a queue; its messages carry no timestamps" delay jobs
    refused 7 "$bus.none did not come in time" delay t --bus "$bus.none" --wait --timeout 1ms
    refused 7 "nothing came in time" delay t --wait --timeout 1ms
    ;;
*)
    fail "there is no case $case"
    ;;
esac
