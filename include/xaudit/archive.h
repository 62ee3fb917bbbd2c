/* archive: one HDF5 file, format 1.
 *
 * Groups and datasets; XA_FIELD_LIST in format.h is the whole table. Extents: N samples, Q pairs of
 * image and annotated class, R map rows, A annotations, L labels, C classes.
 *
 *   /                             attributes: format="xaudit", format_version="1.2", created, and
 *                                 the program's: tool_version, identity, identity_text, job (YAML
 *                                 text), manifest_sha256. Longer than the 64 KiB of an attribute,
 *                                 job and identity_text are datasets of these names. Evaluations
 *                                 have tables_format: the format_version of their source's tables
 *   /samples/                     [N] id, path, label, split, group, ...; extra/<column>;
 *                                 labels/ and annotations/ [A], found through offsets
 *   /eval/                        [Q] every pair of an image and a class annotated in it; a class
 *                                 here and in labels may be category 2^24 + k: line k of the
 *                                 attribute `categories`, "class|class<tab>name"
 *   /models/<m>/                  [N] logits, probs, predicted, affine, status, stage, message
 *   /maps/<m>/<e>/                [R] values, scale, sample, target, flags, checksum, ...
 *   /localisation/<m>/<e>/<k>     [Q] one score per pair
 *   /statistics/<m>/<e>/<k>       [Q,...] what figures over the data set are made of
 *   /baselines/<m>/<b>/<k>        [Q] the same of maps that know nothing of the image
 *   /pairs/<m>/<a>__<b>/<k>       [N] agreement of two explainers
 *   /class_means/<m>/<e>/         [C] mean map of a class (xaudit evaluate)
 *   /clusters/<m>/<e>/            [R] clusters of maps (xaudit cluster)
 *   /checksums/<group>            one per row of a group: of everything that a run writes there
 *   /run/                         sessions, seconds: outside every equality claim
 *
 * Readers ignore unknown groups and datasets. To bring a map to its image they need the model's
 * affine and its attribute input_size = (height, width); the Python package in src/python does it.
 *
 * Crash protocol. Rank 0 creates the file alone under a temporary name: every dataset fixed-size,
 * contiguous, allocated early, no HDF5 fill, no filter, fixed-length strings; the whole size is
 * allocated on disk; fsync, rename, fsync of the folder. No metadata is written afterwards. All
 * ranks open it with the MPI driver and write rows independently; a rank's rows are fdatasync'ed
 * before rank 0 writes and syncs their status bytes. Killed at any moment, the file opens and its
 * done rows are whole.
 *
 * Strings are fixed-length UTF-8, NUL-padded, without a NUL where they fill their width. All
 * numbers are little-endian. The HDF5 library is not thread-safe: one thread a process uses this
 * module. HDF5's own error printing is off inside these functions and as it was outside. Reading is
 * careful with what a file says, but HDF5 1.10 itself may crash on structures that were damaged on
 * purpose: open archives of people you trust.
 */
#ifndef XAUDIT_ARCHIVE_H
#define XAUDIT_ARCHIVE_H

#include "xaudit/comm.h"
#include "xaudit/format.h"

/* "HDF5 1.10.8", the library in use. */
void xa_archive_library(char *out, size_t size);

/* ---- schema: what one archive holds --------------------------------------------------------- */

typedef struct xa_schema xa_schema;

XA_MUST_USE xa_status xa_schema_create(xa_schema **out, xa_err *err);
void xa_schema_free(xa_schema *s);

typedef struct xa_field_spec {
    xa_field_kind kind;
    const char *model, *explainer, *key; /* for <m>, <e>, <k>; NULL where not in the path */
    xa_type type;        /* XA_TYPE_COUNT: the table's; else an override (F16 values) */
    size_t string_bytes; /* STR */
    int ndim;
    int64_t dim[5]; /* extents may be 0 */
    /* Whole contents known at creation, borrowed until xa_archive_create; or NULL. STR: rows of
     * string_bytes (xa_text_pack). */
    const void *data;
} xa_field_spec;
/* Adds a dataset; names are checked (letters of any script, digits, _ . - and space; no '/', not
 * empty, not only dots). *field is its index, the same for the same sequence of calls. INVALID
 * names what is wrong with the specification; LIMIT: a row of 1 GiB or more. A group that holds map
 * values gets the attribute read_as = "values*scale". */
XA_MUST_USE xa_status xa_schema_add(xa_schema *s,
                                    const xa_field_spec *spec,
                                    int *field,
                                    xa_err *err);
