#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Holds what `peal metrics` prints to Prometheus' text format and naming rules, and documents and dashboards to it.
#
#   metrics_check.pl format                     what comes on stdin is valid, whole, and says nothing twice
#   metrics_check.pl document FILE HEADER       each metric is in the table of FILE, with the same words, and each field that
#                                               it names is one of HEADER (observer.h), whose every figure has a metric
#   metrics_check.pl dashboard FILE             its expressions ask for such metrics only, counters by their rate
use strict;
use warnings;
use JSON::PP;

my ( $case, @files ) = @ARGV;
my @complaints;
sub complain { push @complaints, "@_" }

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "metrics: cannot read $path: $!\n";
    local $/;
    return scalar <$file>;
}

# ---- the exposition -----------------------------------------------------------------------------------------------------

my ( %metric, @names );    # name -> { help, type, labels (of the first sample), samples }
my $label = qr/[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"/;

sub read_exposition {
    local $/;
    my $text = <STDIN>;
    my ( $current, %series ) = ('');
    complain('the last line does not end') if $text !~ /\n\z/;
    complain('there is a carriage return')  if $text =~ /\r/;
    complain('no valid UTF-8')              if !utf8::decode( my $copy = $text );
    my $number = 0;
    for my $line ( split /\n/, $text ) {
        $number++;
        if ( $line =~ /^# HELP (\S+) (.+)$/ ) {
            my ( $name, $help ) = ( $1, $2 );
            complain("line $number: $name comes again") if $metric{$name};
            $current = $name;
            push @names, $name;
            $metric{$name} = { help => $help, samples => 0 };
            complain("$name: a name that is against the rules") if $name !~ /^peal_[a-z]+(?:_[a-z]+)*$/;
            complain("$name: no base unit")                     if $name =~ /_(?:ms|ns|us|milliseconds|kilobytes|percent|minutes)(?:_|$)/;
            complain("$name: the help is no sentence")          if $help !~ /^[A-Z0-9].*\.$/ || $help =~ /\\/;
        }
        elsif ( $line =~ /^# TYPE (\S+) (counter|gauge)$/ ) {
            my ( $name, $type ) = ( $1, $2 );
            complain("line $number: type of $name without its help") if $name ne $current || $metric{$name}{type};
            $metric{$name}{type} = $type;
            complain("$name: a counter ends in _total, and nothing else does") if ( $type eq 'counter' ) != ( $name =~ /_total$/ );
        }
        elsif ( $line =~ /^([a-z_]+)(?:\{($label(?:,$label)*)\})? (-?[0-9.]+(?:e[-+][0-9]+)?)$/ ) {
            my ( $name, $labels, $value ) = ( $1, $2 // '', $3 );
            my %label = $labels =~ /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;
            my $set = join ' ', sort keys %label;
            complain("line $number: $name is not with its type") if $name ne $current || !$metric{$name}{type};
            complain("line $number: a label comes again")        if keys %label != ( () = $labels =~ /$label/g );
            complain("line $number: a series comes again: $line")
              if $series{ join "\0", $name, map { ( $_, $label{$_} ) } sort keys %label }++;
            $metric{$name}{labels} //= $set;
            complain("line $number: other labels than before") if $metric{$name}{labels} ne $set;
            complain("line $number: an info is 1")             if $name =~ /_info$/ && $value ne '1';
            complain("line $number: below zero")               if $value < 0;
            $metric{$name}{samples}++;
        }
        else {
            complain("line $number makes no sense: $line");
        }
    }
    complain('there is nothing') if !@names;
}

# ---- the document -------------------------------------------------------------------------------------------------------

sub check_document {
    my ( $document, $header ) = map { slurp($_) } @files;
    my ( %of, %told );    # struct of the header -> its fields; "struct.field" that a metric tells
    while ( $header =~ /^struct peal_observer_(\w+) \{(.*?)^\};/gms ) {
        my ( $struct, $body ) = ( $1, $2 );
        $body =~ s{/\*.*?\*/}{}gs;
        $of{$struct}{$_} = 1 for $body =~ /\b(\w+)\s*;/g;
        delete $of{$struct}{struct_bytes};
    }
    delete @of{qw(options visitor)};
    my @rows;
    my $labels = '';
    for my $line ( split /\n/, $document ) {
        $labels = $1 if $line =~ /^Labels: (.*)$/;
        next if $line !~ /^\| `(peal_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$/;
        my ( $name, $type, $meaning, $source ) = ( $1, $2, $3, $4 );
        push @rows, $name;
        my $known = $metric{$name} or do { complain("$name is not printed"); next };
        complain("$name is a $known->{type}") if $type ne $known->{type};
        ( my $own = $meaning ) =~ s/ More labels: (.*)$//;
        my @more = defined $1 ? $1 =~ /`(\w+)`/g : ();
        complain("$name: the program says: $known->{help}") if $own ne $known->{help};
        my $set = join ' ', sort( $labels =~ /`(\w+)`/g, @more );
        complain("$name has the labels: $known->{labels}") if defined $known->{labels} && $known->{labels} ne $set;
        for my $field ( $source =~ /`(\w+\.\w+)`/g ) {
            my ( $struct, $member ) = split /\./, $field;
            complain("$name: there is no $field in the header") if !$of{$struct}{$member};
            $told{$field} = 1;
        }
    }
    complain('the document has them in another order, or not all') if "@rows" ne "@names";
    # What joins one to the other and no figure of its own, and what labels tell.
    my %joins = map { $_ => 1 } qw(publisher.topic subscriber.topic topic.index client.index topic.name client.name publisher.name
      publisher.lane subscriber.entry subscriber.lane region.members_known subscriber.cursor_known);
    for my $struct ( sort keys %of ) {
        for my $member ( sort keys %{ $of{$struct} } ) {
            complain("no metric tells $struct.$member") if !$told{"$struct.$member"} && !$joins{"$struct.$member"};
        }
    }
}

# ---- the dashboard ------------------------------------------------------------------------------------------------------

sub expressions_of {
    my ($value) = @_;
    return map { expressions_of($_) } @$value if ref $value eq 'ARRAY';
    return if ref $value ne 'HASH';
    return map { !ref $value->{$_} && /^(?:expr|query|definition)$/ ? $value->{$_} : expressions_of( $value->{$_} ) } sort keys %$value;
}

sub check_dashboard {
    my $dashboard = decode_json( slurp( $files[0] ) );
    my ( %id, %uses );
    for my $panel ( @{ $dashboard->{panels} } ) {
        complain("two panels have the id $panel->{id}") if $id{ $panel->{id} }++;
        complain("the panel '$panel->{title}' has no place") if $panel->{gridPos}{w} + $panel->{gridPos}{x} > 24;
    }
    complain('there are too few panels') if keys %id < 8;
    for my $expression ( expressions_of($dashboard) ) {
        while ( $expression =~ /\b(peal_\w+)/g ) {
            my $name = $1;
            complain("there is no metric $name: $expression") if !$metric{$name};
            complain("$name is a counter, and is shown as it stands: $expression")
              if $name =~ /_total$/ && $expression !~ /(?:rate|increase)\($name\{[^}]*\}\[/;
            $uses{$name} = 1;
        }
    }
    for my $wanted ( qw(publisher_messages publisher_dropped_messages subscriber_lost_messages client_bells_rung client_safety_net_finds) ) {
        complain("nothing shows peal_${wanted}_total") if !$uses{"peal_${wanted}_total"};
    }
    for my $wanted (qw(up subscriber_lag_messages queue_pending_messages publisher_message_mean_bytes client_heartbeat_age_seconds)) {
        complain("nothing shows peal_$wanted") if !$uses{"peal_$wanted"};
    }
}

read_exposition();
check_document()  if $case eq 'document';
check_dashboard() if $case eq 'dashboard';
print "metrics: $_\n" for @complaints;
exit( @complaints ? 1 : 0 );
