/* Localisation scores of a unit: for every (sample, annotated class) pair, explainer and metric,
 * from the maps as they are stored. And the scores of maps that need no annotation. */
#include <math.h>
#include <string.h>

#include "audit_internal.h"

static int64_t row_for(const xa_rows *r, int m, int e, int64_t slot, int32_t class_index)
{
    int64_t count;
    const int64_t first = xa_rows_first(r, m, e, slot, &count);
    const int64_t k = xa_target_row(r->audit->models[m].spec->explainers[e].target,
                                    r->models[m].maps[e].target + first,
                                    count,
                                    class_index);
    return k < 0 ? -1 : first + k;
}

xa_score_map
xa_stored_map(const xa_audit *a, const xa_rows *rows, int m, int e, int64_t row, float *plain)
{
    const xa_audit_model *am = &a->models[m];
    const xa_map_rows *x = &rows->models[m].maps[e];
    const xa_shape *shape = &am->map_shape[e];
    const int64_t n = xa_shape_count(shape);
    const unsigned char *values =
        (const unsigned char *)x->values + (size_t)row * xa_map_row_bytes(a, m, e);
    const double *t = rows->models[m].affine + (int64_t)x->slot[row] * 6;
    xa_score_map s = {.values = (const float *)(const void *)values,
                      .channels = shape->dim[0],
                      .height = shape->dim[1],
                      .width = shape->dim[2],
                      .degenerate = (x->flags[row] & XA_MAP_FLAG_DEGENERATE) != 0,
                      .nonfinite = (x->flags[row] & XA_MAP_FLAG_NONFINITE) != 0,
                      .input_height = am->input.dim[0],
                      .input_width = am->input.dim[1],
                      .has_peak = true,
                      .peak = {(double)x->peak[2 * row], (double)x->peak[2 * row + 1]},
                      .rank = -1};
    for (int i = 0; i < 6; i++)
        s.affine[i / 3][i % 3] = t[i];
    if (am->spec->explainers[e].half) {
        for (int64_t i = 0; i < n; i++)
            plain[i] = xa_f32_from_f16(((const uint16_t *)(const void *)values)[i]) * x->scale[row];
        s.values = plain;
    }
    return s;
}

/* All metrics of one map; `scored` is its explainer, or a baseline behind them. */
static xa_status score_map(xa_audit *a,
                           xa_rows *rows,
                           int m,
                           int scored,
                           int64_t pair,
                           const xa_region *region,
                           const xa_score_map *map,
                           xa_err *err)
{
    const int nk = a->spec->nmetrics;
    for (int k = 0; k < nk; k++) {
        const size_t bytes = xa_metric_statistic_bytes(&a->spec->metrics[k]);
        unsigned char *all = rows->models[m].statistic[scored * nk + k];
        a->statistic[k] = bytes ? all + (size_t)pair * bytes : NULL;
    }
    XA_RETURN_TRY(err, xa_scorer_score(a->scorer, region, map, a->value, a->statistic, err));
    for (int k = 0; k < nk; k++)
        rows->models[m].localisation[scored * nk + k][pair] = a->value[k];
    return XA_OK;
}

static xa_status score_baselines(xa_audit *a,
                                 xa_rows *rows,
                                 int m,
                                 int64_t pair,
                                 const xa_region *region,
                                 int64_t rank,
                                 xa_err *err)
{
    const int ne = a->models[m].spec->nexplainers, nk = a->spec->nmetrics;
    const double *t = rows->models[m].affine + (int64_t)rows->pair_slot[pair] * 6;
    for (int b = 0; b < XA_BASELINE_COUNT; b++) {
        xa_score_map map = {.values = a->baseline[b],
                            .height = XA_BASELINE_SIDE,
                            .width = XA_BASELINE_SIDE,
                            .input_height = a->models[m].input.dim[0],
                            .input_width = a->models[m].input.dim[1],
                            .rank = rank};
        for (int i = 0; i < 6; i++)
            map.affine[i / 3][i % 3] = t[i];
        xa_baseline_place((xa_baseline_kind)b, &map);
        XA_RETURN_TRY(err, score_map(a, rows, m, ne + b, pair, region, &map, err));
        for (int k = 0; k < nk; k++)
            if (!xa_baseline_scores((xa_baseline_kind)b, a->spec->metrics[k].kind))
                rows->models[m].localisation[(ne + b) * nk + k][pair] = NAN;
    }
    return XA_OK;
}

