/* One unit: every image decoded once, then each model's batches: preprocess, forward, head,
 * backward passes, maps. A failed sample leaves its slot (zeros) and its rows say why. */
#include <math.h>
#include <string.h>

#include "audit_internal.h"

static void fail_everywhere(xa_rows *rows, int64_t slot, uint8_t stage, const char *message)
{
    for (int m = 0; m < rows->nmodels; m++)
        xa_rows_fail(rows, m, slot, stage, message);
}

/* A picture of it for figures; what is no picture leaves none. */
static void keep_thumbnail(const xa_audit *a, int64_t i, xa_rows *rows)
{
    const int64_t side = a->spec->thumbnails;
    xa_image small = {0};
    xa_err why = XA_ERR_INIT;
    uint8_t *to = rows->thumbnail + (size_t)i * xa_thumbnail_bytes(a->spec);
    if (xa_image_to_picture(&a->images[i], &a->spec->models[0].input.depth, side, &small, &why) !=
        XA_OK)
        return;
    for (int64_t y = 0; y < small.height; y++)
        memcpy(to + y * side * 3,
               (const uint8_t *)small.data + y * small.width * 3,
               (size_t)small.width * 3);
    rows->thumbnail_size[2 * i] = (int32_t)small.height;
    rows->thumbnail_size[2 * i + 1] = (int32_t)small.width;
    xa_image_fini(&small);
}

static void decode_all(xa_audit *a, const xa_sample *samples, int64_t n, xa_rows *rows)
{
    for (int64_t i = 0; i < n; i++) {
        const double start = xa_time();
        xa_err why = XA_ERR_INIT;
        a->seconds[i] = 0.0f;
        if (samples[i].exclude)
            continue;
        const xa_status st = xa_image_read(samples[i].file, &a->spec->decode, &a->images[i], &why);
        if (st != XA_OK) {
            const bool unread = st == XA_NOT_FOUND || st == XA_IO;
            fail_everywhere(rows, i, unread ? XA_STAGE_READ : XA_STAGE_DECODE, why.message);
            continue;
        }
        rows->width[i] = (int32_t)a->images[i].width;
        rows->height[i] = (int32_t)a->images[i].height;
        rows->pixel_hash[i] = xa_image_hash(&a->images[i]);
        if (rows->thumbnail)
            keep_thumbnail(a, i, rows);
        a->seconds[i] = (float)(xa_time() - start);
    }
}

/* ---- one batch of one model ---- */

/* The batch's images the w-th way; the affine maps are the model's own. */
bool xa_batch_fill(const xa_batch *b, int w)
{
    float *x = xa_run_input(&b->am->run);
    const int64_t count = xa_shape_count(&b->am->input);
    bool any = false;
    for (int64_t i = 0; i < b->am->batch; i++) {
        const int64_t slot = b->first + i;
        double affine[2][3];
        xa_err why = XA_ERR_INIT;
        bool filled = false;
        if (i < b->n && xa_batch_lives(b, i)) {
            const xa_status st = xa_preprocess(&b->a->images[slot],
                                               b->am->ways[w],
                                               (int)b->am->input.dim[2],
                                               x + i * count,
                                               affine,
                                               &why);
            filled = st == XA_OK;
            if (filled && w == 0)
                memcpy(b->out->affine + slot * 6, affine, sizeof affine);
            else if (!filled)
                xa_rows_fail(b->rows, b->m, slot, XA_STAGE_PREPROCESS, why.message);
        }
        if (!filled)
            memset(x + i * count, 0, (size_t)count * sizeof(float));
        any = any || filled;
    }
    return any;
}

/* The sign and payload of a NaN depend on the instruction set; rows have one. */
static void one_nan(float *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (isnan(v[i]))
            v[i] = NAN;
}

