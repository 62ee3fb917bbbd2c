/* Seconds an image of attention maps: one forward pass of a batch, rollout of every image, and with
 * --saliency one backward pass to the input and the saliency maps. One thread.
 *
 *   bench_vit MODEL [--batch N] [--passes N] [--saliency] [--input FILE] [--dump PREFIX]
 *
 *   --passes  timed passes after one that is not timed; default 3
 *   --input   raw float32 [batch,H,W,C]; default: noise in [-1,1)
 *   --dump    writes PREFIX.logits and PREFIX.rollout of the last pass, raw float32
 *
 * Prints one JSON object; times are lists, one entry a pass, in seconds an image.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "xaudit/explain.h"

typedef struct bench {
    xa_model *model;
    const xa_tokens *tokens;
    xa_plan *plan;
    xa_plan_info info;
    void *blob, *arena;
    xa_run run;
    xa_shape input;
    int64_t batch, passes, count;
    bool saliency;
    float *x, *seed, *rollout, *map;
    unsigned char *states;
    size_t state_bytes;
    xa_explainer_spec spec;
} bench;

static void take(void *arg, const xa_attention_view *v)
{
    bench *b = arg;
    const xa_attention_site site = {b->tokens, 0};
    int layer = 0;
    while (xa_model_attention(b->model, layer) != v->node)
        layer++;
    xa_explainer_get(b->spec.kind)
        ->observe(&b->spec, &site, b->states + (size_t)v->sample * b->state_bytes, layer, v);
}

static xa_status set_up(bench *b, const char *file, const char *input, xa_err *err)
{
    const xa_model_options opt = xa_model_defaults();
    char *bytes = NULL;
    size_t size = 0;
    XA_RETURN_TRY(err, xa_model_open(file, &opt, &b->model, err));
    b->tokens = xa_model_tokens(b->model);
    if (!b->tokens)
        XA_RETURN_FAIL(err, XA_INVALID, "%s is no vision transformer", file);
    b->input = xa_model_input(b->model);
    b->count = b->batch * xa_shape_count(&b->input);
    const xa_reach reach = {.input = true};
    const xa_plan_spec spec = {.batch = b->batch,
                               .root = xa_model_head(b->model)->node,
                               .reach = &reach,
                               .nreach = b->saliency,
                               .reuse_input = true};
    XA_RETURN_TRY(err, xa_plan_create(xa_model_graph(b->model), &spec, &b->plan, err));
    xa_plan_get_info(b->plan, &b->info);
    b->spec = xa_explainer_defaults(XA_EXPLAIN_ROLLOUT);
    const xa_attention_site site = {b->tokens, 0};
    b->state_bytes =
        xa_align_up(xa_explainer_get(b->spec.kind)->state_bytes(&b->spec, &site), XA_ALIGN);
    const int64_t patches = b->tokens->height * b->tokens->width;
    b->blob = xa_alloc_aligned(b->info.weight_bytes);
    b->arena = xa_alloc_aligned(b->info.arena_bytes);
    b->states = xa_alloc_aligned(b->state_bytes * (size_t)b->batch);
    b->x = xa_alloc((size_t)b->count, sizeof(float));
    b->seed = xa_alloc((size_t)(b->batch * xa_model_head(b->model)->units), sizeof(float));
    b->rollout = xa_alloc((size_t)(b->batch * patches), sizeof(float));
    b->map = xa_alloc((size_t)(b->input.dim[0] * b->input.dim[1]), sizeof(float));
    if (!b->blob || !b->arena || !b->states || !b->x || !b->seed || !b->rollout || !b->map)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory");
    for (int64_t i = 0; i < b->count; i++)
        b->x[i] = (float)(2.0 * xa_random_unit(1, 0, (uint64_t)i) - 1.0);
    if (input) {
        XA_RETURN_TRY(err,
                      xa_read_file(input, (size_t)b->count * sizeof(float), &bytes, &size, err));
        if (size == (size_t)b->count * sizeof(float))
            memcpy(b->x, bytes, size);
        free(bytes);
        if (size != (size_t)b->count * sizeof(float))
            XA_RETURN_FAIL(err, XA_SHAPE, "%s does not hold a batch", input);
    }
    const xa_weight_reader reader = xa_model_reader(b->model);
    XA_RETURN_TRY(err, xa_plan_pack(b->plan, &reader, b->blob, err));
    xa_model_close_file(b->model);
    xa_run_init(&b->run, b->plan, b->blob, b->arena, NULL);
    b->run.sink = (xa_attention_sink){take, b};
    return XA_OK;
}

static void pass(bench *b)
{
    const xa_attention_site site = {b->tokens, 0};
    const int64_t patches = b->tokens->height * b->tokens->width;
    const int64_t units = xa_model_head(b->model)->units;
    memcpy(xa_run_input(&b->run), b->x, (size_t)b->count * sizeof(float));
    xa_run_forward(&b->run);
    for (int64_t i = 0; i < b->batch; i++) {
        const xa_explain_view v = {.attention = site,
                                   .state = b->states + (size_t)i * b->state_bytes};
        xa_explainer_get(b->spec.kind)->compute(&b->spec, &v, b->rollout + i * patches);
    }
    if (!b->saliency)
        return;
    const xa_explainer_spec saliency = xa_explainer_defaults(XA_EXPLAIN_SALIENCY);
    memset(b->seed, 0, (size_t)(b->batch * units) * sizeof(float));
    for (int64_t i = 0; i < b->batch; i++)
        b->seed[i * units] = 1.0f;
    xa_run_backward(&b->run, 0, b->seed);
    for (int64_t i = 0; i < b->batch; i++) {
        const xa_explain_view v = {
            .input_shape = b->input,
            .input_gradient =
                xa_run_gradient(&b->run, 0, xa_graph_input(xa_model_graph(b->model))) +
                i * xa_shape_count(&b->input)};
        xa_explainer_get(XA_EXPLAIN_SALIENCY)->compute(&saliency, &v, b->map);
    }
}

static bool dump(const char *prefix, const char *what, const float *v, int64_t n)
{
    char *path = xa_strfmt("%s.%s", prefix, what);
    FILE *f = path ? fopen(path, "wb") : NULL;
    const bool ok = f && fwrite(v, sizeof *v, (size_t)n, f) == (size_t)n;
    free(path);
    return (!f || !fclose(f)) && ok;
}

static void print_list(const char *name, const double *v, int64_t n)
{
    printf("\"%s\": [", name);
    for (int64_t i = 0; i < n; i++)
        printf("%s%.6f", i ? ", " : "", v[i]);
    printf("], ");
}

int main(int argc, char **argv)
{
    enum { BATCH = 256, PASSES, SALIENCY, INPUT, DUMP };
    static const struct option list[] = {{"batch", required_argument, NULL, BATCH},
                                         {"passes", required_argument, NULL, PASSES},
                                         {"saliency", no_argument, NULL, SALIENCY},
                                         {"input", required_argument, NULL, INPUT},
                                         {"dump", required_argument, NULL, DUMP},
                                         {NULL, 0, NULL, 0}};
    bench b = {.batch = 1, .passes = 3};
    const char *input = NULL, *prefix = NULL;
    double cpu[64], wall[64];
    xa_err err = XA_ERR_INIT;
    struct rusage usage;
    for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        if (c == BATCH && xa_parse_i64(optarg, &b.batch) && b.batch > 0)
            continue;
        if (c == PASSES && xa_parse_i64(optarg, &b.passes) && b.passes > 0 && b.passes <= 64)
            continue;
        if (c == SALIENCY)
            b.saliency = true;
        else if (c == INPUT)
            input = optarg;
        else if (c == DUMP)
            prefix = optarg;
        else
            return 2;
    }
    if (optind != argc - 1)
        return 2;
    xa_blas_set_threads(1);
    if (set_up(&b, argv[optind], input, &err) != XA_OK) {
        fprintf(stderr, "bench_vit: %s\n", err.message);
        return 1;
    }
    pass(&b);
    for (int64_t i = 0; i < b.passes; i++) {
        const double c = xa_cpu_time(), w = xa_time();
        pass(&b);
        cpu[i] = (xa_cpu_time() - c) / (double)b.batch;
        wall[i] = (xa_time() - w) / (double)b.batch;
    }
    getrusage(RUSAGE_SELF, &usage);
    const int64_t patches = b.tokens->height * b.tokens->width;
    if (prefix && !(dump(prefix, "rollout", b.rollout, b.batch * patches) &&
                    dump(prefix,
                         "logits",
                         xa_run_value(&b.run, xa_model_head(b.model)->node),
                         b.batch * xa_model_head(b.model)->units)))
        return 1;
    printf("{");
    print_list("cpu", cpu, b.passes);
    print_list("wall", wall, b.passes);
    printf("\"gflop\": %.3f, \"mb\": %.1f}\n",
           (b.info.flops_forward + (b.saliency ? b.info.flops_backward : 0.0)) / 1e9,
           (double)usage.ru_maxrss / 1024.0);
    xa_plan_free(b.plan);
    xa_model_free(b.model);
    free(b.blob);
    free(b.arena);
    free(b.states);
    free(b.x);
    free(b.seed);
    free(b.rollout);
    free(b.map);
    return 0;
}
