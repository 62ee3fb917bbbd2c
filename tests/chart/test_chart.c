/* The marks of every chart, from numbers known on paper: where they stand, axes, labels. */
#include "xaudit/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/small_archive.h"
#include "xaudit_cmocka.h"

enum { N = 10 };

static const xa_stats_plan plan = {.seed = 1, .stream = 1, .replicates = 100, .level = 0.95};
static const char *const explainers[] = {"cam", "grad"}, *const classes[] = {"ant", "bee"};
static const double cam[N] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.5};
static const double grad[N] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, NAN};
static const double hit[N] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0};
static const double centre[N] = {0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2};
static const double agreement[N] = {0.5, 0.7, NAN, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6};
static uint8_t hits[N][XA_HIT_BYTES];

static const small_series series[] = {
    {.explainer = "cam", .metric = "pointing_game", .value = hit},
    {.explainer = "cam", .metric = "energy", .value = cam, .conventions = "at input"},
    {.explainer = "grad", .metric = "energy", .value = grad, .conventions = "at input"},
    {.explainer = "centre", .metric = "energy", .value = centre, .baseline = true},
    {.explainer = "cam", .metric = "box_acc", .value = hit, .levels = 1, .hits = &hits[0][0]}};
static const small_archive plain = {.samples = N,
                                    .pairs = N,
                                    .classes = 2,
                                    .class_names = classes,
                                    .explainer = explainers,
                                    .explainers = 2,
                                    .agreement = agreement,
                                    .series = series,
                                    .nseries = 5};

/* One chart of an archive; `page` is released with it. */
typedef struct drawn {
    xa_summary *s;
    xa_plot_page page;
    xa_status st;
    xa_err err;
} drawn;

static drawn draw(const small_archive *a, xa_plot_kind kind, const char *metric)
{
    drawn d = {.err = XA_ERR_INIT};
    const char *path = small_archive_name(0);
    small_archive_write(a, path);
    if (xa_summary_open(path, kind == XA_PLOT_CLASSES ? "class" : NULL, &d.s, &d.err) != XA_OK)
        fail_msg("%s", d.err.message);
    unlink(path);
    const xa_plotting p = {
        .s = d.s, .plan = &plan, .metric = metric, .width_mm = 170.0, .font_pt = 8.0};
    d.st = xa_plot_make(&p, kind, &d.page, &d.err);
    return d;
}

static void done(drawn *d)
{
    xa_plot_page_free(&d->page);
    xa_summary_close(d->s);
}

