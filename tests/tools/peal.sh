#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What all commands have in common.
. "$(dirname "$0")/lib.sh"

all_commands() {
    "$peal" --help | sed -n '/^commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

publish() {
    start machine telemetry pub --bus "$1" --name alpha --duration-s 60
    expect_line machine 'alpha publishes'
}

case $case in
without_a_command_one_is_asked_for)
    refused 2 'peal: a command is missing; peal --help shows all'
    refused 2 'a command is missing' --bus "$bus"
    refused 2 "-b needs a value: URL" -b
    ;;
an_unknown_command_is_answered_with_a_near_one)
    refused 2 "there is no command 'sl'; is ls meant?" sl
    refused 2 "there is no command 'l'; is ls meant?" --bus "$bus" l
    refused 2 "there is no command 'frobnicate'; peal --help" frobnicate
    refused 2 "there is no command ''" ''
    refused 2 "there is no command '-'" -
    refused 2 "there is no option '--jsno'; is --json meant?" ls --jsno
    refused 2 "there is no option '--frobnicate'; --help shows all" ls --frobnicate
    refused 2 "there is no option '-%'" ls -%
    refused 2 "there is no option '--frobnicate'" --frobnicate
    refused 2 "there is no command '?\[31mred'" "$(printf '\033[31mred')"
    ;;
the_version_is_that_of_the_library)
    run 0 --version
    version=$(sed -n "s/^#define PEAL_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p" "$source/include/peal/version.h" | paste -sd .)
    [ "$(cat "$dir/run.out")" = "peal $version" ] || fail "the version is $(cat "$dir/run.out"), not $version"
    cp "$dir/run.out" "$dir/version"
    run 0 ls --version
    cmp "$dir/run.out" "$dir/version" || fail 'a command has another version'
    ;;
help_shows_every_command_with_a_line)
    run 0 --help
    said '^usage: peal COMMAND'
    all_commands >"$dir/commands"
    [ "$(wc -l <"$dir/commands")" -ge 1 ] || fail 'there is no command'
    run 0 -h
    said '^  ls  *[a-z].*[a-z)]$'
    sed -n '/^commands:$/,/^$/{/^  /p}' "$dir/run.out" | grep -v '^  [a-z]*  *[a-z].*[a-z)]$' >"$dir/bad" &&
        fail "a summary begins with a small letter and ends without a stop: $(cat "$dir/bad")"
    [ "$(awk 'length > 100' "$dir/run.out")" = '' ] || fail 'a line is longer than 100 columns'
    ;;
help_of_every_command_is_complete)
    for command in $(all_commands); do
        run 0 "$command" --help
        [ ! -s "$dir/run.err" ] || fail "peal $command --help says on stderr: $(cat "$dir/run.err")"
        head -n 1 "$dir/run.out" | grep -q "^usage: peal $command \[OPTION\]\.\.\." || fail "$command: no usage"
        said "^peal $command: [a-z].*\.$"
        said '^options:$'
        said '^  -b, --bus URL '
        said '^  -h, --help '
        awk 'length > 100 { print; wrong = 1 } END { exit wrong }' "$dir/run.out" || fail "$command: longer than 100 columns"
        grep -v '^ ' "$dir/run.out" | grep -n '[[:space:]]$' && fail "$command: blanks at the end of a line"
        # One letter or name has one meaning.
        for pattern in 's/^  -\(.\), --.*/\1/p' 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p'; do
            twice=$(sed -n "$pattern" "$dir/run.out" | sort | uniq -d)
            [ -z "$twice" ] || fail "$command has option $twice twice"
        done
        # And so it is wherever --help stands, and whatever is missing.
        cp "$dir/run.out" "$dir/help"
        run 0 --help "$command"
        cmp -s "$dir/run.out" "$dir/help" || fail "peal --help $command shows something else"
    done
    ;;
an_option_of_every_command_wants_its_value)
    for command in $(all_commands); do
        refused 2 "^peal $command: there is no option '--frobnicate'" "$command" --frobnicate
        refused 2 "^peal $command: --bus needs a value: URL" "$command" --bus
        refused 2 "^peal $command: --color is one of: auto always never; not 'pink'" "$command" --color pink
        refused 2 "^peal $command: --help takes no value" "$command" --help=yes
        "$peal" "$command" --help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\) [A-Z].*/\2/p' >"$dir/valued"
        option=$(tail -n 1 "$dir/valued")
        refused 2 "^peal $command: $option needs a value" "$command" "$option"
    done
    ;;
