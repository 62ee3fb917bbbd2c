/* The native manifest: header, samples, labels, contradictions, limits. */
#include "manifest_reading.h"

static void test_minimal(void **state)
{
    (void)state;
    reading r = read_good("path\na.png\n/abs/b.png\n", NULL);
    assert_int_equal(r.m->count, 2);
    const xa_sample *s = r.m->samples;
    assert_string_equal(s[0].path, "a.png");
    assert_string_equal(s[0].id, "a.png");
    assert_string_equal(s[0].file, "/tmp/a.png");
    assert_string_equal(s[1].file, "/abs/b.png");
    assert_int_equal(s[0].nlabels, 0);
    assert_null(s[0].group);
    assert_null(s[0].split);
    assert_null(s[0].exclude);
    assert_int_equal(s[0].line, 2);
    assert_int_equal(s[1].line, 3);
    assert_int_equal(r.m->nextra, 0);
    assert_int_equal(r.m->max_class, -1);
    assert_string_equal(r.m->file, r.path);
    release(&r);
}

static void test_sizes(void **state)
{
    (void)state;
    reading r = read_good("path,x0,y0,x1,y1,image_width,image_height\n"
                          "a.png,0,0,5,5,640,480\na.png,1,1,6,6,,\nb.png,,,,,,\n",
                          NULL);
    assert_int_equal(r.m->samples[0].width, 640);
    assert_int_equal(r.m->samples[0].height, 480);
    assert_int_equal(r.m->samples[1].width, 0);
    assert_int_equal(r.m->nextra, 0);
    release(&r);
    static const struct {
        const char *rows, *words;
    } bad[] = {
        {"a.png,640,\n", "image_width is given without image_height"},
        {"a.png,,480\n", "image_height is given without image_width"},
        {"a.png,0,480\n", "image_width: expected a whole number of pixels from 1, found \"0\""},
        {"a.png,640,4.5\n", "image_height: expected a whole number"},
        {"a.png,640,9999999999\n", "image_height: expected a whole number"},
        {"a.png,640,480\na.png,480,640\n", "(480x640) contradict line 2 (640x480)"},
        {"a.png,,\na.png,480,640\n", "(480x640) contradict line 2 (0x0)"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = xa_strfmt("path,image_width,image_height\n%s", bad[i].rows);
        reading x = read_text(text, NULL);
        assert_int_equal(x.st, XA_INVALID);
        if (strstr(x.err.message, bad[i].words) == NULL)
            fail_msg("%s", x.err.message);
        release(&x);
        free(text);
    }
}

/* Column names of other tools are one mistake, whatever follows, with the way to convert them. */
static void test_foreign_boxes(void **state)
{
    (void)state;
    static const struct {
        const char *header, *words;
    } cases[] = {
        {"path,label,xmin,ymin,xmax,ymax", "--path-column path --box xmin,ymin,xmax,ymax "},
        {"filename,width,height,class,xmin,ymin,xmax,ymax",
         "--path-column filename --box xmin,ymin,xmax,ymax "},
        {"ImageID,XMin,XMax,YMin,YMax", "--path-column ImageID --box XMin,YMin,XMax,YMax "},
        {"path,kind,x1,y1,x2,y2", "--box x1,y1,x2,y2 "},
        {"path,x,y,w,h", "--box-xywh x,y,w,h "},
        {"img,x,y,width,height", "--path-column img --box-xywh x,y,width,height "},
        {"path,left,top,right,bottom", "--box left,top,right,bottom "},
        {"picture,bbox_x,bbox_y,bbox_w,bbox_h", "--path-column NAME --box-xywh bbox_x,"},
        {"path;x0;y0;x_min;y_min;x_max;y_max", "the boxes are in columns x_min, y_min, x_max"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = xa_strfmt("%s\na.png,1,2,3,4,5,6\nb.png,1,2\n", cases[i].header);
        reading r = read_text(text, NULL);
        assert_int_equal(r.st, XA_INVALID);
        assert_int_equal(r.problems.errors, 1);
        assert_int_equal(r.problems.count, 1);
        if (strstr(r.err.message, cases[i].words) == NULL)
            fail_msg("%s", r.err.message);
        release(&r);
        free(text);
    }
    /* with a manifest's own columns, they are further columns */
    reading r = read_good("path,x0,y0,x1,y1,xmin,ymin,xmax,ymax\na.png,1,2,3,4,5,6,7,8\n", NULL);
    assert_int_equal(r.m->nextra, 4);
    release(&r);
}

static void test_columns(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog", "horse"};
    xa_classes classes = make_classes(names, 3);
    const xa_manifest_options opt = {.classes = &classes};
    reading r = read_good("\xef\xbb\xbf"
                          "patient;label;path;split;group;age;exclude;id\r\n"
                          "p1;horse|cat|horse;\"a;1.png\";train;g;7;;one\r\n"
                          "p2; dog ;b.png;test;;;blurred;\r\n",
                          &opt);
    assert_int_equal(r.m->count, 2);
    assert_int_equal(r.m->nextra, 2);
    assert_string_equal(r.m->extra_columns[0], "patient");
    assert_string_equal(r.m->extra_columns[1], "age");
    const xa_sample *s = r.m->samples;
    assert_string_equal(s[0].path, "a;1.png");
    assert_string_equal(s[0].id, "one");
    assert_int_equal(s[0].nlabels, 2);
    assert_int_equal(s[0].labels[0], 0);
    assert_int_equal(s[0].labels[1], 2);
    assert_string_equal(s[0].group, "g");
    assert_string_equal(s[0].split, "train");
    assert_string_equal(s[0].extra[0], "p1");
    assert_string_equal(s[0].extra[1], "7");
    assert_int_equal(s[1].nlabels, 1);
    assert_int_equal(s[1].labels[0], 1);
    assert_null(s[1].group);
    assert_string_equal(s[1].exclude, "blurred");
    assert_string_equal(s[1].extra[1], "");
    assert_int_equal(r.m->max_class, 2);
    release(&r);
    xa_classes_fini(&classes);
}

static void test_lines_of_one_sample(void **state)
{
    (void)state;
    /* Not side by side; later lines blank or equal; a|b is b|a. */
    reading r = read_good("path,id,label,class,x0,y0,x1,y1,group,note\n"
                          "a.png,s1,1|2,1,0,0,1,1,g,n\n"
                          "b.png,s2,3,,0,0,2,2,,\n"
                          ",s1,,2,0,0,3,3,,\n"
                          "b.png,s2,3,,0,0,4,4,,\n"
                          "a.png,s1,2|1,1,0,0,5,5,g,n\n",
                          NULL);
    assert_int_equal(r.m->count, 2);
    const xa_sample *s = r.m->samples;
    assert_int_equal(s[0].nannotations, 3);
    assert_int_equal(s[1].nannotations, 2);
    static const double first[] = {1, 3, 5};
    for (int i = 0; i < 3; i++)
        assert_true(s[0].annotations[i].x1 == first[i]);
    assert_true(s[1].annotations[0].x1 == 2.0 && s[1].annotations[1].x1 == 4.0);
    assert_int_equal(s[1].annotations[1].class_index, 3);
    assert_int_equal(s[0].line, 2);
    int32_t classes[3];
    assert_int_equal(xa_sample_annotated(&s[0], classes), 2);
    assert_int_equal(classes[0], 1);
    assert_int_equal(classes[1], 2);
    release(&r);

    /* Without ids the path is the id. */
    r = read_good("path,x0,y0,x1,y1\na.png,0,0,1,1\nb.png,0,0,1,1\na.png,0,0,2,2\n", NULL);
    assert_int_equal(r.m->count, 2);
    assert_int_equal(r.m->samples[0].nannotations, 2);
    release(&r);
    /* One image, two samples. */
    r = read_good("path,id,label\na.png,1,0\na.png,2,1\n", NULL);
    assert_int_equal(r.m->count, 2);
    release(&r);
}

static void test_contradictions(void **state)
{
    (void)state;
    static const struct {
        const char *column, *first, *second, *words;
    } cases[] = {
        {"group", "a", "b", "group \"b\" contradicts line 2, where sample \"s\" has \"a\""},
        {"group", "", "b", "group \"b\" contradicts line 2, where sample \"s\" has none"},
        {"split", "a", "b", "split \"b\" contradicts line 2, where sample \"s\" has \"a\""},
        {"exclude", "a", "b", "exclude \"b\" contradicts line 2, where sample \"s\" has \"a\""},
        {"note", "a", "b", "note \"b\" contradicts line 2, where sample \"s\" has \"a\""},
        {"note", "", "b", "note \"b\" contradicts line 2, where sample \"s\" has none"},
        {"label", "1", "2", "label \"2\" contradicts line 2, where sample \"s\" has another"},
        {"label", "1", "1|2", "label \"1|2\" contradicts line 2, where sample \"s\" has another"},
        {"label", "", "2", "label \"2\" contradicts line 2, where sample \"s\" has none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text,
                 sizeof text,
                 "id,path,class,x0,y0,x1,y1,%s\ns,a.png,1,0,0,1,1,%s\ns,,1,0,0,1,1,%s\n",
                 cases[i].column,
                 cases[i].first,
                 cases[i].second);
        expect_mistake(text, NULL, 3, cases[i].words);
    }
    expect_mistake("id,path\ns,a.png\ns,b.png\n",
                   NULL,
                   3,
                   "path \"b.png\" contradicts line 2, where sample \"s\" has \"a.png\"");
}

static void test_repeated_line(void **state)
{
    (void)state;
    expect_warning(
        "path,label\na.png,1\nb.png,1\na.png,1\na.png,\nb.png,1\n",
        NULL,
        4,
        "the line repeats the sample of line 2 and adds no annotation (and 2 more lines)");
}

static void test_header_mistakes(void **state)
{
    (void)state;
    expect_mistake(
        "", NULL, 0, "expected a header line with a column \"path\", found an empty file");
    expect_mistake(
        "\n\r\n \n", NULL, 0, "expected a header line with a column \"path\", found an empty file");
    expect_mistake("path,label\n", NULL, 0, "expected samples below the header line, found none");
    expect_mistake(
        "path,label\n\n,\n", NULL, 0, "expected samples below the header line, found none");
    expect_mistake("a.png,3\nb.png,4\n",
                   NULL,
                   1,
                   "expected a header line with a column \"path\", found: a.png, 3");
    expect_mistake(
        "Path,label\nb.png,4\n",
        NULL,
        1,
        "expected a header line with a column \"path\", found: Path, label; is it \"Path\"?");
    expect_mistake("path\tlabel\nb.png\t4\n",
                   NULL,
                   1,
                   "expected a header line with a column \"path\", found: path?label; columns are "
                   "separated by ',' or ';', not by tabs");
    expect_mistake(
        "path,label,label\nb.png,4,4\n", NULL, 1, "columns 2 and 3 are both named \"label\"");
    expect_mistake(
        "note,path,note\n1,b.png,4\n", NULL, 1, "columns 1 and 3 are both named \"note\"");
    expect_warning("path,lable\nb.png,4\n",
                   NULL,
                   1,
                   "column \"lable\" is kept as further text; did you mean \"label\"?");
    reading r = read_good("path,label,lable\nb.png,4,5\n", NULL); /* label is there: no guess */
    release(&r);
}

static void test_row_width(void **state)
{
    (void)state;
    expect_mistake("path,label\na.png\n", NULL, 2, "expected 2 columns as in the header, found 1");
    expect_mistake(
        "path,label\na.png,1,2\n", NULL, 2, "expected 2 columns as in the header, found 3");
    /* Blank cells at the end are left over by spreadsheets. */
    reading r = read_good("path,label,,\na.png,1,,\nb.png,2,,,,\n", NULL);
    assert_int_equal(r.m->count, 2);
    assert_int_equal(r.m->nextra, 0);
    release(&r);
    expect_mistake(",path\n0,a.png\n1,b.png\n",
                   NULL,
                   2,
                   "column 1 has no name in the header, but holds \"0\" (and 1 more line)");
    expect_mistake("path,label\n,1\n", NULL, 2, "path is blank: expected the image's file");
    expect_mistake("path,id\n,x\n", NULL, 2, "path is blank on the first line of a sample");
}

static void test_labels(void **state)
{
    (void)state;
    static const char *const names[] = {"cats", "dogs", "0"};
    xa_classes classes = make_classes(names, 3);
    xa_manifest_options opt = {.classes = &classes};
    expect_mistake("path,label\na.png,dog\nb.png,dog\nc.png,cats|dog\n",
                   &opt,
                   2,
                   "label \"dog\" is not a class of this job; did you mean \"dogs\"? (and 2 more "
                   "lines)");
    expect_mistake("path,label\na.png,0\n",
                   &opt,
                   2,
                   "label \"0\" is the name of class 2 and the index of class \"cats\": say which "
                   "with label_as: name or label_as: index");
    expect_mistake("path,label\na.png,cats||dogs\n",
                   &opt,
                   2,
                   "label: expected class names or indices between '|', found nothing");
    expect_mistake("path,label\na.png,cats|\n",
                   &opt,
                   2,
                   "label: expected class names or indices between '|', found nothing");
    opt.label_as = XA_LABEL_NAME;
    reading r = read_good("path,label\na.png,0\n", &opt);
    assert_int_equal(r.m->samples[0].labels[0], 2);
    release(&r);
    opt.label_as = XA_LABEL_INDEX;
    r = read_good("path,label\na.png,0\n", &opt);
    assert_int_equal(r.m->samples[0].labels[0], 0);
    release(&r);
    opt.classes = NULL;
    opt.label_as = XA_LABEL_NAME;
    /* A mistake of the job, not of the manifest, is in err alone. */
    xa_manifest *none = NULL;
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_manifest_read("/tmp/any", &opt, &none, &problems, &err), XA_INVALID);
    assert_string_equal(err.message, "label_as: name needs class names (classes: a file of names)");
    assert_int_equal(problems.count, 0);
    xa_classes_fini(&classes);
}

static void test_many_unknown_labels(void **state)
{
    (void)state;
    xa_str text = {0};
    xa_classes classes = {.count = 5000};
    classes.names = calloc(5000, sizeof *classes.names);
    for (int i = 0; i < 5000; i++)
        classes.names[i] = xa_strfmt("a long class name number %d", i);
    xa_str_puts(&text, "path,label\n");
    for (int i = 0; i < 20000; i++)
        xa_str_printf(&text, "%d.png,a long class name number x%d\n", i, i);
    const xa_manifest_options opt = {.classes = &classes};
    const double t = xa_cpu_time();
    reading r = read_text(text.data, &opt);
    /* Looking for the near name of each would take minutes. */
    assert_true(xa_cpu_time() - t < 30.0);
    assert_int_equal(r.st, XA_INVALID);
    assert_int_equal(r.problems.count, 100);
    assert_int_equal(r.problems.errors, 20000);
    assert_int_equal(r.problems.dropped, 19900);
    assert_non_null(strstr(r.err.message, "(and 19999 more mistakes)"));
    release(&r);
    xa_classes_fini(&classes);
    xa_str_free(&text);
}

static void test_all_mistakes_at_once(void **state)
{
    (void)state;
    reading r = read_text("path,label,x0,y0,x1,y1\n"
                          "a.png,dog,0,0,1,1\n"
                          "b.png,1,4,0,1,1\n"
                          "\"c.png\"c,1,4,0,1,1\n"
                          "d.png,1\n"
                          "e.png,1,,,,\n"
                          "e.png,2,,,,\n",
                          NULL);
    assert_int_equal(r.st, XA_INVALID);
    assert_int_equal(r.problems.errors, 5);
    static const int64_t lines[] = {2, 3, 4, 5, 7};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(r.problems.items[i].line, lines[i]);
        assert_string_equal(r.problems.items[i].file, r.path);
    }
    char expected[128];
    snprintf(expected, sizeof expected, "%s:2: label \"dog\"", r.path);
    assert_memory_equal(r.err.message, expected, strlen(expected));
    assert_true(xa_str_ends(r.err.message, "(and 4 more mistakes)"));
    release(&r);
}

