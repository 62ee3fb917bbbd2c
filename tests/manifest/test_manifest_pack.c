/* Samples as bytes and back; bytes that were not packed here. */
#include "manifest_reading.h"

static const char text[] = "path,id,label,class,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,"
                           "exclude,note,age,image_width,image_height\n"
                           "a.png,s,1|2,1|7,0,1,5,6.5,,ig.png,crowd,g,train,,n,7,640,480\n"
                           "b.png,,3,,,,,,,,,,,,,,2147483647,1\n"
                           "a.png,s,,2,,,,,m.png#4,,occluded,,,,,,,\n"
                           "/c.png,u,,,,,,,m.png,,,,,bad,,8,,\n"
                           "d.png,,4,,,,,,,,,,,,\xc3\xa9,,,\n";

static void assert_optional(const char *a, const char *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a != NULL)
        assert_string_equal(a, b);
}

static void assert_same(const xa_sample *a, const xa_sample *b, int32_t nextra)
{
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->file, b->file);
    assert_string_equal(a->id, b->id);
    assert_optional(a->group, b->group);
    assert_optional(a->split, b->split);
    assert_optional(a->exclude, b->exclude);
    assert_int_equal(a->line, b->line);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->nlabels, b->nlabels);
    for (int32_t i = 0; i < a->nlabels; i++)
        assert_int_equal(a->labels[i], b->labels[i]);
    for (int32_t i = 0; i < nextra; i++)
        assert_string_equal(a->extra[i], b->extra[i]);
    assert_int_equal(a->nannotations, b->nannotations);
    for (int32_t i = 0; i < a->nannotations; i++) {
        const xa_annotation *x = &a->annotations[i];
        const xa_annotation *y = &b->annotations[i];
        assert_int_equal(x->class_index, y->class_index);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->flags, y->flags);
        assert_int_equal(x->mask_value, y->mask_value);
        assert_int_equal(x->ignore_value, y->ignore_value);
        assert_true(x->x0 == y->x0 && x->y0 == y->y0 && x->x1 == y->x1 && x->y1 == y->y1);
        assert_optional(x->mask, y->mask);
        assert_optional(x->ignore_mask, y->ignore_mask);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    reading r = read_good(text, NULL);
    assert_int_equal(r.m->count, 4);
    for (int64_t first = 0; first <= 4; first++)
        for (int64_t n = 0; first + n <= 4; n++) {
            xa_str packed = {0};
            xa_manifest *m = NULL;
            xa_str_puts(&packed, "before"); /* appended, not replaced */
            assert_int_equal(xa_manifest_pack(r.m, first, n, &packed, NULL), XA_OK);
            assert_memory_equal(packed.data, "before", 6);
            xa_str none = {0}; /* what a sample takes is known before */
            assert_int_equal(xa_manifest_pack(r.m, 0, 0, &none, NULL), XA_OK);
            size_t bytes = 6 + none.len;
            for (int64_t i = 0; i < n; i++)
                bytes += xa_manifest_pack_bytes(r.m, first + i);
            assert_int_equal(packed.len, bytes);
            xa_str_free(&none);
            assert_int_equal(xa_manifest_unpack(packed.data + 6, packed.len - 6, &m, NULL), XA_OK);
            assert_int_equal(m->count, n);
            assert_int_equal(m->nextra, 2);
            assert_string_equal(m->extra_columns[1], "age");
            assert_string_equal(m->file, r.m->file);
            assert_string_equal(m->identity[XA_MANIFEST_SAMPLES], "");
            assert_string_equal(m->sha256, "");
            for (int64_t i = 0; i < n; i++)
                assert_same(&m->samples[i], &r.m->samples[first + i], 2);
            if (n == 4)
                assert_int_equal(m->max_class, r.m->max_class);
            assert_int_equal(m->categories.count, 1);
            assert_true(xa_category_has(&m->categories, XA_CATEGORY, 7));
            assert_true(n == 0 || m->samples[0].categories == &m->categories);
            xa_manifest_free(m);
            xa_str_free(&packed);
        }
    release(&r);
}

