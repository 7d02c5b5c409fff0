#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

object=/dev/shm/peal.${bus#posix:}

start_both() {
    start machine telemetry pub --bus "$bus" --name alpha --duration-s 60
    expect_line machine 'alpha publishes'
    start watcher telemetry sub --bus "$bus" --duration-s 60
    expect_line watcher alpha
}

# Dead for good: waited for.
kill_off() {
    kill -9 "$(pid_of "$1")"
    wait "$(pid_of "$1")" 2>/dev/null || :
}

# put_bytes FILE OFFSET: eight bytes that no word of a page map can be.
put_bytes() {
    printf '\377\377\377\377\377\377\377\377' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

vdev_server() {
    server=$examples/../device/peal-vdev
    [ -x "$server" ] || {
        echo "peal-vdev is not built here"
        exit 77
    }
    start vdev "$server" --guest "$dir/socket"
    until_true test -S "$dir/socket"
}

case $case in
on_a_live_bus_each_thing_is_somebodys_or_free)
    start_both
    run 0 audit
    said "^$bus  64.0 MiB"
    said '^clients  2, 2 attached'
    said '^topics   3 of 256, with 3 subscribers and 3 lanes$'
    said '^ *[01]  alpha  *alive  *0  *3  *15  60.0 KiB$'
    said '^ *[01]  telemetry sub  *alive  *3  *0  *0  *0 B$'
    said '^no findings: '
    run 0 audit --json
    json_is 'join ",", $j->{bus}, map({ $j->{found}{$_} } qw(remains lost corrupt)), scalar @{ $j->{findings} }' "$bus,0,0,0,0"
    json_is 'join ",", $j->{region}{pages} - $j->{region}{pages_free}, exists $j->{items} ? 1 : 0,
        sort map { "$_->{name} $_->{lanes}" } @{ $j->{owners} }' "15,0,alpha 3,telemetry sub 0"
    ;;
items_are_listed_with_their_owners)
    start_both
    run 0 audit --items
    said '^topic  *0  *0  *ready .* telemetry.cpu$'
    said '^lane  *0  *0  *active  *[01]  alive .* alpha$'
    said '^pages  *0  *0  *used  *[01]  alive '
    run 0 audit -l --json
    json_is 'join ",", map { $_->{name} } grep { $_->{kind} eq "topic" } @{ $j->{items} }' \
        telemetry.cpu,telemetry.memory,telemetry.system
    json_is 'my $n = 0; $n += $_->{span_count} for grep { $_->{kind} eq "pages" } @{ $j->{items} }; $n' 15
    ;;
what_the_dead_left_is_found_and_the_way_to_clear_it_away)
    start_both
    kill -STOP "$(pid_of watcher)"
    kill_off machine
    run 6 audit --settle 60ms
    said '^clients  2, 1 attached'
    said '^ *[01]  alpha  *dead '
    [ "$(grep -c '^remains .*lane 0 of topic [012] of dead client' "$dir/run.out")" -eq 3 ] || fail 'not three lanes'
    said "^What the dead have left .*: peal clean --bus '$bus' --yes"
    run 6 audit --settle 0 --json
    json_is '$j->{found}{remains}' 4
    json_is 'join ",", sort map { "$_->{severity} $_->{kind}" } @{ $j->{findings} }' \
        'remains client,remains lane,remains lane,remains lane'
    kill_off watcher
    run 6 audit
    said '^clients  2, 0 attached'
    ;;
what_the_living_clear_away_in_time_is_no_finding)
    start_both
    kill_off machine
    # The other one waits, and looks for the dead each tenth of a second.
    run 0 audit --settle 30s
    said '^no findings: '
    ;;
a_copy_of_a_crashed_region_is_walked)
    start_both
    kill_off machine
    kill_off watcher
    cp "$object" "$dir/copy"
    run 0 audit --bus "file:$dir/copy"
    said '^clients  2; who of them lives cannot be told of a file$'
    said '^ *[01]  alpha  *unknown  *0  *3 '
    # A word of the page map, in a copy: the region begins at 65536, its page map behind 256 topics.
    put_bytes "$dir/copy" $((65536 + 20480 + 256 * 2048 + 8 * 9000))
    run 5 audit --bus "file:$dir/copy"
    said '^corrupt  *pages 9000 +1.*is impossible'
    said '^What is lost or corrupt stays so'
    run 5 audit --bus "file:$dir/copy" --json
    json_is '$j->{found}{corrupt}' 1
    json_is '$j->{region}{pages_lost}' 1
    ;;
a_bus_of_virtual_machines_is_walked)
    vdev_server
    url="vdev:tool?device=$dir/socket"
    start machine telemetry pub --bus "$url" --name alpha --duration-s 60
    expect_line machine 'alpha publishes'
    run 0 audit --bus "$url"
    said '^clients  1, 1 attached'
    said '^no findings: '
    kill_off machine
    refused 3 "nobody uses the vdev.s region" audit --bus "$url"
    ;;
where_there_is_no_region_one_line_says_so)
    refused 3 'there is no region' audit
    head -c 200000 /dev/urandom >"$dir/garbage"
    refused 5 'there is no region in this memory' audit --bus "file:$dir/garbage"
    : >"$dir/empty"
    refused 5 'too few for any region' audit --bus "file:$dir/empty"
    refused 3 'cannot look at' audit --bus "file:$dir/none"
    refused 2 'local: is within one process' audit --bus local:x
    refused 2 'audit' audit extra
    refused 2 'a time as 500ms or 2s, or 0' audit --settle soon
    ;;
a_region_that_was_cut_short_harms_nobody)
    start_both
    kill_off machine
    kill_off watcher
    truncate -s 100000 "$object"
    refused 5 'cut short' audit
    truncate -s 0 "$object"
    refused 5 'unfinished' audit
    ;;
without_the_right_to_read_it_is_refused)
    command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ] || {
        echo "needs root and setpriv"
        exit 77
    }
    start_both
    chmod 755 "$dir"
    code=0
    setpriv --reuid 65534 --regid 65534 --clear-groups "$peal" audit >"$dir/run.out" 2>"$dir/run.err" || code=$?
    [ "$code" -eq 4 ] || {
        [ "$code" -ne 126 ] && [ "$code" -ne 127 ] || {
            echo "user 65534 cannot reach $peal"
            exit 77
        }
        fail "ended with $code instead of 4"
    }
    grep -q 'no permission to read' "$dir/run.err" || fail "it said $(cat "$dir/run.err")"
    ;;
what_cannot_be_written_is_told)
    start_both
    code=0
    "$peal" audit >/dev/full 2>"$dir/run.err" || code=$?
    [ "$code" -eq 1 ] || fail "a full disk: $code"
    [ "$(wc -l <"$dir/run.err")" -eq 1 ] || fail "not one line"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
