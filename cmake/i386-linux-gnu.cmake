# SPDX-License-Identifier: Apache-2.0
# 32-bit x86 with Debian's cross compiler, which, unlike gcc-multilib, lives beside other cross compilers. What is built
# runs natively; the C library's own loader is named, so that nothing needs to be installed in /lib.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_C_COMPILER i686-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER i686-linux-gnu-g++)
# SSE2 gives 64-bit loads and stores in one piece.
set(CMAKE_C_FLAGS_INIT "-msse2 -mfpmath=sse")

set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,--dynamic-linker=/usr/i686-linux-gnu/lib/ld-linux.so.2 -Wl,-rpath,/usr/i686-linux-gnu/lib")
include("${CMAKE_CURRENT_LIST_DIR}/PealSysroot.cmake")
peal_use_sysroot(i386 i386-linux-gnu)
