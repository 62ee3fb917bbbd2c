/* FullGrad. Srinivas, Fleuret 2019, equations 4 and 5: the score of a piecewise linear network is
 * shared out over its input and everything that its operators add, S = sum x dS/dx + sum_l,k b_lk
 * sum_ij dS/dy_lijk, y_l the output of the operator that adds b_l (a bias; of a batch normalisation
 * beta - gamma mean / deviation). The map adds up these shares where they have a place, L = sum_c
 * psi(x dS/dx)_c + sum_l,k up(psi(b_l dS/dy_l)_k), psi the size, less the smallest of its operator,
 * over the largest that then is, up the linear resampling to the input. A dense layer's shares have
 * no place and are in the sum alone, whose difference to S is kept as completeness. */
#include <math.h>
#include <string.h>

#include "explain_internal.h"
#include "xaudit/image.h"

static const double least = 1e-6; /* of what psi divides by */

static bool has_place(const xa_shape *s)
{
    return s->ndim == 3;
}

/* The largest number of pixels of a share, and those of the input: two planes, singly. */
static int64_t largest_plane(const xa_explain_view *v)
{
    int64_t most = v->input_shape.dim[0] * v->input_shape.dim[1];
    for (int l = 0; l < v->nlayers; l++) {
        const xa_shape *s = &v->layers[l].shape;
        if (has_place(s) && s->dim[0] * s->dim[1] > most)
            most = s->dim[0] * s->dim[1];
    }
    return most;
}

static size_t work_bytes(const xa_explainer_spec *spec, const xa_explain_view *v)
{
    const int64_t pixels = v->input_shape.dim[0] * v->input_shape.dim[1];
    (void)spec;
    return (size_t)pixels * (sizeof(double) + sizeof(float)) +
           (size_t)largest_plane(v) * sizeof(float);
}

/* A share of value i: gradient times what it belongs to. */
static double share_of(const float *gradient, const float *factor, int64_t i, int64_t period)
{
    return (double)gradient[i] * (double)factor[i % period];
}

/* plane [h,w] = sum over channels of psi(gradient * factor); returns the sum of the shares. factor
 * has `period` values, again and again. */
static double put_shares(
    const xa_shape *shape, const float *gradient, const float *factor, int64_t period, float *plane)
{
    const int64_t n = xa_shape_count(shape), channels = xa_shape_last(shape);
    double sum = 0.0, low = INFINITY, high = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double share = share_of(gradient, factor, i, period), size = fabs(share);
        sum += share;
        low = size < low ? size : low;
        high = size > high ? size : high;
    }
    for (int64_t p = 0; plane && p < n / channels; p++) {
        double psi = 0.0;
        for (int64_t c = 0; c < channels; c++)
            psi += (fabs(share_of(gradient, factor, p * channels + c, period)) - low) /
                   (high - low + least);
        plane[p] = (float)psi;
    }
    return sum;
}

static void compute(const xa_explainer_spec *spec, const xa_explain_view *v, float *map)
{
    const int64_t h = v->input_shape.dim[0], w = v->input_shape.dim[1];
    double *total = v->work;
    float *grown = (float *)(total + h * w), *plane = grown + h * w;
    double sum = put_shares(
        &v->input_shape, v->input_gradient, v->input, xa_shape_count(&v->input_shape), grown);
    (void)spec;
    for (int64_t p = 0; p < h * w; p++)
        total[p] = (double)grown[p];
    for (int l = 0; l < v->nlayers; l++) {
        const xa_explain_layer *y = &v->layers[l];
        const bool placed = has_place(&y->shape);
        sum += put_shares(
            &y->shape, y->gradient, y->constants, xa_shape_last(&y->shape), placed ? plane : NULL);
        if (!placed)
            continue;
        xa_upsample_linear(plane, y->shape.dim[0], y->shape.dim[1], grown, h, w);
        for (int64_t p = 0; p < h * w; p++)
            total[p] += (double)grown[p];
    }
    for (int64_t p = 0; p < h * w; p++)
        map[p] = (float)total[p];
    if (v->facts)
        *v->facts = (xa_explain_facts){
            .completeness = sum - v->score, .prefix_mass = NAN, .score = v->score, .base = 0.0};
}

const xa_explainer_def xa_explainer_fullgrad = {
    .name = "fullgrad",
    .reference =
        "Srinivas, Fleuret: Full-gradient representation for neural network visualization, "
        "NeurIPS 2019",
    .needs = XA_NEEDS_INPUT | XA_NEEDS_INPUT_GRADIENT | XA_NEEDS_CONSTANTS,
    .keeps = XA_KEEPS_COMPLETENESS,
    .compute = compute,
    .work_bytes = work_bytes};
