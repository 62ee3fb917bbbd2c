/* input: from a decoded image to the network's input. */
#include <string.h>

#include "job_internal.h"

static const char *const resample_names[] = {
#define X(name, text) text,
    XA_RESAMPLE_LIST(X)
#undef X
};
static const char *const scale_names[] = {"none", "unit", "tf", "caffe", "torch"};
static const char *const fit_names[] = {"stretch", "pad"};

static bool read_pair(xa_ynode n, const char *what, int64_t out[2], xa_problems *problems)
{
    if (xa_yaml_kind(n) != XA_Y_LIST || xa_yaml_count(n) != 2) {
        XA_YAML_PROBLEM(
            problems, n, "%s: expected [height, width], found %s", what, xa_job_found(n));
        return false;
    }
    return xa_job_i64(xa_yaml_at(n, 0), what, 1, 65536, &out[0], problems) &&
           xa_job_i64(xa_yaml_at(n, 1), what, 1, 65536, &out[1], problems);
}

static void
read_numbers(xa_ynode n, const char *what, double *out, int *count, xa_problems *problems)
{
    if (xa_yaml_kind(n) == XA_Y_SCALAR) {
        *count = 1;
        xa_job_f64(n, what, out, problems);
        return;
    }
    const int len = xa_yaml_count(n);
    if (xa_yaml_kind(n) != XA_Y_LIST || len < 1 || len > XA_SCALE_CHANNELS) {
        XA_YAML_PROBLEM(problems,
                        n,
                        "%s: expected a number or a list of 1 to %d numbers, found %s",
                        what,
                        XA_SCALE_CHANNELS,
                        len > XA_SCALE_CHANNELS ? "more" : xa_job_found(n));
        return;
    }
    *count = len;
    for (int i = 0; i < len; i++)
        xa_job_f64(xa_yaml_at(n, i), what, &out[i], problems);
}

static void read_scale(xa_ynode n, xa_scale *scale, xa_problems *problems)
{
    int kind = XA_SCALE_NONE, nmean = 1, nstd = 1;
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        if (xa_job_choice(n, "scale", xa_scale_parse, scale_names, 5, &kind, problems))
            scale->kind = (xa_scale_kind)kind;
        return;
    }
    xa_job_check_keys(n, XA_JOB_SCALE, problems);
    *scale = (xa_scale){.kind = XA_SCALE_CUSTOM, .div = 1.0, .channels = 1, .std = {1.0}};
    xa_job_f64(xa_yaml_get(n, "div"), "scale: div", &scale->div, problems);
    if (xa_yaml_get(n, "mean").id)
        read_numbers(xa_yaml_get(n, "mean"), "scale: mean", scale->mean, &nmean, problems);
    if (xa_yaml_get(n, "std").id)
        read_numbers(xa_yaml_get(n, "std"), "scale: std", scale->std, &nstd, problems);
    if (nmean != nstd && nmean != 1 && nstd != 1)
        XA_YAML_PROBLEM(
            problems, n, "scale: mean has %d values and std has %d: expected as many", nmean, nstd);
    scale->channels = nmean > nstd ? nmean : nstd;
    for (int i = 1; i < scale->channels; i++) {
        if (nmean == 1)
            scale->mean[i] = scale->mean[0];
        if (nstd == 1)
            scale->std[i] = scale->std[0];
    }
    bool zero = scale->div == 0.0;
    for (int i = 0; i < scale->channels; i++)
        zero = zero || scale->std[i] == 0.0;
    if (zero)
        XA_YAML_PROBLEM(problems, n, "scale: div and std must not be 0");
}

