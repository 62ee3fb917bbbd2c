#include "broadcast.h"

#include "tile.h"

#include <inttypes.h>
#include <string.h>

xa_status xa_broadcast_infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    xa_shape out = *xa_input_shape(g, node, 0);
    char a[96], b[96];
    for (int j = 1; j < node->ninputs; j++) {
        const xa_shape *s = xa_input_shape(g, node, j);
        bool fits = s->ndim == out.ndim;
        for (int i = 0; fits && i < s->ndim; i++) {
            fits = s->dim[i] == out.dim[i] || s->dim[i] == 1 || out.dim[i] == 1;
            if (fits && out.dim[i] == 1)
                out.dim[i] = s->dim[i];
        }
        if (!fits)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "layer \"%s\" (%s): input %d is %s, the others are %s: expected equal "
                           "rank and extents that are equal or 1",
                           node->name,
                           xa_op_name(node->op),
                           j,
                           xa_shape_text(s, a, sizeof(a)),
                           xa_shape_text(&out, b, sizeof(b)));
    }
    node->shape = out;
    return XA_OK;
}

static bool is_broadcast(const xa_op_call *c, int j, int axis)
{
    return c->xs[j].dim[axis] == 1;
}

static xa_broadcast start(const xa_op_call *c)
{
    const xa_shape *out = &c->node->shape;
    xa_broadcast b = {.call = c};
    for (int i = 0; i < out->ndim; i++) {
        if (out->dim[i] == 1)
            continue;
        bool merge = b.ndim > 0;
        for (int j = 0; merge && j < c->node->ninputs; j++)
            merge = is_broadcast(c, j, i) == is_broadcast(c, j, b.axis[b.ndim - 1]);
        if (merge) {
            b.dim[b.ndim - 1] *= out->dim[i];
        } else {
            b.dim[b.ndim] = out->dim[i];
            b.axis[b.ndim++] = i;
        }
    }
    if (b.ndim == 0) { /* a single element: walk it as a row of one */
        b.ndim = 1;
        b.dim[0] = 1;
        b.axis[0] = -1;
    }
    return b;
}

static bool one_on(const xa_broadcast *b, int j, int d)
{
    return b->axis[d] >= 0 && is_broadcast(b->call, j, b->axis[d]);
}

/* Offset of the walk's place in input j of its sample. */
static int64_t offset_of(const xa_broadcast *b, int j)
{
    int64_t at = 0, stride = 1;
    for (int d = b->ndim - 1; d >= 0; d--)
        if (!one_on(b, j, d)) {
            at += b->at[d] * stride;
            stride *= b->dim[d];
        }
    return at;
}

xa_operand xa_broadcast_input(const xa_broadcast *b, int j)
{
    const xa_op_call *c = b->call;
    const float *x = c->x[j] + b->sample * xa_shape_count(&c->xs[j]);
    return (xa_operand){x + offset_of(b, j), one_on(b, j, b->ndim - 1)};
}

/* The next chunk of the sample: its extent, or 0 at the end. */
static int64_t chunk_length(const xa_broadcast *b)
{
    return xa_min(XA_CHUNK, b->dim[b->ndim - 1] - b->at[b->ndim - 1]);
}

static bool advance(xa_broadcast *b, int64_t n)
{
    int d = b->ndim - 1;
    b->at[d] += n;
    while (d > 0 && b->at[d] == b->dim[d]) {
        b->at[d] = 0;
        b->at[--d]++;
    }
    return d > 0 || b->at[0] < b->dim[0];
}

static void begin_sample(xa_broadcast *b, int64_t sample)
{
    memset(b->at, 0, sizeof(b->at));
    b->sample = sample;
}

void xa_broadcast_forward(const xa_op_call *c, xa_broadcast_forward_fn *fn)
{
    xa_broadcast b = start(c);
    float *y = c->y;
    int64_t since = 0;
    for (int64_t s = 0; s < c->n; s++) {
        begin_sample(&b, s);
        int64_t n;
        do {
            n = chunk_length(&b);
            fn(&b, n, y);
            y += n;
            if ((since += n) >= XA_TILE) {
                xa_tick_now(c->tick);
                since = 0;
            }
        } while (advance(&b, n));
    }
}

size_t xa_broadcast_scratch(const xa_graph *g, const xa_node *node, int64_t n)
{
    int64_t most = 0;
    (void)n;
    for (int j = 0; j < node->ninputs; j++) {
        const xa_shape *s = xa_input_shape(g, node, j);
        if (!xa_shape_equal(s, &node->shape) && xa_shape_count(s) > most)
            most = xa_shape_count(s);
    }
    return (size_t)most * sizeof(double);
}

/* Adds a chunk of contributions to the sums of the input's elements. */
static void collect(const xa_broadcast *b, int which, int64_t n, const float *g, double *sum)
{
    double *to = sum + offset_of(b, which);
    if (one_on(b, which, b->ndim - 1))
        for (int64_t i = 0; i < n; i++)
            to[0] += (double)g[i];
    else
        for (int64_t i = 0; i < n; i++)
            to[i] += (double)g[i];
}

void xa_broadcast_backward(const xa_op_call *c, xa_broadcast_backward_fn *fn)
{
    const xa_shape *in = &c->xs[c->which];
    const bool direct = xa_shape_equal(in, &c->node->shape);
    const int64_t count = xa_shape_count(in);
    xa_broadcast b = start(c);
    const float *dy = c->dy;
    double *sum = c->scratch;
    int64_t since = 0;
    for (int64_t s = 0; s < c->n; s++) {
        begin_sample(&b, s);
        if (!direct)
            memset(sum, 0, (size_t)count * sizeof(*sum));
        int64_t n;
        do {
            float part[XA_CHUNK];
            n = chunk_length(&b);
            float *g = direct ? c->dx + (dy - c->dy) : part;
            fn(&b, c->which, n, dy, g);
            if (!direct)
                collect(&b, c->which, n, g, sum);
            dy += n;
            if ((since += n) >= XA_TILE) {
                xa_tick_now(c->tick);
                since = 0;
            }
        } while (advance(&b, n));
        if (!direct)
            for (int64_t i = 0; i < count; i++)
                c->dx[s * count + i] = (float)sum[i];
    }
}

double xa_broadcast_flops(const xa_graph *g, const xa_node *node)
{
    (void)g;
    return (double)(node->ninputs - 1) * (double)xa_shape_count(&node->shape);
}
