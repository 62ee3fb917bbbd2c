/* Inbound nodes: which layer reads which.
 *
 * Keras 1 and 2 write a call as a list of [layer, node, tensor, {keywords}], or as one such list
 * when the layer takes a single tensor that is not in a list (TFOpLambda);  a constant in front is
 * written as
 * ["_CONSTANT_VALUE", -1, value, {keywords}]. Keras 3 writes {"args": [...], "kwargs": {...}} with
 * tensors as {"class_name": "__keras_tensor__", "config": {"keras_history": [layer, node,
 * tensor]}}. Node numbers count from 0 for layers and from 1 for most nested models, whose node 0
 * is their construction; which it is shows in the smallest number others use.
 */
#include "calls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

/* Layers of the scope sorted by name, and the call being parsed. */
typedef struct context {
    xa__kscope *scope;
    int *by_name; /* layer numbers */
} context;

static int compare_names(const void *a, const void *b, void *arg)
{
    const xa__kscope *s = arg;
    return strcmp(s->layers[*(const int *)a].name, s->layers[*(const int *)b].name);
}

static int find_layer(const context *c, const char *name)
{
    int low = 0, high = c->scope->nlayers - 1;
    while (low <= high) {
        const int mid = low + (high - low) / 2;
        const int order = strcmp(name, c->scope->layers[c->by_name[mid]].name);
        if (order == 0)
            return c->by_name[mid];
        if (order < 0)
            high = mid - 1;
        else
            low = mid + 1;
    }
    return -1;
}

/* ---- references and operands ---- */

/* [layer, node, tensor] from position `at` of a list. */
static bool is_reference(const json_t *v)
{
    return json_is_array(v) && json_array_size(v) >= 3 && json_is_string(json_array_get(v, 0)) &&
           json_is_integer(json_array_get(v, 1)) && json_is_integer(json_array_get(v, 2));
}

static xa_status read_reference(const context *c, const json_t *v, xa__kref *out, xa_err *err)
{
    if (!is_reference(v)) {
        char text[80];
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "%s is no reference to a layer's output ([name, node, tensor])",
                       xa__kjson_text(v, text, sizeof text));
    }
    const char *name = json_string_value(json_array_get(v, 0));
    const json_int_t call = json_integer_value(json_array_get(v, 1));
    const json_int_t tensor = json_integer_value(json_array_get(v, 2));
    out->layer = find_layer(c, name);
    if (out->layer < 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "input \"%s\" is no layer of the model", name);
    if (call < 0 || call > XA__KMAX_LAYERS)
        XA_RETURN_FAIL(err, XA_FORMAT, "node %" PRId64 " of layer \"%s\"", (int64_t)call, name);
    if (tensor != 0)
        XA_RETURN_FAIL(err,
                       XA_UNSUPPORTED,
                       "output %" PRId64
                       " of layer \"%s\": layers with several outputs are not supported",
                       (int64_t)tensor,
                       name);
    out->call = (int)call;
    return XA_OK;
}

static xa_status add_operand(xa__kcall *call, xa__koperand operand, xa_err *err)
{
    XA_RETURN_TRY(
        err,
        xa_grow(&call->operands, &call->operand_cap, call->noperands + 1, sizeof operand, err));
    call->operands[call->noperands++] = operand;
    return XA_OK;
}

static xa_status add_ref(const context *c, xa__kcall *call, const json_t *v, xa_err *err)
{
    xa__kref ref;
    XA_RETURN_TRY(err, read_reference(c, v, &ref, err));
    XA_RETURN_TRY(err, xa_grow(&call->refs, &call->ref_cap, call->nrefs + 1, sizeof ref, err));
    call->refs[call->nrefs++] = ref;
    return XA_OK;
}

static xa_status
add_tensor(const context *c, xa__kcall *call, const char *keyword, const json_t *v, xa_err *err)
{
    const xa__koperand o = {XA__KOPERAND_TENSOR, keyword, NULL, (int)call->nrefs, 1};
    XA_RETURN_TRY(err, add_ref(c, call, v, err));
    return add_operand(call, o, err);
}

static xa_status add_value(xa__kcall *call, const char *keyword, const json_t *v, xa_err *err)
{
    const xa__koperand o = {XA__KOPERAND_VALUE, keyword, v, 0, 0};
    return add_operand(call, o, err);
}

/* ---- Keras 3 ---- */

static const json_t *keras_tensor(const json_t *v)
{
    const char *type = json_string_value(json_object_get(v, "class_name"));
    if (!type || strcmp(type, "__keras_tensor__") != 0)
        return NULL;
    return json_object_get(json_object_get(v, "config"), "keras_history");
}

