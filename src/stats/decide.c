/* Holm's decisions over p values that are estimated from replicates. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "stats_internal.h"

enum { FIRST = 999, ROUNDS = 12 };
#define ERROR 0.01 /* chance that any of all bounds is wrong */

typedef struct bounds {
    double *low, *high, *low_adjusted, *high_adjusted; /* [n] */
} bounds;

static void bound(const xa_test *t, double error, double *low, double *high)
{
    *low = *high = t->p;
    if (!isnan(t->p) && !t->exact)
        xa__binomial_bounds(t->reached, t->replicates, error, low, high);
}

/* Holm's factor of test i: how many tests have at least its p, itself included. */
static int64_t factor(const xa_test *t, int64_t n, int64_t i)
{
    int64_t count = 0;
    for (int64_t k = 0; k < n; k++)
        count += t[k].p >= t[i].p ? 1 : 0;
    return count;
}

static xa_status
judge(int64_t n, double alpha, const xa_test *t, bounds *b, xa_decision *decision, xa_err *err)
{
    const double error = ERROR / (2.0 * ROUNDS * (double)n);
    for (int64_t i = 0; i < n; i++)
        bound(&t[i], error, &b->low[i], &b->high[i]);
    XA_RETURN_TRY(err, xa_stats_holm(n, b->low, b->low_adjusted, err));
    XA_RETURN_TRY(err, xa_stats_holm(n, b->high, b->high_adjusted, err));
    for (int64_t i = 0; i < n; i++)
        decision[i] = isnan(t[i].p)                  ? XA_DECISION_NONE
                      : b->high_adjusted[i] <= alpha ? XA_DECISION_SIGNIFICANT
                      : b->low_adjusted[i] > alpha   ? XA_DECISION_NOT
                                                     : XA_DECISION_UNDECIDED;
    return XA_OK;
}

xa_status xa_stats_decide(int64_t n,
                          double alpha,
                          int64_t most,
                          xa_test_more *more,
                          void *arg,
                          xa_test *t,
                          double *adjusted,
                          xa_decision *decision,
                          xa_err *err)
{
    xa_status st = XA_OK;
    double *room = NULL, *p = NULL;
    if (n < 0 || most < 1)
        XA_FAIL(err,
                XA_INVALID,
                "Holm's decisions: %" PRId64 " tests, %" PRId64 " replicates",
                n,
                most);
    room = xa_alloc(4 * (size_t)n + 1, sizeof *room);
    p = xa_alloc((size_t)n + 1, sizeof *p);
    if (!room || !p)
        XA_FAIL(err, XA_NOMEM, "Holm's decisions: out of memory for %" PRId64 " tests", n);
    bounds b = {room, room + n, room + 2 * n, room + 3 * n};
    for (int64_t i = 0; i < n; i++)
        decision[i] = XA_DECISION_UNDECIDED;
    for (int64_t upto = FIRST;; upto = 4 * upto + 3) { /* 3999, 15999, ... */
        upto = upto < most ? upto : most;
        bool open = false;
        for (int64_t i = 0; i < n; i++)
            if (decision[i] == XA_DECISION_UNDECIDED && !t[i].exact)
                XA_TRY(err, more(arg, i, upto, &t[i], err));
        XA_TRY(err, judge(n, alpha, t, &b, decision, err));
        for (int64_t i = 0; i < n; i++)
            open = open || (decision[i] == XA_DECISION_UNDECIDED && !t[i].exact);
        if (!open || upto == most)
            break;
    }
    for (int64_t i = 0; i < n; i++)
        p[i] = t[i].p;
    XA_TRY(err, xa_stats_holm(n, p, adjusted, err));
    for (int64_t i = 0; i < n; i++) {
        if (decision[i] == XA_DECISION_NOT && t[i].least * (double)factor(t, n, i) > alpha)
            decision[i] = XA_DECISION_GROUPS;
    }
done:
    free(room);
    free(p);
    return st;
}
