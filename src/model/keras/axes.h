/* Axes of a tensor, moved to its end and back: layers that normalise, sum up or apply a softmax
 * along any axes are built of operators that work on the last one. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_AXES_H
#define XAUDIT_MODEL_KERAS_AXES_H

#include "layers.h"

/* Where axes were before they were moved. */
typedef struct xa__kaxes {
    xa_shape before;          /* the tensor's shape */
    xa_shape moved;           /* that shape with the chosen axes last, in ascending order */
    int order[XA_MAX_DIMS];   /* axis i of `moved` is axis order[i] of `before` */
    int axes[XA_MAX_DIMS], n; /* the chosen ones, ascending */
} xa__kaxes;

/* Reads axes as Keras counts them (0 is the batch, negative ones count from the end): a number, or
 * a list; NULL or null means `missing`. FORMAT and INVALID name what was found. */
XA_MUST_USE xa_status xa__kaxes_read(const xa__ksite *s,
                                     const json_t *value,
                                     int64_t missing,
                                     int node,
                                     xa__kaxes *out,
                                     xa_err *err);
/* [rest.., count]: the chosen axes moved to the end and made one. */
XA_MUST_USE xa_status
xa__kaxes_join(const xa__ksite *s, const xa__kaxes *a, int in, int *out, xa_err *err);
/* From [rest.., count] to the shape before. */
XA_MUST_USE xa_status
xa__kaxes_restore(const xa__ksite *s, const xa__kaxes *a, int in, int *out, xa_err *err);
/* From [rest.., 1], which a reduction left, to the shape before with extents of 1 (keep), or
 * without the chosen axes. */
XA_MUST_USE xa_status
xa__kaxes_reduced(const xa__ksite *s, const xa__kaxes *a, int in, bool keep, int *out, xa_err *err);
/* The values of the chosen axes, as a layer's weight over them has: [extents..]. */
xa_shape xa__kaxes_extents(const xa__kaxes *a);
/* Of the joined axis. */
int64_t xa__kaxes_count(const xa__kaxes *a);
/* A permutation; the node itself if it changes nothing. */
XA_MUST_USE xa_status
xa__kaxes_permute(const xa__ksite *s, int in, const int *order, int *out, xa_err *err);

#endif
