#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
traffic=$1/../../../tests/tools/web_traffic

# The value of a series of the last run, given by a pattern.
value() {
    sed -n "s/^$1 //p" "$dir/run.out"
}

check() {
    perl "$here/metrics_check.pl" "$@" <"$dir/run.out" || fail "metrics_check.pl $*"
}

# $port: of the one that has been started under this name.
port_of() {
    expect_note "$1" 'listening on http://127.0.0.1:[0-9]*/'
    port=$(sed -n 's|.*listening on http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$dir/$1.err")
}

# get METHOD PATH [HOST]: the answer goes to $dir/run.out
get() {
    perl "$here/metrics_http.pl" get "$port" "$@" >"$dir/run.out" || fail "no answer to $*"
}

lost_is_told() {
    run 0 metrics
    [ "$(value 'peal_subscriber_lost_messages_total{.*topic="fast",.*}')" -gt 0 ]
}

case $case in
what_goes_on_is_told_in_valid_metrics)
    start source "$traffic" publish "$bus"
    expect_line source publishes
    start slow "$traffic" subscribe "$bus"
    expect_line slow subscribes
    "$examples/workers" post --bus "$bus" --jobs 5 >"$dir/post.out"
    until_true lost_is_told
    check format
    said "^peal_up{bus=\"$bus\"} 1$"
    said "^peal_topic_info{bus=\"$bus\",topic=\"<script>document.title='x'</script>\",kind=\"topic\""
    said '^peal_client_alive{.*client="<b>\\"slow\\" \\\\ one</b>",index="[0-9]*"} 1$'
    said '^peal_subscriber_info{.*topic="fast",subscriber="<b>\\"slow\\" \\\\ one</b>",.*reliable="no",remains="no"} 1$'
    said '^peal_publisher_message_mean_bytes{.*topic="fast",publisher="source",lane="0"} 1000$'
    said '^peal_publisher_depth_messages{.*topic="fast",.*} 64$'
    said '^peal_queue_pending_messages{.*topic="workers.jobs"} 5$'
    said '^peal_region_clients{.*} 2$'
    # Who pushed has gone; the sum stays.
    said '^peal_topic_messages_total{.*topic="workers.jobs"} 5$'
    first=$(value 'peal_topic_messages_total{.*topic="fast"}')
    [ "$first" -ge "$(value 'peal_subscriber_lost_messages_total{.*topic="fast",.*}')" ] || fail "more is lost than was published"
    run 0 metrics
    [ "$(value 'peal_topic_messages_total{.*topic="fast"}')" -gt "$first" ] || fail 'the counter does not count'
    age=$(value 'peal_publisher_newest_message_age_seconds{.*topic="fast",.*}')
    [ "${age%%.*}" -lt 60 ] || fail "the newest message is $age s old"
    ;;
sums_of_a_queue_go_on_when_those_who_pushed_have_gone)
    "$examples/workers" post --bus "$bus" --jobs 7 >"$dir/post.out"
    start work workers work --bus "$bus"
    until_true sh -c "'$peal' metrics | grep -q '^peal_queue_pending_messages{.*jobs\"} 0$'"
    "$examples/workers" post --bus "$bus" --jobs 3 >"$dir/post.out"
    until_true sh -c "'$peal' metrics | grep -q '^peal_queue_pending_messages{.*jobs\"} 0$'"
    run 0 metrics
    check format
    said '^peal_topic_messages_total{.*topic="workers.jobs"} 10$'
    said '^peal_topic_publishers{.*topic="workers.jobs"} 0$'
    said '^peal_queue_lost_messages_total{.*topic="workers.jobs"} 0$'
    ;;
all_buses_are_told_apart)
    start source "$traffic" publish "$bus"
    start other "$traffic" publish "$bus.two"
    printf "no region at all" >"/dev/shm/peal.${bus#posix:}.bad"
    expect_line source publishes
    expect_line other publishes
    run 0 metrics --all
    check format
    said "^peal_up{bus=\"$bus\"} 1$"
    said "^peal_up{bus=\"$bus.two\"} 1$"
    said "^peal_up{bus=\"$bus.bad\"} 0$"
    grep -q "cannot look at $bus.bad: " "$dir/run.err" || fail "it is not told on stderr"
    refused 2 'not both' metrics --all --bus "$bus"
    ;;
