/* format: the table of an archive's datasets, their paths, extents and checksums.
 *
 * This module knows neither HDF5 nor MPI: audit makes its rows from the table, record the schema,
 * view and verify read by it. What the groups mean and how a file is written stands in archive.h.
 *
 * To add a value per sample: a line in XA_SAMPLE_FIELDS, and the code that sets the new member of
 * xa_rows (src/audit). The line makes the member, its memory, what it holds before a sample is
 * done, the dataset, its checksum, and what verify expects of it.
 */
#ifndef XAUDIT_FORMAT_H
#define XAUDIT_FORMAT_H

#include "xaudit/util.h"

/* MINOR is raised with every change of XA_FIELD_LIST that a file shows; test_format compares the
 * table with its hash. 1.0 is xaudit 0.1.0; 1.1 added checksums of rows, what annotations declare
 * and their problems; 1.2 checks, clusters, more columns of maps. */
#define XA_FORMAT_MAJOR 1
#define XA_FORMAT_MINOR 2

/* ---- types ----------------------------------------------------------------------------------- */

/* X(ENUM, text, bytes, type in C): the same in memory and in the file. STR: a text of fixed length;
 * its bytes are given beside it. */
#define XA_TYPE_LIST(X)        \
    X(U8, "u8", 1, uint8_t)    \
    X(I32, "i32", 4, int32_t)  \
    X(U32, "u32", 4, uint32_t) \
    X(I64, "i64", 8, int64_t)  \
    X(U64, "u64", 8, uint64_t) \
    X(F16, "f16", 2, uint16_t) \
    X(F32, "f32", 4, float)    \
    X(F64, "f64", 8, double)   \
    X(STR, "str", 0, char)
typedef enum xa_type {
#define X(name, text, bytes, in_c) XA_TYPE_##name,
    XA_TYPE_LIST(X)
#undef X
        XA_TYPE_COUNT
} xa_type;
#define X(name, text, bytes, in_c) typedef in_c xa_item_##name;
XA_TYPE_LIST(X)
#undef X
size_t xa_type_bytes(xa_type t);
const char *xa_type_name(xa_type t);

/* ---- the table ------------------------------------------------------------------------------- */

/* Widths of texts that do not depend on the manifest: why a sample failed, and of a session its
 * times, host, text, and the processors and libraries. */
enum {
    XA_MESSAGE_BYTES = 200,
    XA_SESSION_TIME = 24,
    XA_SESSION_HOST = 64,
    XA_SESSION_TEXT = 200,
    XA_SESSION_LONG = 320
};
enum { XA_SESSIONS = 256 }; /* rows of /run/sessions */

/* X(ENUM, member, path, type, bytes, extents, initial, unit, description).
 *
 * member       the name of the value in the structure that owns it; _ where it has none
 * path         <m> is a model, <e> an explainer (or a pair of them, or a baseline), <k> a metric or
 *              a column
 * bytes        of a STR whose width is fixed; 0: of a number, or of a text as wide as its longest
 * extents      numbers are fixed; letters are those of xa_extents
 * initial      what rows hold before they are done: 0, -1 or NAN. RAW: the contents are given at
 *              creation, or the allocated bytes stay as they are (maps: the status says which are
 *              done)
 *
 * A list per owner: the structure that holds a row's value on its way into the archive. */
/* clang-format off */
/* The manifest as it was read, the names of classes, and the sample of each map row: tables that
 * are written whole at creation (src/record/tables.c). */
