# SPDX-License-Identifier: Apache-2.0
# 64-bit Arm with Debian's cross compiler; what is built runs under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

include("${CMAKE_CURRENT_LIST_DIR}/PealSysroot.cmake")
peal_use_sysroot(arm64 aarch64-linux-gnu)
