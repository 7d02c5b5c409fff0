#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Peal between virtual machines: boots QEMU guests with Debian's kernel, the driver and unmodified programs of this
# tree, all on one peal-vdev, and checks what goes on between them. Needs no KVM and no root; fetches what it needs into
# a folder of the user's cache, once.
#
#   tests/vm/run.sh [--guests 2|4] [--only PATTERN] [BUILD_FOLDER]   the checks, or those of them
#   tests/vm/run.sh --demo [BUILD_FOLDER]   two guests that exchange telemetry, to look at
#   tests/vm/run.sh --fetch   only fetches
#
# Without BUILD_FOLDER the tree is built first. Exit code: 0 all that ran passed, 1 not, 2 wrong arguments, 77 nothing
# could be run (then it says why, and each check counts as skipped).
# For the test of the test: PEAL_VM_SMP is QEMU's -smp (1,maxcpus=2), PEAL_VM_DENY what guest2 is denied (secret.*).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
SMP=${PEAL_VM_SMP-1,maxcpus=2}
ADDITIONS=20000000 # of each guest
FORBIDDEN=${PEAL_VM_DENY-secret.*} # to guest2

usage() {
    echo "run.sh: $1; usage: tests/vm/run.sh [--guests 2|4] [--only PATTERN] [--demo | --fetch] [BUILD_FOLDER]" >&2
    exit 2
}

mode=check COUNT=2 build= only="*"
while [ $# -gt 0 ]; do
    case $1 in
    --guests)
        [ $# -ge 2 ] || usage "a number is missing after --guests"
        COUNT=$2
        shift
        ;;
    --only)
        [ $# -ge 2 ] || usage "a pattern is missing after --only"
        only=$2
        shift
        ;;
    --demo | --fetch) mode=${1#--} ;;
    -*) usage "there is no option '$1'" ;;
    *) build=$1 ;;
    esac
    shift
done
case $COUNT in
2) GUESTS="1 2" ;;
4) GUESTS="1 2 3 4" ;;
*) usage "'$COUNT' guests" ;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/peal-vm.XXXXXX")
: >"$work/pids"
end() {
    code=$?
    trap - EXIT HUP INT PIPE TERM
    while read -r pid; do
        kill -9 "$pid" 2>/dev/null || true
    done <"$work/pids"
    rm -rf "$work"
    exit "$code"
}
trap end EXIT
trap 'exit 130' HUP INT PIPE TERM

for part in check fetch image guest device check_device check_bus check_death check_driver demo; do
    # shellcheck source=/dev/null
    . "$here/lib/$part.sh"
done

# Why nothing can be run here; the checks count as skipped.
give_up() {
    [ "$mode" != fetch ] || { echo "vm: $1"; exit 77; }
    skip_all "$1"
    summary "$COUNT"
    exit 77
}

# What each guest said last; for when something went wrong.
show_logs() {
    for log in device.log guest1.console guest1.steps guest2.console guest2.steps guest3.console guest4.console; do
        [ -s "$work/$log" ] || continue
        echo "vm: the end of $log:"
        tail -n 25 "$work/$log" | tr -d '\r' | sed 's/^/vm:     /'
    done
}

build_tree() {
    [ -z "$build" ] || return 0
    preset=release
    targets="peal-vdev example_telemetry example_frames peal-bench vm_client vm_driver_test $CONFORMANCE"
    if [ "$mode" = demo ]; then
        preset=demo
        targets="peal-vdev example_telemetry"
        "$tree/scripts/setup.sh" --demo
    else
        "$tree/scripts/setup.sh"
    fi
    build=$tree/build/$preset
    echo "vm: building in $build"
    # shellcheck disable=SC2086 # a list of words
    (cd "$tree" && cmake --preset "$preset" && cmake --build "$build" --parallel "$(nproc)" --target $targets) \
        >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log"; exit 1; }
}

build_module() {
    libraries=
    # The kernel's build tools need it; it comes with the guest's packages where this machine has none.
    ldconfig -p 2>/dev/null | grep -q 'libelf\.so\.1 ' || libraries=$GUEST_TREE/usr/lib/x86_64-linux-gnu
    LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
        "$tree/scripts/driver.sh" --headers "$(guest_headers)" "$work/driver" >"$work/module.log" 2>&1 && return
    cat "$work/module.log"
    echo "vm: the driver does not build"
    exit 1
}

# Programs of the guests, as far as this build has them.
programs() {
    for program in examples/telemetry examples/frames bench/peal-bench tests/vm/vm_client tests/vm/vm_driver_test; do
        [ ! -x "$build/$program" ] || echo "$build/$program"
    done
    for program in $CONFORMANCE; do
        [ ! -x "$build/tests/$program" ] || echo "$build/tests/$program"
    done
}

boot() {
    for guest in $GUESTS; do
        guest_begin "$guest" "$(socket_of "guest$guest")"
    done
    for guest in $GUESTS; do
        guest_ready "$guest" || { show_logs; exit 1; }
    done
}

# Of the suite, what runs over each backend.
CONFORMANCE=$(cd "$tree/tests/conformance" && grep -l run_over_backends ./*_test.c | sed "s|^\./|conformance.|; s|_test.c$||")
[ "$(uname -sm)" = "Linux x86_64" ] || give_up "QEMU and the guests are fetched for Linux on x86-64 only"
fetch_all || give_up "$fetch_error"
"$QEMU_TREE/usr/lib64/ld-linux-x86-64.so.2" --library-path "$QEMU_TREE/usr/lib/x86_64-linux-gnu" \
    "$QEMU_TREE/usr/bin/qemu-system-x86_64" -device help 2>/dev/null | grep -q vfio-user-pci ||
    give_up "the QEMU in $QEMU_TREE does not run here, or has no vfio-user-pci"
[ "$mode" != fetch ] || exit 0
build_tree
for tool in make gcc setpriv ldd; do
    command -v "$tool" >/dev/null 2>&1 || give_up "there is no $tool; run scripts/setup.sh"
done
build=$(cd "$build" && pwd)
build_module
# shellcheck disable=SC2046 # a list of words
image_build "$work/driver/guest_shm.ko" $(programs)
device_begin || { show_logs; exit 1; }
begin_s=$(date +%s)
boot
[ "$mode" = check ] || { demo; exit 0; }
echo "vm: $COUNT guests have booted ($(($(date +%s) - begin_s)) s)"
for name in $PLANNED; do
    # shellcheck disable=SC2254 # a pattern
    case $name in
    $only) check "$name" ;;
    esac
done
[ "$failed" -eq 0 ] || show_logs
summary "$COUNT"
[ "$failed" -eq 0 ]
