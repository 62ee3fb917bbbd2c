/* Scores pair by pair. The scores of a pair depend on the archive and the seed alone, and not on
 * the rank that computes them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate_internal.h"

/* ---- maps ---- */

static bool is_made(const xa__eval_model *m, const xa__eval_map *x, int64_t row)
{
    return m->m->status[x->x->sample[row]] == XA_SAMPLE_DONE && isfinite(x->values.scale[row]);
}

/* The map in row `row`, laid on the image of `sample`. Its values are written to `into`. */
static xa_status map_of(xa__evaluation *e,
                        const xa__eval_model *m,
                        const xa__eval_map *x,
                        int64_t row,
                        int64_t sample,
                        float *into,
                        xa_score_map *out,
                        xa_err *err)
{
    const uint8_t flags = x->x->flags[row];
    XA_RETURN_TRY(err, xa_read_values_row(&x->values, row, into, err));
    e->done.map_bytes += (double)x->values.count * (x->values.half ? 2.0 : 4.0);
    *out = (xa_score_map){.values = into,
                          .channels = x->values.channels,
                          .height = x->values.height,
                          .width = x->values.width,
                          .degenerate = (flags & XA_MAP_DEGENERATE) != 0,
                          .nonfinite = (flags & XA_MAP_NONFINITE) != 0,
                          .input_height = x->values.input_height,
                          .input_width = x->values.input_width,
                          .has_peak = x->x->sample[row] == sample,
                          .peak = {(double)x->x->peak[2 * row], (double)x->x->peak[2 * row + 1]},
                          .rank = -1};
    for (int i = 0; i < 6; i++)
        out->affine[i / 3][i % 3] = m->affine[6 * sample + i];
    return XA_OK;
}

/* ---- mean maps ---- */

/* The class whose mean a map row belongs to; -1: none. */
static int64_t
class_of_row(const xa__evaluation *e, const xa__eval_model *m, const xa__eval_map *x, int64_t row)
{
    const int64_t i = x->x->sample[row], *offset = e->r->label_offset;
    int64_t c = x->x->target[row];
    if (x->rule == XA_TARGET_NONE)
        c = offset[i + 1] - offset[i] == 1 ? xa_read_target(m->m, i, e->r->label_value[offset[i]])
                                           : -1;
    return c >= 0 && c < m->m->classes ? c : -1;
}

/* Adds a map to the `sum` and *count of its class (sign 1), or takes it away (sign -1). */
static xa_status add_cells(xa__evaluation *e,
                           const xa__eval_model *m,
                           const xa__eval_map *x,
                           int64_t row,
                           int64_t sign,
                           int64_t *sum,
                           int64_t *count,
                           xa_err *err)
{
    const int64_t n = x->mean_height * x->mean_width;
    xa_score_map map;
    XA_RETURN_TRY(err, map_of(e, m, x, row, x->x->sample[row], e->plain, &map, err));
    if (!xa_mean_cells(&map, x->mean_height, x->mean_width, e->other, e->cells))
        return XA_OK;
    for (int64_t i = 0; i < n; i++)
        sum[i] += sign * e->cells[i];
    *count += sign;
    return XA_OK;
}

xa_status xa__eval_means(xa__evaluation *e, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    for (int64_t k = 0; k < e->r->nmodels; k++)
        for (int64_t g = 0; g < e->models[k].m->nmaps; g++) {
            xa__eval_model *m = &e->models[k];
            xa__eval_map *x = &m->maps[g];
            const int64_t n = x->mean_height * x->mean_width, rows = x->x->rows;
            const int64_t end = rows * (e->rank + 1) / e->size;
            for (int64_t row = rows * e->rank / e->size; st == XA_OK && row < end; row++) {
                const int64_t c = class_of_row(e, m, x, row);
                if (c >= 0 && is_made(m, x, row))
                    st = add_cells(e, m, x, row, 1, x->sum + c * n, &x->count[c], &mine);
            }
            XA_RETURN_TRY(err, xa_comm_agree(e->comm, st, &mine, err));
            XA_RETURN_TRY(err, xa_comm_sum_i64s(e->comm, x->sum, m->m->classes * n, err));
            XA_RETURN_TRY(err, xa_comm_sum_i64s(e->comm, x->count, m->m->classes, err));
        }
    return XA_OK;
}

static void divide(const int64_t *sum, int64_t count, int64_t n, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)((double)sum[i] / XA_MEAN_ONE / (double)count);
}

