/* A golden model that runs one image at a time, and golden values of it. */
#ifndef XAUDIT_TEST_SUBJECT_H
#define XAUDIT_TEST_SUBJECT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/faithful.h"
#include "model/model_run.h"
#include "xaudit/faith.h"
#include "xaudit_cmocka.h"

enum { SIDE = 16, PIXELS = SIDE * SIDE, COUNT = PIXELS * 3, STEPS = 16, SEED = 1000 };

static const xa_shape input_shape = {3, {SIDE, SIDE, 3}};

/* ---- a model, one image at a time ---- */

typedef struct subject {
    const char *name; /* "cnn" or "vit" */
    xa_model *model;
    model_run r;
    xa_head head;
    int32_t class_index;
    float x[COUNT];
    float gradient[COUNT]; /* golden, [C,H,W] */
} subject;

static void start(subject *s, const char *name)
{
    char file[512];
    const xa_model_options options = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    *s = (subject){.name = name};
    snprintf(file,
             sizeof file,
             XA_TEST_DATA "/golden/faithfulness/tiny_%s",
             strcmp(name, "cnn") ? "vit.safetensors" : "cnn.h5");
    if (xa_model_open(file, &options, &s->model, &err) != XA_OK ||
        model_run_start(s->model, 1, XA_ISA_AUTO, -1, NULL, 0, &s->r, &err) != XA_OK)
        fail_msg("%s: %s", file, err.message);
    s->head = *xa_model_head(s->model);
}

static void stop(subject *s)
{
    model_run_end(&s->r);
    xa_model_free(s->model);
}

/* Logit and probability of the class that is explained. */
static double score(subject *s, const float *x, double *prob)
{
    float logits[8], probs[8];
    memcpy(xa_run_input(&s->r.run), x, COUNT * sizeof *x);
    xa_run_forward(&s->r.run);
    xa_head_apply(&s->head, xa_run_value(&s->r.run, s->head.node), logits, probs);
    if (prob)
        *prob = (double)probs[s->class_index];
    return (double)logits[s->class_index];
}

static void differentiate(subject *s, const float *x, float *gradient)
{
    float seed[8];
    score(s, x, NULL);
    assert_int_equal(xa_score_seed(&s->head,
                                   &(xa_scalar){.score = XA_SCORE_LOGIT, .minus = -1},
                                   xa_run_value(&s->r.run, s->head.node),
                                   s->class_index,
                                   seed,
                                   NULL),
                     XA_OK);
    xa_run_backward(&s->r.run, 0, seed);
    const float *g = xa_run_gradient(&s->r.run, 0, xa_graph_input(xa_model_graph(s->model)));
    for (int p = 0; p < PIXELS; p++)
        for (int c = 0; c < 3; c++)
            gradient[c * PIXELS + p] = g[p * 3 + c];
}

static faithful_array golden(const subject *s, const char *what)
{
    char name[160];
    snprintf(name, sizeof name, "%s/%s", s->name, what);
    return faithful_read(name);
}

static double one(const subject *s, const char *what, int image, int at)
{
    faithful_array a = golden(s, what);
    const double v = a.values[image * a.count + at];
    faithful_free(&a);
    return v;
}

static void planes(const double *from, float *to)
{
    for (int p = 0; p < PIXELS; p++)
        for (int c = 0; c < 3; c++)
            to[c * PIXELS + p] = (float)from[p * 3 + c];
}

static void look_at(subject *s, int image)
{
    char file[512];
    xa_image im = {0};
    const xa_decode_options decode = xa_decode_defaults();
    snprintf(file, sizeof file, XA_TEST_DATA "/golden/faithfulness/images/%d.png", image);
    assert_int_equal(xa_image_read(file, &decode, &im, NULL), XA_OK);
    for (int i = 0; i < COUNT; i++)
        s->x[i] = (float)((const uint8_t *)im.data)[i] / 127.5f - 1.0f;
    xa_image_fini(&im);
    s->class_index = (int32_t)one(s, "predicted", image, 0);
    faithful_array a = golden(s, "maps/gradient");
    planes(a.values + image * COUNT, s->gradient);
    faithful_free(&a);
}

static void
expect(const subject *s, int image, const char *what, double have, double want, double within)
{
    if (!(fabs(have - want) <= within))
        fail_msg("%s, image %d, %s: %.9g, expected %.9g", s->name, image, what, have, want);
}

#endif
