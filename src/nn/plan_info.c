/* What a plan says of itself, and the packing of its weights. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

double xa_step_flops(const xa_plan *p, const xa_step *s)
{
    return xa_node_flops(p->graph, s->node) +
           (s->front >= 0 ? xa_node_flops(p->graph, p->steps[s->front].node) : 0.0);
}

/* Backward, attention computes its probabilities again and makes four products per head, not two.
 */
static double instr_flops(const xa_plan *p, const xa_instr *in)
{
    if (in->kind != XA_INSTR_OP)
        return (double)in->count;
    const xa_step *s = &p->steps[in->step];
    return xa_step_flops(p, s) * (s->op->flags & XA_OP_JOINT ? 2.5 : 1.0);
}

void xa_plan_get_info(const xa_plan *p, xa_plan_info *out)
{
    *out = (xa_plan_info){.batch = p->batch,
                          .isa = p->kernels->isa,
                          .weight_bytes = p->weight_bytes,
                          .arena_bytes = p->arena_bytes,
                          .saved_bytes = p->saved_bytes,
                          .scratch_bytes = p->scratch_bytes,
                          .steps_forward = p->nsteps,
                          .folded = (int)p->nfolds,
                          .fused = p->fused};
    for (int i = 0; i < p->nsteps; i++)
        out->flops_forward += xa_node_flops(p->graph, p->steps[i].node);
    if (p->nbackward) {
        const xa_backward *b = &p->backward[0];
        out->steps_backward = (int)b->ninstr;
        for (size_t i = 0; i < b->ninstr; i++)
            out->flops_backward += instr_flops(p, &b->instr[i]);
    }
}

void xa_plan_describe(const xa_plan *p, xa_str *out)
{
    char shape[96];
    xa_str_printf(out,
                  "%4s  %-12s %-36s %-18s %10s %10s  %s\n",
                  "step",
                  "operator",
                  "layer",
                  "output",
                  "MFLOP",
                  "saved kB",
                  "with");
    for (int i = 0; i < p->nsteps; i++) {
        const xa_step *s = &p->steps[i];
        const xa_node *node = xa_graph_node(p->graph, s->node);
        size_t saved = 0;
        if (s->state >= 0 && s->in_backward)
            saved += p->storages[s->state].bytes;
        if (s->bits >= 0)
            saved += p->storages[s->bits].bytes;
        xa_str_printf(out,
                      "%4d  %-12s %-36s %-18s %10.2f %10.1f  ",
                      i,
                      s->op->name,
                      xa_graph_node(p->graph, s->out)->name,
                      xa_shape_text(&xa_graph_node(p->graph, s->out)->shape, shape, sizeof shape),
                      xa_node_flops(p->graph, s->node) / 1e6,
                      (double)saved / 1e3);
        if (s->nfolds)
            xa_str_printf(out, "%d folded ", s->nfolds);
        if (s->residual >= 0)
            xa_str_printf(out, "+%s ", xa_graph_node(p->graph, s->residual)->name);
        if (s->has_act)
            xa_str_puts(out, "relu ");
        if (s->within >= 0)
            xa_str_printf(out, "within step %d ", s->within);
        if (s->op->flags & XA_OP_VIEW)
            xa_str_puts(out, "view ");
        if (node->nweights && s->op->packed_bytes)
            xa_str_printf(
                out, "%.1f kB weights", (double)s->op->packed_bytes(p->graph, node) / 1e3);
        xa_str_puts(out, "\n");
    }
}

/* Weights from `first` on. */
static xa_status read_raw(const xa_plan *p,
                          const xa_node *node,
                          const xa_weight_reader *reader,
                          int first,
                          float *raw[XA_MAX_WEIGHTS],
                          xa_err *err)
{
    for (int i = first; i < node->nweights; i++) {
        if (node->weights[i] < 0)
            continue;
        const xa_weight *w = xa_graph_weight(p->graph, node->weights[i]);
        const size_t n = (size_t)xa_shape_count(&w->shape);
        raw[i] = xa_alloc(n, sizeof(float));
        if (!raw[i])
            XA_RETURN_FAIL(err, XA_NOMEM, "weights of \"%s\": out of memory", node->name);
        if (w->literal)
            memcpy(raw[i], w->literal, n * sizeof(float));
        else
            XA_RETURN_TRY(err, reader->read(reader->arg, w, raw[i], err));
    }
    return XA_OK;
}