xa_status xa__eval_write_means(xa__evaluation *e, xa_err *err)
{
    for (int64_t k = 0; k < e->r->nmodels; k++)
        for (int64_t g = 0; g < e->models[k].m->nmaps; g++) {
            const xa__eval_map *x = &e->models[k].maps[g];
            const int64_t n = x->mean_height * x->mean_width, classes = e->models[k].m->classes;
            for (int64_t c = 0; c < classes; c++) {
                if (!x->count[c])
                    continue; /* the new file is filled with NaN */
                divide(x->sum + c * n, x->count[c], n, e->mean);
                XA_RETURN_TRY(err, xa_archive_write(e->archive, x->mean_field, c, 1, e->mean, err));
            }
            XA_RETURN_TRY(err,
                          xa_archive_write(e->archive, x->count_field, 0, classes, x->count, err));
        }
    return XA_OK;
}

/* ---- a pair ---- */

typedef struct pair {
    int64_t q, at; /* the pair, and its row in the block */
    int64_t sample, rank;
    int32_t class_index;
    int32_t target; /* class of the current model that stands for it */
    const xa_region *region;
} pair;

static xa_status
score(xa__evaluation *e, const pair *p, xa_score_map *map, xa__eval_series *s, xa_err *err)
{
    map->rank = p->rank;
    for (int k = 0; k < e->spec.nmetrics; k++) {
        const size_t bytes = xa_metric_statistic_bytes(&e->spec.metrics[k]);
        e->statistic[k] = bytes ? s->rows[k] + (size_t)p->at * bytes : NULL;
    }
    XA_RETURN_TRY(err, xa_scorer_score(e->scorer, p->region, map, e->out, e->statistic, err));
    for (int k = 0; k < e->spec.nmetrics; k++)
        s->value[k][p->at] = e->out[k];
    return XA_OK;
}

/* A random row of another image, the same for every number of ranks; -1: none was found. */
static int64_t
another(const xa__evaluation *e, const xa__eval_model *m, const xa__eval_map *x, const pair *p)
{
    enum { TRIES = 256 };
    const uint64_t stream =
        ((uint64_t)(m - e->models) << 32 | (uint64_t)(x - m->maps)) + 0x5348554646ULL;
    for (int t = 0; t < TRIES && x->x->rows > 0; t++) {
        const int64_t row = xa_random_below(
            (uint64_t)e->opt->seed, stream, (uint64_t)p->q * TRIES + (uint64_t)t, x->x->rows);
        if (x->x->sample[row] != p->sample && is_made(m, x, row))
            return row;
    }
    return -1;
}

static xa_status score_shuffled(
    xa__evaluation *e, const xa__eval_model *m, xa__eval_map *x, const pair *p, xa_err *err)
{
    xa_score_map map;
    const int64_t row = another(e, m, x, p);
    if (row < 0)
        return XA_OK;
    XA_RETURN_TRY(err, map_of(e, m, x, row, p->sample, e->plain, &map, err));
    return score(e, p, &map, &x->beside[XA_EVAL_SHUFFLED], err);
}

/* Scores the mean map of the pair's class over all other images. */
static xa_status
score_mean(xa__evaluation *e, const xa__eval_model *m, xa__eval_map *x, const pair *p, xa_err *err)
{
    const int64_t n = x->mean_height * x->mean_width, first = xa_read_first_row(x->x, p->sample);
    int64_t of = p->target;
    if (x->rule == XA_TARGET_UNIT) /* its maps are of one output, whatever is annotated */
        of = first < x->x->rows ? x->x->target[first] : -1;
    if (of < 0 || of >= m->m->classes)
        return XA_OK;
    int64_t count = x->count[of];
    memcpy(e->left, x->sum + of * n, (size_t)n * sizeof *e->left);
    for (int64_t row = first; row < x->x->rows && x->x->sample[row] == p->sample; row++)
        if (class_of_row(e, m, x, row) == of && is_made(m, x, row))
            XA_RETURN_TRY(err, add_cells(e, m, x, row, -1, e->left, &count, err));
    if (count <= 0)
        return XA_OK;
    divide(e->left, count, n, e->mean);
    xa_score_map map = {.values = e->mean,
                        .channels = 1,
                        .height = x->mean_height,
                        .width = x->mean_width,
                        .degenerate = true,
                        .input_height = x->values.input_height,
                        .input_width = x->values.input_width};
    for (int64_t i = 0; i < n; i++)
        map.degenerate = map.degenerate && e->mean[i] == 0.0f;
    for (int i = 0; i < 6; i++)
        map.affine[i / 3][i % 3] = m->affine[6 * p->sample + i];
    return score(e, p, &map, &x->beside[XA_EVAL_CLASS_MEAN], err);
}

