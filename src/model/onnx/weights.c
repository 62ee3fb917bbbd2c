/* Values of weights, as the engine asks for them when it packs: from the file, in another order. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* The constant itself, behind nodes that only reshape it: weights are not evaluated for that. */
static int tensor_of(const xa__onnx *m, int value)
{
    for (;;) {
        const xa__onnx_value *v = &m->values[value];
        const xa__onnx_node *n = v->node >= 0 && v->tensor < 0 ? &m->nodes[v->node] : NULL;
        if (v->alias >= 0)
            value = v->alias;
        else if (n && !v->data && n->def && n->def->fold == xa__onnx_fold_same)
            value = n->inputs[0];
        else
            return value;
    }
}

/* Values of a constant as float32, kept until another one is asked for. */
static xa_status load(xa__onnx_build *b, int value, const float **values, xa_err *err)
{
    const int at = tensor_of(b->m, value);
    xa__onnx_value *v = &b->m->values[at];
    const int64_t count = xa__onnx_count(&v->shape);
    if (b->last_values && b->last == at) {
        *values = b->last_values;
        return XA_OK;
    }
    free(b->last_values);
    b->last_values = xa_alloc((size_t)count + 1, sizeof(float));
    b->last = at;
    if (!b->last_values)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory for \"%s\"", b->m->path, v->name);
    if (v->tensor >= 0 && !v->data && xa__onnx_is_float(v->type)) {
        const xa_status st = xa__onnx_read_floats(b->m, v->tensor, b->last_values, err);
        if (st != XA_OK) {
            free(b->last_values);
            b->last_values = NULL;
            return st;
        }
    } else {
        xa_status st = xa__onnx_evaluate(b, at, err);
        if (st != XA_OK) {
            free(b->last_values);
            b->last_values = NULL;
            return st;
        }
        const double *data = xa__onnx_data(b, at);
        for (int64_t i = 0; i < count; i++)
            b->last_values[i] = (float)data[i];
    }
    *values = b->last_values;
    return XA_OK;
}

static float turned(const xa__onnx_weight *w, double v)
{
    if (w->keeps)
        return v < 0.0 || v > 0.0 ? 0.0f : -INFINITY;
    return w->reciprocal ? (float)(w->scale / v) : (float)(v * w->scale);
}

/* ---- a whole tensor in another order ---- */

/* Loops in the order of the source, slowest first: `to` is the distance in what is written. */
typedef struct order {
    int n;
    int64_t extent[XA__ONNX_LOOPS], to[XA__ONNX_LOOPS];
} order;

/* False: the weight is not each element of the tensor once. */
static bool order_of(const xa__onnx_weight *w, int64_t total, order *o)
{
    int64_t to[XA__ONNX_LOOPS], left = total, product = 1;
    unsigned used = 0;
    for (int i = w->ndim - 1; i >= 0; i--) {
        to[i] = product;
        product *= w->extent[i];
    }
    *o = (order){0};
    if (w->offset || product != total)
        return false;
    while (left > 1) {
        int next = -1;
        for (int i = 0; i < w->ndim; i++)
            if (!(used >> i & 1) && w->extent[i] > 1 && w->stride[i] * w->extent[i] == left)
                next = i;
        if (next < 0)
            return false;
        used |= 1u << next;
        o->extent[o->n] = w->extent[next];
        o->to[o->n++] = to[next];
        left /= w->extent[next];
    }
    return true;
}

/* Slabs of the slowest loop go side by side, so that what is written lies together where the order
 * is turned: neither the file nor the result is walked in long strides, and little is held. */
static xa_status stream(
    xa__onnx_build *b, const xa__onnx_weight *w, int64_t total, float *dst, bool *done, xa_err *err)
{
    enum { SLABS = 16, SMALL = 1 << 8 };
    const int value = tensor_of(b->m, w->value);
    const xa__onnx_value *v = &b->m->values[value];
    xa_status st = XA_OK;
    order o;
    *done = false;
    if (total < SMALL || v->tensor < 0 || xa__onnx_count(&v->shape) != total ||
        !xa__onnx_holds_floats(b->m, v->tensor) || !order_of(w, total, &o) || o.n < 2)
        return XA_OK;
    const int64_t slab = total / o.extent[0];
    if (slab > (int64_t)1 << 20)
        return XA_OK;
    float *part = xa_alloc((size_t)(slab * SLABS), sizeof *part);
    if (!part)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory for \"%s\"", b->m->path, v->name);
    for (int64_t first = 0; first < o.extent[0]; first += SLABS) {
        const int64_t n = o.extent[0] - first < SLABS ? o.extent[0] - first : SLABS;
        int64_t at[XA__ONNX_LOOPS] = {0}, place = first * o.to[0];
        XA_TRY(err, xa__onnx_read_part(b->m, v->tensor, first * slab, n * slab, part, err));
        for (int64_t i = 0; i < slab; i++) {
            for (int64_t k = 0; k < n; k++)
                dst[place + k * o.to[0]] = turned(w, (double)part[k * slab + i]);
            for (int d = o.n - 1; d > 0; d--) {
                place += o.to[d];
                if (++at[d] < o.extent[d])
                    break;
                place -= o.to[d] * o.extent[d];
                at[d] = 0;
            }
        }
    }
    *done = true;
