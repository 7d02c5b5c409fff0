/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scribble.h"

#include "tests/support/random.h"

static const uint32_t queue_words[] = {0, 2, 3, 4, 16, 17, 18, 19, 32, 32, 48, 48, 48, 49};
static const uint32_t reader_words[] = {0, 3, 3, 3, 4, 5, 6};

size_t scribble_aim(uint64_t *seed, size_t words)
{
    const size_t directory = 20480 / 8;
    const size_t page = (size_t)random_below(seed, (uint32_t)(words / 512)) * 512;
    switch (random_below(seed, 12)) {
    case 0: /* the header, rarely its layout: without it nobody gets far */
        return random_below(seed, 64) ? 16 + random_below(seed, 32) : random_below(seed, 6);
    case 1: /* client entries */
        return 512 + random_below(seed, 64) * 32 + random_below(seed, 7);
    case 2: /* topics: owner words, epochs, lanes */
        return directory + random_below(seed, SCRIBBLE_TOPICS) * 256 + random_below(seed, 256);
    case 3: /* the page map and what is around it */
        return directory + SCRIBBLE_TOPICS * 256 + random_below(seed, 512);
    case 4: /* the head of what may be a lane */
        return page + random_below(seed, 60);
    case 5: /* its acknowledgement lines */
        return page + 64 + random_below(seed, 32) * 16 + random_below(seed, 3);
    case 7: /* a queue's lane: shape and options, the producer's claim and counts, published, cursor, waiting */
        return page + queue_words[random_below(seed, sizeof(queue_words) / sizeof(queue_words[0]))];
    case 8: /* its readers: tag, claim, lost, lost_after, lost_claim; mostly those that there are */
        return page + 64 + random_below(seed, random_below(seed, 4) ? 4 : 32) * 16 +
               reader_words[random_below(seed, sizeof(reader_words) / sizeof(reader_words[0]))];
    case 9: /* its lengths, tickets, first cells */
        return (page + 576 + random_below(seed, 64)) % words;
    case 10: /* what makes an entry a queue, its sums and its ticket; consumers and lanes of it */
        return directory + random_below(seed, SCRIBBLE_TOPICS) * 256 +
               (random_below(seed, 2)   ? 19 + random_below(seed, 7)
                : random_below(seed, 2) ? 64 + random_below(seed, 4)
                                        : 128 + random_below(seed, 12));
    case 6: /* its slots: stamp, length and kind, position */
        return (page + 576 + random_below(seed, 512) / 8 * 8 + random_below(seed, 3)) % words;
    default:
        return (size_t)(random_next(seed) % words);
    }
}

uint64_t scribble_lie(uint64_t *seed, uint64_t truth)
{
    switch (random_below(seed, 8)) {
    case 7: /* a claim, or a cursor */
        return (uint64_t)random_below(seed, 4) << 62 | (uint64_t)random_below(seed, 40) << 48 |
               random_below(seed, 80);
    case 0:
        return truth + random_below(seed, 9) - 4;
    case 1:
        return truth ^ UINT64_C(1) << random_below(seed, 64);
    case 2:
        return random_next(seed) >> random_below(seed, 64);
    case 3:
        return 0 - (uint64_t)random_below(seed, 64);
    case 4:
        return (truth & UINT64_C(0xffffffff)) | random_next(seed) << 32;
    case 5:
        return truth << 32 | truth >> 32;
    default:
        return 0;
    }
}