/* The same with the extents of the table, whose letters `x` says, and the width of the table where
 * it gives one: ndim, dim and, then, string_bytes of the specification are not looked at. */
XA_MUST_USE xa_status xa_schema_add_field(
    xa_schema *s, const xa_field_spec *spec, const xa_extents *x, int *field, xa_err *err);
/* Attributes on a group or dataset path ("/", "/models/xception"): text, number, numbers (one: a
 * scalar, else an array). A group that is not there yet is made. LIMIT beyond the 64 KiB an
 * attribute may have; INVALID when it was given before, or is the unit or description of a dataset.
 * The archive itself gives "/" its format, format_version and created unless they are given. */
XA_MUST_USE xa_status xa_schema_attr_text(
    xa_schema *s, const char *path, const char *name, const char *text, xa_err *err);
XA_MUST_USE xa_status
xa_schema_attr_i64(xa_schema *s, const char *path, const char *name, int64_t value, xa_err *err);
XA_MUST_USE xa_status xa_schema_attr_f64(
    xa_schema *s, const char *path, const char *name, const double *values, int64_t n, xa_err *err);
/* A list of texts as a fixed-length string array attribute, or, beyond the 64 KiB that an attribute
 * may have, refused with LIMIT: use a dataset (class names have one). */
XA_MUST_USE xa_status xa_schema_attr_texts(xa_schema *s,
                                           const char *path,
                                           const char *name,
                                           const char *const *texts,
                                           int64_t n,
                                           xa_err *err);
/* A text of the whole archive, kind JOB_TEXT or IDENTITY_TEXT: an attribute of "/" named as in the
 * table, or, beyond 64 KiB, that dataset, which xa_archive_open does not ask for. The text is
 * borrowed until xa_archive_create. */
XA_MUST_USE xa_status xa_schema_text(xa_schema *s,
                                     xa_field_kind kind,
                                     const char *text,
                                     xa_err *err);
/* Adds the checksums that cover the fields so far, each once. */
XA_MUST_USE xa_status xa_schema_add_checksums(xa_schema *s, xa_err *err);
int xa_schema_fields(const xa_schema *s);
/* Bytes of a row of a field; 0: there is no such field. */
size_t xa_schema_row_bytes(const xa_schema *s, int field);
/* Which field holds the checksums that cover this one, -1: none; and the seed of its rows. */
int xa_schema_checksum(const xa_schema *s, int field, uint64_t *seed);
/* Bytes of the file that results, data and overhead, a little more rather than less. */
size_t xa_schema_bytes(const xa_schema *s);

/* Texts as rows of a STR dataset: the width that holds the longest (1 at least), and a new buffer
 * of n rows of `width` bytes, NUL-padded, longer texts cut between characters. A NULL text is
 * empty. free() the rows. */
size_t xa_text_width(const char *const *texts, int64_t n);
XA_MUST_USE xa_status
xa_text_pack(const char *const *texts, int64_t n, size_t width, char **rows, xa_err *err);
/* One of them, into `width` bytes of the caller. */
void xa_text_put(const char *text, char *row, size_t width);

/* ---- create, open, write -------------------------------------------------------------------- */

typedef struct xa_archive xa_archive;

/* Local, rank 0. The whole crash protocol's first half. NOSPACE before anything is written to the
 * final name. Refuses to replace an existing file (BUSY). NOT_FOUND: no such folder. Where the file
 * system cannot reserve the space the free space is compared, and a warning logged. The temporary
 * file is NAME.tmp-HOST-PID beside it, removed on every failure; those of killed processes of this
 * host are removed too. */
XA_MUST_USE xa_status xa_archive_create(const char *path, const xa_schema *schema, xa_err *err);

/* What a new archive takes over from another: its groups and datasets with their attributes, but
 * for what the schema or an earlier graft has given already. */
typedef struct xa_graft {
    const char *source;
    /* Not taken: paths and what lies below them; "/path@name" one attribute, "/@name" of the root.
     */
    const char *const *leave;
    int nleave;
    /* Map values (/maps/<m>/<e>/values) become external links to the file they lie in, by its name
     * alone where that is in the new archive's folder: the two stay together. Else copied. */
    bool link;
} xa_graft;
/* As xa_archive_create, and then the grafts in their order. */
XA_MUST_USE xa_status xa_archive_create_from(
    const char *path, const xa_schema *schema, const xa_graft *grafts, int ngrafts, xa_err *err);
