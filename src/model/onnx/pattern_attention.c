/* Attention of every exporter: from the product with v back to the product of q and k. Between them
 * lie scales, constants that are added (relative positions, masks of windows), views, and what does
 * nothing. A chain with anything else stays what it is, and is computed so. */
#include <math.h>
#include <string.h>

#include "attention.h"
#include "pattern.h"

enum { STEPS = 24 };

static const xa__onnx_shape *shape_of(const xa__onnx_build *b, int value)
{
    return &b->m->values[value].shape;
}

static bool is_constant(const xa__onnx_build *b, int value)
{
    return b->m->values[value].constant;
}

/* Elements of all axes but the last two. */
static int64_t beside(const xa__onnx_shape *s)
{
    xa__onnx_shape before = *s;
    before.rank -= 2;
    return xa__onnx_count(&before);
}

static bool same_last_two(const xa__onnx_shape *a, const xa__onnx_shape *c)
{
    return a->rank >= 2 && c->rank >= 2 && a->dim[a->rank - 1] == c->dim[c->rank - 1] &&
           a->dim[a->rank - 2] == c->dim[c->rank - 2];
}

static bool same_beside(const xa__onnx_shape *a, const xa__onnx_shape *c)
{
    if (a->rank != c->rank || a->rank < 2)
        return false;
    return !memcmp(a->dim, c->dim, (size_t)(a->rank - 2) * sizeof *a->dim);
}

static xa__onnx_node *maker(const xa__onnx_build *b, int value)
{
    const xa__onnx_value *v = &b->m->values[value];
    return v->node >= 0 && !v->constant ? &b->m->nodes[v->node] : NULL;
}

/* What a view, a cast or a guard changes nothing of, with the same last two axes; -1: it is none.
 */
static int behind(xa__onnx_build *b, int value)
{
    static const char *const views[] = {
        "Reshape", "Squeeze", "Unsqueeze", "Identity", "Cast", "Dropout", "Flatten"};
    const xa__onnx_node *n = maker(b, value);
    double zero;
    for (size_t i = 0; n && i < sizeof views / sizeof *views; i++)
        if (!strcmp(n->op, views[i]) && !*n->domain &&
            same_last_two(shape_of(b, value), shape_of(b, n->inputs[0])))
            return n->inputs[0];
    /* Where(IsNaN(p), 0, p) of a softmax */
    const xa__onnx_node *w = xa__onnx_made_by(b, value, "Where");
    const xa__onnx_node *test = w ? xa__onnx_made_by(b, w->inputs[0], "IsNaN") : NULL;
    return test && test->inputs[0] == w->inputs[2] && xa__onnx_scalar(b, w->inputs[1], &zero) &&
                   !(zero < 0.0) && !(zero > 0.0)
               ? w->inputs[2]
               : -1;
}

/* ---- the scores ---- */

/* On the way back from the softmax to the product. */
typedef struct chain {
    struct xa__onnx_form *form;
    double after; /* what later numbers multiply by */
    xa__onnx_added added[XA__ONNX_ADDED];
    int nadded;
} chain;

/* value = x + c, x*c or x - c of a constant that broadcasts to x: x and c; else -1. */
static int with_constant(xa__onnx_build *b, const xa__onnx_node *n, int *constant)
{
    for (int i = 0; i < 2; i++) {
        const int x = n->inputs[i], c = n->inputs[1 - i];
        if (!is_constant(b, c) || is_constant(b, x) ||
            !xa__onnx_shape_equal(shape_of(b, x), shape_of(b, n->outputs[0])))
            continue;
        *constant = c;
        return x;
    }
    return -1;
}

/* All zeros, as some exporters write a mask that hides nothing. */
static bool is_nothing(xa__onnx_build *b, int value)
{
    const int64_t count = xa__onnx_count(shape_of(b, value));
    if (count > (int64_t)1 << 24 || xa__onnx_evaluate(b, value, NULL) != XA_OK)
        return false;
    const double *data = xa__onnx_data(b, value);
    for (int64_t i = 0; i < count; i++)
        if (data[i] < 0.0 || data[i] > 0.0 || isnan(data[i]))
            return false;
    return true;
}

