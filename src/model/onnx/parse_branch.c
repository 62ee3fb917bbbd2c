/* If: both branches are put in line before it, their values under names of their own, and for each
 * output stands a node that takes one of two values. Which, a constant condition tells once shapes
 * are known (resolve.c); what the other branch holds is then read by nobody. */
#include <stdlib.h>
#include <string.h>

#include "parse.h"

enum { NAME = 4096, DEEPEST = 16 };

/* The name with the prefix of a scope; false: it is longer than any name. */
static bool own_name(const xa__onnx_scope *s, const char *name, char buf[NAME])
{
    const size_t a = strlen(s->prefix), b = strlen(name);
    if (a + b >= NAME)
        return false;
    memcpy(buf, s->prefix, a);
    memcpy(buf + a, name, b + 1);
    return true;
}

xa_status xa__onnx_named(xa__onnx *m, const char *name, int *value, xa_err *err)
{
    char own[NAME];
    for (const xa__onnx_scope *s = m->scope; s; s = s->outer)
        if (own_name(s, name, own) && (*value = xa__onnx_find_value(m, own)) >= 0)
            return XA_OK;
    return xa__onnx_add_value(m, name, value, err);
}

/* The graph of an attribute of that name. */
static bool branch_of(const xa__wire message, const char *name, xa__wire *graph)
{
    xa__wire w = message;
    xa__field f;
    while (xa__wire_next(&w, &f)) {
        if (f.number != 5 || f.kind != XA__WIRE_BYTES)
            continue;
        bool named = false, found = false;
        xa__wire a = xa__wire_inside(&w, &f);
        xa__field g;
        while (xa__wire_next(&a, &g)) {
            if (g.number == 1 && g.kind == XA__WIRE_BYTES)
                named = g.len == strlen(name) && !memcmp(a.base + g.at, name, g.len);
            else if (g.number == 6 && g.kind == XA__WIRE_BYTES) {
                *graph = xa__wire_inside(&a, &g);
                found = true;
            }
        }
        if (named && found)
            return true;
    }
    return false;
}

static xa_status keep_own(xa__onnx *m, const char *name, xa_err *err)
{
    char own[NAME];
    int value;
    if (!*name)
        return XA_OK;
    if (!own_name(m->scope, name, own))
        XA_RETURN_FAIL(err, XA_LIMIT, "%s: a name of more than %d bytes", m->path, NAME);
    return xa__onnx_add_value(m, own, &value, err);
}

/* Values that the branch defines: outputs of its nodes, and its tensors. */
static xa_status find_names(xa__onnx *m, xa__wire w, xa_err *err)
{
    xa__field f, g;
    while (xa__wire_next(&w, &f)) {
        if (f.number != 1 && f.number != 5)
            continue;
        const uint32_t names = f.number == 1 ? 2 : 8;
        for (xa__wire inner = xa__wire_inside(&w, &f); xa__wire_next(&inner, &g);)
            if (g.number == names)
                XA_RETURN_TRY(err, keep_own(m, xa__onnx_text_of(m, &inner, &g), err));
    }
    return w.bad ? xa__onnx_damaged(m, &w, "a branch", err) : XA_OK;
}

static xa_status output_of(xa__onnx *m, xa__wire w, int *value, xa_err *err)
{
    xa__field f;
    const char *name = "";
    while (xa__wire_next(&w, &f))
        if (f.number == 1)
            name = xa__onnx_text_of(m, &w, &f);
    return xa__onnx_named(m, name, value, err);
}

