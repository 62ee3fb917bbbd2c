/* Seconds an image of the engine: one forward pass, one backward pass that delivers the input
 * gradient and the Grad-CAM layer's, the saliency map and the Grad-CAM map of the predicted class.
 * One thread; --batch images a pass, times are those of one image.
 *
 *   bench_engine MODEL.h5 [--size N] [--images N] [--input FILE] [--dump PREFIX] [--isa
 * base|avx2|avx512|avx512bf16]
 *
 *   --size    height and width of the network's input; default: the file's
 *   --images  timed passes after one that is not timed; default 5
 *   --input   raw float32 [H,W,C]; default: noise in [-1,1)
 *   --dump    writes PREFIX.logits, PREFIX.saliency and PREFIX.gradcam, raw float32
 *
 * Prints one JSON object. Times are lists, one entry a pass: CPU time of the process and wall time,
 * in seconds.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "xaudit/explain.h"

typedef struct options {
    const char *model, *input, *dump;
    int64_t size, images, batch;
    xa_isa isa;
    xa_numerics numerics;
} options;

typedef struct bench {
    xa_model *model;
    int64_t batch;
    const xa_layer *layer; /* of Grad-CAM */
    xa_plan *plan;
    xa_plan_info info;
    void *blob, *arena;
    xa_run run;
    xa_shape input;
    float *x, *seed, *saliency, *gradcam;
    int64_t saliency_count, gradcam_count;
    int32_t target;
} bench;

/* CPU seconds of one pass by part. */
typedef struct sample {
    double cpu, wall, forward, backward, maps;
} sample;

static bool numerics_named(const char *word, xa_numerics *out)
{
    for (int i = 0; i < XA_NUMERICS_COUNT; i++)
        if (strcmp(word, xa_numerics_name((xa_numerics)i)) == 0) {
            *out = (xa_numerics)i;
            return true;
        }
    return false;
}

static bool parse(int argc, char **argv, options *o)
{
    enum { SIZE = 256, IMAGES, INPUT, DUMP, ISA, BATCH, NUMERICS };
    static const struct option list[] = {{"size", required_argument, NULL, SIZE},
                                         {"images", required_argument, NULL, IMAGES},
                                         {"input", required_argument, NULL, INPUT},
                                         {"dump", required_argument, NULL, DUMP},
                                         {"isa", required_argument, NULL, ISA},
                                         {"batch", required_argument, NULL, BATCH},
                                         {"numerics", required_argument, NULL, NUMERICS},
                                         {NULL, 0, NULL, 0}};
    *o = (options){.images = 5, .batch = 1, .isa = XA_ISA_AUTO};
    for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
        if (c == SIZE && xa_parse_i64(optarg, &o->size) && o->size > 0)
            continue;
        if (c == IMAGES && xa_parse_i64(optarg, &o->images) && o->images > 0)
            continue;
        if (c == BATCH && xa_parse_i64(optarg, &o->batch) && o->batch > 0)
            continue;
        if (c == NUMERICS && numerics_named(optarg, &o->numerics))
            continue;
        if (c == ISA && (o->isa = xa_isa_named(optarg)) != XA_ISA_COUNT)
            continue;
        if (c == INPUT)
            o->input = optarg;
        else if (c == DUMP)
            o->dump = optarg;
        else
            return false;
    }
    o->model = optind == argc - 1 ? argv[optind] : NULL;
    return o->model != NULL;
}

static xa_status load_input(bench *b, const char *file, xa_err *err)
{
    const int64_t n = xa_shape_count(&b->input);
    char *bytes = NULL;
    size_t size = 0;
    if (!file) {
        for (int64_t i = 0; i < n; i++)
            b->x[i] = (float)(2.0 * xa_random_unit(1, 0, (uint64_t)i) - 1.0);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa_read_file(file, (size_t)n * sizeof(float), &bytes, &size, err));
    if (size == (size_t)n * sizeof(float))
        memcpy(b->x, bytes, size);
    free(bytes);
    if (size != (size_t)n * sizeof(float))
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: expected %zu bytes of float32, found %zu",
                       file,
                       (size_t)n * sizeof(float),
                       size);
    return XA_OK;
}

static xa_status make_maps(bench *b, xa_err *err)
{
    xa_explainer_spec saliency = xa_explainer_defaults(XA_EXPLAIN_SALIENCY);
    xa_explainer_spec gradcam = xa_explainer_defaults(XA_EXPLAIN_GRADCAM);
    xa_shape shape;
    XA_RETURN_TRY(err, xa_explain_shape(&saliency, &b->input, &b->layer->shape, NULL, &shape, err));
    b->saliency_count = xa_shape_count(&shape);
    XA_RETURN_TRY(err, xa_explain_shape(&gradcam, &b->input, &b->layer->shape, NULL, &shape, err));
    b->gradcam_count = xa_shape_count(&shape);
    b->saliency = xa_alloc((size_t)b->saliency_count, sizeof(float));
    b->gradcam = xa_alloc((size_t)b->gradcam_count, sizeof(float));
    if (!b->saliency || !b->gradcam)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for the maps");
    return XA_OK;
}

