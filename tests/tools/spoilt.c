/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `peal` makes of regions that a hostile client has spoilt: it may say anything of them, but says it in order, and ends.
 *
 *      spoilt copies PEAL FOLDER COUNT    COUNT copies of a region, each spoilt in another way, and all commands over each
 *      spoilt live PEAL FOLDER MS          a region that is being scribbled all over while commands look at it
 *
 * PEAL_TEST_SEED=N repeats a run. The copy at which a run failed stays in FOLDER.
 */
#include "core/atomic.h"
#include "tests/support/random.h"
#include "tests/support/scribble.h"
#include "tests/tools/spoilt_run.h"
#include "transport/posix/posix_shared.h"

#include <fcntl.h>
#include <peal/peal.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGION_BYTES ((size_t)1 << 20)
#define IMAGE_BYTES (PEAL_POSIX_CONTROL_BYTES + REGION_BYTES)
#define PAGE_BYTES 4096u
#define TOPICS_AT (20480 / 8) /* in words; see docs/format.md */
#define TOPIC_WORDS 256u
#define DATA_PAGE 10u

/* Of copies, and of what lives. */
static const struct spoilt_command lookers[] = {
    {.words = {"ls", "--interval=1ms"}, .has_json = true},
    {.words = {"ls", "--interval=1ms", "--long"}, .has_json = true},
    {.words = {"info"}, .has_json = true},
    {.words = {"info", "--interval=1ms", "*"}, .has_json = true},
    {.words = {"top", "--batch", "--count=2", "--interval=1ms"}, .has_json = true},
    {.words = {"top", "--batch", "--count=1", "--interval=1ms", "--view=clients"},
     .has_json = true},
    {.words = {"top", "--batch", "--count=2", "--interval=1ms", "wheel"}, .has_json = true},
    {.words = {"audit", "--settle=2ms"}, .has_json = true},
    {.words = {"audit", "--settle=0", "--items"}, .has_json = true},
    {.words = {"metrics"}},
    {.words = {"complete", "--", "info", ""}, .is_stream = true},
};

/* Of what lives only: they take part, or look at the machine. */
static const struct spoilt_command takers[] = {
    {.words = {"echo", "--count=3", "--timeout=5ms", "--history=8", "*"},
     .has_json = true,
     .is_stream = true},
    {.words = {"clean"}, .has_json = true},
    {.words = {"doctor", "regions"}, .has_json = true},
    {.words = {"hz", "--count=2", "--interval=5ms", "wheel"}, .has_json = true, .is_stream = true},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a sound region ---- */

static char url[64];
static char object[128];
static struct peal_bus *bus;
static struct peal_subscriber *subscribers[3];
static struct peal_queue *queues[3];

static bool publish(const char *topic, uint32_t message_bytes, uint32_t depth, uint32_t count)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_publisher *publisher = NULL;
    static const unsigned char message[4096];
    options.message_bytes_max = message_bytes;
    options.depth = depth;
    options.full_policy = PEAL_FULL_EVICT;
    options.timestamp = true;
    options.crc32c = depth > 2;
    options.type_name = "bytes";
    options.name = "left";
    bool is_well = peal_publisher_create(bus, topic, &options, &publisher) == PEAL_OK;
    for (uint32_t i = 0; is_well && i < count; i++)
        is_well = peal_publisher_publish(publisher, message, 1 + i % message_bytes) == PEAL_OK;
    return is_well;
}

static bool take_part_in_queue(uint32_t index, bool strict, bool drops_held)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue_message message;
    size_t count;
    char name[] = "jobs-0";
    name[5] = (char)('0' + index);
    options.depth = 16;
    options.strict = strict;
    options.drops_held = drops_held;
    bool is_well = peal_queue_create(bus, name, &options, &queues[index]) == PEAL_OK;
    for (uint32_t i = 0; is_well && i < 9; i++)
        is_well = peal_queue_push(queues[index], &i, sizeof(i)) == PEAL_OK;
    return is_well && peal_queue_take(queues[index], &message, 1, &count) == PEAL_OK;
}

