/* matmul: y = x0 x1, matrix by matrix over the axes before the last two, which are equal or 1.
 * Keeps its inputs: dx0 = dy x1^T, dx1 = x0^T dy, added up over the axes an input lacks. An input
 * may lie transposed (params.matmul.turned); what a product wants the other way round is turned in
 * scratch. */
#include <string.h>

#include "tile.h"

enum { BATCH_DIMS = XA_MAX_DIMS - 2 };

/* One matrix [rows, columns]; `turned`: memory holds its transpose. */
typedef struct matrix {
    const float *at;
    int64_t rows, columns;
    bool turned;
} matrix;

static matrix transposed(matrix m)
{
    return (matrix){m.at, m.columns, m.rows, !m.turned};
}

typedef struct extents {
    int64_t m, k, n;
    int nbatch;
    int64_t batch[BATCH_DIMS], batches; /* of the output */
} extents;

/* An axis of input i that is among the last two. */
static int64_t extent_of(const xa_shape *s, const xa_node *node, int i, bool columns)
{
    return s->dim[s->ndim - (columns != node->params.matmul.turned[i] ? 1 : 2)];
}

static extents extents_of(const xa_shape *a, const xa_shape *b, const xa_node *node)
{
    extents e = {.m = extent_of(a, node, 0, false),
                 .k = extent_of(a, node, 0, true),
                 .n = extent_of(b, node, 1, true),
                 .nbatch = node->shape.ndim - 2,
                 .batches = 1};
    for (int i = 0; i < e.nbatch; i++) {
        e.batch[i] = node->shape.dim[i];
        e.batches *= e.batch[i];
    }
    return e;
}

static xa_status infer(const xa_graph *g, xa_node *node, xa_err *err)
{
    const xa_shape *a = xa_input_shape(g, node, 0), *b = xa_input_shape(g, node, 1);
    char one[96], two[96];
    bool fits = a->ndim >= 2 && a->ndim == b->ndim &&
                extent_of(a, node, 0, true) == extent_of(b, node, 1, false);
    node->shape = *a;
    for (int i = 0; fits && i < a->ndim - 2; i++) {
        fits = a->dim[i] == b->dim[i] || a->dim[i] == 1 || b->dim[i] == 1;
        node->shape.dim[i] = a->dim[i] == 1 ? b->dim[i] : a->dim[i];
    }
    if (!fits)
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "layer \"%s\" (matmul): %s%s and %s%s cannot be multiplied",
                       node->name,
                       xa_shape_text(a, one, sizeof one),
                       node->params.matmul.turned[0] ? " (transposed)" : "",
                       xa_shape_text(b, two, sizeof two),
                       node->params.matmul.turned[1] ? " (transposed)" : "");
    node->shape.dim[a->ndim - 2] = extent_of(a, node, 0, false);
    node->shape.dim[a->ndim - 1] = extent_of(b, node, 1, true);
    return XA_OK;
}

static unsigned saves(const xa_node *node)
{
    (void)node;
    return XA_SAVES_INPUTS;
}

/* ---- one product ---- */

/* Scratch: both operands turned, and a result that is added to others. */
typedef struct work {
    float *left, *right, *part;
} work;

static int64_t largest(const extents *e)
{
    const int64_t mk = e->m * e->k, kn = e->k * e->n, mn = e->m * e->n;
    const int64_t most = mk > kn ? mk : kn;
    return (int64_t)xa_align_up((size_t)(most > mn ? most : mn), XA_ALIGN / sizeof(float));
}

static size_t scratch_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    const extents e = extents_of(xa_input_shape(g, node, 0), xa_input_shape(g, node, 1), node);
    (void)n;
    return (size_t)(3 * largest(&e)) * sizeof(float);
}

static work work_of(const extents *e, void *scratch)
{
    float *at = scratch;
    return (work){at, at + largest(e), at + 2 * largest(e)};
}

static const float *upright(const xa_op_call *c, const matrix *m, float *to)
{
    if (!m->turned)
        return m->at;
    c->k->transpose(m->columns, m->rows, m->at, m->rows, to);
    return to;
}

