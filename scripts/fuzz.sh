#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   scripts/fuzz.sh [TARGET] [SECONDS] [BUILD_FOLDER]     all targets, 60 seconds each, build/fuzz
#   scripts/fuzz.sh corpus TARGET [BUILD_FOLDER]          puts what was found by earlier runs into the corpus, pruned
#   scripts/fuzz.sh edges TARGET PATTERN [BUILD_FOLDER]   how much of the sources the corpus and earlier runs cover
#
# Targets: region (all of core over a spoilt region), queue (queues as programs use them), url, config (peal-vdev's files,
# options, rules), vfio (messages of vfio-user), reply (what a device server answers), mcap (recordings), tool (what peal
# prints of a region).
#
# The corpus is tests/fuzz/corpus/TARGET; what a run finds beyond it stays in BUILD_FOLDER. A failing input is written
# there as crash-...: `BUILD_FOLDER/TARGET crash-...` runs it again.
set -eu
cd "$(dirname "$0")/.."
fails=0

# Exit code 77 is ctest's "skipped".
clang=${CLANG-clang}
if ! "$clang" -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null <<'END'
#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { (void)data; (void)size; return 0; }
END
then
    echo "SKIPPED: $clang has no libFuzzer here; install clang and libclang-rt-dev (scripts/setup.sh)"
    exit 77
fi

sources_of() {
    case "$1" in
    region) echo tests/fuzz/region_fuzz.c core/*.c ;;
    queue)
        echo tests/fuzz/queue_fuzz.c core/*.c bus/*.c transport/*.c transport/*/*.c
        pkg-config --libs liburcu-bp liburcu-cds ck
        ;;
    config | vfio) echo "tests/fuzz/$1_fuzz.c" device/model/*.c; find device/server -name '*.c' ! -name main.c ;;
    reply)
        echo tests/fuzz/reply_fuzz.c tests/support/mock_device.c tests/support/eventually.c transport/vdev/socket*.c \
            transport/base/fork.c transport/base/os.c transport/base/memory.c core/error.c
        ;;
    mcap)
        echo tests/fuzz/mcap_fuzz.c tools/peal/mcap/*.c
        pkg-config --libs liblz4 libzstd zlib
        ;;
    tool)
        # What waits, and what draws on a terminal, is not of interest here.
        echo tests/fuzz/tool_fuzz.c tools/peal/care/audit.c tools/peal/care/audit_json.c tools/peal/care/survey.c \
            tools/peal/care/put.c tools/peal/serve/exposition.c tools/peal/serve/metric.c tools/peal/serve/scene.c
        find tools/peal/kit tools/peal/look tools/peal/list tools/peal/top -name "*.c" ! -path "*/kit/stop.c" \
            ! -path "*/top/top.c" ! -path "*/top/screen.c" ! -path "*/top/terminal.c"
        echo core/*.c bus/*.c transport/*.c transport/*/*.c
        pkg-config --libs liburcu-bp liburcu-cds ck jansson
        echo -lm
        ;;
    url) echo tests/fuzz/url_fuzz.c bus/url.c tests/support/fault_plan.c core/error.c transport/registry.c ;;
    *) echo "fuzz: there is no target '$1'; choose region, queue, url, config, vfio, reply, mcap or tool" >&2; exit 2 ;;
    esac
}

build() {
    mkdir -p "$folder/$1-corpus"
    # shellcheck disable=SC2046
    "$clang" -std=gnu17 -g -O1 -I. -Iinclude -D_GNU_SOURCE -fno-sanitize-recover=all \
        -fsanitize=fuzzer,address,undefined ${coverage-} $(sources_of "$1") -o "$folder/$1${coverage:+-edges}"
}

if [ "${1-}" = edges ]; then
    target=${2?usage: scripts/fuzz.sh edges TARGET PATTERN [BUILD_FOLDER]}
    pattern=${3?usage: scripts/fuzz.sh edges TARGET PATTERN [BUILD_FOLDER]}
    folder=${4-build/fuzz}
    coverage="-fprofile-instr-generate -fcoverage-mapping"
    build "$target"
    LLVM_PROFILE_FILE="$folder/$target.profraw" "$folder/$target-edges" -runs=0 "tests/fuzz/corpus/$target" \
        "$folder/$target-corpus" >"$folder/$target-edges.log" 2>&1
    suffix=$("$clang" -dumpversion | cut -d. -f1)
    "llvm-profdata-$suffix" merge -o "$folder/$target.profdata" "$folder/$target.profraw"
    "llvm-cov-$suffix" report "$folder/$target-edges" -instr-profile="$folder/$target.profdata" | grep -E "Filename|$pattern"
    exit 0
fi

if [ "${1-}" = corpus ]; then
    target=${2?usage: scripts/fuzz.sh corpus TARGET [BUILD_FOLDER]}
    folder=${3-build/fuzz}
    build "$target"
    rm -rf "$folder/$target-merged"
    mkdir -p "tests/fuzz/corpus/$target" "$folder/$target-merged"
    "$folder/$target" -set_cover_merge=1 -use_counters=0 -max_len=4096 "$folder/$target-merged" "tests/fuzz/corpus/$target" \
        "$folder/$target-corpus"
    find "tests/fuzz/corpus/$target" -type f -delete
    cp "$folder/$target-merged"/* "tests/fuzz/corpus/$target"
    exit 0
fi

case "${1-}" in
region | queue | url | config | vfio | reply | mcap | tool) targets=$1 ;;
'') targets="region queue url config vfio reply mcap tool" ;;
*) echo "fuzz: there is no target '$1'; choose region, queue, url, config, vfio, reply, mcap or tool" >&2; exit 2 ;;
esac
seconds=${2-60}
folder=${3-build/fuzz}
for target in $targets; do
    build "$target"
    # A region is 128 KiB; longer inputs are of no use.
    if "$folder/$target" -max_total_time="$seconds" -len_control=0 -timeout=20 -rss_limit_mb=1024 -max_len=131073 -print_final_stats=1 \
        -artifact_prefix="$folder/" "$folder/$target-corpus" "tests/fuzz/corpus/$target" >"$folder/$target.log" 2>&1; then
        grep -E '^(stat::number_of_executed_units|Done)' "$folder/$target.log"
        grep -oE 'INITED .*' "$folder/$target.log" | head -1
        grep -oE ' cov: [0-9]+ ft: [0-9]+ corp: [^ ]+' "$folder/$target.log" | tail -1
    else
        tail -40 "$folder/$target.log"
        fails=$((fails + 1))
    fi
done
[ "$fails" -eq 0 ] || { echo "fuzz: $fails targets failed"; exit 1; }
