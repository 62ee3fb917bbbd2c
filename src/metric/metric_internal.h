/* Private to metric: the scene and its work space. */
#ifndef XAUDIT_METRIC_INTERNAL_H
#define XAUDIT_METRIC_INTERNAL_H

#include "xaudit/metric.h"

/* where[i] of a scene's pixel */
enum { XA__BACKGROUND = 0, XA__REGION = 1, XA__IGNORED = 2, XA__UNSEEN = 3 };

/* Counts nowhere: ignored, or outside of what the model saw. */
static inline bool xa__left_out(uint8_t where)
{
    return where >= XA__IGNORED;
}

/* Map and region on one grid. Arrays are borrowed from the work space. */
typedef struct xa__scene {
    int64_t width, height, count; /* count = width * height */
    float *value;                 /* after the sign is taken */
    const double *exact;          /* the same in double, where a protocol has it so; NULL: value */
    uint8_t *where;
    int64_t region, seen;  /* pixels of the region; all pixels but those left out */
    double low, high;      /* over all pixels that the map reaches, ignored ones too */
    int64_t argmax;        /* first largest seen value in row-major order; -1: none is seen */
    double step_x, step_y; /* stored-frame pixels a scene pixel */
    double left, top;      /* stored frame, of the scene's corner */
    int nboxes;
    double (*box)[4]; /* annotated boxes, or the one around the masks; scene pixels */
} xa__scene;

/* The largest component of the scene at hand, for the metrics that ask for the same one. */
typedef struct xa__largest {
    bool known, any; /* any: something is above the cut */
    xa_metric_cut cut;
    double threshold;
    bool minmax;
    double box[4];
} xa__largest;

typedef struct xa__work {
    xa__largest largest;
    double *exact; /* as large as asked for: most scenes need none */
    size_t exact_room;
    bool sorted; /* keys hold the scene's (ranking.c); who uses them as scratch says so here */
    float *value, *scratch;
    float *strip; /* of smoothing; as large as asked for */
    size_t strip_room;
    uint8_t *where, *grey;
    uint32_t *keys[3];
    int32_t *parent, *order;
    struct xa__component *component;
    double (*box)[4];
    size_t room, boxes; /* pixels, boxes there is room for */
} xa__work;
XA_MUST_USE xa_status xa__work_fit(xa__work *w, size_t pixels, size_t boxes, xa_err *err);
void xa__work_fini(xa__work *w);

/* The size of the scene of `spec` for a map and region. */
void xa__scene_size(const xa_metric_spec *spec,
                    const xa_region *r,
                    const xa_score_map *m,
                    int64_t *width,
                    int64_t *height);
/* Fills the scene from work space that fits it. IMAGE scenes of large photographs take a while. */
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

/* Pixel i stretched to [0,1] by the spec's rule; 0 where that leaves nothing to divide by. */
static inline double xa__stretch(const xa_metric_spec *spec, const xa__scene *s, int64_t i)
{
    const double low = spec->minmax ? s->low : 0.0, span = s->high - low, v = xa__value(s, i);
    if (!(span > 0.0) || v <= low)
        return 0.0;
    return (v - low) / span;
}

/* One value of the scene: nothing is larger than anything else. */
static inline bool xa__flat(const xa__scene *s)
{
    return !(s->high > s->low);
}

/* One pair to be scored by one metric: the annotated region counts, and the scene shows what the
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

/* A metric. Its formula's file defines it under the name xa__metric_<ENUM of XA_METRIC_LIST>; the
 * other files of this module know it by this table alone. */
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
/* s->out becomes in [h,w] (rows `stride` apart) under a Gaussian, borders repeated. The twin is the
 * definition. */
void xa__smooth(
    const float *in, int64_t h, int64_t w, int64_t stride, double sigma, xa__smoother *s);
void xa__smooth_ref(const float *in, int64_t h, int64_t w, double sigma, float *once, float *out);
/* The threshold, of the stretched values; Otsu's is a grey level 0..255. */
double xa__cut(const xa_metric_spec *spec, const xa__scene *s);
static inline bool xa__above(const xa_metric_spec *spec, const xa__scene *s, int64_t i, double cut)
{
    const double v = xa__stretch(spec, s, i);
    return spec->cut == XA_CUT_OTSU ? (double)(int)(v * 255.0) > cut : v > cut;
}
/* Best overlap of box [x0,y0,x1,y1) with an annotated one. */
double xa__best_overlap(const xa_metric_spec *spec, const xa__scene *s, const double box[4]);

/* Ascending, by radix; `other` has room for n. */
void xa__sort_keys(uint32_t *keys, uint32_t *other, size_t n);
/* Order of unsigned keys = order of floats; -0 and 0 are one. */
uint32_t xa__key(float v);

#endif
