/* resize: an image to another size, in TensorFlow's half-pixel form (tf.image.resize, Keras'
 * UpSampling2D and Resizing): output pixel i lies at (i + 0.5)*in/out - 0.5 of the input, computed
 * in float32 as TensorFlow does, without antialias. There are up to four taps per axis; gradients
 * go back through the same taps.
 */
#include "tile.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { TAPS = 4, MOST = 1 << 16 };

/* One output position of one axis. Unused taps have weight 0 and a valid index. */
typedef struct taps {
    int32_t at[TAPS];
    float w[TAPS];
} taps;

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const int64_t h = node->params.resize.height, w = node->params.resize.width;
    XA_RETURN_TRY(err, xa_check_ndim(g, node, 0, 3, err));
    const xa_shape *s = xa_input_shape(g, node, 0);
    if (h < 1 || w < 1 || h > MOST || w > MOST || s->dim[0] > MOST || s->dim[1] > MOST)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (resize): %" PRId64 "x%" PRId64 " to %" PRId64 "x%" PRId64
                       ", expected sides of 1 to %d",
                       node->name,
                       s->dim[0],
                       s->dim[1],
                       h,
                       w,
                       MOST);
    if ((int)node->params.resize.kind < XA_RESIZE_NEAREST ||
        node->params.resize.kind > XA_RESIZE_BICUBIC)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "layer \"%s\" (resize): interpolation %d does not exist",
                       node->name,
                       (int)node->params.resize.kind);
    node->shape = (xa_shape){.ndim = 3, .dim = {h, w, s->dim[2]}};
    return XA_OK;
}

static size_t axis_bytes(int64_t out)
{
    return xa_align_up((size_t)out * sizeof(taps), XA_ALIGN);
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return axis_bytes(node->params.resize.height) + axis_bytes(node->params.resize.width);
}

static int32_t bound(int64_t i, int64_t in)
{
    return (int32_t)(i < 0 ? 0 : i >= in ? in - 1 : i);
}

static taps nearest(int64_t i, float scale, int64_t in)
{
    taps t = {.w = {1.0f}};
    t.at[0] = bound((int64_t)floorf(((float)i + 0.5f) * scale), in);
    return t;
}

static taps bilinear(int64_t i, float scale, int64_t in)
{
    const float x = ((float)i + 0.5f) * scale - 0.5f, below = floorf(x), part = x - below;
    taps t = {.w = {1.0f - part, part}};
    t.at[0] = bound((int64_t)below, in);
    t.at[1] = bound((int64_t)ceilf(x), in);
    return t;
}

/* Keys' kernel at distance x in [0,1) and [1,2), a = -0.5. TensorFlow reads both from tables in
 * steps of 1/1024; so the distance is rounded to that here. */
static float keys_near(float x)
{
    return (1.5f * x - 2.5f) * x * x + 1.0f;
}
static float keys_far(float x)
{
    return ((-0.5f * x + 2.5f) * x - 4.0f) * x + 2.0f;
}

static taps bicubic(int64_t i, float scale, int64_t in)
{
    const float x = ((float)i + 0.5f) * scale - 0.5f, below = floorf(x);
    const float part = (float)lrintf((x - below) * 1024.0f) / 1024.0f;
    const float w[TAPS] = {
        keys_far(1.0f + part), keys_near(part), keys_near(1.0f - part), keys_far(2.0f - part)};
    taps t = {.at = {0}};
    float sum = 0.0f;
    for (int k = 0; k < TAPS; k++) {
        const int64_t at = (int64_t)below - 1 + k;
        t.at[k] = bound(at, in);
        t.w[k] = t.at[k] == at ? w[k]
                               : 0.0f; /* taps outside count nothing; the rest is scaled up below */
        sum += t.w[k];
    }
    if (fabsf(sum) >= 1000.0f * 1.17549435e-38f)
        for (int k = 0; k < TAPS; k++)
            t.w[k] *= 1.0f / sum;
    return t;
}

