#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the tree a second time, another way, and runs tests there. ctest of the release build calls this for each of
# its `slow` entries, so that one run closes with one summary; it can be called by hand as well.
#
#   scripts/suite.sh asan|tsan|clang|aarch64|i386 [BUILD_FOLDER]
#   scripts/suite.sh valgrind [BUILD_FOLDER]      the unit tests of a release build that is there already
#   scripts/suite.sh i386-peer [BUILD_FOLDER]     only the 32-bit program that tests/abi needs
set -eu
cd "$(dirname "$0")/.."
suite=${1?usage: scripts/suite.sh asan|tsan|clang|aarch64|i386|valgrind|i386-peer [BUILD_FOLDER]}
jobs=$(nproc)

# True if valgrind's list of descriptors holds one that the program itself opened.
open_at_exit() {
    awk '/== Open / { getline; if ($0 !~ /inherited from parent/) found = 1 } END { exit !found }' "$1"
}

# Only what was started is judged, not what it forks; leaks of mappings are told by tests/support/leak_check.c.
valgrind_test() {
    test=$1
    name=$(basename "$test")
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT INT TERM
    if timeout 300 valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
        --errors-for-leak-kinds=definite,indirect,possible --track-fds=yes --child-silent-after-fork=yes \
        --fair-sched=yes --suppressions=scripts/valgrind.supp "$test" </dev/null >"$log" 2>&1 &&
        ! open_at_exit "$log"; then
        echo "valgrind $name: clean"
    else
        cat "$log"
        echo "valgrind $name: FAILED"
        exit 1
    fi
}

# As many at a time as there are CPUs. xargs goes on after a failure, and fails in the end.
valgrind_tests() {
    xargs -d "\n" -P "$jobs" -n 1 scripts/suite.sh valgrind-test <"$1/unit-tests.txt" || { echo "valgrind: not all tests are clean"; exit 1; }
}

# build PRESET [option of cmake --build]...
build() {
    preset=$1
    shift
    cmake --preset "$preset" -B "$folder" >/dev/null
    cmake --build "$folder" --parallel "$jobs" "$@"
}

run() {
    $without_aslr ctest --test-dir "$folder" --output-on-failure --no-tests=error "$@"
}

# GCC 12's ThreadSanitizer gives up where the kernel randomises more address bits than it was made for.
without_aslr=
if [ "$suite" = tsan ] && setarch -R true 2>/dev/null; then
    without_aslr="setarch -R"
fi

folder=${2-build/${suite%-peer}}
case "$suite" in
asan)
    export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:${ASAN_OPTIONS-}"
    export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS-}"
    build "$suite"
    run --parallel "$jobs"
    ;;
tsan)
    export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:die_after_fork=0:suppressions=$PWD/scripts/tsan.supp:${TSAN_OPTIONS-}"
    build "$suite"
    run -L 'unit|conformance|stress'
    ;;
clang)
    build "$suite"
    run -L unit
    ;;
aarch64 | i386)
    build "$suite"
    run -L unit --parallel "$jobs"
    ;;
i386-peer)
    if ! command -v i686-linux-gnu-gcc >/dev/null 2>&1; then
        echo "SKIPPED: no i686-linux-gnu-gcc here, so no 32-bit program to share a region with; run scripts/setup.sh"
        exit 77
    fi
    sysroot="${PEAL_SYSROOT_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/peal-sysroot}/i386"
    if ! [ -e "$sysroot/.complete" ]; then
        echo "SKIPPED: no 32-bit libraries in $sysroot, so no 32-bit program to share a region with; run scripts/setup.sh"
        exit 77
    fi
    build i386 --target abi_peer
    ;;
valgrind)
    valgrind_tests "${2-build/release}"
    ;;
valgrind-test)
    valgrind_test "$2"
    ;;
*)
    echo "suite: there is no suite '$suite'" >&2
    exit 2
    ;;
esac
