/* Every case of op_cases.h against every property an operator owes the engine. */
#include "op_fixture.h"
#include "op_reference.h"
#include "xaudit_cmocka.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- helpers --------------------------------------------------------------------------------- */

static double largest(int64_t n, const double *p)
{
    double m = 0.0;
    for (int64_t i = 0; i < n; i++)
        m = fmax(m, fabs(p[i]));
    return m;
}
static double largest_f(int64_t n, const float *p)
{
    double m = 0.0;
    for (int64_t i = 0; i < n; i++)
        m = fmax(m, fabs((double)p[i]));
    return m;
}

static void check_near(const op_fixture *f,
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

static void check_same(
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

typedef void property(const op_fixture *f, xa_isa isa);

static void run_property(void **state, property *check)
{
    const op_case *c = *state;
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    const int n = op_isas(isas);
    op_fixture_init(&f, c);
    for (int i = 0; i < n; i++)
        check(&f, isas[i]);
    op_fixture_free(&f);
}

/* ---- forward --------------------------------------------------------------------------------- */

static void forward_property(const op_fixture *f, xa_isa isa)
{
    const op_way way = {.isa = isa};
    float *y = op_floats(OP_BATCH * f->out_count);
    double *want = op_doubles(f->out_count);
    op_kept kept;
    op_run_forward(f, &way, 0, OP_BATCH, y, &kept);
    if (OP_BATCH * f->out_count >= OP_TICK_ELEMENTS && kept.ticks < 1)
        fail_msg("%s: forward never called the tick", f->c->name);
    for (int64_t s = 0; s < OP_BATCH; s++) {
        op_reference_sample(f, s, NULL, false, want);
        check_near(f,
                   "y",
                   isa,
                   f->out_count,
                   want,
                   y + s * f->out_count,
                   op_tolerance(f->c) * largest(f->out_count, want));
    }
    op_kept_free(&kept);
    free(want);
    free(y);
}

/* ---- gradient -------------------------------------------------------------------------------- */

static double step_of(const op_case *c)
{
    return 1e-6 * (c->range > 0.0 ? c->range : 2.0);
}

/* d(sum of dy*y)/d(direction) of a sample by central differences of the reference; `u` [in_count]
 * or NULL for unit vector `at`. */
static double difference(
    const op_fixture *f, int64_t sample, int which, const double *u, int64_t at, const double *dy)
{
    const double h = step_of(f->c);
    double *x[OP_CASE_INPUTS] = {NULL}, *lo = op_doubles(f->out_count),
           *hi = op_doubles(f->out_count);
    for (int sign = -1; sign <= 1; sign += 2) {
        op_inputs(f, sample, x);
        if (u)
            for (int64_t i = 0; i < f->in_count[which]; i++)
                x[which][i] += sign * h * u[i];
        else
            x[which][at] += sign * h;
        op_reference_sample(f, sample, (const double *const *)x, false, sign < 0 ? lo : hi);
        for (int j = 0; j < f->c->ninputs; j++)
            free(x[j]);
    }
    double sum = 0.0;
    for (int64_t i = 0; i < f->out_count; i++)
        sum += dy[i] * (hi[i] - lo[i]);
    free(lo);
    free(hi);
    return sum / (2.0 * h);
}

/* How many single elements are worth a finite difference: all, unless that takes long. */
static int64_t samples_of(const op_fixture *f, int which)
{
    const double cost = xa_node_flops(f->graph, f->node->inputs[0] + 0) + (double)f->out_count;
    const double all = f->def->flops ? f->def->flops(f->graph, f->node) : cost;
    const int64_t most = (int64_t)(3e6 / (all + cost)) + 4;
    return most < f->in_count[which] ? most : f->in_count[which];
}

enum { GRADIENT_SAMPLE = 1 };

/* The element of input `which` that is probed k-th. */
static int64_t probed(const op_fixture *f, int which, int64_t k)
{
    const int64_t count = f->in_count[which];
    return samples_of(f, which) == count ? k
                                         : xa_random_below(7, (uint64_t)which, (uint64_t)k, count);
}

/* want[which][k]: what the reference says of the elements probed, the same for every ISA. */
static void gradient_on(const op_fixture *f, xa_isa isa, double *const *want)
{
    const op_way way = {.isa = isa};
    float *y = op_floats(OP_BATCH * f->out_count);
    op_kept kept;
    op_run_forward(f, &way, 0, OP_BATCH, y, &kept);
    for (int which = 0; which < f->c->ninputs; which++) {
        const int64_t count = f->in_count[which], m = samples_of(f, which);
        float *dx = op_floats(OP_BATCH * count);
        op_run_backward(f, &way, 0, OP_BATCH, y, &kept, f->dy, which, dx);
        const float *mine = dx + GRADIENT_SAMPLE * count;
        const double scale = fmax(largest_f(count, mine), 1e-3);
        for (int64_t k = 0; k < m; k++) {
            const int64_t at = probed(f, which, k);
            const double got = (double)mine[at];
            if (!(fabs(got - want[which][k]) <= (2.0 * op_tolerance(f->c) + 1e-7) * scale))
                fail_msg("%s on %s: d/dx%d[%lld] is %.9g, finite difference %.9g, largest %.3g",
                         f->c->name,
                         xa_isa_name(isa),
                         which,
                         (long long)at,
                         got,
                         want[which][k],
                         scale);
        }
        free(dx);
    }
    op_kept_free(&kept);
    free(y);
}

static void test_gradient(void **state)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    double *want[OP_CASE_INPUTS] = {NULL};
    const int n = op_isas(isas);
    op_fixture_init(&f, *state);
    double *dy = op_doubles(f.out_count);
    for (int64_t i = 0; i < f.out_count; i++)
        dy[i] = (double)f.dy[GRADIENT_SAMPLE * f.out_count + i];
    for (int which = 0; which < f.c->ninputs; which++) {
        const int64_t m = samples_of(&f, which);
        want[which] = op_doubles(m);
        for (int64_t k = 0; k < m; k++)
            want[which][k] = difference(&f, GRADIENT_SAMPLE, which, NULL, probed(&f, which, k), dy);
    }
    for (int i = 0; i < n; i++)
        gradient_on(&f, isas[i], want);
    for (int which = 0; which < f.c->ninputs; which++)
        free(want[which]);
    free(dy);
    op_fixture_free(&f);
}

/* <J u, v> = <u, J' v> in a random direction, for each sample and input. */
static void adjoint_property(const op_fixture *f, xa_isa isa)
{
    const op_way way = {.isa = isa};
    float *y = op_floats(OP_BATCH * f->out_count);
    double *dy = op_doubles(f->out_count);
    op_kept kept;
    op_run_forward(f, &way, 0, OP_BATCH, y, &kept);
    for (int which = 0; which < f->c->ninputs; which++) {
        const int64_t count = f->in_count[which];
        float *dx = op_floats(OP_BATCH * count);
        double *u = op_doubles(count);
        op_run_backward(f, &way, 0, OP_BATCH, y, &kept, f->dy, which, dx);
        for (int64_t s = 0; s < OP_BATCH; s++) {
            double right = 0.0, terms = 0.0;
            for (int64_t i = 0; i < f->out_count; i++)
                dy[i] = (double)f->dy[s * f->out_count + i];
            for (int64_t i = 0; i < count; i++) {
                /* small enough that neighbours on the inputs' grid keep their order */
                u[i] = (2.0 * xa_random_unit(11, (uint64_t)s, (uint64_t)i) - 1.0) /
                       (1.0 + (double)count * 1e-5);
                right += u[i] * (double)dx[s * count + i];
                terms += fabs(u[i] * (double)dx[s * count + i]);
            }
            const double left = difference(f, s, which, u, 0, dy);
            if (!(fabs(left - right) <= (op_tolerance(f->c) + 1e-7) * fmax(terms, 1e-3)))
                fail_msg("%s on %s: input %d, sample %lld: <Ju,v> is %.12g, <u,J'v> is %.12g",
                         f->c->name,
                         xa_isa_name(isa),
                         which,
                         (long long)s,
                         left,
                         right);
        }
        free(u);
        free(dx);
    }
    op_kept_free(&kept);
    free(dy);
    free(y);
}

/* ---- row contract ---------------------------------------------------------------------------- */

/* A sample alone, in a batch, and beside a sample full of NaN: the same bits. */
static void rows_property(const op_fixture *f, xa_isa isa)
{
    const op_way way = {.isa = isa};
    float *y3 = op_floats(OP_BATCH * f->out_count), *y1 = op_floats(f->out_count);
    float *dy = op_floats(OP_BATCH * f->out_count);
    op_kept kept3, kept1;
    memcpy(dy, f->dy, (size_t)(OP_BATCH * f->out_count) * sizeof(*dy));
    for (int round = 0; round < 2; round++) {
        const int64_t poisoned = round == 0 ? -1 : 1;
        if (poisoned >= 0) { /* the fixture is this property's own */
            for (int j = 0; j < f->c->ninputs; j++)
                for (int64_t i = 0; i < f->in_count[j]; i++)
                    f->x[j][poisoned * f->in_count[j] + i] = NAN;
            for (int64_t i = 0; i < f->out_count; i++)
                dy[poisoned * f->out_count + i] = NAN;
        }
        op_run_forward(f, &way, 0, OP_BATCH, y3, &kept3);
        for (int64_t s = 0; s < OP_BATCH; s++) {
            if (s == poisoned)
                continue;
            op_run_forward(f, &way, s, 1, y1, &kept1);
            check_same(f, "y", isa, f->out_count, y1, y3 + s * f->out_count);
            for (int which = 0; which < f->c->ninputs; which++) {
                const int64_t count = f->in_count[which];
                float *dx3 = op_floats(OP_BATCH * count), *dx1 = op_floats(count);
                op_run_backward(f, &way, 0, OP_BATCH, y3, &kept3, dy, which, dx3);
                op_run_backward(f, &way, s, 1, y1, &kept1, dy + s * f->out_count, which, dx1);
                check_same(f, "dx", isa, count, dx1, dx3 + s * count);
                free(dx3);
                free(dx1);
            }
            op_kept_free(&kept1);
        }
        op_kept_free(&kept3);
    }
    free(y3);
    free(y1);
    free(dy);
}

/* ---- epilogue, folding, masking, in place ---------------------------------------------------- */

static bool bit_of(const uint8_t *bits, int64_t i, int64_t last)
{
    return bits[(size_t)(i / last) * xa_bits_row(last) + (size_t)(i % last) / 8] >> i % last % 8 &
           1;
}

/* plain_y: the reference without epilogue, [OP_BATCH, out_count]. */
static void one_epilogue(const op_fixture *f, const op_way *way, const double *plain_y)
{
    const int64_t total = OP_BATCH * f->out_count, last = xa_shape_last(&f->node->shape);
    const xa_activation *act = &way->act;
    float *y = op_floats(total), *masked = op_floats(total), *again = op_floats(total);
    double *want = op_doubles(f->out_count);
    op_kept kept, plain;
    op_run_forward(f, way, 0, OP_BATCH, y, &kept);
    for (int64_t s = 0; s < OP_BATCH; s++) {
        memcpy(want, plain_y + s * f->out_count, (size_t)f->out_count * sizeof *want);
        const double near = 2.0 * op_tolerance(f->c) * (largest(f->out_count, want) + 2.0);
        for (int64_t i = 0; i < f->out_count; i++) {
            const int64_t at = s * f->out_count + i;
            double v = want[i] + (way->residual ? (double)f->residual[at] : 0.0);
            const bool relu = act->kind == XA_ACT_RELU;
            const bool at_kink =
                relu && (fabs(v - (double)act->c) < near || fabs(v - (double)act->b) < near);
            const bool pass = !relu || (v > (double)act->c && v < (double)act->b);
            if (kept.bits && !at_kink && bit_of(kept.bits, at, last) != pass)
                fail_msg("%s: the bit of y[%lld], before activation %.9g, is %d",
                         f->c->name,
                         (long long)at,
                         v,
                         !pass);
            if (relu)
                v = v < (double)act->c ? (double)act->a * (v - (double)act->c)
                                       : fmin(v, (double)act->b);
            want[i] = v;
        }
        check_near(f, "y", way->isa, f->out_count, want, y + s * f->out_count, near);
    }
    if (kept.bits) { /* backward with bits is a mask and backward without, bit for bit */
        const op_way bare = {.isa = way->isa, .fold = way->fold};
        op_run_forward(f, &bare, 0, OP_BATCH, again, &plain);
        xa_kernels_get(way->isa)->mask(total / last, last, f->dy, kept.bits, act->a, masked);
        const int64_t count = f->in_count[0];
        float *fused = op_floats(OP_BATCH * count), *apart = op_floats(OP_BATCH * count);
        op_run_backward(f, way, 0, OP_BATCH, y, &kept, f->dy, 0, fused);
        op_run_backward(f, &bare, 0, OP_BATCH, again, &plain, masked, 0, apart);
        check_same(f, "dx", way->isa, OP_BATCH * count, fused, apart);
        free(fused);
        free(apart);
        op_kept_free(&plain);
    }
    op_kept_free(&kept);
    free(want);
    free(again);
    free(masked);
    free(y);
}

/* plain_y[fold]: as in one_epilogue; NULL where nothing can be folded. */
static void epilogues_on(const op_fixture *f, xa_isa isa, double *const plain_y[2])
{
    const float high = (float)(0.4 * largest(f->out_count, plain_y[0])) + 0.01f;
    const xa_activation acts[] = {{XA_ACT_LINEAR, 0, 0, 0},
                                  {XA_ACT_RELU, 0.0f, INFINITY, 0.0f},
                                  {XA_ACT_RELU, 0.0f, high, 0.0f},
                                  {XA_ACT_RELU, 0.25f, INFINITY, 0.0f}};
    for (size_t a = 0; a < sizeof(acts) / sizeof(acts[0]); a++)
        for (int flags = 0; flags < 8; flags++) {
            const op_way way = {.isa = isa,
                                .act = acts[a],
                                .residual = flags & 1,
                                .bits = (flags & 2) && acts[a].kind == XA_ACT_RELU,
                                .fold = flags & 4};
            if (plain_y[way.fold])
                one_epilogue(f, &way, plain_y[way.fold]);
        }
}

static void test_epilogue(void **state)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    double *plain_y[2] = {NULL, NULL};
    const int n = op_isas(isas);
    op_fixture_init(&f, *state);
    for (int fold = 0; fold < 1 + (f.packed_folded != NULL); fold++) {
        plain_y[fold] = op_doubles(OP_BATCH * f.out_count);
        for (int64_t s = 0; s < OP_BATCH; s++)
            op_reference_sample(&f, s, NULL, fold, plain_y[fold] + s * f.out_count);
    }
    for (int i = 0; i < n; i++)
        epilogues_on(&f, isas[i], plain_y);
    free(plain_y[0]);
    free(plain_y[1]);
    op_fixture_free(&f);
}

