#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# peal top on a terminal of tmux: what is on its screen, what its keys do, and what it leaves behind.
. "$(dirname "$0")/lib.sh"

unset TMUX
# The leak checker stops a process that ends because its terminal has gone, and now and then never lets go of it.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
screens=1 # a server of tmux of its own for each screen: one that ends still has its socket for a while
mux() {
    tmux -L "peal-$$-$screens" -f /dev/null "$@"
}

at_end() {
    mux kill-server 2>/dev/null
}

next_screen() {
    mux kill-server
    screens=$((screens + 1))
}

# look ARGUMENT...: `peal top ARGUMENT...` on a screen of 80x24, after a line of the shell's; how it ended stands there afterwards.
look() {
    command -v tmux >/dev/null || {
        echo "there is no tmux"
        exit 77
    }
    mux new-session -d -x 80 -y 24 \
        "echo before; '$peal' top --interval 20ms $* 2>'$dir/top.err'; echo \"ended with \$?\"; cat '$dir/top.err'; exec cat"
}

keys() {
    mux send-keys "$@"
}

screen() {
    mux capture-pane -p >"$dir/screen.out" && cat "$dir/screen.out"
}

has() {
    screen | grep -q -- "$1"
}

has_not() {
    ! has "$1"
}

# The screen comes to have a line like that, or to have none.
shows() {
    until_true has "$1"
}

shows_not() {
    until_true has_not "$1"
}

is_colourless() {
    ! mux capture-pane -p -e | grep -q "$(printf "\033")\[[0-9;]*3[0-7]m"
}

order_is() {
    [ "$(screen | grep -o '^telemetry[.a-z]*' | tr '\n' ' ')" = "$1 " ]
}

publish() {
    start machine telemetry pub --bus "$bus" --name alpha --rate-hz 50 --duration-s 60
    expect_line machine 'alpha publishes'
}

rates='^telemetry.system  *topic  *1  *0  *[0-9.]*/s '
up='telemetry.cpu telemetry.memory telemetry.system'
down='telemetry.system telemetry.memory telemetry.cpu'

case $case in
topics_clients_and_help_are_shown)
    publish
    look
    shows "$rates"
    has "^peal top  $bus  3 topics 1 client  free .*/64.0 MiB" || fail "no heading"
    keys c
    shows '^ 0 alpha  *alive '
    keys t '?'
    shows '^PgUp PgDn\|^Enter  *watch a topic'
    keys x
    shows "$rates"
    ;;
rows_are_sorted_and_filtered)
    publish
    look
    until_true order_is "$up"
    keys S
    until_true order_is "$down"
    keys /
    shows '^filter: '
    keys m e m
    shows_not '^telemetry.cpu'
    has '^telemetry.memory' || fail "the row that has the text has gone, too"
    keys BSpace BSpace BSpace z z
    shows 'the filter leaves nothing'
    keys Escape
    until_true order_is "$down"
    ;;
while_it_is_paused_nothing_moves)
    publish
    look
    shows "$rates"
    keys p
    shows '^PAUSED'
    stop machine
    keys c
    shows "^ 0 alpha  *alive "
    keys t
    shows "^TOPIC "
    has "3 topics 1 client " || fail "it has looked"
    keys p
    shows_not '^PAUSED'
    shows '0 clients'
    ;;
a_topic_is_watched_with_its_messages)
    publish
    look
    until_true order_is "$up"
    keys Down Enter
    shows '^topic telemetry.memory  type telemetry_memory'
    shows '^pub  alpha  *[0-9.]*/s\|^pub  alpha '
    shows 'alpha  *#[0-9]* 88 B'
    has ' 61 6c 70 68 61 .*alpha' || fail "no hex dump"
    first=$(screen | grep -o '#[0-9]*' | head -n 1)
    shows_not "alpha  *$first "
    keys x
    shows 'x: text$'
    keys Escape
    until_true order_is "$up"
    keys q
    shows '^ended with 0'
    ;;
messages_of_a_queue_cannot_be_looked_at)
    start office workers post --bus "$bus" --jobs 3
    expect_exit office 0
    look
    shows "^workers.jobs  *queue "
    keys Enter
    shows "^Messages of a queue are for one reader only"
    shows "^push "
    ;;
it_fits_whatever_the_size_becomes)
    publish
    look
    shows "$rates"
    mux resize-window -x 120 -y 40
    shows 'LAG OF EACH'
    has "/64.0 MiB  *[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$" || fail "no clock"
    keys '?'
    shows '^FINDS '
    keys x
    mux resize-window -x 60 -y 10
    shows_not 'LAG OF EACH'
    shows '^telemetry.cpu .*/s'
    has '^q quit' || fail "no foot"
    for size in '20 5' '10 2' '1 1'; do
        mux resize-window -x "${size% *}" -y "${size#* }"
        keys Down Enter
    done
    mux resize-window -x 80 -y 24
    shows '^topic telemetry'
    keys q
    shows '^ended with 0'
    ;;
