/* A safetensors file: which tensors it has, where they lie, and their values. Private to model.
 *
 * The file has eight bytes (the length of the header, little-endian), a JSON object {name: {dtype,
 * shape, data_offsets}}, and the values. Everything is checked: offsets must lie inside the file,
 * fit shape and dtype, and neither overlap nor leave holes.
 */
#ifndef XAUDIT_MODEL_SAFETENSORS_FILE_H
#define XAUDIT_MODEL_SAFETENSORS_FILE_H

#include "xaudit/nn.h"

typedef enum xa__sdtype {
    XA__SDTYPE_F16,
    XA__SDTYPE_BF16,
    XA__SDTYPE_F32,
    XA__SDTYPE_F64
} xa__sdtype;

typedef struct xa__stensor {
    char *name;
    xa__sdtype dtype;
    bool usable; /* floating point and at most XA_MAX_DIMS dimensions; others are only listed */
    xa_shape shape;
    int64_t at; /* of its first byte in the file */
    int64_t bytes;
} xa__stensor;

typedef struct xa__sfile {
    char *path;
    int fd;               /* -1: closed */
    xa__stensor *tensors; /* by name, ascending */
    size_t ntensors;
} xa__sfile;

/* Could these n bytes be the start of such a file? */
bool xa__sfile_recognises(const unsigned char *start, size_t n);
/* Reads the header, of at most max_header bytes. FORMAT names what is wrong with which tensor. */
XA_MUST_USE xa_status xa__sfile_open(const char *path,
                                     size_t max_header,
                                     xa__sfile **out,
                                     xa_err *err);
void xa__sfile_close(xa__sfile *f);
void xa__sfile_free(xa__sfile *f);
/* The index of a tensor; -1: there is none. */
int xa__sfile_find(const xa__sfile *f, const char *name);
/* Reads values [first, first + n) of a usable tensor, in row-major order, as float32. Opens the
 * file if it is closed. */
XA_MUST_USE xa_status
xa__sfile_read(xa__sfile *f, int tensor, int64_t first, int64_t n, float *dst, xa_err *err);

#endif
