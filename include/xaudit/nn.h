/* nn: computes a network and the gradients of its scores with respect to its input.
 *
 * Explainers need dS/d(input) and dS/d(chosen layer) of a trained network, never dS/d(weights).
 * There are three objects, each made from the one before:
 *
 * - a graph says what the model is: operators, their settings, their weights by name, with concrete
 *   shapes;
 * - a plan says how it is computed: what is folded and fused, which nodes a gradient reaches, where
 *   every buffer lies. It depends on the graph, the batch, the exposed nodes, the requested
 *   gradients and the instruction set (ISA);
 * - a run is a plan with packed weights and an arena. All memory is the caller's; a run allocates
 *   nothing.
 *
 * Calls in their order: xa_graph_create, xa_graph_add for each operator, xa_plan_create,
 * xa_plan_pack (which makes the weights blob), xa_run_init; then for each batch: fill xa_run_input,
 * xa_run_forward, xa_run_backward (any number).
 *
 * Layout: NHWC float32. Shapes are those of one sample; the batch is never part of them.
 *
 * Row contract: what a sample gives never depends on the other samples of its batch, on its slot,
 * on the batch size or on the number of ranks: bit for bit. Kernels fix the order of every sum, or
 * (BLAS) are called once for each sample with shapes that depend on the graph only.
 *
 * Weights blob: one position-independent block (offsets, 64-byte aligned) that depends on the
 * graph, the exposed set and the ISA only, so that one copy in node-shared memory, mapped at any
 * address, serves every rank and every batch size. It is only read.
 */
#ifndef XAUDIT_NN_H
#define XAUDIT_NN_H

#include "xaudit/nn_op.h"

/* ---- graph ----------------------------------------------------------------------------------- */

typedef struct xa_graph xa_graph;
enum { XA_MAX_WEIGHTS = 4 };

/* A weight tensor: where its loader finds it, or its literal values. */
typedef struct xa_weight {
    char *name;     /* for messages: "block1_conv1/kernel" */
    xa_shape shape; /* here the full shape of the tensor */
    int64_t source; /* the loader's own handle, given back to its reader; -1 for literals */
    float *literal; /* owned copy, or NULL */
} xa_weight;

typedef struct xa_node {
    xa_op op;
    char *name; /* for messages and tables; not unique */
    int ninputs;
    int *inputs; /* node ids, all smaller than this node's: the graph is in topological order */
    int nweights;
    int weights[XA_MAX_WEIGHTS]; /* weight ids or -1 */
    xa_op_params params;
    xa_shape shape; /* of the output, inferred */
} xa_node;

XA_MUST_USE xa_status xa_graph_create(xa_graph **out, xa_err *err);
void xa_graph_free(xa_graph *g);

/* How the products are made. STRICT: sums of products as the definition has them. FAST: 3x3
 * convolutions by Winograd's minimal filtering, with errors a few times larger. BF16: operands of
 * products with weights are rounded to bfloat16, 8 bits of mantissa, and summed in float32; all
 * else (depthwise convolutions, attention, normalisation, pooling, products of one row a sample) is
 * float32. BF16_GRADIENT: those of backward passes alone, so that values are those of STRICT. Of
 * the whole graph, before a plan of it is made. */
typedef enum xa_numerics {
    XA_NUMERICS_STRICT,
    XA_NUMERICS_FAST,
    XA_NUMERICS_BF16_GRADIENT,
    XA_NUMERICS_BF16,
    XA_NUMERICS_COUNT
} xa_numerics;
/* Whether some products round to bfloat16. They need fused multiply-adds: a plan with an ISA that
 * has none is refused, UNSUPPORTED. */
bool xa_numerics_rounds(xa_numerics numerics);
void xa_graph_set_numerics(xa_graph *g, xa_numerics numerics);
xa_numerics xa_graph_numerics(const xa_graph *g);
const char *xa_numerics_name(xa_numerics numerics); /* "strict", "bf16" */

/* Adds a weight; `literal` (xa_shape_count values) is copied, or NULL when a loader reads it. */
XA_MUST_USE xa_status xa_graph_add_weight(xa_graph *g,
                                          const char *name,
                                          const xa_shape *shape,
                                          int64_t source,
                                          const float *literal,
                                          int *id,
                                          xa_err *err);

