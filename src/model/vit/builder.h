/* What build.c and head.c share while they make a graph. Private to vit. */
#ifndef XAUDIT_MODEL_VIT_BUILDER_H
#define XAUDIT_MODEL_VIT_BUILDER_H

#include "vit.h"

enum { XA__VIT_NAME = 256 };

/* `name` is that of the next node and layer. */
typedef struct xa__vit_builder {
    xa__vit *v;
    xa_model *m;
    xa_graph *g;
    char name[XA__VIT_NAME];
} xa__vit_builder;

/* Adds a node under the present name. */
XA_MUST_USE xa_status xa__vit_add(xa__vit_builder *b,
                                  xa_op op,
                                  const int *in,
                                  int nin,
                                  const int *weights,
                                  int nweights,
                                  const xa_op_params *params,
                                  int *out,
                                  xa_err *err);
/* Adds a line to the layer table under the present name; its parameters are the weights from
 * first_weight on. */
XA_MUST_USE xa_status
xa__vit_layer(xa__vit_builder *b, const char *type, int node, int64_t first_weight, xa_err *err);
/* Sets the name: of a block, in which the pattern's %d is its number, or another; then the suffix.
 */
void xa__vit_name(xa__vit_builder *b, const char *pattern, int64_t block, const char *suffix);
/* A product with rows [first, first + out) of the part's matrix [rows,in] and bias. */
XA_MUST_USE xa_status xa__vit_dense(xa__vit_builder *b,
                                    int x,
                                    int64_t block,
                                    xa__vit_part matrix,
                                    xa__vit_part bias,
                                    int64_t in,
                                    int64_t first,
                                    int64_t out,
                                    int *y,
                                    xa_err *err);
/* The model's norm over the last axis, and its line in the layer table. */
XA_MUST_USE xa_status xa__vit_norm(xa__vit_builder *b,
                                   int x,
                                   int64_t block,
                                   xa__vit_part gamma,
                                   xa__vit_part beta,
                                   int *y,
                                   xa_err *err);
XA_MUST_USE xa_status
xa__vit_reshape(xa__vit_builder *b, int x, const xa_shape *shape, int *y, xa_err *err);
/* head.c: from the tokens [T,D] to the scores [classes]. */
XA_MUST_USE xa_status xa__vit_head(xa__vit_builder *b, int x, int *y, xa_err *err);

#endif
