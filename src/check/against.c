/* Compares preprocessing, outputs, Grad-CAM and input gradients of this build with those of the
 * model's own framework (Keras, PyTorch), on the user's own model and images, so that the user can
 * show the agreement to a reviewer.
 *
 * Outputs and maps are computed from the network inputs that the reference holds. A difference in
 * preprocessing is therefore reported once, and does not show again in everything that follows. */
#include "against.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tolerances. Those of scores and CAM are relative to the largest value. The error of an input
 * gradient is measured against float64, as is the error of the framework's own float32. In a deep
 * network the error of an image is either rounding (1e-7), or a few per cent if the last bit flips
 * the sign of a ReLU or the winner of a pooling. Which images flip is chance, there too. The median
 * image may therefore have twice the error of the framework's median, and the number of flipped
 * images may be twice its number plus two standard errors of such a count. */
static const double score_tolerance = 1e-5, cam_tolerance = 1e-4, gradient_ratio = 2.0,
                    gradient_floor = 1e-6, flip = 1e-4;

/* ---- comparisons ---- */

static double largest(const float *x, int64_t n)
{
    double top = 0.0;
    for (int64_t i = 0; i < n; i++)
        top = fmax(top, fabs((double)x[i]));
    return top;
}

/* The larger one; NaN, which is no agreement, stays. */
static double worse(double a, double b)
{
    return isnan(a) || b <= a ? a : b;
}

static double difference(const float *a, const float *b, int64_t n)
{
    double worst = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        worst = d >= worst || isnan(d) ? d : worst;
        if (isnan(d))
            return NAN;
    }
    return worst;
}

static const char *verdict(xa__against *a, bool good)
{
    a->agrees = a->agrees && good;
    return good ? "ok" : "DIFFERS";
}

static int ends_with_path(const char *longer, const char *tail)
{
    const size_t n = strlen(longer), k = strlen(tail);
    return n >= k && !strcmp(longer + n - k, tail) && (n == k || longer[n - k - 1] == '/');
}

/* The file of an image that the reference names: that of a sample of the manifest whose path ends
 * alike, else the path itself. NULL: there is no such file. */
static const char *image_file(const xa_loaded *l, const char *path)
{
    for (int64_t i = 0; l->manifest && i < l->manifest->count; i++) {
        const xa_sample *s = &l->manifest->samples[i];
        if (ends_with_path(s->file, path) || ends_with_path(path, s->path))
            return s->file;
    }
    return access(path, R_OK) ? NULL : path;
}

static xa_status compare_preprocessing(xa__against *a, const xa_loaded *l, xa_err *err)
{
    xa_status st = XA_OK;
    double worst = 0.0, top = largest(a->input, a->images * a->pixels);
    int64_t compared = 0, missing = 0;
    float *x = xa_alloc((size_t)a->pixels, sizeof(float));
    char *path = xa_alloc(a->path_bytes + 1, 1);
    if (!x || !path)
        XA_NOMEM_FAIL(err);
    for (int64_t i = 0; a->paths && i < a->images; i++) {
        xa_image im = {0};
        memcpy(path, a->paths + (size_t)i * a->path_bytes, a->path_bytes);
        const char *file = image_file(l, path);
        if (!file) {
            missing++;
            continue;
        }
        XA_TRY(err, xa__runner_read(&a->runner, file, &im, err));
        st = xa__runner_prepare(&a->runner, &im, NULL, x, err);
        xa_image_fini(&im);
        XA_TRY(err, st);
        worst = worse(worst, difference(x, a->input + i * a->pixels, a->pixels));
        compared++;
    }
    if (compared)
        printf("  %-28s largest difference %.2e of an input up to %.3g (%" PRId64 " images)  %s\n",
               "preprocessing",
               worst,
               top,
               compared,
               /* a resampler of 8-bit images may round to the next grey level */
               verdict(a, worst <= 1.01 * fabs(xa_scale_factor(&a->runner.spec->input.scale, 0))));
    if (missing)
        printf("  %-28s %" PRId64 " images of the reference were not found here\n", "", missing);
done:
    free(x);
    free(path);
    return st;
}

typedef struct worst_of {
    double logits, probs, cam[XA__AGAINST_LAYERS], plain;
    int64_t same_class;
    double *ours, *theirs; /* [images] largest error of the input gradient against float64 */
} worst_of;

/* The error of a gradient against that in float64, relative to its largest value and to its length.
 */
