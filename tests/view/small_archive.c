#include "view/small_archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/archive.h"
#include "xaudit_cmocka.h"

enum { MOST_OWNED = 128, ANY = 100000 };

/* The schema that grows, and the data it borrows until it is written. */
typedef struct making {
    const small_archive *s;
    const char *model;
    xa_schema *schema;
    void *owned[MOST_OWNED];
    int n;
} making;

static void ok(xa_status st, const xa_err *err)
{
    if (st != XA_OK)
        fail_msg("%s", err->message);
}

static void *room(making *m, size_t n, size_t size)
{
    void *p = xa_alloc(n + 1, size);
    assert_non_null(p);
    assert_true(m->n < MOST_OWNED);
    return m->owned[m->n++] = p;
}

static void add(making *m, const xa_field_spec *spec)
{
    xa_err err = XA_ERR_INIT;
    int field;
    ok(xa_schema_add(m->schema, spec, &field, &err), &err);
}

/* One row of numbers for each of n. */
static void column(making *m,
                   xa_field_kind kind,
                   const char *model,
                   const char *explainer,
                   int64_t n,
                   const void *data)
{
    const xa_field_spec spec = {.kind = kind,
                                .model = model,
                                .explainer = explainer,
                                .type = XA_TYPE_COUNT,
                                .ndim = 1,
                                .dim = {n},
                                .data = data};
    add(m, &spec);
}

/* texts NULL: empty ones. */
static void texts(making *m,
                  xa_field_kind kind,
                  const char *model,
                  const char *key,
                  int64_t n,
                  const char *const *list,
                  size_t width)
{
    xa_err err = XA_ERR_INIT;
    const char **empty = room(m, (size_t)n, sizeof *empty);
    char *rows = NULL;
    if (!list)
        list = empty;
    if (!width)
        width = xa_text_width(list, n);
    ok(xa_text_pack(list, n, width, &rows, &err), &err);
    assert_true(m->n < MOST_OWNED);
    m->owned[m->n++] = rows;
    const xa_field_spec spec = {.kind = kind,
                                .model = model,
                                .key = key,
                                .type = XA_TYPE_COUNT,
                                .string_bytes = width,
                                .ndim = 1,
                                .dim = {n},
                                .data = rows};
    add(m, &spec);
}

static const int32_t *labels_of(making *m)
{
    int32_t *label = room(m, (size_t)m->s->samples, sizeof *label);
    for (int i = 0; i < m->s->samples; i++)
        label[i] = m->s->label ? m->s->label[i] : i % m->s->classes;
    return label;
}

static void samples(making *m, const int32_t *label)
{
    const small_archive *s = m->s;
    const int n = s->samples;
    char(*names)[16] = room(m, (size_t)n, sizeof *names);
    const char **id = room(m, (size_t)n, sizeof *id), **path = room(m, (size_t)n, sizeof *path);
    int64_t *offset = room(m, (size_t)n + 1, sizeof *offset);
    int32_t *size = room(m, (size_t)n, sizeof *size);
    uint64_t *hash = room(m, (size_t)n, sizeof *hash);
    for (int i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "s%d", i);
        id[i] = names[i];
        path[i] = "missing.png";
        size[i] = SMALL_SIDE;
        hash[i] = 100 + (uint64_t)i;
    }
    for (int i = 0; i <= n; i++)
        offset[i] = i;
    texts(m, XA_FIELD_SAMPLE_ID, NULL, NULL, n, s->id ? s->id : id, 0);
    texts(m, XA_FIELD_SAMPLE_PATH, NULL, NULL, n, s->path ? s->path : path, 0);
    texts(m, XA_FIELD_SAMPLE_GROUP, NULL, NULL, n, s->group, 0);
    texts(m, XA_FIELD_SAMPLE_SPLIT, NULL, NULL, n, s->split, 0);
    texts(m, XA_FIELD_SAMPLE_EXCLUDE, NULL, NULL, n, s->exclude, 0);
    if (s->extra_name)
        texts(m, XA_FIELD_SAMPLE_EXTRA, NULL, s->extra_name, n, s->extra, 0);
    column(m, XA_FIELD_SAMPLE_LABELS_OFFSET, NULL, NULL, n + 1, offset);
    column(m, XA_FIELD_SAMPLE_LABELS_VALUE, NULL, NULL, n, label);
    column(m, XA_FIELD_SAMPLE_WIDTH, NULL, NULL, n, s->width ? s->width : size);
    column(m, XA_FIELD_SAMPLE_HEIGHT, NULL, NULL, n, s->height ? s->height : size);
    column(m, XA_FIELD_SAMPLE_PIXEL_HASH, NULL, NULL, n, s->pixel_hash ? s->pixel_hash : hash);
}