static const xa_plot *only_plot(const drawn *d)
{
    if (d->st != XA_OK)
        fail_msg("%s", d->err.message);
    assert_int_equal(d->page.chart.nplots, 1);
    assert_true(d->page.chart.width_mm == 170.0 && d->page.chart.font_pt == 8.0);
    return &d->page.chart.plots[0];
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void test_names(void **state)
{
    (void)state;
    for (int k = 0; k < XA_PLOT_KINDS; k++)
        assert_int_equal(xa_plot_parse(xa_plot_name((xa_plot_kind)k)), k);
    assert_int_equal(xa_plot_parse("pie"), -1);
    assert_string_equal(xa_plot_name(XA_PLOT_MEANS), "means");
}

static void test_distribution(void **state)
{
    (void)state;
    drawn d = draw(&plain, XA_PLOT_DISTRIBUTION, "energy");
    const xa_plot *p = only_plot(&d);
    assert_string_equal(p->title, "energy");
    near(p->x.low, 0.0);
    near(p->x.high, 1.5); /* wider, as a score is */
    assert_int_equal(p->y.nnames, 3);
    assert_string_equal(p->y.names[0], "cam");
    assert_string_equal(p->y.names[2], "centre (baseline)");
    near(p->y.high, 2.5);
    assert_int_equal(p->nmarks, 5); /* shape and mean of each, the baseline's mean */
    const xa_mark *shape = &p->marks[0], *mean = &p->marks[1];
    assert_true(shape->kind == XA_MARK_AREA && shape->colour == 0 && shape->n > 100);
    double widest = 0.0;
    for (int64_t i = 0; i < shape->n; i++) {
        assert_true(shape->x[i] >= 0.0 && shape->x[i] <= 1.5);
        widest = fmax(widest, fabs(shape->y[i]));
    }
    near(widest, 0.4);
    assert_true(mean->kind == XA_MARK_INTERVAL && mean->sideways && mean->n == 1);
    near(mean->x[0], 6.0 / 10.0);
    near(mean->y[0], 0.0);
    assert_true(mean->low[0] < 0.6 && mean->high[0] > 0.6);
    assert_int_equal(p->marks[2].n, 0); /* one value has no density */
    near(p->marks[3].x[0], 0.5);
    near(p->marks[4].x[0], 0.2);
    assert_int_equal(p->marks[4].colour, -1);
    done(&d);
    d = draw(
        &plain, XA_PLOT_DISTRIBUTION, NULL); /* every metric with scores; hits without shapes */
    assert_int_equal(d.st, XA_OK);
    assert_int_equal(d.page.chart.nplots, 2);
    assert_string_equal(d.page.chart.plots[0].title, "energy");
    assert_int_equal(d.page.chart.plots[1].nmarks, 1);
    done(&d);
}

static void test_curves(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) /* four of ten, from 100 to 107 */
        hits[i][100 / 8] = 0xf0;
    drawn d = draw(&plain, XA_PLOT_CURVES, NULL);
    const xa_plot *p = only_plot(&d);
    assert_string_equal(p->title, "IoU at least 0.3");
    near(p->x.high, 255.0);
    const xa_mark *line = &p->marks[1]; /* the first is the baseline's, which has no hits */
    assert_true(line->kind == XA_MARK_LINE && line->n == 256 && p->marks[0].n == 0);
    near(line->x[255], 255.0);
    near(line->y[99], 0.0);
    near(line->y[100], 0.4);
    near(line->y[103], 0.4);
    near(line->y[104], 0.0);
    assert_int_equal(d.page.chart.nlegend, 1);
    assert_non_null(strstr(d.page.chart.footnote, "box_acc, model net: as told."));
    done(&d);
}

static void test_classes(void **state)
{
    (void)state;
    drawn d = draw(&plain, XA_PLOT_CLASSES, "energy");
    const xa_plot *p = only_plot(&d);
    /* ants are the images 0 2 4 6 8: 0.5 on average, bees 0.7: the better class stands first */
    assert_int_equal(p->y.nnames, 2);
    assert_string_equal(p->y.names[0], "bee");
    assert_int_equal(p->nmarks, 4);
    near(p->marks[0].x[0], 0.7);
    near(p->marks[0].y[0], -0.3);
    near(p->marks[1].y[0], 0.3);
    near(p->marks[2].x[0], 0.5);
    near(p->marks[2].y[0], 0.7);
    assert_string_equal(p->x.label, "energy");
    assert_int_equal(d.page.chart.nlegend, 2);
    done(&d);
}

static void test_agreement(void **state)
{
    (void)state;
    drawn d = draw(&plain, XA_PLOT_AGREEMENT, NULL);
    const xa_plot *p = only_plot(&d);
    const xa_mark *m = &p->marks[0];
    assert_true(m->kind == XA_MARK_CELL && m->n == 4);
    near(m->low[0], 1.0);
    near(m->low[1], 0.6); /* over the nine images where it is defined */
    near(m->low[2], 0.6);
    assert_string_equal(m->text[1], "0.60");
    assert_true(m->x[1] == 1.0 && m->y[1] == 0.0 && m->x[2] == 0.0 && m->y[2] == 1.0);
    assert_string_equal(p->x.names[1], "grad");
    done(&d);
    small_archive a = plain;
    a.agreement = NULL;
    d = draw(&a, XA_PLOT_AGREEMENT, NULL);
    assert_int_equal(d.st, XA_NOT_FOUND);
    assert_non_null(strstr(d.err.message, "no two explainers whose maps were compared"));
    done(&d);
}

