/* Private to audit. */
#ifndef XAUDIT_AUDIT_INTERNAL_H
#define XAUDIT_AUDIT_INTERNAL_H

#include "xaudit/audit.h"

/* Explainers that share a backward pass: the same input, target rule and scalar. */
typedef struct xa_pass_group {
    int way; /* of xa_audit_model.ways */
    xa_target_rule rule;
    int32_t target_class, top; /* as those of its explainers */
    xa_scalar scalar;
    xa_rules rules;   /* what takes the gradient's place */
    int reach;        /* of the plan: what its own explainers need */
    int shared_reach; /* what all groups of the same score need together: one pass for equal targets
                       */
} xa_pass_group;
static inline bool xa_same_scalar(const xa_scalar *a, const xa_scalar *b)
{
    return a->score == b->score && a->as_tensorflow == b->as_tensorflow && a->minus == b->minus &&
           a->down == b->down;
}

/* ---- ask.c: questions about perturbed inputs, of all images and consumers of a batch ---- */

struct xa_batch;
/* A consumer at work on one image and target. Whoever asks sets what is above the line. */
typedef struct xa_ask {
    const xa_consumer *consumer;
    const void *spec;          /* the consumer's settings */
    int way;                   /* of the input */
    int64_t i;                 /* the image's slot in the batch */
    const xa_subject *subject; /* NULL: the batch's image; else another input, with its scores z */
    const float *z;            /* [units] */
    int layer;                 /* node, -1: none */
    int32_t target;
    xa_scalar scalar;
    xa_asks asks;
    /* Finishes and keeps the result; called in the order in which questions began, when all of them
     * are answered. The engine's buffers are not those of the image any more. */
    xa_status (*done)(const struct xa_batch *b, struct xa_ask *q, xa_err *err);
    int e; /* for `done`: an explainer and its row, or what else it needs */
    int64_t row;
    void *kept;
    /* ---- */
    void *state;
    xa_recipe recipe;
    int node;             /* where its inputs go: the layer, -1: the network's input */
    int64_t leader, next; /* questions about the same inputs: the first, and a list; -1: the end */
    int round, rounds;    /* of its gradient; the leader's: how many different ones there are */
    int64_t most_draws, most_gradients; /* the leader's: of all */
    bool mixed;                         /* the leader's: somebody has draws of both sorts */
} xa_ask;
typedef struct xa_askings {
    xa_ask *list;
    int64_t n;
    size_t cap;
} xa_askings;
/* An input of a pass. */
typedef struct xa_ask_slot {
    int64_t leader, draw;
} xa_ask_slot;
/* What an explainer looks at beside its one layer. */
typedef struct xa_sight {
    int n;
    int *node;         /* [n] of the graph, from the input on */
    const char **path; /* [n] of layers that it names; NULL of others */
    xa_explain_layer
        *layers;         /* [n] their shapes, and where the values of the image under way are */
    size_t constants_at; /* CONSTANTS: where they lie in the model's blob, one after another */
} xa_sight;

/* The model's head on every block of a transformer. */
typedef struct xa_probe {
    bool used;
    int scores; /* node [blocks, units] */
    int reach;  /* from there to the blocks' outputs */
} xa_probe;

/* faith.c: the checks of one image at a time. */
enum { XA_FAITH_BLOCKS = 1 + XA_RIVAL_COUNT };
typedef struct xa_audit_checks {
    float *pixels;             /* [nexplainers, H, W] the maps over the input */
    float *sizes;              /* [H, W] one of them, by its sizes */
    float *grid;               /* the largest map */
    int64_t *row;              /* [nexplainers] the row that is looked at, -1: none */
    xa_faith_task *tasks;      /* [nexplainers, nfaith, XA_FAITH_BLOCKS] */
    xa_faith_replies *replies; /* likewise */
    double *values;            /* what replies point to; how far maps moved */
    void *scratch;             /* xa_faith_scratch */
    /* Of max_sensitivity, where an explainer asks: a batch of moved inputs [batch,H,W,C], their
     * scores [batch,units], and who they are. NULL: nobody needs them. */
    float *moved, *moved_z;
    xa_subject *moved_subjects; /* [batch] */
    size_t bytes;               /* all of it, with the states of one image's questions */
} xa_audit_checks;

/* References: their texts, and of a model the inputs that are at hand. */
typedef struct xa_reference_list {
    int64_t n;
    char *text; /* owns what follows */
    const char *id[XA_REFERENCES_MOST], *file[XA_REFERENCES_MOST];
} xa_reference_list;
typedef struct xa_at_hand {
    int way;
    int64_t k, used; /* used: when last; 0: empty */
    bool readable;
} xa_at_hand;

