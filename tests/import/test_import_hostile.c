/* Sources that mean harm, and sources changed at random: an import ends with a manifest that reads
 * back, or with an error that says why; never a crash, a hang or a gigabyte. Worth most under the
 * sanitizers. XA_FUZZ_ROUNDS sets the rounds a format. */
#include "import_folder.h"

/* ---- JSON ---- */

static imported coco_text(folder *f, const char *text, size_t len)
{
    static char source[8192], images[96];
    snprintf(source, sizeof source, "%s", put_file(f, "in.json", text, len));
    snprintf(images, sizeof images, "%s", f->path);
    put_file(f, "a.jpg", "x", 1);
    return run_import(
        f,
        (xa_import_options){
            .format = XA_IMPORT_COCO, .source = source, .images = images, .as_masks = true});
}

#define IMAGE "{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 8, \"height\": 6}"
#define COCO(images, segmentation)                                                    \
    "{\"images\": [" images "], \"categories\": [{\"id\": 1, \"name\": \"cat\"}],"    \
    "\"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 2, 2]," \
    "\"segmentation\": " segmentation "}]}"

static void test_coco_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {COCO(IMAGE, "{\"size\": [6, 8], \"counts\": [1e9, 1]}"),
         "run lengths that do not add up to the image"},
        {COCO(IMAGE, "{\"size\": [6, 8], \"counts\": [48, -1]}"),
         "a run length is no whole number"},
        {COCO(IMAGE, "{\"size\": [6, 8], \"counts\": [1e300]}"), "a run length is no whole number"},
        {COCO(IMAGE, "{\"size\": [1e9, 1e9], \"counts\": [1e9]}"),
         "run lengths of another size than their image"},
        {COCO(IMAGE, "{\"size\": [6], \"counts\": [48]}"), "run lengths without a size"},
        {COCO(IMAGE, "{\"counts\": [48]}"), "run lengths without a size"},
        {COCO(IMAGE, "{\"size\": [6, 8], \"counts\": \"oooooooooooooooooo\"}"),
         "the compressed run lengths are damaged"},
        {COCO(IMAGE, "[[1, 1, 2, 2]]"), "a polygon of fewer than three points, or of half a point"},
        {COCO(IMAGE, "[[1, 1, 2, 2, 3, 3, 4]]"),
         "a polygon of fewer than three points, or of half a point"},
        {COCO(IMAGE, "[[1, 1, 2, 2, 1e9, 3]]"), "a polygon reaches farther than 1e7 pixels"},
        {COCO(IMAGE, "[[100, 100, 200, 100, 200, 200]]"), "no pixel lies in the shape"},
        {COCO(IMAGE, "[1, 2, 3, 4, 5, 6]"),
         "a segmentation that is neither polygons nor run lengths"},
        {COCO(IMAGE, "[]"), "an annotation without a usable segmentation"},
        {COCO(IMAGE, "null"), "an annotation without a usable segmentation"},
        {COCO("{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 1000000, \"height\": 1000000}",
              "[[1, 1, 2, 2, 1, 3]]"),
         "its image's size is unknown or beyond 2^28 pixels"},
        {COCO("{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": -4, \"height\": 1e99}",
              "[[1, 1, 2, 2, 1, 3]]"),
         "its image's size is unknown or beyond 2^28 pixels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder f = make_folder();
        imported r = coco_text(&f, cases[i].text, strlen(cases[i].text));
        if (r.st != XA_OK)
            fail_msg("case %zu: %s", i, r.err.message);
        if (count_of(&r, XA_IMPORT_ANNOTATION, cases[i].reason) != 1)
            fail_msg("case %zu: not \"%s\" but \"%s\"",
                     i,
                     cases[i].reason,
                     r.report.nreasons ? r.report.reasons[0].text : "nothing");
        int64_t dropped = 0;
        for (size_t k = 0; k < r.report.nreasons; k++)
            dropped += r.report.reasons[k].what == XA_IMPORT_ANNOTATION;
        assert_int_equal(dropped, 1); /* counted once */
        xa_manifest_free(read_back(&f, &r, NULL));
        imported_fini(&r);
        remove_folder(&f);
    }
}

