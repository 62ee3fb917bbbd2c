/* Rows of a depthwise convolution, for its operator and for separable.c. Private to ops. */
#ifndef XAUDIT_NN_OPS_DEPTHWISE_H
#define XAUDIT_NN_OPS_DEPTHWISE_H

#include "../op.h"

xa_dw_shape xa_depthwise_of(const xa_graph *g, const xa_node *node);

/* Output rows [row0, row1) of a sample, y [row1-row0, OW, C*M] pointing at the first, with what
 * follows them. */
void xa_depthwise_rows(const xa_op_call *c,
                       const xa_dw_shape *s,
                       int64_t sample,
                       int64_t row0,
                       int64_t row1,
                       float *y);
/* Output rows [*first, *last) that input rows [row0, row1) take part in. */
void xa_depthwise_outputs(
    const xa_dw_shape *s, int64_t row0, int64_t row1, int64_t *first, int64_t *last);
/* Input gradient rows [row0, row1) of a sample, into c->dx; dy [last-first, OW, C*M] holds the
 * output rows [first, last), masked, all that those take part in. */
void xa_depthwise_rows_back(const xa_op_call *c,
                            const xa_dw_shape *s,
                            int64_t sample,
                            int64_t row0,
                            int64_t row1,
                            const float *dy,
                            int64_t first,
                            int64_t last);

#endif
