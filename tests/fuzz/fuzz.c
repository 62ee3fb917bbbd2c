/* Inputs as files. */
#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fds[2] = {-1, -1};

void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    abort();
}

const char *fuzz_file(int slot, const void *data, size_t size)
{
    static char path[2][64];
    if (fds[slot] < 0)
        fds[slot] = memfd_create("fuzz", 0);
    FUZZ_ASSERT(fds[slot] >= 0);
    FUZZ_ASSERT(ftruncate(fds[slot], 0) == 0);
    FUZZ_ASSERT(pwrite(fds[slot], data, size, 0) == (ssize_t)size);
    snprintf(path[slot], sizeof path[slot], "/proc/self/fd/%d", fds[slot]);
    return path[slot];
}

void fuzz_lengthen(int slot, size_t size)
{
    FUZZ_ASSERT(ftruncate(fds[slot], (off_t)size) == 0);
}

static char folder[64];

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *ftw)
{
    (void)s, (void)flag;
    return ftw->level > 0 ? remove(path) : 0;
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    rmdir(folder);
}

const char *fuzz_folder(void)
{
    if (folder[0]) {
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        return folder;
    }
    /* In memory where that is possible: importers sync what they write, thousands of times. */
    snprintf(folder,
             sizeof folder,
             "%s/xa-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_ASSERT(mkdtemp(folder));
    atexit(remove_folder);
    return folder;
}

void fuzz_put(const char *name, const void *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    FILE *f = fopen(path, "wb");
    FUZZ_ASSERT(f && fwrite(data, 1, size, f) == size);
    FUZZ_ASSERT(fclose(f) == 0);
}
