# SPDX-License-Identifier: Apache-2.0
# The driver's own test, alone in a guest; it unplugs the device and unloads the module as well, so it comes last.

plan driver_test_passes "the driver's own test in a guest"
check_driver_test_passes() {
    [ -x "$build/tests/vm/vm_driver_test" ] || skip "this build has no vm_driver_test"
    must in_guest 2 "start driver vm_driver_test /dev/guest_shm0 /guest_shm.ko
        expect_exit $STEP_LIMIT_S driver 0 && said driver"
    ran=$(grep -c '^PASS ' "$work/output" || true)
    left_out=$(grep -c '^SKIPPED ' "$work/output" || true)
    [ "$ran" -gt 0 ] || fail "no case ran"
    echo "remark: $ran cases passed, $left_out skipped"
}
