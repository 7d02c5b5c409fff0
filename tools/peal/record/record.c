/* SPDX-License-Identifier: Apache-2.0 */
/* peal record: the messages of a live bus into an MCAP file, and which of them could not be had. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/record/output_file.h"
#include "tools/peal/record/progress.h"
#include "tools/peal/record/record_options.h"
#include "tools/peal/record/record_report.h"
#include "tools/peal/record/recording.h"

#include <peal/bus.h>
#include <poll.h>
#include <string.h>
#include <time.h>

/* How often new topics are looked for. */
#define LOOK_NS (20 * NS_PER_MS)
/* What is there when a recording is stopped still gets into it, but publishers that go on must not keep us. */
#define TAIL_NS (200 * NS_PER_MS)
#define BUSY_NS (1 * NS_PER_MS)
/* Who publishes often need not ring for each message: we look again by ourselves so soon, as long as something comes within
 * STREAM_NS. A lane must hold what is published meanwhile. */
#define NAP_NS UINT64_C(100000)
#define STREAM_NS UINT64_C(500000)
#define PATIENCE_NS NS_PER_S

struct session {
    struct recording recording;
    struct output_file file;
    struct progress progress;
    int bus_fd;
    uint64_t begun_ns;
    uint64_t end_ns;
    uint64_t look_ns;    /* when next */
    uint64_t recover_ns; /* likewise */
    uint64_t idle_ns;    /* when there was nothing to take, the last time */
    bool took_since;     /* and then something came */
    bool bus_failed;
};

/* ---- while it goes on ------------------------------------------------------------------------------------------------ */

/* What the file will have when all that was taken is in it, if it is not compressed. */
static uint64_t size_expected(const struct recording *recording,
                              const struct mcap_writer_counts *counts)
{
    const uint64_t under_way = counts->messages_taken - counts->messages_written;
    const uint64_t each_bytes =
        recording->messages > 0 ? recording->bytes / recording->messages + 31 : 0;
    return counts->bytes_written + under_way * each_bytes;
}

static double share_of(uint64_t part, uint64_t whole, double before)
{
    const double share = (double)part / (double)whole;
    return whole > 0 && share > before ? share : before;
}

static void show(struct session *session, uint64_t now_ns)
{
    const struct recording *recording = &session->recording;
    struct mcap_writer_counts counts;
    if (now_ns < progress_due_ns(&session->progress))
        return;
    mcap_writer_counts(recording->writer, &counts);
    struct progress_view view = {.messages = recording->messages,
                                 .bytes = recording->bytes,
                                 .lost = recording->lost,
                                 .has_lost = true,
                                 .waiting = counts.chunks_waiting,
                                 .share = -1};
    view.share = share_of(recording->messages, record_wish.count, view.share);
    view.share = share_of(now_ns - session->begun_ns, record_wish.duration_ns, view.share);
    view.share =
        share_of(size_expected(recording, &counts), record_wish.size_max_bytes, view.share);
    progress_update(&session->progress, &view);
}

/* Sleeps until a publisher rings, stop is requested, or it is time to look. */
static void sleep_until(struct session *session, uint64_t until_ns)
{
    struct pollfd wait[] = {{.fd = session->bus_fd, .events = POLLIN},
                            {.fd = stop_fd(), .events = POLLIN}};
    const uint64_t now_ns = clock_now_ns();
    const uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                                  .tv_nsec = (long)(left_ns % NS_PER_S)};
    enum peal_status status = peal_bus_arm(session->recording.bus);
    if (status == PEAL_OK) {
        (void)ppoll(wait, 2, &left, NULL);
        status = peal_bus_disarm(session->recording.bus);
    }
    if (status == PEAL_OK)
        return;
    progress_clear(&session->progress);
    (void)fail_peal(status, "the bus is gone");
    session->bus_failed = true;
}

static bool size_is_reached(const struct recording *recording)
{
    struct mcap_writer_counts counts;
    if (record_wish.size_max_bytes == 0)
        return false;
    mcap_writer_counts(recording->writer, &counts);
    return size_expected(recording, &counts) >= record_wish.size_max_bytes;
}

