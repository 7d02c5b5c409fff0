#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Does what a tutorial tells its reader to do, and sees whether that shows what it says.
#
#   tutorial.pl run FILE STAGE LIBDIR     STAGE is where the package is installed
#   tutorial.pl selftest
#
# Each fenced block says above itself what it is; one that does not is a mistake, so that nothing is told that nobody tries:
#
#   <!-- run: TERMINAL[, goes on][, exit N [or N]][, exact][, until: COMMAND] -->
#           Lines "$ COMMAND" are typed into this terminal, a real one with bash in it; what follows each is all that it
#           prints. "^C" and "q" are keys. "goes on": the last command does not end by itself. The next block comes when COMMAND,
#           which the reader does not see, is true: a reader takes some seconds anyway.
#   <!-- shows: TERMINAL[, exact] -->     What has appeared in it since, by what was done elsewhere.
#   <!-- screen: TERMINAL -->             The same of a program that uses the whole screen: its words without figures, in this order.
#   <!-- file: NAME -->                   The reader writes this file.
#   <!-- elsewhere: FILE -->              Commands that stand in FILE, whose tests run them.
#
# Lines are compared as a reader would: figures with their units may be others (unless "exact"), blanks more or fewer, and
# "..." stands for any lines. Commands `in backticks` in the text are held to what --help knows.
#
# The bus posix:tutorial is one of this run only.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG _exit);
use Time::HiRes qw(time sleep);

my $limit_s = 20;
my $suffix  = "-$$";
my $folder;
my %terminals;

# ---- the document ----------------------------------------------------------------------------------------------------

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "cannot read $path: $!\n";
    local $/;
    return scalar <$file>;
}

