/* Pooling. */
#include "layers.h"

static xa_status build_window(xa__ksite *s, xa_op op, int *out, xa_err *err)
{
    xa_op_params p = {0};
    const json_t *c = s->layer->config;
    int64_t size[2], strides[2];
    int in;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, xa__kget_pair(c, "pool_size", 2, 1, size, err));
    strides[0] = size[0];
    strides[1] = size[1];
    if (!xa__kget_absent(c, "strides"))
        XA_RETURN_TRY(err, xa__kget_pair(c, "strides", 1, 1, strides, err));
    XA_RETURN_TRY(err, xa__ksite_padding(s, &p.pool.padding, err));
    p.pool.kh = size[0];
    p.pool.kw = size[1];
    p.pool.sh = strides[0];
    p.pool.sw = strides[1];
    p.pool.dh = p.pool.dw = 1;
    return xa__ksite_simple(s, op, in, &p, out, err);
}

static xa_status build_max(xa__ksite *s, int *out, xa_err *err)
{
    return build_window(s, XA_OP_MAX_POOL, out, err);
}

static xa_status build_average(xa__ksite *s, int *out, xa_err *err)
{
    return build_window(s, XA_OP_AVG_POOL, out, err);
}

static xa_status build_global(xa__ksite *s, xa_pool_kind kind, int *out, xa_err *err)
{
    xa_op_params p = {.global_pool = {.kind = kind}};
    int in;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err,
                  xa__kget_bool(s->layer->config, "keepdims", false, &p.global_pool.keepdims, err));
    return xa__ksite_simple(s, XA_OP_GLOBAL_POOL, in, &p, out, err);
}

static xa_status build_global_max(xa__ksite *s, int *out, xa_err *err)
{
    return build_global(s, XA_POOL_MAX, out, err);
}

static xa_status build_global_average(xa__ksite *s, int *out, xa_err *err)
{
    return build_global(s, XA_POOL_AVG, out, err);
}

/* Over the tokens of [tokens,width], as a grid of one column. */
static xa_status build_global_1d(xa__ksite *s, xa_pool_kind kind, int *out, xa_err *err)
{
    const xa_op_params p = {.global_pool = {.kind = kind}};
    bool keep;
    int in;
    XA_RETURN_TRY(err, xa__ksite_one(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, xa__kget_bool(s->layer->config, "keepdims", false, &keep, err));
    const xa_shape x = *xa__ksite_shape(s, in);
    if (x.ndim != 2)
        XA_RETURN_FAIL(err, XA_SHAPE, "input of %d dimensions, expected [tokens,width]", x.ndim);
    const xa_shape column = xa__kshape3(x.dim[0], 1, x.dim[1]), row = xa__kshape2(1, x.dim[1]);
    XA_RETURN_TRY(err, xa__ksite_reshape(s, in, &column, &in, err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, XA_OP_GLOBAL_POOL, in, &p, out, err));
    return keep ? xa__ksite_reshape(s, *out, &row, out, err) : XA_OK;
}

static xa_status build_global_max_1d(xa__ksite *s, int *out, xa_err *err)
{
    return build_global_1d(s, XA_POOL_MAX, out, err);
}

static xa_status build_global_average_1d(xa__ksite *s, int *out, xa_err *err)
{
    return build_global_1d(s, XA_POOL_AVG, out, err);
}

const xa__kclass xa__kclasses_pool[] = {
    {"GlobalMaxPooling1D", build_global_max_1d, NULL, 0},
    {"GlobalAveragePooling1D", build_global_average_1d, NULL, 0},
    {"MaxPooling2D", build_max, NULL, 0},
    {"AveragePooling2D", build_average, NULL, 0},
    {"GlobalMaxPooling2D", build_global_max, NULL, 0},
    {"GlobalAveragePooling2D", build_global_average, NULL, 0},
    {NULL, NULL, NULL, 0},
};
