/* Connected components that grow pixel by pixel: union-find with bounding boxes. Private to metric.
 */
#ifndef XAUDIT_METRIC_COMPONENT_H
#define XAUDIT_METRIC_COMPONENT_H

#include <stdint.h>

typedef struct xa__component {
    int32_t x0, y0, x1, y1; /* pixels, inclusive */
    int32_t pixels;
    int32_t halves;  /* twice the area of the polygon through its pixels' centres, without holes */
    int16_t since;   /* grey level from which on it has its present pixels */
    int16_t touched; /* level at which it last changed; -1: never */
    double overlap;  /* with the best annotated box */
} xa__component;

static inline int32_t xa__find(int32_t *parent, int32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Root b becomes part of root a. */
static inline int32_t xa__take_in(int32_t *parent, xa__component *c, int32_t a, int32_t b)
{
    parent[b] = a;
    c[a].x0 = c[a].x0 < c[b].x0 ? c[a].x0 : c[b].x0;
    c[a].y0 = c[a].y0 < c[b].y0 ? c[a].y0 : c[b].y0;
    c[a].x1 = c[a].x1 > c[b].x1 ? c[a].x1 : c[b].x1;
    c[a].y1 = c[a].y1 > c[b].y1 ? c[a].y1 : c[b].y1;
    c[a].pixels += c[b].pixels;
    c[a].halves += c[b].halves;
    return a;
}

/* Joins two roots; the first pixel in row-major order stays the root. */
static inline int32_t xa__join(int32_t *parent, xa__component *c, int32_t a, int32_t b)
{
    return a < b ? xa__take_in(parent, c, a, b) : xa__take_in(parent, c, b, a);
}

#endif
