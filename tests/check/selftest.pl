#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Shows that tools/check catches what it is for. A clean little tree must pass; then, one at a time, a file that breaks
# one rule is laid over it and must be reported by that rule, at that line, and by no other; files that only look like
# a violation must pass.
#
#   selftest.pl PATH_OF_TOOLS_CHECK
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);

my $check = abs_path( $ARGV[0] // die "usage: selftest.pl PATH_OF_TOOLS_CHECK\n" );
my $spdx  = '/* SPDX-License-Identifier: Apache-2.0 */';
my $md    = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n";

my %clean = (
    'LICENSE'                => "Licence text.\n",
    'scripts/run.sh'         => "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n",
    'include/peal/status.h'  => guarded( 'PEAL_STATUS_H', 'enum peal_status { PEAL_OK };' ),
    'include/peal/bus.h'     => guarded( 'PEAL_BUS_H', "#include <peal/status.h>\n\nint peal_bus_open(void);" ),
    'core/cpu.h'             => guarded( 'PEAL_CORE_CPU_H', '#include <stdint.h>' ),
    'core/lane_shared.h'     => guarded(
        'PEAL_CORE_LANE_SHARED_H',
        "#include <stdint.h>\n\nstruct peal_lane_shared {\n    uint32_t word; /* a * b : 3; */\n    char name[32];\n};\n\n"
          . "int peal_lane_read(const struct peal_lane_shared *lane);"
    ),
    'core/lane.c' => "$spdx\n#include \"core/lane_shared.h\"\n\n#include <string.h>\n\nstatic const char text[] = \"volatile\";\n"
      . "\nint lane(void)\n{\n    /* LANE-R1: pairs with LANE-A1 in lane.c. */\n    peal_u32_store_release(text, 1);\n"
      . "    /* LANE-A1: pairs with LANE-R1. */\n    peal_u32_load_acquire(text);\n"
      . "    return peal_u32_load_relaxed(text); /* relaxed: ours */\n}\n",
    'transport/ring.c' => "$spdx\n#include \"core/cpu.h\"\n#include <ck_ec.h>\n#include <unistd.h>\n",
    'bus/bus.c'        => "$spdx\n#include \"core/cpu.h\"\n#include \"transport/ring.h\"\n#include <peal/bus.h>\n",
    'examples/hello/hello.c' => "$spdx\n#include <peal/bus.h>\n#include <signal.h>\n\nvolatile sig_atomic_t stop;\n",
);

sub guarded {
    my ( $guard, $body ) = @_;
    return "$spdx\n#ifndef $guard\n#define $guard\n\n$body\n\n#endif\n";
}

my $open  = 'TO' . 'DO';
my $place = '/ho' . 'me/someone/peal';

# [what it shows, rule that must report it or '', line, path, content, path that is reported if it is another]
my @cases = (
    [ 'core including a transport',    'arrows', 2, 'core/a.c',      "$spdx\n#include \"transport/transport.h\"\n" ],
    [ 'core including the public API', 'arrows', 2, 'core/a.c',      "$spdx\n#include <peal/bus.h>\n" ],
    [ 'core including words',          '',       0, 'core/a.c',      "$spdx\n#include <peal/status.h>\n" ],
    [ 'core calling the OS',           'arrows', 2, 'core/a.c',      "$spdx\n#include <unistd.h>\n" ],
    [ 'core allocating',               'arrows', 2, 'core/a.c',      "$spdx\n#include <stdlib.h>\n" ],
    [ 'a transport including the bus', 'arrows', 2, 'transport/a.c', "$spdx\n#include \"bus/bus.h\"\n" ],
    [ 'a public header including core', 'arrows', 5, 'include/peal/a.h', guarded( 'PEAL_A_H', '#include "core/cpu.h"' ) ],
    [ 'an example including internals', 'arrows', 2, 'examples/a/a.c', "$spdx\n#include \"core/cpu.h\"\n" ],
    [ 'a device including core',       'arrows', 2, 'device/a.c', "$spdx\n#include \"core/cpu.h\"\n" ],
    [ 'a device including the ABI',    '',       0, 'device/a.c', "$spdx\n#include \"guest_shm.h\"\n" ],
    [ 'the bus including a tool',      'arrows', 2, 'bus/a.c',    "$spdx\n#include \"tools/top.h\"\n" ],
    [ 'a path upward',                 'arrows', 2, 'bus/a.c',    "$spdx\n#include \"../core/cpu.h\"\n" ],

    [ 'a raw atomic type',    'atomics', 2, 'bus/a.c',  "$spdx\n_Atomic int a;\n" ],
    [ 'stdatomic.h',          'atomics', 2, 'bus/a.c',  "$spdx\n#include <stdatomic.h>\n" ],
    [ 'an atomic builtin',    'atomics', 2, 'bus/a.c',  "$spdx\nint a = __atomic_load_n(0, 0);\n" ],
    [ 'a sync builtin',       'atomics', 2, 'core/a.c', "$spdx\nint a = __sync_fetch_and_add(0, 0);\n" ],
    [ 'a raw fence',          'atomics', 2, 'core/a.c', "$spdx\nint a = atomic_thread_fence(0);\n" ],
    [ 'volatile',             'atomics', 2, 'core/a.c', "$spdx\nvolatile int a;\n" ],
    [ 'volatile in comments', '',        0, 'core/a.c', "$spdx\n/* volatile, _Atomic */\n" ],
    [ 'a compiler barrier',   '',        0, 'bench/a.c', "$spdx\nvoid f(void)\n{\n    __asm__ volatile(\"\");\n}\n" ],

    [ 'ck_pr outside its seam',  'seam', 2, 'bus/a.c',   "$spdx\nint a = ck_pr_load_int(0);\n" ],
    [ 'ck outside its seam',     'seam', 2, 'core/a.c',  "$spdx\n#include <ck_ring.h>\n" ],
    [ 'ck as a measured peer',   '',     0, 'bench/a.c', "$spdx\n#include <ck_ring.h>\n" ],

    [ 'a header that needs another', 'headers', 5, 'include/peal/a.h', guarded( 'PEAL_A_H', 'uint32_t peal_a(void);' ) ],
    [ 'a header that is not C++', 'headers', 5, 'include/peal/a.h', guarded( 'PEAL_A_H', 'int peal_a(int class);' ) ],
    [ 'an internal header that needs another', 'headers', 5, 'core/a.h', guarded( 'PEAL_CORE_A_H', 'uint32_t a(void);' ) ],

    [ 'a release without a label', 'order', 4, 'core/a.c', body('peal_u32_store_release(a, 1);') ],
    [ 'a fence without a label',   'order', 4, 'core/a.c', body('peal_fence_seq_cst();') ],
    [ 'a label too far above',     'order', 9, 'core/a.c',
        body("/* AA-R1: pairs with AA-A1. AA-A1: pairs with AA-R1. */\n    a();\n    a();\n    a();\n    a();\n    peal_fence_release();") ],
    [ 'a label without a partner', 'order', 4, 'core/a.c', body("/* AA-R1: for order's sake. */") ],
    [ 'a partner that is nowhere', 'order', 4, 'core/a.c', body("/* AA-R1: pairs with AA-A9. */\n    peal_fence_release();") ],
    [ 'a partner that names another', 'order', 4, 'core/a.c', body("/* AA-R1: pairs with LANE-A1. */\n    peal_fence_release();") ],
    [ 'a label given twice', 'order', 4, 'core/lane_b.c', body("/* LANE-A1: pairs with LANE-R1. */") ],
    [ 'a relaxed access without a reason', 'order', 4, 'core/a.c', body('peal_u64_load_relaxed(a);') ],
    [ 'a partner followed by a colon', '', 0, 'core/a.c',
        body("peal_fence_release(); /* AA-R1: pairs with AA-A1: because. */\n"
              . "    peal_fence_acquire(); /* AA-A1: pairs with AA-R1: because. */") ],
    [ 'a label over several lines', '', 0, 'core/a.c',
        body("/*\n     * AA-R1: pairs with\n     * AA-A1, for a reason\n     * that takes\n     * some lines.\n     */\n    peal_fence_release();\n"
              . "    peal_fence_acquire(); /* AA-A1: pairs with AA-R1 */") ],

    [ 'a label that no document explains', 'model', 10, 'docs/memory-model.md', "${md}LANE-R1\n\n| LANE-A1 |\n",
        'core/lane.c' ],
    [ 'labels that only the document pairs', 'model', 2, 'docs/memory-model.md', "$md| `LANE-R1` → `LANE-A1`, `LANE-R1` |\n" ],
    [ 'labels that are paired', '', 0, 'docs/memory-model.md', "$md| `LANE-R1` → `LANE-A1` |\n" ],
    [ 'a label that only the document has', 'model', 3, 'docs/memory-model.md', "$md\n| LANE-R1 LANE-A1 AA-F1 |\n" ],

    [ 'a source without a licence', 'licence', 1, 'core/a.c',       "int a;\n" ],
    [ 'a script without a licence', 'licence', 1, 'scripts/a.sh',   "#!/bin/sh\n" ],
    [ 'a CMake file without one',   'licence', 1, 'CMakeLists.txt', "project(a)\n" ],
    [ 'the wrong licence',          'licence', 1, 'core/a.c',       "/* SPDX-License-Identifier: MIT */\n" ],

    [ 'a file that is too long', 'length', 802, 'core/a.c', "$spdx\n" . "int a;\n" x 801 ],
    [ 'a file just short enough', '',      0,   'core/a.c', "$spdx\n" . "int a;\n" x 799 ],

    [ 'an open word',          'words', 2, 'core/a.c',     "$spdx\n/* $open: later */\n" ],
    [ 'a path of one machine', 'words', 3, 'scripts/a.sh', "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ncd $place\n" ],

    [ 'a guard of another name', 'guards', 1, 'core/a.h', guarded( 'A_H', 'int a(void);' ) ],
    [ 'no guard',                'guards', 1, 'core/a.h', "$spdx\nint a(void);\n" ],

    [ 'a pointer in shared memory',   'layout', 6, 'core/a_shared.h', shared('char *name;') ],
    [ 'a bit-field in shared memory', 'layout', 6, 'core/a_shared.h', shared('unsigned char a : 3;') ],
    [ 'an OS type in shared memory',  'layout', 6, 'core/a_shared.h', shared('long a;') ],
    [ 'bytes in shared memory',       '',       0, 'core/a_shared.h', shared('unsigned char bytes[8];') ],

    [ 'bad formatting', 'format', 2, 'core/a.c', "$spdx\nint  a;\n" ],
);

sub body   { return "$spdx\nvoid f(void)\n{\n    $_[0]\n}\n" }
sub shared { return guarded( 'PEAL_CORE_A_SHARED_H', "struct peal_a_shared {\n    $_[0]\n};" ) }

sub write_tree {
    my ( $folder, %tree ) = @_;
    for my $path ( keys %tree ) {
        make_path( dirname("$folder/$path") );
        open my $file, '>', "$folder/$path" or die "$path: $!\n";
        print $file $tree{$path};
        close $file;
    }
}

# Runs the check over a tree; returns its exit code and what it reports, as "path:line: rule".
sub run_check {
    my (%tree) = @_;
    my $folder = tempdir( CLEANUP => 1 );
    # The document of all labels, unless the case brings its own.
    my %labels = map { $_ => 1 } map { /\b([A-Z]+-[ARF][0-9]+):/g } values %tree;
    $tree{'docs/memory-model.md'} //= $md . join '', map { "| $_ |\n" } sort keys %labels;
    write_tree( $folder, %tree );
    my @output = `'$check' '$folder' 2>&1`;
    my $code   = $? >> 8;
    return ( $code, join( '', @output ), map { /^(\S+:\d+: \w+): / ? $1 : () } @output );
}

my ( $failed, $skipped, %caught ) = ( 0, 0 );
my ( $code, $output ) = run_check(%clean);
if ( $code != 0 ) {
    print "FAILED: a clean tree is reported:\n$output";
    $failed++;
}
my $no_format = $output =~ /SKIPPED/;
for my $case (@cases) {
    my ( $what, $rule, $line, $path, $content, $reported ) = @$case;
    if ( $rule eq 'format' && $no_format ) {
        print "SKIPPED: $what, for want of clang-format 14\n";
        $skipped++;
        next;
    }
    my ( $exit, $text, @found ) = run_check( %clean, $path => $content );
    my $wanted = $rule ? ( $reported // $path ) . ":$line: $rule" : '';
    if ( join( ' | ', @found ) eq $wanted && $exit == ( $rule ? 1 : 0 ) ) {
        $caught{$rule}++ if $rule;
        next;
    }
    print "FAILED: $what: wanted '", $wanted || 'nothing', "', got exit code $exit and\n$text";
    $failed++;
}

# A rule that no case shows at work is as good as absent.
for my $rule ( map { /^(\w+)/ } `'$check' --list` ) {
    next if $caught{$rule} || ( $rule eq 'format' && $no_format );
    print "FAILED: no case shows the rule '$rule' catching anything\n";
    $failed++;
}
printf "%d cases, %d failed, %d skipped\n", scalar @cases, $failed, $skipped;
exit( $failed ? 1 : 0 );
