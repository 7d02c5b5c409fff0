/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in shared memory: zero-padded bytes in little-endian words, which are moved word by word, so
 * that a name that a peer changes under our hands is at worst a mixture and never a fault.
 */
#ifndef PEAL_CORE_TEXT_H
#define PEAL_CORE_TEXT_H

#include "core/atomic.h"

#include <stddef.h>

/* Packs `text` (NULL counts as "") into words; what goes beyond 8 * count - 1 bytes is cut. */
void peal_text_pack(const char *text, uint64_t *words, uint32_t count);

/* Unpacks up to text_bytes - 1 characters and a NUL. Control characters become '?', for the reader may
 * be a terminal and the writer hostile. */
void peal_text_unpack(const uint64_t *words, uint32_t count, char *text, size_t text_bytes);

/* What is no valid UTF-8, and control characters from U+0080 on, become '?' too: for whoever hands the
 * text on as UTF-8. In place. */
void peal_text_clean(char *text);

/* To and from shared memory. Relaxed: the owner word beside the name orders them. */
void peal_text_store(peal_u64 *shared, const uint64_t *words, uint32_t count);
void peal_text_load(const peal_u64 *shared, uint64_t *words, uint32_t count);
bool peal_text_equals(const peal_u64 *shared, const uint64_t *words, uint32_t count);

#endif
