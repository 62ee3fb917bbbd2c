/* What an operator computes: forward and both gradients against the reference in double precision,
 * NaN and infinities. */
#include "test_ops.h"
#include "xaudit_cmocka.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- forward --------------------------------------------------------------------------------- */

/* want: the reference of every sample, [OP_BATCH, out_count], the same for every ISA. */
static void forward_on(const op_fixture *f, xa_isa isa, const double *want)
{
    const op_way way = {.isa = isa};
    float *y = op_floats(OP_BATCH * f->out_count);
    op_kept kept;
    op_run_forward(f, &way, 0, OP_BATCH, y, &kept);
    if (OP_BATCH * f->out_count >= OP_TICK_ELEMENTS && kept.ticks < 1)
        fail_msg("%s: forward never called the tick", f->c->name);
    for (int64_t s = 0; s < OP_BATCH; s++) {
        const double *of_sample = want + s * f->out_count;
        op_check_near(f,
                      "y",
                      isa,
                      f->out_count,
                      of_sample,
                      y + s * f->out_count,
                      op_tolerance(f->c) * op_largest(f->out_count, of_sample));
    }
    op_kept_free(&kept);
    free(y);
}

void op_test_forward(void **state)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    const int n = op_isas(*state, isas);
    op_fixture_init(&f, *state);
    double *want = op_doubles(OP_BATCH * f.out_count);
    for (int64_t s = 0; s < OP_BATCH; s++)
        op_reference_sample(&f, s, NULL, false, want + s * f.out_count);
    for (int i = 0; i < n; i++)
        forward_on(&f, isas[i], want);
    free(want);
    op_fixture_free(&f);
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
    const double cost = (double)f->out_count;
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
        const double scale = fmax(op_largest_f(count, mine), 1e-3);
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

void op_test_gradient(void **state)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    double *want[OP_CASE_INPUTS] = {NULL};
    const int n = op_isas(*state, isas);
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

/* A random direction of an input of a sample, small enough that neighbours on the inputs' grid keep
 * their order. */
static void direction(int64_t sample, int64_t count, double *u)
{
    for (int64_t i = 0; i < count; i++)
        u[i] = (2.0 * xa_random_unit(11, (uint64_t)sample, (uint64_t)i) - 1.0) /
               (1.0 + (double)count * 1e-5);
}

/* left[which][sample]: <J u, v> by the reference, the same for every ISA. */
static void adjoint_on(const op_fixture *f, xa_isa isa, double left[OP_CASE_INPUTS][OP_BATCH])
{
    const op_way way = {.isa = isa};
    float *y = op_floats(OP_BATCH * f->out_count);
    op_kept kept;
    op_run_forward(f, &way, 0, OP_BATCH, y, &kept);
    for (int which = 0; which < f->c->ninputs; which++) {
        const int64_t count = f->in_count[which];
        float *dx = op_floats(OP_BATCH * count);
        double *u = op_doubles(count);
        op_run_backward(f, &way, 0, OP_BATCH, y, &kept, f->dy, which, dx);
        for (int64_t s = 0; s < OP_BATCH; s++) {
            double right = 0.0, terms = 0.0;
            direction(s, count, u);
            for (int64_t i = 0; i < count; i++) {
                right += u[i] * (double)dx[s * count + i];
                terms += fabs(u[i] * (double)dx[s * count + i]);
            }
            if (!(fabs(left[which][s] - right) <= (op_tolerance(f->c) + 1e-7) * fmax(terms, 1e-3)))
                fail_msg("%s on %s: input %d, sample %lld: <Ju,v> is %.12g, <u,J'v> is %.12g",
                         f->c->name,
                         xa_isa_name(isa),
                         which,
                         (long long)s,
                         left[which][s],
                         right);
        }
        free(u);
        free(dx);
    }
    op_kept_free(&kept);
    free(y);
}

/* <J u, v> = <u, J' v> in a random direction, for each sample and input. */
void op_test_adjoint(void **state)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    double left[OP_CASE_INPUTS][OP_BATCH];
    const int n = op_isas(*state, isas);
    op_fixture_init(&f, *state);
    double *dy = op_doubles(f.out_count);
    for (int which = 0; which < f.c->ninputs; which++) {
        double *u = op_doubles(f.in_count[which]);
        for (int64_t s = 0; s < OP_BATCH; s++) {
            for (int64_t i = 0; i < f.out_count; i++)
                dy[i] = (double)f.dy[s * f.out_count + i];
            direction(s, f.in_count[which], u);
            left[which][s] = difference(&f, s, which, u, 0, dy);
        }
        free(u);
    }
    for (int i = 0; i < n; i++)
        adjoint_on(&f, isas[i], left);
    free(dy);
    op_fixture_free(&f);
}

/* ---- NaN and infinities ---------------------------------------------------------------------- */

static int class_of(double v)
{
    return isnan(v) ? 3 : isinf(v) ? (v > 0.0 ? 2 : 1) : 0;
}

/* x[which][at] of the fixture is `value`; want: the reference of it, the same for every ISA. */
static void nonfinite_forward_on(
    const op_fixture *f, xa_isa isa, int which, int64_t at, float value, const double *want)
{
    const op_way way = {.isa = isa};
    float *y = op_floats(f->out_count);
    op_kept kept;
    op_run_forward(f, &way, 0, 1, y, &kept);
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
    op_kept_free(&kept);
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

/* Each value at each of three places of an input, on every ISA. */
static void nonfinite_input(const op_fixture *f, int which, const xa_isa *isas, int n)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    const int64_t count = f->in_count[which];
    const int64_t places[] = {0, count / 2, count - 1};
    double *want = op_doubles(f->out_count);
    for (int p = 0; p < 3; p++)
        for (int v = 0; v < 3; v++) {
            float *slot = &f->x[which][places[p]];
            const float before = *slot;
            *slot = values[v];
            op_reference_sample(f, 0, NULL, false, want);
            for (int i = 0; i < n; i++)
                nonfinite_forward_on(f, isas[i], which, places[p], values[v], want);
            *slot = before;
        }
    free(want);
}

void op_test_nonfinite(void **state)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    const int n = op_isas(*state, isas);
    op_fixture_init(&f, *state);
    for (int which = 0; which < f.c->ninputs; which++) {
        nonfinite_input(&f, which, isas, n);
        for (int i = 0; i < n; i++) {
            nonfinite_backward(&f, isas[i], which, 0);
            nonfinite_backward(&f, isas[i], which, f.out_count / 2);
            nonfinite_backward(&f, isas[i], which, f.out_count - 1);
        }
    }
    op_fixture_free(&f);
}
