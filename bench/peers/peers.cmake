# SPDX-License-Identifier: Apache-2.0
# The peers of Peal in the benchmarks. Each is built if its Debian package is there (`scripts/setup.sh --peers` installs
# all), and named as missing if it is not. They are linked to peal-bench and its tests only: nothing of them gets into
# libpeal, or into what is installed for programs that use it.
#
#   peer                                      package                  version   licence
#   ck_ring                                   libck-dev                0.7.1     BSD-2-Clause
#   rte_ring                                  libdpdk-dev              22.11     BSD-3-Clause
#   boost::lockfree, boost::interprocess      libboost-dev             1.74      BSL-1.0
#   moodycamel::ReaderWriterQueue             libreaderwriterqueue-dev 1.0.6     BSD-2-Clause
#   moodycamel::ConcurrentQueue               libconcurrentqueue-dev   1.0.3     BSD-2-Clause, or BSL-1.0
#   iceoryx                                   libiceoryx-posh-dev      2.0.3     Apache-2.0
#   its daemon, RouDi                         iceoryx                  2.0.3     Apache-2.0
#   ZeroMQ                                    libzmq3-dev              4.3.4     LGPL-3.0 with an exception for linking
#   NNG                                       libnng-dev               1.5.2     MIT
#   nanomsg                                   libnanomsg-dev           1.1.5     MIT
#
# Vyukov's queue is written anew here from its published description. POSIX message queues, pipes and sockets are there.
set(peers_folder "${CMAKE_CURRENT_LIST_DIR}")
set(peers_sources contenders.c peers.c tray.c ring.c vyukov.c mqueue.c pipe.c
    socket.c)
list(TRANSFORM peers_sources PREPEND "${peers_folder}/")
set(peers_macros "")
set(peers_missing "")

add_library(peal_bench_peers OBJECT ${peers_sources})
target_link_libraries(peal_bench_peers PUBLIC peal_compile Threads::Threads)
# Designated initializers, of which the compiler wants all in C++, but not in C.
set_target_properties(peal_bench_peers PROPERTIES CXX_STANDARD 20)
target_compile_options(peal_bench_peers PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>)

# peer(MACRO "name" "package" FOUND source...): FOUND is a condition's value.
function(peer macro name package found)
    if(found)
        set(has 1)
        list(TRANSFORM ARGN PREPEND "${peers_folder}/")
        target_sources(peal_bench_peers PRIVATE ${ARGN})
    else()
        set(has 0)
        list(APPEND peers_missing "${name} (${package})")
    endif()
    list(APPEND peers_macros "PEAL_BENCH_HAS_${macro}=${has}")
    set(PEAL_BENCH_HAS_${macro} ${has} PARENT_SCOPE)
    set(peers_macros "${peers_macros}" PARENT_SCOPE)
    set(peers_missing "${peers_missing}" PARENT_SCOPE)
endfunction()

find_path(PEAL_CK_INCLUDE ck_ring.h)
peer(CK "ck_ring" libck-dev "${PEAL_CK_INCLUDE}" ck_ring.c)

# Only the ring. Its headers want a configuration before them, and at least SSE4.2 on x86.
pkg_check_modules(DPDK QUIET libdpdk)
find_library(PEAL_RTE_RING rte_ring HINTS ${DPDK_LIBRARY_DIRS})
peer(DPDK "rte_ring" libdpdk-dev "${PEAL_RTE_RING}" rte_ring.c)
if(PEAL_BENCH_HAS_DPDK)
    target_link_libraries(peal_bench_peers PUBLIC "${PEAL_RTE_RING}")
    target_include_directories(peal_bench_peers SYSTEM PRIVATE ${DPDK_INCLUDE_DIRS})
    set_source_files_properties("${peers_folder}/rte_ring.c" PROPERTIES COMPILE_OPTIONS "${DPDK_CFLAGS_OTHER}")
endif()

# Headers only.
find_path(PEAL_BOOST_INCLUDE boost/lockfree/spsc_queue.hpp)
peer(BOOST "boost::lockfree and boost::interprocess" libboost-dev "${PEAL_BOOST_INCLUDE}" boost_lockfree.cc
     boost_message_queue.cc)
find_path(PEAL_READER_WRITER_QUEUE_INCLUDE readerwriterqueue/readerwriterqueue.h)
peer(READER_WRITER_QUEUE "ReaderWriterQueue" libreaderwriterqueue-dev "${PEAL_READER_WRITER_QUEUE_INCLUDE}"
     reader_writer_queue.cc)
find_path(PEAL_CONCURRENT_QUEUE_INCLUDE concurrentqueue/concurrentqueue.h)
peer(CONCURRENT_QUEUE "ConcurrentQueue" libconcurrentqueue-dev "${PEAL_CONCURRENT_QUEUE_INCLUDE}" concurrent_queue.cc)

find_package(iceoryx_posh QUIET)
peer(ICEORYX "iceoryx" "libiceoryx-posh-dev and iceoryx" "${iceoryx_posh_FOUND}" iceoryx.cc roudi.c)
if(PEAL_BENCH_HAS_ICEORYX)
    target_link_libraries(peal_bench_peers PUBLIC iceoryx_posh::iceoryx_posh)
endif()
pkg_check_modules(PEAL_ZMQ QUIET IMPORTED_TARGET libzmq)
peer(ZMQ "ZeroMQ" libzmq3-dev "${PEAL_ZMQ_FOUND}" zeromq.c)
if(PEAL_BENCH_HAS_ZMQ)
    target_link_libraries(peal_bench_peers PUBLIC PkgConfig::PEAL_ZMQ)
endif()
# Before NNG, whose library has nanomsg's functions too, for programs that were written for it.
pkg_check_modules(PEAL_NANOMSG QUIET IMPORTED_TARGET nanomsg)
peer(NANOMSG "nanomsg" libnanomsg-dev "${PEAL_NANOMSG_FOUND}" nanomsg.c)
if(PEAL_BENCH_HAS_NANOMSG)
    target_link_libraries(peal_bench_peers PUBLIC PkgConfig::PEAL_NANOMSG)
endif()
find_path(PEAL_NNG_INCLUDE nng/nng.h)
find_library(PEAL_NNG nng)
if(PEAL_NNG_INCLUDE AND PEAL_NNG)
    set(nng_found 1)
else()
    set(nng_found 0)
endif()
peer(NNG "NNG" libnng-dev "${nng_found}" nng.c)
if(PEAL_BENCH_HAS_NNG)
    target_link_libraries(peal_bench_peers PUBLIC "${PEAL_NNG}")
endif()

list(JOIN peers_missing ", " peers_missing)
set_source_files_properties(
    "${peers_folder}/contenders.c" PROPERTIES COMPILE_DEFINITIONS "${peers_macros};PEAL_BENCH_MISSING=\"${peers_missing}\"")
target_link_libraries(peal-bench PRIVATE peal_bench_peers)
