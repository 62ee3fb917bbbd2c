/* Pools of images. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "window.h"

/* Of more axes than an image has, or dilated: not the engine's. */
static bool is_composed(const xa__onnx_build *b, const xa__onnx_node *n)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, "dilations");
    bool dilated = false;
    for (int i = 0; a && a->kind == XA__ONNX_ATTR_INTS && i < a->n; i++)
        dilated = dilated || a->ints[i] != 1;
    return dilated || b->m->values[n->inputs[0]].shape.rank > 4;
}

static xa_status pool_window(xa__onnx_build *b, xa__onnx_node *n, xa__onnx_window *w, xa_err *err)
{
    const int64_t none[2] = {0, 0};
    const char *mode = xa__onnx_string(b->m, n, "auto_pad", "NOTSET");
    XA_RETURN_TRY(err, xa__onnx_window_of(b, n, none, w, err));
    /* auto_pad counts real elements only */
    w->window.edges.counted =
        xa__onnx_int(b->m, n, "count_include_pad", 0) != 0 && strncmp(mode, "SAME", 4) != 0;
    return XA_OK;
}

static xa_status pool_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    xa__onnx_window w;
    if (is_composed(b, n))
        return xa__onnx_pool_any_infer(b, n, err);
    if (xa__onnx_out(b, n, 1) && xa__onnx_out(b, n, 1)->uses)
        return xa__onnx_refuse(b, n, err, "its indices are not given");
    XA_RETURN_TRY(err, pool_window(b, n, &w, err));
    if (!w.good)
        return XA_OK;
    if (w.window.edges.top >= w.window.kh * w.window.dh ||
        w.window.edges.left >= w.window.kw * w.window.dw ||
        w.window.edges.bottom >= w.window.kh * w.window.dh ||
        w.window.edges.right >= w.window.kw * w.window.dw)
        return xa__onnx_refuse(b, n, err, "a window may lie in its padding alone");
    return xa__onnx_window_set(b, n, &w, xa__onnx_in(b, n, 0)->shape.dim[1], err);
}

static xa_status pool_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const bool largest = !strcmp(n->op, "MaxPool");
    xa__onnx_window w;
    int node, id;
    if (is_composed(b, n))
        return xa__onnx_pool_any_lower(b, n, err);
    XA_RETURN_TRY(err, pool_window(b, n, &w, err));
    const xa_window *v = &w.window;
    if (v->kh == 1 && v->kw == 1 && v->sh == 1 && v->sw == 1 && w.in[0] == w.out[0] &&
        w.in[1] == w.out[1]) { /* what an adaptive pool becomes at its own size */
        const xa__onnx_run *x = xa__onnx_run_of(b, n, 0);
        xa__onnx_made(b, n, 0, x->node, &x->at);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__onnx_window_input(b, n, &node, err));
    XA_RETURN_TRY(err,
                  xa__onnx_add_unary(b,
                                     n,
                                     largest ? XA_OP_MAX_POOL : XA_OP_AVG_POOL,
                                     &(xa_op_params){.pool = w.window},
                                     node,
                                     &id,
                                     err));
    xa__onnx_window_made(b, n, id);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_pool[] = {
    {"MaxPool", 1, 1, pool_infer, NULL, pool_lower},
    {"AveragePool", 1, 1, pool_infer, NULL, pool_lower},
    {"LpPool", 1, 1, xa__onnx_pool_any_infer, NULL, xa__onnx_pool_any_lower},
    {0}};
