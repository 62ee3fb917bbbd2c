/* Attributes of text, as Keras writes them into HDF5: of fixed or variable length and of any rank.
 * `object` is an open HDF5 object; the caller switches HDF5's own printing off. Private to model.
 */
#ifndef XAUDIT_MODEL_KERAS_ATTRIBUTE_H
#define XAUDIT_MODEL_KERAS_ATTRIBUTE_H

#include "xaudit/util.h"

enum { XA__KMAX_NAMES = 1 << 20 };

/* The one string of an attribute, of at most `limit` bytes; NULL if there is no such attribute. */
XA_MUST_USE xa_status
xa__kattr_text(int64_t object, const char *name, size_t limit, char **out, xa_err *err);
/* The strings of attribute `name`, or of its pieces `name0`, `name1`, ...: Keras splits a list
 * above 64 KB. *found: the attribute exists. */
XA_MUST_USE xa_status
xa__kattr_list(int64_t object, const char *name, xa_names *out, bool *found, xa_err *err);

#endif