static void fill(xa_resize_kind kind, int64_t in, int64_t out, taps *t)
{
    const float scale = (float)in / (float)out;
    for (int64_t i = 0; i < out; i++)
        t[i] = kind == XA_RESIZE_NEAREST    ? nearest(i, scale, in)
               : kind == XA_RESIZE_BILINEAR ? bilinear(i, scale, in)
                                            : bicubic(i, scale, in);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const int64_t oh = node->params.resize.height, ow = node->params.resize.width;
    (void)w;
    (void)fold;
    memset(dst, 0, packed_bytes(g, node));
    fill(node->params.resize.kind, s->dim[0], oh, dst);
    fill(node->params.resize.kind, s->dim[1], ow, (void *)((char *)dst + axis_bytes(oh)));
}

typedef struct tables {
    const taps *y, *x;
} tables;

static tables tables_of(const xa_op_call *c)
{
    return (tables){
        c->weights,
        (const void *)((const char *)c->weights + axis_bytes(c->node->params.resize.height))};
}

static void forward(const xa_op_call *c)
{
    const tables t = tables_of(c);
    const xa_shape *in = &c->xs[0], *out = &c->node->shape;
    const int64_t ch = in->dim[2], tile = xa_tile_rows(out->dim[0], out->dim[1] * ch * TAPS);
    float *y = c->y;
    for (int64_t s = 0; s < c->n; s++) {
        const float *x = c->x[0] + s * xa_shape_count(in);
        for (int64_t i = 0; i < out->dim[0]; i++) {
            for (int64_t j = 0; j < out->dim[1]; j++, y += ch) {
                memset(y, 0, (size_t)ch * sizeof(*y));
                for (int a = 0; a < TAPS; a++) {
                    const float *row = x + t.y[i].at[a] * in->dim[1] * ch;
                    for (int b = 0; b < TAPS; b++) {
                        const float w = t.y[i].w[a] * t.x[j].w[b];
                        const float *p = row + t.x[j].at[b] * ch;
                        for (int64_t k = 0; w != 0.0f && k < ch; k++)
                            y[k] += w * p[k];
                    }
                }
            }
            if (i % tile == tile - 1)
                xa_tick_now(c->tick);
        }
    }
}

static void backward(const xa_op_call *c)
{
    const tables t = tables_of(c);
    const xa_shape *in = &c->xs[0], *out = &c->node->shape;
    const int64_t ch = in->dim[2], tile = xa_tile_rows(out->dim[0], out->dim[1] * ch * TAPS);
    const float *dy = c->dy;
    memset(c->dx, 0, (size_t)(c->n * xa_shape_count(in)) * sizeof(float));
    for (int64_t s = 0; s < c->n; s++) {
        float *dx = c->dx + s * xa_shape_count(in);
        for (int64_t i = 0; i < out->dim[0]; i++) {
            for (int64_t j = 0; j < out->dim[1]; j++, dy += ch)
                for (int a = 0; a < TAPS; a++) {
                    float *row = dx + t.y[i].at[a] * in->dim[1] * ch;
                    for (int b = 0; b < TAPS; b++) {
                        const float w = t.y[i].w[a] * t.x[j].w[b];
                        float *p = row + t.x[j].at[b] * ch;
                        for (int64_t k = 0; w != 0.0f && k < ch; k++)
                            p[k] += w * dy[k];
                    }
                }
            if (i % tile == tile - 1)
                xa_tick_now(c->tick);
        }
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    static const double pixels[] = {1.0, 4.0, 16.0};
    (void)g;
    return 2.0 * pixels[node->params.resize.kind] * (double)xa_shape_count(&node->shape);
}

const xa_op_def xa_op_resize = {.name = "resize",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .infer = infer,
                                .packed_bytes = packed_bytes,
                                .pack = pack,
                                .forward = forward,
                                .backward = backward,
                                .flops = flops};
