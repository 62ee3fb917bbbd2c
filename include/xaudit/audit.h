/* audit: one unit of samples through image -> model -> explain -> metric, giving rows.
 *
 * The whole program without MPI and without the archive. An xa_audit holds the opened models and
 * their plans; it is made the same on every rank from the same spec. Memory that is large or shared
 * is the caller's: one weights blob for all models (xa_audit_weight_bytes), one arena
 * (xa_audit_arena_bytes).
 *
 *   xa_audit_create -> xa_audit_pack (into node-shared memory) -> xa_audit_attach
 *     -> xa_rows_create -> { xa_audit_unit; use the rows } ...
 *
 * A sample that fails is data: its rows say at which stage and why, hold NaN, and the unit goes on.
 */
#ifndef XAUDIT_AUDIT_H
#define XAUDIT_AUDIT_H

#include "xaudit/faith.h"
#include "xaudit/format.h"
#include "xaudit/manifest.h"
#include "xaudit/metric.h"

/* Versions, raised whenever other numbers come of the same files and settings: PASS where a model
 * file, an image or its way into the network is read otherwise (the arithmetic has its own,
 * xa_numerics_version), MAPS where an explainer's formula changes. Archives keep them. */
enum { XA_PASS_VERSION = 2, XA_MAPS_VERSION = 1 };

typedef struct xa_audit_model_spec {
    char *name; /* in the archive */
    char *file;
    xa_model_options open; /* its strings are owned by the spec */
    xa_input_spec input;
    int64_t batch; /* images a pass; 0: as many as fill the products (xa_audit_batch) */
    xa_explainer_spec *explainers;
    int nexplainers;
} xa_audit_model_spec;

typedef struct xa_audit_spec {
    xa_audit_model_spec *models;
    int nmodels;
    xa_metric_spec *metrics;
    int nmetrics;
    /* Checks that cost passes: a forward pass an explainer, a backward pass a group of explainers.
     */
    bool masked, random_logit;
    int64_t seed;         /* of all that is drawn: xa_random_seed(pixel hash, seed) */
    xa_faith_spec *faith; /* further checks, each with settings of its own */
    int nfaith;
    int64_t thumbnails;  /* side of the square that holds a small picture of each image; 0: none */
    bool rescale_frames; /* boxes of a scaled frame are brought to the image, else left out */
    xa_decode_options decode;
    xa_isa isa; /* AUTO: this processor's; ranks agree on the common one */
} xa_audit_spec;
void xa_audit_spec_fini(xa_audit_spec *s); /* frees what it owns, zeroes */

typedef struct xa_audit xa_audit;

/* Opens the models, resolves layers, makes the plans. spec is borrowed until xa_audit_free. */
XA_MUST_USE xa_status xa_audit_create(const xa_audit_spec *spec, xa_audit **out, xa_err *err);
void xa_audit_free(xa_audit *a);

/* What was resolved. m indexes models, e explainers of that model. */
const xa_model *xa_audit_model_of(const xa_audit *a, int m);
void xa_audit_plan_info(const xa_audit *a, int m, xa_plan_info *out);
void xa_audit_plan_describe(const xa_audit *a, int m, xa_str *out);
/* Path of the layer explainer e looks at ("auto" resolved); "" for input-gradient kinds. */
const char *xa_audit_layer(const xa_audit *a, int m, int e);
/* Path of the i-th layer of an explainer that names several, 0 <= i < its spec's nlayers. */
const char *xa_audit_layers(const xa_audit *a, int m, int e, int i);
xa_shape xa_audit_map_shape(const xa_audit *a, int m, int e); /* [c,h,w] */
int64_t xa_audit_classes(const xa_audit *a, int m);
/* Images per pass: the spec's if it says one; else 1, or for a vision transformer as many as have
 * 192 tokens together (the power of two below that where models of many sizes would make units of
 * more than 1024 samples). */
int64_t xa_audit_batch(const xa_audit *a, int m);
int xa_audit_passes(const xa_audit *a,
                    int m); /* backward passes per batch, for one target per sample */
/* What explainer e asks the model about each image and target, besides the image itself; nothing
 * where it does not ask. */
