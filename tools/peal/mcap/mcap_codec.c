/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_codec.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* No LZ4 frame unpacks to more than this many times its size. */
#define LZ4_RATIO_MAX 256

static const char *const names[] = {"", "lz4", "zstd"};

struct mcap_codec {
    enum mcap_compression compression;
    LZ4F_preferences_t lz4;
    ZSTD_CCtx *zstd;
};

const char *mcap_compression_name(enum mcap_compression compression)
{
    return names[compression];
}

bool mcap_compression_find(struct mcap_span name, enum mcap_compression *compression)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (name.size_bytes == strlen(names[i]) &&
            (name.size_bytes == 0 || memcmp(name.bytes, names[i], name.size_bytes) == 0)) {
            *compression = (enum mcap_compression)i;
            return true;
        }
    }
    return false;
}

struct mcap_codec *mcap_codec_new(enum mcap_compression compression, int level)
{
    struct mcap_codec *codec = calloc(1, sizeof(*codec));
    if (!codec)
        return NULL;
    codec->compression = compression;
    codec->lz4.compressionLevel = level;
    codec->lz4.frameInfo.blockSizeID = LZ4F_max4MB;
    if (compression == MCAP_COMPRESSION_ZSTD) {
        codec->zstd = ZSTD_createCCtx();
        if (!codec->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(
                                codec->zstd, ZSTD_c_compressionLevel, level ? level : 1))) {
            mcap_codec_free(codec);
            return NULL;
        }
    }
    return codec;
}

void mcap_codec_free(struct mcap_codec *codec)
{
    if (codec)
        (void)ZSTD_freeCCtx(codec->zstd);
    free(codec);
}

enum mcap_status mcap_codec_compress(struct mcap_codec *codec, struct mcap_span input,
                                     struct mcap_buffer *output, struct mcap_error *error)
{
    bool lz4 = codec->compression == MCAP_COMPRESSION_LZ4;
    codec->lz4.frameInfo.contentSize = input.size_bytes;
    size_t bound = lz4 ? LZ4F_compressFrameBound(input.size_bytes, &codec->lz4)
                       : ZSTD_compressBound(input.size_bytes);
    mcap_buffer_clear(output);
    if (!mcap_buffer_reserve(output, bound))
        return mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE,
                         "no memory to compress a chunk of %zu bytes", input.size_bytes);
    size_t done;
    if (lz4)
        done = LZ4F_compressFrame(output->bytes, output->size_bytes, input.bytes, input.size_bytes,
                                  &codec->lz4);
    else
        done = ZSTD_compress2(codec->zstd, output->bytes, output->size_bytes, input.bytes,
                              input.size_bytes);
    if (lz4 ? LZ4F_isError(done) != 0 : ZSTD_isError(done) != 0)
        return mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE, "cannot compress: %s",
                         lz4 ? LZ4F_getErrorName(done) : ZSTD_getErrorName(done));
    output->used_bytes = done;
    return MCAP_OK;
}

/* Answers what is wrong, NULL if nothing is. */
static const char *unpack_lz4(struct mcap_span input, struct mcap_buffer *output,
                              size_t uncompressed_bytes)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return "no memory";
    const char *wrong = NULL;
    size_t taken = 0;
    size_t hint = 1; /* 0 at the end of a frame */
    while (!wrong && taken < input.size_bytes) {
        size_t from = input.size_bytes - taken;
        size_t to = uncompressed_bytes - output->used_bytes;
        hint = LZ4F_decompress(context, output->bytes + output->used_bytes, &to,
                               input.bytes + taken, &from, NULL);
        if (LZ4F_isError(hint))
            wrong = LZ4F_getErrorName(hint);
        else if (from == 0 && to == 0)
            wrong = "more than the chunk says";
        else {
            taken += from;
            output->used_bytes += to;
        }
    }
    if (!wrong && hint != 0)
        wrong = "it ends too early";
    (void)LZ4F_freeDecompressionContext(context);
    return wrong;
}

static const char *unpack_zstd(struct mcap_span input, struct mcap_buffer *output,
                               size_t uncompressed_bytes)
{
    size_t done = ZSTD_decompress(output->bytes, uncompressed_bytes, input.bytes, input.size_bytes);
    if (ZSTD_isError(done))
        return ZSTD_getErrorName(done);
    output->used_bytes = done;
    return NULL;
}

/* Whether the input can become that large at all: what cannot is found before memory is asked for. */
static bool plausible(enum mcap_compression compression, struct mcap_span input,
                      size_t uncompressed_bytes)
{
    if (compression == MCAP_COMPRESSION_LZ4)
        return uncompressed_bytes / LZ4_RATIO_MAX <= input.size_bytes;
    unsigned long long told = ZSTD_getFrameContentSize(input.bytes, input.size_bytes);
    return told == ZSTD_CONTENTSIZE_UNKNOWN ||
           (told != ZSTD_CONTENTSIZE_ERROR && told <= uncompressed_bytes);
}

enum mcap_status mcap_decompress(enum mcap_compression compression, struct mcap_span input,
                                 size_t uncompressed_bytes, struct mcap_buffer *output,
                                 uint64_t offset, struct mcap_error *error)
{
    const char *name = names[compression];
    mcap_buffer_clear(output);
    if (!plausible(compression, input, uncompressed_bytes))
        return mcap_fail(error, MCAP_BROKEN, offset,
                         "%zu bytes of %s cannot hold the %zu that the chunk tells",
                         input.size_bytes, name, uncompressed_bytes);
    /* One more than needed: the libraries want a place even for nothing. */
    if (!mcap_buffer_reserve(output, uncompressed_bytes + 1))
        return mcap_fail(error, MCAP_NOMEM, offset, "no memory for a chunk of %zu bytes",
                         uncompressed_bytes);
    const char *wrong = compression == MCAP_COMPRESSION_LZ4
                            ? unpack_lz4(input, output, uncompressed_bytes)
                            : unpack_zstd(input, output, uncompressed_bytes);
    if (wrong)
        return mcap_fail(error, MCAP_BROKEN, offset, "the chunk's %s data is spoilt: %s", name,
                         wrong);
    if (output->used_bytes != uncompressed_bytes)
        return mcap_fail(error, MCAP_BROKEN, offset, "the chunk unpacks to %zu bytes and tells %zu",
                         output->used_bytes, uncompressed_bytes);
    return MCAP_OK;
}
