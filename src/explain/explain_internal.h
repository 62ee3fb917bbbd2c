/* Shared by the explainers. Private to explain. */
#ifndef XAUDIT_EXPLAIN_INTERNAL_H
#define XAUDIT_EXPLAIN_INTERNAL_H

#include "xaudit/explain.h"

#define X(name, text, file) extern const xa_explainer_def xa_explainer_##file;
XA_EXPLAINER_LIST(X)
#undef X

/* map = reduce over channels of v [H,W,C] (or its absolute values); NONE: channel planes [C,H,W].
 */
void xa__map_of_channels(const xa_explainer_spec *spec,
                         const xa_shape *shape,
                         const float *v,
                         const float *factor,
                         float *map);
/* ---- attention ---- */

/* Heads one after the other into acc [n]: sum, maximum or minimum; the last one turns the sum into
 * the mean. */
void xa__fuse_head(
    xa_fuse fuse, int64_t head, int64_t heads, int64_t n, const float *p, float *acc);
/* The row of the product that the head reads: v [T] starts as 1 at the query token, or as the mean
 * over the patches. */
void xa__query_row(const xa_tokens *t, double *v);
/* The patches of v [T] into the map, and the share of |v| on the tokens before them, which are left
 * out, into the view's facts. */
void xa__patches_of(const xa_explain_view *view, const double *v, float *map);
static inline int64_t xa__token_count(const xa_tokens *t)
{
    return t->prefix + t->height * t->width;
}
/* Sets the `discard` share of a [T,T] matrix to 0, lowest entries first (of equal ones those that
 * come first). Entry 0 stays (vit-explain's rule). work: T*T floats. */
void xa__discard_lowest(double discard, int64_t n, float *a, float *work);
/* v <- v R with R = (A + I), each row divided by its sum. work: T doubles. */
void xa__rollout_step(int64_t tokens, const float *a, double *v, double *work);

/* Settings beyond those that an explainer's needs bring (xa_explainer_def). */
#define XA__HAS(setting) (1u << XA_EXPLAINER_##setting)

/* ---- attention weighted by its gradient, multiplied from the head back ---- */

/* State of a kind that keeps the query's row: v and work [T] in double, the fused heads and one
 * head's product, [T,T] each. */
typedef struct xa__back_state {
    double *v, *work;
    float *fused, *product;
} xa__back_state;
size_t xa__back_state_bytes(const xa_explainer_spec *spec, const xa_attention_site *site);
/* Fuses product = P^h * dS/dP^h (or its positive part) of this head into the layer's matrix; v
 * starts as the query's row. False until the last head of a layer from spec->start on was seen. */
bool xa__back_fuse(const xa_explainer_spec *spec,
                   const xa_attention_site *site,
                   int layer,
                   const xa_attention_view *view,
                   bool positive,
                   void *state,
                   xa__back_state *out);

/* ---- perturbed inputs ---- */

/* A rule of n points t_k in [0,1] and weights that add up to 1. TRAPEZOID of one point is MIDDLE.
 */
void xa__quadrature(xa_quadrature rule, int n, double *t, double *weight);

/* A layer's channels that are weighed by an answer each. */
typedef struct xa__channels {
    xa_shape grid;       /* [h,w,K] */
    int64_t skip, count; /* values before the grid, as of tokens before the patches; all values */
    int64_t n;           /* channels asked about */
    int32_t *which;      /* [n] in ascending order */
    float *value;        /* [count], A */
} xa__channels;
int64_t xa__channels_asked(const xa_explainer_spec *spec, const xa_shape *layer);
/* Memory for what follows, weights [n] at its start. */
size_t xa__channels_bytes(const xa_explainer_spec *spec, const xa_shape *layer);
/* Copies the view's layer and chooses channels: all, or those of largest mean |A g|. Returns what
 * lies behind them in memory. */
float *xa__channels_take(const xa_explainer_spec *spec,
                         const xa_explain_view *v,
                         double *memory,
                         xa__channels *out);
/* map = sum over the channels of weight [n] times A. */
void xa__channels_map(const xa_explainer_spec *spec,
                      const xa__channels *c,
                      const double *weight,
                      float *map);

/* ---- class activation maps ---- */

/* max(0, .) if the spec asks for it; NaN stays. */
static inline float xa__cam_value(const xa_explainer_spec *spec, double v)
{
    return spec->relu && v < 0.0 ? 0.0f : (float)v;
}

/* map_ij = sum_k term(g_ijk, A_ijk), in double: a formula inlined into the loop over pixels. */
static inline __attribute__((always_inline)) void xa__cam_by_pixel(const xa_explainer_spec *spec,
                                                                   const xa_explain_view *v,
                                                                   double (*term)(float g, float a),
                                                                   float *map)
{
    const int64_t pixels = v->layer_shape.dim[0] * v->layer_shape.dim[1],
                  kk = v->layer_shape.dim[2];
    for (int64_t p = 0; p < pixels; p++) {
        const float *a = v->layer_value + p * kk, *g = v->layer_gradient + p * kk;
        double sum = 0.0;
        for (int64_t k = 0; k < kk; k++)
            sum += term(g[k], a[k]);
        map[p] = xa__cam_value(spec, sum);
    }
}

/* map_ij = sum_k w_k A_ijk. weight() makes w_k from a channel of g and A: values of `pixels`
 * pixels, `stride` floats from one to the next. */
typedef double
xa__cam_weight(int64_t pixels, int64_t stride, const float *gradient, const float *value);
void xa__cam_by_channel(const xa_explainer_spec *spec,
                        const xa_explain_view *v,
                        xa__cam_weight *weight,
                        float *map);

#endif