they_are_served_anew_to_many_who_ask_at_once)
    start source "$traffic" publish "$bus"
    expect_line source publishes
    start served peal metrics --listen 0
    port_of served
    get GET /metrics
    said '^HTTP/1.[01] 200 '
    said '^Content-Type: text/plain; version=0.0.4; charset=utf-8'
    said '^Content-Length: [1-9]'
    sed '1,/^\r*$/d' "$dir/run.out" >"$dir/body" && cp "$dir/body" "$dir/run.out"
    check format
    first=$(value 'peal_topic_messages_total{.*topic="fast"}')
    more_is_told() {
        get GET /metrics
        [ "$(value 'peal_topic_messages_total{.*topic="fast"}')" -gt "$first" ]
    }
    until_true more_is_told
    get HEAD /metrics
    said '^Content-Length: [1-9]'
    grep -q '^# HELP' "$dir/run.out" && fail 'HEAD has a body'
    get GET /else
    said ' 404 '
    get POST /metrics
    said ' 405 '
    said '^Allow: GET, HEAD'
    [ "$(perl "$here/metrics_http.pl" many "$port" /metrics 20)" -eq 20 ] || fail 'not all had a whole answer'
    refused 1 'cannot listen on 127.0.0.1:.*in use' metrics --listen "$port"
    stop served
    ;;
who_asks_for_another_name_is_refused)
    start source "$traffic" publish "$bus"
    expect_line source publishes
    start served peal metrics --listen 127.0.0.1:0 --host ours.example
    port_of served
    perl "$here/metrics_http.pl" hosts "$port" /metrics "127.0.0.1:$port" localhost "LOCALHOST:$port" "[::1]:$port" 127.1.2.3 \
        "ours.example:$port" >"$dir/run.out"
    [ "$(grep -c '^200 told$' "$dir/run.out")" -eq 6 ] || fail "one of ours is refused: $(cat "$dir/run.out")"
    perl "$here/metrics_http.pl" hosts "$port" /metrics evil.example "evil.example:$port" localhost.evil.example 192.168.0.1 \
        127.0.0.1.evil.example 0.0.0.0 '[::1' '' - >"$dir/run.out"
    [ "$(grep -c '^403$' "$dir/run.out")" -eq 9 ] || fail "one of others is not refused: $(cat "$dir/run.out")"
    stop served
    start open peal metrics --listen 0.0.0.0:0
    expect_note open 'reached from other machines'
    expect_note open 'listening on http://0.0.0.0:'
    stop open
    ;;
a_region_that_goes_or_is_spoilt_is_down_and_comes_again)
    start source "$traffic" publish "$bus"
    expect_line source publishes
    copy=$dir/copy
    cp "/dev/shm/peal.${bus#posix:}" "$copy"
    start served peal metrics --bus "file:$copy" --listen 0
    port_of served
    is_up() {
        get GET /metrics
        said "^peal_up{bus=\"file:$copy\"} $1$"
    }
    is_up 1
    grep -q '^peal_client_alive{' "$dir/run.out" && fail 'a file does not know who lives'
    : >"$copy" # cut short while it is mapped
    is_up 0
    said '^peal_down_info{bus="file:.*",reason="[a-z].*"} 1$'
    rm "$copy"
    is_up 0
    said '^peal_down_info{bus="file:.*",reason="no such object"} 1$'
    printf 'no region at all' >"$copy"
    is_up 0
    cp "/dev/shm/peal.${bus#posix:}" "$copy"
    is_up 1
    sed '1,/^\r*$/d' "$dir/run.out" >"$dir/body" && cp "$dir/body" "$dir/run.out"
    check format
    stop served
    ;;
