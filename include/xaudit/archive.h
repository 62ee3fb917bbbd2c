/* archive: one HDF5 file, format 1.
 *
 * Groups and datasets; XA_FIELD_LIST below is the whole table. Extents: N samples, Q pairs of image
 * and annotated class, R map rows, A annotations, L labels, C classes.
 *
 *   /                             attributes: format="xaudit", format_version="1.1", created, and
 *                                 the program's: tool_version, identity, identity_text, job (YAML
 *                                 text), manifest_sha256. Longer than the 64 KiB of an attribute,
 *                                 job and identity_text are datasets of these names
 *   /samples/                     [N] id, path, label, split, group, ...; extra/<column>;
 *                                 labels/ and annotations/ [A], found through offsets
 *   /eval/                        [Q] every pair of an image and a class annotated in it; a class
 *                                 here and in labels may be category 2^24 + k: line k of the
 *                                 attribute `categories`, "class|class<tab>name"
 *   /models/<m>/                  [N] logits, probs, predicted, affine, status, stage, message
 *   /maps/<m>/<e>/                [R] values, scale, sample, target, flags, checksum, ...
 *   /localisation/<m>/<e>/<k>     [Q] one score a pair
 *   /statistics/<m>/<e>/<k>       [Q,...] what figures over the data set are made of
 *   /baselines/<m>/<b>/<k>        [Q] the same of maps that know nothing of the image
 *   /pairs/<m>/<a>__<b>/<k>       [N] agreement of two explainers
 *   /class_means/<m>/<e>/         [C] mean map of a class (xaudit evaluate)
 *   /checksums/<group>            one a row of a group: of everything that a run writes there
 *   /run/                         sessions, seconds: outside every equality claim
 *
 * Readers ignore unknown groups and datasets. To bring a map to its image they need the model's
 * affine and its attribute input_size = (height, width); src/python/xaudit_read.py does it.
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

#define XA_FORMAT_MAJOR 1
#define XA_FORMAT_MINOR 1

/* ---- types and fields ------------------------------------------------------------------------ */

/* X(ENUM, text, bytes) in memory and in the file alike. STR: fixed length, size beside it. */
#define XA_TYPE_LIST(X) \
    X(U8, "u8", 1)      \
    X(I32, "i32", 4)    \
    X(U32, "u32", 4)    \
    X(I64, "i64", 8)    \
    X(U64, "u64", 8)    \
    X(F16, "f16", 2)    \
    X(F32, "f32", 4)    \
    X(F64, "f64", 8)    \
    X(STR, "str", 0)
typedef enum xa_type {
#define X(name, text, bytes) XA_TYPE_##name,
    XA_TYPE_LIST(X)
#undef X
        XA_TYPE_COUNT
} xa_type;
size_t xa_type_bytes(xa_type t);
const char *xa_type_name(xa_type t);

/* The format's table: X(ENUM, path, type, extents, initial, unit, description).
 * <m> model, <e> explainer, <k> metric or column. Of the extents numbers are fixed; letters are for
 * the documentation, the real ones are given when a field is added. initial: what rows hold before
 * they are done: 0, -1 or NAN; RAW leaves the allocated bytes (maps: look at status). One table
 * drives writer, reader, attributes, docs. */
