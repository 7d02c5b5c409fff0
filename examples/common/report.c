/* SPDX-License-Identifier: Apache-2.0 */
#include "common/report.h"

#include "common/args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int report(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    return EXIT_FAILED;
}

int report_setup(const char *what)
{
    return report(what, peal_error_message());
}

int report_status(const char *what, enum peal_status status)
{
    return report(what, peal_status_text(status));
}

int report_errno(const char *what)
{
    return report(what, strerror(errno));
}