static void in_place_property(const op_fixture *f, xa_isa isa)
{
    const op_way apart = {.isa = isa}, in_place = {.isa = isa, .in_place = true};
    const int64_t total = OP_BATCH * f->out_count;
    float *a = op_floats(total), *b = op_floats(total);
    op_kept ka, kb;
    op_run_forward(f, &apart, 0, OP_BATCH, a, &ka);
    op_run_forward(f, &in_place, 0, OP_BATCH, b, &kb);
    check_same(f, "y", isa, total, a, b);
    const unsigned saves = f->def->saves ? f->def->saves(f->node) : 0;
    if (!(saves & XA_SAVES_INPUTS)) {
        float *da = op_floats(total), *db = op_floats(total);
        op_run_backward(f, &apart, 0, OP_BATCH, a, &ka, f->dy, 0, da);
        op_run_backward(f, &in_place, 0, OP_BATCH, b, &kb, f->dy, 0, db);
        check_same(f, "dx", isa, total, da, db);
        free(da);
        free(db);
    }
    op_kept_free(&ka);
    op_kept_free(&kb);
    free(a);
    free(b);
}

/* ---- NaN and infinities ---------------------------------------------------------------------- */

static int class_of(double v)
{
    return isnan(v) ? 3 : isinf(v) ? (v > 0.0 ? 2 : 1) : 0;
}

