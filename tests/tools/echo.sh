#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# The bus is there, and stays.
keep_bus() {
    start keeper peal pub keeper x --keep --name keeper
    expect_note keeper made
    until_true takes_part keeper keeper
}

# say TEXT OPTION...: one message to the topic `t`, for who subscribes. Each is another publisher's, and there is no order between
# publishers: where the order counts, wait until the first is heard.
say() {
    run 0 pub t "$@" --wait-subscribers 1
}

# heard EXPECTED: what `ear` has printed, once it has ended.
heard() {
    expect_exit ear 0
    printf "$1" >"$dir/expected"
    cmp -s "$dir/expected" "$dir/ear.out" || fail "heard: $(cat "$dir/ear.out")"
}

case $case in
headers_tell_who_and_when)
    keep_bus
    start ear peal echo t u --wait --count 3
    say hello --name alpha
    say again --name alpha
    run 0 pub u x --name beta -w 1 --no-timestamp
    expect_exit ear 0
    expect_line ear '^--- t #0 from alpha, [0-9.]* [mun]*s ago, 5 B$' 2
    expect_line ear '^hello$'
    expect_line ear '^-- alpha began anew, after #0 (t) --$'
    expect_line ear '^--- u #0 from beta, 1 B$'
    ;;
contents_never_reach_a_terminal_raw)
    keep_bus
    start ear peal echo t --wait --no-header --format text --count 3
    printf 'red \033[31m\r \302\233 \342\200\256 \377 gr\303\274n\ttab\nline\0' >"$dir/bytes"
    run 0 pub t --file "$dir/bytes" -w 1
    expect_line ear 'red'
    say ''
    expect_line ear '^$'
    say 'C:\\path'
    heard 'red \\x1b[31m\\r \\u{9b} \\u{202e} \\xff gr\303\274n\ttab\nline\\0\n\nC:\\\\path\n'
    start ear peal echo t --wait --no-header --count 2
    run 0 pub t --file "$dir/bytes" -w 1
    expect_line ear '^00000020'
    say 'text' --count 1
    heard "00000000  72 65 64 20 1b 5b 33 31  6d 0d 20 c2 9b 20 e2 80  |red .[31m. .. ..|
00000010  ae 20 ff 20 67 72 c3 bc  6e 09 74 61 62 0a 6c 69  |. . gr..n.tab.li|
00000020  6e 65 00                                          |ne.|
text
"
    start ear peal echo t --wait --no-header --format hex --bytes 3 --count 1
    say text
    heard '00000000  74 65 78                                          |tex|\n'
    start ear peal echo t --wait --format raw --count 2
    say one
    expect_line ear one
    run 0 pub t --file "$dir/bytes" -w 1
    expect_exit ear 0
    { printf one && cat "$dir/bytes"; } | cmp - "$dir/ear.out"
    ;;
json_lines_hold_all)
    keep_bus
    start ear peal echo t --wait --json --count 2
    say 'a "b"' --name alpha
    expect_line ear alpha
    printf '\001\002' >"$dir/bytes"
    run 0 pub t --file "$dir/bytes" -w 1 --no-timestamp --name beta
    expect_exit ear 0
    { echo '['; paste -sd, "$dir/ear.out"; echo ']'; } >"$dir/run.out"
    json_is '$j->[0]{text}' 'a "b"'
    json_is '$j->[0]{topic} . $j->[0]{publisher} . $j->[0]{number} . $j->[0]{size_bytes} . $j->[0]{lost}' talpha050
    json_is '$j->[0]{timestamp_ns} > 0' 1
    json_is 'length $j->[0]{incarnation}' 16
    json_is '$j->[1]{base64}' AQI=
    json_is '$j->[1]{timestamp_ns}' 0
    ;;
losses_are_told_in_place)
    keep_bus
    start ear peal echo t --wait --no-header
    start json peal echo t --wait --json
    start told peal echo t --wait
    run 0 pub t first --wait-subscribers 3
    expect_line told first
    expect_line json first
    expect_line ear first
    kill -STOP "$(pid_of told)" "$(pid_of json)" "$(pid_of ear)"
    run 0 pub t 'tick {n}' --expand --depth 4 --count 100
    kill -CONT "$(pid_of told)" "$(pid_of json)" "$(pid_of ear)"
    expect_line told 'tick 99'
    expect_line ear 'tick 99'
    expect_line json 'tick 99'
    stop told
    stop json
    stop ear
    lost=$(sed -n 's/^-- \([0-9]*\) messages lost (t, peal-pub.*) --$/\1/p' "$dir/told.out")
    ticks=$(grep -c '^tick' "$dir/told.out")
    [ "$((lost + ticks))" -eq 100 ] || fail "$lost lost and $ticks printed are not 100"
    grep -q "^peal echo: $((ticks + 1)) messages, $lost lost, 0 spoilt$" "$dir/told.err" || fail "$(cat "$dir/told.err")"
    expect_line json '"lost":9[0-9],'
    ! grep -q lost "$dir/ear.out" || fail "told beside the contents: $(cat "$dir/ear.out")"
    ;;
reliable_loses_nothing)
    keep_bus
    start ear peal echo t --wait --no-header --reliable --count 5000
    run 0 pub t '{n}' --expand --depth 4 --count 5000 --wait-subscribers 1
    expect_exit ear 0
    seq 0 4999 | cmp - "$dir/ear.out"
    ;;
