/* How often a model is right, and how well its probabilities say so. */
#include <math.h>

#include "xaudit/view.h"

void xa_read_answered(const xa_read *r, const xa_read_model *m, xa_answered *out)
{
    double sure[XA_CALIBRATION_BINS] = {0}, all = 0.0;
    int64_t right[XA_CALIBRATION_BINS] = {0};
    bool known = m->probs != NULL;
    *out = (xa_answered){.confidence = NAN, .ece = NAN};
    for (int64_t i = 0; i < r->samples && !m->values; i++) {
        const int32_t answer = m->predicted[i];
        if (m->status[i] != XA_SAMPLE_DONE || r->label_offset[i] == r->label_offset[i + 1])
            continue;
        const bool hit = xa_read_has_label(r, i, answer);
        out->n++;
        out->right += hit;
        const double p = known && answer >= 0 ? (double)m->probs[i * m->classes + answer] : NAN;
        known = known && p >= 0.0 && p <= 1.0;
        if (!known)
            continue;
        const int b = (int)ceil(p * XA_CALIBRATION_BINS) - 1, bin = b < 0 ? 0 : b;
        sure[bin] += p;
        all += p;
        right[bin] += hit;
    }
    if (!known || out->n == 0)
        return;
    out->confidence = all / (double)out->n;
    out->ece = 0.0;
    for (int b = 0; b < XA_CALIBRATION_BINS; b++)
        out->ece += fabs((double)right[b] - sure[b]) / (double)out->n;
}