static void nonfinite_forward(const op_fixture *f, xa_isa isa, int which, int64_t at, float value)
{
    const op_way way = {.isa = isa};
    float *slot = &f->x[which][at], *y = op_floats(f->out_count);
    double *want = op_doubles(f->out_count);
    const float before = *slot;
    op_kept kept;
    *slot = value;
    op_run_forward(f, &way, 0, 1, y, &kept);
    op_reference_sample(f, 0, NULL, false, want);
    for (int64_t i = 0; i < f->out_count; i++) {
        /* float32 positions may give a neighbour a weight of 1e-8 where doubles give 0 */
        const bool extra = f->c->op == XA_OP_RESIZE && class_of(want[i]) == 0;
        /* Winograd: a value that is not finite spoils its tile, and comes out as NaN */
        const bool tile = f->c->numerics == XA_NUMERICS_FAST && isnan(y[i]);
        if (class_of((double)y[i]) != class_of(want[i]) && !extra && !tile)
            fail_msg("%s on %s: with x%d[%lld] = %g, y[%lld] is %g, expected %g",
                     f->c->name,
                     xa_isa_name(isa),
                     which,
                     (long long)at,
                     (double)value,
                     (long long)i,
                     (double)y[i],
                     want[i]);
    }
    *slot = before;
    op_kept_free(&kept);
    free(want);
    free(y);
}

