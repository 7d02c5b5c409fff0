#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# telemetry.sh FOLDER CASE
bin=$1 case=$2
. "$(dirname "$0")/lib.sh"

pub() {
    name=$1
    shift
    start "$name" telemetry pub --bus "$bus" --duration-s 60 "$@"
}

sub() {
    name=$1
    shift
    start "$name" telemetry sub --bus "$bus" --duration-s 60 "$@"
}

case $case in
a_subscriber_may_come_before_the_publisher)
    sub viewer --count 60
    expect_line viewer 'subscribed'
    pub machine --name alpha --rate-hz 50
    expect_exit viewer 0
    for topic in cpu memory system; do
        expect_line viewer "^alpha $topic: .* received [1-9][0-9]*, lost 0, restarts 0: "
    done
    stop machine
    expect_line machine '^alpha published [1-9]'
    ;;
a_publisher_may_come_before_the_subscriber)
    pub machine --name alpha --rate-hz 50
    expect_line machine 'alpha publishes'
    sub viewer --count 60
    expect_exit viewer 0
    expect_line viewer '^alpha cpu: .* lost 0, '
    ;;
a_late_subscriber_shows_the_last_message_at_once)
    # The next messages are a hundred seconds away.
    pub machine --name alpha --rate-hz 0.01
    expect_line machine 'alpha publishes'
    sub early --count 3
    expect_exit early 0
    sub viewer --once
    expect_exit viewer 0
    expect_line viewer '^alpha cpu: .* busy'
    expect_line viewer '^alpha memory: .* used'
    expect_line viewer '^alpha system: .*load'
    ;;
two_publishers_reach_two_subscribers)
    sub one
    sub two
    pub machine_a --name alpha --rate-hz 50
    pub machine_b --name beta --rate-hz 20
    for viewer in one two; do
        for name in alpha beta; do
            for topic in cpu memory system; do
                expect_line $viewer "^$name $topic: .* received [1-9]"
            done
        done
    done
    stop machine_a
    stop one
    stop two
    stop machine_b
    expect_never one 'lost [1-9]'
    expect_never two 'lost [1-9]'
    ;;
a_subscriber_goes_and_another_comes)
    pub machine --name alpha --rate-hz 50
    for round in 1 2 3; do
        sub viewer --count 6
        expect_exit viewer 0
        expect_line viewer '^alpha cpu: .* lost 0, restarts 0'
    done
    sub killed
    expect_line killed '^alpha system: '
    kill -9 "$(pid_of killed)"
    sub viewer --count 6
    expect_exit viewer 0
    ;;
a_killed_publisher_comes_back_and_shows_as_restarted)
    sub viewer
    pub first --name alpha --rate-hz 50
    for topic in cpu memory system; do
        expect_line viewer "^alpha $topic: .* received [1-9][0-9][0-9]*, lost 0, restarts 0"
    done
    kill -9 "$(pid_of first)"
    wait "$(pid_of first)" || true
    pub second --name alpha --rate-hz 50
    for topic in cpu memory system; do
        expect_line viewer "^alpha $topic: RESTARTED, last message before was [1-9]"
        expect_line viewer "^alpha $topic: .* restarts 1: "
    done
    stop viewer
    expect_never viewer 'restarts [2-9]'
    expect_never viewer 'restarts 1: (silent'
    stop second
    ;;
a_live_table_is_drawn_on_a_terminal)
    pub machine --name alpha --rate-hz 50
    script --quiet --return --command "stty rows 24 cols 200; '$bin/telemetry' sub --bus $bus --duration-s 60 --count 90" \
        "$dir/terminal" >"$dir/screen.out" </dev/null || fail "the subscriber failed on a terminal"
    grep -q 'PUBLISHER' "$dir/screen.out" || fail "there is no heading"
    grep -q 'alpha  *cpu ' "$dir/screen.out" || fail "there is no row"
    tail -c 16 "$dir/screen.out" | grep -q '25h' || fail "the cursor is not back"
    ;;
what_cannot_be_is_refused_in_one_line)
    expect_refused 'a command is missing' 2 telemetry
    expect_refused "no command 'bub'" 2 telemetry bub
    expect_refused "no option '--colour'" 2 telemetry sub --colour red
    expect_refused "'fast' is not a valid N for --rate-hz (0.01 to" 2 telemetry pub --rate-hz fast
    expect_refused "'0' is not a valid N for --rate-hz" 2 telemetry pub --rate-hz 0
    expect_refused "a value is missing after '--name'" 2 telemetry pub --name
    expect_refused 'takes no value' 2 telemetry sub --once=yes
    expect_refused "'-1' is not a valid N for --count" 2 telemetry sub --count -1
    expect_refused "what to do with 'extra'" 2 telemetry clean extra
    expect_refused 'cannot open the bus: .*' 1 telemetry pub --bus nonsense
    expect_refused 'cannot open the bus: .*' 1 telemetry sub --bus 'posix:no/slashes'
    expect_refused 'cannot open the bus: .*' 1 telemetry sub --bus "$bus?colour=red"
    expect_refused 'cannot open the bus: .*' 1 telemetry sub --bus "$bus?exist=1"
    expect_refused 'only 0 messages came' 1 telemetry sub --bus "$bus" --count 1 --duration-s 0.2
    "$bin/telemetry" --help | grep -q '^  clean ' || fail "--help does not name the commands"
    "$bin/telemetry" pub --help | grep -q -- '--rate-hz N ' || fail "--help does not name the options"
    ;;
clean_removes_the_region_and_disturbs_nobody)
    pub machine --name alpha --rate-hz 50
    sub viewer
    expect_line viewer '^alpha cpu: '
    "$bin/telemetry" clean --bus "$bus" | grep -q "^removed $bus" || fail "the region was not removed"
    "$bin/telemetry" clean --bus "$bus" | grep -q "^there is no $bus" || fail "the region is still there"
    expect_refused 'cannot open the bus: .*' 1 telemetry sub --bus "$bus?exist=1"
    seen=$(grep -c '^alpha cpu: ' "$dir/viewer.out")
    expect_line viewer '^alpha cpu: ' $((seen + 2))
    stop viewer
    stop machine
    ;;
*)
    fail "there is no case $case"
    ;;
esac
