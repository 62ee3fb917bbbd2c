/* Rows that nobody asks for are not computed: the last block of a transformer is wanted for its
 * class token alone, from the attention's output on. Private to nn.
 *
 * A graph that picks rows [a, b) of some [T,D] late, behind operators that treat every row for
 * itself (dense layers, normalisations, activations, sums), is written anew so that it picks them
 * early. Rows are computed independently of each other (kernels.h), so that what is left has the
 * same bytes. Exposed nodes keep all their rows. */
#ifndef XAUDIT_NN_NARROW_H
#define XAUDIT_NN_NARROW_H

#include "op.h"

typedef struct xa_narrowed {
    xa_graph
        *graph; /* owned; borrows the weights of the graph it comes from. NULL: nothing to do */
    int *of;    /* [old nodes] the node that stands for it, -1: not computed, or not whole */
    int *ids;   /* [new nodes] the node it comes from */
    size_t ids_cap;
} xa_narrowed;

/* exposed [nodes]: whose values must stay whole. */
xa_status xa_narrow(const xa_graph *g, const bool *exposed, xa_narrowed *out, xa_err *err);
void xa_narrowed_free(xa_narrowed *n);

#endif
