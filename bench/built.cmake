# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=tree -DOUTPUT=built.c -DVERSION=... -DCOMPILER=... -DFLAGS=... -P built.cmake
# Writes the file only if something has changed, so that nothing is compiled for nothing.
find_program(GIT git)
set(commit "unknown")
if(GIT AND EXISTS "${SOURCE}/.git")
    execute_process(COMMAND "${GIT}" -C "${SOURCE}" describe --always --dirty --abbrev=12 OUTPUT_VARIABLE described
                    ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(NOT failed AND described)
        set(commit "${described}")
    endif()
endif()

# As a string of C.
function(quote name)
    string(STRIP "${${name}}" text)
    string(REGEX REPLACE "([\\\\\"])" "\\\\\\1" text "${text}")
    set(${name} "\"${text}\"" PARENT_SCOPE)
endfunction()
foreach(name VERSION COMPILER FLAGS commit)
    quote(${name})
endforeach()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT
"/* Made by bench/built.cmake. */
#include \"bench/built.h\"

const char bench_built_version[] = ${VERSION};
const char bench_built_commit[] = ${commit};
const char bench_built_compiler[] = ${COMPILER};
const char bench_built_flags[] = ${FLAGS};
")
