/* Maps that do not depend on the image. */
#include "metric_internal.h"

#include <math.h>

static const struct {
    const char *name, *description;
} baselines[XA_BASELINE_COUNT] = {
#define X(kind, text, description) [XA_BASELINE_##kind] = {text, description},
    XA_BASELINE_LIST(X)
#undef X
};

const char *xa_baseline_name(xa_baseline_kind k)
{
    return baselines[k].name;
}

const char *xa_baseline_description(xa_baseline_kind k)
{
    return baselines[k].description;
}

void xa_baseline_map(xa_baseline_kind k, float *values)
{
    enum { N = XA_BASELINE_SIDE };
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            const double dx = (x + 0.5) / N - 0.5, dy = (y + 0.5) / N - 0.5;
            values[y * N + x] = k == XA_BASELINE_FULL
                                    ? 1.0f
                                    : (float)exp(-(dx * dx + dy * dy) / (2.0 * 0.25 * 0.25));
        }
    if (k == XA_BASELINE_FULL)
        values[N * N - 1] = 0.999f;
}

void xa_baseline_place(xa_baseline_kind k, xa_score_map *m)
{
    m->channels = 1;
    m->has_peak = k == XA_BASELINE_CENTRE;
    m->peak[0] = m->affine[0][0] * 0.5 * (double)m->input_width + m->affine[0][2];
    m->peak[1] = m->affine[1][1] * 0.5 * (double)m->input_height + m->affine[1][2];
}

bool xa_baseline_scores(xa_baseline_kind k, xa_metric_kind metric)
{
    return k != XA_BASELINE_FULL || xa__metric_of(metric)->compares != XA__POINT;
}