/* A box for each pair, in the order of the samples. */
static void annotations(making *m, const int64_t *pair_sample, const int32_t *pair_class)
{
    const small_archive *s = m->s;
    const int n = s->box ? s->pairs : 0;
    int64_t *offset = room(m, (size_t)s->samples + 1, sizeof *offset);
    uint8_t *kind = room(m, (size_t)n, 1), *flags = room(m, (size_t)n, 1);
    int32_t *value = room(m, (size_t)n, sizeof *value);
    memset(kind, XA_ANNOTATION_BOX, (size_t)n);
    for (int i = 0; i < s->samples; i++) {
        offset[i + 1] = offset[i];
        for (int q = 0; q < n; q++)
            offset[i + 1] += pair_sample[q] == i;
    }
    column(m, XA_FIELD_ANN_OFFSET, NULL, NULL, s->samples + 1, offset);
    column(m, XA_FIELD_ANN_CLASS, NULL, NULL, n, pair_class);
    column(m, XA_FIELD_ANN_KIND, NULL, NULL, n, kind);
    column(m, XA_FIELD_ANN_FLAGS, NULL, NULL, n, flags);
    column(m, XA_FIELD_ANN_MASK_VALUE, NULL, NULL, n, value);
    texts(m, XA_FIELD_ANN_MASK, NULL, NULL, n, NULL, 8);
    add(m,
        &(xa_field_spec){.kind = XA_FIELD_ANN_BOX,
                         .type = XA_TYPE_COUNT,
                         .ndim = 2,
                         .dim = {n, 4},
                         .data = s->box ? (const void *)s->box : kind});
}

static void model(making *m, const int32_t *label)
{
    const small_archive *s = m->s;
    const int n = s->samples;
    const double input[2] = {SMALL_SIDE, SMALL_SIDE};
    float *probs = room(m, (size_t)(n * s->classes), sizeof *probs);
    double(*affine)[6] = room(m, (size_t)n, sizeof *affine);
    uint8_t *done = room(m, (size_t)n, 1), *stage = room(m, (size_t)n, 1);
    xa_err err = XA_ERR_INIT;
    memset(done, XA_SAMPLE_DONE, (size_t)n);
    for (int i = 0; i < n * s->classes; i++)
        probs[i] = 0.5f;
    for (int i = 0; i < n; i++)
        affine[i][0] = affine[i][4] = 1.0;
    column(m, XA_FIELD_MODEL_STATUS, m->model, NULL, n, s->status ? s->status : done);
    column(m, XA_FIELD_MODEL_STAGE, m->model, NULL, n, s->stage ? s->stage : stage);
    column(m, XA_FIELD_MODEL_PREDICTED, m->model, NULL, n, s->predicted ? s->predicted : label);
    texts(m, XA_FIELD_MODEL_MESSAGE, m->model, NULL, n, s->message, XA_MESSAGE_BYTES);
    if (s->class_names)
        texts(m, XA_FIELD_MODEL_CLASS_NAMES, m->model, NULL, s->classes, s->class_names, 0);
    add(m,
        &(xa_field_spec){.kind = XA_FIELD_MODEL_PROBS,
                         .model = m->model,
                         .type = XA_TYPE_COUNT,
                         .ndim = 2,
                         .dim = {n, s->classes},
                         .data = s->probs ? s->probs : probs});
    add(m,
        &(xa_field_spec){.kind = XA_FIELD_MODEL_AFFINE,
                         .model = m->model,
                         .type = XA_TYPE_COUNT,
                         .ndim = 3,
                         .dim = {n, 2, 3},
                         .data = affine});
    const xa_path group = xa_field_group(XA_FIELD_MODEL_STATUS, m->model, NULL);
    ok(xa_schema_attr_f64(m->schema, group.text, "input_size", input, 2, &err), &err);
    ok(xa_schema_attr_text(m->schema, group.text, "head", "softmax", &err), &err);
}

