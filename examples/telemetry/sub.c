/* SPDX-License-Identifier: Apache-2.0 */
/* The subscriber: three topics, all their publishers, one waitset. */
#include "common/args.h"
#include "common/report.h"
#include "common/stop.h"
#include "telemetry/messages.h"
#include "telemetry/table.h"
#include "telemetry/telemetry.h"

#include <inttypes.h>
#include <peal/peal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TAKE_AT_ONCE 64 /* then others have their turn, and the screen */
#define DRAW_PERIOD_NS (NS_PER_S / 5)
#define PRINT_PERIOD_NS NS_PER_S

struct sub_options {
    const char *bus_url;
    double duration_s;
    uint64_t count;
    bool once;
    bool plain;
};

struct sub {
    struct peal_bus *bus;
    struct peal_waitset *waitset;
    struct peal_subscriber *subscribers[TELEMETRY_KINDS];
    /* What the callback of each topic gets as its context. */
    struct sub_topic {
        struct sub *sub;
        enum telemetry_kind kind;
    } topics[TELEMETRY_KINDS];
    struct table table;
    bool plain;
};

/* Called by peal_waitset_dispatch() when the topic has something to take. */
static void on_readable(struct peal_subscriber *subscriber, void *context)
{
    struct sub_topic *topic = context;
    const struct telemetry_type *type = &telemetry_types[topic->kind];

    for (int i = 0; i < TAKE_AT_ONCE; i++) {
        union telemetry_message copy;
        struct peal_message message;
        /* A checked copy: nobody can change it under us. */
        enum peal_status status =
            peal_subscriber_take_copy(subscriber, &copy, sizeof copy, &message);
        if (status == PEAL_EMPTY || status == PEAL_CLOSED)
            return;
        if (status != PEAL_OK) { /* this message, or its publisher, is spoilt; others are not */
            report_status(type->topic, status);
            if (status == PEAL_ETRUNC)
                return;
            continue;
        }
        if (message.size_bytes != type->bytes || copy.origin.version != TELEMETRY_VERSION)
            continue; /* an untyped publisher: not one of ours */

        struct table_row *row = table_enter(&topic->sub->table, topic->kind, &message, &copy);
        if (topic->sub->plain && (message.flags & PEAL_MESSAGE_RESTARTED)) {
            printf("%s %s: RESTARTED, last message before was %" PRIu64 "\n", row->name,
                   type->label, message.previous_number);
            fflush(stdout);
        }
    }
}

static int sub_open(struct sub *sub, const struct sub_options *options)
{
    struct peal_bus_options bus_options = PEAL_BUS_OPTIONS_INIT;
    bus_options.client_name = "telemetry sub";
    if (peal_bus_open(&sub->bus, options->bus_url, &bus_options) != PEAL_OK)
        return report_setup("cannot open the bus");
    if (peal_waitset_create(sub->bus, &sub->waitset) != PEAL_OK)
        return report_setup("cannot make a waitset");

    for (int kind = 0; kind < TELEMETRY_KINDS; kind++) {
        const struct telemetry_type *type = &telemetry_types[kind];
        struct peal_subscriber_options subscriber_options = PEAL_SUBSCRIBER_OPTIONS_INIT;
        /* A display never holds up who measures. What it misses is reported as lost. */
        subscriber_options.reliability = PEAL_BEST_EFFORT;
        subscriber_options.history = 1; /* something to show at once */
        subscriber_options.type_name = type->type_name;
        subscriber_options.schema_hash = telemetry_schema_hash(type);
        if (peal_subscriber_create(sub->bus, type->topic, &subscriber_options,
                                   &sub->subscribers[kind]) != PEAL_OK)
            return report_setup(type->topic);

        sub->topics[kind] = (struct sub_topic){sub, (enum telemetry_kind)kind};
        if (peal_waitset_add(sub->waitset, sub->subscribers[kind], on_readable,
                             &sub->topics[kind]) != PEAL_OK)
            return report_setup("cannot add to the waitset");
    }
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    (void)peal_bus_stats(sub->bus, &stats);
    table_init(&sub->table, stats.one_clock != 0);
    sub->plain = options->plain;
    return EXIT_OK;
}