xa_asks xa_audit_asks(const xa_audit *a, int m, int e);
/* Memory for that, besides the arena: with one target an image. */
size_t xa_audit_asking_bytes(const xa_audit *a);
/* References of explainers that compare an image with others of the data set: the manifest's
 * samples, of all classes alike, chosen by seed and id (xa_faith_turns), excluded ones left out.
 * Chosen where the whole manifest is, before a slice is taken, and set on every rank before the
 * first unit. text: lines of id and file in turn. INVALID: the manifest has too few. */
enum { XA_REFERENCES_MOST = 256 };
bool xa_audit_needs_references(const xa_audit *a);
XA_MUST_USE xa_status xa_audit_choose_references(const xa_audit *a,
                                                 const xa_manifest *m,
                                                 xa_str *out,
                                                 xa_err *err);
XA_MUST_USE xa_status xa_audit_set_references(xa_audit *a,
                                              const char *text,
                                              size_t size,
                                              xa_err *err);
int64_t xa_audit_references(const xa_audit *a); /* how many are set */
const char *xa_audit_reference_id(const xa_audit *a, int64_t k);
/* Samples a unit: the least common multiple of the models' batches. */
int64_t xa_audit_unit_samples(const xa_audit *a);

/* Passes that check k of model m costs for an image that it looks at, with one target for each
 * explainer: inputs that do not depend on a map are counted once. */
typedef struct xa_passes {
    int64_t forward, backward;
} xa_passes;
xa_passes xa_audit_check_passes(const xa_audit *a, int m, int k);

size_t xa_audit_weight_bytes(const xa_audit *a);
size_t xa_audit_arena_bytes(const xa_audit *a);
/* Reads and packs the weights of all models into blob (weight_bytes, 64-byte aligned). */
XA_MUST_USE xa_status xa_audit_pack(xa_audit *a, void *blob, xa_err *err);
/* Blob and arena are borrowed until xa_audit_free; tick is called often from inside xa_audit_unit.
 */
void xa_audit_attach(xa_audit *a, const void *blob, void *arena, const xa_tick *tick);

typedef struct xa_rows xa_rows;
typedef struct xa_map_rows xa_map_rows;
/* Where maps come from that were made before: fills rows [first, first + count) of explainer e of
 * model m in x, all of the sample in `slot`: values as they are stored, every column, and where the
 * job asks for it the check random_logit. A failure is the unit's. */
typedef xa_status xa_take_maps(void *arg,
                               const xa_rows *rows,
                               int m,
                               int e,
                               int64_t slot,
                               xa_map_rows *x,
                               int64_t first,
                               int64_t count,
                               xa_err *err);
/* From now on maps are taken, not made; scores, checks and all that depends on the model's answer
 * are computed as ever. */
void xa_audit_take_maps(xa_audit *a, xa_take_maps *take, void *arg);

/* Seconds that a pass takes for an image, of a full batch of model m on this core: forward, and the
 * longest backward pass that its explainers ask for (0: none does). The audit is attached. */
typedef struct xa_pass_seconds {
    double forward, backward;
} xa_pass_seconds;
xa_pass_seconds xa_audit_time(xa_audit *a, int m);

/* Observes the passes of model m from now on; to be called between units. */
void xa_audit_profile(xa_audit *a, int m, const xa_profile *profile);

/* ---- rows ------------------------------------------------------------------------------------ */

static inline size_t xa_thumbnail_bytes(const xa_audit_spec *s)
{
    return (size_t)(s->thumbnails * s->thumbnails * 3);
}
static inline bool xa_checked(const xa_audit_spec *s, xa_check_kind k)
{
    return k == XA_CHECK_RANDOM_LOGIT ? s->random_logit : s->masked;
}
/* What is scored for a model: its explainers, then the baselines. */
static inline int xa_scored(const xa_audit_model_spec *m)
{
    return m->nexplainers + XA_BASELINE_COUNT;
}
/* Pairs of explainers whose agreement is stored. */
static inline int xa_explainer_pairs(const xa_audit_model_spec *m)
{
    return m->nexplainers * (m->nexplainers - 1) / 2;
}

/* Map rows that a rule gives a sample: 1, its labels, its annotated classes, or `top`. */
int32_t xa_rows_of_sample(xa_target_rule rule, int32_t top, const xa_sample *s);
static inline int32_t xa_explainer_rows(const xa_explainer_spec *e, const xa_sample *s)
{
    return xa_rows_of_sample(e->target, e->top, s);
}