whatever_a_peer_writes_the_metrics_are_valid)
    start source "$traffic" publish "$bus"
    start slow "$traffic" subscribe "$bus"
    expect_line source publishes
    expect_line slow subscribes
    "$examples/workers" post --bus "$bus" --jobs 5 >"$dir/post.out"
    seed=$$
    # Words of clients, topics and lanes become noise, or ends of what a word can hold.
    for round in 1 2 3 4 5; do
        cp --sparse=always "/dev/shm/peal.${bus#posix:}" "$dir/spoilt"
        perl -e 'my ($path, $seed) = @ARGV; srand $seed; open my $file, "+<:raw", $path or die;
            my @ends = ("\xff" x 8, "\0" x 8, "\n\"\\{}\xc3\x28\x01", pack("Q<", 1 << 63));
            for (1 .. 80) {
                seek $file, 4096 + 8 * int rand(rand(100000)), 0 or die;
                print {$file} rand() < .5 ? $ends[rand @ends] : pack "L<2", rand(2**32), rand(2**32);
            }
            close $file or die' "$dir/spoilt" $((seed + round))
        code=0
        "$peal" metrics --bus "file:$dir/spoilt" >"$dir/run.out" 2>"$dir/run.err" || code=$?
        [ "$code" -eq 0 ] || [ "$code" -eq 5 ] || fail "exit code $code, seed $((seed + round)): $(cat "$dir/run.err")"
        check format || fail "seed $((seed + round))"
    done
    ;;
document_and_program_agree)
    start source "$traffic" publish "$bus"
    start slow "$traffic" subscribe "$bus"
    expect_line source publishes
    expect_line slow subscribes
    "$examples/workers" post --bus "$bus" --jobs 5 >"$dir/post.out"
    run 0 metrics
    check document "$source/docs/reference/metrics.md" "$source/include/peal/observer.h"
    run 3 metrics --bus posix:tool-nobody
    check document "$source/docs/reference/metrics.md" "$source/include/peal/observer.h"
    ;;
dashboard_asks_for_what_there_is)
    run 3 metrics --bus posix:tool-nobody
    check dashboard "$source/tools/peal/serve/dashboard/peal.json"
    ;;
what_cannot_be_is_refused_in_one_line)
    printf 'no region at all' >"$dir/garbage"
    refused 3 'cannot look at posix:tool-nobody: there is no region' metrics --bus posix:tool-nobody
    said '^peal_up{bus="posix:tool-nobody"} 0$'
    check format
    refused 5 'cannot look at file:' metrics --bus "file:$dir/garbage"
    refused 2 "no transport 'frob'" metrics --bus frob:x
    refused 2 "no transport 'frob'" metrics --bus frob:x --listen 0
    for place in x 65536 -1 1.2.3:80 :80 '[::1]' '[::1]80' example.org:80 127.0.0.1: ''; do
        refused 2 'listen wants' metrics "--listen=$place"
    done
    refused 2 'goes with --listen' metrics --host x
    refused 2 "what to do with 'extra'" metrics extra
    start source "$traffic" publish "$bus"
    expect_line source publishes
    refused 1 'cannot listen on 192.0.2.1:9' metrics --listen 192.0.2.1:9
    code=0
    "$peal" metrics >/dev/full 2>"$dir/run.err" || code=$?
    [ "$code" -eq 1 ] && grep -q 'cannot write the output: No space' "$dir/run.err" || fail "a full disk: $code"
    ;;
no_permission_is_told)
    [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || { echo 'this needs root, and setpriv'; exit 77; }
    start source "$traffic" publish "$bus"
    expect_line source publishes
    chmod 600 "/dev/shm/peal.${bus#posix:}"
    code=0
    setpriv --reuid 65534 --clear-groups "$peal" metrics >"$dir/run.out" 2>"$dir/run.err" || code=$?
    [ "$code" -ne 126 ] && [ "$code" -ne 127 ] || { echo 'nobody may not start peal here'; exit 77; }
    [ "$code" -eq 4 ] || fail "exit code $code: $(cat "$dir/run.err")"
    said "^peal_up{bus=\"$bus\"} 0$"
    said 'reason="permission denied"'
    ;;
*)
    fail "there is no case $case"
    ;;
esac
