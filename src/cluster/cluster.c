/* cluster: the maps of every explainer, one after the other, over all ranks. */
#include "xaudit/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "cluster_internal.h"

static bool wanted(const char *only, const char *name)
{
    return !only || strcmp(only, name) == 0;
}

/* The explainers that are asked for, in the order of the archive. */
static xa_status choose(const xa_cluster_options *opt,
                        const xa_read *r,
                        xa__cluster_made **out,
                        int64_t *n,
                        xa_err *err)
{
    int64_t all = 0;
    for (int64_t m = 0; m < r->nmodels; m++)
        all += r->models[m].nmaps;
    xa__cluster_made *list = xa_alloc((size_t)all + 1, sizeof *list);
    if (!list)
        XA_RETURN_NOMEM(err);
    *n = 0;
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t e = 0; e < r->models[m].nmaps; e++)
            if (wanted(opt->model, r->models[m].name) &&
                wanted(opt->explainer, r->models[m].maps[e].name))
                list[(*n)++] = (xa__cluster_made){.m = &r->models[m], .x = &r->models[m].maps[e]};
    if (!*n) {
        free(list);
        XA_RETURN_FAIL(err,
                       XA_NOT_FOUND,
                       "%s has no explainer %s of model %s (xaudit info lists what it has)",
                       opt->archive,
                       opt->explainer ? opt->explainer : "at all",
                       opt->model ? opt->model : "(any)");
    }
    *out = list;
    return XA_OK;
}

xa_status xa_cluster(
    const xa_cluster_options *opt, xa_comm *comm, xa_cluster_tell_fn *tell, void *arg, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    xa_read *r = NULL;
    xa__cluster_made *made = NULL;
    int64_t n = 0;
    st = xa_read_open(opt->archive, &r, &mine);
    if (st == XA_OK)
        st = choose(opt, r, &made, &n, &mine);
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
    for (int64_t i = 0; i < n; i++)
        XA_TRY(err, xa__cluster_series(opt, comm, r, made[i].m, made[i].x, &made[i].c, err));
    if (xa_comm_rank(comm) == 0) {
        st = xa__cluster_write(opt, r, made, n, &mine);
        for (int64_t i = 0; i < n && st == XA_OK && tell; i++)
            tell(arg, r, made[i].m, made[i].x, &made[i].c);
    }
    XA_TRY(err, xa_comm_agree(comm, st, &mine, err));
done:
    for (int64_t i = 0; made && i < n; i++)
        xa_read_clusters_free(&made[i].c);
    free(made);
    xa_read_close(r);
    return st;
}
