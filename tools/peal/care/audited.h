/* SPDX-License-Identifier: Apache-2.0 */
/* What `peal audit` has found, ready to be told. */
#ifndef PEAL_TOOLS_PEAL_CARE_AUDITED_H
#define PEAL_TOOLS_PEAL_CARE_AUDITED_H

#include "tools/peal/care/survey.h"

struct audited {
    struct watch watch;
    struct snapshot snapshot;
    struct survey survey;
    bool only_old; /* there were two looks: what only the last one found does not count */
};

/* How many findings count, of this severity and worse. */
uint64_t audited_count(const struct audited *audited, enum peal_audit_severity least);

bool audited_tells(const struct audited *audited, const struct survey_finding *finding);

void audited_print_json(const struct audited *audited);

#endif
