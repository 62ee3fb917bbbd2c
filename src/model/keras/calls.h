/* Inbound nodes of a functional model: parsing and order. */
#ifndef XAUDIT_MODEL_KERAS_CALLS_H
#define XAUDIT_MODEL_KERAS_CALLS_H

#include "architecture.h"

/* Fills calls, input, output and order of a functional scope whose layers have names; `entries` is
 * the list of layers in the JSON; `output`: which of several outputs, NULL: the only one. */
XA_MUST_USE xa_status xa__kcalls_parse(xa__kscope *s,
                                       const json_t *entries,
                                       const char *output,
                                       xa_err *err);

#endif
