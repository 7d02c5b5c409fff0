/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three ways in which a chunk's records may be stored: as they are, as an LZ4 frame, as a Zstandard frame.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_CODEC_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_CODEC_H

#include "tools/peal/mcap/mcap_buffer.h"
#include "tools/peal/mcap/mcap_error.h"

enum mcap_compression { MCAP_COMPRESSION_NONE, MCAP_COMPRESSION_LZ4, MCAP_COMPRESSION_ZSTD };

/* "", "lz4", "zstd": as files name them. */
const char *mcap_compression_name(enum mcap_compression compression);

/* False: files of that name exist perhaps, but this reader cannot read them. */
bool mcap_compression_find(struct mcap_span name, enum mcap_compression *compression);

/* What compressing keeps from one chunk to the next. */
struct mcap_codec;

/* `level` is that of the library; 0 is its own choice, except for zstd, where it is 1. */
struct mcap_codec *mcap_codec_new(enum mcap_compression compression, int level);
void mcap_codec_free(struct mcap_codec *codec);

/* Replaces the content of `output` by the compressed bytes. Not for MCAP_COMPRESSION_NONE. */
enum mcap_status mcap_codec_compress(struct mcap_codec *codec, struct mcap_span input,
                                     struct mcap_buffer *output, struct mcap_error *error);

/*
 * Replaces the content of `output`, which never becomes larger than `uncompressed_bytes`; if it does not become that large,
 * the input is broken. The offset is for the error's text.
 */
enum mcap_status mcap_decompress(enum mcap_compression compression, struct mcap_span input,
                                 size_t uncompressed_bytes, struct mcap_buffer *output,
                                 uint64_t offset, struct mcap_error *error);

#endif
