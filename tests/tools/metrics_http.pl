#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Asks a web server as a program does that may send anything.
#
#   metrics_http.pl get PORT METHOD PATH [HOST]    prints the answer, headers and all; HOST "-": none is sent
#   metrics_http.pl hosts PORT PATH HOST...        prints a line for each: the status, and "told" if metrics came
#   metrics_http.pl many PORT PATH COUNT           while one who asks says half and stalls, COUNT others ask at once, and one
#                                                  hangs up in the middle; prints how many whole answers came
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ( $what, $port, @rest ) = @ARGV;

sub reach {
    return IO::Socket::INET->new( PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 20 ) // die "http: cannot reach port $port: $!\n";
}

sub all_of {
    my ($socket) = @_;
    my ( $text, $ready ) = ( '', IO::Select->new($socket) );
    while ( $ready->can_read(20) ) {
        my $bytes = sysread $socket, $text, 65536, length $text;
        return $text if !$bytes;
    }
    die "http: no whole answer within 20 s\n";
}

sub answer_to {
    my ( $method, $path, $host ) = @_;
    my $socket = reach();
    print {$socket} "$method $path HTTP/1.0\r\n", $host eq '-' ? '' : "Host: $host\r\n", "Connection: close\r\n\r\n";
    return all_of($socket);
}

if ( $what eq 'get' ) {
    my ( $method, $path, $host ) = ( @rest, "127.0.0.1:$port" );
    print answer_to( $method, $path, $host );
}
elsif ( $what eq 'hosts' ) {
    my ( $path, @hosts ) = @rest;
    for my $host (@hosts) {
        my $answer = answer_to( 'GET', $path, $host );
        my ($status) = $answer =~ m{^HTTP/1\.\d (\d+)};
        print $status // 'none', $answer =~ /^peal_/m ? " told\n" : "\n";
    }
}
else {
    my ( $path, $count ) = @rest;
    my $request = "GET $path HTTP/1.0\r\nHost: localhost\r\n\r\n";
    my ( $half, $gone ) = ( reach(), reach() );
    print {$half} substr $request, 0, 20;
    print {$gone} $request;
    close $gone;
    my @sockets = map { reach() } 1 .. $count;
    print {$_} $request for @sockets;
    print scalar( grep { /\r\nContent-Length: (\d+)\r\n(?:.*?\r\n)?\r\n(.*)/s && length $2 == $1 && $1 > 0 } map { all_of($_) } @sockets ), "\n";
}