static xa_status set_up(bench *b, const options *o, xa_err *err)
{
    xa_model_options mo = xa_model_defaults();
    mo.height = mo.width = o->size;
    mo.numerics = o->numerics;
    b->batch = o->batch;
    XA_RETURN_TRY(err, xa_model_open(o->model, &mo, &b->model, err));
    XA_RETURN_TRY(err, xa_model_gradcam_layer(b->model, &b->layer, err));
    b->input = xa_model_input(b->model);
    const xa_head *head = xa_model_head(b->model);
    const xa_reach reach = {.input = true, .nodes = &b->layer->node, .nnodes = 1};
    const xa_plan_spec spec = {.batch = o->batch,
                               .isa = o->isa,
                               .exposed = &b->layer->node,
                               .nexposed = 1,
                               .root = head->node,
                               .reach = &reach,
                               .nreach = 1,
                               .reuse_input = true};
    XA_RETURN_TRY(err, xa_plan_create(xa_model_graph(b->model), &spec, &b->plan, err));
    xa_plan_get_info(b->plan, &b->info);
    b->blob = xa_alloc_aligned(b->info.weight_bytes);
    b->arena = xa_alloc_aligned(b->info.arena_bytes);
    b->x = xa_alloc((size_t)xa_shape_count(&b->input), sizeof(float));
    b->seed = xa_alloc((size_t)(o->batch * head->units), sizeof(float));
    if (!b->blob || !b->arena || !b->x || !b->seed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for weights and buffers");
    const xa_weight_reader reader = xa_model_reader(b->model);
    XA_RETURN_TRY(err, xa_plan_pack(b->plan, &reader, b->blob, err));
    xa_model_close_file(b->model);
    xa_run_init(&b->run, b->plan, b->blob, b->arena, NULL);
    XA_RETURN_TRY(err, make_maps(b, err));
    return load_input(b, o->input, err);
}

/* The predicted class by its logit. */
static int32_t predict(const xa_head *head, const float *z)
{
    int32_t best = 0;
    if (head->kind == XA_HEAD_BINARY)
        return z[0] >= 0.0f;
    for (int32_t c = 1; c < head->units; c++)
        if (z[c] > z[best])
            best = c;
    return best;
}

/* A pass over `batch` copies of the image; its maps are those of the first. */
static xa_status one_pass(bench *b, sample *s, xa_err *err)
{
    const xa_head *head = xa_model_head(b->model);
    const xa_explainer_spec saliency = xa_explainer_defaults(XA_EXPLAIN_SALIENCY);
    const xa_explainer_spec gradcam = xa_explainer_defaults(XA_EXPLAIN_GRADCAM);
    const int64_t count = xa_shape_count(&b->input), at = xa_shape_count(&b->layer->shape);
    const double wall = xa_time(), start = xa_cpu_time();
    for (int64_t i = 0; i < b->batch; i++)
        memcpy(xa_run_input(&b->run) + i * count, b->x, (size_t)count * sizeof(float));
    xa_run_forward(&b->run);
    const float *z = xa_run_value(&b->run, head->node);
    const double forward = xa_cpu_time();
    b->target = predict(head, z);
    for (int64_t i = 0; i < b->batch; i++)
        XA_RETURN_TRY(err,
                      xa_score_seed(head,
                                    &(xa_scalar){.score = XA_SCORE_LOGIT, .minus = -1},
                                    z + i * head->units,
                                    b->target,
                                    b->seed + i * head->units,
                                    err));
    xa_run_backward(&b->run, 0, b->seed);
    const double backward = xa_cpu_time();
    const int input = xa_graph_input(xa_model_graph(b->model));
    for (int64_t i = b->batch - 1; i >= 0; i--) {
        const xa_explain_view view = {
            .input_shape = b->input,
            .input = b->x,
            .input_gradient = xa_run_gradient(&b->run, 0, input) + i * count,
            .layer_shape = b->layer->shape,
            .layer_value = xa_run_value(&b->run, b->layer->node) + i * at,
            .layer_gradient = xa_run_gradient(&b->run, 0, b->layer->node) + i * at};
        xa_explainer_get(XA_EXPLAIN_SALIENCY)->compute(&saliency, &view, b->saliency);
        xa_explainer_get(XA_EXPLAIN_GRADCAM)->compute(&gradcam, &view, b->gradcam);
    }
    const double end = xa_cpu_time(), n = (double)b->batch;
    *s = (sample){.cpu = (end - start) / n,
                  .wall = (xa_time() - wall) / n,
                  .forward = (forward - start) / n,
                  .backward = (backward - forward) / n,
                  .maps = (end - backward) / n};
    return XA_OK;
}

static xa_status dump(const char *prefix, const char *what, const float *v, int64_t n, xa_err *err)
{
    xa_status st = XA_OK;
    char *path = xa_strfmt("%s.%s", prefix, what);
    FILE *f = path ? fopen(path, "wb") : NULL;
    if (!f || fwrite(v, sizeof(float), (size_t)n, f) != (size_t)n)
        XA_FAIL(err, XA_IO, "%s.%s: cannot be written", prefix, what);
done:
    if (f && fclose(f) != 0 && st == XA_OK)
        st = xa_err_set(err, XA_IO, __FILE__, __func__, __LINE__, "%s: cannot be written", path);
    free(path);
    return st;
}

static void print_list(const char *name, const sample *s, int64_t n, size_t offset)
{
    printf("\"%s\": [", name);
    for (int64_t i = 0; i < n; i++) {
        double v;
        memcpy(&v, (const char *)(s + i) + offset, sizeof v);
        printf("%s%.6f", i ? ", " : "", v);
    }
    printf("], ");
}

static void report(const bench *b, const sample *s, int64_t n)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"program\": \"xaudit\", \"isa\": \"%s\", \"numerics\": \"%s\", \"batch\": %d, "
           "\"blas\": \"%s\", \"layer\": \"%s\", "
           "\"target\": %d, ",
           xa_isa_name(b->info.isa),
           xa_numerics_name(xa_graph_numerics(xa_model_graph(b->model))),
           (int)b->batch,
           xa_blas_config(),
           b->layer->path,
           (int)b->target);
    print_list("cpu", s, n, offsetof(sample, cpu));
    print_list("wall", s, n, offsetof(sample, wall));
    print_list("forward", s, n, offsetof(sample, forward));
    print_list("backward", s, n, offsetof(sample, backward));
    print_list("maps", s, n, offsetof(sample, maps));
    printf("\"gflop\": %.4f, \"gflop_forward\": %.4f, \"weight_mb\": %.1f, \"arena_mb\": %.1f, "
           "\"saved_mb\": %.1f, \"peak_rss_mb\": %.1f}\n",
           (b->info.flops_forward + b->info.flops_backward) * 1e-9,
           b->info.flops_forward * 1e-9,
           (double)b->info.weight_bytes * 1e-6,
           (double)b->info.arena_bytes * 1e-6,
           (double)b->info.saved_bytes * 1e-6,
           (double)usage.ru_maxrss * 1024e-6);
}

