#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
escape=$(printf '\033')

# Jobs of 4 s, the longest there are: the worker holds the first.
start_worker() {
    "$examples/workers" post --bus "$bus?size=2M" --jobs 3 --work-us 4000000 >"$dir/post.out"
    start worker workers work --bus "$bus?size=2M"
    until_true holds_a_job
}

holds_a_job() {
    run 0 info --no-rates workers.jobs
    grep -q '^  *[0-9]*  workers.*  alive  pops  *0  *[0-9]*  *-  *[1-9]' "$dir/run.out"
}

is_taken_over() {
    run 0 info --no-rates workers.jobs
    grep -q '  alive  remains  *0  *0  *-  *1  ' "$dir/run.out"
}

has_rate() {
    run 0 info -i 60ms telemetry.cpu
    grep -q '^  published  *[0-9][^ ]*, now [1-9][^ ]*/s and [0-9.]* KiB/s, newest .* ago$' "$dir/run.out"
}

has_slept() {
    run 0 info
    grep -q '^ *[0-9]  telemetry sub  alive  *[0-9][^-]*  *[0-9]*  *[0-9]*  *[1-9]' "$dir/run.out"
}

case $case in
all_is_told_of_a_topic)
    start_machine
    start_table
    until_true has_rate
    said "^telemetry.cpu: topic on $bus$"
    said '^  type  *telemetry_cpu, schema 0x[0-9a-f]\{16\}$'
    said '^  messages  *192 B on average$'
    said '^  lost  *0$'
    said '^  memory  *24.0 KiB in 1 lane$'
    said '^ *LANE  NAME  *CLIENT  LIFE  *WHEN FULL  *PUBLISHED  *RATE  *NEWEST  DEPTH  DROPPED  LARGEST  *MEMORY  INCARNATION$'
    said '^ *0  alpha  *[01]  alive  waits or refuses  *[0-9].*/s  *[0-9.]* [mnu]*s  *64  *0  *192 B  24.0 KiB  0x[0-9a-f]\{16\}$'
    said '^ *ENTRY  NAME  *CLIENT  LIFE  *KIND  *LANE  TAKEN  *RATE  LAG  *CURSOR  LOST$'
    said '^ *0  telemetry sub  *[01]  alive  best effort  *0  *[0-9].*  *0$'
    run 0 info --json --no-rates 'telemetry.*'
    json_is 'join " ", map { $_->{name} } @{$j->{topics}}' 'telemetry.cpu telemetry.memory telemetry.system'
    json_is '$j->{topics}[0]{publishers}[0]{life}' alive
    json_is '$j->{topics}[0]{publishers}[0]{newest_age_ns} < 6e10' 1
    json_is '$j->{topics}[0]{subscribers}[0]{reliable} ? 1 : 0' 0
    json_is '$j->{topics}[0]{subscribers}[0]{cursor} > 0' 1
    ;;
all_is_told_of_a_queue_and_of_what_a_dead_worker_held)
    start_worker
    said '^workers.jobs: queue'
    said '^  order  *of each who pushes$'
    said '^  on a death  *what the dead one held is given to another$'
    said '^  pending  *[012] of 256$'
    said '^ *LANE  NAME  CLIENT  LIFE  *STATE  PUSHED  RATE  PENDING  DEPTH  LOST  REFUSED  DROPPED  *MEMORY  INCARNATION$'
    said '^ *ENTRY  NAME  .*  POPPED  RATE  HELD  AGAIN  LOST$'
    kill -9 "$(pid_of worker)"
    wait "$(pid_of worker)" || :
    run 0 info --color always workers.jobs
    said "${escape}\[2mdead"
    run 0 info --json workers.jobs
    json_is '$j->{topics}[0]{subscribers}[0]{life}' dead
    json_is '$j->{topics}[0]{subscribers}[0]{held} > 0' 1
    json_is '$j->{topics}[0]{pending} + $j->{topics}[0]{subscribers}[0]{held}' 3
    json_is '$j->{topics}[0]{drops_held} ? 1 : 0' 0
    # Another takes it over, and it stands there as remains until that one is done with it.
    start other workers work --bus "$bus?size=2M"
    until_true is_taken_over
    run 0 info --json --no-rates workers.jobs
    json_is '$j->{topics}[0]{pending} + eval { my $sum = 0; $sum += $_->{held} for @{$j->{topics}[0]{subscribers}}; $sum }' 3
    ;;
the_region_and_its_clients_are_told)
    start_machine
    start_table
    until_true has_slept
    said "^$bus$"
    said '^  size  *2.00 MiB, of which 1.[0-9]* MiB for data, 1.[0-9]* MiB of them free$'
    said '^  layout  *format [0-9]*, generation 0x[0-9a-f]\{16\}$'
    said '^  topics  *3, and 0 queues; 256 at most$'
    said '^  attached  *2, [012] of them sleeps*$'
    said '^ *CLIENT  NAME  *LIFE  *AGE  HEARTBEAT  *RUNG  HELD BACK  SLEEPS  WAKES  SPURIOUS  NET FINDS  RECOVERED  CORRUPTIONS$'
    run 0 info --json
    json_is 'join " ", sort map { $_->{name} } @{$j->{clients}}' 'alpha telemetry sub'
    json_is 'scalar grep { $_->{life} eq "alive" && $_->{age_ns} < 6e10 } @{$j->{clients}}' 2
    json_is '(grep { $_->{name} eq "alpha" } @{$j->{clients}})[0]{bells_rung} > 0' 1
    json_is '(grep { $_->{name} eq "telemetry sub" } @{$j->{clients}})[0]{heartbeat_age_ns} < 6e10' 1
    json_is 'exists $j->{topics}' ''
    # Of a copy, nobody knows who lives, and no clock of it can be compared.
    cp "/dev/shm/peal.${bus#posix:}" "$dir/crash"
    run 0 info --bus "file:$dir/crash"
    said '^  attached  *not known: this is a copy$'
    said '^ *[01]  telemetry sub  unknown  .*  - '
    run 0 info --bus "file:$dir/crash" --json telemetry.cpu
    json_is '$j->{topics}[0]{newest_age_ns}' null
    json_is '$j->{topics}[0]{rate_hz}' null
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 "^peal info: cannot look at $bus: there is no region" info
    refused 2 "there is no option '--frob'" info --frob
    refused 2 'wants a time' info -i -5 telemetry.cpu
    head -c 100000 /dev/urandom >"$dir/alien"
    refused 5 "cannot look at file:$dir/alien" info --bus "file:$dir/alien"
    start_machine
    refused 3 "there is no topic or queue 'ghost'" info --no-rates ghost
    code=0
    "$peal" info >/dev/full 2>"$dir/run.err" || code=$?
    [ "$code" -eq 1 ] && [ "$(wc -l <"$dir/run.err")" -eq 1 ] || fail "to a full disk: $code, $(cat "$dir/run.err")"
    truncate -s 0 "/dev/shm/peal.${bus#posix:}"
    refused 5 "cannot look at $bus" info
    ;;
*)
    fail "there is no case $case"
    ;;
esac
