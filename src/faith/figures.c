/* From the model's answers to a check to figures of the map. */
#include <math.h>

#include "faith_internal.h"

/* ---- figures ---- */

static void measure_curve(const xa_faith_measured *m, double *figure)
{
    const int points = m->check->steps + 1;
    const bool deletion = m->check->kind == XA_FAITH_DELETION;
    double curve[XA_FAITH_STEPS + 1], falling[XA_FAITH_STEPS + 1];
    const double *own = m->reply[0].prob;
    for (int i = 0; i < points; i++) /* from the whole image to the baseline */
        falling[i] = own[deletion ? i : points - 1 - i];
    figure[0] = xa_faith_auc(own, points);
    figure[1] = xa_faith_normalise(falling, points, curve) ? xa_faith_auc(curve, points) : NAN;
    figure[2] = falling[points - 1];
    /* a baseline that leaves more than half of the class's probability does not remove it */
    figure[3] = falling[points - 1] > 0.5 * falling[0] ? 1.0 : 0.0;
    figure[4] = m->reply[0].tied;
    for (int b = 1; b < m->blocks; b++)
        figure[4 + b] = figure[0] - xa_faith_auc(m->reply[b].prob, points);
}

/* 1 less the area under p_i / p_0. */
static double irof_of(const xa_faith_replies *r, int points)
{
    double curve[XA_FAITH_CELLS * XA_FAITH_CELLS + 1];
    for (int i = 0; i < points; i++)
        curve[i] = r->prob[i] / r->prob[0];
    return 1.0 - xa_faith_auc(curve, points);
}

static void measure_irof(const xa_faith_measured *m, double *figure)
{
    const int points = m->check->cells * m->check->cells + 1;
    const double *p = m->reply[0].prob;
    figure[0] = irof_of(&m->reply[0], points);
    figure[1] = p[points - 1];
    figure[2] = p[points - 1] > 0.5 * p[0] ? 1.0 : 0.0;
    figure[3] = m->reply[0].tied;
    for (int b = 1; b < m->blocks; b++)
        figure[3 + b] = figure[0] - irof_of(&m->reply[b], points);
}

static double road_of(const xa_faith_replies *r)
{
    return xa_road_score(r->score, r->score + XA_FAITH_SHARES, XA_FAITH_SHARES);
}

static void measure_road(const xa_faith_measured *m, double *figure)
{
    figure[0] = road_of(&m->reply[0]);
    figure[1] = m->reply[0].tied;
    for (int b = 1; b < m->blocks; b++)
        figure[1 + b] = figure[0] - road_of(&m->reply[b]);
}

/* The map and its rivals over the pixels; the rivals lie in the scratch. */
enum { MAPS = 1 + XA_RIVAL_COUNT };
static void all_maps(const xa_faith_measured *m, const float *values[MAPS])
{
    const xa_shape *s = &m->subject->shape;
    const int64_t n = s->dim[0] * s->dim[1];
    values[0] = m->pixels;
    for (int k = 0; k < XA_RIVAL_COUNT; k++) {
        float *to = (float *)m->scratch + k * n;
        xa_rival_map((xa_rival_kind)k,
                     m->subject->x,
                     s->dim[0],
                     s->dim[1],
                     s->dim[2],
                     m->subject->seed,
                     m->pixels,
                     to);
        values[1 + k] = to;
    }
}

static void measure_subsets(const xa_faith_measured *m, double *figure)
{
    const int64_t n = m->subject->shape.dim[0] * m->subject->shape.dim[1];
    const int draws = m->check->draws;
    const float *values[MAPS];
    double mean[MAPS] = {0};
    int32_t *subset = (int32_t *)(void *)((float *)m->scratch + XA_RIVAL_COUNT * n);
    all_maps(m, values);
    for (int size = 0; size < XA_FAITH_SIZES; size++) {
        double drop[XA_SUBSET_DRAWS], sum[MAPS][XA_SUBSET_DRAWS];
        const int64_t count = xa_faith_size(n, size);
        for (int d = 0; d < draws; d++) {
            xa_faith_subset(m->subject->seed, n, count, d, subset);
            drop[d] = m->reply[0].clean_score - m->reply[0].score[size * draws + d];
            for (int k = 0; k < MAPS; k++)
                sum[k][d] = xa_faith_sum(values[k], subset, count);
        }
        for (int k = 0; k < MAPS; k++) {
            const double r = xa_faith_pearson(sum[k], drop, draws);
            mean[k] += r / XA_FAITH_SIZES;
            if (k == 0)
                figure[1 + size] = r;
        }
    }
    figure[0] = mean[0];
    for (int k = 1; k < MAPS; k++)
        figure[XA_FAITH_SIZES + k] = mean[0] - mean[k];
}

/* Rivals have one value a pixel, which all its channels get. */
static double dot_of(const float *field, const float *values, int64_t pixels, int64_t channels)
{
    double sum = 0.0;
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++)
            sum += (double)field[p * channels + c] * (double)values[p];
    return sum;
}

static void measure_noise(const xa_faith_measured *m, double *figure)
{
    const xa_shape *s = &m->subject->shape;
    const int64_t n = s->dim[0] * s->dim[1];
    const int draws = m->check->draws;
    const float *values[MAPS];
    double dot[MAPS][XA_SUBSET_DRAWS], drop[XA_SUBSET_DRAWS], plain[MAPS], scaled[MAPS];
    float *field = (float *)m->scratch + XA_RIVAL_COUNT * n;
    all_maps(m, values);
    for (int d = 0; d < draws; d++) {
        xa__faith_noise(m->check, m->subject, d, field);
        drop[d] = m->reply[0].clean_score - m->reply[0].score[d];
        dot[0][d] = xa_faith_dot(field, m->map, n, s->dim[2]);
        for (int k = 1; k < MAPS; k++)
            dot[k][d] = dot_of(field, values[k], n, s->dim[2]);
    }
    for (int k = 0; k < MAPS; k++)
        xa_faith_infidelity(dot[k], drop, draws, &plain[k], &scaled[k]);
    figure[0] = scaled[0];
    figure[1] = plain[0];
    for (int k = 1; k < MAPS; k++)
        figure[1 + k] = scaled[0] - scaled[k];
}

static void measure_complexity(const xa_faith_measured *m, double *figure)
{
    const int64_t n = m->subject->shape.dim[0] * m->subject->shape.dim[1];
    const float *values[MAPS];
    all_maps(m, values);
    figure[0] = (double)xa_faith_complexity(values[0], n, 0.01) / (double)n;
    for (int k = 0; k < XA_RIVAL_SHUFFLED; k++)
        figure[1 + k] = figure[0] - (double)xa_faith_complexity(values[1 + k], n, 0.01) / (double)n;
}

void xa_faith_measure(const xa_faith_measured *m, double *figures)
{
    switch (m->check->kind) {
    case XA_FAITH_DELETION:
    case XA_FAITH_INSERTION:
        measure_curve(m, figures);
        return;
    case XA_FAITH_IROF:
        measure_irof(m, figures);
        return;
    case XA_FAITH_ROAD:
        measure_road(m, figures);
        return;
    case XA_FAITH_SENSITIVITY_N:
        measure_subsets(m, figures);
        return;
    case XA_FAITH_INFIDELITY:
        measure_noise(m, figures);
        return;
    default:
        measure_complexity(m, figures);
        return;
    }
}
