#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# This case is about which bus is meant when none is named: on a machine without others.
if [ "$4" = a_bus_that_is_the_only_one_need_not_be_named ] && [ -z "${PEAL_TEST_APART-}" ]; then
    if ! unshare -rm mount -t tmpfs none /dev/shm 2>/dev/null; then
        echo "skipped: a /dev/shm of its own is not allowed here"
        exit 77
    fi
    PEAL_TEST_APART=1 exec unshare -rm sh -c 'mount -t tmpfs none /dev/shm && exec sh "$@"' sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
escape=$(printf '\033')

# A table of which nothing is read any more.
stop_reading() {
    kill -STOP "$(pid_of table)"
}

has_rates() {
    run 0 ls --json -i 60ms telemetry.cpu
    [ "$(json '$j->{topics}[0]{rate_hz} > 0 && $j->{topics}[0]{taken_hz} > 0')" = 1 ]
}

shows_lag() {
    run 0 ls --no-rates --color always telemetry.cpu
    grep -q "${escape}\[33m[0-9]" "$dir/run.out"
}

# Its lane holds 64 messages.
is_overrun() {
    run 0 ls --json --no-rates telemetry.cpu
    [ "$(json '$j->{topics}[0]{lag} > 128')" = 1 ]
}

shows_losses() {
    run 0 ls --no-rates --color always telemetry.cpu
    grep -q "${escape}\[31m[1-9]" "$dir/run.out"
}

# row URL PATTERN: the list of buses shows it so.
row() {
    grep "^$1 " "$dir/run.out" | grep -q -- "$2" || fail "not '$2' of $1"
}

case $case in
topics_are_listed_with_who_takes_part)
    start_machine
    start_table
    "$examples/workers" post --bus "$bus" --jobs 3 >"$dir/post.out"
    run 0 ls -i 20ms
    said "^$bus: 2.00 MiB, 1.[0-9]* MiB free, 2 clients, 3 topics, 1 queue$"
    said '^NAME  *KIND  *TYPE  *PUBS  *SUBS  *RATE  *BANDWIDTH  *MESSAGES  *LAG  *DEPTH  *LOST  *DROPPED$'
    said '^telemetry.cpu  *topic  *telemetry_cpu  *1  *1  *[0-9][^ ]*  *.*[0-9]  *[0-9][0-9]* *64  *0  *0$'
    said '^workers.jobs  *queue  *workers  *0  *0  *0  *0  *3  *3  *256  *0  *0$'
    [ "$(sed -n '3,$s/ .*//p' "$dir/run.out" | sort -c 2>&1)" = '' ] || fail 'not in order of names'
    run 0 ls --no-rates -l telemetry.c* w?rkers.jobs
    said '^NAME  *KIND  *TYPE  *PUBS  *SUBS  *MESSAGES  *LAG  *DEPTH  *LOST  *DROPPED$'
    said '^  alpha  *publisher  *-  *[0-9]* *-  *64  *-  *0$'
    said '^  telemetry sub  *subscriber  *best effort  *[0-9]* *[0-9]*  *64  *0  *-$'
    said '^  -  *publisher  *ended  *3  *3  *256  *0  *0$'
    if grep -q 'memory' "$dir/run.out"; then fail 'what was not asked for is shown'; fi
    ;;
programs_get_json)
    start_machine
    start_table
    "$examples/workers" post --bus "$bus" --jobs 3 >"$dir/post.out"
    until_true has_rates
    json_is 'join " ", $j->{bus}, $j->{region_bytes}, $j->{interval_ns} >= 6e7, map { $_->{name} } @{$j->{topics}}' \
        "$bus 2097152 1 telemetry.cpu"
    json_is '$j->{topics}[0]{schema_hash} =~ /^0x[0-9a-f]{16}$/ && !exists $j->{topics}[0]{publishers}' 1
    run 0 ls --json --long --no-rates
    json_is 'join " ", map { $_->{name} } @{$j->{topics}}' \
        'telemetry.cpu telemetry.memory telemetry.system workers.jobs'
    json_is 'join " ", grep { defined } $j->{interval_ns}, $j->{topics}[0]{rate_hz}' ''
    json_is 'my $t = $j->{topics}[0]; "$t->{publishers}[0]{name} $t->{subscribers}[0]{name}"' 'alpha telemetry sub'
    json_is '"$j->{topics}[3]{kind} $j->{topics}[3]{pending}"' 'queue 3'
    run 0 ls --json --interval 0
    json_is '$j->{interval_ns}' null
    ;;
a_slow_subscriber_shows_yellow_and_losses_red)
    start_machine
    start_table
    stop_reading
    until_true shows_lag
    until_true is_overrun
    kill -CONT "$(pid_of table)"
    until_true shows_losses
    run 0 ls --no-rates --color never
    if grep -q "$escape" "$dir/run.out"; then fail 'coloured all the same'; fi
    ;;
