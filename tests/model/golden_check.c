/* One model compared with its reference. */
#include "golden_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "xaudit_cmocka.h"

void golden_fail(golden_check *c, const char *format, ...)
{
    char text[700];
    va_list ap;
    if (c->failure[0])
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    snprintf(c->failure,
             sizeof c->failure,
             "%s/%s on %s: %s (reference by tests/golden/keras/%s)",
             c->folder,
             c->ref->model,
             xa_isa_name(c->isa),
             text,
             c->ref->script);
}

golden_difference golden_compare(const double *ours, const double *theirs, int64_t n)
{
    golden_difference d = {0};
    double square = 0.0, norm = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double e = fabs(ours[i] - theirs[i]);
        d.scale = fmax(d.scale, fabs(theirs[i]));
        square += e * e;
        norm += theirs[i] * theirs[i];
        if (i == 0 || e > d.largest || !isfinite(ours[i])) {
            d.largest = isfinite(ours[i]) ? e : INFINITY;
            d.at = i;
            if (!isfinite(ours[i]))
                break;
        }
    }
    d.ours = ours[d.at];
    d.theirs = theirs[d.at];
    /* all zeros in the reference: differences count as they are */
    d.relative = d.scale > 0.0 ? d.largest / d.scale : d.largest;
    d.l2 = norm > 0.0 ? sqrt(square / norm) : sqrt(square);
    return d;
}

void golden_widen(const float *from, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (double)from[i];
}

double *golden_doubles(int64_t n)
{
    double *p = calloc((size_t)n + 1, sizeof *p);
    assert_non_null(p);
    return p;
}

void golden_within(golden_check *c,
                   const char *what,
                   const char *layer,
                   const double *ours,
                   const reference_array *theirs,
                   double tolerance,
                   double *worst)
{
    const golden_difference d = golden_compare(ours, theirs->values, theirs->count);
    *worst = fmax(*worst, d.relative);
    if (!(d.relative <= tolerance))
        golden_fail(c,
                    "%s%s%s[%" PRId64
                    "] is %.9g, Keras has %.9g: %.2e of the largest %.4g, at most "
                    "%.0e is allowed",
                    what,
                    layer[0] ? " of " : "",
                    layer,
                    d.at,
                    d.ours,
                    d.theirs,
                    d.relative,
                    d.scale,
                    tolerance);
}

bool golden_same_extents(const reference_array *a, const xa_shape *s)
{
    if (a->ndim != s->ndim + 1)
        return false;
    for (int i = 0; i < s->ndim; i++)
        if (a->dim[i + 1] != s->dim[i])
            return false;
    return true;
}