static void test_quantities(void **state)
{
    (void)state;
    float probs[2 * N];
    double boxes[N][4];
    for (int i = 0; i < N; i++) {
        probs[2 * i + i % 2] = (float)i / 16.0f; /* of the label */
        probs[2 * i + 1 - i % 2] = 0.0f;
        boxes[i][0] = boxes[i][1] = 0.0;
        boxes[i][2] = 2.0;
        boxes[i][3] = 1.0 + 0.25 * i;
    }
    small_archive a = plain;
    a.probs = probs;
    a.box = (const double(*)[4])boxes;
    drawn d = draw(&a, XA_PLOT_CONFIDENCE, NULL);
    const xa_plot *p = only_plot(&d);
    assert_string_equal(p->y.label, "energy"); /* pointing_game is hits and misses */
    assert_string_equal(p->x.label, "probability of the annotated class");
    assert_int_equal(p->nmarks, 4);
    const xa_mark *line = &p->marks[0];
    assert_int_equal(line->n, 5);
    for (int b = 0; b < 5; b++) {
        /* fifths of two: images 2b and 2b + 1, the first explainer a little to the left */
        near(line->x[b], (2.0 * b + 0.5) / 16.0 - 0.003 * 9.0 / 16.0);
        near(line->y[b], 0.5 * (cam[2 * b] + cam[2 * b + 1]));
    }
    near(p->marks[2].y[4], 0.5);
    near(p->marks[2].x[0], 0.5 / 16.0 + 0.003 * 9.0 / 16.0);
    assert_int_equal(p->marks[1].kind, XA_MARK_INTERVAL);
    done(&d);
    d = draw(&a, XA_PLOT_SIZE, "energy");
    p = only_plot(&d);
    near(p->x.low, 0.125 - 0.03 * 0.28125);
    near(p->x.high, 0.40625 + 0.03 * 0.28125);
    near(p->marks[0].y[0], 0.15);
    done(&d);
    a.box = NULL;
    d = draw(&a, XA_PLOT_SIZE, "energy");
    assert_int_equal(d.st, XA_NOT_FOUND);
    assert_non_null(strstr(d.err.message, "fewer than 5 pairs have a share of the image"));
    done(&d);
}

static void test_means(void **state)
{
    (void)state;
    static float mean[2][SMALL_SIDE * SMALL_SIDE];
    for (int i = 0; i < SMALL_SIDE * SMALL_SIDE; i++)
        mean[1][i] = (float)i;
    small_archive a = plain;
    a.explainers = 1;
    a.agreement = NULL;
    a.class_mean = &mean[0][0];
    drawn d = draw(&a, XA_PLOT_MEANS, NULL);
    if (d.st != XA_OK)
        fail_msg("%s", d.err.message);
    assert_true(d.page.is_panel && d.page.panel.rows == 2 && d.page.panel.columns == 1);
    assert_string_equal(d.page.panel.row[1].name, "bee");
    assert_null(d.page.panel.tiles[0].picture); /* of no map */
    assert_string_equal(d.page.panel.tiles[1].note, "1 map");
    const uint8_t *rgb = d.page.panel.tiles[1].picture->data;
    const uint8_t(*viridis)[3] = xa_colormap_table(XA_COLORMAP_VIRIDIS);
    assert_memory_equal(rgb, viridis[0], 3);
    assert_memory_equal(rgb + 3 * 15, viridis[255], 3);
    done(&d);
    d = draw(&plain, XA_PLOT_MEANS, NULL);
    assert_int_equal(d.st, XA_NOT_FOUND);
    assert_non_null(strstr(d.err.message, "xaudit evaluate makes them"));
    done(&d);
}

