/* What the tests of reading share: a sample archive with three of six rows done, opened and closed.
 */
#ifndef ARCHIVE_READING_H
#define ARCHIVE_READING_H

#include "archive/archive_test.h"

static const char *path;
static sample s;

static inline int make_sample(void **state)
{
    if (make_folder(state) != 0)
        return 1;
    xa_err err = XA_ERR_INIT;
    xa_archive *a = NULL;
    static char kept[512];
    snprintf(kept, sizeof kept, "%s/sample.h5", folder);
    path = kept;
    xa_schema *schema = sample_schema(&s, 6, 3, 4);
    assert_ok(xa_archive_create(path, schema, &err), err);
    assert_ok(xa_archive_open(path, NULL, XA_WRITERS_ALL, schema, &a, &err), err);
    for (int64_t row = 0; row < 3; row++)
        assert_ok(sample_write(a, &s, row, &err), err);
    const uint8_t done[3] = {XA_SAMPLE_DONE, XA_SAMPLE_DONE, XA_SAMPLE_DONE};
    assert_ok(xa_archive_write(a, s.status, 0, 3, done, &err), err);
    assert_ok(xa_archive_sync(a, &err), err);
    assert_ok(xa_archive_close(a, &err), err);
    xa_schema_free(schema);
    return 0;
}

static inline xa_archive *opened(const char *file)
{
    xa_archive *a = NULL;
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_archive_open_read(file, &a, &err), err);
    return a;
}

static inline void closed(xa_archive *a)
{
    xa_err err = XA_ERR_INIT;
    assert_ok(xa_archive_close(a, &err), err);
}

typedef struct seen {
    char path[64][128];
    int n;
} seen;

static inline xa_status remember(void *arg, const xa_dataset_info *info, xa_err *err)
{
    (void)err;
    seen *list = arg;
    assert_in_range(list->n, 0, 63);
    snprintf(list->path[list->n++], sizeof list->path[0], "%.127s", info->path);
    return XA_OK;
}

#endif
