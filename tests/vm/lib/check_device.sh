# SPDX-License-Identifier: Apache-2.0
# Checks of the device, its server and the driver, below the bus.

plan shared_memory_loses_no_addition "guests add to one word at the same time; the sum is exact"
check_shared_memory_loses_no_addition() {
    must in_guests "vm_client add sum $ADDITIONS $COUNT"
    sum=$(sed -n 's/^sum //p' "$work/output" | sort -u)
    [ "$sum" = $((ADDITIONS * COUNT)) ] || fail "the sum is $sum instead of $((ADDITIONS * COUNT))"
    echo "remark: $ADDITIONS from each of $COUNT guests"
}

plan module_unloads_and_loads_again "the module leaves while idle, and is back"
check_module_unloads_and_loads_again() {
    must in_guest 2 'rmmod guest_shm && [ ! -e /dev/guest_shm0 ] && insmod /guest_shm.ko && [ -c /dev/guest_shm0 ] &&
        start holder vm_client hold reloaded 1 && expect_line 30 holder "^holds 1"; code=$?; end holder; (exit $code)'
}

plan busy_module_stays "it does not unload while a program holds a connection"
check_busy_module_stays() {
    must in_guest 2 'start holder vm_client hold busy 1; expect_line 30 holder "^holds 1" && ! rmmod guest_shm 2>/dev/null;
        code=$?; end holder; (exit $code)'
}

plan killed_process_is_detached "the driver detaches what a killed process held; others see it go"
check_killed_process_is_detached() {
    must in_guest 1 'start watcher vm_client watch detach; expect_line 30 watcher "^members 0001"'
    must in_guest 2 'start holder vm_client hold detach 2; expect_line 30 holder "^holds 2"'
    must in_guest 1 'expect_line 30 watcher "^members 0007"'
    must in_guest 2 'kill -9 $(pid_of holder)'
    must in_guest 1 'sleep 0.1; until said watcher | tail -n 1 | grep -q "^members 0001"; do
        expect_line 30 watcher "^members" && [ $((tries = tries + 1)) -lt 300 ] || break; sleep 0.1; done
        said watcher | tail -n 1 | grep "^members 0001" || { said watcher; (exit 1); }'
    must in_guest 1 'end watcher'
}

plan forbidden_region_is_refused "a deny rule keeps guest2 out (GSS_NO_PERMISSION), and not guest1"
check_forbidden_region_is_refused() {
    must in_guest 1 'start holder vm_client hold secret.plans 1; expect_line 30 holder "^holds 1"'
    must in_guest 2 'telemetry sub --bus vdev:secret.plans --duration-s 5; [ $? -eq 1 ]'
    grep -q "^telemetry: cannot open the bus: .*forbids region 'secret.plans'.*GSS_NO_PERMISSION" "$work/output" ||
        fail "the message is not clear: $(cat "$work/output")"
    must in_guest 2 'start holder vm_client hold secret.plans 1; expect_exit 30 holder 1; said holder'
    grep -q '^vm_client: the device answered 5' "$work/output" || fail "another answer: $(cat "$work/output")"
    must in_guest 1 'end holder'
}

plan seventeenth_client_is_refused "16 connections to one region; the next gets GSS_CLIENT_MAX"
check_seventeenth_client_is_refused() {
    must in_guest 1 'start holder vm_client hold crowd 8; expect_line 30 holder "^holds 8"'
    must in_guest 2 'start holder vm_client hold crowd 8; expect_line 30 holder "^holds 8"'
    must in_guest 1 'telemetry sub --bus vdev:crowd --duration-s 5; [ $? -eq 1 ]'
    grep -q "^telemetry: cannot open the bus: .*region 'crowd' has 16 clients.*GSS_CLIENT_MAX" "$work/output" ||
        fail "the message is not clear: $(cat "$work/output")"
    # And as soon as one of them has gone, there is room.
    must in_guests 'end holder'
    must in_guest 1 'start holder vm_client hold crowd 1; expect_line 30 holder "^holds 1"; code=$?; end holder; (exit $code)'
}
