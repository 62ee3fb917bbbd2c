/* Files that break their format's rules, as tools write them: names of other forms, declared sizes
 * that are not the image's, numbers that are no numbers. Everything that can be read is read, and
 * the rest is reported. */
#include "import_folder.h"

/* A black picture, a PNG under any name. */
static void put_image(const folder *f, const char *name, int64_t width, int64_t height)
{
    uint8_t *pixels = calloc((size_t)width, (size_t)height);
    const char *path = put_file(f, name, "x", 1);
    assert_non_null(pixels);
    assert_int_equal(xa_image_write_mask(path, pixels, width, height, NULL), XA_OK);
    free(pixels);
}

static const xa_sample *sample_of(const xa_manifest *m, const char *id)
{
    for (int64_t i = 0; i < m->count; i++)
        if (strcmp(m->samples[i].id, id) == 0)
            return &m->samples[i];
    fail_msg("no sample %s", id);
    return NULL;
}

/* ---- VOC ---- */

#define OBJECT                                                                                 \
    "<object><name>dog</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>8</ymax>" \
    "</bndbox></object>"

static void put_voc(const folder *f, const char *id, const char *filename, const char *rest)
{
    char *name = xa_strfmt("Annotations/%s.xml", id);
    char *text =
        xa_strfmt("<annotation><filename>%s</filename>%s" OBJECT "</annotation>", filename, rest);
    put_text(f, name, text);
    free(name);
    free(text);
}

static void test_voc_names(void **state)
{
    (void)state;
    folder f = make_folder();
    static const struct {
        const char *id, *filename, *file, *path;
    } cases[] = {
        {"a", "a.jpg", "a.jpg", "a.jpg"},
        {"b", "b.png", "b.png", "b.png"},
        {"c", "c.JPG", "c.JPG", "c.JPG"},
        {"d", "d", "d.jpeg", "d.jpeg"},   /* ImageNet: no ending */
        {"e", "e.jpg", "e.png", "e.png"}, /* converted since */
        {"f", "real name.jpg", "real name.jpg", "real name.jpg"},
        {"g", "C:\\\\pictures\\\\g.jpg", "g.jpg", "g.jpg"},
        {"h", "/home/somebody/h.png", "h.png", "h.png"},
        {"i", "sub/i.jpg", "sub/i.jpg", "sub/i.jpg"},
        {"j", "", "j.tif", "j.tif"},
        {"k", "..", "k.PNG", "k.PNG"},
        {"l.v2", "l.v2.jpg", "l.v2.jpg", "l.v2.jpg"},
        {"m.v2", "", "m.v2.jpg", "m.v2.jpg"},
        {"n", "n.webp", "n.jpg", "n.jpg"},
        {"o", "../secret.jpg", "o.jpg", "o.jpg"},
    };
    enum { N = sizeof cases / sizeof *cases };
    put_image(&f, "secret.jpg", 4, 4);
    for (size_t i = 0; i < N; i++) {
        char *name = xa_strfmt("JPEGImages/%s", cases[i].file);
        put_image(&f, name, 20, 12);
        put_voc(&f, cases[i].id, cases[i].filename, "");
        free(name);
    }
    imported r = run_import(&f, (xa_import_options){.format = XA_IMPORT_VOC, .source = f.path});
    if (r.st != XA_OK)
        fail_msg("%s", r.err.message);
    xa_manifest *m = read_back(&f, &r, NULL);
    assert_int_equal(m->count, N);
    assert_int_equal(r.report.boxes, N);
    for (size_t i = 0; i < N; i++) {
        char *path = xa_strfmt("JPEGImages/%s", cases[i].path);
        assert_string_equal(sample_of(m, cases[i].id)->path, path);
        free(path);
    }
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
}

