/* What the files of this folder share. Only they see HDF5. */
#ifndef ARCHIVE_INTERNAL_H
#define ARCHIVE_INTERNAL_H

/* Later libraries then offer the calls as 1.10 has them. */
#ifndef H5_USE_110_API
#define H5_USE_110_API 1
#endif
#include <hdf5.h>

#include "xaudit/archive.h"

#ifndef H5_HAVE_PARALLEL
#error "xaudit needs a parallel HDF5 (Debian: libhdf5-openmpi-dev)"
#endif

/* ---- h5_error.c: HDF5's failures as ours ------------------------------------------------------
 */

/* HDF5 prints its error stack unless that is switched off; every public function does so between
 * begin and end. */
typedef struct xa__quiet {
    H5E_auto2_t print;
    void *arg;
} xa__quiet;
void xa__quiet_begin(xa__quiet *q);
void xa__quiet_end(const xa__quiet *q);

/* Sets `err` to the message with the innermost reason of HDF5's stack appended. To be called right
 * after the failing call: the next one clears the stack. XA_IO and XA_FORMAT turn into what the
 * system's error means when there is one (XA_NOSPACE, XA_IO, ...). */
xa_status xa__h5_fail(
    xa_err *err, xa_status code, const char *file, const char *func, int line, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
#define XA_H5_FAIL(err, code, ...)                                                  \
    do {                                                                            \
        st = xa__h5_fail((err), (code), __FILE__, __func__, __LINE__, __VA_ARGS__); \
        goto done;                                                                  \
    } while (0)
/* The status that a failed system call on a file means. */
xa_status xa__errno_status(int cause);

/* Each closes what is open (>= 0) and forgets it. */
void xa__close_type(hid_t *id);
void xa__close_space(hid_t *id);
void xa__close_dataset(hid_t *id);
void xa__close_attribute(hid_t *id);
void xa__close_object(hid_t *id);
void xa__close_plist(hid_t *id);

/* ---- types.c ---- */

/* Transfers stay below this, and so does a row (MPI counts and HDF5 of this age: 2 GB). */
#define XA__TRANSFER_MAX ((size_t)1 << 30)

/* Datasets of a page or more start at a page. */
enum { XA__ALIGNMENT = 4096 };

/* The HDF5 type, of the file (little-endian) or of this machine's memory; close it. < 0: failed. */
hid_t xa__type_open(xa_type t, size_t string_bytes, bool in_memory);
/* What a type of a file is to us; XA_TYPE_COUNT when format 1 has no such type. */
xa_type xa__type_of(hid_t type);

/* ---- schema.c ---------------------------------------------------------------------------------
 */

typedef struct xa__field {
    xa_field_kind kind;
    char *path;
    xa_type type;
    size_t item_bytes, row_bytes; /* a row: all items of one first index */
    int ndim;
    int64_t dim[5];
    const void *data;
} xa__field;

typedef enum xa__attr_kind {
    XA__ATTR_TEXT,
    XA__ATTR_TEXTS,
    XA__ATTR_I64,
    XA__ATTR_F64
} xa__attr_kind;
typedef struct xa__attr {
    xa__attr_kind kind;
    char *path, *name;
    int64_t n;
    size_t item_bytes;
    void *values;
} xa__attr;

struct xa_schema {
    xa__field *field;
    size_t nfields, cap_fields;
    xa__attr *attr;
    size_t nattrs, cap_attrs;
};

/* A name of a model, explainer, metric, column or attribute (schema_attributes.c). */
bool xa__is_format_name(const char *name);
/* "4 x 10" for messages. */
void xa__shape_text(int ndim, const int64_t *dim, char *out, size_t size);

/* ---- reserve.c: places on the disk --------------------------------------------------------------
 * Messages are without the archive's path: the caller puts it before them. */

/* Reserves [0, size) of the file. NOSPACE names what is needed and what there is. *reserved is
 * false when the file system cannot and the free space was compared instead. */
XA_MUST_USE xa_status xa__reserve(int fd, size_t size, bool *reserved, xa_err *err);
/* Free bytes of the file's file system for us; -1: unknown. */
int64_t xa__free_bytes(int fd);
/* Gives the finished file its name, never replacing one (BUSY), durably. */
XA_MUST_USE xa_status xa__publish(const char *temp, const char *path, xa_err *err);
/* NAME.tmp-HOST-PID; caller frees. */
char *xa__temp_name(const char *path);
/* Removes the temporary files beside `path` whose process of this host is gone. */
void xa__remove_stale(const char *path);
/* Folder, writability, and that nothing has the name yet. */
XA_MUST_USE xa_status xa__check_place(const char *path, size_t size, xa_err *err);

/* ---- graft.c: what a new archive takes over from another
 * ---------------------------------------------------
 */

typedef struct xa__graft {
    hid_t file; /* the source */
    const xa_graft *spec;
    char *link;   /* what external links to it say */
    size_t bytes; /* that the copies take at most */
} xa__graft;
XA_MUST_USE xa_status xa__graft_open(xa__graft *g,
                                     const xa_graft *spec,
                                     const char *path,
                                     xa_err *err);
XA_MUST_USE xa_status xa__graft_put(const xa__graft *g, hid_t file, xa_err *err);
void xa__graft_close(xa__graft *g);

/* ---- dataset.c: an open dataset as rows
 * ------------------------------------------------------------
 */

typedef struct xa__rows {
    hid_t dataset, space;
    hid_t type; /* of the memory side */
    int ndim;
    hsize_t dim[5];
    int64_t count;    /* rows; 1 for a scalar */
    size_t row_bytes; /* 0: nothing to move */
    xa_dataset_info info;
} xa__rows;

/* The memory side: this machine's types, or the bytes as they are in the file. */
typedef enum xa__side { XA__NATIVE, XA__AS_STORED } xa__side;

/* Opens a dataset. NOT_FOUND; UNSUPPORTED: a type or shape that cannot be read in this way; LIMIT:
 * a row of XA__TRANSFER_MAX or more. On failure nothing is open. */
XA_MUST_USE xa_status
xa__rows_open(hid_t file, const char *path, xa__side side, xa__rows *out, xa_err *err);
void xa__rows_close(xa__rows *r);
/* FORMAT where a dataset claims more rows than the file can hold of it: they would be made up by
 * HDF5, terabytes of zeros if a file says so. */
XA_MUST_USE xa_status xa__check_stored(hid_t dataset, const xa_dataset_info *info, xa_err *err);
/* INVALID unless [first, first+n) lies within. */
XA_MUST_USE xa_status xa__rows_check(const xa__rows *r, int64_t first, int64_t n, xa_err *err);
/* Moves rows into `in`, or from `out` when `in` is NULL, in pieces below XA__TRANSFER_MAX. When
 * HDF5 refuses it returns false, *at is the first row of the piece, and HDF5's stack says why. */
bool xa__rows_move(
    const xa__rows *r, int64_t first, int64_t n, void *in, const void *out, int64_t *at);

/* ---- read.c ------------------------------------------------------------------------------------
 */

struct xa_archive {
    char *path;
    hid_t file;
    int fd;        /* for fdatasync and statvfs; -1 when reading */
    xa_comm *comm; /* NULL: serial driver */
    bool writes;   /* this rank opened it for writing */
    bool unsynced, broken;
    xa__rows *field;
    int nfields;
};

/* An access list for the serial driver that takes no lock and keeps nothing back. < 0: failed. */
hid_t xa__serial_access(void);
/* A text attribute of an object; NULL through *out where the object has none (attribute.c). */
XA_MUST_USE xa_status
xa__read_text(hid_t file, const char *path, const char *name, char **out, xa_err *err);
/* Opens with the serial driver, and makes sure that it is an archive that this program reads. */
XA_MUST_USE xa_status xa__open_serial(const char *path, unsigned flags, hid_t *out, xa_err *err);
/* What an open dataset is; false: format 1 cannot describe it (or HDF5 failed). */
bool xa__describe(hid_t dataset, const char *path, xa_dataset_info *out);

#endif
