/* Binding: which tensor of the file is which weight of which layer.
 *
 * Layout groups: there is one group per top-level layer. A group belongs to the layer of its name,
 * or, if a model was rebuilt with other numbers in its names, to the layer at its place. In a
 * group, the tensors of a nested model are one list, trainable ones first, which is not the order
 * of layers. They are bound by name ("conv2d_7/kernel"), and only where names are ambiguous by the
 * order in which Keras lists them, checked against the kind of every tensor.
 *
 * Layout vars: layers/<layer>/vars/<i>, where the layer has its name or, as most versions write it,
 * its class in snake case and a count.
 */
#include "bind.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The layers with weights inside of one layer, in the order of the configuration. */
typedef struct leaves {
    xa__klayer **items;
    size_t count, cap;
} leaves;

static xa_status add_leaves(leaves *l, xa__klayer *layer, xa_err *err)
{
    if (layer->inner) {
        for (int i = 0; i < layer->inner->nlayers; i++)
            XA_RETURN_TRY(err, add_leaves(l, &layer->inner->layers[i], err));
        return XA_OK;
    }
    int which[XA__KMAX_SLOTS], n;
    XA_RETURN_TRY(err, xa__klayer_slots(layer, which, &n, err));
    if (!n)
        return XA_OK;
    XA_RETURN_TRY(err, xa_grow(&l->items, &l->cap, l->count + 1, sizeof *l->items, err));
    l->items[l->count++] = layer;
    return XA_OK;
}

/* ---- by name ---- */

/* Does the tensor's name end with "<layer>/<slot>", after a '/' or as a whole? A % in the slot's
 * name means the layer's. */
static bool name_fits(const char *tensor, const char *layer, const char *slot)
{
    const char *mark = strchr(slot, '%');
    const size_t n = strlen(tensor), a = strlen(layer);
    const size_t head = mark ? (size_t)(mark - slot) : strlen(slot);
    const char *tail = mark ? mark + 1 : "";
    const size_t b = head + (mark ? a : 0) + strlen(tail);
    if (n < a + 1 + b)
        return false;
    const char *at = tensor + (n - a - 1 - b), *rest = at + a + 1;
    return !strncmp(at, layer, a) && at[a] == '/' && !strncmp(rest, slot, head) &&
           (!mark || !strncmp(rest + head, layer, a)) &&
           !strcmp(rest + head + (mark ? a : 0), tail) && (at == tensor || at[-1] == '/');
}

static bool slot_fits(const char *tensor, const xa__kslot *slot)
{
    const char *last = strrchr(tensor, '/'), *name = strrchr(slot->name, '/');
    last = last ? last + 1 : tensor;
    name = name ? name + 1 : slot->name;
    return !strcmp(last, name) || (slot->other && !strcmp(last, slot->other));
}

/* Binds by name; false unless every weight has exactly one tensor with its name. */
static bool bind_by_name(const xa__kfile *f, const xa__kgroup *g, const leaves *l)
{
    for (size_t i = 0; i < l->count; i++) {
        xa__klayer *layer = l->items[i];
        int which[XA__KMAX_SLOTS], n = 0;
        if (xa__klayer_slots(layer, which, &n, NULL) != XA_OK)
            return false;
        for (int k = 0; k < n; k++) {
            const xa__kslot *slot = &layer->cls->slots[which[k]];
            int found = -1;
            for (int t = g->first; t < g->first + g->count; t++) {
                const char *name = f->tensors[t].name;
                if (!name_fits(name, layer->name, slot->name) &&
                    !(slot->other && name_fits(name, layer->name, slot->other)))
                    continue;
                if (found >= 0)
                    return false; /* two layers in different nested models have the same name */
                found = t;
            }
            if (found < 0 && !slot->optional)
                return false;
            layer->tensor[which[k]] = found;
        }
    }
    return true;
}

/* ---- by order ---- */

typedef struct place {
    xa__klayer *layer;
    int slot;
} place;

typedef struct places {
    place *items;
    size_t count, cap;
} places;

static xa_status add_slots(places *p, xa__klayer *layer, int trainable, xa_err *err)
{
    int which[XA__KMAX_SLOTS], n = 0;
    XA_RETURN_TRY(err, xa__klayer_slots(layer, which, &n, err));
    for (int k = 0; k < n; k++) {
        const bool is = layer->cls->slots[which[k]].trainable;
        if (trainable >= 0 && is != (trainable == 1))
            continue;
        XA_RETURN_TRY(err, xa_grow(&p->items, &p->cap, p->count + 1, sizeof(place), err));
        p->items[p->count++] = (place){layer, which[k]};
    }
    return XA_OK;
}

