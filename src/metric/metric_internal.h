/* Private to metric: the scene, its work space, and the description of a metric. */
#ifndef XAUDIT_METRIC_INTERNAL_H
#define XAUDIT_METRIC_INTERNAL_H

#include "xaudit/metric.h"

/* What a pixel of a scene is: its where[i]. UNSEEN: the model did not see it. */
enum { XA__BACKGROUND = 0, XA__REGION = 1, XA__IGNORED = 2, XA__UNSEEN = 3 };

/* Is the pixel left out of every comparison: ignored, or not seen by the model? */
static inline bool xa__left_out(uint8_t where)
{
    return where >= XA__IGNORED;
}

/* Map and region on one grid. Arrays are borrowed from the work space. */
typedef struct xa__scene {
    int64_t width, height, count; /* count = width * height */
    float *value;                 /* [count] with the setting `sign` applied */
    const double *exact; /* the same in double, if the protocol computes in double; else NULL */
    uint8_t *where;
    int64_t region, seen; /* pixels of the region; all pixels but those left out */
    double low, high;     /* over all pixels that the map reaches, ignored ones too */
    int64_t
        argmax; /* the largest value that is not left out, the first in row-major order; -1: none */
    double step_x, step_y; /* pixels of the stored frame per pixel of the scene */
    double left, top;      /* the scene's corner in the stored frame */
    int nboxes;
    double (*box)[4]; /* annotated boxes, or the box around the masks; in pixels of the scene */
} xa__scene;

/* The largest component of the present scene, kept for the metrics that need the same one. */
typedef struct xa__largest {
    bool known, any; /* any: some pixel is above the cut */
    xa_metric_cut cut;
    double threshold;
    bool minmax;
    double box[4];
} xa__largest;

typedef struct xa__work {
    xa__largest largest;
    double *exact; /* allocated when a scene needs it */
    size_t exact_room;
    bool sorted; /* keys hold the scene's values (ranking.c); whoever uses them as scratch clears it
                  */
    float *value, *scratch;
    float *strip; /* of smoothing; allocated when a metric needs it */
    size_t strip_room;
    uint8_t *where, *grey;
    uint32_t *keys[3];
    int32_t *parent, *order;
    struct xa__component *component;
    double (*box)[4];
    size_t room, boxes; /* room for so many pixels and boxes */
} xa__work;
XA_MUST_USE xa_status xa__work_fit(xa__work *w, size_t pixels, size_t boxes, xa_err *err);
void xa__work_fini(xa__work *w);

/* The size of the scene of `spec` for a map and region. */
void xa__scene_size(const xa_metric_spec *spec,
                    const xa_region *r,
                    const xa_score_map *m,
                    int64_t *width,
                    int64_t *height);
/* Fills the scene, from work space of its size. An IMAGE scene of a large photograph takes seconds.
 */
XA_MUST_USE xa_status xa__scene_make(const xa_metric_spec *spec,
                                     const xa_region *r,
                                     const xa_score_map *m,
                                     xa__work *w,
                                     xa__scene *s,
                                     xa_err *err);
/* Channels of a map reduced to one [h,w]: the value of the largest size. */
void xa__reduce_channels(const xa_score_map *m, float *out);

/* [h,w] to [oh,ow] by the mean over each cell's area. */
void xa__area_mean(const float *in, int64_t h, int64_t w, float *out, int64_t oh, int64_t ow);

static inline double xa__value(const xa__scene *s, int64_t i)
{
    return s->exact ? s->exact[i] : (double)s->value[i];
}

/* The value of pixel i stretched to [0,1] by the spec's rule; 0 if the range is empty. */
static inline double xa__stretch(const xa_metric_spec *spec, const xa__scene *s, int64_t i)
{
    const double low = spec->minmax ? s->low : 0.0, span = s->high - low, v = xa__value(s, i);
    if (!(span > 0.0) || v <= low)
        return 0.0;
    return (v - low) / span;
}

/* Does the scene have a single value? */
static inline bool xa__flat(const xa__scene *s)
{
    return !(s->high > s->low);
}

/* One pair to be scored by one metric. Its annotated region counts, and the scene shows what the
 * metric compares with. */
typedef struct xa__pair {
    const xa_metric_spec *spec;
    const xa_region *region;
    const xa__scene *scene;
    xa__work *work;
    int64_t rank;    /* of the class, as in xa_score_map */
    void *statistic; /* a zeroed row of xa_metric_statistic_bytes, or NULL */
} xa__pair;

/* What a metric compares the map with. */
typedef enum xa__compares {
    XA__PIXELS, /* pixels of the region: the scene must show one */
    XA__BOXES,  /* annotated boxes, which may be too small to hold a pixel's centre */
    XA__POINT   /* the map's peak with the region; at MAP, in the stored frame */
} xa__compares;

/* A metric. The file of its formula defines it as xa__metric_<ENUM of XA_METRIC_LIST>; the other
 * files of this module know no metric by name. */
typedef struct xa__metric {
    double (*score)(const xa__pair *p); /* NaN: undefined for this pair */
    const char *reference;              /* paper */
    xa__compares compares;
    unsigned settings;                  /* XA__HAS(...) of those it has */
    void (*defaults)(xa_metric_spec *); /* sets what differs from other metrics; NULL: nothing */
    int most_levels;                    /* of the setting iou */
    xa_metric_scale scale;
    xa_metric_statistic statistic;
    const char *prediction; /* what of the thresholded map is compared, for conventions, or NULL */
} xa__metric;
#define XA__HAS(setting) (1u << XA_SETTING_##setting)
#define X(kind, text, unit) extern const xa__metric xa__metric_##kind;
XA_METRIC_LIST(X)
#undef X
const xa__metric *xa__metric_of(xa_metric_kind k);

/* Work space of xa__smooth: once and out [h * w], weight and tail [ceil(4 sigma) + 2], strip
 * [XA__SMOOTH_BLOCK * max(h, w)]. */
enum { XA__SMOOTH_BLOCK = 32 };
typedef struct xa__smoother {
    float *once, *out, *weight, *tail, *strip;
} xa__smoother;
/* Smooths in [h,w] (rows `stride` apart) by a Gaussian with repeated borders, to s->out [h,w].
 * xa__smooth_ref is the definition, for tests. */
void xa__smooth(
    const float *in, int64_t h, int64_t w, int64_t stride, double sigma, xa__smoother *s);
void xa__smooth_ref(const float *in, int64_t h, int64_t w, double sigma, float *once, float *out);
/* The threshold for stretched values; Otsu's is a grey level 0..255. */
double xa__cut(const xa_metric_spec *spec, const xa__scene *s);
static inline bool xa__above(const xa_metric_spec *spec, const xa__scene *s, int64_t i, double cut)
{
    const double v = xa__stretch(spec, s, i);
    return spec->cut == XA_CUT_OTSU ? (double)(int)(v * 255.0) > cut : v > cut;
}
/* The best intersection over union of box [x0,y0,x1,y1) with an annotated box. */
double xa__best_overlap(const xa_metric_spec *spec, const xa__scene *s, const double box[4]);

/* Sorts n keys, ascending, by radix; `other` has room for n. */
void xa__sort_keys(uint32_t *keys, uint32_t *other, size_t n);
/* A key whose order as an unsigned number is that of the float; -0 and 0 have the same. */
uint32_t xa__key(float v);

#endif