static void test_coco_images(void **state)
{
    (void)state;
    static const struct {
        const char *images, *reason;
    } cases[] = {
        {IMAGE ", {\"id\": 2, \"file_name\": \"../../etc/passwd\"}",
         "the path leaves the image folder"},
        {IMAGE ", {\"id\": 2, \"file_name\": \"/etc/passwd\"}", "the path leaves the image folder"},
        {IMAGE ", " IMAGE, "the image id is taken by an earlier entry"},
        {IMAGE ", {\"id\": \"1\", \"file_name\": \"a.jpg\"}",
         "the image id is taken by an earlier entry"},
        {IMAGE ", {\"id\": 1.0, \"file_name\": \"a.jpg\"}",
         "the image id is taken by an earlier entry"},
        {IMAGE ", {\"id\": 3, \"file_name\": \"a.jpg\\u0000.png\"}",
         "an image entry without an id, or without file_name and coco_url"},
        {IMAGE ", {\"file_name\": \"a.jpg\"}",
         "an image entry without an id, or without file_name and coco_url"},
        {IMAGE ", {\"id\": 3, \"coco_url\": \"http://there/\"}",
         "an image entry without an id, or without file_name and coco_url"},
        {IMAGE ", {\"id\": 3, \"coco_url\": \"../..\"}", "the path leaves the image folder"},
        {IMAGE ", {\"id\": 4, \"file_name\": \"in.json/a.jpg\"}", "no such file"},
        {IMAGE ", {\"id\": 2e22, \"file_name\": \"none.jpg\"}", "no such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder f = make_folder();
        char *text = xa_strfmt("\xef\xbb\xbf{\"annotations\": [], \r\n \"images\": [%s]}\r\n",
                               cases[i].images);
        imported r = coco_text(&f, text, strlen(text));
        if (r.st != XA_OK)
            fail_msg("case %zu: %s", i, r.err.message);
        if (count_of(&r, XA_IMPORT_IMAGE, cases[i].reason) != 1)
            fail_msg("case %zu: not \"%s\"", i, cases[i].reason);
        assert_int_equal(r.report.images, 1);
        imported_fini(&r);
        free(text);
        remove_folder(&f);
    }
}

static void expect_json_error(const char *text, size_t len, xa_status st, const char *words)
{
    folder f = make_folder();
    imported r = coco_text(&f, text, len);
    if (r.st != st || strstr(r.err.message, words) == NULL)
        fail_msg("%s: %s", xa_status_name(r.st), r.err.message);
    imported_fini(&r);
    remove_folder(&f);
}

static void test_json_errors(void **state)
{
    (void)state;
    expect_json_error("", 0, XA_FORMAT, "in.json:1: ");
    expect_json_error("[]", 2, XA_FORMAT, "in.json:1: expected a map with images");
    expect_json_error("{\"images\": {}}", 14, XA_FORMAT, "expected a list of entries");
    expect_json_error("{\"images\": [\n\n3]}", 17, XA_FORMAT, "in.json:3: expected a map");
    expect_json_error("{\"images\": []}", 14, XA_FORMAT, "is it an instances file?");
    expect_json_error("{\n\"images\": [\n", 14, XA_FORMAT, "in.json:3: ");
    expect_json_error("{\"a\": \xff}", 8, XA_FORMAT, "in.json:1: ");
    expect_json_error("{\"a\": 1e999}", 12, XA_FORMAT, "too large");
    static const char where[] = "{\"images\": [{\"id\": 1},\n{\"id\": 2, \"width\": 4 4}]}";
    expect_json_error(where, strlen(where), XA_FORMAT, "in.json:2: byte 44, in images[1].width: ");
    /* nearly the words that Python writes */
    static const char *const nearly[] = {"nan", "Nan", "NaNN", "Inf", "--Infinity", "+Infinity"};
    for (size_t i = 0; i < sizeof nearly / sizeof *nearly; i++) {
        char *bad = xa_strfmt("{\"images\": [{\"id\": %s}]}", nearly[i]);
        expect_json_error(bad, strlen(bad), XA_FORMAT, "in images[0].id: ");
        free(bad);
    }
    expect_json_error("{\"a\": Na", 8, XA_FORMAT, "in.json:1: ");
    /* Deep nesting, and a text that never ends. */
    const size_t n = 1 << 20;
    char *deep = malloc(n);
    assert_non_null(deep);
    memset(deep, '[', n);
    memcpy(deep, "{\"a\":", 5);
    expect_json_error(deep, n, XA_LIMIT, "nested deeper than 64");
    free(deep);
    const size_t long_n = 18u << 20;
    char *text = malloc(long_n);
    assert_non_null(text);
    memset(text, 'a', long_n);
    memcpy(text, "{\"a\":\"", 6);
    expect_json_error(text, long_n, XA_LIMIT, "a text longer than");
    free(text);
}

/* ---- XML ---- */

static imported voc_text(folder *f, const char *text, size_t len)
{
    put_file(f, "Annotations/a.xml", text, len);
    put_file(f, "JPEGImages/a.jpg", "x", 1);
    put_file(f, "secret.txt", "hidden", 6);
    return run_import(f, (xa_import_options){.format = XA_IMPORT_VOC, .source = f->path});
}

static void test_xml(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"<!DOCTYPE annotation [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>"
         "<annotation><object><name>&b;</name></object></annotation>",
         "entity declarations are not read"},
        {"<!DOCTYPE annotation [<!ENTITY x SYSTEM \"secret.txt\">]>"
         "<annotation><object><name>&x;</name></object></annotation>",
         "entity declarations are not read"},
        {"<annotation><object><name>&x;</name></object></annotation>", "malformed XML"},
        {"<annotations/>", "expected <annotation>, found <annotations>"},
        {"", "malformed XML"},
        {"<annotation><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", "nested too deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder f = make_folder();
        imported r = voc_text(&f, cases[i].text, strlen(cases[i].text));
        assert_int_equal(r.st, XA_INVALID); /* no image is left */
        if (strstr(r.err.message, cases[i].words) == NULL &&
            strstr(r.err.message, "the annotation file cannot be read") == NULL)
            fail_msg("case %zu: %s", i, r.err.message);
        imported_fini(&r);
        remove_folder(&f);
    }
    /* A name longer than any class. */
    folder f = make_folder();
    xa_str s = {0};
    xa_str_puts(&s, "<annotation><object><name>");
    for (int i = 0; i < 5000; i++)
        xa_str_puts(&s, "abc");
    xa_str_puts(&s, "</name></object></annotation>");
    imported r = voc_text(&f, s.data, s.len);
    assert_int_equal(r.st, XA_OK); /* that object is dropped, not its image */
    assert_int_equal(
        count_of(&r, XA_IMPORT_ANNOTATION, "an object whose name is longer than 255 bytes"), 1);
    imported_fini(&r);
    xa_str_free(&s);
    remove_folder(&f);
}

