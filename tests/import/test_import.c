/* Importers on the fixtures of tests/golden/manifest: what they write reads back, masks are right
 * to the pixel, equal input gives equal bytes. The text of the manifests is compared in
 * tests/cli/cli_manifest.sh. */
#include "import_folder.h"

#define SOURCE(format, name) GOLDEN "/" format "/" name

static const struct {
    xa_import_options opt;
    int images, boxes, masks;
} fixtures[] = {
    {{.format = XA_IMPORT_FOLDER, .source = SOURCE("folder", "images")}, 3, 0, 0},
    {{.format = XA_IMPORT_VOC, .source = SOURCE("voc", ""), .split = "val"}, 1, 3, 0},
    {{.format = XA_IMPORT_VOC, .source = SOURCE("voc", ""), .split = "val", .as_masks = true},
     1,
     0,
     2},
    {{.format = XA_IMPORT_COCO,
      .source = SOURCE("coco", "coco.json"),
      .images = SOURCE("coco", "images")},
     2,
     5,
     0},
    {{.format = XA_IMPORT_COCO,
      .source = SOURCE("coco", "coco.json"),
      .images = SOURCE("coco", "images"),
      .as_masks = true},
     2,
     0,
     4},
    {{.format = XA_IMPORT_CUB, .source = SOURCE("cub", "")}, 2, 2, 0},
    {{.format = XA_IMPORT_CUB, .source = SOURCE("cub", ""), .split = "train", .as_masks = true},
     1,
     0,
     1},
    {{.format = XA_IMPORT_WSOL,
      .source = SOURCE("wsol", ""),
      .images = SOURCE("wsol", "images"),
      .masks = SOURCE("wsol", "masks")},
     2,
     2,
     1},
    {{.format = XA_IMPORT_IMAGENET,
      .source = SOURCE("imagenet", "LOC_val_solution.csv"),
      .images = SOURCE("imagenet", "images"),
      .classes = SOURCE("imagenet", "synsets.txt")},
     2,
     2,
     0},
    {{.format = XA_IMPORT_IMAGENET,
      .source = SOURCE("imagenet", "xml"),
      .images = SOURCE("imagenet", "images"),
      .classes = SOURCE("imagenet", "synsets.txt")},
     1,
     2,
     0},
    {{.format = XA_IMPORT_OPENIMAGES,
      .source = SOURCE("openimages", "boxes.csv"),
      .images = SOURCE("openimages", "images"),
      .labels = SOURCE("openimages", "names.csv")},
     2,
     2,
     0},
    {{.format = XA_IMPORT_OPENIMAGES,
      .source = SOURCE("openimages", "masks.csv"),
      .images = SOURCE("openimages", "images"),
      .masks = SOURCE("openimages", "masks")},
     1,
     0,
     1},
    {{.format = XA_IMPORT_ISIC,
      .source = SOURCE("isic", "metadata.csv"),
      .images = SOURCE("isic", "images"),
      .masks = SOURCE("isic", "masks")},
     3,
     0,
     2},
    {{.format = XA_IMPORT_ISIC,
      .source = SOURCE("isic", "truth.csv"),
      .images = SOURCE("isic", "images"),
      .labels = SOURCE("isic", "metadata.csv")},
     2,
     0,
     0},
    {{.format = XA_IMPORT_CHEXLOCALIZE,
      .source = SOURCE("chexlocalize", "truth.json"),
      .images = SOURCE("chexlocalize", "images")},
     2,
     0,
     2},
    {{.format = XA_IMPORT_NIH,
      .source = SOURCE("nih", "BBox_List_2017.csv"),
      .images = SOURCE("nih", ""),
      .labels = SOURCE("nih", "Data_Entry_2017.csv")},
     2,
     2,
     0},
    {{.format = XA_IMPORT_CSV,
      .source = SOURCE("csv", "table.csv"),
      .column_path = "file",
      .column_label = "kind of animal",
      .column_class = "which",
      .column_box = "left,top,right,bottom",
      .box = XA_BOX_ONE_BASED,
      .column_group = "patient",
      .column_keep = "note,which"},
     2,
     2,
     0},
};

