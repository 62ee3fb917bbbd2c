/* Slices of one manifest, joined end to end. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "merge_internal.h"
#include "xaudit/record.h"

/* How the datasets of slices are joined. */
typedef enum joining {
    JOIN_ROWS,    /* rows follow one another */
    JOIN_OFFSETS, /* prefix sums: each slice continues where the one before ended */
    JOIN_SAMPLES, /* indices of samples, counted from the first of the slice */
    JOIN_SESSIONS /* as many sessions as the table holds */
} joining;

typedef struct dataset {
    xa_dataset_info info; /* of the first slice */
    xa_field_kind kind;
    xa_field_names names;
    joining how;
    int64_t rows; /* of all slices */
    int field;
} dataset;

typedef struct merging {
    const xa__merge_part *parts;
    int n;
    dataset *list;
    size_t count, cap;
    char **left; /* datasets that this version's format does not know */
    size_t nleft, left_cap;
    xa_schema *schema;
    xa_archive *archive;
} merging;

/* ---- which datasets ---- */

static bool is_session(xa_field_kind k)
{
    return xa_field_owner(k) == XA_OWNER_SESSION;
}

static xa_status note(void *arg, const xa_dataset_info *info, xa_err *err)
{
    merging *g = arg;
    dataset d = {.info = *info};
    if (!xa_field_match(info->path, info->type, &d.kind, &d.names)) {
        XA_RETURN_TRY(err, xa_grow(&g->left, &g->left_cap, g->nleft + 1, sizeof *g->left, err));
        g->left[g->nleft] = xa_strdup(info->path);
        if (!g->left[g->nleft])
            XA_RETURN_NOMEM(err);
        g->nleft++;
        xa_log(
            XA_LOG_WARN, "%s: left out, since this version's format does not know it", info->path);
        return XA_OK;
    }
    const char *extents = xa_field_extents(d.kind);
    if (is_session(d.kind))
        d.how = JOIN_SESSIONS;
    else if (!strncmp(extents, "N+1", 3))
        d.how = JOIN_OFFSETS;
    else if (strchr("NQRAL", extents[0]))
        d.how = d.kind == XA_FIELD_EVAL_SAMPLE || d.kind == XA_FIELD_MAP_SAMPLE ? JOIN_SAMPLES
                                                                                : JOIN_ROWS;
    else
        return XA_OK; /* about the classes or the whole job: as in the first slice */
    XA_RETURN_TRY(err, xa_grow(&g->list, &g->cap, g->count + 1, sizeof *g->list, err));
    g->list[g->count++] = d;
    return XA_OK;
}

/* Checks the attributes that say what the numbers of a dataset mean. */
static xa_status
same_texts(const xa__merge_part *a, const xa__merge_part *b, const char *path, xa_err *err)
{
    static const char *const names[] = {
        "figures",    "blocks",  "settings",  "metric",   "conventions", "values",    "profile",
        "from_split", "score",   "agreement", "kind",     "target",      "layer",     "channels",
        "heads",      "read_as", "frame",     "sha256",   "head",        "resize",    "scale",
        "depth",      "origin",  "map",       "upsample", "score_form",  "categories"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *x = NULL, *y = NULL;
        xa_status st = xa_archive_attr_text(a->r->archive, path, names[i], &x, err);
        if (st == XA_OK)
            st = xa_archive_attr_text(b->r->archive, path, names[i], &y, err);
        const bool same = !x == !y && (!x || !strcmp(x, y));
        if (st == XA_OK && !same)
            st = XA_ERR(err,
                        XA_MISMATCH,
                        "%s: its attribute %s is '%.120s' in %s and '%.120s' in %s",
                        path,
                        names[i],
                        x ? x : "",
                        a->path,
                        y ? y : "",
                        b->path);
        free(x);
        free(y);
        XA_RETURN_TRY(err, st);
    }
    return XA_OK;
}

/* Checks those of a dataset and of the groups above it. */
static xa_status
same_attributes(const xa__merge_part *a, const xa__merge_part *b, const char *path, xa_err *err)
{
    xa_status st = XA_OK;
    char *at = xa_strdup(path);
    if (!at)
        XA_NOMEM_FAIL(err);
    for (char *slash; *at; *slash = '\0') {
        XA_TRY(err, same_texts(a, b, at, err));
        slash = strrchr(at, '/');
    }
done:
    free(at);
    return st;
}

