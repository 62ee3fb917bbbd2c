/* All metrics of one map. Metrics with the same scene share it. */
#include "metric_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct xa_scorer {
    const xa_metric_spec *specs;
    int n;
    int *scene_of; /* [n] the first metric with the same scene */
    xa__work work;
};

static bool same_scene(const xa_metric_spec *a, const xa_metric_spec *b)
{
    return a->at == b->at && (a->at != XA_AT_GRID || a->grid == b->grid) && a->sign == b->sign &&
           a->cubic == b->cubic && a->wsol == b->wsol && a->ignore_crowd == b->ignore_crowd;
}

xa_status xa_scorer_create(const xa_metric_spec *specs, int n, xa_scorer **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_scorer *s = xa_alloc(1, sizeof *s);
    if (!s)
        XA_FAIL(err, XA_NOMEM, "metrics: out of memory");
    s->specs = specs;
    s->n = n;
    s->scene_of = xa_alloc((size_t)n + 1, sizeof *s->scene_of);
    if (!s->scene_of)
        XA_FAIL(err, XA_NOMEM, "metrics: out of memory");
    for (int i = 0; i < n; i++) {
        XA_TRY(err, xa_metric_check(&specs[i], err));
        s->scene_of[i] = i;
        for (int k = 0; k < i && s->scene_of[i] == i; k++)
            if (same_scene(&specs[k], &specs[i]))
                s->scene_of[i] = k;
    }
    *out = s;
    s = NULL;
done:
    xa_scorer_free(s);
    return st;
}

void xa_scorer_free(xa_scorer *s)
{
    if (!s)
        return;
    free(s->scene_of);
    xa__work_fini(&s->work);
    free(s);
}

int64_t xa_class_rank(const float *probs, int64_t classes, int32_t class_index)
{
    int64_t rank = 0;
    if (class_index < 0 || class_index >= classes)
        return -1;
    for (int64_t c = 0; c < classes; c++)
        rank +=
            probs[c] > probs[class_index] || (probs[c] == probs[class_index] && c < class_index);
    return rank;
}

int64_t
xa_set_rank(const xa_categories *c, const float *probs, int64_t classes, int32_t class_index)
{
    const xa_category *x = xa_category_of(c, class_index);
    int64_t best = -1;
    if (!x)
        return xa_class_rank(probs, classes, class_index);
    for (int32_t i = 0; i < x->count; i++) {
        const int64_t rank = xa_class_rank(probs, classes, x->members[i]);
        if (rank >= 0 && (best < 0 || rank < best))
            best = rank;
    }
    return best;
}

/* Is the stored peak enough: do the settings change no value before the peak is found, and is it
 * not ignored? */
static bool needs_no_scene(const xa_metric_spec *spec, const xa_region *r, const xa_score_map *m)
{
    return xa__metric_of(spec->kind)->compares == XA__POINT && spec->at == XA_AT_MAP &&
           spec->sign == XA_SIGN_SIGNED && spec->smoothing == 0.0 && m->has_peak &&
           !xa_region_ignores(spec, r, m->peak[0], m->peak[1]);
}

static bool has_one_value(const xa_score_map *m)
{
    const int64_t n = m->channels * m->height * m->width;
    for (int64_t i = 1; i < n; i++)
        if (m->values[i] != m->values[0])
            return false;
    return true;
}

/* Does the scene show what the metric compares with? */
static bool has_region(const xa_metric_spec *spec, const xa__scene *s)
{
    switch (xa__metric_of(spec->kind)->compares) {
    case XA__POINT:
        return spec->at == XA_AT_MAP || s->region > 0;
    case XA__BOXES:
        return s->nboxes > 0;
    default:
        return s->region > 0;
    }
}

static double score(const xa_metric_spec *spec,
                    const xa_region *r,
                    const xa_score_map *m,
                    const xa__scene *s,
                    xa__work *w,
                    void *statistic)
{
    const xa__pair pair = {spec, r, s, w, m->rank, statistic};
    if (!xa_region_counts(spec, r) || !has_region(spec, s))
        return NAN;
    return xa__metric_of(spec->kind)->score(&pair);
}

static xa_status fit_strip(const xa_metric_spec *spec, const xa__scene *s, xa__work *w, xa_err *err)
{
    const int64_t longer = s->width > s->height ? s->width : s->height;
    if (spec->smoothing == 0.0)
        return XA_OK;
    return xa_grow(
        &w->strip, &w->strip_room, (size_t)longer * XA__SMOOTH_BLOCK, sizeof *w->strip, err);
}

xa_status xa_scorer_score(xa_scorer *s,
                          const xa_region *region,
                          const xa_score_map *map,
                          double *value,
                          void *const *statistic,
                          xa_err *err)
{
    for (int i = 0; i < s->n; i++) {
        value[i] = NAN;
        if (statistic && statistic[i])
            memset(statistic[i], 0, xa_metric_statistic_bytes(&s->specs[i]));
    }
    if (region->empty || map->nonfinite)
        return XA_OK;
    for (int first = 0; first < s->n; first++) {
        xa__scene scene = {0};
        if (s->scene_of[first] != first)
            continue;
        for (int i = first; i < s->n; i++) {
            if (s->scene_of[i] != first)
                continue;
            if (needs_no_scene(&s->specs[i], region, map)) {
                value[i] = xa_pointing_game(
                    &s->specs[i], region, !has_one_value(map), map->peak[0], map->peak[1]);
                continue;
            }
            if (!scene.value) {
                int64_t w, h;
                xa__scene_size(&s->specs[first], region, map, &w, &h);
                /* with a frame of one pixel around the scene, for the filling of contours */
                const size_t room = (size_t)((w + 2) * (h + 2)),
                             own = (size_t)(map->width * map->height);
                XA_RETURN_TRY(err,
                              xa__work_fit(&s->work,
                                           room > own ? room : own,
                                           (size_t)(region->nboxes + region->ncrowds) + 1,
                                           err));
                XA_RETURN_TRY(err,
                              xa__scene_make(&s->specs[first], region, map, &s->work, &scene, err));
            }
            XA_RETURN_TRY(err, fit_strip(&s->specs[i], &scene, &s->work, err));
            value[i] =
                score(&s->specs[i], region, map, &scene, &s->work, statistic ? statistic[i] : NULL);
        }
    }
    return XA_OK;
}
