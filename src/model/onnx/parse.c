/* From the bytes of an ONNX file to its nodes, values, attributes and places of tensors. Fields are
 * those of onnx.proto (ONNX 1.0 to 1.22); others are skipped, as the format has it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse.h"

/* ---- attributes ---- */

static xa_status
keep_numbers(xa__onnx *m, xa__wire message, uint32_t field, xa__onnx_attribute *a, xa_err *err)
{
    const bool whole = field == 8;
    const xa__wire_kind as = whole ? XA__WIRE_VARINT : XA__WIRE_FIXED32;
    for (int pass = 0; pass < 2; pass++) {
        xa__wire w = message;
        xa__field f;
        uint64_t v;
        a->n = 0;
        while (xa__wire_next(&w, &f)) {
            if (f.number != field)
                continue;
            xa__wire_numbers n = xa__wire_numbers_of(&w, &f, as);
            for (; xa__wire_number(&n, &v); a->n++)
                if (pass && whole)
                    a->ints[a->n] = xa__wire_i64(v);
                else if (pass)
                    a->floats[a->n] = (double)xa__wire_f32(v);
            if (n.rest.bad)
                return xa__onnx_damaged(m, &w, "a list of numbers", err);
        }
        if (pass)
            break;
        void *list = xa__onnx_keep(m, (size_t)a->n * 8);
        if (!list)
            XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
        a->ints = whole ? list : NULL;
        a->floats = whole ? NULL : list;
    }
    return XA_OK;
}

static xa_status read_attribute(xa__onnx *m, const xa__wire message, xa_err *err)
{
    static const int kinds[] = {[1] = XA__ONNX_ATTR_FLOAT,
                                [2] = XA__ONNX_ATTR_INT,
                                [3] = XA__ONNX_ATTR_STRING,
                                [4] = XA__ONNX_ATTR_TENSOR,
                                [5] = XA__ONNX_ATTR_GRAPH,
                                [6] = XA__ONNX_ATTR_FLOATS,
                                [7] = XA__ONNX_ATTR_INTS,
                                [8] = XA__ONNX_ATTR_STRINGS};
    xa__onnx_attribute a = {.name = "", .kind = XA__ONNX_ATTR_OTHER, .s = "", .tensor = -1};
    uint32_t seen = 0;
    uint64_t type = 0;
    xa__wire w = message;
    xa__field f;
    while (xa__wire_next(&w, &f)) {
        if (f.number == 1)
            a.name = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 2)
            a.f = (double)xa__wire_f32(f.value);
        else if (f.number == 3)
            a.i = xa__wire_i64(f.value);
        else if (f.number == 4)
            a.s = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 5)
            XA_RETURN_TRY(err, xa__onnx_parse_tensor(m, xa__wire_inside(&w, &f), &a.tensor, err));
        else if (f.number == 20)
            type = f.value;
        if (f.number >= 2 && f.number <= 11)
            seen |= 1u << f.number;
    }
    if (w.bad)
        return xa__onnx_damaged(m, &w, "an attribute", err);
    if (type == 0) /* files of before ir 1 do not say: the field that is there does */
        for (uint32_t i = 2; i <= 9; i++)
            if (seen & 1u << i)
                type = i - 1;
    if (type >= 1 && type <= 8)
        a.kind = (xa__onnx_attribute_kind)kinds[type];
    if (a.kind == XA__ONNX_ATTR_TENSOR && a.tensor < 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: attribute \"%s\" has no tensor", m->path, a.name);
    if (a.kind == XA__ONNX_ATTR_INTS)
        XA_RETURN_TRY(err, keep_numbers(m, message, 8, &a, err));
    if (a.kind == XA__ONNX_ATTR_FLOATS)
        XA_RETURN_TRY(err, keep_numbers(m, message, 7, &a, err));
    if (m->nattributes >= 8 * XA__ONNX_MOST)
        return xa__onnx_too_many(m, "attributes", err);
    XA_RETURN_TRY(
        err, xa_grow(&m->attributes, &m->attribute_cap, (size_t)m->nattributes + 1, sizeof a, err));
    m->attributes[m->nattributes++] = a;
    return XA_OK;
}

/* ---- nodes ---- */

/* Values of a list of names, the empty one being none. */
static xa_status read_names(
    xa__onnx *m, const xa__wire *message, uint32_t field, int **list, int *count, xa_err *err)
{
    xa__wire w = *message;
    xa__field f;
    int n = 0;
    while (xa__wire_next(&w, &f))
        n += f.number == field;
    *list = xa__onnx_keep(m, (size_t)n * sizeof(int));
    if (!*list)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    *count = 0;
    for (w = *message; xa__wire_next(&w, &f);) {
        if (f.number != field)
            continue;
        const char *name = xa__onnx_text_of(m, &w, &f);
        (*list)[*count] = -1;
        if (*name)
            XA_RETURN_TRY(err, xa__onnx_named(m, name, &(*list)[*count], err));
        ++*count;
    }
    return XA_OK;
}