/* Keras' own lists. kind 1: trainable weights, kind 0: the others; a layer or model that is not
 * trainable has all of its weights among the others, in plain order. */
static xa_status list_weights(places *p, xa__klayer *layer, bool frozen, int kind, xa_err *err)
{
    frozen = frozen || !layer->trainable;
    if (layer->inner) {
        for (int i = 0; i < layer->inner->nlayers; i++)
            XA_RETURN_TRY(err, list_weights(p, &layer->inner->layers[i], frozen, kind, err));
        return XA_OK;
    }
    if (frozen)
        return kind == 0 ? add_slots(p, layer, -1, err) : XA_OK;
    return add_slots(p, layer, kind, err);
}

/* The vector with which SpectralNormalization estimates a norm in training. */
static bool is_training_state(const char *tensor)
{
    const char *last = strrchr(tensor, '/');
    last = last ? last + 1 : tensor;
    return !strcmp(last, "vector_u") || !strcmp(last, "sn_u");
}

static bool kinds_fit(const xa__kfile *f, const xa__kgroup *g, const places *p, int *bound)
{
    size_t at = 0;
    for (size_t i = 0; i < p->count; i++) {
        const xa__kslot *slot = &p->items[i].layer->cls->slots[p->items[i].slot];
        bound[i] = -1;
        while (at < (size_t)g->count && is_training_state(f->tensors[g->first + (int)at].name))
            at++;
        if (at < (size_t)g->count && slot_fits(f->tensors[g->first + (int)at].name, slot))
            bound[i] = g->first + (int)at++;
        else if (!slot->optional)
            return false;
    }
    while (at < (size_t)g->count && is_training_state(f->tensors[g->first + (int)at].name))
        at++;
    return at == (size_t)g->count;
}

static xa_status
bind_by_order(const xa__kfile *f, const xa__kgroup *g, xa__klayer *layer, bool *done, xa_err *err)
{
    xa_status st = XA_OK;
    places p = {0};
    int *bound = NULL;
    *done = false;
    /* trainable first; everything in plain order; everything trainable whatever the flags say */
    for (int attempt = 0; attempt < 3 && !*done; attempt++) {
        p.count = 0;
        if (attempt == 0) {
            XA_TRY(err, list_weights(&p, layer, false, 1, err));
            XA_TRY(err, list_weights(&p, layer, false, 0, err));
        } else {
            leaves l = {0};
            st = add_leaves(&l, layer, err);
            for (int kind = 1; st == XA_OK && kind >= (attempt == 1 ? 1 : 0); kind--)
                for (size_t i = 0; st == XA_OK && i < l.count; i++)
                    st = add_slots(&p, l.items[i], attempt == 1 ? -1 : kind, err);
            free(l.items);
            XA_TRY(err, st);
        }
        free(bound);
        bound = xa_alloc(p.count + 1, sizeof(int));
        if (!bound)
            XA_NOMEM_FAIL(err);
        if (!kinds_fit(f, g, &p, bound))
            continue;
        for (size_t i = 0; i < p.count; i++)
            p.items[i].layer->tensor[p.items[i].slot] = bound[i];
        *done = true;
    }
done:
    free(p.items);
    free(bound);
    return st;
}

/* Binds a plain layer whose tensors have other names in their order, if there are as many as it
 * needs. */
static bool bind_by_count(const xa__kgroup *g, xa__klayer *layer)
{
    int which[XA__KMAX_SLOTS], n = 0;
    if (layer->inner || xa__klayer_slots(layer, which, &n, NULL) != XA_OK || n != g->count)
        return false;
    for (int k = 0; k < n; k++)
        layer->tensor[which[k]] = g->first + k;
    return true;
}

static xa_status
bind_group(const xa__kfile *f, const xa__kgroup *g, xa__klayer *layer, const leaves *l, xa_err *err)
{
    bool done = false;
    if (bind_by_name(f, g, l))
        return XA_OK;
    XA_RETURN_TRY(err, bind_by_order(f, g, layer, &done, err));
    if (done || bind_by_count(g, layer))
        return XA_OK;
    xa_str wanted = {0};
    for (size_t i = 0; i < l->count && i < 4; i++)
        xa_str_printf(&wanted, "%s%s", i ? ", " : "", l->items[i]->path);
    const xa_status st =
        XA_ERR(err,
               XA_MISMATCH,
               "%s: group \"%s\" holds %d weights (the first is \"%s\"), which do not fit "
               "layer \"%s\" (weights of %s%s): is this the file of another architecture?",
               f->path,
               g->name,
               g->count,
               g->count ? f->tensors[g->first].name : "",
               layer->path,
               wanted.data ? wanted.data : "",
               l->count > 4 ? ", ..." : "");
    xa_str_free(&wanted);
    return st;
}