/* Members and their order are those of the format's table (XA_MAP_FIELDS and so on in format.h),
 * each an array of rows of the table's type and extents. The same pointers lie in an array beside
 * them, for code that treats all alike. */

/* A check's rows of one explainer: [count] of each, as its shape says (xa_faith_shape). What the
 * check does not store is NULL. */
typedef struct xa_check_rows {
    uint8_t *status; /* XA_CHECKED_... */
    double *figures; /* [count, figures] */
    float *scores;   /* [count, blocks, points] */
    float *probs;    /* the same */
} xa_check_rows;

typedef struct xa_map_rows {
    int64_t count; /* rows of this unit */
    int64_t cap;
    int32_t *slot; /* [count] sample of the unit, 0-based */
    void *values;  /* [count,c,h,w] f32, or f16 when the spec says so */
    union {
        struct {
            XA_MAP_FIELDS(XA_MEMBER_ROWS)
        };
        void *column[XA_FIELDS_OF(MAP)];
    };
    double *score[XA_MAP_SCORE_COUNT]; /* each [count]: need no annotation; NaN undefined */
    double *check[XA_CHECK_COUNT];     /* each [count]; NULL: the job does not ask for it */
    xa_check_rows *faith;              /* [nfaith] */
} xa_map_rows;

typedef struct xa_model_rows {
    union {
        struct {
            XA_MODEL_FIELDS(XA_MEMBER_ROWS)
        };
        void *column[XA_FIELDS_OF(MODEL)];
    };
    xa_map_rows *maps; /* [nexplainers] */
    /* scores [xa_scored(model) * nmetrics][npairs], e*nmetrics + k: baselines follow the explainers
     */
    double **localisation;
    unsigned char **statistic; /* [..][npairs, xa_metric_statistic_bytes]; NULL: it has none */
    /* [pair of explainers * XA_AGREEMENT_COUNT + kind][unit]: 0 1, 0 2, ..., 1 2, ...; of each
     * sample's first maps; NaN undefined */
    double **agreement;
} xa_model_rows;

/* Results of one unit, reused from unit to unit. */
typedef struct xa_rows {
    int64_t n, cap; /* samples of the unit */
    union {         /* [n]; thumbnails are NULL where the job does not store them */
        struct {
            XA_SAMPLE_FIELDS(XA_MEMBER_ROWS)
        };
        void *sample[XA_FIELDS_OF(SAMPLE)];
    };
    int64_t npairs, pair_cap; /* (sample, annotated class) pairs */
    int32_t *pair_slot, *pair_class;
    int64_t nannotations, annotation_cap;
    union { /* [nannotations] of the samples in order; hashes as xa_region_init makes them */
        struct {
            XA_ANNOTATION_FIELDS(XA_MEMBER_ROWS)
        };
        void *annotation[XA_FIELDS_OF(ANNOTATION)];
    };
    xa_model_rows *models;
    int nmodels;
    const xa_audit *audit;
} xa_rows;

/* Whether an archive of this job has the column: thumbnails only if the job asks for them. */
bool xa_audit_stores(const xa_audit_spec *s, xa_field_kind kind);
/* Whether an explainer's maps have the column: some are of certain kinds or scores alone. */
bool xa_map_stores(const xa_explainer_spec *e, xa_field_kind kind);

XA_MUST_USE xa_status xa_rows_create(const xa_audit *a, xa_rows **out, xa_err *err);
void xa_rows_free(xa_rows *r);

/* Problems of the annotations of a sample, without scoring: problem [s->nannotations].
 * Masks are read only where `masks` is set. *why is the message of the first mask that cannot be
 * used, "" if none. NOMEM alone is an error. */
XA_MUST_USE xa_status xa_audit_examine(const xa_sample *s,
                                       const xa_frame *frame,
                                       bool masks,
                                       uint8_t *problem,
                                       char why[XA_ERR_MESSAGE],
                                       xa_err *err);

/* Computes samples[0..n) of one unit, n <= xa_audit_unit_samples. Fails only when the machine does
 * (memory); whatever is wrong with a sample is in its rows. */
XA_MUST_USE xa_status
xa_audit_unit(xa_audit *a, const xa_sample *samples, int64_t n, xa_rows *rows, xa_err *err);

#endif
