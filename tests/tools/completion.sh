#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the shells offer: the tables as `peal complete` tells them, and bash and zsh themselves, typed into as people do.
. "$(dirname "$0")/lib.sh"
tab=$(printf '\t')

# offers WORDS...: `peal complete -- WORDS...` in $dir/offered, the candidates alone in $dir/words. It never fails, and never
# says a word on stderr.
offers() {
    run 0 complete -- "$@"
    [ ! -s "$dir/run.err" ] || fail "peal complete -- $* said: $(cat "$dir/run.err")"
    cp "$dir/run.out" "$dir/offered"
    cut -f 1 "$dir/offered" >"$dir/words"
}

# these CANDIDATE...: just these have been offered.
these() {
    for word in "$@"; do
        echo "$word"
    done | sort >"$dir/wanted"
    sort "$dir/words" | cmp -s - "$dir/wanted" || fail "offered were '$(cat "$dir/words")', not '$*'"
}

# Nothing has been offered, unless names of files may stand there.
only_files() {
    [ ! -s "$dir/offered" ] || [ "$(cat "$dir/offered")" = "${tab}files$tab" ] || fail "offered was: $(cat "$dir/offered")"
}

all_commands() {
    "$peal" --help | sed -n '/^commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# Options as --help of a command shows them.
options_of() {
    "$peal" "$1" --help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

# A bus with the topics telemetry.cpu and others.
publish() {
    start machine telemetry pub --bus "$bus" --name alpha --duration-s 60
    expect_line machine 'alpha publishes'
}

# ---- typing ----

# For each line of $dir/typed a shell's line editor is typed into, and asked what its line has become: $dir/became. A ^I is a
# Tab; ^Xp, which the shell has been told, writes the line down and empties it.
type_into() {
    sed "s/<Tab>/$tab/g; s/<All>/$(printf '\030a')/g; s/\$/$(printf '\030p')/" "$dir/typed" | tr -d '\n' >"$dir/keys"
    printf '\030q' >>"$dir/keys"
    PATH=$(dirname "$peal"):$PATH
    TERM=xterm became=$dir/became completion=$source/tools/peal/completion
    export PATH TERM became completion
    : >"$became"
    timeout 60 script -qec "$1" /dev/null <"$dir/keys" >"$dir/screen" 2>&1 || fail "the shell failed: $(cat "$dir/screen")"
    wrong=$(diff "$dir/hoped" "$became") || fail "lines became others than hoped for: $wrong"
    [ ! -e "$dir/owned" ] || fail 'a name on the bus has been run as a command'
}

# typed LINE BECOMES...
typed() {
    printf '%s\n' "$1" >>"$dir/typed"
    shift
    printf '%s\n' "$*" >>"$dir/hoped"
}

# What is to be typed into any shell, and what that leaves on the line.
lines_for_all_shells() {
    typed 'peal l<Tab>' 'peal ls '
    typed 'peal ls --js<Tab>' 'peal ls --json '
    typed 'peal ls --color al<Tab>' 'peal ls --color always '
    typed 'peal ls --color=ne<Tab>' 'peal ls --color=never '
    typed "peal ls --bus ${bus%?}<Tab>" "peal ls --bus $bus "
    typed "peal ls --bus=${bus%?}<Tab>" "peal ls --bus=$bus "
    typed "peal --bus=$bus l<Tab>" "peal --bus=$bus ls "
    typed 'peal frobnicate <Tab>x' 'peal frobnicate x'
    typed "$peal l<Tab>" "$peal ls "
    : >"$dir/a copy"
    typed "peal ls --bus file:$dir/a<Tab>" "peal ls --bus file:$dir/a\\ copy "
    typed 'peal echo telemetry.c<Tab>' 'peal echo telemetry.cpu '
    typed "PEAL_BUS= peal echo --bus $bus telemetry.c<Tab>" "PEAL_BUS= peal echo --bus $bus telemetry.cpu "
    typed 'peal echo -- telemetry.c<Tab>' 'peal echo -- telemetry.cpu '
    typed 'peal echo od<Tab>' 'peal echo odd\ \$\(touch\ owned\) '
    typed 'peal echo odd\ \$<Tab>' 'peal echo odd\ \$\(touch\ owned\) '
}

topic_is_there() {
    "$peal" complete -- echo "$1" | grep -q .
}

prepare() {
    command -v "$1" >/dev/null || {
        echo "SKIPPED: there is no $1"
        exit 77
    }
    command -v script >/dev/null || {
        echo "SKIPPED: there is no script(1), which gives a shell a terminal"
        exit 77
    }
    publish
    # A name that a shell would take for something else, if it were not quoted.
    start odd peal pub 'odd $(touch owned)' text --keep
    until_true topic_is_there 'odd '
    cd "$dir"
    lines_for_all_shells
}

case $case in
every_command_and_option_is_offered)
    offers ''
    these $(all_commands)
    for command in $(all_commands); do
        offers "$command" --
        these $(options_of "$command")
    done
    offers --color never web --
    these $(options_of web)
    [ "$(grep -c "$tab[a-z]" "$dir/offered")" -gt 3 ] || fail "options are offered without saying what they are"
    offers --
    these --bus --color --help --version
    offers l
    these ls
    ! grep -q complete "$dir/words" || fail 'what is internal is offered'
    ;;
what_may_stand_here_depends_on_what_stands_before)
    offers ls --color ''
    these auto always never
    offers ls --color a
    these auto always
    offers ls --color=n
    these --color=never
    offers ls --js
    these --json
    offers ls -- --js
    these
    offers --color ls ''
    these $(all_commands)
    offers ls --bus --color ''
    these
    offers --bus=x ls --zz
    these
    offers frobnicate ''
    these
    offers --frobnicate=5 ls --js
    these --json
    offers ls --bus file:x
    these ''
    [ "$(cat "$dir/offered")" = "${tab}files${tab}file:" ] || fail "not asked for files but: $(cat "$dir/offered")"
    offers ls --bus=file:x
    [ "$(cat "$dir/offered")" = "${tab}files${tab}--bus=file:" ] || fail "not asked for files but: $(cat "$dir/offered")"
    ;;
