/* SPDX-License-Identifier: Apache-2.0 */
/* Leaks what its argument names, for the test of tests/support/leak_check.c. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (fd < 0 || page == MAP_FAILED)
        return 1;
    if (strcmp(what, "descriptor") != 0)
        close(fd);
    if (strcmp(what, "mapping") != 0)
        munmap(page, 4096);
    puts("done");
    return 0;
}
