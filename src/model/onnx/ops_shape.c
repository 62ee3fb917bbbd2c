/* Operators that move no element of the image's values: views, transpositions, casts. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runs.h"

/* ---- what regroups axes ---- */

/* An image whose channels were shuffled: who takes some of them needs them together, and a layer is
 * known by its channels. */
static bool is_shuffled(const xa__onnx_layout *l)
{
    return l->rank == 4 && xa__layout_extent(l, 0) == 1 && !xa__layout_together(l, 1, true);
}

static xa_status regroup_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &run, &xa__onnx_out(b, n, 0)->shape, err));
    if (is_shuffled(&run.at)) {
        const int channels[] = {2, 3, 1};
        int order[XA__ONNX_ATOMS], count_of = 0;
        for (int a = 0; a < 3; a++) {
            int count;
            const int first = xa__layout_atoms(&run.at, channels[a], &count);
            for (int i = 0; i < count; i++)
                order[count_of++] = first + i;
        }
        XA_RETURN_TRY(err, xa__onnx_order(b, n, &run, order, &run, err));
        xa__layout_join(&run.at);
        const xa_shape image = xa__layout_natural(&run.at);
        XA_RETURN_TRY(err, xa__onnx_view(b, n, run.node, &image, &run.node, err));
    }
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

static xa_status reshape_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    const bool zero = xa__onnx_int(b->m, n, "allowzero", 0) != 0;
    const int64_t count = xa__onnx_count(&x->shape);
    int64_t dim[XA__ONNX_RANK], known = 1;
    xa__onnx_shape s = {0};
    int open = -1;
    char from[128], to[128];
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "shape", 1, dim, XA__ONNX_RANK, &s.rank, err));
    if (s.rank == -1)
        return xa__onnx_refuse(b, n, err, "it says no shape");
    if (s.rank < 0)
        return XA_OK;
    memcpy(s.dim, dim, (size_t)s.rank * sizeof *dim);
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] == 0 && !zero && i < x->shape.rank)
            s.dim[i] = x->shape.dim[i];
        if (s.dim[i] == -1 && open < 0)
            open = i;
        else if (s.dim[i] < 0 || !xa_i64_mul(known, s.dim[i], &known))
            return xa__onnx_refuse(b, n, err, "its shape is absurd");
    }
    if (open >= 0)
        s.dim[open] = known > 0 && count % known == 0 ? count / known : -1;
    if (xa__onnx_count(&s) != count)
        return xa__onnx_refuse(
            b,
            n,
            err,
            "%s cannot be read as %s: if the export fixed another input or batch "
            "size, export again with this one, or with dynamic axes",
            xa__onnx_shape_text(&x->shape, from, sizeof from),
            xa__onnx_shape_text(&s, to, sizeof to));
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status flatten_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    int64_t axis = xa__onnx_int(b->m, n, "axis", 1);
    xa__onnx_shape s = {.rank = 2, .dim = {1, 1}};
    axis += axis < 0 ? x->shape.rank : 0;
    if (axis < 0 || axis > x->shape.rank)
        return xa__onnx_refuse(b, n, err, "its axis does not exist");
    for (int i = 0; i < x->shape.rank; i++)
        s.dim[i >= axis] *= x->shape.dim[i];
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status squeeze_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    int64_t axes[XA__ONNX_RANK];
    unsigned drop = 0;
    int count, axis;
    xa__onnx_shape s = {0};
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "axes", 1, axes, XA__ONNX_RANK, &count, err));
    if (count == -2)
        return XA_OK;
    for (int i = 0; i < count; i++) {
        if (!xa__onnx_axis(axes[i], x->shape.rank, &axis) || x->shape.dim[axis] != 1)
            return xa__onnx_refuse(b, n, err, "axis %" PRId64 " has not extent 1", axes[i]);
        drop |= 1u << axis;
    }
    for (int i = 0; i < x->shape.rank; i++)
        if (count < 0 ? x->shape.dim[i] != 1 : !(drop >> i & 1))
            s.dim[s.rank++] = x->shape.dim[i];
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status unsqueeze_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    int64_t axes[XA__ONNX_RANK];
    int count, axis, from = 0;
    unsigned one = 0;
    XA_RETURN_TRY(err, xa__onnx_ints(b, n, "axes", 1, axes, XA__ONNX_RANK, &count, err));
    if (count == -2)
        return XA_OK;
    xa__onnx_shape s = {.rank = x->shape.rank + (count > 0 ? count : 0)};
    if (count < 1 || s.rank > XA__ONNX_RANK)
        return xa__onnx_refuse(b, n, err, "it gives %d axes", s.rank);
    for (int i = 0; i < count; i++) {
        if (!xa__onnx_axis(axes[i], s.rank, &axis) || one >> axis & 1)
            return xa__onnx_refuse(b, n, err, "axis %" PRId64 " does not exist, or twice", axes[i]);
        one |= 1u << axis;
    }
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = one >> i & 1 ? 1 : x->shape.dim[from++];
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

