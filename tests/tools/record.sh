#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
dump=$1/../../../tests/tools/mcap_dump
file=$dir/run.mcap

# The bus is there from the beginning, with a topic that is of no interest.
with_bus() {
    start maker peal pub other x --keep
    expect_note maker "there was no $bus"
    until_true "$peal" info --no-rates other
}

# texts FILE TOPIC: sequence and content of its messages.
texts() {
    "$dump" "$1" text | sed -n "s/^$2|[^|]*|//p"
}

# numbered TEXT FIRST LAST: "FIRST|TEXT FIRST" and so on.
numbered() {
    seq "$2" "$3" | sed "s/.*/&|$1 &/"
}

has_gone() {
    ! "$peal" info --no-rates "$1" | grep -q "$2"
}

case $case in
messages_are_recorded_with_what_is_known_of_their_publisher)
    start note peal pub t 'note {n}' -e -r 2000 -n 50 -w 1 --name alpha --type note/1 --depth 64
    until_true "$peal" info --no-rates t
    run 0 record t -o "$file" --history 1000 --count 50 --compression lz4 --chunk-size 1K
    expect_exit note 0
    texts "$file" t >"$dir/found"
    numbered note 0 49 | cmp - "$dir/found"
    run 0 replay "$file" --info --json
    json_is '$j->{whole}' true
    json_is '$j->{messages}' 50
    json_is '$j->{lost}' 0
    json_is 'join "|", map { $j->{channels}[0]{$_} } qw(publisher messages topic type_name)' 'alpha|50|t|note/1'
    for text in peal:incarnation peal:message_bytes_max peal:depth peal:bus peal:clock realtime_minus_monotonic_ns "$bus"; do
        grep -aq "$text" "$file" || fail "no $text in the file"
    done
    ;;
topics_that_appear_later_are_recorded_from_their_first_message)
    with_bus
    start rec peal record 'late.*' -o "$file" --count 20 --json
    expect_note rec 'recording 0 topics'
    start one peal pub late.1 'a {n}' -e -r max -n 10 --keep
    start two peal pub late.2 'b {n}' -e -r max -n 10 --keep
    expect_exit rec 0
    texts "$file" late.1 >"$dir/found"
    numbered a 0 9 | cmp - "$dir/found"
    texts "$file" late.2 >"$dir/found"
    numbered b 0 9 | cmp - "$dir/found"
    cp "$dir/rec.out" "$dir/run.out"
    json_is '$j->{messages}' 20
    json_is 'scalar @{$j->{topics}}' 2
    ;;
every_message_that_is_lost_is_reported)
    # A pipe that nobody reads stands for a disk that is too slow.
    mkfifo "$dir/pipe"
    with_bus
    exec 3<>"$dir/pipe"
    start rec peal record t -o "$dir/pipe" --chunk-size 4K --buffer 16K --json
    expect_note rec 'recording 0 topics'
    start load peal pub t "{n} $(seq 250 | tr '\n' ' ')" -e -r max -n 3000 -w 1 --name alpha --depth 64 --no-timestamp
    expect_exit load 0
    cat <"$dir/pipe" >"$file" 3>&- &
    reader=$!
    exec 3>&-
    until_true has_gone t alpha # all of its lane was taken
    stop rec 6
    wait "$reader"
    "$dump" "$file" losses >"$dir/losses"
    "$dump" "$file" text >"$dir/texts"
    cut -d '|' -f 3 "$dir/texts" >"$dir/numbers"
    # What is in the file is as it was published.
    sed "s/.*/t|alpha|&|& $(seq 250 | tr '\n' ' ')/" "$dir/numbers" | cmp - "$dir/texts"
    perl -e 'my %seen; open my $n, "<", $ARGV[0]; while (<$n>) { $seen{$_ + 0}++; } my ($lost, $in_file) = (0, scalar keys %seen);
        open my $l, "<", $ARGV[1];
        while (<$l>) { chomp; my ($t, $p, $count, $none, $ranges) = split /\|/; die "of $p" if "$t $p" ne "t alpha"; die if $none; $lost += $count;
            for (split / /, $ranges) { my ($a, $b) = split /-/; $b //= $a; $seen{$_}++ for $a .. $b } }
        die "nothing was lost, nothing was shown" if $lost < 100 || $in_file < 10;
        die "$in_file + $lost is not 3000" if $in_file + $lost != 3000;
        for (0 .. 2999) { die "number $_ is there " . ($seen{$_} // 0) . " times" if ($seen{$_} // 0) != 1 }
        print "$in_file $lost\n"' "$dir/numbers" "$dir/losses" >"$dir/counts"
    cp "$dir/rec.out" "$dir/run.out"
    json_is 'join " ", $j->{messages}, $j->{lost}' "$(cat "$dir/counts")"
    json_is '$j->{topics}[0]{lost_elsewhere}' 0
    ;;
who_is_reliable_loses_nothing)
    with_bus
    start rec peal record t -o "$file" --count 3000 --reliable
    expect_note rec 'recording 0 topics'
    start load peal pub t 'x {n}' -e -r max -n 3000 -w 1 --depth 8
    expect_exit rec 0
    expect_exit load 0
    texts "$file" t >"$dir/found"
    numbered x 0 2999 | cmp - "$dir/found"
    ;;
history_is_what_was_published_before)
    start old peal pub t 'h {n}' -e -r max -n 5 --keep
    until_true sh -c "'$peal' info --no-rates t | grep -q 5"
    run 0 record t -o "$file" --history 3 --count 3
    texts "$file" t >"$dir/found"
    numbered h 2 4 | cmp - "$dir/found"
    ;;
a_recording_ends_as_told_and_is_whole)
    start load peal pub t --size 4000 -r 20000 --depth 256
    until_true "$peal" info --no-rates t
    run 0 record -o "$file" --size-max 200K --chunk-size 8K --quiet --reliable
    [ "$(wc -c <"$file")" -ge 204000 ] || fail "it has $(wc -c <"$file") bytes"
    "$dump" "$file" >/dev/null
    run 0 record -o "$file" --overwrite --duration 600ms --progress --reliable --compression zstd --level 3
    grep -q '\] *[0-9]*%  00:00  .* messages  .*  0 lost' "$dir/run.err" || fail "no progress: $(cat "$dir/run.err")"
    "$dump" "$file" >/dev/null
    start rec peal record -o "$file" --overwrite --reliable
    expect_note rec 'recording 1 topic'
    stop rec 0
    "$dump" "$file" >/dev/null
    grep -q ' messages of 1 topic, .* has ' "$dir/rec.err" || fail "no summary"
    ;;
queues_are_left_alone)
    start jobs peal pub q job --queue --keep
    until_true "$peal" info --no-rates q
    run 0 record -o "$file" --duration 100ms
    grep -q "queue 'q' is not recorded" "$dir/run.err" || fail "it kept silent"
    [ "$(grep -c "queue 'q'" "$dir/run.err")" -eq 1 ] || fail "it said so again and again"
    run 0 replay "$file" -i --json
    json_is '$j->{messages}' 0
    ;;