static void read_fit(xa_ynode n, const xa_input_spec *spec, xa_fit *fit, xa_problems *problems)
{
    int64_t crop[2] = {spec->height, spec->width};
    const char *text = xa_yaml_text(n);
    if (!n.id)
        return;
    if (text && !strcmp(text, "stretch")) {
        fit->kind = XA_FIT_STRETCH;
        return;
    }
    if (text && !strcmp(text, "pad")) {
        fit->kind = XA_FIT_PAD;
        return;
    }
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        const char *near = text ? xa_nearest(text, fit_names, 2) : NULL;
        XA_YAML_PROBLEM(problems,
                        n,
                        "fit: expected stretch, pad, {pad: value} or {short: 256, crop: [224, "
                        "224]}; found %s%s%s",
                        xa_job_found(n),
                        near ? "; did you mean " : "",
                        near ? near : "");
        return;
    }
    xa_job_check_keys(n, XA_JOB_FIT, problems);
    if (xa_yaml_get(n, "pad").id) {
        fit->kind = XA_FIT_PAD;
        xa_job_f64(xa_yaml_get(n, "pad"), "fit: pad", &fit->pad_value, problems);
        if (xa_yaml_get(n, "short").id || xa_yaml_get(n, "crop").id)
            XA_YAML_PROBLEM(problems, n, "fit: pad does not go with short and crop");
        return;
    }
    fit->kind = XA_FIT_CROP;
    if (!xa_yaml_get(n, "short").id)
        XA_YAML_PROBLEM(problems, n, "fit: `short`, the short side before the crop, is missing");
    xa_job_i64(xa_yaml_get(n, "short"), "fit: short", 1, 65536, &fit->short_side, problems);
    if (xa_yaml_get(n, "crop").id &&
        read_pair(xa_yaml_get(n, "crop"), "fit: crop", crop, problems) &&
        (crop[0] != spec->height || crop[1] != spec->width))
        XA_YAML_PROBLEM(problems, n, "fit: crop must equal the input's size");
    if (fit->short_side && (fit->short_side < spec->height || fit->short_side < spec->width))
        XA_YAML_PROBLEM(problems, n, "fit: the crop is larger than the short side leaves");
}

static void read_depth(xa_ynode n, xa_depth *depth, xa_problems *problems)
{
    static const char *const names[] = {"div257", "clip255", "raw"};
    int kind = XA_DEPTH_NONE;
    if (!n.id)
        return;
    if (xa_yaml_kind(n) != XA_Y_MAP) {
        if (!xa_job_choice(n, "depth", xa_depth_parse, names, 3, &kind, problems))
            return;
        depth->kind = (xa_depth_kind)kind;
        if (kind == XA_DEPTH_WINDOW || kind == XA_DEPTH_PERCENTILE)
            XA_YAML_PROBLEM(problems,
                            n,
                            "depth: %s needs its limits: {%s: [low, high]}",
                            xa_depth_name(depth->kind),
                            xa_depth_name(depth->kind));
        return;
    }
    xa_job_check_keys(n, XA_JOB_DEPTH, problems);
    const bool window = xa_yaml_get(n, "window").id != 0;
    const xa_ynode pair = xa_yaml_get(n, window ? "window" : "percentile");
    depth->kind = window ? XA_DEPTH_WINDOW : XA_DEPTH_PERCENTILE;
    if (xa_yaml_kind(pair) != XA_Y_LIST || xa_yaml_count(pair) != 2) {
        XA_YAML_PROBLEM(
            problems, n, "depth: expected {window: [low, high]} or {percentile: [low, high]}");
        return;
    }
    if (!xa_job_f64(xa_yaml_at(pair, 0), "depth: low", &depth->low, problems) ||
        !xa_job_f64(xa_yaml_at(pair, 1), "depth: high", &depth->high, problems))
        return;
    if (!(depth->low < depth->high))
        XA_YAML_PROBLEM(problems, n, "depth: low must be smaller than high");
    if (!window && (depth->low < 0.0 || depth->high > 100.0))
        XA_YAML_PROBLEM(problems, n, "depth: percentiles lie between 0 and 100");
}

/* Words that several libraries use, each with another meaning: none is chosen. */
static bool is_ambiguous(xa_ynode n, xa_problems *problems)
{
    static const struct {
        const char *word, *meanings;
    } words[] = {
        {"bilinear", "pil-bilinear (Pillow), cv2-linear (OpenCV), tf-bilinear (TensorFlow)"},
        {"linear", "pil-bilinear (Pillow), cv2-linear (OpenCV), tf-bilinear (TensorFlow)"},
        {"bicubic", "pil-bicubic (Pillow), cv2-cubic (OpenCV), tf-bicubic (TensorFlow)"},
        {"cubic", "pil-bicubic (Pillow), cv2-cubic (OpenCV), tf-bicubic (TensorFlow)"},
        {"nearest", "pil-nearest (Pillow), cv2-nearest (OpenCV), tf-nearest (TensorFlow)"}};
    const char *text = n.id ? xa_yaml_text(n) : NULL;
    for (size_t i = 0; text && i < sizeof words / sizeof *words; i++)
        if (!strcmp(text, words[i].word)) {
            XA_YAML_PROBLEM(
                problems,
                n,
                "resize: \"%s\" has three meanings with other pixels: %s; write the one "
                "that the model was trained with",
                text,
                words[i].meanings);
            return true;
        }
    return false;
}

