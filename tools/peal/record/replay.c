/* SPDX-License-Identifier: Apache-2.0 */
/* peal replay: publishes what a recording holds, as it was published then. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/look/pattern.h"
#include "tools/peal/record/contents.h"
#include "tools/peal/record/player.h"
#include "tools/peal/record/progress.h"
#include "tools/peal/record/source_file.h"
#include "tools/peal/record/tempo.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static struct {
    double rate;
    bool loop;
    uint64_t loops;
    struct topic_map map;
    uint64_t start_ns;
    uint64_t duration_ns;
    bool info;
    uint64_t wait_subscribers;
    unsigned policy;
    bool progress;
    bool quiet;
} wish = {.rate = 1};

static const struct option_entry options[] = {
    {.name = "rate",
     .letter = 'r',
     .value = "FACTOR",
     .help = "as 2x or 0.5x; max: without pause; default 1x",
     .read = tempo_read,
     .to = &wish.rate},
    {.name = "loop",
     .letter = 'l',
     .help = "begin again at the end, until Ctrl-C",
     .read = option_switch,
     .to = &wish.loop},
    {.name = "loops",
     .value = "N",
     .help = "N times in all",
     .read = option_count,
     .to = &wish.loops},
    {.name = "map",
     .letter = 'm',
     .value = "A=B",
     .help = "publish topic A as B; 'sensor.*=copy.*' likewise; may be repeated",
     .read = topic_map_read,
     .to = &wish.map},
    {.name = "start",
     .letter = 's',
     .value = "TIME",
     .help = "leave out the first so long, as 90s",
     .read = option_duration,
     .to = &wish.start_ns},
    {.name = "duration",
     .letter = 'd',
     .value = "TIME",
     .help = "only so long of the recording",
     .read = option_duration,
     .to = &wish.duration_ns},
    {.name = "info",
     .letter = 'i',
     .help = "only say what is in the file",
     .read = option_switch,
     .to = &wish.info},
    {.name = "wait-subscribers",
     .letter = 'w',
     .value = "N",
     .help = "wait until so many subscribe to each topic before the first message",
     .read = option_count,
     .to = &wish.wait_subscribers},
    {.name = "policy",
     .value = "WHAT",
     .help = "if a reliable subscriber has no room; default wait",
     .choices = "wait refuse drop evict",
     .to = &wish.policy},
    {.name = "progress",
     .help = "show it, though stderr is no terminal",
     .read = option_switch,
     .to = &wish.progress},
    {.name = "quiet",
     .letter = 'q',
     .help = "no progress and no summary",
     .read = option_switch,
     .to = &wish.quiet},
    {0},
};

struct replay {
    const char *path;
    int fd;
    struct mcap_reader *reader;
    struct mcap_reader_options how;
    struct patterns patterns;
    struct player player;
    struct progress progress;
    struct tempo tempo;
    uint64_t span_ns; /* of what is replayed, once */
    uint64_t turn;    /* of the loop, from 0 */
    uint64_t late_ns; /* the most that a message was behind its time */
    uint64_t begun_ns;
};

/* ---- the file -------------------------------------------------------------------------------------------------------- */

static bool wants(void *context, const char *topic)
{
    return patterns_match(context, topic);
}

static enum mcap_status open_reader(struct replay *replay, struct mcap_error *error)
{
    enum mcap_status status = mcap_reader_open(&replay->reader, replay->fd, &replay->how, error);
    if (status != MCAP_INVALID)
        return status;
    replay->how.reading = MCAP_BY_FILE; /* messages outside of chunks: some other writer's */
    return mcap_reader_open(&replay->reader, replay->fd, &replay->how, error);
}

/* The times that are wanted are known only when the file's are. */
static enum mcap_status narrow(struct replay *replay, struct mcap_error *error)
{
    const struct mcap_reader_info *info = mcap_reader_info(replay->reader);
    const uint64_t start_ns = info->start_ns;
    uint64_t end_ns = info->end_ns;
    if (wish.start_ns > 0)
        replay->how.from_ns =
            start_ns < UINT64_MAX - wish.start_ns ? start_ns + wish.start_ns : UINT64_MAX;
    const uint64_t from_ns = replay->how.from_ns > start_ns ? replay->how.from_ns : start_ns;
    if (wish.duration_ns > 0 && from_ns < UINT64_MAX - wish.duration_ns)
        replay->how.until_ns = from_ns + wish.duration_ns;
    if (replay->how.until_ns > 0 && replay->how.until_ns < end_ns)
        end_ns = replay->how.until_ns;
    replay->span_ns = end_ns > from_ns ? end_ns - from_ns : 0;
    if (wish.start_ns == 0 && wish.duration_ns == 0)
        return MCAP_OK;
    mcap_reader_close(replay->reader);
    return open_reader(replay, error);
}

