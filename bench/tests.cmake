# SPDX-License-Identifier: Apache-2.0
# That the benchmarks run, verify and report; no figure is judged here. RUN_SERIAL: both cores poll.
enable_testing()
foreach(test smoke fault arguments)
    add_test(NAME bench.${test}
             COMMAND "${CMAKE_COMMAND}" "-DBENCH=$<TARGET_FILE:peal-bench>" -DCASE=${test}
                     "-DFOLDER=${CMAKE_CURRENT_BINARY_DIR}" -P "${CMAKE_CURRENT_LIST_DIR}/smoke.cmake")
    set_tests_properties(bench.${test} PROPERTIES LABELS bench RUN_SERIAL TRUE TIMEOUT 180)
endforeach()