/* One step back: what lies before; -1: the pattern does not know it. */
static int step_back(xa__onnx_build *b, chain *c, int value)
{
    double number;
    int constant;
    const int view = behind(b, value), x = xa__onnx_scaled(b, value, &number);
    if (view >= 0)
        return view;
    if (x != value) {
        c->after *= number;
        return x;
    }
    const xa__onnx_node *add = xa__onnx_made_by(b, value, "Add"),
                        *mul = xa__onnx_made_by(b, value, "Mul");
    if (add && add->ninputs == 2) {
        const int before = with_constant(b, add, &constant);
        if (before < 0 || is_nothing(b, constant))
            return before;
        if (c->nadded == XA__ONNX_ADDED || c->form->scaled_by_head)
            return -1;
        c->added[c->nadded++] =
            (xa__onnx_added){.value = constant, .at = *shape_of(b, value), .scale = c->after};
        return before;
    }
    if (mul) {
        const int before = with_constant(b, mul, &constant);
        const xa__onnx_shape *s = before >= 0 ? shape_of(b, constant) : NULL;
        const bool one_a_head =
            s && s->rank >= 2 && s->dim[s->rank - 1] == 1 && s->dim[s->rank - 2] == 1;
        if (!one_a_head || c->form->scaled_by_head)
            return -1;
        c->form->scaled_by_head = true;
        c->form->by_head =
            (xa__onnx_added){.value = constant, .at = *shape_of(b, value), .scale = 1.0};
        for (int i = 1; i <= 2; i++)
            c->form->by_head.at.dim[c->form->by_head.at.rank - i] = 1;
        return before;
    }
    return -1;
}

/* The product of q and k, or NULL. */
static const xa__onnx_node *scores_of(xa__onnx_build *b, chain *c, int value)
{
    for (int i = 0; i < STEPS && value >= 0; i++) {
        const xa__onnx_node *n = maker(b, value);
        bool as_rows; /* k; MatMul wants it transposed */
        if (n && n->def && n->def != &xa__onnx_attention && xa__onnx_is_product(b, n, &as_rows)) {
            c->form->turned = !as_rows;
            return n;
        }
        value = step_back(b, c, value);
    }
    return NULL;
}

/* ---- the whole ---- */

static bool softmax_of_rows(const xa__onnx_build *b, const xa__onnx_node *n)
{
    const int rank = shape_of(b, n->inputs[0])->rank;
    const int64_t axis = xa__onnx_int(b->m, n, "axis", b->m->opset < 13 ? 1 : -1);
    return rank >= 2 && (axis == -1 || axis == rank - 1);
}

static bool keep_inputs(xa__onnx_build *b, xa__onnx_node *n, int q, int k, int v)
{
    int *inputs = xa__onnx_keep(b->m, 3 * sizeof *inputs);
    if (!inputs)
        return false;
    inputs[0] = q;
    inputs[1] = k;
    inputs[2] = v;
    n->inputs = inputs;
    n->ninputs = 3;
    n->def = &xa__onnx_attention;
    n->nattributes = 0;
    return true;
}

bool xa__onnx_match_attention(xa__onnx_build *b, xa__onnx_node *n)
{
    struct xa__onnx_form form = {.heads = 0};
    chain c = {.form = &form, .after = 1.0};
    bool turned;
    if (!xa__onnx_is_product(b, n, &turned) || turned)
        return false;
    int p = n->inputs[0];
    const int v = n->inputs[1];
    if (is_constant(b, p) || is_constant(b, v) || !same_beside(shape_of(b, p), shape_of(b, v)))
        return false;
    const xa__onnx_node *soft = NULL;
    for (int i = 0; i < STEPS && p >= 0 && !(soft = xa__onnx_made_by(b, p, "Softmax")); i++)
        p = behind(b, p);
    if (!soft || !softmax_of_rows(b, soft))
        return false;
    const xa__onnx_node *scores = scores_of(b, &c, soft->inputs[0]);
    if (!scores)
        return false;
    double left, right;
    const int q = xa__onnx_scaled(b, scores->inputs[0], &left),
              k = xa__onnx_scaled(b, scores->inputs[1], &right);
    const int64_t pairs = beside(shape_of(b, scores->outputs[0]));
    if (is_constant(b, k) || !same_beside(shape_of(b, q), shape_of(b, k)) ||
        !same_last_two(shape_of(b, scores->outputs[0]), shape_of(b, soft->inputs[0])) ||
        pairs != beside(shape_of(b, v)))
        return false;
    form.scale = c.after * left * right;
    form.heads = xa__onnx_heads_of(b, n->outputs[0]);
    form.heads = form.heads && pairs % form.heads == 0 ? form.heads : pairs;
    form.groups = pairs / form.heads;
    unsigned depends;
    xa__onnx_weight w;
    if (form.scaled_by_head &&
        (!xa__onnx_added_weight(b, &form.by_head, form.heads, &w, &depends) ||
         depends & XA__ONNX_BY_GROUP))
        return false;
    for (int i = 0; i < c.nadded; i++)
        if (!xa__onnx_add_to_form(b, &form, &c.added[i]))
            return false;
    n->form = xa__onnx_keep(b->m, sizeof form);
    if (!n->form)
        return false;
    *n->form = form;
    return keep_inputs(b, n, q, k, v);
}
