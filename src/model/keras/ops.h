/* Operations of a functional graph that have files of their own; the table that names them is in
 * layers_tfop.c. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_OPS_H
#define XAUDIT_MODEL_KERAS_OPS_H

#include "layers.h"

/* layers_slice.c */
xa__kbuild_fn xa__kop_slice;
/* layers_reduce.c: along the axes that the call names, which may not be the batch */
xa__kbuild_fn xa__kop_mean, xa__kop_sum, xa__kop_max, xa__kop_min;

#endif
