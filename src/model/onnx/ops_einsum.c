/* Einsum of one or two operands: axes are exchanged and put together until it is a product of
 * matrices, sums over what only one operand has, or a view. */
#include <ctype.h>
#include <string.h>

#include "attention.h"
#include "runs.h"

enum { OPERANDS = 2, LABELS = 128 };

/* Labels of the axes, a letter each. */
typedef struct equation {
    char in[OPERANDS][XA__ONNX_RANK + 1], out[XA__ONNX_RANK + 1];
    int64_t extent[LABELS];
} equation;

/* Reads letters up to a comma, an arrow or the end; false: something else, or one twice. */
static bool read_labels(const char **at, char *to)
{
    int n = 0;
    for (; **at && **at != ',' && **at != '-'; ++*at) {
        if (**at == ' ')
            continue;
        if (!isalpha((unsigned char)**at) || n == XA__ONNX_RANK || memchr(to, **at, (size_t)n))
            return false;
        to[n++] = **at;
    }
    to[n] = '\0';
    return true;
}

/* "ij,jk->ik": every operand's letters as many as its axes, equal letters of equal extent. */
static bool read_equation(xa__onnx_build *b, const xa__onnx_node *n, equation *e)
{
    const char *at = xa__onnx_string(b->m, n, "equation", "");
    *e = (equation){0};
    for (int i = 0; i < n->ninputs; i++) {
        const xa__onnx_shape *s = &xa__onnx_in(b, n, i)->shape;
        if ((i && *at++ != ',') || !read_labels(&at, e->in[i]) || (int)strlen(e->in[i]) != s->rank)
            return false;
        for (int d = 0; d < s->rank; d++) {
            int64_t *extent = &e->extent[(int)e->in[i][d]];
            if (*extent && *extent != s->dim[d])
                return false;
            *extent = s->dim[d];
        }
    }
    if (*at++ != '-' || *at++ != '>' || !read_labels(&at, e->out) || *at)
        return false;
    for (const char *c = e->out; *c; c++)
        if (!e->extent[(int)*c])
            return false;
    return true;
}

bool xa__onnx_is_product(xa__onnx_build *b, const xa__onnx_node *n, bool *turned)
{
    equation e;
    *turned = false;
    if (*n->domain || n->ninputs != 2)
        return false;
    if (!strcmp(n->op, "MatMul"))
        return true;
    if (strcmp(n->op, "Einsum") || !read_equation(b, n, &e))
        return false;
    const char *x = e.in[0], *y = e.in[1], *z = e.out;
    const size_t r = strlen(x);
    if (r < 2 || strlen(y) != r || strlen(z) != r || memcmp(x, z, r - 1) || memcmp(x, y, r - 2) ||
        x[r - 1] == z[r - 1])
        return false;
    *turned = y[r - 2] == z[r - 1] && y[r - 1] == x[r - 1];
    return *turned || (y[r - 2] == x[r - 1] && y[r - 1] == z[r - 1]);
}

static xa_status einsum_infer(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    equation e;
    xa__onnx_shape s = {0};
    if (n->ninputs > OPERANDS)
        return xa__onnx_refuse(b, n, err, "it has %d operands, 1 and 2 are read", n->ninputs);
    if (!read_equation(b, n, &e))
        return xa__onnx_refuse(b,
                               n,
                               err,
                               "its equation \"%s\" does not fit its inputs, or is of a kind that "
                               "is not read: letters once an operand, and an output",
                               xa__onnx_string(b->m, n, "equation", ""));
    for (const char *c = e.out; *c; c++)
        s.dim[s.rank++] = e.extent[(int)*c];
    return xa__onnx_set(b, n, 0, xa__onnx_in(b, n, 0)->type, &s, err);
}

/* Sums over the letters that nothing else has; `labels` loses them. */
static xa_status sum_alone(xa__onnx_build *b,
                           xa__onnx_node *n,
                           xa__onnx_run *run,
                           char *labels,
                           const char *other,
                           const char *out,
                           xa_err *err)
{
    unsigned axes = 0;
    int left = 0;
    for (int i = 0; labels[i]; i++)
        if (strchr(other, labels[i]) || strchr(out, labels[i]))
            labels[left++] = labels[i];
        else
            axes |= 1u << i;
    labels[left] = '\0';
    return axes ? xa__onnx_reduce_run(b, n, run, axes, false, XA_OVER_SUM, run, err) : XA_OK;
}

