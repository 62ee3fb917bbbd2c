/* Shapes of one sample. */
#include <inttypes.h>

#include "xaudit/nn.h"

int64_t xa_shape_count(const xa_shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->ndim; i++)
        n *= s->dim[i];
    return n;
}

bool xa_shape_equal(const xa_shape *a, const xa_shape *b)
{
    if (a->ndim != b->ndim)
        return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

int64_t xa_shape_last(const xa_shape *s)
{
    return s->ndim ? s->dim[s->ndim - 1] : 1;
}

const char *xa_shape_text(const xa_shape *s, char *buf, size_t size)
{
    size_t at = 0;
    int n = snprintf(buf, size, "[");
    at += (size_t)(n > 0 ? n : 0);
    for (int i = 0; i < s->ndim && at < size; i++) {
        n = snprintf(buf + at, size - at, "%s%" PRId64, i ? "," : "", s->dim[i]);
        at += (size_t)(n > 0 ? n : 0);
    }
    if (at < size)
        snprintf(buf + at, size - at, "]");
    return buf;
}
