/* However an operator is called, it gives the same: batches, epilogues, folded weights, in place,
 * instruction sets. */
#include "test_ops.h"
#include "xaudit_cmocka.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef void property(const op_fixture *f, xa_isa isa);

static void run_property(void **state, property *check)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    const int n = op_isas(*state, isas);
    op_fixture_init(&f, *state);
    for (int i = 0; i < n; i++)
        check(&f, isas[i]);
    op_fixture_free(&f);
}

/* ---- row contract ---------------------------------------------------------------------------- */

/* Samples but the poisoned one (-1: none), each alone, against what the batch gave. */
static void alone(const op_fixture *f,
                  const op_way *way,
                  int64_t poisoned,
                  const float *dy,
                  const float *y3,
                  float *const dx3[OP_CASE_INPUTS])
{
    float *y1 = op_floats(f->out_count);
    op_kept kept;
    for (int64_t s = 0; s < OP_BATCH; s++) {
        if (s == poisoned)
            continue;
        op_run_forward(f, way, s, 1, y1, &kept);
        op_check_same(f, "y", way->isa, f->out_count, y1, y3 + s * f->out_count);
        for (int which = 0; which < f->c->ninputs; which++) {
            const int64_t count = f->in_count[which];
            float *dx1 = op_floats(count);
            op_run_backward(f, way, s, 1, y1, &kept, dy + s * f->out_count, which, dx1);
            op_check_same(f, "dx", way->isa, count, dx1, dx3[which] + s * count);
            free(dx1);
        }
        op_kept_free(&kept);
    }
    free(y1);
}

/* A sample alone, in a batch, and beside a sample full of NaN: the same bits. */
static void rows_property(const op_fixture *f, xa_isa isa)
{
    const op_way way = {.isa = isa};
    float *y3 = op_floats(OP_BATCH * f->out_count), *dy = op_floats(OP_BATCH * f->out_count);
    float *dx3[OP_CASE_INPUTS] = {NULL};
    op_kept kept;
    memcpy(dy, f->dy, (size_t)(OP_BATCH * f->out_count) * sizeof(*dy));
    for (int j = 0; j < f->c->ninputs; j++)
        dx3[j] = op_floats(OP_BATCH * f->in_count[j]);
    for (int round = 0; round < 2; round++) {
        const int64_t poisoned = round == 0 ? -1 : 1;
        if (poisoned >= 0) { /* the fixture is this property's own */
            for (int j = 0; j < f->c->ninputs; j++)
                for (int64_t i = 0; i < f->in_count[j]; i++)
                    f->x[j][poisoned * f->in_count[j] + i] = NAN;
            for (int64_t i = 0; i < f->out_count; i++)
                dy[poisoned * f->out_count + i] = NAN;
        }
        op_run_forward(f, &way, 0, OP_BATCH, y3, &kept);
        for (int j = 0; j < f->c->ninputs; j++)
            op_run_backward(f, &way, 0, OP_BATCH, y3, &kept, dy, j, dx3[j]);
        alone(f, &way, poisoned, dy, y3, dx3);
        op_kept_free(&kept);
    }
    for (int j = 0; j < f->c->ninputs; j++)
        free(dx3[j]);
    free(y3);
    free(dy);
}

/* ---- epilogue, folding, masking, in place ---------------------------------------------------- */

static bool bit_of(const uint8_t *bits, int64_t i, int64_t last)
{
    return bits[(size_t)(i / last) * xa_bits_row(last) + (size_t)(i % last) / 8] >> i % last % 8 &
           1;
}

/* An operator without epilogue, folded or not: the reference and, on one ISA, what forward gives.
 */
typedef struct bare_op {
    double *want; /* [OP_BATCH, out_count] */
    float *y;     /* [OP_BATCH, out_count] */
    op_kept kept;
} bare_op;

/* What the activation makes of v, the value before it. */
static double activated(const xa_activation *act, double v)
{
    if (act->kind != XA_ACT_RELU)
        return v;
    return v < (double)act->c ? (double)act->a * (v - (double)act->c) : fmin(v, (double)act->b);
}

/* Output and bits of an epilogue on top of the reference. */
static void check_epilogue(const op_fixture *f,
                           const op_way *way,
                           const bare_op *bare,
                           const float *y,
                           const uint8_t *bits)
{
    const int64_t last = xa_shape_last(&f->node->shape);
    const xa_activation *act = &way->act;
    const bool relu = act->kind == XA_ACT_RELU;
    double *want = op_doubles(f->out_count);
    for (int64_t s = 0; s < OP_BATCH; s++) {
        const double *plain = bare->want + s * f->out_count;
        const double near = 2.0 * op_tolerance(f->c) * (op_largest(f->out_count, plain) + 2.0);
        for (int64_t i = 0; i < f->out_count; i++) {
            const int64_t at = s * f->out_count + i;
            const double v = plain[i] + (way->residual ? (double)f->residual[at] : 0.0);
            const bool at_kink =
                relu && (fabs(v - (double)act->c) < near || fabs(v - (double)act->b) < near);
            const bool pass = !relu || (v > (double)act->c && v < (double)act->b);
            if (bits && !at_kink && bit_of(bits, at, last) != pass)
                fail_msg("%s: the bit of y[%lld], before activation %.9g, is %d",
                         f->c->name,
                         (long long)at,
                         v,
                         !pass);
            want[i] = activated(act, v);
        }
        op_check_near(f, "y", way->isa, f->out_count, want, y + s * f->out_count, near);
    }
    free(want);
}

