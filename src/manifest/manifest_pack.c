/* Samples as bytes for another rank, and back. Numbers are sent as they lie in memory, since all
 * machines of a run are of one kind; the magic number shows if they are not. What arrives is
 * checked as if anybody could have sent it: every length and value before it is used. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "manifest_internal.h"

static const uint32_t PACK_MAGIC = 0x344d4158u; /* "XAM4" */
static const uint32_t PACK_NULL = UINT32_MAX;
enum {
    /* The fewest bytes of a sample and of an annotation, which bound the counts that the bytes can
       claim. */
    SAMPLE_BYTES_MIN = 8 + 6 * 4 + 4 * 4,
    ANNOTATION_BYTES_MIN = 4 + 4 + 2 * 4 + 4 * 8 + 2 * 4
};

/* ---- out ------------------------------------------------------------------------------------- */

static void put(xa_str *s, const void *value, size_t size)
{
    xa_str_add(s, value, size);
}

static void put_u32(xa_str *s, uint32_t v)
{
    put(s, &v, sizeof v);
}

static void put_i64(xa_str *s, int64_t v)
{
    put(s, &v, sizeof v);
}

static void put_text(xa_str *s, const char *text)
{
    if (!text) {
        put_u32(s, PACK_NULL);
        return;
    }
    const size_t len = strlen(text);
    if (len >= PACK_NULL) {
        s->failed = true;
        return;
    }
    put_u32(s, (uint32_t)len);
    put(s, text, len);
}

static void put_sample(xa_str *out, const xa_manifest *m, const xa_sample *s)
{
    put_i64(out, s->line);
    put_i64(out, s->turn);
    put_text(out, s->path);
    put_text(out, s->file);
    put_text(out, s->id);
    put_text(out, s->group);
    put_text(out, s->split);
    put_text(out, s->exclude);
    put_u32(out, (uint32_t)s->width);
    put_u32(out, (uint32_t)s->height);
    put_u32(out, (uint32_t)s->nlabels);
    put_u32(out, (uint32_t)s->nannotations);
    put(out, s->labels, (size_t)s->nlabels * sizeof *s->labels);
    for (int32_t i = 0; i < m->nextra; i++)
        put_text(out, s->extra[i]);
    for (int32_t i = 0; i < s->nannotations; i++) {
        const xa_annotation *a = &s->annotations[i];
        const double box[4] = {a->x0, a->y0, a->x1, a->y1};
        put_u32(out, (uint32_t)a->class_index);
        put_u32(out, (uint32_t)a->kind << 8 | a->flags);
        put_u32(out, (uint32_t)a->mask_value);
        put_u32(out, (uint32_t)a->ignore_value);
        put(out, box, sizeof box);
        put_text(out, a->mask);
        put_text(out, a->ignore_mask);
    }
}

xa_status xa_manifest_pack(const xa_manifest *m, int64_t first, int64_t n, xa_str *out, xa_err *err)
{
    if (first < 0 || n < 0 || first > m->count || n > m->count - first)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "expected rows of a manifest of %" PRId64 " samples, found %" PRId64
                       " from %" PRId64,
                       m->count,
                       n,
                       first);
    put_u32(out, PACK_MAGIC);
    put_u32(out, (uint32_t)m->nextra);
    put_i64(out, n);
    put_text(out, m->file);
    for (int32_t i = 0; i < m->nextra; i++)
        put_text(out, m->extra_columns[i]);
    xa_str categories = {0};
    if (xa_categories_text(&m->categories, &categories, err) == XA_OK)
        put_text(out, categories.len ? categories.data : NULL);
    else
        out->failed = true;
    xa_str_free(&categories);
    for (int64_t i = first; i < first + n; i++)
        put_sample(out, m, &m->samples[i]);
    if (out->failed)
        XA_RETURN_FAIL(err, XA_NOMEM, "out of memory to pack %" PRId64 " samples", n);
    return XA_OK;
}

static size_t text_bytes(const char *text)
{
    return sizeof(uint32_t) + (text ? strlen(text) : 0);
}

size_t xa_manifest_pack_bytes(const xa_manifest *m, int64_t sample)
{
    const xa_sample *s = &m->samples[sample];
    size_t n = 2 * sizeof(int64_t) + text_bytes(s->path) + text_bytes(s->file) + text_bytes(s->id) +
               text_bytes(s->group) + text_bytes(s->split) + text_bytes(s->exclude) +
               4 * sizeof(uint32_t) + (size_t)s->nlabels * sizeof *s->labels;
    for (int32_t i = 0; i < m->nextra; i++)
        n += text_bytes(s->extra[i]);
    for (int32_t i = 0; i < s->nannotations; i++)
        n += 4 * sizeof(uint32_t) + 4 * sizeof(double) + text_bytes(s->annotations[i].mask) +
             text_bytes(s->annotations[i].ignore_mask);
    return n;
}

