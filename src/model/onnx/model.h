/* An ONNX model as its file has it: nodes, values, attributes, tensors. Private to model.
 *
 * The file is mapped while it is opened, and names and settings are copied; of tensors only the
 * place is kept, here or in a file beside it, and their values are read when they are wanted
 * (xa__onnx_read_tensor). Nothing of the file is trusted: a value is defined once and before it is
 * used (so that there are no cycles), shapes fit their data, files beside it have plain names.
 */
#ifndef XAUDIT_MODEL_ONNX_MODEL_H
#define XAUDIT_MODEL_ONNX_MODEL_H

#include "wire.h"
#include "xaudit/nn.h"

/* TensorProto.DataType; others exist and are reported by number. */
typedef enum xa__onnx_type {
    XA__ONNX_UNDEFINED = 0,
    XA__ONNX_FLOAT = 1,
    XA__ONNX_UINT8 = 2,
    XA__ONNX_INT8 = 3,
    XA__ONNX_UINT16 = 4,
    XA__ONNX_INT16 = 5,
    XA__ONNX_INT32 = 6,
    XA__ONNX_INT64 = 7,
    XA__ONNX_STRING = 8,
    XA__ONNX_BOOL = 9,
    XA__ONNX_FLOAT16 = 10,
    XA__ONNX_DOUBLE = 11,
    XA__ONNX_UINT32 = 12,
    XA__ONNX_UINT64 = 13,
    XA__ONNX_BFLOAT16 = 16
} xa__onnx_type;
const char *xa__onnx_type_name(int type); /* "float16"; "type 17" is "another type" */
bool xa__onnx_is_float(int type);         /* FLOAT, FLOAT16, BFLOAT16, DOUBLE */

enum { XA__ONNX_RANK = 8 };

/* Extents as the graph has them, the batch included. rank -1: not known. */
typedef struct xa__onnx_shape {
    int rank;
    int64_t dim[XA__ONNX_RANK]; /* -1: open (a name, or nothing) */
} xa__onnx_shape;
int64_t xa__onnx_count(const xa__onnx_shape *s); /* product; 1 for a scalar, 0 if one is 0 */
bool xa__onnx_shape_equal(const xa__onnx_shape *a, const xa__onnx_shape *b);
/* "[1,3,224,224]", open extents as "?", "?" where the rank is not known. Returns buf. */
const char *xa__onnx_shape_text(const xa__onnx_shape *s, char *buf, size_t size);

/* Where a tensor's values lie. */
typedef struct xa__onnx_tensor {
    const char *name;
    int type; /* xa__onnx_type */
    xa__onnx_shape shape;
    int64_t count;
    int file; /* 0: the model; i: external[i - 1] */
    bool raw; /* `bytes` little-endian values; else a TensorProto whose typed fields hold them */
    int64_t at, bytes;
} xa__onnx_tensor;

typedef enum xa__onnx_attribute_kind {
    XA__ONNX_ATTR_FLOAT = 1,
    XA__ONNX_ATTR_INT = 2,
    XA__ONNX_ATTR_STRING = 3,
    XA__ONNX_ATTR_TENSOR = 4,
    XA__ONNX_ATTR_GRAPH = 5,
    XA__ONNX_ATTR_FLOATS = 6,
    XA__ONNX_ATTR_INTS = 7,
    XA__ONNX_ATTR_STRINGS = 8,
    XA__ONNX_ATTR_OTHER = 9
} xa__onnx_attribute_kind;

typedef struct xa__onnx_attribute {
    const char *name;
    xa__onnx_attribute_kind kind;
    double f;
    int64_t i;
    const char *s;
    int tensor;     /* of `tensors` */
    int64_t *ints;  /* [n] INTS */
    double *floats; /* [n] FLOATS */
    int n;
} xa__onnx_attribute;

struct xa__onnx_op;

typedef struct xa__onnx_node {
    const char *op, *domain, *name; /* "" where absent; domain "ai.onnx" is "" */
    const char *scopes;             /* pkg.torch.onnx.name_scopes, or NULL */
    int *inputs, ninputs;           /* values; -1: an optional one that is absent */
    int *outputs, noutputs;         /* likewise */
    int attributes, nattributes;    /* a range of the model's */
    int branch;                     /* of `branches`: it is in a branch of If; -1: in the graph */
    bool chooses;                   /* If put in line: of inputs condition, value, other value */
    /* what is made of it: */
    const struct xa__onnx_op *def; /* how it is read, NULL: not known */
    bool live;                     /* the output depends on it */
    double setting[4];             /* of operators that patterns made (pattern.h) */
    struct xa__onnx_form *form;    /* of attention (attention.h); lives as long as the model */
} xa__onnx_node;

