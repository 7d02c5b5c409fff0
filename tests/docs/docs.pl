#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Holds the documents to the tree.
#
#   docs.pl links|names|manual|samples|selftest ROOT
#   docs.pl readme ROOT FOLDER_OF_LIBRARY
#
#   links    every relative link of every *.md leads to a file
#   names    every file, every peal_ function and every test that a document names in `backticks` exists
#   manual   mandoc finds nothing to say about docs/man/*; NAME and SYNOPSIS of the pages have every PEAL_API function
#            and no other; each public header has its page
#   samples  every block of C in *.md and every program under EXAMPLES in the manual compiles
#   readme   the program in README.md builds against the library, and its two ends talk to each other
#   selftest each of the above finds what it is for
#
# A block of C in a document says above itself how it is held to compile:
#   <!-- compile: program -->        as it stands
#   <!-- compile: body DECLARATIONS -->  inside of a function, after these declarations
#   <!-- file: NAME -->              it belongs to another test (tests/examples/getting_started.sh)
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Find qw(find);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use POSIX qw(_exit);

my ( $case, $root, $library ) = @ARGV;
die "usage: docs.pl links|names|manual|samples|selftest|readme ROOT [FOLDER_OF_LIBRARY]\n" if !defined $root;
$root = abs_path($root);
my @cc = ( split( ' ', $ENV{CC} // 'cc' ), qw(-std=c17 -Wall -Wextra -Werror) );
my @complaints;

sub complain { push @complaints, join ': ', @_ }

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "docs: cannot read $path: $!\n";
    local $/;
    return <$file>;
}

sub spew {
    my ( $path, $text ) = @_;
    make_path( dirname($path) );
    open my $file, '>', $path or die "docs: cannot write $path: $!\n";
    print $file $text;
    close $file or die "docs: cannot write $path: $!\n";
}

# Paths below ROOT that match, build folders and git's left out.
sub files {
    my ( $pattern, $top ) = @_;
    my @found;
    my $start = defined $top ? "$root/$top" : $root;
    return if !-d $start;
    find(
        {
            no_chdir   => 1,
            preprocess => sub { sort grep { !/^(?:\.git|build.*)$/ } @_ },
            wanted     => sub { push @found, substr $_, 1 + length $root if -f && $_ =~ $pattern },
        },
        $start
    );
    return @found;
}

sub documents { return files(qr/\.md$/) }

# ---- links -----------------------------------------------------------------------------------------------------------

# GitHub's name of a heading, as links use it.
sub anchor_of {
    my ($heading) = @_;
    $heading =~ s/\[([^\]]*)\]\([^)]*\)/$1/g;
    $heading = lc $heading;
    $heading =~ s/[^\w\- ]//g;
    $heading =~ tr/ /-/;
    return $heading;
}

