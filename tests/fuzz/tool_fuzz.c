/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over what `peal` makes of a region: looks, sums, rates, and all that it prints of them.
 *
 * The first byte of an input chooses what is printed. Its lowest bit says where the region comes from: set, the rest is its
 * image, byte by byte; clear, it is a sound one, and the rest are commands that spoil it, some of them between two looks.
 * Files are never waited for, and never have members; what is printed of those is tried with members that the input makes up.
 */
#include "tests/fuzz/tool_region.h"
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/exit_code.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/list/listing_json.h"
#include "tools/peal/list/region_details.h"
#include "tools/peal/list/topic_details.h"
#include "tools/peal/list/topic_table.h"
#include "tools/peal/look/rates.h"
#include "tools/peal/serve/exposition.h"
#include "tools/peal/top/batch.h"
#include "tools/peal/top/face.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct command command_audit;

static struct tool_stream stream;
static char *text; /* what was printed */
static size_t text_bytes;

/* ---- instead of kit/stop.c: time passes when it is waited for, and then the region is another ---- */

static uint64_t clock_ns;

uint64_t clock_now_ns(void)
{
    return clock_ns += 1000;
}

bool stop_wait_until(uint64_t deadline_ns)
{
    clock_ns = deadline_ns > clock_ns ? deadline_ns : clock_ns;
    tool_region_spoil(&stream);
    return true;
}

bool stop_requested(void)
{
    return false;
}

int stop_fd(void)
{
    return -1;
}

/* ---- what is printed ---- */

/* As of a live region: who is there, and how long ago things were, is known then. */
static void make_live(struct snapshot *snapshot)
{
    const uint64_t how = tool_number(&stream, 1);
    if (how % 2 == 0)
        return;
    snapshot->region.members_known = true;
    snapshot->region.members = tool_number(&stream, 8);
    for (size_t i = 0; i < snapshot->client_count; i++)
        snapshot->clients[i].seen.life = (enum peal_audit_life)((how >> 1) % 4);
}

static void print_listing(const struct looks *looks, bool as_json)
{
    static const struct patterns all = {0};
    if (as_json) {
        json_t *listing = region_json(looks);
        (void)json_object_set_new(listing, "clients", clients_json(&looks->now));
        (void)json_object_set_new(listing, "topics", topics_json(looks, &all, true));
        print_json(listing);
        return;
    }
    topic_table_print(looks, &all, true);
    region_details_print(&looks->now, tool_url);
    for (size_t i = 0; i < looks->now.topic_count; i++)
        topic_details_print(looks, &looks->now.topics[i]);
}

/* No rate is negative, or no number. */
static void check_rates(const struct looks *looks)
{
    for (size_t i = 0; i < looks->now.topic_count; i++) {
        const struct topic_sums sums = topic_sums(&looks->now.topics[i]);
        const struct topic_rates rates =
            topic_rates(&looks->first, &looks->now, &looks->now.topics[i]);
        tool_must(rates.published_hz >= 0 && rates.bytes_per_s >= 0 && rates.taken_hz >= 0 &&
                  rates.lost_hz >= 0 && rates.dropped_hz >= 0 && sums.bytes_per_message >= 0);
    }
}

static void list(bool as_json)
{
    struct looks looks = {.watch = {.url = tool_url}};
    const bool is_seen = watch_look(&looks.watch, &looks.first) == PEAL_OK;
    (void)stop_wait_until(clock_ns + NS_PER_S);
    if (watch_look(&looks.watch, &looks.now) == PEAL_OK) {
        make_live(&looks.now);
        looks.before = is_seen ? &looks.first : NULL;
        check_rates(&looks);
        print_listing(&looks, as_json);
    }
    looks_free(&looks);
}

static void show_metrics(void)
{
    struct scene scene;
    scene_init(&scene, tool_url);
    for (uint32_t i = 0; i < 2; i++) {
        (void)scene_look(&scene);
        exposition_write(stdout, &scene);
        (void)stop_wait_until(clock_ns + NS_PER_S);
    }
    scene_free(&scene);
}