typedef struct xa_node_spec {
    xa_op op;
    const char *name;
    const int *inputs;
    int ninputs;
    int weights[XA_MAX_WEIGHTS]; /* ids; -1 where absent */
    int nweights;                /* may be 0 */
    xa_op_params params;
} xa_node_spec;
/* Adds an operator: checks arity, settings and weight shapes, infers the output shape. SHAPE and
 * INVALID errors name the node and both shapes. */
XA_MUST_USE xa_status xa_graph_add(xa_graph *g, const xa_node_spec *spec, int *id, xa_err *err);
/* An input of that shape. A graph has exactly one (checked by the plan). */
XA_MUST_USE xa_status
xa_graph_add_input(xa_graph *g, const char *name, const xa_shape *shape, int *id, xa_err *err);

int xa_graph_nodes(const xa_graph *g);
const xa_node *xa_graph_node(const xa_graph *g, int id);
int xa_graph_weights(const xa_graph *g);
const xa_weight *xa_graph_weight(const xa_graph *g, int id);
int xa_graph_input(const xa_graph *g);          /* id of the input, -1 if none */
int64_t xa_graph_parameters(const xa_graph *g); /* number of weight values, shared ones once */
/* Whether the root depends on the node's value and on nothing else that is computed: every node
 * between them has only inputs between them. */
XA_MUST_USE xa_status xa_graph_cut(const xa_graph *g, int node, int root, bool *out, xa_err *err);
double xa_node_flops(const xa_graph *g, int id); /* forward, one sample, 2 per multiply-add */

/* Gives the loader's values of one weight: dst has xa_shape_count(w->shape) floats. */
typedef struct xa_weight_reader {
    xa_status (*read)(void *arg, const xa_weight *w, float *dst, xa_err *err);
    void *arg;
    /* Columns [first, first + count) of a weight of two axes, dst [rows,count], so that a large one
     * is never held beside what is made of it. *done false: the file tells this one only as a
     * whole, and dst holds nothing. NULL: every one. */
    xa_status (*read_columns)(void *arg,
                              const xa_weight *w,
                              int64_t first,
                              int64_t count,
                              float *dst,
                              bool *done,
                              xa_err *err);
} xa_weight_reader;

/* ---- constants ------------------------------------------------------------------------------- */

/* Whether the operator adds something to every channel whatever its input is: a bias, or what an
 * AFFINE makes of 0, beta - gamma mean / deviation. */
bool xa_node_adds(const xa_graph *g, int id);
/* What it adds, out [channels], of a node that does. */
XA_MUST_USE xa_status xa_node_constants(
    const xa_graph *g, int id, const xa_weight_reader *reader, float *out, xa_err *err);
/* The nodes that add something on the way to `root`, in ascending order, *n of them in *nodes,
 * which the caller frees. *breaks: the first operator there for which the root is not <x, d
 * root/dx> plus the sum of constants times the gradients at their nodes' outputs; -1: there is
 * none. */
XA_MUST_USE xa_status
xa_graph_constants(const xa_graph *g, int root, int **nodes, int *n, int *breaks, xa_err *err);

/* ---- rules of the way back ------------------------------------------------------------------- */

/* What takes the place of an operator's derivative on the way back from the scores. The input times
 * what arrives there is its relevance.
 *
 * ATTNLRP (Achtibat et al.: AttnLRP, ICML 2024, as a modified gradient): a normalisation's
 * deviation is a constant (proposition 3.4), an activation f(u) has the slope f(u)/(u + 1e-10)
 * (equation 9), and what comes to a product of computed values is shared evenly by its factors
 * (equation 7, propositions 3.2 and 3.3): of ATTENTION q and k get a quarter each, v a half; a
 * softmax keeps its derivative (proposition 3.1). Linear operators keep theirs.
 *
 * CP_LRP (Ali et al.: XAI for Transformers: Better Explanations through Conservative Propagation,
 * ICML 2022; activations as in ATTNLRP): besides, attention weights are constants, so that nothing
 * comes to q and k, and v gets all.
 *
 * X(ENUM, name in a job) */