static bool has_key(xa__wire w, const char *key)
{
    xa__field f;
    while (xa__wire_next(&w, &f))
        if (f.number == 1)
            return f.len == strlen(key) && !memcmp(w.base + f.at, key, f.len);
    return false;
}

xa_status xa__onnx_keep_node(xa__onnx *m, const xa__onnx_node *n, xa_err *err)
{
    if (m->nnodes >= XA__ONNX_MOST)
        return xa__onnx_too_many(m, "nodes", err);
    XA_RETURN_TRY(err, xa_grow(&m->nodes, &m->node_cap, (size_t)m->nnodes + 1, sizeof *n, err));
    m->nodes[m->nnodes++] = *n;
    return XA_OK;
}

xa_status xa__onnx_parse_node(xa__onnx *m, const xa__wire message, xa_err *err)
{
    xa__onnx_node n = {
        .op = "", .domain = "", .name = "", .attributes = m->nattributes, .branch = m->branch};
    bool done = false;
    xa__wire w = message;
    xa__field f;
    while (xa__wire_next(&w, &f)) {
        const char *key, *value;
        if (f.number == 3)
            n.name = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 4)
            n.op = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 5)
            XA_RETURN_TRY(err, read_attribute(m, xa__wire_inside(&w, &f), err));
        else if (f.number == 7)
            n.domain = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 9) {
            /* the names only: stack traces are larger than the rest of the file */
            const xa__wire entry = xa__wire_inside(&w, &f);
            if (!has_key(entry, "pkg.torch.onnx.name_scopes"))
                continue;
            xa__onnx_read_entry(m, entry, &key, &value);
            n.scopes = value;
        }
    }
    if (w.bad)
        return xa__onnx_damaged(m, &w, "a node", err);
    if (!strcmp(n.domain, "ai.onnx"))
        n.domain = "";
    n.nattributes = m->nattributes - n.attributes;
    XA_RETURN_TRY(err, read_names(m, &message, 1, &n.inputs, &n.ninputs, err));
    XA_RETURN_TRY(err, read_names(m, &message, 2, &n.outputs, &n.noutputs, err));
    if (!strcmp(n.op, "If") && !*n.domain)
        XA_RETURN_TRY(err, xa__onnx_put_in_line(m, &n, message, &done, err));
    return done ? XA_OK : xa__onnx_keep_node(m, &n, err);
}

/* ---- inputs and outputs ---- */

static xa_status read_type(xa__onnx *m, xa__wire w, xa__onnx_value *v, xa_err *err)
{
    xa__field f;
    while (xa__wire_next(&w, &f)) {
        if (f.number == 1 && f.kind == XA__WIRE_VARINT)
            v->type = f.value < INT32_MAX ? (int)f.value : 0;
        if (f.number != 2)
            continue;
        xa__wire dims = xa__wire_inside(&w, &f);
        xa__field d;
        v->shape.rank = 0;
        while (xa__wire_next(&dims, &d)) {
            if (d.number != 1)
                continue;
            if (v->shape.rank == XA__ONNX_RANK)
                XA_RETURN_FAIL(err,
                               XA_UNSUPPORTED,
                               "%s: \"%s\" has more than %d dimensions",
                               m->path,
                               v->name,
                               XA__ONNX_RANK);
            xa__wire extent = xa__wire_inside(&dims, &d);
            int64_t *dim = &v->shape.dim[v->shape.rank++];
            *dim = -1;
            while (xa__wire_next(&extent, &d))
                if (d.number == 1 && d.kind == XA__WIRE_VARINT && xa__wire_i64(d.value) > 0)
                    *dim = xa__wire_i64(d.value);
        }
    }
    return XA_OK;
}

static xa_status read_declaration(xa__onnx *m, xa__wire w, int *value, xa_err *err)
{
    const xa__wire message = w;
    const char *name = "";
    xa__field f, inner;
    while (xa__wire_next(&w, &f))
        if (f.number == 1)
            name = xa__onnx_text_of(m, &w, &f);
    if (w.bad)
        return xa__onnx_damaged(m, &w, "an input or output", err);
    XA_RETURN_TRY(err, xa__onnx_add_value(m, name, value, err));
    for (w = message; xa__wire_next(&w, &f);) {
        if (f.number != 2)
            continue;
        for (xa__wire type = xa__wire_inside(&w, &f); xa__wire_next(&type, &inner);)
            if (inner.number == 1) /* a tensor */
                XA_RETURN_TRY(
                    err, read_type(m, xa__wire_inside(&type, &inner), &m->values[*value], err));
    }
    return XA_OK;
}

/* ---- the graph ---- */

static xa_status list_value(int **list, size_t *cap, int *n, int value, xa_err *err)
{
    XA_RETURN_TRY(err, xa_grow(list, cap, (size_t)*n + 1, sizeof **list, err));
    (*list)[(*n)++] = value;
    return XA_OK;
}

