/* The extents of a field, from the letters of the table. */
#include <stdlib.h>
#include <string.h>

#include "xaudit/format.h"

xa_extents xa_extents_unknown(void)
{
    return (xa_extents){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
}

static int64_t letter(const xa_extents *x, char c)
{
    switch (c) {
    case 'N':
        return x->samples;
    case 'Q':
        return x->pairs;
    case 'R':
        return x->rows;
    case 'A':
        return x->annotations;
    case 'L':
        return x->labels;
    case 'C':
        return x->classes;
    case 'c':
        return x->channels;
    case 'h':
        return x->height;
    case 'w':
        return x->width;
    case 's':
        return x->side;
    case 'D':
        return x->levels;
    case 'F':
        return x->figures;
    case 'B':
        return x->blocks;
    case 'P':
        return x->points;
    case 'G':
        return x->groups;
    case 'K':
        return x->clusters;
    case 'V':
        return x->vectors;
    default:
        return -1;
    }
}

int xa_field_dims(xa_field_kind kind, const xa_extents *x, int64_t dim[5])
{
    int n = 0;
    for (const char *p = xa_field_extents(kind); *p && n < 5; n++) {
        if (*p >= '0' && *p <= '9') {
            dim[n] = strtoll(p, NULL, 10);
        } else {
            const int64_t value = letter(x, *p);
            dim[n] = value >= 0 && p[1] == '+' ? value + 1 : value; /* "N+1": offsets */
        }
        p += strcspn(p, ",");
        p += *p == ',';
    }
    return n;
}

size_t xa_field_row_items(xa_field_kind kind, const xa_extents *x)
{
    int64_t dim[5];
    size_t items = 1;
    const int n = xa_field_dims(kind, x, dim);
    for (int d = 1; d < n; d++)
        if (dim[d] < 0 || !xa_size_mul(items, (size_t)dim[d], &items))
            return 0;
    return items;
}
