/* Attention of operator set 23 and later: one operator of the engine, or, where scores are bent
 * (softcap) or the mask depends on the image, single products.
 *
 *   y = softmax(cap(scale q k^T) + mask) v,   cap(s) = softcap tanh(s/softcap)
 *
 * q is [B,N,T,K] or [B,T,N*K], k and v have M heads, of which each serves N/M of q in turn. What
 * hides keys (truths, is_causal: key j > query i; how many keys count; a mask of fewer keys) is one
 * mask. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "attention.h"
#include "runs.h"

enum { Q, K, V, MASK, PAST_KEY, PAST_VALUE, KEYS };

/* Extents of the node: batch, heads of q and of k and v, queries, keys, widths. */
typedef struct extents {
    int64_t batch, heads, shared, t, s, width[3];
    bool flat; /* inputs and output have three axes */
    bool causal;
    double scale, softcap;
} extents;

/* Input i as [B,heads,rows,width]; false: it is not. */
static bool four_axes(const xa__onnx_shape *s, int64_t heads, int64_t four[4])
{
    if (s->rank == 4) {
        for (int i = 0; i < 4; i++)
            four[i] = s->dim[i];
        return heads == 0 || heads == four[1];
    }
    if (s->rank != 3 || heads < 1 || s->dim[2] % heads)
        return false;
    four[0] = s->dim[0];
    four[1] = heads;
    four[2] = s->dim[1];
    four[3] = s->dim[2] / heads;
    return true;
}

/* NULL, or why the node is not read. */
static const char *extents_of(xa__onnx_build *b, const xa__onnx_node *n, extents *e)
{
    int64_t four[3][4];
    *e = (extents){.flat = xa__onnx_in(b, n, Q)->shape.rank == 3,
                   .causal = xa__onnx_int(b->m, n, "is_causal", 0) != 0,
                   .softcap = xa__onnx_float(b->m, n, "softcap", 0.0)};
    for (int i = 0; i < 3; i++) {
        const char *heads = i == Q ? "q_num_heads" : "kv_num_heads";
        const xa__onnx_shape *s = &xa__onnx_in(b, n, i)->shape;
        if (s->rank != (e->flat ? 3 : 4) || !four_axes(s, xa__onnx_int(b->m, n, heads, 0), four[i]))
            return "its heads do not divide its inputs";
        e->width[i] = four[i][3];
    }
    e->batch = four[Q][0];
    e->heads = four[Q][1];
    e->shared = four[K][1];
    e->t = four[Q][2];
    e->s = four[K][2];
    e->scale = xa__onnx_float(b->m, n, "scale", 1.0 / sqrt((double)e->width[Q]));
    if (four[K][0] != e->batch || four[V][0] != e->batch || four[V][1] != e->shared ||
        four[V][2] != e->s || e->width[Q] != e->width[K] || e->shared < 1 || e->heads % e->shared)
        return "its queries, keys and values do not fit each other";
    return NULL;
}

static const char *why_not(xa__onnx_build *b, const xa__onnx_node *n, const extents *e)
{
    const xa__onnx_value *mask = xa__onnx_in(b, n, MASK), *keys = xa__onnx_in(b, n, KEYS);
    const xa__onnx_shape scores = {4, {e->batch, e->heads, e->t, e->s}};
    xa__onnx_shape all;
    if (xa__onnx_in(b, n, PAST_KEY) || xa__onnx_in(b, n, PAST_VALUE))
        return "past keys and values are not read";
    for (int i = 1; i < n->noutputs; i++)
        if (xa__onnx_out(b, n, i) && xa__onnx_out(b, n, i)->uses)
            return "only its first output is read";
    if (!(e->softcap >= 0.0) || isinf(e->softcap) || !isfinite(e->scale))
        return "its scale or softcap is not a number it can have";
    if (keys && (!keys->constant || xa__onnx_count(&keys->shape) != e->batch))
        return "how many of its keys count depends on the image, or is not one number a sample";
    if (!mask)
        return NULL;
    xa__onnx_shape s = mask->shape;
    const bool fewer = s.rank > 0 && s.dim[s.rank - 1] < e->s && s.dim[s.rank - 1] > 1;
    if (fewer)
        s.dim[s.rank - 1] = e->s;
    if (!xa__onnx_broadcast(&s, &scores, &all) || !xa__onnx_shape_equal(&all, &scores))
        return "its mask does not fit its scores";
    if (!mask->constant && (fewer || mask->type == XA__ONNX_BOOL))
        return "its mask depends on the image, and is of truths or of fewer keys";
    return NULL;
}

