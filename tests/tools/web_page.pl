#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Opens the page of `peal web` in headless Chromium, beside the traffic of web_traffic.c, and waits until it shows what there
# is to be seen. Exits with 77 (skipped) if there is no Chromium.
#
#   web_page.pl URL [FOLDER]      FOLDER: screenshots are left there, for people to look at
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Handle;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use POSIX qw(dup2);
use Time::HiRes qw(sleep time);

my ( $url, $shots ) = @ARGV;
die "usage: web_page.pl URL [FOLDER]\n" if !defined $url;
my $limit_s = 30;
my $json    = JSON::PP->new->utf8->allow_nonref;
my ($chromium) = grep { -x } map { my $name = $_; map { "$_/$name" } split /:/, $ENV{PATH} } qw(chromium chromium-browser google-chrome);
if ( !defined $chromium ) {
    print "web: there is no Chromium; scripts/setup.sh installs it\n";
    exit 77;
}

# ---- the browser: commands go to its descriptor 3, answers and events come from its 4, each ended by a NUL --------------

my $scratch = tempdir( 'peal-web-XXXXXX', TMPDIR => 1, CLEANUP => 1 );
pipe my $command_out, my $command_in or die "web: no pipe: $!\n";
pipe my $answer_out,  my $answer_in  or die "web: no pipe: $!\n";
my $browser = fork // die "web: cannot fork: $!\n";
if ( $browser == 0 ) {
    setpgrp;
    $^F = 10;    # none of these is closed by exec
    open STDIN,  '<', '/dev/null' or die;
    open STDOUT, '>', "$scratch/log" or die;
    open STDERR, '>&STDOUT' or die;
    my ( $in, $out ) = ( POSIX::dup( fileno $command_out ), POSIX::dup( fileno $answer_in ) );
    ( $in, $out ) = map { my $fd = $_; $fd = POSIX::dup($fd) while $fd < 8; $fd } $in, $out;
    dup2( $in, 3 ) and dup2( $out, 4 ) or die;
    POSIX::close($_) for 5 .. 31;
    exec 'timeout', '-k', '5', '100', $chromium, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
      '--disable-extensions', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-scrollbars', '--remote-debugging-pipe',
      "--user-data-dir=$scratch/profile", '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', 'about:blank'
      or die "web: cannot start '$chromium': $!\n";
}
close $command_out;
close $answer_in;
$command_in->autoflush(1);
END {
    my $code = $?;
    if ($browser) { kill "KILL", $browser, -$browser; waitpid $browser, 0 }    # with all that it has started
    $? = $code;
}

my ( $number, $pending, $session, @console ) = ( 0, '' );

# The next message, or nothing if none is whole before the deadline.
sub next_message {
    my ($deadline) = @_;
    while ( index( $pending, "\0" ) < 0 ) {
        my $ready = '';
        vec( $ready, fileno $answer_out, 1 ) = 1;
        my $left = $deadline - time;
        return if $left <= 0 || select( $ready, undef, undef, $left ) < 1;
        sysread( $answer_out, $pending, 65536, length $pending ) or die "web: Chromium has ended:\n" . log_text();
    }
    $pending =~ s/^([^\0]*)\0// or die;
    return $json->decode($1);
}