buses_and_topics_are_those_there_are_now)
    offers ls --bus "$bus"
    these
    publish
    offers ls --bus "$bus"
    these "$bus"
    offers "-b${bus%?}"
    grep -qx -- "-b$bus" "$dir/words" || fail "the bus is not offered behind -b: $(cat "$dir/words")"
    offers ls --bus file
    these file:
    for command in $(all_commands); do
        "$peal" "$command" --help | head -n 1 | grep -q 'OPTION\]\.\.\. \[*TOPIC' || continue
        offers "$command" telemetry.c
        these telemetry.cpu
    done
    grep -q 'topic of telemetry_cpu, 1 -> 0' "$dir/offered" || fail "what it is is not told: $(cat "$dir/offered")"
    offers echo --bus posix:tool-none telemetry.c
    these
    cp "/dev/shm/peal.${bus#posix:}" "$dir/copy"
    offers echo --bus "file:$dir/copy" telemetry.c
    these telemetry.cpu
    offers echo telemetry.cpu telemetry.m
    these telemetry.memory
    offers top telemetry.cpu telemetry.m
    these
    offers replay file telemetry.m
    these
    offers pub telemetry.cpu telemetry.m
    these
    PEAL_BUS=posix:tool-none
    offers echo -b "$bus" telemetry.c
    these telemetry.cpu
    offers "-b$bus" echo telemetry.c
    these telemetry.cpu
    offers --bus="$bus" echo telemetry.c
    these telemetry.cpu
    ;;
nothing_is_said_when_something_is_wrong)
    head -c 100000 /dev/urandom >"$dir/garbage"
    for PEAL_BUS in posix:tool-none posix:// "file:$dir/garbage" file:/nowhere "file:$dir" nonsense vdev:none local:none ''; do
        for command in ls echo; do
            offers "$command" zzz
            these
        done
    done
    PEAL_BUS=$bus
    truncate -s 3 "/dev/shm/peal.${bus#posix:}"
    for command in $(all_commands); do
        offers "$command" zzz
        only_files
    done
    offers ls --color=
    run 0 complete -- "$(printf 'l\033[31m')"
    ;;
bash_completes)
    prepare bash
    rc=/usr/share/bash-completion/bash_completion
    [ -e $rc ] || {
        echo 'SKIPPED: the package bash-completion is not there'
        exit 77
    }
    cat >"$dir/rc" <<'END'
unset HISTFILE
. /usr/share/bash-completion/bash_completion
. "$completion/peal.bash"
end_line() {
    printf '%s\n' "$READLINE_LINE" >>"$became"
    READLINE_LINE=
    READLINE_POINT=0
}
bind 'set bell-style none'
bind '"\C-xa": insert-completions'
bind -x '"\C-xp": end_line'
bind -x '"\C-xq": exit 0'
END
    typed 'peal ls --color a<All>' 'peal ls --color always auto '
    typed "peal ls --bus '${bus%?}<Tab>" "peal ls --bus '$bus' "
    typed 'peal ls --bus fil<Tab>' 'peal ls --bus file:'
    type_into "bash --rcfile '$dir/rc' -i"
    ;;
zsh_completes)
    prepare zsh
    mkdir "$dir/zdot"
    cat >"$dir/zdot/.zshrc" <<'END'
unset HISTFILE
fpath=($completion $fpath)
autoload -Uz compinit
compinit -u -D
setopt no_beep no_always_last_prompt no_list_beep
end_line() {
    print -r -- "$BUFFER" >>$became
    BUFFER=
}
leave() { exit 0 }
zle -N end_line
zle -N leave
bindkey -e
bindkey '^Xp' end_line
bindkey '^Xq' leave
END
    typed 'peal ls --bus fil<Tab>' 'peal ls --bus file:'
    ZDOTDIR=$dir/zdot
    export ZDOTDIR
    type_into 'zsh -d -i'
    ;;
*)
    fail "there is no case $case"
    ;;
esac
