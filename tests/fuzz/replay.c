/* A fuzz target without libFuzzer, for builds of any compiler: every seed as it is, then seeds with
 * random changes, the same in every run.
 *
 *   fuzz_NAME CHANGED SEED-FILE-OR-FOLDER..
 *
 * CHANGED changed inputs are tried (20 times as many if XA_FULL is set). The input under test lies
 * in the file that the variable XA_FUZZ_INPUT names, so that a crash leaves what caused it;
 * `fuzz_NAME 0 FILE` repeats it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "model/mutation.h"

enum { LARGEST = 1 << 20, SECONDS = 20 }; /* of an input; that one may take */

typedef struct seeds {
    char **data;
    size_t *size, count;
} seeds;

static void add_file(seeds *s, const char *path)
{
    xa_err err = XA_ERR_INIT;
    s->data = realloc(s->data, (s->count + 1) * sizeof *s->data);
    s->size = realloc(s->size, (s->count + 1) * sizeof *s->size);
    FUZZ_ASSERT(s->data && s->size);
    if (xa_read_file(path, LARGEST, &s->data[s->count], &s->size[s->count], &err) != XA_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
    s->count++;
}

static int no_dot(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* A file, or the files of a folder by their names, so that every machine has the same order. */
static void add_seeds(seeds *s, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        add_file(s, path);
        return;
    }
    struct dirent **names;
    const int n = scandir(path, &names, no_dot, alphasort);
    FUZZ_ASSERT(n >= 0);
    for (int i = 0; i < n; i++) {
        char *inside = xa_strfmt("%s/%s", path, names[i]->d_name);
        FUZZ_ASSERT(inside);
        if (stat(inside, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= LARGEST)
            add_file(s, inside);
        free(inside);
        free(names[i]);
    }
    free(names);
}

static uint8_t *shown; /* the input under test, in its file */
static int shown_file = -1;

static void show_inputs(void)
{
    const char *path = getenv("XA_FUZZ_INPUT");
    if (!path)
        return;
    shown_file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    FUZZ_ASSERT(shown_file >= 0 && ftruncate(shown_file, LARGEST) == 0);
    shown = mmap(NULL, LARGEST, PROT_READ | PROT_WRITE, MAP_SHARED, shown_file, 0);
    FUZZ_ASSERT(shown != MAP_FAILED);
}

/* The input in memory of its own, so that a byte too far is seen. */
static void try(const char *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    FUZZ_ASSERT(copy);
    memcpy(copy, data, size);
    if (shown) {
        memcpy(shown, data, size);
        FUZZ_ASSERT(ftruncate(shown_file, (off_t)size) == 0);
    }
    alarm(SECONDS);
    LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    if (shown)
        FUZZ_ASSERT(ftruncate(shown_file, LARGEST) == 0);
    free(copy);
}

/* `len` bytes at `at` become `n` others; what would grow beyond the largest input stays as it is.
 */
static void replace(xa_str *s, size_t at, size_t len, const char *bytes, size_t n)
{
    xa_str out = {0};
    if (s->len - len + n > LARGEST)
        return;
    xa_str_add(&out, s->data, at);
    xa_str_add(&out, bytes, n);
    xa_str_add(&out, s->data + at + len, s->len - at - len);
    FUZZ_ASSERT(!out.failed);
    xa_str_free(s);
    *s = out;
}

/* A number that is often a limit, of 1 to 8 bytes in either order, over what is there. */
static void a_number(xa_str *s, mutation_dice *d)
{
    static const uint64_t limits[] = {0,
                                      1,
                                      2,
                                      16,
                                      127,
                                      128,
                                      255,
                                      256,
                                      0x7fff,
                                      0x8000,
                                      0xffff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      0xffffffffffffffff};
    const size_t width = (size_t)1 << mutation_roll(d, 4), at = mutation_roll(d, s->len);
    const uint64_t value = limits[mutation_roll(d, sizeof limits / sizeof *limits)];
    const bool high_first = mutation_roll(d, 2);
    for (size_t i = 0; i < width && at + i < s->len; i++)
        s->data[at + i] = (char)(value >> 8 * (high_first ? width - 1 - i : i));
}

/* A stretch of some bytes: begin and length. */
static size_t a_stretch(const xa_str *s, mutation_dice *d, size_t *len)
{
    const size_t at = mutation_roll(d, s->len), left = s->len - at;
    const size_t most = mutation_roll(d, 4) ? 16 : left;
    *len = 1 + mutation_roll(d, most < left ? most : left);
    return at;
}

static void change(xa_str *s, const seeds *all, mutation_dice *d)
{
    size_t len, at;
    if (s->len == 0) {
        const char byte = (char)mutation_roll(d, 256);
        replace(s, 0, 0, &byte, 1);
        return;
    }
    switch (mutation_roll(d, 8)) {
    case 0: /* one bit */
        s->data[mutation_roll(d, s->len)] ^= (char)(1 << mutation_roll(d, 8));
        return;
    case 1:
        a_number(s, d);
        return;
    case 2: /* a stretch is lost */
        at = a_stretch(s, d, &len);
        replace(s, at, len, "", 0);
        return;
    case 3: /* the end is lost */
        at = mutation_roll(d, s->len);
        replace(s, at, s->len - at, "", 0);
        return;
    case 4: /* a stretch twice, or in another's place */
    case 5: {
        at = a_stretch(s, d, &len);
        char *copy = malloc(s->len);
        FUZZ_ASSERT(copy);
        memcpy(copy, s->data, s->len);
        const size_t to = mutation_roll(d, s->len), over = mutation_roll(d, 2) ? 0 : len;
        replace(s, to, over < s->len - to ? over : s->len - to, copy + at, len);
        free(copy);
        return;
    }
    case 6: { /* the rest of another seed */
        const size_t k = mutation_roll(d, all->count), from = mutation_roll(d, all->size[k]);
        at = mutation_roll(d, s->len);
        replace(s, at, s->len - at, all->data[k] + from, all->size[k] - from);
        return;
    }
    default:
        mutation_of_text(s, d);
    }
}

int main(int argc, char **argv)
{
    seeds s = {0};
    const char *full = getenv("XA_FULL");
    if (argc < 3) {
        fprintf(stderr, "usage: %s CHANGED SEED-FILE-OR-FOLDER..\n", argv[0]);
        return 2;
    }
    const uint64_t changed = strtoull(argv[1], NULL, 10) * (full && *full ? 20 : 1);
    for (int i = 2; i < argc; i++)
        add_seeds(&s, argv[i]);
    FUZZ_ASSERT(s.count > 0);
    show_inputs();
    for (size_t i = 0; i < s.count; i++)
        try(s.data[i], s.size[i]);
    for (uint64_t i = 0; i < changed; i++) {
        mutation_dice d = {.stream = i};
        const size_t k = mutation_roll(&d, s.count);
        xa_str input = {0};
        xa_str_add(&input, s.data[k], s.size[k]);
        for (size_t times = 1 + mutation_roll(&d, 4); times > 0; times--)
            change(&input, &s, &d);
        FUZZ_ASSERT(!input.failed);
        try(input.data ? input.data : "", input.len);
        xa_str_free(&input);
    }
    printf("%zu seeds, %llu changed inputs\n", s.count, (unsigned long long)changed);
    for (size_t i = 0; i < s.count; i++)
        free(s.data[i]);
    free(s.data);
    free(s.size);
    return 0;
}