static xa_status
add_argument(const context *c, xa__kcall *call, const char *keyword, const json_t *v, xa_err *err)
{
    const json_t *history = keras_tensor(v);
    if (history)
        return add_tensor(c, call, keyword, history, err);
    const size_t n = json_array_size(v);
    size_t tensors = 0;
    for (size_t i = 0; i < n; i++)
        tensors += keras_tensor(json_array_get(v, i)) != NULL;
    if (tensors == 0)
        return add_value(call, keyword, v, err);
    if (tensors != n)
        XA_RETURN_FAIL(err, XA_UNSUPPORTED, "an argument that mixes layers and constants");
    const xa__koperand o = {XA__KOPERAND_LIST, keyword, NULL, (int)call->nrefs, (int)n};
    for (size_t i = 0; i < n; i++)
        XA_RETURN_TRY(err, add_ref(c, call, keras_tensor(json_array_get(v, i)), err));
    return add_operand(call, o, err);
}

static xa_status parse_keras3(const context *c, const json_t *v, xa__kcall *call, xa_err *err)
{
    const json_t *args = json_object_get(v, "args");
    const json_t *kwargs = json_object_get(v, "kwargs");
    const char *key;
    json_t *value;
    for (size_t i = 0; i < json_array_size(args); i++)
        XA_RETURN_TRY(err, add_argument(c, call, NULL, json_array_get(args, i), err));
    json_object_foreach((json_t *)kwargs, key, value)
        XA_RETURN_TRY(err, add_argument(c, call, key, value, err));
    return XA_OK;
}

/* ---- Keras 1 and 2 ---- */

static bool names_layer(const context *c, const json_t *v)
{
    return is_reference(v) && find_layer(c, json_string_value(json_array_get(v, 0))) >= 0;
}

static xa_status add_keywords(const context *c, const json_t *v, xa__kcall *call, xa_err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json_array_get(v, 3), key, value)
    {
        if (names_layer(c, value))
            XA_RETURN_TRY(err, add_tensor(c, call, key, value, err));
        else
            XA_RETURN_TRY(err, add_value(call, key, value, err));
    }
    return XA_OK;
}

static xa_status parse_keras2(const context *c, const json_t *v, xa__kcall *call, xa_err *err)
{
    const char *head = json_string_value(json_array_get(v, 0));
    if (head && strcmp(head, "_CONSTANT_VALUE") == 0) {
        XA_RETURN_TRY(err, add_value(call, NULL, json_array_get(v, 2), err));
        return add_keywords(c, v, call, err);
    }
    if (head) {
        XA_RETURN_TRY(err, add_tensor(c, call, NULL, v, err));
        return add_keywords(c, v, call, err);
    }
    if (!json_is_array(v) || json_array_size(v) == 0) {
        char text[80];
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "inbound node %s: expected a list of [layer, node, tensor, {}]",
                       xa__kjson_text(v, text, sizeof text));
    }
    const size_t n = json_array_size(v);
    const xa__koperand o = {
        n == 1 ? XA__KOPERAND_TENSOR : XA__KOPERAND_LIST, NULL, NULL, 0, (int)n};
    for (size_t i = 0; i < n; i++)
        XA_RETURN_TRY(err, add_ref(c, call, json_array_get(v, i), err));
    XA_RETURN_TRY(err, add_operand(call, o, err));
    /* Every tensor of the list repeats the keywords, so that the first one's are taken. */
    return add_keywords(c, json_array_get(v, 0), call, err);
}

static xa_status
parse_layer_calls(const context *c, xa__klayer *l, const json_t *entry, xa_err *err)
{
    const json_t *nodes = json_object_get(entry, "inbound_nodes");
    if (json_array_size(nodes) > 0 && strcmp(l->type, "InputLayer") == 0)
        XA_RETURN_FAIL(err, XA_FORMAT, "an InputLayer with inbound nodes, which cannot have any");
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        XA_RETURN_TRY(err, xa_grow(&l->calls, &l->call_cap, l->ncalls + 1, sizeof *l->calls, err));
        xa__kcall *call = &l->calls[l->ncalls++];
        *call = (xa__kcall){0};
        if (json_is_object(node) && json_object_get(node, "args"))
            XA_RETURN_TRY(err, parse_keras3(c, node, call, err));
        else
            XA_RETURN_TRY(err, parse_keras2(c, node, call, err));
    }
    return XA_OK;
}

/* ---- inputs, outputs, numbering ---- */

