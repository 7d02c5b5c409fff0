/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/acts.h"

#include "tests/support/voice.h"

static struct peal_bus *bus;
static struct voice voice;
static struct peal_subscriber *subscriber;

static bool nothing(struct life *life)
{
    (void)life;
    return true;
}

static bool open_bus(struct life *life)
{
    bus = life_bus(life->url, UINT64_C(20000000000));
    return bus != NULL;
}

static bool close_bus(struct life *life)
{
    (void)life;
    peal_bus_close(bus);
    return true;
}

static bool open_voice(struct life *life)
{
    struct peal_publisher_options options = voice_options(8, PEAL_FULL_REFUSE);
    return voice_open(life->ledger, bus, LIFE_TOPIC, &options, &voice);
}

static bool publish(struct life *life)
{
    (void)life;
    return voice_speak(&voice, 8) == PEAL_OK;
}

static bool loan_and_commit(struct life *life)
{
    (void)life;
    return voice_speak_in_loans(&voice, 16, 4) == PEAL_OK;
}

/* The first message has looked at the gate and rung the witness. */
static bool prepare_to_publish(struct life *life)
{
    return open_bus(life) && open_voice(life) && publish(life);
}

static bool prepare_first_message(struct life *life)
{
    return open_bus(life) && open_voice(life);
}

static bool subscribe(struct life *life)
{
    (void)life;
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.history = 8;
    return peal_subscriber_create(bus, LIFE_TOPIC, &options, &subscriber) == PEAL_OK;
}

static bool take_by_copy(struct life *life)
{
    uint64_t word;
    struct peal_message message;
    (void)life;
    return peal_subscriber_take_copy(subscriber, &word, sizeof(word), &message) == PEAL_OK &&
           word == life_word(message.publisher, message.number);
}

static bool take_in_place(struct life *life)
{
    struct peal_message message;
    (void)life;
    return peal_subscriber_take(subscriber, &message) == PEAL_OK &&
           peal_subscriber_release(subscriber, &message) == PEAL_OK;
}

/* The last one acknowledges, too. */
static bool take_all(struct life *life)
{
    uint64_t word;
    struct peal_message message;
    (void)life;
    while (peal_subscriber_take_copy(subscriber, &word, sizeof(word), &message) == PEAL_OK)
        continue;
    return true;
}

static bool prepare_to_take(struct life *life)
{
    return open_bus(life) && subscribe(life) && take_by_copy(life);
}

static bool unsubscribe(struct life *life)
{
    (void)life;
    peal_subscriber_close(subscriber);
    return true;
}

static bool close_voice(struct life *life)
{
    (void)life;
    peal_publisher_close(voice.publisher);
    return true;
}

const struct act acts[] = {
    {"attach", nothing, open_bus},
    {"create-publisher", open_bus, open_voice},
    {"first-publish", prepare_first_message, publish},
    {"publish", prepare_to_publish, publish},
    {"loan-commit", prepare_to_publish, loan_and_commit},
    {"create-subscriber", open_bus, subscribe},
    {"take-copy", prepare_to_take, take_by_copy},
    {"take-release", prepare_to_take, take_in_place},
    {"take-all", prepare_to_take, take_all},
    {"close-subscriber", prepare_to_take, unsubscribe},
    {"close-publisher", prepare_to_publish, close_voice},
    {"detach", open_bus, close_bus},
};
const size_t act_count = sizeof(acts) / sizeof(acts[0]);