/* A NaN in dy must reach every input that this output depends on. */
static void nonfinite_backward(const op_fixture *f, xa_isa isa, int which, int64_t at)
{
    const op_way way = {.isa = isa};
    const int64_t count = f->in_count[which];
    float *y = op_floats(f->out_count), *dy = op_floats(f->out_count);
    float *unit = op_floats(count), *dx = op_floats(count);
    op_kept kept;
    op_run_forward(f, &way, 0, 1, y, &kept);
    memset(dy, 0, (size_t)f->out_count * sizeof(*dy));
    dy[at] = 1.0f;
    op_run_backward(f, &way, 0, 1, y, &kept, dy, which, unit);
    dy[at] = NAN;
    op_run_backward(f, &way, 0, 1, y, &kept, dy, which, dx);
    for (int64_t i = 0; i < count; i++)
        if (unit[i] != 0.0f && !isnan(dx[i]))
            fail_msg("%s on %s: NaN in dy[%lld] is lost: d/dx%d[%lld] is %g",
                     f->c->name,
                     xa_isa_name(isa),
                     (long long)at,
                     which,
                     (long long)i,
                     (double)dx[i]);
    op_kept_free(&kept);
    free(y);
    free(dy);
    free(unit);
    free(dx);
}

static void nonfinite_property(const op_fixture *f, xa_isa isa)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (int which = 0; which < f->c->ninputs; which++) {
        const int64_t count = f->in_count[which];
        const int64_t places[] = {0, count / 2, count - 1};
        for (int p = 0; p < 3; p++)
            for (int v = 0; v < 3; v++)
                nonfinite_forward(f, isa, which, places[p], values[v]);
        nonfinite_backward(f, isa, which, 0);
        nonfinite_backward(f, isa, which, f->out_count / 2);
        nonfinite_backward(f, isa, which, f->out_count - 1);
    }
}

