#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All of it on a bus of the test's own: what else is on this machine is others'. Where all regions of a machine are meant, that
# is done in a mount namespace with a /dev/shm of its own.
. "$(dirname "$0")/lib.sh"

object=/dev/shm/peal.${bus#posix:}

start_both() {
    start machine telemetry pub --bus "$bus" --name alpha --rate-hz 50 --duration-s 60
    expect_line machine 'alpha publishes'
    start watcher peal echo telemetry.cpu --reliable
    expect_line watcher alpha
}

kill_off() {
    kill -9 "$(pid_of "$1")"
    wait "$(pid_of "$1")" 2>/dev/null || :
}

# A region that nobody uses.
leave_region() {
    start machine telemetry pub --bus "$bus" --name alpha --duration-s 60
    expect_line machine 'alpha publishes'
    kill_off machine
}

need_root() {
    [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || {
        echo "needs root and setpriv"
        exit 77
    }
}

case $case in
without_yes_nothing_is_removed_and_with_it_what_nobody_uses_is)
    leave_region
    run 6 clean
    said "^$bus  remove  .*nobody is attached$"
    said '^Nothing was changed. --yes does it; .* come free then.$'
    [ -e "$object" ] || fail 'a dry run removed the region'
    run 6 clean --bus "$bus" --json
    json_is '"$j->[0]{action} $j->[0]{done} $j->[0]{in_use} $j->[0]{kind}"' 'remove 0 0 region'
    [ -e "$object" ] || fail 'a dry run removed the region'
    run 0 clean "$bus" --yes
    said "^$bus  removed "
    said ' came free$'
    [ ! -e "$object" ] || fail 'the region is there'
    refused 3 'there is no region' clean -y
    ;;
a_region_of_the_living_stays_though_they_are_stopped)
    start_both
    kill -STOP "$(pid_of machine)" "$(pid_of watcher)"
    inode=$(stat -c %i "$object")
    for options in --yes '--yes --force' '--yes --with-messages --force'; do
        # shellcheck disable=SC2086
        run 0 clean $options
        said '^1 region in use, with nothing of the dead in it$'
        said '^there is nothing to clean$'
    done
    [ "$(stat -c %i "$object")" = "$inode" ] || fail 'it is another object'
    rows=$(grep -c alpha "$dir/watcher.out")
    kill -CONT "$(pid_of machine)" "$(pid_of watcher)"
    expect_line watcher alpha $((rows + 1))
    ;;
what_the_dead_left_beside_the_living_is_cleared_away)
    start_both
    kill -STOP "$(pid_of watcher)"
    kill_off machine
    run 6 clean
    said "^$bus  recover .*of 1 dead client: 0 subscriptions, 3 lanes, 60.0 KiB$"
    run 6 audit --settle 0
    run 0 clean -y
    said "^$bus  recovered .*of 1 dead client: 0 subscriptions, 3 lanes, "
    run 0 audit
    said '^clients  1, 1 attached'
    run 0 clean
    said '^there is nothing to clean$'
    kill -CONT "$(pid_of watcher)"
    # The living goes on, with the next publisher.
    start machine telemetry pub --bus "$bus" --name beta --rate-hz 50 --duration-s 60
    expect_line watcher beta
    ;;
messages_for_who_comes_next_keep_their_region)
    start poster workers post --bus "$bus" --jobs 5
    expect_exit poster 0
    run 0 clean
    said "^$bus  left alone .*hold messages for who comes next (--with-messages removes it)$"
    run 0 clean --yes
    run 0 clean --yes --force
    run 0 clean --yes --json
    json_is '"$j->[0]{action} $j->[0]{status} $j->[0]{messages}"' 'spare PEAL_EEXIST 5'
    [ -e "$object" ] || fail 'the region has gone'
    run 6 clean --with-messages
    said 'nobody is attached; with 5 messages in its queues$'
    run 0 clean --with-messages --yes
    [ ! -e "$object" ] || fail 'the region is there'
    ;;
jobs_posted_while_clean_never_rests_are_all_done)
    ("$peal" clean --yes >/dev/null 2>&1 || :
    while [ ! -e "$dir/enough" ]; do "$peal" clean --yes >/dev/null 2>&1 || :; done) &
    pids="$pids $!"
    cleaner=$!
    for round in 1 2 3 4 5 6 7 8 9 10; do
        start poster workers post --bus "$bus" --jobs 10
        expect_exit poster 0
        run 0 echo workers.jobs --pop --count 10 --timeout 30s --json
        [ "$(wc -l <"$dir/run.out")" -eq 10 ] || fail "round $round: not ten jobs"
    done
    : >"$dir/enough"
    wait "$cleaner"
    ;;