static bool make_region(void)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_subscriber_options listening = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_message message;
    (void)snprintf(url, sizeof(url), "posix:spoilt-%d", (int)getpid());
    (void)snprintf(object, sizeof(object), "/dev/shm/peal.%s", strchr(url, ':') + 1);
    options.size_bytes = REGION_BYTES;
    options.topics_max = SCRIBBLE_TOPICS;
    options.client_name = "spoilt";
    listening.history = 4;
    return peal_bus_open(&bus, url, &options) == PEAL_OK &&
           peal_subscriber_create(bus, "wheel", &listening, &subscribers[0]) == PEAL_OK &&
           publish("wheel", 40, 16, 10) && publish("wheel", 40, 64, 100) &&
           publish("frames", 4096, 4, 9) && publish("state", 16, 2, 3) &&
           peal_subscriber_create(bus, "frames", &listening, &subscribers[1]) == PEAL_OK &&
           peal_subscriber_create(bus, "wheel", &listening, &subscribers[2]) == PEAL_OK &&
           peal_subscriber_take(subscribers[2], &message) == PEAL_OK &&
           take_part_in_queue(0, false, false) && take_part_in_queue(1, true, false) &&
           take_part_in_queue(2, false, true);
}

static unsigned char sound[IMAGE_BYTES];

static bool read_region(void)
{
    const int descriptor = open(object, O_RDONLY | O_CLOEXEC);
    const bool is_whole = descriptor >= 0 && read(descriptor, sound, IMAGE_BYTES) == IMAGE_BYTES;
    if (descriptor >= 0)
        (void)close(descriptor);
    return is_whole;
}

/* ---- copies ---- */

static unsigned char image[IMAGE_BYTES];
static size_t image_bytes;
static size_t image_from; /* without the control area: it begins with the region */

static const uint64_t ends[] = {0,          1,           UINT64_MAX,         UINT64_MAX - 1,
                                INT64_MAX,  UINT32_MAX,  INT32_MAX,          UINT64_C(1) << 63,
                                UINT16_MAX, 0x7f7f7f7fu, 0xffffffff00000000u};

/* A page that is not the object's own business, mostly one of the directory or of a lane. */
static size_t some_page(uint64_t *seed)
{
    return PEAL_POSIX_CONTROL_BYTES / PAGE_BYTES +
           random_below(seed, random_below(seed, 2) ? 24 : 256);
}

static void lie(uint64_t *seed, uint32_t times)
{
    uint64_t *words = (uint64_t *)(void *)(image + PEAL_POSIX_CONTROL_BYTES);
    for (uint32_t i = 0; i < times; i++) {
        uint64_t *word = &words[scribble_aim(seed, REGION_BYTES / 8) % (REGION_BYTES / 8)];
        *word = scribble_lie(seed, *word);
    }
}

/* A structure, or a page, of nothing but one of the ends. */
static void fill(uint64_t *seed)
{
    const uint64_t end = ends[random_below(seed, COUNT(ends))];
    const uint32_t words = 1u << random_below(seed, 10);
    uint64_t *at = (uint64_t *)(void *)(image + some_page(seed) * PAGE_BYTES);
    at += random_below(seed, PAGE_BYTES / 8 / words) * words;
    for (uint32_t i = 0; i < words; i++)
        at[i] = end;
}

/* A topic that is full to its limits: every entry as the first one. */
static void crowd(uint64_t *seed, uint64_t *region)
{
    uint64_t *topic = region + TOPICS_AT + random_below(seed, SCRIBBLE_TOPICS) * TOPIC_WORDS;
    for (uint32_t i = 1; i < 32; i++) {
        topic[64 + i] = topic[64];
        memcpy(&topic[128 + 4 * i], &topic[128], 4 * sizeof(*topic));
    }
}