static xa_status score_explainer(
    xa__evaluation *e, const xa__eval_model *m, xa__eval_map *x, const pair *p, xa_err *err)
{
    xa_score_map map;
    const int64_t first = xa_read_first_row(x->x, p->sample);
    int64_t n = 0;
    while (first + n < x->x->rows && x->x->sample[first + n] == p->sample)
        n++;
    const int64_t row = xa_target_row(x->rule, x->x->target + first, n, p->target);
    if (row >= 0 && is_made(m, x, first + row)) {
        XA_RETURN_TRY(err, map_of(e, m, x, first + row, p->sample, e->plain, &map, err));
        XA_RETURN_TRY(err, score(e, p, &map, &x->own, err));
    }
    XA_RETURN_TRY(err, score_shuffled(e, m, x, p, err));
    return score_mean(e, m, x, p, err);
}

static xa_status score_baselines(xa__evaluation *e, xa__eval_model *m, const pair *p, xa_err *err)
{
    if (!m->m->nmaps)
        return XA_OK;
    for (int b = 0; b < XA_BASELINE_COUNT; b++) {
        xa_score_map map = {.values = e->baseline[b],
                            .height = XA_BASELINE_SIDE,
                            .width = XA_BASELINE_SIDE,
                            .input_height = m->maps[0].values.input_height,
                            .input_width = m->maps[0].values.input_width};
        for (int i = 0; i < 6; i++)
            map.affine[i / 3][i % 3] = m->affine[6 * p->sample + i];
        xa_baseline_place((xa_baseline_kind)b, &map);
        XA_RETURN_TRY(err, score(e, p, &map, &m->baseline[b], err));
        for (int k = 0; k < e->spec.nmetrics; k++)
            if (!xa_baseline_scores((xa_baseline_kind)b, e->spec.metrics[k].kind))
                m->baseline[b].value[k][p->at] = NAN;
    }
    return XA_OK;
}

static xa_status score_pair(xa__evaluation *e, pair *p, xa_err *err)
{
    for (int64_t k = 0; k < e->r->nmodels; k++) {
        xa__eval_model *m = &e->models[k];
        const int64_t classes = m->m->classes;
        if (m->m->status[p->sample] != XA_SAMPLE_DONE)
            continue;
        p->rank = m->m->values ? -1
                               : xa_set_rank(&e->r->categories,
                                             m->m->rank_by + p->sample * classes,
                                             classes,
                                             p->class_index);
        p->target = xa_read_target(m->m, p->sample, p->class_index);
        for (int64_t g = 0; g < m->m->nmaps; g++)
            XA_RETURN_TRY(err, score_explainer(e, m, &m->maps[g], p, err));
        XA_RETURN_TRY(err, score_baselines(e, m, p, err));
    }
    return XA_OK;
}

/* ---- blocks ---- */

typedef xa_status
for_series(xa__evaluation *e, xa__eval_series *s, int64_t first, int64_t n, xa_err *err);

static xa_status
each_series(xa__evaluation *e, for_series *does, int64_t first, int64_t n, xa_err *err)
{
    for (int64_t k = 0; k < e->r->nmodels; k++) {
        xa__eval_model *m = &e->models[k];
        for (int64_t g = 0; g < m->m->nmaps; g++) {
            XA_RETURN_TRY(err, does(e, &m->maps[g].own, first, n, err));
            for (int b = 0; b < XA_EVAL_OWN_BASELINES; b++)
                XA_RETURN_TRY(err, does(e, &m->maps[g].beside[b], first, n, err));
        }
        for (int b = 0; b < XA_BASELINE_COUNT; b++)
            XA_RETURN_TRY(err, does(e, &m->baseline[b], first, n, err));
    }
    return XA_OK;
}

static xa_status reset(xa__evaluation *e, xa__eval_series *s, int64_t first, int64_t n, xa_err *err)
{
    (void)first;
    (void)err;
    for (int k = 0; k < e->spec.nmetrics; k++) {
        const size_t bytes = xa_metric_statistic_bytes(&e->spec.metrics[k]);
        for (int64_t i = 0; i < n; i++)
            s->value[k][i] = NAN;
        if (bytes)
            memset(s->rows[k], 0, (size_t)n * bytes);
    }
    return XA_OK;
}

