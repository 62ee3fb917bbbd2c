/* The inside of a plan: steps (lower.c), storages and instructions (plan.c), offsets
 * (memory_plan.c). Private to nn. */
#ifndef XAUDIT_NN_PLAN_INTERNAL_H
#define XAUDIT_NN_PLAN_INTERNAL_H

#include "narrow.h"
#include "op.h"

/* One operator to execute, with what is folded and fused into it. */
typedef struct xa_step {
    int node; /* the operator */
    int out;  /* the node whose value it produces: the last one fused */
    const xa_op_def *op;
    int folds_at; /* first of its folded AFFINE nodes in xa_plan.folds */
    int nfolds;
    int residual; /* node added in the epilogue, or -1 */
    bool has_act; /* a RELU in the epilogue */
    xa_activation act;
    /* A depthwise step may run by bands of rows within the pointwise step that follows
     * (separable.h): its value then never exists as a whole. */
    int within;        /* the step that this one is part of, or -1 */
    int front;         /* the step that is part of this one, or -1 */
    size_t weights_at; /* offset in the blob */
    /* storages; -1 for none */
    int state, bits, scratch;
    bool in_backward; /* some reach passes through it */
} xa_step;

/* A piece of the arena that lives from instruction `first` to `last` of the timeline: forward
 * steps, then the instructions of reach 0, reach 1, ... What is saved lives to the end, so that
 * backward passes may follow in any order and number. */
typedef struct xa_storage {
    size_t bytes;
    int first, last;
    size_t offset;
    int same_as;    /* merged into another storage (in-place), or -1 */
    bool exclusive; /* gradients: referred to by one value only, may be added into */
} xa_storage;

typedef enum xa_instr_kind { XA_INSTR_OP, XA_INSTR_MASK, XA_INSTR_ADD } xa_instr_kind;
/* Backward instructions. OP: dst = J^T a for input `which`; MASK: dst = bits ? a : slope*a; ADD:
 * dst = a + b. */
typedef struct xa_instr {
    xa_instr_kind kind;
    int step, which;
    bool masks; /* OP applies the step's bits to dy itself */
    bool shows; /* OP passes attention probabilities and their gradient to the run's sink */
    int a, b, dst, scratch;
    int joint[XA_JOINT]; /* OP with XA_OP_JOINT: one dst per input, -1 if not wanted */
    xa_rules rules;
    float share[XA_JOINT]; /* OP: dst is multiplied by it; without JOINT the first */
    int64_t count;         /* ADD: elements of one sample */
} xa_instr;

typedef struct xa_backward {
    int first; /* position of its first instruction on the timeline */
    xa_instr *instr;
    size_t ninstr, cap;
    int seed;    /* storage of the gradient that it begins with */
    int *result; /* [nodes] storage of delivered gradients, -1 elsewhere */
} xa_backward;

struct xa_plan {
    const xa_graph *graph; /* the caller's, or the narrowed one, whose nodes all below count */
    xa_narrowed narrowed;
    const xa_kernels *kernels;
    int64_t batch;
    int root, input;
    int nnodes;
    bool *exposed; /* [nodes] */
    bool *live;    /* [nodes] needed for the root or an exposed node */
    int *uses;     /* [nodes] consumers among live nodes */
    xa_step *steps;
    int nsteps;
    int *folds; /* AFFINE nodes folded, step by step */
    size_t nfolds, fold_cap;
    int fused;
    int *value; /* [nodes] storage of its value, -1: not materialised */
    xa_storage *storages;
    size_t nstorages, storage_cap;
    xa_backward *backward;
    int nbackward;
    size_t weight_bytes, arena_bytes, saved_bytes, scratch_bytes;
    size_t rounded_at; /* in the arena: rows rounded to bfloat16, for all steps; 0: none */
};

/* A node of the caller's graph in the plan's, and back. */
static inline int xa_plan_inner(const xa_plan *p, int node)
{
    return p->narrowed.graph ? p->narrowed.of[node] : node;
}
static inline int xa_plan_outer(const xa_plan *p, int node)
{
    return p->narrowed.graph ? p->narrowed.ids[node] : node;
}

static inline const xa_node *xa__plan_node(const xa_plan *p, int id)
{
    return xa_graph_node(p->graph, id);
}

/* plan_forward.c. Bytes of a node's value for the batch. */
size_t xa__plan_value_bytes(const xa_plan *p, int node);
xa_status xa__plan_add_storage(xa_plan *p, size_t bytes, int first, int last, int *id, xa_err *err);
/* The storage (-1: none) lives at least until instruction `when`, or to the end of the timeline. */
enum { XA__TO_THE_END = 1 << 30 };
void xa__plan_use(xa_plan *p, int storage, int when);
/* The node where a reach begins. */
int xa__reach_from(const xa_plan *p, const xa_reach *reach);
/* [nodes] true where a gradient leads to something that the reach asks for; NULL: out of memory. */
bool *xa__plan_wanted(const xa_plan *p, const xa_reach *reach);
/* A gradient passes a step if it leads on from one of its operands. */
bool xa__step_leads(const xa_plan *p, const xa_step *s, const bool *wanted);
/* The reach asks for the gradient of this step's attention probabilities. */
bool xa__step_shows(const xa_plan *p, const xa_step *s, const xa_reach *reach);
/* The node whose inputs a step reads: that of the step in front, if one is part of it. */
const xa_node *xa__step_reads(const xa_plan *p, const xa_step *s);
/* Storages of all values, of what is kept for backward, and of scratch. */
xa_status xa__plan_forward(xa_plan *p, bool reuse_input, xa_err *err);
/* plan_backward.c: the instructions of one reach, from instruction `first` of the timeline on. */
xa_status xa__plan_backward(
    xa_plan *p, xa_backward *b, const xa_reach *reach, const bool *wanted, int first, xa_err *err);
/* rules.c. Whether something comes to operand k of a node; the share of it, where `factors` of its
 * operands lead on. */
bool xa__rule_leads(xa_rules rules, const xa_node *node, int k);
float xa__rule_share(xa_rules rules, const xa_node *node, int k, int factors);
/* lower.c: live, uses, steps, folds, weight offsets. */
xa_status xa_plan_lower(xa_plan *p, xa_err *err);
/* Composes the folded affine nodes of a step into per-channel scale and shift; raw weights come
 * from the reader. */
xa_status xa_affine_compose(const xa_graph *g,
                            const xa_node *node,
                            const xa_weight_reader *reader,
                            xa_fold *fold,
                            xa_err *err);
/* plan_info.c: forward, of one sample, with the step in front. */
double xa_step_flops(const xa_plan *p, const xa_step *s);
/* memory_plan.c: offsets of all storages; returns the arena's size. */
xa_status xa_plan_layout(xa_storage *s, size_t n, size_t *arena_bytes, xa_err *err);
int xa_storage_root(const xa_plan *p, int storage); /* follows same_as */

#endif
