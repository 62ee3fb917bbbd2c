/* For the tests of this folder: a manifest is written to a file, read, and checked. */
#ifndef XAUDIT_TEST_MANIFEST_READING_H
#define XAUDIT_TEST_MANIFEST_READING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xaudit/manifest.h"

typedef struct reading {
    char path[64];
    xa_manifest *m;
    xa_problems problems;
    xa_err err;
    xa_status st;
} reading;

static inline void write_temporary(char path[64], const void *bytes, size_t size)
{
    snprintf(path, 64, "/tmp/xa_manifest_XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static inline reading read_bytes(const void *bytes, size_t size, const xa_manifest_options *opt)
{
    reading r = {.err = XA_ERR_INIT};
    write_temporary(r.path, bytes, size);
    r.st = xa_manifest_read(r.path, opt, &r.m, &r.problems, &r.err);
    unlink(r.path);
    /* What holds of every reading. */
    if (r.st == XA_OK) {
        assert_non_null(r.m);
        assert_int_equal(r.problems.errors, 0);
        assert_int_equal(strlen(r.m->sha256), 64);
        for (int p = 0; p < XA_MANIFEST_PARTS; p++)
            assert_int_equal(strlen(r.m->identity[p]), 64);
    } else {
        assert_null(r.m);
        assert_int_equal(r.err.code, r.st);
        assert_true(strlen(r.err.message) > 0);
        if (r.st == XA_INVALID)
            assert_true(r.problems.errors > 0);
    }
    return r;
}

static inline reading read_text(const char *text, const xa_manifest_options *opt)
{
    return read_bytes(text, strlen(text), opt);
}

static inline void release(reading *r)
{
    xa_manifest_free(r->m);
    xa_problems_fini(&r->problems);
    *r = (reading){0};
}

/* Reads a text without a mistake or warning. */
static inline reading read_good(const char *text, const xa_manifest_options *opt)
{
    reading r = read_text(text, opt);
    if (r.st != XA_OK || r.problems.count > 0)
        fail_msg("expected no mistake, found: %s",
                 r.problems.count > 0 ? r.problems.items[0].text : r.err.message);
    return r;
}

static inline bool has_problem(const xa_problems *p, int64_t line, bool warning, const char *text)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i].line == line && p->items[i].warning == warning &&
            strcmp(p->items[i].text, text) == 0)
            return true;
    return false;
}

static inline void show_problems(const xa_problems *p)
{
    for (size_t i = 0; i < p->count; i++)
        print_message("  found %lld: %s\n", (long long)p->items[i].line, p->items[i].text);
}

/* The text must have exactly one mistake, on this line, reported in these words. */
static inline void
expect_mistake(const char *text, const xa_manifest_options *opt, int64_t line, const char *words)
{
    reading r = read_text(text, opt);
    if (r.st != XA_INVALID || r.problems.count != 1 ||
        !has_problem(&r.problems, line, false, words)) {
        show_problems(&r.problems);
        fail_msg("expected the one mistake %lld: %s", (long long)line, words);
    }
    release(&r);
}

/* The text must be read, with exactly one warning. */
static inline void
expect_warning(const char *text, const xa_manifest_options *opt, int64_t line, const char *words)
{
    reading r = read_text(text, opt);
    if (r.st != XA_OK || r.problems.count != 1 || !has_problem(&r.problems, line, true, words)) {
        show_problems(&r.problems);
        fail_msg("expected the one warning %lld: %s", (long long)line, words);
    }
    release(&r);
}

static inline xa_classes make_classes(const char *const *names, int64_t n)
{
    xa_classes c = {.names = calloc((size_t)n, sizeof *c.names), .count = n};
    assert_non_null(c.names);
    for (int64_t i = 0; i < n; i++)
        c.names[i] = xa_strdup(names[i]);
    return c;
}

#endif