static void tear_down(bench *b)
{
    free(b->x);
    free(b->seed);
    free(b->saliency);
    free(b->gradcam);
    free(b->arena);
    free(b->blob);
    xa_plan_free(b->plan);
    xa_model_free(b->model);
}

int main(int argc, char **argv)
{
    xa_status st = XA_OK;
    xa_err e = {0}, *err = &e;
    bench b = {0};
    options o;
    sample *s = NULL, first;
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: bench_engine MODEL.h5 [--size N] [--images N] [--input FILE] "
                "[--dump PREFIX] [--isa ISA] [--batch N] [--numerics WORD]\n");
        return 2;
    }
    xa_blas_set_threads(1);
    s = xa_alloc((size_t)o.images, sizeof *s);
    if (!s)
        XA_FAIL(err, XA_NOMEM, "out of memory for %lld times", (long long)o.images);
    XA_TRY(err, set_up(&b, &o, err));
    XA_TRY(err, one_pass(&b, &first, err));
    for (int64_t i = 0; i < o.images; i++)
        XA_TRY(err, one_pass(&b, &s[i], err));
    if (o.dump) {
        const int root = xa_model_head(b.model)->node;
        XA_TRY(
            err,
            dump(o.dump, "logits", xa_run_value(&b.run, root), xa_model_head(b.model)->units, err));
        XA_TRY(err, dump(o.dump, "saliency", b.saliency, b.saliency_count, err));
        XA_TRY(err, dump(o.dump, "gradcam", b.gradcam, b.gradcam_count, err));
    }
    report(&b, s, o.images);
done:
    if (st != XA_OK)
        fprintf(stderr, "bench_engine: %s\n", err->message);
    tear_down(&b);
    free(s);
    return st == XA_OK ? 0 : 1;
}
