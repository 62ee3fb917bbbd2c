/* Manifests changed at random: whatever the bytes, a reading ends with a manifest that holds what
 * it promises, or with mistakes reported. Worth most under the sanitizers. XA_FUZZ_ROUNDS sets the
 * number of rounds. */
#include "manifest_reading.h"

static const char *const seeds[] = {
    ("path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude,note\n"
     "a.png,s,cat|dog,cat,box,0,1,5,6.5,,ig.png,crowd|difficult,g,train,,n\n"
     "b.png,,0,,,,,,,,,,,,,\n"
     "a.png,s,,dog,mask,,,,,m.png#4,,occluded,,,,\n"
     "\"c, \"\"d\"\".png\",u,,,none,,,,,,,,,,why,\n"),
    ("\xef\xbb\xbfpath;label;x0;y0;x1;y1\r\na.png;1;1e1;2;30;4\r\na.png;;5;6;7;8\r\n\r\nb.png;;;;;"
     "\r\n"),
    "path\n\"a\nb\"\n\xe7\x8a\xac.png\n",
};

static const char *const bits[] = {
    ",",    ";",   "\"",   "\"\"",    "\n",   "\r\n",         "\r",          "|",
    "#",    "#5",  "path", "label",   "nan",  "1e99",         "-1",          "none",
    "mask", "box", "cat",  "\xff",    "\xc3", "\xef\xbb\xbf", "99999999999", "",
    " ",    "\t",  "x1",   "exclude",
};

typedef struct dice {
    uint64_t stream, counter;
} dice;

static size_t roll(dice *d, size_t n)
{
    return (size_t)xa_random_below(2026, d->stream, d->counter++, (int64_t)n);
}

static void splice(xa_str *s, size_t at, size_t remove, const char *bytes, size_t len)
{
    xa_str out = {0};
    xa_str_add(&out, s->data, at);
    xa_str_add(&out, bytes, len);
    xa_str_add(&out, s->data + at + remove, s->len - at - remove);
    xa_str_free(s);
    *s = out;
}

static void mutate(xa_str *s, dice *d)
{
    const size_t at = roll(d, s->len + 1);
    const size_t left = s->len - at;
    switch (roll(d, 6)) {
    case 0: { /* a piece that means something */
        const char *b = bits[roll(d, sizeof bits / sizeof *bits)];
        splice(s, at, 0, b, strlen(b));
        break;
    }
    case 1: /* bytes lost */
        splice(s, at, roll(d, (left < 8 ? left : 8) + 1), "", 0);
        break;
    case 2: { /* any byte, NUL too */
        const char any = (char)roll(d, 256);
        splice(s, at, left > 0 ? 1 : 0, &any, 1);
        break;
    }
    case 3: { /* something repeated elsewhere */
        const size_t n = roll(d, (left < 60 ? left : 60) + 1);
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, s->data + at, n);
        splice(s, roll(d, s->len + 1), 0, copy, n);
        free(copy);
        break;
    }
    case 4: /* cut */
        if (roll(d, 8) == 0)
            splice(s, at, left, "", 0);
        break;
    default: { /* a piece in another's place */
        const char *b = bits[roll(d, sizeof bits / sizeof *bits)];
        splice(s, at, left < strlen(b) ? left : strlen(b), b, strlen(b));
        break;
    }
    }
}