typedef struct xa_audit_model {
    const xa_audit_model_spec *spec;
    xa_model *model;
    xa_plan *plan;
    xa_run run;
    size_t weights_at, weight_bytes;
    int64_t batch;           /* images a pass */
    xa_shape input;          /* [H,W,C] */
    int *layer_node;         /* [nexplainers], -1: input gradient only */
    char (*layer_path)[256]; /* [nexplainers] */
    xa_shape *map_shape;     /* [nexplainers] */
    int *group;              /* [nexplainers], -1: needs no backward pass */
    xa_pass_group *groups;
    int ngroups;
    const xa_input_spec *
        *ways; /* [nways] from the image to the input: the model's own first, then
                  those of explainers that have another; each costs a forward pass */
    int nways;
    int *way;                /* [nexplainers] */
    const xa_tokens *tokens; /* of the model, or NULL */
    int *site;               /* [nexplainers] attention layer of explainers that look at one */
    xa_sight *sight;         /* [nexplainers] */
    int *boundary;           /* [attention layers + 1] see xa_model_blocks; NULL: nobody asks */
    xa_probe probe[XA_PROBE_COUNT];
    int block_reach;   /* the first of a reach for each block: from its output to its attention */
    float *block_seed; /* [blocks][batch, T, D] where those begin */
    float *probe_seed; /* [batch, blocks, units] */
    size_t *state_at, *state_bytes; /* [nexplainers] of attention explainers: offset in the arena,
                                       and bytes per sample; 0: none */
    unsigned char *arena;
    /* Where something asks; else NULL. The batch's images: inputs [nways,batch,H,W,C], head's
     * scores [nways,batch,units], inputs of black and white [nways,2,C]. */
    float *clean, *clean_z, *ranges;
    xa_subject *subjects; /* [nways,batch] */
    xa_askings asks;
    xa_ask_slot *slots;                  /* [batch] */
    xa_audit_checks *checks;             /* NULL: the job has none with settings */
    const xa_reference_list *references; /* NULL: no explainer needs any */
    const xa_decode_options *decode;
    xa_references source;
    xa_at_hand *at_hand;  /* [nat_hand] */
    float *at_hand_input; /* [nat_hand,H,W,C] */
    int nat_hand;
    int64_t uses;
    int ask_reach; /* of the plan: the input's gradient; -1: nobody asks for it */
} xa_audit_model;

/* resolve.c: the layers that explainers look at, and the shapes of their maps. */
xa_status xa_audit_resolve_layers(xa_audit_model *am, xa_err *err);

/* passes.c: the ways and groups of a model's explainers, and its plan. */
/* What an explainer asks of a pass; its reaches are left open. */
xa_pass_group xa_audit_group_of(const xa_audit_model *am, int e);
void xa_audit_find_ways(xa_audit_model *am);
void xa_audit_group_passes(xa_audit_model *am);
xa_status xa_audit_make_plan(xa_audit_model *am, xa_isa isa, xa_err *err);

/* targets.c: INVALID if an explainer's target or score is none of its model's. */
xa_status xa_audit_check_targets(const xa_audit_model *am, xa_err *err);
/* sights.c: what explainers look at beside one layer. Shapes and nodes, and the probes that they
 * need; then how much room the constants take behind the plan's weights, and the constants
 * themselves. */
xa_status xa_sight_resolve(xa_audit_model *am, int e, xa_err *err);
size_t xa_sight_layout(xa_audit_model *am, size_t weight_bytes);
xa_status xa_sight_pack(xa_audit_model *am, void *blob, xa_err *err);
void xa_sight_free(xa_sight *s);

/* attend.c: attention explainers observe the engine while it runs. */
typedef struct xa_attend {
    xa_audit_model *am;
    bool backward;
    bool probes; /* backward: of the head on every block, for explainers of this pool */
    int pool;
    const bool *groups;     /* backward: those the pass serves */
    const int32_t *targets; /* backward: [batch] of all of them; -1: nobody looks */
    int way;                /* forward: of the pass */
    int64_t n;              /* samples of the batch in use */
} xa_attend;
/* Sizes states behind the plan's arena; returns the bytes of both. */
size_t xa_attend_layout(xa_audit_model *am, size_t plan_bytes);
/* Clears the states that the coming pass fills, and sets the run's sink; `x` is borrowed until
 * xa_attend_end. */
void xa_attend_begin(xa_attend *x);
void xa_attend_end(xa_attend *x);
void *xa_attend_state(const xa_audit_model *am, int e, int64_t sample);

