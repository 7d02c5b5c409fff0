# SPDX-License-Identifier: Apache-2.0
# The contest with contenders that do wrong, without the peers. RUN_SERIAL: both cores poll.
set(contest_folder "${CMAKE_CURRENT_LIST_DIR}")
file(GLOB contest_sources CONFIGURE_DEPENDS "${contest_folder}/*.c")
list(REMOVE_ITEM contest_sources "${contest_folder}/scenarios.c")
add_executable(
    bench_contest_test ${contest_sources} "${contest_folder}/../cpus.c" "${contest_folder}/../sample.c"
                       "${contest_folder}/../results/results.c" "${contest_folder}/../results/figures.c"
                       "${contest_folder}/../tests/wrong.c" "${contest_folder}/../tests/contest_test.c")
pkg_check_modules(CMOCKA REQUIRED QUIET IMPORTED_TARGET cmocka)
target_link_libraries(bench_contest_test PRIVATE peal_compile peal_static PkgConfig::CMOCKA PkgConfig::HWLOC
                                                 Threads::Threads m)
add_test(NAME bench.contest COMMAND bench_contest_test)
set_tests_properties(bench.contest PROPERTIES LABELS bench RUN_SERIAL TRUE TIMEOUT 180)