/* ---- in -------------------------------------------------------------------------------------- */

typedef struct input {
    const unsigned char *p;
    size_t left;
    xa_arena *arena;
    const char *wrong; /* the first thing that is wrong; NULL: nothing */
    bool nomem;
    int32_t categories; /* how many there are */
} input;

static void get(input *in, void *to, size_t size)
{
    if (in->wrong || size > in->left) {
        if (!in->wrong)
            in->wrong = "the end of the bytes";
        memset(to, 0, size);
        return;
    }
    if (size > 0)
        memcpy(to, in->p, size);
    in->p += size;
    in->left -= size;
}

static uint32_t get_u32(input *in)
{
    uint32_t v;
    get(in, &v, sizeof v);
    return v;
}

static int64_t get_i64(input *in)
{
    int64_t v;
    get(in, &v, sizeof v);
    return v;
}

static void expect(input *in, bool good, const char *what)
{
    if (!good && !in->wrong)
        in->wrong = what;
}

static void *take(input *in, size_t count, size_t item)
{
    void *p = !in->wrong ? xa_arena_take(in->arena, count, item) : NULL;
    if (!p && !in->wrong) {
        in->nomem = true;
        in->wrong = "memory";
    }
    return p;
}

static char *get_text(input *in, bool optional)
{
    const uint32_t len = get_u32(in);
    if (in->wrong)
        return NULL;
    if (len == PACK_NULL) {
        expect(in, optional, "a text");
        return NULL;
    }
    expect(in, len <= in->left, "a text's length");
    expect(in, in->wrong || !memchr(in->p, '\0', len), "a text without NUL bytes");
    if (in->wrong)
        return NULL;
    char *text = xa_arena_text(in->arena, (const char *)in->p, len);
    if (!text) {
        in->nomem = true;
        in->wrong = "memory";
        return NULL;
    }
    in->p += len;
    in->left -= len;
    return text;
}

static bool is_class(const input *in, int32_t c)
{
    return c < XA_CATEGORY || c - XA_CATEGORY < in->categories;
}

static void get_annotation(input *in, xa_annotation *a)
{
    double box[4];
    a->class_index = (int32_t)get_u32(in);
    const uint32_t bits = get_u32(in);
    a->mask_value = (int32_t)get_u32(in);
    a->ignore_value = (int32_t)get_u32(in);
    get(in, box, sizeof box);
    a->mask = get_text(in, true);
    a->ignore_mask = get_text(in, true);
    a->kind = (uint8_t)(bits >> 8 & 255);
    a->flags = (uint8_t)(bits & 255);
    a->x0 = box[0];
    a->y0 = box[1];
    a->x1 = box[2];
    a->y1 = box[3];
    expect(in, a->class_index >= -1 && is_class(in, a->class_index), "a class index");
    expect(in, bits >> 16 == 0 && a->flags <= 15, "known flags");
    expect(in, a->mask_value >= XA_MASK_ANY && a->mask_value < 2 * XA_MASK_VALUES, "a mask value");
    expect(in,
           a->ignore_value >= XA_MASK_ANY && a->ignore_value < 2 * XA_MASK_VALUES,
           "a value of the ignore mask");
    if (a->kind == XA_ANNOTATION_BOX) {
        expect(in, !a->mask, "a box without a mask");
        expect(in,
               isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) && isfinite(box[3]) &&
                   box[2] > box[0] && box[3] > box[1],
               "a box with x0 < x1 and y0 < y1");
    } else {
        expect(in, a->kind == XA_ANNOTATION_MASK, "a known kind of annotation");
        expect(in, a->mask && a->mask[0] != '\0', "a mask's file");
    }
}

