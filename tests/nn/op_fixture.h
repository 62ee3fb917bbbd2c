/* Drives one operator through its xa_op_def with buffers of exactly the sizes it asks for, each
 * followed by a guard, and all results poisoned with NaN before the call. */
#ifndef XAUDIT_TEST_OP_FIXTURE_H
#define XAUDIT_TEST_OP_FIXTURE_H

#include "op_cases.h"

/* A pass over more elements than this takes so long that the tick must be called inside. */
enum { OP_BATCH = 3, OP_TICK_ELEMENTS = 131072 };

typedef struct op_fixture {
    const op_case *c;
    xa_graph *graph;
    const xa_node *node;
    const xa_op_def *def;
    int64_t in_count[OP_CASE_INPUTS], out_count;
    float *x[OP_CASE_INPUTS]; /* [OP_BATCH, in_count] */
    float *w[XA_MAX_WEIGHTS]; /* NULL where absent */
    float *dy;                /* [OP_BATCH, out_count] */
    float *residual;          /* [OP_BATCH, out_count] */
    xa_fold fold;
    void *packed, *packed_folded;
} op_fixture;

/* How it is called. */
typedef struct op_way {
    xa_isa isa;
    bool residual, bits, fold, in_place;
    xa_activation act;
} op_way;

/* What forward leaves for backward. */
typedef struct op_kept {
    void *state;
    uint8_t *bits;
    int ticks;
} op_kept;

void op_fixture_init(op_fixture *f, const op_case *c);
void op_fixture_free(op_fixture *f);

/* Samples [first, first+n): y [n, out_count]. kept is to be freed. */
void op_run_forward(
    const op_fixture *f, const op_way *way, int64_t first, int64_t n, float *y, op_kept *kept);
/* y is what forward gave; dy [n, out_count] for the same samples, dx [n, in_count[which]]. */
void op_run_backward(const op_fixture *f,
                     const op_way *way,
                     int64_t first,
                     int64_t n,
                     const float *y,
                     const op_kept *kept,
                     const float *dy,
                     int which,
                     float *dx);
void op_kept_free(op_kept *kept);

/* The double reference of one sample, y [out_count]; x NULL: the fixture's inputs, otherwise
 * [in_count] each. */
void op_reference_sample(
    const op_fixture *f, int64_t sample, const double *const *x, bool fold, double *y);
/* The inputs of a sample in double, each to be freed. */
void op_inputs(const op_fixture *f, int64_t sample, double *x[OP_CASE_INPUTS]);

float *op_floats(int64_t n);   /* poisoned with NaN */
double *op_doubles(int64_t n); /* zeros */
double op_tolerance(const op_case *c);
/* Those this machine runs, and the numerics; AVX512_BF16 only where it is not the same as AVX512.
 */
int op_isas(const op_case *c, xa_isa isas[XA_ISA_COUNT]);

/* The largest magnitude of n numbers. */
double op_largest(int64_t n, const double *p);
double op_largest_f(int64_t n, const float *p);
/* Fails the test where got[i] is further from want[i] than the tolerance. */
void op_check_near(const op_fixture *f,
                   const char *what,
                   xa_isa isa,
                   int64_t n,
                   const double *want,
                   const float *got,
                   double tolerance);
/* Fails the test where the bits differ; any NaN equals any other. */
void op_check_same(
    const op_fixture *f, const char *what, xa_isa isa, int64_t n, const float *a, const float *b);

#endif
