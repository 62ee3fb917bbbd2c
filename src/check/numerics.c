/* What each of the numerics costs and changes on the job's own model and images. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/check.h"
#include "xaudit/stats.h"

/* What one of the numerics gave. Images that failed, and maps that an image has none of, are NaN.
 */
typedef struct answers {
    int64_t images, classes, pairs; /* of an image and an annotated class */
    float *logits;                  /* [images, classes] */
    int32_t *predicted;             /* [images], -1: none */
    float **maps;                   /* [explainers] of [images, cells]: the first of an image */
    double **scores;                /* [explainers * metrics] of [pairs] */
    int64_t *image_of;              /* [pairs] */
    size_t cap;
} answers;

typedef struct trial {
    double seconds;  /* an image; 0: these numerics do not run here */
    answers *models; /* [models] */
    char why[XA_ERR_MESSAGE];
} trial;

static int64_t cells_of(const xa_audit *a, int m, int e)
{
    const xa_shape s = xa_audit_map_shape(a, m, e);
    return xa_shape_count(&s);
}

static void answers_free(answers *a, int explainers, int metrics)
{
    for (int e = 0; a->maps && e < explainers; e++)
        free(a->maps[e]);
    for (int k = 0; a->scores && k < explainers * metrics; k++)
        free(a->scores[k]);
    free(a->maps);
    free(a->scores);
    free(a->logits);
    free(a->predicted);
    free(a->image_of);
    *a = (answers){0};
}

static void trial_free(trial *t, const xa_audit_spec *s)
{
    for (int m = 0; t->models && m < s->nmodels; m++)
        answers_free(&t->models[m], s->models[m].nexplainers, s->nmetrics);
    free(t->models);
}

/* Room for `images`, every value missing. */
static xa_status answers_start(
    answers *a, const xa_audit *audit, const xa_audit_spec *s, int m, int64_t images, xa_err *err)
{
    const int n = s->models[m].nexplainers;
    *a = (answers){.images = images, .classes = xa_audit_classes(audit, m)};
    a->logits = xa_alloc((size_t)(images * a->classes), sizeof(float));
    a->predicted = xa_alloc((size_t)images, sizeof(int32_t));
    a->maps = xa_alloc((size_t)n + 1, sizeof(float *));
    a->scores = xa_alloc((size_t)(n * s->nmetrics) + 1, sizeof(double *));
    if (!a->logits || !a->predicted || !a->maps || !a->scores)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < images; i++)
        a->predicted[i] = -1;
    for (int64_t i = 0; i < images * a->classes; i++)
        a->logits[i] = NAN;
    for (int e = 0; e < n; e++) {
        const int64_t all = images * cells_of(audit, m, e);
        a->maps[e] = xa_alloc((size_t)all, sizeof(float));
        if (!a->maps[e])
            XA_RETURN_NOMEM(err);
        for (int64_t i = 0; i < all; i++)
            a->maps[e][i] = NAN;
    }
    return XA_OK;
}

/* Adds the pairs of a unit whose first image is `first`. */
static xa_status keep_scores(
    answers *a, const xa_rows *rows, const xa_audit_spec *s, int m, int64_t first, xa_err *err)
{
    const int all = s->models[m].nexplainers * s->nmetrics;
    const int64_t need = a->pairs + rows->npairs;
    for (int k = 0; k <= all; k++) { /* the last is image_of */
        size_t cap = a->cap;
        XA_RETURN_TRY(err,
                      k < all
                          ? xa_grow(&a->scores[k], &cap, (size_t)need + 1, sizeof(double), err)
                          : xa_grow(&a->image_of, &cap, (size_t)need + 1, sizeof(int64_t), err));
        if (k == all)
            a->cap = cap;
    }
    for (int64_t p = 0; p < rows->npairs; p++) {
        a->image_of[a->pairs + p] = first + rows->pair_slot[p];
        for (int k = 0; k < all; k++)
            a->scores[k][a->pairs + p] = rows->models[m].localisation[k][p];
    }
    a->pairs = need;
    return XA_OK;
}

