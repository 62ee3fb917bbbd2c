/* Models opened, layers resolved, memory sized. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"

void xa_audit_spec_fini(xa_audit_spec *s)
{
    if (!s)
        return;
    for (int m = 0; m < s->nmodels; m++) {
        free(s->models[m].name);
        free(s->models[m].file);
        free((char *)s->models[m].open.head);
        free((char *)s->models[m].open.architecture);
        free((char *)s->models[m].open.user_classes);
        free((char *)s->models[m].open.output);
        for (int k = 0; k < s->models[m].open.nconstants; k++) {
            free(s->models[m].open.constants[k].name);
            free(s->models[m].open.constants[k].file);
        }
        free(s->models[m].open.constants);
        free(s->models[m].explainers);
    }
    free(s->models);
    free(s->metrics);
    free(s->faith);
    *s = (xa_audit_spec){0};
}

/* Rows of a product that are worth a pass over the weights (results/gemm.md). */
enum { WORTH_A_PASS = 192 };

static int64_t filling_batch(const xa_tokens *t)
{
    const int64_t rows = t ? t->prefix + t->height * t->width : WORTH_A_PASS;
    return (WORTH_A_PASS + rows - 1) / rows;
}

/* What the scores mean is known, and there are probabilities and classes where they are compared.
 */
static xa_status check_head(const xa_model *model, const xa_audit_spec *spec, xa_err *err)
{
    char text[640];
    const xa_head_kind kind = xa_model_head(model)->kind;
    if (kind == XA_HEAD_LINEAR)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: %s",
                       xa_model_file(model),
                       xa_model_plain_scores(model, text, sizeof text));
    if (!xa_head_has_probs(kind) && spec->masked)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "the check average_drop compares probabilities, and `head: %s` gives none; "
                       "leave it out, or write the head that the scores belong to",
                       xa_head_name(kind));
    for (int k = 0; k < spec->nmetrics && kind == XA_HEAD_REGRESSION; k++)
        if (spec->metrics[k].kind == XA_METRIC_TOP1 || spec->metrics[k].kind == XA_METRIC_TOP5)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "metric %s asks whether the annotated class has the highest score, and "
                           "the outputs of `head: regression` are no classes; leave it out",
                           xa_metric_kind_name(spec->metrics[k].kind));
    return XA_OK;
}

/* Opens the file of a model; its batch is settled later, together with those of the others. */
static xa_status open_file(xa_audit_model *am,
                           const xa_audit_model_spec *spec,
                           const xa_audit_spec *all,
                           xa_err *err)
{
    xa_model_options opt = spec->open;
    xa_status st = XA_OK;
    const size_t n = (size_t)spec->nexplainers + 1;
    am->spec = spec;
    opt.height = spec->input.height;
    opt.width = spec->input.width;
    am->layer_node = xa_alloc(n, sizeof(int));
    am->layer_path = xa_alloc(n, sizeof *am->layer_path);
    am->map_shape = xa_alloc(n, sizeof(xa_shape));
    am->group = xa_alloc(n, sizeof(int));
    am->groups = xa_alloc(n, sizeof(xa_pass_group));
    am->ways = xa_alloc(n, sizeof *am->ways);
    am->way = xa_alloc(n, sizeof(int));
    am->site = xa_alloc(n, sizeof(int));
    am->sight = xa_alloc(n, sizeof *am->sight);
    am->state_at = xa_alloc(n, sizeof(size_t));
    am->state_bytes = xa_alloc(n, sizeof(size_t));
    if (!am->layer_node || !am->layer_path || !am->map_shape || !am->group || !am->groups ||
        !am->ways || !am->way || !am->site || !am->sight || !am->state_at || !am->state_bytes)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_model_open(spec->file, &opt, &am->model, err));
    XA_TRY(err, check_head(am->model, all, err));
    am->input = xa_model_input(am->model);
    am->tokens = xa_model_tokens(am->model);
    am->batch = spec->batch ? spec->batch : filling_batch(am->tokens);
