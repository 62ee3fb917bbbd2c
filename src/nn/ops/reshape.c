/* reshape: the same values under another shape. A view: the engine gives it its input's memory, and
 * the gradient passes unchanged. */
#include <inttypes.h>

#include "../op.h"

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *s = xa_input_shape(g, node, 0);
    const xa_shape *want = &node->params.reshape;
    char a[96], b[96];
    if (want->ndim < 0 || want->ndim > XA_MAX_DIMS || xa_shape_count(want) != xa_shape_count(s))
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (reshape): %s has %" PRId64 " values and cannot become %s",
                       node->name,
                       xa_shape_text(s, a, sizeof a),
                       xa_shape_count(s),
                       xa_shape_text(want, b, sizeof b));
    node->shape = *want;
    return XA_OK;
}

const xa_op_def xa_op_reshape = {
    .name = "reshape", .min_inputs = 1, .max_inputs = 1, .flags = XA_OP_VIEW, .infer = infer};
