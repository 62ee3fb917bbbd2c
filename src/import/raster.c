/* Polygons and run lengths to pixels, as the COCO mask API does it (its golden masks are in
 * tests/golden/manifest). */
#include <math.h>
#include <string.h>

#include "import_internal.h"

enum { FINE = 5 }; /* points of the outline's grid per pixel, along each axis */

typedef struct edge {
    int64_t x0, y0, x1, y1; /* on the fine grid; drawn from x0 or, when steep, from y0 upwards */
    double slope;           /* the smaller extent over the larger one */
    bool steep;
} edge;

static int64_t fine(double v)
{
    return (int64_t)(FINE * v + 0.5); /* towards 0, as in the original */
}

static edge edge_between(const double *a, const double *b)
{
    edge e = {.x0 = fine(a[0]), .y0 = fine(a[1]), .x1 = fine(b[0]), .y1 = fine(b[1])};
    const int64_t dx = e.x1 > e.x0 ? e.x1 - e.x0 : e.x0 - e.x1;
    const int64_t dy = e.y1 > e.y0 ? e.y1 - e.y0 : e.y0 - e.y1;
    e.steep = dy > dx;
    if (e.steep ? e.y0 > e.y1 : e.x0 > e.x1)
        e = (edge){.x0 = e.x1, .y0 = e.y1, .x1 = e.x0, .y1 = e.y0, .steep = e.steep};
    if (dx > 0 || dy > 0)
        e.slope = e.steep ? (double)(e.x1 - e.x0) / (double)dy : (double)(e.y1 - e.y0) / (double)dx;
    return e;
}

/* The outline's point at step t >= 0. */
static int64_t at(int64_t start, double slope, int64_t t)
{
    return (int64_t)((double)start + slope * (double)t + 0.5);
}

/* The outline passes the centre of a pixel column between two neighbouring points, from fine column
 * `left` to left + 1: the row of the upper one. The edge must pass there. */
static int64_t crossing(const edge *e, int64_t left)
{
    if (!e->steep) {
        const int64_t a = at(e->y0, e->slope, left - e->x0);
        const int64_t b = at(e->y0, e->slope, left + 1 - e->x0);
        return a < b ? a : b;
    }
    /* A steep edge has one point per fine row: find the first row beyond. */
    const int64_t last = e->y1 - e->y0;
    int64_t t = (int64_t)(((double)left + 0.5 - (double)e->x0) / e->slope);
    t = t < 0 ? 0 : t > last ? last : t;
    if (e->slope > 0.0) {
        while (t > 0 && at(e->x0, e->slope, t) > left)
            t--;
        while (t < last && at(e->x0, e->slope, t) <= left)
            t++;
    } else {
        while (t > 0 && at(e->x0, e->slope, t) <= left)
            t--;
        while (t < last && at(e->x0, e->slope, t) > left)
            t++;
    }
    return e->y0 + t - 1; /* the one before lies above */
}

/* The pixel row at which filling begins or ends for a crossing at fine row y. */
static int64_t row_of(int64_t y, int64_t height)
{
    const double v = ((double)y + 0.5) / FINE - 0.5;
    if (v <= 0.0)
        return 0;
    return v >= (double)height ? height : (int64_t)ceil(v);
}

/* The fine column to the left of a pixel column's centre. */
static int64_t left_of(int64_t column)
{
    return FINE * column + FINE / 2;
}

void xa__raster_polygon(const double *points,
                        int64_t npoints,
                        int64_t width,
                        int64_t height,
                        uint8_t *toggle,
                        uint8_t *mask)
{
    double low = points[0];
    double high = points[0];
    for (int64_t i = 1; i < npoints; i++) {
        low = points[2 * i] < low ? points[2 * i] : low;
        high = points[2 * i] > high ? points[2 * i] : high;
    }
    const int64_t first = low > 1.0 ? (int64_t)low - 1 : 0;
    const int64_t end = high + 1.0 < (double)width ? (int64_t)(high + 1.0) + 1 : width;
    for (int64_t column = first; column < end && column < width; column++) {
        const int64_t left = left_of(column);
        bool any = false;
        for (int64_t i = 0; i < npoints; i++) {
            const double *a = points + 2 * i;
            const double *b = points + 2 * (i + 1 < npoints ? i + 1 : 0);
            const int64_t xa = fine(a[0]);
            const int64_t xb = fine(b[0]);
            if ((xa <= left) == (xb <= left))
                continue;
            const edge e = edge_between(a, b);
            toggle[row_of(crossing(&e, left), height)] ^= 1;
            any = true;
        }
        if (!any)
            continue;
        uint8_t inside = 0;
        for (int64_t y = 0; y < height; y++) {
            inside ^= toggle[y];
            if (inside)
                mask[y * width + column] = 255;
        }
        memset(toggle, 0, (size_t)height + 1);
    }
}

bool xa__raster_runs(const int64_t *runs, size_t n, int64_t width, int64_t height, uint8_t *mask)
{
    const int64_t total = width * height;
    int64_t done = 0;
    for (size_t i = 0; i < n; i++) {
        if (runs[i] < 0 || runs[i] > total - done)
            return false;
        done += runs[i];
    }
    if (done != total)
        return false;
    done = 0;
    for (size_t i = 0; i < n; done += runs[i++])
        if (i % 2 == 1)
            for (int64_t k = done; k < done + runs[i]; k++)
                mask[(k % height) * width + k / height] = 255;
    return true;
}

bool xa__runs_decode(const char *text, size_t len, int64_t *out, size_t *n)
{
    size_t count = 0;
    for (size_t p = 0; p < len;) {
        uint64_t v = 0;
        unsigned shift = 0;
        for (;;) {
            if (p >= len || shift > 55)
                return false;
            const int c = (unsigned char)text[p++] - 48;
            if (c < 0 || c > 63)
                return false;
            v |= (uint64_t)(c & 31) << shift;
            shift += 5;
            if (c & 32)
                continue;
            if (c & 16)
                v |= ~UINT64_C(0) << shift; /* the sign */
            break;
        }
        int64_t run = (int64_t)v;
        /* From the fourth number on, it is the difference to the run before the last one. */
        if (count > 2 && __builtin_add_overflow(run, out[count - 2], &run))
            return false;
        if (run < 0)
            return false;
        out[count++] = run;
    }
    *n = count;
    return true;
}
