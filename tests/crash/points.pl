#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Holds the fault points to the stores.
#
#   points.pl stores ROOT             after each store to shared memory in core, and of the bus, stands a fault point
#   points.pl names ROOT [--but PREFIX]... PROGRAM...
#                                     the points in the source are those that the programs say they have passed,
#                                     but for those of another campaign
#   points.pl selftest ROOT           both find what they are for
#
# A point may follow a run of relaxed stores: what a run fills in nobody reads before a later store publishes it, and the
# campaign of single steps (tests/crash/step_test.c) dies between any two of them. A store without a point says why
# in a comment above it: "no fault point: REASON".
use strict;
use warnings;

my ( $case, $root, @programs ) = @ARGV;
die "usage: points.pl stores|names|selftest ROOT [PROGRAM...]\n" if !defined $root;

# Lines that may stand between a store and its point.
my $reach = 9;

my $rmw   = qr/\bpeal_u(?:32|64)_(?:store_(?:release|seq_cst)|exchange_\w+|add_\w+|or_\w+|and_\w+|cas_\w+)\s*\(/;
my $plain = qr/\bpeal_u(?:32|64)_store_relaxed\s*\(|\bpeal_text_store\s*\(|\bpeal_copy_in(?:_words)?\s*\(/;
my $owner = qr/\bpeal_owner_swap\s*\(|\bpeal_epoch_move\s*\(/;

# These hold points themselves.
my $point = qr/\bPEAL_FAULT\(|\b(?:peal_stamp_(?:fence|publish)|publish_loan)\s*\(/;

# These are private, though they are words of core/atomic.h: cursors that our own threads poll.
my $private = qr/\(\s*&(?:reader->cursor|bus->|endpoint->|waitset->|membership->|publisher->targets|subscriber->)/;

# In the bus, what is shared with other programs.
my $of_bus = qr/sleepers\.armed|\barmed\b\s*,|shared->writer|self->counters/;

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "points: cannot read $path: $!\n";
    local $/;
    return <$file>;
}

# Code with comments blanked, and comments alone, line by line.
sub split_source {
    my ($text) = @_;
    my ( $code, $comments ) = ( $text, $text );
    $code =~ s{(/\*.*?\*/|//[^\n]*)}{ my $c = $1; $c =~ s/[^\n]/ /g; $c }gse;
    $comments =~ s{(/\*.*?\*/|//[^\n]*)|([^\n])}{ defined $1 ? $1 : ' ' }gse;
    return ( [ split /\n/, $code, -1 ], [ split /\n/, $comments, -1 ] );
}

sub sources {
    my ($top) = @_;
    my @found = map { glob "$top/$_/*.[ch]" } qw(core bus);
    # What these hold are the tools themselves: the accessors, the word's two operations, the epoch.
    return grep { !m{/core/(?:atomic|owner|epoch|fault|copy|text)\.[ch]$} } @found;
}

sub complaints_about_stores {
    my ($top) = @_;
    my @complaints;
    for my $path ( sources($top) ) {
        my ( $code, $comments ) = split_source( slurp($path) );
        my $in_bus = $path =~ m{/bus/};
        for my $i ( 0 .. $#$code ) {
            next if $code->[$i] !~ /$rmw|$plain|$owner/;
            my $call = join ' ', grep { defined } @$code[ $i .. $i + 2 ];
            next if $call =~ $private || ( $in_bus && $call !~ $of_bus );
            next if $code->[$i] =~ /^static|^#define/;
            my $above = join ' ', map { $comments->[$_] // '' } ( $i > 5 ? $i - 5 : 0 ) .. $i;
            next if $above =~ /no fault point:/;
            my $is_plain = $code->[$i] =~ $plain && $code->[$i] !~ /$rmw|$owner/;
            my $is_followed;
            for my $j ( $i + 1 .. $i + $reach ) {
                last if !defined $code->[$j] || $code->[$j] =~ /^}/;
                $is_followed = 1, last if $code->[$j] =~ $point;
                # Another store first, and not one of the same run?
                last if $code->[$j] =~ /$rmw|$owner/ && !$is_plain;
                last if $code->[$j] =~ $rmw || $code->[$j] =~ $owner;
            }
            ( my $shown = $path ) =~ s{^\Q$top\E/}{};
            push @complaints, "$shown:" . ( $i + 1 ) . ": no fault point after this store" if !$is_followed;
        }
    }
    return @complaints;
}

my @others;    # prefixes of points that other campaigns pass
while ( @programs >= 2 && $programs[0] eq '--but' ) {
    shift @programs;
    push @others, shift @programs;
}

sub points_in_source {
    my ($top) = @_;
    my %points;
    for my $path ( sources($top) ) {
        my ($code) = split_source( slurp($path) );
        my $text = join "\n", @$code;
        $points{$1}++ while $text =~ /PEAL_FAULT\("([^"]+)"\)/g;
    }
    for my $other (@others) { delete @points{ grep { /^\Q$other\E/ } keys %points } }
    return %points;
}

# Each program prints "point NAME PASSES" for each that it passed, when it is asked for --points.
sub complaints_about_names {
    my ( $top, @run ) = @_;
    my %points = points_in_source($top);
    my %passed;
    for my $program (@run) {
        my $output = `"$program" --points`;
        die "points: $program --points failed\n" if $?;
        $passed{$1} = 1 while $output =~ /^point (\S+) [1-9]\d*$/mg;
    }
    my @complaints = map { "no run passes the point '$_'" } grep { !$passed{$_} } sort keys %points;
    push @complaints, map { "the point '$_' is not in the source" } grep { !$points{$_} } sort keys %passed;
    printf "%d points in the source, %d passed\n", scalar keys %points, scalar keys %passed;
    return @complaints;
}

sub selftest {
    require File::Temp;
    require File::Path;
    my $top = File::Temp::tempdir( CLEANUP => 1 );
    File::Path::make_path( "$top/core", "$top/bus" );
    my $write = sub {
        open my $file, '>', "$top/$_[0]" or die $!;
        print $file $_[1];
        close $file or die $!;
    };
    my @cases = (
        [ 0, "void f(void)\n{\n    peal_u64_store_relaxed(&a->b, 1);\n    PEAL_FAULT(\"x.y\");\n}\n" ],
        [ 1, "void f(void)\n{\n    peal_u64_store_relaxed(&a->b, 1);\n}\n" ],
        [ 1, "void f(void)\n{\n    peal_epoch_move(&a->b);\n    peal_owner_swap(&a->c, 1, 2);\n    PEAL_FAULT(\"x.y\");\n}\n" ],
        [ 0, "void f(void)\n{\n    /* no fault point: because */\n    peal_epoch_move(&a->b);\n}\n" ],
        [ 0, "void f(void)\n{\n    peal_u64_store_relaxed(&a, 1);\n    peal_u64_store_relaxed(&b, 1);\n    PEAL_FAULT(\"x.y\");\n}\n" ],
    );
    my $failed = 0;
    for my $case (@cases) {
        $write->( 'core/a.c', $case->[1] );
        my @found = complaints_about_stores($top);
        next if @found == $case->[0];
        print "expected $case->[0] complaints, got " . scalar(@found) . " about:\n$case->[1]";
        $failed++;
    }
    $write->( 'core/a.c', "void f(void)\n{\n    PEAL_FAULT(\"x.y\");\n    PEAL_FAULT(\"x.z\");\n}\n" );
    $write->( 'run', "#!/bin/sh\necho point x.y 3\necho point x.q 1\n" );
    chmod 0755, "$top/run";
    my @found = complaints_about_names( $top, "$top/run" );
    $failed++ if @found != 2;
    return $failed ? ("$failed of the self-tests failed") : ();
}

my @complaints =
    $case eq 'stores'   ? complaints_about_stores($root)
  : $case eq 'names'    ? complaints_about_names( $root, @programs )
  : $case eq 'selftest' ? selftest()
  :                       die "points: there is no case '$case'\n";
print "$_\n" for @complaints;
printf "%d complaints\n", scalar @complaints;
exit( @complaints ? 1 : 0 );