/* ---- instruction sets ------------------------------------------------------------------------ */

static void same_as_narrow(const op_fixture *f, xa_isa isa)
{
    const op_way way = {.isa = isa}, narrow = {.isa = XA_ISA_AVX2};
    const int64_t total = OP_BATCH * f->out_count;
    float *a = op_floats(total), *b = op_floats(total);
    op_kept ka, kb;
    op_run_forward(f, &narrow, 0, OP_BATCH, a, &ka);
    op_run_forward(f, &way, 0, OP_BATCH, b, &kb);
    check_same(f, "y", isa, total, a, b);
    for (int which = 0; which < f->c->ninputs; which++) {
        const int64_t count = OP_BATCH * f->in_count[which];
        float *da = op_floats(count), *db = op_floats(count);
        op_run_backward(f, &narrow, 0, OP_BATCH, a, &ka, f->dy, which, da);
        op_run_backward(f, &way, 0, OP_BATCH, b, &kb, f->dy, which, db);
        check_same(f, "dx", isa, count, da, db);
        free(da);
        free(db);
    }
    op_kept_free(&ka);
    op_kept_free(&kb);
    free(a);
    free(b);
}

/* All sets agree with the plain one; fused ones give the same bytes, whatever their width. */
static void isas_property(const op_fixture *f, xa_isa isa)
{
    const op_way way = {.isa = isa}, base = {.isa = XA_ISA_BASE};
    if (isa > XA_ISA_AVX2 && xa_isa_fused(isa))
        same_as_narrow(f, isa);
    const int64_t total = OP_BATCH * f->out_count;
    float *a = op_floats(total), *b = op_floats(total);
    op_kept ka, kb;
    op_run_forward(f, &base, 0, OP_BATCH, a, &ka);
    op_run_forward(f, &way, 0, OP_BATCH, b, &kb);
    const double y_near = op_tolerance(f->c) * largest_f(total, a);
    for (int64_t i = 0; i < total; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= y_near))
            fail_msg("%s: y[%lld] is %.9g on base, %.9g on %s",
                     f->c->name,
                     (long long)i,
                     (double)a[i],
                     (double)b[i],
                     xa_isa_name(isa));
    for (int which = 0; which < f->c->ninputs; which++) {
        const int64_t count = OP_BATCH * f->in_count[which];
        float *da = op_floats(count), *db = op_floats(count);
        op_run_backward(f, &base, 0, OP_BATCH, a, &ka, f->dy, which, da);
        op_run_backward(f, &way, 0, OP_BATCH, b, &kb, f->dy, which, db);
        const double near = 2.0 * op_tolerance(f->c) * largest_f(count, da);
        for (int64_t i = 0; i < count; i++)
            if (!(fabs((double)da[i] - (double)db[i]) <= near))
                fail_msg("%s: d/dx%d[%lld] is %.9g on base, %.9g on %s",
                         f->c->name,
                         which,
                         (long long)i,
                         (double)da[i],
                         (double)db[i],
                         xa_isa_name(isa));
        free(da);
        free(db);
    }
    op_kept_free(&ka);
    op_kept_free(&kb);
    free(a);
    free(b);
}

