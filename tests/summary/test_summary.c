/* Figures of small archives whose numbers are known on paper: series, groups, parts, selections,
 * reasons, tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view/small_archive.h"
#include "xaudit/summary.h"
#include "xaudit_cmocka.h"

enum { N = 12 };

static const xa_stats_plan plan = {.seed = 1, .stream = 1, .replicates = 200, .level = 0.95};
static const char *const explainers[] = {"cam", "grad"};
static const char *const groups[N] = {
    "g0", "g0", "g1", "g1", "g2", "g2", "g3", "g3", "g4", "g4", "", ""};
static const char *const light[N] = {
    "day", "day", "day", "day", "day", "night", "night", "night", "night", "", "night", "day"};
static const char *const splits[N] = {
    "tune", "test", "test", "tune", "test", "test", "tune", "test", "test", "tune", "test", "test"};
static const char *const classes[] = {"ant", "bee", "cat"};
static const double cam[N] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 0.0, NAN};
static const double grad[N] = {0.3, 0.2, 0.3, 0.1, 0.5, 0.2, 0.7, 0.1, 0.9, 0.4, 0.0, 0.2};
static const double hit[N] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0};
static const double centre[N] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};

/* Three classes of four images; 11 of 12 are scored by cam. */
static const small_series series[] = {
    {.explainer = "cam", .metric = "energy", .value = cam},
    {.explainer = "grad", .metric = "energy", .value = grad},
    {.explainer = "cam", .metric = "pointing_game", .value = hit},
    {.explainer = "centre", .metric = "energy", .value = centre, .baseline = true},
};
static const small_archive plain = {.samples = N,
                                    .pairs = N,
                                    .classes = 3,
                                    .group = groups,
                                    .split = splits,
                                    .extra_name = "light",
                                    .extra = light,
                                    .class_names = classes,
                                    .explainer = explainers,
                                    .explainers = 2,
                                    .series = series,
                                    .nseries = 4};

static xa_summary *open_archive(const small_archive *a, const char *by)
{
    xa_err err = XA_ERR_INIT;
    xa_summary *s = NULL;
    const char *path = small_archive_name(0);
    small_archive_write(a, path);
    if (xa_summary_open(path, by, &s, &err) != XA_OK)
        fail_msg("%s", err.message);
    unlink(path);
    return s;
}

static const xa_series *find(const xa_summary *s, const char *explainer, const char *metric)
{
    for (int i = 0; i < s->nseries; i++)
        if (!strcmp(s->series[i].explainer, explainer) && !strcmp(s->series[i].metric, metric))
            return &s->series[i];
    fail_msg("no series %s %s", explainer, metric);
    return NULL;
}

static xa_figure figure(const xa_summary *s, const xa_series *x, int64_t part)
{
    xa_figure f;
    xa_err err = XA_ERR_INIT;
    if (xa_summary_figure(s, x, &plan, part, &f, &err) != XA_OK)
        fail_msg("%s", err.message);
    return f;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12))
        fail_msg("%.17g, expected %.17g", a, b);
}

static void test_means_and_groups(void **state)
{
    (void)state;
    xa_summary *s = open_archive(&plain, NULL);
    assert_int_equal(s->nseries, 4);
    assert_true(s->grouped && s->ngroups == 5 && s->nclusters == 7); /* two are their own */
    assert_int_equal(s->group[0], s->group[1]);
    assert_true(s->group[10] != s->group[11] && s->group[10] != s->group[0]);
    xa_figure f = figure(s, find(s, "cam", "energy"), -1);
    near(f.micro.value, 0.5);
    assert_true(f.micro.n == 11 && f.micro.undefined == 1 && f.micro.clusters == 6);
    /* classes 0, 1, 2 hold 0.1 0.4 0.7 1.0; 0.2 0.5 0.8 0.0; 0.3 0.6 0.9 */
    near(f.macro.value, (0.55 + 0.375 + 0.6) / 3.0);
    assert_int_equal(f.macro.classes, 3);
    assert_true(f.micro.low < 0.5 && f.micro.high > 0.5);
    f = figure(s, find(s, "cam", "pointing_game"), -1);
    near(f.micro.value, 0.5);
    /* a rate of hits, and shares that happen to be 0 and 1, are told apart by what the metric is */
    assert_false(xa_series_plan(&plan, find(s, "cam", "pointing_game")).measures);
    assert_true(xa_series_plan(&plan, find(s, "cam", "energy")).measures);
    assert_true(find(s, "centre", "energy")->baseline);
    xa_summary_close(s);
}

