# SPDX-License-Identifier: Apache-2.0
# Libraries that Peal stands on. All come with pkg-config files; a cross toolchain file points pkg-config at its own.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# The modules are named once: PealConfig.cmake and peal.pc are filled in from this list.
set(PEAL_PKG_MODULES ck liburcu-bp liburcu-cds)
pkg_check_modules(PEAL_DEPS QUIET IMPORTED_TARGET ${PEAL_PKG_MODULES})
if(NOT PEAL_DEPS_FOUND)
    list(JOIN PEAL_PKG_MODULES ", " modules)
    message(
        FATAL_ERROR
            "pkg-config does not find all of: ${modules}.\n"
            "On Debian: apt-get install libck-dev liburcu-dev, or run scripts/setup.sh, which installs whatever is missing.")
endif()

# ck's pkg-config file defines the very macros that the compiler predefines (-D__x86_64__): redefinitions that add nothing.
get_target_property(peal_deps_cflags PkgConfig::PEAL_DEPS INTERFACE_COMPILE_OPTIONS)
if(peal_deps_cflags)
    list(FILTER peal_deps_cflags EXCLUDE REGEX "^-D__")
    set_target_properties(PkgConfig::PEAL_DEPS PROPERTIES INTERFACE_COMPILE_OPTIONS "${peal_deps_cflags}")
endif()
