#include "xaudit/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4 << 20 };
static const size_t row_most = (size_t)1 << 30;

typedef struct covered {
    xa_dataset_info info;
    size_t row_bytes;
    int by; /* index of its checksums; -1: the archive has none */
    char sums[sizeof((xa_dataset_info *)0)->path];
} covered;

typedef struct list {
    xa_dataset_info info;
    xa_field_kind kind;
    xa_field_names names;
} list;

typedef struct table {
    xa_dataset_info info;
    size_t row_bytes;
    uint32_t sum;
} table;

struct xa_sums {
    xa_archive *archive;
    table *table;
    size_t ntables, cap_tables;
    covered *dataset;
    size_t ndatasets, cap_datasets;
    list *sums;
    size_t nsums, cap_sums;
    bool promised; /* the format has checksums of all rows */
    bool derived;  /* an evaluation: parts of it are copied from another archive */
};

/* Bytes of a row; false: they are too many to be read at once. */
static bool row_bytes(const xa_dataset_info *info, size_t *out)
{
    *out = info->item_bytes;
    for (int d = 1; d < info->ndim; d++)
        if (!xa_size_mul(*out, (size_t)info->dim[d], out))
            return false;
    return info->ndim >= 1 && *out < row_most;
}

/* A table with its checksum; those of earlier versions have none. */
static xa_status note_table(xa_sums *s, const xa_dataset_info *info, xa_err *err)
{
    double sum = 0.0;
    int64_t n = 0;
    table t = {.info = *info};
    if (!row_bytes(info, &t.row_bytes) ||
        xa_archive_attr_f64(s->archive, info->path, "checksum", &sum, 1, &n, NULL) != XA_OK ||
        n != 1 || !(sum >= 0.0 && sum <= (double)UINT32_MAX))
        return XA_OK;
    t.sum = (uint32_t)sum;
    XA_RETURN_TRY(err, xa_grow(&s->table, &s->cap_tables, s->ntables + 1, sizeof *s->table, err));
    s->table[s->ntables++] = t;
    return XA_OK;
}

static xa_status note(void *arg, const xa_dataset_info *info, xa_err *err)
{
    xa_sums *s = arg;
    covered c = {.info = *info, .by = -1};
    xa_field_kind kind;
    xa_field_names names;
    if (xa_field_match(info->path, info->type, &kind, &names) && xa_is_table(kind))
        return note_table(s, info, err);
    if (!strncmp(info->path, XA_GROUP_CHECKSUMS "/", strlen(XA_GROUP_CHECKSUMS "/"))) {
        list l = {.info = *info};
        if (!xa_field_match(info->path, info->type, &l.kind, &l.names) || info->ndim != 1)
            return XA_OK;
        XA_RETURN_TRY(err, xa_grow(&s->sums, &s->cap_sums, s->nsums + 1, sizeof *s->sums, err));
        s->sums[s->nsums++] = l;
        return XA_OK;
    }
    if (!xa_checksum_path(info->path, info->type, c.sums, sizeof c.sums) ||
        !row_bytes(info, &c.row_bytes))
        return XA_OK;
    XA_RETURN_TRY(
        err, xa_grow(&s->dataset, &s->cap_datasets, s->ndatasets + 1, sizeof *s->dataset, err));
    s->dataset[s->ndatasets++] = c;
    return XA_OK;
}

/* Formats from 1.1 on have checksums of all that is written row by row. An evaluation of an archive
 * of format 1.0 has those of its own scores alone; it cannot be merged. */
static xa_status note_format(xa_sums *s, xa_err *err)
{
    xa_status st = XA_OK;
    char *version = NULL, *evaluated = NULL;
    int64_t minor = 0;
    XA_TRY(err, xa_archive_attr_text(s->archive, "/", "format_version", &version, err));
    XA_TRY(err, xa_archive_attr_text(s->archive, "/", "evaluated_from", &evaluated, err));
    const char *dot = version ? strchr(version, '.') : NULL;
    s->promised = dot && xa_parse_i64(dot + 1, &minor) && minor >= 1;
    s->derived = evaluated != NULL;
done:
    free(version);
    free(evaluated);
    return st;
}

xa_status xa_sums_open(xa_archive *a, xa_sums **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_sums *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_NOMEM_FAIL(err);
    s->archive = a;
    XA_TRY(err, note_format(s, err));
    XA_TRY(err, xa_archive_walk(a, note, s, err));
    for (size_t i = 0; i < s->ndatasets; i++)
        for (size_t k = 0; k < s->nsums; k++)
            if (!strcmp(s->dataset[i].sums, s->sums[k].info.path))
                s->dataset[i].by = (int)k;
    *out = s;
    s = NULL;
done:
    xa_sums_close(s);
    return st;
}

void xa_sums_close(xa_sums *s)
{
    if (!s)
        return;
    free(s->dataset);
    free(s->sums);
    free(s->table);
    free(s);
}

int xa_sums_count(const xa_sums *s)
{
    return (int)s->nsums;
}