sub log_text {
    open my $file, '<', "$scratch/log" or return '';
    local $/;
    return substr( scalar(<$file>) // '', -2000 );
}

# What a page complains of arrives between the answers.
sub keep_complaint {
    my ($message) = @_;
    my ( $method, $of ) = ( $message->{method} // '', $message->{params} );
    push @console, $of->{entry}{text} if $method eq 'Log.entryAdded' && $of->{entry}{level} =~ /error|warning/;
    push @console, join ' ', map { $_->{value} // $_->{description} // '?' } @{ $of->{args} } if $method eq 'Runtime.consoleAPICalled';
    push @console, $of->{exceptionDetails}{exception}{description} // $of->{exceptionDetails}{text} if $method eq 'Runtime.exceptionThrown';
}

sub ask {
    my ( $method, %params ) = @_;
    my $id = ++$number;
    print {$command_in} $json->encode( { id => $id, method => $method, params => \%params, defined $session ? ( sessionId => $session ) : () } ), "\0";
    my $deadline = time + $limit_s;
    while ( my $message = next_message($deadline) ) {
        keep_complaint($message);
        next if ( $message->{id} // 0 ) != $id;
        die "web: $method: $message->{error}{message}\n" if $message->{error};
        return $message->{result};
    }
    die "web: Chromium does not answer $method\n" . log_text();
}

sub value_of {
    my ($expression) = @_;
    my $result = ask( 'Runtime.evaluate', expression => $expression, returnByValue => JSON::PP::true );
    die "web: $expression: $result->{exceptionDetails}{exception}{description}\n" if $result->{exceptionDetails};
    return $result->{result}{value};
}

# ---- what is checked ----------------------------------------------------------------------------------------------------

my $failures = 0;

sub check {
    my ( $holds, $text ) = @_;
    return if $holds;
    print "web: $text\n";
    $failures++;
}

# Again and again, until it is true.
sub until_true {
    my ( $expression, $text ) = @_;
    my $deadline = time + $limit_s;
    until ( value_of($expression) ) {
        if ( time > $deadline ) {
            print "web: ", "not so within $limit_s s: $text; the page has:\n" . value_of('document.body.innerText'), "\n";
            exit 1;
        }
        sleep 0.05;
    }
}

sub look_like {
    my ( $width, $height, $scheme, $name ) = @_;
    ask( 'Emulation.setDeviceMetricsOverride', width => $width, height => $height, deviceScaleFactor => 1, mobile => JSON::PP::false );
    ask( 'Emulation.setEmulatedMedia', features => [ { name => 'prefers-color-scheme', value => $scheme } ] );
    until_true( "document.documentElement.dataset.theme === '$scheme'", "the page is $scheme" );
    until_true( 'Array.from(document.querySelectorAll("figure svg")).every(s => !s.viewBox.baseVal || s.viewBox.baseVal.width === s.clientWidth)',
        'the charts are as wide as they are drawn' );
    check( value_of('document.documentElement.scrollWidth') <= $width, "the page is wider than $width" );
    check( value_of('Array.from(document.querySelectorAll("figure svg")).every(s => s.getBoundingClientRect().width > 200)'), "a chart is not seen at $width" );
    return if !defined $shots;
    my $shot = ask( 'Page.captureScreenshot', captureBeyondViewport => JSON::PP::true );
    open my $file, '>:raw', "$shots/$name.png" or die "web: cannot write $shots/$name.png: $!\n";
    print {$file} decode_base64( $shot->{data} );
    close $file or die;
}

my $target = ask( 'Target.createTarget', url => 'about:blank' )->{targetId};
$session = ask( 'Target.attachToTarget', targetId => $target, flatten => JSON::PP::true )->{sessionId};
ask("$_.enable") for qw(Log Runtime Page);
ask( 'Page.navigate', url => $url );
until_true( 'document.readyState === "complete" && !!document.querySelector("#topics tbody")', 'the page is there' );

# What a cell of a table says, found by the heading of its column and of its row. "1.5k/s" is a figure too.
value_of(<<'END');
window.cellOf = (table, row, column) => {
    const element = document.getElementById(table);
    if (!element || !element.tHead) return '';
    const at = Array.from(element.tHead.rows[0].cells).findIndex(c => c.textContent === column);
    const found = Array.from(element.tBodies[0].rows).find(r => r.cells[0].textContent === row);
    return found && at >= 0 ? found.cells[at].textContent : '';
};
window.figure = text => parseFloat(text) * (/^[\d.]+k/.test(text) ? 1e3 : /^[\d.]+ KiB/.test(text) ? 1024 : /^[\d.]+M/.test(text) ? 1e6 : 1);
window.curve = chart => Math.max(0, ...Array.from(document.querySelectorAll('#' + chart + ' path.curve')).map(p => p.getAttribute('d').split('L').length));
window.topmost = chart => Array.from(document.querySelectorAll('#' + chart + ' .legend li')).map(li => li.textContent);
END

my $hostile = q{<script>document.title='x'</script>};
my $slow    = q{<b>"slow" \\\\ one</b>};
until_true( 'cellOf("topics", "fast", "Kind") === "topic"', 'the topic is listed' );
until_true( 'figure(cellOf("topics", "fast", "Rate")) > 150 && figure(cellOf("topics", "fast", "Rate")) < 1500', 'the rate is near 500/s' );
until_true( 'figure(cellOf("topics", "fast", "Bandwidth")) > 150e3 && figure(cellOf("topics", "fast", "Bandwidth")) < 1500e3', 'the bandwidth is near 500 kB/s' );
until_true( 'figure(cellOf("topics", "fast", "Lag")) > 20', 'the slow one lags' );
until_true( 'figure(cellOf("topics", "fast", "Lost")) > 100', 'its losses are counted' );
until_true( qq{figure(cellOf("subscribers", '$slow', "Lost")) > 100 && figure(cellOf("subscribers", '$slow', "Lag")) > 20}, 'the subscriber is listed with lag and losses' );
until_true( qq{cellOf("clients", "source", "State") === "alive" && cellOf("clients", '$slow', "Bells rung") === "0"}, 'the clients are listed' );
until_true( qq{curve("$_") >= 2}, "the chart '$_' has a curve of two points" ) for qw(rate bandwidth lag loss);
# Whatever the largest was: figures from 0 on, each as far from the last as that from the one before.
until_true( '(() => { const all = [...document.querySelectorAll("#rate text[text-anchor=end]")].map(t => t.textContent).filter(t => t.endsWith("/s")).map(figure);
    return all.length >= 3 && all[0] === 0 && all[1] > 0 && all.every((v, i) => Math.abs(v - i * all[1]) <= v / 100); })()', 'the axis has round figures' );
until_true( 'topmost("rate")[0].startsWith("fast") && topmost("loss")[0].startsWith("fast")', 'the legend tells' );
until_true( '/^Rates: fast [\d.]+\/s/.test(document.querySelector("#rate svg").getAttribute("aria-label"))', 'the chart has words for who cannot see it' );
check( value_of('[...document.querySelectorAll("path.curve")].every(p => !/NaN|Infinity|undefined/.test(p.getAttribute("d")))'), 'a coordinate that is no number' );

# A name that is markup is a text.
check( value_of(qq{cellOf("topics", "$hostile", "Kind") === "topic"}), 'the hostile topic is not listed by its name' );
check( value_of('document.title !== "x" && document.querySelectorAll("main script, main b, main img").length === 0'), 'a name became markup' );

# Tables have headings; what can be pressed has a name.
check( value_of('[...document.querySelectorAll("thead th")].every(h => h.scope === "col") && [...document.querySelectorAll("tbody tr")].every(r => r.cells[0].scope === "row" || r.cells[0].className === "none")'), 'a table without headings' );
check( value_of('[...document.querySelectorAll("button, input, select")].every(e => e.ariaLabel || e.textContent || (e.labels && e.labels.length))'), 'a control without a name' );

# The pointer on the chart shows a moment; the field leaves topics out; pause stops the page, and going on goes on.
my $box = value_of('(() => { const b = document.querySelector("#rate svg").getBoundingClientRect(); return [b.right - 12, b.top + 40]; })()');
ask( 'Input.dispatchMouseEvent', type => 'mouseMoved', x => $box->[0], y => $box->[1] );
until_true( '!!document.querySelector("#rate .hair") && /s ago$/.test(document.querySelector("#rate .rest").textContent)', 'values are shown under the pointer' );
ask( 'Input.dispatchMouseEvent', type => 'mouseMoved', x => 1, y => 1 );
my $set = 'document.getElementById("filter").value = "%s"; document.getElementById("filter").dispatchEvent(new Event("input"))';
value_of( sprintf $set, 'FAS' );
check( value_of('document.querySelectorAll("#topics tbody tr").length === 1 && topmost("rate").length === 1'), 'the filter does not leave topics out' );
value_of( sprintf $set, '' );
value_of('document.getElementById("pause").click(); window.before = document.getElementById("topics").textContent');
my $asked = 'performance.getEntriesByType("resource").filter(e => e.name.endsWith("/api/snapshot") && e.responseStatus === 200).length';
my $count = value_of($asked);
until_true( "$asked > $count", 'a paused page still asks' );
check( value_of('document.getElementById("topics").textContent === before && document.getElementById("state").textContent === "paused"'), 'pause does not pause' );
value_of('document.getElementById("pause").click()');
until_true( 'document.getElementById("topics").textContent !== before && document.getElementById("state").textContent === "live"', 'it goes on' );

look_like( 1280, 1400, 'light', 'wide-light' );
look_like( 390,  2400, 'dark',  'phone-dark' );
if ( defined $shots ) {
    look_like( 1280, 1400, 'dark',  'wide-dark' );
    look_like( 390,  2400, 'light', 'phone-light' );
}
check( value_of('[...document.querySelectorAll("#charts figure")].length === 4 && performance.getEntriesByType("resource").every(e => e.name.startsWith(location.origin))'), 'something was fetched from elsewhere' );
check( !@console, "the console says: @console" );
print "web: the page shows what there is\n" unless $failures;
exit( $failures ? 1 : 0 );