static void read_head(const xa_batch *b)
{
    const xa_head *h = xa_model_head(b->am->model);
    const float *z = xa_run_value(&b->am->run, h->node);
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t slot = b->first + i;
        bool finite = true;
        if (!xa_batch_lives(b, i))
            continue;
        for (int64_t k = 0; k < h->units; k++)
            finite = finite && isfinite(z[i * h->units + k]);
        float *probs = b->out->probs + slot * h->classes;
        xa_head_apply(h, z + i * h->units, b->out->logits + slot * h->classes, probs);
        one_nan(b->out->logits + slot * h->classes, h->classes);
        one_nan(probs, h->classes);
        b->out->predicted[slot] = xa_head_predict(h, b->out->logits + slot * h->classes, probs);
        if (!finite)
            xa_rows_fail(b->rows,
                         b->m,
                         slot,
                         XA_STAGE_MODEL,
                         "the model's scores are not finite for this image");
    }
}

void xa_batch_store(const xa_batch *b, int e, int64_t row, int32_t target, int64_t i)
{
    const xa_explainer_spec *spec = &b->am->spec->explainers[e];
    const xa_shape *shape = &b->am->map_shape[e];
    const int64_t n = xa_shape_count(shape), slot = b->first + i;
    const size_t bytes = xa_map_row_bytes(b->a, b->m, e);
    xa_map_rows *x = &b->out->maps[e];
    one_nan(b->a->map, n);
    unsigned char *values = (unsigned char *)x->values + (size_t)row * bytes;
    const xa_map_facts facts = xa_map_inspect(b->a->map, shape);
    x->target[row] = target;
    x->flags[row] = facts.flags;
    x->maximum[row] = facts.maximum;
    x->completeness[row] = b->a->facts.completeness;
    x->prefix_mass[row] = b->a->facts.prefix_mass;
    x->explained[2 * row] = b->a->facts.score;
    x->explained[2 * row + 1] = b->a->facts.base;
    if (spec->score == XA_SCORE_FINER && target >= 0)
        xa_finer_nearest(xa_model_head(b->am->model),
                         b->out->logits + slot * xa_model_head(b->am->model)->classes,
                         target,
                         x->nearest + row * XA_FINER_CLASSES);
    x->scale[row] = 1.0f;
    if (spec->half)
        x->scale[row] = xa_map_encode_half(b->a->map, n, (uint16_t *)(void *)values);
    else
        memcpy(values, b->a->map, bytes);
    x->checksum[row] = xa_checksum(values, bytes);
    if (facts.argmax >= 0) {
        const double *t = b->out->affine + slot * 6;
        const int64_t column = facts.argmax % shape->dim[2], line = facts.argmax / shape->dim[2];
        const double px =
            ((double)column + 0.5) * (double)b->am->input.dim[1] / (double)shape->dim[2];
        const double py =
            ((double)line + 0.5) * (double)b->am->input.dim[0] / (double)shape->dim[1];
        x->peak[2 * row] = (float)(t[0] * px + t[1] * py + t[2]);
        x->peak[2 * row + 1] = (float)(t[3] * px + t[4] * py + t[5]);
    }
}

xa_explain_view xa_batch_shapes(const xa_audit_model *am, int e)
{
    xa_explain_view v = {.input_shape = am->input, .attention = {am->tokens, am->site[e]}};
    int64_t skip;
    if (am->layer_node[e] >= 0)
        (void)xa_explain_grid(&xa_graph_node(xa_model_graph(am->model), am->layer_node[e])->shape,
                              am->tokens,
                              &v.layer_shape,
                              &skip);
    v.nlayers = am->sight[e].n;
    v.layers = am->sight[e].layers;
    return v;
}

/* The scalar that explainer e explains, from the forward pass just run. */
static double score_of(const xa_batch *b, int e, int64_t i, int32_t target)
{
    const xa_head *h = xa_model_head(b->am->model);
    const float *z = xa_run_value(&b->am->run, h->node) + i * h->units;
    return xa_score_value(h, &b->am->groups[b->am->group[e]].scalar, z, target);
}

