#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

case $case in
rates_and_intervals_are_told)
    start clock peal pub clock --size 100 --rate 1000 --name clock
    until_true takes_part clock clock
    measured '$j->[0]{messages} > 1 && $j->[1]{messages} > 1' hz clock --count 2 # until the machine is not too busy
    run 0 hz clock --interval $interval --count 2
    [ "$(grep -c '^TOPIC  *RATE  *MESSAGES  *LOST  *BANDWIDTH  *MIN  *MEAN  *P50  *P99  *MAX  *STDDEV$' "$dir/run.out")" -eq 2 ] ||
        fail 'headings are missing'
    [ "$(grep -c '^clock  *[0-9.]*k*/s  *[0-9]*  *0 ' "$dir/run.out")" -eq 3 ] || fail 'rows are missing'
    said '^in all:$'
    measured '$j->[0]{messages} > 1 && $j->[1]{messages} > 1' hz clock --count 2 --histogram
    json_is 'join ",", map { $_->{total} ? 1 : 0 } @$j' 0,0,1
    json_is '$j->[0]{messages} + $j->[1]{messages} <= $j->[2]{messages} && $j->[0]{messages} > 0' 1
    json_is '$j->[2]{measured} == $j->[2]{messages} - 1' 1
    json_is '!grep { !($_->{min_ns} <= $_->{p50_ns} && $_->{p50_ns} <= $_->{p99_ns} && $_->{p99_ns} <= $_->{max_ns}) } @$j' 1
    json_is '$j->[2]{rate_hz} > 0 && abs($j->[2]{bandwidth_bytes_per_s} / $j->[2]{rate_hz} - 100) < 1' 1
    json_is 'my $n = 0; $n += $_->{count} for @{$j->[2]{histogram}}; $n == $j->[2]{measured}' 1
    json_is '$j->[0]{histogram}' null
    stop clock
    ;;
without_stamps_arrivals_count)
    start clock peal pub clock x --rate 1000 --no-timestamp --name clock
    until_true takes_part clock clock
    measured '$j->[0]{messages} > 1' hz clock --count 1
    json_is '$j->[1]{measured} > 0 && $j->[1]{unstamped} == $j->[1]{messages}' 1
    stop clock
    ;;
losses_count_as_published)
    start keeper peal pub t x --keep --name keeper
    until_true takes_part t keeper
    start gauge peal hz t u --wait --interval 10ms --json
    expect_line gauge '"topic":"t"'
    kill -STOP "$(pid_of gauge)"
    run 0 pub t x --depth 4 --count 1000
    kill -CONT "$(pid_of gauge)"
    expect_line gauge '"topic":"t".*"lost":9[0-9][0-9],'
    stop gauge
    to_list gauge
    json_is '$j->[-1]{topic} . $j->[-1]{total} . $j->[-1]{messages} . ($j->[-1]{min_ns} // "-")' u10-
    json_is '$j->[-2]{messages} + $j->[-2]{lost}' 1000
    json_is '$j->[-2]{measured} < $j->[-2]{messages}' 1
    ;;
it_stops_and_times_out)
    start keeper peal pub t x --keep --name keeper
    until_true takes_part t keeper
    start gauge peal hz t --interval 1h
    run 0 pub t x --wait-subscribers 1
    refused 7 'nothing came in time' hz t --timeout 1ms
    refused 7 "$bus.none did not come in time" hz u --wait --timeout 1ms --bus "$bus.none"
    stop gauge
    grep -q '^t  *[0-9.]*[/s]*  *[01]  *0  .*  -  *-  *-' "$dir/gauge.out" || fail "$(cat "$dir/gauge.out")"
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 'there is no region' hz t
    run 0 pub jobs x --queue
    refused 3 "there is no topic 't' on $bus" hz t
    refused 2 "'jobs' is a queue; peal ls" hz jobs
    refused 2 '--interval wants a time' hz t --interval soon
    refused 2 'something is missing' hz
    start load peal pub t x --rate 1000 --name load
    until_true takes_part t load
    code=0
    "$peal" hz t --interval 1ms >/dev/full 2>"$dir/full.err" || code=$?
    [ "$code" -eq 1 ] || fail "with a full disk it ended with exit code $code"
    [ "$(wc -l <"$dir/full.err")" -eq 1 ] || fail "$(cat "$dir/full.err")"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
