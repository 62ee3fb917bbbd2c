/* Grant sizes. */
#include "grant.h"

enum { GROWTH = 4 };

int64_t xa__grant_units(const xa__grant_state *g)
{
    if (g->unit_seconds <= 0 || g->previous <= 0)
        return 1;
    double n = g->target_seconds / g->unit_seconds;
    const double tail = (double)g->remaining / (2.0 * g->ranks);
    if (n > tail)
        n = tail;
    const double fair = 0.5 * g->share * (double)g->remaining;
    if (g->share > 0 && n > fair)
        n = fair;
    const double grown = (double)g->previous * GROWTH;
    if (n > grown)
        n = grown;
    if (g->most > 0 && n > (double)g->most)
        n = (double)g->most;
    if (!(n >= 1))
        return 1;
    if (n >= (double)g->remaining)
        return g->remaining;
    return (int64_t)n;
}

double xa__share(double speed, int known, int ranks, double unit_seconds)
{
    if (known == 0 || unit_seconds <= 0)
        return 0;
    return 1 / unit_seconds / (speed * (double)ranks / known);
}

double xa__unit_seconds(double old, int64_t units, double seconds)
{
    if (units <= 0)
        return old;
    /* Never 0, which would mean "not measured". */
    double now = seconds / (double)units;
    if (now < 1e-9)
        now = 1e-9;
    /* The latest grant counts half: images of one folder are often alike, and change together. */
    return old > 0 ? 0.5 * old + 0.5 * now : now;
}