static int check_topics(const struct replay *replay)
{
    const struct mcap_catalog *catalog = mcap_reader_catalog(replay->reader);
    for (size_t p = 0; p < replay->patterns.count; p++) {
        bool matched = false;
        for (uint32_t id = 0; id < MCAP_CHANNELS_MAX && !matched; id++) {
            const struct mcap_channel *channel = mcap_catalog_channel(catalog, (uint16_t)id);
            matched = channel && pattern_matches(replay->patterns.texts[p], channel->topic);
        }
        if (!matched)
            return fail(EXIT_NOT_FOUND,
                        "there is no topic '%s' in %s; --info shows those there are",
                        replay->patterns.texts[p], replay->path);
    }
    for (size_t r = 0; r < wish.map.count; r++) {
        bool fits = false;
        for (uint32_t id = 0; id < MCAP_CHANNELS_MAX && !fits; id++) {
            const struct mcap_channel *channel = mcap_catalog_channel(catalog, (uint16_t)id);
            fits = channel && topic_map_rule_fits(wish.map.rules[r], channel->topic);
        }
        if (!fits)
            return fail(EXIT_NOT_FOUND, "--map %s: %s has no such topic; --info shows those it has",
                        wish.map.rules[r], replay->path);
    }
    return EXIT_DONE;
}

static int open_recording(struct replay *replay)
{
    struct mcap_error error;
    const int code = source_file_open(replay->path, &replay->fd);
    if (code != EXIT_DONE)
        return code;
    if (open_reader(replay, &error) != MCAP_OK)
        return source_file_foreign(replay->path, &error);
    const struct mcap_error *damage = &mcap_reader_info(replay->reader)->damage;
    if (damage->status != MCAP_OK) {
        if (wish.info)
            contents_print(replay->path, replay->reader, &wish.map);
        return source_file_failed(replay->path, damage);
    }
    return narrow(replay, &error) == MCAP_OK ? check_topics(replay)
                                             : source_file_failed(replay->path, &error);
}

/* ---- replaying ------------------------------------------------------------------------------------------------------- */

static void show(struct replay *replay, uint64_t log_ns)
{
    const uint64_t position_ns =
        log_ns > replay->tempo.first_ns ? log_ns - replay->tempo.first_ns : 0;
    const double all_turns = wish.loops > 0 ? (double)wish.loops : 1;
    struct progress_view view = {.messages = replay->player.published,
                                 .bytes = replay->player.bytes,
                                 .lost = replay->player.not_published,
                                 .share = -1};
    if (replay->span_ns > 0)
        view.share = ((wish.loops > 0 ? (double)replay->turn : 0) +
                      (double)position_ns / (double)replay->span_ns) /
                     all_turns;
    progress_update(&replay->progress, &view);
}

/* Waits for a message's time, the progress going on. False: stop is requested. */
static bool wait_for(struct replay *replay, uint64_t log_ns)
{
    const uint64_t due_ns = tempo_due_ns(&replay->tempo, log_ns);
    uint64_t now_ns = clock_now_ns();
    while (now_ns < due_ns && !stop_requested()) {
        const uint64_t shown_ns = progress_due_ns(&replay->progress);
        (void)stop_wait_until(due_ns < shown_ns ? due_ns : shown_ns);
        now_ns = clock_now_ns();
        if (now_ns >= shown_ns) {
            const double passed = (double)(now_ns - replay->tempo.begin_ns) * replay->tempo.rate;
            show(replay, replay->tempo.first_ns + (uint64_t)passed);
        }
    }
    if (replay->tempo.rate > 0 && now_ns - due_ns > replay->late_ns && now_ns > due_ns)
        replay->late_ns = now_ns - due_ns;
    if (now_ns >= progress_due_ns(&replay->progress))
        show(replay, log_ns);
    return !stop_requested();
}

/* The recording once. *last_ns gets the log time of the last message. */
static int play_once(struct replay *replay, uint64_t *last_ns)
{
    const struct mcap_channel *channel;
    struct mcap_message message;
    struct mcap_error error;
    enum mcap_status status;
    uint64_t count = 0;
    int code = EXIT_DONE;
    while (code == EXIT_DONE &&
           (status = mcap_reader_next(replay->reader, &message, &channel, &error)) != MCAP_END) {
        if (status != MCAP_OK) {
            progress_clear(&replay->progress);
            return source_file_failed(replay->path, &error);
        }
        if (count++ == 0)
            replay->tempo.first_ns = message.log_time_ns;
        if (!wait_for(replay, message.log_time_ns))
            return EXIT_DONE;
        *last_ns = message.log_time_ns;
        code = player_publish(&replay->player, &message);
    }
    return code;
}

