/* Means, sums and extremes along axes. Equal extremes share the gradient, as TensorFlow's do. */
#include "axes.h"
#include "ops.h"

/* The argument of the call, or the setting of Keras 3's class. */
static const json_t *argument(const xa__ksite *s, const char *key, int position)
{
    const json_t *v = xa__ksite_value(s, key, position);
    return v ? v : json_object_get(s->layer->config, key);
}

/* Height and width of an image are the engine's global pooling. */
static bool is_global(const xa__kaxes *a, xa_over_kind kind)
{
    return a->before.ndim == 3 && a->n == 2 && a->axes[0] == 0 && a->axes[1] == 1 &&
           (kind == XA_OVER_MEAN || kind == XA_OVER_MAX_SHARED);
}

static xa_status reduce(xa__ksite *s, xa_over_kind kind, int *out, xa_err *err)
{
    const json_t *axis = argument(s, "axis", 1), *keep = argument(s, "keepdims", 2);
    const json_t *initial = argument(s, "initial", 3);
    xa__kaxes axes;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    if (!axis || json_is_null(axis))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a reduction over all axes, the batch among them");
    if (initial && !json_is_null(initial))
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "a reduction with an \"initial\" value");
    XA_RETURN_TRY(err, xa__kaxes_read(s, axis, -1, in, &axes, err));
    const bool keeps = json_is_true(keep);
    if (is_global(&axes, kind)) {
        const xa_op_params p = {
            .global_pool = {kind == XA_OVER_MEAN ? XA_POOL_AVG : XA_POOL_MAX, keeps}};
        return xa__ksite_simple(s, XA_OP_GLOBAL_POOL, in, &p, out, err);
    }
    xa_op_params p = {.reduce = {.kind = kind, .axis = axes.axes[0]}};
    if (axes.n > 1) {
        XA_RETURN_TRY(err, xa__kaxes_join(s, &axes, in, &in, err));
        p.reduce.axis = xa__ksite_shape(s, in)->ndim - 1;
    }
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_REDUCE, in, &p, &in, err));
    return xa__kaxes_reduced(s, &axes, in, keeps, out, err);
}

xa_status xa__kop_mean(xa__ksite *s, int *out, xa_err *err)
{
    return reduce(s, XA_OVER_MEAN, out, err);
}

xa_status xa__kop_sum(xa__ksite *s, int *out, xa_err *err)
{
    return reduce(s, XA_OVER_SUM, out, err);
}

xa_status xa__kop_max(xa__ksite *s, int *out, xa_err *err)
{
    return reduce(s, XA_OVER_MAX_SHARED, out, err);
}

/* min x = -max -x */
xa_status xa__kop_min(xa__ksite *s, int *out, xa_err *err)
{
    const double minus = -1.0;
    int negative;
    XA_RETURN_TRY(err, xa__ksite_one(s, &negative, err));
    XA_RETURN_TRY(err, xa__ksite_affine(s, negative, &minus, 1, NULL, 0, &negative, err));
    xa__ksite turned = *s;
    turned.in = &negative;
    XA_RETURN_TRY(err, xa__kop_max(&turned, out, err));
    return xa__ksite_affine(s, *out, &minus, 1, NULL, 0, out, err);
}