/* Three explainers with two checks; the last image of ten was not sampled, and the one before it
 * has no map. */
enum { POINTS = 3 };
static uint8_t sampled[N];
static double areas[3][N][2], roads[3][N][2];
static float probs[3][N][2][POINTS], scores[3][N][2][POINTS], shares[3][N][2][10];

static const small_archive *with_checks(void)
{
    static const char *const three[] = {"cam", "grad", "rise"};
    static small_check checks[6];
    static small_archive a;
    for (int i = 0; i < N; i++)
        sampled[i] = i == N - 1   ? XA_CHECKED_NOT_SAMPLED
                     : i == N - 2 ? XA_CHECKED_NO_MAP
                                  : XA_CHECKED_DONE;
    for (int e = 0; e < 3; e++) {
        for (int i = 0; i < N; i++) {
            const bool is = sampled[i] == XA_CHECKED_DONE;
            areas[e][i][0] = is ? 0.3 + 0.1 * e : NAN;
            areas[e][i][1] = is ? -0.2 + 0.1 * e + 0.01 * (i % 3) : NAN;
            roads[e][i][0] = is ? 1.0 - e : NAN; /* the same order */
            roads[e][i][1] = is ? 0.5 : NAN;
            for (int b = 0; b < 2; b++) {
                for (int p = 0; p < POINTS; p++)
                    probs[e][i][b][p] = is ? (float)(1 - 0.25 * p + 0.125 * b) : NAN;
                for (int p = 0; p < 10; p++) /* MoRF, then LeRF, 2 (e + 1) higher */
                    shares[e][i][b][p] = (float)(p % 5 + (p < 5 ? 0 : 2 * (e + 1)));
            }
        }
        checks[2 * e] = (small_check){.explainer = three[e],
                                      .name = "deletion",
                                      .kind = "deletion",
                                      .settings = "steps 2; baseline black",
                                      .figures = "auc,minus_random",
                                      .blocks = "map,random",
                                      .nfigures = 2,
                                      .nblocks = 2,
                                      .points = POINTS,
                                      .status = sampled,
                                      .figure = &areas[e][0][0],
                                      .scores = &scores[e][0][0][0],
                                      .probs = &probs[e][0][0][0]};
        checks[2 * e + 1] = (small_check){.explainer = three[e],
                                          .name = "mine",
                                          .kind = "road",
                                          .settings = "noise 0",
                                          .figures = "difference,minus_random",
                                          .blocks = "map,random",
                                          .nfigures = 2,
                                          .nblocks = 2,
                                          .points = 10,
                                          .status = sampled,
                                          .figure = &roads[e][0][0],
                                          .scores = &shares[e][0][0][0]};
    }
    a = plain;
    a.explainer = three;
    a.explainers = 3;
    a.checks = checks;
    a.nchecks = 6;
    return &a;
}

static void test_removal(void **state)
{
    (void)state;
    drawn d = draw(with_checks(), XA_PLOT_REMOVAL, NULL);
    if (d.st != XA_OK)
        fail_msg("%s", d.err.message);
    assert_int_equal(d.page.chart.nplots, 2);
    assert_int_equal(d.page.chart.nlegend, 3);
    const xa_plot *p = &d.page.chart.plots[0], *road = &d.page.chart.plots[1];
    assert_string_equal(p->title, "Deletion");
    assert_int_equal(p->nmarks, 8); /* bands of random and three explainers, then lines */
    assert_true(p->marks[0].kind == XA_MARK_AREA && p->marks[0].colour == -1);
    assert_true(p->marks[4].kind == XA_MARK_LINE && p->marks[4].colour == -1);
    near(p->marks[4].y[0], 1.125);
    assert_true(p->marks[7].kind == XA_MARK_LINE && p->marks[7].colour == 2);
    assert_int_equal(p->marks[7].n, POINTS);
    near(p->marks[7].x[1], 50.0);
    near(p->marks[7].y[1], 0.75);
    near(p->marks[7].y[2], 0.5);
    assert_int_equal(p->marks[3].n, 2 * POINTS);
    assert_string_equal(road->title, "mine");
    near(road->marks[6].x[0], 10.0);
    near(road->marks[6].x[4], 90.0);
    near(road->marks[6].y[4], 2.0); /* half of 2 (e + 1), of e = 1 */
    done(&d);
    d = draw(with_checks(), XA_PLOT_REMOVAL, "mine.difference");
    assert_int_equal(d.page.chart.nplots, 1);
    done(&d);
    d = draw(&plain, XA_PLOT_REMOVAL, NULL);
    assert_int_equal(d.st, XA_NOT_FOUND);
    assert_non_null(strstr(d.err.message, "no check with a curve"));
    done(&d);
}

