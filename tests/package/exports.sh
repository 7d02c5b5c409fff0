#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What libpeal.so exports is what the public headers declare with PEAL_API: not one symbol more or less.
#   exports.sh LIBRARY HEADER_FOLDER
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

nm -D --defined-only "$1" | awk '$2 ~ /[TDBR]/ { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/exported"
# A declaration may go over several lines: up to its semicolon, the name before the first parenthesis.
cat "$2"/*.h | tr '\n' ' ' | grep -oE 'PEAL_API [^;#]*;' | sed -E 's/^PEAL_API ([^(]*[ *])?(peal_[a-z0-9_]+)\(.*/\2/' |
    sort -u >"$work/declared"

[ -s "$work/declared" ] || { echo "no declarations found in $2" >&2; exit 1; }
if ! diff -u "$work/declared" "$work/exported"; then
    echo "lines with '-' are declared and not exported, lines with '+' are exported and not declared" >&2
    exit 1
fi
