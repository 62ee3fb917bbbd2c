/* Checks of maps that cost passes of the model. */
#include <math.h>
#include <string.h>

#include "audit_internal.h"

/* ---- another class ---- */

enum { CHECK_STREAM = 77 };

int32_t xa_batch_other_class(const xa_batch *b, int64_t slot, int32_t target, int32_t minus)
{
    const int64_t classes = xa_audit_classes(b->a, b->m);
    const int32_t low = minus < 0 || target < minus ? target : minus;
    const int32_t high = minus < 0 || target > minus ? target : minus;
    if (target < 0 || classes < (minus < 0 ? 2 : 3))
        return -1;
    const uint64_t image = b->rows->pixel_hash[slot];
    int64_t other = xa_random_below(
        image, CHECK_STREAM, (uint64_t)target, minus < 0 ? classes - 1 : classes - 2);
    other += other >= low;
    return (int32_t)(minus < 0 ? other : other + (other >= high));
}

/* The first map of the i-th sample by explainer e; -1: none. */
static int64_t first_map(const xa_batch *b, int e, int64_t i)
{
    int64_t count;
    const int64_t row = xa_rows_first(b->rows, b->m, e, b->first + i, &count);
    return count > 0 && b->out->maps[e].target[row] >= 0 ? row : -1;
}

xa_status xa_batch_compare_other(const xa_batch *b, int e, int64_t i, xa_err *err)
{
    const int64_t row = first_map(b, e, i);
    const xa_map_facts facts = xa_map_inspect(b->a->map, &b->am->map_shape[e]);
    double out[XA_AGREEMENT_COUNT];
    if (row < 0)
        return XA_OK;
    const xa_score_map mine = xa_stored_map(b->a, b->rows, b->m, e, row, b->a->other);
    xa_score_map other = mine;
    other.values = b->a->map;
    other.degenerate = (facts.flags & XA_MAP_FLAG_DEGENERATE) != 0;
    other.nonfinite = (facts.flags & XA_MAP_FLAG_NONFINITE) != 0;
    XA_RETURN_TRY(err, xa_agreement(&mine, &other, out, err));
    b->out->maps[e].check[XA_CHECK_RANDOM_LOGIT][row] = out[XA_AGREEMENT_SPEARMAN];
    return XA_OK;
}

/* Other targets of group g's samples; false: nobody has one. */
static bool choose(const xa_batch *b, int g, int32_t *targets)
{
    bool any = false;
    for (int64_t i = 0; i < b->n; i++) {
        targets[i] = -1;
        for (int e = 0; e < b->am->spec->nexplainers && targets[i] < 0; e++) {
            if (b->am->group[e] != g || !xa_batch_lives(b, i))
                continue;
            const int64_t row = first_map(b, e, i);
            if (row >= 0)
                targets[i] = xa_batch_other_class(
                    b, b->first + i, b->out->maps[e].target[row], b->am->groups[g].scalar.minus);
        }
        any = any || targets[i] >= 0;
    }
    return any;
}

/* The activations are still those of the forward pass of way w. */
xa_status xa_batch_random_logit(const xa_batch *b, int w, xa_err *err)
{
    int32_t *targets = b->a->targets; /* [batch]; the rounds are over */
    if (!b->a->spec->random_logit)
        return XA_OK;
    for (int g = 0; g < b->am->ngroups; g++) {
        const xa_pass_group *group = &b->am->groups[g];
        if (group->way != w || !choose(b, g, targets))
            continue;
        for (int k = 0; k < b->am->ngroups; k++)
            b->a->served[k] = k == g;
        XA_RETURN_TRY(err, xa_batch_pass(b, group, group->reach, targets, err));
        for (int e = 0; e < b->am->spec->nexplainers; e++)
            for (int64_t i = 0; b->am->group[e] == g && i < b->n; i++)
                if (targets[i] >= 0 &&
                    xa_explainer_get(b->am->spec->explainers[e].kind)->consumer) {
                    const xa_explain_view v = xa_batch_view(b, e, i, group->reach);
                    XA_RETURN_TRY(err, xa_ask_other(b, e, i, targets[i], &v, err));
                } else if (targets[i] >= 0) {
                    xa_batch_compute(b, e, i, group->reach, targets[i]);
                    XA_RETURN_TRY(err, xa_batch_compare_other(b, e, i, err));
                }
    }
    return XA_OK;
}