/* y [a.rows, b.columns] = a b */
static void product(const xa_op_call *c, const matrix *a, const matrix *b, const work *w, float *y)
{
    const int64_t m = a->rows, k = a->columns, n = b->columns;
    const float *left = upright(c, a, w->left), *right = upright(c, b, w->right);
    if (c->k->fused)
        c->k->gemm_rows(m, n, k, left, k, right, n, y, n);
    else
        xa_gemm_tile(false, m, n, k, left, k, right, n, y, n);
    xa_tick_now(c->tick);
}

/* ---- the walk over matrices ---- */

/* Where matrix number `batch` of the output lies in an input of that shape. */
static int64_t place_of(const extents *e, const xa_shape *s, int64_t batch)
{
    int64_t at = 0, stride = s->dim[s->ndim - 2] * s->dim[s->ndim - 1];
    for (int i = e->nbatch - 1; i >= 0; i--) {
        at += s->dim[i] == 1 ? 0 : batch % e->batch[i] * stride;
        stride *= s->dim[i];
        batch /= e->batch[i];
    }
    return at;
}

/* Matrices of both inputs and of y's gradient, of one sample. */
typedef struct place {
    matrix x0, x1, dy;
    int64_t at[2];
} place;

static place place_at(const xa_op_call *c, const extents *e, int64_t sample, int64_t batch)
{
    place p;
    for (int i = 0; i < 2; i++)
        p.at[i] = sample * xa_shape_count(&c->xs[i]) + place_of(e, &c->xs[i], batch);
    p.x0 = (matrix){c->x[0] + p.at[0], e->m, e->k, c->node->params.matmul.turned[0]};
    p.x1 = (matrix){c->x[1] + p.at[1], e->k, e->n, c->node->params.matmul.turned[1]};
    p.dy = (matrix){
        c->dy ? c->dy + (sample * e->batches + batch) * e->m * e->n : NULL, e->m, e->n, false};
    return p;
}

static void forward(const xa_op_call *c)
{
    const extents e = extents_of(&c->xs[0], &c->xs[1], c->node);
    const work w = work_of(&e, c->scratch);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t j = 0; j < e.batches; j++) {
            const place p = place_at(c, &e, i, j);
            product(c, &p.x0, &p.x1, &w, c->y + (i * e.batches + j) * e.m * e.n);
        }
}

/* The gradient of input `which`, as that input lies in memory. */
static void pull(const xa_op_call *c, const place *p, const work *w, float *to)
{
    const bool turned = c->node->params.matmul.turned[c->which];
    matrix a = c->which == 0 ? p->dy : transposed(p->x0);
    matrix b = c->which == 0 ? transposed(p->x1) : p->dy;
    if (turned) { /* (a b)^T = b^T a^T */
        const matrix held = transposed(a);
        a = transposed(b);
        b = held;
    }
    product(c, &a, &b, w, to);
}

static void backward(const xa_op_call *c)
{
    const extents e = extents_of(&c->xs[0], &c->xs[1], c->node);
    const work w = work_of(&e, c->scratch);
    const int64_t count = xa_shape_count(&c->xs[c->which]);
    const int64_t size = c->which == 0 ? e.m * e.k : e.k * e.n;
    const bool shared = count < size * e.batches;
    if (shared)
        memset(c->dx, 0, (size_t)(c->n * count) * sizeof *c->dx);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t j = 0; j < e.batches; j++) {
            const place p = place_at(c, &e, i, j);
            float *dx = c->dx + p.at[c->which];
            pull(c, &p, &w, shared ? w.part : dx);
            for (int64_t k = 0; shared && k < size; k++)
                dx[k] += w.part[k];
        }
}

static double flops(const xa_graph *g, const xa_node *node)
{
    const extents e = extents_of(xa_input_shape(g, node, 0), xa_input_shape(g, node, 1), node);
    return 2.0 * (double)(e.batches * e.m) * (double)(e.k * e.n);
}

const xa_op_def xa_op_matmul = {.name = "matmul",
                                .min_inputs = 2,
                                .max_inputs = 2,
                                .infer = infer,
                                .saves = saves,
                                .scratch_bytes = scratch_bytes,
                                .forward = forward,
                                .backward = backward,
                                .flops = flops};