static void one_epilogue(const op_fixture *f, const op_way *way, const bare_op *bare)
{
    const int64_t total = OP_BATCH * f->out_count, last = xa_shape_last(&f->node->shape);
    float *y = op_floats(total);
    op_kept kept;
    op_run_forward(f, way, 0, OP_BATCH, y, &kept);
    check_epilogue(f, way, bare, y, kept.bits);
    if (kept.bits) { /* backward with bits is a mask and backward without, bit for bit */
        const op_way without = {.isa = way->isa, .fold = way->fold};
        const int64_t in = OP_BATCH * f->in_count[0];
        float *masked = op_floats(total), *fused = op_floats(in), *apart = op_floats(in);
        xa_kernels_get(way->isa)->mask(total / last, last, f->dy, kept.bits, way->act.a, masked);
        op_run_backward(f, way, 0, OP_BATCH, y, &kept, f->dy, 0, fused);
        op_run_backward(f, &without, 0, OP_BATCH, bare->y, &bare->kept, masked, 0, apart);
        op_check_same(f, "dx", way->isa, in, fused, apart);
        free(masked);
        free(fused);
        free(apart);
    }
    op_kept_free(&kept);
    free(y);
}

/* The ways of an operator without an activation have no bits; those with one have them or not. */
static void epilogues_on(const op_fixture *f, xa_isa isa, const bare_op *bare, bool fold)
{
    const float high = (float)(0.4 * op_largest(f->out_count, bare[0].want)) + 0.01f;
    const xa_activation acts[] = {{XA_ACT_LINEAR, 0, 0, 0},
                                  {XA_ACT_RELU, 0.0f, INFINITY, 0.0f},
                                  {XA_ACT_RELU, 0.0f, high, 0.0f},
                                  {XA_ACT_RELU, 0.25f, INFINITY, 0.0f}};
    for (size_t a = 0; a < sizeof(acts) / sizeof(acts[0]); a++)
        for (int flags = 0; flags < (acts[a].kind == XA_ACT_RELU ? 4 : 2); flags++) {
            const op_way way = {
                .isa = isa, .act = acts[a], .residual = flags & 1, .bits = flags & 2, .fold = fold};
            one_epilogue(f, &way, &bare[fold]);
        }
}

void op_test_epilogue(void **state)
{
    op_fixture f;
    xa_isa isas[XA_ISA_COUNT];
    bare_op bare[2] = {{NULL, NULL, {0}}, {NULL, NULL, {0}}};
    const int n = op_isas(*state, isas);
    op_fixture_init(&f, *state);
    const int folds = 1 + (f.packed_folded != NULL);
    for (int fold = 0; fold < folds; fold++) {
        bare[fold].want = op_doubles(OP_BATCH * f.out_count);
        bare[fold].y = op_floats(OP_BATCH * f.out_count);
        for (int64_t s = 0; s < OP_BATCH; s++)
            op_reference_sample(&f, s, NULL, fold, bare[fold].want + s * f.out_count);
    }
    for (int i = 0; i < n; i++)
        for (int fold = 0; fold < folds; fold++) {
            const op_way without = {.isa = isas[i], .fold = fold};
            op_run_forward(&f, &without, 0, OP_BATCH, bare[fold].y, &bare[fold].kept);
            epilogues_on(&f, isas[i], bare, fold);
            op_kept_free(&bare[fold].kept);
        }
    for (int fold = 0; fold < folds; fold++) {
        free(bare[fold].want);
        free(bare[fold].y);
    }
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
    op_check_same(f, "y", isa, total, a, b);
    const unsigned saves = f->def->saves ? f->def->saves(f->node) : 0;
    if (!(saves & XA_SAVES_INPUTS)) {
        float *da = op_floats(total), *db = op_floats(total);
        op_run_backward(f, &apart, 0, OP_BATCH, a, &ka, f->dy, 0, da);
        op_run_backward(f, &in_place, 0, OP_BATCH, b, &kb, f->dy, 0, db);
        op_check_same(f, "dx", isa, total, da, db);
        free(da);
        free(db);
    }
    op_kept_free(&ka);
    op_kept_free(&kb);
    free(a);
    free(b);
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
    op_check_same(f, "y", isa, total, a, b);
    for (int which = 0; which < f->c->ninputs; which++) {
        const int64_t count = OP_BATCH * f->in_count[which];
        float *da = op_floats(count), *db = op_floats(count);
        op_run_backward(f, &narrow, 0, OP_BATCH, a, &ka, f->dy, which, da);
        op_run_backward(f, &way, 0, OP_BATCH, b, &kb, f->dy, which, db);
        op_check_same(f, "dx", isa, count, da, db);
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
    if (xa_numerics_rounds(f->c->numerics) && !xa_isa_fused(XA_ISA_BASE))
        return;
    const int64_t total = OP_BATCH * f->out_count;
    float *a = op_floats(total), *b = op_floats(total);
    op_kept ka, kb;
    op_run_forward(f, &base, 0, OP_BATCH, a, &ka);
    op_run_forward(f, &way, 0, OP_BATCH, b, &kb);
    const double y_near = op_tolerance(f->c) * op_largest_f(total, a);
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
        const double near = 2.0 * op_tolerance(f->c) * op_largest_f(count, da);
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

void op_test_rows(void **state)
{
    run_property(state, rows_property);
}

void op_test_in_place(void **state)
{
    run_property(state, in_place_property);
}

void op_test_isas(void **state)
{
    run_property(state, isas_property);
}