/* Names of a topic, of its type, of a client, or of the publisher of what may be a lane. */
static void misname(uint64_t *seed, uint64_t *region)
{
    uint64_t *at = region + (DATA_PAGE + random_below(seed, 24)) * (PAGE_BYTES / 8) + 5;
    uint32_t words = 4;
    switch (random_below(seed, 4)) {
    case 0:
        at = region + 512 + 2;
        break;
    case 1:
    case 2:
        at = region + TOPICS_AT + random_below(seed, SCRIBBLE_TOPICS) * TOPIC_WORDS + 3;
        words = 16;
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < words; i++)
        at[i] = random_next(seed) | (random_below(seed, 2) ? UINT64_C(0xc080c280e2809bc0) : 1);
}

static void swap_pages(uint64_t *seed)
{
    unsigned char kept[PAGE_BYTES];
    unsigned char *one = image + some_page(seed) * PAGE_BYTES;
    unsigned char *other = image + some_page(seed) * PAGE_BYTES;
    memcpy(kept, one, PAGE_BYTES);
    memmove(one, other, PAGE_BYTES);
    memcpy(other, kept, PAGE_BYTES);
}

static void drown(uint64_t *seed)
{
    uint64_t *page = (uint64_t *)(void *)(image + some_page(seed) * PAGE_BYTES);
    for (size_t i = 0; i < PAGE_BYTES / 8; i++)
        page[i] = random_next(seed);
}

static void spoil_control(uint64_t *seed)
{
    uint64_t *words = (uint64_t *)(void *)image;
    const size_t at = random_below(seed, 2) ? random_below(seed, 6) : random_below(seed, 8192);
    words[at] = scribble_lie(seed, words[at]);
}

static void spoil(uint64_t *seed)
{
    uint64_t *region = (uint64_t *)(void *)(image + PEAL_POSIX_CONTROL_BYTES);
    memcpy(image, sound, IMAGE_BYTES);
    image_bytes = IMAGE_BYTES;
    image_from = random_below(seed, 4) ? 0 : PEAL_POSIX_CONTROL_BYTES;
    for (uint32_t i = 1 + random_below(seed, 3); i > 0; i--)
        switch (random_below(seed, 10)) {
        case 8:
            crowd(seed, region);
            break;
        case 9:
            for (uint32_t names = 0; names < 8; names++)
                misname(seed, region);
            break;
        case 0:
            swap_pages(seed);
            break;
        case 1:
            drown(seed);
            break;
        case 2:
            spoil_control(seed);
            break;
        case 3:
        case 4:
            fill(seed);
            break;
        default:
            lie(seed, 1u << random_below(seed, 10));
        }
    if (random_below(seed, 6) == 0)
        image_bytes = random_below(seed, 3) ? image_from + random_below(seed, 70000)
                                            : some_page(seed) * PAGE_BYTES;
}

static bool write_image(const char *path)
{
    const size_t bytes = image_bytes > image_from ? image_bytes - image_from : 0;
    const int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool is_well =
        descriptor >= 0 && write(descriptor, image + image_from, bytes) == (ssize_t)bytes;
    if (descriptor >= 0)
        (void)close(descriptor);
    return is_well;
}

static bool look_at_copies(const char *peal, const char *folder, uint32_t count)
{
    uint64_t seed = random_seed();
    char path[200], copy[sizeof(path) + 8];
    bool is_well = true;
    (void)snprintf(path, sizeof(path), "%s/copy", folder);
    (void)snprintf(copy, sizeof(copy), "file:%s", path);
    for (uint32_t i = 0; i < count && is_well; i++) {
        if (i == 0) { /* as it is */
            memcpy(image, sound, IMAGE_BYTES);
            image_bytes = IMAGE_BYTES;
        } else {
            spoil(&seed);
        }
        is_well = write_image(path);
        for (uint32_t c = 0; c < COUNT(lookers) && is_well; c++)
            is_well = spoilt_run(peal, &lookers[c], copy, lookers[c].has_json && (i + c) % 2);
    }
    return is_well;
}

