# SPDX-License-Identifier: Apache-2.0
# That every row runs, with every queue, verified; no figure is judged here. RUN_SERIAL: both cores poll.
foreach(test smoke fault arguments)
    add_test(NAME bench.queue_${test}
             COMMAND "${CMAKE_COMMAND}" "-DBENCH=$<TARGET_FILE:peal-bench-queue>" -DCASE=${test}
                     "-DFOLDER=${CMAKE_CURRENT_BINARY_DIR}" -P "${CMAKE_CURRENT_LIST_DIR}/smoke.cmake")
    set_tests_properties(bench.queue_${test} PROPERTIES LABELS bench RUN_SERIAL TRUE TIMEOUT 180)
endforeach()