the_dead_are_dim_and_a_copy_tells_what_they_left)
    start_machine
    kill -9 "$(pid_of machine)"
    wait "$(pid_of machine)" || :
    run 0 ls --color always -l # at once: where nobody is attached, nothing moves
    said "nobody attached, 3 topics"
    said "^$escape\[2mtelemetry.cpu$escape\[0m"
    said "^$escape\[2m  alpha$escape\[0m"
    run 0 ls --json -l
    json_is '$j->{topics}[0]{publishers}[0]{life}' dead
    json_is '$j->{interval_ns}' null
    cp "/dev/shm/peal.${bus#posix:}" "$dir/crash"
    run 0 ls --bus "file:$dir/crash" -l
    said "^file:$dir/crash: 2.00 MiB, .* free, a copy, 3 topics, 0 queues$"
    said '^  alpha  *publisher'
    run 0 ls --bus "file:$dir/crash" --json -l
    json_is '$j->{topics}[0]{publishers}[0]{life}' unknown
    json_is '$j->{members}' null
    ;;
buses_are_listed_each_with_its_state)
    start_machine
    "$examples/workers" post --bus "$bus.left?size=1M" --jobs 1 >"$dir/post.out"
    shm=/dev/shm/peal.${bus#posix:}
    cp "$shm.left" "$shm.alien"
    printf 'not of ours' | dd of="$shm.alien" conv=notrunc 2>"$dir/dd.err"
    cp "$shm.left" "$shm.cut"
    truncate -s 5000 "$shm.cut"
    run 0 ls --buses
    said '^BUS  *SIZE  *FREE  *CLIENTS  *TOPICS  *QUEUES  *STATE$'
    row "$bus" '2.00 MiB  *1.[0-9]* MiB  *1  *3  *0  *ok$'
    row "$bus.left" '1.00 MiB  *.*  *0  *0  *1  *nobody attached$'
    row "$bus.alien" '-  *-  *-  *-  *-  *wrong format: '
    row "$bus.cut" '-  *-  *-  *-  *-  *\(spoilt\|wrong format\): '
    PEAL_BUS='' run 0 ls --json # several, and none is named
    json_is "join ' ', map { \$_->{state} } grep { \$_->{bus} =~ /^$bus($|\\.(left|alien))/ } @{\$j->{buses}}" \
        'ok wrong format nobody attached'
    chmod 0 "$shm.left"
    if [ "$(id -u)" -eq 0 ]; then
        chmod 755 "$dir"
        setpriv --reuid 65534 --clear-groups "$peal" ls --buses >"$dir/run.out"
    else
        run 0 ls --buses
    fi
    row "$bus.left" '-  *-  *-  *-  *-  *no permission: '
    ;;
a_bus_that_is_the_only_one_need_not_be_named)
    unset PEAL_BUS
    run 0 ls
    grep -q 'there is no bus on this machine' "$dir/run.err" || fail 'it did not say that there is none'
    run 0 ls --json
    json_is 'scalar @{$j->{buses}}' 0
    refused 3 'there is no bus on this machine' ls 'telemetry.*'
    start_machine
    run 0 ls --no-rates
    said "^$bus: "
    said '^telemetry.cpu '
    run 0 ls --no-rates 'telemetry.*'
    said "^$bus: "
    run 0 ls -B
    said "^$bus .* ok$"
    "$examples/workers" post --bus "$bus.left?size=1M" --jobs 1 >"$dir/post.out"
    run 0 ls
    said "^$bus .* ok$"
    said "^$bus.left .* nobody attached$"
    refused 2 "which bus? .* there are .*$bus.left" ls 'telemetry.*'
    run 0 ls --bus "$bus.left"
    said '^workers.jobs '
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 "^peal ls: cannot look at $bus: there is no region" ls
    refused 2 "there is no option '--frob'" ls --frob
    refused 2 "wants a time as 2s, 500ms or 0, not 'soon'" ls --interval soon
    refused 2 '--buses lists buses' ls --buses telemetry.cpu
    refused 2 'nonsense' ls --bus nonsense
    head -c 100000 /dev/zero >"$dir/alien"
    refused 5 "cannot look at file:$dir/alien" ls --bus "file:$dir/alien"
    refused 3 'No such file' ls --bus "file:$dir/none"
    start_machine
    refused 3 "there is no topic or queue 'ghost' on $bus; there are telemetry.cpu, " ls --no-rates telemetry.cpu ghost
    refused 3 "no topic or queue matches 'g\*'" ls --no-rates 'g*'
    if [ "$(id -u)" -eq 0 ]; then
        code=0
        setpriv --reuid 65534 --clear-groups "$peal" ls 2>"$dir/run.err" || code=$?
        [ "$code" -eq 4 ] || fail "without permission, exit code $code"
        [ "$(grep -c "no permission to read /dev/shm/peal.${bus#posix:}" "$dir/run.err")" -eq 1 ] || fail 'not one line'
    fi
    code=0
    "$peal" ls --no-rates >/dev/full 2>"$dir/run.err" || code=$?
    [ "$code" -eq 1 ] && [ "$(wc -l <"$dir/run.err")" -eq 1 ] || fail "to a full disk: $code, $(cat "$dir/run.err")"
    code=0
    perl -e 'pipe(R, W); close R; open STDOUT, ">&W"; exec @ARGV' "$peal" ls --no-rates 2>"$dir/run.err" || code=$?
    [ "$code" -eq 1 ] && [ "$(wc -l <"$dir/run.err")" -eq 1 ] || fail "to a closed pipe: $code, $(cat "$dir/run.err")"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
