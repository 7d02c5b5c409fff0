/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something to look at for the tests of `peal metrics` and `peal web`:
 *
 *      web_traffic publish BUS     500 messages of 1,000 bytes a second on the topic "fast", a fifth of that on a topic whose
 *                                  name is markup; messages are stamped
 *      web_traffic subscribe BUS   takes 20 a second of "fast" and loses the others; its own name has all that needs escaping
 *
 * Until it is killed. Says a line when it has begun.
 */
#include <peal/bus.h>
#include <peal/publisher.h>
#include <peal/subscriber.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOSTILE_TOPIC "<script>document.title='x'</script>"
#define HOSTILE_CLIENT "<b>\"slow\" \\ one</b>"

static int failed(const char *what)
{
    (void)fprintf(stderr, "web_traffic: %s: %s\n", what, peal_error_message());
    return 1;
}

static void pause_ns(long ns)
{
    const struct timespec pause = {.tv_nsec = ns};
    (void)nanosleep(&pause, NULL);
}

/* As many as are due: a late wake is made up for. */
static uint64_t due(const struct timespec *from, uint64_t per_s)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    const double passed_s =
        (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
    return (uint64_t)(passed_s * (double)per_s);
}

static int publish(struct peal_bus *bus)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_publisher *fast, *hostile;
    struct timespec from;
    const char message[1000] = {0};
    options.message_bytes_max = sizeof(message);
    options.depth = 64;
    options.timestamp = true;
    if (peal_publisher_create(bus, "fast", &options, &fast) != PEAL_OK ||
        peal_publisher_create(bus, HOSTILE_TOPIC, &options, &hostile) != PEAL_OK)
        return failed("cannot publish");
    puts("publishes");
    (void)fflush(stdout);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint64_t sent = 0;; pause_ns(2000000))
        for (const uint64_t wanted = due(&from, 500); sent < wanted; sent++)
            if (peal_publisher_publish(fast, message, sizeof(message)) != PEAL_OK ||
                (sent % 5 == 0 && peal_publisher_publish(hostile, message, 10) != PEAL_OK))
                return failed("cannot publish");
}

static int subscribe(struct peal_bus *bus)
{
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_subscriber *slow;
    options.reliability = PEAL_BEST_EFFORT;
    if (peal_subscriber_create(bus, "fast", &options, &slow) != PEAL_OK)
        return failed("cannot subscribe");
    puts("subscribes");
    (void)fflush(stdout);
    for (;; pause_ns(50000000)) {
        static char buffer[1000];
        struct peal_message message;
        (void)peal_subscriber_take_copy(slow, buffer, sizeof(buffer), &message);
    }
}

int main(int argc, char **argv)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus;
    if (argc != 3)
        return 2;
    const bool publishes = strcmp(argv[1], "publish") == 0;
    options.client_name = publishes ? "source" : HOSTILE_CLIENT;
    if (peal_bus_open(&bus, argv[2], &options) != PEAL_OK)
        return failed("cannot open the bus");
    return publishes ? publish(bus) : subscribe(bus);
}