static xa_status score_pair(xa_audit *a,
                            const xa_sample *s,
                            xa_rows *rows,
                            int64_t pair,
                            const xa_region *region,
                            xa_err *err)
{
    const int64_t slot = rows->pair_slot[pair];
    for (int m = 0; m < rows->nmodels; m++) {
        if (rows->models[m].status[slot] != XA_SAMPLE_DONE)
            continue;
        const int64_t classes = xa_audit_classes(a, m);
        const xa_head_kind head = xa_model_head(a->models[m].model)->kind;
        const float *by = xa_head_has_probs(head) ? rows->models[m].probs : rows->models[m].logits;
        const int32_t c = rows->pair_class[pair];
        const int64_t rank = head == XA_HEAD_REGRESSION
                                 ? -1 /* its outputs are no classes */
                                 : xa_set_rank(s->categories, by + slot * classes, classes, c);
        const int32_t target =
            xa_category_target(s->categories, c, rows->models[m].logits + slot * classes, classes);
        for (int e = 0; e < a->models[m].spec->nexplainers; e++) {
            const int64_t row = row_for(rows, m, e, slot, target);
            if (row < 0)
                continue;
            xa_score_map map = xa_stored_map(a, rows, m, e, row, a->map);
            map.rank = rank;
            XA_RETURN_TRY(err, score_map(a, rows, m, e, pair, region, &map, err));
        }
        XA_RETURN_TRY(err, score_baselines(a, rows, m, pair, region, rank, err));
    }
    return XA_OK;
}

/* The agreement of every two explainers of a model on a sample. */
static xa_status compare_maps(xa_audit *a, xa_rows *rows, int m, int64_t slot, xa_err *err)
{
    const int ne = a->models[m].spec->nexplainers;
    int at = 0;
    for (int e = 0; e < ne; e++)
        for (int f = e + 1; f < ne; f++, at++) {
            int64_t ne_rows, nf_rows;
            double out[XA_AGREEMENT_COUNT];
            const int64_t p = xa_rows_first(rows, m, e, slot, &ne_rows);
            const int64_t q = xa_rows_first(rows, m, f, slot, &nf_rows);
            if (!ne_rows || !nf_rows || !isfinite(rows->models[m].maps[e].scale[p]) ||
                !isfinite(rows->models[m].maps[f].scale[q]))
                continue;
            const xa_score_map x = xa_stored_map(a, rows, m, e, p, a->map);
            const xa_score_map y = xa_stored_map(a, rows, m, f, q, a->other);
            XA_RETURN_TRY(err, xa_agreement(&x, &y, out, err));
            for (int k = 0; k < XA_AGREEMENT_COUNT; k++)
                rows->models[m].agreement[at * XA_AGREEMENT_COUNT + k][slot] = out[k];
        }
    return XA_OK;
}

/* Gini, entropy, ... of every map. */
static void score_maps(xa_audit *a, xa_rows *rows)
{
    for (int m = 0; m < rows->nmodels; m++)
        for (int e = 0; e < a->models[m].spec->nexplainers; e++) {
            xa_map_rows *x = &rows->models[m].maps[e];
            for (int64_t row = 0; row < x->count; row++) {
                double out[XA_MAP_SCORE_COUNT];
                const bool made = rows->models[m].status[x->slot[row]] == XA_SAMPLE_DONE &&
                                  isfinite(x->scale[row]);
                const xa_score_map map = xa_stored_map(a, rows, m, e, row, a->map);
                if (!made)
                    continue;
                xa_map_scores(&map, a->ranks, out);
                for (int k = 0; k < XA_MAP_SCORE_COUNT; k++)
                    x->score[k][row] = out[k];
            }
        }
}