/* Local. Gives a finished archive its final name, never replacing a file (BUSY), and syncs the
 * folder. */
XA_MUST_USE xa_status xa_archive_rename(const char *from, const char *to, xa_err *err);

/* Collective. Opens for writing rows with the MPI driver (bounded retry while a rename is not
 * visible yet). Every field of `schema` must be there with its type and extents (MISMATCH names the
 * dataset). The field numbers of `schema` are those of xa_archive_write. All ranks leave with the
 * same status; COMM means that some ranks hold the file open and others do not, after which only
 * ending all of them helps. comm NULL: this process alone, with the serial driver, without MPI. */
typedef enum xa_writers {
    XA_WRITERS_ALL,    /* every rank writes rows */
    XA_WRITERS_LEADERS /* the leaders of nodes alone open the file; to the other ranks writing,
                          reading and its place are INVALID, and syncing nothing to do */
} xa_writers;
XA_MUST_USE xa_status xa_archive_open(const char *path,
                                      xa_comm *comm,
                                      xa_writers writers,
                                      const xa_schema *schema,
                                      xa_archive **out,
                                      xa_err *err);
/* Local. Rows [first, first+n) along the first extent, contiguous in `data`. Independent write;
 * allocates nothing of its own. NOSPACE, IO name dataset and rows. */
XA_MUST_USE xa_status
xa_archive_write(xa_archive *a, int field, int64_t first, int64_t n, const void *data, xa_err *err);
/* Local. What this rank has written is on the disk afterwards (fdatasync on an own descriptor). */
XA_MUST_USE xa_status xa_archive_sync(xa_archive *a, xa_err *err);
/* Local, opened for writing. NOT_FOUND: the file's name is gone; MISMATCH: it is another file's.
 * What is written then reaches a file that nobody will find. */
XA_MUST_USE xa_status xa_archive_check_place(const xa_archive *a, xa_err *err);
/* Local. A write or a sync of this rank has failed. The collective closing may then wait for ever,
 * as a rank whose part of it fails does not come to the others' next step: with other ranks beside
 * it, do not go there. */
bool xa_archive_is_broken(const xa_archive *a);
/* Collective when opened with a communicator. NULL allowed. Frees `a` on failure too. */
XA_MUST_USE xa_status xa_archive_close(xa_archive *a, xa_err *err);

/* Local. Read-only with the serial driver, no locks: works on a finished, killed or running
 * archive, and without MPI. NOT_FOUND, IO; FORMAT: no HDF5 file, truncated, not an archive of ours,
 * or of a later major format. The reading functions below work on an archive opened for writing
 * too; they are local. */
XA_MUST_USE xa_status xa_archive_open_read(const char *path, xa_archive **out, xa_err *err);
/* The same for a reference of Keras' own results (format "xaudit-reference 1", described in
 * tests/golden/keras/README.md): read with the functions below. */
XA_MUST_USE xa_status xa_reference_open(const char *path, xa_archive **out, xa_err *err);
typedef struct xa_dataset_info {
    char path[512];
    xa_type type; /* XA_TYPE_COUNT: a type of a later format, not read but digested */
    size_t item_bytes;
    int ndim; /* 0: a scalar, one row */
    int64_t dim[5];
} xa_dataset_info;
/* NOT_FOUND when there is no such dataset; UNSUPPORTED beyond five extents; FORMAT where its
 * extents are larger than what the file holds of it. */
XA_MUST_USE xa_status xa_archive_dataset(xa_archive *a,
                                         const char *path,
                                         xa_dataset_info *out,
                                         xa_err *err);
/* NOT_FOUND where the dataset is a link to another archive that is not beside this one: the message
 * is for the user. OK where it is no link, or is not there at all. */
XA_MUST_USE xa_status xa_archive_check_link(const xa_archive *a, const char *path, xa_err *err);
/* Rows [first, first+n) into the caller's buffer, in this machine's byte order. */
XA_MUST_USE xa_status
xa_archive_read(xa_archive *a, const char *path, int64_t first, int64_t n, void *data, xa_err *err);
/* Whole dataset into a new buffer; free(). For STR a NUL follows the last row. */
XA_MUST_USE xa_status xa_archive_read_all(
    xa_archive *a, const char *path, xa_dataset_info *info, void **data, xa_err *err);
