/* Job files: what a good one gives, --set, shared parts, and random damage. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/job.h"
#include "xaudit_cmocka.h"

static const char good[] =
    "manifest: data/m.csv\n"
    "output: out.h5\n"
    "classes: [cat, dog, emu]\n"
    "tolerate_failed: 2%\n"
    "models:\n"
    "  - name: net\n"
    "    file: net.h5\n"
    "    batch: 4\n"
    "    input: { size: [224, 192], resize: cv2-cubic, scale: { div: 255, mean: [0.5, 0.4, 0.3], "
    "std: 0.2 },\n"
    "             fit: { short: 256, crop: [224, 192] }, depth: { window: [10, 900] } }\n"
    "    explainers:\n"
    "      - saliency\n"
    "      - { kind: gradcam, layer: block/add, target: { class: emu }, profile: seed, relu: false "
    "}\n"
    "      - { kind: gradient, channels: l2, absolute: true, store: f16, name: g }\n"
    "metrics: [pointing_game, { kind: pointing_game, tolerance: 15px, name: near }]\n";

static void test_good(void **state)
{
    (void)state;
    xa_problems problems = {0};
    xa_job j;
    assert_int_equal(xa_job_parse("jobs/j.yaml", good, strlen(good), NULL, &j, &problems, NULL),
                     XA_OK);
    assert_int_equal(problems.count, 0);
    assert_string_equal(j.manifest, "jobs/data/m.csv");
    assert_string_equal(j.output, "jobs/out.h5");
    assert_int_equal(j.classes.count, 3);
    assert_true(j.tolerate_is_fraction && fabs(j.tolerate_failed - 0.02) < 1e-12);
    const xa_audit_model_spec *m = &j.audit.models[0];
    assert_string_equal(m->file, "jobs/net.h5");
    assert_int_equal(m->batch, 4);
    assert_int_equal(m->input.height, 224);
    assert_int_equal(m->input.width, 192);
    assert_int_equal(m->input.resize, XA_RESAMPLE_CV2_CUBIC);
    assert_int_equal(m->input.scale.kind, XA_SCALE_CUSTOM);
    assert_int_equal(m->input.scale.channels, 3);
    assert_true(m->input.scale.mean[2] == 0.3 && m->input.scale.std[2] == 0.2);
    assert_int_equal(m->input.fit.kind, XA_FIT_CROP);
    assert_int_equal(m->input.depth.kind, XA_DEPTH_WINDOW);
    assert_true(m->input.depth.high == 900.0);
    assert_int_equal(m->nexplainers, 3);
    assert_string_equal(m->explainers[0].name, "saliency.predicted");
    assert_int_equal(m->explainers[1].target, XA_TARGET_CLASS);
    assert_int_equal(m->explainers[1].target_class, 2);
    assert_int_equal(m->explainers[1].score, XA_SCORE_PROB);
    assert_true(m->explainers[1].as_tensorflow && !m->explainers[1].relu);
    assert_string_equal(m->explainers[1].layer, "block/add");
    assert_string_equal(m->explainers[1].name, "gradcam.class2.prob.add");
    assert_true(m->explainers[2].half && m->explainers[2].absolute);
    assert_int_equal(m->explainers[2].channels, XA_REDUCE_L2);
    assert_int_equal(j.audit.nmetrics, 2);
    assert_true(j.audit.metrics[1].tolerance == 15.0);
    xa_job_fini(&j);
}

static void test_set_and_output(void **state)
{
    (void)state;
    const char *set[] = {"models.0.batch=2", "tolerate_failed=5"};
    const char *broken[] = {"models.0.batch=zero", "nonsense"};
    xa_job_options opt = {.set = set, .nset = 2, .output = "elsewhere.h5"};
    xa_problems problems = {0};
    xa_job j;
    assert_int_equal(xa_job_parse("jobs/j.yaml", good, strlen(good), &opt, &j, &problems, NULL),
                     XA_OK);
    assert_int_equal(j.audit.models[0].batch, 2);
    assert_string_equal(j.output, "elsewhere.h5");
    assert_true(!j.tolerate_is_fraction && j.tolerate_failed == 5.0);
    xa_job_fini(&j);
    opt.set = broken;
    assert_int_equal(xa_job_parse("jobs/j.yaml", good, strlen(good), &opt, &j, &problems, NULL),
                     XA_INVALID);
    assert_int_equal(problems.errors, 2);
    xa_problems_fini(&problems);
}

static const char shared[] = "manifest: m.csv\n"
                             "output: o.h5\n"
                             "models:\n"
                             "  - &first\n"
                             "    name: a\n"
                             "    file: a.h5\n"
                             "    input: { size: [8, 8], resize: pil-bilinear, scale: tf }\n"
                             "    explainers: &both\n"
                             "      - saliency\n"
                             "      - { kind: gradcam, target: label }\n"
                             "  - { <<: *first, name: b, file: b.h5 }\n"
                             "  - { name: c, file: c.h5, input: { size: [9, 9], resize: "
                             "tf-bilinear, scale: unit }, explainers: *both }\n";

/* Two models share a list of explainers, and one of them changes it for itself. */
static void test_shared(void **state)
{
    (void)state;
    const char *set[] = {"models.2.explainers.1.target=predicted", "models.1.input.scale=torch"};
    const xa_job_options opt = {.set = set, .nset = 2};
    xa_problems problems = {0};
    xa_job j;
    assert_int_equal(xa_job_parse("j.yaml", shared, strlen(shared), &opt, &j, &problems, NULL),
                     XA_OK);
    const xa_audit_model_spec *m = j.audit.models;
    static const xa_scale_kind scales[] = {XA_SCALE_TF, XA_SCALE_TORCH, XA_SCALE_UNIT};
    assert_int_equal(j.audit.nmodels, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(m[i].nexplainers, 2);
        assert_int_equal(m[i].explainers[1].kind, XA_EXPLAIN_GRADCAM);
        assert_int_equal(m[i].explainers[1].target, i == 2 ? XA_TARGET_PREDICTED : XA_TARGET_LABEL);
        assert_int_equal(m[i].input.scale.kind, scales[i]);
    }
    assert_string_equal(m[1].name, "b");
    assert_int_equal(m[2].explainers[0].input.height, 9);
    xa_job_fini(&j);
}

/* Bytes of a good text, changed at random: an answer, never a crash. */
static void mutate(const char *from, size_t size)
{
    char text[2048];
    assert_true(size <= sizeof text);
    for (uint64_t round = 0; round < 3000; round++) {
        xa_problems problems = {0};
        xa_job j;
        memcpy(text, from, size);
        for (uint64_t k = 0; k < 1 + round % 4; k++) {
            const int64_t at = xa_random_below(5, round, 2 * k, (int64_t)size - 1);
            text[at] = (char)xa_random_below(5, round, 2 * k + 1, 128);
        }
        if (xa_job_parse("j.yaml", text, size - 1, NULL, &j, &problems, NULL) == XA_OK)
            xa_job_fini(&j);
        else
            assert_true(problems.errors > 0);
        xa_problems_fini(&problems);
    }
}

static void test_mutations(void **state)
{
    (void)state;
    mutate(good, sizeof good);
    mutate(shared, sizeof shared); /* anchors, aliases and merge keys */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good),
                                       cmocka_unit_test(test_set_and_output),
                                       cmocka_unit_test(test_shared),
                                       cmocka_unit_test(test_mutations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
