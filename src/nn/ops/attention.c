/* attention: y = softmax(scale q k^T) v, head by head (Vaswani et al. 2017, equation 1). Keeps its
 * inputs; the probabilities P [T,S] of one head lie in scratch, are made again for backward, and
 * are shown there to the run's sink. dv = P^T dy, dP = dy v^T, dz = P*(dP - rowsum(dP*P)), dq =
 * scale dz k, dk = scale dz^T q. */
#include <inttypes.h>
#include <math.h>

#include "tile.h"

/* One head's extents and where it lies. */
typedef struct head_shape {
    int64_t t, s, k, v;    /* rows of q, rows of k and v, columns of q and k, columns of v */
    int64_t ldq, ldk, ldv; /* row strides; that of y is ldv */
    int64_t heads;
    float scale;
} head_shape;

static head_shape shape_of(const xa_graph *g, const xa_node *node)
{
    const xa_shape *q = xa_input_shape(g, node, 0), *k = xa_input_shape(g, node, 1),
                   *v = xa_input_shape(g, node, 2);
    const int64_t heads = node->params.attention.heads;
    return (head_shape){.t = q->dim[0],
                        .s = k->dim[0],
                        .k = q->dim[1] / heads,
                        .v = v->dim[1] / heads,
                        .ldq = q->dim[1],
                        .ldk = k->dim[1],
                        .ldv = v->dim[1],
                        .heads = heads,
                        .scale = node->params.attention.scale};
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    static const char *const what[] = {"query", "key", "value"};
    const int64_t heads = node->params.attention.heads;
    char a[96], b[96];
    for (int i = 0; i < 3; i++) {
        const xa_shape *s = xa_input_shape(g, node, i);
        XA_RETURN_TRY(err, xa_check_ndim(g, node, i, 2, err));
        if (heads < 1 || s->dim[1] % heads || s->dim[0] < 1 || s->dim[1] < 1)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "layer \"%s\" (attention): %" PRId64
                           " heads do not divide the width of its %s %s",
                           node->name,
                           heads,
                           what[i],
                           xa_shape_text(s, a, sizeof a));
    }
    const xa_shape *q = xa_input_shape(g, node, 0), *k = xa_input_shape(g, node, 1),
                   *v = xa_input_shape(g, node, 2);
    if (q->dim[1] != k->dim[1] || k->dim[0] != v->dim[0])
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (attention): query, key and value do not fit: key %s, value "
                       "%s; query and key need one width, key and value one number of tokens",
                       node->name,
                       xa_shape_text(k, a, sizeof a),
                       xa_shape_text(v, b, sizeof b));
    if (!isfinite(node->params.attention.scale))
        XA_RETURN_FAIL(
            err, XA_INVALID, "layer \"%s\" (attention): its scale is not finite", node->name);
    node->shape = (xa_shape){.ndim = 2, .dim = {q->dim[0], v->dim[1]}};
    return XA_OK;
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

/* Scratch: P and dP [T,S], one of them transposed, and a head's keys or values transposed. */
typedef struct work {
    float *p, *dp, *turned, *side;
} work;

static int64_t padded(int64_t n)
{
    return (int64_t)xa_align_up((size_t)n, XA_ALIGN / sizeof(float));
}

static size_t scratch_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    const head_shape h = shape_of(g, node);
    (void)n;
    const int64_t wide = h.k > h.v ? h.k : h.v;
    return (size_t)(3 * padded(h.t * h.s) + padded(wide * h.s)) * sizeof(float);
}

static work work_of(const head_shape *h, void *scratch)
{
    const int64_t square = padded(h->t * h->s);
    float *at = scratch;
    return (work){at, at + square, at + 2 * square, at + 3 * square};
}

static void product(const xa_op_call *c,
                    int64_t m,
                    int64_t n,
                    int64_t k,
                    const float *a,
                    int64_t lda,
                    const float *b,
                    int64_t ldb,
                    float *to,
                    int64_t ldto)
{
    if (c->k->fused)
        c->k->gemm_rows(m, n, k, a, lda, b, ldb, to, ldto);
    else
        xa_gemm_tile(false, m, n, k, a, lda, b, ldb, to, ldto);
    xa_tick_now(c->tick);
}