/* A large matrix is packed a piece at a time; *done false: it is none, or the file gives it as a
 * whole. */
static xa_status pack_columns(const xa_plan *p,
                              const xa_step *s,
                              const xa_weight_reader *reader,
                              const xa_fold *fold,
                              unsigned char *to,
                              bool *done,
                              xa_err *err)
{
    enum { LARGE = 1 << 22, PIECES = 16 };
    const xa_node *node = xa_graph_node(p->graph, s->node);
    const xa_weight *w = node->nweights ? xa_graph_weight(p->graph, node->weights[0]) : NULL;
    xa_status st = XA_OK;
    *done = false;
    if (!w || !s->op->pack_columns || !reader->read_columns || w->literal || w->shape.ndim != 2 ||
        xa_shape_count(&w->shape) < LARGE)
        return XA_OK;
    const int64_t all = w->shape.dim[1];
    const int64_t most = (all / PIECES + XA_PANEL - 1) / XA_PANEL * XA_PANEL;
    float *piece = xa_alloc((size_t)(w->shape.dim[0] * most), sizeof *piece);
    if (!piece)
        XA_FAIL(err, XA_NOMEM, "weights of \"%s\": out of memory", node->name);
    for (int64_t first = 0; first < all; first += most) {
        const int64_t count = all - first < most ? all - first : most;
        XA_TRY(err, reader->read_columns(reader->arg, w, first, count, piece, done, err));
        if (!*done)
            break;
        s->op->pack_columns(p->graph, node, piece, first, count, fold, to);
    }
done:
    free(piece);
    return st;
}

static xa_status pack_step(const xa_plan *p,
                           const xa_step *s,
                           const xa_weight_reader *reader,
                           unsigned char *blob,
                           xa_err *err)
{
    const xa_node *node = xa_graph_node(p->graph, s->node);
    float *raw[XA_MAX_WEIGHTS] = {NULL};
    xa_fold fold = {.channels = xa_shape_last(&node->shape)};
    xa_status st = XA_OK;
    bool packed;
    if (s->nfolds) {
        fold.scale = xa_alloc((size_t)fold.channels, sizeof(double));
        fold.shift = xa_alloc((size_t)fold.channels, sizeof(double));
        if (!fold.scale || !fold.shift)
            XA_FAIL(err, XA_NOMEM, "weights of \"%s\": out of memory", node->name);
        for (int64_t c = 0; c < fold.channels; c++)
            fold.scale[c] = 1.0;
        for (int i = 0; i < s->nfolds; i++)
            XA_TRY(err,
                   xa_affine_compose(p->graph,
                                     xa_graph_node(p->graph, p->folds[s->folds_at + i]),
                                     reader,
                                     &fold,
                                     err));
    }
    const xa_fold *folded = s->nfolds ? &fold : NULL;
    XA_TRY(err, pack_columns(p, s, reader, folded, blob + s->weights_at, &packed, err));
    XA_TRY(err, read_raw(p, node, reader, packed ? 1 : 0, raw, err));
    s->op->pack(p->graph, node, (const float *const *)raw, folded, blob + s->weights_at);
done:
    for (int i = 0; i < XA_MAX_WEIGHTS; i++)
        free(raw[i]);
    free(fold.scale);
    free(fold.shift);
    return st;
}

xa_status xa_plan_pack(const xa_plan *p, const xa_weight_reader *reader, void *blob, xa_err *err)
{
    memset(blob, 0, p->weight_bytes); /* padding too: the same weights are the same bytes */
    for (int i = 0; i < p->nsteps; i++)
        if (p->steps[i].op->pack)
            XA_RETURN_TRY(err, pack_step(p, &p->steps[i], reader, blob, err));
    return XA_OK;
}