static xa_status node_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    extents e;
    const char *why = extents_of(b, n, &e);
    if (!why)
        why = why_not(b, n, &e);
    if (why)
        return xa__onnx_refuse(b, n, err, "%s", why);
    xa__onnx_shape out = {4, {e.batch, e.heads, e.t, e.width[V]}};
    if (e.flat)
        out = (xa__onnx_shape){3, {e.batch, e.t, e.heads * e.width[V]}};
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, Q)->type, &out, err);
}

/* ---- the mask ---- */

/* What the mask adds to a score; keys beyond its own are hidden. */
static double
mask_at(const xa__onnx_build *b, const xa__onnx_node *n, const int64_t at[4], const double *data)
{
    const xa__onnx_value *mask = &b->m->values[n->inputs[MASK]];
    int64_t place = 0;
    for (int i = 0; i < mask->shape.rank; i++) {
        const int64_t extent = mask->shape.dim[i], here = at[4 - mask->shape.rank + i];
        if (extent > 1 && here >= extent)
            return -INFINITY;
        place = place * extent + (extent > 1 ? here : 0);
    }
    if (mask->type == XA__ONNX_BOOL)
        return data[place] < 0.0 || data[place] > 0.0 ? 0.0 : -INFINITY;
    return data[place];
}

static bool varies(const xa__onnx_value *mask, int axis)
{
    const int at = mask ? axis - (4 - mask->shape.rank) : -1;
    return at >= 0 && mask->shape.dim[at] > 1;
}

/* All that is constant and added to the scores, as numbers of *shape [B or 1, N or 1, T, S]; to be
 * freed. */
static xa_status whole_mask(xa__onnx_build *b,
                            const xa__onnx_node *n,
                            const extents *e,
                            bool with_mask,
                            xa__onnx_shape *shape,
                            float **values,
                            xa_err *err)
{
    const xa__onnx_value *mask = with_mask ? xa__onnx_in(b, n, MASK) : NULL,
                         *keys = xa__onnx_in(b, n, KEYS);
    const double *data = NULL, *counts = NULL;
    int64_t at[4] = {0};
    *values = NULL;
    if (mask) {
        XA_RETURN_TRY(err, xa__onnx_evaluate(b, n->inputs[MASK], err));
        data = xa__onnx_data(b, n->inputs[MASK]);
    }
    if (keys) {
        XA_RETURN_TRY(err, xa__onnx_evaluate(b, n->inputs[KEYS], err));
        counts = xa__onnx_data(b, n->inputs[KEYS]);
    }
    *shape = (xa__onnx_shape){
        4, {keys || varies(mask, 0) ? e->batch : 1, varies(mask, 1) ? e->heads : 1, e->t, e->s}};
    XA_RETURN_TRY(err, xa__onnx_floats(b, xa__onnx_count(shape), values, err));
    for (int64_t i = 0; i < xa__onnx_count(shape); i++) {
        const bool hidden =
            (e->causal && at[3] > at[2]) || (counts && (double)at[3] >= counts[at[0]]);
        (*values)[i] = hidden ? -INFINITY : mask ? (float)mask_at(b, n, at, data) : 0.0f;
        for (int d = 3; d >= 0 && ++at[d] == shape->dim[d]; d--)
            at[d] = 0;
    }
    return XA_OK;
}

/* ---- lowering ---- */

