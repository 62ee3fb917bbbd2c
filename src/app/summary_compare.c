/* Paired comparisons: of the series of one archive, and of two archives. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "summary.h"

/* One metric's comparisons stand together. */
static int by_metric(const void *a, const void *b)
{
    const xa_compared *x = a, *y = b;
    const int metric = strcmp(x->a->metric, y->a->metric);
    const int left = strcmp(x->a->explainer, y->a->explainer);
    const int model = strcmp(x->a->model, y->a->model);
    return metric ? metric : model ? model : left ? left : strcmp(x->b->explainer, y->b->explainer);
}

static bool called(const xa_series *x, const char *name)
{
    const size_t m = strlen(x->model);
    if (!strcmp(x->explainer, name))
        return true;
    return !strncmp(name, x->model, m) && name[m] == '/' && !strcmp(name + m + 1, x->explainer);
}

/* ---- one comparison ---- */

/* Whose figures can be subtracted. */
static bool comparable(const xa_series *x, const xa_series *y)
{
    return x->is == y->is &&
           !strcmp(x->conventions ? x->conventions : "", y->conventions ? y->conventions : "");
}

/* Rows of statistics of b in a's order; without `to` they are. */
static xa_status rows_of(const xa_summary *b,
                         const xa_series *y,
                         const int64_t *to,
                         int64_t pairs,
                         size_t row,
                         unsigned char **out,
                         xa_err *err)
{
    xa_status st = XA_OK;
    void *rows = NULL;
    XA_TRY(err, xa_summary_rows(b, y, &rows, err));
    *out = rows;
    if (!to)
        return XA_OK;
    *out = xa_alloc((size_t)pairs + 1, row);
    if (!*out)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t q = 0; q < pairs; q++)
        if (to[q] >= 0)
            memcpy(*out + (size_t)q * row, (unsigned char *)rows + (size_t)to[q] * row, row);
done:
    free(rows);
    return st;
}

/* Two series of figures over the data set. */
static xa_status subtract_curves(const xa_summary *a,
                                 const xa_series *x,
                                 const xa_summary *b,
                                 const xa_series *y,
                                 const int64_t *to,
                                 const xa_stats_plan *plan,
                                 xa_paired *out,
                                 xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = a->r->pairs;
    const size_t row = x->is == XA_SERIES_HITS ? (size_t)x->levels * XA_HIT_BYTES
                                               : 2 * XA_STATS_BINS * sizeof(uint32_t);
    unsigned char *mine = NULL, *other = NULL;
    bool *in_a = xa_alloc((size_t)n + 1, sizeof *in_a),
         *in_b = xa_alloc((size_t)n + 1, sizeof *in_b);
    int ta[XA_METRIC_LEVELS], tb[XA_METRIC_LEVELS];
    bool ca, cb;
    if (!in_a || !in_b)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t q = 0; q < n; q++) {
        const int64_t other_pair = to ? to[q] : q;
        in_a[q] = xa_summary_counts(a, x, q);
        in_b[q] = other_pair >= 0 && xa_summary_counts(b, y, other_pair);
    }
    XA_TRY(err, rows_of(a, x, NULL, n, row, &mine, err));
    XA_TRY(err, rows_of(b, y, to, n, row, &other, err));
    XA_TRY(err, xa_summary_threshold(a, x, ta, &ca, err));
    XA_TRY(err, xa_summary_threshold(b, y, tb, &cb, err));
    if (x->is == XA_SERIES_HITS) {
        const xa_hits ha = {.n = n, .levels = x->levels, .bits = mine, .defined = in_a};
        const xa_hits hb = {.n = n, .levels = y->levels, .bits = other, .defined = in_b};
        XA_TRY(err,
               xa_stats_box_difference(
                   plan, &ha, &hb, ca ? ta : NULL, cb ? tb : NULL, a->group, out, err));
    } else {
        XA_TRY(err,
               xa_stats_pxap_difference(plan,
                                        n,
                                        (const uint32_t *)(const void *)mine,
                                        (const uint32_t *)(const void *)other,
                                        in_a,
                                        in_b,
                                        a->group,
                                        out,
                                        err));
    }
