/* Shared by the explainers. Private to explain. */
#ifndef XAUDIT_EXPLAIN_INTERNAL_H
#define XAUDIT_EXPLAIN_INTERNAL_H

#include "xaudit/explain.h"

#define X(name, text, file) extern const xa_explainer_def xa_explainer_##file;
XA_EXPLAINER_LIST(X)
#undef X

/* map = reduce over channels of v [H,W,C] (or its absolute values); NONE: channel planes [C,H,W].
 */
void xa_reduce_channels(const xa_explainer_spec *spec,
                        const xa_shape *shape,
                        const float *v,
                        const float *factor,
                        float *map);
/* ---- attention ---- */

/* Heads one after the other into acc [n]: sum, maximum or minimum; the last one turns the sum into
 * the mean. */
void xa_fuse_head(xa_fuse fuse, int64_t head, int64_t heads, int64_t n, const float *p, float *acc);
/* The row of the product that the head reads: v [T] starts as 1 at the query token, or as the mean
 * over the patches. */
void xa_query_row(const xa_tokens *t, double *v);
static inline int64_t xa_token_count(const xa_tokens *t)
{
    return t->prefix + t->height * t->width;
}
/* Sets the `discard` share of a [T,T] matrix to 0, lowest entries first (of equal ones those that
 * come first). Entry 0 stays (vit-explain's rule). work: T*T floats. */
void xa_discard_lowest(double discard, int64_t n, float *a, float *work);
/* v <- v R with R = (A + I), each row divided by its sum. work: T doubles. */
void xa_rollout_step(int64_t tokens, const float *a, double *v, double *work);

/* Settings beyond those that an explainer's needs bring (xa_explainer_def). */
#define XA__HAS(setting) (1u << XA_EXPLAINER_##setting)

/* max(0, .) if the spec asks for it; NaN stays. */
static inline float xa_cam_value(const xa_explainer_spec *spec, double v)
{
    return spec->relu && v < 0.0 ? 0.0f : (float)v;
}

#endif
