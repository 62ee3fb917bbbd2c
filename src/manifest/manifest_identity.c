/* The hashes of a manifest's parts: whatever changes stored numbers or tables is in one. */
#include <stdlib.h>
#include <string.h>

#include "manifest_internal.h"

/* So many bytes of a part are gathered before they are hashed: for fewer, the calls would cost more
 * than the hashing. */
enum { GATHERED = 1 << 15 };

typedef struct part {
    xa_sha256 *hash;
    xa_str row;
} part;

const char *xa_manifest_part_name(xa_manifest_part p)
{
    static const char *const names[XA_MANIFEST_PARTS] = {
#define X(name, text, what) text,
        XA_MANIFEST_PART_LIST(X)
#undef X
    };
    return names[p];
}

const char *xa_manifest_as_written(const xa_manifest *m, const char *file)
{
    const char *slash = m->file ? strrchr(m->file, '/') : NULL;
    const size_t folder = slash ? (size_t)(slash - m->file) + 1 : 0;
    const size_t real = m->folder ? strlen(m->folder) : 0;
    if (file && folder && !strncmp(file, m->file, folder))
        return file + folder;
    if (file && real && !strncmp(file, m->folder, real))
        return file + real;
    return file;
}

/* Little-endian on every machine, so that identities can be compared between machines. */
static void add_u32(part *p, uint32_t v)
{
    const char bytes[4] = {
        (char)(v & 255), (char)(v >> 8 & 255), (char)(v >> 16 & 255), (char)(v >> 24)};
    xa_str_add(&p->row, bytes, sizeof bytes);
}

static void add_f64(part *p, double v)
{
    uint64_t bits;
    v = v == 0.0 ? 0.0 : v; /* -0 is 0 */
    memcpy(&bits, &v, sizeof bits);
    add_u32(p, (uint32_t)(bits & UINT32_MAX));
    add_u32(p, (uint32_t)(bits >> 32));
}

/* NULL, a blank cell, counts as the empty text. */
static void add_text(part *p, const char *text)
{
    const size_t len = text ? strlen(text) : 0;
    add_u32(p, (uint32_t)len);
    if (len > 0)
        xa_str_add(&p->row, text, len);
}

static void add_classes(part *p, const int32_t *classes, int32_t n)
{
    add_u32(p, (uint32_t)n);
    for (int32_t i = 0; i < n; i++)
        add_u32(p, (uint32_t)classes[i]);
}

/* Annotation k of a sample, with its place, so that moving it to another sample changes the hash.
 */
static void add_annotation(part *parts, const xa_manifest *m, int64_t sample, int32_t k)
{
    const xa_annotation *a = &m->samples[sample].annotations[k];
    const bool box = a->kind == XA_ANNOTATION_BOX;
    part *to = &parts[box ? XA_MANIFEST_BOXES : XA_MANIFEST_MASKS];
    add_u32(to, (uint32_t)sample);
    add_u32(to, (uint32_t)k);
    add_u32(to, (uint32_t)a->class_index);
    if (box) {
        add_f64(to, a->x0);
        add_f64(to, a->y0);
        add_f64(to, a->x1);
        add_f64(to, a->y1);
    } else {
        add_text(to, xa_manifest_as_written(m, a->mask));
        add_u32(to, (uint32_t)a->mask_value);
    }
    if (a->ignore_mask) {
        to = &parts[XA_MANIFEST_IGNORE_MASKS];
        add_u32(to, (uint32_t)sample);
        add_u32(to, (uint32_t)k);
        add_text(to, xa_manifest_as_written(m, a->ignore_mask));
        add_u32(to, (uint32_t)a->ignore_value);
    }
    if (a->flags != 0) {
        to = &parts[XA_MANIFEST_FLAGS];
        add_u32(to, (uint32_t)sample);
        add_u32(to, (uint32_t)k);
        add_u32(to, a->flags);
    }
}

