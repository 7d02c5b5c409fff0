#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Counts what each hot call costs, with peal-bench-account under callgrind, and holds it against the budgets.
#
#   account.pl --program P --budgets FILE --machine M --build "COMPILER VERSION TYPE"   exits 1 when a call costs more
#   account.pl ... --renew           writes FILE with what is counted now
#   account.pl ... --markdown        the table for docs/performance.md
#   account.pl ... --detail NAME     where the instructions of the rows of that name are: function, file, count
#   account.pl ... --listing NAME    each instruction they execute, and how often
#   account.pl ... --lines NAME      lines of shared memory that a call reads and writes (lackey; slow)
#
# Instructions and branches are those of Peal's own code, so that they do not depend on the C library's choice of memcpy
# for this CPU; calls of libraries are counted. Locked instructions, full fences and system calls count wherever they are.
# Exits with 77, and says why, where nothing can be counted.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use File::Temp qw(tempdir);
use Getopt::Long;

my $TOLERANCE = 0.10;    # of instructions and branches
my $RARE = 0.0005;       # of the rest, per message: half of what happens once a turn of the ring

my %option = ( machine => 'x86_64', build => 'unknown' );
GetOptions( \%option, 'program=s', 'budgets=s', 'machine=s', 'build=s', 'renew', 'markdown', 'detail=s', 'listing=s',
    'lines=s' )
  && $option{program} && $option{budgets} && !@ARGV
  or usage();

sub usage {
    print STDERR "account: usage: account.pl --program FILE --budgets FILE [--renew | --markdown | --detail NAME | "
      . "--listing NAME | --lines NAME]\n";
    exit 2;
}

sub skip { print "account: skipped: $_[0]\n"; exit 77 }

sub can_run { my ($tool) = @_; return grep { -x "$_/$tool" } split /:/, $ENV{PATH} }

skip("the instructions of $option{machine} are not known here, only those of x86_64") if $option{machine} ne 'x86_64';
skip("there is no $_; scripts/setup.sh installs it") for grep { !can_run($_) } qw(valgrind objdump objcopy);

# ---- running ---------------------------------------------------------------------------------------------------------

my $folder = tempdir( 'peal-account-XXXXXX', TMPDIR => 1, CLEANUP => 1 );

# Valgrind does not read every compiler's debugging information, and only --detail has a use for it.
sub without_debugging {
    my $copy = "$folder/peal-bench-account";
    system( 'objcopy', '--strip-debug', $option{program}, $copy ) == 0
      or die "account: objcopy failed on $option{program}; build the target peal-bench-account\n";
    return $copy;
}

