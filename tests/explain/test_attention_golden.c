/* Attention of real frameworks: probabilities of every layer and head, their gradients, vit-keras'
 * attention_map and class-specific relevance, for every reference with attention in
 * tests/golden/keras, tests/golden/safetensors and tests/golden/onnx.
 *
 *   test_attention_golden              all of them
 *   test_attention_golden k3/vit_alone one
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../model/model_run.h"
#include "../model/reference_file.h"
#include "xaudit/explain.h"
#include "xaudit_cmocka.h"

/* Absolute for probabilities, of the largest value for what follows from them. */
static const double probs_tolerance = 1e-5, map_tolerance = 1e-4;

static const char *only;

typedef struct look {
    const xa_model *model;
    const reference *ref;
    double probs, gradient, map, relevance;
    int heads_seen;
    const xa_explainer_spec *spec[2]; /* forward: attention_map; backward: relevance */
    unsigned char *state[2];          /* [N, bytes] */
    size_t bytes[2];
} look;

static double largest(const reference_array *a)
{
    double top = 0.0;
    for (int64_t i = 0; i < a->count; i++)
        top = fmax(top, fabs(a->values[i]));
    return top;
}

static void take(void *arg, const xa_attention_view *v)
{
    look *l = arg;
    const xa_tokens *t = xa_model_tokens(l->model);
    const xa_attention_site site = {t, 0};
    const int side = v->gradient != NULL;
    int layer = 0;
    while (xa_model_attention(l->model, layer) != v->node)
        layer++;
    const int64_t n = v->rows * v->columns, at = (v->sample * v->heads + v->head) * n;
    const reference_array *probs = &l->ref->attention[layer].probs,
                          *gradient = &l->ref->attention[layer].gradient;
    assert_true(probs->ndim == 4 && probs->dim[1] == v->heads && probs->dim[2] == v->rows &&
                probs->dim[3] == v->columns);
    const double top = largest(gradient);
    for (int64_t i = 0; i < n; i++) {
        l->probs = fmax(l->probs, fabs((double)v->probs[i] - probs->values[at + i]));
        if (v->gradient)
            l->gradient =
                fmax(l->gradient, fabs((double)v->gradient[i] - gradient->values[at + i]) / top);
    }
    l->heads_seen++;
    xa_explainer_get(l->spec[side]->kind)
        ->observe(
            l->spec[side], &site, l->state[side] + (size_t)v->sample * l->bytes[side], layer, v);
}

static double map_error(const look *l, int side, const reference_array *want)
{
    const xa_tokens *t = xa_model_tokens(l->model);
    const int64_t patches = t->height * t->width;
    double worst = 0.0;
    for (int64_t i = 0; i < want->dim[0]; i++) {
        const xa_explain_view v = {.attention = {t, 0},
                                   .state = l->state[side] + (size_t)i * l->bytes[side]};
        float *map = malloc((size_t)patches * sizeof *map);
        double top = 0.0;
        assert_non_null(map);
        assert_int_equal(want->count, want->dim[0] * patches);
        xa_explainer_get(l->spec[side]->kind)->compute(l->spec[side], &v, map);
        for (int64_t p = 0; p < patches; p++)
            top = fmax(top, fabs(want->values[i * patches + p]));
        for (int64_t p = 0; p < patches; p++)
            worst = fmax(worst, fabs((double)map[p] - want->values[i * patches + p]) / top);
        free(map);
    }
    return worst;
}

static void run_model(look *l, xa_model *m, xa_isa isa)
{
    const reference *ref = l->ref;
    const xa_head *h = xa_model_head(m);
    const int64_t n = ref->input.dim[0];
    xa_err err = XA_ERR_INIT;
    model_run r;
    if (model_run_start(m, n, isa, -1, NULL, 0, &r, &err) != XA_OK)
        fail_msg("%s: %s", ref->model, err.message);
    float *seed = calloc((size_t)(n * h->units), sizeof *seed);
    assert_non_null(seed);
    for (int64_t i = 0; i < ref->input.count; i++)
        xa_run_input(&r.run)[i] = (float)ref->input.values[i];
    r.run.sink = (xa_attention_sink){take, l};
    xa_run_forward(&r.run);
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(xa_score_seed(h,
                                       &(xa_scalar){.score = XA_SCORE_LOGIT, .minus = -1},
                                       xa_run_value(&r.run, h->node) + i * h->units,
                                       (int32_t)ref->target.values[i],
                                       seed + i * h->units,
                                       &err),
                         XA_OK);
    xa_run_backward(&r.run, 0, seed);
    free(seed);
    model_run_end(&r);
}

