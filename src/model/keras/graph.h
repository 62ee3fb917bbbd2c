/* From scopes to a graph: every call of every layer, in order. Private to model. */
#ifndef XAUDIT_MODEL_KERAS_GRAPH_H
#define XAUDIT_MODEL_KERAS_GRAPH_H

#include "layers.h"

/* Builds the scope on node `in`; *out is its output. Fills node and is_activation of every layer.
 */
XA_MUST_USE xa_status
xa__kgraph_build(xa__kbuild *b, xa__kscope *scope, int in, int *out, xa_err *err);

#endif