static void add_sample(part *parts, const xa_manifest *m, int64_t i, int32_t *classes)
{
    const xa_sample *s = &m->samples[i];
    add_text(&parts[XA_MANIFEST_SAMPLES], s->id);
    add_text(&parts[XA_MANIFEST_PATHS], s->path);
    add_text(&parts[XA_MANIFEST_EXCLUSIONS], s->exclude);
    add_classes(&parts[XA_MANIFEST_LABELS], s->labels, s->nlabels);
    add_classes(&parts[XA_MANIFEST_ANNOTATED], classes, xa_sample_annotated(s, classes));
    for (int32_t k = 0; k < s->nannotations; k++)
        add_annotation(parts, m, i, k);
    add_u32(&parts[XA_MANIFEST_FRAMES], (uint32_t)s->width);
    add_u32(&parts[XA_MANIFEST_FRAMES], (uint32_t)s->height);
    add_text(&parts[XA_MANIFEST_GROUPS], s->group);
    add_text(&parts[XA_MANIFEST_SPLITS], s->split);
    for (int32_t k = 0; k < m->nextra; k++)
        add_text(&parts[XA_MANIFEST_FURTHER], s->extra[k]);
}

/* Hashes what was gathered if it is at least so many bytes; 0 at the end. */
static xa_status drain(part *parts, size_t at_least, xa_err *err)
{
    for (int p = 0; p < XA_MANIFEST_PARTS; p++) {
        if (parts[p].row.failed)
            XA_RETURN_FAIL(err, XA_NOMEM, "no memory to hash the manifest");
        if (parts[p].row.len < at_least)
            continue;
        xa_sha256_add(parts[p].hash, parts[p].row.data, parts[p].row.len);
        parts[p].row.len = 0;
    }
    return XA_OK;
}

xa_status xa__manifest_identify(xa_manifest *m, xa_err *err)
{
    static const char domain[] = "xaudit manifest 2: ";
    xa_status st = XA_OK;
    part parts[XA_MANIFEST_PARTS] = {{0}};
    int32_t *classes = NULL;
    size_t cap = 0;
    for (int p = 0; p < XA_MANIFEST_PARTS; p++) {
        const char *name = xa_manifest_part_name((xa_manifest_part)p);
        XA_TRY(err, xa_sha256_create(&parts[p].hash, err));
        xa_sha256_add(parts[p].hash, domain, sizeof domain - 1);
        xa_sha256_add(parts[p].hash, name, strlen(name) + 1);
    }
    for (int32_t k = 0; k < m->nextra; k++)
        add_text(&parts[XA_MANIFEST_FURTHER], m->extra_columns[k]);
    if (m->categories.count) { /* an index does not say which classes its category has */
        xa_str text = {0};
        st = xa_categories_text(&m->categories, &text, err);
        add_text(&parts[XA_MANIFEST_LABELS], text.data);
        add_text(&parts[XA_MANIFEST_ANNOTATED], text.data);
        xa_str_free(&text);
        XA_TRY(err, st);
    }
    for (int64_t i = 0; i < m->count; i++) {
        const size_t n = (size_t)m->samples[i].nannotations;
        XA_TRY(err, xa_grow(&classes, &cap, n, sizeof *classes, err));
        add_sample(parts, m, i, classes);
        XA_TRY(err, drain(parts, GATHERED, err));
    }
    XA_TRY(err, drain(parts, 1, err));
    for (int p = 0; p < XA_MANIFEST_PARTS; p++) {
        xa_sha256_hex(parts[p].hash, m->identity[p]);
        if (m->identity[p][0] == '\0')
            XA_FAIL(err, XA_IO, "the crypto library failed to hash the manifest");
    }
done:
    for (int p = 0; p < XA_MANIFEST_PARTS; p++) {
        xa_sha256_free(parts[p].hash);
        xa_str_free(&parts[p].row);
    }
    free(classes);
    return st;
}
