/* Checked sizes and memory. */
#include <stdlib.h>
#include <string.h>

#include "xaudit/util.h"

bool xa_size_mul(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

bool xa_size_add(size_t a, size_t b, size_t *out)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

bool xa_i64_mul(int64_t a, int64_t b, int64_t *out)
{
    int64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

void *xa_alloc(size_t count, size_t item)
{
    size_t bytes;
    if (!xa_size_mul(count, item, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    /* At least one byte, so that NULL always means failure. */
    return calloc(bytes > 0 ? bytes : 1, 1);
}

void xa_free_texts(char **texts, int64_t n)
{
    for (int64_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

xa_status xa_grow(void *array_ptr, size_t *cap, size_t need, size_t item, xa_err *err)
{
    if (need <= *cap)
        return XA_OK;
    size_t want = *cap + *cap / 2;
    if (want < need)
        want = need;
    if (want < 8)
        want = 8;
    size_t bytes;
    if (!xa_size_mul(want, item, &bytes) || bytes > PTRDIFF_MAX) {
        want = need; /* doubling overflows although `need` does not */
        if (!xa_size_mul(want, item, &bytes) || bytes > PTRDIFF_MAX)
            XA_RETURN_FAIL(err, XA_NOMEM, "%zu items of %zu bytes do not fit memory", need, item);
    }
    /* The caller's pointer may have any type. It is copied, not cast, because of the aliasing
     * rules. */
    void *old;
    memcpy(&old, array_ptr, sizeof old);
    void *grown = realloc(old, bytes > 0 ? bytes : 1);
    if (!grown)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for %zu bytes", bytes);
    memcpy(array_ptr, &grown, sizeof grown);
    *cap = want;
    return XA_OK;
}

void *xa_alloc_aligned(size_t bytes)
{
    if (bytes > PTRDIFF_MAX - XA_ALIGN)
        return NULL;
    return aligned_alloc(XA_ALIGN, xa_align_up(bytes > 0 ? bytes : 1, XA_ALIGN));
}
