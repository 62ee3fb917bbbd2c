/* From the JSON of a Keras model to its architecture. */
#ifndef XAUDIT_MODEL_KERAS_SCOPE_H
#define XAUDIT_MODEL_KERAS_SCOPE_H

#include "architecture.h"

/* Parses a model's JSON, {"class_name", "config"}. Unknown classes, cycles, references to nothing,
 * and several inputs or outputs are errors that name the layer. user_classes
 * and output: as in xa_model_options. */
XA_MUST_USE xa_status xa__kscope_parse(const json_t *model,
                                       const char *user_classes,
                                       const char *output,
                                       xa__kscope **out,
                                       xa_err *err);
void xa__kscope_free(xa__kscope *s);

/* The class name without "Package>" in front. */
const char *xa__kclass_bare(const char *written);
/* Is the class Keras' own, not a user's of the same name? `entry` may hold "module" and
 * "registered_name"; NULL: only the name is known. library: the class is one that vit-keras
 * defines, which counts as well. named: the class with its package or module, "my>Conv2D". */
bool xa__kclass_is_own(
    const json_t *entry, const char *written, bool library, char *named, size_t size);
/* Does the job say that this class (`named` as above) equals Keras' own: is it a line of `list`?
 * NULL: no list. */
bool xa__kclass_is_listed(const char *list, const char *named);
/* The shape of the model's input in the file, as in batch_input_shape but without the batch; -1 for
 * open extents. False if the file has none. */
bool xa__kscope_input_shape(const xa__kscope *s, xa_shape *out);
/* Is the input [channels,height,width]: does the first layer that says how its images lie, say
 * channels_first? */
bool xa__kscope_channels_first(const xa__kscope *s);
/* Name of the input layer, or NULL. */
const char *xa__kscope_input_name(const xa__kscope *s);
/* Are the file's calls written in the form of Keras 3? */
bool xa__kscope_is_keras3(const xa__kscope *s);

#endif
