/* What the command lines of run, check and bench have in common. */
#include <stdlib.h>

#include "commands.h"

xa_status xa__run_options_from(const xa_args *a, xa_run_options *out, xa_err *err)
{
    const xa_arg *piece = xa__args_nth(a, XA_OPT_SLICE, 0), *set;
    *out = (xa_run_options){
        .job = a->positional[0],
        .output = xa__args_text(a, XA_OPT_ARCHIVE),
        .against = xa__args_text(a, XA_OPT_REFERENCE),
        .limit = xa__args_integer(a, XA_OPT_LIMIT),
        .ranks = xa__args_integer(a, XA_OPT_RANKS),
        .probe = xa__args_integer(a, XA_OPT_PROBE),
        .numerics = xa__args_integer(a, XA_OPT_NUMERICS),
        .slurm = xa__args_has(a, XA_OPT_SLURM),
        .fresh = xa__args_has(a, XA_OPT_FRESH) || xa__args_has(a, XA_OPT_CHECK_FRESH),
        .retry_failed = xa__args_has(a, XA_OPT_RETRY_FAILED) || xa__args_has(a, XA_OPT_CHECK_RETRY),
        .redo_damaged = xa__args_has(a, XA_OPT_REDO_DAMAGED),
        .quiet = xa__args_has(a, XA_OPT_QUIET),
        .json = xa__args_has(a, XA_OPT_JSON_PROGRESS),
        .layers = xa__args_has(a, XA_OPT_LAYERS)};
    for (int n = 1; piece; piece = xa__args_nth(a, XA_OPT_SLICE, n++)) {
        out->slice = piece->integer;
        out->slices = piece->of;
    }
    out->set = xa_alloc((size_t)a->nitems + 1, sizeof(char *));
    if (!out->set)
        XA_RETURN_NOMEM(err);
    while ((set = xa__args_nth(a, XA_OPT_SET, out->nset)))
        out->set[out->nset++] = set->text;
    return XA_OK;
}

void xa__run_options_fini(xa_run_options *o)
{
    free(o->set);
    o->set = NULL;
}
