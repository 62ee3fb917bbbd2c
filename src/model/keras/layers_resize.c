/* Layers that resample an image. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "axes.h"

static xa_status read_resampling(const xa__ksite *s, xa_resize_kind *kind, xa_err *err)
{
    const char *name;
    XA_RETURN_TRY(err, xa__kget_text(s->layer->config, "interpolation", "nearest", &name, err));
    if (strcmp(name, "nearest") == 0)
        *kind = XA_RESIZE_NEAREST;
    else if (strcmp(name, "bilinear") == 0)
        *kind = XA_RESIZE_BILINEAR;
    else if (strcmp(name, "bicubic") == 0)
        *kind = XA_RESIZE_BICUBIC;
    else
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "\"interpolation\" is \"%s\"; nearest, bilinear and bicubic are supported",
                       name);
    return XA_OK;
}

static xa_status build_upsampling(xa__ksite *s, int *out, xa_err *err)
{
    xa_op_params p = {0};
    int64_t size[2];
    int in;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, xa__kget_pair(s->layer->config, "size", 2, 1, size, err));
    XA_RETURN_TRY(err, read_resampling(s, &p.resize.kind, err));
    const xa_shape *x = xa__ksite_shape(s, in);
    if (!xa_i64_mul(x->dim[0], size[0], &p.resize.height) ||
        !xa_i64_mul(x->dim[1], size[1], &p.resize.width))
        XA_RETURN_FAIL(err, XA_LIMIT, "the upsampled size overflows");
    return xa__ksite_simple(s, XA_OP_RESIZE, in, &p, out, err);
}

/* ---- antialiased ---- */

/* TensorFlow's kernels: a triangle, and Keys' cubic with a = -0.5. */
static double kernel(xa_resize_kind kind, double x)
{
    x = fabs(x);
    if (kind == XA_RESIZE_BILINEAR)
        return x < 1.0 ? 1.0 - x : 0.0;
    if (x >= 2.0)
        return 0.0;
    return x >= 1.0 ? ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0 : ((1.5 * x - 2.5) * x) * x + 1.0;
}

/* Resamples the last axis by a product with a literal matrix [in,out]: where an axis shrinks, the
 * kernel is as wide as the pixels it covers, and its weights add up to 1 at the edges too. */
static xa_status
resample_last(xa__ksite *s, int in, xa_resize_kind kind, int64_t to, int *out, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t from = xa_shape_last(xa__ksite_shape(s, in));
    const double step = (double)from / (double)to, scale = step > 1.0 ? step : 1.0;
    const double radius = scale * (kind == XA_RESIZE_BILINEAR ? 1.0 : 2.0);
    const xa_shape shape = xa__kshape2(from, to);
    const xa_op_params p = {.dense.units = to};
    int w[2] = {-1, -1};
    float *matrix = NULL;
    if (from > 8192 || to > 8192)
        XA_FAIL(err, XA_LIMIT, "an antialiased resizing of more than 8192 pixels");
    matrix = xa_alloc((size_t)(from * to), sizeof *matrix);
    if (!matrix)
        XA_NOMEM_FAIL(err);
    for (int64_t o = 0; o < to; o++) {
        const double centre = ((double)o + 0.5) * step;
        const int64_t low = (int64_t)fmax(ceil(centre - radius - 0.5), 0.0),
                      high = (int64_t)fmin(floor(centre + radius - 0.5), (double)(from - 1));
        double sum = 0.0;
        for (int64_t i = low; i <= high; i++)
            sum += kernel(kind, ((double)i + 0.5 - centre) / scale);
        for (int64_t i = low; i <= high; i++)
            matrix[i * to + o] = (float)(kernel(kind, ((double)i + 0.5 - centre) / scale) / sum);
    }
    XA_TRY(err, xa_graph_add_weight(s->b->graph, "antialias", &shape, -1, matrix, &w[0], err));
    XA_TRY(err, xa__ksite_node(s, XA_OP_DENSE, &in, 1, &p, w, 2, out, err));
done:
    free(matrix);
    return st;
}