#define XA_RULES_LIST(X) X(GRADIENT, "gradient") X(ATTNLRP, "attnlrp") X(CP_LRP, "cp-lrp")
typedef enum xa_rules {
#define X(name, text) XA_RULES_##name,
    XA_RULES_LIST(X)
#undef X
        XA_RULES_COUNT
} xa_rules;
const char *xa_rules_name(xa_rules r);
/* INVALID, with the layer's name, where these rules say nothing about an operator between the input
 * and `root`; also where there is no attention, since CNNs need rules of their own. */
XA_MUST_USE xa_status xa_graph_check_rules(const xa_graph *g,
                                           int root,
                                           xa_rules rules,
                                           xa_err *err);

/* ---- plan ------------------------------------------------------------------------------------ */

/* AVX512_BF16 is AVX512 with the instruction vdpbf16ps in products of bfloat16. */
typedef enum xa_isa {
    XA_ISA_AUTO,
    XA_ISA_BASE,
    XA_ISA_AVX2,
    XA_ISA_AVX512,
    XA_ISA_AVX512_BF16,
    XA_ISA_COUNT
} xa_isa;
/* The best this processor runs, from its maker and its feature bits, never from timing. */
xa_isa xa_isa_detect(void);
bool xa_isa_supported(xa_isa isa);
const char *xa_isa_name(xa_isa isa);   /* "base", "avx2", "avx512", "avx512bf16" */
xa_isa xa_isa_named(const char *name); /* COUNT: none of that name */
/* Multiply-adds round once. AVX2 and AVX-512 then give the same bytes, whatever their width.
 * AUTO: this processor's. */
bool xa_isa_fused(xa_isa isa);
/* Raised whenever results of the engine move: part of an archive's identity. */
extern const int xa_numerics_version;

/* The BLAS behind the large products. Threads are set once, before the first run: results depend on
 * them. */
void xa_blas_set_threads(int threads);
const char *xa_blas_config(void); /* "OpenBLAS 0.3.21 ... Zen" */
const char *xa_blas_core(void);   /* the kernel family it chose: "Zen" */

typedef struct xa_plan xa_plan;

/* What one kind of backward pass must deliver. */
typedef struct xa_reach {
    int from;         /* the exposed node where it begins; 0, where none can: the root */
    bool input;       /* dS/d(input) */
    xa_rules rules;   /* not GRADIENT: `input` alone, of a graph that xa_graph_check_rules passes */
    const int *nodes; /* exposed nodes whose dS/d(value) is wanted */
    int nnodes;
    bool stops;           /* the gradients of `nodes` are of the ways that pass no other of them */
    const int *attention; /* ATTENTION nodes: the sink gets their probabilities' gradient */
    int nattention;
} xa_reach;

typedef struct xa_plan_spec {
    int64_t batch;      /* samples per pass, >= 1 */
    xa_isa isa;         /* AUTO: detect */
    const int *exposed; /* nodes whose values can be read after forward; nothing is folded or fused
                           across them. The root is always exposed. */
    int nexposed;
    int root;              /* the scores (logits): forward ends and backward starts here */
    const xa_reach *reach; /* kinds of backward pass, chosen by index in xa_run_backward */
    int nreach;            /* 0: forward only */
    bool reuse_input;      /* the input buffer may be overwritten during the pass */
} xa_plan_spec;

XA_MUST_USE xa_status xa_plan_create(const xa_graph *g,
                                     const xa_plan_spec *spec,
                                     xa_plan **out,
                                     xa_err *err);
void xa_plan_free(xa_plan *p);

typedef struct xa_plan_info {
    int64_t batch;
    xa_isa isa;
    size_t weight_bytes;               /* the packed blob */
    size_t arena_bytes;                /* everything below, lifetimes overlapped */
    size_t saved_bytes;                /* kept between forward and backward */
    size_t scratch_bytes;              /* largest scratch of one step */
    double flops_forward;              /* one sample */
    double flops_backward;             /* one sample, reach 0 */
    int steps_forward, steps_backward; /* after folding and fusing; backward: reach 0 */
    int folded, fused; /* affine nodes folded; activations, additions and depthwise steps fused */
} xa_plan_info;
void xa_plan_get_info(const xa_plan *p, xa_plan_info *out);
/* One line per step, for `check`: number, operator, name, shape, bytes, what is folded in. */
void xa_plan_describe(const xa_plan *p, xa_str *out);

/* Reads all weights and packs them (folding affine nodes, in double) into blob, weight_bytes large
 * and 64-byte aligned. Temporary memory: the largest weight tensor, in double. */
