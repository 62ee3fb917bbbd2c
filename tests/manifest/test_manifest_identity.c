/* What the identity covers, and what it leaves out. */
#include "manifest_reading.h"

#define HEADER \
    "path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude,note\n"
#define FIRST "a.png,s,1,2,box,0,0,5,5,,i.png#3,crowd,g,train,,n\n"
#define SECOND "a.png,s,1,2,mask,,,,,m.png#1,,,g,train,,n\n"
#define THIRD "b.png,t,3,,,,,,,,,,,,,\n"
static const char base[] = HEADER FIRST SECOND THIRD;

typedef char digests[XA_MANIFEST_PARTS][XA_SHA256_HEX];

static void identity(const char *text, digests out)
{
    reading r = read_text(text, NULL);
    assert_int_equal(r.st, XA_OK);
    memcpy(out, r.m->identity, sizeof(digests));
    release(&r);
}

#define ONE(part) (1u << XA_MANIFEST_##part)
/* Texts of one manifest, each with a change, and the parts that must move: those and no others. */
static const struct {
    const char *text;
    unsigned parts;
} changes[] = {
    {HEADER FIRST SECOND THIRD "\n", 0},
    /* other separators, line ends, orders of columns and ways to write numbers */
    {"id;path;label;class;kind;x0;y0;x1;y1;mask;ignore_mask;flags;group;split;exclude;note\r\n"
     "s;a.png;1;2;box;-0;0.0;5;5e0;;i.png#3;crowd;g;train;;n\r\n"
     "s;a.png;1;2;mask;;;;;m.png#1;;;g;train;;n\r\n"
     "t;b.png;3;;;;;;;;;;;;;\r\n",
     0},
    {HEADER "c.png,s,1,2,box,0,0,5,5,,i.png#3,crowd,g,train,,n\n"
            "c.png,s,1,2,mask,,,,,m.png#1,,,g,train,,n\n" THIRD,
     ONE(PATHS)},
    {HEADER "a.png,r,1,2,box,0,0,5,5,,i.png#3,crowd,g,train,,n\n"
            "a.png,r,1,2,mask,,,,,m.png#1,,,g,train,,n\n" THIRD,
     ONE(SAMPLES)},
    {HEADER FIRST SECOND "b.png,t,0,,,,,,,,,,,,,\n", ONE(LABELS)},
    {HEADER FIRST SECOND "b.png,t,0|3,,,,,,,,,,,,,\n", ONE(LABELS)},
    {HEADER FIRST "a.png,s,1,1,mask,,,,,m.png#1,,,g,train,,n\n" THIRD, ONE(ANNOTATED) | ONE(MASKS)},
    {HEADER "a.png,s,1,2,box,0,0,5,6,,i.png#3,crowd,g,train,,n\n" SECOND THIRD, ONE(BOXES)},
    {HEADER "a.png,s,1,2,box,0,0,5,5,,i.png#>3,crowd,g,train,,n\n" SECOND THIRD, ONE(IGNORE_MASKS)},
    {HEADER "a.png,s,1,2,box,0,0,5,5,,j.png#3,crowd,g,train,,n\n" SECOND THIRD, ONE(IGNORE_MASKS)},
    {HEADER "a.png,s,1,2,box,0,0,5,5,,,crowd,g,train,,n\n" SECOND THIRD, ONE(IGNORE_MASKS)},
    {HEADER "a.png,s,1,2,box,0,0,5,5,,i.png#3,crowd|difficult,g,train,,n\n" SECOND THIRD,
     ONE(FLAGS)},
    {HEADER "a.png,s,1,2,box,0,0,5,5,,i.png#3,,g,train,,n\n" SECOND THIRD, ONE(FLAGS)},
    {HEADER FIRST "a.png,s,1,2,mask,,,,,m.png#2,,,g,train,,n\n" THIRD, ONE(MASKS)},
    {HEADER FIRST "a.png,s,1,2,mask,,,,,o.png#1,,,g,train,,n\n" THIRD, ONE(MASKS)},
    {HEADER FIRST SECOND "b.png,t,3,,,,,,,,,,h,,,\n", ONE(GROUPS)},
    {HEADER FIRST SECOND "b.png,t,3,,,,,,,,,,,test,,\n", ONE(SPLITS)},
    {HEADER FIRST SECOND "b.png,t,3,,,,,,,,,,,,blurred,\n", ONE(EXCLUSIONS)},
    {HEADER FIRST SECOND "b.png,t,3,,,,,,,,,,,,,m\n", ONE(FURTHER)},
    /* the second annotation before the first: their places are stored */
    {HEADER SECOND FIRST THIRD, ONE(BOXES) | ONE(MASKS) | ONE(IGNORE_MASKS) | ONE(FLAGS)},
    {HEADER FIRST SECOND FIRST THIRD, ONE(BOXES) | ONE(IGNORE_MASKS) | ONE(FLAGS)},
    {"path,id,label,class,kind,x0,y0,x1,y1,mask,ignore_mask,flags,group,split,exclude,age\n" FIRST
         SECOND THIRD,
     ONE(FURTHER)},
};

