/* Every golden pair of tests/golden/keras, tests/golden/safetensors and tests/golden/onnx: outputs,
 * activations, gradients and Grad-CAM of our engine against those of Keras.
 *
 *   test_keras_golden             all of them
 *   test_keras_golden tf215/mobile one
 */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden_check.h"
#include "model_run.h"
#include "xaudit_cmocka.h"

/* Largest difference by the largest value of the reference. */
static const double output_tolerance = 1e-5;
static const double gradient_tolerance = 1e-4;
static const double gradcam_tolerance = 1e-4;
/* Input gradients of classifiers flip where a ReLU or a pool decides otherwise: they may be this
 * many times as far from the float64 gradient as Keras' own float32 gradient is. */
static const double keras_factor = 2.0;

static const char *only; /* from the command line */

/* ---- seeds and outputs ---- */

/* dS/d(scores) of every image; S is the logit of its target, or sum(seed * output). */
static void fill_seed(const reference *ref, const xa_head *h, float *seed)
{
    if (!h) {
        for (int64_t i = 0; i < ref->seed.count; i++)
            seed[i] = (float)ref->seed.values[i];
        return;
    }
    memset(seed, 0, (size_t)(ref->input.dim[0] * h->units) * sizeof *seed);
    for (int64_t n = 0; n < ref->input.dim[0]; n++) {
        const int64_t target = (int64_t)ref->target.values[n];
        if (h->kind == XA_HEAD_BINARY)
            seed[n] = target ? 1.0f : -1.0f;
        else
            seed[n * h->units + target] = 1.0f;
    }
}

static void check_head(golden_check *c, const xa_head *h, const float *scores)
{
    const reference *ref = c->ref;
    const int64_t n = ref->input.dim[0];
    float *logits = calloc((size_t)(n * h->classes), sizeof *logits);
    float *probs = calloc((size_t)(n * h->classes), sizeof *probs);
    double *wide = golden_doubles(n * h->classes);
    assert_true(logits && probs);
    for (int64_t i = 0; i < n; i++) {
        float *p = probs + i * h->classes;
        int32_t most = 0;
        xa_head_apply(h, scores + i * h->units, logits + i * h->classes, p);
        for (int32_t k = 1; k < h->classes; k++)
            if (p[k] > p[most])
                most = k;
        if (xa_head_predict(h, logits + i * h->classes, p) != most)
            golden_fail(
                c, "image %" PRId64 " is predicted as another class than the most probable", i);
    }
    golden_widen(logits, n * h->classes, wide);
    if (ref->logits.count != n * h->classes)
        golden_fail(c,
                    "logits: %" PRId64 " classes for %" PRId64 " images, Keras has %" PRId64
                    " values",
                    h->classes,
                    n,
                    ref->logits.count);
    else
        golden_within(c, "logits", "", wide, &ref->logits, output_tolerance, &c->output);
    golden_widen(probs, n * h->classes, wide);
    if ((ref->probs.values != NULL) != (h->kind != XA_HEAD_LINEAR))
        golden_fail(c, "head %s is taken for %s", ref->head, xa_head_name(h->kind));
    else if (ref->probs.values && ref->probs.count == n * h->classes)
        golden_within(c, "probs", "", wide, &ref->probs, output_tolerance, &c->output);
    free(logits);
    free(probs);
    free(wide);
}

/* The model's own output, last activation included, as a graph node. */
static void check_output(golden_check *c, xa_model *m)
{
    const reference *ref = c->ref;
    xa_err err = XA_ERR_INIT;
    model_run r;
    const int64_t n = ref->input.dim[0];
    if (model_run_start(m, n, c->isa, xa_model_output(m), NULL, 0, &r, &err) != XA_OK) {
        golden_fail(c, "%s", err.message);
        return;
    }
    const xa_shape shape = xa_graph_node(xa_model_graph(m), r.root)->shape;
    float *x = xa_run_input(&r.run);
    for (int64_t i = 0; i < ref->input.count; i++)
        x[i] = (float)ref->input.values[i];
    xa_run_forward(&r.run);
    if (!golden_same_extents(&ref->output, &shape)) {
        char text[96];
        golden_fail(c,
                    "the output is %s, Keras has %" PRId64 " values for %" PRId64 " images",
                    xa_shape_text(&shape, text, sizeof text),
                    ref->output.count,
                    n);
    } else {
        double *wide = golden_doubles(ref->output.count);
        golden_widen(xa_run_value(&r.run, r.root), ref->output.count, wide);
        golden_within(c, "output", "", wide, &ref->output, output_tolerance, &c->output);
        free(wide);
    }
    model_run_end(&r);
}

/* ---- gradients ---- */

