/* xaudit bench: measures where the time of a job goes, with its own images, batches and explainers
 * on one rank, and what this core can do at best in the same minute. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/check.h"
#include "xaudit/print.h"

typedef struct options {
    xa_run_options run; /* job, set */
    double seconds;
    int64_t top;
    bool json;
} options;

/* What one operator of one model took. */
typedef struct entry {
    int node, calls[2]; /* forward, backward */
    bool separable;     /* it includes the depthwise convolution before it */
    double seconds[2], flops[2], bytes[2];
} entry;

typedef struct tally {
    const xa_graph *graph;
    entry *entry; /* [nodes + 1]; the last one is for additions of gradients */
    int nodes;
} tally;

static void took(void *arg, const xa_work *w)
{
    tally *t = arg;
    entry *e = &t->entry[w->node >= 0 ? w->node : t->nodes];
    const int back = w->kind != XA_WORK_FORWARD;
    e->calls[back]++;
    e->separable |= w->separable;
    e->seconds[back] += w->seconds;
    e->flops[back] += w->flops;
    e->bytes[back] += w->bytes;
}

/* ---- measuring ---- */

typedef struct measured {
    xa_machine machine;
    tally *tally; /* [nmodels] */
    int64_t images;
    double seconds; /* of whole units */
} measured;

static xa_status measure(const xa_loaded *l, double seconds, measured *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_trial t;
    XA_TRY(err, xa_trial_start(l, &t, err));
    XA_TRY(err, xa_machine_measure(1.0, &out->machine, err));
    XA_TRY(err, xa_trial_unit(&t, err)); /* cold caches, new pages: it does not count */
    xa_trial_reset(&t);
    for (int k = 0; k < l->job.audit.nmodels; k++) {
        const xa_profile p = {took, &out->tally[k]};
        xa_audit_profile(l->audit, k, &p);
    }
    while (t.seconds < seconds)
        XA_TRY(err, xa_trial_unit(&t, err));
    out->images = t.images;
    out->seconds = t.seconds;
done:
    xa_trial_end(&t);
    return st;
}

/* ---- printing ---- */

static double seconds_of(const entry *e)
{
    return e->seconds[0] + e->seconds[1];
}

static int by_time(const void *a, const void *b)
{
    const entry *x = *(const entry *const *)a, *y = *(const entry *const *)b;
    const double p = seconds_of(x), q = seconds_of(y);
    return p != q ? (p > q ? -1 : 1) : (x->node > y->node) - (x->node < y->node);
}

static void add(entry *to, const entry *from)
{
    for (int b = 0; b < 2; b++) {
        to->calls[b] += from->calls[b];
        to->seconds[b] += from->seconds[b];
        to->flops[b] += from->flops[b];
        to->bytes[b] += from->bytes[b];
    }
}

static const char *operator_of(const tally *t, const entry *e)
{
    if (e->node == t->nodes)
        return "add gradients";
    return e->separable ? "separable" : xa_op_name(xa_graph_node(t->graph, e->node)->op);
}

static const char *layer_of(const tally *t, const entry *e)
{
    return e->node < t->nodes ? xa_graph_node(t->graph, e->node)->name : "";
}

static void line(const char *name, const entry *e, const measured *m, double whole)
{
    fputs("  ", stdout);
    xa_put_padded(stdout, name, 44);
    for (int b = 0; b < 2; b++)
        if (e->seconds[b] > 0.0)
            printf(" %8.3f %7.1f %6.1f %4.0f%%",
                   1e3 * e->seconds[b] / (double)m->images,
                   1e-9 * e->flops[b] / e->seconds[b],
                   1e-9 * e->bytes[b] / e->seconds[b],
                   100.0 * e->flops[b] / e->seconds[b] / m->machine.flops);
        else
            printf(" %8s %7s %6s %5s", "-", "-", "-", "-");
    printf(" %6.1f%%\n", 100.0 * seconds_of(e) / whole);
}