static void test_parts(void **state)
{
    (void)state;
    static digests before, after;
    identity(base, before);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        identity(changes[i].text, after);
        for (int p = 0; p < XA_MANIFEST_PARTS; p++)
            if ((strcmp(before[p], after[p]) != 0) != (changes[i].parts >> p & 1))
                fail_msg("change %zu: %s %s",
                         i,
                         xa_manifest_part_name((xa_manifest_part)p),
                         changes[i].parts >> p & 1 ? "stays" : "moves");
    }
}

/* Two manifests that differ in anything do not share all hashes, also if the same bytes are divided
 * into cells in another way. */
static void test_divided(void **state)
{
    (void)state;
    static const char *const texts[] = {"path,id,note\na.png,s,n\nb.png,t,m\n",
                                        "path,id,note\na.png,s,nm\nb.png,t,\n",
                                        "path,id,note\na.png,s,\nb.png,t,nm\n",
                                        "path,id,note\na.png,st,n\nb.png,,m\n",
                                        "path,id,note\nb.png,t,m\na.png,s,n\n",
                                        "path,id,note\na.png,s,n\n"};
    enum { N = sizeof texts / sizeof *texts };
    static digests found[N];
    for (size_t i = 0; i < N; i++) {
        identity(texts[i], found[i]);
        for (size_t k = 0; k < i; k++)
            if (!memcmp(found[i], found[k], sizeof(digests)))
                fail_msg("manifests %zu and %zu have one identity", k, i);
    }
}

/* Fixed as long as "manifest 2" stands: archives keep it. Lengths, texts and numbers as they are
 * hashed, little-endian. */
static void test_known(void **state)
{
    (void)state;
    static const char ids[] = "xaudit manifest 2: samples\0\1\0\0\0s";
    static const char flags[] = "xaudit manifest 2: flags\0\0\0\0\0\0\0\0\0\2\0\0";
    static const char boxes[] = "xaudit manifest 2: boxes\0"
                                "\0\0\0\0\0\0\0\0\2\0\0\0"
                                "\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\xf0\x3f"
                                "\0\0\0\0\0\0\xf0\x3f";
    static digests found;
    char expected[XA_SHA256_HEX];
    identity("path,id,class,x0,y0,x1,y1,flags\na.png,s,2,0,0,1,1,crowd\n", found);
    assert_int_equal(xa_sha256_bytes(ids, sizeof ids - 1, expected, NULL), XA_OK);
    assert_string_equal(found[XA_MANIFEST_SAMPLES], expected);
    assert_int_equal(xa_sha256_bytes(flags, sizeof flags, expected, NULL), XA_OK);
    assert_string_equal(found[XA_MANIFEST_FLAGS], expected);
    assert_int_equal(xa_sha256_bytes(boxes, sizeof boxes - 1, expected, NULL), XA_OK);
    assert_string_equal(found[XA_MANIFEST_BOXES], expected);
}

/* A mask is stored as written, from wherever the manifest is named. */
static void test_as_written(void **state)
{
    (void)state;
    char file[] = "data/m.csv", folder[] = "/home/u/data/";
    const xa_manifest m = {.file = file, .folder = folder};
    assert_string_equal(xa_manifest_as_written(&m, "data/masks/a.png"), "masks/a.png");
    assert_string_equal(xa_manifest_as_written(&m, "/home/u/data/masks/a.png"), "masks/a.png");
    assert_string_equal(xa_manifest_as_written(&m, "data/../o/a.png"), "../o/a.png");
    assert_string_equal(xa_manifest_as_written(&m, "/home/u/database/a.png"),
                        "/home/u/database/a.png");
    assert_null(xa_manifest_as_written(&m, NULL));
}

static void test_annotated(void **state)
{
    (void)state;
    xa_annotation a[100] = {{0}};
    int32_t out[100];
    xa_sample s = {.annotations = a, .nannotations = 0};
    assert_int_equal(xa_sample_annotated(&s, out), 0);
    s.nannotations = 100;
    for (int i = 0; i < 100; i++)
        a[i].class_index = (i * 37) % 11 - 1; /* -1 to 9 */
    assert_int_equal(xa_sample_annotated(&s, out), 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(out[i], i);
    for (int i = 0; i < 100; i++)
        a[i].class_index = -1;
    assert_int_equal(xa_sample_annotated(&s, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_divided),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_as_written),
        cmocka_unit_test(test_annotated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
