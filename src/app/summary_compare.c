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
            if (a->is != XA_SERIES_SCORES) {
                ++*left_out;
                continue;
            }
            c[count].a = a;
            c[count].b = b;
            XA_TRY(err,
                   xa_stats_paired(
                       plan, s->r->pairs, a->value, b->value, s->group, NULL, &c[count].pair, err));
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

static bool comparable(const xa_series *x, const xa_series *y)
{
    return x->is == XA_SERIES_SCORES && y->is == XA_SERIES_SCORES &&
           !strcmp(x->conventions ? x->conventions : "", y->conventions ? y->conventions : "");
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
    double *p = xa_alloc(most, sizeof *p),
           *other = xa_alloc((size_t)a->r->pairs + 1, sizeof *other);
    int count = 0;
    *left_out = 0;
    if (!c || !p || !other)
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
            for (int64_t q = 0; q < a->r->pairs; q++)
                other[q] = j->to[q] >= 0 ? y->value[j->to[q]] : NAN;
            c[count].a = x;
            c[count].b = y;
            XA_TRY(err,
                   xa_stats_paired(
                       plan, a->r->pairs, x->value, other, a->group, NULL, &c[count].pair, err));
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
    free(other);
    return st;
}