/* ---- the whole list -------------------------------------------------------------------------- */

#define TEST(name)                            \
    static void test_##name(void **state)     \
    {                                         \
        run_property(state, name##_property); \
    }
TEST(forward)
TEST(adjoint)
TEST(rows)
TEST(in_place)
TEST(nonfinite)
TEST(isas)

/* Every operator has a formula and cases, but for the two without arithmetic of their own. */
static void test_list_is_complete(void **state)
{
    (void)state;
    for (int op = 0; op < XA_OP_COUNT; op++) {
        bool found = op == XA_OP_INPUT || op == XA_OP_RESHAPE;
        for (int i = 0; i < op_case_count(); i++)
            found = found || (int)op_case_at(i)->op == op;
        if (!found)
            fail_msg("operator \"%s\" has no case in the file of its family (op_cases.h)",
                     xa_op_name((xa_op)op));
        if (op != XA_OP_INPUT && !op_formula_of((xa_op)op))
            fail_msg("operator \"%s\" has no formula in the file of its family (op_cases.h)",
                     xa_op_name((xa_op)op));
    }
    for (int kind = 0; kind < XA_ACT_COUNT; kind++) {
        bool found = false;
        for (int i = 0; i < op_case_count(); i++)
            found = found || (op_case_at(i)->op == XA_OP_ACTIVATION &&
                              (int)op_case_at(i)->params.activation.kind == kind);
        if (!found)
            fail_msg("activation %d has no case in op_elementwise.c", kind);
    }
}

typedef struct named_test {
    const char *name;
    CMUnitTestFunction fn;
    unsigned flag; /* only for operators with it; 0: all */
} named_test;

int main(int argc, char **argv)
{
    static const named_test properties[] = {{"forward", test_forward, 0},
                                            {"gradient", test_gradient, 0},
                                            {"adjoint", test_adjoint, 0},
                                            {"rows", test_rows, 0},
                                            {"epilogue", test_epilogue, XA_OP_EPILOGUE},
                                            {"in place", test_in_place, XA_OP_IN_PLACE},
                                            {"nonfinite", test_nonfinite, 0},
                                            {"isas", test_isas, 0}};
    enum { PROPERTIES = sizeof(properties) / sizeof(properties[0]) };
    const size_t most = (size_t)op_case_count() * PROPERTIES + 1;
    struct CMUnitTest *tests = calloc(most, sizeof(*tests));
    char(*names)[96] = calloc(most, sizeof(*names));
    size_t n = 0;
    if (!tests || !names)
        return 1;
    tests[n++] =
        (struct CMUnitTest){.name = "list is complete", .test_func = test_list_is_complete};
    for (size_t p = 0; p < PROPERTIES; p++)
        for (int i = 0; i < op_case_count(); i++) {
            const op_case *c = op_case_at(i);
            if (properties[p].flag && !(xa_op_get(c->op)->flags & properties[p].flag))
                continue;
            if (argc > 1 && !strstr(c->name, argv[1]))
                continue;
            snprintf(names[n], sizeof(names[n]), "%s: %s", c->name, properties[p].name);
            tests[n] = (struct CMUnitTest){.name = names[n],
                                           .test_func = properties[p].fn,
                                           .initial_state = (void *)(uintptr_t)c};
            n++;
        }
    const int failed = _cmocka_run_group_tests("operators", tests, n, NULL, NULL);
    free(tests);
    free(names);
    return failed != 0;
}
