/* metric: localisation scores of one map against one sample's annotations.
 *
 * Metrics are per (sample, annotated class) pair; undefined is NaN, never 0. All geometry is in the
 * stored frame (pixel (x,y) covers [x,x+1) x [y,y+1), boxes half-open).
 */
#ifndef XAUDIT_METRIC_H
#define XAUDIT_METRIC_H

#include "xaudit/image.h"
#include "xaudit/manifest.h"

/* X(ENUM, name, unit) */
#define XA_METRIC_LIST(X) X(POINTING_GAME, "pointing_game", "hit 1, miss 0")
typedef enum xa_metric_kind {
#define X(name, text, unit) XA_METRIC_##name,
    XA_METRIC_LIST(X)
#undef X
        XA_METRIC_COUNT
} xa_metric_kind;
int xa_metric_parse(const char *name); /* -1 when unknown */
const char *xa_metric_kind_name(xa_metric_kind k);
const char *xa_metric_unit(xa_metric_kind k);

typedef struct xa_metric_spec {
    xa_metric_kind kind;
    char name[64]; /* in the archive */
    double
        tolerance; /* POINTING_GAME: pixels of the stored frame; a point closer than this to the
                      region (to the centre of one of its pixels) is a hit; 0: the pixel itself */
} xa_metric_spec;
xa_metric_spec xa_metric_defaults(xa_metric_kind kind);

/* The annotated region of one class in one sample: union of its boxes and masks. */
typedef struct xa_region {
    int64_t width, height; /* of the stored frame */
    int nboxes;
    double (*boxes)[4]; /* x0,y0,x1,y1, clipped to the frame; owned */
    uint8_t *mask;      /* [height,width] 0/1, union of the masks; NULL if there are none; owned */
    bool empty;         /* nothing visible: metrics are undefined */
} xa_region;
/* Masks of another size than the frame are refused (MISMATCH names both sizes). Difficult and crowd
 * annotations count. class_index: the annotated class. */
XA_MUST_USE xa_status xa_region_init(xa_region *r,
                                     const xa_sample *s,
                                     int32_t class_index,
                                     int64_t width,
                                     int64_t height,
                                     xa_err *err);
void xa_region_fini(xa_region *r);
bool xa_region_contains(const xa_region *r, double x, double y);

/* Pointing game (Zhang et al. 2018, Excitation Backprop; sign abs, at the map's own grid): 1 if the
 * point lies in the region or closer than the tolerance, else 0; NaN if the region is empty. A
 * degenerate map has no point: pass has_point = false, which is a miss. */
double xa_pointing_game(
    const xa_metric_spec *spec, const xa_region *r, bool has_point, double x, double y);

#endif