the_bus_may_stand_before_or_behind_the_command)
    publish "$bus"
    PEAL_BUS=
    run 0 --bus "$bus" ls --no-rates
    said telemetry.cpu
    cp "$dir/run.out" "$dir/first"
    for words in "ls --no-rates --bus $bus" "ls --no-rates -b $bus" "ls --no-rates -b$bus" "ls --no-rates --bus=$bus" "--bus=$bus ls --no-rates" "-b $bus ls --no-rates" "--color never -b $bus ls --no-rates" \
        "--bus $bus --color never ls --no-rates --"; do
        run 0 $words
        said telemetry.cpu
    done
    PEAL_BUS=posix:tool-none
    run 0 ls --no-rates --bus "$bus"
    said telemetry.cpu
    PEAL_BUS=$bus
    run 0 ls --no-rates
    said telemetry.cpu
    refused 3 'posix:tool-none' ls --no-rates --bus posix:tool-none
    refused 2 "--bus wants a text, not ''" ls --no-rates --bus ''
    ;;
an_empty_or_wrong_url_is_told)
    publish "$bus"
    for PEAL_BUS in nonsense posix: posix:/ 'posix:-a' posix:a?b=c; do
        run 2 ls
        [ "$(wc -l <"$dir/run.err")" -eq 1 ] || fail "$PEAL_BUS: more than one line: $(cat "$dir/run.err")"
    done
    # Empty is as if it were not set: the only region, or a question. Other tests may have theirs.
    PEAL_BUS=
    code=0
    "$peal" info >"$dir/run.out" 2>"$dir/run.err" || code=$?
    case $code in
    0) ;;
    2) grep -q "which bus? say --bus URL, or set PEAL_BUS; there are .*posix:" "$dir/run.err" || fail "$(cat "$dir/run.err")" ;;
    *) fail "peal info with an empty PEAL_BUS ended with $code: $(cat "$dir/run.err")" ;;
    esac
    ;;
output_that_does_not_arrive_is_told)
    for arguments in --help --version 'ls --help'; do
        code=0
        "$peal" $arguments >/dev/full 2>"$dir/run.err" || code=$?
        [ "$code" -eq 1 ] || fail "on a full disk, peal $arguments ended with $code"
        grep -q 'No space left' "$dir/run.err" || fail "it said: $(cat "$dir/run.err")"
        code=0
        "$peal" $arguments >&- 2>"$dir/run.err" || code=$?
        [ "$code" -eq 1 ] || fail "with stdout closed, peal $arguments ended with $code"
        [ "$(wc -l <"$dir/run.err")" -eq 1 ] || fail "it said: $(cat "$dir/run.err")"
        # A pipe whose reader has gone before the first byte: the reader is `true`, and peal starts after it has ended.
        mkfifo "$dir/fifo"
        {
            exec 3<>"$dir/fifo" 4>"$dir/fifo"
            exec 3>&-
            "$peal" $arguments >&4 2>"$dir/run.err" 4>&- && fail "into a closed pipe, peal $arguments ended with 0"
        }
        exec 4>&-
        rm "$dir/fifo"
        grep -q 'who read our output has gone' "$dir/run.err" || fail "it said: $(cat "$dir/run.err")"
    done
    ;;
colour_is_for_terminals_unless_wanted)
    # The heading of a table is painted.
    publish "$bus"
    colourful() {
        grep -q "$(printf '\033\\[')" "$dir/run.out"
    }
    run 0 ls --no-rates
    ! colourful || fail 'colour goes into a file'
    run 0 ls --no-rates --color always
    colourful || fail '--color always has none'
    run 0 ls --no-rates --color=never
    ! colourful || fail '--color never has some'
    NO_COLOR=1
    export NO_COLOR
    run 0 ls --no-rates --color always
    colourful || fail 'what is asked for outright has colour, NO_COLOR or not'
    unset NO_COLOR
    command -v script >/dev/null || exit 0
    on_terminal() {
        script -qec "$1" /dev/null >"$dir/run.out" </dev/null
    }
    on_terminal "TERM=xterm '$peal' ls --no-rates"
    colourful || fail 'on a terminal there is none'
    on_terminal "TERM=xterm NO_COLOR=1 '$peal' ls --no-rates"
    ! colourful || fail 'NO_COLOR does not count'
    on_terminal "TERM=xterm NO_COLOR= '$peal' ls --no-rates"
    colourful || fail 'an empty NO_COLOR counts'
    on_terminal "TERM=dumb '$peal' ls --no-rates"
    ! colourful || fail 'a dumb terminal gets colour'
    on_terminal "TERM=xterm '$peal' ls --no-rates --color never"
    ! colourful || fail '--color never has some on a terminal'
    ;;
*)
    fail "there is no case $case"
    ;;
esac