#define XA_TABLE_FIELDS(X) \
    X(SAMPLE_ID, _, "/samples/id", STR, 0, "N", RAW, "", "unique name of the sample") \
    X(SAMPLE_PATH, _, "/samples/path", STR, 0, "N", RAW, "", \
      "image file as written in the manifest") \
    X(SAMPLE_LABEL, _, "/samples/label", I32, 0, "N", RAW, "class", \
      "label if the sample has exactly one, else -1") \
    X(SAMPLE_LABELS_OFFSET, _, "/samples/labels/offset", I64, 0, "N+1", RAW, "", \
      "labels of sample i are value[offset[i]:offset[i+1]]") \
    X(SAMPLE_LABELS_VALUE, _, "/samples/labels/value", I32, 0, "L", RAW, "class", "all labels") \
    X(SAMPLE_SPLIT, _, "/samples/split", STR, 0, "N", RAW, "", "split column") \
    X(SAMPLE_GROUP, _, "/samples/group", STR, 0, "N", RAW, "", \
      "group column (patient, lesion, ...)") \
    X(SAMPLE_EXCLUDE, _, "/samples/exclude", STR, 0, "N", RAW, "", \
      "reason of exclusion, else empty") \
    X(SAMPLE_DECLARED, _, "/samples/declared_size", I32, 0, "N,2", RAW, "px", \
      "width and height of the frame that boxes refer to, by the manifest; 0: not said") \
    X(SAMPLE_EXTRA, _, "/samples/extra/<k>", STR, 0, "N", RAW, "", \
      "further manifest column, as text") \
    X(ANN_OFFSET, _, "/samples/annotations/offset", I64, 0, "N+1", RAW, "", \
      "annotations of sample i are rows offset[i]:offset[i+1]") \
    X(ANN_CLASS, _, "/samples/annotations/class", I32, 0, "A", RAW, "class", \
      "annotated class, or -1") \
    X(ANN_KIND, _, "/samples/annotations/kind", U8, 0, "A", RAW, "", "1 box, 2 mask") \
    X(ANN_FLAGS, _, "/samples/annotations/flags", U8, 0, "A", RAW, "", \
      "1 difficult, 2 crowd, 4 truncated, 8 occluded") \
    X(ANN_BOX, _, "/samples/annotations/box", F64, 0, "A,4", RAW, "px", \
      "x0,y0,x1,y1 half-open in the stored frame; NaN for masks") \
    X(ANN_MASK, _, "/samples/annotations/mask", STR, 0, "A", RAW, "", "mask file, else empty") \
    X(ANN_MASK_VALUE, _, "/samples/annotations/mask_value", I32, 0, "A", RAW, "", \
      "grey value or palette index; -1 all but 0; 65536 + v all above v") \
    X(ANN_IGNORE, _, "/samples/annotations/ignore_mask", STR, 0, "A", RAW, "", "ignore mask file") \
    X(ANN_IGNORE_VALUE, _, "/samples/annotations/ignore_value", I32, 0, "A", RAW, "", \
      "which pixels of ignore_mask, as mask_value") \
    X(EVAL_SAMPLE, _, "/eval/sample", I64, 0, "Q", RAW, "row", "row in /samples") \
    X(EVAL_CLASS, _, "/eval/class", I32, 0, "Q", RAW, "class", "annotated class") \
    X(MODEL_CLASS_NAMES, _, "/models/<m>/class_names", STR, 0, "C", RAW, "", \
      "names of the classes") \
    X(MAP_SAMPLE, _, "/maps/<m>/<e>/sample", I64, 0, "R", RAW, "row", "row in /samples")

/* One row per sample: members of xa_rows. */
#define XA_SAMPLE_FIELDS(X) \
    X(SAMPLE_WIDTH, width, "/samples/width", I32, 0, "N", 0, "px", \
      "image width, EXIF orientation applied") \
    X(SAMPLE_HEIGHT, height, "/samples/height", I32, 0, "N", 0, "px", "image height likewise") \
    X(SAMPLE_PIXEL_HASH, pixel_hash, "/samples/pixel_hash", U64, 0, "N", 0, "", \
      "XXH3-64 of the decoded pixels") \
    X(SAMPLE_THUMBNAIL, thumbnail, "/samples/thumbnail", U8, 0, "N,s,s,3", 0, "", \
      "picture of the image, RGB, in the top left corner (job: store)") \
    X(SAMPLE_THUMBNAIL_SIZE, thumbnail_size, "/samples/thumbnail_size", I32, 0, "N,2", 0, "px", \
      "its height and width; 0: none") \
    X(RUN_SECONDS, seconds, "/run/seconds", F32, 0, "N", NAN, "s", \
      "time spent on the sample, all models")