/* Input i as [B,N,rows,width], each head of k and v as often as q has heads for it. */
static xa_status heads_of(
    xa__onnx_build *b, xa__onnx_node *n, const extents *e, int i, xa__onnx_run *run, xa_err *err)
{
    static const int swap[4] = {0, 2, 1, 3};
    const int64_t heads = i == Q ? e->heads : e->shared;
    const xa__onnx_shape apart = {4, {e->batch, i == Q ? e->t : e->s, heads, e->width[i]}};
    xa_status st = XA_OK;
    float *list = NULL;
    XA_TRY(err, xa__onnx_as_run(b, n, i, run, err));
    if (e->flat) {
        XA_TRY(err, xa__onnx_regroup(b, n, run, &apart, err));
        run->at = xa__layout_transpose(&run->at, swap);
    }
    if (heads != e->heads) {
        XA_TRY(err, xa__onnx_floats(b, e->heads, &list, err));
        for (int64_t h = 0; h < e->heads; h++)
            list[h] = (float)(h / (e->heads / heads));
        XA_TRY(err, xa__onnx_gather_run(b, n, run, 1, list, e->heads, err));
    }
done:
    free(list);
    return st;
}

/* As single products. `mask` NULL: nothing constant is added. */
static xa_status composed(xa__onnx_build *b,
                          xa__onnx_node *n,
                          const extents *e,
                          xa__onnx_run qkv[3],
                          const xa__onnx_run *mask,
                          xa__onnx_run *out,
                          xa_err *err)
{
    static const int turn[4] = {0, 1, 3, 2};
    const xa__onnx_run *given = xa__onnx_run_of(b, n, MASK);
    xa__onnx_run s, rows;
    qkv[K].at = xa__layout_transpose(&qkv[K].at, turn);
    XA_RETURN_TRY(err, xa__onnx_product(b, n, &qkv[Q], &qkv[K], &s, err));
    XA_RETURN_TRY(
        err,
        xa__onnx_scale(
            b, n, e->softcap > 0.0 ? e->scale / e->softcap : e->scale, 0.0, s.node, &s.node, err));
    if (e->softcap > 0.0) {
        XA_RETURN_TRY(
            err, xa__onnx_activate(b, n, xa_activation_default(XA_ACT_TANH), s.node, &s.node, err));
        XA_RETURN_TRY(err, xa__onnx_scale(b, n, e->softcap, 0.0, s.node, &s.node, err));
    }
    if (mask)
        XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_ADD, &s, mask, &s, err));
    if (given)
        XA_RETURN_TRY(err, xa__onnx_pair(b, n, XA_OP_ADD, &s, given, &s, err));
    XA_RETURN_TRY(err, xa__onnx_rows(b, n, &s, 1u << 3, &rows, err));
    XA_RETURN_TRY(err, xa__onnx_add_unary(b, n, XA_OP_SOFTMAX, NULL, rows.node, &rows.node, err));
    return xa__onnx_product(b, n, &rows, &qkv[V], out, err);
}

static xa_status node_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    static const int swap[4] = {0, 2, 1, 3};
    const bool given = xa__onnx_run_of(b, n, MASK) != NULL;
    const xa__onnx_shape *made = &xa__onnx_out(b, n, 0)->shape;
    xa_status st = XA_OK;
    extents e;
    xa__onnx_run qkv[3], out, added;
    struct xa__onnx_literal_mask mask = {.values = NULL};
    extents_of(b, n, &e);
    for (int i = 0; i < 3; i++)
        XA_TRY(err, heads_of(b, n, &e, i, &qkv[i], err));
    if (e.causal || xa__onnx_in(b, n, KEYS) || (xa__onnx_in(b, n, MASK) && !given))
        XA_TRY(err, whole_mask(b, n, &e, !given, &mask.shape, &mask.values, err));
    if (given || e.softcap > 0.0) {
        if (mask.values)
            XA_TRY(err, xa__onnx_literal(b, n, &mask.shape, mask.values, &added, err));
        XA_TRY(err, composed(b, n, &e, qkv, mask.values ? &added : NULL, &out, err));
    } else {
        const struct xa__onnx_form form = {.scale = e.scale,
                                           .groups = e.batch,
                                           .heads = e.heads,
                                           .literal = mask.values ? &mask : NULL};
        XA_TRY(err, xa__onnx_attend(b, n, &form, qkv, &out, err));
    }
    if (e.flat)
        out.at = xa__layout_transpose(&out.at, swap);
    XA_TRY(err, xa__onnx_regroup(b, n, &out, made, err));
    xa__onnx_made(b, n, 0, out.node, &out.at);
done:
    free(mask.values);
    return st;
}

const xa__onnx_op xa__onnx_ops_attention_node[] = {
    {"Attention", 3, 7, node_infer, NULL, node_lower}, {0}};