static void gradient_errors(const float *g, const double *want, int64_t n, double *top, double *l2)
{
    double scale = 0.0, length = 0.0, worst = 0.0, sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double d = (double)g[i] - want[i];
        scale = fmax(scale, fabs(want[i]));
        length += want[i] * want[i];
        worst = worse(worst, fabs(d));
        sum += d * d;
    }
    *top = scale > 0.0 ? worst / scale : worst;
    *l2 = length > 0.0 ? sqrt(sum / length) : sqrt(sum);
}

static xa_status compare_image(xa__against *a, int64_t i, float *work, worst_of *w, xa_err *err)
{
    const xa_head *h = a->runner.head;
    const float *logits = a->runner.logits, *probs = a->runner.probs;
    float *seed = work, *map = work + a->classes;
    const float *want = a->logits + i * a->classes;
    memcpy(
        xa_run_input(&a->runner.run), a->input + i * a->pixels, (size_t)a->pixels * sizeof(float));
    xa__runner_forward(&a->runner);
    const float *z = xa_run_value(&a->runner.run, h->node);
    w->logits = worse(
        w->logits, difference(logits, want, a->classes) / fmax(1e-30, largest(want, a->classes)));
    const xa_scalar scalar = {.score = a->score, .as_tensorflow = true, .minus = -1};
    if (a->probs && xa_head_has_probs(h->kind)) {
        const float *p = a->probs + i * a->classes;
        w->probs = worse(w->probs, difference(probs, p, a->classes));
        w->same_class += xa_head_predict(h, logits, probs) == xa_head_predict(h, logits, p);
    }
    XA_RETURN_TRY(err, xa_score_seed(h, &scalar, z, a->target[i], seed, err));
    xa_run_backward(&a->runner.run, 0, seed);
    for (int k = 0; k < a->nlayers; k++) {
        const xa_layer *l = a->layer[k];
        const int64_t n = l->shape.dim[0] * l->shape.dim[1];
        const xa_explainer_spec cam = xa_explainer_defaults(XA_EXPLAIN_GRADCAM);
        const xa_explain_view v = {.layer_shape = l->shape,
                                   .layer_value = xa_run_value(&a->runner.run, l->node),
                                   .layer_gradient = xa_run_gradient(&a->runner.run, 0, l->node)};
        const float *reference = a->gradcam[k] + i * n;
        xa_explainer_get(XA_EXPLAIN_GRADCAM)->compute(&cam, &v, map);
        const double top = largest(reference, n);
        w->cam[k] = worse(w->cam[k], difference(map, reference, n) / (top > 0.0 ? top : 1.0));
    }
    const float *g =
        xa_run_gradient(&a->runner.run, 0, xa_graph_input(xa_model_graph(a->runner.model)));
    const float *theirs = a->gradient + i * a->pixels;
    w->plain =
        worse(w->plain, difference(g, theirs, a->pixels) / fmax(1e-30, largest(theirs, a->pixels)));
    if (a->gradient64) {
        double top, l2;
        double their_top, their_l2;
        gradient_errors(g, a->gradient64 + i * a->pixels, a->pixels, &top, &l2);
        gradient_errors(theirs, a->gradient64 + i * a->pixels, a->pixels, &their_top, &their_l2);
        xa_log(XA_LOG_INFO,
               "image %" PRId64
               ": input gradient off by %.2e (length) and %.2e (largest), that of %s in float32 "
               "by %.2e and %.2e",
               i,
               l2,
               top,
               a->by,
               their_l2,
               their_top);
        w->ours[i] = top;
        w->theirs[i] = their_top;
    }
    return XA_OK;
}

typedef struct error_summary {
    double median, worst;
    int64_t flipped;
} error_summary;

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Summarises errors, and sorts them. */
static error_summary summarise(double *errors, int64_t n)
{
    error_summary s = {0};
    qsort(errors, (size_t)n, sizeof *errors, ascending);
    s.median = errors[n / 2];
    s.worst = errors[n - 1];
    for (int64_t i = 0; i < n; i++)
        s.flipped += !(errors[i] <= flip);
    return s;
}

