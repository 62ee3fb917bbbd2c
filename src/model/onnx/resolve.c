/* What the output depends on, shapes for the job's input size, and all refusals. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

static const int64_t most_elements = (int64_t)1 << 34;
enum { TOLD = 8 };

const xa__onnx_op *xa__onnx_op_named(const char *domain, const char *name)
{
    static const xa__onnx_op *const families[] = {
#define X(family) xa__onnx_ops_##family,
        XA__ONNX_FAMILY_LIST(X)
#undef X
    };
    if (*domain)
        return NULL;
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (const xa__onnx_op *op = families[f]; op->name; op++)
            if (!strcmp(op->name, name))
                return op;
    return NULL;
}

/* ---- refusals ---- */

static void break_outputs(xa__onnx_build *b, const xa__onnx_node *n)
{
    for (int i = 0; i < n->noutputs; i++)
        if (n->outputs[i] >= 0)
            b->m->values[n->outputs[i]].broken = true;
}

xa_status xa__onnx_refuse(xa__onnx_build *b, xa__onnx_node *n, xa_err *err, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    break_outputs(b, n);
    for (int i = 0; i < b->nproblems; i++) {
        xa__onnx_problem *p = &b->problems[i];
        if (!strcmp(p->op, n->op) && !strcmp(p->domain, n->domain) && !strcmp(p->reason, reason)) {
            p->count++;
            return XA_OK;
        }
    }
    XA_RETURN_TRY(
        err,
        xa_grow(&b->problems, &b->problem_cap, (size_t)b->nproblems + 1, sizeof *b->problems, err));
    xa__onnx_problem *p = &b->problems[b->nproblems];
    const char *name = *n->name                            ? n->name
                       : n->noutputs && n->outputs[0] >= 0 ? b->m->values[n->outputs[0]].name
                                                           : "";
    *p = (xa__onnx_problem){
        .op = n->op, .domain = n->domain, .node = name, .reason = xa_strdup(reason), .count = 1};
    if (!p->reason)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    b->nproblems++;
    return XA_OK;
}

static bool same_operator(const xa__onnx_problem *a, const xa__onnx_problem *b)
{
    return !strcmp(a->op, b->op) && !strcmp(a->domain, b->domain);
}

