#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# frames.sh FOLDER CASE [FOLDER OF broken_frames]
bin=$1 case=$2
. "$(dirname "$0")/lib.sh"

pub() {
    name=$1
    shift
    start "$name" frames pub --bus "$bus" --duration-s 60 "$@"
}

sub() {
    name=$1
    shift
    start "$name" frames sub --bus "$bus" --duration-s 60 "$@"
}

case $case in
frames_of_16_mebibytes_arrive_whole)
    sub viewer --frame-bytes 16M --count 40
    expect_line viewer 'subscribed'
    pub camera --frame-bytes 16M --rate-hz 0
    expect_exit viewer 0
    expect_line viewer '^total: 40 frames, .* lost 0, lapped 0, restarts 0, errors 0'
    stop camera
    expect_line camera '^published [0-9]* frames'
    ;;
the_publisher_may_come_first)
    pub camera --rate-hz 60
    expect_line camera 'publishing'
    sub viewer --count 30
    expect_exit viewer 0
    expect_line viewer '^total: 30 frames, .* lost 0, lapped 0, restarts 0, errors 0'
    ;;
a_best_effort_subscriber_is_told_what_it_missed)
    # It sleeps while all is published: nobody waits for it, and what the lane cannot hold is lost.
    sub viewer --frame-bytes 1000000 --best-effort
    expect_line viewer 'subscribed'
    kill -STOP "$(pid_of viewer)"
    pub camera --frame-bytes 1000000 --rate-hz 0 --count 50
    expect_exit camera 0
    kill -CONT "$(pid_of viewer)"
    expect_line viewer '^[1-9][0-9]* frames'
    stop viewer
    expect_line viewer '^total: [1-9][0-9]* frames, .* lost [1-9][0-9]*, .* errors 0'
    [ "$(sed -n 's/^total: \([0-9]*\) frames, .* lost \([0-9]*\), .*/\1 + \2/p' "$dir/viewer.out" | xargs expr)" -eq 50 ] ||
        fail "50 frames were published, but: $(tail -n 1 "$dir/viewer.out")"
    ;;
a_fast_best_effort_subscriber_sees_no_broken_frame)
    sub viewer --frame-bytes 1000000 --best-effort --count 200
    expect_line viewer 'subscribed'
    pub camera --frame-bytes 1000000 --rate-hz 0
    expect_exit viewer 0
    expect_line viewer '^total: 200 frames, .* errors 0'
    ;;
two_cameras_reach_two_subscribers)
    sub one --frame-bytes 300001 --count 100
    sub two --frame-bytes 300001 --count 100 --best-effort
    expect_line one 'subscribed'
    expect_line two 'subscribed'
    pub camera_a --frame-bytes 300001 --rate-hz 200
    pub camera_b --frame-bytes 300001 --rate-hz 100
    expect_exit one 0
    expect_exit two 0
    expect_line one '^total: 100 frames, .* lost 0, lapped 0, restarts 0, errors 0'
    stop camera_a
    stop camera_b
    ;;
a_killed_camera_comes_back)
    sub viewer --frame-bytes 1M
    pub first --frame-bytes 1M --rate-hz 100
    expect_line viewer '^[1-9][0-9]* frames'
    kill -9 "$(pid_of first)"
    wait "$(pid_of first)" || true
    pub second --frame-bytes 1M --rate-hz 100
    expect_line viewer 'restarts 1'
    stop viewer
    expect_line viewer '^total: .* restarts 1, errors 0'
    stop second
    ;;
a_killed_subscriber_does_not_hold_the_camera_up)
    sub killed --frame-bytes 1M
    pub camera --frame-bytes 1M --rate-hz 0
    expect_line killed '^[1-9][0-9]* frames'
    kill -9 "$(pid_of killed)"
    wait "$(pid_of killed)" || true
    sub viewer --frame-bytes 1M --count 50
    expect_exit viewer 0
    ;;
a_broken_frame_is_found)
    for place in first middle last header; do
        sub viewer --frame-bytes 100000 --count 3
        expect_line viewer 'subscribed'
        "$3/broken_frames" "$bus" 100000 $place
        expect_exit viewer 1
        expect_line viewer '^total: 3 frames, .* errors 1'
        grep -q 'message 1 is not the frame' "$dir/viewer.err" || fail "the broken frame is not named"
    done
    ;;
what_cannot_be_is_refused_in_one_line)
    expect_refused "'1' is not a valid N for --frame-bytes" 2 frames pub --frame-bytes 1
    expect_refused "'16X' is not a valid N for --frame-bytes" 2 frames sub --frame-bytes 16X
    expect_refused "'-5' is not a valid N for --rate-hz" 2 frames pub --rate-hz -5
    expect_refused "no option '--rate-hz'" 2 frames sub --rate-hz 5
    expect_refused 'cannot open the bus: .*' 1 frames sub --bus 'posix:'
    # The region of others is too small for the lane: the message says so.
    start holder telemetry pub --bus "$bus?size=2M" --duration-s 60
    expect_line holder 'publishes'
    expect_refused 'cannot publish frames: .*' 1 frames pub --bus "$bus" --frame-bytes 16M --count 1
    ;;
*)
    fail "there is no case $case"
    ;;
esac
