/* Checks with settings of their own: each image's questions about all its maps are asked together,
 * so that inputs that do not depend on a map (rivals, subsets, noise) pass once. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

/* ---- memory ---- */

static int most_blocks(const xa_faith_spec *s)
{
    const xa_faith_shape shape = xa_faith_shape_of(s);
    return shape.blocks ? shape.blocks : 1;
}

/* Doubles of one explainer's answers to all checks. */
static size_t reply_count(const xa_audit_spec *spec)
{
    size_t n = 0;
    for (int k = 0; k < spec->nfaith; k++)
        n += 2 * (size_t)most_blocks(&spec->faith[k]) *
                 (size_t)xa_faith_shape_of(&spec->faith[k]).points +
             (size_t)spec->faith[k].draws;
    return n;
}

/* States of all questions about one image. */
static size_t state_bytes(const xa_audit_model *am, const xa_audit_spec *spec)
{
    size_t n = 0;
    for (int k = 0; k < spec->nfaith; k++) {
        const xa_faith_task t = {.check = &spec->faith[k]};
        const xa_consumer *c = xa_faith_consumer(t.check->kind);
        if (c)
            n += (size_t)most_blocks(t.check) * c->state_bytes(&t, &am->input, NULL);
    }
    return n * (size_t)am->spec->nexplainers;
}