static const xa__kgroup *group_named(const xa__kfile *f, const char *name)
{
    for (size_t i = 0; i < f->ngroups; i++)
        if (!strcmp(f->groups[i].name, name))
            return &f->groups[i];
    return NULL;
}

static xa_status bind_groups(xa__kfile *f, xa__kscope *scope, xa_err *err)
{
    xa_status st = XA_OK;
    leaves l = {0};
    size_t wanted = 0, filled = 0, next = 0;
    const char *missing = NULL;
    for (int i = 0; i < scope->nlayers; i++) {
        l.count = 0;
        XA_TRY(err, add_leaves(&l, &scope->layers[i], err));
        if (!l.count)
            continue;
        wanted++;
        const xa__kgroup *g = group_named(f, scope->layers[i].name);
        if ((!g || !g->count) && !missing)
            missing = scope->layers[i].name;
    }
    for (size_t i = 0; i < f->ngroups; i++)
        filled += f->groups[i].count > 0;
    if (missing && filled != wanted)
        XA_FAIL(
            err,
            XA_MISMATCH,
            "%s: no weights for layer \"%s\"; the file has weights of %zu layers, the architecture "
            "needs %zu",
            f->path,
            missing,
            filled,
            wanted);
    for (int i = 0; i < scope->nlayers; i++) {
        l.count = 0;
        XA_TRY(err, add_leaves(&l, &scope->layers[i], err));
        if (!l.count)
            continue;
        const xa__kgroup *g = group_named(f, scope->layers[i].name);
        if (missing) { /* the model was rebuilt with other numbers in its names: by order */
            while (next < f->ngroups && !f->groups[next].count)
                next++;
            g = &f->groups[next++];
        }
        XA_TRY(err, bind_group(f, g, &scope->layers[i], &l, err));
    }
done:
    free(l.items);
    return st;
}

/* ---- layout vars ---- */

/* Keras' to_snake_case: an underscore before a capital that starts a word, or that follows a small
 * letter. */
static void snake_case(const char *name, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; name[i] && n + 2 < size; i++) {
        const bool capital = isupper((unsigned char)name[i]);
        const bool starts = capital && i && islower((unsigned char)name[i + 1]);
        const bool follows = capital && i && islower((unsigned char)name[i - 1]);
        if (starts || follows)
            out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)name[i]);
    }
    out[n] = '\0';
}

static xa_status bind_vars(xa__kfile *f, xa__kscope *scope, const char *prefix, xa_err *err);

/* Binds a weight of a compound layer: kernels and gammas have number 0 in their sublayer, biases
 * and betas number 1. */
static xa_status
bind_sublayer(xa__kfile *f, xa__klayer *layer, int slot, const char *group, xa_err *err)
{
    for (int i = 0; i < 2; i++) {
        const char *below = xa__kslot_vars(layer->cls, slot, i);
        int first = 0, count = 0;
        char *whole = below ? xa_strfmt("%s/%s", group, below) : NULL;
        if (!below)
            continue;
        if (!whole)
            XA_RETURN_NOMEM(err);
        const xa_status st = xa__kfile_vars(f, whole, &first, &count, err);
        free(whole);
        XA_RETURN_TRY(err, st);
        if (count > slot % 2) {
            layer->tensor[slot] = first + slot % 2;
            return XA_OK;
        }
    }
    XA_RETURN_FAIL(err,
                   XA_MISMATCH,
                   "%s: layer \"%s\" needs weight \"%s\", which \"%s/%s\" does not hold",
                   f->path,
                   layer->path,
                   layer->cls->slots[slot].name,
                   group,
                   xa__kslot_vars(layer->cls, slot, 0));
}

/* The group of layer `index` by its class and count, as most versions write it: "dense", "dense_1",
 * in the order of the layers, whatever their names. */
static void class_name(const xa__klayer *l, char *out, size_t size)
{
    if (l->inner && !l->inner->wrapper && strcmp(l->type, "Sequential") != 0)
        snprintf(out, size, "functional");
    else
        snake_case(l->type, out, size);
}