static void test_differences(void **state)
{
    (void)state;
    drawn d = draw(with_checks(), XA_PLOT_DIFFERENCES, "deletion.auc");
    const xa_plot *p = only_plot(&d);
    assert_non_null(strstr(p->title, "better")); /* and on which side */
    assert_int_equal(p->nmarks, 4);
    near(p->marks[0].x[0], 0.0); /* the line that is no better than random */
    assert_true(p->marks[1].kind == XA_MARK_INTERVAL && p->marks[1].sideways);
    near(p->marks[1].x[0], -0.2 + 0.01 * 7 / 8);
    near(p->marks[1].y[0], 0.0);
    assert_true(p->marks[1].high[0] < 0.0);
    assert_true(p->x.low < p->marks[1].low[0] && p->x.high > p->marks[3].high[0]);
    done(&d);
    d = draw(&plain, XA_PLOT_DIFFERENCES, NULL);
    assert_int_equal(d.st, XA_NOT_FOUND);
    done(&d);
}

/* Areas of deletion rise from explainer to explainer, which is worse, and ROAD falls: one order. */
static void test_orders(void **state)
{
    (void)state;
    drawn d = draw(with_checks(), XA_PLOT_ORDERS, NULL);
    const xa_plot *p = only_plot(&d);
    assert_int_equal(p->y.nnames, 2); /* energy is known of two explainers alone */
    assert_string_equal(p->y.names[0], "Deletion");
    assert_int_equal(p->marks[0].n, 1);
    near(p->marks[0].x[0], 0.0);
    near(p->marks[0].y[0], 1.0);
    near(p->marks[0].low[0], 1.0);
    assert_string_equal(p->marks[0].text[0], "1.0");
    done(&d);
    d = draw(&plain, XA_PLOT_ORDERS, NULL);
    assert_int_equal(d.st, XA_NOT_FOUND);
    assert_non_null(strstr(d.err.message, "at least three explainers"));
    done(&d);
}

static void test_missing(void **state)
{
    (void)state;
    drawn d = draw(&plain, XA_PLOT_CLASSES, "iou");
    assert_int_equal(d.st, XA_NOT_FOUND);
    assert_non_null(strstr(d.err.message, "model net has no scores called iou"));
    done(&d);
    small_archive a = plain;
    a.nseries = 1;
    d = draw(&a, XA_PLOT_CURVES, NULL);
    assert_int_equal(d.st, XA_NOT_FOUND);
    assert_non_null(strstr(d.err.message, "box_acc"));
    done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_distribution),
                                       cmocka_unit_test(test_curves),
                                       cmocka_unit_test(test_classes),
                                       cmocka_unit_test(test_agreement),
                                       cmocka_unit_test(test_quantities),
                                       cmocka_unit_test(test_means),
                                       cmocka_unit_test(test_removal),
                                       cmocka_unit_test(test_differences),
                                       cmocka_unit_test(test_orders),
                                       cmocka_unit_test(test_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
