# SPDX-License-Identifier: Apache-2.0
# The report, from made-up results and from measured ones; and that compare finds what is planted, and nothing else.
file(GLOB fixture_sources CONFIGURE_DEPENDS results/*.c report/*.c)
add_executable(peal-bench-fixture "${PROJECT_SOURCE_DIR}/tests/bench/fixture.c" ${fixture_sources} gbench.cc)
target_link_libraries(peal-bench-fixture PRIVATE peal_compile PkgConfig::BENCHMARK PkgConfig::JANSSON Threads::Threads m)

find_program(PERL NAMES perl REQUIRED)
foreach(test made_up made_up_compare report compare agree)
    add_test(NAME bench.${test}
             COMMAND "${CMAKE_COMMAND}" "-DBENCH=$<TARGET_FILE:peal-bench>" "-DFIXTURE=$<TARGET_FILE:peal-bench-fixture>"
                     "-DPERL=${PERL}" "-DPAGE=${PROJECT_SOURCE_DIR}/tests/bench/page.pl" -DCASE=${test}
                     "-DFOLDER=${CMAKE_CURRENT_BINARY_DIR}/report" -P "${CMAKE_CURRENT_LIST_DIR}/tests_run.cmake")
    set_tests_properties(bench.${test} PROPERTIES LABELS bench TIMEOUT 580
                                                  SKIP_REGULAR_EXPRESSION "there is no Chromium")
endforeach()
# Both cores poll.
set_tests_properties(bench.report bench.compare bench.agree PROPERTIES RUN_SERIAL TRUE)