/* clang-format off */
#define XA_FIELD_LIST(X) \
    X(SAMPLE_ID, "/samples/id", STR, "N", RAW, "", "unique name of the sample") \
    X(SAMPLE_PATH, "/samples/path", STR, "N", RAW, "", "image file as written in the manifest") \
    X(SAMPLE_LABEL, "/samples/label", I32, "N", RAW, "class", \
      "label if the sample has exactly one, else -1") \
    X(SAMPLE_LABELS_OFFSET, "/samples/labels/offset", I64, "N+1", RAW, "", \
      "labels of sample i are value[offset[i]:offset[i+1]]") \
    X(SAMPLE_LABELS_VALUE, "/samples/labels/value", I32, "L", RAW, "class", "all labels") \
    X(SAMPLE_SPLIT, "/samples/split", STR, "N", RAW, "", "split column") \
    X(SAMPLE_GROUP, "/samples/group", STR, "N", RAW, "", "group column (patient, lesion, ...)") \
    X(SAMPLE_EXCLUDE, "/samples/exclude", STR, "N", RAW, "", "reason of exclusion, else empty") \
    X(SAMPLE_WIDTH, "/samples/width", I32, "N", 0, "px", "image width, EXIF orientation applied") \
    X(SAMPLE_HEIGHT, "/samples/height", I32, "N", 0, "px", "image height likewise") \
    X(SAMPLE_DECLARED, "/samples/declared_size", I32, "N,2", RAW, "px", \
      "width and height of the frame that boxes refer to, by the manifest; 0: not said") \
    X(SAMPLE_PIXEL_HASH, "/samples/pixel_hash", U64, "N", 0, "", "XXH3-64 of the decoded pixels") \
    X(SAMPLE_THUMBNAIL, "/samples/thumbnail", U8, "N,s,s,3", 0, "", \
      "picture of the image, RGB, in the top left corner (job: store)") \
    X(SAMPLE_THUMBNAIL_SIZE, "/samples/thumbnail_size", I32, "N,2", 0, "px", \
      "its height and width; 0: none") \
    X(SAMPLE_EXTRA, "/samples/extra/<k>", STR, "N", RAW, "", "further manifest column, as text") \
    X(ANN_OFFSET, "/samples/annotations/offset", I64, "N+1", RAW, "", \
      "annotations of sample i are rows offset[i]:offset[i+1]") \
    X(ANN_CLASS, "/samples/annotations/class", I32, "A", RAW, "class", "annotated class, or -1") \
    X(ANN_KIND, "/samples/annotations/kind", U8, "A", RAW, "", "1 box, 2 mask") \
    X(ANN_FLAGS, "/samples/annotations/flags", U8, "A", RAW, "", \
      "1 difficult, 2 crowd, 4 truncated, 8 occluded") \
    X(ANN_BOX, "/samples/annotations/box", F64, "A,4", RAW, "px", \
      "x0,y0,x1,y1 half-open in the stored frame; NaN for masks") \
    X(ANN_MASK, "/samples/annotations/mask", STR, "A", RAW, "", "mask file, else empty") \
    X(ANN_MASK_VALUE, "/samples/annotations/mask_value", I32, "A", RAW, "", \
      "grey value or palette index; -1 all but 0; 65536 + v all above v") \
    X(ANN_IGNORE, "/samples/annotations/ignore_mask", STR, "A", RAW, "", "ignore mask file") \
    X(ANN_IGNORE_VALUE, "/samples/annotations/ignore_value", I32, "A", RAW, "", \
      "which pixels of ignore_mask, as mask_value") \
    X(ANN_PROBLEM, "/samples/annotations/problem", U8, "A", 0, "", \
      "what speaks against it: 0 nothing known, else an index of the attribute `problems`; masks " \
      "are read where metrics are asked for") \
    X(ANN_MASK_HASH, "/samples/annotations/mask_hash", U64, "A", 0, "", \
      "XXH3-64 of the labels of its mask and ignore mask as they were read; 0: none was used") \
    X(EVAL_SAMPLE, "/eval/sample", I64, "Q", RAW, "row", "row in /samples") \
    X(EVAL_CLASS, "/eval/class", I32, "Q", RAW, "class", "annotated class") \
    X(MODEL_CLASS_NAMES, "/models/<m>/class_names", STR, "C", RAW, "", "names of the classes") \
    X(MODEL_LOGITS, "/models/<m>/logits", F32, "N,C", NAN, "1", "scores before the head") \
    X(MODEL_PROBS, "/models/<m>/probs", F32, "N,C", NAN, "1", "softmax or sigmoid of the scores") \
    X(MODEL_PREDICTED, "/models/<m>/predicted", I32, "N", -1, "class", \
      "predicted class; -1 not done or failed") \
    X(MODEL_AFFINE, "/models/<m>/affine", F64, "N,2,3", NAN, "px", \
      "maps model-input coordinates to the stored frame") \
    X(MODEL_STATUS, "/models/<m>/status", U8, "N", 0, "", \
      "0 pending, 1 done, 2 failed, 3 excluded by the manifest") \
    X(MODEL_STAGE, "/models/<m>/stage", U8, "N", 0, "", \
      "where a failed sample failed: 1 read, 2 decode, 3 preprocess, 4 model, 5 explain") \
    X(MODEL_MESSAGE, "/models/<m>/message", STR, "N", 0, "", "why it failed") \
    X(MAP_VALUES, "/maps/<m>/<e>/values", F32, "R,c,h,w", RAW, "1", \
      "raw map; value = values*scale (F16 where the explainer says so)") \
    X(MAP_SCALE, "/maps/<m>/<e>/scale", F32, "R", NAN, "1", "power of two; 1 for f32 maps") \
    X(MAP_SAMPLE, "/maps/<m>/<e>/sample", I64, "R", RAW, "row", "row in /samples") \
    X(MAP_TARGET, "/maps/<m>/<e>/target", I32, "R", -1, "class", \
      "class that is explained; -1 not done, or none is (attribute target: none)") \
    X(MAP_FLAGS, "/maps/<m>/<e>/flags", U8, "R", 0, "", \
      "1 degenerate (maximum 0), 2 not finite, 4 saturated (f16)") \
    X(MAP_MAXIMUM, "/maps/<m>/<e>/maximum", F32, "R", NAN, "1", "largest value of the map") \
    X(MAP_PEAK, "/maps/<m>/<e>/peak", F32, "R,2", NAN, "px", \
      "x,y of the first largest value, centre, in the stored frame") \
    X(MAP_CHECKSUM, "/maps/<m>/<e>/checksum", U32, "R", 0, "", \
      "low 32 bits of XXH3 of the row's stored values") \
    X(MAP_SCORE, "/maps/<m>/<e>/scores/<k>", F64, "R", NAN, "1", \
      "score of the map alone; NaN undefined") \
    X(LOCALISATION, "/localisation/<m>/<e>/<k>", F64, "Q", NAN, "", \
      "score of the metric; NaN undefined") \
    X(STATISTIC_HITS, "/statistics/<m>/<e>/<k>", U8, "Q,D,32", 0, "", \
      "box_acc: bit g of a level of overlap, low bit first: hit above grey level g") \
    X(STATISTIC_PIXELS, "/statistics/<m>/<e>/<k>", U32, "Q,2,1001", 0, "pixels", \
      "pxap: pixels of the background, then of the region; bin t: t/1000 <= value < (t+1)/1000") \
    X(BASELINE, "/baselines/<m>/<e>/<k>", F64, "Q", NAN, "", \
      "score of a map that knows nothing of the image") \
    X(BASELINE_HITS, "/baseline_statistics/<m>/<e>/<k>", U8, "Q,D,32", 0, "", "as /statistics") \
    X(BASELINE_PIXELS, "/baseline_statistics/<m>/<e>/<k>", U32, "Q,2,1001", 0, "pixels", \
      "as /statistics") \
    X(CLASS_MEAN, "/class_means/<m>/<e>/mean", F32, "C,h,w", NAN, "1", \
      "mean of the class's maps, each over its largest size, on the model's input; NaN without any") \
    X(CLASS_MEAN_COUNT, "/class_means/<m>/<e>/count", I64, "C", 0, "maps", \
      "maps that the mean is made of") \
    X(AGREEMENT, "/pairs/<m>/<e>/<k>", F64, "N", NAN, "1", \
      "agreement of two explainers' first maps of a sample; NaN undefined") \
    X(SUM_SAMPLES, "/checksums/samples", U32, "N", 0, "", \
      "of a row of width, height and pixel_hash of /samples") \
    X(SUM_THUMBNAILS, "/checksums/thumbnails", U32, "N", 0, "", \
      "of a row of /samples/thumbnail and thumbnail_size") \
    X(SUM_MODEL, "/checksums/models/<m>", U32, "N", 0, "", \
      "of a row of probs, predicted, affine, status, stage and message of the model") \
    X(SUM_LOGITS, "/checksums/logits/<m>", U32, "N", 0, "", "of a row of the model's logits") \
    X(SUM_MAPS, "/checksums/maps/<m>/<e>", U32, "R", 0, "", \
      "of a row of scale, target, flags, maximum, peak, checksum and scores of the maps") \
    X(SUM_LOCALISATION, "/checksums/localisation/<m>/<e>", U32, "Q", 0, "", \
      "of a row of all metrics' scores") \
    X(SUM_STATISTICS, "/checksums/statistics/<m>/<e>", U32, "Q", 0, "", \
      "of a row of all metrics' statistics") \
    X(SUM_BASELINES, "/checksums/baselines/<m>/<e>/<k>", U32, "Q", 0, "", \
      "of a row of one metric's scores") \
    X(SUM_BASELINE_STATISTICS, "/checksums/baseline_statistics/<m>/<e>/<k>", U32, "Q", 0, "", \
      "of a row of one metric's statistics") \
    X(SUM_PAIRS, "/checksums/pairs/<m>/<e>", U32, "N", 0, "", \
      "of a row of the two explainers' agreement") \
    X(RUN_STATE, "/run/state", U8, "1", RAW, "", "0 created, 1 running, 2 complete") \
    X(RUN_SECONDS, "/run/seconds", F32, "N", NAN, "s", "time spent on the sample, all models") \
    X(RUN_SESSION_COUNT, "/run/sessions/count", I32, "1", RAW, "", "sessions so far; rows below") \
    X(RUN_SESSION_RANKS, "/run/sessions/ranks", I32, "256", RAW, "", "MPI ranks") \
    X(RUN_SESSION_NODES, "/run/sessions/nodes", I32, "256", RAW, "", "nodes") \
    X(RUN_SESSION_THREADS, "/run/sessions/threads", I32, "256", RAW, "", "BLAS threads a rank") \
    X(RUN_SESSION_START, "/run/sessions/start", STR, "256", RAW, "", "UTC") \
    X(RUN_SESSION_END, "/run/sessions/end", STR, "256", RAW, "", "UTC; empty if it was killed") \
    X(RUN_SESSION_HOST, "/run/sessions/host", STR, "256", RAW, "", "host of rank 0") \
    X(RUN_SESSION_SECONDS, "/run/sessions/seconds", F64, "256", RAW, "s", \
      "wall time; of a session that was killed, until its last sign of life") \
    X(RUN_SESSION_CPU, "/run/sessions/cpu", STR, "256", RAW, "", "processors, with their ranks") \
    X(RUN_SESSION_LIBRARIES, "/run/sessions/libraries", STR, "256", RAW, "", \
      "versions of libraries and compiler") \
    X(RUN_SESSION_TEXT, "/run/sessions/text", STR, "256", RAW, "", "tool, ISA, BLAS, MPI") \
    X(JOB_TEXT, "/job", STR, "1", RAW, "", "the job, where an attribute cannot hold it") \
    X(IDENTITY_TEXT, "/identity_text", STR, "1", RAW, "", "likewise what moves its numbers")