/* Checksums of rows in the making: several fields share a field of checksums, which is written when
 * the next rows belong to another one. */
typedef struct summed {
    int into; /* the field of checksums; -1: none */
    uint32_t value[XA_EVAL_BLOCK];
} summed;

static xa_status write_sums(xa__evaluation *e, summed *s, int64_t first, int64_t n, xa_err *err)
{
    if (s->into >= 0)
        XA_RETURN_TRY(err, xa_archive_write(e->archive, s->into, first, n, s->value, err));
    *s = (summed){.into = -1};
    return XA_OK;
}

static xa_status write_rows(xa__evaluation *e,
                            int field,
                            int64_t first,
                            int64_t n,
                            size_t row_bytes,
                            const void *rows,
                            summed *s,
                            xa_err *err)
{
    uint64_t seed = 0;
    const int into = xa_schema_checksum(e->schema, field, &seed);
    if (into != s->into)
        XA_RETURN_TRY(err, write_sums(e, s, first, n, err));
    s->into = into;
    if (into >= 0)
        xa_checksum_rows(seed, rows, n, row_bytes, s->value);
    return xa_archive_write(e->archive, field, first, n, rows, err);
}

static xa_status
write_series(xa__evaluation *e, xa__eval_series *s, int64_t first, int64_t n, xa_err *err)
{
    summed scores = {.into = -1}, statistics = {.into = -1};
    for (int k = 0; k < e->spec.nmetrics; k++) {
        const size_t bytes = xa_metric_statistic_bytes(&e->spec.metrics[k]);
        XA_RETURN_TRY(
            err,
            write_rows(
                e, s->f.localisation[k], first, n, sizeof(double), s->value[k], &scores, err));
        if (s->f.statistic[k] >= 0)
            XA_RETURN_TRY(
                err,
                write_rows(e, s->f.statistic[k], first, n, bytes, s->rows[k], &statistics, err));
    }
    XA_RETURN_TRY(err, write_sums(e, &scores, first, n, err));
    return write_sums(e, &statistics, first, n, err);
}

static bool is_done(const xa__evaluation *e, int64_t sample)
{
    for (int64_t k = 0; k < e->r->nmodels; k++)
        if (e->models[k].m->status[sample] == XA_SAMPLE_DONE)
            return true;
    return false;
}

xa_status xa__eval_pairs(xa__evaluation *e, int64_t first, int64_t end, xa_err *err)
{
    for (int64_t from = first; from < end; from += XA_EVAL_BLOCK) {
        const int64_t n = end - from < XA_EVAL_BLOCK ? end - from : XA_EVAL_BLOCK;
        XA_RETURN_TRY(err, each_series(e, reset, from, n, err));
        for (int64_t q = from; q < from + n; q++) {
            xa_region region;
            xa_err why = XA_ERR_INIT;
            pair p = {.q = q,
                      .at = q - from,
                      .sample = e->r->pair_sample[q],
                      .class_index = e->r->pair_class[q],
                      .region = &region};
            if (!is_done(e, p.sample))
                continue;
            e->done.pairs++;
            xa_status st = xa__regions_read(&e->regions, p.sample, p.class_index, &region, &why);
            if (st == XA_NOMEM)
                XA_RETURN_FAIL(err, st, "%s", why.message);
            if (*e->regions.changed) {
                if (st == XA_OK)
                    xa_region_fini(&region);
                XA_RETURN_FAIL(err, XA_MISMATCH, "%s", e->regions.changed);
            }
            if (st != XA_OK) { /* the maps are good, and only the annotation is not */
                if (!*e->done.problem)
                    snprintf(e->done.problem, sizeof e->done.problem, "%s", why.message);
                continue;
            }
            e->done.scored++;
            st = score_pair(e, &p, err);
            xa_region_fini(&region);
            XA_RETURN_TRY(err, st);
        }
        XA_RETURN_TRY(err, each_series(e, write_series, from, n, err));
    }
    /* a rank has whole samples, so that no other writes these rows */
    const int64_t from = first < end ? e->regions.offset[e->r->pair_sample[first]] : 0;
    const int64_t to = first < end ? e->regions.offset[e->r->pair_sample[end - 1] + 1] : 0;
    if (to <= from)
        return XA_OK;
    XA_RETURN_TRY(
        err,
        xa_archive_write(e->archive, e->problem, from, to - from, e->regions.problem + from, err));
    return xa_archive_write(
        e->archive, e->mask_hash, from, to - from, e->regions.mask_hash + from, err);
}