/* The letters of `from` that are (or are not) in `a` and in `c`, appended. */
static void pick(const char *from, const char *a, bool in_a, const char *c, bool in_c, char *to)
{
    size_t n = strlen(to);
    for (; *from; from++)
        if ((strchr(a, *from) != NULL) == in_a && (strchr(c, *from) != NULL) == in_c)
            to[n++] = *from;
    to[n] = '\0';
}

static void exchange(xa__onnx_run *run, const char *from, const char *to)
{
    int order[XA__ONNX_RANK];
    for (int i = 0; to[i]; i++)
        order[i] = (int)(strchr(from, to[i]) - from);
    run->at = xa__layout_transpose(&run->at, order);
}

static int64_t extent_of(const equation *e, const char *labels)
{
    int64_t n = 1;
    for (; *labels; labels++)
        n *= e->extent[(int)*labels];
    return n;
}

/* The run's axes as: those of `batch`, then one of `rows` together, one of `columns` together. */
static xa_status as_matrices(xa__onnx_build *b,
                             xa__onnx_node *n,
                             const equation *e,
                             xa__onnx_run *run,
                             const char *labels,
                             const char *batch,
                             const char *rows,
                             const char *columns,
                             xa_err *err)
{
    char order[2 * XA__ONNX_RANK + 1] = "";
    xa__onnx_shape s = {0};
    strcat(strcat(strcat(order, batch), rows), columns);
    exchange(run, labels, order);
    for (const char *c = batch; *c; c++)
        s.dim[s.rank++] = e->extent[(int)*c];
    if (s.rank + 2 > XA__ONNX_RANK)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "its equation has too many letters");
    s.dim[s.rank++] = extent_of(e, rows);
    s.dim[s.rank++] = extent_of(e, columns);
    return xa__onnx_regroup(b, n, run, &s, err);
}

static xa_status
einsum_product(xa__onnx_build *b, xa__onnx_node *n, equation *e, xa__onnx_run *out, xa_err *err)
{
    xa__onnx_run x, y;
    char batch[XA__ONNX_RANK + 1] = "", left[XA__ONNX_RANK + 1] = "", right[XA__ONNX_RANK + 1] = "",
                               sums[XA__ONNX_RANK + 1] = "", made[3 * XA__ONNX_RANK + 1] = "";
    xa__onnx_shape s = {0};
    XA_RETURN_TRY(err, xa__onnx_as_run(b, n, 0, &x, err));
    XA_RETURN_TRY(err, xa__onnx_as_run(b, n, 1, &y, err));
    XA_RETURN_TRY(err, sum_alone(b, n, &x, e->in[0], e->in[1], e->out, err));
    XA_RETURN_TRY(err, sum_alone(b, n, &y, e->in[1], e->in[0], e->out, err));
    pick(e->in[0], e->in[1], true, e->out, true, batch);
    pick(e->in[0], e->in[1], true, e->out, false, sums);
    pick(e->in[0], e->in[1], false, e->out, true, left);
    pick(e->in[1], e->in[0], false, e->out, true, right);
    XA_RETURN_TRY(err, as_matrices(b, n, e, &x, e->in[0], batch, left, sums, err));
    XA_RETURN_TRY(err, as_matrices(b, n, e, &y, e->in[1], batch, sums, right, err));
    XA_RETURN_TRY(err, xa__onnx_product(b, n, &x, &y, out, err));
    strcat(strcat(strcat(made, batch), left), right);
    for (const char *c = made; *c; c++)
        s.dim[s.rank++] = e->extent[(int)*c];
    XA_RETURN_TRY(err, xa__onnx_regroup(b, n, out, &s, err));
    exchange(out, made, e->out);
    return XA_OK;
}

static xa_status einsum_lower(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    equation e;
    xa__onnx_run run;
    read_equation(b, n, &e);
    if (n->ninputs == 1) {
        run = *xa__onnx_run_of(b, n, 0);
        XA_RETURN_TRY(err, sum_alone(b, n, &run, e.in[0], "", e.out, err));
        exchange(&run, e.in[0], e.out);
    } else {
        XA_RETURN_TRY(err, einsum_product(b, n, &e, &run, err));
    }
    xa__onnx_made(b, n, 0, run.node, &run.at);
    return XA_OK;
}

const xa__onnx_op xa__onnx_ops_einsum[] = {{"Einsum", 1, -1, einsum_infer, NULL, einsum_lower},
                                           {0}};