/* clang-format on */

typedef enum xa_field_kind {
#define X(name, path, type, extents, initial, unit, text) XA_FIELD_##name,
    XA_FIELD_LIST(X)
#undef X
        XA_FIELD_KINDS
} xa_field_kind;

/* Which field a dataset of this path and type is, and the names in its path: at most XA_NAME_BYTES
 * bytes each and a NUL,
 * "" where the path has none. False: none of this format. */
enum { XA_NAME_BYTES = 100 };
typedef struct xa_field_names {
    char model[XA_NAME_BYTES + 1], explainer[XA_NAME_BYTES + 1], key[XA_NAME_BYTES + 1];
} xa_field_names;
bool xa_field_match(const char *path, xa_type type, xa_field_kind *kind, xa_field_names *names);
const char *xa_field_extents(xa_field_kind kind); /* as in the table: "N,C" */

/* "HDF5 1.10.8", the library in use. */
void xa_archive_library(char *out, size_t size);

/* ---- checksums ------------------------------------------------------------------------------- */

/* A row's checksum is the sum, modulo 2^32, over the datasets that it covers, of the low 32 bits of
 * XXH3 of the row's bytes as the file holds them (little-endian), seeded with XXH3 of the dataset's
 * path. A sum, so that datasets can be looked at one after another; seeded, so that bytes that
 * changed places are found. Covered is what a run writes row by row, but map values, which have
 * their own (MAP_CHECKSUM), problems of annotations, /class_means and /run.
 *
 * The SUM_... field that covers this one; XA_FIELD_KINDS: none. */
