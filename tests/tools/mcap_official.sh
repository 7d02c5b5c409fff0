#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Has the official reader of MCAP read a file of Peal's, and compares what both find.
#
#   mcap_official.sh FOLDER SAMPLE none|lz4|zstd [torn]
#
# The reader is a package of npm, and is put into FOLDER, once. Exit code 77 is ctest's "skipped".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
sample=$2
shift 2
# Versions that were tested; the two behind the first are what it needs to unpack chunks.
packages="@mcap/core@2.2.2 @foxglove/wasm-lz4@1.0.2 @foxglove/wasm-zstd@1.0.1 @foxglove/crc@0.0.3"

skip() { echo "SKIPPED: $*"; exit 77; }

command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || skip "there is no node or no npm; scripts/setup.sh installs them"
if [ "$(cat "$folder/.complete" 2>/dev/null)" != "$packages" ]; then
    mkdir -p "$folder"
    # shellcheck disable=SC2086 # a list of words
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-save $packages >"$folder/npm.log" 2>&1 ||
        skip "npm cannot install the official reader; see $folder/npm.log"
    printf '%s\n' "$packages" >"$folder/.complete"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$sample" "$work/sample.mcap" "$@" >"$work/wanted"
[ -s "$work/wanted" ] || { echo "the sample has no messages"; exit 1; }
# Modules are looked for beside the program.
cp "$here/mcap_official.mjs" "$folder/"
node "$folder/mcap_official.mjs" "$work/sample.mcap" >"$work/found"
cmp "$work/wanted" "$work/found" || { diff "$work/wanted" "$work/found" | head -10; exit 1; }
echo "the official reader finds the same $(wc -l <"$work/found") messages"