/* ---- the masked image ---- */

/* x [H,W,C] times the map stretched from its minimum to its maximum, brought to the input's size;
 * grown [H,W] is scratch. A map of one value, zeros for one, stretches to 0: it shows the model
 * nothing, and is not left out. False: there is no such map. */
static bool mask_input(const xa_score_map *m, float *x, int64_t channels, float *grown)
{
    const int64_t n = m->input_height * m->input_width;
    float low = INFINITY, high = -INFINITY;
    if (m->nonfinite || m->channels != 1)
        return false;
    xa_upsample_linear(m->values, m->height, m->width, grown, m->input_height, m->input_width);
    for (int64_t i = 0; i < n; i++) {
        low = grown[i] < low ? grown[i] : low;
        high = grown[i] > high ? grown[i] : high;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < channels; c++)
            x[i * channels + c] *= high > low ? (grown[i] - low) / (high - low) : 0.0f;
    return true;
}

/* p and p' are of the class explained; of the predicted one where none is. */
static void read_masked(const xa_batch *b, int e, int64_t i, int64_t row)
{
    const xa_head *h = xa_model_head(b->am->model);
    const int64_t slot = b->first + i;
    const float *z = xa_run_value(&b->am->run, h->node) + i * h->units;
    xa_map_rows *x = &b->out->maps[e];
    const int32_t target = x->target[row] >= 0 ? x->target[row] : b->out->predicted[slot];
    xa_head_apply(h, z, b->a->logits, b->a->probs);
    const double p = (double)b->out->probs[slot * h->classes + target];
    const double masked = (double)b->a->probs[target];
    if (!isfinite(masked) || !(p > 0.0))
        return;
    x->check[XA_CHECK_AVERAGE_DROP][row] = p > masked ? (p - masked) / p : 0.0;
    x->check[XA_CHECK_INCREASE][row] = p < masked ? 1.0 : 0.0;
    if (p < 1.0)
        x->check[XA_CHECK_AVERAGE_GAIN][row] = masked > p ? (masked - p) / (1.0 - p) : 0.0;
}

/* One forward pass an explainer, for the first map of each sample; the input is the model's own. */
void xa_batch_masked(const xa_batch *b)
{
    const int64_t count = xa_shape_count(&b->am->input);
    if (!b->a->spec->masked)
        return;
    for (int e = 0; e < b->am->spec->nexplainers; e++) {
        int64_t rows = 0;
        if (!xa_batch_fill(b, 0))
            return;
        float *x = xa_run_input(&b->am->run);
        for (int64_t i = 0; i < b->n; i++) {
            int64_t n;
            const int64_t row = xa_rows_first(b->rows, b->m, e, b->first + i, &n);
            b->a->masked[i] = -1;
            if (!xa_batch_lives(b, i) || n == 0 || !isfinite(b->out->maps[e].scale[row]))
                continue;
            const xa_score_map m = xa_stored_map(b->a, b->rows, b->m, e, row, b->a->other);
            if (!mask_input(&m, x + i * count, b->am->input.dim[2], b->a->grown))
                continue;
            b->a->masked[i] = row;
            rows++;
        }
        if (!rows)
            continue;
        xa_run_forward(&b->am->run);
        for (int64_t i = 0; i < b->n; i++)
            if (b->a->masked[i] >= 0)
                read_masked(b, e, i, b->a->masked[i]);
    }
}
