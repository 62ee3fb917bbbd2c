/* Which rows a figure shows by every rule, and what it reads of them: maps, images, marks. */
#include "xaudit/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/small_archive.h"
#include "xaudit_cmocka.h"

enum { N = 6, CELLS = SMALL_SIDE * SMALL_SIDE };

static const char *const explainers[] = {"cam", "grad"}, *const classes[] = {"ant", "bee"};
static const double energy[] = {0.5, 0.1, 0.9, 0.3, 0.7, NAN};
static const int32_t predicted[N] = {0, 0, 0, 1, 1, 1}; /* labels are 0 1 0 1 0 1 */
static const uint8_t status[N] = {1, 1, 1, 1, 1, XA_SAMPLE_FAILED};
static const uint8_t stage[N] = {0, 0, 0, 0, 0, XA_STAGE_DECODE};
static const double agreement[N] = {0.9, 0.1, 0.5, NAN, -0.3, 0.0};

static const small_series series[] = {{.explainer = "cam", .metric = "energy", .value = energy},
                                      {.explainer = "grad", .metric = "energy", .value = energy}};
static const small_archive plain = {.samples = N,
                                    .pairs = N,
                                    .classes = 2,
                                    .class_names = classes,
                                    .predicted = predicted,
                                    .status = status,
                                    .stage = stage,
                                    .explainer = explainers,
                                    .explainers = 2,
                                    .agreement = agreement,
                                    .series = series,
                                    .nseries = 2};

static xa_figure_rows *
open_rows(const small_archive *a, const xa_choice *c, const char *root, xa_status *st, xa_err *err)
{
    xa_figure_rows *f = NULL;
    *err = (xa_err)XA_ERR_INIT;
    small_archive_write(a, small_archive_name(0));
    *st = xa_figure_rows_open(small_archive_name(0), c, root, &f, err);
    return f;
}