static void check_gradient(golden_check *c, bool classifier, const float *gradient)
{
    const reference *ref = c->ref;
    const reference_array *best = ref->gradient64.values ? &ref->gradient64 : &ref->gradient;
    double *wide = golden_doubles(best->count);
    golden_difference keras = {0};
    golden_widen(gradient, best->count, wide);
    const golden_difference d = golden_compare(wide, best->values, best->count);
    if (ref->gradient64.values)
        keras = golden_compare(ref->gradient.values, best->values, best->count);
    c->gradient = fmax(c->gradient, d.relative);
    c->gradient_l2 = fmax(c->gradient_l2, d.l2);
    c->keras = keras.relative;
    const double factor = classifier ? keras_factor : 0.0;
    const double most = fmax(gradient_tolerance, factor * keras.relative);
    const double most_l2 = fmax(gradient_tolerance, factor * keras.l2);
    if (!(d.relative <= most))
        golden_fail(c,
                    "input gradient[%" PRId64
                    "] is %.9g, Keras has %.9g: %.2e of the largest %.4g, "
                    "at most %.1e is allowed",
                    d.at,
                    d.ours,
                    d.theirs,
                    d.relative,
                    d.scale,
                    most);
    if (!(d.l2 <= most_l2))
        golden_fail(c,
                    "input gradient: L2 difference %.2e of the norm, at most %.1e is allowed",
                    d.l2,
                    most_l2);
    free(wide);
}

/* relu(sum_k mean_ij(g) A) of one image, in double. */
static void gradcam(const xa_shape *s, const double *a, const double *g, double *map)
{
    const int64_t pixels = s->dim[0] * s->dim[1], channels = s->dim[2];
    memset(map, 0, (size_t)pixels * sizeof *map);
    for (int64_t k = 0; k < channels; k++) {
        double mean = 0.0;
        for (int64_t p = 0; p < pixels; p++)
            mean += g[p * channels + k];
        mean /= (double)pixels;
        for (int64_t p = 0; p < pixels; p++)
            map[p] += mean * a[p * channels + k];
    }
    for (int64_t p = 0; p < pixels; p++)
        map[p] = fmax(map[p], 0.0);
}

static void check_layer(golden_check *c, const model_run *r, const reference_layer *l, int node)
{
    const xa_shape s = xa_graph_node(xa_model_graph(r->model), node)->shape;
    const int64_t each = xa_shape_count(&s), n = c->ref->input.dim[0];
    const float *value = xa_run_value(&r->run, node);
    const float *slope = xa_run_gradient(&r->run, 0, node);
    if (!golden_same_extents(&l->activation, &s)) {
        char text[96];
        golden_fail(c,
                    "layer %s is %s, Keras has %" PRId64 " values for %" PRId64 " images",
                    l->path,
                    xa_shape_text(&s, text, sizeof text),
                    l->activation.count,
                    n);
        return;
    }
    if (!slope) {
        golden_fail(c, "layer %s: the pass delivers no gradient", l->path);
        return;
    }
    double *a = golden_doubles(n * each), *g = golden_doubles(n * each);
    golden_widen(value, n * each, a);
    golden_widen(slope, n * each, g);
    golden_within(c, "activation", l->path, a, &l->activation, output_tolerance, &c->activation);
    golden_within(c, "gradient", l->path, g, &l->gradient, gradient_tolerance, &c->layer_gradient);
    if (l->gradcam.values) {
        const int64_t pixels = s.dim[0] * s.dim[1];
        double *map = golden_doubles(n * pixels);
        for (int64_t i = 0; i < n; i++)
            gradcam(&s, a + i * each, g + i * each, map + i * pixels);
        golden_within(c, "Grad-CAM", l->path, map, &l->gradcam, gradcam_tolerance, &c->gradcam);
        free(map);
    }
    free(a);
    free(g);
}

/* ---- one model ---- */

/* All images at once: `nodes` of the reference's layers are exposed, or nothing is, which folds and
 * fuses more. */
