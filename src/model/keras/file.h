/* clang-format off */
/* The HDF5 side of a Keras file: which weights it has, where, of which shape, and their values. Private to
 * model. No file is ever written.
 *
 * Layouts
 *   - groups: `.h5` of Keras 1 to 3, with an attribute layer_names and one group per layer, whose
 *     attribute weight_names lists its weights (at the root, or in `model_weights` of a whole model).
 *     A nested model is one group.
 *   - vars: `.weights.h5` of Keras 3, with layers/<class>_<n>/.../vars/<i>
 */
/* clang-format on */
#ifndef XAUDIT_MODEL_KERAS_FILE_H
#define XAUDIT_MODEL_KERAS_FILE_H

#include "attribute.h"
#include "xaudit/nn.h"

typedef enum xa__klayout { XA__KLAYOUT_GROUPS, XA__KLAYOUT_VARS } xa__klayout;

/* One weight of the file. */
typedef struct xa__ktensor {
    char *path; /* "model_weights/conv/conv/kernel:0", from the root */
    char *name; /* "conv/kernel", without ":0" */
    xa_shape shape;
    bool usable;  /* floating point, at most XA_MAX_DIMS dimensions */
    bool bfloat;  /* stored as bfloat16 */
    bool opaque;  /* bytes without a type */
    bool integer; /* whole numbers, as quantised weights are */
} xa__ktensor;

/* One layer's group: tensors first .. first + count - 1, in the order of weight_names. */
typedef struct xa__kgroup {
    char *name;
    int first, count;
} xa__kgroup;

typedef struct xa__kfile {
    char *path;
    bool zipped;    /* path is a .keras archive; the HDF5 file is its model.weights.h5 */
    int64_t handle; /* HDF5's, or -1: closed */
    xa__klayout layout;
    const char
        *base;     /* the part that holds the model's weights: "model_weights/" or "", all of it */
    char *config;  /* attribute model_config, NUL-terminated, or NULL: weights only */
    char *version; /* "2.15.0" or NULL */
    char *backend; /* "tensorflow" or NULL */
    xa__kgroup *groups;
    size_t ngroups, group_cap;
    xa__ktensor *tensors;
    size_t ntensors, tensor_cap;
} xa__kfile;

/* Opens the file, and reads its configuration and where its weights lie. The file stays open until
 * xa__kfile_close. */
XA_MUST_USE xa_status
xa__kfile_open(const char *path, bool zipped, size_t max_config, xa__kfile **out, xa_err *err);
void xa__kfile_free(xa__kfile *f);
/* Opens the file again if it was closed. */
XA_MUST_USE xa_status xa__kfile_reopen(xa__kfile *f, xa_err *err);
void xa__kfile_close(xa__kfile *f);

/* Layout vars: adds the tensors of `<group>/vars`, or none if there is no such group. */
XA_MUST_USE xa_status
xa__kfile_vars(xa__kfile *f, const char *group, int *first, int *count, xa_err *err);
/* weights.c, called by file.c while HDF5 does not print. read_layout finds out which layout the
 * file has, and reads its configuration, versions and groups; add_vars is xa__kfile_vars. */
XA_MUST_USE xa_status xa__kfile_read_layout(xa__kfile *f, size_t max_config, xa_err *err);
XA_MUST_USE xa_status
xa__kfile_add_vars(xa__kfile *f, const char *group, int *first, int *count, xa_err *err);
/* Paths of all datasets from the root on, in the order of the file; the caller frees them with
 * xa_names_free. */
XA_MUST_USE xa_status xa__kfile_list(xa__kfile *f, xa_names *out, xa_err *err);
/* Reads the values of a tensor as float32. dst: [xa_shape_count(shape)]; SHAPE unless shape is the
 * file's. */
XA_MUST_USE xa_status
xa__kfile_read(xa__kfile *f, int tensor, const xa_shape *shape, float *dst, xa_err *err);

#endif