xa_explain_view xa_batch_view(const xa_batch *b, int e, int64_t i, int reach)
{
    const xa_explainer_spec *spec = &b->am->spec->explainers[e];
    const xa_explainer_def *def = xa_explainer_get(spec->kind);
    const xa_graph *graph = xa_model_graph(b->am->model);
    const int node = b->am->layer_node[e], input = xa_graph_input(graph);
    xa_explain_view v = xa_batch_shapes(b->am, e);
    if (def->needs & XA_NEEDS_INPUT)
        v.input = xa_run_input(&b->am->run) + i * xa_shape_count(&v.input_shape);
    if (def->needs & XA_NEEDS_INPUT_GRADIENT)
        v.input_gradient =
            xa_run_gradient(&b->am->run, reach, input) + i * xa_shape_count(&v.input_shape);
    if (node >= 0) {
        const xa_shape *whole = &xa_graph_node(graph, node)->shape;
        int64_t skip = 0;
        (void)xa_explain_grid(whole, b->am->tokens, &v.layer_shape, &skip);
        const int64_t at = i * xa_shape_count(whole) + skip;
        v.layer_value = xa_run_value(&b->am->run, node) + at;
        v.layer_skip = skip;
        if (def->needs & XA_NEEDS_LAYER_GRADIENT)
            v.layer_gradient = xa_run_gradient(&b->am->run, reach, node) + at;
    }
    if (b->am->sight[e].n)
        xa_sight_look(b, e, i, reach, &v);
    b->a->facts = (xa_explain_facts){NAN, NAN, NAN, NAN};
    v.facts = &b->a->facts;
    v.work = b->a->work;
    if (b->am->state_bytes[e])
        v.state = xa_attend_state(b->am, e, i);
    return v;
}

void xa_batch_compute(const xa_batch *b, int e, int64_t i, int reach, int32_t target)
{
    const xa_explainer_spec *spec = &b->am->spec->explainers[e];
    xa_explain_view v = xa_batch_view(b, e, i, reach);
    if (xa_explainer_get(spec->kind)->keeps & XA_KEEPS_COMPLETENESS)
        v.score = score_of(b, e, i, target);
    xa_explainer_get(spec->kind)->compute(spec, &v, b->a->map);
}

static bool asks(const xa_batch *b, int e)
{
    return xa_explainer_get(b->am->spec->explainers[e].kind)->consumer != NULL;
}

/* The map of explainer e for the i-th sample, its j-th row, or the question that it is made of. */
static xa_status
make_map(const xa_batch *b, int e, int64_t i, int32_t j, int reach, int32_t target, xa_err *err)
{
    int64_t count;
    const int64_t first = xa_rows_first(b->rows, b->m, e, b->first + i, &count);
    if (asks(b, e)) {
        const xa_explain_view v = xa_batch_view(b, e, i, reach);
        return xa_ask_map(b, e, i, first + j, target, &v, err);
    }
    xa_batch_compute(b, e, i, reach, target);
    xa_batch_store(b, e, first + j, target, i);
    return XA_OK;
}

/* Maps of all explainers of group g from the backward pass just run. */
static xa_status
make_maps(const xa_batch *b, int g, int32_t j, int reach, const int32_t *targets, xa_err *err)
{
    for (int e = 0; e < b->am->spec->nexplainers; e++)
        for (int64_t i = 0; b->am->group[e] == g && i < b->n; i++)
            if (targets[i] >= 0)
                XA_RETURN_TRY(err, make_map(b, e, i, j, reach, targets[i], err));
    return XA_OK;
}

/* The questions of an explainer that needs no backward pass of the image itself, one for each of
 * the sample's targets, and the one about another class. */
static xa_status ask_all(const xa_batch *b, int e, int64_t i, xa_err *err)
{
    const xa_explainer_spec *ex = &b->am->spec->explainers[e];
    const xa_pass_group group = xa_audit_group_of(b->am, e);
    const int32_t rows = xa_explainer_rows(ex, &b->samples[b->first + i]);
    for (int32_t j = 0; j < rows; j++) {
        const int32_t target = xa_batch_target(b, &group, i, j);
        if (target < 0 || target >= (int32_t)xa_model_head(b->am->model)->classes)
            continue;
        XA_RETURN_TRY(err, make_map(b, e, i, j, -1, target, err));
        if (j > 0 || !b->a->spec->random_logit)
            continue;
        const int32_t other = xa_batch_other_class(b, b->first + i, target, group.scalar.minus);
        const xa_explain_view v = xa_batch_view(b, e, i, -1);
        if (other >= 0)
            XA_RETURN_TRY(err, xa_ask_other(b, e, i, other, &v, err));
    }
    return XA_OK;
}