static void test_fixtures(void **state)
{
    (void)state;
    bool seen[XA_IMPORT_COUNT] = {false};
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++) {
        folder f = make_folder();
        char first[XA_SHA256_HEX], again[XA_SHA256_HEX];
        seen[fixtures[i].opt.format] = true;
        for (int time = 0; time < 2; time++) {
            imported r = run_import(&f, fixtures[i].opt);
            if (r.st != XA_OK)
                fail_msg("%s: %s", xa_import_name(fixtures[i].opt.format), r.err.message);
            assert_int_equal(r.report.images, fixtures[i].images);
            assert_int_equal(r.report.boxes, fixtures[i].boxes);
            assert_int_equal(r.report.masks, fixtures[i].masks);
            xa_manifest *m = read_back(&f, &r, NULL);
            for (int64_t k = 0; k < m->count; k++) {
                xa_image head = {0};
                xa_err err = XA_ERR_INIT;
                if (xa_image_probe(m->samples[k].file, NULL, &head, &err) != XA_OK)
                    fail_msg("%s", err.message);
                for (int32_t a = 0; a < m->samples[k].nannotations; a++) {
                    const xa_annotation *x = &m->samples[k].annotations[a];
                    assert_true(x->class_index >= 0);
                    xa_image mask = {0};
                    if (x->kind != XA_ANNOTATION_MASK)
                        continue;
                    if (xa_image_read_labels(x->mask, NULL, &mask, &err) != XA_OK)
                        fail_msg("%s", err.message);
                    assert_int_equal(mask.width, head.width);
                    assert_int_equal(mask.height, head.height);
                    xa_image_fini(&mask);
                }
            }
            xa_manifest_free(m);
            imported_fini(&r);
            assert_int_equal(xa_sha256_file(f.out, time ? again : first, NULL), XA_OK);
        }
        assert_string_equal(first, again);
        remove_folder(&f);
    }
    for (int i = 0; i < XA_IMPORT_COUNT; i++)
        assert_true(seen[i]);
}

