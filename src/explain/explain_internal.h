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
/* max(0, .) if the spec asks for it; NaN stays. */
static inline float xa_cam_value(const xa_explainer_spec *spec, double v)
{
    return spec->relu && v < 0.0 ? 0.0f : (float)v;
}

#endif