struct xa_audit {
    const xa_audit_spec *spec;
    xa_audit_model *models;
    xa_reference_list references;
    int64_t unit;
    size_t weight_bytes, arena_bytes;
    xa_image *images;       /* [unit] decoded samples of this unit */
    float *map;             /* the largest map, f32 */
    xa_explain_facts facts; /* of that map */
    void *work;             /* scratch of the explainer that needs most */
    float *seed;            /* [batch, units] of the largest model */
    int32_t *targets;       /* scratch of a batch's passes */
    int most_groups;
    bool *served;   /* [most_groups] groups that the current pass serves */
    float *seconds; /* [unit] */
    xa_scorer *scorer;
    double *value;         /* [nmetrics] of the map that is scored */
    void **statistic;      /* [nmetrics] where its statistics go */
    float *logits, *probs; /* [classes] of the model with most: of the masked image */
    float *grown;          /* a map at the largest input's size */
    int64_t *masked;       /* [unit] rows that are masked in the current pass */
    float *other;          /* as map: the second of two maps that are compared */
    float baseline[XA_BASELINE_COUNT][XA_BASELINE_SIDE * XA_BASELINE_SIDE];
    xa_take_maps *take; /* NULL: maps are made */
    void *take_arg;
    uint32_t *ranks; /* scratch of scores of maps: three times the largest map */
};

/* ---- unit.c: one batch of one model ---- */

typedef struct xa_batch {
    xa_audit *a;
    int m;
    xa_audit_model *am;
    xa_model_rows *out;
    xa_rows *rows;
    const xa_sample *samples;
    int64_t first, n; /* slots of the unit */
} xa_batch;
static inline bool xa_batch_lives(const xa_batch *b, int64_t i)
{
    return b->out->status[b->first + i] == XA_SAMPLE_DONE;
}
/* The batch's images into the network's input, the w-th way; false: none is left. The affine maps
 * are those of way 0. */
bool xa_batch_fill(const xa_batch *b, int w);
/* What explainer e looks at: shapes without values. */
xa_explain_view xa_batch_shapes(const xa_audit_model *am, int e);
/* targets.c: the class that the j-th row of group g explains in slot i of the batch; -1: there is
 * no such row. */
int32_t xa_batch_target(const xa_batch *b, const xa_pass_group *g, int64_t i, int32_t j);
/* A backward pass for targets [n] (-1: none) after the forward pass that was just run; the groups
 * it serves observe it.
 */
XA_MUST_USE xa_status xa_batch_pass(
    const xa_batch *b, const xa_pass_group *g, int reach, const int32_t *targets, xa_err *err);
/* What explainer e looks at for the i-th sample, from the passes just run; reach -1: no backward
 * pass. */
xa_explain_view xa_batch_view(const xa_batch *b, int e, int64_t i, int reach);
/* Its map into the audit's map; target: the class, -1 where none is explained. */
void xa_batch_compute(const xa_batch *b, int e, int64_t i, int reach, int32_t target);
/* The audit's map as row `row` of explainer e, of the i-th sample. */
void xa_batch_store(const xa_batch *b, int e, int64_t row, int32_t target, int64_t i);

/* ask.c; src/audit/README.md says how to add a consumer. */
bool xa_ask_any(const xa_audit_model *am); /* does something of the model ask? */
/* What explainer e asks for an image and target; nothing if it does not ask. */
xa_asks xa_ask_count(const xa_audit_model *am, int e);
/* Bytes of the state of one question of explainer e; 0: it does not ask. */
size_t xa_ask_states(const xa_audit_model *am, int e);
size_t xa_ask_bytes(const xa_audit_model *am); /* memory, with one target an image */
xa_status xa_ask_init(xa_audit_model *am, xa_err *err);
void xa_ask_fini(xa_audit_model *am);
/* Keeps the batch's inputs (before the forward pass of way w) and scores (after it). */
void xa_ask_keep_inputs(const xa_batch *b, int w);
void xa_ask_keep_scores(const xa_batch *b, int w);
/* Who a question is about. */
const xa_subject *xa_ask_subject(const xa_audit_model *am, const xa_ask *q);
/* Begins a question: plans it. v: as of xa_consumer. */
XA_MUST_USE xa_status xa_ask_begin(const xa_batch *b,
                                   const xa_ask *what,
                                   const xa_explain_view *v,
                                   xa_err *err);
/* Passes until all questions are answered and done; then there are none. */
XA_MUST_USE xa_status xa_ask_run(const xa_batch *b, xa_err *err);

/* references.c */
size_t xa_reference_bytes(const xa_audit_model *am); /* of the inputs at hand */
int64_t xa_reference_self(const xa_audit_model *am, const xa_sample *s);
void xa_reference_list_fini(xa_reference_list *list);

/* ask_maps.c: maps of explainers that ask. A question for row `row`, and with random_logit one for
 * another class. */
XA_MUST_USE xa_status xa_ask_map(const xa_batch *b,
                                 int e,
                                 int64_t i,
                                 int64_t row,
                                 int32_t target,
                                 const xa_explain_view *v,
                                 xa_err *err);
