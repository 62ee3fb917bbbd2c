/* Wrong jobs: every mistake of each is reported at once, with its line, and nothing else is. */
#include <stdio.h>
#include <string.h>

#include "xaudit/job.h"
#include "xaudit_cmocka.h"

/* What the mistakes stand beside: two lines, one line, five lines. */
#define HEAD "manifest: m.csv\noutput: o.h5\n"
#define INPUT "    input: { size: [8, 8], resize: tf-nearest, scale: tf }\n"
#define MODEL       \
    "models:\n"     \
    "  - name: n\n" \
    "    file: f\n" INPUT "    explainers: [saliency]\n"

/* One bad text, and for each mistake the line and words of its message. */
enum { WANTED = 20 };
typedef struct bad {
    const char *text;
    struct {
        int line;
        const char *words;
    } want[WANTED];
} bad;

static const bad bads[] = {
    {"manifest: m.csv\noutput: o.h5\nmodels: []\n", {{3, "list of 1 to 64 models"}}},
    {"output: o.h5\nmodls: 3\n",
     {{1, "`manifest` is missing"}, {2, "did you mean \"models\""}, {1, "`models` is missing"}}},
    {"manifest: m.csv\n"
     "output: o.h5\n"
     "threads: none\n"
     "models:\n"
     "  - name: a/b\n"
     "    file: f.h5\n"
     "    batch: 0\n"
     "    input:\n"
     "      size: [10]\n"
     "      resize: pil-cubic\n"
     "      scale: tff\n"
     "      depth: window\n"
     "    explainers:\n"
     "      - gradcamm\n"
     "      - { kind: saliency, layer: x }\n"
     "      - { kind: gradcam, target: { class: cat } }\n"
     "      - { kind: saliency, score: logits, store: f8 }\n"
     "metrics: [pointing, { kind: pointing_game, tolerance: -1px }]\n",
     {{3, "threads"},
      {5, "a/b"},
      {7, "batch"},
      {9, "size: expected [height, width]"},
      {10, "pil-bicubic"},
      {11, "scale"},
      {12, "needs its limits"},
      {14, "did you mean gradcam"},
      {15, "layer: a setting of gradcam, gradcam++, hirescam, layercam, xgradcam, "},
      {16, "neither a name"},
      {17, "score"},
      {17, "store"},
      {17, "two explainers are called \"saliency.predicted\""},
      {18, "pointing_game"},
      {18, "tolerance"}}},
    {"manifest: m.csv\noutput: o.h5\nmodels:\n"
     "  - { name: n, file: f, input: { size: [8, 8], resize: tf-nearest, scale: none }, "
     "explainers: [saliency, saliency] }\n"
     "  - { name: n, file: f, explainers: [saliency] }\n",
     {{4, "two explainers"}, {5, "`input` is missing"}, {5, "two models"}}},
    {"manifest: m.csv\noutput: o.h5\nclasses: [crane, emu, crane]\nmodels:\n"
     "  - { name: n, file: f, input: { size: [8, 8], resize: tf-nearest, scale: none }, "
     "explainers: [{ kind: saliency, target: { class: crane } }, "
     "{ kind: gradcam, target: { class: 2 } }] }\n",
     {{5, "\"crane\" is the name of classes 0 and 2: write the index"}}},
    /* a shared mistake is one mistake */
    {"manifest: m.csv\noutput: o.h5\nmodels:\n"
     "  - &m { name: a, file: f, input: { size: [8, 8], resize: tf-nearest, scale: none },\n"
     "         explainers: [gradcamm] }\n"
     "  - { <<: *m, name: b, batch: 0 }\n",
     {{5, "did you mean gradcam"}, {6, "batch"}}},
    {"- a\n- b\n", {{1, "job: expected a map with manifest, output and models; found a list"}}},
    {"manifest: m.csv\nmanifest: n.csv\noutput: o\nmodels: 3\n",
     {{2, "given twice"}, {4, "list of 1"}}},
    /* texts and names that are lists or maps */
    {HEAD "classes: { a: b }\n"
          "label_as: yes\n"
          "models:\n"
          "  - name: [net]\n"
          "    file: {}\n" INPUT
          "    explainers: [{ kind: gradcam, layer: [conv], name: { a: b } }]\n",
     {{3, "classes: expected a file with one name per line, a list, or from-file; found a map"},
      {4, "label_as: expected name or index; found yes"},
      {6, "name: expected a name, found a list"},
      {7, "file: expected a path, found a map"},
      {9, "layer: expected a text, found a list"},
      {9, "name: expected a name, found a map"}}},
    /* empty values */
    {"manifest:\noutput: ''\nthreads:\nnumerics: ~\nmodels:\n",
     {{1, "manifest: expected a path or a map, found nothing"},
      {2, "output: expected a path, found nothing"},
      {3, "threads: expected a whole number from 1 to 1024, found nothing"},
      {4, "numerics: expected one of strict, fast, bf16-gradient, bf16; found ~"},
      {5, "models: expected a list of 1 to 64 models"}}},
    /* the settings of a job */
    {HEAD MODEL "threads: 1025\n"
                "tolerate_failed: 101%\n"
                "limits: { max_pixels: 0, max_bytes: 2e9, max_sample: 3 }\n"
                "store: 256\n"
                "frame: scale\n"
                "checks: average_drop\n"
                "numerics: quick\n",
     {{8, "threads: expected a whole number from 1 to 1024, found 1025"},
      {9, "tolerate_failed: expected a number of samples, or a share such as 2%, found 101%"},
      {10, "max_pixels: expected a whole number from 1"},
      {10, "max_bytes: expected a whole number from 1 to 1099511627776, found 2e9"},
      {10, "limits: unknown setting \"max_sample\"; did you mean \"max_samples\""},
      {11, "store: expected a map such as { thumbnails: 256 }; found 256"},
      {12, "frame: expected refuse or rescale; found scale"},
      {13, "checks: expected a list of at most 64 checks"},
      {14, "numerics: expected one of strict, fast, bf16-gradient, bf16; found quick"}}},
    {HEAD MODEL "tolerate_failed: -1\nstore: { thumbnails: 8 }\nchecks: [average_drop, gain]\n",
     {{8, "tolerate_failed"},
      {9, "thumbnails: expected a whole number from 16 to 2048, found 8"},
      {10, "check: expected one of deletion, insertion, irof, road"}}},
    {"manifest: { wsol: w, image: i }\noutput: o.h5\n" MODEL,
     {{1, "manifest: unknown setting \"image\"; did you mean \"images\""},
      {1, "manifest: `images` is missing: the folder of the images (path)"}}},
    /* settings that stand one level too high or too low */
    {HEAD "batch: 4\n"
          "input: { size: [8, 8] }\n"
          "models:\n"
          "  - { name: n, file: f, threads: 2, metrics: [energy], explainers: [saliency],\n"
          "      input: { size: [8, 8], resize: tf-nearest, scale: tf, mean: 3, store: f16 } }\n",
     {{3, "job: unknown setting \"batch\""},
      {4, "job: unknown setting \"input\""},
      {6, "model: unknown setting \"threads\""},
      {6, "model: unknown setting \"metrics\""},
      {7, "input: unknown setting \"mean\""},
      {7, "input: unknown setting \"store\""}}},
    /* ways to the input */
    {HEAD "models:\n"
          "  - name: n\n"
          "    file: f\n"
          "    explainers: [saliency]\n"
          "    input:\n"
          "      size: [0, 70000]\n"
          "      resize: bilinear\n"
          "      scale: { div: 0, mean: [1, 2], std: [1, 2, 3] }\n"
          "      fit: { short: 4, pad: 1 }\n"
          "      depth: { window: [9, 1] }\n"
          "      orientation: exif\n",
     {{8, "size: expected a whole number from 1 to 65536, found 0"},
      {9, "\"bilinear\" has three meanings"},
      {10, "mean has 2 values and std has 3"},
      {10, "div and std must not be 0"},
      {11, "fit: pad does not go with short and crop"},
      {12, "window: low must be smaller than high"},
      {13, "orientation: expected apply or ignore; found exif"}}},
    {HEAD "models:\n"
          "  - name: n\n"
          "    file: f\n"
          "    explainers: [saliency]\n"
          "    input:\n"
          "      size: [8, 8]\n"
          "      scale: { mean: [a, 1], dvi: 3 }\n"
          "      fit: { crop: [9, 9] }\n"
          "      depth: {}\n",
     {{8, "input: `resize` is missing: the resampler that the model was trained with"},
      {9, "mean: expected a number, found a"},
      {9, "scale: unknown setting \"dvi\"; did you mean \"div\""},
      {10, "crop: expected the input's size"},
      {10, "fit: `short`, the short side before the crop, is missing"},
      {11, "depth: expected either { window: [low, high] } or { percentile: [low, high] }"}}},
    {HEAD "models:\n"
          "  - name: n\n"
          "    file: f\n"
          "    explainers: [saliency]\n"
          "    input:\n"
          "      size: [8, 8]\n"
          "      resize: tf-nearest\n"
          "      scale: {}\n"
          "      fit: { short: 7, crop: [8, 8] }\n"
          "      depth: { percentile: [1, 101], window: [0, 1] }\n",
     {{11, "fit: the crop is larger than the short side leaves"},
      {12, "percentile: expected two numbers between 0 and 100"},
      {12, "depth: expected either"}}},
    /* explainers and what they do not have */
    {HEAD "models:\n"
          "  - name: n\n"
          "    file: f\n" INPUT "    explainers:\n"
          "      - { kind: rollout, target: label, score: prob, heads: sum }\n"
          "      - { kind: relevance, discard: 0.1, start_layer: -1 }\n"
          "      - { kind: attention, method: rolout }\n"
          "      - { kind: gradcam, method: rollout, channels: l2 }\n"
          "      - { kind: hirescam, channels: l2, absolute: 2 }\n"
          "      - { kind: grad_rollout, discard: 1 }\n"
          "      - { kind: gradient, relu: true, absolute: maybe, name: g/h }\n"
          "      - { kind: saliency, profile: seeds, input: { size: [8, 8] }, name: s }\n",
     {{8, "target: a setting of saliency, gradient, gradient_x_input, gradcam, gradcam++, "},
      {8, "score: a setting of"},
      {8, "heads: expected one of mean, max, min, none; found sum"},
      {9, "discard: a setting of rollout, grad_rollout, not of relevance"},
      {9, "start_layer: expected a whole number from 0 to 4096, found -1"},
      {10, "method: expected one of raw, rollout"},
      {11, "method: a setting of attention, not of gradcam"},
      {12,
       "channels: a setting of saliency, gradient, gradient_x_input, integrated_gradients, "
       "expected_gradients, smoothgrad, not of hirescam"},
      {12, "absolute: a setting of"},
      {13, "discard: expected a number from 0 to below 1, found 1"},
      {14, "relu: a setting of"},
      {14, "absolute: expected true or false; found maybe"},
      {14, "name: expected at most 60 letters, digits and _ . -, found \"g/h\""},
      {15, "profile: expected seed or paper; found seeds"},
      {15, "for another size list the model a second time"}}},
    {HEAD
     "models:\n"
     "  - name: n\n"
     "    file: f\n" INPUT "    explainers:\n"
     "      - { kind: gradcam, target: class }\n"
     "      - { kind: gradcam, target: {}, name: b }\n"
     "      - { kind: gradcam, target: { clas: 1 }, name: c }\n"
     "      - { target: label }\n"
     "      - { kind: rollout, profile: seed, heads: max }\n"
     "      - []\n"
     "      - { kind: saliency, input: { scale: 3, resise: x }, layer: a, layer: b, name: d }\n",
     {{8, "which class? Write target: { class: NAME }"},
      {9, "target: expected one of { class: NAME }"},
      {10, "target: unknown setting \"clas\"; did you mean \"class\""},
      {10, "target: expected one of { class: NAME }"},
      {11, "explainer: `kind` is missing"},
      {12, "profile: seed is vit-keras' attention_map"},
      {13, "explainer: expected one of saliency"},
      {14, "scale: expected one of none, unit, tf, caffe, torch; found 3"},
      {14, "input of an explainer: unknown setting \"resise\""},
      {14, "explainer: \"layer\" is given twice"},
      {14, "layer: a setting of"}}},
    {HEAD "models:\n"
          "  - { name: n, file: f, explainers: saliency }\n"
          "  - { name: m, file: f, head: soft, user_classes: [a, \"b,c\"], explainers: [] }\n"
          "  - model\n",
     {{4, "`input` is missing: the way from a decoded image to the network"},
      {4, "explainers: expected a list of 1 to 64 explainers"},
      {5, "head: expected one of softmax, sigmoid, multilabel, none, regression; found soft"},
      {5, "user_classes: entry 1 is not the name of a class"},
      {5, "`input` is missing"},
      {5, "explainers: expected a list"},
      {6, "model: expected a map with name, file, input and explainers; found model"}}},
    /* metrics and what they do not have */
    {HEAD MODEL "metrics:\n"
                "  - { kind: roc_auc, tolerance: 15px, k: 3 }\n"
                "  - { kind: top_k, k: 0, threshold: otsu }\n"
                "  - { kind: pointing_game, smoothing: 0.6, at: { grid: 513 }, iou: 0.5 }\n"
                "  - { kind: iou, threshold: 1, stretch: min, at: cells }\n"
                "  - { kind: box_acc, iou: [], contours: all, from_split: [a] }\n"
                "  - { kind: top1, iou: [0.3, 0.5], profile: wsol }\n"
                "  - { kind: energy, sign: plus, crowd: skip, difficult: no, at: {} }\n"
                "  - { kind: gt_known, iou: 2 }\n",
     {{9, "tolerance: a setting of pointing_game, not of roc_auc"},
      {9, "k: a setting of top_k, not of roc_auc"},
      {10, "k: expected a whole number from 1"},
      {10, "threshold: a setting of iou, box_iou, gt_known, top1, top5, not of top_k"},
      {11, "smoothing: expected a number from 0 to 0.5, found 0.6"},
      {11, "grid: expected a whole number from 1 to 512, found 513"},
      {11, "iou: a setting of gt_known, top1, top5, box_acc, not of pointing_game"},
      {12, "threshold: expected otsu, mean, or a share from 0 to below 1"},
      {12, "stretch: expected max or minmax; found min"},
      {12, "at: expected one of map, input, image; found cells"},
      {13, "iou: expected 1 to 8 levels, found 0"},
      {13, "from_split: expected a text, found a list"},
      {14, "iou: expected 1, of 1 level at most, found 2"},
      {14, "profile wsol does not define top1"},
      {15, "sign: expected one of signed, positive, abs; found plus"},
      {15, "crowd: expected keep or ignore; found skip"},
      {15, "difficult: expected keep or skip; found no"},
      {15, "at: `grid` is missing: cells along each side of the model's input (1 to 512)"},
      {16, "iou: expected levels above 0 and up to 1"}}},
    {HEAD MODEL "metrics: [energy, energy, { name: x }, { kind: energy, name: a b }, 7]\n"
                "metrics: []\n",
     {{8, "two metrics are called \"energy\""},
      {8, "metric: `kind` is missing"},
      {8, "name: expected at most 60 letters, digits and _ . -, found \"a b\""},
      {8, "metric: expected one of pointing_game"},
      {9, "job: \"metrics\" is given twice"}}},
    /* a sum in which values cancel */
    {HEAD "models:\n"
          "  - name: n\n"
          "    file: f\n" INPUT "    explainers: [gradient]\n"
          "metrics: [relevance_mass]\n",
     {{8, "write sign: positive, sign: abs, or sign: signed"}}},
    /* two models that cannot share images */
    {HEAD "models:\n"
          "  - &a { name: a, file: f, explainers: [saliency],\n"
          "         input: &in { size: [8, 8], resize: tf-nearest, scale: tf } }\n"
          "  - { <<: *a, name: b, input: { <<: *in, orientation: ignore } }\n"
          "  - *a\n",
     {{6, "needs the orientation of the first"}, {4, "two models are called \"a\""}}},
};

