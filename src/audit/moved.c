/* How far maps move when the input moves a little: every explainer's map of the same noisy inputs.
 */
#include <math.h>
#include <string.h>

#include "audit_internal.h"

typedef struct moving {
    xa_batch b; /* draws of one image in the place of images */
    const xa_faith_spec *check;
    int k;
    int64_t i; /* the image's slot in its batch */
    const int64_t *row;
    double *moved; /* [nexplainers, draws] */
    int64_t first; /* draw */
    int32_t clean, changed;
} moving;

static bool takes_part(const moving *v, int e)
{
    return v->row[e] >= 0 && v->b.out->maps[e].faith[v->k].status[v->row[e]] == XA_CHECKED_DONE;
}

/* Draws [first, first + n) into the network's input: each value moved by a uniform number in
 * +-radius. */
static void fill(const moving *v, int w)
{
    const xa_audit_model *am = v->b.am;
    const xa_subject *s = &am->subjects[w * am->batch + v->i];
    const int64_t count = xa_shape_count(&am->input);
    float *x = xa_run_input(&am->run);
    memset(x, 0, (size_t)(am->batch * count) * sizeof *x);
    for (int64_t d = 0; d < v->b.n; d++) {
        const uint64_t stream = xa_random_stream(XA_PURPOSE_SENSITIVITY, (uint32_t)(v->first + d));
        for (int64_t j = 0; j < count; j++) {
            const double u = xa_random_unit(s->seed, stream, (uint64_t)j);
            x[d * count + j] = s->x[j] + (float)(v->check->radius * (2.0 * u - 1.0));
        }
    }
}

/* Draws for which the model predicts another class. */
static void count_changed(moving *v)
{
    const xa_head *h = xa_model_head(v->b.am->model);
    const float *z = xa_run_value(&v->b.am->run, h->node);
    for (int64_t d = 0; d < v->b.n; d++) {
        xa_head_apply(h, z + d * h->units, v->b.a->logits, v->b.a->probs);
        v->changed += xa_head_predict(h, v->b.a->logits, v->b.a->probs) != v->clean;
    }
}

static bool asks(const moving *v, int e)
{
    return xa_explainer_get(v->b.am->spec->explainers[e].kind)->consumer != NULL;
}

/* Keeps the moved inputs of way w and the model's answers, for explainers that ask about them: a
 * draw's random numbers are those of the image, so that it is the input that moves and not they. */
static void keep(const moving *v, int w)
{
    xa_audit_model *am = v->b.am;
    const int64_t count = xa_shape_count(&am->input), units = xa_model_head(am->model)->units;
    xa_audit_checks *c = am->checks;
    memcpy(c->moved, xa_run_input(&am->run), (size_t)(v->b.n * count) * sizeof(float));
    memcpy(c->moved_z,
           xa_run_value(&am->run, xa_model_head(am->model)->node),
           (size_t)(v->b.n * units) * sizeof(float));
    for (int64_t d = 0; d < v->b.n; d++) {
        c->moved_subjects[d] = am->subjects[w * am->batch + v->i];
        c->moved_subjects[d].x = c->moved + d * count;
    }
}

/* The map of one moved input is there. */
static xa_status answered(const xa_batch *b, xa_ask *q, xa_err *err)
{
    const moving *v = q->kept;
    const int64_t n = xa_shape_count(&b->am->map_shape[q->e]);
    const xa_score_map own = xa_stored_map(b->a, b->rows, b->m, q->e, v->row[q->e], b->a->other);
    (void)err;
    xa_ask_finish(b, q);
    v->moved[q->e * v->check->draws + q->row] = xa_faith_moved(own.values, b->a->map, n);
    return XA_OK;
}

/* Questions of explainer e about the moved inputs, from the passes just run. */
static xa_status ask(const moving *v, int e, int reach, xa_err *err)
{
    const xa_audit_model *am = v->b.am;
    const int64_t units = xa_model_head(am->model)->units;
    for (int64_t d = 0; d < v->b.n; d++) {
        const xa_explain_view view = xa_batch_view(&v->b, e, d, reach);
        const xa_ask who = {.i = d,
                            .subject = &am->checks->moved_subjects[d],
                            .z = am->checks->moved_z + d * units,
                            .target = v->b.out->maps[e].target[v->row[e]],
                            .done = answered,
                            .row = v->first + d,
                            .kept = (void *)(uintptr_t)v};
        XA_RETURN_TRY(err, xa_ask_moved(&v->b, e, &who, &view, err));
    }
    return XA_OK;
}