done:
    free(mine);
    free(other);
    free(in_a);
    free(in_b);
    return st;
}

/* a's series x beside b's y; to: [a's pairs] pair of b or -1; NULL: the same archive. */
static xa_status subtract(const xa_summary *a,
                          const xa_series *x,
                          const xa_summary *b,
                          const xa_series *y,
                          const int64_t *to,
                          const xa_stats_plan *plan,
                          xa_paired *out,
                          xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = a->r->pairs;
    if (x->is != XA_SERIES_SCORES)
        return subtract_curves(a, x, b, y, to, plan, out, err);
    double *other = xa_alloc((size_t)n + 1, sizeof *other);
    if (!other)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t q = 0; q < n; q++)
        other[q] = !to ? y->value[q] : to[q] >= 0 ? y->value[to[q]] : NAN;
    XA_TRY(err, xa_stats_paired(plan, n, x->value, other, a->group, NULL, out, err));
done:
    free(other);
    return st;
}

/* ---- one archive ---- */

xa_status xa_summary_compare(const xa_summary *s,
                             const char *against,
                             const xa_stats_plan *plan,
                             xa_compared **out,
                             int *n,
                             int *left_out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    const int all = s->nseries;
    xa_compared *c = xa_alloc((size_t)all * (size_t)all + 1, sizeof *c);
    double *p = xa_alloc((size_t)all * (size_t)all + 1, sizeof *p);
    int count = 0;
    bool found = false;
    xa_str list = {0};
    *left_out = 0;
    if (!c || !p)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int i = 0; i < all; i++) {
        const xa_series *a = &s->series[i];
        found = found || (against && called(a, against));
        for (int k = 0; k < all; k++) {
            const xa_series *b = &s->series[k];
            if (k == i || strcmp(a->metric, b->metric) != 0 || a->baseline ||
                (b->baseline && (!against || strcmp(a->model, b->model) != 0)) ||
                (against ? !called(b, against) : k < i))
                continue;
            if (against && called(a, against) && k < i)
                continue;
            if (!comparable(a, b)) {
                ++*left_out;
                continue;
            }
            c[count].a = a;
            c[count].b = b;
            XA_TRY(err, subtract(s, a, s, b, NULL, plan, &c[count].pair, err));
            p[count] = c[count].pair.p;
            count++;
        }
    }
    for (int i = 0; i < all; i++)
        if (i == 0 || strcmp(s->series[i].explainer, s->series[i - 1].explainer) != 0)
            xa_str_printf(
                &list, "%s%s/%s", i ? ", " : "", s->series[i].model, s->series[i].explainer);
    if (against && !found)
        XA_FAIL(err,
                XA_NOT_FOUND,
                "--against %s: no such explainer; known are: %s",
                against,
                list.data ? list.data : "none");
    XA_TRY(err, xa_stats_holm(count, p, p, err));
    for (int i = 0; i < count; i++)
        c[i].adjusted = p[i];
    qsort(c, (size_t)count, sizeof *c, by_metric);
    *out = c;
    *n = count;
    c = NULL;
done:
    xa_str_free(&list);
    free(c);
    free(p);
    return st;
}

/* ---- two archives ---- */

typedef struct key {
    char *text; /* "class\0id" has no room for doubt: the class, a line feed, the id */
    int64_t pair;
} key;

static int by_key(const void *a, const void *b)
{
    return strcmp(((const key *)a)->text, ((const key *)b)->text);
}

static char *key_of(const xa_summary *s, int64_t pair, bool names)
{
    const xa_read *r = s->r;
    const char *row = r->id + (size_t)r->pair_sample[pair] * r->id_bytes;
    char class_name[256];
    if (names)
        xa_read_class(&r->models[0], r->pair_class[pair], class_name, sizeof class_name);
    else
        snprintf(class_name, sizeof class_name, "%d", (int)r->pair_class[pair]);
    return xa_strfmt("%s\n%.*s", class_name, (int)strnlen(row, r->id_bytes), row);
}

static void free_keys(key *k, int64_t n)
{
    for (int64_t i = 0; k && i < n; i++)
        free(k[i].text);
    free(k);
}

