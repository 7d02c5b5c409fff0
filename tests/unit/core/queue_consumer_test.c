/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer's round through the lanes, of which some end meanwhile.
 */
#include "core/queue_consumer.h"

#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LANES 5u

/* What becomes of a lane. */
enum fate { LIVES, ENDS_BEFORE_THE_LOOK, ENDS_AFTER_THE_LOOK, FATES };

static const struct peal_queue_wish plain = {.kind = PEAL_TOPIC_IS_QUEUE, .message_bytes_max = 16};
static const struct peal_topic_type jobs = {.queue = &plain};

static struct region_rig rig;
static struct peal_region ours;
static struct peal_region theirs;

static int set_up(void **state)
{
    (void)state;
    rig_open(&rig, 256, 4, 1);
    rig_join(&rig, 0, &ours);
    rig_join(&rig, 1, &theirs);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

struct producer {
    struct peal_queue_producer end;
    struct peal_lane_place place;
};

static void end_those_with(struct producer *producers, const enum fate *fates, enum fate fate)
{
    for (uint32_t i = 0; i < LANES; i++)
        if (fates[i] == fate)
            peal_queue_producer_close(&theirs, &producers[i].place);
}

/* Lane `full` gets a message when some lanes have ended and were looked at, and before others end. */
static void pop_among(const enum fate *fates, uint32_t full)
{
    struct producer producers[LANES];
    struct peal_queue_consumer consumer;
    struct peal_queue_batch batch;
    const uint64_t number = 7;
    assert_int_equal(peal_queue_consumer_open(&consumer, &ours, "jobs", &jobs), PEAL_OK);
    for (uint32_t i = 0; i < LANES; i++)
        assert_int_equal(peal_queue_producer_open(&producers[i].end, &producers[i].place, &theirs,
                                                  "jobs", &jobs, 2, PEAL_QUEUE_REFUSE),
                         PEAL_OK);
    end_those_with(producers, fates, ENDS_BEFORE_THE_LOOK);
    assert_int_equal(peal_queue_consumer_take(&consumer, 1, &batch), PEAL_EMPTY);
    assert_int_equal(peal_queue_producer_push(&producers[full].end, &number, sizeof(number)),
                     PEAL_OK);
    end_those_with(producers, fates, ENDS_AFTER_THE_LOOK);
    assert_int_equal(peal_queue_consumer_take(&consumer, 1, &batch), PEAL_OK);
    assert_int_equal(batch.lane, producers[full].place.lane);
    peal_queue_consumer_finish(&consumer, &batch);
    /* With the first look it finds that lanes have ended, with the second that they are empty. */
    end_those_with(producers, fates, LIVES);
    assert_int_equal(peal_queue_consumer_take(&consumer, 1, &batch), PEAL_EMPTY);
    assert_int_equal(peal_queue_consumer_take(&consumer, 1, &batch), PEAL_EMPTY);
    assert_int_equal(consumer.joined_count, 0);
    peal_queue_consumer_close(&consumer);
    rig_assert_empty(&ours, 2);
}

static void a_message_is_found_at_once_whichever_lanes_end(void **state)
{
    (void)state;
    uint32_t tried = 0;
    for (uint32_t all = 0; all < FATES * FATES * FATES * FATES * FATES; all++) {
        enum fate fates[LANES];
        for (uint32_t i = 0, rest = all; i < LANES; i++, rest /= FATES)
            fates[i] = (enum fate)(rest % FATES);
        for (uint32_t full = 0; full < LANES; full++) {
            if (fates[full] == ENDS_BEFORE_THE_LOOK)
                continue;
            pop_among(fates, full);
            tried++;
        }
    }
    assert_int_equal(tried, 810);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_found_at_once_whichever_lanes_end, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
