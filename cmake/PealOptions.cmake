# SPDX-License-Identifier: Apache-2.0
# What may be switched when configuring.

option(PEAL_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(PEAL_BUILD_BENCH "Build the benchmarks (needs a C++ compiler and Google Benchmark)"
       ${PROJECT_IS_TOP_LEVEL})
option(PEAL_BUILD_EXAMPLES "Build the example programs" ${PROJECT_IS_TOP_LEVEL})
option(PEAL_BUILD_TOOLS "Build the tools (where liblz4, libzstd and zlib are found)" ${PROJECT_IS_TOP_LEVEL})
option(PEAL_BUILD_SUITES "Add ctest entries that build the tree again with sanitizers, clang and cross compilers" OFF)
option(PEAL_WERROR "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
option(PEAL_INSTALL "Add install rules" ${PROJECT_IS_TOP_LEVEL})
set(PEAL_SANITIZE "" CACHE STRING "Sanitizer: empty, address (with undefined behaviour), or thread")
set_property(CACHE PEAL_SANITIZE PROPERTY STRINGS "" address thread)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
