/* The accuracy of a model under the usual ways of preprocessing. */
#include "check_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/view.h"

typedef struct variant {
    xa_scale scale;
    bool swapped; /* channels in the other order */
    bool own;     /* as the job says */
    int64_t right, seen;
    xa_answers answers; /* of images with one label */
} variant;

enum { MAX_VARIANTS = 12 };

typedef struct probe {
    const xa_loaded *l;
    xa__runner runner;
    variant variants[MAX_VARIANTS];
    int n;
} probe;

static bool same(const xa_scale *a, xa_scale_kind kind)
{
    return a->kind == kind && kind != XA_SCALE_CUSTOM;
}

static void list_variants(probe *p)
{
    static const xa_scale_kind kinds[] = {
        XA_SCALE_NONE, XA_SCALE_UNIT, XA_SCALE_TF, XA_SCALE_CAFFE, XA_SCALE_TORCH};
    const bool colour = xa_model_input(p->runner.model).dim[2] == 3;
    p->variants[p->n++] = (variant){.scale = p->runner.spec->input.scale, .own = true};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int swapped = 0; swapped < (colour ? 2 : 1); swapped++) {
            if (!swapped && same(&p->runner.spec->input.scale, kinds[k]))
                continue;
            if (!colour && kinds[k] >= XA_SCALE_CAFFE)
                continue;
            p->variants[p->n++] = (variant){.scale = {.kind = kinds[k]}, .swapped = swapped};
        }
}

static void swap_channels(float *x, int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++) {
        const float t = x[3 * i];
        x[3 * i] = x[3 * i + 2];
        x[3 * i + 2] = t;
    }
}

/* Tries one image under every variant. The run will report an image that cannot be read. */
static xa_status try_image(probe *p, const xa_sample *s, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image im = {0};
    xa_err why = XA_ERR_INIT;
    xa__runner *r = &p->runner;
    float *x = xa_run_input(&r->run);
    if (xa__runner_read(r, s->file, &im, &why) != XA_OK)
        return XA_OK;
    for (int k = 0; k < p->n; k++) {
        variant *v = &p->variants[k];
        XA_TRY(err, xa__runner_prepare(r, &im, &v->scale, x, err));
        if (v->swapped)
            swap_channels(x, r->spec->input.height * r->spec->input.width);
        xa__runner_forward(r);
        const int32_t predicted = xa_head_predict(r->head, r->logits, r->probs); /* -1: none */
        v->seen++;
        for (int32_t i = 0; i < s->nlabels; i++)
            v->right += xa_category_has(s->categories, s->labels[i], predicted);
        if (s->nlabels == 1 && s->labels[0] < XA_CATEGORY && predicted >= 0)
            XA_TRY(err, xa_answers_add(&v->answers, s->labels[0], predicted, err));
    }
done:
    xa_image_fini(&im);
    return st;
}

static const char *class_name(void *arg, int32_t c, char *buffer, size_t size)
{
    const xa_loaded *l = arg;
    if (l->job.classes.names && c >= 0 && c < l->job.classes.count)
        snprintf(buffer, size, "%s", l->job.classes.names[c]);
    else
        snprintf(buffer, size, "class %d", (int)c);
    return buffer;
}

/* Looks for another order of the classes that explains a variant's answers, and prints it. */
static xa_status print_order(const probe *p, variant *v, bool *found, xa_err *err)
{
    xa_class_order order = {0};
    xa_str text = {0};
    *found = false;
    XA_RETURN_TRY(err, xa_class_order_find(&v->answers, &order, err));
    if (order.nmoved) {
        *found = true;
        xa_class_order_text(&order, class_name, (void *)p->l, &text);
        printf("  warning: class names seem to be in another order: %s (label, prediction); %.0f "
               "%% of these "
               "%" PRId64
               " images fit then, %.0f %% as it is%s%s. Check the order of `classes` and of the "
               "labels\n",
               text.data ? text.data : "",
               100.0 * (double)order.held / (double)order.images,
               order.images,
               100.0 * (double)order.right / (double)order.images,
               v->own ? "" : ", with scale: ",
               v->own ? "" : xa_scale_name(v->scale.kind));
        xa_str_free(&text);
    }
    xa_class_order_free(&order);
    return XA_OK;
}

static xa_status print(probe *p, xa_err *err)
{
    bool reordered;
    const variant *own = &p->variants[0], *best = own;
    for (int v = 1; v < p->n; v++)
        if (p->variants[v].right > best->right)
            best = &p->variants[v];
    printf("model %s on %" PRId64 " labelled images:\n", p->runner.spec->name, own->seen);
    for (int v = 0; v < p->n; v++) {
        const variant *x = &p->variants[v];
        printf("  %5.1f %%  scale: %s%s%s\n",
               x->seen ? 100.0 * (double)x->right / (double)x->seen : 0.0,
               xa_scale_name(x->scale.kind),
               x->swapped ? ", channels reversed" : "",
               x->own ? "   as written" : "");
    }
    /* first with the scaling as written; with another one only if that is better as well */
    XA_RETURN_TRY(err, print_order(p, &p->variants[0], &reordered, err));
    if (reordered)
        return XA_OK;
    if (best != own && best->right > own->right + own->seen / 20)
        printf(
            "  %.0f %% as written, %.0f %% with scale: %s%s: is that what it was trained with?\n",
            100.0 * (double)own->right / (double)own->seen,
            100.0 * (double)best->right / (double)best->seen,
            xa_scale_name(best->scale.kind),
            best->swapped ? " and channels reversed (convert the images, or the first layer)" : "");
    const bool poor = 2 * own->right < own->seen;
    for (int v = 1; v < p->n && poor && !reordered; v++)
        if (!p->variants[v].swapped)
            XA_RETURN_TRY(err, print_order(p, &p->variants[v], &reordered, err));
    return XA_OK;
}

static xa_status probe_model(const xa_loaded *l, int m, int64_t most, xa_err *err)
{
    xa_status st = XA_OK;
    probe p = {.l = l};
    const xa_manifest *manifest = l->manifest;
    int64_t labelled = 0, taken = 0;
    for (int64_t i = 0; i < manifest->count; i++)
        labelled += manifest->samples[i].nlabels > 0 && !manifest->samples[i].exclude;
    if (labelled == 0)
        XA_FAIL(err, XA_INVALID, "%s: no image is labelled: --probe needs labels", manifest->file);
    XA_TRY(err, xa__runner_open(&p.runner, l, m, err));
    list_variants(&p);
    XA_TRY(err, xa__runner_plan(&p.runner, false, NULL, 0, err));
    for (int64_t i = 0, at = 0; i < manifest->count; i++) {
        const xa_sample *s = &manifest->samples[i];
        if (!s->nlabels || s->exclude)
            continue;
        if (at * most / labelled >= taken && taken < most) { /* evenly over the manifest */
            taken++;
            XA_TRY(err, try_image(&p, s, err));
        }
        at++;
    }
    XA_TRY(err, print(&p, err));
done:
    for (int v = 0; v < p.n; v++)
        xa_answers_free(&p.variants[v].answers);
    xa__runner_close(&p.runner);
    return st;
}

xa_status xa_check_probe(const xa_loaded *l, int64_t most, xa_err *err)
{
    for (int m = 0; m < l->job.audit.nmodels; m++)
        XA_RETURN_TRY(err, probe_model(l, m, most, err));
    return XA_OK;
}
