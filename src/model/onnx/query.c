/* Which token the scores are made of, read off the graph of the engine. */
#include "build.h"

static int behind_views(const xa_graph *g, int node)
{
    while (xa_graph_node(g, node)->op == XA_OP_RESHAPE)
        node = xa_graph_node(g, node)->inputs[0];
    return node;
}

enum { UNKNOWN = -2, MEAN = -1, STEPS = 256 };

/* Paths that join: the class token's, where others read further tokens (distillation). */
static int64_t joined(int64_t a, int64_t b)
{
    if (a == b)
        return a;
    return a >= 0 && b >= 0 ? (a < b ? a : b) : UNKNOWN;
}

static int64_t query_of(const xa_graph *g, int at, int64_t *pooled, int *steps)
{
    for (;;) {
        at = behind_views(g, at);
        const xa_node *n = xa_graph_node(g, at);
        const xa_shape *in = n->ninputs ? &xa_graph_node(g, n->inputs[0])->shape : NULL;
        if (++*steps > STEPS)
            return UNKNOWN;
        if (n->op == XA_OP_GLOBAL_POOL && n->params.global_pool.kind == XA_POOL_AVG) {
            *pooled = xa_shape_count(in) / xa_shape_last(in);
            return MEAN;
        }
        if (n->op == XA_OP_SLICE && n->params.slice.count == 1 && in->ndim == 3 && in->dim[0] == 1)
            return n->params.slice.first;
        if (n->op == XA_OP_SLICE || n->op == XA_OP_ATTENTION || n->ninputs == 0)
            return UNKNOWN;
        if (n->op == XA_OP_ADD || n->op == XA_OP_AVERAGE) {
            int64_t query = UNKNOWN;
            bool any = false;
            for (int i = 0; i < n->ninputs; i++) {
                if (xa_graph_node(g, behind_views(g, n->inputs[i]))->op == XA_OP_CONSTANT)
                    continue;
                const int64_t one = query_of(g, n->inputs[i], pooled, steps);
                query = any ? joined(query, one) : one;
                any = true;
            }
            return query;
        }
        if (n->ninputs != 1)
            return UNKNOWN;
        at = n->inputs[0];
    }
}

int64_t xa__onnx_query(const xa_graph *g, int output, int64_t *pooled)
{
    int steps = 0;
    *pooled = 0;
    return query_of(g, output, pooled, &steps);
}