xa_field_kind xa_field_checksum(xa_field_kind kind);
/* The dataset with the checksums that cover a dataset of this path and type, into `out`; false:
 * none do, or it does not fit. */
bool xa_checksum_path(const char *path, xa_type type, char *out, size_t size);
uint64_t xa_checksum_seed(const char *path);
/* Adds n rows of one dataset to their checksums. */
void xa_checksum_rows(uint64_t seed, const void *rows, int64_t n, size_t row_bytes, uint32_t *sums);

/* Values of /models/<m>/status and stage. */
enum { XA_SAMPLE_PENDING, XA_SAMPLE_DONE, XA_SAMPLE_FAILED, XA_SAMPLE_EXCLUDED };
enum {
    XA_STAGE_NONE,
    XA_STAGE_READ,
    XA_STAGE_DECODE,
    XA_STAGE_PREPROCESS,
    XA_STAGE_MODEL,
    XA_STAGE_EXPLAIN
};
enum { XA_MAP_DEGENERATE = 1, XA_MAP_NONFINITE = 2, XA_MAP_SATURATED = 4 };
enum { XA_SESSIONS = 256, XA_MESSAGE_BYTES = 200 };
/* A table that is written whole at creation (ids, labels, annotations, pairs, samples of maps,
 * class names) has an attribute `checksum`: the same sum over its rows, where row i is seeded with
 * the path's seed + i. Adds rows from the `first` on. */