static void maps(making *m, int e, const int32_t *label)
{
    const small_archive *s = m->s;
    const int n = s->samples, cells = SMALL_SIDE * SMALL_SIDE;
    const char *name = s->explainer[e];
    float *values = room(m, (size_t)(n * cells), sizeof *values);
    float *scale = room(m, (size_t)n, sizeof *scale), *peak = room(m, 2 * (size_t)n, sizeof *peak);
    uint32_t *sum = room(m, (size_t)n, sizeof *sum);
    int64_t *sample = room(m, (size_t)n, sizeof *sample);
    uint8_t *flags = room(m, (size_t)n, 1);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < cells; k++)
            values[i * cells + k] =
                s->maps ? s->maps[(e * n + i) * cells + k] : (float)((k + i) % cells);
        sum[i] = xa_checksum(values + i * cells, (size_t)cells * sizeof *values);
        scale[i] = 1.0f;
        sample[i] = i;
        flags[i] = s->flags ? s->flags[e * n + i] : 0;
    }
    column(m, XA_FIELD_MAP_SAMPLE, m->model, name, n, sample);
    column(m, XA_FIELD_MAP_TARGET, m->model, name, n, label);
    column(m, XA_FIELD_MAP_FLAGS, m->model, name, n, flags);
    column(m, XA_FIELD_MAP_SCALE, m->model, name, n, scale);
    column(m, XA_FIELD_MAP_MAXIMUM, m->model, name, n, scale);
    column(m, XA_FIELD_MAP_CHECKSUM, m->model, name, n, sum);
    add(m,
        &(xa_field_spec){.kind = XA_FIELD_MAP_PEAK,
                         .model = m->model,
                         .explainer = name,
                         .type = XA_TYPE_COUNT,
                         .ndim = 2,
                         .dim = {n, 2},
                         .data = peak});
    add(m,
        &(xa_field_spec){.kind = XA_FIELD_MAP_VALUES,
                         .model = m->model,
                         .explainer = name,
                         .type = XA_TYPE_COUNT,
                         .ndim = 4,
                         .dim = {n, 1, SMALL_SIDE, SMALL_SIDE},
                         .data = values});
}

static void score(making *m, const small_series *x)
{
    const double level[] = {0.3, 0.5, 0.7};
    xa_err err = XA_ERR_INIT;
    xa_field_spec spec = {.kind = x->baseline ? XA_FIELD_BASELINE : XA_FIELD_LOCALISATION,
                          .model = m->model,
                          .explainer = x->explainer,
                          .key = x->metric,
                          .type = XA_TYPE_COUNT,
                          .ndim = 1,
                          .dim = {m->s->pairs},
                          .data = x->value};
    const xa_path path = xa_field_name(spec.kind, m->model, x->explainer, x->metric);
    add(m, &spec);
    ok(xa_schema_attr_text(m->schema, path.text, "metric", x->kind ? x->kind : x->metric, &err),
       &err);
    ok(xa_schema_attr_text(
           m->schema, path.text, "conventions", x->conventions ? x->conventions : "as told", &err),
       &err);
    if (x->from_split)
        ok(xa_schema_attr_text(m->schema, path.text, "from_split", x->from_split, &err), &err);
    if (!x->hits && !x->pixels)
        return;
    spec.ndim = 3;
    spec.kind = x->hits       ? x->baseline ? XA_FIELD_BASELINE_HITS : XA_FIELD_STATISTIC_HITS
                : x->baseline ? XA_FIELD_BASELINE_PIXELS
                              : XA_FIELD_STATISTIC_PIXELS;
    spec.dim[1] = x->hits ? x->levels : 2;
    spec.dim[2] = x->hits ? XA_HIT_BYTES : XA_PXAP_BINS;
    spec.data = x->hits ? (const void *)x->hits : x->pixels;
    add(m, &spec);
    const xa_path beside = xa_field_name(spec.kind, m->model, x->explainer, x->metric);
    if (x->hits)
        ok(xa_schema_attr_f64(m->schema, beside.text, "iou", level, x->levels, &err), &err);
}

