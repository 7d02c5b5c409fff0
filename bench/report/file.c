/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

FILE *bench_file_create(const char *path)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        fprintf(stderr, "peal-bench: cannot write '%s': %s\n", path, strerror(errno));
    return file;
}

bool bench_file_close(FILE *file, const char *path)
{
    bool is_written = ferror(file) == 0;

    if (fclose(file) != 0)
        is_written = false;
    if (!is_written)
        fprintf(stderr, "peal-bench: could not write all of '%s'; is the disk full?\n", path);
    return is_written;
}

bool bench_folder_make(const char *path)
{
    struct stat stat_of;

    if (mkdir(path, 0777) == 0)
        return true;
    int error = errno;
    if (error == EEXIST && stat(path, &stat_of) == 0) {
        if (S_ISDIR(stat_of.st_mode))
            return true;
        error = ENOTDIR;
    }
    fprintf(stderr, "peal-bench: cannot make the folder '%s': %s\n", path, strerror(error));
    return false;
}

void bench_file_name(const char *text, char *name, size_t size_bytes)
{
    size_t i;

    for (i = 0; text[i] != '\0' && i + 1 < size_bytes; i++) {
        char c = text[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        name[i] = c;
        if (!is_plain)
            name[i] = '_';
    }
    name[i] = '\0';
}
