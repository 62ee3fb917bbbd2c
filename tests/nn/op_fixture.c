#include "op_fixture.h"
#include "kernels_ref.h"

#include "op_reference.h"
#include "xaudit_cmocka.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, GUARD_BYTE = 0xA5, POISON = 0xFF };

/* ---- memory ---------------------------------------------------------------------------------- */

static void *guarded(size_t bytes)
{
    unsigned char *p = xa_alloc_aligned(bytes + GUARD);
    assert_non_null(p);
    memset(p, POISON, bytes);
    memset(p + bytes, GUARD_BYTE, GUARD);
    return p;
}

static void check_guard(const void *p, size_t bytes, const char *what, const op_fixture *f)
{
    const unsigned char *g = (const unsigned char *)p + bytes;
    for (int i = 0; i < GUARD; i++)
        if (g[i] != GUARD_BYTE)
            fail_msg("%s: written beyond its %zu bytes of %s", f->c->name, bytes, what);
}

float *op_floats(int64_t n)
{
    float *p = malloc((size_t)n * sizeof(*p));
    assert_non_null(p);
    memset(p, POISON, (size_t)n * sizeof(*p));
    return p;
}

double *op_doubles(int64_t n)
{
    double *p = calloc((size_t)n, sizeof(*p));
    assert_non_null(p);
    return p;
}

double op_tolerance(const op_case *c)
{
    return c->tolerance > 0.0 ? c->tolerance : 4e-6;
}

int op_isas(const op_case *c, xa_isa isas[XA_ISA_COUNT])
{
    const bool rounds = xa_numerics_rounds(c->numerics);
    int n = 0;
    for (int i = XA_ISA_BASE; i < XA_ISA_COUNT; i++)
        if ((rounds ? xa_isa_fused((xa_isa)i) : i != XA_ISA_AVX512_BF16) &&
            xa_isa_supported((xa_isa)i))
            isas[n++] = (xa_isa)i;
    return n;
}

/* ---- set-up ---------------------------------------------------------------------------------- */

static uint64_t seed_of(const op_case *c)
{
    return xa_hash64(c->name, strlen(c->name), 1);
}

/* Inputs of one sample are distinct numbers on one shuffled grid over all inputs, so that no
 * maximum is a tie; the grid's odd offset keeps it off the kinks at round numbers. */