/* The pixels an annotation takes, as 0 and 255; caller frees. */
static uint8_t *taken(const xa_annotation *a, int64_t w, int64_t h)
{
    xa_image im = {0};
    xa_err err = XA_ERR_INIT;
    if (xa_image_read_labels(a->mask, NULL, &im, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(im.width, w);
    assert_int_equal(im.height, h);
    uint8_t *out = xa_alloc((size_t)(w * h), 1);
    for (int64_t i = 0; i < w * h; i++)
        out[i] = xa_mask_takes(a->mask_value, ((const uint8_t *)im.data)[i]) ? 255 : 0;
    xa_image_fini(&im);
    return out;
}

static const xa_sample *find_sample(const xa_manifest *m, const char *id)
{
    for (int64_t i = 0; i < m->count; i++)
        if (strcmp(m->samples[i].id, id) == 0)
            return &m->samples[i];
    fail_msg("no sample %s", id);
    return NULL;
}

/* Every mask of the COCO fixture compared with what the API draws: both run lengths, polygons, a
 * crowd. */
static void test_coco_masks(void **state)
{
    (void)state;
    folder f = make_folder();
    imported r = run_import(&f,
                            (xa_import_options){.format = XA_IMPORT_COCO,
                                                .source = SOURCE("coco", "coco.json"),
                                                .images = SOURCE("coco", "images"),
                                                .as_masks = true});
    xa_manifest *m = read_back(&f, &r, NULL);
    FILE *golden = fopen(GOLDEN "/coco/masks.txt", "r");
    assert_non_null(golden);
    int image, category, crowd, cases = 0;
    while (fscanf(golden, "%d %d %d :", &image, &category, &crowd) == 3) {
        char id[16];
        snprintf(id, sizeof id, "%d", image);
        const xa_sample *s = find_sample(m, id);
        const int w = image == 9 ? 20 : 16, h = image == 9 ? 12 : 16;
        uint8_t want[400] = {0};
        int run, at = 0;
        for (int k = 0; fscanf(golden, "%d", &run) == 1 && at + run <= w * h; k++) {
            for (const int end = at + run; at < end; at++)
                want[at % h * w + at / h] = k % 2 ? 255 : 0;
            const int next = fgetc(golden);
            if (next == '\n')
                break;
        }
        assert_int_equal(at, w * h);
        const xa_annotation *found = NULL;
        for (int32_t k = 0; k < s->nannotations; k++)
            if (s->annotations[k].class_index == (category == 7) &&
                ((s->annotations[k].flags & XA_ANNOTATION_CROWD) != 0) == crowd)
                found = &s->annotations[k];
        assert_non_null(found);
        uint8_t *got = taken(found, w, h);
        assert_memory_equal(got, want, (size_t)(w * h));
        free(got);
        cases++;
    }
    assert_int_equal(cases, 4);
    fclose(golden);
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
}

static void assert_rectangle(const uint8_t *got, int w, int h, int x0, int y0, int x1, int y1)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            if ((got[y * w + x] != 0) != (x >= x0 && x < x1 && y >= y0 && y < y1))
                fail_msg("pixel %d,%d", x, y);
}

static void
check_mask(const xa_import_options *opt, const char *id, int at, int w, int h, const int box[4])
{
    folder f = make_folder();
    imported r = run_import(&f, *opt);
    xa_manifest *m = read_back(&f, &r, NULL);
    const xa_sample *s = find_sample(m, id);
    assert_true(s->nannotations > at);
    uint8_t *got = taken(&s->annotations[at], w, h);
    assert_rectangle(got, w, h, box[0], box[1], box[2], box[3]);
    free(got);
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
}

static void test_masks_to_the_pixel(void **state)
{
    (void)state;
    /* 10x5 to 20x10 and 10x15 to 40x30: every pixel becomes a block. */
    check_mask(&fixtures[7].opt, "val/a.jpg", 0, 20, 10, (const int[]){2, 2, 8, 6});
    check_mask(&fixtures[11].opt, "00a1", 0, 40, 30, (const int[]){8, 6, 20, 18});
    /* grey 204 of 255, above 127 */
    check_mask(&fixtures[6].opt, "1", 0, 30, 20, (const int[]){3, 4, 9, 10});
    /* palette indices */
    check_mask(&fixtures[2].opt, "2007_000001", 0, 20, 12, (const int[]){2, 1, 9, 5});
    check_mask(&fixtures[2].opt, "2007_000001", 1, 20, 12, (const int[]){10, 6, 18, 11});
    /* and the void line, to be ignored: index 255, at y = 5 */
    folder f = make_folder();
    imported r = run_import(&f, fixtures[2].opt);
    xa_manifest *m = read_back(&f, &r, NULL);
    for (int32_t k = 0; k < 2; k++) {
        xa_annotation ignore = m->samples[0].annotations[k];
        assert_int_equal(ignore.ignore_value, 255);
        ignore.mask = ignore.ignore_mask;
        ignore.mask_value = ignore.ignore_value;
        uint8_t *got = taken(&ignore, 20, 12);
        assert_rectangle(got, 20, 12, 0, 5, 20, 6);
        free(got);
    }
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
    /* run lengths, uncompressed and compressed */
    const char *chex = "patient1_study1_view1_frontal";
    check_mask(&fixtures[14].opt, chex, 0, 6, 4, (const int[]){0, 1, 1, 3});
    check_mask(&fixtures[14].opt, chex, 1, 6, 4, (const int[]){2, 0, 4, 3});
}

/* [1, 5) x [1, 4) by the COCO rule, on an image of 10 x 8. */
static void test_csv_polygon(void **state)
{
    (void)state;
    folder f = make_folder();
    put_text(&f, "in.csv", "file,shape\ncsv/images/one.jpg,\"1,1 5,1 5,4 1,4\"\n");
    char source[96];
    snprintf(source, sizeof source, "%s/in.csv", f.path);
    const xa_import_options o = {.format = XA_IMPORT_CSV,
                                 .source = source,
                                 .images = GOLDEN,
                                 .column_path = "file",
                                 .column_polygon = "shape"};
    imported r = run_import(&f, o);
    assert_int_equal(r.st, XA_OK);
    xa_manifest *m = read_back(&f, &r, NULL);
    uint8_t *got = taken(&m->samples[0].annotations[0], 10, 8);
    assert_rectangle(got, 10, 8, 1, 1, 5, 4);
    free(got);
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
}

/* WSOL metadata read as they are: the samples of the manifest that would be written. */
static void test_wsol_directly(void **state)
{
    (void)state;
    folder f = make_folder();
    xa_manifest *m = NULL;
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    char path[200];
    put_text(&f, "meta/image_ids.txt", "b.jpg\ngone.jpg\na.jpg\n");
    put_text(&f, "meta/class_labels.txt", "a.jpg,7\r\nb.jpg,10\r\n");
    put_text(&f, "meta/localization.txt", "a.jpg,1,2,5,6\na.jpg,0,0,3,4\nb.jpg,-2,1,9,8\n");
    put_text(&f, "images/a.jpg", "x");
    put_text(&f, "images/b.jpg", "x");
    char source[96], images[96];
    snprintf(source, sizeof source, "%s/meta", f.path);
    snprintf(images, sizeof images, "%s/images", f.path);
    const xa_import_options o = {.format = XA_IMPORT_WSOL, .source = source, .images = images};
    if (xa_manifest_read_wsol(&o, 0, &m, &problems, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(m->count, 2);
    assert_string_equal(m->samples[0].id, "b.jpg");
    assert_string_equal(m->samples[0].path, "../images/b.jpg");
    snprintf(path, sizeof path, "%s/../images/b.jpg", source);
    assert_string_equal(m->samples[0].file, path);
    assert_int_equal(m->samples[0].labels[0], 10);
    assert_int_equal(m->samples[1].nannotations, 2);
    assert_true(m->samples[1].annotations[1].x1 == 3.0);
    assert_true(m->samples[0].annotations[0].x0 == 0.0);
    assert_int_equal(m->max_class, 10);
    assert_int_equal(problems.errors, 0);
    assert_int_equal(problems.count, 3); /* gone, the missing list, the clipped box */
    xa_manifest_free(m);
    xa_problems_fini(&problems);
    remove_folder(&f);
    /* A mask that must be resized cannot be. */
    xa_import_options resized = fixtures[7].opt;
    assert_int_equal(xa_manifest_read_wsol(&resized, 0, &m, NULL, &err), XA_UNSUPPORTED);
    assert_non_null(strstr(err.message, "make a manifest with xaudit manifest"));
}

/* Names that CSV, labels or mask values could be taken in by. */
static void test_names(void **state)
{
    (void)state;
    folder f = make_folder();
    static const char *const files[] = {"images/ leading/a.jpg",
                                        "images/1/x,y.jpg",
                                        "images/2/\"q\".jpg",
                                        "images/10/line\nend.jpg",
                                        "images/\xe7\x8a\xac/\xc3\xa9;.jpg",
                                        "images/a|b/no.jpg",
                                        "images/\xef\xbb\xbf\x6d\x61rked/no.jpg",
                                        "images/0/bad\xff.jpg"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put_file(&f, files[i], "x", 1);
    char root[96];
    snprintf(root, sizeof root, "%s/images", f.path);
    imported r = run_import(&f, (xa_import_options){.format = XA_IMPORT_FOLDER, .source = root});
    assert_int_equal(r.st, XA_OK);
    assert_int_equal(r.report.images, 4);
    assert_int_equal(count_of(&r, XA_IMPORT_IMAGE, "the name is not UTF-8"), 1);
    assert_int_equal(
        count_of(&r,
                 XA_IMPORT_NOTED,
                 "not a class name ('|', control or byte-order mark, outer blanks, or not UTF-8)"),
        3);
    /* "1", "10", "2": sorted as text, so that 2 is not the second. */
    assert_true(count_of(&r,
                         XA_IMPORT_NOTED,
                         "a class name is another class's index: write label_as: name in the job") >
                0);
    xa_manifest *m = read_back(&f, &r, NULL);
    for (int64_t i = 0; i < m->count; i++) {
        FILE *file = fopen(m->samples[i].file, "r");
        assert_non_null(file);
        fclose(file);
    }
    xa_manifest_free(m);
    imported_fini(&r);
    remove_folder(&f);
}

/* An output that cannot be written, or is there already, and nothing left behind. */
static void test_output(void **state)
{
    (void)state;
    folder f = make_folder();
    xa_import_options o = fixtures[0].opt;
    xa_import_report report = {0};
    xa_err err = XA_ERR_INIT;
    o.output = put_file(&f, "taken.csv", "mine", 4);
    assert_int_equal(xa_import(&o, &report, NULL, &err), XA_BUSY);
    o.output = "/nowhere/at/all.csv";
    assert_int_equal(xa_import(&o, &report, NULL, &err), XA_NOT_FOUND);
    o.output = f.out;
    o.source = SOURCE("folder", "images/cat/a.jpg");
    assert_int_equal(xa_import(&o, &report, NULL, &err), XA_NOT_FOUND);
    struct stat s;
    assert_int_not_equal(stat(f.out, &s), 0);
    remove_folder(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),
        cmocka_unit_test(test_coco_masks),
        cmocka_unit_test(test_masks_to_the_pixel),
        cmocka_unit_test(test_csv_polygon),
        cmocka_unit_test(test_wsol_directly),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
