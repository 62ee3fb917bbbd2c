/* Manifests in memory, however they came to be. */
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

xa_status xa__manifest_create(xa__manifest **out, xa_err *err)
{
    xa__manifest *m = xa_alloc(1, sizeof *m);
    if (m == NULL)
        XA_RETURN_FAIL(err, XA_NOMEM, "no memory for a manifest");
    m->pub.max_class = -1;
    *out = m;
    return XA_OK;
}

void xa_manifest_free(xa_manifest *pub)
{
    if (pub == NULL)
        return;
    /* The public part is the first member of the whole. */
    xa__manifest *m = (xa__manifest *)(void *)pub;
    free(m->pub.samples);
    xa__arena_fini(&m->arena);
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
        const xa_sample *s = &m->samples[i];
        for (int32_t k = 0; k < s->nlabels; k++)
            if (s->labels[k] > largest)
                largest = s->labels[k];
        for (int32_t k = 0; k < s->nannotations; k++)
            if (s->annotations[k].class_index > largest)
                largest = s->annotations[k].class_index;
    }
    m->max_class = largest;
}

static int compare_classes(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a;
    const int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

int32_t xa_sample_annotated(const xa_sample *s, int32_t *out)
{
    int32_t n = 0;
    for (int32_t i = 0; i < s->nannotations; i++) {
        const int32_t c = s->annotations[i].class_index;
        if (c >= 0 && (n == 0 || out[n - 1] != c))
            out[n++] = c;
    }
    if (n < 2)
        return n;
    qsort(out, (size_t)n, sizeof *out, compare_classes);
    int32_t kept = 1;
    for (int32_t i = 1; i < n; i++)
        if (out[i] != out[kept - 1])
            out[kept++] = out[i];
    return kept;
}

/* Little-endian whatever the machine, so that identities travel. */
static void add_u32(xa_str *s, uint32_t v)
{
    const char bytes[4] = {
        (char)(v & 255), (char)(v >> 8 & 255), (char)(v >> 16 & 255), (char)(v >> 24)};
    xa_str_add(s, bytes, sizeof bytes);
}

static void add_text(xa_str *s, const char *text)
{
    const size_t len = strlen(text);
    add_u32(s, (uint32_t)len);
    xa_str_add(s, text, len);
}

static void add_classes(xa_str *s, const int32_t *classes, int32_t n)
{
    add_u32(s, (uint32_t)n);
    for (int32_t i = 0; i < n; i++)
        add_u32(s, (uint32_t)classes[i]);
}

xa_status xa__manifest_identify(xa_manifest *m, xa_err *err)
{
    static const char domain[] = "xaudit manifest 1\n";
    xa_status st = XA_OK;
    xa_sha256 *h = NULL;
    xa_str row = {0};
    int32_t *classes = NULL;
    size_t cap = 0;

    XA_TRY(err, xa_sha256_create(&h, err));
    xa_sha256_add(h, domain, sizeof domain - 1);
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        XA_TRY(err, xa_grow(&classes, &cap, (size_t)s->nannotations, sizeof *classes, err));
        row.len = 0;
        add_text(&row, s->id);
        add_text(&row, s->path);
        add_classes(&row, s->labels, s->nlabels);
        add_classes(&row, classes, xa_sample_annotated(s, classes));
        add_u32(&row, s->exclude != NULL);
        if (row.failed)
            XA_FAIL(err, XA_NOMEM, "no memory to hash sample \"%s\"", s->id);
        xa_sha256_add(h, row.data, row.len);
    }
    xa_sha256_hex(h, m->identity);
    if (m->identity[0] == '\0')
        XA_FAIL(err, XA_IO, "the crypto library failed to hash the manifest");
done:
    xa_sha256_free(h);
    xa_str_free(&row);
    free(classes);
    return st;
}
