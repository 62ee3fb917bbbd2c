/* max_pool: the first of equal values takes the gradient; its place is kept, in one byte per
 * output. */
#include "pool_shape.h"
#include "tile.h"

static size_t place_bytes(const xa_node *node)
{
    return node->params.pool.kh * node->params.pool.kw <= XA_POOL_BYTE_WINDOW ? sizeof(uint8_t)
                                                                              : sizeof(uint32_t);
}

static size_t state_bytes(const xa_graph *g, const xa_node *node, int64_t n)
{
    (void)g;
    return (size_t)(n * xa_shape_count(&node->shape)) * place_bytes(node);
}

static void forward(const xa_op_call *c)
{
    const xa_pool_shape s = xa_pool_geometry(c->graph, c->node);
    const int64_t tile = xa_tile_rows(s.oh, s.ow * s.c);
    const size_t place = place_bytes(c->node);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t r = 0; r < s.oh; r += tile) {
            const int64_t at = (i * s.oh + r) * s.ow * s.c;
            c->k->max_pool(&s,
                           c->x[0] + i * s.h * s.w * s.c,
                           r,
                           xa_min(r + tile, s.oh),
                           c->y + at,
                           c->state ? (char *)c->state + (size_t)at * place : NULL);
            xa_tick_now(c->tick);
        }
}

static void backward(const xa_op_call *c)
{
    const xa_pool_shape s = xa_pool_geometry(c->graph, c->node);
    const int64_t tile = xa_tile_rows(s.h, s.w * s.c);
    const size_t place = place_bytes(c->node);
    for (int64_t i = 0; i < c->n; i++) {
        const int64_t from = i * s.oh * s.ow * s.c;
        for (int64_t r = 0; r < s.h; r += tile) {
            c->k->max_pool_back(&s,
                                c->dy + from,
                                (const char *)c->state + (size_t)from * place,
                                r,
                                xa_min(r + tile, s.h),
                                c->dx + (i * s.h + r) * s.w * s.c);
            xa_tick_now(c->tick);
        }
    }
}

const xa_op_def xa_op_max_pool = {.name = "max_pool",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .infer = xa_pool_infer,
                                  .state_bytes = state_bytes,
                                  .forward = forward,
                                  .backward = backward,
                                  .flops = xa_pool_flops};
