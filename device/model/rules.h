/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one guest may do: the options `allow`, `deny`, `create` and `subst` of the device, as its configuration has them.
 *
 *  allow PATTERN          shell wildcards on the region's name; the first `allow` implies that the rest is denied
 *  deny PATTERN           the same, and the rest is allowed; `deny` wins over `allow`
 *  create NAME,BYTES      a region of that name and size is there from the start and stays. BYTES: 65536, 0xf0000, 4M; whole
 *                         pages, rounded up. Neither `allow` nor `deny` concerns it
 *  subst [MATCH],PREFIX   names that begin with MATCH have PREFIX in its place; without MATCH, all names get it in front. The
 *                         first that fits counts. The rules above see the name with the prefix
 */
#ifndef PEAL_DEVICE_MODEL_RULES_H
#define PEAL_DEVICE_MODEL_RULES_H

#include <guest_shm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VDEV_RULES_MAX 64u /* of each kind */

enum vdev_rule_kind { VDEV_RULE_ALLOW, VDEV_RULE_DENY, VDEV_RULE_CREATE, VDEV_RULE_SUBST };

struct vdev_rule {
    enum vdev_rule_kind kind;
    char pattern
        [GUEST_SHM_MAX_NAME]; /* allow, deny: the pattern; create: the name; subst: the match, "" for all */
    char prefix[GUEST_SHM_MAX_NAME]; /* subst */
    uint32_t pages;                  /* create */
};

/* All zero: no rules, everything is allowed. */
struct vdev_rules {
    bool subst_keeps_match; /* PREFIX comes before MATCH, instead of in its place */
    struct vdev_rule rules[4 * VDEV_RULES_MAX];
    size_t count;
};

/*
 * Adds the rule `word argument` ("allow", "vehicle*"). On failure false, and `error` says what is wrong and what to
 * write instead; the rules are unchanged.
 */
bool vdev_rules_add(struct vdev_rules *rules, const char *word, const char *argument, char *error,
                    size_t error_bytes);

/* The region's name for the host, from the guest's; false: it does not fit. */
bool vdev_rules_name(const struct vdev_rules *rules, const char *name,
                     char host_name[GUEST_SHM_MAX_NAME]);

/* Whether the guest may have the region of that (host's) name. */
bool vdev_rules_permit(const struct vdev_rules *rules, const char *host_name);

#endif
