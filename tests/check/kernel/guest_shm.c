/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver would do with the header; compiled only, against the kernel's names for the types. */
#include <guest_shm.h>

#if GUEST_SHM_MAX_CLIENTS != 16
#error "constants must be usable by the preprocessor"
#endif

uint32_t guest_shm_in_kernel(const struct guest_shm_factory *factory,
                             const struct guest_shm_control *control);

uint32_t guest_shm_in_kernel(const struct guest_shm_factory *factory,
                             const struct guest_shm_control *control)
{
    return factory->signature == GUEST_SHM_SIGNATURE ? control->idx : GSS_UNKNOWN_FAILURE;
}
