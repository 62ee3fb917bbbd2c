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

/* parse.c: a NodeProto, an initializer of the graph or branch that is parsed. */
xa_status xa__onnx_parse_node(xa__onnx *m, xa__wire w, xa_err *err);
xa_status xa__onnx_parse_initializer(xa__onnx *m, xa__wire w, xa_err *err);
xa_status xa__onnx_keep_node(xa__onnx *m, const xa__onnx_node *n, xa_err *err);

/* ---- parse_branch.c ---- */

/* Names of a branch: its own begin with a prefix; others are those around it. */
typedef struct xa__onnx_scope {
    const struct xa__onnx_scope *outer;
    const char *prefix;
    int depth;
} xa__onnx_scope;

/* The value that a name means where it stands. */
xa_status xa__onnx_named(xa__onnx *m, const char *name, int *value, xa_err *err);
/* Puts both branches of an If in line, then a node that chooses for each of its outputs; *done
 * false: it has not two branches with an output for each of its own, and is refused later. */
xa_status xa__onnx_put_in_line(
    xa__onnx *m, const xa__onnx_node *n, xa__wire message, bool *done, xa_err *err);

#endif