xa_status xa__onnx_parse_initializer(xa__onnx *m, xa__wire w, xa_err *err)
{
    int tensor, value;
    XA_RETURN_TRY(err, xa__onnx_parse_tensor(m, w, &tensor, err));
    const xa__onnx_tensor *t = &m->tensors[tensor];
    XA_RETURN_TRY(err, xa__onnx_named(m, t->name, &value, err));
    xa__onnx_value *v = &m->values[value];
    if (v->tensor >= 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: two tensors have the name \"%s\"", m->path, v->name);
    v->tensor = tensor;
    return XA_OK;
}

static xa_status read_graph(xa__onnx *m, xa__wire w, xa_err *err)
{
    xa__field f;
    int value;
    while (xa__wire_next(&w, &f)) {
        const xa__wire inner = xa__wire_inside(&w, &f);
        switch (f.number) {
        case 1:
            XA_RETURN_TRY(err, xa__onnx_parse_node(m, inner, err));
            break;
        case 5:
            XA_RETURN_TRY(err, xa__onnx_parse_initializer(m, inner, err));
            break;
        case 11:
            XA_RETURN_TRY(err, read_declaration(m, inner, &value, err));
            m->values[value].is_input = true;
            XA_RETURN_TRY(err, list_value(&m->inputs, &m->input_cap, &m->ninputs, value, err));
            break;
        case 12:
            XA_RETURN_TRY(err, read_declaration(m, inner, &value, err));
            XA_RETURN_TRY(err, list_value(&m->outputs, &m->output_cap, &m->noutputs, value, err));
            break;
        case 15:
            XA_RETURN_FAIL(err, XA_UNSUPPORTED, "%s: it has sparse tensors", m->path);
        default:
            break;
        }
    }
    return w.bad ? xa__onnx_damaged(m, &w, "the graph", err) : XA_OK;
}

/* Every value is defined once, before it is used. */
static xa_status check_definitions(xa__onnx *m, xa_err *err)
{
    int real = 0;
    for (int i = 0; i < m->ninputs; i++)
        if (m->values[m->inputs[i]].tensor < 0)
            m->inputs[real++] = m->inputs[i];
    m->ninputs = real;
    for (int i = 0; i < m->nvalues; i++) {
        xa__onnx_value *v = &m->values[i];
        if (v->tensor < 0)
            continue;
        v->type = m->tensors[v->tensor].type;
        v->shape = m->tensors[v->tensor].shape;
        v->constant = true;
    }
    for (int k = 0; k < m->nnodes; k++) {
        const xa__onnx_node *n = &m->nodes[k];
        for (int i = 0; i < n->ninputs; i++) {
            const xa__onnx_value *v = n->inputs[i] < 0 ? NULL : &m->values[n->inputs[i]];
            if (v && v->node < 0 && v->tensor < 0 && !v->is_input)
                XA_RETURN_FAIL(err,
                               XA_FORMAT,
                               "%s: node \"%s\" (%s) reads \"%s\" before it is made: the nodes are "
                               "out of order or go in a circle",
                               m->path,
                               n->name,
                               n->op,
                               v->name);
        }
        for (int i = 0; i < n->noutputs; i++) {
            xa__onnx_value *v = n->outputs[i] < 0 ? NULL : &m->values[n->outputs[i]];
            if (!v)
                continue;
            if (v->node >= 0 || v->tensor >= 0 || v->is_input)
                XA_RETURN_FAIL(err, XA_FORMAT, "%s: \"%s\" is made twice", m->path, v->name);
            v->node = k;
            v->output = i;
        }
    }
    for (int i = 0; i < m->noutputs; i++) {
        const xa__onnx_value *v = &m->values[m->outputs[i]];
        if (v->node < 0 && v->tensor < 0 && !v->is_input)
            XA_RETURN_FAIL(err, XA_FORMAT, "%s: nothing makes its output \"%s\"", m->path, v->name);
    }
    return XA_OK;
}

static void read_opset(xa__onnx *m, xa__wire w)
{
    const char *domain = "";
    int64_t version = 1;
    xa__field f;
    while (xa__wire_next(&w, &f))
        if (f.number == 1)
            domain = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 2)
            version = xa__wire_i64(f.value);
    if (!*domain || !strcmp(domain, "ai.onnx"))
        m->opset = version;
}

xa_status xa__onnx_parse(xa__onnx *m, xa_err *err)
{
    xa__wire w = xa__wire_whole(m->bytes, m->size);
    xa__field f;
    int graphs = 0;
    m->producer = m->producer_version = "";
    m->branch = -1;
    while (xa__wire_next(&w, &f)) {
        const xa__wire inner = xa__wire_inside(&w, &f);
        if (f.number == 1)
            m->ir = xa__wire_i64(f.value);
        else if (f.number == 2)
            m->producer = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 3)
            m->producer_version = xa__onnx_text_of(m, &w, &f);
        else if (f.number == 8)
            read_opset(m, inner);
        else if (f.number == 7 && f.kind == XA__WIRE_BYTES) {
            graphs++;
            XA_RETURN_TRY(err, read_graph(m, inner, err));
        }
    }
    if (w.bad)
        return xa__onnx_damaged(m, &w, "the model", err);
    if (graphs != 1)
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: %d graphs, expected one", m->path, graphs);
    return check_definitions(m, err);
}
