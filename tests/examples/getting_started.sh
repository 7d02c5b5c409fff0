#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# getting_started.sh FOLDER GUIDE COMPILER: the programs printed in the guide compile against the installed package (in
# $STAGE) without a warning, and talk to each other.
bin=$1 guide=$2 compiler=$3
. "$(dirname "$0")/lib.sh"
PKG_CONFIG_PATH=$STAGE/$LIBDIR/pkgconfig
LD_LIBRARY_PATH=$STAGE/$LIBDIR
export PKG_CONFIG_PATH LD_LIBRARY_PATH

# A file in the guide: the code block after the line <!-- file: NAME -->.
extract() {
    awk -v start="<!-- file: $1 -->" '$0 == start { wanted = 1; next }
        wanted == 1 && /^```/ { wanted = 2; next }
        wanted == 2 && /^```/ { exit }
        wanted == 2' "$guide" >"$dir/$1"
    [ -s "$dir/$1" ] || fail "the guide has no file $1"
}

for program in hello_pub hello_sub; do
    extract $program.c
    "$compiler" -std=c17 -Wall -Wextra -Werror -o "$dir/$program" "$dir/$program.c" $(pkg-config --cflags --libs peal) ||
        fail "$program does not build"
done

"$dir/hello_sub" "$bus" >"$dir/sub.out" 2>&1 &
pid_sub=$!
pids=$pid_sub
expect_line sub 'listening'
"$dir/hello_pub" "$bus" >"$dir/pub.out" 2>&1 &
pid_pub=$!
pids="$pids $pid_pub"
expect_exit pub 0
expect_exit sub 0
expect_line sub '^message 0: 20.000 degrees'
expect_line sub '^message 9: 20.900 degrees'
[ "$(grep -c '^message' "$dir/sub.out")" -eq 10 ] || fail "ten messages were published, these came: $(cat "$dir/sub.out")"

# And the CMake project of the guide.
extract CMakeLists.txt
cmake -S "$dir" -B "$dir/build" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$STAGE" >"$dir/cmake.out" 2>&1 &&
    cmake --build "$dir/build" >>"$dir/cmake.out" 2>&1 || fail "the CMake project does not build"