/* ---- alive ---- */

static peal_u32 is_over;
static uint64_t lies;

static void *scribble(void *context)
{
    uint64_t *words = (uint64_t *)(void *)((unsigned char *)context + PEAL_POSIX_CONTROL_BYTES);
    const uint64_t *truth = (const uint64_t *)(const void *)(sound + PEAL_POSIX_CONTROL_BYTES);
    uint64_t seed = random_seed() + 1;
    while (!peal_u32_load_relaxed(&is_over)) {
        for (uint32_t i = 0; i < 64; i++, lies++) {
            const size_t at = scribble_aim(&seed, REGION_BYTES / 8) % (REGION_BYTES / 8);
            peal_u64 *word = (peal_u64 *)(void *)&words[at];
            peal_u64_store_relaxed(word, scribble_lie(&seed, peal_u64_load_relaxed(word)));
        }
        crowd(&seed, words);
        misname(&seed, words);
        /* Nobody looks farther than a header that is no header; and into what is all noise. */
        const size_t first =
            random_below(&seed, 4) ? 0 : random_below(&seed, REGION_BYTES / 8 - 512);
        for (size_t i = first; i < first + (first ? 512 : 6); i++)
            peal_u64_store_relaxed((peal_u64 *)(void *)&words[i], truth[i]);
    }
    return NULL;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Each command once at least, in both ways. */
static bool look_for(const char *peal, uint64_t duration_ns)
{
    const uint64_t begin_ns = now_ns();
    bool is_well = true;
    for (uint32_t round = 0; is_well && (round < 2 || now_ns() - begin_ns < duration_ns); round++) {
        for (uint32_t c = 0; c < COUNT(lookers) && is_well; c++)
            is_well = spoilt_run(peal, &lookers[c], url, lookers[c].has_json && (round + c) % 2);
        for (uint32_t c = 0; c < COUNT(takers) && is_well; c++)
            is_well = spoilt_run(peal, &takers[c], url, takers[c].has_json && (round + c) % 2);
    }
    return is_well;
}

static bool look_at_life(const char *peal, uint64_t duration_ns)
{
    pthread_t thread;
    const int descriptor = open(object, O_RDWR | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    void *map = mmap(NULL, IMAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    (void)close(descriptor);
    if (map == MAP_FAILED || pthread_create(&thread, NULL, scribble, map) != 0)
        return false;
    const bool is_well = look_for(peal, duration_ns);
    peal_u32_store_relaxed(&is_over, 1);
    (void)pthread_join(thread, NULL);
    (void)munmap(map, IMAGE_BYTES);
    printf("%" PRIu64 " lies\n", lies);
    return is_well;
}

/* ---- by command ---- */

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "usage: spoilt copies|live PEAL FOLDER NUMBER\n");
        return 2;
    }
    bool is_well = make_region() && read_region();
    if (!is_well)
        fprintf(stderr, "spoilt: cannot make a region: %s\n", peal_error_message());
    const uint32_t number = (uint32_t)strtoul(arguments[4], NULL, 10);
    if (is_well && strcmp(arguments[1], "live") == 0)
        is_well = look_at_life(arguments[2], number * UINT64_C(1000000));
    else if (is_well)
        is_well = look_at_copies(arguments[2], arguments[3], number);
    /* The rest goes with us: what is held points into a region that may be all noise by now. */
    (void)peal_unlink(url);
    printf("%" PRIu64 " runs, %.1f ms of CPU at most; ended with", spoilt_figures.runs,
           (double)spoilt_figures.longest_ns / 1e6);
    for (uint32_t code = 0; code < COUNT(spoilt_figures.codes); code++)
        if (spoilt_figures.codes[code])
            printf(" %" PRIu32 ": %" PRIu64, code, spoilt_figures.codes[code]);
    printf("\n");
    return is_well ? 0 : 1;
}