static void expect_rows(xa_choice c, const int64_t *want, int n)
{
    xa_status st;
    xa_err err;
    c.most = c.most ? c.most : 10;
    xa_figure_rows *f = open_rows(&plain, &c, NULL, &st, &err);
    if (st != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(f->nrows, n);
    for (int i = 0; i < n; i++)
        assert_int_equal(f->sample[i], want[i]);
    xa_figure_rows_close(f);
}
#define EXPECT(choice, ...)                                                         \
    do {                                                                            \
        const int64_t want_[] = {__VA_ARGS__};                                      \
        expect_rows((xa_choice)choice, want_, (int)(sizeof want_ / sizeof *want_)); \
    } while (0)
#define CHOICE(...) \
    {               \
        __VA_ARGS__ \
    }

static void test_rules(void **state)
{
    (void)state;
    EXPECT(CHOICE(.pick = XA_PICK_FIRST), 0, 1, 2, 3, 4); /* 5 failed */
    EXPECT(CHOICE(.pick = XA_PICK_FIRST, .most = 2), 0, 1);
    EXPECT(CHOICE(.pick = XA_PICK_BEST, .most = 3), 2, 4, 0);
    EXPECT(CHOICE(.pick = XA_PICK_WORST, .most = 2), 1, 3);
    EXPECT(CHOICE(.pick = XA_PICK_MEDIAN, .most = 1), 0);
    EXPECT(CHOICE(.pick = XA_PICK_MEDIAN, .most = 3), 3, 0, 4);
    EXPECT(CHOICE(.pick = XA_PICK_WRONG), 1, 4);
    EXPECT(CHOICE(.pick = XA_PICK_DISAGREE, .most = 2), 4, 1); /* 3 has no correlation */
    EXPECT(CHOICE(.class_name = "bee"), 1, 3);
    EXPECT(CHOICE(.pick = XA_PICK_BEST, .class_name = "ant", .most = 1), 2);
    EXPECT(CHOICE(.id = {"s4", "s5"}, .nids = 2), 4, 5); /* named ones, even if they failed */
    EXPECT(CHOICE(.index = {3, 0, 3}, .nindices = 3), 3, 0, 3);
    EXPECT(CHOICE(.id = {"s2"}, .nids = 1, .index = {1}, .nindices = 1), 2, 1);
}

/* The same seed gives the same images, another seed other ones sooner or later; each once. */
static void test_random(void **state)
{
    (void)state;
    bool differ = false;
    int64_t first[3] = {0};
    for (int64_t seed = 0; seed < 8; seed++)
        for (int again = 0; again < 2; again++) {
            const xa_choice c = {.pick = XA_PICK_RANDOM, .most = 3, .seed = seed};
            xa_status st;
            xa_err err;
            xa_figure_rows *f = open_rows(&plain, &c, NULL, &st, &err);
            assert_true(st == XA_OK && f->nrows == 3);
            assert_true(f->sample[0] != f->sample[1] && f->sample[1] != f->sample[2]);
            if (again)
                assert_memory_equal(first, f->sample, sizeof first);
            differ = differ || (seed && !again && memcmp(first, f->sample, sizeof first) != 0);
            memcpy(first, f->sample, sizeof first);
            xa_figure_rows_close(f);
        }
    assert_true(differ);
}

/* Columns stand in the order in which they are named, each once; rows say why they are here. */
static void test_columns(void **state)
{
    (void)state;
    xa_choice c = {.explainer = {"grad", "net/cam", "grad"}, .nexplainers = 3, .most = 6};
    xa_status st;
    xa_err err;
    c.pick = XA_PICK_BEST;
    xa_figure_rows *f = open_rows(&plain, &c, NULL, &st, &err);
    assert_true(st == XA_OK && f->ncolumns == 2 && f->nrows == 5);
    assert_string_equal(f->column[0].map->name, "grad");
    assert_string_equal(f->column[1].map->name, "cam");
    static const char *const why[] = {"best of 5", "2 of 5", "median of 5", "4 of 5", "worst of 5"};
    for (int r = 0; r < 5; r++)
        assert_string_equal(f->why[r], why[r]);
    assert_string_equal(f->metric, "energy");
    assert_true(xa_figure_score(f, &f->column[0], f->metric, 2) == 0.9);
    assert_true(isnan(xa_figure_score(f, &f->column[0], f->metric, 5)));
    xa_figure_rows_close(f);
}

static void expect_refusal(const small_archive *a, xa_choice c, xa_status want, const char *words)
{
    xa_status st;
    xa_err err;
    c.most = 3;
    xa_figure_rows *f = open_rows(a, &c, NULL, &st, &err);
    assert_null(f);
    assert_int_equal(st, want);
    if (!strstr(err.message, words))
        fail_msg("\"%s\", expected \"%s\"", err.message, words);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal(&plain,
                   (xa_choice){.id = {"nobody"}, .nids = 1},
                   XA_NOT_FOUND,
                   "no sample has the id \"nobody\"");
    expect_refusal(&plain,
                   (xa_choice){.id = {"s"}, .nids = 1}, /* not the beginning of one */
                   XA_NOT_FOUND,
                   "no sample has the id \"s\"");
    expect_refusal(
        &plain, (xa_choice){.index = {N}, .nindices = 1}, XA_NOT_FOUND, "it has samples 0 to 5");
    expect_refusal(&plain,
                   (xa_choice){.explainer = {"lime"}, .nexplainers = 1},
                   XA_NOT_FOUND,
                   "it has net/cam, net/grad");
    expect_refusal(&plain,
                   (xa_choice){.pick = XA_PICK_BEST, .metric = "iou"},
                   XA_NOT_FOUND,
                   "cam has no metric \"iou\"; it has energy");
    expect_refusal(
        &plain, (xa_choice){.class_name = "cat"}, XA_NOT_FOUND, "no sample fits that choice");
    small_archive a = plain;
    a.agreement = NULL;
    expect_refusal(&a,
                   (xa_choice){.pick = XA_PICK_DISAGREE},
                   XA_NOT_FOUND,
                   "no two explainers that were compared");
    for (int p = 0; p < 7; p++) {
        static const char *const names[] = {
            "first", "best", "worst", "median", "random", "wrong", "disagree"};
        assert_int_equal(xa_pick_parse(names[p]), p);
    }
    assert_int_equal(xa_pick_parse("bes"), -1);
}

/* A sample with two annotated classes counts with the mean of its two scores. */
static void test_two_classes(void **state)
{
    (void)state;
    static const int64_t sample[] = {0, 0, 1};
    static const int32_t class_of[] = {0, 1, 1};
    static const double value[] = {0.9, 0.1, 0.6};
    const small_series x[] = {{.explainer = "cam", .metric = "energy", .value = value}};
    small_archive a = plain;
    a.pairs = 3;
    a.pair_sample = sample;
    a.pair_class = class_of;
    a.series = x;
    a.nseries = 1;
    const xa_choice c = {.pick = XA_PICK_BEST, .most = 5};
    xa_status st;
    xa_err err;
    xa_figure_rows *f = open_rows(&a, &c, NULL, &st, &err);
    assert_true(st == XA_OK && f->nrows == 2 && f->sample[0] == 1 && f->sample[1] == 0);
    xa_figure_rows_close(f);
}

static void test_maps(void **state)
{
    (void)state;
    static uint8_t flags[2 * N] = {[1] = XA_MAP_NONFINITE};
    small_archive a = plain;
    a.flags = flags;
    const xa_choice c = {.most = 5, .explainer = {"cam", "net/grad"}, .nexplainers = 2};
    xa_status st;
    xa_err err;
    xa_figure_map m;
    xa_figure_rows *f = open_rows(&a, &c, NULL, &st, &err);
    assert_true(st == XA_OK && f->ncolumns == 2);
    assert_string_equal(f->column[0].map->name, "cam");
    assert_int_equal(xa_figure_map_read(f, &f->column[0], 2, &m, &err), XA_OK);
    assert_true(m.height == SMALL_SIDE && m.width == SMALL_SIDE && m.target == 0);
    assert_true(m.values[0] == 2.0f && m.values[CELLS - 1] == 1.0f && m.affine[0] == 1.0);
    free(m.values);
    assert_int_equal(xa_figure_map_read(f, &f->column[0], 1, &m, &err), XA_OK);
    assert_null(m.values); /* not finite */
    assert_int_equal(xa_figure_map_read(f, &f->column[1], 1, &m, &err), XA_OK);
    assert_non_null(m.values);
    free(m.values);
    assert_int_equal(xa_figure_map_read(f, &f->column[1], 5, &m, &err), XA_OK);
    assert_null(m.values); /* failed */
    xa_figure_rows_close(f);
}

static void test_marks(void **state)
{
    (void)state;
    static const double boxes[N][4] = {
        {1, 1, 3, 4}, {0, 0, 2, 2}, {3, 3, 9, 9}, {0, 0, 4, 4}, {1, 0, 2, 4}, {0, 0, 4, 4}};
    small_archive a = plain;
    a.box = boxes;
    const xa_choice c = {.most = 5};
    xa_status st;
    xa_err err;
    double(*box)[4] = NULL;
    int n;
    xa_figure_rows *f = open_rows(&a, &c, NULL, &st, &err);
    assert_int_equal(st, XA_OK);
    assert_int_equal(xa_figure_boxes(f, 0, &box, &n, &err), XA_OK);
    assert_true(n == 1 && box[0][0] == 1.0 && box[0][3] == 4.0);
    free(box);
    assert_int_equal(xa_figure_boxes(f, 2, &box, &n, &err), XA_OK);
    assert_true(n == 1 && box[0][2] == 4.0 && box[0][3] == 4.0); /* cut at the border */
    free(box);
    xa_figure_edges e = {0};
    assert_int_equal(xa_figure_outlines(f, 0, &e, &err), XA_OK);
    assert_int_equal(e.n, 0); /* no mask */
    assert_int_equal(xa_figure_grid(f, f->column[0].model, 0, &e, &err), XA_OK);
    assert_int_equal(e.n, 2 * (SMALL_SIDE + 1));
    assert_true(e.edge[1][0] == 1.0 && e.edge[1][1] == 0.0 && e.edge[1][3] == 4.0);
    assert_true(e.edge[SMALL_SIDE + 1][0] == 0.0 && e.edge[SMALL_SIDE + 1][2] == 4.0);
    free(e.edge);
    xa_figure_rows_close(f);
}

/* ---- images ---- */

static char image_name[64];

static uint64_t write_image(int shade)
{
    xa_image im;
    assert_int_equal(xa_image_init(&im, 40, 20, 3, XA_PIXEL_U8, NULL), XA_OK);
    memset(im.data, shade, 40 * 20 * 3);
    snprintf(image_name, sizeof image_name, "/tmp/xa_figure_%d.png", (int)getpid());
    assert_int_equal(xa_image_write_png(image_name, &im, 72.0, NULL, 0, NULL), XA_OK);
    const uint64_t hash = xa_image_hash(&im);
    xa_image_fini(&im);
    return hash;
}

static void test_images(void **state)
{
    (void)state;
    const uint64_t hash = write_image(90);
    const uint64_t hashes[N] = {hash, hash + 1, 1, 1, 1, 1};
    const char *const paths[N] = {image_name, image_name, "gone.png", "gone.png", "x", "y"};
    small_archive a = plain;
    a.pixel_hash = hashes;
    a.path = paths;
    const xa_choice c = {.most = 5};
    xa_status st;
    xa_err err;
    xa_image im = {0};
    double frame[2];
    xa_figure_rows *f = open_rows(&a, &c, "/tmp", &st, &err);
    assert_int_equal(st, XA_OK);
    const xa_read_model *m = f->column[0].model;
    assert_int_equal(xa_figure_image_read(f, m, 0, 10, &im, frame, &err), XA_OK);
    assert_true(im.width == 10 && im.height == 5 && frame[0] == 40.0 && frame[1] == 20.0);
    assert_int_equal(((const uint8_t *)im.data)[0], 90);
    xa_image_fini(&im);
    assert_int_equal(xa_figure_image_read(f, m, 1, 10, &im, frame, &err), XA_MISMATCH);
    assert_non_null(strstr(err.message, "not those that were audited"));
    assert_int_equal(xa_figure_image_read(f, m, 2, 10, &im, frame, &err), XA_NOT_FOUND);
    xa_figure_rows_close(f);
}

/* A page is written whatever images are missing, and counts them. */
static void test_page(void **state)
{
    (void)state;
    const uint64_t hash = write_image(120);
    const uint64_t hashes[N] = {hash, hash, 1, 1, 1, 1};
    const char *const paths[N] = {image_name, image_name, "gone.png", "gone.png", "x", "y"};
    char output[64];
    small_archive a = plain;
    a.pixel_hash = hashes;
    a.path = paths;
    small_archive_write(&a, small_archive_name(0));
    snprintf(output, sizeof output, "/tmp/xa_page_%d.svg", (int)getpid());
    xa_page p = {.archive = small_archive_name(0),
                 .output = output,
                 .image_root = "/tmp",
                 .choice = {.most = 3},
                 .overlay = true,
                 .map = true,
                 .shared = true,
                 .over = xa_overlay_defaults(false),
                 .name = {"cam=Ours"},
                 .nnames = 1,
                 .width_mm = 120.0,
                 .dpi = 72.0,
                 .font_pt = 7.0,
                 .plot = -1,
                 .command = (char[]){"xaudit figure a.h5 --title 'x'"}};
    int64_t missing;
    xa_err err = XA_ERR_INIT;
    const xa_status st = xa_page_write(&p, &missing, &err);
    if (st == XA_UNSUPPORTED) /* built without cairo: test_draw says how that fails */
        return;
    if (st != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(missing, 1);
    char *svg = NULL, *command = NULL;
    size_t size;
    assert_int_equal(xa_read_file(output, 1 << 24, &svg, &size, &err), XA_OK);
    static const char *const words[] = {">image not found</text>",
                                        ">s0</text>",
                                        ">Ours</text>",
                                        "Full strength: Ours 1",
                                        ">energy<"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(svg, words[i]))
            fail_msg("no \"%s\"", words[i]);
    assert_int_equal(xa_provenance_read(output, &command, &err), XA_OK);
    assert_string_equal(command, p.command);
    free(command);
    free(svg);
    unlink(output);
    /* the caption beside it says what a reader must know */
    snprintf(output, sizeof output, "/tmp/xa_page_%d.caption.txt", (int)getpid());
    assert_int_equal(xa_read_file(output, 1 << 24, &svg, &size, &err), XA_OK);
    static const char *const sentences[] = {"3 of 6 images of ",
                                            "Ours of net",
                                            "Numbers below maps: energy",
                                            "divided by the 99.5th percentile of its absolute "
                                            "values over the rows of its column",
                                            "Made by: xaudit figure a.h5 --title 'x'"};
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (!strstr(svg, sentences[i]))
            fail_msg("no \"%s\" in \"%s\"", sentences[i], svg);
    free(svg);
    unlink(output);
}

static int cleanup(void **state)
{
    (void)state;
    unlink(small_archive_name(0));
    unlink(image_name);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules),
                                       cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_columns),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_two_classes),
                                       cmocka_unit_test(test_maps),
                                       cmocka_unit_test(test_marks),
                                       cmocka_unit_test(test_images),
                                       cmocka_unit_test(test_page)};
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
