# SPDX-License-Identifier: Apache-2.0
# peal_add_layer(name): all .c files below the calling folder become the objects of one layer, in two kinds: as they
# ship, and with fault points compiled in (for the tests that kill a process between two stores).

function(peal_add_layer name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
    if(NOT sources)
        return()
    endif()
    add_library(peal_${name} OBJECT ${sources})
    target_link_libraries(peal_${name} PRIVATE peal_compile PkgConfig::PEAL_DEPS)
    set_property(GLOBAL APPEND PROPERTY PEAL_LAYERS peal_${name})
    if(PEAL_BUILD_TESTS)
        add_library(peal_${name}_fault OBJECT EXCLUDE_FROM_ALL ${sources})
        target_link_libraries(peal_${name}_fault PRIVATE peal_compile PkgConfig::PEAL_DEPS)
        target_compile_definitions(peal_${name}_fault PRIVATE PEAL_FAULT_POINTS=1)
        set_property(GLOBAL APPEND PROPERTY PEAL_FAULT_LAYERS peal_${name}_fault)
    endif()
endfunction()