static void
keep_maps(answers *a, const xa_rows *rows, const xa_loaded *l, int m, int e, int64_t first)
{
    const xa_map_rows *x = &rows->models[m].maps[e];
    const int64_t cells = cells_of(l->audit, m, e);
    for (int64_t r = x->count - 1; r >= 0; r--) { /* the first row of an image is written last */
        float *to = a->maps[e] + (first + x->slot[r]) * cells;
        for (int64_t i = 0; i < cells; i++)
            to[i] = l->job.audit.models[m].explainers[e].half
                        ? xa_f32_from_f16(((const uint16_t *)x->values)[r * cells + i])
                        : ((const float *)x->values)[r * cells + i];
    }
}

static xa_status keep(trial *t, const xa_rows *rows, const xa_loaded *l, int64_t first, xa_err *err)
{
    const xa_audit_spec *s = &l->job.audit;
    for (int m = 0; m < s->nmodels; m++) {
        answers *a = &t->models[m];
        const xa_model_rows *of = &rows->models[m];
        for (int64_t i = 0; i < rows->n; i++) {
            if (of->status[i] != XA_SAMPLE_DONE)
                continue;
            a->predicted[first + i] = of->predicted[i];
            memcpy(a->logits + (first + i) * a->classes,
                   of->logits + i * a->classes,
                   (size_t)a->classes * sizeof(float));
        }
        for (int e = 0; e < s->models[m].nexplainers; e++)
            keep_maps(a, rows, l, m, e, first);
        XA_RETURN_TRY(err, keep_scores(a, rows, s, m, first, err));
    }
    return XA_OK;
}

/* l: the audit of these numerics, and the images chosen. The first unit warms up. */
static xa_status run(const xa_loaded *l, trial *t, xa_err *err)
{
    xa_trial units = {0};
    xa_status st = XA_OK;
    const int64_t n = l->manifest->count;
    t->models = xa_alloc((size_t)l->job.audit.nmodels + 1, sizeof(answers));
    if (!t->models)
        XA_NOMEM_FAIL(err);
    for (int m = 0; m < l->job.audit.nmodels; m++)
        XA_TRY(err, answers_start(&t->models[m], l->audit, &l->job.audit, m, n, err));
    XA_TRY(err, xa_trial_start(l, &units, err));
    XA_TRY(err, xa_trial_unit(&units, err));
    xa_trial_reset(&units);
    units.next = 0;
    for (int64_t first = 0; first < n; first = units.images) {
        XA_TRY(err, xa_trial_unit(&units, err));
        XA_TRY(err, keep(t, units.rows, l, first, err));
    }
    t->seconds = units.seconds / (double)n;
done:
    xa_trial_end(&units);
    return st;
}

/* ---- comparison with strict ---- */

/* Share of the 5 % largest cells of a that are among those of b; places of ties come in order. */
typedef struct ranked {
    float value;
    int64_t at;
} ranked;
static int by_value(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->value > y->value ? -1 : x->value < y->value ? 1 : (x->at > y->at) - (x->at < y->at);
}
static xa_status top_kept(int64_t n, const float *a, const float *b, double *out, xa_err *err)
{
    const int64_t top = (n + 19) / 20;
    ranked *r = xa_alloc((size_t)n, sizeof *r);
    unsigned char *in = xa_alloc((size_t)n, 1);
    int64_t kept = 0;
    if (!r || !in) {
        free(r);
        free(in);
        XA_RETURN_NOMEM(err);
    }
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < n; i++)
            r[i] = (ranked){side ? b[i] : a[i], i};
        qsort(r, (size_t)n, sizeof *r, by_value);
        for (int64_t i = 0; i < top; i++)
            if (!side)
                in[r[i].at] = 1;
            else
                kept += in[r[i].at];
    }
    *out = (double)kept / (double)top;
    free(r);
    free(in);
    return XA_OK;
}

static xa_status
rank_correlation(int64_t n, const float *a, const float *b, double *rho, xa_err *err)
{
    double *x = xa_alloc((size_t)(2 * n), sizeof *x);
    if (!x)
        XA_RETURN_NOMEM(err);
    for (int64_t i = 0; i < n; i++) {
        x[i] = (double)a[i];
        x[n + i] = (double)b[i];
    }
    const xa_status st = xa_stats_spearman(n, x, x + n, rho, err);
    free(x);
    return st;
}