static void class_form(const xa__kscope *scope, int index, char *out, size_t size)
{
    char own[256], other[256];
    int same = 0;
    class_name(&scope->layers[index], own, sizeof own);
    for (int i = 0; i < index; i++) {
        class_name(&scope->layers[i], other, sizeof other);
        same += !strcmp(other, own);
    }
    if (same)
        snprintf(out, size, "%s_%d", own, same);
    else
        snprintf(out, size, "%s", own);
}

/* The weights of a layer that is no model, in its group. */
static xa_status bind_leaf(xa__kfile *f, xa__klayer *layer, const char *group, xa_err *err)
{
    int which[XA__KMAX_SLOTS], n = 0, first = 0, count = 0;
    XA_RETURN_TRY(err, xa__klayer_slots(layer, which, &n, err));
    if (!n)
        return XA_OK;
    if (xa__kslot_vars(layer->cls, 0, 0)) {
        for (int k = 0; k < n; k++)
            XA_RETURN_TRY(err, bind_sublayer(f, layer, which[k], group, err));
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__kfile_vars(f, group, &first, &count, err));
    if (count < n)
        XA_RETURN_FAIL(err,
                       XA_MISMATCH,
                       "%s: layer \"%s\" needs %d weights, \"%s\" holds %d",
                       f->path,
                       layer->path,
                       n,
                       group,
                       count);
    for (int k = 0; k < n; k++)
        layer->tensor[which[k]] = first + k;
    return XA_OK;
}

/* A model's layers lie in its group; a wrapper's layer is the group's "layer". What the wrapper
 * itself has, a copy of the kernel and the state of its training, counts as read. */
static xa_status bind_inner(xa__kfile *f, xa__klayer *layer, const char *group, xa_err *err)
{
    xa__klayer *only = layer->inner->wrapper ? &layer->inner->layers[0] : NULL;
    int first = 0, count = 0;
    char *inner = xa_strfmt(only ? "%s/layer" : "%s/", group);
    if (!inner)
        XA_RETURN_NOMEM(err);
    xa_status st = !only         ? bind_vars(f, layer->inner, inner, err)
                   : only->inner ? bind_inner(f, only, inner, err)
                                 : bind_leaf(f, only, inner, err);
    free(inner);
    if (st == XA_OK && only)
        st = xa__kfile_vars(f, group, &first, &count, err);
    for (int k = 0; st == XA_OK && k < count && k < 2; k++)
        layer->tensor[k] = first + k;
    return XA_ERR_PASS(err, st);
}

/* The group of layer i: by name, or by class and count. */
static xa_status bind_vars_layer(
    xa__kfile *f, xa__kscope *scope, int index, const char *prefix, bool by_name, xa_err *err)
{
    xa__klayer *layer = &scope->layers[index];
    char form[280];
    class_form(scope, index, form, sizeof form);
    char *group = xa_strfmt("%slayers/%s", prefix, by_name ? layer->name : form);
    if (!group)
        XA_RETURN_NOMEM(err);
    const xa_status st =
        layer->inner ? bind_inner(f, layer, group, err) : bind_leaf(f, layer, group, err);
    free(group);
    return XA_ERR_PASS(err, st);
}

static xa_status bind_vars(xa__kfile *f, xa__kscope *scope, const char *prefix, xa_err *err)
{
    /* does this file name its groups by layer: is a layer missing under its class's name? */
    bool by_name = false;
    for (int i = 0; i < scope->nlayers && !by_name; i++) {
        int which[XA__KMAX_SLOTS], n = 0, first, count = 0;
        char form[280];
        if (scope->layers[i].inner || xa__kslot_vars(scope->layers[i].cls, 0, 0))
            continue;
        XA_RETURN_TRY(err, xa__klayer_slots(&scope->layers[i], which, &n, err));
        if (!n)
            continue;
        class_form(scope, i, form, sizeof form);
        char *group = xa_strfmt("%slayers/%s", prefix, form);
        if (!group)
            XA_RETURN_NOMEM(err);
        const xa_status st = xa__kfile_vars(f, group, &first, &count, err);
        free(group);
        XA_RETURN_TRY(err, st);
        by_name = count < n;
    }
    for (int i = 0; i < scope->nlayers; i++)
        XA_RETURN_TRY(err, bind_vars_layer(f, scope, i, prefix, by_name, err));
    return XA_OK;
}

xa_status xa__kbind(xa__kfile *f, xa__kscope *scope, xa_err *err)
{
    if (f->layout == XA__KLAYOUT_VARS)
        return bind_vars(f, scope, "", err);
    return bind_groups(f, scope, err);
}