/* One row per annotation: members of xa_rows. */
#define XA_ANNOTATION_FIELDS(X) \
    X(ANN_PROBLEM, problem, "/samples/annotations/problem", U8, 0, "A", 0, "", \
      "what speaks against it: 0 nothing known, else an index of the attribute `problems`; " \
      "masks are read where metrics are asked for") \
    X(ANN_MASK_HASH, mask_hash, "/samples/annotations/mask_hash", U64, 0, "A", 0, "", \
      "XXH3-64 of the labels of its mask and ignore mask as they were read; 0: none was used")

/* One row per sample and model: members of xa_model_rows. */
#define XA_MODEL_FIELDS(X) \
    X(MODEL_LOGITS, logits, "/models/<m>/logits", F32, 0, "N,C", NAN, "1", \
      "scores before the head") \
    X(MODEL_PROBS, probs, "/models/<m>/probs", F32, 0, "N,C", NAN, "1", \
      "softmax or sigmoid of the scores") \
    X(MODEL_PREDICTED, predicted, "/models/<m>/predicted", I32, 0, "N", -1, "class", \
      "predicted class; -1 not done or failed") \
    X(MODEL_AFFINE, affine, "/models/<m>/affine", F64, 0, "N,2,3", NAN, "px", \
      "maps model-input coordinates to the stored frame") \
    X(MODEL_STATUS, status, "/models/<m>/status", U8, 0, "N", 0, "", \
      "0 pending, 1 done, 2 failed, 3 excluded by the manifest") \
    X(MODEL_STAGE, stage, "/models/<m>/stage", U8, 0, "N", 0, "", \
      "where a failed sample failed: 1 read, 2 decode, 3 preprocess, 4 model, 5 explain") \
    X(MODEL_MESSAGE, message, "/models/<m>/message", STR, XA_MESSAGE_BYTES, "N", 0, "", \
      "why it failed")

/* The map itself, f32 or f16 as the explainer says: a member of xa_map_rows. */
#define XA_VALUES_FIELDS(X) \
    X(MAP_VALUES, values, "/maps/<m>/<e>/values", F32, 0, "R,c,h,w", RAW, "1", \
      "raw map; value = values*scale (F16 where the explainer says so)")

/* One row per map: members of xa_map_rows. */
#define XA_MAP_FIELDS(X) \
    X(MAP_SCALE, scale, "/maps/<m>/<e>/scale", F32, 0, "R", NAN, "1", \
      "power of two; 1 for f32 maps") \
    X(MAP_TARGET, target, "/maps/<m>/<e>/target", I32, 0, "R", -1, "class", \
      "class that is explained; -1 not done, or none is (attribute target: none)") \
    X(MAP_FLAGS, flags, "/maps/<m>/<e>/flags", U8, 0, "R", 0, "", \
      "1 degenerate (maximum 0), 2 not finite, 4 saturated (f16)") \
    X(MAP_MAXIMUM, maximum, "/maps/<m>/<e>/maximum", F32, 0, "R", NAN, "1", \
      "largest value of the map") \
    X(MAP_PEAK, peak, "/maps/<m>/<e>/peak", F32, 0, "R,2", NAN, "px", \
      "x,y of the first largest value, centre, in the stored frame") \
    X(MAP_CHECKSUM, checksum, "/maps/<m>/<e>/checksum", U32, 0, "R", 0, "", \
      "low 32 bits of XXH3 of the row's stored values") \
    X(MAP_COMPLETENESS, completeness, "/maps/<m>/<e>/completeness", F64, 0, "R", NAN, "1", \
      "what the attributions add up to, less what they should (explainers that promise a sum)") \
    X(MAP_EXPLAINED, explained, "/maps/<m>/<e>/explained", F64, 0, "R,2", NAN, "1", \
      "the score that is explained, of the image and where attributions start: their difference is " \
      "what they should add up to") \
    X(MAP_PREFIX_MASS, prefix_mass, "/maps/<m>/<e>/prefix_mass", F64, 0, "R", NAN, "1", \
      "share of the map's |values| that lay on tokens that are no patches and was left out; NaN: " \
      "all were 0") \
    X(MAP_NEAREST, nearest, "/maps/<m>/<e>/nearest", I32, 0, "R,3", -1, "class", \
      "score finer: the classes that it compares the target with; -1 the model has fewer")