/* One field that cannot be understood drops its object, or its size, and not the image. */
static void test_voc_fields(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
        xa_import_what what;
    } cases[] = {
        {"<object><name>cat</name><bndbox><xmin>x</xmin></bndbox></object>",
         "an object with a coordinate that is no number",
         XA_IMPORT_ANNOTATION},
        {"<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>nan</xmax>"
         "<ymax>4</ymax></bndbox></object>",
         "an object with a coordinate that is no number",
         XA_IMPORT_ANNOTATION},
        {"<object><name>cat</name><bndbox><xmin>1e99</xmin></bndbox></object>",
         "an object with a coordinate that is no number",
         XA_IMPORT_ANNOTATION},
        {"<object><name>cat</name><difficult>perhaps</difficult></object>",
         "an object with a flag that is neither a number nor true or false",
         XA_IMPORT_ANNOTATION},
        {"<object><name>cat</name><pose>Unspecified</pose></object>",
         "an object without a box",
         XA_IMPORT_ANNOTATION},
        {"<object><name>cat</name><bndbox><xmin>5</xmin><ymin>1</ymin><xmax>3</xmax>"
         "<ymax>4</ymax></bndbox></object>",
         "the box is empty or inverted",
         XA_IMPORT_ANNOTATION},
        {"<object><name>cat</name><name>cow</name></object>",
         "an object with two names",
         XA_IMPORT_ANNOTATION},
        {"<object><bndbox><xmin>1</xmin></bndbox></object>",
         "an object without a name",
         XA_IMPORT_ANNOTATION},
        {"<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax>"
         "<ymax>4</ymax></bndbox><bndbox><xmin>5</xmin></bndbox></object>",
         "an object with two boxes",
         XA_IMPORT_ANNOTATION},
        {"<size><width>20</width></size>",
         "a size that is not two numbers (taken as not said)",
         XA_IMPORT_NOTED},
        {"<size><width>many</width><height>12</height></size>",
         "a size that is not two numbers (taken as not said)",
         XA_IMPORT_NOTED},
        {"<size><width>-3</width><height>12</height></size>",
         "a size that is not two numbers (taken as not said)",
         XA_IMPORT_NOTED},
        {"<size><width>12</width><height>20</height></size>",
         "the declared size has the sides of the image swapped: boxes are not scored",
         XA_IMPORT_NOTED},
        {"<size><width>40</width><height>24</height></size>",
         "the declared size is a multiple of the image's: boxes are scored with `frame: rescale` "
         "in the job, else not",
         XA_IMPORT_NOTED},
        {"<size><width>500</width><height>375</height></size>",
         "the declared size is not the image's: boxes are not scored",
         XA_IMPORT_NOTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder f = make_folder();
        put_image(&f, "JPEGImages/a.jpg", 20, 12);
        put_voc(&f, "a", "a.jpg", cases[i].text);
        imported r = run_import(&f, (xa_import_options){.format = XA_IMPORT_VOC, .source = f.path});
        if (r.st != XA_OK)
            fail_msg("case %zu: %s", i, r.err.message);
        if (count_of(&r, cases[i].what, cases[i].reason) != 1)
            fail_msg("case %zu: not \"%s\"", i, cases[i].reason);
        xa_manifest *m = read_back(&f, &r, NULL);
        const xa_sample *s = sample_of(m, "a");
        assert_int_equal(s->nannotations, 1); /* the dog, in the frame that is declared */
        assert_true(s->annotations[0].x0 == 1.0 && s->annotations[0].y1 == 8.0);
        const bool said = strstr(cases[i].text, "<size>") && !strstr(cases[i].reason, "not said");
        assert_int_equal(s->width > 0, said);
        xa_manifest_free(m);
        imported_fini(&r);
        remove_folder(&f);
    }
}

/* ---- COCO and LVIS ---- */

static imported coco(const folder *f, const char *text)
{
    static char source[8192];
    snprintf(source, sizeof source, "%s", put_file(f, "in.json", text, strlen(text)));
    return run_import(
        f, (xa_import_options){.format = XA_IMPORT_COCO, .source = source, .images = f->path});
}