static int play(struct replay *replay)
{
    struct mcap_error error;
    uint64_t last_ns = 0;
    replay->tempo = (struct tempo){.rate = wish.rate, .begin_ns = clock_now_ns()};
    for (;;) {
        const uint64_t before = replay->player.published + replay->player.not_published;
        const int code = play_once(replay, &last_ns);
        if (code != EXIT_DONE || stop_requested())
            return code;
        replay->turn++;
        if (!wish.loop && replay->turn >= wish.loops)
            return EXIT_DONE;
        if (replay->player.published + replay->player.not_published == before)
            return EXIT_DONE; /* an empty recording, for ever */
        if (mcap_reader_rewind(replay->reader, &error) != MCAP_OK)
            return source_file_failed(replay->path, &error);
        replay->tempo.begin_ns =
            wish.rate > 0 ? tempo_due_ns(&replay->tempo, last_ns) : clock_now_ns();
    }
}

static int tell(struct replay *replay, int code)
{
    const struct player *player = &replay->player;
    struct units_text bytes, time, late;
    progress_clear(&replay->progress);
    if (code != EXIT_DONE)
        return code;
    const uint64_t elapsed_ns = clock_now_ns() - replay->begun_ns;
    if (common.json)
        print_json(json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "file", replay->path, "messages",
            (json_int_t)player->published, "bytes", (json_int_t)player->bytes, "not_published",
            (json_int_t)player->not_published, "loops", (json_int_t)replay->turn, "duration_ns",
            (json_int_t)elapsed_ns, "late_max_ns", (json_int_t)replay->late_ns));
    else if (!wish.quiet)
        note("%" PRIu64 " messages, %s, in %s; at most %s late", player->published,
             units_bytes(&bytes, player->bytes), units_duration(&time, elapsed_ns),
             units_duration(&late, replay->late_ns));
    if (player->not_published > 0 && !common.json)
        note("%" PRIu64
             " messages were not published: a subscriber had no room; --policy wait waits",
             player->not_published);
    return player->not_published > 0 ? EXIT_FOUND : EXIT_DONE;
}

static int publish_all(struct replay *replay)
{
    int code = common_open(&replay->player.bus, true);
    if (code != EXIT_DONE)
        return code;
    replay->player.policy = (enum player_policy)wish.policy;
    code = player_begin(&replay->player, replay->reader, &wish.map);
    if (code == EXIT_DONE && wish.wait_subscribers > 0)
        code = player_wait_subscribers(&replay->player, wish.wait_subscribers);
    if (code == EXIT_DONE && !stop_requested()) {
        replay->begun_ns = clock_now_ns();
        progress_begin(&replay->progress, wish.quiet      ? PROGRESS_NEVER
                                          : wish.progress ? PROGRESS_ALWAYS
                                                          : PROGRESS_AUTO);
        code = tell(replay, play(replay));
    }
    player_end(&replay->player);
    peal_bus_close(replay->player.bus);
    return code;
}

static int replay_run(char **operands, size_t count)
{
    static struct replay replay;
    replay = (struct replay){.path = operands[0], .fd = -1, .patterns = {operands + 1, count - 1}};
    replay.how.filter = (struct mcap_filter){.wants = wants, .context = &replay.patterns};
    if (wish.loop && wish.loops > 0)
        return fail(EXIT_USAGE, "--loop is for ever, --loops for some times: say one of them");
    int code = open_recording(&replay);
    if (code == EXIT_DONE && wish.info)
        contents_print(replay.path, replay.reader, &wish.map);
    else if (code == EXIT_DONE)
        code = publish_all(&replay);
    mcap_reader_close(replay.reader);
    if (replay.fd >= 0)
        (void)close(replay.fd);
    topic_map_free(&wish.map);
    return code;
}

const struct command command_replay = {
    .name = "replay",
    .operands = "FILE [TOPIC]...",
    .summary = "publish what was recorded",
    .details = "Publishes the messages of an MCAP file at the times at which they were recorded: "
               "all topics, or\n"
               "those that are named. Each publisher of then is made again: name, type, sizes. "
               "There may be more\n"
               "than one bus: say which.\n\n"
               "  peal replay run.mcap --info\n"
               "  peal replay run.mcap 'sensor.*' --rate 2x --map 'sensor.*=copy.*'",
    .options = options,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .completes = COMPLETES_FILE,
    .has_json = true,
    .run = replay_run,
};