typedef struct xa__onnx_value {
    const char *name;
    int node, output; /* which node gives it, as which of its outputs; -1: none */
    int tensor;       /* initializer; -1: none */
    bool is_input;    /* declared by the graph */
    int type;         /* xa__onnx_type; 0: not known */
    xa__onnx_shape shape;
    /* what is made of it: */
    bool constant; /* depends on no image: known, or made from what is known */
    bool broken;   /* its node is refused: nothing can be said of it */
    double *data;  /* [count] of a constant that was evaluated; integers and truths as numbers */
    int alias;     /* the constant whose values, in the same order, it has; -1: its own */
    int uses;      /* live nodes that read it */
} xa__onnx_value;

typedef struct xa__onnx_external {
    char *path;
    int fd; /* -1: closed */
    int64_t size;
} xa__onnx_external;

/* A branch of If. Its nodes stand among the others, before the If, under names of their own. */
typedef struct xa__onnx_branch {
    int condition; /* value */
    bool when;     /* it is computed where the condition is that */
    int outer;     /* the branch it is in, -1: none */
} xa__onnx_branch;

struct xa__onnx_block;
struct xa__onnx_scope;

typedef struct xa__onnx {
    char *path;
    int fd;                     /* -1: closed */
    const unsigned char *bytes; /* the mapping, while the file is opened */
    size_t size;
    int64_t ir, opset; /* of the default domain */
    const char *producer, *producer_version;
    xa__onnx_node *nodes;
    int nnodes;
    xa__onnx_value *values;
    int nvalues;
    xa__onnx_tensor *tensors;
    int ntensors;
    xa__onnx_attribute *attributes;
    int nattributes;
    int *inputs, ninputs;   /* declared ones without an initializer */
    int *outputs, noutputs; /* declared ones */
    xa__onnx_branch *branches;
    int nbranches;
    xa__onnx_external *external;
    int nexternal;
    /* private to model.c and parse.c */
    size_t node_cap, value_cap, tensor_cap, attribute_cap, input_cap, output_cap, external_cap,
        branch_cap;
    const struct xa__onnx_scope *scope; /* while a branch is parsed */
    int branch;                         /* likewise; -1 */
    struct xa__onnx_block *blocks;      /* memory of names and lists */
    int *table;                         /* values by name */
    size_t table_size;
} xa__onnx;

/* Reads all but the values of tensors. FORMAT says what is wrong and where; UNSUPPORTED names what
 * no model of ours has (sparse tensors; operators are reported later, with their node). */
XA_MUST_USE xa_status xa__onnx_open(const char *path, xa__onnx **out, xa_err *err);
void xa__onnx_close(xa__onnx *m); /* file handles; they open again when a tensor is read */
void xa__onnx_free(xa__onnx *m);

/* A value of that name that nothing defines yet; an existing one of that name. */
XA_MUST_USE xa_status xa__onnx_add_value(xa__onnx *m, const char *name, int *value, xa_err *err);
/* -1: there is none of that name. */
int xa__onnx_find_value(const xa__onnx *m, const char *name);
/* Memory that lives as long as the model, zeroed. NULL: none left. */
void *xa__onnx_keep(xa__onnx *m, size_t bytes);
const char *xa__onnx_keep_text(xa__onnx *m, const void *bytes, size_t n);

const xa__onnx_attribute *
xa__onnx_attribute_of(const xa__onnx *m, const xa__onnx_node *n, const char *name); /* NULL: none */
/* An attribute of that name and kind, or the default. */
int64_t
xa__onnx_int(const xa__onnx *m, const xa__onnx_node *n, const char *name, int64_t otherwise);
double
xa__onnx_float(const xa__onnx *m, const xa__onnx_node *n, const char *name, double otherwise);
const char *
xa__onnx_string(const xa__onnx *m, const xa__onnx_node *n, const char *name, const char *otherwise);

/* Values of a tensor, integers and truths as numbers; dst [count]. */
XA_MUST_USE xa_status xa__onnx_read_tensor(xa__onnx *m, int tensor, double *dst, xa_err *err);
/* Those of a floating-point tensor; float32 ones go straight there. */
XA_MUST_USE xa_status xa__onnx_read_floats(xa__onnx *m, int tensor, float *dst, xa_err *err);

/* metadata.c: the text that the file's metadata has under a key, the caller's to free; NULL: it has
 * none. */
XA_MUST_USE xa_status xa__onnx_metadata(const char *path, const char *key, char **out, xa_err *err);

/* Its values lie in the file as this machine has floats: parts of it can be read. */
bool xa__onnx_holds_floats(const xa__onnx *m, int tensor);
XA_MUST_USE xa_status
xa__onnx_read_part(xa__onnx *m, int tensor, int64_t first, int64_t count, float *dst, xa_err *err);

/* parse.c: fills the model from its bytes. */
XA_MUST_USE xa_status xa__onnx_parse(xa__onnx *m, xa_err *err);

#endif