/* One dataset per score: arrays in xa_map_rows and xa_model_rows, with an item per <k>. */
#define XA_SCORE_FIELDS(X) \
    X(MAP_SCORE, _, "/maps/<m>/<e>/scores/<k>", F64, 0, "R", NAN, "1", \
      "score of the map alone; NaN undefined") \
    X(LOCALISATION, _, "/localisation/<m>/<e>/<k>", F64, 0, "Q", NAN, "", \
      "score of the metric; NaN undefined") \
    X(STATISTIC_HITS, _, "/statistics/<m>/<e>/<k>", U8, 0, "Q,D,32", 0, "", \
      "box_acc: bit g of a level of overlap, low bit first: hit above grey level g") \
    X(STATISTIC_PIXELS, _, "/statistics/<m>/<e>/<k>", U32, 0, "Q,2,1001", 0, "pixels", \
      "pxap: pixels of the background, then of the region; bin t: t/1000 <= value < " \
      "(t+1)/1000") \
    X(BASELINE, _, "/baselines/<m>/<e>/<k>", F64, 0, "Q", NAN, "", \
      "score of a map that knows nothing of the image") \
    X(BASELINE_HITS, _, "/baseline_statistics/<m>/<e>/<k>", U8, 0, "Q,D,32", 0, "", \
      "as /statistics") \
    X(BASELINE_PIXELS, _, "/baseline_statistics/<m>/<e>/<k>", U32, 0, "Q,2,1001", 0, "pixels", \
      "as /statistics") \
    X(AGREEMENT, _, "/pairs/<m>/<e>/<k>", F64, 0, "N", NAN, "1", \
      "agreement of two explainers' first maps of a sample; NaN undefined") \
    X(CHECK_STATUS, _, "/checks/<m>/<e>/<k>/status", U8, 0, "R", 0, "", \
      "what became of the map in the check: 0 pending, 1 done, 2 not sampled, 3 no map, 4 an " \
      "answer was not finite, 5 not defined for it") \
    X(CHECK_FIGURES, _, "/checks/<m>/<e>/<k>/figures", F64, 0, "R,F", NAN, "1", \
      "figures of the map, which the attribute `figures` names; NaN undefined") \
    X(CHECK_SCORES, _, "/checks/<m>/<e>/<k>/scores", F32, 0, "R,B,P", NAN, "1", \
      "the model's score of the class explained for each perturbed input; blocks are named by " \
      "the attribute `blocks`") \
    X(CHECK_PROBS, _, "/checks/<m>/<e>/<k>/probs", F32, 0, "R,B,P", NAN, "1", \
      "likewise its probability")

/* What `xaudit evaluate` makes of the maps of a class. */
#define XA_MEAN_FIELDS(X) \
    X(CLASS_MEAN, _, "/class_means/<m>/<e>/mean", F32, 0, "C,h,w", NAN, "1", \
      "mean of the class's maps, each over its largest size, on the model's input; NaN " \
      "without any") \
    X(CLASS_MEAN_COUNT, _, "/class_means/<m>/<e>/count", I64, 0, "C", 0, "maps", \
      "maps that the mean is made of")

