# SPDX-License-Identifier: Apache-2.0
# The libraries: libpeal.so (exports what is marked PEAL_API, and only that), libpeal.a, and for tests libpeal_fault.a.

get_property(peal_layers GLOBAL PROPERTY PEAL_LAYERS)
get_property(peal_fault_layers GLOBAL PROPERTY PEAL_FAULT_LAYERS)
list(TRANSFORM peal_layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE peal_objects)
list(TRANSFORM peal_fault_layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE peal_fault_objects)

set(peal_map "${PROJECT_SOURCE_DIR}/libpeal.map")
add_library(peal SHARED ${peal_objects})
set_target_properties(peal PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 LINKER_LANGUAGE C LINK_DEPENDS "${peal_map}")
target_link_options(peal PRIVATE "LINKER:--version-script=${peal_map}" LINKER:--as-needed)
if(NOT PEAL_SANITIZE)
    target_link_options(peal PRIVATE LINKER:--no-undefined)
endif()
target_link_libraries(peal PRIVATE $<BUILD_INTERFACE:peal_compile> PkgConfig::PEAL_DEPS Threads::Threads rt)

add_library(peal_static STATIC ${peal_objects})
set_target_properties(peal_static PROPERTIES OUTPUT_NAME peal EXPORT_NAME peal_static LINKER_LANGUAGE C)
target_link_libraries(peal_static PUBLIC PkgConfig::PEAL_DEPS Threads::Threads rt)
target_link_libraries(peal_static PRIVATE $<BUILD_INTERFACE:peal_compile>)

foreach(target peal peal_static)
    target_include_directories(
        ${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    add_library(Peal::${target} ALIAS ${target})
endforeach()

if(PEAL_BUILD_TESTS)
    add_library(peal_fault STATIC EXCLUDE_FROM_ALL ${peal_fault_objects})
    set_target_properties(peal_fault PROPERTIES LINKER_LANGUAGE C)
    target_compile_definitions(peal_fault INTERFACE PEAL_FAULT_POINTS=1)
    target_link_libraries(peal_fault PUBLIC PkgConfig::PEAL_DEPS Threads::Threads rt PRIVATE peal_compile)
endif()