sub run_callgrind {
    $option{program} = without_debugging() if !defined $option{detail};
    my $said = "$folder/said";
    my $wanted = $option{detail} // $option{listing};
    my @command = ( qw(valgrind --tool=callgrind --collect-atstart=no --dump-instr=yes --compress-strings=no),
        qw(--compress-pos=no --skip-plt=no --branch-sim=yes --cache-sim=yes),
        "--callgrind-out-file=$folder/out", $option{program}, defined $wanted ? $wanted =~ s/:.*//r : () );
    my $pid = fork() // die "account: cannot fork: $!\n";
    if ( !$pid ) {
        open STDOUT, '>', $said          or die $!;
        open STDERR, '>', "$folder/errors" or die $!;
        exec @command or die $!;
    }
    waitpid $pid, 0;
    my $status = $?;
    open my $file, '<', $said or die "account: $said: $!\n";
    my @lines = <$file>;
    skip('the program was built without valgrind/callgrind.h; scripts/setup.sh installs it') if grep { /^counts 0/ } @lines;
    skip('publishers fence here, for there is no membarrier(2); the budgets are of those that need not')
      if grep { /^fences 1/ } @lines;
    return if $status == 0 && @lines > 3;
    open my $errors, '<', "$folder/errors" or die;
    print STDERR <$errors>;
    die "account: '@command' ended with status $status\n";
}

# ---- reading ---------------------------------------------------------------------------------------------------------

my @order;    # names of rows
my %row;      # name -> { messages, total => {event => count}, at => {object => {address => [count, function]}}, ... }

sub read_dump {
    my ($path) = @_;
    my ( $row, @events, $object, $file, $function, $is_call );
    open my $dump, '<', $path or die "account: $path: $!\n";
    while ( my $line = <$dump> ) {
        if ( $line =~ /^desc: Trigger: Client Request: (\S+) (\d+)$/ ) {
            push @order, $1;
            $row = $row{$1} = { messages => $2 };
        }
        return if $line =~ /^desc: Trigger: (?!Client Request)/;
        @events = split ' ', $1 if $line =~ /^events: (.*)/;
        $object   = $1 if $line =~ /^ob=(.*)/;
        $file     = $1 if $line =~ /^(?:fl|fi|fe)=(.*)/;
        $function = $1 if $line =~ /^fn=(.*)/;
        $is_call  = 1  if $line =~ /^calls=/;
        next unless $line =~ /^0x([0-9a-f]+) \S+ (.*)/;
        my ( $address, $costs ) = ( hex $1, $2 );
        # What the callee cost stands with the callee.
        if ($is_call) { $is_call = 0; next }
        my %cost;
        @cost{@events} = map { $_ // 0 } ( split ' ', $costs )[ 0 .. $#events ];
        next if $function =~ /^account_|^main$|^\(below main\)/;
        my $own = $object =~ m{/peal-bench-account$} ? 'own' : 'other';
        $row->{$own}{$_} += $cost{$_} for qw(Ir Dr Dw Bc Bi);
        $row->{at}{$object}{$address} += $cost{Ir};
        ( my $short = $file ) =~ s{^.*/(?=(?:core|bus|transport|include)/)}{};
        $row->{where}{"$function ($short)"} += $cost{Ir};
    }
}

# What an instruction is, for those that matter here.
sub kind_of {
    my ($text) = @_;
    return 'fence'   if $text =~ /^[mls]fence|^lock or[lq]? +\$0x0,(?:-?0x[0-9a-f]+)?\(%rsp\)/;
    return 'locked'  if $text =~ /^lock |^xchg.*\(/;
    return 'library' if $text =~ /^(?:bnd )?(?:call|jmp) +[0-9a-f]+ <\w+\@plt>/ || $text =~ /^call +\*0x[0-9a-f]+\(%rip\)/;
    return 'system'  if $text =~ /^syscall|^sysenter|^int +\$0x80/;
    return '';
}

my %text;    # object -> address -> instruction

# Disassembles where something was executed: stretches without large gaps.
sub disassemble {
    my ($object) = @_;
    my %seen;
    $seen{$_} = 1 for map { keys %{ $_->{at}{$object} // {} } } values %row;
    my @stretches;
    for my $address ( sort { $a <=> $b } keys %seen ) {
        if   ( @stretches && $address - $stretches[-1][1] < 4096 ) { $stretches[-1][1] = $address }
        else                                                        { push @stretches, [ $address, $address ] }
    }
    for my $stretch (@stretches) {
        open my $pipe, '-|', 'objdump', '-d', '--no-show-raw-insn', "--start-address=$stretch->[0]",
          '--stop-address=' . ( $stretch->[1] + 16 ), $object
          or die "account: objdump: $!\n";
        while (<$pipe>) { $text{$object}{ hex $1 } = $2 if /^\s*([0-9a-f]+):\s+(.*?)\s*$/ }
        close $pipe or die "account: objdump failed on $object\n";
    }
}

sub classify {
    my %objects = map { map { $_ => 1 } keys %{ $_->{at} // {} } } values %row;
    for my $object ( sort keys %objects ) {
        next if !-f $object;
        my $is_own = $object =~ m{/peal-bench-account$};
        disassemble($object);
        for my $row ( values %row ) {
            my $at = $row->{at}{$object} // {};
            for my $address ( keys %$at ) {
                my $kind = kind_of( $text{$object}{$address} // '' );
                $row->{kind}{$kind} += $at->{$address} if $is_own || $kind =~ /^(?:locked|fence|system)$/;
                $row->{callees}{$1} += $at->{$address}
                  if $kind eq 'library' && $is_own && $text{$object}{$address} =~ /<(\w+)\@plt>/;
            }
        }
    }
}

my %in_words = ( library => 'calls of libraries', locked => 'locked instructions', system => 'system calls',
    clock => 'readings of the clock' );
my @columns = qw(instructions branches loads stores library locked fences system clock);

sub figures_of {
    my ($row) = @_;
    my $kind = $row->{kind};
    my %count = (
        instructions => $row->{own}{Ir},
        branches     => $row->{own}{Bc},
        loads        => $row->{own}{Dr},
        stores       => $row->{own}{Dw},
        library      => $kind->{library},
        locked       => $kind->{locked},
        fences       => $kind->{fence},
        # Under valgrind a reading of the clock is a system call, too.
        system => ( $kind->{system} // 0 ) - ( $row->{callees}{clock_gettime} // 0 ),
        clock  => $row->{callees}{clock_gettime},
    );
    return { map { $_ => ( $count{$_} // 0 ) / $row->{messages} } @columns };
}

# ---- budgets ---------------------------------------------------------------------------------------------------------

sub number {
    my ($value) = @_;
    my $text = $value >= 1 ? sprintf '%.1f', $value : sprintf '%.4f', $value;
    $text =~ s/\.?0+$// if $text =~ /\./;
    return $text;
}

sub read_budgets {
    my ( %budget, $build );
    open my $file, '<', $option{budgets} or die "account: $option{budgets}: $!; --renew makes it\n";
    while (<$file>) {
        $build = $1 if /^# build: (.*)/;
        next if /^#|^\s*$/;
        my ( $name, @values ) = split;
        die "account: $option{budgets}:$.: not @columns\n" if @values != @columns;
        @{ $budget{$name} }{@columns} = @values;
    }
    return ( \%budget, $build // '' );
}

sub renew {
    open my $file, '>', $option{budgets} or die "account: $option{budgets}: $!\n";
    print $file <<"END";
# SPDX-License-Identifier: Apache-2.0
# What each hot call may cost for each message; held against what is counted by the test bench.account, which
# allows a tenth more of instructions and branches, and no more of the rest.
# After a change that is meant:   cmake --build DIR --target account_renew
# Instructions, branches, loads and stores: of Peal's own code. library: calls of other libraries. clock: readings of the
# clock, which are system calls only under valgrind. Fractions: once a turn of the ring, and the like.
# build: $option{build}
#
END
    printf $file "%-44s %12s %8s %8s %8s %8s %8s %8s %8s %8s\n", '# call', @columns;
    for my $name (@order) {
        my $figures = figures_of( $row{$name} );
        printf $file "%-44s %12s %8s %8s %8s %8s %8s %8s %8s %8s\n", $name, map { number( $figures->{$_} ) } @columns;
    }
    close $file or die;
    printf "account: %d calls written to %s\n", scalar @order, $option{budgets};
}

# Compilers differ in what they make of the same source: figures are one's, the kinds of instructions everybody's.
sub is_same_build {
    my ( $build, $other ) = map { /^(\S+) (\d+)\S* (\S+)$/ ? "$1 $2 $3" : $_ } @_;
    return $build eq $other;
}

sub judge {
    my ( $budget, $build ) = read_budgets();
    my $is_same = is_same_build( $build, $option{build} );
    my @judged = $is_same ? @columns : qw(locked fences system);
    my ( $worse, $better ) = ( 0, 0 );
    print "account: budgets are of '$build', this is '$option{build}': only locked instructions, fences and system "
      . "calls are judged\n" if !$is_same;
    for my $name (@order) {
        my $figures = figures_of( $row{$name} );
        my $may = $budget->{$name};
        if ( !$may ) { print "account: $name has no budget; --renew gives it one\n"; $worse++; next }
        if ( !$figures->{instructions} ) { print "account: $name: nothing was counted\n"; $worse++; next }
        for my $column (@judged) {
            my $slack = $column =~ /^(?:instructions|branches|loads|stores)$/ ? $may->{$column} * $TOLERANCE + 0.1
              : $may->{$column} * 0.05 + $RARE / 2;
            if ( $figures->{$column} > $may->{$column} + $slack ) {
                printf "account: %s: %s %s for each message, its budget is %s\n", $name, number( $figures->{$column} ),
                  $in_words{$column} // $column, number( $may->{$column} );
                $worse++;
            }
            $better++ if $column eq 'instructions' && $figures->{$column} < $may->{$column} * ( 1 - $TOLERANCE );
        }
    }
    for my $name ( sort keys %$budget ) {
        next if $row{$name};
        print "account: $name has a budget and was not counted\n";
        $worse++;
    }
    print "account: $better calls cost a tenth less than their budget: renew it, so that this stays\n" if $better;
    printf "account: %d calls counted, %s\n", scalar @order, $worse ? "$worse things to look at; --detail NAME tells "
      . "where instructions are, --renew takes what is" : 'all within their budget';
    return $worse ? 1 : 0;
}

# ---- looking ---------------------------------------------------------------------------------------------------------

sub markdown {
    print "| call | instructions | branches | loads | stores | library calls | locked | full fences |\n|---|---|---|---|---|---|---|---|\n";
    for my $name (@order) {
        my $row = $row{$name};
        my $figures = figures_of($row);
        my @callees = map { sprintf '%s %s', $_, number( $row->{callees}{$_} / $row->{messages} ) }
          sort keys %{ $row->{callees} // {} };
        printf "| `%s` | %s | %s |\n", $name, join( ' | ', map { number( $figures->{$_} ) } @columns[ 0 .. 3 ] ),
          join ' | ', ( join( ', ', @callees ) || number( $figures->{library} ) ),
          map { number( $figures->{$_} ) } qw(locked fences);
    }
}

sub detail {
    for my $name ( grep { index( $_, $option{detail} ) >= 0 } @order ) {
        my $row = $row{$name};
        print "$name\n";
        my $where = $row->{where};
        printf "  %8s %s\n", number( $where->{$_} / $row->{messages} ), $_
          for sort { $where->{$b} <=> $where->{$a} } keys %$where;
    }
}

sub listing {
    for my $name ( grep { index( $_, $option{listing} ) >= 0 } @order ) {
        my $row = $row{$name};
        print "$name\n";
        for my $object ( sort keys %{ $row->{at} } ) {
            my $at = $row->{at}{$object};
            printf "  %9.4f %8x %s\n", $at->{$_} / $row->{messages}, $_, $text{$object}{$_} // ''
              for sort { $a <=> $b } keys %$at;
        }
    }
}

# Which lines of the shared memory a call only reads, and which it writes. Lackey tells every load and store of the
# program, the marker's stores among them, between which the counted calls lie; the program tells where the memory is.
sub lines {
    my ( $marker, $is_inside, @ranges, %touched, %sum ) = ( -1, 0 );
    my @command = ( qw(valgrind --tool=lackey --trace-mem=yes --log-fd=1), $option{program}, $option{lines} );
    open my $pipe, '-|', "exec @command 2>&1" or die "account: valgrind: $!\n";
    printf "%-44s %9s %9s %9s %9s\n", 'for each message', 'read only', 'written', 'loads', 'stores';
    while (<$pipe>) {
        if (/^ ([LSM]) ([0-9a-f]+),(\d+)/) {
            my ( $how, $address, $bytes ) = ( $1, hex $2, $3 );
            if ( $address == $marker ) {
                $is_inside = !$is_inside;
                $sum{$_}++ for values %touched;
                %touched = ();
            }
            next if !$is_inside || !grep { $address >= $_->[0] && $address < $_->[1] } @ranges;
            for my $line ( $address >> 6, ( $address + $bytes - 1 ) >> 6 ) {
                $touched{$line} = 'written' if $how ne 'L';
                $touched{$line} //= 'read';
            }
            $sum{loads}++  if $how ne 'S';
            $sum{stores}++ if $how ne 'L';
        }
        elsif (/^marker 0x([0-9a-f]+)/)                  { $marker = hex $1 }
        elsif (/^shared (?:0x)?([0-9a-f]+)-(?:0x)?([0-9a-f]+)/) { push @ranges, [ hex $1, hex $2 ] }
        elsif (/^row (\S+) (\d+)/) {
            printf "%-44s %9s %9s %9s %9s\n", $1, map { number( ( $sum{$_} // 0 ) / $2 ) } qw(read written loads stores);
            %sum    = ();
            @ranges = ();
        }
    }
    close $pipe or die "account: '@command' failed\n";
}

if ( defined $option{lines} ) { lines(); exit 0 }
run_callgrind();
read_dump($_) for map { "$folder/out.$_" } sort { $a <=> $b } map { /\.(\d+)$/ ? $1 : () } glob "$folder/out.*";
classify();
if    ( $option{renew} )    { renew() }
elsif ( $option{markdown} ) { markdown() }
elsif ( $option{detail} )   { detail() }
elsif ( $option{listing} )  { listing() }
else                        { exit judge() }