static void look(struct session *session, uint64_t now_ns)
{
    uint32_t dead;
    if (now_ns < session->look_ns)
        return;
    session->look_ns = now_ns + LOOK_NS;
    if (now_ns >= session->recover_ns) {
        session->recover_ns = now_ns + NS_PER_S;
        (void)peal_bus_recover(session->recording.bus, &dead);
    }
    (void)recording_look(&session->recording); /* what cannot be seen now will be next time */
}

/* There is nothing to take. */
static void rest(struct session *session, uint64_t now_ns)
{
    const bool streams = session->took_since && now_ns - session->idle_ns < STREAM_NS;
    const uint64_t until_ns =
        session->look_ns < session->end_ns ? session->look_ns : session->end_ns;
    session->idle_ns = now_ns;
    session->took_since = false;
    if (streams)
        (void)stop_wait_until(now_ns + NAP_NS);
    else
        sleep_until(session, until_ns);
}

/* Until there is nothing left; a short time at most. */
static void take_tail(struct session *session)
{
    const uint64_t until_ns = clock_now_ns() + TAIL_NS;
    while (clock_now_ns() < until_ns) {
        const enum recording_took took = recording_take(&session->recording);
        if (took == RECORDING_BUSY)
            (void)poll(NULL, 0, 1);
        else if (took != RECORDING_SOME)
            return;
    }
}

/* Until the end has come; recording.error tells whether it is a good one. */
static void go_on(struct session *session)
{
    struct recording *recording = &session->recording;
    while (!session->bus_failed) {
        const uint64_t now_ns = clock_now_ns();
        if (now_ns >= session->end_ns || size_is_reached(recording))
            return;
        if (stop_requested())
            break;
        look(session, now_ns);
        show(session, now_ns);
        if (mcap_writer_poll(recording->writer, &recording->error) != MCAP_OK)
            return;
        const enum recording_took took = recording_take(recording);
        if (took == RECORDING_FAILED || took == RECORDING_FULL)
            return;
        if (took == RECORDING_BUSY)
            (void)stop_wait_until(now_ns + BUSY_NS);
        if (took == RECORDING_NOTHING)
            rest(session, now_ns);
        else
            session->took_since = true;
    }
    take_tail(session);
}

/* ---- beginning and end ----------------------------------------------------------------------------------------------- */

static int open_writer(struct session *session)
{
    const size_t chunk_bytes = (size_t)record_wish.chunk_bytes;
    const struct mcap_writer_options how = {
        .compression = (enum mcap_compression)record_wish.compression,
        .level = (int)record_wish.level,
        .chunk_bytes = chunk_bytes,
        .chunk_age_ns = record_wish.chunk_age_ns,
        .chunks = (uint32_t)(record_wish.buffer_bytes / chunk_bytes)};
    struct mcap_error error;
    const int code = output_file_open(&session->file, record_wish.output, record_wish.overwrite);
    if (code != EXIT_DONE)
        return code;
    if (mcap_writer_open(&session->recording.writer, session->file.fd, &how, &error) == MCAP_OK)
        return EXIT_DONE;
    output_file_discard(&session->file);
    return fail(error.status == MCAP_INVALID ? EXIT_USAGE : EXIT_FAILED, "%s: %s",
                session->file.name, error.text);
}

/* A stuck pipe or disk keeps us: say so, once. A second Ctrl-C ends it. */
static void tell_if_stuck(const struct session *session)
{
    const uint64_t until_ns = clock_now_ns() + PATIENCE_NS;
    struct mcap_writer_counts counts;
    for (;;) {
        mcap_writer_counts(session->recording.writer, &counts);
        if (counts.chunks_waiting == 0)
            return;
        if (clock_now_ns() >= until_ns)
            break;
        (void)poll(NULL, 0, 5);
    }
    note("%s takes nothing: %u chunks wait to be written; Ctrl-C again gives them up",
         session->file.name, (unsigned)counts.chunks_waiting);
}