static xa_status compare(const moving *v, int e, int reach, xa_err *err)
{
    if (asks(v, e))
        return ask(v, e, reach, err);

    const int64_t n = xa_shape_count(&v->b.am->map_shape[e]);
    const xa_score_map own = xa_stored_map(v->b.a, v->b.rows, v->b.m, e, v->row[e], v->b.a->other);
    const int32_t target = v->b.rows->models[v->b.m].maps[e].target[v->row[e]];
    for (int64_t d = 0; d < v->b.n; d++) {
        xa_batch_compute(&v->b, e, d, reach, target);
        v->moved[e * v->check->draws + v->first + d] = xa_faith_moved(own.values, v->b.a->map, n);
    }
    return XA_OK;
}

/* One backward pass a group and class explained. */
static xa_status explain(const moving *v, int g, xa_err *err)
{
    const xa_audit_model *am = v->b.am;
    const xa_pass_group *group = &am->groups[g];
    int32_t *targets = v->b.a->targets, target = -1;
    for (int e = 0; e < am->spec->nexplainers && target < 0; e++)
        if (am->group[e] == g && takes_part(v, e))
            target = v->b.out->maps[e].target[v->row[e]];
    if (target < 0)
        return XA_OK;
    for (int64_t d = 0; d < v->b.n; d++)
        targets[d] = target;
    for (int k = 0; k < am->ngroups; k++)
        v->b.a->served[k] = k == g;
    XA_RETURN_TRY(err, xa_batch_pass(&v->b, group, group->reach, targets, err));
    for (int e = 0; e < am->spec->nexplainers; e++)
        if (am->group[e] == g && takes_part(v, e))
            XA_RETURN_TRY(err, compare(v, e, group->reach, err));
    return XA_OK;
}

static xa_status run_way(moving *v, int w, xa_err *err)
{
    xa_audit_model *am = v->b.am;
    xa_attend look = {.am = am, .way = w, .n = v->b.n};
    fill(v, w);
    xa_attend_begin(&look);
    xa_run_forward(&am->run);
    xa_attend_end(&look);
    if (am->checks->moved)
        keep(v, w);
    if (w == 0)
        count_changed(v);
    for (int e = 0; e < am->spec->nexplainers; e++)
        if (am->group[e] < 0 && am->way[e] == w && takes_part(v, e))
            XA_RETURN_TRY(err, compare(v, e, -1, err));
    for (int g = 0; g < am->ngroups; g++)
        if (am->groups[g].way == w)
            XA_RETURN_TRY(err, explain(v, g, err));
    return xa_ask_run(&v->b, err);
}

xa_status xa_batch_moved(const xa_batch *b, int k, int64_t i, const int64_t *row, xa_err *err)
{
    const xa_faith_spec *check = &b->a->spec->faith[k];
    const xa_faith_shape shape = xa_faith_shape_of(check);
    const int draws = check->draws;
    moving v = {.b = *b,
                .check = check,
                .k = k,
                .i = i,
                .row = row,
                .moved = b->am->checks->values,
                .clean = b->out->predicted[b->first + i]};
    v.b.first = b->first + i;
    for (v.first = 0; v.first < draws; v.first += v.b.n) {
        v.b.n = draws - v.first < b->am->batch ? draws - v.first : b->am->batch;
        for (int w = 0; w < b->am->nways; w++)
            XA_RETURN_TRY(err, run_way(&v, w, err));
    }
    for (int e = 0; e < b->am->spec->nexplainers; e++) {
        xa_check_rows *x = &b->out->maps[e].faith[k];
        double mean, most;
        if (!takes_part(&v, e))
            continue;
        double *figure = x->figures + row[e] * shape.figures;
        xa_faith_extent(v.moved + e * draws, draws, &mean, &most);
        figure[0] = most;
        figure[1] = mean;
        figure[2] = (double)v.changed / (double)draws;
        if (isnan(mean))
            x->status[row[e]] = XA_CHECKED_NOT_FINITE;
    }
    return XA_OK;
}
