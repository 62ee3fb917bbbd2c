/* attention: y = softmax(scale q k^T + bias + mask) v, group by group and head by head (nn.h).
 * Keeps its inputs; the probabilities P [T,S] of one head lie in scratch, are made again for
 * backward, and are shown there to the run's sink. dv = P^T dy, dP = dy v^T, dz = P*(dP -
 * rowsum(dP*P)), dq = scale dz k, dk = scale dz^T q. Bias and mask are constants: they have no
 * gradient. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tile.h"

enum { BIAS, MASK }; /* weights */

/* One head's extents and where it lies. */
typedef struct head_shape {
    int64_t groups;
    int64_t t, s, k, v;    /* rows of q, rows of k and v, columns of q and k, columns of v */
    int64_t ldq, ldk, ldv; /* row strides; that of y is ldv */
    int64_t heads;
    float scale;
} head_shape;

static int64_t groups_of(const xa_node *node)
{
    return node->params.attention.groups ? node->params.attention.groups : 1;
}

static head_shape shape_of(const xa_graph *g, const xa_node *node)
{
    const xa_shape *q = xa_input_shape(g, node, 0), *k = xa_input_shape(g, node, 1),
                   *v = xa_input_shape(g, node, 2);
    const int64_t heads = node->params.attention.heads, groups = groups_of(node);
    return (head_shape){.groups = groups,
                        .t = q->dim[0] / groups,
                        .s = k->dim[0] / groups,
                        .k = q->dim[1] / heads,
                        .v = v->dim[1] / heads,
                        .ldq = q->dim[1],
                        .ldk = k->dim[1],
                        .ldv = v->dim[1],
                        .heads = heads,
                        .scale = node->params.attention.scale};
}

static const xa_shape *weight_shape(const xa_graph *g, const xa_node *node, int i)
{
    return i < node->nweights && node->weights[i] >= 0
               ? &xa_graph_weight(g, node->weights[i])->shape
               : NULL;
}

