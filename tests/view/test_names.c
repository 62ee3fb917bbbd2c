/* Names as papers write them: every kind of explainer and metric has one. */
#include <string.h>

#include "xaudit/explain.h"
#include "xaudit/view.h"
#include "xaudit_cmocka.h"

static void expect(const char *name, const char *kind, const char *title, const char *detail)
{
    const xa_title t = xa_title_of_explainer(name, kind);
    assert_string_equal(t.name, title);
    assert_string_equal(t.detail, detail);
}

static void test_explainers(void **state)
{
    (void)state;
    static const char *const kinds[] = {
#define X(name, text, file) text,
        XA_EXPLAINER_LIST(X)
#undef X
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const xa_title t = xa_title_of_explainer(kinds[i], kinds[i]);
        if (!strcmp(t.name, kinds[i]) ||
            *t.detail) /* a kind that the table lacks is its own name */
            fail_msg("src/view/names.c has no title of %s", kinds[i]);
    }
    expect("gradcam", "gradcam", "Grad-CAM", "");
    expect("gradcam.label.prob", "gradcam", "Grad-CAM", "label, probability");
    expect("gradcam++.predicted", "gradcam++", "Grad-CAM++", "predicted");
    expect("gradcam.label.add_11", "gradcam", "Grad-CAM", "label, add 11");
    expect("ours", "gradcam", "ours", "");           /* the user's own */
    expect("gradcam_2", "gradcam", "gradcam_2", ""); /* begins alike, but is no default */
    expect("gradcam.label", NULL, "gradcam.label", "");
    expect("newcam.label", "newcam", "newcam.label", ""); /* of a later version */
    assert_true(xa_kind_is_pixelwise("saliency") && !xa_kind_is_pixelwise("gradcam"));
    assert_false(xa_kind_is_pixelwise(NULL));
}

static void test_metrics(void **state)
{
    (void)state;
    char out[64];
    for (int k = 0; k < XA_METRIC_COUNT; k++) {
        xa_title_of_metric(xa_metric_kind_name((xa_metric_kind)k), out, sizeof out);
        assert_true(*out && !strchr(out, '_'));
    }
    xa_title_of_metric("box_acc", out, sizeof out);
    assert_string_equal(out, "MaxBoxAcc");
    xa_title_of_metric("my_own", out, sizeof out);
    assert_string_equal(out, "my own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explainers),
        cmocka_unit_test(test_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