static void head(const char *what)
{
    printf("  %-44s %28s  %28s\n  %-44s", "", "forward", "backward", what);
    for (int b = 0; b < 2; b++)
        printf(" %8s %7s %6s %5s", "ms", "GFLOP/s", "GB/s", "peak");
    printf(" %7s\n", "time");
}

static xa_status
print_model(const xa_loaded *l, int k, const measured *m, const options *o, json_t *to, xa_err *err)
{
    xa_status st = XA_OK;
    const tally *t = &m->tally[k];
    const char *name = l->job.audit.models[k].name;
    const entry **order = xa_alloc((size_t)t->nodes + 1, sizeof *order);
    const entry **by_kind = xa_alloc((size_t)t->nodes + 1, sizeof *by_kind);
    entry *kinds = xa_alloc((size_t)t->nodes + 1, sizeof *kinds), all = {0};
    int n = 0, nkinds = 0;
    if (!order || !by_kind || !kinds)
        XA_NOMEM_FAIL(err);
    for (int i = 0; i <= t->nodes; i++) {
        const entry *e = &t->entry[i];
        int at = 0;
        if (!e->calls[0] && !e->calls[1])
            continue;
        order[n++] = e;
        add(&all, e);
        while (at < nkinds && strcmp(operator_of(t, &kinds[at]), operator_of(t, e)) != 0)
            at++;
        if (at == nkinds)
            kinds[nkinds++] = (entry){.node = e->node, .separable = e->separable};
        add(&kinds[at], e);
    }
    qsort(order, (size_t)n, sizeof *order, by_time);
    if (to) {
        json_t *layers = json_array();
        for (int i = 0; i < n; i++)
            json_array_append_new(layers,
                                  json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f}",
                                            "operator",
                                            operator_of(t, order[i]),
                                            "layer",
                                            layer_of(t, order[i]),
                                            "forward_seconds",
                                            order[i]->seconds[0] / (double)m->images,
                                            "forward_flops",
                                            order[i]->flops[0] / (double)m->images,
                                            "forward_bytes",
                                            order[i]->bytes[0] / (double)m->images,
                                            "backward_seconds",
                                            order[i]->seconds[1] / (double)m->images,
                                            "backward_flops",
                                            order[i]->flops[1] / (double)m->images,
                                            "backward_bytes",
                                            order[i]->bytes[1] / (double)m->images));
        json_object_set_new(to, name, layers);
        goto done;
    }
    printf("\nmodel %s, batch %" PRId64 ", per image\n", name, xa_audit_batch(l->audit, k));
    head("operator");
    for (int i = 0; i < nkinds; i++)
        by_kind[i] = &kinds[i];
    qsort(by_kind, (size_t)nkinds, sizeof *by_kind, by_time);
    for (int i = 0; i < nkinds; i++)
        line(operator_of(t, by_kind[i]), by_kind[i], m, m->seconds);
    line("all", &all, m, m->seconds);
    if (o->top > 0) {
        printf("\n");
        head("layer");
    }
    for (int i = 0; i < n && i < o->top; i++) {
        char text[160];
        snprintf(text, sizeof text, "%s (%s)", layer_of(t, order[i]), operator_of(t, order[i]));
        line(text, order[i], m, m->seconds);
    }
done:
    free(order);
    free(by_kind);
    free(kinds);
    return st;
}