static bool is_reported(const xa_problems *problems, int line, const char *words)
{
    for (size_t p = 0; p < problems->count; p++)
        if (problems->items[p].line == line && strstr(problems->items[p].text, words))
            return true;
    return false;
}

static void test_mistakes(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        xa_problems problems = {0};
        xa_err err = XA_ERR_INIT;
        xa_job j;
        size_t wanted = 0;
        bool all = true;
        assert_int_equal(
            xa_job_parse("j.yaml", bads[i].text, strlen(bads[i].text), NULL, &j, &problems, &err),
            XA_INVALID);
        for (; wanted < WANTED && bads[i].want[wanted].words; wanted++)
            if (!is_reported(&problems, bads[i].want[wanted].line, bads[i].want[wanted].words)) {
                print_error("job %zu: nothing at line %d about \"%s\"\n",
                            i,
                            bads[i].want[wanted].line,
                            bads[i].want[wanted].words);
                all = false;
            }
        if (problems.count != wanted)
            print_error("job %zu: %zu mistakes, expected %zu\n", i, problems.count, wanted);
        all = all && problems.count == wanted;
        for (size_t p = 0; p < problems.count && !all; p++)
            print_error("  %d: %s\n", (int)problems.items[p].line, problems.items[p].text);
        wrong += !all;
        xa_problems_fini(&problems);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
