#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
dump=$1/../../../tests/tools/mcap_dump
file=$dir/run.mcap

# larger BYTES: the recording has become so.
larger() {
    [ "$(wc -c <"$file")" -gt "$1" ]
}

recorded() {
    start source peal pub t 'x {n}' -e -r max -n 500 -w 1
    until_true "$peal" info --no-rates t
    "$peal" record t -o "$file" -n 500 --quiet --reliable --history 1000 --chunk-size 1K
    expect_exit source 0
}

case $case in
a_killed_recording_is_had_up_to_its_last_chunk)
    for how in none lz4 zstd; do
        rm -f "$file"
        start load peal pub t 'x {n}' -e -r 20000 --depth 1024
        until_true "$peal" info --no-rates t
        start rec peal record t -o "$file" --reliable --chunk-size 1K --compression $how
        until_true larger 20000
        kill -9 "$(pid_of rec)"
        expect_exit rec 137
        stop load
        refused 5 'is torn: .*peal recover' replay "$file"
        code=0
        "$peal" recover "$file" -o "$dir/saved.mcap" --overwrite --json >"$dir/run.out" 2>"$dir/run.err" || code=$?
        [ "$code" -eq 6 ] || [ "$code" -eq 0 ] || fail "it ended with $code: $(cat "$dir/run.err")"
        json_is '$j->{was_whole}' false
        "$dump" "$dir/saved.mcap" | cut -d '|' -f 3 >"$dir/found"
        json_is '$j->{messages}' "$(wc -l <"$dir/found")"
        [ "$(wc -l <"$dir/found")" -ge 200 ] || fail "little was saved"
        # From its first to its last message, without a gap.
        seq "$(head -n 1 "$dir/found")" "$(tail -n 1 "$dir/found")" | cmp - "$dir/found"
    done
    ;;
what_a_torn_file_lost_is_told)
    recorded
    head -c $(($(wc -c <"$file") / 2)) "$file" >"$dir/torn.mcap"
    run 6 recover "$dir/torn.mcap"
    grep -q "messages of .* chunks are in $dir/torn.recovered.mcap" "$dir/run.err" || fail "it said $(cat "$dir/run.err")"
    grep -q 'the last [0-9]* bytes of' "$dir/run.err" || fail "it did not say what was lost"
    "$dump" "$dir/torn.recovered.mcap" text | cut -d '|' -f 4 >"$dir/found"
    [ -s "$dir/found" ] || fail "nothing was saved"
    seq 0 $(($(wc -l <"$dir/found") - 1)) | sed 's/^/x /' | cmp - "$dir/found"
    ;;
a_spoilt_chunk_costs_only_itself)
    recorded
    perl -0pe 's/x 250/x 350/' "$file" >"$dir/spoilt.mcap"
    run 6 recover "$dir/spoilt.mcap" -o "$dir/saved.mcap" --compression zstd --json
    json_is '$j->{damaged}' 1
    "$dump" "$dir/saved.mcap" text | cut -d '|' -f 4 >"$dir/found"
    seq 0 499 | sed 's/^/x /' | comm -23 - "$dir/found" >/dev/null || true
    grep -qx 'x 0' "$dir/found" || fail "the beginning is missing"
    grep -qx 'x 499' "$dir/found" || fail "the end is missing"
    ! grep -qx 'x 250' "$dir/found" || fail "it was not spoilt"
    [ "$(wc -l <"$dir/found")" -ge 470 ] || fail "only $(wc -l <"$dir/found") were saved"
    ;;
a_whole_file_stays_as_it_is)
    recorded
    run 0 recover "$file"
    grep -q 'is whole, and stays as it is: 500 messages' "$dir/run.err" || fail "it said $(cat "$dir/run.err")"
    [ ! -e "$dir/run.recovered.mcap" ] || fail "it left a file"
    run 0 recover "$file" -o "$dir/copy.mcap" --compression lz4
    "$dump" "$file" >"$dir/wanted"
    "$dump" "$dir/copy.mcap" | cmp - "$dir/wanted"
    ;;
what_cannot_be_is_refused_in_one_line)
    recorded
    refused 3 'No such file' recover "$dir/none.mcap"
    refused 5 'not an MCAP file' recover "$source/README.md"
    [ ! -e "$source/README.recovered.md" ] || fail "it left a file"
    refused 2 'written over itself' recover "$file" -o "$file" --overwrite
    "$dump" "$file" >/dev/null
    echo mine >"$dir/run.recovered.mcap"
    refused 1 'exists already' recover "$file"
    refused 1 'No space left on device' recover "$file" -o /dev/full
    refused 2 'something is missing' recover
    refused 2 'would be mixed' recover "$file" -o - --json
    ;;
*)
    fail "there is no case $case"
    ;;
esac
