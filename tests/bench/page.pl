#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Opens a report's page in headless Chromium and sees to it that the plots are there, that no script failed, that nothing
# is fetched from elsewhere, and that it fits a phone. Exits with 77 (skipped) if there is no Chromium.
#
#   page.pl FOLDER PLOTS      the report; how many plots it has at least
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my ( $folder, $plots ) = @ARGV;
die "usage: page.pl FOLDER PLOTS\n" unless defined $plots;
my $page = abs_path("$folder/index.html");
die "page: '$folder/index.html' is not there\n" unless defined $page && -s $page;
my $failures = 0;

sub check {
    my ( $holds, $text ) = @_;
    return if $holds;
    print "page: $text\n";
    $failures++;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "page: cannot read '$path': $!\n";
    local $/;
    return scalar <$file>;
}

# Without a browser: markup that closes what it opens, numbers that are numbers, nothing from elsewhere.
sub check_source {
    my ($html) = @_;
    ( my $bare = $html ) =~ s{<(style|script)>.*?</\1>}{<$1></$1>}gs;
    my @open;
    my $is_balanced = 1;
    while ( $bare =~ m{<(/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(/?)>}g ) {
        next if $4 || $2 =~ /^(?:meta|link|br|img|hr)$/;
        if ( !$1 ) { push @open, $2; next }
        my $last = pop @open // 'nothing';
        next if $last eq $2;
        check( 0, "</$2> closes <$last>" );
        $is_balanced = 0;
        last;
    }
    check( !@open || !$is_balanced, "never closed: @open" );
    my @svgs   = $html =~ /<svg class="(?:curves|bars)"/g;
    my @paths  = $html =~ /<path class="curve" d="([^"]*)"/g;
    my @bars   = $html =~ /<rect class="bar"/g;
    my @coordinates = $bare =~ /\b(?:d|x|y|x1|x2|y1|y2|cx|cy|r|width|height)="([^"]*)"/g;
    check( @svgs >= $plots, scalar(@svgs) . " plots instead of $plots or more" );
    check( @paths + @bars > @svgs, 'plots without anything in them' );
    check( !( grep { !/^M[-0-9.]+ [-0-9.]+(?:L[-0-9.]+ [-0-9.]+)*$/ } @paths ), 'a curve that is none' );
    check( !( grep { /nan|inf/i } @coordinates ), 'a coordinate that is no number' );
    check( $bare !~ /(?:src|href|action|data)\s*=\s*"(?:[a-z]+:)?\/\//i, 'a link to elsewhere' );
    check( $html !~ /\@import|url\(|<link[^>]*stylesheet|<script[^>]+src|fetch\(|XMLHttpRequest/i, 'something is fetched' );
    check( $html =~ /How to reproduce/ && $html =~ /Environment/, 'a section is missing' );
    return scalar @svgs;
}

my ($chromium) = grep { -x } map { my $name = $_; map { "$_/$name" } split /:/, $ENV{PATH} } qw(chromium chromium-browser google-chrome);
my $svgs = check_source( slurp($page) );
if ( !defined $chromium ) {
    exit 1 if $failures;
    print "page: there is no Chromium; scripts/setup.sh installs it\n";
    exit 77;
}

my $scratch = tempdir( 'peal-page-XXXXXX', TMPDIR => 1, CLEANUP => 1 );

# The DOM after its scripts have run, and what the browser has logged.
sub dump_dom {
    my ($url) = @_;
    my @command = (
        'timeout', '-k', '5', '100', $chromium, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
        '--no-first-run', '--disable-extensions', '--disable-background-networking', '--allow-file-access-from-files',
        '--host-resolver-rules=MAP * ~NOTFOUND', "--user-data-dir=$scratch/profile", '--virtual-time-budget=5000',
        '--enable-logging=stderr', '--dump-dom', $url );
    my $pid = fork // die "page: cannot fork: $!\n";
    if ( $pid == 0 ) {
        open STDOUT, '>', "$scratch/dom" or die;
        open STDERR, '>', "$scratch/log" or die;
        exec @command or die "page: cannot start '$chromium': $!\n";
    }
    waitpid $pid, 0;
    my ( $dom, $log ) = ( slurp("$scratch/dom"), slurp("$scratch/log") );
    die "page: Chromium ended with $?:\n" . substr( $log, -2000 ) . "\n" if $? != 0 || $dom eq '';
    return ( $dom, [ grep { /CONSOLE/ } split /\n/, $log ] );
}

my ( $dom, $console ) = dump_dom("file://$page");
check( !@$console, "the console says: @$console" );
check( $dom =~ /<html[^>]*has-js/, 'the script did not come to its end' );
my @drawn = $dom =~ /<svg class="(?:curves|bars)"/g;
check( @drawn == $svgs, scalar(@drawn) . " plots in the browser, $svgs in the file" );
my @rows = $dom =~ /<tr/g;
check( @rows > 2, 'no tables' );

# In frames as wide as a phone and as a desk: the page itself must not be wider, and each plot be seen; then the first
# column that holds numbers is sorted, and a contender is followed.
open my $frames, '>', "$scratch/frames.html" or die;
print $frames <<"END";
<!DOCTYPE html><title>frames</title><pre id=out></pre>
<iframe id=a width=390 height=800 src="file://$page"></iframe><iframe id=b width=1280 height=800 src="file://$page"></iframe>
<script>addEventListener('load', function () {
    var text = '';
    ['a', 'b'].forEach(function (id) {
        var d = document.getElementById(id).contentDocument, width = d.documentElement.clientWidth;
        text += 'overflow=' + (d.documentElement.scrollWidth - width) + ';';
        d.querySelectorAll('svg.curves, svg.bars').forEach(function (svg) {
            var box = svg.getBoundingClientRect();
            if (box.width < 200 || box.height < 20 || box.right > width + 1) text += 'unseen;';
        });
        var table = d.querySelector('table.sortable'), head = Array.from(table.tHead.rows[0].cells);
        var column = head.findIndex(function (cell) { return cell.className === 'n'; });
        head[column].click();
        var values = Array.from(table.tBodies[0].rows).map(function (row) { return +row.cells[column].dataset.v; });
        text += 'sorted=' + values.every(function (value, i) { return i === 0 || values[i - 1] <= value; }) + ';';
        var name = d.querySelector('.legend li');
        name.click();
        text += 'followed=' + d.documentElement.classList.contains('follows') + ';';
    });
    document.getElementById('out').textContent = text;
});</script>
END
close $frames;
( $dom, $console ) = dump_dom("file://$scratch/frames.html");
check( !@$console, "in frames the console says: @$console" );
my ($found) = $dom =~ /<pre id="out">([^<]*)/;
check( ( $found // '' ) eq 'overflow=0;sorted=true;followed=true;' x 2, 'in frames of 390 and 1280: ' . ( $found // 'nothing' ) );

print "page: $svgs plots, ", scalar(@rows), " rows of tables\n" unless $failures;
exit( $failures ? 1 : 0 );