static xa_status check_added(const xa_graph *g, const xa_node *node, xa_err *err)
{
    const head_shape h = shape_of(g, node);
    const xa_shape *bias = weight_shape(g, node, BIAS);
    const bool one = bias && bias->ndim == 3 && bias->dim[0] == 1;
    const bool all = bias && bias->ndim == 3 && bias->dim[0] == h.groups * h.heads;
    const xa_shape of_heads = {.ndim = 3,
                               .dim = {one ? 1 : (all ? h.groups : 1) * h.heads, h.t, h.s}};
    const xa_shape of_groups = {.ndim = 3, .dim = {h.groups, h.t, h.s}};
    XA_RETURN_TRY(err, xa_check_weight(g, node, BIAS, true, &of_heads, err));
    return xa_check_weight(g, node, MASK, true, &of_groups, err);
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    static const char *const what[] = {"query", "key", "value"};
    const int64_t heads = node->params.attention.heads, groups = groups_of(node);
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
        if (groups < 1 || s->dim[0] % groups)
            XA_RETURN_FAIL(err,
                           XA_SHAPE,
                           "layer \"%s\" (attention): %" PRId64
                           " groups do not divide the rows of its %s %s",
                           node->name,
                           groups,
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
    return check_added(g, node, err);
}

/* Packed: bias, then mask, each if it is there. */
static int64_t added_count(const xa_graph *g, const xa_node *node, int i)
{
    const xa_shape *s = weight_shape(g, node, i);
    return s ? xa_shape_count(s) : 0;
}

static size_t packed_bytes(const xa_graph *g, const xa_node *node)
{
    return (size_t)(added_count(g, node, BIAS) + added_count(g, node, MASK)) * sizeof(float);
}

static void
pack(const xa_graph *g, const xa_node *node, const float *const *w, const xa_fold *fold, void *dst)
{
    float *to = dst;
    (void)fold;
    for (int i = BIAS; i <= MASK; i++) {
        const int64_t n = added_count(g, node, i);
        if (n)
            memcpy(to, w[i], (size_t)n * sizeof *to);
        to += n;
    }
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

/* What is added to the scores of a head of a group; NULL: nothing. */
typedef struct added {
    const float *bias, *mask;
} added;

static added added_to(const xa_op_call *c, const head_shape *h, int64_t group, int64_t head)
{
    const int64_t square = h->t * h->s, nbias = added_count(c->graph, c->node, BIAS);
    const float *bias = c->weights;
    if (!bias)
        return (added){NULL, NULL};
    const float *mask = bias + nbias;
    const int64_t matrices = nbias / square;
    const int64_t of_bias = matrices == 1          ? 0
                            : matrices == h->heads ? head
                                                   : group * h->heads + head;
    return (added){nbias ? bias + of_bias * square : NULL,
                   added_count(c->graph, c->node, MASK) ? mask + group * square : NULL};
}

/* P of one head. */
static void probabilities(const xa_op_call *c,
                          const head_shape *h,
                          const float *q,
                          const float *k,
                          added a,
                          const work *w)
{
    float scale = h->scale;
    const int64_t square = h->t * h->s;
    c->k->transpose(h->s, h->k, k, h->ldk, w->side);
    product(c, h->t, h->s, h->k, q, h->ldq, w->side, h->s, w->p, h->s);
    if (a.bias || a.mask) {
        for (int64_t i = 0; i < square; i++)
            w->p[i] *= scale;
        scale = 1.0f;
    }
    if (a.bias)
        c->k->add(square, w->p, a.bias, w->p);
    if (a.mask)
        c->k->add(square, w->p, a.mask, w->p);
    c->k->softmax(h->t, h->s, scale, w->p, w->p);
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

/* Where a head of a group of a sample lies. */
typedef struct place {
    int64_t sample, head, q, k, v, y; /* the last four: elements from the start */
    added a;
} place;

/* Head `at` of all samples, groups and heads. */
static place place_of(const xa_op_call *c, const head_shape *h, int64_t at)
{
    const int64_t head = at % h->heads, group = at / h->heads; /* of all samples */
    return (place){.sample = group / h->groups,
                   .head = head,
                   .q = group * h->t * h->ldq + head * h->k,
                   .k = group * h->s * h->ldk + head * h->k,
                   .v = group * h->s * h->ldv + head * h->v,
                   .y = group * h->t * h->ldv + head * h->v,
                   .a = added_to(c, h, group % h->groups, head)};
}

static void forward(const xa_op_call *c)
{
    const head_shape h = shape_of(c->graph, c->node);
    const work w = work_of(&h, c->scratch);
    for (int64_t i = 0; i < c->n * h.groups * h.heads; i++) {
        const place p = place_of(c, &h, i);
        probabilities(c, &h, c->x[0] + p.q, c->x[1] + p.k, p.a, &w);
        if (c->sink && h.groups == 1)
            show(c, &h, p.sample, p.head, &w, NULL);
        product(c, h.t, h.v, h.s, w.p, h.s, c->x[2] + p.v, h.ldv, c->y + p.y, h.ldv);
    }
}

static void backward(const xa_op_call *c)
{
    const head_shape h = shape_of(c->graph, c->node);
    const work w = work_of(&h, c->scratch);
    const bool shown = c->sink && h.groups == 1;
    float *const dq = c->dxs[0], *const dk = c->dxs[1], *const dv = c->dxs[2];
    for (int64_t i = 0; i < c->n * h.groups * h.heads; i++) {
        const place p = place_of(c, &h, i);
        const float *q = c->x[0] + p.q, *k = c->x[1] + p.k, *dy = c->dy + p.y;
        probabilities(c, &h, q, k, p.a, &w);
        if (dv) {
            c->k->transpose(h.t, h.s, w.p, h.s, w.turned);
            product(c, h.s, h.v, h.t, w.turned, h.t, dy, h.ldv, dv + p.v, h.ldv);
        }
        if (!dq && !dk && !shown)
            continue;
        c->k->transpose(h.s, h.v, c->x[2] + p.v, h.ldv, w.side);
        product(c, h.t, h.s, h.v, dy, h.ldv, w.side, h.s, w.dp, h.s);
        if (shown)
            show(c, &h, p.sample, p.head, &w, w.dp);
        c->k->softmax_back(h.t, h.s, h.scale, w.p, w.dp, w.dp);
        if (dq)
            product(c, h.t, h.k, h.s, w.dp, h.s, k, h.ldk, dq + p.q, h.ldq);
        if (dk) {
            c->k->transpose(h.t, h.s, w.dp, h.s, w.turned);
            product(c, h.s, h.k, h.t, w.turned, h.t, q, h.ldq, dk + p.k, h.ldk);
        }
    }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    const head_shape h = shape_of(g, node);
    return 2.0 * (double)(h.groups * h.heads * h.t * h.s) * (double)(h.k + h.v);
}

const xa_op_def xa_op_attention = {.name = "attention",
                                   .min_inputs = 3,
                                   .max_inputs = 3,
                                   .flags = XA_OP_JOINT,
                                   .infer = infer,
                                   .saves = saves,
                                   .packed_bytes = packed_bytes,
                                   .pack = pack,
                                   .scratch_bytes = scratch_bytes,
                                   .forward = forward,
                                   .backward = backward,
                                   .flops = flops};
