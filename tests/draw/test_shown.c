/* Maps as they are shown, beside scipy, numpy, contourpy and matplotlib; and drawn over
 * photographs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden/draw/golden_shown.inc"
#include "xaudit/draw.h"
#include "xaudit_cmocka.h"

static void test_numbers(void **state)
{
    (void)state;
    static const double q[] = {0.0, 50.0, 99.5, 100.0};
    float out[FH * FW], some[3] = {NAN, -2.0f, 1.0f};
    double v;
    assert_int_equal(xa_map_smooth(field, FH, FW, 1.3, out, NULL), XA_OK);
    for (int i = 0; i < FH * FW; i++)
        assert_true(fabsf(out[i] - smoothed[i]) < 1e-6f);
    assert_int_equal(xa_map_smooth(field, FH, FW, 0.0, out, NULL), XA_OK);
    assert_memory_equal(out, field, sizeof out);
    /* a kernel wider than the map continues its edges, and keeps a constant */
    const float flat[2] = {3.0f, 3.0f};
    assert_int_equal(xa_map_smooth(flat, 1, 2, 5.0, out, NULL), XA_OK);
    assert_true(fabsf(out[0] - 3.0f) < 1e-6f && fabsf(out[1] - 3.0f) < 1e-6f);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(xa_map_percentile(field, FH * FW, q[i], &v, NULL), XA_OK);
        assert_true(fabs(v - percentiles[i]) < 1e-12);
    }
    assert_int_equal(xa_map_percentile(some, 3, 100.0, &v, NULL), XA_OK);
    assert_true(v == 2.0); /* of the magnitude, without what is no number */
    assert_int_equal(xa_map_percentile(some, 1, 50.0, &v, NULL), XA_OK);
    assert_true(v == 0.0);
    assert_int_equal(xa_map_level(field, FH * FW, 0.5, &v, NULL), XA_OK);
    assert_true(v == half[0]);
    const float nothing[2] = {-1.0f, 0.0f};
    assert_int_equal(xa_map_level(nothing, 2, 0.5, &v, NULL), XA_OK);
    assert_true(isinf(v));
}

static int ascending(const void *a, const void *b)
{
    const double x = ((const double *)a)[0], y = ((const double *)b)[0];
    return x < y ? -1 : x > y;
}

static void test_contours(void **state)
{
    (void)state;
    enum { N = sizeof points / sizeof *points };
    static const double frame[2] = {100.0, 80.0};
    xa_lines l;
    double found[N][2];
    assert_int_equal(xa_map_contour(field, FH, FW, 0.1, frame, false, &l, NULL), XA_OK);
    assert_int_equal(l.n, N);
    for (int i = 0; i < N; i++) {
        found[i][0] = 0.0;
        found[i][1] = (double)(l.first[i + 1] - l.first[i]);
        for (int j = l.first[i] + 1; j < l.first[i + 1]; j++)
            found[i][0] +=
                hypot(l.point[j][0] - l.point[j - 1][0], l.point[j][1] - l.point[j - 1][1]);
    }
    qsort(found, N, sizeof *found, ascending);
    for (int i = 0; i < N; i++) {
        assert_true(fabs(found[i][0] - lengths[i]) < 1e-4 * lengths[i]);
        assert_int_equal((int)found[i][1], points[i]);
    }
    xa_lines_fini(&l);
    /* a square of four high cells has one closed line around it; nothing is drawn across NaN */
    float small[36] = {0}, holed[36] = {0};
    small[14] = small[15] = small[20] = small[21] = 1.0f;
    static const double six[2] = {6.0, 6.0};
    assert_int_equal(xa_map_contour(small, 6, 6, 0.5, six, false, &l, NULL), XA_OK);
    assert_int_equal(l.n, 1);
    assert_memory_equal(l.point[0], l.point[l.first[1] - 1], sizeof *l.point);
    for (int i = 0; i < l.first[1]; i++)
        assert_true(l.point[i][0] >= 2.0 && l.point[i][0] <= 4.0);
    xa_lines_fini(&l);
    for (int i = 0; i < 36; i++)
        holed[i] = i % 2 ? NAN : 1.0f;
    assert_int_equal(xa_map_contour(holed, 6, 6, 0.5, six, false, &l, NULL), XA_OK);
    assert_int_equal(l.n, 0);
    /* both diagonals of a saddle: corners hang together by the mean of the four */
    const float saddle[4] = {1.0f, 0.0f, 0.0f, 1.0f};
    static const double two[2] = {2.0, 2.0};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(xa_map_contour(saddle, 2, 2, k ? 0.6 : 0.4, two, false, &l, NULL), XA_OK);
        assert_int_equal(l.n, 2);
        xa_lines_fini(&l);
    }
}

