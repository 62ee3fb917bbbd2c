/* Attention as a pattern or an Attention node says it: y = softmax(scale by_head q k^T + added) v,
 * side by side for L = G*N pairs of matrices, of which the innermost N are heads, whose results lie
 * side by side in a token, and the others groups (windows). Private to model.
 *
 * Inputs of the node are q [..,T,K], k [..,S,K] (or [..,K,S]), v [..,S,V]; the axes before the last
 * two have L elements in the same order in all, however many they are.
 */
#ifndef XAUDIT_MODEL_ONNX_ATTENTION_H
#define XAUDIT_MODEL_ONNX_ATTENTION_H

#include "build.h"

/* A constant that is added to scores of shape `at` [..,T,S], or multiplies them; its shape
 * broadcasts to that. Truths say which keys count. */
typedef struct xa__onnx_added {
    int value;
    xa__onnx_shape at;
    double scale;
} xa__onnx_added;

/* Of what a constant of the scores depends: on the head, on the group, on both; or on neither. */
enum { XA__ONNX_BY_HEAD = 1, XA__ONNX_BY_GROUP = 2 };

enum { XA__ONNX_BIAS, XA__ONNX_MASK, XA__ONNX_ADDED };
struct xa__onnx_form {
    double scale;
    int64_t groups, heads; /* G, N */
    bool turned;           /* k is [..,K,S] */
    bool has[XA__ONNX_ADDED];
    xa__onnx_added added[XA__ONNX_ADDED]; /* the weights of the engine's operator */
    bool scaled_by_head;
    xa__onnx_added by_head;                      /* [..,1,1] */
    const struct xa__onnx_literal_mask *literal; /* or NULL; then has[] is false */
};

/* Numbers that are added to the scores: [G or 1, N or 1, T, S]. */
struct xa__onnx_literal_mask {
    xa__onnx_shape shape;
    float *values;
};

/* How a constant of the scores is read as [G,N,T,S], without G or N where it does not depend on it:
 * *depends has their bits. False: N does not divide its axes. */
bool xa__onnx_added_weight(const xa__onnx_build *b,
                           const xa__onnx_added *a,
                           int64_t heads,
                           xa__onnx_weight *w,
                           unsigned *depends);
/* Puts it where it belongs; false where that is taken. */
bool xa__onnx_add_to_form(const xa__onnx_build *b,
                          struct xa__onnx_form *form,
                          const xa__onnx_added *a);
/* ops_einsum.c: whether a node multiplies matrices [..,M,K] and [..,K,N], or (*turned) [..,N,K]:
 * MatMul, or Einsum that says so. */
bool xa__onnx_is_product(xa__onnx_build *b, const xa__onnx_node *n, bool *turned);
/* q, k, v as runs whose axes before the last two are the pairs, any number of axes; *out:
 * [G,N,T,V]. Changes qkv. */
XA_MUST_USE xa_status xa__onnx_attend(xa__onnx_build *b,
                                      xa__onnx_node *n,
                                      const struct xa__onnx_form *form,
                                      xa__onnx_run qkv[3],
                                      xa__onnx_run *out,
                                      xa_err *err);
/* N of an output [..,T,V]: what its readers merge with V. 0: they do not tell. */
int64_t xa__onnx_heads_of(const xa__onnx_build *b, int value);

#endif
