# SPDX-License-Identifier: Apache-2.0
# Checks of the bus: unmodified programs on both sides. TCG's times say nothing about Peal, so no figure is printed.

# What cmocka's programs counted, as a remark.
count_cases() {
    ran=$(grep -c '^\[       OK ' "$work/output" || true)
    left_out=$(sed -n "s/^\[  SKIPPED \] vdev-device: //p" "$work/output" | sort -u | wc -l)
    [ "$ran" -gt 0 ] || fail "no case ran: $(cat "$work/output")"
    echo "remark: $ran cases passed, $left_out skipped"
}

plan conformance_in_a_guest "the transport's conformance suite over /dev/guest_shm0"
check_conformance_in_a_guest() {
    must in_guest 1 "chmod 666 /dev/guest_shm0" # a case gives its rights up
    : >"$work/conformance"
    for name in $CONFORMANCE; do
        must in_guest 1 "start suite env PEAL_CONFORMANCE_DEVICE=/dev/guest_shm0 $name
            expect_exit $STEP_LIMIT_S suite 0 && said suite"
        grep -q "vdev-device: " "$work/output" || fail "$name did not run over the vdev"
        cat "$work/output" >>"$work/conformance"
    done
    mv "$work/conformance" "$work/output"
    count_cases
}

# telemetry_pub N: a publisher named after its guest, which goes on until it is ended.
telemetry_pub() {
    must in_guest "$1" "start pub telemetry pub --bus auto:machines --rate-hz 50 --name guest$1
        expect_line 30 pub 'publishes telemetry'"
}

plan telemetry_arrives "telemetry of each guest is received in all others, nothing lost"
check_telemetry_arrives() {
    must in_guests 'start sub telemetry sub --plain --bus auto:machines; expect_line 60 sub "^subscribed"'
    for guest in $GUESTS; do
        telemetry_pub "$guest"
    done
    for from in $GUESTS; do
        for topic in cpu memory system; do
            must in_guests "expect_line 60 sub '^guest$from $topic: .* received [1-9][0-9][0-9]*, lost 0, restarts 0'"
        done
    done
    must in_guests 'kill -INT $(pid_of pub) && expect_exit 30 pub 0 && kill -INT $(pid_of sub) && expect_exit 30 sub 0'
    must in_guests '! said sub | grep "lost [1-9]"'
    # Two machines have two clocks, so there is no latency to be shown.
    must in_guests '! said sub | grep "latency [0-9]"'
}

plan frames_arrive "frames from guest1 are whole and complete in all others"
check_frames_arrive() {
    others=${GUESTS#1 }
    for guest in $others; do
        must in_guest "$guest" "start frames frames sub --bus vdev:video --frame-bytes 100000 --count 100
            expect_line 60 frames '^subscribed'"
    done
    must in_guest 1 'start frames frames pub --bus vdev:video --frame-bytes 100000 --rate-hz 0
        expect_line 60 frames publishing'
    for guest in $others; do
        must in_guest "$guest" "expect_exit $STEP_LIMIT_S frames 0
            expect_line 1 frames '^total: 100 frames, .* lost 0, lapped 0, restarts 0, errors 0'"
    done
    must in_guest 1 'kill -INT $(pid_of frames); expect_exit 30 frames 0'
}

plan host_process_joins "a process of the host on the same bus, by a socket of the server"
check_host_process_joins() {
    url="vdev:machines?device=$(socket_of host)"
    must in_guest 1 'start sub telemetry sub --plain --bus auto:machines; expect_line 60 sub "^subscribed"'
    telemetry_pub 1
    "$build/examples/telemetry" pub --bus "$url" --name host --rate-hz 50 --duration-s 600 >"$work/host.out" 2>&1 </dev/null &
    echo $! >>"$work/pids"
    host=$!
    must "$build/examples/telemetry" sub --plain --bus "$url" --count 300 --duration-s "$STEP_LIMIT_S"
    tail -n 6 "$work/output" | grep -q '^guest1 cpu: .* received [1-9][0-9]*, lost 0, restarts 0' ||
        fail "nothing of guest1 arrived on the host: $(cat "$work/output")"
    must in_guest 1 'expect_line 60 sub "^host system: .* received [1-9][0-9]*, lost 0, restarts 0"'
    kill -INT "$host"
    within 30 not_alive "$host" || fail "the host's publisher did not end"
    must in_guest 1 'end sub; end pub'
}

plan benchmark_runs "the ping-pong benchmark between two processes of a guest; its figures are not looked at"
check_benchmark_runs() {
    [ -x "$build/bench/peal-bench" ] || skip "this build has no benchmark"
    must in_guest 1 "start bench peal-bench --bus vdev:bench --filter '^latency/ping_pong/copy/48\$' --quick --rounds 1
        expect_exit $STEP_LIMIT_S bench 0 && expect_line 1 bench 'peal topic, copy '"
}