static bool check_reference(const char *folder, const char *name, const reference *ref, xa_isa isa)
{
    char path[1200];
    xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    snprintf(path, sizeof path, "%s/golden/%s/%s", XA_TEST_DATA, folder, ref->model);
    opt.height = ref->input.dim[1];
    opt.width = ref->input.dim[2];
    if (xa_model_open(path, &opt, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    const xa_tokens *t = xa_model_tokens(m);
    assert_non_null(t);
    assert_int_equal(t->nlayers, ref->nattention);
    xa_explainer_spec rollout = xa_explainer_defaults(XA_EXPLAIN_ROLLOUT),
                      relevance = xa_explainer_defaults(XA_EXPLAIN_RELEVANCE);
    rollout.vit_keras = true;
    look l = {.model = m, .ref = ref, .spec = {&rollout, &relevance}};
    for (int i = 0; i < 2; i++) {
        const xa_attention_site site = {t, 0};
        l.bytes[i] =
            xa_align_up(xa_explainer_get(l.spec[i]->kind)->state_bytes(l.spec[i], &site), XA_ALIGN);
        l.state[i] = xa_alloc_aligned(l.bytes[i] * (size_t)ref->input.dim[0]);
        assert_non_null(l.state[i]);
        memset(l.state[i], 0, l.bytes[i] * (size_t)ref->input.dim[0]);
    }
    run_model(&l, m, isa);
    if (ref->attention_map.values)
        l.map = map_error(&l, 0, &ref->attention_map);
    assert_non_null(ref->relevance.values);
    l.relevance = map_error(&l, 1, &ref->relevance);
    const bool ok = l.probs <= probs_tolerance && l.gradient <= map_tolerance &&
                    l.map <= map_tolerance && l.relevance <= map_tolerance && l.heads_seen > 0;
    print_message("%s %s/%-24s %-4s probabilities %.1e  gradients %.1e  attention_map %.1e  "
                  "relevance %.1e\n",
                  ok ? "    " : "FAIL",
                  folder,
                  name,
                  xa_isa_name(isa),
                  l.probs,
                  l.gradient,
                  l.map,
                  l.relevance);
    for (int i = 0; i < 2; i++)
        free(l.state[i]);
    xa_model_free(m);
    return ok;
}

/* All references of a folder that have attention, of which there are at least `least`. */
static void check_folder(const char *folder, int least)
{
    char path[1100], why[1200];
    int seen = 0, failures = 0;
    snprintf(path, sizeof path, "%s/golden/%s", XA_TEST_DATA, folder);
    DIR *dir = opendir(path);
    if (!dir)
        fail_msg("%s is missing", path);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        reference ref;
        char pair[512];
        snprintf(pair,
                 sizeof pair,
                 "%s/%.200s",
                 strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder,
                 e->d_name);
        if (!xa_str_ends(e->d_name, ".ref.h5") || (only && strncmp(pair, only, strlen(only))))
            continue;
        snprintf(path, sizeof path, "%s/golden/%s/%.300s", XA_TEST_DATA, folder, e->d_name);
        if (!reference_read(path, &ref, why, sizeof why))
            fail_msg("%s", why);
        for (int isa = XA_ISA_BASE; isa < XA_ISA_AVX512_BF16 && ref.nattention; isa++)
            if (xa_isa_supported((xa_isa)isa))
                failures += !check_reference(folder, e->d_name, &ref, (xa_isa)isa);
        seen += ref.nattention > 0;
        reference_free(&ref);
    }
    closedir(dir);
    if (!only && seen < least)
        fail_msg(
            "%s holds %d references with attention, expected at least %d", folder, seen, least);
    if (failures)
        fail_msg("%s: %d fail", folder, failures);
}

static void test_tf215(void **state)
{
    (void)state;
    check_folder("keras/tf215", 8);
}

static void test_k3(void **state)
{
    (void)state;
    check_folder("keras/k3", 6);
}

static void test_safetensors(void **state)
{
    (void)state;
    check_folder("safetensors", 25);
}

static void test_onnx(void **state)
{
    (void)state;
    check_folder("onnx", 3);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tf215),
        cmocka_unit_test(test_k3),
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_onnx),
    };
    only = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