/* Counts the rows of a dataset over all slices, and checks that it is otherwise the same in all. */
static xa_status count_rows(const merging *g, dataset *d, xa_err *err)
{
    d->rows = 0;
    for (int i = 0; i < g->n; i++) {
        xa_dataset_info x;
        const xa_status st = xa_archive_dataset(g->parts[i].r->archive, d->info.path, &x, err);
        if (st == XA_NOT_FOUND)
            XA_RETURN_FAIL(err,
                           XA_MISMATCH,
                           "%s lacks %s, which %s has: they are slices of jobs with different "
                           "metrics or checks",
                           g->parts[i].path,
                           d->info.path,
                           g->parts[0].path);
        XA_RETURN_TRY(err, st);
        bool same = x.type == d->info.type && x.item_bytes == d->info.item_bytes &&
                    x.ndim == d->info.ndim && x.ndim >= 1;
        for (int k = 1; same && k < x.ndim; k++)
            same = x.dim[k] == d->info.dim[k];
        if (!same)
            XA_RETURN_FAIL(err,
                           XA_MISMATCH,
                           "%s: %s differs in type or size from that of %s",
                           g->parts[i].path,
                           d->info.path,
                           g->parts[0].path);
        if (i > 0)
            XA_RETURN_TRY(err, same_attributes(&g->parts[0], &g->parts[i], d->info.path, err));
        d->rows += x.dim[0] - (d->how == JOIN_OFFSETS && i > 0);
    }
    if (d->how == JOIN_SESSIONS)
        d->rows = d->info.dim[0];
    return XA_OK;
}

static xa_status counted(void *arg, const xa_dataset_info *info, xa_err *err)
{
    (void)info;
    (void)err;
    ++*(int64_t *)arg;
    return XA_OK;
}

static xa_status find_datasets(merging *g, xa_err *err)
{
    int64_t first = 0;
    XA_RETURN_TRY(err, xa_archive_walk(g->parts[0].r->archive, note, g, err));
    XA_RETURN_TRY(err, xa_archive_walk(g->parts[0].r->archive, counted, &first, err));
    for (size_t i = 0; i < g->count; i++)
        XA_RETURN_TRY(err, count_rows(g, &g->list[i], err));
    for (int i = 1; i < g->n; i++) {
        int64_t n = 0;
        XA_RETURN_TRY(err, xa_archive_walk(g->parts[i].r->archive, counted, &n, err));
        if (n != first)
            XA_RETURN_FAIL(err,
                           XA_MISMATCH,
                           "%s has %" PRId64 " datasets and %s %" PRId64
                           ": slices of jobs with other metrics or "
                           "checks",
                           g->parts[i].path,
                           n,
                           g->parts[0].path,
                           first);
    }
    return XA_OK;
}

/* ---- rows ---- */

static void shift(int64_t *v, int64_t n, int64_t by)
{
    for (int64_t i = 0; i < n; i++)
        v[i] += by;
}

/* Appends the rows of every slice, in pieces, to the new archive; or, if sum is not NULL, only to
 * the checksum of a table. */
static xa_status join_rows(const merging *g, const dataset *d, uint32_t *sum, xa_err *err)
{
    enum { PIECE = 8 << 20 };
    xa_status st = XA_OK;
    unsigned char *buffer = NULL;
    size_t row = d->info.item_bytes;
    int64_t at = 0, base = 0;
    for (int k = 1; k < d->info.ndim; k++)
        row *= (size_t)d->info.dim[k];
    const int64_t step = row && row < PIECE ? (int64_t)(PIECE / row) : 1;
    buffer = xa_alloc((size_t)step, row ? row : 1);
    if (!buffer)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for a row", d->info.path);
    for (int i = 0; i < g->n; i++) {
        xa_dataset_info x;
        int64_t last = base;
        XA_TRY(err, xa_archive_dataset(g->parts[i].r->archive, d->info.path, &x, err));
        for (int64_t from = d->how == JOIN_OFFSETS && i > 0; from < x.dim[0]; from += step) {
            const int64_t n = x.dim[0] - from < step ? x.dim[0] - from : step;
            XA_TRY(err,
                   xa_archive_read(g->parts[i].r->archive, d->info.path, from, n, buffer, err));
            int64_t *v = (int64_t *)(void *)buffer;
            if (d->how == JOIN_OFFSETS) {
                shift(v, n, base);
                last = v[n - 1];
            } else if (d->how == JOIN_SAMPLES) {
                shift(v, n, g->parts[i].first);
            }
            if (sum)
                xa_checksum_table(xa_checksum_seed(d->info.path), buffer, at, n, row, sum);
            else
                XA_TRY(err, xa_archive_write(g->archive, d->field, at, n, buffer, err));
            at += n;
        }
        base = last;
    }
done:
    free(buffer);
    return st;
}

/* ---- the new archive ---- */