xa_sums_info xa_sums_at(const xa_sums *s, int k)
{
    const list *l = &s->sums[k];
    return (xa_sums_info){l->info.path, l->kind, l->names, l->info.dim[0]};
}

const char *xa_sums_lacking(const xa_sums *s)
{
    for (size_t i = 0; i < s->ndatasets; i++)
        if (s->dataset[i].by < 0)
            return s->dataset[i].info.path;
    return NULL;
}

/* Whether an evaluation makes these checksums itself; it copies the others. */
static bool is_made_anew(const char *sums)
{
    static const char *const groups[] = {XA_GROUP_CHECKSUMS XA_GROUP_LOCALISATION "/",
                                         XA_GROUP_CHECKSUMS XA_GROUP_STATISTICS "/",
                                         XA_GROUP_CHECKSUMS XA_GROUP_BASELINES "/",
                                         XA_GROUP_CHECKSUMS XA_GROUP_BASELINE_STATISTICS "/"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (!strncmp(sums, groups[i], strlen(groups[i])))
            return true;
    return false;
}

/* Whether the archive that an evaluation was made from had checksums of all rows. The evaluation
 * says its own format only, but formats before 1.1 have neither checksums of rows nor of tables, so
 * that a single one that was copied shows it. */
static bool source_had_sums(const xa_sums *s)
{
    for (size_t k = 0; k < s->nsums; k++)
        if (!is_made_anew(s->sums[k].info.path))
            return true;
    return s->ntables > 0;
}

const char *xa_sums_lost(const xa_sums *s)
{
    const bool copied = !s->derived || source_had_sums(s);
    for (size_t i = 0; s->promised && i < s->ndatasets; i++)
        if (s->dataset[i].by < 0 && (copied || is_made_anew(s->dataset[i].sums)))
            return s->dataset[i].sums;
    return NULL;
}

xa_status xa_sums_check(
    const xa_sums *s, int k, void (*differs)(void *arg, int64_t row), void *arg, xa_err *err)
{
    const list *l = &s->sums[k];
    const int64_t rows = l->info.dim[0];
    size_t most = sizeof(uint32_t);
    xa_status st = XA_OK;
    uint32_t *stored = NULL, *made = NULL;
    void *data = NULL;
    for (size_t i = 0; i < s->ndatasets; i++) {
        const covered *c = &s->dataset[i];
        if (c->by != k)
            continue;
        if (c->info.dim[0] != rows)
            XA_FAIL(err,
                    XA_FORMAT,
                    "%s has %" PRId64 " rows, its checksums %s %" PRId64,
                    c->info.path,
                    c->info.dim[0],
                    l->info.path,
                    rows);
        most = c->row_bytes > most ? c->row_bytes : most;
    }
    int64_t block = (int64_t)(BLOCK_BYTES / most);
    block = block > rows ? rows : block;
    block = block < 1 ? 1 : block;
    stored = xa_alloc((size_t)block, sizeof *stored);
    made = xa_alloc((size_t)block, sizeof *made);
    data = xa_alloc((size_t)block, most);
    if (!stored || !made || !data)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its rows", l->info.path);
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t n = rows - first < block ? rows - first : block;
        memset(made, 0, (size_t)n * sizeof *made);
        XA_TRY(err, xa_archive_read(s->archive, l->info.path, first, n, stored, err));
        for (size_t i = 0; i < s->ndatasets; i++) {
            const covered *c = &s->dataset[i];
            if (c->by != k)
                continue;
            XA_TRY(err, xa_archive_read(s->archive, c->info.path, first, n, data, err));
            xa_checksum_rows(xa_checksum_seed(c->info.path), data, n, c->row_bytes, made);
        }
        for (int64_t i = 0; i < n; i++)
            if (made[i] != stored[i])
                differs(arg, first + i);
    }
done:
    free(stored);
    free(made);
    free(data);
    return st;
}

int xa_sums_tables(const xa_sums *s)
{
    return (int)s->ntables;
}

xa_status xa_sums_check_table(const xa_sums *s, int k, const char **path, bool *same, xa_err *err)
{
    const table *t = &s->table[k];
    const int64_t rows = t->info.dim[0];
    const uint64_t seed = xa_checksum_seed(t->info.path);
    int64_t block = t->row_bytes ? (int64_t)(BLOCK_BYTES / t->row_bytes) : rows;
    xa_status st = XA_OK;
    uint32_t sum = 0;
    void *data;
    block = block > rows ? rows : block;
    block = block < 1 ? 1 : block;
    data = xa_alloc((size_t)block, t->row_bytes + 1);
    if (!data)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for its rows", t->info.path);
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t n = rows - first < block ? rows - first : block;
        XA_TRY(err, xa_archive_read(s->archive, t->info.path, first, n, data, err));
        xa_checksum_table(seed, data, first, n, t->row_bytes, &sum);
    }
    *path = t->info.path;
    *same = sum == t->sum;
done:
    free(data);
    return st;
}
