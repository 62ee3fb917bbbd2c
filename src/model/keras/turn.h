/* Models saved with channels_first: their tensors are [channels,height,width], the engine's
 * [height,width,channels]. The input is turned once at the model's start; a layer that is told
 * channels_first, or works on every value, then runs on the engine's order, and a turn that undoes
 * another vanishes, so that none is left in a trunk of convolutions. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_TURN_H
#define XAUDIT_MODEL_KERAS_TURN_H

#include "layers.h"

/* [C,H,W] as [H,W,C]: the node that was turned before, or a new one. */
XA_MUST_USE xa_status xa__kturn_last(const xa__ksite *s, int in, int *out, xa_err *err);
/* [H,W,C] as [C,H,W]. */
XA_MUST_USE xa_status xa__kturn_first(const xa__ksite *s, int in, int *out, xa_err *err);
/* The [H,W,C] behind a node that xa__kturn_first made; any other node is itself. */
int xa__kturn_behind(const xa_graph *g, int node);
/* May the operator run on tensors that are turned, because it works on every value by itself, or
 * joins channels? */
bool xa__kturn_passes(
    const xa__ksite *s, xa_op op, const int *in, int nin, const int *weights, int nweights);

#endif