static void sub_close(struct sub *sub)
{
    peal_waitset_close(sub->waitset);
    for (int kind = 0; kind < TELEMETRY_KINDS; kind++)
        peal_subscriber_close(sub->subscribers[kind]);
    peal_bus_close(sub->bus);
}

static void sub_show(struct sub *sub, const struct sub_options *options)
{
    char title[160];
    if (sub->plain) {
        table_print(&sub->table);
        return;
    }
    snprintf(title, sizeof title, "Peal telemetry on %s, for %" PRIu64 " s; Ctrl-C stops",
             options->bus_url, (clock_now_ns() - sub->table.start_ns) / NS_PER_S);
    table_draw(&sub->table, title);
}

/* A message of each topic has come. */
static bool sub_has_all(const struct sub *sub)
{
    bool has[TELEMETRY_KINDS] = {false};
    for (size_t i = 0; i < TABLE_ROWS_MAX; i++)
        if (sub->table.rows[i].used)
            has[sub->table.rows[i].kind] = true;
    return has[TELEMETRY_CPU] && has[TELEMETRY_MEMORY] && has[TELEMETRY_SYSTEM];
}

static int sub_run(struct sub *sub, const struct sub_options *options, struct stop *stop)
{
    uint64_t period_ns = sub->plain ? PRINT_PERIOD_NS : DRAW_PERIOD_NS;
    uint64_t end_ns = clock_deadline_ns(options->duration_s);
    uint64_t show_ns = 0;
    bool wants_more = options->once || options->count != 0;

    while (!stop_requested(stop) && clock_now_ns() < end_ns) {
        enum peal_status status = peal_waitset_dispatch(sub->waitset, STOP_POLL_NS, NULL);
        if (status != PEAL_OK && status != PEAL_TIMEDOUT)
            return report_status("waiting", status);
        if ((options->once && sub_has_all(sub)) ||
            (options->count != 0 && table_received(&sub->table) >= options->count)) {
            wants_more = false;
            break;
        }
        if (clock_now_ns() >= show_ns && !options->once) {
            sub_show(sub, options);
            show_ns = clock_now_ns() + period_ns;
        }
    }
    sub_show(sub, options);
    if (wants_more && !stop->requested) {
        fprintf(stderr,
                "telemetry sub: only %" PRIu64 " messages came in %g s; is a publisher up?\n",
                table_received(&sub->table), options->duration_s);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

int telemetry_sub(int argc, char **argv)
{
    struct sub_options options = {.bus_url = ARGS_DEFAULT_BUS};
    const struct args_option table[] = {
        {.name = "bus",
         .value = "URL",
         .help = "default " ARGS_DEFAULT_BUS,
         .to_text = &options.bus_url},
        {.name = "duration-s",
         .value = "N",
         .help = "stop after N seconds",
         .to_real = &options.duration_s,
         .at_least = 0,
         .at_most = 1e6},
        {.name = "count",
         .value = "N",
         .help = "stop after N messages, of all topics together",
         .to_integer = &options.count},
        {.name = "once",
         .help = "show one message of each topic, and stop",
         .to_flag = &options.once},
        {.name = "plain",
         .help = "one line a second and publisher, also on a terminal",
         .to_flag = &options.plain},
    };
    int code = args_parse("telemetry sub", "Shows what all publishers say, as a live table.", table,
                          sizeof table / sizeof table[0], argc, argv);
    if (code != ARGS_RUN)
        return code;
    if (!isatty(STDOUT_FILENO) || options.once)
        options.plain = true;

    struct stop stop;
    struct sub *sub = calloc(1, sizeof *sub);
    if (sub == NULL)
        return report_errno("memory");
    stop_init(&stop);
    code = sub_open(sub, &options);
    if (code == EXIT_OK) {
        if (options.plain)
            printf("subscribed to telemetry on %s; Ctrl-C stops\n", options.bus_url);
        else
            printf("\033[?25l\033[?7l"); /* no cursor, long lines are cut */
        fflush(stdout);
        code = sub_run(sub, &options, &stop);
        if (!options.plain)
            printf("\033[?25h\033[?7h");
    }
    sub_close(sub);
    free(sub);
    return code;
}