/* P of one head. */
static void probabilities(
    const xa_op_call *c, const head_shape *h, const float *q, const float *k, const work *w)
{
    c->k->transpose(h->s, h->k, k, h->ldk, w->side);
    product(c, h->t, h->s, h->k, q, h->ldq, w->side, h->s, w->p, h->s);
    c->k->softmax(h->t, h->s, h->scale, w->p, w->p);
}

static void show(const xa_op_call *c,
                 const head_shape *h,
                 int64_t sample,
                 int64_t head,
                 const work *w,
                 const float *gradient)
{
    const xa_attention_view v = {.node = c->id,
                                 .sample = sample,
                                 .head = head,
                                 .heads = h->heads,
                                 .rows = h->t,
                                 .columns = h->s,
                                 .probs = w->p,
                                 .gradient = gradient};
    c->sink->take(c->sink->arg, &v);
}

static void forward(const xa_op_call *c)
{
    const head_shape h = shape_of(c->graph, c->node);
    const work w = work_of(&h, c->scratch);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t j = 0; j < h.heads; j++) {
            const float *q = c->x[0] + i * h.t * h.ldq + j * h.k;
            const float *k = c->x[1] + i * h.s * h.ldk + j * h.k;
            const float *v = c->x[2] + i * h.s * h.ldv + j * h.v;
            probabilities(c, &h, q, k, &w);
            if (c->sink)
                show(c, &h, i, j, &w, NULL);
            product(c, h.t, h.v, h.s, w.p, h.s, v, h.ldv, c->y + i * h.t * h.ldv + j * h.v, h.ldv);
        }
}

static void backward(const xa_op_call *c)
{
    const head_shape h = shape_of(c->graph, c->node);
    const work w = work_of(&h, c->scratch);
    float *const dq = c->dxs[0], *const dk = c->dxs[1], *const dv = c->dxs[2];
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t j = 0; j < h.heads; j++) {
            const int64_t at_q = i * h.t * h.ldq + j * h.k, at_k = i * h.s * h.ldk + j * h.k,
                          at_v = i * h.s * h.ldv + j * h.v;
            const float *q = c->x[0] + at_q, *k = c->x[1] + at_k, *v = c->x[2] + at_v;
            const float *dy = c->dy + i * h.t * h.ldv + j * h.v;
            probabilities(c, &h, q, k, &w);
            if (dv) {
                c->k->transpose(h.t, h.s, w.p, h.s, w.turned);
                product(c, h.s, h.v, h.t, w.turned, h.t, dy, h.ldv, dv + at_v, h.ldv);
            }
            if (!dq && !dk && !c->sink)
                continue;
            c->k->transpose(h.s, h.v, v, h.ldv, w.side);
            product(c, h.t, h.s, h.v, dy, h.ldv, w.side, h.s, w.dp, h.s);
            if (c->sink)
                show(c, &h, i, j, &w, w.dp);
            c->k->softmax_back(h.t, h.s, h.scale, w.p, w.dp, w.dp);
            if (dq)
                product(c, h.t, h.k, h.s, w.dp, h.s, k, h.ldk, dq + at_q, h.ldq);
            if (dk) {
                c->k->transpose(h.t, h.s, w.dp, h.s, w.turned);
                product(c, h.s, h.k, h.t, w.turned, h.t, q, h.ldq, dk + at_k, h.ldk);
            }
        }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    const head_shape h = shape_of(g, node);
    return 2.0 * (double)(h.heads * h.t * h.s) * (double)(h.k + h.v);
}

const xa_op_def xa_op_attention = {.name = "attention",
                                   .min_inputs = 3,
                                   .max_inputs = 3,
                                   .flags = XA_OP_JOINT,
                                   .infer = infer,
                                   .saves = saves,
                                   .scratch_bytes = scratch_bytes,
                                   .forward = forward,
                                   .backward = backward,
                                   .flops = flops};