done:
    if (st != XA_OK)
        xa_err_prefix(err, "model \"%s\"", spec->name);
    return st;
}

/* What a model computes: its explainers' targets and layers, its backward passes and its plan. */
static xa_status plan_model(xa_audit_model *am, xa_isa isa, xa_err *err)
{
    xa_status st = XA_OK;
    XA_TRY(err, xa_audit_check_targets(am, err));
    XA_TRY(err, xa_audit_resolve_layers(am, err));
    xa_audit_find_ways(am);
    xa_audit_group_passes(am);
    XA_TRY(err, xa_audit_make_plan(am, isa, err));
    XA_TRY(err, xa_probe_init(am, err));
done:
    if (st != XA_OK)
        xa_err_prefix(err, "model \"%s\"", am->spec->name);
    return st;
}

/* ---- batches ---- */

/* Samples of a unit: a unit is what a rank computes at once, so it is a multiple of every batch.
 * More than MOST_UNIT are refused. Batches that the job leaves open are kept from making a unit of
 * more than OPEN_UNIT: a larger one would leave ranks without work. */
enum { MOST_UNIT = 65536, OPEN_UNIT = 1024 };

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        const int64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* The least common multiple of the models' batches; something above MOST_UNIT if it is larger. */
static int64_t common_multiple(const xa_audit *a)
{
    int64_t unit = 1;
    for (int m = 0; m < a->spec->nmodels && unit <= MOST_UNIT; m++)
        unit = unit / gcd(unit, a->models[m].batch) * a->models[m].batch;
    return unit;
}

/* Settles the batches that the job leaves open. They are those that fill the products, or, where
 * models of many sizes would make a unit too large, the powers of two below them. */
static xa_status settle_batches(xa_audit *a, xa_err *err)
{
    a->unit = common_multiple(a);
    for (int m = 0; m < a->spec->nmodels && a->unit > OPEN_UNIT; m++) {
        int64_t even = 1;
        while (2 * even <= a->models[m].batch)
            even *= 2;
        if (!a->spec->models[m].batch)
            a->models[m].batch = even;
    }
    a->unit = common_multiple(a);
    if (a->unit > MOST_UNIT)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "the least common multiple of the models' batches is above %d, and a rank "
                       "computes so many images at once: choose batches that divide one another, "
                       "such as 1, 2, 4 and 8",
                       MOST_UNIT);
    return XA_OK;
}

/* ---- create ---- */