static void print_agreement(xa__against *a, const worst_of *w)
{
    printf("  %-28s %.2e of the largest (tolerance %.0e)  %s\n",
           "scores before the head",
           w->logits,
           score_tolerance,
           verdict(a, w->logits <= score_tolerance));
    if (a->probs)
        printf("  %-28s %.2e (tolerance %.0e); same class for %" PRId64 " of %" PRId64 "  %s\n",
               "probabilities",
               w->probs,
               score_tolerance,
               w->same_class,
               a->images,
               verdict(a, w->probs <= score_tolerance && w->same_class == a->images));
    for (int k = 0; k < a->nlayers; k++)
        printf("  %-28s %.2e of the map's maximum (tolerance %.0e), layer %s  %s\n",
               "Grad-CAM",
               w->cam[k],
               cam_tolerance,
               a->layer[k]->path,
               verdict(a, w->cam[k] <= cam_tolerance));
    if (!a->gradient64) {
        printf("  %-28s %.2e of the largest from that of %s in float32; a reference made with "
               "--float64 shows which of them is nearer\n",
               "input gradient",
               w->plain,
               a->by);
        return;
    }
    const error_summary ours = summarise(w->ours, a->images),
                        theirs = summarise(w->theirs, a->images);
    const double allowed =
        gradient_ratio * (double)theirs.flipped + 2.0 * sqrt((double)theirs.flipped + 1.0);
    printf("  %-28s error against float64 of the largest: median %.1e, worst %.1e, flipped %" PRId64
           "; of %s in float32: %.1e, %.1e, %" PRId64 " (of %" PRId64 " images)  %s\n",
           "input gradient",
           ours.median,
           ours.worst,
           ours.flipped,
           a->by,
           theirs.median,
           theirs.worst,
           theirs.flipped,
           a->images,
           verdict(a,
                   ours.median <= fmax(gradient_ratio * theirs.median, gradient_floor) &&
                       (double)ours.flipped <= allowed));
}

/* The model of the job that the reference was made with: by its file name, else the only one; -1:
 * unknown. */
static int pick_model(const xa_loaded *l, xa_archive *ref)
{
    char *name = NULL;
    int found = l->job.audit.nmodels == 1 ? 0 : -1;
    if (xa_archive_attr_text(ref, "/", "model", &name, NULL) == XA_OK && name)
        for (int m = 0; m < l->job.audit.nmodels; m++)
            if (ends_with_path(l->job.audit.models[m].file, name))
                found = m;
    free(name);
    return found;
}

xa_status xa_check_against(const xa_loaded *l, const char *reference, bool *agrees, xa_err *err)
{
    xa__against a = {.agrees = true};
    worst_of w = {0};
    xa_status st = XA_OK;
    char *framework = NULL;
    float *work = NULL;
    XA_TRY(err, xa_reference_open(reference, &a.ref, err));
    const int m = pick_model(l, a.ref);
    XA_TRY(err, xa_archive_attr_text(a.ref, "/", "framework", &framework, err));
    XA_TRY(err, xa_archive_close(a.ref, err));
    a.ref = NULL;
    if (m < 0)
        XA_FAIL(
            err, XA_NOT_FOUND, "%s was made with a model that this job does not have", reference);
    xa__reference_by(&a, framework);
    XA_TRY(err, xa__runner_open(&a.runner, l, m, err));
    XA_TRY(err, xa__reference_read(&a, reference, err));
    int nodes[XA__AGAINST_LAYERS];
    int64_t room = a.classes + 1; /* a seed and a map of every layer */
    for (int k = 0; k < a.nlayers; k++) {
        nodes[k] = a.layer[k]->node;
        room += a.layer[k]->shape.dim[0] * a.layer[k]->shape.dim[1];
    }
    XA_TRY(err, xa__runner_plan(&a.runner, true, nodes, a.nlayers, err));
    work = xa_alloc((size_t)room, sizeof(float));
    w.ours = xa_alloc((size_t)a.images, sizeof(double));
    w.theirs = xa_alloc((size_t)a.images, sizeof(double));
    if (!work || !w.ours || !w.theirs)
        XA_NOMEM_FAIL(err);
    printf("model %s against %s (%s, %" PRId64 " images, score %s)\n",
           a.runner.spec->name,
           reference,
           framework ? framework : a.by,
           a.images,
           xa_score_name(a.score));
    XA_TRY(err, compare_preprocessing(&a, l, err));
    for (int64_t i = 0; i < a.images; i++)
        XA_TRY(err, compare_image(&a, i, work, &w, err));
    print_agreement(&a, &w);
    *agrees = a.agrees;
done:
    free(work);
    free(w.ours);
    free(w.theirs);
    free(framework);
    xa__against_close(&a);
    return st;
}