/* What `xaudit cluster` finds among the maps of an explainer (cluster.h). G: groups that were
 * clustered each on its own, V: eigenvectors, K: the most clusters that a group has. */
#define XA_CLUSTER_FIELDS(X) \
    X(CLUSTER_STATUS, _, "/clusters/<m>/<e>/status", U8, 0, "R", 0, "", \
      "what became of the map: 0 no map, 1 in a cluster, 2 not sampled, 3 all values are " \
      "0 or one is not finite, 4 its class has too few maps") \
    X(CLUSTER_GROUP, _, "/clusters/<m>/<e>/group", I32, 0, "R", -1, "", \
      "row of `class`: the maps that it was clustered with; -1 not clustered") \
    X(CLUSTER_NUMBER, _, "/clusters/<m>/<e>/cluster", I32, 0, "R", -1, "", \
      "cluster within its group, the largest is 0; -1 not clustered") \
    X(CLUSTER_DISTANCE, _, "/clusters/<m>/<e>/distance", F32, 0, "R", NAN, "1", \
      "to its cluster's centre among the eigenvectors: the least is the most typical map") \
    X(CLUSTER_EMBEDDING, _, "/clusters/<m>/<e>/embedding", F32, 0, "R,V", NAN, "1", \
      "the map's places in the eigenvectors of its group") \
    X(CLUSTER_CLASS, _, "/clusters/<m>/<e>/class", I32, 0, "G", -1, "class", \
      "whose maps were clustered together; -1 those of all classes") \
    X(CLUSTER_MAPS, _, "/clusters/<m>/<e>/maps", I32, 0, "G", 0, "maps", "maps of the group") \
    X(CLUSTER_NEIGHBOURS, _, "/clusters/<m>/<e>/neighbours", I32, 0, "G", 0, "", \
      "nearest neighbours of a map that were joined to it") \
    X(CLUSTER_COUNT, _, "/clusters/<m>/<e>/count", I32, 0, "G", 0, "", "clusters of the group") \
    X(CLUSTER_EIGENVALUE, _, "/clusters/<m>/<e>/eigenvalue", F64, 0, "G,V", NAN, "1", \
      "of the normalised Laplacian, ascending") \
    X(CLUSTER_MEAN, _, "/clusters/<m>/<e>/mean", F32, 0, "G,K,h,w", NAN, "1", \
      "mean of the cluster's maps as they were compared, on the model's input")

/* Checksums: one per row of what they cover. */
#define XA_SUM_FIELDS(X) \
    X(SUM_SAMPLES, _, "/checksums/samples", U32, 0, "N", 0, "", \
      "of a row of width, height and pixel_hash of /samples") \
    X(SUM_THUMBNAILS, _, "/checksums/thumbnails", U32, 0, "N", 0, "", \
      "of a row of /samples/thumbnail and thumbnail_size") \
    X(SUM_MODEL, _, "/checksums/models/<m>", U32, 0, "N", 0, "", \
      "of a row of probs, predicted, affine, status, stage and message of the model") \
    X(SUM_LOGITS, _, "/checksums/logits/<m>", U32, 0, "N", 0, "", \
      "of a row of the model's logits") \
    X(SUM_MAPS, _, "/checksums/maps/<m>/<e>", U32, 0, "R", 0, "", \
      "of a row of scale, target, flags, maximum, peak, checksum and scores of the maps") \
    X(SUM_LOCALISATION, _, "/checksums/localisation/<m>/<e>", U32, 0, "Q", 0, "", \
      "of a row of all metrics' scores") \
    X(SUM_STATISTICS, _, "/checksums/statistics/<m>/<e>", U32, 0, "Q", 0, "", \
      "of a row of all metrics' statistics") \
    X(SUM_BASELINES, _, "/checksums/baselines/<m>/<e>/<k>", U32, 0, "Q", 0, "", \
      "of a row of one metric's scores") \
    X(SUM_BASELINE_STATISTICS, _, "/checksums/baseline_statistics/<m>/<e>/<k>", U32, 0, "Q", 0, \
      "", "of a row of one metric's statistics") \
    X(SUM_PAIRS, _, "/checksums/pairs/<m>/<e>", U32, 0, "N", 0, "", \
      "of a row of the two explainers' agreement") \
    X(SUM_CHECKS, _, "/checksums/checks/<m>/<e>/<k>", U32, 0, "R", 0, "", \
      "of a row of status, figures, scores and probs of one check")

