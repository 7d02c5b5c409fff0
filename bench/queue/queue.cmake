# SPDX-License-Identifier: Apache-2.0
# peal-bench-queue: Peal's queue beside others. It is built without those of them whose packages are missing, and says so.
set(queue_sources
    queue/main.c queue/options.c queue/rows.c queue/trial.c queue/worker.c queue/compare.c queue/report.c queue/json.c
    queue/peers.c queue/peer_peal.c queue/peer_ck.c queue/peer_vyukov.c cpus.c sample.c gbench.cc)
add_executable(peal-bench-queue ${queue_sources})
target_link_libraries(peal-bench-queue PRIVATE peal_compile peal_static PkgConfig::BENCHMARK PkgConfig::HWLOC Threads::Threads m)

# libdpdk-dev: only the ring. Its headers want a configuration before them, and at least SSE4.2 on x86.
pkg_check_modules(DPDK QUIET libdpdk)
find_library(PEAL_RTE_RING rte_ring HINTS ${DPDK_LIBRARY_DIRS})
if(DPDK_FOUND AND PEAL_RTE_RING)
    set(has_rte 1)
    target_sources(peal-bench-queue PRIVATE queue/peer_rte.c)
    target_link_libraries(peal-bench-queue PRIVATE "${PEAL_RTE_RING}")
    target_include_directories(peal-bench-queue SYSTEM PRIVATE ${DPDK_INCLUDE_DIRS})
    set_source_files_properties(queue/peer_rte.c PROPERTIES COMPILE_OPTIONS "${DPDK_CFLAGS_OTHER}")
else()
    set(has_rte 0)
endif()

# libboost-dev: headers only.
find_path(PEAL_BOOST_LOCKFREE boost/lockfree/queue.hpp)
if(PEAL_BOOST_LOCKFREE)
    set(has_boost 1)
    target_sources(peal-bench-queue PRIVATE queue/peer_boost.cc)
    target_include_directories(peal-bench-queue SYSTEM PRIVATE ${PEAL_BOOST_LOCKFREE})
else()
    set(has_boost 0)
endif()
set_source_files_properties(
    queue/peers.c PROPERTIES COMPILE_DEFINITIONS "PEAL_BENCH_HAS_RTE=${has_rte};PEAL_BENCH_HAS_BOOST=${has_boost}")