/* ---- changed at random ---- */

typedef struct dice {
    uint64_t stream, counter;
} dice;

static size_t roll(dice *d, size_t n)
{
    return (size_t)xa_random_below(2026, d->stream, d->counter++, (int64_t)n);
}

static const char *const bits[] = {
    ",",
    "\"",
    "\n",
    "\r\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    "null",
    "-1",
    "1e308",
    "99999999999",
    "0",
    "1",
    "</object>",
    "<object>",
    "<name>",
    "bndbox",
    "&lt;",
    "..",
    "/",
    "|",
    "#5",
    "\xff",
    "\xef\xbb\xbf",
    " ",
    "cat",
    "counts",
    "size",
    "\\u0000",
    "\\ud800",
    "nan",
    ";",
    "",
};

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
    const char *b = bits[roll(d, sizeof bits / sizeof *bits)];
    switch (roll(d, 6)) {
    case 0:
        splice(s, at, 0, b, strlen(b));
        break;
    case 1:
        splice(s, at, roll(d, (left < 8 ? left : 8) + 1), "", 0);
        break;
    case 2: {
        const char any = (char)roll(d, 256);
        splice(s, at, left > 0 ? 1 : 0, &any, 1);
        break;
    }
    case 3: {
        const size_t n = roll(d, (left < 60 ? left : 60) + 1);
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, s->data + at, n);
        splice(s, roll(d, s->len + 1), 0, copy, n);
        free(copy);
        break;
    }
    case 4:
        if (roll(d, 8) == 0)
            splice(s, at, left, "", 0);
        break;
    default:
        splice(s, at, left < strlen(b) ? left : strlen(b), b, strlen(b));
        break;
    }
}

