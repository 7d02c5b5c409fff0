#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a bare clone to something to look at: installs what is missing, builds, lets two processes exchange live
# telemetry of this machine for some seconds, then measures latency beside its physical floor.
# Asks nothing, ends by itself, leaves no process and no shared memory behind.
set -eu
cd "$(dirname "$0")/.."

scripts/setup.sh --demo
echo "demo: building"
log=$(mktemp)
if ! { cmake --preset demo && cmake --build --preset demo --parallel "$(nproc)"; } >"$log" 2>&1; then
    cat "$log"
    rm -f "$log"
    exit 1
fi
rm -f "$log"

bin=build/demo
bus="posix:demo-$$"
publisher=
clean() {
    [ -z "$publisher" ] || { kill "$publisher" && wait "$publisher"; } 2>/dev/null || true
    publisher=
    "$bin/examples/telemetry" clean --bus "$bus" >/dev/null
}
trap clean EXIT
trap 'exit 130' INT TERM

echo
echo "demo: one process publishes figures of this machine, another prints them, through the region $bus"
"$bin/examples/telemetry" pub --bus "$bus" --rate-hz 100 >/dev/null &
publisher=$!
"$bin/examples/telemetry" sub --bus "$bus" --duration-s 8
clean

echo
echo "demo: latency between two processes that poll, beside the floor of this machine"
"$bin/bench/peal-bench" --quick --filter '^latency/ping_pong/.*/(8|48|64|1024)$|^waiting/wake'