/* Of the parts `by`, the figure of cam's energy and how many are left in none. */
static void expect_parts(const char *by, const char *const *names, const double *means, int n)
{
    xa_summary *s = open_archive(&plain, by);
    const xa_series *x = find(s, "cam", "energy");
    assert_int_equal(s->nparts, n);
    for (int p = 0; p < n; p++) {
        assert_string_equal(s->part_name[p], names[p]);
        near(figure(s, x, p).micro.value, means[p]);
    }
    xa_summary_close(s);
}

static void test_parts(void **state)
{
    (void)state;
    expect_parts("class", classes, (const double[]){0.55, 0.375, 0.6}, 3);
    static const char *const days[] = {"day", "night"};
    expect_parts("light", days, (const double[]){0.3, 0.6}, 2); /* one of no light, one undefined */
    static const char *const two[] = {"test", "tune"};
    expect_parts("split", two, (const double[]){3.3 / 7.0, 0.55}, 2);
    static const char *const all[] = {"g0", "g1", "g2", "g3", "g4"};
    expect_parts("group", all, (const double[]){0.15, 0.35, 0.55, 0.75, 0.95}, 5);
    xa_summary *s = NULL;
    xa_err err = XA_ERR_INIT;
    small_archive_write(&plain, small_archive_name(0));
    assert_int_equal(xa_summary_open(small_archive_name(0), "colour", &s, &err), XA_INVALID);
    unlink(small_archive_name(0));
    assert_non_null(strstr(err.message, "\"colour\""));
    assert_non_null(strstr(err.message, "class, correct, size, group, split, light"));
}

/* Boxes of 1, 4 and 16 of 16 pixels, and none. */
static void test_sizes_and_answers(void **state)
{
    (void)state;
    static const double boxes[N][4] = {{2, 1, 3, 2},
                                       {0, 0, 2, 2},
                                       {0, 0, 4, 4},
                                       {1, 1, 2, 2},
                                       {1, 1, 3, 3},
                                       {0, 0, 4, 4},
                                       {2, 1, 3, 2},
                                       {0, 0, 2, 2},
                                       {0, 0, 4, 4},
                                       {2, 1, 3, 2},
                                       {0, 0, 2, 2},
                                       {0, 0, 4, 4}};
    static const int32_t predicted[N] = {0, 1, 2, 0, 1, 2, 1, 1, 1, 1, 1, 1};
    small_archive a = plain;
    a.box = boxes;
    a.predicted = predicted;
    xa_summary *s = open_archive(&a, "size");
    const xa_series *x = find(s, "cam", "energy");
    double *share = NULL;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_summary_size_shares(s, &share, &err), XA_OK);
    near(share[0], 1.0 / 16.0);
    near(share[1], 0.25);
    near(share[2], 1.0);
    free(share);
    assert_int_equal(s->nparts, 3);
    near(figure(s, x, 0).micro.value, (0.1 + 0.4 + 0.7 + 1.0) / 4.0); /* below 10 % */
    near(figure(s, x, 1).micro.value, (0.2 + 0.5 + 0.8 + 0.0) / 4.0);
    near(figure(s, x, 2).micro.value, (0.3 + 0.6 + 0.9) / 3.0);
    xa_summary_close(s);
    s = open_archive(&a, "correct");
    x = find(s, "cam", "energy");
    assert_string_equal(s->part_name[0], "wrong");
    near(figure(s, x, 1).micro.value, (0.1 + 0.2 + 0.3 + 0.4 + 0.5 + 0.6 + 0.8 + 0.0) / 8.0);
    near(figure(s, x, 0).micro.value, (0.7 + 0.9 + 1.0) / 3.0);
    xa_summary_close(s);
}