/* The file that is changed, and the import that reads it; the other files stay as they are. */
static const struct {
    const char *file;      /* below GOLDEN */
    const char *place;     /* of the changed copy in the folder */
    xa_import_options opt; /* source: a path below the folder, or below GOLDEN where it has one */
} targets[] = {
    {"coco/coco.json",
     "coco/coco.json",
     {.format = XA_IMPORT_COCO,
      .source = "coco/coco.json",
      .images = GOLDEN "/coco/images",
      .as_masks = true}},
    {"coco/coco.json",
     "coco/coco.json",
     {.format = XA_IMPORT_COCO, .source = "coco/coco.json", .images = GOLDEN "/coco/images"}},
    {"chexlocalize/truth.json",
     "t.json",
     {.format = XA_IMPORT_CHEXLOCALIZE,
      .source = "t.json",
      .images = GOLDEN "/chexlocalize/images"}},
    {"voc/Annotations/2007_000001.xml",
     "Annotations/2007_000001.xml",
     {.format = XA_IMPORT_VOC, .source = "", .images = GOLDEN "/voc/JPEGImages"}},
    {"imagenet/xml/ILSVRC2012_val_00000001.xml",
     "x/ILSVRC2012_val_00000001.xml",
     {.format = XA_IMPORT_IMAGENET,
      .source = "x",
      .images = GOLDEN "/imagenet/images",
      .classes = GOLDEN "/imagenet/synsets.txt"}},
    {"imagenet/LOC_val_solution.csv",
     "loc.csv",
     {.format = XA_IMPORT_IMAGENET,
      .source = "loc.csv",
      .images = GOLDEN "/imagenet/images",
      .classes = GOLDEN "/imagenet/synsets.txt"}},
    {"wsol/localization.txt",
     "w/localization.txt",
     {.format = XA_IMPORT_WSOL,
      .source = "w",
      .images = GOLDEN "/wsol/images",
      .masks = GOLDEN "/wsol/masks"}},
    {"cub/bounding_boxes.txt",
     "c/bounding_boxes.txt",
     {.format = XA_IMPORT_CUB, .source = "c", .images = GOLDEN "/cub/images"}},
    {"openimages/boxes.csv",
     "b.csv",
     {.format = XA_IMPORT_OPENIMAGES, .source = "b.csv", .images = GOLDEN "/openimages/images"}},
    {"openimages/masks.csv",
     "m.csv",
     {.format = XA_IMPORT_OPENIMAGES,
      .source = "m.csv",
      .images = GOLDEN "/openimages/images",
      .masks = GOLDEN "/openimages/masks"}},
    {"isic/metadata.csv",
     "h.csv",
     {.format = XA_IMPORT_ISIC,
      .source = "h.csv",
      .images = GOLDEN "/isic/images",
      .masks = GOLDEN "/isic/masks"}},
    {"isic/truth.csv",
     "h.csv",
     {.format = XA_IMPORT_ISIC, .source = "h.csv", .images = GOLDEN "/isic/images"}},
    {"nih/BBox_List_2017.csv",
     "n.csv",
     {.format = XA_IMPORT_NIH, .source = "n.csv", .images = GOLDEN "/nih"}},
    {"csv/table.csv",
     "t.csv",
     {.format = XA_IMPORT_CSV,
      .source = "t.csv",
      .images = GOLDEN "/csv",
      .column_path = "file",
      .column_label = "kind of animal",
      .column_class = "which",
      .column_box = "left,top,right,bottom",
      .box = XA_BOX_ONE_BASED,
      .column_keep = "note"}},
    {"csv/shapes.csv",
     "s.csv",
     {.format = XA_IMPORT_CSV,
      .source = "s.csv",
      .images = GOLDEN "/csv",
      .column_path = "file",
      .column_label = "label",
      .column_polygon = "shape"}},
};
enum { TARGETS = sizeof targets / sizeof *targets };