static void test_without_a_list(void **state)
{
    (void)state;
    char path[64];
    xa_manifest *m = NULL;
    xa_err err = XA_ERR_INIT;
    write_temporary(path, "path,label\na.png,dog\n", 21);
    assert_int_equal(xa_manifest_read(path, NULL, &m, NULL, &err), XA_INVALID);
    assert_non_null(strstr(err.message, ":2: label \"dog\": expected a class index"));
    assert_int_equal(xa_manifest_read(path, NULL, &m, NULL, NULL), XA_INVALID);
    assert_null(m);
    unlink(path);
    assert_int_equal(xa_manifest_read(path, NULL, &m, NULL, &err), XA_NOT_FOUND);
    assert_int_equal(xa_manifest_read("/tmp", NULL, &m, NULL, &err), XA_IO);
    xa_manifest_free(NULL);
}

static void test_limits(void **state)
{
    (void)state;
    const char *text = "path,label,x0,y0,x1,y1\n"
                       "a.png,1,0,0,1,1\n"
                       "b.png,9,0,0,2,2\n"
                       "a.png,1,0,0,3,3\n"
                       "c.png,2,0,0,4,4\n";
    xa_manifest_options opt = {.limit = 1};
    reading r = read_good(text, &opt);
    assert_int_equal(r.m->count, 1);
    assert_int_equal(r.m->samples[0].nannotations, 2); /* both of its lines */
    assert_true(r.m->samples[0].annotations[1].x1 == 3.0);
    assert_int_equal(r.m->max_class, 1); /* of what is kept */
    release(&r);
    opt.limit = 100;
    r = read_good(text, &opt);
    assert_int_equal(r.m->count, 3);
    assert_int_equal(r.m->max_class, 9);
    release(&r);
    opt = (xa_manifest_options){.max_samples = 3};
    r = read_good(text, &opt);
    release(&r);
    opt.max_samples = 2;
    r = read_text(text, &opt);
    assert_int_equal(r.st, XA_LIMIT);
    assert_non_null(strstr(r.err.message, ":5: at most 2 samples are accepted"));
    release(&r);
    /* Mistakes beyond the limit are counted too. */
    opt = (xa_manifest_options){.limit = 1};
    expect_mistake("path,x0,y0,x1,y1\na.png,,,,\nb.png,5,0,1,1\n",
                   &opt,
                   3,
                   "x1 (1) must be larger than x0 (5)");
}

static void test_strange_names(void **state)
{
    (void)state;
    /* Anything UTF-8 is a name; mistakes show it harmlessly. */
    reading r = read_good("path,id\n\"a\nb\x1b[2J.png\",\"\xf0\x9f\x90\x95\"\n", NULL);
    assert_string_equal(r.m->samples[0].path, "a\nb\x1b[2J.png");
    release(&r);
    expect_mistake("path,label\na.png,\"\x1b[2J\n\"\n",
                   NULL,
                   2,
                   "label \"?[2J?\": expected a class index (from 0); names need a list of classes "
                   "(classes: FILE)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minimal),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_foreign_boxes),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_lines_of_one_sample),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_repeated_line),
        cmocka_unit_test(test_header_mistakes),
        cmocka_unit_test(test_row_width),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_many_unknown_labels),
        cmocka_unit_test(test_all_mistakes_at_once),
        cmocka_unit_test(test_without_a_list),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_strange_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
