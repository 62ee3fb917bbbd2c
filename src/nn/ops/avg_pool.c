/* avg_pool: mean over the elements of the window that lie inside the input. */
#include "pool_shape.h"
#include "tile.h"

static void forward(const xa_op_call *c)
{
    const xa_pool_shape s = xa_pool_geometry(c->graph, c->node);
    const int64_t tile = xa_tile_rows(s.oh, s.ow * s.c);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t r = 0; r < s.oh; r += tile) {
            c->k->avg_pool(&s,
                           c->x[0] + i * s.h * s.w * s.c,
                           r,
                           xa_min(r + tile, s.oh),
                           c->y + (i * s.oh + r) * s.ow * s.c);
            xa_tick_now(c->tick);
        }
}

static void backward(const xa_op_call *c)
{
    const xa_pool_shape s = xa_pool_geometry(c->graph, c->node);
    const int64_t tile = xa_tile_rows(s.h, s.w * s.c);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t r = 0; r < s.h; r += tile) {
            c->k->avg_pool_back(&s,
                                c->dy + i * s.oh * s.ow * s.c,
                                r,
                                xa_min(r + tile, s.h),
                                c->dx + (i * s.h + r) * s.w * s.c);
            xa_tick_now(c->tick);
        }
}

const xa_op_def xa_op_avg_pool = {.name = "avg_pool",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .infer = xa_pool_infer,
                                  .forward = forward,
                                  .backward = backward,
                                  .flops = xa_pool_flops};
