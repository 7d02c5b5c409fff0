/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __i386__
/* libck of 32-bit x86 is built with a 32-bit time_t, and ck_ec passes timespecs by address. */
#undef _TIME_BITS
#endif

#include "transport/base/doorbell.h"

#include "transport/base/os.h"

#include <ck_ec.h>
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

static_assert(sizeof(struct ck_ec32) == sizeof(peal_u32), "the count is a ck_ec32");
static_assert(_Alignof(struct ck_ec32) <= _Alignof(peal_u32), "the count is a ck_ec32");

#if defined(SYS_futex_time64) && !defined(__i386__) && !defined(__LP64__)
#define FUTEX_CALL (sizeof(time_t) == 8 ? SYS_futex_time64 : SYS_futex)
#else
#define FUTEX_CALL SYS_futex
#endif

static int now(const struct ck_ec_ops *ops, struct timespec *out)
{
    (void)ops;
    return clock_gettime(CLOCK_MONOTONIC, out);
}

static void sleep_on(const uint32_t *address, uint32_t expected, const struct timespec *deadline,
                     int flags)
{
    /* WAIT_BITSET, since it takes an absolute deadline. Any return is fine: ck_ec looks again. */
    (void)syscall(FUTEX_CALL, address, FUTEX_WAIT_BITSET | flags, expected, deadline, NULL,
                  FUTEX_BITSET_MATCH_ANY);
}

static void wait_shared(const struct ck_ec_wait_state *state, const uint32_t *address,
                        uint32_t expected, const struct timespec *deadline)
{
    (void)state;
    sleep_on(address, expected, deadline, 0);
}

static void wait_private(const struct ck_ec_wait_state *state, const uint32_t *address,
                         uint32_t expected, const struct timespec *deadline)
{
    (void)state;
    sleep_on(address, expected, deadline, FUTEX_PRIVATE_FLAG);
}

static void wake_shared(const struct ck_ec_ops *ops, const uint32_t *address)
{
    (void)ops;
    (void)syscall(FUTEX_CALL, address, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void wake_private(const struct ck_ec_ops *ops, const uint32_t *address)
{
    (void)ops;
    (void)syscall(FUTEX_CALL, address, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX, NULL, NULL, 0);
}

/*
 * Hardly any spinning, for the caller has spun already. A first wait of a second, for ck_ec's growing
 * waits guard its single-producer mode, which is not used here; until_deadline() cuts it short.
 */
#define EC_OPS(wait, wake)                                                                         \
    {                                                                                              \
        .gettime = now, .wait32 = (wait), .wake32 = (wake), .busy_loop_iter = 1,                   \
        .initial_wait_ns = (uint32_t)NS_PER_S - 1u                                                 \
    }

static const struct ck_ec_ops shared_ops = EC_OPS(wait_shared, wake_shared);
static const struct ck_ec_ops private_ops = EC_OPS(wait_private, wake_private);
static const struct ck_ec_mode modes[] = {
    [PEAL_DOORBELL_PRIVATE] = {.ops = &private_ops, .single_producer = false},
    [PEAL_DOORBELL_SHARED] = {.ops = &shared_ops, .single_producer = false},
};

static struct ck_ec32 *count_of(struct peal_doorbell *bell)
{
    return (struct ck_ec32 *)(void *)&bell->count;
}

void peal_doorbell_reset(struct peal_doorbell *bell)
{
    /* relaxed: a ring from before the reset concerns the former owner. */
    peal_u64_store_relaxed(&bell->pending, 0);
}

bool peal_doorbell_ring(struct peal_doorbell *bell, enum peal_doorbell_scope scope, uint32_t source)
{
    const uint64_t bit = UINT64_C(1) << source;
    /* DOORBELL-R1: pairs with DOORBELL-A1 and DOORBELL-A2 below. Full order, because the ringer of a
     * bell with a descriptor looks next whether one is wanted. */
    const uint64_t before = peal_u64_or_seq_cst(&bell->pending, bit);
    peal_doorbell_bump(bell, scope);
    return (before & bit) == 0;
}

void peal_doorbell_bump(struct peal_doorbell *bell, enum peal_doorbell_scope scope)
{
    ck_ec32_inc(count_of(bell), &modes[scope]);
}

uint32_t peal_doorbell_epoch(const struct peal_doorbell *bell)
{
    return ck_ec32_value((const struct ck_ec32 *)(const void *)&bell->count);
}

/* ck_ec does not cut its growing waits to the caller's deadline: each goes until there at once. */
static int until_deadline(const struct ck_ec_wait_state *state, struct timespec *wait_until)
{
    *wait_until = *(const struct timespec *)state->data;
    return 0;
}

bool peal_doorbell_sleep(struct peal_doorbell *bell, enum peal_doorbell_scope scope, uint32_t epoch,
                         uint64_t timeout_ns)
{
    if (timeout_ns == 0)
        return peal_doorbell_epoch(bell) != epoch;
    const uint64_t deadline_ns = peal_os_deadline_ns(timeout_ns);
    if (deadline_ns / NS_PER_S > INT32_MAX) /* not in this machine's life */
        return ck_ec32_wait(count_of(bell), &modes[scope], epoch, NULL) == 0;
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                                .tv_nsec = (long)(deadline_ns % NS_PER_S)};
    return ck_ec32_wait_pred(count_of(bell), &modes[scope], epoch, until_deadline, &deadline,
                             &deadline) == 0;
}

uint64_t peal_doorbell_drain(struct peal_doorbell *bell)
{
    /* DOORBELL-A1: pairs with DOORBELL-R1 in peal_doorbell_ring(). */
    return peal_u64_exchange_seq_cst(&bell->pending, 0);
}

bool peal_doorbell_is_pending(const struct peal_doorbell *bell)
{
    /* DOORBELL-A2: pairs with DOORBELL-R1; full order for the maker of a descriptor, see there. */
    return peal_u64_load_seq_cst(&bell->pending) != 0;
}
