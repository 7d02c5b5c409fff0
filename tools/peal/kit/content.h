/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What messages hold, shown to people and given to programs. The bytes are anybody's: what would move a terminal's cursor,
 * change its colours or turn its text around never gets there, but stands there escaped.
 */
#ifndef PEAL_TOOLS_PEAL_KIT_CONTENT_H
#define PEAL_TOOLS_PEAL_KIT_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8 that can be shown as it stands, lines and tabs included; one NUL at the end, as C programs send it, does not matter. */
bool content_is_text(const void *data, size_t size_bytes);

enum content_lines {
    CONTENT_ONE_LINE = 0,   /* line ends and tabs are escaped as well */
    CONTENT_KEEP_LINES = 1, /* they stay */
};

/*
 * Writes as much of the bytes as fits, escaped: valid UTF-8 without control characters, ended by NUL. *used gets how many bytes
 * of `data` that took, at least 1 if there are any; the answer is the length of the text. `room` is CONTENT_ROOM_MIN and more.
 */
#define CONTENT_ROOM_MIN 16
size_t content_escape(char *to, size_t room, const void *data, size_t size_bytes,
                      enum content_lines lines, size_t *used);

/* A line of a hex dump as `hexdump -C` has it, without line end, of up to 16 bytes. */
#define CONTENT_HEX_LINE_BYTES 96
void content_hex_line(char *line, const void *data, size_t size_bytes, uint64_t offset);

/* To stdout, ended by a line end. Nothing is printed of no bytes as hex; as text that is an empty line. */
void content_print_text(const void *data, size_t size_bytes);
void content_print_hex(const void *data, size_t size_bytes);

/* RFC 4648 with padding. To be freed. */
char *content_base64(const void *data, size_t size_bytes);

#endif
