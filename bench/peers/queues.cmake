# SPDX-License-Identifier: Apache-2.0
# peal-bench-queues: built where its peers are installed (libdpdk-dev, libboost-dev), and not needed by anything else.
pkg_check_modules(DPDK QUIET libdpdk)
find_path(BOOST_LOCKFREE_INCLUDE boost/lockfree/queue.hpp)
if(DPDK_FOUND AND BOOST_LOCKFREE_INCLUDE)
    add_executable(peal-bench-queues peers/queues.c peers/plain.c peers/rte.c peers/boost.cc)
    target_include_directories(peal-bench-queues SYSTEM PRIVATE ${DPDK_INCLUDE_DIRS} ${BOOST_LOCKFREE_INCLUDE})
    set_source_files_properties(peers/rte.c PROPERTIES COMPILE_OPTIONS "${DPDK_CFLAGS_OTHER};-w")
    target_link_libraries(peal-bench-queues PRIVATE peal_compile peal_static rte_ring rte_eal Threads::Threads)
endif()