#define MOVED 1e-3
typedef struct verdict {
    int64_t flipped;
    double least_rho; /* the lowest mean of an explainer */
    bool moved;       /* a metric's mean by MOVED or more, and the interval leaves 0 out */
} verdict;

static xa_status compare_maps(const answers *a,
                              const answers *b,
                              int64_t cells,
                              int e,
                              const char *name,
                              verdict *v,
                              xa_err *err)
{
    double rho = 0.0, kept = 0.0, worst = 1.0;
    int64_t n = 0;
    for (int64_t i = 0; i < a->images; i++) {
        const float *x = a->maps[e] + i * cells, *y = b->maps[e] + i * cells;
        double r, k;
        XA_RETURN_TRY(err, rank_correlation(cells, x, y, &r, err));
        if (isnan(r)) /* no map, or a constant one */
            continue;
        XA_RETURN_TRY(err, top_kept(cells, x, y, &k, err));
        rho += r;
        kept += k;
        worst = r < worst ? r : worst;
        n++;
    }
    if (!n) {
        printf("        %s: no image has a map to compare\n", name);
        return XA_OK;
    }
    rho /= (double)n;
    v->least_rho = rho < v->least_rho ? rho : v->least_rho;
    printf("        %s: rank correlation of maps %.4f (least %.4f), top 5 %% kept %.3f, %" PRId64
           " maps\n",
           name,
           rho,
           worst,
           kept / (double)n,
           n);
    return XA_OK;
}

static xa_status
compare_scores(const answers *a, const answers *b, int k, const char *name, verdict *v, xa_err *err)
{
    const xa_stats_plan plan = {.seed = 1, .replicates = 1000, .level = 0.95, .measures = true};
    xa_paired p;
    XA_RETURN_TRY(
        err,
        xa_stats_paired(&plan, a->pairs, b->scores[k], a->scores[k], a->image_of, NULL, &p, err));
    const xa_interval *d = &p.difference;
    if (!d->n)
        return XA_OK;
    printf("            %s: %+.5f", name, d->value);
    if (d->kind == XA_INTERVAL_NONE)
        printf(" (%s)\n", xa_stats_no_interval(d->why));
    else
        printf(", 95 %% %+.5f to %+.5f\n", d->low, d->high);
    v->moved = v->moved || (fabs(d->value) >= MOVED && d->kind != XA_INTERVAL_NONE &&
                            (d->low > 0.0 || d->high < 0.0));
    return XA_OK;
}

static xa_status
compare(const xa_loaded *l, int m, const answers *a, const answers *b, verdict *v, xa_err *err)
{
    const xa_audit_spec *s = &l->job.audit;
    double most = 0.0, scale = 0.0;
    int64_t flipped = 0;
    for (int64_t i = 0; i < a->images; i++)
        flipped += a->predicted[i] != b->predicted[i];
    for (int64_t i = 0; i < a->images * a->classes; i++) {
        const double d = fabs((double)a->logits[i] - (double)b->logits[i]);
        most = d > most ? d : most;
        scale = fabs((double)a->logits[i]) > scale ? fabs((double)a->logits[i]) : scale;
    }
    v->flipped += flipped;
    printf("    model %s: scores differ by at most %.2g of the largest, %" PRId64 " of %" PRId64
           " predictions flipped\n",
           s->models[m].name,
           scale > 0.0 ? most / scale : 0.0,
           flipped,
           a->images);
    for (int e = 0; e < s->models[m].nexplainers; e++) {
        XA_RETURN_TRY(
            err,
            compare_maps(
                a, b, cells_of(l->audit, m, e), e, s->models[m].explainers[e].name, v, err));
        for (int k = 0; k < s->nmetrics; k++)
            XA_RETURN_TRY(err,
                          compare_scores(a, b, e * s->nmetrics + k, s->metrics[k].name, v, err));
    }
    return XA_OK;
}

/* ---- all of them ---- */

