/* How long a check takes to make one of its perturbed inputs: ROAD solves a system for each, which
 * may take longer than the model's pass. */
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

enum { MOST_TRIED = 12 };

/* A picture of noise over a slope: what takes the place of pixels has something to reach for. */
static void make_subject(const xa_loaded *l, int m, float *x, float *range, xa_subject *s)
{
    const xa_audit_model_spec *spec = &l->job.audit.models[m];
    const xa_shape shape = xa_model_input(xa_audit_model_of(l->audit, m));
    const int64_t c = shape.dim[2], n = xa_shape_count(&shape);
    xa_scale_range(&spec->input.scale, (int)c, range, range + c);
    for (int64_t i = 0; i < n; i++) {
        const double at = 0.5 * (double)i / (double)n + 0.5 * xa_random_unit(1, 0, (uint64_t)i);
        x[i] = (float)((1.0 - at) * (double)range[i % c] + at * (double)range[c + i % c]);
    }
    *s = (xa_subject){
        .shape = shape, .x = x, .black = range, .white = range + c, .seed = 1, .self = -1};
}

static double time_fills(
    const xa_consumer *c, const xa_faith_task *task, const xa_subject *s, void *state, float *to)
{
    const xa_reply clean = {.score = 0.0, .prob = 0.5};
    const int64_t draws = c->asks(task, &s->shape, NULL).draws;
    const int64_t tried = draws < MOST_TRIED ? draws : MOST_TRIED;
    xa_recipe recipe = {0};
    c->plan(task, s, &clean, NULL, state, &recipe);
    const double start = xa_time();
    for (int64_t i = 0; i < tried; i++)
        recipe.fill(state, s, i * draws / tried, to);
    return tried ? (xa_time() - start) / (double)tried : 0.0;
}

xa_status xa__input_seconds(const xa_loaded *l, int m, int k, double *out, xa_err *err)
{
    xa_status st = XA_OK;
    const xa_faith_spec *spec = &l->job.audit.faith[k];
    const xa_consumer *c = xa_faith_consumer(spec->kind);
    const xa_shape shape = xa_model_input(xa_audit_model_of(l->audit, m));
    const size_t n = (size_t)xa_shape_count(&shape);
    const int blocks = xa_faith_shape_of(spec).blocks;
    const size_t pixels = (size_t)(shape.dim[0] * shape.dim[1]);
    xa_subject s;
    xa_faith_task task = {.check = spec};
    float *x = NULL, *to = NULL, *map = NULL, *range = NULL;
    void *state = NULL, *scratch = NULL;
    *out = 0.0;
    if (!c)
        return XA_OK;
    x = xa_alloc(n, sizeof *x);
    to = xa_alloc(n, sizeof *to);
    map = xa_alloc(pixels, sizeof *map);
    range = xa_alloc(2 * (size_t)shape.dim[2], sizeof *range);
    state = xa_alloc_aligned(c->state_bytes(&task, &shape, NULL));
    scratch = xa_alloc_aligned(xa_faith_scratch(&shape));
    if (!x || !to || !map || !range || !state || !scratch)
        XA_NOMEM_FAIL(err);
    make_subject(l, m, x, range, &s);
    /* most maps are blobs, as the centre is: what they remove lies together and takes longer to
     * solve for than scattered pixels */
    xa_rival_map(XA_RIVAL_CENTRE, x, shape.dim[0], shape.dim[1], shape.dim[2], s.seed, NULL, map);
    task.scratch = scratch;
    for (task.block = 0; task.block < blocks; task.block++) {
        task.pixels = task.block ? NULL : map;
        memset(state, 0, c->state_bytes(&task, &shape, NULL));
        *out += time_fills(c, &task, &s, state, to) / blocks;
    }
done:
    free(x);
    free(to);
    free(map);
    free(range);
    free(state);
    free(scratch);
    return st;
}