static void test_lvis(void **state)
{
    (void)state;
    folder f = make_folder();
    put_image(&f, "one.jpg", 20, 12);
    put_image(&f, "val2017/two.jpg", 20, 12);
    put_image(&f, "two.jpg", 5, 5); /* the folder goes first */
    put_image(&f, "three.jpg", 20, 12);
    imported r = coco(
        &f,
        "{\"images\": ["
        "{\"id\": 1, \"coco_url\": \"http://images.cocodataset.org/val2017/one.jpg\","
        " \"neg_category_ids\": [2], \"not_exhaustive_category_ids\": [1, 7]},"
        "{\"not_exhaustive_category_ids\": [], \"id\": 2,"
        " \"coco_url\": \"http://images.cocodataset.org/val2017/two.jpg\"},"
        "{\"id\": 3, \"coco_url\": \"https://there/x/three.jpg?size=big\"},"
        "{\"id\": 4, \"flickr_url\": \"http://there/four.jpg\"}],"
        "\"categories\": [{\"id\": 1, \"name\": \"aerosol_can\", \"synset\": \"aerosol.n.02\"},"
        "{\"id\": 2, \"name\": \"dog\"}],"
        "\"annotations\": [{\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 1, 5, 5]},"
        "{\"image_id\": 2, \"category_id\": 1, \"bbox\": [1, 1, 5, 5]}]}");
    if (r.st != XA_OK)
        fail_msg("%s", r.err.message);
    assert_int_equal(r.report.images, 3);
    assert_int_equal(count_of(&r,
                              XA_IMPORT_IMAGE,
                              "an image entry without an id, or without file_name and coco_url"),
                     1);
    assert_int_equal(count_of(&r,
                              XA_IMPORT_NOTED,
                              "the category is not annotated exhaustively in the image: what is "
                              "outside its annotations may be the object too (kept)"),
                     1);
    xa_manifest *m = read_back(&f, &r, NULL);
    assert_string_equal(sample_of(m, "1")->path, "one.jpg");
    assert_string_equal(sample_of(m, "2")->path, "val2017/two.jpg");
    assert_string_equal(sample_of(m, "3")->path, "three.jpg");
    assert_int_equal(sample_of(m, "1")->nlabels, 1); /* a negative category is no label */
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
}

/* Sizes in other forms; one file under two ids. */
static void test_coco_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        int32_t width;
        bool told;
    } cases[] = {{"\"width\": \"20\", \"height\": \"12\"", 20, false},
                 {"\"width\": 20.0, \"height\": 12", 20, false},
                 {"\"depth\": 3", 0, false},
                 {"\"width\": 20", 0, true},
                 {"\"width\": null, \"height\": null", 0, true},
                 {"\"width\": 20, \"height\": 12.5", 0, true},
                 {"\"width\": \"wide\", \"height\": 12", 0, true},
                 {"\"width\": -20, \"height\": 12", 0, true},
                 {"\"width\": NaN, \"height\": 12", 0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder f = make_folder();
        put_image(&f, "a.jpg", 20, 12);
        char *text = xa_strfmt("{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", %s},"
                               "{\"id\": 2, \"file_name\": \"a.jpg\"}], \"annotations\": []}",
                               cases[i].size);
        imported r = coco(&f, text);
        if (r.st != XA_OK)
            fail_msg("case %zu: %s", i, r.err.message);
        assert_int_equal(
            count_of(&r,
                     XA_IMPORT_NOTED,
                     "a size that is not two whole numbers of pixels (taken as not said)"),
            cases[i].told);
        assert_int_equal(count_of(&r, XA_IMPORT_NOTED, "one file under two ids: it counts twice"),
                         1);
        xa_manifest *m = read_back(&f, &r, NULL);
        assert_int_equal(sample_of(m, "1")->width, cases[i].width);
        xa_manifest_free(m);
        imported_fini(&r);
        free(text);
        remove_folder(&f);
    }
}

