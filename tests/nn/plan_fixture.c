#include "plan_fixture.h"

int plan_weight(xa_graph *g, const xa_shape *shape, double low, double high)
{
    const int64_t n = xa_shape_count(shape);
    const uint64_t stream = (uint64_t)xa_graph_weights(g);
    float *values = xa_alloc((size_t)n, sizeof(float));
    char name[32];
    int id;
    assert_non_null(values);
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)(low + (high - low) * xa_random_unit(7, stream, (uint64_t)i));
    snprintf(name, sizeof name, "w%d", xa_graph_weights(g));
    assert_int_equal(xa_graph_add_weight(g, name, shape, 0, values, &id, NULL), XA_OK);
    free(values);
    return id;
}

int plan_node(xa_graph *g, const xa_node_spec *spec)
{
    xa_err err = XA_ERR_INIT;
    int id;
    if (xa_graph_add(g, spec, &id, &err) != XA_OK)
        fail_msg("%s", err.message);
    return id;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): a reader is called like this */
static xa_status no_reader(void *arg, const xa_weight *w, float *dst, xa_err *err)
{
    (void)arg;
    (void)dst;
    XA_RETURN_FAIL(err, XA_NOT_FOUND, "no file behind \"%s\"", w->name);
}

machine machine_start(const xa_graph *g, const xa_plan_spec *spec)
{
    const xa_weight_reader reader = {.read = no_reader};
    machine m = {0};
    xa_err err = XA_ERR_INIT;
    if (xa_plan_create(g, spec, &m.plan, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_plan_get_info(m.plan, &m.info);
    m.blob = xa_alloc_aligned(m.info.weight_bytes);
    m.arena = xa_alloc_aligned(m.info.arena_bytes);
    assert_non_null(m.blob);
    assert_non_null(m.arena);
    memset(m.arena, 0xFF, m.info.arena_bytes);
    if (xa_plan_pack(m.plan, &reader, m.blob, &err) != XA_OK)
        fail_msg("%s", err.message);
    xa_run_init(&m.run, m.plan, m.blob, m.arena, NULL);
    return m;
}

void machine_stop(machine *m)
{
    xa_plan_free(m->plan);
    free(m->blob);
    free(m->arena);
}
