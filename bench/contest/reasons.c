/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/reasons.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* `scenario` and `contender` are patterns of fnmatch(3). All lines that match count, in their order: first
 * what is of the row, then what is of the peer everywhere. */
static const struct reason {
    const char *scenario;
    const char *contender;
    const char *text;
} reasons[] = {
    {"*/1048576*", "iceoryx",
     "It takes the chunk that it freed last from its pool, which is still in the cache; Peal's "
     "lane "
     "begins its ring anew as soon as enough of it is free (payload_warm_bytes), and holds two or "
     "three messages where the pool needs one."},
    {"*/4194304*", "iceoryx",
     "It takes the chunk that it freed last from its pool, which is still in the cache; Peal's "
     "lane "
     "begins its ring anew as soon as enough of it is free (payload_warm_bytes), and holds two or "
     "three messages where the pool needs one."},
    {"*echo*", "Vyukov's *",
     "A look at an empty cell is one load there; Peal's look is some 45 instructions, for a "
     "publisher may have come, gone or died, and each of the two ways judges what it reads."},
    {"*waiting/spin/*", "Vyukov's *",
     "A look at an empty cell is one load there; Peal's look is some 45 instructions, for a "
     "publisher may have come, gone or died, and what is read is judged."},
    {"*tail/busy/*", "*",
     "Senders keep the CPU while they wait: counted from when it was due, a message's p99.9 is "
     "some "
     "time slices of the scheduler and what a sender that had lost the CPU catches up; see the "
     "same "
     "turns counted in the queue."},
    {"*tail/busy/*", "POSIX mq",
     "A system call for each message, from which the scheduler lets a receiver that slept go "
     "first."},
    {"*queue/1:1/single*", "Vyukov's *",
     "Its cell carries its number in its own line. In a Peal lane the count of what was published "
     "and the lengths travel too, and the consumer writes down its claim before it takes it, which "
     "tells after a death whose a message is."},
    {"*", "ReaderWriterQueue",
     "It runs as threads of one process, on the heap: there is no process boundary, nobody else's "
     "death to survive, and nothing read from the other side is validated."},
    {"*", "ConcurrentQueue",
     "It runs as threads of one process, on the heap: there is no process boundary, nobody else's "
     "death to survive, and nothing read from the other side is validated; it keeps the order of "
     "each sender only."},
    {"*", "Vyukov's *",
     "It is not safe against a crash and trusts its peers: who is stopped or dies between taking a "
     "place and filling it wedges the queue for all, and nothing read from it is validated."},
    {"*", "ck_ring",
     "It trusts its peers: nothing read from the other side is validated, and nobody's death is "
     "noticed."},
    {"*", "rte_ring*",
     "It trusts its peers: who is stopped or dies in the middle of a call wedges the ring for all, "
     "and nothing read from it is validated."},
    {"*", "boost *",
     "It trusts its peers: nothing read from the other side is validated, and nobody's death is "
     "noticed."},
};

bool bench_reasons_of(const char *scenario, const char *contender, char *text, size_t text_bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (fnmatch(reasons[i].scenario, scenario, 0) != 0 ||
            fnmatch(reasons[i].contender, contender, 0) != 0)
            continue;
        snprintf(text + used, text_bytes - used, "%s%s", used > 0 ? " " : "", reasons[i].text);
        used = strlen(text);
    }
    return used > 0;
}