static xa_status read_hashes(const xa_summary *s, uint64_t **out, xa_err *err)
{
    xa_dataset_info info;
    void *data = NULL;
    XA_RETURN_TRY(err,
                  xa_archive_read_all(s->r->archive, "/samples/pixel_hash", &info, &data, err));
    if (info.type != XA_TYPE_U64 || info.ndim != 1 || info.dim[0] != s->r->samples) {
        free(data);
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: /samples/pixel_hash: expected one a sample", s->path);
    }
    *out = data;
    return XA_OK;
}

xa_status xa_summary_join(const xa_summary *a, const xa_summary *b, xa_joined *out, xa_err *err)
{
    xa_status st = XA_OK;
    uint64_t *ha = NULL, *hb = NULL;
    key *keys = NULL;
    const int64_t na = a->r->pairs, nb = b->r->pairs;
    const bool names = a->r->nmodels && b->r->nmodels && a->r->models[0].class_names &&
                       b->r->models[0].class_names;
    *out = (xa_joined){0};
    out->to = xa_alloc((size_t)na + 1, sizeof *out->to);
    keys = xa_alloc((size_t)nb + 1, sizeof *keys);
    if (!out->to || !keys)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    XA_TRY(err, read_hashes(a, &ha, err));
    XA_TRY(err, read_hashes(b, &hb, err));
    for (int64_t q = 0; q < nb; q++) {
        keys[q] = (key){key_of(b, q, names), q};
        if (!keys[q].text)
            XA_FAIL(err, XA_NOMEM, "out of memory");
    }
    qsort(keys, (size_t)nb, sizeof *keys, by_key);
    for (int64_t q = 0; q < na; q++) {
        const key wanted = {key_of(a, q, names), q};
        if (!wanted.text)
            XA_FAIL(err, XA_NOMEM, "out of memory");
        const key *found = bsearch(&wanted, keys, (size_t)nb, sizeof *keys, by_key);
        free(wanted.text);
        out->to[q] = -1;
        const uint64_t mine = ha[a->r->pair_sample[q]];
        const uint64_t other = found ? hb[b->r->pair_sample[found->pair]] : 0;
        if (!found)
            out->absent++;
        else if (mine == 0 || other == 0)
            out->not_done++;
        else if (mine != other)
            out->other_pixels++;
        else {
            out->to[q] = found->pair;
            out->joined++;
        }
    }
done:
    free(ha);
    free(hb);
    free_keys(keys, nb);
    if (st != XA_OK) {
        free(out->to);
        *out = (xa_joined){0};
    }
    return st;
}

xa_status xa_summary_compare_archives(const xa_summary *a,
                                      const xa_summary *b,
                                      const xa_joined *j,
                                      const xa_stats_plan *plan,
                                      xa_compared **out,
                                      int *n,
                                      int *left_out,
                                      xa_err *err)
{
    xa_status st = XA_OK;
    const size_t most = (size_t)a->nseries * (size_t)b->nseries + 1;
    xa_compared *c = xa_alloc(most, sizeof *c);
    double *p = xa_alloc(most, sizeof *p);
    int count = 0;
    *left_out = 0;
    if (!c || !p)
        XA_FAIL(err, XA_NOMEM, "out of memory");
    for (int i = 0; i < a->nseries; i++)
        for (int k = 0; k < b->nseries; k++) {
            const xa_series *x = &a->series[i], *y = &b->series[k];
            if (x->baseline || y->baseline || strcmp(x->explainer, y->explainer) != 0 ||
                strcmp(x->metric, y->metric) != 0)
                continue;
            if (!comparable(x, y)) {
                ++*left_out;
                continue;
            }
            c[count].a = x;
            c[count].b = y;
            XA_TRY(err, subtract(a, x, b, y, j->to, plan, &c[count].pair, err));
            p[count] = c[count].pair.p;
            count++;
        }
    XA_TRY(err, xa_stats_holm(count, p, p, err));
    for (int i = 0; i < count; i++)
        c[i].adjusted = p[i];
    qsort(c, (size_t)count, sizeof *c, by_metric);
    *out = c;
    *n = count;
    c = NULL;
done:
    free(c);
    free(p);
    return st;
}
