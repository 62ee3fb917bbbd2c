/* Layers over a sequence [steps,channels], which is an image one pixel wide to the engine. */
#include <inttypes.h>
#include <string.h>

#include "layers.h"

/* [T,C] as [T,1,C]. */
static xa_status as_column(const xa__ksite *s, int *in, xa_err *err)
{
    char text[64];
    XA_RETURN_TRY(err, xa__ksite_one(s, in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    const xa_shape x = *xa__ksite_shape(s, *in);
    if (x.ndim != 2)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "input %s, expected [steps,channels]",
                       xa_shape_text(&x, text, sizeof text));
    const xa_shape column = xa__kshape3(x.dim[0], 1, x.dim[1]);
    return xa__ksite_reshape(s, *in, &column, in, err);
}

static xa_status as_line(const xa__ksite *s, int in, int *out, xa_err *err)
{
    const xa_shape x = *xa__ksite_shape(s, in), line = xa__kshape2(x.dim[0], x.dim[2]);
    return xa__ksite_reshape(s, in, &line, out, err);
}

/* A whole number, or a list of one. */
static xa_status
read_one(const xa__ksite *s, const char *key, int64_t missing, int64_t *out, xa_err *err)
{
    const json_t *v = json_object_get(s->layer->config, key);
    if (!json_is_array(v))
        return xa__kget_int(s->layer->config, key, missing, 1, XA__KMAX_EXTENT, out, err);
    char text[80];
    double x = 0;
    if (xa__kjson_numbers(v, &x, 1) != 1 || x < 1 || x > XA__KMAX_EXTENT || x != (double)(int64_t)x)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "\"%s\" is %s, expected a whole number from 1",
                       key,
                       xa__kjson_text(v, text, sizeof text));
    *out = (int64_t)x;
    return XA_OK;
}

/* Like "valid" behind steps of zeros in front, so that a value depends on no later step. */
static xa_status read_padding(const xa__ksite *s, xa_window *w, xa_err *err)
{
    const char *padding;
    XA_RETURN_TRY(err, xa__kget_text(s->layer->config, "padding", "valid", &padding, err));
    if (strcmp(padding, "causal") != 0)
        return xa__ksite_padding(s, &w->padding, err);
    w->padding = XA_EXPLICIT;
    w->edges.top = (w->kh - 1) * w->dh;
    return XA_OK;
}

static const xa__kslot conv_slots[] = {
    {"kernel", NULL, NULL, true, true, false},
    {"bias", NULL, "use_bias", true, true, false},
    {NULL, NULL, NULL, false, false, false},
};

static xa_status build_conv1d(xa__ksite *s, int *out, xa_err *err)
{
    const json_t *c = s->layer->config;
    const int64_t most = XA__KMAX_EXTENT;
    xa_op_params p = {.conv2d = {.window = {.kw = 1, .sw = 1, .dw = 1}}};
    xa_window *win = &p.conv2d.window;
    int in, w[2];
    XA_RETURN_TRY(err,
                  xa__ksite_known(s,
                                  "filters kernel_size strides padding data_format dilation_rate "
                                  "groups activation use_bias",
                                  err));
    XA_RETURN_TRY(err, as_column(s, &in, err));
    XA_RETURN_TRY(err, read_one(s, "kernel_size", 0, &win->kh, err));
    XA_RETURN_TRY(err, read_one(s, "strides", 1, &win->sh, err));
    XA_RETURN_TRY(err, read_one(s, "dilation_rate", 1, &win->dh, err));
    XA_RETURN_TRY(err, read_padding(s, win, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "filters", 0, 1, most, &p.conv2d.filters, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "groups", 1, 1, most, &p.conv2d.groups, err));
    const int64_t channels = xa_shape_last(xa__ksite_shape(s, in)), groups = p.conv2d.groups;
    if (channels % groups || p.conv2d.filters % groups)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%" PRId64 " groups divide neither %" PRId64 " channels nor %" PRId64
                       " filters evenly",
                       groups,
                       channels,
                       p.conv2d.filters);
    const xa_shape kernel = xa__kshape3(win->kh, channels / groups, p.conv2d.filters),
                   as = xa__kshape4(win->kh, 1, channels / groups, p.conv2d.filters),
                   bias = xa__kshape1(p.conv2d.filters);
    XA_RETURN_TRY(err, xa__ksite_weight(s, 0, &kernel, &as, &w[0], err));
    XA_RETURN_TRY(err, xa__ksite_weight(s, 1, &bias, NULL, &w[1], err));
    XA_RETURN_TRY(err, xa__ksite_node(s, XA_OP_CONV2D, &in, 1, &p, w, 2, &in, err));
    XA_RETURN_TRY(err, as_line(s, in, &in, err));
    return xa__ksite_activate(s, json_object_get(c, "activation"), in, out, err);
}

static xa_status build_pool(xa__ksite *s, xa_op op, int *out, xa_err *err)
{
    xa_op_params p = {.pool = {.kw = 1, .sw = 1, .dh = 1, .dw = 1}};
    int in;
    XA_RETURN_TRY(err, xa__ksite_known(s, "pool_size strides padding data_format", err));
    XA_RETURN_TRY(err, as_column(s, &in, err));
    XA_RETURN_TRY(err, read_one(s, "pool_size", 2, &p.pool.kh, err));
    XA_RETURN_TRY(err, read_one(s, "strides", p.pool.kh, &p.pool.sh, err));
    XA_RETURN_TRY(err, xa__ksite_padding(s, &p.pool.padding, err));
    XA_RETURN_TRY(err, xa__ksite_simple(s, op, in, &p, &in, err));
    return as_line(s, in, out, err);
}

static xa_status build_max(xa__ksite *s, int *out, xa_err *err)
{
    return build_pool(s, XA_OP_MAX_POOL, out, err);
}

static xa_status build_average(xa__ksite *s, int *out, xa_err *err)
{
    return build_pool(s, XA_OP_AVG_POOL, out, err);
}

/* Padding and cropping: one number for both ends, or two. */
static xa_status
build_ends(xa__ksite *s, xa_op op, const char *key, int64_t missing, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int64_t ends[2];
    int in;
    XA_RETURN_TRY(err, xa__ksite_known(s, "padding cropping data_format", err));
    XA_RETURN_TRY(err, as_column(s, &in, err));
    XA_RETURN_TRY(err, xa__kget_pair(s->layer->config, key, missing, 0, ends, err));
    p.edges.top = ends[0];
    p.edges.bottom = ends[1];
    XA_RETURN_TRY(err, xa__ksite_simple(s, op, in, &p, &in, err));
    return as_line(s, in, out, err);
}

static xa_status build_pad(xa__ksite *s, int *out, xa_err *err)
{
    return build_ends(s, XA_OP_PAD, "padding", 1, out, err);
}

static xa_status build_crop(xa__ksite *s, int *out, xa_err *err)
{
    return build_ends(s, XA_OP_CROP, "cropping", 1, out, err);
}

const xa__kclass xa__kclasses_line[] = {
    {"Conv1D", build_conv1d, conv_slots, 0},
    {"MaxPooling1D", build_max, NULL, 0},
    {"AveragePooling1D", build_average, NULL, 0},
    {"ZeroPadding1D", build_pad, NULL, 0},
    {"Cropping1D", build_crop, NULL, 0},
    {NULL, NULL, NULL, 0},
};
