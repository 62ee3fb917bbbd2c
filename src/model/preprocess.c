/* From a decoded image to the network's input: depth, channels, fit, scale. The arithmetic is
 * float32 in the order of keras.applications' preprocess_input. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "xaudit/model.h"

static const char *const scale_names[] = {[XA_SCALE_NONE] = "none",
                                          [XA_SCALE_UNIT] = "unit",
                                          [XA_SCALE_TF] = "tf",
                                          [XA_SCALE_CAFFE] = "caffe",
                                          [XA_SCALE_TORCH] = "torch",
                                          [XA_SCALE_CUSTOM] = "custom"};
static const float caffe_mean[3] = {103.939f, 116.779f, 123.68f}; /* B, G, R */
static const float torch_mean[3] = {0.485f, 0.456f, 0.406f};
static const float torch_std[3] = {0.229f, 0.224f, 0.225f};

const char *xa_scale_name(xa_scale_kind k)
{
    return scale_names[k];
}

double xa_scale_factor(const xa_scale *s, int c)
{
    switch (s->kind) {
    case XA_SCALE_UNIT:
        return 1.0 / 255.0;
    case XA_SCALE_TF:
        return 1.0 / 127.5;
    case XA_SCALE_TORCH:
        return 1.0 / (255.0 * (double)torch_std[c % 3]);
    case XA_SCALE_CUSTOM:
        return 1.0 / (s->div * s->std[s->channels == 1 ? 0 : c]);
    default:
        return 1.0;
    }
}

static void scale_pixels(const xa_scale *s, int64_t pixels, int channels, float *x)
{
    const int64_t n = pixels * channels;
    switch (s->kind) {
    case XA_SCALE_NONE:
        return;
    case XA_SCALE_UNIT:
        for (int64_t i = 0; i < n; i++)
            x[i] /= 255.0f;
        return;
    case XA_SCALE_TF:
        for (int64_t i = 0; i < n; i++)
            x[i] = x[i] / 127.5f - 1.0f;
        return;
    case XA_SCALE_CAFFE:
        for (int64_t p = 0; p < pixels; p++) {
            float *v = x + 3 * p;
            const float red = v[0];
            v[0] = v[2] - caffe_mean[0];
            v[1] -= caffe_mean[1];
            v[2] = red - caffe_mean[2];
        }
        return;
    case XA_SCALE_TORCH:
        for (int64_t p = 0; p < pixels; p++)
            for (int c = 0; c < 3; c++)
                x[3 * p + c] = (x[3 * p + c] / 255.0f - torch_mean[c]) / torch_std[c];
        return;
    case XA_SCALE_CUSTOM:
        for (int64_t p = 0; p < pixels; p++)
            for (int c = 0; c < channels; c++) {
                const int k = s->channels == 1 ? 0 : c;
                x[p * channels + c] =
                    (x[p * channels + c] / (float)s->div - (float)s->mean[k]) / (float)s->std[k];
            }
        return;
    }
}

void xa_scale_range(const xa_scale *s, int channels, float *black, float *white)
{
    for (int c = 0; c < channels; c++) {
        black[c] = 0.0f;
        white[c] = 255.0f;
    }
    scale_pixels(s, 1, channels, black);
    scale_pixels(s, 1, channels, white);
}

static xa_status check_scale(const xa_scale *s, int channels, xa_err *err)
{
    if ((s->kind == XA_SCALE_CAFFE || s->kind == XA_SCALE_TORCH) && channels != 3)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "scale: %s is defined for 3 channels, the model has %d",
                       xa_scale_name(s->kind),
                       channels);
    if (s->kind == XA_SCALE_CUSTOM && !(isfinite(s->div) && s->div != 0.0))
        XA_RETURN_FAIL(err, XA_INVALID, "scale: div is %g, expected a number other than 0", s->div);
    if (s->kind == XA_SCALE_CUSTOM && s->channels != 1 && s->channels != channels)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "scale: mean and std have %d values, the model has %d channels",
                       s->channels,
                       channels);
    for (int c = 0; s->kind == XA_SCALE_CUSTOM && c < s->channels; c++)
        if (!isfinite(s->mean[c]) || !isfinite(s->std[c]) || s->std[c] == 0.0)
            XA_RETURN_FAIL(err,
                           XA_INVALID,
                           "scale: channel %d has mean %g and std %g, expected numbers, std other "
                           "than 0",
                           c,
                           s->mean[c],
                           s->std[c]);
    return XA_OK;
}

xa_status xa_preprocess(const xa_image *im,
                        const xa_input_spec *spec,
                        int channels,
                        float *dst,
                        double affine[2][3],
                        xa_err *err)
{
    xa_image deep = {0}, coloured = {0}, fitted = {0};
    xa_status st = XA_OK;
    XA_TRY(err, check_scale(&spec->scale, channels, err));
    XA_TRY(err, xa_image_apply_depth(im, &spec->depth, &deep, err));
    XA_TRY(err, xa_image_to_channels(&deep, channels, &coloured, err));
    xa_image_fini(&deep);
    XA_TRY(
        err,
        xa_image_fit(
            &coloured, spec->width, spec->height, &spec->fit, spec->resize, &fitted, affine, err));
    const int64_t pixels = spec->width * spec->height, n = pixels * channels;
    if (fitted.type == XA_PIXEL_U8) {
        const uint8_t *v = fitted.data;
        for (int64_t i = 0; i < n; i++)
            dst[i] = (float)v[i];
    } else if (fitted.type == XA_PIXEL_F32) {
        memcpy(dst, fitted.data, (size_t)n * sizeof(float));
    } else {
        XA_FAIL(err, XA_UNSUPPORTED, "%s pixels after resizing", xa_pixel_name(fitted.type));
    }
    scale_pixels(&spec->scale, pixels, channels, dst);
done:
    xa_image_fini(&deep);
    xa_image_fini(&coloured);
    xa_image_fini(&fitted);
    return st;
}
