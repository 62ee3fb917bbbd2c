/* Layers that do nothing at inference: they add no node, and their output is their input. */
#include <inttypes.h>

#include "layers.h"

static xa_status build_noop(xa__ksite *s, int *out, xa_err *err)
{
    return xa__ksite_one(s, out, err);
}

/* Random* layers that also change the size: at inference RandomCrop takes the middle or resizes. */
static xa_status build_random_crop(xa__ksite *s, int *out, xa_err *err)
{
    int64_t h, w;
    int in;
    XA_RETURN_TRY(err, xa__ksite_image(s, &in, err));
    XA_RETURN_TRY(err, xa__kget_int(s->layer->config, "height", 0, 1, XA__KMAX_EXTENT, &h, err));
    XA_RETURN_TRY(err, xa__kget_int(s->layer->config, "width", 0, 1, XA__KMAX_EXTENT, &w, err));
    const xa_shape *x = xa__ksite_shape(s, in);
    if (x->dim[0] != h || x->dim[1] != w)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "crops %" PRId64 "x%" PRId64 " from %" PRId64 "x%" PRId64
                       "; only where it changes nothing at inference",
                       h,
                       w,
                       x->dim[0],
                       x->dim[1]);
    *out = in;
    return XA_OK;
}

#define NOOP(name)                \
    {                             \
        name, build_noop, NULL, 0 \
    }
#define DROPS(name)                               \
    {                                             \
        name, build_noop, NULL, XA__KCLASS_TRAINS \
    }
const xa__kclass xa__kclasses_noop[] = {
    NOOP(
        "InputLayer"), /* inside of a Sequential; that of a functional model is the graph's input */
    DROPS("Dropout"),
    DROPS("SpatialDropout2D"),
    DROPS("SpatialDropout1D"),
    DROPS("GaussianNoise"),
    DROPS("GaussianDropout"),
    DROPS("AlphaDropout"),
    NOOP("ActivityRegularization"),
    NOOP("Identity"),
    NOOP("RandomFlip"),
    NOOP("RandomRotation"),
    NOOP("RandomZoom"),
    NOOP("RandomTranslation"),
    NOOP("RandomContrast"),
    NOOP("RandomBrightness"),
    NOOP("RandomHeight"),
    NOOP("RandomWidth"),
    NOOP("RandomShear"),
    NOOP("RandomPerspective"),
    NOOP("RandomErasing"),
    NOOP("RandomHue"),
    NOOP("RandomSaturation"),
    NOOP("RandomSharpness"),
    NOOP("RandomGrayscale"),
    NOOP("RandomInvert"),
    NOOP("RandomGaussianBlur"),
    NOOP("RandomColorJitter"),
    NOOP("RandomColorDegeneration"),
    NOOP("RandomPosterization"),
    NOOP("RandomElasticTransform"),
    NOOP("RandAugment"),
    NOOP("AugMix"),
    {"RandomCrop", build_random_crop, NULL, 0},
    {NULL, NULL, NULL, 0},
};
