/* SPDX-License-Identifier: Apache-2.0 */
/* A few guests' options for oracle.h: as they are written in a configuration, and what they mean, by hand. */
#ifndef PEAL_TESTS_UNIT_DEVICE_MODEL_ORACLE_RULES_H
#define PEAL_TESTS_UNIT_DEVICE_MODEL_ORACLE_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct oracle_created {
    const char *name; /* the host's; NULL: the end */
    uint32_t pages;
};

struct oracle_profile {
    const char *rules[8]; /* word, argument, word, argument ... */
    void (*rename)(const char *name, char host_name[64]);
    bool (*permits)(const char *host_name);
    struct oracle_created created[3];
};

static bool oracle_name_is_legal(const char *name)
{
    static const char legal[] = " !\"#$%&'()*+,-.0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    const size_t length = strlen(name);
    return length > 0 && length < 32 && strspn(name, legal) == length;
}

static void rename_nothing(const char *name, char host_name[64])
{
    (void)snprintf(host_name, 64, "%s", name);
}

static void rename_all(const char *name, char host_name[64])
{
    (void)snprintf(host_name, 64, "x-%s", name);
}

static void rename_b_to_aa(const char *name, char host_name[64])
{
    if (name[0] == 'b')
        (void)snprintf(host_name, 64, "aa%s", name + 1);
    else
        rename_nothing(name, host_name);
}

static bool permits_all(const char *name)
{
    (void)name;
    return true;
}

static bool permits_a_and_zeta(const char *name)
{
    return name[0] == 'a' || strcmp(name, "zeta") == 0;
}

static bool permits_no_b(const char *name)
{
    return name[0] != 'b';
}

static bool permits_no_a_with_two_more(const char *name)
{
    return !(name[0] == 'a' && strlen(name) == 3);
}

static bool permits_a_but_not_to_its_end(const char *name)
{
    return name[0] == 'a' && name[strlen(name) - 1] != 'a';
}

static const struct oracle_profile oracle_profiles[] = {
    {{NULL}, rename_nothing, permits_all, {{NULL, 0}}},
    {{"allow", "a*", "allow", "zeta"}, rename_nothing, permits_a_and_zeta, {{NULL, 0}}},
    {{"deny", "b*"}, rename_nothing, permits_no_b, {{NULL, 0}}},
    {{"subst", ",x-"}, rename_all, permits_all, {{NULL, 0}}},
    {{"subst", "b,aa", "deny", "a??"}, rename_b_to_aa, permits_no_a_with_two_more, {{NULL, 0}}},
    {{"create", "alpha,8192", "create", "perm,20000"},
     rename_nothing,
     permits_all,
     {{"alpha", 2}, {"perm", 5}, {NULL, 0}}},
    {{"create", "beta,4096", "allow", "a*", "deny", "*a"},
     rename_nothing,
     permits_a_but_not_to_its_end,
     {{"beta", 1}, {NULL, 0}}},
};

#define ORACLE_PROFILES ((uint32_t)(sizeof(oracle_profiles) / sizeof(oracle_profiles[0])))

#endif
