# SPDX-License-Identifier: Apache-2.0
# What each hot call costs, counted under callgrind and held against bench/account/budgets.txt: no clock, so it can be
# judged on a busy machine. Not installed.
set(account_folder "${CMAKE_CURRENT_LIST_DIR}")
file(GLOB account_sources CONFIGURE_DEPENDS "${account_folder}/*.c")
add_executable(peal-bench-account ${account_sources})
target_link_libraries(peal-bench-account PRIVATE peal_compile peal_static)

if(NOT PEAL_SANITIZE)
    find_program(PERL NAMES perl REQUIRED)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" account_build_type)
    set(account_run
        "${PERL}" "${account_folder}/account.pl" --program "$<TARGET_FILE:peal-bench-account>" --budgets
        "${account_folder}/budgets.txt" --machine "${CMAKE_SYSTEM_PROCESSOR}" --build
        "${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION} ${account_build_type}")
    add_test(NAME bench.account COMMAND ${account_run})
    # 77: no valgrind, or no machine whose instructions are known here.
    set_tests_properties(bench.account PROPERTIES LABELS bench TIMEOUT 120 SKIP_RETURN_CODE 77)
    # cmake --build DIR --target account_renew: takes what is counted now as the budget.
    add_custom_target(account_renew COMMAND ${account_run} --renew DEPENDS peal-bench-account VERBATIM USES_TERMINAL)
endif()