it_begins_where_it_is_told)
    start late peal pub t '{n}' -e --count 10 --rate max --keep --name late
    until_true takes_part t late
    run 0 echo t --history 3 --count 3 --no-header
    [ "$(tr '\n' ' ' <"$dir/run.out")" = '7 8 9 ' ] || fail "$(cat "$dir/run.out")"
    run 0 echo t --history 1000 --latest --count 1 --no-header
    said '^9$'
    grep -q '1 messages, 9 skipped' "$dir/run.err" || fail "$(cat "$dir/run.err")"
    refused 7 'nothing came in time' echo t --timeout 1ms
    run 0 echo t --peek --history 2
    said "^--- t #9 from late, "
    [ "$(grep -c "^[89]$" "$dir/run.out")" -eq 2 ] || fail "$(cat "$dir/run.out")"
    ;;
what_the_dead_left_can_be_seen)
    keep_bus
    start late peal pub t "{n}" -e --count 10 --depth 4 --rate max --keep --name late
    until_true takes_part t late
    kill -9 "$(pid_of late)"
    wait "$(pid_of late)" || :
    run 0 echo t --peek --no-header
    [ "$(tr "\n" " " <"$dir/run.out")" = "6 7 8 9 " ] || fail "what a dead publisher left: $(cat "$dir/run.out")"
    cp "/dev/shm/peal.${bus#posix:}" "$dir/copy"
    run 0 echo t --peek --no-header --count 1 --bus "file:$dir/copy"
    said "^6$"
    run 0 echo t --peek --json --history 1 --bus "file:$dir/copy"
    json_is "\$j->{publisher} . \$j->{number} . \$j->{text}" late99
    refused 2 "file" echo t --bus "file:$dir/copy"
    refused 3 "there is no topic .u. on file:" echo u --peek --bus "file:$dir/copy"
    refused 2 "peek looks and ends" echo t --peek --wait
    run 0 pub jobs x --queue
    refused 2 "is a queue, and --peek cannot" echo jobs --peek
    ;;
it_waits_for_what_is_not_there)
    start ear peal echo t --wait --no-header --count 1
    start jobs peal echo jobs --wait --pop --no-header --count 2
    start never peal echo t --wait
    refused 7 "$bus did not come in time" echo t --wait --timeout 1ms
    run 0 pub jobs 'job {n}' -e --count 2 --queue
    run 0 pub t first --wait-subscribers 2
    heard 'first\n'
    expect_exit jobs 0
    expect_line jobs 'job 1'
    stop never
    ;;
queues_are_popped_only_if_told)
    run 0 pub jobs 'job {n}' -e --count 3 --queue
    refused 2 "'jobs' is a queue; --pop takes" echo jobs
    run 0 echo jobs --pop --count 1
    said '^--- jobs #0 of lane 0, 5 B$'
    said '^job 0$'
    run 7 echo jobs --pop --count 3 --timeout 1ms --json
    said '"topic":"jobs","lane":0,"redelivered":false,"number":1,"size_bytes":5,"text":"job 1"'
    grep -q "nothing came in time" "$dir/run.err" || fail "$(cat "$dir/run.err")"
    ;;
examples_are_heard)
    start machine telemetry pub --bus "$bus" --name alpha --duration-s 60
    expect_line machine 'alpha publishes'
    run 0 echo telemetry.cpu telemetry.mem --wait --count 2 --timeout 20s
    said '^--- telemetry.* #[0-9]* from alpha, '
    said '^00000000  '
    stop machine
    ;;
a_full_disk_and_a_closed_pipe_end_it)
    start load peal pub t 'tick {n}' -e --rate 2000 --name load
    until_true takes_part t load
    code=0
    "$peal" echo t >/dev/full 2>"$dir/full.err" || code=$?
    [ "$code" -eq 1 ] || fail "with a full disk it ended with exit code $code"
    [ "$(cat "$dir/full.err")" = 'peal echo: cannot write the output: No space left on device' ] || fail "$(cat "$dir/full.err")"
    { code=0; "$peal" echo t 2>"$dir/pipe.err" || code=$?; echo "$code" >"$dir/code"; } | head -n 1 >"$dir/head"
    [ "$(cat "$dir/code")" -eq 1 ] || fail "with a closed pipe it ended with exit code $(cat "$dir/code")"
    grep -q '^peal echo: who read our output has gone$' "$dir/pipe.err" || fail "$(cat "$dir/pipe.err")"
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 "$bus: there is no" echo t
    keep_bus
    refused 3 "there is no topic 't' on $bus" echo t
    refused 3 "there is no topic 't' on $bus" echo keeper t
    refused 2 'something is missing' echo
    refused 2 '--json and --format exclude' echo keeper --json --format hex
    refused 2 '--latest and --reliable exclude' echo keeper --latest --reliable
    refused 2 '--format is one of: auto text hex json raw' echo keeper --format pretty
    printf 'garbage' >"$dir/garbage"
    refused 5 "$dir/garbage" echo t --bus "file:$dir/garbage"
    head -c 5000 /dev/urandom >"/dev/shm/peal.${bus#posix:}.x"
    refused 5 'posix' echo t --bus "$bus.x"
    refused 2 'local' echo t --bus local:x
    setpriv --reuid=65534 --clear-groups "$peal" --version >"$dir/none.out" 2>&1 || exit 0 # not root
    code=0
    setpriv --reuid=65534 --clear-groups "$peal" echo keeper 2>"$dir/denied.err" || code=$?
    [ "$code" -eq 4 ] || fail "without permission it ended with exit code $code"
    [ "$(wc -l <"$dir/denied.err")" -eq 1 ] || fail "$(cat "$dir/denied.err")"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