static void get_sample(input *in, int32_t nextra, xa_sample *s)
{
    s->line = get_i64(in);
    s->turn = get_i64(in);
    s->path = get_text(in, false);
    s->file = get_text(in, false);
    s->id = get_text(in, false);
    s->group = get_text(in, true);
    s->split = get_text(in, true);
    s->exclude = get_text(in, true);
    const uint32_t width = get_u32(in), height = get_u32(in);
    const uint32_t nlabels = get_u32(in);
    const uint32_t nannotations = get_u32(in);
    expect(in, in->wrong || (s->id[0] != '\0' && s->path[0] != '\0'), "an id and a path");
    expect(in, s->line >= 0, "a line number");
    expect(in, width <= INT32_MAX && height <= INT32_MAX && !width == !height, "a frame's size");
    s->width = (int32_t)width;
    s->height = (int32_t)height;
    expect(in, nlabels <= INT32_MAX && nlabels <= in->left / sizeof *s->labels, "a label count");
    expect(in,
           nannotations <= INT32_MAX && nannotations <= in->left / ANNOTATION_BYTES_MIN,
           "an annotation count");
    if (!in->wrong && nlabels > 0 && (s->labels = take(in, nlabels, sizeof *s->labels))) {
        get(in, s->labels, nlabels * sizeof *s->labels);
        for (uint32_t i = 0; i < nlabels; i++)
            expect(in,
                   s->labels[i] >= 0 && is_class(in, s->labels[i]) &&
                       (i == 0 || s->labels[i] > s->labels[i - 1]),
                   "ascending labels");
        s->nlabels = (int32_t)nlabels;
    }
    if (nextra > 0 && (s->extra = take(in, (size_t)nextra, sizeof *s->extra)))
        for (int32_t i = 0; i < nextra; i++)
            s->extra[i] = get_text(in, false);
    if (!in->wrong && nannotations > 0 &&
        (s->annotations = take(in, nannotations, sizeof *s->annotations))) {
        for (uint32_t i = 0; i < nannotations && !in->wrong; i++)
            get_annotation(in, &s->annotations[i]);
        s->nannotations = (int32_t)nannotations;
    }
}

xa_status xa_manifest_unpack(const void *bytes, size_t size, xa_manifest **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa__manifest *m = NULL;
    input in = {.p = bytes, .left = size};

    XA_TRY(err, xa__manifest_create(&m, err));
    in.arena = &m->arena;
    expect(&in, get_u32(&in) == PACK_MAGIC, "packed samples of this version");
    const uint32_t nextra = get_u32(&in);
    const int64_t count = get_i64(&in);
    m->pub.file = get_text(&in, true);
    expect(&in, nextra <= XA__CELLS_MAX && nextra <= in.left / 4, "a column count");
    expect(&in, count >= 0 && (uint64_t)count <= in.left / SAMPLE_BYTES_MIN, "a sample count");
    /* Each sample has a length for every further column, so that counts which the bytes cannot hold
     * are refused before memory is allocated for them. */
    expect(&in,
           nextra == 0 || count == 0 || (uint64_t)count <= in.left / (4 * (uint64_t)nextra),
           "a sample count");
    if (!in.wrong && nextra > 0 &&
        (m->pub.extra_columns = take(&in, nextra, sizeof *m->pub.extra_columns))) {
        for (uint32_t i = 0; i < nextra; i++)
            m->pub.extra_columns[i] = get_text(&in, false);
        m->pub.nextra = (int32_t)nextra;
    }
    const char *categories = get_text(&in, true);
    xa_err why = XA_ERR_INIT;
    if (categories) {
        st = xa_categories_parse(categories, &m->pub.categories, &why);
        if (st == XA_NOMEM)
            XA_FAIL(err, XA_NOMEM, "%s", why.message);
        expect(&in, st == XA_OK && m->pub.categories.count > 0, "categories");
        st = XA_OK;
        in.categories = m->pub.categories.count;
    }
    if (!in.wrong) {
        m->pub.samples = xa_alloc((size_t)count, sizeof *m->pub.samples);
        if (!m->pub.samples)
            XA_FAIL(err, XA_NOMEM, "out of memory for %" PRId64 " samples", count);
        for (int64_t i = 0; i < count && !in.wrong; i++)
            get_sample(&in, m->pub.nextra, &m->pub.samples[i]);
        m->pub.count = count;
    }
    expect(&in, in.left == 0, "nothing after the samples");
    if (in.nomem)
        XA_FAIL(err, XA_NOMEM, "out of memory for %" PRId64 " samples", count);
    if (in.wrong)
        XA_FAIL(err,
                XA_FORMAT,
                "packed samples: expected %s at byte %zu of %zu",
                in.wrong,
                size - in.left,
                size);
    xa__manifest_note_classes(&m->pub);
    *out = &m->pub;
    m = NULL;
done:
    xa_manifest_free(m ? &m->pub : NULL);
    return st;
}