XA_MUST_USE xa_status xa_plan_pack(const xa_plan *p,
                                   const xa_weight_reader *reader,
                                   void *blob,
                                   xa_err *err);

/* ---- run ------------------------------------------------------------------------------------- */

/* Called between steps and row tiles; must return soon. NULL allowed. */
typedef struct xa_tick {
    void (*call)(void *arg);
    void *arg;
} xa_tick;

/* Attention probabilities P = softmax(scale q k^T) of one head of one sample. They are never kept:
 * a sink sees them while they lie in scratch. */
typedef struct xa_attention_view {
    int node;              /* the ATTENTION node */
    int64_t sample;        /* slot of the batch */
    int64_t head, heads;   /* heads of a sample come in ascending order, one after the other */
    int64_t rows, columns; /* T, S */
    const float *probs;    /* P [T,S]; rows add up to 1 */
    const float *gradient; /* dS/dP [T,S] of the backward pass under way; NULL in forward */
} xa_attention_view;
/* forward shows every head of every ATTENTION node of one group, in graph order; backward those of
 * its reach's `attention`, the last node first. The callee must not run the engine. */
typedef struct xa_attention_sink {
    void (*take)(void *arg, const xa_attention_view *v);
    void *arg;
} xa_attention_sink;

/* Work that one operator did; a profile is called with it after every operator of a pass. */
typedef enum xa_work_kind {
    XA_WORK_FORWARD,
    XA_WORK_BACKWARD,
    XA_WORK_MASK,
    XA_WORK_ADD
} xa_work_kind;
typedef struct xa_work {
    xa_work_kind kind;
    int node;       /* the operator; -1 for an ADD of gradients */
    bool separable; /* with the depthwise convolution before it */
    int reach;      /* of a backward pass; -1 forward */
    double flops;   /* of the whole batch */
    double bytes;   /* read and written at least: operands, results, weights; of the whole batch */
    double seconds;
} xa_work;
typedef struct xa_profile {
    void (*took)(void *arg, const xa_work *work);
    void *arg;
} xa_profile;

/* Caller's storage. Borrows plan, blob and arena until it is no longer used. */
typedef struct xa_run {
    const xa_plan *plan;
    const unsigned char *weights;
    unsigned char *arena;
    xa_tick tick;
    xa_attention_sink sink; /* take NULL: none; may be set between passes */
    xa_profile profile;     /* took NULL: none, and no time is taken */
} xa_run;

/* arena: arena_bytes, 64-byte aligned. */
void xa_run_init(xa_run *r, const xa_plan *p, const void *blob, void *arena, const xa_tick *tick);
/* Where the batch goes: [batch, input shape] f32. Fill before each forward; slots without an image
 * are to be zeroed. */
float *xa_run_input(const xa_run *r);
void xa_run_forward(xa_run *r);
/* [batch, node shape] of an exposed node (or the root); valid until the next forward. */
const float *xa_run_value(const xa_run *r, int node);
/* For other values of an exposed node than the input gives it: where they go, and the steps behind
 * it alone, after a forward pass of the same plan. Only where xa_graph_cut holds; xa_run_backward
 * then needs a whole forward pass first. */
float *xa_run_layer(const xa_run *r, int node);
void xa_run_forward_from(xa_run *r, int node);
/* seed: dS/d(root), or of the node where the reach begins, [batch, its shape], borrowed for the
 * call. Any number of passes may follow one forward. */
void xa_run_backward(xa_run *r, int reach, const float *seed);
/* [batch, node shape] dS/d(node) of the last backward pass, for a node of its reach or the input
 * node; valid until the next pass. NULL if that reach does not deliver it. */
const float *xa_run_gradient(const xa_run *r, int reach, int node);

/* ---- the machine ----------------------------------------------------------------------------- */

/* What one core does at best, measured for about `seconds` of CPU time: multiply-adds in registers
 * (2 flops each), and bytes read plus written by copying 64 MiB. */
typedef struct xa_machine {
    const char *isa;
    double flops, copy, copy_streaming; /* per second */
    double check;                       /* keeps the compiler from doing nothing */
} xa_machine;
XA_MUST_USE xa_status xa_machine_measure(double seconds, xa_machine *out, xa_err *err);

#endif
