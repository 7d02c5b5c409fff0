# SPDX-License-Identifier: Apache-2.0
# One interface target, peal_compile, carries the language level, the warnings and the sanitizer. It is for our own
# code only and is never installed.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g3")
if(PEAL_SANITIZE)
    # Sanitizers at -O0 are so slow that threads hardly ever meet.
    set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
    set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
endif()

add_library(peal_compile INTERFACE)
set(peal_warnings -Wall -Wextra -Wconversion -Wshadow -Wvla)
if(PEAL_WERROR)
    list(APPEND peal_warnings -Werror)
endif()
target_compile_options(
    peal_compile
    INTERFACE ${peal_warnings}
              $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
              $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
              -fno-common
              # Shared words are reached through one accessor type; punning around it would be a bug of ours, but a
              # message's payload is whatever the user says it is.
              -fno-strict-aliasing)
target_compile_definitions(peal_compile INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64 _TIME_BITS=64)
target_include_directories(peal_compile INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")

if(PEAL_SANITIZE STREQUAL "address")
    set(peal_sanitize_flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(PEAL_SANITIZE STREQUAL "thread")
    # GCC warns that it cannot model stand-alone fences; what is built on them is annotated in core/atomic.h.
    set(peal_sanitize_flags -fsanitize=thread -fno-omit-frame-pointer)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(peal_compile INTERFACE -Wno-tsan)
    endif()
elseif(PEAL_SANITIZE)
    message(FATAL_ERROR "PEAL_SANITIZE is '${PEAL_SANITIZE}': use address or thread, or leave it empty")
endif()
if(PEAL_SANITIZE)
    target_compile_options(peal_compile INTERFACE ${peal_sanitize_flags})
    target_link_options(peal_compile INTERFACE ${peal_sanitize_flags})
    string(TOUPPER "${PEAL_SANITIZE}" peal_sanitize_upper)
    target_compile_definitions(peal_compile INTERFACE PEAL_SANITIZE_${peal_sanitize_upper}=1)
endif()
