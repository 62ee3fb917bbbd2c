/* Memory that is freed as a whole: a manifest has millions of short texts. */
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

enum { FIRST_BLOCK = 1 << 12, LARGEST_BLOCK = 1 << 20 };

struct xa_arena_block {
    xa_arena_block *next;
    size_t size, used;
    max_align_t data[];
};

static void *take(xa_arena *a, size_t bytes, size_t align)
{
    xa_arena_block *b = a->head;
    if (b) {
        const size_t at = xa_align_up(b->used, align);
        if (at <= b->size && bytes <= b->size - at) {
            b->used = at + bytes;
            return (char *)b->data + at;
        }
    }
    size_t size = a->next_block > 0 ? a->next_block : FIRST_BLOCK;
    if (size < LARGEST_BLOCK)
        a->next_block = 2 * size;
    if (size < bytes)
        size = bytes;
    size_t total;
    if (!xa_size_add(size, sizeof *b, &total) || total > PTRDIFF_MAX)
        return NULL;
    b = malloc(total);
    if (!b)
        return NULL;
    b->size = size;
    b->used = bytes;
    b->next = a->head;
    a->total += total;
    a->head = b;
    return b->data;
}

void *xa_arena_take(xa_arena *a, size_t count, size_t item)
{
    size_t bytes;
    if (!xa_size_mul(count, item, &bytes))
        return NULL;
    return take(a, bytes, _Alignof(max_align_t));
}

char *xa_arena_text(xa_arena *a, const char *text, size_t len)
{
    if (len >= PTRDIFF_MAX)
        return NULL;
    char *copy = take(a, len + 1, 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void xa_arena_fini(xa_arena *a)
{
    for (xa_arena_block *b = a->head; b;) {
        xa_arena_block *next = b->next;
        free(b);
        b = next;
    }
    *a = (xa_arena){0};
}
