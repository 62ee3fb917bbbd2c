/* For tests of importers: a temporary folder, files in it, and an import with all it leaves. */
#ifndef XAUDIT_TEST_IMPORT_FOLDER_H
#define XAUDIT_TEST_IMPORT_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xaudit/image.h"
#include "xaudit/import.h"
#include "xaudit_cmocka.h"

#define GOLDEN XA_TEST_DATA "/golden/manifest"

typedef struct folder {
    char path[64];
    char out[80]; /* path/out.csv */
} folder;

typedef struct imported {
    xa_status st;
    xa_import_report report;
    xa_problems problems;
    xa_err err;
} imported;

static inline folder make_folder(void)
{
    folder f;
    snprintf(f.path, sizeof f.path, "/tmp/xa_import_XXXXXX");
    assert_non_null(mkdtemp(f.path));
    snprintf(f.out, sizeof f.out, "%s/out.csv", f.path);
    return f;
}

static inline int remove_one(const char *path, const struct stat *s, int flag, struct FTW *ftw)
{
    (void)s, (void)flag, (void)ftw;
    return remove(path);
}

static inline void remove_folder(folder *f)
{
    assert_int_equal(nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes path/name; folders on the way are made. Returns the path, valid until the next call. */
static inline const char *
put_file(const folder *f, const char *name, const void *bytes, size_t size)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    for (char *p = path + strlen(f->path) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline void put_text(const folder *f, const char *name, const char *text)
{
    put_file(f, name, text, strlen(text));
}

static inline imported run_import(const folder *f, xa_import_options o)
{
    imported r = {.err = XA_ERR_INIT};
    o.output = f->out;
    o.force = true;
    r.st = xa_import(&o, &r.report, &r.problems, &r.err);
    if (r.st == XA_OK)
        assert_int_equal(r.problems.errors, 0);
    else
        assert_true(strlen(r.err.message) > 0 && r.report.reasons == NULL);
    return r;
}

static inline void imported_fini(imported *r)
{
    xa_import_report_fini(&r->report);
    xa_problems_fini(&r->problems);
}

static inline int64_t count_of(const imported *r, xa_import_what what, const char *text)
{
    for (size_t i = 0; i < r->report.nreasons; i++)
        if (r->report.reasons[i].what == what && strcmp(r->report.reasons[i].text, text) == 0)
            return r->report.reasons[i].count;
    return 0;
}

/* The manifest just written, read back: no mistake, no warning, and as many as the report says. */
static inline xa_manifest *read_back(const folder *f, const imported *r, const char *classes_file)
{
    xa_manifest *m = NULL;
    xa_problems problems = {0};
    xa_classes classes = {0};
    xa_err err = XA_ERR_INIT;
    const char *names = r->report.classes_file != NULL ? r->report.classes_file : classes_file;
    if (names != NULL)
        assert_int_equal(xa_classes_read(names, &classes, NULL), XA_OK);
    const xa_manifest_options opt = {.classes = names != NULL ? &classes : NULL,
                                     .label_as = names != NULL ? XA_LABEL_NAME : XA_LABEL_AUTO};
    if (xa_manifest_read(f->out, &opt, &m, &problems, &err) != XA_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < problems.count; i++)
        fail_msg("%s", problems.items[i].text);
    int64_t boxes = 0, masks = 0;
    for (int64_t i = 0; i < m->count; i++)
        for (int32_t k = 0; k < m->samples[i].nannotations; k++)
            *(m->samples[i].annotations[k].kind == XA_ANNOTATION_BOX ? &boxes : &masks) += 1;
    assert_int_equal(m->count, r->report.images);
    assert_int_equal(boxes, r->report.boxes);
    assert_int_equal(masks, r->report.masks);
    xa_problems_fini(&problems);
    xa_classes_fini(&classes);
    return m;
}

#endif
