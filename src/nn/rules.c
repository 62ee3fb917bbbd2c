/* Rules that take the place of derivatives on the way back (xa_rules): which operators have one,
 * which operands something comes to, and how much. What normalisations and activations do is in
 * their files. */
#include <math.h>
#include <stdlib.h>

#include "plan_internal.h"

const char *xa_rules_name(xa_rules r)
{
    static const char *const names[XA_RULES_COUNT] = {
#define X(name, text) [XA_RULES_##name] = text,
        XA_RULES_LIST(X)
#undef X
    };
    return r >= 0 && r < XA_RULES_COUNT ? names[r] : "?";
}

bool xa__rule_leads(xa_rules rules, const xa_node *node, int k)
{
    if (rules != XA_RULES_CP_LRP)
        return true;
    return node->op != XA_OP_SOFTMAX && (node->op != XA_OP_ATTENTION || k == 2);
}

float xa__rule_share(xa_rules rules, const xa_node *node, int k, int factors)
{
    if (rules != XA_RULES_ATTNLRP)
        return 1.0f;
    if (node->op == XA_OP_ATTENTION) /* two products: q with k, and the weights with v */
        return k == 2 ? 0.5f : 0.25f;
    if ((node->op == XA_OP_MATMUL || node->op == XA_OP_MULTIPLY) && factors > 1)
        return 1.0f / (float)factors;
    return 1.0f;
}

/* ---- which operators have a rule ---- */

/* What the rules miss of an activation; NULL: nothing. Its slope f(u)/u needs f(0) = 0, and u. */
static const char *missing_of_activation(const xa_activation *a)
{
    switch (a->kind) {
    case XA_ACT_RELU:
        return a->c == 0.0f && isinf(a->b)
                   ? NULL
                   : "of a ReLU with a threshold or a maximum the input is not kept";
    case XA_ACT_LINEAR:
    case XA_ACT_ELU:
    case XA_ACT_SELU:
    case XA_ACT_SWISH:
    case XA_ACT_GELU:
    case XA_ACT_GELU_TANH:
    case XA_ACT_SOFTSIGN:
    case XA_ACT_HARD_SWISH:
    case XA_ACT_MISH:
        return NULL;
    case XA_ACT_TANH:
        return "of tanh the input is not kept";
    default:
        return "the activation is not 0 at 0, so that its value over its input has no bound";
    }
}

/* Two or more factors are computed. */
static const char *missing_of_product(const xa_graph *g, const xa_node *node, xa_rules rules)
{
    if (rules == XA_RULES_ATTNLRP)
        return NULL;
    if (node->op == XA_OP_MULTIPLY)
        return "which of two computed factors is the gate is not known";
    for (int k = 0; k < 2; k++) {
        const xa_node *x = xa_graph_node(g, node->inputs[k]);
        while (x->op == XA_OP_RESHAPE || x->op == XA_OP_PERMUTE)
            x = xa_graph_node(g, x->inputs[0]);
        if (x->op == XA_OP_SOFTMAX)
            return NULL;
    }
    return "neither factor of this product of computed values is an attention weight";
}

/* What the rules miss of an operator of which `factors` operands are computed from the input;
 * NULL: nothing. */
static const char *
missing_of(const xa_graph *g, const xa_node *node, const bool *computed, xa_rules rules)
{
    int factors = 0;
    for (int k = 0; k < node->ninputs; k++)
        factors += computed[node->inputs[k]];
    switch (node->op) {
    case XA_OP_ACTIVATION:
        return missing_of_activation(&node->params.activation);
    case XA_OP_MULTIPLY:
    case XA_OP_MATMUL:
        return factors > 1 ? missing_of_product(g, node, rules) : NULL;
    case XA_OP_DIVIDE:
        return computed[node->inputs[1]] ? "the divisor is computed from the input" : NULL;
    case XA_OP_REDUCE:
        return node->params.reduce.kind == XA_OVER_PRODUCT || node->params.reduce.kind == XA_OVER_L2
                   ? "a product or norm over an axis has no rule"
                   : NULL;
    case XA_OP_UNARY:
    case XA_OP_COMPARE:
    case XA_OP_SELECT:
        return "the operator has no rule";
    default: /* linear, the winner of a maximum, or with its own rule */
        return NULL;
    }
}

xa_status xa_graph_check_rules(const xa_graph *g, int root, xa_rules rules, xa_err *err)
{
    xa_status st = XA_OK;
    const size_t n = (size_t)xa_graph_nodes(g) + 1;
    bool attends = false;
    bool *computed = xa_alloc(n, sizeof(bool)), *reached = xa_alloc(n, sizeof(bool));
    if (!computed || !reached)
        XA_NOMEM_FAIL(err);
    if (rules == XA_RULES_GRADIENT)
        goto done;
    computed[xa_graph_input(g)] = true;
    for (int i = 0; i <= root; i++)
        for (int k = 0; k < xa_graph_node(g, i)->ninputs; k++)
            computed[i] = computed[i] || computed[xa_graph_node(g, i)->inputs[k]];
    reached[root] = true;
    for (int i = root; i >= 0; i--) {
        const xa_node *node = xa_graph_node(g, i);
        if (!reached[i] || !computed[i])
            continue;
        const char *missing = missing_of(g, node, computed, rules);
        if (missing)
            XA_FAIL(err,
                    XA_INVALID,
                    "backward: %s says nothing about layer \"%s\" (%s): %s; leave out `backward`",
                    xa_rules_name(rules),
                    node->name,
                    xa_op_name(node->op),
                    missing);
        attends = attends || node->op == XA_OP_ATTENTION || node->op == XA_OP_SOFTMAX;
        for (int k = 0; k < node->ninputs; k++)
            if (xa__rule_leads(rules, node, k))
                reached[node->inputs[k]] = true;
    }
    if (!attends)
        XA_FAIL(err,
                XA_INVALID,
                "backward: %s is defined for transformers, and this model has no attention; leave "
                "out `backward`",
                xa_rules_name(rules));
done:
    free(computed);
    free(reached);
    return st;
}