static void check_boxes(const xa_sample *s, const xa_frame *frame, uint8_t *problem)
{
    double box[4];
    for (int32_t k = 0; k < s->nannotations; k++)
        if (s->annotations[k].kind == XA_ANNOTATION_BOX)
            problem[k] = (uint8_t)xa_annotation_box(s, &s->annotations[k], frame, box);
}

xa_status xa_audit_examine(const xa_sample *s,
                           const xa_frame *frame,
                           bool masks,
                           uint8_t *problem,
                           char why[XA_ERR_MESSAGE],
                           xa_err *err)
{
    *why = '\0';
    memset(problem, XA_ANNOTATION_NONE, (size_t)s->nannotations);
    check_boxes(s, frame, problem);
    for (int32_t k = 0; masks && k < s->nannotations; k++) {
        const int32_t c = s->annotations[k].class_index;
        bool seen = c < 0;
        for (int32_t j = 0; j < k && !seen; j++)
            seen = s->annotations[j].class_index == c;
        xa_region region = {0};
        xa_err reason = XA_ERR_INIT;
        const xa_status st =
            seen ? XA_OK : xa_region_init(&region, s, c, frame, problem, NULL, &reason);
        if (st == XA_NOMEM)
            XA_RETURN_FAIL(err, st, "%s", reason.message);
        if (st == XA_OK)
            xa_region_fini(&region);
        else if (!*why)
            snprintf(why, XA_ERR_MESSAGE, "%s", reason.message);
    }
    return XA_OK;
}

/* The pairs [first, end) of one sample. An image that was decoded is enough to tell what speaks
 * against its annotations, whatever became of its maps. */
static xa_status score_sample(xa_audit *a,
                              const xa_sample *s,
                              xa_rows *rows,
                              int64_t slot,
                              int64_t first,
                              int64_t end,
                              uint8_t *problem,
                              uint64_t *hash,
                              xa_err *err)
{
    const xa_image *im = &a->images[slot];
    const xa_frame frame = {.width = rows->width[slot],
                            .height = rows->height[slot],
                            .orientation = a->spec->decode.ignore_orientation ? 1 : im->orientation,
                            .rescale = a->spec->rescale_frames,
                            .ignore_orientation = a->spec->decode.ignore_orientation};
    if (!frame.width)
        return XA_OK;
    check_boxes(s, &frame, problem);
    for (int64_t q = first; a->spec->nmetrics && q < end; q++) {
        xa_region region;
        xa_err why = XA_ERR_INIT;
        xa_status st = xa_region_init(&region, s, rows->pair_class[q], &frame, problem, hash, &why);
        if (st == XA_NOMEM)
            XA_RETURN_FAIL(err, st, "%s", why.message);
        if (st != XA_OK) {
            /* the maps are good; only the annotation is not: undefined scores, and the reason kept
             */
            for (int m = 0; m < rows->nmodels; m++)
                if (rows->models[m].status[slot] == XA_SAMPLE_DONE)
                    xa_str_sanitise(why.message,
                                    rows->models[m].message + slot * XA_MESSAGE_BYTES,
                                    XA_MESSAGE_BYTES);
            continue;
        }
        st = score_pair(a, s, rows, q, &region, err);
        xa_region_fini(&region);
        XA_RETURN_TRY(err, st);
    }
    return XA_OK;
}

xa_status xa_audit_localise(xa_audit *a, const xa_sample *samples, xa_rows *rows, xa_err *err)
{
    score_maps(a, rows);
    for (int m = 0; m < rows->nmodels; m++)
        for (int64_t i = 0; i < rows->n; i++)
            if (rows->models[m].status[i] == XA_SAMPLE_DONE)
                XA_RETURN_TRY(err, compare_maps(a, rows, m, i, err));
    int64_t at = 0, q = 0;
    for (int64_t i = 0; i < rows->n; at += samples[i++].nannotations) {
        const int64_t first = q;
        while (q < rows->npairs && rows->pair_slot[q] == i)
            q++;
        XA_RETURN_TRY(
            err,
            score_sample(
                a, &samples[i], rows, i, first, q, rows->problem + at, rows->mask_hash + at, err));
    }
    return XA_OK;
}