/* Room for moved inputs that explainers ask about. */
static xa_status create_moved(xa_audit_model *am, const xa_audit_spec *spec, xa_err *err)
{
    xa_audit_checks *c = am->checks;
    const size_t batch = (size_t)am->batch, input = (size_t)xa_shape_count(&am->input);
    const size_t units = (size_t)xa_model_head(am->model)->units;
    bool moves = false;
    size_t states = 0;
    for (int k = 0; k < spec->nfaith; k++)
        moves = moves || spec->faith[k].kind == XA_FAITH_MAX_SENSITIVITY;
    for (int e = 0; moves && e < am->spec->nexplainers; e++)
        states += xa_ask_states(am, e);
    if (!states)
        return XA_OK;
    c->moved = xa_alloc(batch * input, sizeof *c->moved);
    c->moved_z = xa_alloc(batch * units, sizeof *c->moved_z);
    c->moved_subjects = xa_alloc(batch, sizeof *c->moved_subjects);
    c->bytes += batch * ((input + units) * sizeof(float) + states);
    if (!c->moved || !c->moved_z || !c->moved_subjects)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

xa_status xa_faith_create(xa_audit_model *am, const xa_audit_spec *spec, xa_err *err)
{
    const size_t explainers = (size_t)am->spec->nexplainers, checks = (size_t)spec->nfaith;
    const size_t pixels = (size_t)(am->input.dim[0] * am->input.dim[1]);
    size_t map = 0;
    if (!checks)
        return XA_OK;
    xa_audit_checks *c = xa_alloc(1, sizeof *c);
    if (!c)
        XA_RETURN_NOMEM(err);
    am->checks = c;
    for (size_t e = 0; e < explainers; e++)
        if ((size_t)xa_shape_count(&am->map_shape[e]) > map)
            map = (size_t)xa_shape_count(&am->map_shape[e]);
    c->pixels = xa_alloc(explainers * pixels, sizeof *c->pixels);
    c->sizes = xa_alloc(pixels, sizeof *c->sizes);
    c->grid = xa_alloc(map, sizeof *c->grid);
    c->row = xa_alloc(explainers, sizeof *c->row);
    c->tasks = xa_alloc(explainers * checks * XA_FAITH_BLOCKS, sizeof *c->tasks);
    c->replies = xa_alloc(explainers * checks * XA_FAITH_BLOCKS, sizeof *c->replies);
    c->values = xa_alloc(explainers * reply_count(spec) + 1, sizeof *c->values);
    c->scratch = xa_alloc_aligned(xa_faith_scratch(&am->input));
    c->bytes = ((explainers + 1) * pixels + map) * sizeof(float) +
               explainers * reply_count(spec) * sizeof(double) + xa_faith_scratch(&am->input) +
               state_bytes(am, spec);
    if (!c->pixels || !c->sizes || !c->grid || !c->row || !c->tasks || !c->replies || !c->values ||
        !c->scratch)
        XA_RETURN_NOMEM(err);
    return create_moved(am, spec, err);
}

void xa_faith_destroy(xa_audit_model *am)
{
    xa_audit_checks *c = am->checks;
    if (!c)
        return;
    free(c->pixels);
    free(c->sizes);
    free(c->grid);
    free(c->row);
    free(c->tasks);
    free(c->replies);
    free(c->values);
    free(c->scratch);
    free(c->moved);
    free(c->moved_z);
    free(c->moved_subjects);
    free(c);
    am->checks = NULL;
}

/* ---- one image ---- */

typedef struct looking {
    const xa_batch *b;
    xa_audit_checks *c;
    int64_t i; /* in the batch */
} looking;

static const xa_faith_spec *check_of(const looking *l, int k)
{
    return &l->b->a->spec->faith[k];
}

static const xa_subject *subject_of(const looking *l, int e)
{
    return &l->b->am->subjects[l->b->am->way[e] * l->b->am->batch + l->i];
}

static float *pixels_of(const looking *l, int e)
{
    return l->c->pixels + e * l->b->am->input.dim[0] * l->b->am->input.dim[1];
}

static size_t at(const looking *l, int e, int k, int block)
{
    return ((size_t)e * (size_t)l->b->a->spec->nfaith + (size_t)k) * XA_FAITH_BLOCKS +
           (size_t)block;
}

static bool is_curve(const xa_faith_spec *s)
{
    return s->kind == XA_FAITH_DELETION || s->kind == XA_FAITH_INSERTION ||
           s->kind == XA_FAITH_IROF;
}

static bool is_sampled(const xa_faith_spec *s, const xa_sample *sample)
{
    return !s->images || sample->turn < s->images;
}

/* Is the check for maps of this explainer? Infidelity is about a value for each value of the input;
 * areas under a class's probability say nothing of a map that explains a difference, or what speaks
 * against the class. */
static bool is_defined(const xa_audit_model *am, int e, const xa_faith_spec *s)
{
    const xa_shape *map = &am->map_shape[e], *in = &am->input;
    const xa_explainer_spec *ex = &am->spec->explainers[e];
    if (s->kind == XA_FAITH_INFIDELITY)
        return map->dim[0] == in->dim[2] && map->dim[1] == in->dim[0] && map->dim[2] == in->dim[1];
    if (is_curve(s))
        return ex->target_minus < 0 && !ex->down;
    return true;
}

static bool has_map(const xa_map_rows *x, int64_t row)
{
    return isfinite(x->scale[row]) && !(x->flags[row] & (XA_MAP_DEGENERATE | XA_MAP_NONFINITE));
}

/* Status of all rows of the image in check k; true: the first of them is to be looked at. */
static bool begin_rows(const looking *l, int e, int k)
{
    const xa_faith_spec *s = check_of(l, k);
    xa_map_rows *x = &l->b->out->maps[e];
    int64_t count;
    const int64_t first = xa_rows_first(l->b->rows, l->b->m, e, l->b->first + l->i, &count);
    for (int64_t r = first; r < first + count; r++)
        xa_check_row_blank(s, &x->faith[k], r, XA_CHECKED_NOT_SAMPLED);
    l->c->row[e] = count ? first : -1;
    if (!count || !is_sampled(s, &l->b->samples[l->b->first + l->i]))
        return false;
    x->faith[k].status[first] = !is_defined(l->b->am, e, s) ? XA_CHECKED_NOT_DEFINED
                                : !has_map(x, first)        ? XA_CHECKED_NO_MAP
                                                            : XA_CHECKED_DONE;
    return x->faith[k].status[first] == XA_CHECKED_DONE;
}

/* What the map explains; of maps without a class, the predicted one. */
static int32_t target_of(const looking *l, int e)
{
    const int32_t target = l->b->out->maps[e].target[l->c->row[e]];
    return target >= 0 ? target : l->b->out->predicted[l->b->first + l->i];
}

static void spread(const looking *l, int e, bool sizes, float *to)
{
    const xa_shape *in = &l->b->am->input;
    const xa_score_map m =
        xa_stored_map(l->b->a, l->b->rows, l->b->m, e, l->c->row[e], l->b->a->other);
    xa_faith_pixels(
        m.values, m.channels, m.height, m.width, sizes, in->dim[0], in->dim[1], l->c->grid, to);
}

static xa_status keep(const xa_batch *b, xa_ask *q, xa_err *err)
{
    (void)err;
    q->consumer->finish(q->state, &b->am->subjects[q->way * b->am->batch + q->i], q->kept);
    return XA_OK;
}

static xa_status ask(const looking *l, int e, int k, double **values, xa_err *err)
{
    const xa_faith_spec *s = check_of(l, k);
    const xa_explainer_spec *ex = &l->b->am->spec->explainers[e];
    const xa_faith_shape shape = xa_faith_shape_of(s);
    for (int block = 0; block < shape.blocks; block++) {
        xa_faith_task *t = &l->c->tasks[at(l, e, k, block)];
        xa_faith_replies *r = &l->c->replies[at(l, e, k, block)];
        *t = (xa_faith_task){.check = s,
                             .pixels = block ? NULL : pixels_of(l, e),
                             .block = block,
                             .scratch = l->c->scratch};
        *r = (xa_faith_replies){.score = *values, .prob = *values + shape.points};
        *values += 2 * (size_t)shape.points;
        const xa_consumer *c = xa_faith_consumer(s->kind);
        const xa_ask q = {
            .consumer = c,
            .spec = t,
            .way = l->b->am->way[e],
            .i = l->i,
            .layer = -1,
            .target = target_of(l, e),
            .scalar = {.score = XA_SCORE_LOGIT, .minus = ex->target_minus, .down = ex->down},
            .asks = c->asks(t, &l->b->am->input, NULL),
            .done = keep,
            .e = e,
            .kept = r};
        XA_RETURN_TRY(err, xa_ask_begin(l->b, &q, NULL, err));
    }
    return XA_OK;
}

/* ---- answers into rows ---- */

/* The figures of a check whose answers are there; what is not finite is NaN. */
static void measure(const looking *l, int e, int k)
{
    const xa_faith_spec *s = check_of(l, k);
    const xa_faith_shape shape = xa_faith_shape_of(s);
    const int64_t row = l->c->row[e];
    xa_check_rows *x = &l->b->out->maps[e].faith[k];
    double figures[XA_FAITH_FIGURES];
    xa_faith_measured m = {.check = s,
                           .subject = subject_of(l, e),
                           .pixels = pixels_of(l, e),
                           .reply = &l->c->replies[at(l, e, k, 0)],
                           .blocks = shape.blocks,
                           .scratch = l->c->scratch};
    if (s->kind == XA_FAITH_COMPLEXITY) {
        spread(l, e, true, l->c->sizes);
        m.pixels = l->c->sizes;
    } else if (s->kind == XA_FAITH_INFIDELITY) {
        m.map = xa_stored_map(l->b->a, l->b->rows, l->b->m, e, row, l->b->a->other).values;
    }
    xa_faith_measure(&m, figures);
    for (int i = 0; i < shape.figures; i++)
        x->figures[row * shape.figures + i] = isfinite(figures[i]) ? figures[i] : NAN;
}

static float stored(double v)
{
    return isfinite(v) ? (float)v : NAN;
}

/* The row's answers; false: one is not finite, and figures are not made. */
static bool store(const looking *l, int e, int k)
{
    const xa_faith_shape shape = xa_faith_shape_of(check_of(l, k));
    xa_check_rows *x = &l->b->out->maps[e].faith[k];
    const int64_t first = l->c->row[e] * shape.blocks * shape.points;
    bool finite = true;
    for (int block = 0; block < shape.blocks; block++) {
        const xa_faith_replies *r = &l->c->replies[at(l, e, k, block)];
        for (int i = 0; i < shape.points; i++) {
            const int64_t to = first + (int64_t)block * shape.points + i;
            x->scores[to] = stored(r->score[i]);
            if (x->probs)
                x->probs[to] = stored(r->prob[i]);
            finite = finite && isfinite(r->score[i]);
        }
    }
    return finite;
}

static void finish(const looking *l, int e, int k)
{
    const xa_faith_spec *s = check_of(l, k);
    uint8_t *status = &l->b->out->maps[e].faith[k].status[l->c->row[e]];
    if (l->c->row[e] < 0 || *status != XA_CHECKED_DONE || s->kind == XA_FAITH_MAX_SENSITIVITY)
        return;
    if (xa_faith_consumer(s->kind) && !store(l, e, k))
        *status = XA_CHECKED_NOT_FINITE;
    else if (is_curve(s) && isnan(l->c->replies[at(l, e, k, 0)].clean_prob))
        *status = XA_CHECKED_NOT_DEFINED; /* a head without probabilities has no such area */
    else
        measure(l, e, k);
}

static xa_status look_at(const looking *l, xa_err *err)
{
    const int explainers = l->b->am->spec->nexplainers, checks = l->b->a->spec->nfaith;
    double *values = l->c->values;
    for (int e = 0; e < explainers; e++) {
        bool spread_out = false;
        for (int k = 0; k < checks; k++) {
            if (!begin_rows(l, e, k))
                continue;
            if (!spread_out)
                spread(l, e, false, pixels_of(l, e));
            spread_out = true;
            if (xa_faith_consumer(check_of(l, k)->kind))
                XA_RETURN_TRY(err, ask(l, e, k, &values, err));
        }
    }
    XA_RETURN_TRY(err, xa_ask_run(l->b, err));
    for (int e = 0; e < explainers; e++)
        for (int k = 0; k < checks; k++)
            finish(l, e, k);
    for (int k = 0; k < checks; k++)
        if (check_of(l, k)->kind == XA_FAITH_MAX_SENSITIVITY &&
            is_sampled(check_of(l, k), &l->b->samples[l->b->first + l->i]))
            XA_RETURN_TRY(err, xa_batch_moved(l->b, k, l->i, l->c->row, err));
    return XA_OK;
}

xa_status xa_batch_faith(const xa_batch *b, xa_err *err)
{
    looking l = {.b = b, .c = b->am->checks};
    for (l.i = 0; l.c && l.i < b->n; l.i++)
        if (xa_batch_lives(b, l.i))
            XA_RETURN_TRY(err, look_at(&l, err));
    return XA_OK;
}

void xa_faith_not_sampled(const xa_audit *a, const xa_sample *samples, xa_rows *rows)
{
    for (int m = 0; m < a->spec->nmodels; m++)
        for (int e = 0; e < a->models[m].spec->nexplainers; e++) {
            xa_map_rows *x = &rows->models[m].maps[e];
            for (int64_t r = 0; r < x->count; r++)
                for (int k = 0; k < a->spec->nfaith; k++)
                    if (rows->models[m].status[x->slot[r]] != XA_SAMPLE_DONE &&
                        ((r > 0 && x->slot[r - 1] == x->slot[r]) ||
                         !is_sampled(&a->spec->faith[k], &samples[x->slot[r]])))
                        x->faith[k].status[r] = XA_CHECKED_NOT_SAMPLED;
        }
}

/* ---- what it costs ---- */

xa_passes xa_audit_check_passes(const xa_audit *a, int m, int k)
{
    const xa_audit_model *am = &a->models[m];
    const xa_faith_spec *s = &a->spec->faith[k];
    const xa_faith_shape shape = xa_faith_shape_of(s);
    const xa_faith_task t = {.check = s};
    const xa_consumer *c = xa_faith_consumer(s->kind);
    const bool moved = s->kind == XA_FAITH_MAX_SENSITIVITY;
    const int64_t draws = moved ? s->draws : c ? c->asks(&t, &am->input, NULL).draws : 0;
    const bool of_maps = shape.blocks > 1; /* else the inputs are the same for all maps */
    xa_passes out = {0, 0};
    for (int e = 0; e < am->spec->nexplainers; e++) {
        bool way = false, group = false; /* was there one before? */
        if (!is_defined(am, e, s))
            continue;
        for (int f = 0; f < e; f++) {
            way = way || (is_defined(am, f, s) && am->way[f] == am->way[e]);
            group = group || (is_defined(am, f, s) && am->group[f] == am->group[e]);
        }
        out.forward += of_maps ? draws : 0;
        out.forward += way ? 0 : draws * (of_maps ? shape.blocks - 1 : 1);
        out.backward += moved && am->group[e] >= 0 && !group ? draws : 0;
        if (moved) { /* what an explainer asks, it asks about every moved input */
            const xa_asks asks = xa_ask_count(am, e);
            out.forward += draws * asks.draws;
            out.backward += draws * asks.gradients;
        }
    }
    return out;
}
