/* The scalar that is explained, as its gradient with respect to the head's scores. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "explain_internal.h"

/* All of these add `sign` times the gradient to seed; sign is 1 or -1. */
static void softmax_seed(
    const xa_head *h, const xa_scalar *s, float sign, const float *z, int64_t c, float *seed)
{
    double sum = 0.0;
    float top = z[0];
    for (int64_t k = 1; k < h->units; k++)
        top = z[k] > top ? z[k] : top;
    for (int64_t k = 0; k < h->units; k++)
        sum += exp((double)z[k] - (double)top);
    const double pc = exp((double)z[c] - (double)top) / sum;
    double others = 0.0;
    for (int64_t k = 0; k < h->units; k++)
        if (k != c)
            others += exp((double)z[k] - (double)top) / sum;
    for (int64_t k = 0; k < h->units; k++) {
        const double p = exp((double)z[k] - (double)top) / sum;
        if (s->score == XA_SCORE_LOGPROB)
            seed[k] += sign * (float)(k == c ? others : -p);
        else if (s->as_tensorflow)
            seed[k] += sign * (((k == c ? 1.0f : 0.0f) - (float)pc) * (float)p);
        else
            seed[k] += sign * (float)(k == c ? pc * others : -pc * p);
    }
}

void xa_finer_nearest(const xa_head *h,
                      const float *z,
                      int32_t target,
                      int32_t nearest[XA_FINER_CLASSES])
{
    int found = 0;
    for (int i = 0; i < XA_FINER_CLASSES; i++)
        nearest[i] = -1;
    for (int32_t k = 0; k < (int32_t)h->classes; k++) {
        const float far = fabsf(z[k] - z[target]);
        int at = found;
        if (k == target)
            continue;
        while (at > 0 && far < fabsf(z[nearest[at - 1]] - z[target]))
            at--;
        if (at == XA_FINER_CLASSES)
            continue;
        found += found < XA_FINER_CLASSES;
        for (int i = found - 1; i > at; i--)
            nearest[i] = nearest[i - 1];
        nearest[at] = k;
    }
}

/* With W = sum_j p_j, d_j = z_c - z_j, S = sum_j p_j d_j / (W + e) and [k] 1 for one of the j:
 *   dS/dz_k = ([k] p_k (d_k - 1) - p_k sum_j p_j d_j + W [k = c] - S p_k ([k] - W)) / (W + e). */
static void finer_seed(const xa_head *h, float sign, const float *z, int32_t c, float *seed)
{
    static const double least = 1e-9;
    int32_t nearest[XA_FINER_CLASSES];
    double sum = 0.0, w = 0.0, weighted = 0.0;
    float top = z[0];
    xa_finer_nearest(h, z, c, nearest);
    for (int64_t k = 1; k < h->units; k++)
        top = z[k] > top ? z[k] : top;
    for (int64_t k = 0; k < h->units; k++)
        sum += exp((double)z[k] - (double)top);
    for (int i = 0; i < XA_FINER_CLASSES && nearest[i] >= 0; i++) {
        const double p = exp((double)z[nearest[i]] - (double)top) / sum;
        w += p;
        weighted += p * ((double)z[c] - (double)z[nearest[i]]);
    }
    const double score = weighted / (w + least);
    for (int64_t k = 0; k < h->units; k++) {
        const double p = exp((double)z[k] - (double)top) / sum;
        double d = -p * weighted + score * p * w + (k == c ? w : 0.0);
        for (int i = 0; i < XA_FINER_CLASSES; i++)
            if (nearest[i] == k)
                d += p * ((double)z[c] - (double)z[k] - 1.0 - score);
        seed[k] += sign * (float)(d / (w + least));
    }
}

/* d/dz of log p, p or z for p = sigmoid(sign*z). */
static float sigmoid_seed(xa_score score, double sign, double z)
{
    const double p = 1.0 / (1.0 + exp(-sign * z)), q = 1.0 / (1.0 + exp(sign * z));
    switch (score) {
    case XA_SCORE_PROB:
        return (float)(sign * p * q);
    case XA_SCORE_LOGPROB:
        return (float)(sign * q);
    default:
        return (float)sign;
    }
}