static void copy_golden(const folder *f, const char *from, const char *to)
{
    char path[512];
    char *data = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, GOLDEN "/%s", from);
    assert_int_equal(xa_read_file(path, 1 << 20, &data, &size, NULL), XA_OK);
    put_file(f, to, data, size);
    free(data);
}

static void test_mutations(void **state)
{
    (void)state;
    const char *wish = getenv("XA_FUZZ_ROUNDS");
    int64_t rounds = 120;
    if (wish != NULL)
        assert_true(xa_parse_i64(wish, &rounds));
    for (size_t t = 0; t < TARGETS; t++) {
        folder f = make_folder();
        char path[512], source[512];
        char *data = NULL;
        size_t size = 0;
        int64_t made = 0;
        static const char *const beside[][2] = {
            {"wsol/image_ids.txt", "w/image_ids.txt"},
            {"wsol/class_labels.txt", "w/class_labels.txt"},
            {"wsol/image_sizes.txt", "w/image_sizes.txt"},
            {"cub/classes.txt", "c/classes.txt"},
            {"cub/images.txt", "c/images.txt"},
            {"cub/image_class_labels.txt", "c/image_class_labels.txt"},
            {"cub/train_test_split.txt", "c/train_test_split.txt"}};
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            copy_golden(&f, beside[i][0], beside[i][1]);
        snprintf(path, sizeof path, GOLDEN "/%s", targets[t].file);
        assert_int_equal(xa_read_file(path, 1 << 20, &data, &size, NULL), XA_OK);
        snprintf(source, sizeof source, "%s/%s", f.path, targets[t].opt.source);
        for (int64_t i = 0; i < rounds; i++) {
            dice d = {.stream = (uint64_t)i + ((uint64_t)t << 32)};
            xa_str s = {0};
            xa_str_add(&s, data, size);
            for (size_t n = roll(&d, 3) + 1; n > 0; n--)
                mutate(&s, &d);
            put_file(&f, targets[t].place, s.data != NULL ? s.data : "", s.len);
            xa_import_options o = targets[t].opt;
            o.source = source;
            imported r = run_import(&f, o);
            if (r.st == XA_OK) {
                xa_manifest_free(read_back(&f, &r, NULL));
                made++;
            } else {
                assert_true(r.st == XA_FORMAT || r.st == XA_INVALID || r.st == XA_LIMIT ||
                            r.st == XA_NOT_FOUND || r.st == XA_UNSUPPORTED);
            }
            imported_fini(&r);
            xa_str_free(&s);
        }
        print_message(
            "%s: %lld of %lld made\n", targets[t].file, (long long)made, (long long)rounds);
        if (rounds >= 100)
            assert_true(made > rounds / 50); /* mutations mild enough to get far */
        free(data);
        remove_folder(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coco_shapes),
        cmocka_unit_test(test_coco_images),
        cmocka_unit_test(test_json_errors),
        cmocka_unit_test(test_xml),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
