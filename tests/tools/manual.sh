#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/man/peal.1 beside the program's own tables: neither has what the other has not.
. "$(dirname "$0")/lib.sh"
page=$source/docs/man/peal.1

# Sorts what a page says about its commands into files of $dir: "COMMAND.page" has a line for each option, as --help has it in
# "COMMAND.help". The common options are those of the command "every".
sort_page() {
    perl -e '
        my ( $page, $dir ) = @ARGV;
        open my $file, "<", $page or die "no $page";
        my ( $command, $out, %said );
        while (<$file>) {
            $command = /^\.Ss Options of every command/ ? "every" : /^\.Ss ([a-z]+)\b(.*)/ ? $1 : undef if /^\.S[sh]/;
            next if !defined $command;
            $said{$command} //= "";
            if (/^\.Ss \S+(.*)/ && $command ne "every") {
                open my $operands, ">", "$dir/$command.operands.page" or die;
                print $operands join( " ", $1 =~ /\b([A-Z]{2,})\b/g ), "\n";
            }
            next if !/^\.It (Fl .*)/;
            my $words = $1;
            $words =~ s/^Fl (\S) , /-$1, /;
            $words =~ s/Fl Fl (\S+)/--$1/;
            $words =~ s/ Ar / /;
            $words = "    $words" if $words =~ /^--/;
            $said{$command} .= "$words\n";
        }
        for ( keys %said ) {
            open my $out, ">", "$dir/$_.page" or die;
            print $out $said{$_};
        }' "$page" "$dir"
}

# Options of a command, without those of every command.
options_of() {
    run 0 "$1" --help
    # A help text begins behind the 29th column, or on the next line; only before that is a value.
    perl -ne 'BEGIN { $on = 0 } $on = 1 if /^options:$/; next if !$on || !/^  (?:-., |    )--/;
        chomp; my $left = length > 29 && substr( $_, 28, 1 ) eq " " ? substr( $_, 0, 29 ) : $_;
        $left =~ s/^  //; $left =~ s/\s+$//; print "$left\n"' "$dir/run.out" >"$dir/all"
}

is_common() {
    grep -e '--bus URL$' -e '--color WHEN$' -e '--help$' -e '--version$' -e '--json$'
}

all_commands() {
    "$peal" --help | sed -n '/^commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

case $case in
every_command_and_option_has_its_entry_and_no_other)
    sort_page
    all_commands >"$dir/commands"
    [ "$(wc -l <"$dir/commands")" -ge 1 ] || fail 'there is no command'
    ls "$dir" | sed -n 's/^\([a-z]*\)\.page$/\1/p' | grep -vx every | sort >"$dir/told"
    sort "$dir/commands" | diff - "$dir/told" || fail 'the manual has other commands than the program'
    while read -r command; do
        options_of "$command"
        is_common <"$dir/all" >>"$dir/every.help"
        is_common <"$dir/all" | cat >"$dir/common"
        grep -vxFf "$dir/common" "$dir/all" | sort >"$dir/$command.help" || true
        sort "$dir/$command.page" | diff "$dir/$command.help" - || fail "$command has other options (<) than the manual tells (>)"
        sed -n '1{s/usage: peal [a-z]* \[OPTION\]\.\.\.//;s/[^A-Z]\{1,\}/ /g;s/^ //;s/ $//;p;}' "$dir/run.out" |
            diff - "$dir/$command.operands.page" || fail "$command takes other operands (<) than the manual tells (>)"
    done <"$dir/commands"
    sort -u "$dir/every.help" >"$dir/all"
    sort "$dir/every.page" | diff "$dir/all" - || fail 'the options of every command (<) are not those of the manual (>)'
    ;;
every_choice_is_explained)
    # From the entry of an option to the next one.
    for command in $(all_commands); do
        options_of "$command"
        # Help ends with the choices; whether it really does, the program is asked.
        perl -0ne 's/\n {29}/ /g; print "$1\n" while /^  (?:-., |    )(--[a-z-]+) .*: [a-z0-9]+(?: [a-z0-9]+)+$/mg' \
            "$dir/run.out" >"$dir/valued"
        while read -r option; do
            case $option in
            --bus | --color) continue ;;
            esac
            run 0 complete -- "$command" "$option" ''
            cut -f 1 "$dir/run.out" | grep -x '[a-z0-9-]\{1,\}' >"$dir/choices" || continue
            awk -v command="$command" -v option="${option#--}" '/^\.S[sh]/ { here = $2 == command }
                /^\.It/ { entry = here && $0 ~ "Fl Fl " option "( |$)" } entry' "$page" >"$dir/entry"
            while read -r choice; do
                grep -qw -e "$choice" "$dir/entry" || fail "$command $option: nothing is told of '$choice'"
            done <"$dir/choices"
        done <"$dir/valued"
    done
    ;;
every_exit_code_and_variable_is_told)
    sed -n 's/^ *EXIT_[A-Z_]* = \([0-9]*\),.*/\1/p' "$source/tools/peal/kit/exit_code.h" >"$dir/codes"
    [ "$(wc -l <"$dir/codes")" -ge 9 ] || fail 'exit_code.h has changed its looks'
    sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' "$page" | diff "$dir/codes" - ||
        fail 'the exit codes are not those of the manual'
    grep -rho 'getenv("[A-Z_]*")' "$source/tools/peal" | sed 's/.*"\(.*\)".*/\1/' | sort -u >"$dir/variables"
    while read -r variable; do
        sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh FILES/p' "$page" | grep -qw "It Ev $variable" || fail "$variable is not told"
    done <"$dir/variables"
    ;;
the_examples_are_valid)
    # Each command line of the section parses: --help behind it is still help, and not a complaint.
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" | grep '^peal ' | sed 's/ |.*//' >"$dir/examples"
    [ "$(wc -l <"$dir/examples")" -ge 5 ] || fail 'there are too few examples'
    while read -r line; do
        eval "set -- $line"
        shift
        run 0 "$@" --help
    done <"$dir/examples"
    ;;
*)
    fail "there is no case $case"
    ;;
esac
