/* Damaged Keras models, made of golden ones: their configuration changed, the rest as it was. */
#ifndef XAUDIT_TEST_DAMAGED_MODEL_H
#define XAUDIT_TEST_DAMAGED_MODEL_H

#include <jansson.h>

#include "xaudit/util.h"

/* The model_config of a whole-model .h5; the caller json_decref()s. Any failure ends the test. */
json_t *damaged_config(const char *golden);
/* The layer's entry of a configuration, borrowed: "outer/inner" for nested ones. */
json_t *damaged_layer(json_t *model, const char *path);
/* Sets a value given as JSON text ("\"x\"", "[1,2]"). */
void damaged_set(json_t *object, const char *key, const char *value);

/* Writes the golden .h5 to `path` with this text as its model_config. */
void damaged_write(const char *golden, const char *config, const char *path);
void damaged_write_json(const char *golden, const json_t *config, const char *path);
/* Replaces one weight of the file: a dataset of that shape and zeros. */
void damaged_weight(const char *path, const char *dataset, int ndim, const uint64_t *dims);
void damaged_copy(const char *from, const char *to);
/* Adds a dataset of three zeros with the groups on its way. */
void damaged_add(const char *path, const char *dataset);
/* Replaces an attribute by a list of strings; n 0: by an empty list. */
void damaged_names(const char *path,
                   const char *object,
                   const char *attribute,
                   const char *const *names,
                   size_t n);
/* Strings of an attribute (Keras' lists of names); *n is 0 if there is none. Free with free(): one
 * block. */
char **damaged_read_names(const char *path, const char *object, const char *attribute, size_t *n);

#endif
