/* Patterns: a node that ends a known chain becomes one operator; what led to it is no longer live
 * where nothing else reads it. A chain that only looks alike stays what it is. */
#include <math.h>
#include <string.h>

#include "pattern.h"

static const double root_half = 0.70710678118654752440, tanh_scale = 0.79788456080286535588,
                    tanh_cubic = 0.044715;
enum { FACTORS = 8, DEPTH = 6 };

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

/* The node that gives a value, if it is of that operator. */
xa__onnx_node *xa__onnx_made_by(const xa__onnx_build *b, int value, const char *op)
{
    const xa__onnx_value *v = value < 0 ? NULL : &b->m->values[value];
    xa__onnx_node *n = v && v->node >= 0 && !v->constant ? &b->m->nodes[v->node] : NULL;
    return n && n->def && n->def != &xa__onnx_attention && !strcmp(n->op, op) && !*n->domain ? n
                                                                                             : NULL;
}

/* n = op(x, number) in either order: x; -1 if it is not. */
int xa__onnx_with_number(xa__onnx_build *b, const xa__onnx_node *n, double *number)
{
    if (!n || n->ninputs != 2)
        return -1;
    if (xa__onnx_scalar(b, n->inputs[1], number))
        return n->inputs[0];
    return xa__onnx_scalar(b, n->inputs[0], number) ? n->inputs[1] : -1;
}

/* value = x*c or x/c of a number: x and c (or 1/c); else value itself and 1. */
int xa__onnx_scaled(xa__onnx_build *b, int value, double *c)
{
    const xa__onnx_node *mul = xa__onnx_made_by(b, value, "Mul"),
                        *div = xa__onnx_made_by(b, value, "Div");
    double v;
    *c = 1.0;
    int x = xa__onnx_with_number(b, mul, &v);
    if (x >= 0) {
        *c = v;
        return x;
    }
    if (div && xa__onnx_scalar(b, div->inputs[1], &v)) {
        *c = 1.0 / v;
        return div->inputs[0];
    }
    return value;
}

/* value = inner + 1: inner, -1 if it is not. */
static int plus(xa__onnx_build *b, int value, double wanted)
{
    double one;
    const int x = xa__onnx_with_number(b, xa__onnx_made_by(b, value, "Add"), &one);
    return x >= 0 && near(one, wanted) ? x : -1;
}

static void become(xa__onnx_build *b, xa__onnx_node *n, const char *op, int x, double setting)
{
    n->op = op;
    n->domain = "";
    n->def = xa__onnx_op_named("", op);
    n->nattributes = 0;
    n->inputs[0] = x;
    n->ninputs = 1;
    n->setting[0] = setting;
    (void)b;
}

/* ---- products ---- */

/* Factors of a tree of Mul and Div by numbers; `stop` is not looked into. False: too many. */
typedef struct product {
    int factor[FACTORS], n;
    double number;
} product;

static bool factor(xa__onnx_build *b, int value, int stop, int depth, product *p)
{
    double v;
    const xa__onnx_node *mul = xa__onnx_made_by(b, value, "Mul"),
                        *div = xa__onnx_made_by(b, value, "Div");
    if (value != stop && depth < DEPTH && mul)
        return factor(b, mul->inputs[0], stop, depth + 1, p) &&
               factor(b, mul->inputs[1], stop, depth + 1, p);
    if (value != stop && depth < DEPTH && div && xa__onnx_scalar(b, div->inputs[1], &v)) {
        p->number /= v;
        return factor(b, div->inputs[0], stop, depth + 1, p);
    }
    if (xa__onnx_scalar(b, value, &v)) {
        p->number *= v;
        return true;
    }
    if (p->n == FACTORS)
        return false;
    p->factor[p->n++] = value;
    return true;
}

/* ---- GELU ---- */

/* 1 + erf(x/sqrt 2): x, else -1. */
static int erf_gate(xa__onnx_build *b, int value)
{
    double c;
    const int inner = plus(b, value, 1.0);
    const xa__onnx_node *e = xa__onnx_made_by(b, inner, "Erf");
    const int x = e ? xa__onnx_scaled(b, e->inputs[0], &c) : -1;
    return x >= 0 && near(c, root_half) ? x : -1;
}

/* x^3 */
static bool is_cube(xa__onnx_build *b, int value, int x)
{
    double three;
    const xa__onnx_node *p = xa__onnx_made_by(b, value, "Pow");
    product cube = {.number = 1.0};
    if (p)
        return p->inputs[0] == x && xa__onnx_scalar(b, p->inputs[1], &three) && near(three, 3.0);
    return factor(b, value, x, 0, &cube) && cube.n == 3 && near(cube.number, 1.0) &&
           cube.factor[0] == x && cube.factor[1] == x && cube.factor[2] == x;
}

/* 1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)): x, else -1. */
static int tanh_gate(xa__onnx_build *b, int value)
{
    double c;
    const int inner = plus(b, value, 1.0);
    const xa__onnx_node *t = xa__onnx_made_by(b, inner, "Tanh");
    const int sum = t ? xa__onnx_scaled(b, t->inputs[0], &c) : -1;
    const xa__onnx_node *add = xa__onnx_made_by(b, sum, "Add");
    if (!add || !near(c, tanh_scale))
        return -1;
    for (int i = 0; i < 2; i++) {
        const int x = add->inputs[i], cube = xa__onnx_scaled(b, add->inputs[1 - i], &c);
        if (near(c, tanh_cubic) && is_cube(b, cube, x))
            return x;
    }
    return -1;
}