static void check(const reading *r)
{
    for (size_t i = 0; i < r->problems.count; i++) {
        const char *words = r->problems.items[i].text;
        assert_true(strlen(words) > 0);
        assert_true(xa_str_is_utf8(words, strlen(words)));
        for (const char *p = words; *p != '\0'; p++)
            assert_true((unsigned char)*p >= 0x20);
    }
    if (r->m == NULL)
        return;
    assert_true(r->m->count > 0);
    for (int64_t i = 0; i < r->m->count; i++) {
        const xa_sample *s = &r->m->samples[i];
        assert_true(s->id[0] != '\0' && s->path[0] != '\0' && s->file[0] != '\0' && s->line > 1);
        for (int64_t k = 0; k < i; k++)
            assert_string_not_equal(s->id, r->m->samples[k].id);
        assert_true(s->nlabels >= 0 && s->nannotations >= 0);
        for (int32_t k = 0; k < s->nlabels; k++)
            assert_true(s->labels[k] >= (k > 0 ? s->labels[k - 1] + 1 : 0) &&
                        s->labels[k] <= r->m->max_class);
        for (int32_t k = 0; k < s->nannotations; k++) {
            const xa_annotation *a = &s->annotations[k];
            assert_true(a->class_index >= -1 && a->class_index <= r->m->max_class);
            if (a->kind == XA_ANNOTATION_BOX)
                assert_true(a->x1 > a->x0 && a->y1 > a->y0);
            else
                assert_true(a->kind == XA_ANNOTATION_MASK && a->mask[0] != '\0');
        }
    }
    /* And it travels. */
    xa_str packed = {0};
    xa_manifest *m = NULL;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_manifest_pack(r->m, 0, r->m->count, &packed, NULL), XA_OK);
    if (xa_manifest_unpack(packed.data, packed.len, &m, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_manifest_free(m);
    xa_str_free(&packed);
}

static void test_mutations(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog", "1"};
    xa_classes classes = make_classes(names, 3);
    const xa_manifest_options options[] = {
        {.classes = &classes},
        {.classes = NULL},
        {.classes = &classes, .label_as = XA_LABEL_NAME, .limit = 1},
        {.classes = &classes, .label_as = XA_LABEL_INDEX, .max_samples = 2},
    };
    const char *wish = getenv("XA_FUZZ_ROUNDS");
    int64_t rounds = 4000;
    if (wish != NULL)
        assert_true(xa_parse_i64(wish, &rounds));
    int64_t read = 0;
    int64_t refused = 0;
    for (int64_t i = 0; i < rounds; i++) {
        dice d = {.stream = (uint64_t)i};
        xa_str s = {0};
        xa_str_puts(&s, seeds[roll(&d, sizeof seeds / sizeof *seeds)]);
        for (size_t n = roll(&d, 4) + 1; n > 0; n--)
            mutate(&s, &d);
        reading r = read_bytes(s.data, s.len, &options[roll(&d, 4)]);
        assert_true(r.st == XA_OK || r.st == XA_INVALID || r.st == XA_LIMIT);
        read += r.st == XA_OK;
        refused += r.st == XA_INVALID;
        check(&r);
        release(&r);
        xa_str_free(&s);
    }
    print_message("%lld read, %lld refused\n", (long long)read, (long long)refused);
    /* Both ways are walked, or the mutations are too mild or too wild to find anything. */
    if (rounds >= 1000)
        assert_true(read > rounds / 20 && refused > rounds / 20);
    xa_classes_fini(&classes);
}

/* The same for lists of class names. */
static void test_class_names(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        dice d = {.stream = i + (UINT64_C(1) << 32)};
        xa_str s = {0};
        xa_str_puts(&s,
                    "\xef\xbb\xbf"
                    "cat\r\ndog\nhorse \n\xe7\x8a\xac\n\n");
        for (size_t n = roll(&d, 4) + 1; n > 0; n--)
            mutate(&s, &d);
        char path[64];
        xa_classes c = {0};
        xa_err err = XA_ERR_INIT;
        write_temporary(path, s.data, s.len);
        const xa_status st = xa_classes_read(path, &c, &err);
        unlink(path);
        assert_true(st == XA_OK || st == XA_INVALID);
        assert_true((st == XA_OK) == (c.count > 0));
        for (int64_t k = 0; k < c.count; k++)
            assert_true(c.names[k][0] != '\0');
        xa_classes_fini(&c);
        xa_str_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_class_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
