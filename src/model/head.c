/* The head: how scores become probabilities and a class. */
#include <math.h>
#include <string.h>

#include "xaudit/model.h"

static const char *const head_names[] = {[XA_HEAD_SOFTMAX] = "softmax",
                                         [XA_HEAD_BINARY] = "sigmoid",
                                         [XA_HEAD_MULTILABEL] = "multilabel",
                                         [XA_HEAD_LINEAR] = "linear",
                                         [XA_HEAD_NONE] = "none",
                                         [XA_HEAD_REGRESSION] = "regression"};

const char *xa_head_name(xa_head_kind k)
{
    return head_names[k];
}

int xa_head_parse(const char *name)
{
    return xa_word_index(name, head_names, XA_HEAD_REGRESSION + 1);
}

static double sigmoid(double z)
{
    return z >= 0.0 ? 1.0 / (1.0 + exp(-z)) : exp(z) / (1.0 + exp(z));
}

void xa_head_apply(const xa_head *h, const float *z, float *logits, float *probs)
{
    double sum = 0.0;
    float top;
    switch (h->kind) {
    case XA_HEAD_BINARY:
        logits[0] = -z[0];
        logits[1] = z[0];
        probs[0] = (float)sigmoid(-(double)z[0]);
        probs[1] = (float)sigmoid((double)z[0]);
        return;
    case XA_HEAD_MULTILABEL:
        for (int64_t c = 0; c < h->units; c++) {
            logits[c] = z[c];
            probs[c] = (float)sigmoid((double)z[c]);
        }
        return;
    case XA_HEAD_SOFTMAX:
        top = z[0];
        for (int64_t c = 1; c < h->units; c++)
            top = z[c] > top ? z[c] : top;
        for (int64_t c = 0; c < h->units; c++)
            sum += exp((double)z[c] - (double)top);
        for (int64_t c = 0; c < h->units; c++) {
            logits[c] = z[c];
            probs[c] = (float)(exp((double)z[c] - (double)top) / sum);
        }
        return;
    case XA_HEAD_LINEAR:
        memcpy(logits, z, (size_t)h->units * sizeof(float));
        memcpy(probs, z, (size_t)h->units * sizeof(float));
        return;
    case XA_HEAD_NONE:
    case XA_HEAD_REGRESSION:
        memcpy(logits, z, (size_t)h->units * sizeof(float));
        for (int64_t c = 0; c < h->units; c++)
            probs[c] = NAN;
        return;
    }
}

int32_t xa_head_predict(const xa_head *h, const float *logits, const float *probs)
{
    const float *by = xa_head_has_probs(h->kind) ? probs : logits;
    int32_t best = h->kind == XA_HEAD_REGRESSION ? -1 : 0;
    for (int64_t c = 0; c < h->classes; c++)
        if (!isfinite(by[c]))
            return -1;
    if (h->kind == XA_HEAD_BINARY)
        return probs[1] >= 0.5f;
    for (int64_t c = 1; best >= 0 && c < h->classes; c++)
        if (by[c] > by[best])
            best = (int32_t)c;
    return best;
}
