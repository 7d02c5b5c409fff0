# SPDX-License-Identifier: Apache-2.0
# That the benchmarks run, verify and report; no figure is judged here. RUN_SERIAL: both cores poll.
foreach(test smoke queues threads fault delay arguments outputs interrupt hurry leftovers vdev)
    add_test(NAME bench.${test}
             COMMAND "${CMAKE_COMMAND}" "-DBENCH=$<TARGET_FILE:peal-bench>" "-DVDEV=$<TARGET_FILE:peal-vdev>"
                     -DCASE=${test} "-DFOLDER=${CMAKE_CURRENT_BINARY_DIR}" -P "${CMAKE_CURRENT_LIST_DIR}/smoke.cmake")
    set_tests_properties(bench.${test} PROPERTIES LABELS bench RUN_SERIAL TRUE TIMEOUT 180)
endforeach()
add_custom_target(peal_bench_needs_vdev ALL DEPENDS peal-vdev)
