/* SPDX-License-Identifier: Apache-2.0 */
/* Library, kernel, and what stands between it and us. */
#include "tools/peal/care/doctor.h"

#include <linux/membarrier.h>
#include <peal/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void check_version(struct doctor *doctor)
{
    doctor_ok(doctor, "peal %s", PEAL_VERSION_TEXT);
}

/* ---- kernel ---- */

#define LOCKS_SINCE 3015      /* open file description locks */
#define MEMBARRIER_SINCE 4016 /* global expedited */

void check_kernel(struct doctor *doctor)
{
    const char *release = host_read(&doctor->host, "/proc/sys/kernel/osrelease");
    unsigned major, minor;
    if (!release || sscanf(release, "%u.%u", &major, &minor) != 2) {
        doctor_warn(doctor, "mount -t proc proc /proc", "the kernel's release cannot be read");
        return;
    }
    const unsigned version = major * 1000 + minor;
    if (version < LOCKS_SINCE)
        doctor_bad(doctor, "install a kernel of 4.16 or newer",
                   "Linux %.60s has no open file description locks (3.15): posix: does not work",
                   release);
    else if (version < MEMBARRIER_SINCE)
        doctor_warn(doctor, "install a kernel of 4.16 or newer",
                    "Linux %.60s has no expedited membarrier(2) (4.16): each publish has a full "
                    "fence, and event loops (peal_bus_arm) are refused",
                    release);
    else
        doctor_ok(doctor, "Linux %.60s", release);
}

/* ---- membarrier ---- */

void check_membarrier_answer(struct doctor *doctor, long answer)
{
    const long wanted = MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
    if (answer >= 0 && (answer & wanted) == wanted)
        doctor_ok(doctor, "membarrier(2) works: sleepers pay for the publishers' fences");
    else
        doctor_warn(
            doctor,
            answer < 0 ? "allow the system call membarrier in the sandbox, as in docker run "
                         "--security-opt seccomp=PROFILE"
                       : "run a kernel of 4.16 or newer",
            "membarrier(2) %s: each publish has a full fence, sleepers wake every millisecond, "
            "and event loops (peal_bus_arm) are refused",
            answer < 0 ? "is forbidden here, or not in this kernel"
                       : "has no GLOBAL_EXPEDITED in this kernel");
}

void check_membarrier(struct doctor *doctor)
{
    if (doctor->host.root[0] != '\0') {
        doctor_ok(doctor, "not asked: that is only to be seen on the machine itself");
        return;
    }
    check_membarrier_answer(doctor, syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0u, 0));
}

/* ---- containers ---- */

void check_container(struct doctor *doctor)
{
    const char *kind = NULL;
    const char *text = host_read(&doctor->host, "/proc/1/cgroup");
    if (host_exists(&doctor->host, "/.dockerenv") || (text && strstr(text, "docker")))
        kind = "Docker";
    else if (host_exists(&doctor->host, "/run/.containerenv"))
        kind = "Podman";
    else if (text && strstr(text, "kubepods"))
        kind = "Kubernetes";
    else if (text && strstr(text, "lxc"))
        kind = "LXC";
    else if (host_exists(&doctor->host, "/run/systemd/container"))
        kind = "systemd-nspawn, or the like";
    if (kind)
        doctor_ok(doctor,
                  "a container (%s): it shares regions only with those that have the same /dev/shm "
                  "(docker run --ipc=container:NAME, or a volume)",
                  kind);
    else
        doctor_ok(doctor, "no container, as far as can be seen");
}
