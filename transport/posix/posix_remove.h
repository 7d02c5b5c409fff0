/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking the name of an object away: from under its clients, or only if there are none. Both do it under
 * the initialisation lock, so that no name is removed that meanwhile leads to another object. (A file
 * removed by other means, as with rm, is beyond that.)
 */
#ifndef PEAL_TRANSPORT_POSIX_REMOVE_H
#define PEAL_TRANSPORT_POSIX_REMOVE_H

#include "transport/removal.h"

/* Removes the name and the FIFOs of the dead, whoever is attached. Waits at most 100 ms for who is just
 * opening, and then does not wait any longer. */
enum peal_status peal_posix_object_unlink(const char *name);

/* peal_transport_remove_idle() of posix; the name has been checked. */
enum peal_status peal_posix_remove_idle(const char *name, struct peal_removal *removal);

#endif