static void fill_inputs(op_fixture *f)
{
    const double range = f->c->range > 0.0 ? f->c->range : 2.0;
    int64_t total = 0;
    for (int j = 0; j < f->c->ninputs; j++)
        total += f->in_count[j];
    int64_t *order = malloc((size_t)total * sizeof(*order));
    assert_non_null(order);
    for (uint64_t s = 0; s < OP_BATCH; s++) {
        for (int64_t i = 0; i < total; i++) {
            const int64_t j = xa_random_below(seed_of(f->c), s, (uint64_t)i, i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        int64_t at = 0;
        for (int j = 0; j < f->c->ninputs; j++)
            for (int64_t i = 0; i < f->in_count[j]; i++, at++)
                f->x[j][(int64_t)s * f->in_count[j] + i] =
                    (float)((((double)order[at] + 0.381966) / (double)total * 2.0 - 1.0) * range +
                            f->c->middle);
    }
    free(order);
}

static void fill_uniform(const op_case *c, uint64_t stream, int64_t n, double low, float *p)
{
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)(low + 2.0 * xa_random_unit(seed_of(c), stream, (uint64_t)i));
}

static void build_graph(op_fixture *f)
{
    const op_case *c = f->c;
    xa_err err = XA_ERR_INIT;
    int inputs[OP_CASE_INPUTS], id;
    xa_node_spec spec = {.op = c->op,
                         .name = c->name,
                         .inputs = inputs,
                         .ninputs = c->ninputs,
                         .nweights = c->nweights,
                         .params = c->params};
    if (xa_graph_create(&f->graph, &err) != XA_OK)
        fail_msg("%s: %s", c->name, err.message);
    for (int j = 0; j < c->ninputs; j++)
        if (xa_graph_add_input(f->graph, "x", &c->inputs[j], &inputs[j], &err) != XA_OK)
            fail_msg("%s: %s", c->name, err.message);
    for (int i = 0; i < c->nweights; i++) {
        spec.weights[i] = -1;
        if (c->weights[i].ndim == 0)
            continue;
        const int64_t n = xa_shape_count(&c->weights[i]);
        const bool variance = c->op == XA_OP_AFFINE && i == 3;
        f->w[i] = op_floats(n);
        fill_uniform(c, 100 + (uint64_t)i, n, variance ? 0.5 : -1.0, f->w[i]);
        for (int64_t k = 0; c->op == XA_OP_GATHER && k < n; k++) /* indices from -1 on */
            f->w[i][k] = (float)(xa_random_below(seed_of(c),
                                                 100,
                                                 (uint64_t)k,
                                                 c->inputs[0].dim[c->params.gather.axis] + 1) -
                                 1);
        if (xa_graph_add_weight(
                f->graph, "w", &c->weights[i], -1, f->w[i], &spec.weights[i], &err) != XA_OK)
            fail_msg("%s: %s", c->name, err.message);
    }
    if (xa_graph_add(f->graph, &spec, &id, &err) != XA_OK)
        fail_msg("%s: %s", c->name, err.message);
    f->node = xa_graph_node(f->graph, id);
    f->def = xa_op_get(c->op);
    assert_non_null(f->def);
}

static void *pack(const op_fixture *f, const xa_fold *fold)
{
    if (!f->def->packed_bytes)
        return NULL;
    const size_t bytes = f->def->packed_bytes(f->graph, f->node);
    void *p = guarded(bytes);
    const float *w[XA_MAX_WEIGHTS];
    for (int i = 0; i < XA_MAX_WEIGHTS; i++)
        w[i] = f->w[i];
    f->def->pack(f->graph, f->node, w, fold, p);
    check_guard(p, bytes, "packed weights", f);
    return p;
}

/* Where operands are rounded to bfloat16 they are such numbers already: products then are those of
 * float32, and as near to the reference. */
static void round_operands(op_fixture *f)
{
    const op_case *c = f->c;
    if (!xa_numerics_rounds(c->numerics))
        return;
    for (int64_t i = 0; i < OP_BATCH * f->out_count; i++)
        f->dy[i] = xa_bf16_rounded_ref(f->dy[i]);
    for (int j = 0; j < c->ninputs; j++)
        for (int64_t i = 0; i < OP_BATCH * f->in_count[j]; i++)
            f->x[j][i] = xa_bf16_rounded_ref(f->x[j][i]);
    for (int j = 0; j < c->nweights; j++)
        for (int64_t i = 0; f->w[j] && i < xa_shape_count(&c->weights[j]); i++)
            f->w[j][i] = xa_bf16_rounded_ref(f->w[j][i]);
}

void op_fixture_init(op_fixture *f, const op_case *c)
{
    *f = (op_fixture){.c = c};
    build_graph(f);
    xa_graph_set_numerics(f->graph, c->numerics);
    f->out_count = xa_shape_count(&f->node->shape);
    for (int j = 0; j < c->ninputs; j++) {
        f->in_count[j] = xa_shape_count(&c->inputs[j]);
        f->x[j] = op_floats(OP_BATCH * f->in_count[j]);
    }
    fill_inputs(f);
    f->dy = op_floats(OP_BATCH * f->out_count);
    f->residual = op_floats(OP_BATCH * f->out_count);
    fill_uniform(c, 200, OP_BATCH * f->out_count, -1.0, f->dy);
    fill_uniform(c, 201, OP_BATCH * f->out_count, -1.0, f->residual);
    round_operands(f);
    f->packed = pack(f, NULL);
    if (f->def->flags & XA_OP_FOLDS) {
        f->fold.channels = xa_shape_last(&f->node->shape);
        f->fold.scale = op_doubles(f->fold.channels);
        f->fold.shift = op_doubles(f->fold.channels);
        for (int64_t i = 0; i < f->fold.channels; i++) {
            f->fold.scale[i] = xa_random_unit(seed_of(c), 202, (uint64_t)i) + 0.5;
            if (xa_numerics_rounds(c->numerics)) /* exact */
                f->fold.scale[i] = f->fold.scale[i] < 1.0 ? 0.5 : 2.0;
            f->fold.shift[i] = xa_random_unit(seed_of(c), 203, (uint64_t)i) - 0.5;
        }
        f->packed_folded = pack(f, &f->fold);
    }
}

void op_fixture_free(op_fixture *f)
{
    for (int j = 0; j < OP_CASE_INPUTS; j++)
        free(f->x[j]);
    for (int i = 0; i < XA_MAX_WEIGHTS; i++)
        free(f->w[i]);
    free(f->dy);
    free(f->residual);
    free(f->fold.scale);
    free(f->fold.shift);
    free(f->packed);
    free(f->packed_folded);
    xa_graph_free(f->graph);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void count_tick(void *arg)
{
    ++*(int *)arg;
}

static unsigned saves(const op_fixture *f)
{
    return f->def->saves ? f->def->saves(f->node) : 0;
}
static size_t state_bytes(const op_fixture *f, int64_t n)
{
    return f->def->state_bytes ? f->def->state_bytes(f->graph, f->node, n) : 0;
}
static size_t scratch_bytes(const op_fixture *f, int64_t n)
{
    return f->def->scratch_bytes ? f->def->scratch_bytes(f->graph, f->node, n) : 0;
}
static size_t bits_bytes(const op_fixture *f, int64_t n)
{
    const int64_t last = xa_shape_last(&f->node->shape);
    return xa_bits_bytes(n * f->out_count / last, last);
}

static xa_op_call call_of(const op_fixture *f, const op_way *way, int64_t n, const xa_tick *tick)
{
    return (xa_op_call){.graph = f->graph,
                        .node = f->node,
                        .k = xa_kernels_get(way->isa),
                        .n = n,
                        .xs = f->c->inputs,
                        .rounded =
                            xa_numerics_rounds(f->c->numerics) ? guarded(XA_BF16_ROWS_BYTES) : NULL,
                        .weights = way->fold ? f->packed_folded : f->packed,
                        .act = way->act,
                        .tick = tick};
}

static void free_rounded(const op_fixture *f, void *rounded)
{
    if (rounded)
        check_guard(rounded, XA_BF16_ROWS_BYTES, "rounded rows", f);
    free(rounded);
}

void op_run_forward(
    const op_fixture *f, const op_way *way, int64_t first, int64_t n, float *y, op_kept *kept)
{
    const size_t state = state_bytes(f, n), scratch = scratch_bytes(f, n);
    const size_t out = (size_t)(n * f->out_count) * sizeof(float), bits = bits_bytes(f, n);
    const float *x[OP_CASE_INPUTS];
    *kept = (op_kept){.state = guarded(state)};
    const xa_tick tick = {count_tick, &kept->ticks};
    float *to = guarded(out);
    for (int j = 0; j < f->c->ninputs; j++)
        x[j] = f->x[j] + first * f->in_count[j];
    if (way->in_place) {
        memcpy(to, x[0], out);
        x[0] = to;
    }
    if (way->bits)
        kept->bits = guarded(bits);
    xa_op_call c = call_of(f, way, n, &tick);
    c.x = x;
    c.y = to;
    c.state = kept->state;
    c.scratch = guarded(scratch);
    c.residual = way->residual ? f->residual + first * f->out_count : NULL;
    c.bits = kept->bits;
    f->def->forward(&c);
    check_guard(to, out, "output", f);
    check_guard(kept->state, state, "state", f);
    check_guard(c.scratch, scratch, "scratch", f);
    if (kept->bits)
        check_guard(kept->bits, bits, "bits", f);
    memcpy(y, to, out);
    free(to);
    free(c.scratch);
    free_rounded(f, c.rounded);
}

/* All gradients in one call, of which one is kept; that one alone must come out the same. */
static void backward_joint(const op_fixture *f, xa_op_call *c, int64_t n, int which, float *to)
{
    float *dxs[XA_JOINT] = {NULL}, *one[XA_JOINT] = {NULL};
    c->dxs = dxs;
    for (int j = 0; j < f->c->ninputs; j++)
        dxs[j] = guarded((size_t)(n * f->in_count[j]) * sizeof(float));
    f->def->backward(c);
    const size_t bytes = (size_t)(n * f->in_count[which]) * sizeof(float);
    memcpy(to, dxs[which], bytes);
    one[which] = dxs[which];
    memset(one[which], POISON, bytes);
    c->dxs = one;
    f->def->backward(c);
    if (memcmp(one[which], to, bytes))
        fail_msg("%s: gradient %d alone differs from that of a joint call", f->c->name, which);
    for (int j = 0; j < f->c->ninputs; j++) {
        check_guard(dxs[j], (size_t)(n * f->in_count[j]) * sizeof(float), "joint dx", f);
        free(dxs[j]);
    }
    c->dxs = NULL;
}

void op_run_backward(const op_fixture *f,
                     const op_way *way,
                     int64_t first,
                     int64_t n,
                     const float *y,
                     const op_kept *kept,
                     const float *dy,
                     int which,
                     float *dx)
{
    const size_t scratch = scratch_bytes(f, n), kept_bytes = state_bytes(f, n);
    const size_t in = (size_t)(n * f->in_count[which]) * sizeof(float);
    const float *x[OP_CASE_INPUTS];
    int ticks = 0;
    const xa_tick tick = {count_tick, &ticks};
    for (int j = 0; j < f->c->ninputs; j++)
        x[j] = f->x[j] + first * f->in_count[j];
    float *saved = op_floats(n * f->out_count), *to = guarded(in);
    memcpy(saved, y, (size_t)(n * f->out_count) * sizeof(*saved));
    xa_op_call c = call_of(f, way, n, &tick);
    c.x = saves(f) & XA_SAVES_INPUTS ? x : NULL;
    c.y = saves(f) & XA_SAVES_OUTPUT ? saved : NULL;
    c.state = kept->state;
    c.scratch = guarded(scratch);
    c.bits = kept->bits;
    c.dy = dy;
    c.dx = to;
    c.which = which;
    if (f->def->flags & XA_OP_JOINT)
        backward_joint(f, &c, n, which, to);
    else
        f->def->backward(&c);
    check_guard(to, in, "dx", f);
    check_guard(c.scratch, scratch, "scratch", f);
    check_guard(kept->state, kept_bytes, "state", f);
    if (n * f->out_count >= OP_TICK_ELEMENTS && ticks < 1)
        fail_msg("%s: backward never called the tick", f->c->name);
    memcpy(dx, to, in);
    free(to);
    free(saved);
    free(c.scratch);
    free_rounded(f, c.rounded);
}

void op_kept_free(op_kept *kept)
{
    free(kept->state);
    free(kept->bits);
    *kept = (op_kept){0};
}

/* ---- reference ------------------------------------------------------------------------------- */

static double *widen(const float *p, int64_t n)
{
    double *d = op_doubles(n);
    for (int64_t i = 0; p && i < n; i++)
        d[i] = (double)p[i];
    return d;
}

void op_inputs(const op_fixture *f, int64_t sample, double *x[OP_CASE_INPUTS])
{
    for (int j = 0; j < f->c->ninputs; j++)
        x[j] = widen(f->x[j] + sample * f->in_count[j], f->in_count[j]);
}

void op_reference_sample(
    const op_fixture *f, int64_t sample, const double *const *x, bool fold, double *y)
{
    double *own[OP_CASE_INPUTS] = {NULL}, *w[XA_MAX_WEIGHTS] = {NULL};
    if (!x) {
        op_inputs(f, sample, own);
        x = (const double *const *)own;
    }
    for (int i = 0; i < f->c->nweights; i++)
        if (f->w[i])
            w[i] = widen(f->w[i], xa_shape_count(&f->c->weights[i]));
    op_reference(f->c, &f->node->shape, x, (const double *const *)w, y);
    for (int64_t i = 0; fold && i < f->out_count; i++)
        y[i] = y[i] * f->fold.scale[i % f->fold.channels] + f->fold.shift[i % f->fold.channels];
    for (int j = 0; j < OP_CASE_INPUTS; j++)
        free(own[j]);
    for (int i = 0; i < XA_MAX_WEIGHTS; i++)
        free(w[i]);
}

/* ---- comparisons -------------------------------------------------------------------------------
 */

double op_largest(int64_t n, const double *p)
{
    double m = 0.0;
    for (int64_t i = 0; i < n; i++)
        m = fmax(m, fabs(p[i]));
    return m;
}
double op_largest_f(int64_t n, const float *p)
{
    double m = 0.0;
    for (int64_t i = 0; i < n; i++)
        m = fmax(m, fabs((double)p[i]));
    return m;
}

void op_check_near(const op_fixture *f,
                   const char *what,
                   xa_isa isa,
                   int64_t n,
                   const double *want,
                   const float *got,
                   double tolerance)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance))
            fail_msg("%s on %s: %s[%lld] is %.9g, expected %.9g within %.3g",
                     f->c->name,
                     xa_isa_name(isa),
                     what,
                     (long long)i,
                     (double)got[i],
                     want[i],
                     tolerance);
}

void op_check_same(
    const op_fixture *f, const char *what, xa_isa isa, int64_t n, const float *a, const float *b)
{
    for (int64_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof(*a)) != 0 && !(isnan(a[i]) && isnan(b[i])))
            fail_msg("%s on %s: %s[%lld] is %.9g one way and %.9g the other",
                     f->c->name,
                     xa_isa_name(isa),
                     what,
                     (long long)i,
                     (double)a[i],
                     (double)b[i]);
}