/* The runs that worked on the archive: members of xa_contents. */
#define XA_SESSION_FIELDS(X) \
    X(RUN_STATE, run_state, "/run/state", U8, 0, "1", RAW, "", "0 created, 1 running, 2 complete") \
    X(RUN_SESSION_COUNT, session_count, "/run/sessions/count", I32, 0, "1", RAW, "", \
      "sessions so far; rows below") \
    X(RUN_SESSION_RANKS, session_ranks, "/run/sessions/ranks", I32, 0, "256", RAW, "", \
      "MPI ranks") \
    X(RUN_SESSION_NODES, session_nodes, "/run/sessions/nodes", I32, 0, "256", RAW, "", "nodes") \
    X(RUN_SESSION_THREADS, session_threads, "/run/sessions/threads", I32, 0, "256", RAW, "", \
      "BLAS threads a rank") \
    X(RUN_SESSION_START, session_start, "/run/sessions/start", STR, XA_SESSION_TIME, "256", RAW, \
      "", "UTC") \
    X(RUN_SESSION_END, session_end, "/run/sessions/end", STR, XA_SESSION_TIME, "256", RAW, "", \
      "UTC; empty if it was killed") \
    X(RUN_SESSION_HOST, session_host, "/run/sessions/host", STR, XA_SESSION_HOST, "256", RAW, "", \
      "host of rank 0") \
    X(RUN_SESSION_SECONDS, session_seconds, "/run/sessions/seconds", F64, 0, "256", RAW, "s", \
      "wall time; of a session that was killed, until its last sign of life") \
    X(RUN_SESSION_CPU, session_cpu, "/run/sessions/cpu", STR, XA_SESSION_LONG, "256", RAW, "", \
      "processors, with their ranks") \
    X(RUN_SESSION_LIBRARIES, session_libraries, "/run/sessions/libraries", STR, XA_SESSION_LONG, \
      "256", RAW, "", "versions of libraries and compiler") \
    X(RUN_SESSION_TEXT, session_text, "/run/sessions/text", STR, XA_SESSION_TEXT, "256", RAW, "", \
      "tool, ISA, BLAS, MPI")

/* Texts of the whole archive, datasets where an attribute cannot hold them. */
#define XA_TEXT_FIELDS(X) \
    X(JOB_TEXT, _, "/job", STR, 0, "1", RAW, "", "the job, where an attribute cannot hold it") \
    X(IDENTITY_TEXT, _, "/identity_text", STR, 0, "1", RAW, "", "likewise what moves its numbers")

#define XA_OWNER_LIST(X) \
    X(TABLE) \
    X(SAMPLE) \
    X(ANNOTATION) \
    X(MODEL) \
    X(VALUES) \
    X(MAP) \
    X(SCORE) \
    X(MEAN) \
    X(CLUSTER) \
    X(SUM) \
    X(SESSION) \
    X(TEXT)
/* clang-format on */
#define XA_FIELD_LIST(X)    \
    XA_TABLE_FIELDS(X)      \
    XA_SAMPLE_FIELDS(X)     \
    XA_ANNOTATION_FIELDS(X) \
    XA_MODEL_FIELDS(X)      \
    XA_VALUES_FIELDS(X)     \
    XA_MAP_FIELDS(X)        \
    XA_SCORE_FIELDS(X)      \
    XA_MEAN_FIELDS(X)       \
    XA_CLUSTER_FIELDS(X)    \
    XA_SUM_FIELDS(X)        \
    XA_SESSION_FIELDS(X)    \
    XA_TEXT_FIELDS(X)