static void check(making *m, const small_check *c)
{
    xa_err err = XA_ERR_INIT;
    const int64_t n = m->s->samples;
    const xa_field_spec all[] = {
        {.kind = XA_FIELD_CHECK_STATUS, .ndim = 1, .dim = {n}, .data = c->status},
        {.kind = XA_FIELD_CHECK_FIGURES, .ndim = 2, .dim = {n, c->nfigures}, .data = c->figure},
        {.kind = XA_FIELD_CHECK_SCORES,
         .ndim = 3,
         .dim = {n, c->nblocks, c->points},
         .data = c->scores},
        {.kind = XA_FIELD_CHECK_PROBS,
         .ndim = 3,
         .dim = {n, c->nblocks, c->points},
         .data = c->probs}};
    const char *const texts_of[][2] = {{"kind", c->kind},
                                       {"settings", c->settings},
                                       {"description", "as told"},
                                       {"figures", c->figures},
                                       {"blocks", c->blocks ? c->blocks : ""}};
    for (int i = 0; i < 4; i++) {
        xa_field_spec spec = all[i];
        if (!spec.data)
            continue;
        spec.model = m->model;
        spec.explainer = c->explainer;
        spec.key = c->name;
        spec.type = XA_TYPE_COUNT;
        add(m, &spec);
    }
    const xa_path group = xa_field_check(m->model, c->explainer, c->name);
    for (int i = 0; i < 5; i++)
        ok(xa_schema_attr_text(m->schema, group.text, texts_of[i][0], texts_of[i][1], &err), &err);
}

static void agreement_and_means(making *m)
{
    const small_archive *s = m->s;
    if (s->agreement) {
        const xa_path pair = xa_pair_name(s->explainer[0], s->explainer[1]);
        add(m,
            &(xa_field_spec){.kind = XA_FIELD_AGREEMENT,
                             .model = m->model,
                             .explainer = pair.text,
                             .key = xa_agreement_name(XA_AGREEMENT_SPEARMAN),
                             .type = XA_TYPE_COUNT,
                             .ndim = 1,
                             .dim = {s->samples},
                             .data = s->agreement});
    }
    if (!s->class_mean)
        return;
    int64_t *count = room(m, (size_t)s->classes, sizeof *count);
    for (int c = 0; c < s->classes; c++)
        count[c] = c; /* none of the first */
    column(m, XA_FIELD_CLASS_MEAN_COUNT, m->model, s->explainer[0], s->classes, count);
    add(m,
        &(xa_field_spec){.kind = XA_FIELD_CLASS_MEAN,
                         .model = m->model,
                         .explainer = s->explainer[0],
                         .type = XA_TYPE_COUNT,
                         .ndim = 3,
                         .dim = {s->classes, SMALL_SIDE, SMALL_SIDE},
                         .data = s->class_mean});
}

void small_archive_write(const small_archive *s, const char *path)
{
    making m = {.s = s, .model = s->model ? s->model : "net"};
    xa_err err = XA_ERR_INIT;
    ok(xa_schema_create(&m.schema, &err), &err);
    const int32_t *label = labels_of(&m);
    int64_t *pair_sample = room(&m, (size_t)s->pairs, sizeof *pair_sample);
    int32_t *pair_class = room(&m, (size_t)s->pairs, sizeof *pair_class);
    for (int q = 0; q < s->pairs; q++) {
        pair_sample[q] = s->pair_sample ? s->pair_sample[q] : q;
        pair_class[q] = s->pair_class ? s->pair_class[q] : label[pair_sample[q]];
    }
    samples(&m, label);
    annotations(&m, pair_sample, pair_class);
    column(&m, XA_FIELD_EVAL_SAMPLE, NULL, NULL, s->pairs, pair_sample);
    column(&m, XA_FIELD_EVAL_CLASS, NULL, NULL, s->pairs, pair_class);
    model(&m, label);
    for (int e = 0; e < s->explainers; e++)
        maps(&m, e, label);
    for (int i = 0; i < s->nseries; i++)
        score(&m, &s->series[i]);
    for (int i = 0; i < s->nchecks; i++)
        check(&m, &s->checks[i]);
    agreement_and_means(&m);
    /* archives of format 1.0 have no checksums but those of map values */
    ok(xa_schema_attr_text(m.schema, "/", "format_version", "1.0", &err), &err);
    if (s->job)
        ok(xa_schema_text(m.schema, XA_FIELD_JOB_TEXT, s->job, &err), &err);
    unlink(path);
    ok(xa_archive_create(path, m.schema, &err), &err);
    xa_schema_free(m.schema);
    while (m.n > 0)
        free(m.owned[--m.n]);
}

const char *small_archive_name(int which)
{
    static char name[4][64];
    snprintf(name[which], sizeof name[which], "/tmp/xa_small_%d_%d.h5", (int)getpid(), which);
    return name[which];
}