/* One of the numerics, on the images chosen. */
static xa_status
try_one(const xa_loaded *l, xa_manifest *chosen, xa_numerics numerics, trial *t, xa_err *err)
{
    xa_loaded mine = *l;
    xa_err why = XA_ERR_INIT;
    xa_str references = {0};
    xa_status st = XA_OK;
    mine.audit = NULL;
    mine.manifest = chosen;
    mine.job.audit.masked = mine.job.audit.random_logit = false;
    mine.job.audit.nfaith = 0;
    for (int m = 0; m < l->job.audit.nmodels; m++)
        l->job.audit.models[m].open.numerics = numerics;
    st = xa_audit_create(&mine.job.audit, &mine.audit, &why);
    if (st == XA_UNSUPPORTED && numerics != XA_NUMERICS_STRICT) {
        snprintf(t->why, sizeof t->why, "%s", why.message);
        st = XA_OK;
        goto done;
    }
    if (st != XA_OK) {
        st = XA_ERR(err, st, "%s", why.message);
        goto done;
    }
    if (xa_audit_needs_references(mine.audit)) {
        XA_TRY(err, xa_audit_choose_references(mine.audit, l->manifest, &references, err));
        XA_TRY(err, xa_audit_set_references(mine.audit, references.data, references.len, err));
    }
    XA_TRY(err, run(&mine, t, err));
done:
    xa_str_free(&references);
    xa_audit_free(mine.audit);
    for (int m = 0; m < l->job.audit.nmodels; m++)
        l->job.audit.models[m].open.numerics = l->job.numerics;
    return st;
}

/* Of those at least a twentieth faster than strict, the fastest that moves nothing a reader of the
 * figures would see. */
enum { LEAST_RHO_PERCENT = 99 };
static bool is_harmless(const verdict *v)
{
    return !v->flipped && !v->moved && 100.0 * v->least_rho >= LEAST_RHO_PERCENT;
}

static xa_status report(const xa_loaded *l, const trial trials[XA_NUMERICS_COUNT], xa_err *err)
{
    const double strict = trials[XA_NUMERICS_STRICT].seconds;
    double best = 0.95 * strict;
    int chosen = XA_NUMERICS_STRICT;
    for (int w = 0; w < XA_NUMERICS_COUNT; w++) {
        const trial *t = &trials[w];
        verdict v = {.least_rho = 1.0};
        if (!t->seconds) {
            printf("%s: not on this processor: %s\n", xa_numerics_name((xa_numerics)w), t->why);
            continue;
        }
        printf("%s: %.3f s an image, %.2f times as fast as strict\n",
               xa_numerics_name((xa_numerics)w),
               t->seconds,
               strict / t->seconds);
        for (int m = 0; w != XA_NUMERICS_STRICT && m < l->job.audit.nmodels; m++)
            XA_RETURN_TRY(
                err, compare(l, m, &trials[XA_NUMERICS_STRICT].models[m], &t->models[m], &v, err));
        if (w != XA_NUMERICS_STRICT && t->seconds < best && is_harmless(&v)) {
            best = t->seconds;
            chosen = w;
        }
    }
    printf("recommended: numerics: %s (%s)\n",
           xa_numerics_name((xa_numerics)chosen),
           chosen == XA_NUMERICS_STRICT
               ? "no other is 5 % faster without flipping a prediction, moving a metric by 0.001 "
                 "beyond its "
                 "interval or taking the rank correlation of maps below 0.99"
               : "the fastest that flips no prediction, moves no metric by 0.001 beyond its "
                 "interval and keeps "
                 "the rank correlation of maps at 0.99 or more");
    return XA_OK;
}

xa_status xa_check_numerics(const xa_loaded *l, int64_t most, xa_err *err)
{
    trial trials[XA_NUMERICS_COUNT] = {{0}};
    xa_status st = XA_OK;
    const int64_t all = l->manifest->count, n = most < all ? most : all;
    xa_manifest chosen = *l->manifest;
    chosen.samples = xa_alloc((size_t)n + 1, sizeof *chosen.samples);
    chosen.count = n;
    if (!chosen.samples)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; i < n; i++)
        chosen.samples[i] = l->manifest->samples[i * all / n];
    printf("numerics on %" PRId64 " images, one after the other on this core; without checks\n", n);
    for (int w = 0; w < XA_NUMERICS_COUNT; w++)
        XA_TRY(err, try_one(l, &chosen, (xa_numerics)w, &trials[w], err));
    XA_TRY(err, report(l, trials, err));
done:
    for (int w = 0; w < XA_NUMERICS_COUNT; w++)
        trial_free(&trials[w], &l->job.audit);
    free(chosen.samples);
    return st;
}