static xa_status create(merging *g, const char *part, xa_err *err)
{
    xa_status st = XA_OK;
    char hash[XA_SHA256_HEX];
    const char *identity = g->parts[0].identity;
    const size_t n = g->nleft + 2;
    const char **leave = xa_alloc(n, sizeof *leave);
    if (!leave)
        XA_NOMEM_FAIL(err);
    for (size_t i = 0; i < g->nleft; i++)
        leave[i] = g->left[i];
    leave[g->nleft] = "/@slice_first";
    leave[g->nleft + 1] = "/@slice_of";
    XA_TRY(err, xa_sha256_bytes(identity, strlen(identity), hash, err));
    XA_TRY(err, xa_schema_create(&g->schema, err));
    XA_TRY(err, xa_schema_attr_text(g->schema, "/", "identity", hash, err));
    for (size_t i = 0; i < g->count; i++) {
        dataset *d = &g->list[i];
        xa_field_spec s = {.kind = d->kind,
                           .model = *d->names.model ? d->names.model : NULL,
                           .explainer = *d->names.explainer ? d->names.explainer : NULL,
                           .key = *d->names.key ? d->names.key : NULL,
                           .type = d->info.type,
                           .string_bytes = d->info.item_bytes,
                           .ndim = d->info.ndim};
        for (int k = 1; k < s.ndim; k++)
            s.dim[k] = d->info.dim[k];
        s.dim[0] = d->rows;
        XA_TRY(err, xa_schema_add(g->schema, &s, &d->field, err));
        if (xa_is_table(d->kind) && d->how != JOIN_SESSIONS) {
            uint32_t sum = 0; /* the attribute of the first slice is about its own rows */
            XA_TRY(err, join_rows(g, d, &sum, err));
            XA_TRY(err, xa_schema_attr_i64(g->schema, d->info.path, "checksum", (int64_t)sum, err));
        }
    }
    XA_TRY(err, xa_schema_text(g->schema, XA_FIELD_IDENTITY_TEXT, identity, err));
    const xa_graft graft = {.source = g->parts[0].path, .leave = leave, .nleave = (int)n};
    XA_TRY(err, xa_archive_create_from(part, g->schema, &graft, 1, err));
done:
    free(leave);
    return st;
}

/* Joins the sessions of all slices, as many as the table holds. */
static xa_status join_sessions(merging *g, const dataset *d, xa_err *err)
{
    xa_status st = XA_OK;
    const size_t row = d->info.item_bytes;
    int64_t at = 0;
    int32_t total = 0;
    unsigned char *rows = xa_alloc(XA_SESSIONS + 1, row);
    uint8_t state = 2;
    if (!rows || d->info.ndim != 1)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", d->info.path);
    for (int i = 0; i < g->n; i++) {
        int32_t count = 0;
        xa_archive *a = g->parts[i].r->archive;
        XA_TRY(err,
               xa_archive_read(a, xa_field_path(XA_FIELD_RUN_SESSION_COUNT), 0, 1, &count, err));
        if (d->kind == XA_FIELD_RUN_STATE) {
            uint8_t s;
            XA_TRY(err, xa_archive_read(a, d->info.path, 0, 1, &s, err));
            state = s < state ? s : state;
            continue;
        }
        count = count < 0 ? 0 : count;
        total += count < XA_SESSIONS ? count : XA_SESSIONS;
        const int64_t room = d->info.dim[0] - at;
        const int64_t n = count < room ? count : room;
        if (d->kind != XA_FIELD_RUN_SESSION_COUNT && n > 0) {
            XA_TRY(err, xa_archive_read(a, d->info.path, 0, n, rows, err));
            XA_TRY(err, xa_archive_write(g->archive, d->field, at, n, rows, err));
            at += n;
        }
    }
    if (d->kind == XA_FIELD_RUN_STATE)
        XA_TRY(err, xa_archive_write(g->archive, d->field, 0, 1, &state, err));
    if (d->kind == XA_FIELD_RUN_SESSION_COUNT)
        XA_TRY(err, xa_archive_write(g->archive, d->field, 0, 1, &total, err));
    if (at > 0 && at < d->info.dim[0]) { /* rows that a raw dataset leaves undefined */
        memset(rows, 0, (size_t)XA_SESSIONS * row);
        XA_TRY(err, xa_archive_write(g->archive, d->field, at, d->info.dim[0] - at, rows, err));
    }
done:
    free(rows);
    return st;
}

xa_status xa__merge_slices(const xa__merge_part *parts, int n, const char *part, xa_err *err)
{
    xa_status st = XA_OK;
    merging g = {.parts = parts, .n = n};
    XA_TRY(err, find_datasets(&g, err));
    XA_TRY(err, create(&g, part, err));
    XA_TRY(err, xa_archive_open(part, NULL, XA_WRITERS_ALL, g.schema, &g.archive, err));
    for (size_t i = 0; i < g.count; i++)
        XA_TRY(err,
               g.list[i].how == JOIN_SESSIONS ? join_sessions(&g, &g.list[i], err)
                                              : join_rows(&g, &g.list[i], NULL, err));
    XA_TRY(err, xa_archive_sync(g.archive, err));
done : {
    const xa_status closed = xa_archive_close(g.archive, st == XA_OK ? err : NULL);
    st = st == XA_OK ? closed : st;
}
    xa_schema_free(g.schema);
    for (size_t i = 0; i < g.nleft; i++)
        free(g.left[i]);
    free(g.left);
    free(g.list);
    return st;
}