static void test_colours(void **state)
{
    (void)state;
    const xa_overlay o = xa_overlay_defaults(false);
    uint8_t c[3];
    for (int i = 0; i < 256; i++) {
        xa_overlay_colour(&o, true, 2.0 * i / 255.0 - 1.0, c);
        for (int k = 0; k < 3; k++)
            assert_true(abs(c[k] - diverging[i][k]) <= 1);
    }
    const uint8_t(*inferno)[3] = xa_colormap_table(XA_COLORMAP_INFERNO);
    xa_overlay_colour(&o, false, -3.0, c);
    assert_memory_equal(c, inferno[76], 3); /* 256 * 0.30 */
    xa_overlay_colour(&o, false, 9.0, c);
    assert_memory_equal(c, inferno[248], 3); /* 256 * 0.97 */
    assert_true(xa_overlay_opacity(&o, 0.1) == 0.0);
    assert_true(fabs(xa_overlay_opacity(&o, 1.0) - 0.64) < 1e-12);
    assert_true(fabs(xa_overlay_opacity(&o, -0.56) - 0.32) < 1e-12); /* half way: half of it */
}

/* (1 - a) muted + a colour, by hand: a grey photograph keeps its value, a red one loses colour. */
static void test_drawn(void **state)
{
    (void)state;
    const xa_overlay o = xa_overlay_defaults(false);
    static const uint8_t pixels[9] = {100, 100, 100, 255, 0, 0, 10, 20, 30};
    const float t[3] = {1.0f, 0.0f, NAN};
    xa_image photo = {0}, out = {0}, grey = {0};
    uint8_t c[3];
    assert_int_equal(xa_image_init(&photo, 3, 1, 3, XA_PIXEL_U8, NULL), XA_OK);
    memcpy(photo.data, pixels, sizeof pixels);
    assert_int_equal(xa_overlay_draw(&o, &photo, t, false, &out, NULL), XA_OK);
    const uint8_t *got = out.data;
    xa_overlay_colour(&o, false, 1.0, c);
    for (int k = 0; k < 3; k++)
        assert_int_equal(got[k], lrint(0.36 * 100.0 + 0.64 * c[k]));
    const double luma = 0.2126 * 255.0;
    assert_int_equal(got[3], lrint(luma + 0.35 * (255.0 - luma)));
    assert_int_equal(got[4], lrint(luma - 0.35 * luma));
    for (int k = 0; k < 3; k++) { /* where there is no map, the photograph alone */
        const double y = 0.2126 * 10.0 + 0.7152 * 20.0 + 0.0722 * 30.0;
        assert_int_equal(got[6 + k], lrint(y + 0.35 * (pixels[6 + k] - y)));
    }
    assert_int_equal(xa_image_init(&grey, 3, 1, 1, XA_PIXEL_U8, NULL), XA_OK);
    xa_image none = {0};
    assert_int_equal(xa_overlay_draw(&o, &grey, t, false, &none, NULL), XA_SHAPE);
    xa_image_fini(&photo);
    xa_image_fini(&grey);
    xa_image_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_contours),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
