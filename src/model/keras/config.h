/* Keras configurations as JSON: parsing with limits and typed access. Private to model.
 *
 * Getters take a layer's `config` object (NULL allowed), a key and a default for keys that are
 * missing or null, as Keras' own constructors have defaults. Errors name the key, what was expected
 * and what was found; the caller puts the layer's name before them.
 */
#ifndef XAUDIT_MODEL_KERAS_CONFIG_H
#define XAUDIT_MODEL_KERAS_CONFIG_H

#include <jansson.h>

#include "xaudit/nn.h"

/* Extents, strides and the like. */
enum { XA__KMAX_EXTENT = 1 << 24, XA__KMAX_DEPTH = 256, XA__KMAX_VALUES = 8 << 20 };

/* Parses text of `size` bytes; refuses more than XA__KMAX_VALUES values and deeper nesting than
 * XA__KMAX_DEPTH before anything is allocated. The caller json_decref()s. */
XA_MUST_USE xa_status
xa__kjson_parse(const char *text, size_t size, const char *what, json_t **out, xa_err *err);
/* The value for messages, shortened to size - 1 bytes. */
const char *xa__kjson_text(const json_t *v, char *buf, size_t size);

/* A number: plain, or a NumPy or tensor value of one element as Keras writes them. */
bool xa__kjson_number(const json_t *v, double *out);
/* The numbers of a scalar, a list, or nested lists whose outer extents are all 1; returns how many.
 * 0 if the value is anything else, or has more than max. */
int xa__kjson_numbers(const json_t *v, double *out, int max);

/* The numbers of nested lists, as of a tensor: its shape, and its values, which the caller frees.
 * A single number has no axes. UNSUPPORTED if lists differ in length or hold anything else. */
XA_MUST_USE xa_status xa__kjson_array(const json_t *v,
                                      xa_shape *shape,
                                      float **values,
                                      xa_err *err);

XA_MUST_USE xa_status xa__kget_int(const json_t *config,
                                   const char *key,
                                   int64_t missing,
                                   int64_t low,
                                   int64_t high,
                                   int64_t *out,
                                   xa_err *err);
/* One number for both, or a list of two; each at least `low`. */
XA_MUST_USE xa_status xa__kget_pair(const json_t *config,
                                    const char *key,
                                    int64_t missing,
                                    int64_t low,
                                    int64_t out[2],
                                    xa_err *err);
XA_MUST_USE xa_status
xa__kget_real(const json_t *config, const char *key, double missing, double *out, xa_err *err);
XA_MUST_USE xa_status
xa__kget_bool(const json_t *config, const char *key, bool missing, bool *out, xa_err *err);
/* *out is borrowed from config. */
XA_MUST_USE xa_status xa__kget_text(
    const json_t *config, const char *key, const char *missing, const char **out, xa_err *err);
/* Fails UNSUPPORTED if `key` is there and neither null nor false. */
XA_MUST_USE xa_status xa__kget_refuse(const json_t *config, const char *key, xa_err *err);
/* True if the key is missing or null. */
bool xa__kget_absent(const json_t *config, const char *key);

#endif
