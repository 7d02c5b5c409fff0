# SPDX-License-Identifier: Apache-2.0
# The slow entries: each builds this tree once more in its own way and runs tests there. All carry the label `slow`;
# they run one after the other, for each uses all cores and some measure time.

# scripts/suite.sh runs these under valgrind.
get_property(unit_tests GLOBAL PROPERTY PEAL_UNIT_TESTS)
list(TRANSFORM unit_tests REPLACE "(.+)" "$<TARGET_FILE:\\1>")
list(JOIN unit_tests "\n" unit_tests)
file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/unit-tests.txt" CONTENT "${unit_tests}\n")

function(peal_add_suite name label suite folder timeout)
    add_test(NAME ${name} COMMAND "${PROJECT_SOURCE_DIR}/scripts/suite.sh" ${suite} "${folder}"
             WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS "slow;${label}" RUN_SERIAL TRUE TIMEOUT ${timeout})
endfunction()

if(PEAL_BUILD_SUITES)
    set(suites "${PROJECT_BINARY_DIR}/suites")
    peal_add_suite(asan.suite sanitizer asan "${suites}/asan" 600)
    peal_add_suite(tsan.suite sanitizer tsan "${suites}/tsan" 600)
    peal_add_suite(valgrind.unit sanitizer valgrind "${PROJECT_BINARY_DIR}" 600)
    peal_add_suite(clang.build cross clang "${suites}/clang" 300)
    peal_add_suite(cross.aarch64.unit cross aarch64 "${suites}/aarch64" 300)
    peal_add_suite(cross.i386.unit cross i386 "${suites}/i386" 300)
endif()
