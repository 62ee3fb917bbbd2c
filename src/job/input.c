/* input: from a decoded image to the network's input. */
#include <string.h>

#include "job_internal.h"

static bool read_pair(const xa__reading *r, const xa_setting *s, xa_ynode n, int64_t out[2])
{
    if (xa__yaml_kind(n) != XA_Y_LIST || xa__yaml_count(n) != 2) {
        XA_YAML_PROBLEM(
            r->problems, n, "%s: expected [height, width], found %s", s->key, xa__found(n));
        return false;
    }
    return xa__read_i64(xa__yaml_at(n, 0), s->key, 1, 65536, &out[0], r->problems) &&
           xa__read_i64(xa__yaml_at(n, 1), s->key, 1, 65536, &out[1], r->problems);
}

void xa__read_size(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_input_spec *spec = object;
    int64_t size[2];
    if (read_pair(r, s, n, size)) {
        spec->height = size[0];
        spec->width = size[1];
    }
}

/* ---- resize ---- */

/* Words that several libraries use, each with another meaning: none is chosen. */
static bool is_ambiguous(const xa__reading *r, xa_ynode n)
{
    static const struct {
        const char *word, *meanings;
    } words[] = {
        {"bilinear", "pil-bilinear (Pillow), cv2-linear (OpenCV), tf-bilinear (TensorFlow)"},
        {"linear", "pil-bilinear (Pillow), cv2-linear (OpenCV), tf-bilinear (TensorFlow)"},
        {"bicubic", "pil-bicubic (Pillow), cv2-cubic (OpenCV), tf-bicubic (TensorFlow)"},
        {"cubic", "pil-bicubic (Pillow), cv2-cubic (OpenCV), tf-bicubic (TensorFlow)"},
        {"nearest", "pil-nearest (Pillow), cv2-nearest (OpenCV), tf-nearest (TensorFlow)"}};
    const char *text = xa__yaml_text(n);
    for (size_t i = 0; text && i < sizeof words / sizeof *words; i++)
        if (!strcmp(text, words[i].word)) {
            XA_YAML_PROBLEM(
                r->problems,
                n,
                "resize: \"%s\" has three meanings with other pixels: %s; write the one "
                "that the model was trained with",
                text,
                words[i].meanings);
            return true;
        }
    return false;
}

void xa__read_resize(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_input_spec *spec = object;
    const int word = is_ambiguous(r, n) ? -1 : xa__read_word(r, s, n);
    if (word >= 0)
        spec->resize = (xa_resample)word;
}

/* ---- scale ---- */

/* mean and std: a number, or a number for each channel. */
void xa__read_means(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa__scale_reading *reading = object;
    const bool mean = !strcmp(s->key, "mean");
    double *out = mean ? reading->scale.mean : reading->scale.std;
    int *count = mean ? &reading->nmean : &reading->nstd;
    const int len = xa__yaml_count(n);
    if (xa__yaml_kind(n) == XA_Y_SCALAR) {
        xa__read_f64(n, s->key, out, r->problems);
        return;
    }
    if (xa__yaml_kind(n) != XA_Y_LIST || len < 1 || len > XA_SCALE_CHANNELS) {
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected a number or a list of 1 to %d numbers, found %s",
                        s->key,
                        XA_SCALE_CHANNELS,
                        len > XA_SCALE_CHANNELS ? "more" : xa__found(n));
        return;
    }
    *count = len;
    for (int i = 0; i < len; i++)
        xa__read_f64(xa__yaml_at(n, i), s->key, &out[i], r->problems);
}

/* One value stands for all channels. */
static void spread(xa__scale_reading *s)
{
    s->scale.channels = s->nmean > s->nstd ? s->nmean : s->nstd;
    for (int i = 1; i < s->scale.channels; i++) {
        if (s->nmean == 1)
            s->scale.mean[i] = s->scale.mean[0];
        if (s->nstd == 1)
            s->scale.std[i] = s->scale.std[0];
    }
}

void xa__read_scale(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    static const char *const words[] = {"none", "unit", "tf", "caffe", "torch", NULL};
    xa_input_spec *spec = object;
    xa_setting choice = *s;
    choice.words = words;
    if (xa__yaml_kind(n) != XA_Y_MAP) {
        const int word = xa__read_word(r, &choice, n);
        if (word >= 0)
            spec->scale = (xa_scale){.kind = (xa_scale_kind)word};
        return;
    }
    xa__scale_reading reading = {
        .scale = {.kind = XA_SCALE_CUSTOM, .div = 1.0, .std = {1.0}}, .nmean = 1, .nstd = 1};
    xa__read_map(r, n, XA_JOB_SCALE, -1, &reading);
    if (reading.nmean != reading.nstd && reading.nmean != 1 && reading.nstd != 1)
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "scale: mean has %d values and std has %d: expected as many",
                        reading.nmean,
                        reading.nstd);
    spread(&reading);
    bool zero = reading.scale.div == 0.0;
    for (int i = 0; i < reading.scale.channels; i++)
        zero = zero || reading.scale.std[i] == 0.0;
    if (zero)
        XA_YAML_PROBLEM(r->problems, n, "scale: div and std must not be 0");
    spec->scale = reading.scale;
}