static void check_pass(golden_check *c, xa_model *m, const int *nodes, int nnodes, float *gradient)
{
    const reference *ref = c->ref;
    const bool classifier = strcmp(ref->head, "none") != 0;
    const xa_head *h = classifier ? xa_model_head(m) : NULL;
    xa_err err = XA_ERR_INIT;
    model_run r;
    const int64_t n = ref->input.dim[0];
    if (model_run_start(
            m, n, c->isa, classifier ? -1 : xa_model_output(m), nodes, nnodes, &r, &err) != XA_OK) {
        golden_fail(c, "%s", err.message);
        return;
    }
    const int64_t units = xa_shape_count(&xa_graph_node(xa_model_graph(m), r.root)->shape);
    float *seed = calloc((size_t)(n * units) + 1, sizeof *seed);
    float *x = xa_run_input(&r.run);
    assert_non_null(seed);
    for (int64_t i = 0; i < ref->input.count; i++)
        x[i] = (float)ref->input.values[i];
    xa_run_forward(&r.run);
    if (!classifier && ref->seed.count != n * units) {
        golden_fail(c, "%" PRId64 " values an image, Keras' seed has others", units);
    } else {
        if (h)
            check_head(c, h, xa_run_value(&r.run, r.root));
        fill_seed(ref, h, seed);
        xa_run_backward(&r.run, 0, seed);
        const float *g = xa_run_gradient(&r.run, 0, xa_graph_input(xa_model_graph(m)));
        check_gradient(c, classifier, g);
        memcpy(gradient, g, (size_t)ref->input.count * sizeof *gradient);
        for (int i = 0; i < nnodes; i++)
            check_layer(c, &r, &ref->layer[i], nodes[i]);
    }
    free(seed);
    model_run_end(&r);
}

/* Image by image: bit for bit what the whole batch gave. */
static void check_single(golden_check *c, xa_model *m, const float *gradient)
{
    const reference *ref = c->ref;
    const bool classifier = strcmp(ref->head, "none") != 0;
    const int64_t n = ref->input.dim[0], each = ref->input.count / n;
    xa_err err = XA_ERR_INIT;
    model_run r;
    if (model_run_start(m, 1, c->isa, classifier ? -1 : xa_model_output(m), NULL, 0, &r, &err) !=
        XA_OK) {
        golden_fail(c, "%s", err.message);
        return;
    }
    const int64_t units = xa_shape_count(&xa_graph_node(xa_model_graph(m), r.root)->shape);
    float *seed = calloc((size_t)(n * units) + 1, sizeof *seed);
    assert_non_null(seed);
    fill_seed(ref, classifier ? xa_model_head(m) : NULL, seed);
    for (int64_t i = 0; i < n; i++) {
        float *x = xa_run_input(&r.run);
        for (int64_t k = 0; k < each; k++)
            x[k] = (float)ref->input.values[i * each + k];
        xa_run_forward(&r.run);
        xa_run_backward(&r.run, 0, seed + i * units);
        const float *g = xa_run_gradient(&r.run, 0, xa_graph_input(xa_model_graph(m)));
        for (int64_t k = 0; k < each; k++)
            if (memcmp(&g[k], &gradient[i * each + k], sizeof *g) != 0) {
                golden_fail(c,
                            "input gradient of image %" PRId64 " at %" PRId64
                            ": %.9g alone, %.9g in a batch of %" PRId64,
                            i,
                            k,
                            (double)g[k],
                            (double)gradient[i * each + k],
                            n);
                break;
            }
    }
    free(seed);
    model_run_end(&r);
}

static void check_model(golden_check *c, const char *path)
{
    const reference *ref = c->ref;
    xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    int nodes[REFERENCE_LAYERS];
    opt.any_output = strcmp(ref->head, "none") == 0;
    if (ref->input.ndim == 4) {
        opt.height = ref->input.dim[1];
        opt.width = ref->input.dim[2];
    }
    if (xa_model_open(path, &opt, &m, &err) != XA_OK) {
        golden_fail(c, "%s", err.message);
        return;
    }
    const xa_shape shape = xa_model_input(m);
    float *gradient = calloc((size_t)ref->input.count, sizeof *gradient);
    float *folded = calloc((size_t)ref->input.count, sizeof *folded);
    assert_true(gradient && folded);
    if (!golden_same_extents(&ref->input, &shape))
        golden_fail(c, "the input has another shape than Keras' images");
    for (int i = 0; i < ref->nlayers && !c->failure[0]; i++) {
        const xa_layer *layer = NULL;
        if (xa_model_find_layer(m, ref->layer[i].path, &layer, &err) != XA_OK)
            golden_fail(c, "%s", err.message);
        else
            nodes[i] = layer->node;
    }
    if (!c->failure[0]) {
        check_output(c, m);
        check_pass(c, m, nodes, ref->nlayers, gradient);
        check_pass(c, m, NULL, 0, folded);
        check_single(c, m, folded);
    }
    free(gradient);
    free(folded);
    xa_model_free(m);
}

/* Files that must not open, and what the message has to name. */
static const struct {
    const char *prefix, *names;
} refused[] = {{"refused_lambda", "Lambda"},
               {"refused_custom", "class"},
               {"refused_lora", "lora_kernel_a"},
               {"refused_user", "golden>GlobalAveragePooling2D"}};

