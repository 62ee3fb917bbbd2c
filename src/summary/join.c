/* Which pairs of an image and a class two archives share. */
#include <stdlib.h>
#include <string.h>

#include "xaudit/summary.h"

typedef struct key {
    char *
        text; /* "LENGTH CLASS ID", the length being that of the class: no two pairs have one key */
    int64_t pair;
} key;

static int by_key(const void *a, const void *b)
{
    return strcmp(((const key *)a)->text, ((const key *)b)->text);
}

/* The class by name or number; of a category its name and members, since a category of the same
 * name may hold other classes elsewhere. */
static void add_class(xa_str *to, const xa_read *r, int32_t c, bool names)
{
    const xa_category *set = xa_category_of(&r->categories, c);
    const xa_read_model *m = names ? &r->models[0] : NULL;
    if (set) {
        xa_str_puts(to, set->name);
        for (int32_t i = 0; i < set->count; i++)
            xa_str_printf(to, "|%d", (int)set->members[i]);
    } else if (m && c >= 0 && c < m->nnames) {
        const char *row = m->class_names + (size_t)c * m->class_name_bytes;
        xa_str_add(to, row, strnlen(row, m->class_name_bytes));
    } else {
        xa_str_printf(to, "%d", (int)c);
    }
}

static char *key_of(const xa_summary *s, int64_t pair, bool names)
{
    const xa_read *r = s->r;
    const char *row = r->id + (size_t)r->pair_sample[pair] * r->id_bytes;
    xa_str name = {0};
    add_class(&name, r, r->pair_class[pair], names);
    char *text =
        name.failed || !name.data
            ? NULL
            : xa_strfmt("%zu %s %.*s", name.len, name.data, (int)strnlen(row, r->id_bytes), row);
    xa_str_free(&name);
    return text;
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
                  xa_archive_read_all(
                      s->r->archive, xa_field_path(XA_FIELD_SAMPLE_PIXEL_HASH), &info, &data, err));
    if (info.type != XA_TYPE_U64 || info.ndim != 1 || info.dim[0] != s->r->samples) {
        free(data);
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s: /samples/pixel_hash: expected one number for each sample",
                       s->path);
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
        XA_NOMEM_FAIL(err);
    XA_TRY(err, read_hashes(a, &ha, err));
    XA_TRY(err, read_hashes(b, &hb, err));
    for (int64_t q = 0; q < nb; q++) {
        keys[q] = (key){key_of(b, q, names), q};
        if (!keys[q].text)
            XA_NOMEM_FAIL(err);
    }
    qsort(keys, (size_t)nb, sizeof *keys, by_key);
    for (int64_t q = 0; q < na; q++) {
        const key wanted = {key_of(a, q, names), q};
        if (!wanted.text)
            XA_NOMEM_FAIL(err);
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