xa_status xa__onnx_refusals(const xa__onnx_build *b, xa_err *err)
{
    xa_str text = {0};
    int operators = 0;
    xa_status st = XA_OK;
    for (int i = 0; i < b->nproblems; i++) {
        int k = 0;
        while (k < i && !same_operator(&b->problems[k], &b->problems[i]))
            k++;
        operators += k == i;
    }
    if (!b->nproblems)
        return XA_OK;
    for (int i = 0; i < b->nproblems && i < TOLD; i++) {
        const xa__onnx_problem *p = &b->problems[i];
        xa_str_printf(&text,
                      "%s%s%s%s (node \"%s\"",
                      i ? "; " : "",
                      p->domain,
                      *p->domain ? "." : "",
                      p->op,
                      p->node);
        if (p->count > 1)
            xa_str_printf(&text, " and %d more", p->count - 1);
        xa_str_printf(&text, "): %s", p->reason);
    }
    if (b->nproblems > TOLD)
        xa_str_printf(&text, "; and %d further reasons", b->nproblems - TOLD);
    if (text.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
    XA_FAIL(err,
            XA_UNSUPPORTED,
            "%s: %d operator%s not supported: %s",
            b->m->path,
            operators,
            operators == 1 ? " is" : "s are",
            text.data);
done:
    xa_str_free(&text);
    return st;
}

const char *xa__onnx_node_text(const xa__onnx *m, const xa__onnx_node *n, char *buf, size_t size)
{
    const char *name = *n->name                            ? n->name
                       : n->noutputs && n->outputs[0] >= 0 ? m->values[n->outputs[0]].name
                                                           : "";
    snprintf(buf, size, "%s \"%s\"", n->op, name);
    return buf;
}

/* ---- what infer uses ---- */

xa_status xa__onnx_set(xa__onnx_build *b,
                       const xa__onnx_node *n,
                       int i,
                       int type,
                       const xa__onnx_shape *shape,
                       xa_err *err)
{
    xa__onnx_value *v = xa__onnx_out(b, n, i);
    char text[128], name[256];
    int64_t count = 1;
    if (!v)
        return XA_OK;
    for (int k = 0; k < shape->rank; k++)
        if (shape->dim[k] < 0 || !xa_i64_mul(count, shape->dim[k], &count) || count > most_elements)
            XA_RETURN_FAIL(err,
                           XA_LIMIT,
                           "%s: %s would give %s, which is absurd",
                           b->m->path,
                           xa__onnx_node_text(b->m, n, name, sizeof name),
                           xa__onnx_shape_text(shape, text, sizeof text));
    v->type = type;
    v->shape = *shape;
    return XA_OK;
}

xa_status xa__onnx_ints(xa__onnx_build *b,
                        xa__onnx_node *n,
                        const char *attribute,
                        int input,
                        int64_t *list,
                        int most,
                        int *count,
                        xa_err *err)
{
    const xa__onnx_attribute *a = xa__onnx_attribute_of(b->m, n, attribute);
    const xa__onnx_value *v = input >= 0 ? xa__onnx_in(b, n, input) : NULL;
    *count = -1;
    if (a && a->kind == XA__ONNX_ATTR_INT) {
        list[0] = a->i;
        *count = 1;
    } else if (a && a->kind == XA__ONNX_ATTR_INTS) {
        *count = a->n > most ? -2 : a->n;
        for (int i = 0; i < *count; i++)
            list[i] = a->ints[i];
    } else if (v && !v->constant) {
        *count = -2;
        return xa__onnx_refuse(b, n, err, "its %s depend on the image", attribute);
    } else if (v) {
        const int64_t size = xa__onnx_count(&v->shape);
        XA_RETURN_TRY(err, xa__onnx_evaluate(b, n->inputs[input], err));
        const double *data = xa__onnx_data(b, n->inputs[input]);
        *count = size > most ? -2 : (int)size;
        for (int i = 0; i < *count; i++)
            list[i] = data[i] >= 9.2e18    ? INT64_MAX
                      : data[i] <= -9.2e18 ? INT64_MIN
                                           : (int64_t)data[i];
    }
    if (*count == -2)
        return xa__onnx_refuse(b, n, err, "its %s are more than %d numbers", attribute, most);
    return XA_OK;
}

bool xa__onnx_axis(int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return false;
    *out = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

bool xa__onnx_broadcast(const xa__onnx_shape *a, const xa__onnx_shape *b, xa__onnx_shape *out)
{
    xa__onnx_shape s = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < s.rank; i++) {
        const int ia = i - (s.rank - a->rank), ib = i - (s.rank - b->rank);
        const int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
        if (da != db && da != 1 && db != 1)
            return false;
        s.dim[i] = da == 1 ? db : da;
    }
    *out = s;
    return true;
}

xa_status xa__onnx_infer_same(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_value *x = xa__onnx_in(b, n, 0);
    return xa__onnx_set(b, n, 0, x->type, &x->shape, err);
}

/* ---- the phase ---- */

void xa__onnx_mark_live(xa__onnx_build *b)
{
    xa__onnx *m = b->m;
    for (int i = 0; i < m->nvalues; i++)
        m->values[i].uses = 0;
    m->values[b->output].uses = 1;
    for (int i = m->nnodes - 1; i >= 0; i--) {
        xa__onnx_node *n = &m->nodes[i];
        n->live = false;
        for (int k = 0; k < n->noutputs; k++)
            n->live = n->live || (n->outputs[k] >= 0 && m->values[n->outputs[k]].uses > 0);
        for (int k = 0; n->live && k < n->ninputs; k++)
            if (n->inputs[k] >= 0)
                m->values[n->inputs[k]].uses++;
    }
}

/* Why an operator is not read, where the name tells. */
static const char *why_unknown(const xa__onnx_node *n)
{
    static const char *const control[] = {"If", "Loop", "Scan"};
    for (size_t i = 0; i < sizeof control / sizeof *control; i++)
        if (!strcmp(n->op, control[i]))
            return "control flow is not read; export without it";
    if (strstr(n->op, "Quantize") || strstr(n->op, "QLinear") || strstr(n->op, "Integer"))
        return "quantised models are not read; export the float model";
    if (!strncmp(n->op, "Sequence", 8) || !strncmp(n->op, "SplitTo", 7) ||
        strstr(n->op, "Optional"))
        return "sequences are not read";
    if (!strncmp(n->op, "String", 6) || !strncmp(n->op, "Tfidf", 5) || !strncmp(n->op, "Regex", 5))
        return "text is not read";
    if (!strncmp(n->op, "Random", 6) || !strcmp(n->op, "Bernoulli") ||
        !strcmp(n->op, "Multinomial"))
        return "random numbers are not made; export the model in evaluation mode";
    if (!strcmp(n->domain, "com.microsoft.nchwc"))
        return "the file was optimised for one processor; give the one it was made from";
    if (*n->domain)
        return "operators of this domain are not read";
    return "xaudit does not know it";
}

static xa_status resolve_node(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    const xa__onnx_op *op = n->def;
    bool constant = true, broken = false;
    if (!op)
        return xa__onnx_refuse(b, n, err, "%s", why_unknown(n));
    for (int i = 0; i < n->ninputs; i++) {
        const xa__onnx_value *v = xa__onnx_in(b, n, i);
        constant = constant && (!v || v->constant);
        broken = broken || (v && v->broken);
    }
    if (broken) {
        break_outputs(b, n);
        return XA_OK;
    }
    int given = n->ninputs;
    while (given > 0 && n->inputs[given - 1] < 0)
        given--;
    if (given < op->min_inputs || (op->max_inputs >= 0 && given > op->max_inputs))
        return xa__onnx_refuse(b,
                               n,
                               err,
                               "it has %d inputs, expected %d to %d",
                               given,
                               op->min_inputs,
                               op->max_inputs < 0 ? given : op->max_inputs);
    for (int i = 0; i < op->min_inputs; i++)
        if (n->inputs[i] < 0)
            return xa__onnx_refuse(b, n, err, "its input %d is missing", i);
    for (int i = 0; i < n->noutputs; i++)
        if (n->outputs[i] >= 0)
            b->m->values[n->outputs[i]].constant = constant;
    XA_RETURN_TRY(err, op->infer(b, n, err));
    for (int i = 0; i < n->noutputs; i++) {
        xa__onnx_value *v = xa__onnx_out(b, n, i);
        if (!v || v->broken)
            continue;
        if (v->uses && v->shape.rank < 0)
            return xa__onnx_refuse(b, n, err, "its output %d is not read", i);
        if (!v->constant && v->uses && xa__onnx_count(&v->shape) == 0)
            return xa__onnx_refuse(b, n, err, "it gives nothing: an extent is 0");
        /* nobody evaluates it: the engine computes it as it does what depends on the image */
        if (v->constant && !op->fold)
            v->constant = false;
    }
    return XA_OK;
}

/* ---- If ---- */

/* 1: the branch is computed, 0: it is not, -1: a condition is not known. */
static int is_taken(xa__onnx_build *b, int branch)
{
    for (; branch >= 0; branch = b->m->branches[branch].outer) {
        const xa__onnx_branch *at = &b->m->branches[branch];
        double condition;
        if (b->m->values[at->condition].broken || !xa__onnx_scalar(b, at->condition, &condition))
            return -1;
        if ((condition < 0.0 || condition > 0.0) != at->when)
            return 0;
    }
    return 1;
}

/* A node that takes one of two values becomes Identity of it. */
static xa_status choose(xa__onnx_build *b, xa__onnx_node *n, xa_err *err)
{
    double condition;
    if (b->m->values[n->inputs[0]].broken) {
        break_outputs(b, n);
        return XA_OK;
    }
    if (!xa__onnx_scalar(b, n->inputs[0], &condition))
        return xa__onnx_refuse(
            b,
            n,
            err,
            "its condition depends on the image: control flow is not read; export without it");
    n->inputs[0] = n->inputs[condition < 0.0 || condition > 0.0 ? 1 : 2];
    n->ninputs = 1;
    n->op = "Identity";
    n->def = xa__onnx_op_named("", n->op);
    n->chooses = false;
    return resolve_node(b, n, err);
}

xa_status xa__onnx_resolve(xa__onnx_build *b, xa_err *err)
{
    xa__onnx *m = b->m;
    xa__onnx_mark_live(b);
    for (int i = 0; i < m->nnodes; i++) {
        xa__onnx_node *n = &m->nodes[i];
        n->def = xa__onnx_op_named(n->domain, n->op);
        if (!n->live)
            continue;
        if (n->branch >= 0 && is_taken(b, n->branch) != 1)
            break_outputs(b, n);
        else
            XA_RETURN_TRY(err, n->chooses ? choose(b, n, err) : resolve_node(b, n, err));
    }
    if (m->nbranches)
        xa__onnx_mark_live(b); /* nothing of the branches that are not taken */
    return XA_OK;
}
