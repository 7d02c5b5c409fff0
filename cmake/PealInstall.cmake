# SPDX-License-Identifier: Apache-2.0
# cmake --install: headers, both libraries, the CMake package, peal.pc, examples and manual pages.
include(CMakePackageConfigHelpers)

file(GLOB public_headers CONFIGURE_DEPENDS include/peal/*.h)
install(FILES ${public_headers} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/peal")
install(FILES include/guest_shm.h include/guest_shm_ioctl.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

# Two sets: who links the shared library does not need the development packages that the static one asks for.
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Peal")
install(TARGETS peal EXPORT PealTargets)
install(TARGETS peal_static EXPORT PealStaticTargets)
install(EXPORT PealTargets NAMESPACE Peal:: DESTINATION "${package_dir}")
install(EXPORT PealStaticTargets NAMESPACE Peal:: DESTINATION "${package_dir}")

list(JOIN PEAL_PKG_MODULES " " PEAL_PKG_MODULE_WORDS)
configure_package_config_file(cmake/PealConfig.cmake.in "${PROJECT_BINARY_DIR}/PealConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/PealConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/PealConfig.cmake" "${PROJECT_BINARY_DIR}/PealConfigVersion.cmake"
        DESTINATION "${package_dir}")

# Relative to the file itself, so that the installed tree can be moved.
file(RELATIVE_PATH PEAL_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" PEAL_PC_PREFIX "${PEAL_PC_PREFIX}")
list(TRANSFORM PEAL_DEPS_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE libs_private)
list(JOIN libs_private " " PEAL_PC_LIBS_PRIVATE)
configure_file(cmake/peal.pc.in "${PROJECT_BINARY_DIR}/peal.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/peal.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

file(GLOB manual_pages CONFIGURE_DEPENDS docs/man/*.[0-9])
foreach(page IN LISTS manual_pages)
    string(REGEX MATCH "[0-9]$" section "${page}")
    install(FILES "${page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
    # `man peal_bus_open` finds the page that has it in its NAME.
    get_filename_component(page_name "${page}" NAME)
    file(STRINGS "${page}" names REGEX "^\\.Nm peal_")
    list(TRANSFORM names REPLACE "^\\.Nm (peal_[a-z_]+).*$" "\\1.${section}")
    list(REMOVE_ITEM names "${page_name}")
    foreach(name IN LISTS names)
        file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/man/${name}" CONTENT ".so man${section}/${page_name}\n")
        install(FILES "${PROJECT_BINARY_DIR}/man/${name}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
    endforeach()
endforeach()