the_output_may_be_a_pipe)
    start note peal pub t 'note {n}' -e -r 2000 -n 20 -w 1
    until_true "$peal" info --no-rates t
    run 0 record t -o - -n 20 --history 1000
    texts "$dir/run.out" t >"$dir/found"
    numbered note 0 19 | cmp - "$dir/found"
    refused 2 'would be mixed' record -o - --json
    ;;
a_closed_pipe_and_a_full_disk_end_it_with_one_line)
    start load peal pub t --size 4000 -r 20000 --depth 256
    until_true "$peal" info --no-rates t
    refused 1 '/dev/full: .*No space left on device' \
        record -o /dev/full --chunk-age 1ms --quiet --reliable
    { "$peal" record -o - --quiet --chunk-age 1ms --reliable 2>"$dir/closed.err" || echo $? >"$dir/closed.code"; } | head -c 8 >/dev/null
    [ "$(cat "$dir/closed.code")" -eq 1 ] || fail "it did not end with 1"
    grep -q 'the output: .*Broken pipe; ' "$dir/closed.err" || fail "it said $(cat "$dir/closed.err")"
    # A file that may not become larger: what was written until then can be had.
    (ulimit -f 100 && exec "$peal" record -o "$file" --chunk-size 8K --quiet --reliable 2>"$dir/limit.err") && fail "there was room"
    grep -q 'File too large; the last [0-9]* of' "$dir/limit.err" || fail "it said $(cat "$dir/limit.err")"
    run 6 recover "$file" -o "$dir/saved.mcap" --json
    [ "$(json '$j->{messages}')" -ge 5 ] || fail "little was saved"
    [ "$("$dump" "$dir/saved.mcap" | wc -l)" -eq "$(json '$j->{messages}')" ] || fail "it is not what was told"
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 'there is no region' record -o "$file"
    with_bus
    refused 2 'say -o FILE' record
    echo mine >"$file"
    refused 1 'exists already; --overwrite' record -o "$file"
    [ "$(cat "$file")" = mine ] || fail "it was overwritten"
    refused 3 "cannot write $dir/no/where" record -o "$dir/no/where"
    refused 1 "cannot write $dir: Is a directory" record -o "$dir" --overwrite
    refused 2 '--chunk-size is between' record -o "$dir/new" --chunk-size 100
    refused 2 '--buffer holds two chunks' record -o "$dir/new" --buffer 1M
    refused 2 '--level is one of' record -o "$dir/new" --level 3
    refused 2 '--compression is one of' record -o "$dir/new" -z gzip
    refused 2 '--duration wants a time' record -o "$dir/new" -d soon
    [ ! -e "$dir/new" ] || fail "it made a file"
    run 3 record nothere -o "$dir/new" -d 50ms --quiet
    grep -q "there was no topic 'nothere'" "$dir/run.err" || fail "it did not say what was missing"
    yes garbage | head -c 65536 >"/dev/shm/peal.${bus#posix:}.zero"
    refused 5 'was not made by Peal' record -o "$dir/other" --bus "$bus.zero"
    [ ! -e "$dir/other" ] || fail "it made a file"
    ;;
the_official_reader_finds_what_was_recorded)
    start note peal pub t 'note {n}' -e -r 2000 -n 100 -w 1 --name alpha --type note/1
    start load peal pub u --size 5000 -r 2000 -n 100 -w 1 --name alpha --payload-bytes 2M
    until_true "$peal" info --no-rates t
    until_true "$peal" info --no-rates u
    run 0 record -o "$file" -n 200 --history 1000 -z zstd --chunk-size 64K --reliable
    printf '#!/bin/sh\ncp "%s" "$1" && "%s" "$1"\n' "$file" "$dump" >"$dir/sample"
    chmod +x "$dir/sample"
    code=0
    MCAP_OF=record sh "$source/tests/tools/mcap_official.sh" "$1/../../../mcap-reader" "$dir/sample" || code=$?
    exit "$code"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