# [line number, marker, language, lines...] of each fenced block.
sub blocks_of {
    my ($text) = @_;
    my ( @blocks, $block, $marker, $number );
    for my $line ( split /\n/, $text ) {
        $number++;
        if ($block) {
            if   ( $line =~ /^```\s*$/ ) { push @blocks, $block; undef $block }
            else                         { push @$block, $line }
        }
        elsif ( $line =~ /^```(\w*)/ ) {
            $block = [ $number, $marker // '', $1 ];
        }
        $marker = $line =~ /^<!-- (.*) -->$/ ? $1 : $block ? $marker : undef;
        undef $marker if $block && @$block > 3;
    }
    die "line $block->[0]: the block has no end\n" if $block;
    return @blocks;
}

# "run: first, goes on, until: COMMAND" -> kind, name, options
sub read_marker {
    my ($marker) = @_;
    my ( $kind, $rest ) = $marker =~ /^(run|shows|screen|file|elsewhere): (.*)$/ or return;
    my %options;
    $options{until} = $1 if $rest =~ s/, until: (.*)$//;
    $options{exit}  = $1 if $rest =~ s/, exit (\d+(?: or \d+)?)\b//;
    $options{on}    = 1  if $rest =~ s/, goes on\b//;
    $options{exact} = 1  if $rest =~ s/, exact\b//;
    return ( $kind, $rest, \%options );
}

# ---- terminals -------------------------------------------------------------------------------------------------------

# script(1) gives bash a terminal; what appears there goes to a file.
sub terminal {
    my ($name) = @_;
    return $terminals{$name} if $terminals{$name};
    my $log = "$folder/.terminal-" . scalar( keys %terminals );
    pipe my $read, my $keys or die "no pipe: $!\n";
    my $pid = fork // die "cannot fork: $!\n";
    if ( !$pid ) {
        open STDIN,  '<&', $read or _exit(126);
        open STDOUT, '>',  $log  or _exit(126);
        open STDERR, '>&', \*STDOUT or _exit(126);
        close $keys;
        exec 'script', '-qfc', 'exec bash --norc --noprofile --noediting -i', '/dev/null' or _exit(127);
    }
    close $read;
    $keys->autoflush(1);
    my $terminal = $terminals{$name} = { name => $name, pid => $pid, keys => $keys, log => $log, seen => 0 };
    type( $terminal, "stty -echo noflsh rows 24 cols 100; PS1= PS2=; echo \@re''ady \$\$\n" );
    until_true( "$name is a terminal", sub { screen($terminal) =~ /\@ready (\d+)\n/ and $terminal->{bash} = $1 } );
    $terminal->{seen} = $+[0] if screen($terminal) =~ /\@ready \d+\n/;
    return $terminal;
}

sub type {
    my ( $terminal, $text ) = @_;
    print { $terminal->{keys} } $text;
}

# Bash itself reads what is typed: no program has the terminal.
sub in_front {
    my ($terminal) = @_;
    return 1 if !-e "/proc/$terminal->{bash}";
    my @stat = split ' ', slurp("/proc/$terminal->{bash}/stat") =~ s{^.*\)}{}sr;
    return $stat[5] == $terminal->{bash};    # tpgid
}

# All that has appeared.
sub screen {
    my ($terminal) = @_;
    my $text = -e $terminal->{log} ? slurp( $terminal->{log} ) : '';
    $text =~ s/\r+\n/\n/g;
    return $text;
}

sub until_true {
    my ( $what, $is_true, $explain ) = @_;
    my $deadline = time + $limit_s;
    until ( $is_true->() ) {
        die "not so within $limit_s s: $what\n" . ( $explain ? $explain->() : '' ) if time > $deadline;
        sleep 0.005;
    }
}

# Ends what was left running, however it ended.
sub end_terminals {
    for my $terminal ( values %terminals ) {
        my $deadline = time + 1;
        type( $terminal, "\003" ) if $terminal->{bash};
        sleep 0.005 while $terminal->{bash} && !in_front($terminal) && time < $deadline;
        type( $terminal, "\nkill -9 \$(jobs -p) 2>/dev/null; exit\n" );
    }
    my $deadline = time + 3;
    for my $terminal ( values %terminals ) {
        my $ended;
        sleep 0.005 while !( $ended = waitpid $terminal->{pid}, WNOHANG ) && time < $deadline;
        if ( !$ended ) {
            kill 'KILL', $terminal->{pid};
            waitpid $terminal->{pid}, 0;
        }
        close $terminal->{keys};    # not before: script(1) waits some time for who reads an end of file
    }
    %terminals = ();
}

# ---- comparing -------------------------------------------------------------------------------------------------------

my $unit   = qr{(?:ns|us|µs|ms|s|min|h|B|KiB|MiB|GiB|kHz|MHz|Hz|k|M|G|%)};
my $figure = qr{(?=[a-f]*\d)[0-9a-f]{16}\b|0x[0-9a-f]+|-?\d[\d.,:]*(?:\ ?$unit(?:/s)?(?![A-Za-z]))?}x;

sub pattern_of {
    my ( $line, $exact ) = @_;
    my $pattern = '';
    while ( $line ne '' ) {
        if    ( $line =~ s/^\s+// )                  { $pattern .= '\s+' }
        elsif ( !$exact && $line =~ s/^($figure)// ) { $pattern .= '(?:' . $figure . '|-)' }    # -: there was none
        elsif ( $line =~ s/^([^\W\d]+|.)//s )        { $pattern .= quotemeta $1 }
    }
    return $pattern;
}

# Answers what does not fit, or undef. @$lines begin at the first of @$wanted; more may follow if $open.
sub difference {
    my ( $wanted, $lines, $exact, $open ) = @_;
    my ( $at, $gap ) = ( 0, 0 );
    for my $line (@$wanted) {
        if ( $line =~ /^\s*\.\.\.\s*$/ ) { $gap = 1; next }
        my $pattern = pattern_of( $line, $exact );
        $at++ while $gap && $at < @$lines && $lines->[$at] !~ /^$pattern\s*$/;
        return "wanted:  $line\nhere is: " . ( $lines->[$at] // 'nothing' )
          if $at >= @$lines || $lines->[$at] !~ /^$pattern\s*$/;
        ( $gap, $at ) = ( 0, $at + 1 );
    }
    return $gap || $open || $at == @$lines ? undef : "not told: $lines->[$at]";
}

sub lines_of {
    my ($text) = @_;
    $text =~ s/\Q$suffix\E\b//g;
    $text =~ s/^.*\r(?:\e\[K)*//mg;    # a line of progress that was written over
    return split /\n/, $text;
}

# ---- doing -----------------------------------------------------------------------------------------------------------

sub own_bus {
    my ($text) = @_;
    $text =~ s/\b(posix:|peal\.)tutorial\b/$1tutorial$suffix/g;
    return $text;
}

# Waits until what is typed has ended; answers its exit code and what it printed.
sub ended {
    my ($terminal) = @_;
    type( $terminal, "printf '\@done %d\\n' \$?\n" );
    my $said;
    until_true(
        "what was typed into terminal '$terminal->{name}' ends",
        sub { ($said) = substr( screen($terminal), $terminal->{seen} ) =~ /\A(.*?\@done \d+\n)/s },
        sub { "it shows:\n" . substr screen($terminal), $terminal->{seen} }
    );
    $terminal->{seen} += length $said;
    $terminal->{on} = 0;
    $said =~ s/\@done (\d+)\n\z//;
    return ( $1, $said );
}

# [command or key, lines that it shows...]
sub steps_of {
    my (@lines) = @_;
    my @steps;
    while (@lines) {
        my $line = shift @lines;
        if ( $line =~ /^\$ (.*)/s ) {
            my $command = $1;
            $command .= "\n" . shift @lines while $command =~ /\\$/ && @lines;
            push @steps, [$command];
        }
        elsif ( $line eq '^C' || $line eq 'q' ) { push @steps, [$line] }
        elsif (@steps)                          { push @{ $steps[-1] }, $line }
        else                                    { die "say first what is typed: \$ COMMAND\n" }
    }
    return @steps;
}

sub run_step {
    my ( $terminal, $options, $last, $typed, @wanted ) = @_;
    if ( $typed eq '^C' || $typed eq 'q' ) {
        die "there is nothing that '$typed' could end\n" if !$terminal->{on};
        type( $terminal, $typed eq 'q' ? 'q' : "\003" );
        # What is typed before it has ended, it might still read itself.
        until_true( "'$typed' ends it", sub { in_front($terminal) } );
        @wanted = ('...') if $typed eq 'q' && !@wanted;    # it clears its screen
    }
    else {
        die "'$typed' is typed while something else runs\n" if $terminal->{on};
        type( $terminal, own_bus($typed) . "\n" );
    }
    if ( $last && $options->{on} ) {
        $terminal->{on} = 1;
        shows( $terminal, $options->{exact}, @wanted ) if @wanted;
        return;
    }
    my ( $code, $said ) = ended($terminal);
    my $expected = $last ? $options->{exit} // 0 : 0;
    die "'$typed' ended with $code and said:\n$said\n" if !grep { $code == $_ } split / or /, $expected;
    my $difference = difference( \@wanted, [ lines_of($said) ], $options->{exact} );
    die "'$typed' shows something else:\n$difference\nAll of it:\n$said\n" if $difference;
}

# Waits until it has appeared.
sub shows {
    my ( $terminal, $exact, @wanted ) = @_;
    my $difference;
    until_true(
        "terminal '$terminal->{name}' shows what is told",
        sub {
            my $text = substr screen($terminal), $terminal->{seen};
            $text =~ s/[^\n]*\z//;    # a line that is not finished
            return !defined( $difference = difference( \@wanted, [ lines_of($text) ], $exact, 1 ) );
        },
        sub { "$difference\nAll of it:\n" . substr screen($terminal), $terminal->{seen} }
    );
    # What was told is done with; "..." may have run over more.
    my $text = substr screen($terminal), $terminal->{seen};
    my @lines = $text =~ /([^\n]*\n)/g;
    for my $count ( 1 .. @lines ) {
        my $part = join '', @lines[ 0 .. $count - 1 ];
        next if defined difference( \@wanted, [ lines_of($part) ], $exact, 1 );
        $terminal->{seen} += length $part;
        return;
    }
}

# Words that a full-screen program has drawn, in order; how the cursor moved between them does not matter.
sub shows_screen {
    my ( $terminal, @wanted ) = @_;
    my @patterns = map { my $pattern = pattern_of( $_, 0 ); qr/$pattern/ } grep { !/\d/ && $_ ne q{...} } map { split ' ' } @wanted;
    my $missing;
    until_true(
        "the screen in terminal '$terminal->{name}' shows what is told",
        sub {
            my $text = substr screen($terminal), $terminal->{seen};
            $text =~ s/\e\[[0-9;?]*[A-Za-z]|\e[()].|\e./ /g;
            $text =~ s/\Q$suffix\E\b//g;
            # Each where it comes first: looking for the best place of all together would take for ever.
            pos($text) = 0;
            for my $pattern (@patterns) {
                next if $text =~ /$pattern/g;
                $missing = $pattern;
                return 0;
            }
            return 1;
        },
        sub { "wanted: $missing\nit is: " . substr screen($terminal), $terminal->{seen} }
    );
}

sub do_block {
    my ( $kind, $name, $options, $document, @lines ) = @_;
    if ( $kind eq 'file' ) {
        open my $file, '>', "$folder/$name" or die "cannot write $name: $!\n";
        print $file own_bus( join "\n", @lines, '' );
        close $file or die "cannot write $name: $!\n";
    }
    elsif ( $kind eq 'elsewhere' ) {
        my $there = slurp( dirname($document) . "/$name" );
        for my $line ( grep { !/^\s*(?:#.*)?$/ } @lines ) {
            $line =~ s/^\$ //;
            die "'$line' does not stand in $name\n" if $there !~ /^\Q$line\E$/m;
        }
    }
    elsif ( $kind eq 'shows' )  { shows( terminal($name), $options->{exact}, @lines ) }
    elsif ( $kind eq 'screen' ) { shows_screen( terminal($name), @lines ) }
    else {
        my $terminal = terminal($name);
        my @steps    = steps_of(@lines);
        die "there is nothing to run\n" if !@steps;
        run_step( $terminal, $options, $_ == $#steps, @{ $steps[$_] } ) for 0 .. $#steps;
    }
    my $command = $options->{until} // return;
    $command = own_bus($command);
    until_true( $command, sub { system( 'sh', '-c', "($command) >/dev/null 2>&1" ) == 0 } );
}

# `peal COMMAND --option` in the text: there is such a thing.
sub check_text {
    my ($text) = @_;
    my %help;
    $text =~ s/^```.*?^```//gms;
    for my $words ( $text =~ /`peal ([a-z][^`\n]*)`/g ) {
        my ( $command, @words ) = split ' ', $words;
        my $help = $help{$command} //= `peal $command --help 2>&1`;
        die "`peal $words`: there is no command $command\n" if $help !~ /^usage: peal $command /;
        for my $option ( map { /^(--[a-z-]+|-[a-zA-Z])/ ? $1 : () } @words ) {
            die "`peal $words`: it has no option $option\n" if $help !~ /^ +(?:-., +)?\Q$option\E\b/m;
        }
    }
}

sub run_document {
    my ( $document, $stage, $libdir ) = @_;
    $document = abs_path($document) or die "there is no such file\n";
    $ENV{PATH}            = "$stage/bin:$ENV{PATH}";
    $ENV{LD_LIBRARY_PATH} = "$stage/$libdir";
    $ENV{PKG_CONFIG_PATH} = "$stage/$libdir/pkgconfig";
    @ENV{qw(TERM LC_ALL TZ HISTFILE NO_COLOR PEAL_BUS)} = ( 'xterm', 'C.UTF-8', 'UTC', '', '1', own_bus('posix:tutorial') );
    $folder = tempdir( CLEANUP => 1 );
    chdir $folder or die "cannot enter $folder: $!\n";
    my $text  = slurp($document);
    my $ok = eval {
        my @blocks = blocks_of($text);
        check_text($text);
        die "there is nothing to do in it\n" if !@blocks;
        for my $block (@blocks) {
            my ( $number, $marker, $language, @lines ) = @$block;
            my $begin = time;
            eval {
                my ( $kind, $name, $options ) = read_marker($marker);
                die "say above the block what it is: <!-- run: TERMINAL --> or the like\n" if !$kind;
                do_block( $kind, $name, $options, $document, @lines );
                1;
            } or die "line $number: $@";
            printf "line %d: %.2f s\n", $number, time - $begin if $ENV{TUTORIAL_TIMES};
        }
        for my $terminal ( values %terminals ) {
            die "something still runs in terminal '$terminal->{name}' at the end\n" if $terminal->{on};
        }
        1;
    };
    my $why = $@;
    end_terminals();
    unlink glob "/dev/shm/peal.tutorial$suffix*";
    chdir '/';
    print "FAILED: ", basename($document), ": $why" if !$ok;
    return $ok ? 0 : 1;
}

# ---- selftest --------------------------------------------------------------------------------------------------------

sub selftest_cases {
    my $block = sub { my ( $marker, @lines ) = @_; return join "\n", "<!-- $marker -->", '```console', @lines, '```', '' };
    return (
        [ 'what is told is done', $block->( 'run: one', '$ echo a  b', 'a b', '$ echo 12 ms', '3.5 us' ), '' ],
        [ 'a block without a marker', "```console\n\$ true\n```\n", 'say above the block' ],
        [ 'a marker of another block', $block->( 'run: one', '$ true' ) . "```sh\ntrue\n```\n", 'say above the block' ],
        [ 'a block that has no end', "<!-- run: one -->\n```console\n\$ true\n", 'has no end' ],
        [ 'no block', "# Title\n", 'nothing to do' ],
        [ 'another word', $block->( 'run: one', '$ echo alpha', 'beta' ), 'shows something else' ],
        [ 'a line too many', $block->( 'run: one', '$ true', 'beta' ), 'here is: nothing' ],
        [ 'a line that is not told', $block->( 'run: one', '$ printf "a\nb\n"', 'a' ), 'not told: b' ],
        [ 'a figure that shall be exact', $block->( 'run: one, exact', '$ echo 1', '2' ), 'shows something else' ],
        [ 'lines that do not matter', $block->( 'run: one', '$ seq 9; echo end', '...', 'end' ), '' ],
        [ 'lines that do not matter, and one that does', $block->( 'run: one', '$ seq 9; echo end', '...', 'begin' ), 'wanted:  begin' ],
        [ 'a command that fails', $block->( 'run: one', '$ false' ), 'ended with 1' ],
        [ 'a command that shall fail', $block->( 'run: one, exit 3', '$ sh -c "exit 3"' ), '' ],
        [ 'two terminals', $block->( 'run: one, goes on', '$ tail -s 0.01 -f --retry said 2>/dev/null' )
              . $block->( 'run: two', '$ echo hello >said' )
              . $block->( 'shows: one', 'hello' )
              . $block->( 'run: two', '$ echo more >>said' )
              . $block->( 'shows: one', 'more' )
              . $block->( 'run: one, exit 130', '^C' ), '' ],
        [ 'what is not shown', $block->( 'run: one, goes on', '$ cat' ) . $block->( 'shows: one', 'hello' ), 'here is: nothing', 0.3 ],
        [ 'what does not end', $block->( 'run: one', '$ cat >/dev/null' ), 'not so within', 0.3 ],
        [ 'what runs to the end', $block->( 'run: one, goes on', '$ cat' ), 'still runs' ],
        [ 'what cannot be ended', $block->( 'run: one', '^C' ), 'nothing that' ],
        [ 'a file', "<!-- file: a.txt -->\n```c\none\ntwo\n```\n" . $block->( 'run: one', '$ cat a.txt', 'one', 'two' ), '' ],
        [ 'what is waited for', $block->( 'run: one, goes on, until: grep -q hello said', '$ sh -c "echo hello >said; cat"' )
              . $block->( 'run: one, exit 130', '^C' ), '' ],
        [ 'commands that stand elsewhere', "<!-- elsewhere: other -->\n```sh\nmake\n```\n", '' ],
        [ 'commands that stand nowhere', "<!-- elsewhere: other -->\n```sh\nmake all\n```\n", 'does not stand in other' ],
        [ 'a command in the text that is none', "Say `peal frobnicate`.\n" . $block->( 'run: one', '$ true' ), 'no command frobnicate' ],
    );
}

sub selftest {
    my $failed = 0;
    my @cases  = selftest_cases;
    for my $case (@cases) {
        my ( $what, $text, $wanted, $limit ) = @$case;
        my $place = tempdir( CLEANUP => 1 );
        for ( [ 'doc.md', $text ], [ 'other', "make\n" ] ) {
            open my $file, '>', "$place/$_->[0]" or die "cannot write: $!\n";
            print $file $_->[1];
        }
        local $ENV{TUTORIAL_LIMIT_S} = $limit // 5;
        my $output = `'$^X' '@{[ abs_path($0) ]}' run '$place/doc.md' '$place' lib 2>&1`;
        my $code   = $? >> 8;
        next if $wanted eq '' ? $code == 0 : $code == 1 && index( $output, $wanted ) >= 0;
        print "FAILED: $what: wanted '", $wanted || 'nothing', "', got exit code $code and\n$output";
        $failed++;
    }
    printf "%d cases, %d failed\n", scalar @cases, $failed;
    return $failed ? 1 : 0;
}

my ( $action, @arguments ) = @ARGV;
die "usage: tutorial.pl run FILE STAGE LIBDIR | selftest\n" if !defined $action || $action !~ /^(?:run|selftest)$/;
for my $program ( 'script', 'bash' ) {
    next if system("command -v $program >/dev/null 2>&1") == 0;
    print "SKIPPED: there is no $program\n";
    exit 77;
}
$limit_s = $ENV{TUTORIAL_LIMIT_S} if $ENV{TUTORIAL_LIMIT_S};
local $SIG{PIPE} = 'IGNORE';
STDOUT->autoflush(1);
exit( $action eq 'run' ? run_document(@arguments) : selftest() );
