/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rewrites a file that is torn or damaged: every message of each chunk that is whole, those records of a torn uncompressed chunk
 * that are whole, metadata, and a new summary. Numbers of schemas and channels may become others. Attachments are not kept.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_RECOVER_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_RECOVER_H

#include "tools/peal/mcap/mcap_writer.h"

struct mcap_recovered {
    uint64_t messages;    /* kept, */
    uint64_t unchecked;   /* and of those from a torn chunk, which no CRC vouches for */
    uint64_t chunks;      /* kept as a whole */
    uint64_t metadata;    /* kept */
    uint64_t attachments; /* lost */
    uint64_t damaged;     /* things lost because they were spoilt */
    uint64_t
        torn_bytes; /* behind the last whole record, if the file is torn: what of them is not kept is lost */
    bool was_whole;        /* there was nothing to recover: the data is sound and has its end */
    struct mcap_error why; /* the first thing that was wrong; MCAP_OK: nothing */
};

/* `options` as for mcap_writer_open(); NULL: uncompressed. `recovered` is filled in as far as it went. */
enum mcap_status mcap_recover(int from_fd, int to_fd, const struct mcap_writer_options *options,
                              struct mcap_recovered *recovered, struct mcap_error *error);

#endif