void xa_checksum_table(
    uint64_t seed, const void *rows, int64_t first, int64_t n, size_t row_bytes, uint32_t *sum);
/* Whether a field is such a table. */
bool xa_is_table(xa_field_kind kind);

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
XA_MUST_USE xa_status xa_archive_open(
    const char *path, xa_comm *comm, const xa_schema *schema, xa_archive **out, xa_err *err);
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
/* NOT_FOUND when there is no such dataset; UNSUPPORTED beyond five extents. */
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
 * requeued; other host, and no heartbeat is seen while this one looks on) is taken over. Clocks of
 * two hosts are never compared: this one waits until the heartbeat changes (BUSY), for
 * `stale_seconds` of its own monotonic time, and logs that it does. A heartbeat may take half a
 * minute to be seen from another host: stale_seconds of 120 or more. */
XA_MUST_USE xa_status xa_lock_take(const char *archive,
                                   double stale_seconds,
                                   xa_lock **out,
                                   xa_err *err);
/* Local. Whether a run holds the archive, without taking or changing anything: OK, or BUSY as
 * above. Of an owner on another host without a kernel lock it cannot tell whether it lives, and
 * says BUSY.
 */
XA_MUST_USE xa_status xa_lock_look(const char *archive, xa_err *err);
void xa_lock_beat(xa_lock *l); /* at most once in five seconds, cheap to call often */
/* True once a beat has found that another run took the lock over: stop writing. */
bool xa_lock_lost(const xa_lock *l);
void xa_lock_release(xa_lock *l); /* removes the file, unless it was lost; NULL allowed */

#endif