done:
    free(part);
    return st;
}

xa_status xa__onnx_read_weight(xa__onnx_build *b, const xa_weight *weight, float *dst, xa_err *err)
{
    const xa__onnx_weight *w = &b->weights[weight->source];
    const float *from;
    int64_t at[XA__ONNX_LOOPS] = {0}, place = w->offset;
    const int64_t total = xa_shape_count(&weight->shape);
    bool done;
    XA_RETURN_TRY(err, stream(b, w, total, dst, &done, err));
    if (done)
        return XA_OK;
    XA_RETURN_TRY(err, load(b, w->value, &from, err));
    xa__onnx_forget(b);
    for (int64_t i = 0; i < total; i++) {
        const double v = (double)from[place];
        dst[i] = turned(w, v);
        for (int d = w->ndim - 1; d >= 0; d--) {
            place += w->stride[d];
            if (++at[d] < w->extent[d])
                break;
            place -= w->stride[d] * w->extent[d];
            at[d] = 0;
        }
    }
    /* small ones are asked for in pieces; a large one is not kept */
    if (total > 1 << 22) {
        free(b->last_values);
        b->last_values = NULL;
    }
    return XA_OK;
}

/* ---- columns of a matrix ---- */

/* Rows of a column lie in that many elements from the column's first; columns [first, ..) of dst
 * [rows,count] from slabs of SIDE_BY_SIDE columns, each read at once. */
static xa_status read_slabs(xa__onnx_build *b,
                            const xa__onnx_weight *w,
                            int tensor,
                            int64_t span,
                            int64_t count,
                            float *dst,
                            xa_err *err)
{
    enum { SIDE_BY_SIDE = 16 };
    const int last = w->ndim - 1;
    const int64_t step = w->stride[last];
    xa_status st = XA_OK;
    float *slab = xa_alloc((size_t)((SIDE_BY_SIDE - 1) * step + span), sizeof *slab);
    if (!slab)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory for a weight", b->m->path);
    for (int64_t c = 0; c < count; c += SIDE_BY_SIDE) {
        const int64_t n = count - c < SIDE_BY_SIDE ? count - c : SIDE_BY_SIDE;
        int64_t at[XA__ONNX_LOOPS] = {0}, place = 0;
        float *to = dst + c;
        XA_TRY(err,
               xa__onnx_read_part(
                   b->m, tensor, w->offset + c * step, (n - 1) * step + span, slab, err));
        for (bool more = true; more; to += count) {
            for (int64_t k = 0; k < n; k++)
                to[k] = turned(w, (double)slab[place + k * step]);
            more = false;
            for (int d = last - 1; d >= 0 && !more; d--) {
                place += w->stride[d];
                more = ++at[d] < w->extent[d];
                if (!more) {
                    place -= w->stride[d] * w->extent[d];
                    at[d] = 0;
                }
            }
        }
    }
done:
    free(slab);
    return st;
}

/* Columns are neighbours: a piece of each row. */
static xa_status read_rows(
    xa__onnx_build *b, const xa__onnx_weight *w, int tensor, int64_t count, float *dst, xa_err *err)
{
    int64_t at[XA__ONNX_LOOPS] = {0}, place = w->offset;
    for (bool more = true; more; dst += count) {
        XA_RETURN_TRY(err, xa__onnx_read_part(b->m, tensor, place, count, dst, err));
        for (int64_t k = 0; k < count; k++)
            dst[k] = turned(w, (double)dst[k]);
        more = false;
        for (int d = w->ndim - 2; d >= 0 && !more; d--) {
            place += w->stride[d];
            more = ++at[d] < w->extent[d];
            if (!more) {
                place -= w->stride[d] * w->extent[d];
                at[d] = 0;
            }
        }
    }
    return XA_OK;
}

xa_status xa__onnx_read_columns(xa__onnx_build *b,
                                const xa_weight *weight,
                                int64_t first,
                                int64_t count,
                                float *dst,
                                bool *done,
                                xa_err *err)
{
    xa__onnx_weight w = b->weights[weight->source];
    const int last = w.ndim - 1, tensor = b->m->values[tensor_of(b->m, w.value)].tensor;
    int64_t span = 1;
    *done = false;
    if (last < 1 || tensor < 0 || !xa__onnx_holds_floats(b->m, tensor) ||
        w.extent[last] != weight->shape.dim[1])
        return XA_OK;
    for (int d = 0; d < last; d++)
        span += (w.extent[d] - 1) * w.stride[d];
    w.offset += first * w.stride[last];
    *done = w.stride[last] == 1 || span <= w.stride[last];
    if (!*done)
        return XA_OK;
    return w.stride[last] == 1 ? read_rows(b, &w, tensor, count, dst, err)
                               : read_slabs(b, &w, tensor, span, count, dst, err);
}
