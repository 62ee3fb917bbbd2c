/* xaudit cluster: under mpirun or srun, or alone. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "xaudit/cluster.h"

static void tell(void *arg,
                 const xa_read *r,
                 const xa_read_model *m,
                 const xa_read_map *x,
                 const xa_read_clusters *c)
{
    enum { MOST_GROUPS = 40 };
    xa_cluster_print(arg, r, m, x, c, MOST_GROUPS);
}

int xa_cmd_cluster(const xa_args *a)
{
    xa_err err = XA_ERR_INIT;
    const char *archive = a->positional[0], *over = xa__args_text(a, XA_OPT_CLUSTER_OVER);
    const size_t length = strlen(archive) - (xa_str_ends(archive, ".h5") ? 3 : 0);
    char *own = xa_strfmt("%.*s.eval.h5", (int)length, archive);
    xa_cluster_options o = {.archive = archive,
                            .output = xa__args_text(a, XA_OPT_CLUSTERED),
                            .model = xa__args_text(a, XA_OPT_CLUSTER_MODEL),
                            .explainer = xa__args_text(a, XA_OPT_CLUSTER_EXPLAINER),
                            .over_all = strcmp(over, "all") == 0,
                            .neighbours = xa__args_integer(a, XA_OPT_NEIGHBOURS),
                            .least = (int)xa__args_integer(a, XA_OPT_LEAST_CLUSTERS),
                            .most = (int)xa__args_integer(a, XA_OPT_MOST_CLUSTERS),
                            .maps = xa__args_integer(a, XA_OPT_CLUSTER_MAPS),
                            .seed = xa__args_integer(a, XA_OPT_CLUSTER_SEED),
                            .fresh = xa__args_has(a, XA_OPT_FRESH_EVALUATION)};
    xa_comm *comm = NULL;
    if (!own) {
        fputs("xaudit cluster: out of memory\n", stderr);
        return XA_EXIT_FAILED;
    }
    if (!o.output)
        o.output = own;
    if (o.least > o.most) {
        fprintf(stderr,
                "xaudit cluster: --least %d is more than --most %d: name a range\n",
                o.least,
                o.most);
        free(own);
        return XA_EXIT_USAGE;
    }
    if (xa_comm_start(NULL, NULL, &comm, &err) != XA_OK) {
        xa_print_error(&err);
        free(own);
        return err.code == XA_INVALID ? XA_EXIT_USAGE : XA_EXIT_FAILED;
    }
    const bool first = xa_comm_rank(comm) == 0;
    const bool quiet = xa__args_has(a, XA_OPT_QUIET);
    const xa_status st = xa_cluster(&o, comm, quiet ? NULL : tell, stdout, &err);
    int code = XA_EXIT_DONE;
    if (st != XA_OK) {
        if (first)
            xa_print_error(&err);
        code = st == XA_INVALID || st == XA_BUSY || st == XA_NOT_FOUND || st == XA_FORMAT
                   ? XA_EXIT_USAGE
                   : XA_EXIT_FAILED;
    } else if (first && !quiet) {
        printf("%s holds them, in " XA_GROUP_CLUSTERS "\n", o.output);
    }
    free(own);
    xa_comm_stop(comm);
    return first ? code : XA_EXIT_DONE;
}