static void show_top(bool as_json)
{
    struct top_scene scene;
    struct top_state state;
    top_scene_begin(&scene, tool_url);
    top_state_begin(&state, tool_number(&stream, 1) % 2 ? TOP_LIST_CLIENTS : TOP_LIST_TOPICS,
                    NS_PER_S);
    if (top_scene_look(&scene) == PEAL_OK && scene.now->topic_count > 0 &&
        tool_number(&stream, 1) % 2)
        top_state_open(&state, scene.figures[0].id, scene.now->topics[0].name);
    tool_must(top_batch(&scene, &state, 2, as_json) == EXIT_DONE);
    top_scene_free(&scene);
}

/* The screen, of which no terminal is needed. */
static void show_screen(void)
{
    struct top_scene scene;
    struct top_state state;
    struct top_messages messages = {0};
    struct top_face face = {0};
    top_scene_begin(&scene, tool_url);
    top_state_begin(&state, TOP_LIST_TOPICS, NS_PER_S);
    for (uint32_t i = 0; i < 3; i++) {
        if (top_scene_look(&scene) == PEAL_OK && scene.now->topic_count > 0 && i > 0) {
            const size_t at = tool_number(&stream, 1) % scene.now->topic_count;
            top_state_open(&state, scene.figures[at].id, scene.now->topics[at].name);
            top_messages_look(&messages, &scene, at);
        }
        top_face_compose(&face, &state, &scene, &messages, 20 + (int)tool_number(&stream, 1),
                         1 + (int)tool_number(&stream, 1));
        (void)stop_wait_until(clock_ns + NS_PER_S);
    }
    top_face_free(&face);
    top_messages_free(&messages);
    top_scene_free(&scene);
}

static void audit(bool as_json)
{
    common.json = as_json;
    const int code = command_audit.run(NULL, 0);
    tool_must(code == EXIT_DONE || code == EXIT_SPOILT || code == EXIT_FOUND);
}

/* True: it is JSON. */
static bool show(uint64_t what, bool as_json)
{
    switch (what % 5) {
    case 0:
        list(as_json);
        return as_json;
    case 1:
        show_metrics();
        return false;
    case 2:
        show_top(as_json);
        return as_json;
    case 3:
        show_screen();
        return false;
    default:
        audit(as_json);
        return as_json;
    }
}

/* ---- what is to be said of it ---- */

/* Nothing that a terminal takes for a command. */
static void check_text(void)
{
    for (size_t i = 0; i < text_bytes; i++) {
        const unsigned char byte = (unsigned char)text[i];
        tool_must((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t');
    }
    json_t *utf8 = json_stringn(text, text_bytes);
    tool_must(utf8 != NULL);
    json_decref(utf8);
}

/* One value, or one after the other. */
static void check_json(void)
{
    for (size_t at = 0; at + strspn(text + at, " \n") < text_bytes;) {
        json_error_t error;
        json_t *value = json_loadb(text + at, text_bytes - at,
                                   JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
        tool_must(value != NULL);
        json_decref(value);
        at += (size_t)error.position;
    }
}

/* ---- libFuzzer ---- */

/* What goes wrong is told to nobody; libFuzzer and the sanitizers have their own ways to descriptor 2. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static char with_items[] = "--items";
    char *words[] = {with_items};
    const struct option_entry *const audits[] = {command_audit.options};
    size_t operands;
    (void)count;
    (void)arguments;
    stderr = fopen("/dev/null", "w");
    tool_must(stderr && option_parse(audits, 1, words, 1, &operands) == EXIT_DONE);
    tool_region_make();
    common.bus = tool_url;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *const before = stdout;
    stream = (struct tool_stream){data, data + size};
    clock_ns = UINT64_C(1000) * NS_PER_S;
    const uint64_t choice = tool_number(&stream, 1);
    const bool as_json = choice & 2;
    tool_region_begin();
    if (choice % 2) {
        tool_bytes = (size_t)(stream.end - stream.at);
        tool_bytes = tool_bytes < TOOL_BYTES ? tool_bytes : TOOL_BYTES;
        memcpy(tool_image, stream.at, tool_bytes);
        stream.at = stream.end;
    }
    tool_region_spoil(&stream);
    stdout = open_memstream(&text, &text_bytes);
    tool_must(stdout != NULL);
    const bool is_json = show(choice / 4, as_json);
    /* All that was to be printed could be: JSON of what is no text would have failed. */
    tool_must(output_flush() == EXIT_DONE);
    (void)fclose(stdout);
    stdout = before;
    check_text();
    if (is_json)
        check_json();
    free(text);
    return 0;
}
