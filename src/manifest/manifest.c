/* Manifests in memory, whatever function made them. */
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

xa_status xa__manifest_create(xa__manifest **out, xa_err *err)
{
    xa__manifest *m = xa_alloc(1, sizeof *m);
    if (!m)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory for a manifest");
    m->pub.max_class = -1;
    *out = m;
    return XA_OK;
}

void xa_manifest_free(xa_manifest *pub)
{
    if (!pub)
        return;
    /* The public part is the first member of xa__manifest. */
    xa__manifest *m = (xa__manifest *)(void *)pub;
    free(m->pub.samples);
    xa_categories_fini(&m->pub.categories);
    xa_arena_fini(&m->arena);
    free(m);
}

void xa_manifest_keep(xa_manifest *m, int64_t first, int64_t count)
{
    m->whole = m->count;
    m->first = first;
    memmove(m->samples, m->samples + first, (size_t)count * sizeof *m->samples);
    m->count = count;
}

void xa__manifest_note_classes(xa_manifest *m)
{
    int32_t largest = -1;
    for (int64_t i = 0; i < m->count; i++) {
        xa_sample *s = &m->samples[i];
        s->categories = m->categories.count ? &m->categories : NULL;
        for (int32_t k = 0; k < s->nlabels; k++) {
            const int32_t c = xa_category_largest(s->categories, s->labels[k]);
            largest = c > largest ? c : largest;
        }
        for (int32_t k = 0; k < s->nannotations; k++) {
            const int32_t c = xa_category_largest(s->categories, s->annotations[k].class_index);
            largest = c > largest ? c : largest;
        }
    }
    m->max_class = largest;
}

int32_t xa_sample_annotated(const xa_sample *s, int32_t *out)
{
    int32_t n = 0;
    for (int32_t i = 0; i < s->nannotations; i++) {
        const int32_t c = s->annotations[i].class_index;
        if (c >= 0 && (n == 0 || out[n - 1] != c))
            out[n++] = c;
    }
    return xa__indices_sort(out, n);
}