static size_t largest_work(const xa_audit_model *am)
{
    size_t most = 0;
    for (int e = 0; e < am->spec->nexplainers; e++) {
        const xa_explainer_spec *ex = &am->spec->explainers[e];
        const xa_explain_view v = xa_batch_shapes(am, e);
        const xa_explainer_def *def = xa_explainer_get(ex->kind);
        const size_t bytes = def->work_bytes ? def->work_bytes(ex, &v) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static xa_status size_work(xa_audit *a, xa_err *err)
{
    int64_t largest_map = 1, largest_seed = 1, largest_targets = 1;
    int64_t largest_input = 1, largest_head = 1;
    size_t work = 1;
    for (int m = 0; m < a->spec->nmodels; m++) {
        xa_audit_model *am = &a->models[m];
        xa_plan_info info;
        xa_plan_get_info(am->plan, &info);
        am->weights_at = a->weight_bytes;
        am->weight_bytes = xa_sight_layout(am, info.weight_bytes);
        a->weight_bytes += xa_align_up(am->weight_bytes, XA_ALIGN);
        const size_t arena = xa_attend_layout(am, info.arena_bytes);
        if (arena > a->arena_bytes)
            a->arena_bytes = arena;
        for (int e = 0; e < am->spec->nexplainers; e++)
            if (xa_shape_count(&am->map_shape[e]) > largest_map)
                largest_map = xa_shape_count(&am->map_shape[e]);
        if (largest_work(am) > work)
            work = largest_work(am);
        const int64_t classes = xa_model_head(am->model)->classes;
        if (am->input.dim[0] * am->input.dim[1] > largest_input)
            largest_input = am->input.dim[0] * am->input.dim[1];
        if (classes > largest_head)
            largest_head = classes;
        const int64_t seed = am->batch * xa_model_head(am->model)->units;
        if (seed > largest_seed)
            largest_seed = seed;
        const int64_t targets = am->batch * (am->ngroups + 1);
        if (am->ngroups > a->most_groups)
            a->most_groups = am->ngroups;
        if (targets > largest_targets)
            largest_targets = targets;
        XA_RETURN_TRY(err, xa_faith_create(am, a->spec, err));
        XA_RETURN_TRY(err, xa_ask_init(am, err));
    }
    a->map = xa_alloc((size_t)largest_map, sizeof(float));
    a->work = xa_alloc_aligned(work);
    a->seed = xa_alloc((size_t)largest_seed, sizeof(float));
    a->targets = xa_alloc((size_t)largest_targets, sizeof(int32_t));
    a->images = xa_alloc((size_t)a->unit, sizeof(xa_image));
    a->seconds = xa_alloc((size_t)a->unit, sizeof(float));
    a->served = xa_alloc((size_t)a->most_groups + 1, sizeof(bool));
    a->logits = xa_alloc((size_t)largest_head, sizeof(float));
    a->probs = xa_alloc((size_t)largest_head, sizeof(float));
    a->grown = xa_alloc((size_t)largest_input, sizeof(float));
    a->masked = xa_alloc((size_t)a->unit, sizeof(int64_t));
    a->other = xa_alloc((size_t)largest_map, sizeof(float));
    for (int b = 0; b < XA_BASELINE_COUNT; b++)
        xa_baseline_map((xa_baseline_kind)b, a->baseline[b]);
    a->ranks = xa_alloc((size_t)largest_map * 3, sizeof(uint32_t));
    a->value = xa_alloc((size_t)a->spec->nmetrics + 1, sizeof(double));
    a->statistic = xa_alloc((size_t)a->spec->nmetrics + 1, sizeof(void *));
    if (!a->logits || !a->probs || !a->grown || !a->masked || !a->other || !a->ranks || !a->value ||
        !a->statistic || !a->served || !a->map || !a->work || !a->seed || !a->targets ||
        !a->images || !a->seconds)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

xa_status xa_audit_create(const xa_audit_spec *spec, xa_audit **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_audit *a = xa_alloc(1, sizeof *a);
    if (!a)
        XA_NOMEM_FAIL(err);
    a->spec = spec;
    a->models = xa_alloc((size_t)spec->nmodels + 1, sizeof(xa_audit_model));
    if (!a->models)
        XA_NOMEM_FAIL(err);
    for (int m = 0; m < spec->nmodels; m++)
        XA_TRY(err, open_file(&a->models[m], &spec->models[m], spec, err));
    XA_TRY(err, settle_batches(a, err));
    for (int m = 0; m < spec->nmodels; m++)
        XA_TRY(err, plan_model(&a->models[m], spec->isa, err));
    XA_TRY(err, size_work(a, err));
    XA_TRY(err, xa_scorer_create(spec->metrics, spec->nmetrics, &a->scorer, err));
    *out = a;
    a = NULL;
done:
    xa_audit_free(a);
    return st;
}

void xa_audit_free(xa_audit *a)
{
    if (!a)
        return;
    for (int m = 0; a->models && m < a->spec->nmodels; m++) {
        xa_audit_model *am = &a->models[m];
        xa_plan_free(am->plan);
        xa_model_free(am->model);
        free(am->layer_node);
        free(am->layer_path);
        free(am->map_shape);
        free(am->group);
        free(am->groups);
        free(am->ways);
        free(am->way);
        free(am->site);
        for (int e = 0; am->sight && e < am->spec->nexplainers; e++)
            xa_sight_free(&am->sight[e]);
        free(am->sight);
        free(am->boundary);
        free(am->block_seed);
        free(am->probe_seed);
        free(am->state_at);
        free(am->state_bytes);
        xa_ask_fini(am);
        xa_faith_destroy(am);
    }
    free(a->models);
    xa_reference_list_fini(&a->references);
    free(a->map);
    free(a->work);
    free(a->seed);
    free(a->targets);
    free(a->images);
    free(a->seconds);
    free(a->served);
    xa_scorer_free(a->scorer);
    free(a->value);
    free(a->statistic);
    free(a->ranks);
    free(a->other);
    free(a->logits);
    free(a->probs);
    free(a->grown);
    free(a->masked);
    free(a);
}

/* ---- what was resolved ---- */

const xa_model *xa_audit_model_of(const xa_audit *a, int m)
{
    return a->models[m].model;
}

void xa_audit_plan_info(const xa_audit *a, int m, xa_plan_info *out)
{
    xa_plan_get_info(a->models[m].plan, out);
}

void xa_audit_plan_describe(const xa_audit *a, int m, xa_str *out)
{
    xa_plan_describe(a->models[m].plan, out);
}

const char *xa_audit_layer(const xa_audit *a, int m, int e)
{
    return a->models[m].layer_path[e];
}

const char *xa_audit_layers(const xa_audit *a, int m, int e, int i)
{
    return a->models[m].sight[e].path[i];
}

xa_shape xa_audit_map_shape(const xa_audit *a, int m, int e)
{
    return a->models[m].map_shape[e];
}

int64_t xa_audit_batch(const xa_audit *a, int m)
{
    return a->models[m].batch;
}

int64_t xa_audit_classes(const xa_audit *a, int m)
{
    return xa_model_head(a->models[m].model)->classes;
}

int xa_audit_passes(const xa_audit *a, int m)
{
    return a->models[m].ngroups;
}

xa_asks xa_audit_asks(const xa_audit *a, int m, int e)
{
    return xa_ask_count(&a->models[m], e);
}

size_t xa_audit_asking_bytes(const xa_audit *a)
{
    size_t bytes = 0;
    for (int m = 0; m < a->spec->nmodels; m++)
        bytes += xa_ask_bytes(&a->models[m]);
    return bytes;
}

int64_t xa_audit_unit_samples(const xa_audit *a)
{
    return a->unit;
}

size_t xa_audit_weight_bytes(const xa_audit *a)
{
    return a->weight_bytes;
}

size_t xa_audit_arena_bytes(const xa_audit *a)
{
    return a->arena_bytes;
}

xa_status xa_audit_pack(xa_audit *a, void *blob, xa_err *err)
{
    for (int m = 0; m < a->spec->nmodels; m++) {
        xa_audit_model *am = &a->models[m];
        const xa_weight_reader reader = xa_model_reader(am->model);
        unsigned char *own = (unsigned char *)blob + am->weights_at;
        xa_status st = xa_plan_pack(am->plan, &reader, own, err);
        if (st == XA_OK)
            st = xa_sight_pack(am, own, err);
        xa_model_close_file(am->model);
        if (st != XA_OK) {
            xa_err_prefix(err, "model \"%s\"", am->spec->name);
            return XA_ERR_PASS(err, st);
        }
    }
    return XA_OK;
}

void xa_audit_attach(xa_audit *a, const void *blob, void *arena, const xa_tick *tick)
{
    for (int m = 0; m < a->spec->nmodels; m++) {
        a->models[m].arena = arena;
        xa_run_init(&a->models[m].run,
                    a->models[m].plan,
                    (const unsigned char *)blob + a->models[m].weights_at,
                    arena,
                    tick);
    }
}

void xa_audit_profile(xa_audit *a, int m, const xa_profile *profile)
{
    a->models[m].run.profile = *profile;
}
