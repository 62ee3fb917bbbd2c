/* Panels in every format: sizes, what is inside, and figures that cannot be. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/draw.h"
#include "xaudit_cmocka.h"

static const double box[1][4] = {{10, 5, 60, 30}};
static const xa_provenance from = {"xaudit figure a.h5 --id \"<a & b>\" -o out", "abc123"};

typedef struct sheet {
    xa_image wide, tall;
    xa_tile tiles[4];
    xa_panel panel;
} sheet;

static void make(sheet *s, double width_mm)
{
    static const xa_panel_column columns[] = {{.name = "Photograph"},
                                              {.name = "a very long label of words",
                                               .detail = "label, probability",
                                               .group = "xception"}};
    static const xa_panel_answer answers[] = {{XA_PANEL_RIGHT, "vit 0.96"},
                                              {XA_PANEL_WRONG, "xception 0.48 as cellphone"}};
    static const xa_panel_row rows[] = {
        {.name = "a_wide/one_with_quite_a_name", .why = "best of 42", .answer = answers, 2},
        {.name = NULL}};
    static const xa_overlay over = {
        .percentile = 99.5, .opacity = 0.64, .floor = 0.12, .colormap = XA_COLORMAP_INFERNO};
    static const xa_panel_bar bar = {.over = &over, .low = "0", .high = "0.31"};
    memset(s, 0, sizeof *s);
    assert_int_equal(xa_image_init(&s->wide, 120, 40, 3, XA_PIXEL_U8, NULL), XA_OK);
    assert_int_equal(xa_image_init(&s->tall, 20, 400, 3, XA_PIXEL_U8, NULL), XA_OK);
    memset(s->wide.data, 200, 120 * 40 * 3);
    memset(s->tall.data, 90, 20 * 400 * 3);
    s->tiles[0] = (xa_tile){
        .picture = &s->wide, .note = "energy", .nboxes = 1, .box = box, .frame = {120, 40}};
    s->tiles[1] = (xa_tile){.picture = &s->wide, .score = "0.98", .best = true, .frame = {120, 40}};
    s->tiles[2] = (xa_tile){.picture = &s->tall, .frame = {20, 400}};
    s->tiles[3] = (xa_tile){.note = "not found"};
    s->panel = (xa_panel){
        .rows = 2,
        .columns = 2,
        .tiles = s->tiles,
        .column = columns,
        .row = rows,
        .letters = true,
        .width_mm = width_mm,
        .font_pt = 7,
        .bar = &bar,
        .truth = "annotated box",
        .contour = "half of the map's mass",
        .footnote = "A footnote that is long enough to be broken into two lines at the least, "
                    "whatever the width of this figure happens to be."};
}

static void done(sheet *s)
{
    xa_image_fini(&s->wide);
    xa_image_fini(&s->tall);
}

static char *whole(const char *path, size_t *size)
{
    char *text = NULL;
    xa_err err = XA_ERR_INIT;
    if (xa_read_file(path, 1 << 24, &text, size, &err) != XA_OK)
        fail_msg("%s", err.message);
    return text;
}

static bool holds(const char *data, size_t size, const char *words)
{
    const size_t n = strlen(words);
    for (size_t i = 0; i + n <= size; i++)
        if (!memcmp(data + i, words, n))
            return true;
    return false;
}

static void test_formats(void **state)
{
    (void)state;
    static const char *const ends[] = {"png", "tiff", "pdf", "svg"};
    sheet s;
    make(&s, 90.0);
    for (int i = 0; i < 4; i++) {
        char path[64];
        xa_err err = XA_ERR_INIT;
        size_t size;
        snprintf(path, sizeof path, "/tmp/xa_panel_%d.%s", (int)getpid(), ends[i]);
        if (xa_panel_write(&s.panel, path, 300.0, &from, &err) != XA_OK)
            fail_msg("%s", err.message);
        char *data = whole(path, &size);
        if (i < 2) {
            xa_image im = {0};
            const xa_decode_options opt = xa_decode_defaults();
            assert_int_equal(xa_image_read(path, &opt, &im, NULL), XA_OK);
            assert_int_equal(im.width, (int64_t)ceil(90.0 / 25.4 * 300.0)); /* 1063 */
            assert_true(im.height > im.width / 3 && im.channels == 3);
            xa_image_fini(&im);
            assert_true(holds(data, size, from.digest));
        } else if (i == 2) {
            assert_true(holds(data, size, "%PDF-") && holds(data, size, "FontFile"));
        } else {
            /* names break, they are not shortened */
            assert_true(holds(data, size, ">best of 42<") && holds(data, size, "font-weight"));
            assert_false(holds(data, size, "\xe2\x80\xa6"));
            assert_true(holds(data, size, "&lt;a &amp; b&gt;") && holds(data, size, "abc123"));
            assert_true(holds(data, size, "<metadata>"));
        }
        free(data);
        char *command = NULL; /* and it can be made again */
        if (xa_provenance_read(path, &command, &err) != XA_OK)
            fail_msg("%s", err.message);
        assert_string_equal(command, from.command);
        free(command);
        unlink(path);
    }
    done(&s);
}

static void test_refusals(void **state)
{
    (void)state;
    sheet s;
    xa_err err = XA_ERR_INIT;
    make(&s, 15.0);
    assert_int_equal(xa_panel_write(&s.panel, "/tmp/x.png", 300.0, &from, &err), XA_SHAPE);
    assert_non_null(strstr(err.message, "make it at least"));
    /* no word is cut: the width that its heading needs is said, and then suffices */
    static const xa_panel_column long_word[] = {
        {.name = "Photograph"}, {.name = "Layerwiserelevancepropagationofalllayers"}};
    const xa_panel_column *before = s.panel.column;
    double needed = 0.0;
    s.panel.column = long_word;
    s.panel.width_mm = 40.0;
    err = (xa_err)XA_ERR_INIT;
    assert_int_equal(xa_panel_write(&s.panel, "/tmp/x.png", 300.0, &from, &err), XA_SHAPE);
    const char *said = strstr(err.message, "at least ");
    assert_true(said && sscanf(said, "at least %lf mm", &needed) == 1 && needed > 40.0);
    s.panel.width_mm = needed;
    char path[64];
    snprintf(path, sizeof path, "/tmp/xa_panel_%d.png", (int)getpid());
    assert_int_equal(xa_panel_write(&s.panel, path, 100.0, &from, NULL), XA_OK);
    unlink(path);
    s.panel.column = before;
    s.panel.width_mm = 90.0;
    err = (xa_err)XA_ERR_INIT;
    assert_int_equal(xa_panel_write(&s.panel, "/tmp/x.bmp", 300.0, &from, &err), XA_UNSUPPORTED);
    assert_int_equal(xa_panel_write(&s.panel, "/tmp/x.png", 1e6, &from, NULL), XA_SHAPE);
    static const char *const nowhere[] = {
        "/nowhere/x.png", "/nowhere/x.tiff", "/nowhere/x.pdf", "/nowhere/x.svg"};
    for (int i = 0; i < 4; i++) {
        err = (xa_err)XA_ERR_INIT;
        assert_int_equal(xa_panel_write(&s.panel, nowhere[i], 100.0, &from, &err), XA_IO);
        assert_non_null(strstr(err.message, nowhere[i]));
    }
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formats),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
