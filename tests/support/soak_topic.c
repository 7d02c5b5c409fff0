/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/soak_topic.h"

#include "tests/support/eventually.h"
#include "tests/support/first_wrong.h"
#include "tests/support/random.h"

#include <string.h>
#include <unistd.h>

/* What a message says of itself. */
struct words {
    uint64_t publisher;
    uint64_t number;
    uint64_t check;
};

#define EXPECT(condition) EXPECT_OR_NOTE(&part->tally->wrong, condition)

static void note_time(struct soak_topic *part, enum soak_topic_call call, uint64_t begin_ns)
{
    uint64_t took_ns = test_now_ns() - begin_ns;
    if (took_ns > part->longest_ns[call])
        part->longest_ns[call] = took_ns;
}

bool soak_topic_begin(struct soak_topic *part, struct peal_bus *bus, struct soak_topic_tally *tally,
                      uint64_t *seed)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_subscriber_options listening = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    memset(part, 0, sizeof(*part));
    part->tally = tally;
    options.depth = SOAK_DEPTH;
    options.full_policy = random_below(seed, 4) ? PEAL_FULL_REFUSE : PEAL_FULL_EVICT;
    options.timestamp = random_below(seed, 2);
    options.crc32c = random_below(seed, 2);
    listening.reliability = random_below(seed, 2) ? PEAL_RELIABLE : PEAL_BEST_EFFORT;
    listening.history = random_below(seed, SOAK_DEPTH);
    enum peal_status status = peal_subscriber_create(bus, "soak", &listening, &part->subscriber);
    if (status == PEAL_OK)
        status = peal_publisher_create(bus, "soak", &options, &part->publisher);
    /* Stopped ones may keep lanes that they have not read. */
    if (status != PEAL_OK) {
        EXPECT(status == PEAL_ELIMIT || status == PEAL_AGAIN || status == PEAL_ENOSPC);
        return false;
    }
    (void)peal_publisher_stats(part->publisher, &stats);
    part->incarnation = stats.incarnation;
    return true;
}

void soak_topic_end(struct soak_topic *part)
{
    peal_publisher_close(part->publisher);
    peal_subscriber_close(part->subscriber);
}

static bool publish(struct soak_topic *part)
{
    const struct words words = {part->incarnation, part->next, part->incarnation ^ part->next};
    const uint64_t begin_ns = test_now_ns();
    enum peal_status status = peal_publisher_publish(part->publisher, &words, sizeof(words));
    note_time(part, SOAK_PUBLISH, begin_ns);
    EXPECT(status == PEAL_OK || status == PEAL_FULL);
    if (status != PEAL_OK)
        return false;
    part->next++;
    (void)peal_u64_add_relaxed(&part->tally->published, 1);
    return true;
}

/* The voice of that publisher; a new one takes the place of the one that was silent for longest. */
static struct soak_voice *voice_of(struct soak_topic *part, const struct peal_message *message)
{
    struct soak_voice *oldest = &part->voices[0];
    for (uint32_t i = 0; i < SOAK_VOICES; i++) {
        struct soak_voice *voice = &part->voices[i];
        if (voice->publisher == message->publisher)
            return voice;
        if (voice->heard_at < oldest->heard_at)
            oldest = voice;
    }
    /* Where it begins, history and the time of our coming say. */
    *oldest = (struct soak_voice){.publisher = message->publisher,
                                  .next = message->number - message->lost};
    return oldest;
}

static bool take(struct soak_topic *part)
{
    struct words words;
    struct peal_message message;
    const uint64_t begin_ns = test_now_ns();
    enum peal_status status =
        peal_subscriber_take_copy(part->subscriber, &words, sizeof(words), &message);
    note_time(part, SOAK_TAKE, begin_ns);
    EXPECT(status == PEAL_OK || status == PEAL_EMPTY);
    if (status != PEAL_OK)
        return false;
    EXPECT(message.size_bytes == sizeof(words));
    EXPECT(words.publisher == message.publisher && words.number == message.number);
    EXPECT(words.check == (words.publisher ^ words.number));
    struct soak_voice *voice = voice_of(part, &message);
    /* Nothing is lost silently. */
    if (message.number - voice->next != message.lost) {
        fprintf(stderr,
                "process %d: message %" PRIu64 " of lane %" PRIu32 " of %016" PRIx64 ": %" PRIu64
                " was due, %" PRIu64 " are told lost, flags %" PRIu32 ", heard at %" PRIu64
                " of %" PRIu64 "\n",
                (int)getpid(), message.number, message.lane, message.publisher, voice->next,
                message.lost, message.flags, voice->heard_at, part->heard);
        first_wrong_note(&part->tally->wrong, __LINE__);
    }
    voice->next = message.number + 1;
    voice->heard_at = ++part->heard;
    (void)peal_u64_add_relaxed(&part->tally->taken, 1);
    (void)peal_u64_add_relaxed(&part->tally->lost, message.lost);
    return true;
}

void soak_topic_work(struct soak_topic *part, uint64_t *seed)
{
    for (uint32_t i = random_below(seed, 40); i > 0 && publish(part); i--)
        continue;
    for (uint32_t i = random_below(seed, 200); i > 0 && take(part); i--)
        continue;
    if (random_below(seed, 4) != 0)
        return;
    const uint64_t begin_ns = test_now_ns();
    (void)peal_subscriber_wait(part->subscriber, 1 + random_below(seed, 2000000));
    note_time(part, SOAK_WAIT, begin_ns);
}

void soak_topic_listen(struct soak_topic *part)
{
    while (take(part))
        continue;
}
