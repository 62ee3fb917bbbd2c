/* What the files of faith share. */
#ifndef XAUDIT_FAITH_FAITH_INTERNAL_H
#define XAUDIT_FAITH_FAITH_INTERNAL_H

#include "xaudit/faith.h"

/* The perturbation that draw `draw` of INFIDELITY takes from the input, [H,W,C]. */
void xa__faith_noise(const xa_faith_spec *check, const xa_subject *s, int64_t draw, float *field);

/* The cell of a grid of cells x cells over the input [h,w] that a pixel lies in. */
int64_t xa__faith_cell(int64_t pixel, int64_t height, int64_t width, int cells);

#endif