fifos_of_the_dead_go_and_those_of_the_living_stay)
    leave_region
    mkfifo "$object~0123456789abcdef" "$object~fedcba9876543210"
    run 6 clean
    said '; 2 FIFOs of dead clients$'
    # As their owner does it.
    exec 8<>"$object~fedcba9876543210"
    flock -n 8
    run 0 clean -y
    said '^.*removed .*; 1 FIFO of dead clients$'
    [ ! -e "$object" ] || fail 'the region is there'
    [ ! -e "$object~0123456789abcdef" ] || fail 'the FIFO is there'
    [ -p "$object~fedcba9876543210" ] || fail 'the FIFO of the living has gone'
    exec 8>&-
    run 6 clean
    said "^$bus  remove  *-  1 FIFO of dead clients$"
    run 0 clean -y
    [ ! -e "$object~fedcba9876543210" ] || fail 'the FIFO is there'
    ;;
what_is_spoilt_or_not_ours_is_told_and_needs_force)
    printf 'somebody elses data' >"$object"
    refused 5 'was not made by Peal, and is left alone' clean --yes
    exec 8<>"$object"
    flock -n 8
    exec 8>&-
    run 6 clean --force
    [ -e "$object" ] || fail 'a dry run removed it'
    run 0 clean --force --yes
    said 'not made by Peal, and nobody has a lock on it'
    [ ! -e "$object" ] || fail 'it is there'
    leave_region
    truncate -s 100000 "$object"
    refused 5 'was cut short or overwritten, and is left alone' clean --yes
    run 0 clean --force --yes
    said 'removed .*cut short or overwritten'
    leave_region
    printf '\011' | dd of="$object" bs=1 seek=8 conv=notrunc 2>/dev/null
    refused 5 'another format, and is left alone' clean --yes
    run 0 clean --force --yes
    said 'of another release of Peal'
    mkdir "$object"
    refused 5 'by hand' clean --yes --force
    rmdir "$object"
    ;;
what_belongs_to_another_user_is_told)
    need_root
    leave_region
    chmod 644 "$object"
    code=0
    setpriv --reuid 65534 --regid 65534 --clear-groups "$peal" clean --yes >"$dir/run.out" 2>"$dir/run.err" || code=$?
    [ "$code" -ne 126 ] && [ "$code" -ne 127 ] || {
        echo "user 65534 cannot reach $peal"
        exit 77
    }
    [ "$code" -eq 4 ] || fail "ended with $code instead of 4: $(cat "$dir/run.err")"
    [ -e "$object" ] || fail 'the region has gone'
    ;;
all_regions_of_a_machine_are_looked_at)
    unshare -m true 2>/dev/null || {
        echo "needs the right to make a mount namespace"
        exit 77
    }
    # shellcheck disable=SC2016
    unshare -m sh -eu -c '
        mount -t tmpfs -o mode=1777,size=256m tmpfs /dev/shm
        peal=$1 examples=$2 dir=$3
        unset PEAL_BUS
        "$peal" clean >"$dir/nothing.out"
        "$examples/workers" post --bus posix:full --jobs 2 >/dev/null
        "$examples/telemetry" pub --bus posix:idle --duration-s 0.1 >/dev/null
        "$examples/telemetry" pub --bus posix:live --duration-s 60 >"$dir/live.out" &
        until grep -q publishes "$dir/live.out"; do sleep 0.02; done
        : >/dev/shm/peal.-strange
        : >/dev/shm/other
        mkfifo /dev/shm/peal.gone~0123456789abcdef
        "$peal" clean >"$dir/dry.out" 2>"$dir/dry.err" && exit 9 || [ $? -eq 6 ]
        PEAL_BUS=posix:live "$peal" clean --all --json >"$dir/run.out" 2>/dev/null && exit 9 || [ $? -eq 6 ]
        "$peal" clean --yes >"$dir/yes.out" 2>"$dir/yes.err"
        kill -9 $! && wait $! 2>/dev/null || :
        ls /dev/shm >"$dir/left.out"
    ' sh "$peal" "$examples" "$dir" || fail "it ended with $?: $(cat "$dir"/*.err)"
    grep -qx 'there is nothing to clean' "$dir/nothing.out" || fail 'nothing is something'
    for pattern in '^posix:idle  remove ' '^posix:full  left alone ' '^posix:gone  remove .*1 FIFO' \
        '^1 region in use, with nothing of the dead in it$'; do
        grep -q "$pattern" "$dir/dry.out" || fail "it did not say $pattern"
    done
    grep -q 'the first peal.-strange, begins with peal. and' "$dir/dry.err" || fail 'nothing of strange files'
    json_is 'join " ", map { "$_->{bus}=$_->{action}" } @$j' \
        'posix:full=spare posix:gone=none posix:idle=remove posix:live=none'
    [ "$(tr '\n' ' ' <"$dir/left.out")" = 'other peal.-strange peal.full peal.live ' ] ||
        fail "there is left: $(cat "$dir/left.out")"
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 'there is no region' clean
    refused 2 'is a copy' clean --bus "file:$dir/x"
    refused 2 'say one of them' clean --all "$bus"
    refused 2 "there is no option '--frob'" clean --frob
    refused 2 'no:such' clean no:such
    leave_region
    code=0
    "$peal" clean >/dev/full 2>"$dir/run.err" || code=$?
    [ "$code" -eq 1 ] || fail "a full disk: $code"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