/* ---- fit ---- */

void xa__read_crop(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    const xa__fit_reading *reading = object;
    int64_t crop[2];
    if (read_pair(r, s, n, crop) && reading->height &&
        (crop[0] != reading->height || crop[1] != reading->width))
        XA_YAML_PROBLEM(r->problems, n, "crop: expected the input's size");
}

static void check_fit(const xa__reading *r, xa_ynode n, xa__fit_reading *reading)
{
    const bool pad = xa__yaml_get(n, "pad").id, has_short = xa__yaml_get(n, "short").id;
    const int64_t side = reading->fit.short_side;
    reading->fit.kind = pad ? XA_FIT_PAD : XA_FIT_CROP;
    if (pad && (has_short || xa__yaml_get(n, "crop").id))
        XA_YAML_PROBLEM(r->problems, n, "fit: pad does not go with short and crop");
    else if (!pad && !has_short)
        XA_YAML_PROBLEM(r->problems, n, "fit: `short`, the short side before the crop, is missing");
    else if (!pad && side && (side < reading->height || side < reading->width))
        XA_YAML_PROBLEM(r->problems, n, "fit: the crop is larger than the short side leaves");
}

void xa__read_fit(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    static const char *const words[] = {"stretch", "pad", NULL};
    xa_input_spec *spec = object;
    const char *text = xa__yaml_text(n);
    const int word = xa__find_word(words, text);
    if (word >= 0) {
        spec->fit.kind = word ? XA_FIT_PAD : XA_FIT_STRETCH;
        return;
    }
    if (xa__yaml_kind(n) != XA_Y_MAP) {
        const char *near = text ? xa_nearest(text, words, 2) : NULL;
        XA_YAML_PROBLEM(r->problems,
                        n,
                        "%s: expected stretch, pad, { pad: value } or { short: 256, crop: [224, "
                        "224] }; found %s%s%s",
                        s->key,
                        xa__found(n),
                        near ? "; did you mean " : "",
                        near ? near : "");
        return;
    }
    xa__fit_reading reading = {.height = spec->height, .width = spec->width};
    xa__read_map(r, n, XA_JOB_FIT, -1, &reading);
    check_fit(r, n, &reading);
    spec->fit = reading.fit;
}

/* ---- depth ---- */

void xa__read_window(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_depth *depth = object;
    const bool percentile = !strcmp(s->key, "percentile");
    if (xa__yaml_kind(n) != XA_Y_LIST || xa__yaml_count(n) != 2) {
        XA_YAML_PROBLEM(r->problems, n, "%s: expected [low, high], found %s", s->key, xa__found(n));
        return;
    }
    depth->kind = percentile ? XA_DEPTH_PERCENTILE : XA_DEPTH_WINDOW;
    if (!xa__read_f64(xa__yaml_at(n, 0), s->key, &depth->low, r->problems) ||
        !xa__read_f64(xa__yaml_at(n, 1), s->key, &depth->high, r->problems))
        return;
    if (!(depth->low < depth->high))
        XA_YAML_PROBLEM(r->problems, n, "%s: low must be smaller than high", s->key);
    if (percentile && (depth->low < 0.0 || depth->high > 100.0))
        XA_YAML_PROBLEM(r->problems, n, "percentile: expected two numbers between 0 and 100");
}

void xa__read_depth(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    static const char *const words[] = {"div257", "clip255", "raw", NULL};
    static const xa_depth_kind kinds[] = {XA_DEPTH_DIV257, XA_DEPTH_CLIP255, XA_DEPTH_RAW};
    xa_input_spec *spec = object;
    const char *text = xa__yaml_text(n);
    xa_setting choice = *s;
    choice.words = words;
    if (xa__yaml_kind(n) == XA_Y_MAP) {
        xa_depth depth = {0};
        xa__read_map(r, n, XA_JOB_DEPTH, -1, &depth);
        if (!xa__yaml_get(n, "window").id == !xa__yaml_get(n, "percentile").id)
            XA_YAML_PROBLEM(
                r->problems,
                n,
                "depth: expected either { window: [low, high] } or { percentile: [low, high] }");
        spec->depth = depth;
    } else if (text && xa__setting(XA_JOB_DEPTH, text)) {
        XA_YAML_PROBLEM(
            r->problems, n, "depth: %s needs its limits: { %s: [low, high] }", text, text);
    } else {
        const int word = xa__read_word(r, &choice, n);
        if (word >= 0)
            spec->depth = (xa_depth){.kind = kinds[word]};
    }
}

/* ---- an explainer's own way ---- */

void xa__read_explainer_input(const xa__reading *r, const xa_setting *s, xa_ynode n, void *object)
{
    xa_explainer_spec *spec = object;
    (void)s;
    spec->has_input = true;
    if (xa__yaml_get(n, "size").id || xa__yaml_get(n, "fit").id) {
        XA_YAML_PROBLEM(
            r->problems,
            n,
            "input of an explainer: size and fit are the model's; for another size list the model "
            "a second time under another name");
        return;
    }
    xa__read_map(r, n, XA_JOB_EXPLAINER_INPUT, -1, &spec->input);
}
