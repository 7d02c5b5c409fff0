/* SPDX-License-Identifier: Apache-2.0 */
/* The files of web/, in the program itself. embed.cmake makes the table from them when the program is built. */
#ifndef PEAL_TOOLS_PEAL_SERVE_PAGE_FILES_H
#define PEAL_TOOLS_PEAL_SERVE_PAGE_FILES_H

#include <stddef.h>

struct page_file {
    const char *name;
    const unsigned char *data;
    size_t size_bytes;
};

/* Ended by an empty one. */
extern const struct page_file page_files[];

#endif