/* Maps that need no backward pass: one per sample whatever the class, and those that ask. */
static xa_status make_forward_maps(const xa_batch *b, int w, xa_err *err)
{
    for (int e = 0; e < b->am->spec->nexplainers; e++)
        for (int64_t i = 0; b->am->group[e] < 0 && b->am->way[e] == w && i < b->n; i++) {
            if (!xa_batch_lives(b, i))
                continue;
            if (asks(b, e))
                XA_RETURN_TRY(err, ask_all(b, e, i, err));
            else
                XA_RETURN_TRY(err, make_map(b, e, i, 0, -1, -1, err));
        }
    return XA_OK;
}

xa_status xa_batch_pass(
    const xa_batch *b, const xa_pass_group *g, int reach, const int32_t *targets, xa_err *err)
{
    const xa_head *h = xa_model_head(b->am->model);
    const float *z = xa_run_value(&b->am->run, h->node);
    memset(b->a->seed, 0, (size_t)(b->am->batch * h->units) * sizeof(float));
    for (int64_t i = 0; i < b->n; i++)
        if (targets[i] >= 0)
            XA_RETURN_TRY(
                err,
                xa_score_seed(
                    h, &g->scalar, z + i * h->units, targets[i], b->a->seed + i * h->units, err));
    for (int p = 0; p < XA_PROBE_COUNT; p++)
        if (xa_probe_asked(b, p))
            XA_RETURN_TRY(err, xa_probe_pass(b, g, p, targets, err));
    xa_attend look = {
        .am = b->am, .backward = true, .groups = b->a->served, .targets = targets, .n = b->n};
    xa_attend_begin(&look);
    xa_run_backward(&b->am->run, reach, b->a->seed);
    xa_attend_end(&look);
    return XA_OK;
}

/* Groups k and g want the same gradient: one score, the same targets in all slots. */
static bool shares(const xa_batch *b, int k, int g)
{
    const xa_pass_group *x = &b->am->groups[k], *y = &b->am->groups[g];
    return x->way == y->way && x->rules == y->rules && xa_same_scalar(&x->scalar, &y->scalar) &&
           !memcmp(b->a->targets + k * b->n,
                   b->a->targets + g * b->n,
                   (size_t)b->n * sizeof *b->a->targets);
}

/* The j-th targets of every group of way w; groups of one score whose targets agree in all slots
 * share a pass. */
static xa_status explain_round(const xa_batch *b, int w, int32_t j, bool *any, xa_err *err)
{
    const int ng = b->am->ngroups;
    int32_t *targets = b->a->targets; /* [ngroups, batch] */
    const int64_t n = b->n;
    *any = false;
    for (int g = 0; g < ng; g++)
        for (int64_t i = 0; i < n; i++) {
            targets[g * n + i] =
                b->am->groups[g].way == w ? xa_batch_target(b, &b->am->groups[g], i, j) : -1;
            if (targets[g * n + i] >= (int32_t)xa_model_head(b->am->model)->classes)
                targets[g * n + i] =
                    -1; /* a label that the model does not have: check reports it */
        }
    for (int g = 0; g < ng; g++) {
        const xa_pass_group *group = &b->am->groups[g];
        bool wanted = false, shared = false, done = false;
        for (int64_t i = 0; i < n; i++)
            wanted = wanted || targets[g * n + i] >= 0;
        if (!wanted)
            continue;
        *any = true;
        for (int k = 0; k < ng; k++) {
            b->a->served[k] = k == g || shares(b, k, g);
            shared = shared || (b->a->served[k] && k > g);
            done = done || (b->a->served[k] && k < g); /* made together with group k */
        }
        if (done)
            continue;
        const int reach = shared ? group->shared_reach : group->reach;
        XA_RETURN_TRY(err, xa_batch_pass(b, group, reach, targets + g * n, err));
        for (int k = g; k < ng; k++)
            if (b->a->served[k])
                XA_RETURN_TRY(err, make_maps(b, k, j, reach, targets + k * n, err));
    }
    return XA_OK;
}

