/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peal, a message bus for programs that share memory but not an operating system.
 * This header brings in all of the public API.
 */
#ifndef PEAL_PEAL_H
#define PEAL_PEAL_H

#include <peal/audit.h>
#include <peal/bus.h>
#include <peal/message.h>
#include <peal/observer.h>
#include <peal/publisher.h>
#include <peal/queue.h>
#include <peal/spsc.h>
#include <peal/status.h>
#include <peal/subscriber.h>
#include <peal/version.h>
#include <peal/waitset.h>

#endif