/* "logits", "boxes": the layers or the names of a model's ends. */
static void list_ends(const json_t *v, xa_str *list)
{
    const char *key;
    const json_t *value;
    size_t i;
    char clean[96];
    json_object_foreach((json_t *)v, key, value)
    {
        xa_str_sanitise(key, clean, sizeof clean);
        xa_str_printf(list, "%s\"%s\"", list->len ? ", " : "", clean);
    }
    json_array_foreach(v, i, value)
    {
        const char *name = json_string_value(json_array_get(value, 0));
        xa_str_sanitise(name ? name : "?", clean, sizeof clean);
        xa_str_printf(list, "%s\"%s\"", list->len ? ", " : "", clean);
    }
}

/* The output that the job names: by its layer, or by its key. */
static xa_status
named_end(const context *c, const json_t *v, const char *wanted, xa__kref *out, xa_err *err)
{
    const char *key;
    const json_t *value, *found = NULL;
    size_t i;
    if (json_is_string(json_array_get(v, 0))) { /* one reference, in no list */
        const char *name = json_string_value(json_array_get(v, 0));
        found = !strcmp(name, wanted) ? v : NULL;
    }
    json_object_foreach((json_t *)v, key, value)
    {
        const char *name = json_string_value(json_array_get(value, 0));
        if (!found && (!strcmp(key, wanted) || (name && !strcmp(name, wanted))))
            found = value;
    }
    json_array_foreach(v, i, value)
    {
        const char *name = json_string_value(json_array_get(value, 0));
        if (!found && name && !strcmp(name, wanted))
            found = value;
    }
    if (found)
        return read_reference(c, found, out, err);
    xa_str list = {0};
    list_ends(v, &list);
    const xa_status st = XA_ERR(err,
                                XA_NOT_FOUND,
                                "output_name: it has no output \"%s\"; its outputs are %s",
                                wanted,
                                list.data ? list.data : "one");
    xa_str_free(&list);
    return st;
}

/* input_layers / output_layers: one reference, or a list of one. */
static xa_status
read_end(const context *c, const char *key, const char *wanted, xa__kref *out, xa_err *err)
{
    const json_t *v = json_object_get(c->scope->config, key);
    const bool input = strcmp(key, "input_layers") == 0;
    const size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v);
    if (wanted)
        return named_end(c, v, wanted, out, err);
    if (json_is_object(v) || (!json_is_string(json_array_get(v, 0)) && n != 1)) {
        xa_str list = {0};
        list_ends(v, &list);
        const xa_status st =
            XA_ERR(err,
                   XA_UNSUPPORTED,
                   "%zu %s%s (%s); a classifier has one: %ssave, in Python, "
                   "keras.Model(%s)",
                   n,
                   json_is_object(v) ? "named " : "",
                   input ? "inputs" : "outputs",
                   list.data ? list.data : "none",
                   input ? "" : "write in the job output_name: NAME, or ",
                   input ? "ONE_INPUT, model.output" : "model.input, model.get_layer(NAME).output");
        xa_str_free(&list);
        return st;
    }
    return read_reference(
        c, json_is_string(json_array_get(v, 0)) ? v : json_array_get(v, 0), out, err);
}

static void lower_base(xa__kscope *s, xa__kref r)
{
    xa__klayer *l = &s->layers[r.layer];
    if (l->first_call < 0 || r.call < l->first_call)
        l->first_call = r.call;
}

/* From Keras' node numbers to indices of `calls`. */
static xa_status renumber(xa__kscope *s, xa__kref *r, xa_err *err)
{
    const xa__klayer *l = &s->layers[r->layer];
    if (l->ncalls == 0) {
        /* Input layers are never called. */
        if (strcmp(l->type, "InputLayer") != 0)
            XA_RETURN_FAIL(
                err, XA_FORMAT, "layer \"%s\" is used but has no inbound nodes", l->path);
        r->call = 0;
        return XA_OK;
    }
    const int base = l->inner && l->first_call >= 1 ? 1 : 0;
    r->call -= base;
    if (r->call < 0 || (size_t)r->call >= l->ncalls)
        XA_RETURN_FAIL(err,
                       XA_FORMAT,
                       "node %d of layer \"%s\" is used, but it has %zu",
                       r->call + base,
                       l->path,
                       l->ncalls);
    return XA_OK;
}