static void read_resize(xa_ynode n, xa_input_spec *spec, xa_problems *problems)
{
    if (is_ambiguous(n, problems))
        return;
    int resize = (int)spec->resize;
    if (xa_job_choice(
            n, "resize", xa_resample_parse, resample_names, XA_RESAMPLE_COUNT, &resize, problems))
        spec->resize = (xa_resample)resize;
}

static void read_orientation(xa_ynode n, xa_input_spec *spec, xa_problems *problems)
{
    const char *text = xa_yaml_text(n);
    if (text && !strcmp(text, "ignore"))
        spec->ignore_orientation = true;
    else if (n.id && (!text || strcmp(text, "apply") != 0))
        XA_YAML_PROBLEM(problems,
                        n,
                        "input: orientation: expected apply (images are turned as their EXIF data "
                        "say) or ignore (the model was trained by a loader that does not turn "
                        "them); found %s",
                        xa_job_found(n));
}

void xa_job_read_input(xa_ynode node, xa_input_spec *spec, xa_problems *problems)
{
    if (xa_yaml_kind(node) != XA_Y_MAP) {
        XA_YAML_PROBLEM(problems,
                        node,
                        "input: expected a map such as { size: [224, 224], resize: pil-bilinear, "
                        "scale: tf }");
        return;
    }
    xa_job_check_keys(node, XA_JOB_INPUT, problems);
    const xa_ynode size = xa_yaml_get(node, "size");
    int64_t hw[2] = {0, 0};
    if (!size.id)
        XA_YAML_PROBLEM(problems, node, "input: `size: [height, width]` is missing");
    else if (read_pair(size, "input: size", hw, problems)) {
        spec->height = hw[0];
        spec->width = hw[1];
    }
    if (!xa_yaml_get(node, "resize").id)
        XA_YAML_PROBLEM(problems,
                        node,
                        "input: `resize` is missing: the resampler that the model was trained with "
                        "(pil-bilinear, cv2-linear, tf-bilinear, ...)");
    read_resize(xa_yaml_get(node, "resize"), spec, problems);
    if (!xa_yaml_get(node, "scale").id)
        XA_YAML_PROBLEM(problems,
                        node,
                        "input: `scale` is missing: none (0..255), unit (0..1), tf (-1..1), caffe, "
                        "torch, or { div, mean, std }");
    else
        read_scale(xa_yaml_get(node, "scale"), &spec->scale, problems);
    read_fit(xa_yaml_get(node, "fit"), spec, &spec->fit, problems);
    read_depth(xa_yaml_get(node, "depth"), &spec->depth, problems);
    read_orientation(xa_yaml_get(node, "orientation"), spec, problems);
}

void xa_job_read_input_override(xa_ynode node, xa_input_spec *spec, xa_problems *problems)
{
    if (xa_yaml_kind(node) != XA_Y_MAP) {
        XA_YAML_PROBLEM(problems,
                        node,
                        "input: expected a map with resize, scale or depth, such as { scale: tf }");
        return;
    }
    if (xa_yaml_get(node, "size").id || xa_yaml_get(node, "fit").id) {
        XA_YAML_PROBLEM(
            problems,
            node,
            "input of an explainer: size and fit are the model's; for another size list "
            "the model a second time under another name");
        return;
    }
    xa_job_check_keys(node, XA_JOB_EXPLAINER_INPUT, problems);
    read_resize(xa_yaml_get(node, "resize"), spec, problems);
    if (xa_yaml_get(node, "scale").id)
        read_scale(xa_yaml_get(node, "scale"), &spec->scale, problems);
    if (xa_yaml_get(node, "depth").id)
        read_depth(xa_yaml_get(node, "depth"), &spec->depth, problems);
}