/* NaN anywhere, also where the file is read in two pieces; within texts it is text. */
static void test_python_numbers(void **state)
{
    (void)state;
    static const char head[] = "{\"info\": \"NaN, -Infinity \\\" NaN\", \"categories\": [{\"id\": "
                               "1, \"name\": \"NaN\"}],\n"
                               "\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"x\": -4, "
                               "\"I\": [-1, -0.5]}], \"pad\": \"";
    static const char tail[] =
        "\", \"annotations\": [{\"area\": NaN, \"b\": [1, -Infinity, Infinity], \"image_id\": 1, "
        "\"category_id\": 1, \"bbox\": [1, 2, 5, 6]},\n"
        "{\"image_id\": 1, \"category_id\": 1, \"bbox\": [1, NaN, 5, 6]}]}";
    for (size_t pad = 65536 - sizeof head - 60; pad < 65536 - sizeof head + 10; pad++) {
        if (pad % 7 && pad < 65536 - sizeof head - 30)
            continue;
        folder f = make_folder();
        put_image(&f, "a.jpg", 20, 12);
        char *text = malloc(sizeof head + sizeof tail + pad);
        assert_non_null(text);
        memcpy(text, head, sizeof head - 1);
        memset(text + sizeof head - 1, '.', pad);
        memcpy(text + sizeof head - 1 + pad, tail, sizeof tail);
        imported r = coco(&f, text);
        if (r.st != XA_OK)
            fail_msg("%s", r.err.message);
        assert_int_equal(r.report.boxes, 1);
        assert_int_equal(
            count_of(&r, XA_IMPORT_ANNOTATION, "an annotation without a box of four numbers"), 1);
        for (size_t i = 0; i < r.report.nreasons; i++)
            if (strstr(r.report.reasons[i].text, "NaN or Infinity")) {
                char *words =
                    xa_strfmt("4 times; the first is NaN at line 2, byte %zu, annotations[0].area",
                              sizeof head - 1 + pad + strlen("\", \"annotations\": [{\"area\": "));
                assert_string_equal(r.report.reasons[i].examples[0], words);
                free(words);
            }
        assert_int_equal(
            count_of(&r,
                     XA_IMPORT_NOTED,
                     "NaN or Infinity in the JSON, which has no such numbers (taken as "
                     "null)"),
            1);
        xa_manifest *m = read_back(&f, &r, NULL);
        assert_int_equal(m->count, 1);
        xa_manifest_free(m);
        imported_fini(&r);
        free(text);
        remove_folder(&f);
    }
}

/* The declared size goes along; masks of another size are brought to the image, not to it. */
static void test_wsol_sizes(void **state)
{
    (void)state;
    folder f = make_folder();
    char images[80], masks[80];
    snprintf(images, sizeof images, "%s/images", f.path);
    snprintf(masks, sizeof masks, "%s/masks", f.path);
    put_image(&f, "images/a.jpg", 20, 12);
    put_image(&f, "images/b.jpg", 20, 12);
    put_image(&f, "images/c.jpg", 20, 12);
    put_image(&f, "masks/c.png", 12, 20);
    put_text(&f, "image_ids.txt", "a.jpg\nb.jpg\nc.jpg\n");
    put_text(&f, "class_labels.txt", "a.jpg,0\nb.jpg,1\nc.jpg,1\n");
    put_text(&f, "image_sizes.txt", "a.jpg,20,12\nb.jpg,500,335\nc.jpg,20,12\n");
    put_text(&f, "localization.txt", "a.jpg,1,2,10,11\nb.jpg,60,27,385,331\nc.jpg,c.png,c.png\n");
    imported r = run_import(
        &f,
        (xa_import_options){
            .format = XA_IMPORT_WSOL, .source = f.path, .images = images, .masks = masks});
    if (r.st != XA_OK)
        fail_msg("%s", r.err.message);
    assert_int_equal(
        count_of(&r, XA_IMPORT_NOTED, "the declared size is not the image's: boxes are not scored"),
        1);
    assert_int_equal(count_of(&r,
                              XA_IMPORT_ANNOTATION,
                              "the mask has the sides of its image swapped: one of them is turned"),
                     2);
    xa_manifest *m = read_back(&f, &r, NULL);
    assert_int_equal(sample_of(m, "b.jpg")->width, 500);
    assert_int_equal(sample_of(m, "b.jpg")->height, 335);
    assert_int_equal(sample_of(m, "c.jpg")->nannotations, 0);
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_voc_names),
                                       cmocka_unit_test(test_voc_fields),
                                       cmocka_unit_test(test_lvis),
                                       cmocka_unit_test(test_coco_sizes),
                                       cmocka_unit_test(test_python_numbers),
                                       cmocka_unit_test(test_wsol_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
