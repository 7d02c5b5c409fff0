# SPDX-License-Identifier: Apache-2.0
# peal_use_sysroot(architecture triplet): for toolchain files. Points pkg-config at the libraries that scripts/setup.sh
# unpacked for this architecture, and lets programs find them at run time without being installed.

macro(peal_use_sysroot architecture triplet)
    if(DEFINED ENV{PEAL_SYSROOT_DIR})
        set(peal_sysroot "$ENV{PEAL_SYSROOT_DIR}/${architecture}")
    elseif(DEFINED ENV{XDG_CACHE_HOME})
        set(peal_sysroot "$ENV{XDG_CACHE_HOME}/peal-sysroot/${architecture}")
    elseif(DEFINED ENV{HOME})
        set(peal_sysroot "$ENV{HOME}/.cache/peal-sysroot/${architecture}")
    else()
        set(peal_sysroot "/var/tmp/.cache/peal-sysroot/${architecture}")
    endif()
    if(NOT EXISTS "${peal_sysroot}/.complete")
        message(FATAL_ERROR "No libraries for ${architecture} in ${peal_sysroot}: run scripts/setup.sh, which puts them there.")
    endif()
    set(ENV{PKG_CONFIG_LIBDIR} "${peal_sysroot}/usr/lib/${triplet}/pkgconfig")
    # RPATH and not RUNPATH, because the libraries need each other.
    string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -Wl,--disable-new-dtags,-rpath,${peal_sysroot}/usr/lib/${triplet}")
    set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
endmacro()
