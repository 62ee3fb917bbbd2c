/* Settings of attention explainers. */
#include <string.h>

#include "job_internal.h"

static const char *const fuse_names[] = {
#define X(name, text) text,
    XA_FUSE_LIST(X)
#undef X
};

/* kind: attention, method: rollout is another way to write kind: rollout. */
static const struct {
    const char *name;
    xa_explainer_kind kind;
} methods[] = {{"raw", XA_EXPLAIN_ATTENTION},
               {"rollout", XA_EXPLAIN_ROLLOUT},
               {"grad_rollout", XA_EXPLAIN_GRAD_ROLLOUT},
               {"relevance", XA_EXPLAIN_RELEVANCE},
               {"gradcam", XA_EXPLAIN_ATTENTION_GRADCAM}};
enum { METHODS = sizeof methods / sizeof *methods };

static int parse_method(const char *name)
{
    for (int i = 0; i < METHODS; i++)
        if (!strcmp(methods[i].name, name))
            return i;
    return -1;
}

bool xa_job_read_method(xa_ynode n, int *kind, xa_problems *problems)
{
    const char *names[METHODS];
    int method = 0;
    for (int i = 0; i < METHODS; i++)
        names[i] = methods[i].name;
    if (!n.id)
        return true;
    if (*kind != XA_EXPLAIN_ATTENTION) {
        XA_YAML_PROBLEM(problems, n, "method: a setting of kind: attention");
        return false;
    }
    if (!xa_job_choice(n, "method", parse_method, names, METHODS, &method, problems))
        return false;
    *kind = (int)methods[method].kind;
    return true;
}

void xa_job_read_attention(xa_ynode n, xa_explainer_spec *spec, xa_problems *problems)
{
    const xa_ynode start = xa_yaml_get(n, "start_layer"), discard = xa_yaml_get(n, "discard");
    const bool product = spec->kind == XA_EXPLAIN_ROLLOUT || spec->kind == XA_EXPLAIN_GRAD_ROLLOUT;
    int heads = (int)spec->heads;
    int64_t layer = spec->start;
    xa_job_choice(xa_yaml_get(n, "heads"),
                  "heads",
                  xa_fuse_parse,
                  fuse_names,
                  XA_FUSE_COUNT,
                  &heads,
                  problems);
    spec->heads = (xa_fuse)heads;
    if (start.id && !product && spec->kind != XA_EXPLAIN_RELEVANCE)
        XA_YAML_PROBLEM(
            problems, start, "start_layer: a setting of rollout, grad_rollout and relevance");
    xa_job_i64(start, "start_layer", 0, 4096, &layer, problems);
    spec->start = (int)layer;
    if (discard.id && !product)
        XA_YAML_PROBLEM(problems, discard, "discard: a setting of rollout and grad_rollout");
    xa_job_f64(discard, "discard", &spec->discard, problems);
    if (!(spec->discard >= 0.0 && spec->discard < 1.0))
        XA_YAML_PROBLEM(problems, discard, "discard: expected a share from 0 to below 1");
    if (spec->vit_keras && (spec->heads != XA_FUSE_MEAN || spec->start || spec->discard > 0.0))
        XA_YAML_PROBLEM(
            problems,
            n,
            "profile: seed is vit-keras' attention_map, which has the mean of the heads, "
            "all layers and nothing discarded; leave heads, start_layer and discard out");
}