a_region_may_go_and_come_again)
    publish
    look
    shows "$rates"
    stop machine
    rm "/dev/shm/peal.${bus#posix:}"
    shows 'there is no region: waiting'
    printf 'this is no region' >"/dev/shm/peal.${bus#posix:}"
    shows_not 'there is no region'
    rm "/dev/shm/peal.${bus#posix:}"
    publish
    shows "$rates"
    : >"/dev/shm/peal.${bus#posix:}" # cut short under everybody's feet
    shows_not "$rates"
    keys q
    shows '^ended with 0'
    ;;
the_terminal_is_as_before_however_it_ends)
    publish
    for way in q C-c TERM QUIT; do
        look
        shows "$rates"
        case $way in
        TERM | QUIT) kill -$way "$(pgrep -P "$(mux list-panes -F '#{pane_pid}')" peal)" ;;
        *) keys $way ;;
        esac
        shows '^ended with 0'
        has '^before' || fail "the lines of before have gone ($way)"
        has_not '^TOPIC' || fail "it has left something behind ($way)"
        [ "$(mux display-message -p '#{cursor_flag} #{alternate_on}')" = '1 0' ] || fail "not restored ($way)"
        next_screen
    done
    ;;
looks_are_printed_for_scripts)
    publish
    run 0 top --once --interval 100ms
    said '^telemetry.cpu  *topic  *1  *0  *[0-9.]*/s'
    run 0 top --once --interval 20ms --sort rate --reverse --filter MEM
    said '^telemetry.memory'
    [ "$(grep -c '^telemetry' "$dir/run.out")" -eq 1 ] || fail "the filter was not applied"
    run 0 top --batch --count 2 --interval 20ms --view clients
    [ "$(grep -c '^0  alpha  *alive' "$dir/run.out")" -eq 2 ] || fail "not two looks"
    run 0 top --once --interval 20ms telemetry.cpu
    said '^pub  *alpha '
    run 0 top --once --interval 100ms --json --filter cpu
    json_is '$j->{status}' PEAL_OK
    json_is 'scalar @{$j->{topics}}' 1
    json_is '$j->{topics}[0]{publishers}[0]{name}' alpha
    json_is '$j->{topics}[0]{rate_hz} > 1' 1
    json_is '$j->{clients}[0]{life}' alive
    start looking peal top --batch --interval 20ms
    expect_line looking '^telemetry.cpu ' 3
    stop looking
    { "$peal" top --batch --interval 1ms 2>"$dir/pipe.err" && code=0 || code=$?; echo "ended with $code" >"$dir/pipe"; } | head -n 1 >/dev/null
    until_true grep "^ended with 1" "$dir/pipe"
    grep -q "who read our output has gone" "$dir/pipe.err" || fail "a closed pipe is not told"
    if [ -e /dev/full ]; then
        code=0
        "$peal" top --once --interval 1ms >/dev/full 2>"$dir/run.err" || code=$?
        [ "$code" -eq 1 ] || fail "a full disk is not told"
    fi
    ;;
what_cannot_be_is_refused_in_one_line)
    refused 3 'there is no region' top --once
    publish
    refused 2 'needs a terminal; peal top --batch' top
    refused 2 "there is no column 'weight' here; there are topic" top --once --sort weight
    refused 2 'an interval is 1ms to 1h' top --once --interval 1us
    refused 2 '--json goes with --batch' top --json
    refused 2 'contradict each other' top --once --count 2
    refused 3 "there is no topic 'nix'" top --once nix
    printf 'this is no region' >"$dir/garbage"
    refused 5 'cannot look at file:' top --once --bus "file:$dir/garbage"
    ;;
a_terminal_that_cannot_draw_is_refused)
    publish
    for kind in dumb nosuchterminal; do
        mux new-session -d -x 120 -y 24 "TERM=$kind '$peal' top; echo \"ended with \$?\"; exec cat"
        shows "cannot draw on a terminal of the kind TERM=$kind; set TERM"
        shows '^ended with 2'
        next_screen
    done
    ;;
colours_are_used_where_they_are_wanted)
    publish
    look
    shows "$rates"
    ! is_colourless || fail "no colours"
    next_screen
    look --color never
    shows "$rates"
    is_colourless || fail "colours in spite of --color never"
    next_screen
    export NO_COLOR=1
    look
    shows "$rates"
    is_colourless || fail "colours in spite of NO_COLOR"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
