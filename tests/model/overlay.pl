#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# overlay.pl ROOT OUT: copies core to OUT/core for the model checker, with seam/atomic.h in place of atomic.h, and with
# the mutants of mutants.txt built in. A mutant is a change at one place, which is in force while the variable
# model_mutant has its number; the text that it changes must be there exactly once.
use strict;
use warnings;
use File::Path qw(make_path);

my ( $root, $out ) = @ARGV;
die "usage: overlay.pl ROOT OUT\n" if !defined $out;

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "overlay: cannot read $path: $!\n";
    local $/;
    return <$file>;
}

sub spew {
    my ( $path, $text ) = @_;
    return if -e $path && slurp($path) eq $text;    # unchanged: nothing is compiled again
    open my $file, '>', $path or die "overlay: cannot write $path: $!\n";
    print {$file} $text;
    close $file or die "overlay: cannot write $path: $!\n";
    return;
}

# Blocks "mutant NAME MODEL KIND FILE" with lines "- old" and "+ new".
sub mutants {
    my ($path) = @_;
    my @mutants;
    for my $line ( split /\n/, slurp($path) ) {
        next if $line =~ /^#|^\s*$/;
        if ( $line =~ /^mutant (\S+) (\S+) (expr|stmt) (\S+)$/ ) {
            push @mutants, { name => $1, model => $2, kind => $3, file => $4, old => [], new => [] };
        }
        elsif ( $line =~ /^- (.*)$/ ) { push @{ $mutants[-1]{old} }, $1 }
        elsif ( $line =~ /^\+ (.*)$/ ) { push @{ $mutants[-1]{new} }, $1 }
        else                           { die "overlay: cannot read \"$line\"\n" }
    }
    return @mutants;
}

my @mutants = mutants("$root/tests/model/mutants.txt");
my %text    = map { m{/([^/]+)$}; ( "core/$1" => slurp($_) ) } glob "$root/core/*.[ch]";

my $number = 0;
my $table  = '';
for my $mutant (@mutants) {
    $number++;
    my $old   = join "\n", @{ $mutant->{old} };
    my $new   = join ' ',  @{ $mutant->{new} };
    my $count = () = $text{ $mutant->{file} } =~ /\Q$old\E/g;
    die "overlay: mutant $mutant->{name}: its text is $count times in $mutant->{file}\n" if $count != 1;
    my $changed =
        $mutant->{kind} eq 'expr'
        ? "(model_mutant == $number ? ($new) : ($old))"
        : "if (model_mutant == $number) { $new } else { $old }";
    $text{ $mutant->{file} } =~ s/\Q$old\E/$changed/;
    $table .= "{\"$mutant->{name}\", \"$mutant->{model}\", $number},\n";
}

make_path("$out/core");
$text{'core/atomic.h'} = slurp("$root/tests/model/seam/atomic.h");
for my $file ( sort keys %text ) {
    my $path = $file eq 'core/atomic.h' ? "$root/tests/model/seam/atomic.h" : "$root/$file";
    spew( "$out/$file", "#line 1 \"$path\"\n$text{$file}" );
}
spew( "$out/mutants.inc", $table );