/* ---- Transpose ---- */

static bool order_of(xa__onnx_build *b, const xa__onnx_node *n, int rank, int *order)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "perm");
    unsigned seen = 0;
    if (a && (a->kind != XA__ONNX_ATTR_INTS || a->n != rank))
        return false;
    for (int i = 0; i < rank; i++) {
        if (a && (a->ints[i] < 0 || a->ints[i] >= rank))
            return false;
        order[i] = a ? (int)a->ints[i] : rank - 1 - i;
        seen |= 1u << order[i];
    }
    return seen == (1u << rank) - 1;
}

static xa_status transpose_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    int order[XA__ONNX_RANK];
    xa__onnx_shape s = {.rank = x->shape.rank};
    if (!order_of(b, n, s.rank, order))
        return xa__onnx_refuse(b, n, err, "its perm is no order of %d axes", s.rank);
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = x->shape.dim[order[i]];
    return xa__onnx_set(b, n, 0, x->type, &s, err);
}

static xa_status transpose_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_shape *in = &xa__onnx_in(b, n, 0)->shape, *out = &xa__onnx_out(b, n, 0)->shape;
    const double *x = xa__onnx_data(b, n->inputs[0]);
    int order[XA__ONNX_RANK];
    int64_t stride[XA__ONNX_RANK], at[XA__ONNX_RANK] = {0}, s = 1, place = 0;
    double *data;
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    order_of(b, n, in->rank, order);
    for (int i = in->rank - 1; i >= 0; i--) {
        stride[i] = s;
        s *= in->dim[i];
    }
    const int64_t count = xa__onnx_count(out);
    for (int64_t i = 0; i < count; i++) {
        data[i] = x[place];
        for (int d = out->rank - 1; d >= 0; d--) {
            place += stride[order[d]];
            if (++at[d] < out->dim[d])
                break;
            place -= stride[order[d]] * out->dim[d];
            at[d] = 0;
        }
    }
    return XA_OK;
}

static xa_status transpose_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    int order[XA__ONNX_RANK];
    (void)err;
    order_of(b, n, x->at.rank, order);
    const xa__onnx_layout at = xa__layout_transpose(&x->at, order);
    xa__onnx_made(b, n, 0, x->node, &at);
    return XA_OK;
}

/* ---- DepthToSpace, SpaceToDepth ---- */

/* Blocks of B x B positions and channels, split into six axes, which are exchanged and put together
 * again: a view. */
typedef struct blocks {
    xa__onnx_shape split, out;
    int order[6];
} blocks;

static bool blocks_of(xa__onnx_build *b, const xa__onnx_node *n, blocks *k)
{
    const xa__onnx_shape *s = &xa__onnx_in(b, n, 0)->shape;
    const int64_t size = xa__onnx_int(b->m, n, "blocksize", 0);
    if (s->rank != 4 || size < 1 || size > 65536)
        return false;
    const int64_t c = s->dim[1], h = s->dim[2], w = s->dim[3];
    if (!strcmp(n->op, "SpaceToDepth")) {
        *k = (blocks){{6, {s->dim[0], c, h / size, size, w / size, size}},
                      {4, {s->dim[0], c * size * size, h / size, w / size}},
                      {0, 3, 5, 1, 2, 4}};
        return h % size == 0 && w % size == 0;
    }
    const int64_t left = c / (size * size);
    const bool crd = !strcmp(xa__onnx_string(b->m, n, "mode", "DCR"), "CRD");
    *k = (blocks){{6, {s->dim[0], crd ? left : size, size, crd ? size : left, h, w}},
                  {4, {s->dim[0], left, h * size, w * size}},
                  {0, crd ? 1 : 3, 4, crd ? 2 : 1, 5, crd ? 3 : 2}};
    return left * size * size == c;
}