/* The same of another input, q->subject with its scores; `done` finds the map in the audit's, after
 * xa_ask_finish. */
XA_MUST_USE xa_status
xa_ask_moved(const xa_batch *b, int e, const xa_ask *who, const xa_explain_view *v, xa_err *err);
/* Its map into the audit's map. */
void xa_ask_finish(const xa_batch *b, xa_ask *q);
/* The same for another class, whose map is compared with the stored one. */
XA_MUST_USE xa_status xa_ask_other(
    const xa_batch *b, int e, int64_t i, int32_t target, const xa_explain_view *v, xa_err *err);
/* sights.c: the view's layers, from the passes just run. */
void xa_sight_look(const xa_batch *b, int e, int64_t i, int reach, xa_explain_view *v);
/* probes.c: memory; whether a group that the pass under way serves has such explainers; their
 * passes, which they observe. */
xa_status xa_probe_init(xa_audit_model *am, xa_err *err);
bool xa_probe_asked(const xa_batch *b, int pool);
XA_MUST_USE xa_status xa_probe_pass(
    const xa_batch *b, const xa_pass_group *g, int pool, const int32_t *targets, xa_err *err);

/* checks.c */
XA_MUST_USE xa_status xa_batch_random_logit(const xa_batch *b, int w, xa_err *err);
/* A class that is neither `target` nor `minus` (-1: none), the same for the same image whatever the
 * ranks; -1: the model has no other. */
int32_t xa_batch_other_class(const xa_batch *b, int64_t slot, int32_t target, int32_t minus);
/* The audit's map, of another class, beside the first stored one of the i-th sample. */
XA_MUST_USE xa_status xa_batch_compare_other(const xa_batch *b, int e, int64_t i, xa_err *err);
void xa_batch_masked(const xa_batch *b);
/* faith.c: made before xa_ask_init, which keeps inputs for them. */
XA_MUST_USE xa_status xa_faith_create(xa_audit_model *am, const xa_audit_spec *spec, xa_err *err);
void xa_faith_destroy(xa_audit_model *am);
/* All checks of all images of the batch, whose maps are stored. */
XA_MUST_USE xa_status xa_batch_faith(const xa_batch *b, xa_err *err);
/* Rows of samples that are not done, whose turn does not come. */
void xa_faith_not_sampled(const xa_audit *a, const xa_sample *samples, xa_rows *rows);
/* moved.c: check k, a max_sensitivity, of the i-th image; row [nexplainers]: the rows whose status
 * there is XA_CHECKED_DONE are filled. */
XA_MUST_USE xa_status
xa_batch_moved(const xa_batch *b, int k, int64_t i, const int64_t *row, xa_err *err);
/* localise.c: a stored row as numbers; half floats are converted into `plain`. */
xa_score_map
xa_stored_map(const xa_audit *a, const xa_rows *rows, int m, int e, int64_t row, float *plain);

/* columns.c: the columns of one owner in the format's table, as pointers to their rows. */
typedef struct xa__columns {
    xa_owner owner;
    int n;
    void **data; /* [n] */
} xa__columns;
xa__columns xa__sample_columns(xa_rows *r);
xa__columns xa__annotation_columns(xa_rows *r);
xa__columns xa__model_columns(xa_model_rows *r);
xa__columns xa__map_columns(xa_map_rows *r);
/* Room for `need` rows where there is some for `have`; m: the model they are of, -1: none. */
XA_MUST_USE xa_status xa__columns_grow(
    const xa_audit *a, int m, const xa__columns *c, int64_t have, int64_t need, xa_err *err);
/* Rows [first, first+n) hold what the table says of rows that are not done. */
void xa__columns_reset(const xa_audit *a, int m, const xa__columns *c, int64_t first, int64_t n);
void xa__columns_free(const xa__columns *c);

/* rows.c */
xa_status xa_rows_reset(xa_rows *r, const xa_sample *samples, int64_t n, xa_err *err);
void xa_rows_fail(xa_rows *r, int model, int64_t slot, uint8_t stage, const char *message);
/* A check's row without anything but its status. */
void xa_check_row_blank(const xa_faith_spec *spec, xa_check_rows *x, int64_t row, uint8_t status);
size_t xa_map_row_bytes(const xa_audit *a, int m, int e);
/* First map row of a slot under explainer e, and how many. */
int64_t xa_rows_first(const xa_rows *r, int m, int e, int64_t slot, int64_t *count);
/* localise.c: scores of all models' maps, with and without annotation. */
xa_status xa_audit_localise(xa_audit *a, const xa_sample *samples, xa_rows *rows, xa_err *err);

#endif