static xa_status renumber_all(xa__kscope *s, xa_err *err)
{
    for (int i = 0; i < s->nlayers; i++)
        s->layers[i].first_call = -1;
    for (int i = 0; i < s->nlayers; i++)
        for (size_t k = 0; k < s->layers[i].ncalls; k++)
            for (size_t j = 0; j < s->layers[i].calls[k].nrefs; j++)
                lower_base(s, s->layers[i].calls[k].refs[j]);
    lower_base(s, s->output);
    for (int i = 0; i < s->nlayers; i++)
        for (size_t k = 0; k < s->layers[i].ncalls; k++)
            for (size_t j = 0; j < s->layers[i].calls[k].nrefs; j++) {
                xa_status st = renumber(s, &s->layers[i].calls[k].refs[j], err);
                if (st != XA_OK) {
                    xa_err_prefix(err, "layer \"%s\"", s->layers[i].path);
                    return st;
                }
            }
    return renumber(s, &s->output, err);
}

/* ---- order ---- */

enum { UNSEEN, OPEN, CLOSED };
typedef struct visit {
    xa__kref at;
    size_t next; /* the next reference of this call to follow */
} visit;

/* Depth first from the output, without recursion, since a file may have a chain of any length. */
static xa_status sort_calls(xa__kscope *s, xa_err *err)
{
    xa_status st = XA_OK;
    size_t total = 0, cap = 0, depth = 0;
    visit *stack = NULL;
    unsigned char *state = NULL;
    size_t *first = xa_alloc((size_t)s->nlayers + 1, sizeof *first);
    if (!first)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < s->nlayers; i++) {
        first[i] = total;
        total += s->layers[i].ncalls ? s->layers[i].ncalls : 1;
    }
    state = xa_alloc(total, 1);
    s->order = xa_alloc(total, sizeof *s->order);
    if (!state || !s->order)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_grow(&stack, &cap, 1, sizeof *stack, err));
    stack[depth++] = (visit){s->output, 0};
    state[first[s->output.layer] + (size_t)s->output.call] = OPEN;
    while (depth > 0) {
        visit *v = &stack[depth - 1];
        const xa__klayer *l = &s->layers[v->at.layer];
        const xa__kcall *call = l->ncalls ? &l->calls[v->at.call] : NULL;
        if (!call || v->next == call->nrefs) {
            state[first[v->at.layer] + (size_t)v->at.call] = CLOSED;
            s->order[s->norder++] = v->at;
            depth--;
            continue;
        }
        const xa__kref to = call->refs[v->next++];
        unsigned char *seen = &state[first[to.layer] + (size_t)to.call];
        if (*seen == OPEN)
            XA_FAIL(err,
                    XA_FORMAT,
                    "layers form a cycle: \"%s\" needs its own output by way of \"%s\"",
                    s->layers[to.layer].path,
                    l->path);
        if (*seen == UNSEEN) {
            *seen = OPEN;
            XA_TRY(err, xa_grow(&stack, &cap, depth + 1, sizeof *stack, err));
            stack[depth++] = (visit){to, 0};
        }
    }
done:
    free(first);
    free(state);
    free(stack);
    return st;
}

xa_status xa__kcalls_parse(xa__kscope *s, const json_t *entries, const char *output, xa_err *err)
{
    xa_status st = XA_OK;
    context c = {.scope = s, .by_name = xa_alloc((size_t)s->nlayers, sizeof(int))};
    if (!c.by_name)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i < s->nlayers; i++)
        c.by_name[i] = i;
    qsort_r(c.by_name, (size_t)s->nlayers, sizeof(int), compare_names, s);
    for (int i = 1; i < s->nlayers; i++)
        if (strcmp(s->layers[c.by_name[i]].name, s->layers[c.by_name[i - 1]].name) == 0)
            XA_FAIL(
                err, XA_FORMAT, "two layers have the name \"%s\"", s->layers[c.by_name[i]].path);
    for (int i = 0; i < s->nlayers; i++) {
        st = parse_layer_calls(&c, &s->layers[i], json_array_get(entries, (size_t)i), err);
        if (st != XA_OK) {
            xa_err_prefix(err, "layer \"%s\"", s->layers[i].path);
            XA_TRY(err, st);
        }
    }
    XA_TRY(err, read_end(&c, "input_layers", NULL, &s->input, err));
    XA_TRY(err, read_end(&c, "output_layers", output, &s->output, err));
    if (strcmp(s->layers[s->input.layer].type, "InputLayer") != 0)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "its input \"%s\" is a %s, expected an InputLayer",
                s->layers[s->input.layer].path,
                s->layers[s->input.layer].type);
    XA_TRY(err, renumber_all(s, err));
    XA_TRY(err, sort_calls(s, err));
done:
    free(c.by_name);
    return st;
}