static xa_status print(const xa_loaded *l, const measured *m, const options *o, xa_err *err)
{
    xa_status st = XA_OK;
    double engine = 0.0, flops = 0.0;
    json_t *root = NULL, *models = o->json ? json_object() : NULL;
    for (int k = 0; k < l->job.audit.nmodels; k++)
        for (int i = 0; i <= m->tally[k].nodes; i++) {
            const entry *e = &m->tally[k].entry[i];
            engine += seconds_of(e);
            flops += e->flops[0] + e->flops[1];
        }
    if (!o->json)
        printf(
            "this core: %.1f GFLOP/s (%s), copies %.1f GB/s\n"
            "%" PRId64
            " images in %.2f s: %.1f ms each; passes take %.1f %% of it at %.1f GFLOP/s, %.0f %% "
            "of the peak; the rest is decoding, preprocessing, explainers and metrics\n",
            1e-9 * m->machine.flops,
            m->machine.isa,
            1e-9 * m->machine.copy,
            m->images,
            m->seconds,
            1e3 * m->seconds / (double)m->images,
            100.0 * engine / m->seconds,
            1e-9 * flops / engine,
            100.0 * flops / engine / m->machine.flops);
    for (int k = 0; k < l->job.audit.nmodels; k++)
        XA_TRY(err, print_model(l, k, m, o, models, err));
    if (o->json) {
        root = json_pack("{s:{s:s, s:f, s:f, s:f}, s:I, s:f, s:f, s:O}",
                         "machine",
                         "isa",
                         m->machine.isa,
                         "flops",
                         m->machine.flops,
                         "copy",
                         m->machine.copy,
                         "copy_streaming",
                         m->machine.copy_streaming,
                         "images",
                         (json_int_t)m->images,
                         "seconds",
                         m->seconds,
                         "passes_seconds",
                         engine,
                         "models",
                         models);
        if (!root || json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) != 0)
            XA_FAIL(err, XA_NOMEM, "the figures cannot be written as JSON");
        putchar('\n');
    }
done:
    json_decref(root);
    json_decref(models);
    return st;
}

static xa_status bench(const options *o, xa_loaded *l, xa_problems *problems, xa_err *err)
{
    xa_status st = XA_OK;
    measured m = {0};
    XA_TRY(err, xa_check_load(&o->run, l, problems, err));
    if (problems->errors)
        XA_FAIL(err, XA_INVALID, "%s has mistakes", o->run.job);
    const int n = l->job.audit.nmodels;
    m.tally = xa_alloc((size_t)n + 1, sizeof *m.tally);
    if (!m.tally)
        XA_NOMEM_FAIL(err);
    for (int k = 0; k < n; k++) {
        tally *t = &m.tally[k];
        t->graph = xa_model_graph(xa_audit_model_of(l->audit, k));
        t->nodes = xa_graph_nodes(t->graph);
        t->entry = xa_alloc((size_t)t->nodes + 1, sizeof *t->entry);
        if (!t->entry)
            XA_NOMEM_FAIL(err);
        for (int i = 0; i <= t->nodes; i++)
            t->entry[i].node = i;
    }
    XA_TRY(err, measure(l, o->seconds, &m, err));
    XA_TRY(err, print(l, &m, o, err));
done:
    for (int k = 0; m.tally && k < l->job.audit.nmodels; k++)
        free(m.tally[k].entry);
    free(m.tally);
    return st;
}

int xa_cmd_bench(const xa_args *a)
{
    options o = {.seconds = xa__args_number(a, XA_OPT_SECONDS),
                 .top = xa__args_integer(a, XA_OPT_TOP),
                 .json = xa__args_has(a, XA_OPT_JSON_BENCH)};
    xa_loaded l = {0};
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    int code = XA_EXIT_FAILED;
    if (xa__run_options_from(a, &o.run, &err) != XA_OK) {
        xa_print_error(&err);
    } else {
        const xa_status st = bench(&o, &l, &problems, &err);
        xa_print_problems(&problems);
        if (st != XA_OK && !problems.errors)
            xa_print_error(&err);
        code = st == XA_OK ? XA_EXIT_DONE : st == XA_NOMEM ? XA_EXIT_FAILED : XA_EXIT_USAGE;
    }
    xa_loaded_fini(&l);
    xa_problems_fini(&problems);
    xa__run_options_fini(&o.run);
    return code;
}
