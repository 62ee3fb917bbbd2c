#include "axes.h"

xa_status xa__kaxes_read(
    const xa__ksite *s, const json_t *value, int64_t missing, int node, xa__kaxes *out, xa_err *err)
{
    const xa_shape *x = xa__ksite_shape(s, node);
    const bool list = json_is_array(value);
    const size_t count = list ? json_array_size(value) : 1;
    bool taken[XA_MAX_DIMS] = {false};
    int at = 0;
    *out = (xa__kaxes){.before = *x};
    if (x->ndim < 1)
        XA_RETURN_FAIL(err, XA_SHAPE, "called with a single number, which has no axis");
    if (count == 0 || count > XA_MAX_DIMS)
        XA_RETURN_FAIL(err, XA_INVALID, "\"axis\" lists %zu axes", count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = list ? json_array_get(value, i) : value;
        const bool given = item && !json_is_null(item);
        int axis;
        if (given && !json_is_integer(item))
            XA_RETURN_FAIL(err, XA_FORMAT, "\"axis\" is no whole number");
        XA_RETURN_TRY(
            err, xa__ksite_axis(given ? json_integer_value(item) : missing, x->ndim, &axis, err));
        taken[axis] = true;
    }
    for (int chosen = 0; chosen < 2; chosen++)
        for (int i = 0; i < x->ndim; i++)
            if (taken[i] == (chosen == 1)) {
                out->order[at++] = i;
                if (chosen)
                    out->axes[out->n++] = i;
            }
    out->moved.ndim = x->ndim;
    for (int i = 0; i < x->ndim; i++)
        out->moved.dim[i] = x->dim[out->order[i]];
    return XA_OK;
}

xa_shape xa__kaxes_extents(const xa__kaxes *a)
{
    xa_shape s = {.ndim = a->n};
    for (int i = 0; i < a->n; i++)
        s.dim[i] = a->before.dim[a->axes[i]];
    return s;
}

int64_t xa__kaxes_count(const xa__kaxes *a)
{
    const xa_shape s = xa__kaxes_extents(a);
    return xa_shape_count(&s);
}

xa_status xa__kaxes_permute(const xa__ksite *s, int in, const int *order, int *out, xa_err *err)
{
    const xa_node *n = xa_graph_node(s->b->graph, in);
    const int ndim = n->shape.ndim;
    xa_op_params p = {0};
    bool moves = false;
    /* of a tensor that was turned: both at once */
    const bool again = s->b->channels_first && n->op == XA_OP_PERMUTE;
    for (int i = 0; i < ndim; i++) {
        p.permute.order[i] = again ? n->params.permute.order[order[i]] : order[i];
        moves = moves || p.permute.order[i] != i;
    }
    *out = again ? n->inputs[0] : in;
    return moves ? xa__ksite_simple(s, XA_OP_PERMUTE, *out, &p, out, err) : XA_OK;
}

/* [rest.., last] */
static xa_shape joined(const xa__kaxes *a, int64_t last)
{
    xa_shape s = {.ndim = a->before.ndim - a->n + 1};
    for (int i = 0; i + 1 < s.ndim; i++)
        s.dim[i] = a->moved.dim[i];
    s.dim[s.ndim - 1] = last;
    return s;
}

xa_status xa__kaxes_join(const xa__ksite *s, const xa__kaxes *a, int in, int *out, xa_err *err)
{
    const xa_shape shape = joined(a, xa__kaxes_count(a));
    XA_RETURN_TRY(err, xa__kaxes_permute(s, in, a->order, &in, err));
    return xa__ksite_reshape(s, in, &shape, out, err);
}

xa_status xa__kaxes_restore(const xa__ksite *s, const xa__kaxes *a, int in, int *out, xa_err *err)
{
    int back[XA_MAX_DIMS] = {0};
    for (int i = 0; i < a->before.ndim; i++)
        back[a->order[i]] = i;
    XA_RETURN_TRY(err, xa__ksite_reshape(s, in, &a->moved, &in, err));
    return xa__kaxes_permute(s, in, back, out, err);
}

xa_status
xa__kaxes_reduced(const xa__ksite *s, const xa__kaxes *a, int in, bool keep, int *out, xa_err *err)
{
    xa_shape shape = {.ndim = 0};
    for (int i = 0, k = 0; i < a->before.ndim; i++) {
        const bool gone = k < a->n && a->axes[k] == i;
        k += gone;
        if (!gone || keep)
            shape.dim[shape.ndim++] = gone ? 1 : a->before.dim[i];
    }
    return xa__ksite_reshape(s, in, &shape, out, err);
}
