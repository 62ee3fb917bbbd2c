/* Layers by the names people know: modules' paths, from what exporters leave of them; values' and
 * nodes' names. */
#include <stdlib.h>
#include <string.h>

#include "build.h"

enum { PATH = 512 };

/* ---- the module of a node ---- */

/* "['', 'layer4', 'layer4.1', 'layer4.1.relu', 'relu_16']": the last but one; false: none. */
static bool scope_path(const char *scopes, char path[PATH])
{
    const char *found[2] = {NULL, NULL}; /* the last two texts */
    size_t len[2] = {0, 0};
    for (const char *p = strchr(scopes, '\''); p;) {
        const char *end = strchr(p + 1, '\'');
        if (!end)
            break;
        found[0] = found[1];
        len[0] = len[1];
        found[1] = p + 1;
        len[1] = (size_t)(end - p - 1);
        p = strchr(end + 1, '\'');
    }
    if (!found[0] || len[0] == 0 || len[0] >= PATH)
        return false;
    memcpy(path, found[0], len[0]);
    path[len[0]] = '\0';
    return true;
}

/* "/layer4/layer4.2/conv3/Conv_output_0": without the operator, a component that begins with the
 * one before it and a dot replacing that; false: no such name. */
static bool value_path(const char *name, char path[PATH])
{
    size_t n = 0, start = 0;
    if (*name != '/')
        return false;
    for (const char *p = name + 1;;) {
        const char *end = strchr(p, '/');
        if (!end)
            break; /* the operator */
        const size_t len = (size_t)(end - p), before = n - start;
        const bool replaces =
            n > 0 && len > before && !strncmp(p, path + start, before) && p[before] == '.';
        if (n + len + 2 >= PATH)
            return false;
        if (replaces) {
            n = start;
        } else if (n > 0) {
            path[n++] = '.';
            start = n;
        }
        memcpy(path + n, p, len);
        n += len;
        p = end + 1;
    }
    path[n] = '\0';
    return n > 0;
}

/* Where a product's constant is called "layer4.1.conv2.weight", it is that layer's, though the
 * normalisation folded into it may have given the node its name. */
static bool weight_path(const xa__onnx_build *b, const xa__onnx_node *n, char path[PATH])
{
    static const char ending[] = ".weight";
    if (strcmp(n->op, "Conv") != 0 && strcmp(n->op, "Gemm") != 0)
        return false;
    const char *name = n->inputs[1] >= 0 ? b->m->values[n->inputs[1]].name : "";
    const size_t len = strlen(name);
    if (!xa_str_ends(name, ending) || len < sizeof ending || len >= PATH)
        return false;
    memcpy(path, name, len - (sizeof ending - 1));
    path[len - (sizeof ending - 1)] = '\0';
    return true;
}

/* ---- which values are layers ---- */

/* An image, rows of channels, or a vector, as the engine has them. */
static bool is_layer(const xa__onnx_run *r)
{
    static const int image[2][3] = {{2, 3, 1}, {1, 2, 3}};
    const xa__onnx_layout *l = &r->at;
    if (r->node < 0)
        return false;
    if (l->rank <= 2)
        return true;
    for (int k = 0; k < 2; k++) {
        int at = 0;
        bool fits = l->rank == 4 || l->rank == 3;
        for (int i = 0; fits && i < l->natoms; i++) {
            const int axis = l->axis[l->order[i]], wanted = image[l->rank == 3 ? 1 : k][at];
            if (axis == wanted)
                continue;
            while (at < l->rank - 2 && image[l->rank == 3 ? 1 : k][at] != axis)
                at++;
            fits = image[l->rank == 3 ? 1 : k][at] == axis;
        }
        if (fits)
            return true;
    }
    return false;
}

/* A module and the last of its nodes whose value is read outside it. */
typedef struct module {
    char *path;
    int node; /* of the model */
    int64_t parameters;
} module;

typedef struct table {
    module *list;
    size_t n, cap;
} table;

static bool is_inside(const char *path, const char *outer, size_t len)
{
    return !strncmp(path, outer, len) && (path[len] == '\0' || path[len] == '.');
}

static module *find(table *t, const char *path, size_t len)
{
    for (size_t i = t->n; i-- > 0;) /* the newest is the likeliest */
        if (strlen(t->list[i].path) == len && !strncmp(t->list[i].path, path, len))
            return &t->list[i];
    return NULL;
}

static int64_t parameters_of(const xa__onnx_build *b, const xa__onnx_node *n)
{
    int64_t sum = 0;
    for (int i = 0; i < n->ninputs; i++) {
        const xa__onnx_value *v = n->inputs[i] < 0 ? NULL : &b->m->values[n->inputs[i]];
        if (v && v->tensor >= 0 && xa__onnx_is_float(v->type) && xa__onnx_count(&v->shape) > 1)
            sum += xa__onnx_count(&v->shape);
    }
    return sum;
}

/* Whether a reader of the value lies outside the module. readers: [count] nodes. */
typedef struct readers {
    int *start, *list; /* of value v: list[start[v]] .. list[start[v + 1]] */
} readers;

static xa_status find_readers(const xa__onnx_build *b, readers *r, xa_err *err)
{
    const xa__onnx *m = b->m;
    size_t total = 0;
    r->start = xa_alloc((size_t)m->nvalues + 2, sizeof(int));
    for (int pass = 0; r->start && pass < 2; pass++) {
        for (int i = 0; i < m->nnodes; i++)
            for (int k = 0; m->nodes[i].live && k < m->nodes[i].ninputs; k++) {
                const int v = m->nodes[i].inputs[k];
                if (v < 0)
                    continue;
                if (pass == 0)
                    r->start[v + 2]++;
                else
                    r->list[r->start[v + 1]++] = i;
                total += pass == 0;
            }
        if (pass == 0) {
            for (int v = 2; v <= m->nvalues + 1; v++)
                r->start[v] += r->start[v - 1];
            r->list = xa_alloc(total + 1, sizeof(int));
            if (!r->list)
                break;
        }
    }
    if (!r->start || !r->list)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    return XA_OK;
}