static const char *refused_because(const char *name)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strncmp(name, refused[i].prefix, strlen(refused[i].prefix)) == 0)
            return refused[i].names;
    return NULL;
}

static void check_refused(golden_check *c, const char *path, const char *names)
{
    const xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    if (xa_model_open(path, &opt, &m, &err) == XA_OK)
        golden_fail(c, "opens, although it has to be refused");
    else if (!strstr(err.message, names))
        golden_fail(c, "is refused without naming %s: %s", names, err.message);
    xa_model_free(m);
}

/* ---- folders ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One file on every instruction set; false with a message if it fails. */
static bool check_file(const char *folder, const char *name, const reference *of)
{
    const reference ref = *of;
    char model[1200];
    bool ok = true;
    snprintf(model, sizeof model, "%s/golden/keras/%s/%s", XA_TEST_DATA, folder, ref.model);
    for (int isa = XA_ISA_BASE; isa < XA_ISA_AVX512_BF16 && ok; isa++) {
        golden_check c = {.folder = folder, .ref = &ref, .isa = (xa_isa)isa};
        if (!xa_isa_supported(c.isa))
            continue;
        const char *because = refused_because(name);
        if (because) {
            check_refused(&c, model, because);
            if (!c.failure[0])
                print_message("  %-7s%-28s refused, as it has to be\n", folder, ref.model);
            isa = XA_ISA_AVX512_BF16;
        } else {
            check_model(&c, model);
            print_message("  %-7s%-28s %-4s output %.1e  activation %.1e  gradient %.1e (L2 %.1e, "
                          "Keras %.1e)  at layers %.1e  Grad-CAM %.1e\n",
                          folder,
                          ref.model,
                          xa_isa_name(c.isa),
                          c.output,
                          c.activation,
                          c.gradient,
                          c.gradient_l2,
                          c.keras,
                          c.layer_gradient,
                          c.gradcam);
        }
        if (c.failure[0])
            print_error("FAIL %s\n", c.failure);
        ok = !c.failure[0];
    }
    return ok;
}

/* All files that a reference is of. */
static bool check_pair(const char *folder, const char *name)
{
    reference ref;
    char path[1024], why[1200];
    bool ok = true;
    snprintf(path, sizeof path, "%s/golden/keras/%s/%s", XA_TEST_DATA, folder, name);
    if (!reference_read(path, &ref, why, sizeof why)) {
        print_error("%s\n", why);
        return false;
    }
    const char *line = ref.models[0] ? ref.models : ref.model;
    while (*line) {
        const size_t n = strcspn(line, "\n");
        reference one = ref;
        snprintf(one.model, sizeof one.model, "%.*s", (int)n, line);
        ok = check_file(folder, name, &one) && ok;
        line += n + (line[n] == '\n');
    }
    reference_free(&ref);
    return ok;
}

/* All references of a folder, of which there are at least `least`. */
static void check_folder(const char *folder, int least)
{
    char path[1024], *names[1024];
    int count = 0, failures = 0, seen = 0;
    snprintf(path, sizeof path, "%s/golden/keras/%s", XA_TEST_DATA, folder);
    DIR *dir = opendir(path);
    if (!dir)
        fail_msg("%s is missing", path);
    for (struct dirent *e = readdir(dir); e && count < 1024; e = readdir(dir))
        if (xa_str_ends(e->d_name, ".ref.h5"))
            assert_non_null(names[count++] = xa_strdup(e->d_name));
    closedir(dir);
    qsort(names, (size_t)count, sizeof *names, by_name);
    for (int i = 0; i < count; i++) {
        char pair[512];
        snprintf(pair, sizeof pair, "%s/%s", folder, names[i]);
        if (!only || strncmp(pair, only, strlen(only)) == 0) {
            failures += !check_pair(folder, names[i]);
            seen++;
        }
        free(names[i]);
    }
    print_message("%s: %d references, %d failed\n", folder, seen, failures);
    if (!only && seen < least)
        fail_msg("%s holds %d references, expected at least %d", path, seen, least);
    if (failures)
        fail_msg("%s: %d of %d references fail", folder, failures, seen);
}

#define FOLDER(name, folder, least)       \
    static void test_##name(void **state) \
    {                                     \
        (void)state;                      \
        check_folder(folder, least);      \
    }
FOLDER(tf215, "tf215", 91)
FOLDER(k3, "k3", 42)
FOLDER(old, "old", 5)
FOLDER(assets, "assets", 1)
FOLDER(safetensors, "../safetensors", 27)
FOLDER(onnx, "../onnx", 21) /* by both exporters of PyTorch */

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tf215),
        cmocka_unit_test(test_k3),
        cmocka_unit_test(test_old),
        cmocka_unit_test(test_assets),
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_onnx),
    };
    only = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