static void test_ranges(void **state)
{
    (void)state;
    reading r = read_good(text, NULL);
    static const int64_t bad[][2] = {
        {-1, 1}, {0, -1}, {0, 5}, {4, 1}, {5, 0}, {1, INT64_MAX}, {INT64_MAX, 1}, {INT64_MIN, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        xa_str packed = {0};
        xa_err err = XA_ERR_INIT;
        assert_int_equal(xa_manifest_pack(r.m, bad[i][0], bad[i][1], &packed, &err), XA_INVALID);
        assert_non_null(strstr(err.message, "expected rows of a manifest of 4 samples"));
        assert_int_equal(packed.len, 0);
        xa_str_free(&packed);
    }
    release(&r);
}

/* A copy of exactly `size` bytes, so that reading one too many is found. */
static xa_status unpack_copy(const char *bytes, size_t size, xa_err *err)
{
    xa_manifest *m = NULL;
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    const xa_status st = xa_manifest_unpack(copy, size, &m, err);
    free(copy);
    assert_true((st == XA_OK) == (m != NULL));
    if (m != NULL) {
        /* What was accepted can be used. */
        for (int64_t i = 0; i < m->count; i++) {
            int32_t classes[64];
            const xa_sample *s = &m->samples[i];
            assert_true(s->path[0] != '\0' && s->id[0] != '\0' && s->file != NULL);
            if (s->nannotations <= 64)
                assert_true(xa_sample_annotated(s, classes) <= s->nannotations);
        }
        xa_str again = {0};
        assert_int_equal(xa_manifest_pack(m, 0, m->count, &again, NULL), XA_OK);
        assert_int_equal(again.len, size);
        assert_memory_equal(again.data, bytes, size);
        xa_str_free(&again);
    }
    xa_manifest_free(m);
    return st;
}

static void test_cut_and_extended(void **state)
{
    (void)state;
    reading r = read_good(text, NULL);
    xa_str packed = {0};
    assert_int_equal(xa_manifest_pack(r.m, 0, 4, &packed, NULL), XA_OK);
    for (size_t n = 0; n < packed.len; n++) {
        xa_err err = XA_ERR_INIT;
        assert_int_equal(unpack_copy(packed.data, n, &err), XA_FORMAT);
        assert_non_null(strstr(err.message, "packed samples: expected "));
    }
    assert_int_equal(unpack_copy(packed.data, packed.len, NULL), XA_OK);
    xa_str_puts(&packed, "x");
    xa_err err = XA_ERR_INIT;
    assert_int_equal(unpack_copy(packed.data, packed.len, &err), XA_FORMAT);
    assert_non_null(strstr(err.message, "nothing after the samples"));
    xa_str_free(&packed);
    release(&r);
}

static void test_every_byte_changed(void **state)
{
    (void)state;
    reading r = read_good(text, NULL);
    xa_str packed = {0};
    assert_int_equal(xa_manifest_pack(r.m, 0, 4, &packed, NULL), XA_OK);
    static const unsigned char changes[] = {0x01, 0x80, 0xff, 0x7f};
    int refused = 0;
    for (size_t at = 0; at < packed.len; at++)
        for (size_t k = 0; k < sizeof changes; k++) {
            packed.data[at] = (char)(packed.data[at] ^ changes[k]);
            const xa_status st = unpack_copy(packed.data, packed.len, NULL);
            assert_true(st == XA_OK || st == XA_FORMAT);
            refused += st == XA_FORMAT;
            packed.data[at] = (char)(packed.data[at] ^ changes[k]);
        }
    assert_true(refused > 500);
    assert_int_equal(unpack_copy(packed.data, packed.len, NULL), XA_OK);
    xa_str_free(&packed);
    release(&r);
}

static void test_invented_counts(void **state)
{
    (void)state;
    /* A header that promises more than the bytes could hold takes no memory for it. */
    struct {
        uint32_t magic, nextra;
        int64_t count;
        uint32_t file, categories;
    } head = {0x344d4158u, 0, INT64_MAX, UINT32_MAX, UINT32_MAX};
    char bytes[24];
#define PACK_HEAD()                         \
    do {                                    \
        memcpy(bytes, &head.magic, 4);      \
        memcpy(bytes + 4, &head.nextra, 4); \
        memcpy(bytes + 8, &head.count, 8);  \
        memcpy(bytes + 16, &head.file, 8);  \
    } while (0)
    static const int64_t counts[] = {INT64_MAX, INT64_MIN, -1, 1, 1000000000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        head.count = counts[i];
        PACK_HEAD();
        assert_int_equal(unpack_copy(bytes, sizeof bytes, NULL), XA_FORMAT);
    }
    head.count = 0;
    PACK_HEAD();
    assert_int_equal(unpack_copy(bytes, sizeof bytes, NULL), XA_OK);
    head.nextra = 4096;
    PACK_HEAD();
    assert_int_equal(unpack_copy(bytes, sizeof bytes, NULL), XA_FORMAT);
#undef PACK_HEAD
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_cut_and_extended),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_invented_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
