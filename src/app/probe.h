/* Private to app. */
#ifndef XAUDIT_APP_PROBE_H
#define XAUDIT_APP_PROBE_H

#include "app.h"

/* Accuracy of every model on `most` labelled samples, evenly spread over the manifest, with the
 * job's scaling and the usual others, RGB and BGR: the wrong one is the mistake no error tells.
 * Forward passes only. INVALID when nothing is labelled. */
XA_MUST_USE xa_status xa_check_probe(const xa_loaded *l, int64_t most, xa_err *err);

#endif
