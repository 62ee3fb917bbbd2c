/* Lines of one value in a field, by marching squares.
 *
 * A line crosses the sides of squares between four neighbouring cells. Each crossed side has a
 * number; a square joins two of its crossed sides (or twice two), so that every side has at most
 * two neighbours, and lines are followed from side to side. */
#include "xaudit/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct tracer {
    const float *field;
    int64_t h, w;
    double level;
    const double *frame;
    bool all;           /* keep small lines, too */
    int64_t (*next)[2]; /* [2 h w] neighbours of a side, -1: none. Side 2i lies between cells i and
                           i + 1, side 2i + 1 between i and i + w */
    double (*line)[2];  /* the line that is followed */
    size_t nline, line_cap;
    xa_lines *out;
    size_t point_cap, first_cap;
} tracer;

void xa_lines_fini(xa_lines *l)
{
    free(l->point);
    free(l->first);
    *l = (xa_lines){0};
}

static void join(tracer *t, int64_t a, int64_t b)
{
    t->next[a][t->next[a][0] >= 0] = b;
    t->next[b][t->next[b][0] >= 0] = a;
}

/* The square whose top left cell is i. Corners are numbered clockwise from there; side k lies
 * between corners k and k + 1. */
static void mark_square(tracer *t, int64_t i)
{
    const int64_t corner[4] = {i, i + 1, i + t->w + 1, i + t->w};
    const int64_t side[4] = {2 * i, 2 * (i + 1) + 1, 2 * (i + t->w), 2 * i + 1};
    int64_t crossed[4];
    bool high[4];
    int n = 0;
    double sum = 0.0;
    for (int k = 0; k < 4; k++) {
        const double v = (double)t->field[corner[k]];
        if (!isfinite(v))
            return;
        high[k] = v > t->level;
        sum += v;
    }
    for (int k = 0; k < 4; k++)
        if (high[k] != high[(k + 1) % 4])
            crossed[n++] = side[k];
    if (n == 2) {
        join(t, crossed[0], crossed[1]);
    } else if (n == 4) {
        /* A saddle: its middle belongs to corners 0 and 2, or it parts them. */
        const bool joined = (sum / 4.0 > t->level) == high[0];
        join(t, side[0], side[joined ? 1 : 3]);
        join(t, side[2], side[joined ? 3 : 1]);
    }
}

/* Where the line crosses a side, in the pixels of the frame. */
static void crossing(const tracer *t, int64_t side, double at[2])
{
    const int64_t i = side / 2, j = side % 2 ? i + t->w : i + 1;
    const double a = (double)t->field[i], b = (double)t->field[j], part = (t->level - a) / (b - a);
    const double x = (double)(i % t->w) + (side % 2 ? 0.0 : part) + 0.5;
    const double y = (double)(i / t->w) + (side % 2 ? part : 0.0) + 0.5;
    at[0] = x * t->frame[0] / (double)t->w;
    at[1] = y * t->frame[1] / (double)t->h;
}

/* Takes the way from a side to a neighbour out, both ways; -1: there is none. */
static int64_t step(tracer *t, int64_t side)
{
    const int k = t->next[side][1] >= 0;
    const int64_t to = t->next[side][k];
    if (to < 0)
        return -1;
    t->next[side][k] = -1;
    if (t->next[to][0] == side)
        t->next[to][0] = t->next[to][1];
    t->next[to][1] = -1;
    return to;
}

static bool is_worth_drawing(const tracer *t, bool closed)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY}, area = 0.0;
    for (size_t i = 0; i < t->nline; i++) {
        const double *p = t->line[i], *q = t->line[(i + 1) % t->nline];
        area += 0.5 * (p[0] * q[1] - q[0] * p[1]);
        for (int k = 0; k < 2; k++) {
            low[k] = fmin(low[k], p[k] / t->frame[k]);
            high[k] = fmax(high[k], p[k] / t->frame[k]);
        }
    }
    if (closed)
        return fabs(area) >= 0.01 * t->frame[0] * t->frame[1];
    return fmax(high[0] - low[0], high[1] - low[1]) >= 0.11;
}

/* Follows the line from a side to its end, or around; keeps it if it is worth it. */
static xa_status follow(tracer *t, int64_t start, xa_err *err)
{
    xa_lines *o = t->out;
    int64_t side = start, last = start;
    t->nline = 0;
    for (; side >= 0; side = step(t, side)) {
        XA_RETURN_TRY(err, xa_grow(&t->line, &t->line_cap, t->nline + 1, sizeof *t->line, err));
        crossing(t, side, t->line[t->nline++]);
        last = side;
    }
    if (!t->all && !is_worth_drawing(t, last == start))
        return XA_OK;
    const size_t have = o->first ? (size_t)o->first[o->n] : 0;
    XA_RETURN_TRY(err, xa_grow(&o->point, &t->point_cap, have + t->nline, sizeof *o->point, err));
    XA_RETURN_TRY(err, xa_grow(&o->first, &t->first_cap, (size_t)o->n + 2, sizeof *o->first, err));
    memcpy(o->point + have, t->line, t->nline * sizeof *o->point);
    o->first[o->n] = (int)have;
    o->first[++o->n] = (int)(have + t->nline);
    return XA_OK;
}

xa_status xa_map_contour(const float *field,
                         int64_t h,
                         int64_t w,
                         double level,
                         const double frame[2],
                         bool all,
                         xa_lines *out,
                         xa_err *err)
{
    xa_status st = XA_OK;
    tracer t = {
        .field = field, .h = h, .w = w, .level = level, .frame = frame, .all = all, .out = out};
    *out = (xa_lines){0};
    t.next = xa_alloc((size_t)(2 * h * w), sizeof *t.next);
    if (!t.next)
        XA_NOMEM_FAIL(err);
    memset(t.next, -1, (size_t)(2 * h * w) * sizeof *t.next); /* all bits set: -1 */
    for (int64_t y = 0; y + 1 < h; y++)
        for (int64_t x = 0; x + 1 < w; x++)
            mark_square(&t, y * w + x);
    for (int64_t i = 0; i < 2 * h * w; i++) /* open lines from their ends */
        if (t.next[i][0] >= 0 && t.next[i][1] < 0)
            XA_TRY(err, follow(&t, i, err));
    for (int64_t i = 0; i < 2 * h * w; i++) /* what remains is closed */
        if (t.next[i][0] >= 0)
            XA_TRY(err, follow(&t, i, err));
done:
    if (st != XA_OK)
        xa_lines_fini(out);
    free(t.next);
    free(t.line);
    return st;
}
