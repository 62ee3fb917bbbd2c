/* evaluate: from the text of the metrics to the finished archive. */
#include "xaudit/evaluate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evaluate_internal.h"
#include "xaudit/run.h"

/* Rank 0 reads the text of the metrics and sends it to all: --metrics, or the archive's job. */
static xa_status share_metrics(xa__evaluation *e, char **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    void *text = NULL;
    size_t size = 0;
    char *own = NULL;
    const char *asked = e->opt->metrics;
    if (e->rank == 0) {
        if (asked && *asked == '[')
            own = xa_strdup(asked);
        else if (asked)
            st = xa_read_file(asked, 16 << 20, &own, &size, &mine);
        else
            st = xa_archive_text(e->r->archive, XA_FIELD_JOB_TEXT, &own, &mine);
        if (st == XA_OK && !own)
            st = XA_ERR(&mine,
                        XA_NOT_FOUND,
                        "%s does not hold its job: name the metrics with --metrics",
                        e->opt->archive);
        size = own ? strlen(own) + 1 : 0;
    }
    text = own;
    XA_TRY(err, xa_comm_agree(e->comm, st, &mine, err));
    XA_TRY(err, xa_comm_broadcast(e->comm, 0, &text, &size, err));
    *out = text;
    text = NULL;
done:
    free(text);
    return st;
}

/* Rank 0: creates the new archive. Replaces what a killed evaluation left. */
static xa_status create(const xa__evaluation *e, const char *part, xa_err *err)
{
    const char *const made[] = {XA_GROUP_LOCALISATION,
                                XA_GROUP_STATISTICS,
                                XA_GROUP_BASELINES,
                                XA_GROUP_BASELINE_STATISTICS,
                                XA_GROUP_CLASS_MEANS,
                                XA_GROUP_CHECKSUMS XA_GROUP_LOCALISATION,
                                XA_GROUP_CHECKSUMS XA_GROUP_STATISTICS,
                                XA_GROUP_CHECKSUMS XA_GROUP_BASELINES,
                                XA_GROUP_CHECKSUMS XA_GROUP_BASELINE_STATISTICS,
                                xa_field_path(XA_FIELD_IDENTITY_TEXT),
                                "/@identity_text"};
    const bool there = access(e->opt->output, F_OK) == 0;
    if (there && e->opt->fresh)
        XA_RETURN_TRY(err, xa_set_aside(e->opt->output, err));
    else if (there)
        XA_RETURN_FAIL(err,
                       XA_BUSY,
                       "%s exists already: --fresh renames it, --as names another file",
                       e->opt->output);
    if (unlink(part) != 0 && errno != ENOENT)
        XA_RETURN_FAIL(err, XA_IO, "%s: cannot remove it: %s", part, strerror(errno));
    const xa_graft graft = {.source = e->opt->archive,
                            .leave = made,
                            .nleave = sizeof made / sizeof *made,
                            .link = true};
    return xa_archive_create_from(part, e->schema, &graft, 1, err);
}

/* ---- the evaluation ---- */

/* The first pair of a rank's share. A rank has whole samples, so that a region is read once. */
static int64_t share_begins(const xa__evaluation *e, int rank)
{
    int64_t q = e->r->pairs * rank / e->size;
    while (q > 0 && q < e->r->pairs && e->r->pair_sample[q] == e->r->pair_sample[q - 1])
        q++;
    return q;
}

static xa_status write_all(xa__evaluation *e, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = e->rank == 0 ? xa__eval_write_means(e, &mine) : XA_OK;
    if (st == XA_OK)
        st = xa__eval_pairs(e, share_begins(e, e->rank), share_begins(e, e->rank + 1), &mine);
    if (st == XA_OK)
        st = xa_archive_sync(e->archive, &mine);
    return xa_comm_agree(e->comm, st, &mine, err);
}

/* Sums the counts over ranks, and takes the problem of the first rank that has one. */
static xa_status gather(xa__evaluation *e, xa_evaluated *out, xa_err *err)
{
    xa_status st = XA_OK;
    int64_t sums[3] = {e->done.pairs, e->done.scored, (int64_t)e->done.map_bytes};
    int64_t first = *e->done.problem ? e->rank : e->size;
    void *text = NULL;
    size_t size = 0;
    XA_TRY(err, xa_comm_sum_i64s(e->comm, sums, 3, err));
    XA_TRY(err, xa_comm_min_i64(e->comm, &first, err));
    if (first < e->size) {
        if (e->rank == first) {
            text = xa_strdup(e->done.problem);
            size = text ? strlen(text) + 1 : 0;
        }
        XA_TRY(err, xa_comm_broadcast(e->comm, (int)first, &text, &size, err));
    }
    *out = (xa_evaluated){.pairs = sums[0],
                          .scored = sums[1],
                          .models = e->r->nmodels,
                          .explainers = e->done.explainers,
                          .metrics = e->spec.nmetrics,
                          .map_bytes = (double)sums[2]};
    if (text && size)
        snprintf(out->problem, sizeof out->problem, "%.*s", (int)size, (const char *)text);
done:
    free(text);
    return st;
}