static xa_status antialiased(xa__ksite *s, int in, const xa_op_params *p, int *out, xa_err *err)
{
    static const int rows[] = {1, 2, 0}, columns[] = {2, 1, 0}, image[] = {0, 2, 1};
    XA_RETURN_TRY(err, xa__kaxes_permute(s, in, rows, &in, err)); /* [W,C,H] */
    XA_RETURN_TRY(err, resample_last(s, in, p->resize.kind, p->resize.height, &in, err));
    XA_RETURN_TRY(err, xa__kaxes_permute(s, in, columns, &in, err)); /* [h,C,W] */
    XA_RETURN_TRY(err, resample_last(s, in, p->resize.kind, p->resize.width, &in, err));
    return xa__kaxes_permute(s, in, image, out, err);
}

/* ---- aspect ---- */

static int64_t whole(int64_t a, int64_t b, int64_t by)
{
    return (int64_t)((double)a * (double)b / (double)by);
}

/* Cuts the middle out of the image, or puts zeros around it, so that it has the aspect of h x w. */
static xa_status
to_aspect(xa__ksite *s, int in, bool pads, int64_t h, int64_t w, int *out, xa_err *err)
{
    const xa_shape *x = xa__ksite_shape(s, in);
    xa_op_params p = {0};
    int64_t size[2] = {whole(x->dim[1], h, w), whole(x->dim[0], w, h)}, over[2];
    for (int i = 0; i < 2; i++) {
        const int64_t n = x->dim[i];
        size[i] = pads || size[i] < n ? size[i] : n;
        size[i] = pads && size[i] < n ? n : size[i] < 1 ? 1 : size[i];
        over[i] = pads ? size[i] - n : n - size[i];
    }
    /* Keras pads as much behind as in front, so that an odd rest is left out */
    p.edges.top = over[0] / 2;
    p.edges.bottom = pads ? p.edges.top : over[0] - p.edges.top;
    p.edges.left = over[1] / 2;
    p.edges.right = pads ? p.edges.left : over[1] - p.edges.left;
    *out = in;
    if (!p.edges.top && !p.edges.bottom && !p.edges.left && !p.edges.right)
        return XA_OK;
    return xa__ksite_simple(s, pads ? XA_OP_PAD : XA_OP_CROP, in, &p, out, err);
}

static xa_status build_resizing(xa__ksite *s, int *out, xa_err *err)
{
    static const char keys[] = "height width interpolation crop_to_aspect_ratio "
                               "pad_to_aspect_ratio fill_mode fill_value antialias data_format";
    xa_op_params p = {0};
    const json_t *c = s->layer->config;
    const char *fill;
    double value;
    bool crops, pads, smooth;
    int in;
    XA_RETURN_TRY(err, xa__ksite_known(s, keys, err));
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__ksite_channels_last(s, err));
    XA_RETURN_TRY(err, xa__kget_bool(c, "crop_to_aspect_ratio", false, &crops, err));
    XA_RETURN_TRY(err, xa__kget_bool(c, "pad_to_aspect_ratio", false, &pads, err));
    XA_RETURN_TRY(err, xa__kget_bool(c, "antialias", false, &smooth, err));
    XA_RETURN_TRY(err, xa__kget_text(c, "fill_mode", "constant", &fill, err));
    XA_RETURN_TRY(err, xa__kget_real(c, "fill_value", 0.0, &value, err));
    if (pads && (crops || strcmp(fill, "constant") != 0 || value != 0.0))
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "pads with \"fill_mode\" %s and \"fill_value\" %g%s; zeros are supported",
                       fill,
                       value,
                       crops ? ", and crops" : "");
    XA_RETURN_TRY(err, xa__kget_int(c, "height", 0, 1, XA__KMAX_EXTENT, &p.resize.height, err));
    XA_RETURN_TRY(err, xa__kget_int(c, "width", 0, 1, XA__KMAX_EXTENT, &p.resize.width, err));
    p.resize.kind = XA_RESIZE_BILINEAR;
    if (!xa__kget_absent(c, "interpolation"))
        XA_RETURN_TRY(err, read_resampling(s, &p.resize.kind, err));
    if (crops || pads)
        XA_RETURN_TRY(err, to_aspect(s, in, pads, p.resize.height, p.resize.width, &in, err));
    if (smooth && p.resize.kind != XA_RESIZE_NEAREST)
        return antialiased(s, in, &p, out, err);
    return xa__ksite_simple(s, XA_OP_RESIZE, in, &p, out, err);
}

const xa__kclass xa__kclasses_resize[] = {
    {"UpSampling2D", build_upsampling, NULL, 0},
    {"Resizing", build_resizing, NULL, 0},
    {NULL, NULL, NULL, 0},
};
