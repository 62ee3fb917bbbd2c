/* Every setting of a job file: the one list that its reader knows.
 *
 * A new setting is a line here, what reads it in a file of src/job/, a line of the identity where
 * it moves a stored number or table (identity_text.c), and a row in
 * tests/job/identity/settings.txt, without which test_identity fails. */
#ifndef XAUDIT_JOB_SETTINGS_H
#define XAUDIT_JOB_SETTINGS_H

#include <stdbool.h>

/* X(ENUM, what messages call it): the maps of a job. */
#define XA_JOB_MAP_LIST(X)                      \
    X(JOB, "job")                               \
    X(MANIFEST, "manifest")                     \
    X(STORE, "store")                           \
    X(LIMITS, "limits")                         \
    X(MODEL, "model")                           \
    X(INPUT, "input")                           \
    X(SCALE, "scale")                           \
    X(FIT, "fit")                               \
    X(DEPTH, "depth")                           \
    X(EXPLAINER, "explainer")                   \
    X(EXPLAINER_INPUT, "input of an explainer") \
    X(TARGET, "target")                         \
    X(METRIC, "metric")                         \
    X(AT, "at")
typedef enum xa_job_map {
#define X(name, text) XA_JOB_##name,
    XA_JOB_MAP_LIST(X)
#undef X
        XA_JOB_MAPS
} xa_job_map;

/* X(map, key) in the order of messages. */
#define XA_JOB_SETTING_LIST(X)        \
    X(JOB, "manifest")                \
    X(JOB, "output")                  \
    X(JOB, "classes")                 \
    X(JOB, "label_as")                \
    X(JOB, "categories")              \
    X(JOB, "models")                  \
    X(JOB, "metrics")                 \
    X(JOB, "checks")                  \
    X(JOB, "store")                   \
    X(JOB, "tolerate_failed")         \
    X(JOB, "threads")                 \
    X(JOB, "numerics")                \
    X(JOB, "limits")                  \
    X(JOB, "frame")                   \
    X(MANIFEST, "wsol")               \
    X(MANIFEST, "images")             \
    X(MANIFEST, "masks")              \
    X(STORE, "thumbnails")            \
    X(LIMITS, "max_pixels")           \
    X(LIMITS, "max_bytes")            \
    X(LIMITS, "max_samples")          \
    X(MODEL, "name")                  \
    X(MODEL, "file")                  \
    X(MODEL, "architecture")          \
    X(MODEL, "head")                  \
    X(MODEL, "user_classes")          \
    X(MODEL, "batch")                 \
    X(MODEL, "input")                 \
    X(MODEL, "explainers")            \
    X(MODEL, "interpolate_positions") \
    X(INPUT, "size")                  \
    X(INPUT, "resize")                \
    X(INPUT, "scale")                 \
    X(INPUT, "fit")                   \
    X(INPUT, "depth")                 \
    X(INPUT, "orientation")           \
    X(SCALE, "div")                   \
    X(SCALE, "mean")                  \
    X(SCALE, "std")                   \
    X(FIT, "short")                   \
    X(FIT, "crop")                    \
    X(FIT, "pad")                     \
    X(DEPTH, "window")                \
    X(DEPTH, "percentile")            \
    X(EXPLAINER, "kind")              \
    X(EXPLAINER, "method")            \
    X(EXPLAINER, "heads")             \
    X(EXPLAINER, "start_layer")       \
    X(EXPLAINER, "discard")           \
    X(EXPLAINER, "input")             \
    X(EXPLAINER, "name")              \
    X(EXPLAINER, "profile")           \
    X(EXPLAINER, "score")             \
    X(EXPLAINER, "target")            \
    X(EXPLAINER, "layer")             \
    X(EXPLAINER, "channels")          \
    X(EXPLAINER, "absolute")          \
    X(EXPLAINER, "relu")              \
    X(EXPLAINER, "store")             \
    X(EXPLAINER_INPUT, "resize")      \
    X(EXPLAINER_INPUT, "scale")       \
    X(EXPLAINER_INPUT, "depth")       \
    X(TARGET, "class")                \
    X(METRIC, "kind")                 \
    X(METRIC, "name")                 \
    X(METRIC, "profile")              \
    X(METRIC, "at")                   \
    X(METRIC, "sign")                 \
    X(METRIC, "upsample")             \
    X(METRIC, "stretch")              \
    X(METRIC, "contours")             \
    X(METRIC, "difficult")            \
    X(METRIC, "crowd")                \
    X(METRIC, "tolerance")            \
    X(METRIC, "threshold")            \
    X(METRIC, "iou")                  \
    X(METRIC, "smoothing")            \
    X(METRIC, "k")                    \
    X(METRIC, "from_split")           \
    X(AT, "grid")

const char *xa_job_map_name(xa_job_map map);
/* The i-th setting of the list; false behind the last. */
bool xa_job_setting(int i, xa_job_map *map, const char **key);

#endif