static xa_status blocks_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const char *mode = xa__onnx_string(b->m, n, "mode", "DCR");
    blocks k;
    if (!blocks_of(b, n, &k) || (strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0))
        return xa__onnx_refuse(b, n, err, "its blocks do not fit its input");
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &k.out, err);
}

static xa_status blocks_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_run run = *xa__onnx_run_of(b, n, 0);
    blocks k;
    blocks_of(b, n, &k);
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &run, &k.split, err));
    run.at = xa__layout_transpose(&run.at, k.order);
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, &run, &k.out, err));
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

/* ---- what changes nothing ---- */

static xa_status same_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
    (void)err;
    xa__onnx_made(b, n, 0, x->node, &x->at);
    return XA_OK;
}

static xa_status cast_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    const int to = (int)xa__onnx_int(b->m, n, "to", XA__ONNX_UNDEFINED);
    if (to == XA__ONNX_UNDEFINED || to == XA__ONNX_STRING || to > XA__ONNX_BFLOAT16)
        return xa__onnx_refuse(b, n, err, "it makes %s", xa__onnx_type_name(to));
    if (!x->constant && !xa__onnx_is_float(to))
        return xa__onnx_refuse(
            b, n, err, "it makes %s of what depends on the image", xa__onnx_type_name(to));
    return xa__onnx_set(b, n, 0, to, &x->shape, err);
}

static xa_status cast_fold(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *in = xa__onnx_in(b, n, 0);
    xa__onnx_value *out = xa__onnx_out(b, n, 0);
    double *data;
    if (xa__onnx_is_float(in->type) && xa__onnx_is_float(out->type))
        return xa__onnx_fold_same(b, n, err);
    XA_RETURN_TRY(err, xa__onnx_new_data(b, n, 0, &data, err));
    const double *x = xa__onnx_data(b, n->inputs[0]);
    const int64_t count = xa__onnx_count(&out->shape);
    for (int64_t i = 0; i < count; i++)
        data[i] = out->type == XA__ONNX_BOOL     ? (x[i] < 0.0 || x[i] > 0.0)
                  : xa__onnx_is_float(out->type) ? x[i]
                                                 : trunc(x[i]);
    return XA_OK;
}

static xa_status cast_like_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const int to = xa__onnx_in(b, n, 1)->type;
    xa__onnx_out(b, n, 0)->constant = xa__onnx_in(b, n, 0)->constant;
    if (!xa__onnx_is_float(to) && !xa__onnx_in(b, n, 0)->constant)
        return xa__onnx_refuse(
            b, n, err, "it makes %s of what depends on the image", xa__onnx_type_name(to));
    return xa__onnx_set(b, n, 0, to, &xa__onnx_in(b, n, 0)->shape, err);
}

static xa_status dropout_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double training = 0.0;
    if (xa__onnx_in(b, n, 2) && (!xa__onnx_scalar(b, n->inputs[2], &training) || training > 0.0))
        return xa__onnx_refuse(
            b, n, err, "it drops at random; export the model in evaluation mode");
    xa__onnx_out(b, n, 0)->constant = xa__onnx_in(b, n, 0)->constant;
    return xa__onnx_infer_same(b, n, err);
}

const xa__onnx_op xa__onnx_ops_shape[] = {
    {"Identity", 1, 1, xa__onnx_infer_same, xa__onnx_fold_same, same_lower},
    {"Cast", 1, 1, cast_infer, cast_fold, same_lower},
    {"CastLike", 2, 2, cast_like_infer, cast_fold, same_lower},
    {"Dropout", 1, 3, dropout_infer, xa__onnx_fold_same, same_lower},
    {"Reshape", 1, 2, reshape_infer, xa__onnx_fold_same, regroup_lower},
    {"Flatten", 1, 1, flatten_infer, xa__onnx_fold_same, regroup_lower},
    {"Squeeze", 1, 2, squeeze_infer, xa__onnx_fold_same, regroup_lower},
    {"Unsqueeze", 1, 2, unsqueeze_infer, xa__onnx_fold_same, regroup_lower},
    {"DepthToSpace", 1, 1, blocks_infer, NULL, blocks_lower},
    {"SpaceToDepth", 1, 1, blocks_infer, NULL, blocks_lower},
    {"Transpose", 1, 1, transpose_infer, transpose_fold, transpose_lower},
    {0}};