/* Text attribute; NULL through *out when absent. Caller frees. */
XA_MUST_USE xa_status
xa_archive_attr_text(xa_archive *a, const char *path, const char *name, char **out, xa_err *err);
/* What xa_schema_text stored, in either place; NULL through *out when absent. Caller frees. */
XA_MUST_USE xa_status xa_archive_text(xa_archive *a, xa_field_kind kind, char **out, xa_err *err);
/* A list of texts, free each and the list; NULL and 0 when absent. */
XA_MUST_USE xa_status xa_archive_attr_texts(
    xa_archive *a, const char *path, const char *name, char ***out, int64_t *n, xa_err *err);
/* Numbers (integers too) into `values`; *n is how many there are, 0 when absent. LIMIT: more than
 * `room`. */
XA_MUST_USE xa_status xa_archive_attr_f64(xa_archive *a,
                                          const char *path,
                                          const char *name,
                                          double *values,
                                          int64_t room,
                                          int64_t *n,
                                          xa_err *err);
/* Names of the members of a group, sorted bytewise; free each and the list. NOT_FOUND: no such
 * group. */
XA_MUST_USE xa_status
xa_archive_list(xa_archive *a, const char *group, char ***out, int64_t *n, xa_err *err);
/* Every dataset, depth first, members in bytewise order, links followed. What no reader of format 1
 * can describe (more than five extents, paths of 512 bytes or more) is left out. */
XA_MUST_USE xa_status xa_archive_walk(xa_archive *a,
                                      xa_status (*visit)(void *arg,
                                                         const xa_dataset_info *info,
                                                         xa_err *err),
                                      void *arg,
                                      xa_err *err);
/* SHA-256 of a dataset's raw bytes in C order (= hashlib.sha256(ds[...].tobytes())). UNSUPPORTED
 * for types of variable length. */
XA_MUST_USE xa_status xa_archive_digest(xa_archive *a,
                                        const char *path,
                                        char hex[XA_SHA256_HEX],
                                        xa_err *err);

/* ---- identity and lock ---------------------------------------------------------------------- */

/* A line "key = value" in which two identities differ; a or b is NULL where it is not there. Texts
 * are parts of the identities. */
typedef struct xa_identity_line {
    const char *key, *a, *b;
    int key_size, a_size, b_size;
} xa_identity_line;
typedef void xa_identity_fn(void *arg, const xa_identity_line *line);
/* Calls fn (NULL allowed) for every line that is not the same in both; their order says nothing.
 * How many there are. */
int xa_identity_compare(const char *a, const char *b, xa_identity_fn *fn, void *arg);
/* Appends "key: A 'value', B 'value'", or "key: changed" of hashes; as far as a message reaches,
 * then "...". */
void xa_identity_tell(xa_str *to, const xa_identity_line *l, const char *a, const char *b);

/* Compares the archive's identity_text with `text` (lines "key = value"): MISMATCH lists the lines
 * that differ, both values. NOT_FOUND: no such file. FORMAT: not an archive of ours, or a later
 * major. */
XA_MUST_USE xa_status xa_archive_check_identity(const char *path, const char *text, xa_err *err);

typedef struct xa_lock xa_lock;
/* Local, rank 0. `<archive>.lock`: an fcntl lock where the file system has them, and host, pid, job
 * id and a heartbeat in the file. BUSY says who holds it, since when, and what to do. A lock whose
 * owner is dead (same host, no such process; same SLURM job id with a higher restart count:
 * requeued; other host, and no heartbeat is seen while this one watches) is taken over. Clocks of
 * two hosts are never compared: this one waits until the heartbeat changes (BUSY), for
 * `stale_seconds` of its own monotonic time, and logs that it does. A heartbeat may take half a
 * minute to be seen from another host: stale_seconds of 120 or more. */
XA_MUST_USE xa_status xa_lock_take(const char *archive,
                                   double stale_seconds,
                                   xa_lock **out,
                                   xa_err *err);
/* Local. Whether a run holds the archive, without taking or changing anything: OK, or BUSY as
 * above. Of an owner on another host without a kernel lock it cannot know whether it lives, and
 * says BUSY.
 */
XA_MUST_USE xa_status xa_lock_look(const char *archive, xa_err *err);
void xa_lock_beat(xa_lock *l); /* at most once in five seconds, cheap to call often */
/* True once a beat has found that another run took the lock over: stop writing. */
bool xa_lock_lost(const xa_lock *l);
void xa_lock_release(xa_lock *l); /* removes the file, unless it was lost; NULL allowed */

#endif