static void test_selection(void **state)
{
    (void)state;
    xa_summary *s = open_archive(&plain, NULL);
    xa_err err = XA_ERR_INIT;
    char *energy = (char[]){"energy"}, *only_cam = (char[]){"cam"}, *nothing = (char[]){"lime"};
    xa_selection w = {.metric = &energy, .nmetrics = 1, .explainer = &only_cam, .nexplainers = 1};
    assert_int_equal(xa_summary_select(s, &w, &err), XA_OK);
    assert_int_equal(s->nseries, 2); /* the baseline of every explainer stays */
    assert_string_equal(s->series[0].explainer, "cam");
    assert_string_equal(s->series[1].explainer, "centre");
    w.explainer = &nothing;
    assert_int_equal(xa_summary_select(s, &w, &err), XA_NOT_FOUND);
    assert_non_null(strstr(err.message, "lime"));
    assert_non_null(strstr(err.message, "cam, centre"));
    xa_summary_close(s);
}

static void test_undefined(void **state)
{
    (void)state;
    static const double none[N] = {NAN, NAN, NAN, NAN, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
    static const uint8_t status[N] = {XA_SAMPLE_FAILED, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const uint8_t stage[N] = {XA_STAGE_DECODE};
    static const uint8_t flags[2 * N] = {[1] = XA_MAP_NONFINITE, [5] = XA_MAP_DEGENERATE};
    static const small_series one[] = {{.explainer = "cam", .metric = "energy", .value = none}};
    small_archive a = plain;
    a.status = status;
    a.stage = stage;
    a.flags = flags;
    a.series = one;
    a.nseries = 1;
    xa_summary *s = open_archive(&a, NULL);
    xa_undefined u;
    xa_str text = {0};
    xa_summary_undefined(s, &s->series[0], &u);
    assert_true(u.not_done == 1 && u.nonfinite == 1 && u.other == 2);
    xa_summary_undefined_text(&text, &u);
    assert_string_equal(text.data,
                        "1 image not done, 1 map not finite, 2 map undefined, or the region has no "
                        "pixel in the model's view");
    xa_str_free(&text);
    int64_t rows;
    assert_int_equal(xa_summary_zero_maps(&s->r->models[0], &s->r->models[0].maps[0], &rows), 1);
    assert_int_equal(rows, N - 1);
    xa_summary_close(s);
}

/* Two levels of IoU: every unit is a hit from grey level 16 on at the first, the first five are at
 * grey level 200 at the second. */
static void test_curves(void **state)
{
    (void)state;
    static uint8_t hits[N][2][XA_HIT_BYTES];
    static uint32_t pixels[N][2][XA_PXAP_BINS];
    for (int i = 0; i < N; i++) {
        memset(hits[i][0] + 2, 0xff, XA_HIT_BYTES - 2);
        if (i < 5)
            hits[i][1][200 / 8] = 1 << 200 % 8;
        pixels[i][1][900] = 3; /* the region is brighter than the rest but for one pixel */
        pixels[i][0][100] = 10;
        pixels[i][0][950] = 1;
    }
    const small_series x[] = {
        {.explainer = "cam",
         .metric = "box_acc",
         .value = hit,
         .levels = 2,
         .hits = &hits[0][0][0]},
        {.explainer = "cam",
         .metric = "tuned",
         .kind = "box_acc",
         .from_split = "tune",
         .value = hit,
         .levels = 2,
         .hits = &hits[0][0][0]},
        {.explainer = "cam", .metric = "pxap", .value = centre, .pixels = &pixels[0][0][0]}};
    small_archive a = plain;
    a.series = x;
    a.nseries = 3;
    xa_summary *s = open_archive(&a, NULL);
    const xa_series *box = find(s, "cam", "box_acc"), *tuned = find(s, "cam", "tuned");
    assert_true(box->is == XA_SERIES_HITS && box->levels == 2 && box->level[1] == 0.5);
    near(figure(s, box, -1).micro.value, (1.0 + 5.0 / 12.0) / 2.0);
    xa_figure f = figure(s, tuned, -1); /* over the images of the other split */
    assert_int_equal(f.micro.n, 8);
    near(f.micro.value, (1.0 + 3.0 / 8.0) / 2.0);
    int at[XA_METRIC_LEVELS];
    bool chosen;
    xa_err err = XA_ERR_INIT;
    assert_int_equal(xa_summary_threshold(s, tuned, at, &chosen, &err), XA_OK);
    assert_true(chosen && at[0] == 16 && at[1] == 200);
    assert_int_equal(xa_summary_threshold(s, box, at, &chosen, &err), XA_OK);
    assert_false(chosen);
    const xa_series *pxap = find(s, "cam", "pxap");
    assert_int_equal(pxap->is, XA_SERIES_PIXELS);
    near(figure(s, pxap, -1).micro.value, 3.0 / 4.0); /* precision 36 / 48 at recall 1 */
    assert_int_equal(xa_summary_choose_on(s, "nowhere", &err), XA_OK);
    assert_int_equal(xa_summary_figure(s, box, &plan, -1, &f, &err), XA_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"nowhere\""));
    xa_summary_close(s);
}

static char *printed(const small_archive *a, xa_summary_form form)
{
    xa_summary *s = open_archive(a, NULL);
    char *text = NULL;
    size_t size;
    xa_err err = XA_ERR_INIT;
    FILE *f = open_memstream(&text, &size);
    if (xa_summary_print(s, &plan, form, f, &err) != XA_OK)
        fail_msg("%s", err.message);
    fclose(f);
    xa_summary_close(s);
    return text;
}

static void must_hold(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("no \"%s\" in:\n%s", words, text);
}

/* Names that mean something to LaTeX, CSV and a terminal. */
static void test_tables(void **state)
{
    (void)state;
    static const char *const odd[] = {"50 _a"};
    const small_series x[] = {{.explainer = "50 _a",
                               .metric = "energy",
                               .value = grad,
                               .conventions = "at \"input\",\nand 10 %"}};
    small_archive a = plain;
    a.explainer = odd;
    a.explainers = 1;
    a.series = x;
    a.nseries = 1;
    char *text = printed(&a, XA_SUMMARY_LATEX);
    must_hold(text, "\n\\begin{tabular}{lllrc}\n\\toprule\n");
    must_hold(text, "net & 50 \\_a &  & 12 & \\textbf{0.325} [");
    must_hold(text, "% mean of energy: at \"input\", and 10 %. Intervals");
    assert_null(strstr(text, "@{"));
    free(text);
    text = printed(&a, XA_SUMMARY_CSV);
    must_hold(text, "net,50 _a,no,energy,mean,\"at \"\"input\"\",\nand 10 %\",,all,12,0,7,0.325,");
    free(text);
    text = printed(&plain, XA_SUMMARY_JSON);
    must_hold(text, "\"value\": 0.5");
    must_hold(text, "\"undefined\": 1");
    assert_null(strstr(text, "NaN"));
    free(text);
    text = printed(&plain, XA_SUMMARY_TEXT);
    must_hold(text, "\nnet  energy  (mean; as told)\n");
    must_hold(text, "  not better than looking at the centre: cam, grad\n");
    must_hold(text, "    undefined: 1 map undefined, or the region");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_means_and_groups),
                                       cmocka_unit_test(test_parts),
                                       cmocka_unit_test(test_sizes_and_answers),
                                       cmocka_unit_test(test_selection),
                                       cmocka_unit_test(test_undefined),
                                       cmocka_unit_test(test_curves),
                                       cmocka_unit_test(test_tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
