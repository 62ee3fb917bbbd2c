/* The geometry of a convolution and its packed weights: what conv2d.c, its ways and separable.c
 * share. Private to ops. */
#ifndef XAUDIT_NN_OPS_CONV2D_SHAPE_H
#define XAUDIT_NN_OPS_CONV2D_SHAPE_H

#include "../linear.h"

typedef struct xa_conv {
    xa_axis y, x;
    int64_t c, f, groups, cg, fg; /* channels, filters, and those of one group */
    int64_t taps;                 /* KH*KW */
    int64_t k;                    /* KH*KW*cg: depth of the product */
    int64_t pixels;               /* output pixels of a sample */
} xa_conv;

xa_conv xa_conv_of(const xa_graph *g, const xa_node *node);
/* A 1x1 kernel, stride 1, one group: rows of x times a matrix (linear.h). */
bool xa_conv_is_pointwise(const xa_conv *q);

/* Fewer channels than gathering is slower for than a pointer for each tap's piece of a row. */
bool xa_conv_is_thin(const xa_conv *q);
/* Its product, but Winograd's: rows of all taps together where pixels are gathered, else a piece
 * for each tap. */
xa_product xa_conv_product(const xa_graph *g, const xa_conv *q);

#endif