void xa_audit_take_maps(xa_audit *a, xa_take_maps *take, void *arg)
{
    a->take = take;
    a->take_arg = arg;
}

/* Maps of all live samples, from where they are stored. */
static xa_status take_maps(const xa_batch *b, xa_err *err)
{
    for (int e = 0; e < b->am->spec->nexplainers; e++)
        for (int64_t i = 0; i < b->n; i++) {
            int64_t count;
            const int64_t slot = b->first + i;
            const int64_t first = xa_rows_first(b->rows, b->m, e, slot, &count);
            if (xa_batch_lives(b, i) && count)
                XA_RETURN_TRY(err,
                              b->a->take(b->a->take_arg,
                                         b->rows,
                                         b->m,
                                         e,
                                         slot,
                                         &b->out->maps[e],
                                         first,
                                         count,
                                         err));
        }
    return XA_OK;
}

/* Maps of way w, from the forward pass just run. */
static xa_status explain_way(const xa_batch *b, int w, xa_err *err)
{
    bool any = true;
    XA_RETURN_TRY(err, make_forward_maps(b, w, err));
    for (int32_t j = 0; any; j++)
        XA_RETURN_TRY(err, explain_round(b, w, j, &any, err));
    return xa_batch_random_logit(b, w, err);
}

static xa_status run_batch(const xa_batch *b, xa_err *err)
{
    const double start = xa_time();
    for (int w = 0; w < b->am->nways; w++) {
        xa_attend look = {.am = b->am, .way = w, .n = b->n};
        if (!xa_batch_fill(b, w))
            return XA_OK;
        xa_ask_keep_inputs(b, w);
        xa_attend_begin(&look);
        xa_run_forward(&b->am->run);
        xa_attend_end(&look);
        xa_ask_keep_scores(b, w);
        if (w == 0)
            read_head(b);
        if (!b->a->take)
            XA_RETURN_TRY(err, explain_way(b, w, err));
    }
    if (b->a->take)
        XA_RETURN_TRY(err, take_maps(b, err));
    XA_RETURN_TRY(err, xa_ask_run(b, err));
    XA_RETURN_TRY(err, xa_batch_faith(b, err));
    xa_batch_masked(b);
    for (int64_t i = 0; i < b->n; i++)
        b->a->seconds[b->first + i] += (float)((xa_time() - start) / (double)b->n);
    return XA_OK;
}

xa_status
xa_audit_unit(xa_audit *a, const xa_sample *samples, int64_t n, xa_rows *rows, xa_err *err)
{
    xa_status st = XA_OK;
    XA_TRY(err, xa_rows_reset(rows, samples, n, err));
    decode_all(a, samples, n, rows);
    for (int m = 0; m < a->spec->nmodels; m++) {
        const int64_t size = a->models[m].batch;
        for (int64_t first = 0; first < n; first += size) {
            const xa_batch b = {.a = a,
                                .m = m,
                                .am = &a->models[m],
                                .out = &rows->models[m],
                                .rows = rows,
                                .samples = samples,
                                .first = first,
                                .n = n - first < size ? n - first : size};
            XA_TRY(err, run_batch(&b, err));
        }
    }
    xa_faith_not_sampled(a, samples, rows);
    XA_TRY(err, xa_audit_localise(a, samples, rows, err));
    for (int64_t i = 0; i < n; i++)
        rows->seconds[i] = samples[i].exclude ? NAN : a->seconds[i];
done:
    for (int64_t i = 0; i < n; i++)
        xa_image_fini(&a->images[i]);
    return st;
}