static bool read_outside(const xa__onnx_build *b,
                         const readers *r,
                         char *const *paths,
                         const xa__onnx_node *n,
                         const char *outer,
                         size_t len)
{
    for (int k = 0; k < n->noutputs; k++) {
        const int v = n->outputs[k];
        if (v < 0)
            continue;
        if (v == b->output)
            return true;
        for (int i = r->start[v]; i < r->start[v + 1]; i++)
            if (!paths[r->list[i]] || !is_inside(paths[r->list[i]], outer, len))
                return true;
    }
    return false;
}

/* ---- the list ---- */

static xa_status note_modules(xa__onnx_build *b,
                              const readers *r,
                              char *const *paths,
                              int node,
                              const char *path,
                              table *t,
                              xa_err *err)
{
    const xa__onnx_node *n = &b->m->nodes[node];
    const int64_t parameters = parameters_of(b, n);
    for (size_t len = strlen(path); len > 0; len--) {
        if (path[len] != '\0' && path[len] != '.')
            continue;
        module *m = find(t, path, len);
        if (!m) {
            XA_RETURN_TRY(err, xa_grow(&t->list, &t->cap, t->n + 1, sizeof *t->list, err));
            m = &t->list[t->n];
            *m = (module){.path = xa_strndup(path, len), .node = -1};
            if (!m->path)
                XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", b->m->path);
            t->n++;
        }
        m->parameters += parameters;
        if (n->noutputs && n->outputs[0] >= 0 &&
            (path != paths[node] || read_outside(b, r, paths, n, path, len)))
            m->node = node;
    }
    return XA_OK;
}

static int depth_of(const char *path)
{
    int n = 0;
    for (const char *p = path; *p; p++)
        n += *p == '.';
    return n;
}

static xa_status add(xa__onnx_build *b,
                     int node,
                     const char *path,
                     int64_t parameters,
                     int depth,
                     bool alias,
                     xa_err *err)
{
    const xa__onnx_node *n = &b->m->nodes[node];
    const int at = b->runs[n->outputs[0]].node;
    const xa_op op = xa_graph_node(b->model->graph, at)->op;
    const bool activation = op == XA_OP_ACTIVATION || op == XA_OP_PRELU;
    XA_RETURN_TRY(err,
                  xa__model_add_layer(
                      b->model, path, n->op, at, parameters, depth, activation && !alias, err));
    b->model->layers[b->model->nlayers - 1].alias = alias;
    return XA_OK;
}

xa_status xa__onnx_list(xa__onnx_build *b, xa_err *err)
{
    xa_status st = XA_OK;
    xa__onnx *m = b->m;
    table t = {0};
    readers r = {0};
    char path[PATH];
    char **paths = xa_alloc((size_t)m->nnodes + 1, sizeof *paths);
    if (!paths)
        XA_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    XA_TRY(err, find_readers(b, &r, err));
    for (int i = 0; i < m->nnodes; i++) {
        const xa__onnx_node *n = &m->nodes[i];
        const char *name = n->noutputs && n->outputs[0] >= 0 ? m->values[n->outputs[0]].name : "";
        if (!n->live || !((n->scopes && scope_path(n->scopes, path)) || value_path(name, path)))
            continue;
        if (!(paths[i] = xa_strdup(path)))
            XA_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
    }
    for (int i = 0; i < m->nnodes; i++) {
        const xa__onnx_node *n = &m->nodes[i];
        if (!n->live || !n->noutputs || n->outputs[0] < 0 || b->runs[n->outputs[0]].node < 0)
            continue;
        if (paths[i])
            XA_TRY(err, note_modules(b, &r, paths, i, paths[i], &t, err));
        if (weight_path(b, n, path) && (!paths[i] || strcmp(path, paths[i]) != 0) &&
            !find(&t, path, strlen(path))) {
            XA_TRY(err, xa_grow(&t.list, &t.cap, t.n + 1, sizeof *t.list, err));
            t.list[t.n] =
                (module){.path = xa_strdup(path), .node = i, .parameters = parameters_of(b, n)};
            if (!t.list[t.n].path)
                XA_FAIL(err, XA_NOMEM, "%s: out of memory", m->path);
            t.n++;
        }
    }
    for (int i = 0; i < m->nnodes; i++) {
        const xa__onnx_node *n = &m->nodes[i];
        bool named = false;
        if (!n->live || !n->noutputs || n->outputs[0] < 0 || !is_layer(&b->runs[n->outputs[0]]))
            continue;
        const char *value = m->values[n->outputs[0]].name;
        for (size_t k = 0; k < t.n; k++)
            if (t.list[k].node == i) {
                named = true;
                XA_TRY(err,
                       add(b,
                           i,
                           t.list[k].path,
                           t.list[k].parameters,
                           depth_of(t.list[k].path),
                           false,
                           err));
            }
        if (!find(&t, value, strlen(value)))
            XA_TRY(err, add(b, i, value, parameters_of(b, n), 0, named, err));
        if (*n->name && strcmp(n->name, value) != 0 && !find(&t, n->name, strlen(n->name)))
            XA_TRY(err, add(b, i, n->name, parameters_of(b, n), 0, true, err));
    }
done:
    for (int i = 0; paths && i < m->nnodes; i++)
        free(paths[i]);
    for (size_t k = 0; k < t.n; k++)
        free(t.list[k].path);
    free(paths);
    free(t.list);
    free(r.start);
    free(r.list);
    return st;
}