/* Nodes and tensors of the branch; outputs [n], *found of them. */
static xa_status read_branch(xa__onnx *m, xa__wire w, int *outputs, int n, int *found, xa_err *err)
{
    xa__field f;
    *found = 0;
    XA_RETURN_TRY(err, find_names(m, w, err));
    while (xa__wire_next(&w, &f)) {
        const xa__wire inner = xa__wire_inside(&w, &f);
        if (f.number == 1)
            XA_RETURN_TRY(err, xa__onnx_parse_node(m, inner, err));
        else if (f.number == 5)
            XA_RETURN_TRY(err, xa__onnx_parse_initializer(m, inner, err));
        else if (f.number == 15)
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "%s: it has sparse tensors", m->path);
        else if (f.number == 12 && ++*found <= n)
            XA_RETURN_TRY(err, output_of(m, inner, &outputs[*found - 1], err));
    }
    return w.bad ? xa__onnx_damaged(m, &w, "a branch", err) : XA_OK;
}

static xa_status put_branch(
    xa__onnx *m, const xa__onnx_node *n, xa__wire graph, bool when, int *outputs, xa_err *err)
{
    const xa__onnx_scope *outer = m->scope;
    const int around = m->branch;
    xa__onnx_branch branch = {.condition = n->inputs[0], .when = when, .outer = around};
    int found;
    xa_str prefix = {0};
    xa_str_printf(&prefix, "%s.%s/", m->values[n->outputs[0]].name, when ? "then" : "else");
    xa__onnx_scope scope = {.outer = outer,
                            .prefix = prefix.data ? prefix.data : "",
                            .depth = outer ? outer->depth + 1 : 1};
    xa_status st = XA_OK;
    if (prefix.failed)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    if (scope.depth > DEEPEST)
        XA_FAIL(err, XA_LIMIT, "%s: If within If, more than %d deep", m->path, DEEPEST);
    if (m->nbranches >= XA__ONNX_MOST)
        XA_FAIL(err, XA_LIMIT, "%s: more than %d branches", m->path, XA__ONNX_MOST);
    XA_TRY(err,
           xa_grow(&m->branches, &m->branch_cap, (size_t)m->nbranches + 1, sizeof branch, err));
    m->branches[m->nbranches] = branch;
    m->branch = m->nbranches++;
    m->scope = &scope;
    XA_TRY(err, read_branch(m, graph, outputs, n->noutputs, &found, err));
    if (found != n->noutputs)
        XA_FAIL(err,
                XA_FORMAT,
                "%s: node \"%s\" (If) has %d outputs, its %s_branch %d",
                m->path,
                n->name,
                n->noutputs,
                when ? "then" : "else",
                found);
done:
    m->branch = around;
    m->scope = outer;
    xa_str_free(&prefix);
    return st;
}

xa_status xa__onnx_put_in_line(
    xa__onnx *m, const xa__onnx_node *n, const xa__wire message, bool *done, xa_err *err)
{
    xa__wire then, otherwise;
    *done = false;
    if (n->ninputs != 1 || n->inputs[0] < 0 || n->noutputs < 1 || n->outputs[0] < 0 ||
        !branch_of(message, "then_branch", &then) || !branch_of(message, "else_branch", &otherwise))
        return XA_OK;
    int *outputs = xa__onnx_keep(m, 2 * (size_t)n->noutputs * sizeof *outputs);
    if (!outputs)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    XA_RETURN_TRY(err, put_branch(m, n, then, true, outputs, err));
    XA_RETURN_TRY(err, put_branch(m, n, otherwise, false, outputs + n->noutputs, err));
    for (int i = 0; i < n->noutputs; i++) {
        xa__onnx_node one = *n;
        one.inputs = xa__onnx_keep(m, 3 * sizeof *one.inputs);
        if (!one.inputs)
            XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
        one.inputs[0] = n->inputs[0];
        one.inputs[1] = outputs[i];
        one.inputs[2] = outputs[n->noutputs + i];
        one.ninputs = 3;
        one.outputs = &n->outputs[i];
        one.noutputs = 1;
        one.nattributes = 0;
        one.chooses = true;
        XA_RETURN_TRY(err, xa__onnx_keep_node(m, &one, err));
    }
    *done = true;
    return XA_OK;
}
