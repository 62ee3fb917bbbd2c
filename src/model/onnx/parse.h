/* What the files that parse share. Private to model/onnx. */
#ifndef XAUDIT_MODEL_ONNX_PARSE_H
#define XAUDIT_MODEL_ONNX_PARSE_H

#include "model.h"

enum { XA__ONNX_MOST = 1 << 20, XA__ONNX_FILES = 4096 };

/* Text of a field of bytes; NULs inside end it. "" for other kinds. */
const char *xa__onnx_text_of(xa__onnx *m, const xa__wire *w, const xa__field *f);
/* FORMAT: no valid field of `what`. */
xa_status xa__onnx_damaged(const xa__onnx *m, const xa__wire *w, const char *what, xa_err *err);
xa_status xa__onnx_too_many(const xa__onnx *m, const char *what, xa_err *err);
/* key and value of an entry of texts */
void xa__onnx_read_entry(xa__onnx *m, xa__wire w, const char **key, const char **value);
/* A TensorProto: its place is checked and kept. */
xa_status xa__onnx_parse_tensor(xa__onnx *m, xa__wire w, int *index, xa_err *err);

#endif
