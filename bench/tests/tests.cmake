# SPDX-License-Identifier: Apache-2.0
# What is said of Peal and its peers, from made-up rounds.
file(GLOB standing_sources CONFIGURE_DEPENDS results/*.c report/*.c)
add_executable(bench_standing_test tests/standing_test.c ${standing_sources} gbench.cc)
pkg_check_modules(CMOCKA REQUIRED QUIET IMPORTED_TARGET cmocka)
target_link_libraries(bench_standing_test PRIVATE peal_compile PkgConfig::BENCHMARK PkgConfig::JANSSON PkgConfig::CMOCKA
                                                  Threads::Threads m)
add_test(NAME bench.standing COMMAND bench_standing_test)
set_tests_properties(bench.standing PROPERTIES LABELS bench TIMEOUT 60)