typedef enum xa_field_kind {
#define X(name, member, path, type, bytes, extents, initial, unit, text) XA_FIELD_##name,
    XA_FIELD_LIST(X)
#undef X
        XA_FIELD_KINDS
} xa_field_kind;

typedef enum xa_owner {
#define X(name) XA_OWNER_##name,
    XA_OWNER_LIST(X)
#undef X
        XA_OWNERS
} xa_owner;

/* How many fields an owner has: XA_FIELDS_OF(SAMPLE). */
#define XA__ONE_MORE(name, member, path, type, bytes, extents, initial, unit, text) +1
#define XA_FIELDS_OF(owner) (0 XA_##owner##_FIELDS(XA__ONE_MORE))
/* Members of a structure that owns fields, for the macros above: a pointer to rows, or the index of
 * a field in a schema. */
#define XA_MEMBER_ROWS(name, member, path, type, bytes, extents, initial, unit, text) \
    xa_item_##type *member;
#define XA_MEMBER_INDEX(name, member, path, type, bytes, extents, initial, unit, text) int member;

typedef enum xa_initial {
    XA_INITIAL_RAW,
    XA_INITIAL_ZERO,
    XA_INITIAL_MINUS_ONE,
    XA_INITIAL_NAN
} xa_initial;

/* A line of the table. */
typedef struct xa_field_def {
    const char *name, *path;
    xa_type type;
    size_t bytes;
    const char *extents, *initial, *unit, *description;
} xa_field_def;
/* NULL: no field of this version. */
const xa_field_def *xa_field_get(xa_field_kind kind);
xa_owner xa_field_owner(xa_field_kind kind); /* XA_OWNERS: no field of this version */
xa_initial xa_field_initial(xa_field_kind kind);
const char *xa_field_extents(xa_field_kind kind); /* as in the table: "N,C" */
int xa_owner_fields(xa_owner owner);
/* The i-th field of an owner, as in the lists above. */
xa_field_kind xa_owned_field(xa_owner owner, int i);
/* Fills `items` items with what rows hold before they are done. RAW is left alone. */
void xa_field_fill(xa_field_kind kind, xa_type type, void *data, size_t items, size_t item_bytes);

/* ---- paths ----------------------------------------------------------------------------------- */

/* The groups, where attributes stand and lists of members are asked for. */
#define XA_GROUP_SAMPLES "/samples"
#define XA_GROUP_LABELS "/samples/labels"
#define XA_GROUP_ANNOTATIONS "/samples/annotations"
#define XA_GROUP_EXTRA "/samples/extra"
#define XA_GROUP_EVAL "/eval"
#define XA_GROUP_MODELS "/models"
#define XA_GROUP_MAPS "/maps"
#define XA_GROUP_LOCALISATION "/localisation"
#define XA_GROUP_STATISTICS "/statistics"
#define XA_GROUP_BASELINES "/baselines"
#define XA_GROUP_BASELINE_STATISTICS "/baseline_statistics"
#define XA_GROUP_PAIRS "/pairs"
#define XA_GROUP_CHECKS "/checks"
#define XA_GROUP_CLASS_MEANS "/class_means"
#define XA_GROUP_CLUSTERS "/clusters"
#define XA_GROUP_CHECKSUMS "/checksums"
#define XA_GROUP_RUN "/run"

/* Names in a path have at most XA_NAME_BYTES bytes. A path that does not fit is cut: no dataset of
 * the format has one so long. */
enum { XA_NAME_BYTES = 100, XA_PATH_BYTES = 512 };
typedef struct xa_path {
    char text[XA_PATH_BYTES];
} xa_path;