sub check_links {
    for my $document (documents) {
        my $text = slurp("$root/$document");
        $text =~ s/^```.*?^```//gms;
        $text =~ s/`[^`\n]*`//g;
        while ( $text =~ /\]\(([^)\s]+)\)/g ) {
            my $link = $1;
            next if $link =~ m{^(?:https?|mailto):};
            my ( $path, $anchor ) = $link =~ /^([^#]*)(?:#(.*))?$/;
            my $target = $path eq '' ? "$root/$document" : dirname("$root/$document") . "/$path";
            complain( $document, "the link $link leads nowhere" ) if !-e $target;
            next if !defined $anchor || $target !~ /\.md$/ || !-e $target;
            my $there = slurp($target);
            $there =~ s/^```.*?^```//gms;
            my %anchors = map { anchor_of($_) => 1 } $there =~ /^#+\s+(.*?)\s*$/gm;
            complain( $document, "there is no heading for $link" ) if !$anchors{$anchor};
        }
    }
}

# ---- names -----------------------------------------------------------------------------------------------------------

my $source_folders = qr{(?:\.ci|bench|bus|cmake|core|device|docs|driver|examples|include|scripts|tests|tools|transport)};

sub check_names {
    my @sources = files(qr/\.(?:c|h|cc|map)$/);
    my %text    = map { $_ => slurp("$root/$_") } @sources;
    my $all     = join "\n", values %text;
    my %known;
    $known{$1} = 1 while $all =~ /\b(peal_\w+)\b/g;
    my @documents = ( documents, files( qr/\.svg$/, 'docs' ) );
    for my $document (@documents) {
        my $text = slurp("$root/$document");
        if ( $document !~ /\.svg$/ ) {
            $text =~ s/^```.*?^```//gms;
            $text = join "\n", $text =~ /`([^`\n]+)`/g;
        }
        while ( $text =~ m{(?<![\w/.])($source_folders/[\w./*-]*\w)(?::(\w+)(?:\(\))?)?}g ) {
            my ( $path, $name ) = ( $1, $2 );
            next if $path =~ m{/[A-Z]+(?:/|$)};    # transport/NAME stands for any
            if ( $path =~ /\*/ ) {
                complain( $document, "no file is called $path" ) if !glob "$root/$path";
                next;
            }
            complain( $document, "there is no $path" ) if !-e "$root/$path";
            next if !defined $name || !-f "$root/$path" || $name =~ /^\d+$/;
            complain( $document, "$path has no $name" ) if slurp("$root/$path") !~ /\b\Q$name\E\b/;
        }
        while ( $text =~ /\b(peal_\w+)\(/g ) {
            complain( $document, "there is no function $1()" ) if !$known{$1};
        }
    }
}

# ---- the manual ------------------------------------------------------------------------------------------------------

# Parameters as one text, however they are broken into lines and spaces.
sub parameters {
    my $text = join ', ', @_;
    $text =~ s/\s+/ /g;
    $text =~ s/\s*([*,])\s*/$1/g;
    $text =~ s/^\s+|\s+$//g;
    return $text;
}

# Name of each exported function -> [header, parameters].
sub exported {
    my %names;
    for my $header ( files( qr/\.h$/, 'include/peal' ) ) {
        my $text = slurp("$root/$header");
        $text =~ s{/\*.*?\*/}{}gs;
        $names{$1} = [ $header, parameters($2) ] while $text =~ /^PEAL_API\s[^;]*?\b(peal_\w+)\s*\(([^;]*)\);/gms;
    }
    return %names;
}

# Name of each function in a SYNOPSIS -> its parameters.
sub synopsis {
    my ($text) = @_;
    my %names;
    while ( $text =~ /^\.Fn (\w+)(.*)$/gm ) {
        my ( $name, $rest ) = ( $1, $2 );
        $names{$name} = parameters( map { s/"//gr } $rest =~ /"[^"]*"|[^\s"]+/g );
    }
    while ( $text =~ /^\.Fo (\w+)\n(.*?)^\.Fc/gms ) {
        my ( $name, $rest ) = ( $1, $2 );
        $names{$name} = parameters( $rest =~ /^\.Fa "([^"]*)"/gm );
    }
    return %names;
}

sub check_manual {
    my %exported = exported;
    my ( %named, %shown, %included );
    my @pages = files( qr/\.[0-9]$/, 'docs/man' );
    complain( 'docs/man', 'there is no page' ) if !@pages;
    for my $page (@pages) {
        my $text = slurp("$root/$page");
        my ($title) = $text =~ /^\.Dt (\S+)/m;
        my $name = basename($page) =~ s/\.[0-9]$//r;
        complain( $page, "its title is not $name" ) if lc( $title // '' ) ne $name;
        my ($name_section) = $text =~ /^\.Sh NAME\n(.*?)^\.Sh/ms;
        my ($synopsis)     = $text =~ /^\.Sh SYNOPSIS\n(.*?)^\.Sh/ms;
        $named{$1} = $page    while ( $name_section // '' ) =~ /^\.Nm (peal_\w+)/gm;
        my %functions = synopsis( $synopsis // '' );
        for my $function ( sort keys %functions ) {
            $shown{$function} = $page;
            my $known = $exported{$function} or next;
            complain( $page, "$function has the parameters ($functions{$function}), in $known->[0] it has ($known->[1])" )
              if $functions{$function} ne $known->[1];
        }
        $included{$1} = $page while ( $synopsis // '' ) =~ /^\.In (\S+)/gm;
    }
    for my $name ( sort keys %exported ) {
        complain( $exported{$name}[0], "$name is in no page's NAME" )     if !$named{$name};
        complain( $exported{$name}[0], "$name is in no page's SYNOPSIS" ) if !$shown{$name};
    }
    for my $name ( sort keys %shown ) {
        complain( $shown{$name}, "$name is no function of the library" ) if !$exported{$name};
    }
    for my $header ( files( qr/\.h$/, 'include/peal' ) ) {
        my $name = $header =~ s{^include/}{}r;
        complain( $header, 'no page includes it' ) if !$included{$name} && $name !~ /export\.h$/;
    }
    if ( system('command -v mandoc >/dev/null 2>&1') != 0 ) {
        print "docs: SKIPPED the lint: mandoc is not installed\n";
        return !@complaints;
    }
    for my $page (@pages) {
        my @lines = `mandoc -Tlint -Wwarning '$root/$page' 2>&1`;
        complain( $page, $_ ) for map { chomp; s/^mandoc: \Q$root\E\///r } @lines;
    }
    return 0;
}

# ---- samples ---------------------------------------------------------------------------------------------------------

my $folder = tempdir( CLEANUP => 1 );

# True if it compiles; says why not, otherwise.
sub compiles {
    my ( $where, $text, @more ) = @_;
    spew( "$folder/sample.c", $text );
    my $command = join ' ', map { "'$_'" } @cc, "-I$root/include", '-D_GNU_SOURCE', "$folder/sample.c", @more;
    my $output = `$command 2>&1`;
    return 1 if $? == 0;
    complain( $where, "does not compile:\n$output" );
    return 0;
}

my $prelude = join '', map { "#include <$_>\n" }
  qw(peal/peal.h inttypes.h stdint.h stdio.h stdlib.h string.h sys/mman.h sys/epoll.h);

sub check_samples {
    my $count = 0;
    for my $document (documents) {
        my $text = slurp("$root/$document");
        while ( $text =~ /(?:<!-- ([^\n]*?) -->\n)?^```c\n(.*?)^```/gms ) {
            my ( $marker, $sample ) = ( $1 // '', $2 );
            my $where = "$document:" . ( 1 + ( substr( $text, 0, $-[2] ) =~ tr/\n// ) );
            next if $marker =~ /^file: /;
            if ( $marker eq 'compile: program' ) {
                compiles( $where, $sample, '-fsyntax-only' );
            }
            elsif ( $marker =~ /^compile: body ?(.*)$/ ) {
                compiles( $where, "$prelude\nvoid sample_(void);\n$1\nvoid sample_(void)\n{\n$sample}\n", '-fsyntax-only' );
            }
            else {
                complain( $where, 'say above the block how it compiles: <!-- compile: program --> or the like' );
                next;
            }
            $count++;
        }
    }
    for my $page ( files( qr/\.[0-9]$/, 'docs/man' ) ) {
        my $text = slurp("$root/$page");
        my ($examples) = $text =~ /^\.Sh EXAMPLES\n(.*?)(?:^\.Sh|\z)/ms or next;
        while ( $examples =~ /^\.Bd -literal[^\n]*\n(.*?)^\.Ed/gms ) {
            ( my $sample = $1 ) =~ s/\\e/\\/g;
            $sample =~ s/\\&//g;
            next if $sample !~ /#include/;
            compiles( $page, $sample, '-fsyntax-only' );
            $count++;
        }
    }
    complain( $root, 'there is no sample at all' ) if !$count;
    print "$count samples\n";
}

# ---- the program of the README ---------------------------------------------------------------------------------------

sub start {
    my ( $output, @command ) = @_;
    my $pid = fork // die "docs: cannot fork: $!\n";
    return $pid if $pid;
    open STDOUT, '>', $output or _exit(126);
    open STDERR, '>&', \*STDOUT or _exit(126);
    exec @command or _exit(127);
}

sub check_readme {
    my ($sample) = slurp("$root/README.md") =~ /<!-- compile: program -->\n```c\n(.*?)^```/ms;
    if ( !defined $sample ) { complain( 'README.md', 'has no program' ); return }
    compiles( 'README.md', $sample, '-o', "$folder/sample", "-L$library", "-Wl,-rpath,$library", '-lpeal' ) or return;
    my $bus = "posix:docs-$$";
    my $subscriber = start( "$folder/out", "$folder/sample", $bus );
    my $publisher;
    # It may come first: the subscriber then hears the next message. So the publisher comes again until it was heard.
    my $heard = 0;
    for ( 1 .. 200 ) {
        $publisher = start( "$folder/pub", "$folder/sample", $bus, '21500' );
        waitpid $publisher, 0;
        complain( 'README.md', 'the publisher says: ' . slurp("$folder/pub") ), last if $? != 0;
        if ( waitpid( $subscriber, POSIX::WNOHANG() ) == $subscriber ) { $heard = 1; last }
        select undef, undef, undef, 0.05;
    }
    if ( !$heard ) {
        kill 'KILL', $subscriber;
        waitpid $subscriber, 0;
    }
    my $said = slurp("$folder/out");
    complain( 'README.md', "the subscriber says: $said" ) if $said !~ /21500/;
    unlink "/dev/shm/peal.docs-$$";
}

# ---- selftest --------------------------------------------------------------------------------------------------------

# [what it shows, case, files, what must be said]
sub selftest_cases {
    my $header = "PEAL_API int peal_a(void);\n";
    my $page = ".Dd \$Mdocdate\$\n.Dt PEAL_A 3\n.Os\n.Sh NAME\n.Nm peal_a\n.Nd does a\n.Sh SYNOPSIS\n.In peal/a.h\n"
      . ".Ft int\n.Fn peal_a void\n.Sh DESCRIPTION\nText.\n";
    return (
        [ 'a link that leads somewhere', 'links', { 'a.md' => "[b](b.md)\n", 'b.md' => "# B\n" }, '' ],
        [ 'a link that leads nowhere', 'links', { 'a.md' => "[b](b.md)\n" }, 'leads nowhere' ],
        [ 'a heading that is not there', 'links', { 'a.md' => "[b](#b-c)\n# B\n" }, 'no heading' ],
        [ 'a file that is not there', 'names', { 'a.md' => "`core/lane.c`\n" }, 'there is no core/lane.c' ],
        [ 'a test that is not there', 'names', { 'a.md' => "`tests/a.c:it_works`\n", 'tests/a.c' => "int x;\n" }, 'has no it_works' ],
        [ 'a function that is not there', 'names', { 'a.md' => "`peal_a()`\n" }, 'no function peal_a' ],
        [ 'names that are there', 'names', { 'a.md' => "`peal_a()` `core/a.c:it`\n", 'core/a.c' => "peal_a(it)\n" }, '' ],
        [ 'a page for each function', 'manual', { 'include/peal/a.h' => $header, 'docs/man/peal_a.3' => $page =~ s/\$Mdocdate\$/January 1, 2026/r }, '' ],
        [ 'a function without a page', 'manual', { 'include/peal/a.h' => "${header}PEAL_API int peal_b(void);\n", 'docs/man/peal_a.3' => $page }, 'peal_b is in no page' ],
        [ 'a page with other parameters', 'manual', { 'include/peal/a.h' => "PEAL_API int peal_a(int a);\n", 'docs/man/peal_a.3' => $page }, 'has the parameters (void)' ],
        [ 'a page of a function that is not there', 'manual', { 'include/peal/a.h' => '', 'docs/man/peal_a.3' => $page }, 'no function of the library' ],
        [ 'a sample without a marker', 'samples', { 'a.md' => "```c\nint a;\n```\n" }, 'say above the block' ],
        [ 'a sample that does not compile', 'samples', { 'a.md' => "<!-- compile: program -->\n```c\nint a\n```\n" }, 'does not compile' ],
        [ 'a sample that compiles', 'samples', { 'a.md' => "<!-- compile: program -->\n```c\nint a;\n```\n" }, '' ],
    );
}

sub selftest {
    my $failed = 0;
    my @cases = selftest_cases;
    for my $test (@cases) {
        my ( $what, $which, $tree, $wanted ) = @$test;
        my $place = tempdir( CLEANUP => 1 );
        spew( "$place/$_", $tree->{$_} ) for keys %$tree;
        # The samples are compiled beside nothing but the public header that they include, which may be empty here.
        my $output = `'$^X' '@{[ abs_path($0) ]}' $which '$place' 2>&1`;
        my $code = $? >> 8;
        next if $wanted eq '' ? $code == 0 || $code == 77 : $code == 1 && index( $output, $wanted ) >= 0;
        print "FAILED: $what: wanted '", $wanted || 'nothing', "', got exit code $code and\n$output";
        $failed++;
    }
    printf "%d cases, %d failed\n", scalar @cases, $failed;
    exit( $failed ? 1 : 0 );
}

# ---- main ------------------------------------------------------------------------------------------------------------

my $skipped = 0;
if    ( $case eq 'links' )    { check_links }
elsif ( $case eq 'names' )    { check_names }
elsif ( $case eq 'manual' )   { $skipped = check_manual }
elsif ( $case eq 'samples' )  { check_samples }
elsif ( $case eq 'readme' )   { check_readme }
elsif ( $case eq 'selftest' ) { selftest }
else                          { die "docs: there is no case '$case'\n" }
print "$_\n" for @complaints;
printf "%d complaints\n", scalar @complaints;
exit( @complaints ? 1 : $skipped ? 77 : 0 );
