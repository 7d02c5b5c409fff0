/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected, as in RFC 3720 appendix B.4), by the CPU's
 * instruction where it has one (SSE4.2, ARMv8 CRC), else by table.
 */
#ifndef PEAL_CORE_CRC32C_H
#define PEAL_CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of data[0..size_bytes); 0 for an empty message. Any alignment. Thread-safe. */
uint32_t peal_crc32c(const void *data, size_t size_bytes);

/* The table form, for machines without the instruction and to test the other against. */
uint32_t peal_crc32c_table(const void *data, size_t size_bytes);

#endif