/* The path of a field whose path has no names in it: "/samples/id". */
const char *xa_field_path(xa_field_kind kind);
/* The path with its names put in; NULL for a name that it does not have. */
xa_path
xa_field_name(xa_field_kind kind, const char *model, const char *explainer, const char *key);
/* The group that holds the field's datasets: the path without its last part. A name that is NULL
 * ends it earlier: of MAP_SCALE "/maps/<m>/<e>", "/maps/<m>" and "/maps". */
xa_path xa_field_group(xa_field_kind kind, const char *model, const char *explainer);
/* The group of one check of an explainer: "/checks/<m>/<e>/<k>". */
xa_path xa_field_check(const char *model, const char *explainer, const char *check);
/* The name of a pair of explainers, in the place of <e>: "a__b". */
xa_path xa_pair_name(const char *a, const char *b);

/* Which field a dataset of this path and type is, and the names in its path, "" where the path has
 * none. False: none of this format. */
typedef struct xa_field_names {
    char model[XA_NAME_BYTES + 1], explainer[XA_NAME_BYTES + 1], key[XA_NAME_BYTES + 1];
} xa_field_names;
bool xa_field_match(const char *path, xa_type type, xa_field_kind *kind, xa_field_names *names);

/* ---- extents --------------------------------------------------------------------------------- */

/* What the letters of the table stand for; -1: not known. */
typedef struct xa_extents {
    int64_t samples, pairs, rows, annotations, labels; /* N, Q, R, A, L */
    int64_t classes, channels, height, width;          /* C, c, h, w */
    int64_t side, levels;                              /* s of a thumbnail, D of box_acc */
    int64_t figures, blocks, points;                   /* F, B, P of a check */
    int64_t groups, clusters, vectors;                 /* G, K, V of clusters */
} xa_extents;
/* All of them -1. */
xa_extents xa_extents_unknown(void);
/* The field's extents; their number. */
int xa_field_dims(xa_field_kind kind, const xa_extents *x, int64_t dim[5]);
/* Items in a row: the product of all extents but the first, which must be known; 0 also where it
 * overflows. */
size_t xa_field_row_items(xa_field_kind kind, const xa_extents *x);

/* ---- checksums ------------------------------------------------------------------------------- */

/* A row's checksum is the sum, modulo 2^32, over the datasets that it covers, of the low 32 bits of
 * XXH3 of the row's bytes as the file holds them (little-endian), seeded with XXH3 of the dataset's
 * path. A sum, so that datasets can be looked at one after another; seeded, so that bytes that
 * changed places are found. Covered is what a run writes row by row, except map values, which have
 * their own (MAP_CHECKSUM), problems of annotations, /class_means and /run.
 *
 * Returns the SUM_... field that covers this one; XA_FIELD_KINDS: none does. */
xa_field_kind xa_field_checksum(xa_field_kind kind);
/* The dataset with the checksums that cover a dataset of this path and type, into `out`; false:
 * none do, or it does not fit. */
bool xa_checksum_path(const char *path, xa_type type, char *out, size_t size);
uint64_t xa_checksum_seed(const char *path);
/* Adds n rows of one dataset to their checksums. */
void xa_checksum_rows(uint64_t seed, const void *rows, int64_t n, size_t row_bytes, uint32_t *sums);

/* A table that is written whole at creation (ids, labels, annotations, pairs, samples of maps,
 * class names) has an attribute `checksum`: the same sum over its rows, where row i is seeded with
 * the path's seed + i. Adds rows from the `first` on. */
void xa_checksum_table(
    uint64_t seed, const void *rows, int64_t first, int64_t n, size_t row_bytes, uint32_t *sum);
/* Whether a field is such a table. */
bool xa_is_table(xa_field_kind kind);

/* ---- what numbers in the archive mean -------------------------------------------------------- */

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

#endif