static xa_status add_seed(const xa_head *h,
                          const xa_scalar *s,
                          float sign,
                          const float *z,
                          int32_t target,
                          float *seed,
                          xa_err *err)
{
    if (target < 0 || target >= h->classes)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "class %d is not one of the model's %" PRId64,
                       (int)target,
                       h->classes);
    if (s->score == XA_SCORE_FINER && (h->kind != XA_HEAD_SOFTMAX || h->classes < 2))
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "score: finer compares a class with its neighbours under a softmax of two "
                       "classes or more, and this model's head is %s",
                       xa_head_name(h->kind));
    switch (h->kind) {
    case XA_HEAD_SOFTMAX:
        if (s->score == XA_SCORE_LOGIT)
            seed[target] += sign;
        else if (s->score == XA_SCORE_FINER)
            finer_seed(h, sign, z, target, seed);
        else
            softmax_seed(h, s, sign, z, target, seed);
        return XA_OK;
    case XA_HEAD_BINARY:
        seed[0] += sign * sigmoid_seed(s->score, target ? 1.0 : -1.0, z[0]);
        return XA_OK;
    case XA_HEAD_MULTILABEL:
        seed[target] += sign * sigmoid_seed(s->score, 1.0, z[target]);
        return XA_OK;
    case XA_HEAD_LINEAR:
    case XA_HEAD_NONE:
    case XA_HEAD_REGRESSION:
        if (s->score != XA_SCORE_LOGIT)
            XA_RETURN_FAIL(
                err,
                XA_INVALID,
                "score: %s needs probabilities, and this model has plain scores without them: "
                "write `head: softmax` or `head: sigmoid`, or score: logit",
                xa_score_name(s->score));
        seed[target] += sign;
        return XA_OK;
    }
    XA_RETURN_FAIL(err, XA_INVALID, "unknown head %d", (int)h->kind);
}

xa_status xa_score_seed(
    const xa_head *h, const xa_scalar *s, const float *z, int32_t target, float *seed, xa_err *err)
{
    const float sign = s->down ? -1.0f : 1.0f;
    memset(seed, 0, (size_t)h->units * sizeof(float));
    XA_RETURN_TRY(err, add_seed(h, s, sign, z, target, seed, err));
    if (s->minus >= 0)
        XA_RETURN_TRY(err, add_seed(h, s, -sign, z, s->minus, seed, err));
    return XA_OK;
}

/* log of the sum of exp(z_k - z_c), without overflow: -log p_c of a softmax. */
static double softmax_loss(const xa_head *h, const float *z, int64_t c)
{
    float top = z[0];
    double sum = 0.0;
    for (int64_t k = 1; k < h->units; k++)
        top = z[k] > top ? z[k] : top;
    for (int64_t k = 0; k < h->units; k++)
        sum += exp((double)z[k] - (double)top);
    return log(sum) + (double)top - (double)z[c];
}

static double plain_value(const xa_head *h, xa_score score, const float *z, int32_t target)
{
    double loss; /* -log p */
    if (h->kind == XA_HEAD_BINARY || h->kind == XA_HEAD_MULTILABEL) {
        const bool binary = h->kind == XA_HEAD_BINARY;
        const double v = binary ? (target ? 1.0 : -1.0) * (double)z[0] : (double)z[target];
        loss = v < 0.0 ? log1p(exp(v)) - v : log1p(exp(-v));
        if (score == XA_SCORE_LOGIT)
            return v;
    } else {
        if (score == XA_SCORE_LOGIT)
            return (double)z[target];
        if (h->kind != XA_HEAD_SOFTMAX)
            return NAN;
        loss = softmax_loss(h, z, target);
    }
    return score == XA_SCORE_PROB ? exp(-loss) : score == XA_SCORE_LOGPROB ? -loss : NAN;
}

double xa_score_value(const xa_head *h, const xa_scalar *s, const float *z, int32_t target)
{
    const double v = plain_value(h, s->score, z, target) -
                     (s->minus >= 0 ? plain_value(h, s->score, z, s->minus) : 0.0);
    return s->down ? -v : v;
}