static void free_series(xa__evaluation *e, xa__eval_series *s)
{
    for (int k = 0; k < e->spec.nmetrics; k++) {
        if (s->value)
            free(s->value[k]);
        if (s->rows)
            free(s->rows[k]);
    }
    free(s->value);
    free(s->rows);
    free(s->f.localisation);
    free(s->f.statistic);
}

static void fini(xa__evaluation *e)
{
    for (int64_t k = 0; e->models && k < e->r->nmodels; k++) {
        xa__eval_model *m = &e->models[k];
        for (int64_t g = 0; m->maps && g < m->m->nmaps; g++) {
            xa__eval_map *x = &m->maps[g];
            xa_read_values_close(&x->values);
            free_series(e, &x->own);
            for (int b = 0; b < XA_EVAL_OWN_BASELINES; b++)
                free_series(e, &x->beside[b]);
            free(x->sum);
            free(x->count);
        }
        for (int b = 0; b < XA_BASELINE_COUNT; b++)
            free_series(e, &m->baseline[b]);
        free(m->maps);
        free(m->affine);
    }
    free(e->models);
    xa__regions_close(&e->regions);
    xa_read_close(e->r);
    xa_schema_free(e->schema);
    xa_scorer_free(e->scorer);
    free(e->spec.metrics);
    free(e->plain);
    free(e->other);
    free(e->cells);
    free(e->left);
    free(e->mean);
    free(e->out);
    free(e->statistic);
    free(e->identity);
}

/* What every rank does alone before the new archive is created. */
static xa_status prepare(xa__evaluation *e, const char *text, xa_problems *problems, xa_err *err)
{
    XA_RETURN_TRY(err, xa__eval_metrics(e, text, problems, err));
    XA_RETURN_TRY(err, xa__eval_schema(e, text, err));
    XA_RETURN_TRY(err, xa_scorer_create(e->spec.metrics, e->spec.nmetrics, &e->scorer, err));
    e->out = xa_alloc((size_t)e->spec.nmetrics + 1, sizeof *e->out);
    e->statistic = xa_alloc((size_t)e->spec.nmetrics + 1, sizeof *e->statistic);
    if (!e->out || !e->statistic)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

xa_status xa_evaluate(const xa_evaluate_options *opt,
                      xa_comm *comm,
                      xa_problems *problems,
                      xa_evaluated *out,
                      xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    xa__evaluation *e = xa_alloc(1, sizeof *e);
    xa_lock *lock = NULL;
    char *part = xa_strfmt("%s.part", opt->output), *text = NULL;
    bool created = false;
    st = e && part ? XA_OK : XA_NOMEM;
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    if (!e || !part)
        goto done; /* all ranks have agreed on it above */
    e->opt = opt;
    e->comm = comm;
    e->rank = xa_comm_rank(comm);
    e->size = xa_comm_size(comm);
    st = xa__eval_open(e, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, share_metrics(e, &text, err));
    st = prepare(e, text, problems, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, xa__eval_means(e, err));
    if (e->rank == 0) {
        st = xa_lock_take(opt->output, 120.0, &lock, &mine);
        if (st == XA_OK)
            st = create(e, part, &mine);
        created = st == XA_OK;
    }
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, xa_archive_open(part, comm, XA_WRITERS_ALL, e->schema, &e->archive, err));
    XA_TRY(err, write_all(e, err));
    st = xa_close_archive(comm, e->archive, &mine);
    e->archive = NULL;
    if (st == XA_OK && e->rank == 0)
        st = xa_archive_rename(part, opt->output, &mine);
    created = created && st != XA_OK;
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    XA_TRY(err, gather(e, out, err));
done:
    out->lost = xa_is_lost(comm, e ? e->archive : NULL, st);
    if (e && e->archive && !out->lost && xa_close_archive(comm, e->archive, NULL) != XA_OK)
        xa_log(XA_LOG_DEBUG, "%s: closing failed", part);
    if (created)
        (void)unlink(part);
    xa_lock_release(lock);
    if (e)
        fini(e);
    free(e);
    free(part);
    free(text);
    return st;
}