static bool match_gelu(xa__onnx_build *b, xa__onnx_node *n)
{
    product all = {.number = 1.0};
    if (!factor(b, n->outputs[0], -1, 0, &all))
        return false;
    for (int i = 0; i < all.n; i++) {
        const int by_erf = erf_gate(b, all.factor[i]);
        const int x = by_erf >= 0 ? by_erf : tanh_gate(b, all.factor[i]);
        product p = {.number = 1.0};
        if (x < 0 || !factor(b, n->outputs[0], x, 0, &p) || p.n != 2 || !near(p.number, 0.5) ||
            (p.factor[0] != x && p.factor[1] != x))
            continue;
        become(b, n, "Gelu", x, by_erf >= 0 ? 0.0 : 1.0);
        return true;
    }
    return false;
}

/* ---- SiLU, HardSwish ---- */

static bool match_swish(xa__onnx_build *b, xa__onnx_node *n)
{
    for (int i = 0; i < 2; i++) {
        const xa__onnx_node *gate = xa__onnx_made_by(b, n->inputs[1 - i], "Sigmoid");
        double c;
        if (!gate)
            continue;
        const int inner = gate->inputs[0], x = xa__onnx_scaled(b, inner, &c);
        if (inner == n->inputs[i]) {
            become(b, n, "Swish", inner, 1.0);
            return true;
        }
        if (x == n->inputs[i] && c > 0.0) {
            become(b, n, "Swish", x, c);
            return true;
        }
    }
    return false;
}

/* clip(x + 3, 0, 6): x, else -1. */
static int hard_gate(xa__onnx_build *b, int value)
{
    const xa__onnx_node *clip = xa__onnx_made_by(b, value, "Clip");
    double low = -1.0, high = -1.0;
    if (!clip)
        return -1;
    if (clip->ninputs == 3) {
        if (!xa__onnx_scalar(b, clip->inputs[1], &low) ||
            !xa__onnx_scalar(b, clip->inputs[2], &high))
            return -1;
    } else {
        low = xa__onnx_float(b->m, clip, "min", -1.0);
        high = xa__onnx_float(b->m, clip, "max", -1.0);
    }
    if (low < 0.0 || low > 0.0 || !near(high, 6.0))
        return -1;
    return plus(b, clip->inputs[0], 3.0);
}

static bool match_hard_swish(xa__onnx_build *b, xa__onnx_node *n)
{
    product all = {.number = 1.0};
    if (!factor(b, n->outputs[0], -1, 0, &all))
        return false;
    for (int i = 0; i < all.n; i++) {
        const xa__onnx_node *hard = xa__onnx_made_by(b, all.factor[i], "HardSigmoid");
        const bool ready = hard && near(xa__onnx_float(b->m, hard, "alpha", 0.2), 1.0 / 6.0) &&
                           near(xa__onnx_float(b->m, hard, "beta", 0.5), 0.5);
        const int x = ready ? hard->inputs[0] : hard_gate(b, all.factor[i]);
        product p = {.number = 1.0};
        if (x < 0 || !factor(b, n->outputs[0], x, 0, &p) || p.n != 2 ||
            !near(p.number, ready ? 1.0 : 1.0 / 6.0) || (p.factor[0] != x && p.factor[1] != x))
            continue;
        become(b, n, "HardSwish", x, 0.0);
        return true;
    }
    return false;
}

/* ---- what an elementwise operator repeats by itself ---- */

/* Inputs that were expanded to the other's shape are read as they were before. */
static void skip_expand(xa__onnx_build *b, xa__onnx_node *n)
{
    static const char *const broadcasting[] = {"Add", "Sub", "Mul", "Div"};
    bool known = false;
    for (size_t i = 0; i < sizeof broadcasting / sizeof *broadcasting; i++)
        known = known || !strcmp(n->op, broadcasting[i]);
    for (int i = 0; known && n->ninputs == 2 && i < 2; i++) {
        const xa__onnx_node *e = xa__onnx_made_by(b, n->inputs[i], "Expand");
        xa__onnx_shape together;
        if (e &&
            xa__onnx_broadcast(&b->m->values[e->inputs[0]].shape,
                               &b->m->values[n->inputs[1 - i]].shape,
                               &together) &&
            xa__onnx_shape_equal(&together, &b->m->values[n->outputs[0]].shape))
            n->inputs[i] = e->inputs[0];
    }
}

xa_status xa__onnx_match(xa__onnx_build *b, xa_err *err)
{
    (void)err;
    for (int i = 0; i < b->m->nnodes; i++) {
        xa__onnx_node *n = &b->m->nodes[i];
        const bool product_of_two = !strcmp(n->op, "Mul") && n->ninputs == 2;
        if (!n->live || !n->def || n->noutputs < 1 || n->outputs[0] < 0 ||
            b->m->values[n->outputs[0]].constant || b->m->values[n->outputs[0]].broken)
            continue;
        skip_expand(b, n);
        if (!strcmp(n->op, "MatMul") || !strcmp(n->op, "Einsum"))
            (void)xa__onnx_match_attention(b, n);
        else if (product_of_two || !strcmp(n->op, "Div"))
            (void)(match_gelu(b, n) || (product_of_two && match_swish(b, n)) ||
                   match_hard_swish(b, n));
    }
    xa__onnx_mark_live(b);
    return XA_OK;
}