/* The file's end. Answers the exit code. */
static int finish(struct session *session, const char *url)
{
    struct recording *recording = &session->recording;
    struct mcap_error error = {0};
    progress_clear(&session->progress);
    const uint64_t elapsed_ns = clock_now_ns() - session->begun_ns;
    tell_if_stuck(session);
    (void)recording_end(recording);
    const enum mcap_status status = mcap_writer_close(recording->writer, &error);
    recording->writer = NULL;
    int code = EXIT_DONE;
    if (status != MCAP_OK)
        code = fail(EXIT_FAILED, "%s: %s", session->file.name, error.text);
    else if (recording->error.status != MCAP_OK && recording->error.status != MCAP_BUSY &&
             recording->error.status != MCAP_INVALID)
        code = fail(EXIT_FAILED, "%s: %s", session->file.name, recording->error.text);
    const int closed = output_file_close(&session->file);
    if (code == EXIT_DONE)
        code = closed;
    if (code == EXIT_DONE && session->bus_failed)
        code = EXIT_FAILED;
    if (code != EXIT_DONE)
        return code;
    const struct record_report report = {.recording = recording,
                                         .url = url,
                                         .file = &session->file,
                                         .elapsed_ns = elapsed_ns,
                                         .quiet = record_wish.quiet};
    return record_report_print(&report);
}

static int record(struct session *session, const char *url)
{
    struct recording *recording = &session->recording;
    enum peal_status status = peal_bus_fd(recording->bus, &session->bus_fd);
    if (status != PEAL_OK)
        return fail_peal(status, "cannot wait on %s", url);
    const int code = open_writer(session);
    if (code != EXIT_DONE)
        return code;
    session->begun_ns = clock_now_ns();
    session->end_ns =
        record_wish.duration_ns > 0 ? session->begun_ns + record_wish.duration_ns : UINT64_MAX;
    progress_begin(&session->progress, record_wish.quiet      ? PROGRESS_NEVER
                                       : record_wish.progress ? PROGRESS_ALWAYS
                                                              : PROGRESS_AUTO);
    status = PEAL_OK;
    if (recording_begin(recording, url))
        status = recording_look(recording);
    if (status == PEAL_OK && recording->error.status == MCAP_OK) {
        const char *missing = patterns_unmatched(&recording->patterns, &recording->seen);
        if (missing)
            note("there is no topic '%s' yet; it is recorded once it appears", missing);
        if (!record_wish.quiet)
            note("recording %zu topic%s of %s", recording->topic_count,
                 recording->topic_count == 1 ? "" : "s", url);
        go_on(session);
        return finish(session, url);
    }
    struct mcap_error error;
    if (status == PEAL_OK)
        return finish(session, url);
    (void)mcap_writer_close(recording->writer, &error);
    output_file_discard(&session->file);
    return fail_peal(status, "cannot look at %s", url);
}

static int record_run(char **operands, size_t count)
{
    struct session session = {.recording = {.patterns = {operands, count}}};
    struct recording *recording = &session.recording;
    int code = record_options_check();
    if (code == EXIT_DONE)
        code = common_url(&recording->watch.url);
    if (code == EXIT_DONE)
        code = common_open(&recording->bus, false);
    if (code != EXIT_DONE)
        return code;
    recording->history = (uint32_t)record_wish.history;
    recording->reliable = record_wish.reliable;
    recording->messages_max = record_wish.count > 0 ? record_wish.count : UINT64_MAX;
    code = record(&session, recording->watch.url);
    recording_free(recording);
    peal_bus_close(recording->bus);
    return code;
}

const struct command command_record = {
    .name = "record",
    .operands = "[TOPIC]...",
    .summary = "record topics into an MCAP file",
    .details = "Records all topics, or those that are named; patterns as 'sensor.*' are to be "
               "quoted. Topics\n"
               "that appear later are joined. Ends by Ctrl-C, or as the options say; the file is "
               "complete then.\n"
               "Publishers do not wait for a recording (but for --reliable): what it could not "
               "take in time is\n"
               "counted, told, and noted in the file, and the exit code is 6.\n\n"
               "  peal record -o run.mcap\n"
               "  peal record 'sensor.*' -o run.mcap --compression zstd --duration 30s",
    .options = record_options,
    .operands_max = SIZE_MAX,
    .completes = COMPLETES_TOPIC,
    .has_json = true,
    .run = record_run,
};
