/* What the tests of plans share: graphs of random literal weights, and a plan with its memory. */
#ifndef XAUDIT_TESTS_PLAN_FIXTURE_H
#define XAUDIT_TESTS_PLAN_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "xaudit/nn.h"
#include "xaudit_cmocka.h"

/* A weight of uniform values in [low, high), by the number it has in the graph. */
int plan_weight(xa_graph *g, const xa_shape *shape, double low, double high);
/* Fails the test with the graph's message. */
int plan_node(xa_graph *g, const xa_node_spec *spec);

typedef struct machine {
    xa_plan *plan;
    xa_plan_info info;
    void *blob, *arena; /* the arena full of NaN: whatever lies there must not matter */
    xa_run run;
} machine;
machine machine_start(const xa_graph *g, const xa_plan_spec *spec);
void machine_stop(machine *m);

#endif
