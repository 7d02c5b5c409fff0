# SPDX-License-Identifier: Apache-2.0
# The page of `peal web`, put into the program, and the Grafana dashboard, which is installed.
file(GLOB page_files CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/web/*")
set(page_files_c "${CMAKE_CURRENT_BINARY_DIR}/page_files.c")
add_custom_command(
    OUTPUT "${page_files_c}"
    COMMAND "${CMAKE_COMMAND}" "-DOUT=${page_files_c}" "-DFILES=${page_files}" -P "${CMAKE_CURRENT_LIST_DIR}/embed.cmake"
    DEPENDS ${page_files} "${CMAKE_CURRENT_LIST_DIR}/embed.cmake"
    VERBATIM)
target_sources(peal_tool PRIVATE "${page_files_c}")

if(PEAL_INSTALL)
    install(FILES "${CMAKE_CURRENT_LIST_DIR}/dashboard/peal.json" DESTINATION "${CMAKE_INSTALL_DATADIR}/peal/grafana")
endif()
