/* A run: rank 0 reads the job and the manifest, all ranks open the models, one archive is
 * created or resumed, units are handed out until none is left. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_internal.h"

/* ---- start-up: every phase ends with an agreement ---- */

/* Rank 0 reads and checks; the others get the bytes and parse the same text. */
static xa_status share_job(run *r, xa_err *err)
{
    xa_status st = XA_OK;
    xa_err mine = XA_ERR_INIT;
    void *text = NULL;
    size_t size = 0;
    const xa_job_options opt = {.set = r->opt.set, .nset = r->opt.nset, .output = r->opt.output};
    if (r->rank == 0) {
        char *bytes = NULL;
        st = xa_read_file(r->opt.job, 16 << 20, &bytes, &size, &mine);
        text = bytes;
    }
    XA_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    XA_TRY(err, xa_comm_broadcast(r->comm, 0, &text, &size, err));
    st = xa_job_parse(r->opt.job, text, size, &opt, &r->loaded.job, &r->problems, &mine);
    r->loaded.has_job = st == XA_OK;
    if (r->rank == 0)
        xa_print_problems(&r->problems);
    XA_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    XA_TRY(err, xa_run_name_slice(r, err));
done:
    free(text);
    return st;
}

static xa_status open_models(run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    const xa_isa own = xa_isa_detect();
    int64_t least = (int64_t)own;
    XA_RETURN_TRY(err, xa_comm_min_i64(r->comm, &least, err));
    /* fused ones give the same bytes: each takes its best */
    r->loaded.job.audit.isa = xa_isa_fused((xa_isa)least) ? own : (xa_isa)least;
    xa_blas_set_threads(r->loaded.job.threads);
    xa_status st = xa_audit_create(&r->loaded.job.audit, &r->loaded.audit, &mine);
    return xa_comm_agree(r->comm, st, &mine, err);
}

/* Mixed nodes would let BLAS choose different kernels and the results depend on who computed what.
 */
static xa_status same_blas(run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    if (xa_isa_fused(r->loaded.job.audit.isa))
        return XA_OK; /* the engine's own products serve */
    void *name = r->rank == 0 ? xa_strdup(xa_blas_core()) : NULL;
    size_t size = r->rank == 0 && name ? strlen(name) + 1 : 0;
    XA_TRY(err, xa_comm_broadcast(r->comm, 0, &name, &size, err));
    if (strcmp(name, xa_blas_core()) != 0)
        st = XA_ERR(&mine,
                    XA_MISMATCH,
                    "BLAS chose the %s kernels here and %s on rank 0: results would depend on the "
                    "node; set OPENBLAS_CORETYPE to one that all nodes run (Haswell)",
                    xa_blas_core(),
                    (const char *)name);
    st = xa_comm_agree(r->comm, st, &mine, err);
done:
    free(name);
    return st;
}

static xa_status read_manifest(run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    if (r->rank == 0) {
        r->problems.errors = 0;
        xa_problems_fini(&r->problems);
        st = xa_load_manifest(&r->loaded, r->opt.limit, &r->problems, &mine);
        if (st == XA_OK) {
            xa_counts_of(r->loaded.manifest, &r->counts);
            st = xa_run_take_slice(r, &mine);
        }
        if (st == XA_OK) {
            xa_check_classes(&r->loaded, &r->problems);
            xa_check_advice(&r->loaded, &r->problems);
            if (r->problems.errors)
                st = XA_INVALID;
        }
        xa_print_problems(&r->problems);
        if (st == XA_INVALID && r->problems.errors) /* each is told, and is told once */
            st = XA_ERR(&mine,
                        XA_INVALID,
                        "%s has %zu mistake%s",
                        r->opt.job,
                        r->problems.errors,
                        r->problems.errors == 1 ? "" : "s");
    }
    XA_RETURN_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    void *bytes = &r->counts;
    if (r->rank != 0)
        bytes = NULL;
    size_t size = r->rank == 0 ? sizeof r->counts : 0;
    XA_RETURN_TRY(err, xa_comm_broadcast(r->comm, 0, &bytes, &size, err));
    if (r->rank != 0) {
        if (size == sizeof r->counts)
            memcpy(&r->counts, bytes, size);
        free(bytes);
    }
    return XA_OK;
}

/* One copy of the packed weights a node. */
static xa_status share_weights(run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    /* a model may have no weights at all, and a shared block has some bytes */
    const size_t weights = xa_audit_weight_bytes(r->loaded.audit);
    XA_RETURN_TRY(err, xa_shared_alloc(r->comm, weights ? weights : XA_ALIGN, &r->weights, err));
    r->has_weights = true;
    if (r->weights.leader || r->weights.is_private)
        st = xa_audit_pack(r->loaded.audit, r->weights.data, &mine);
    XA_RETURN_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    XA_RETURN_TRY(err, xa_shared_ready(r->comm, &r->weights, err));
    r->arena = xa_alloc_aligned(xa_audit_arena_bytes(r->loaded.audit));
    if (!r->arena)
        st = XA_ERR(&mine,
                    XA_NOMEM,
                    "out of memory for %zu bytes of activations",
                    xa_audit_arena_bytes(r->loaded.audit));
    if (st == XA_OK)
        st = xa_rows_create(r->loaded.audit, &r->rows, &mine);
    return xa_comm_agree(r->comm, st, &mine, err);
}

/* ---- the run ---- */

static xa_status execute(run *r, xa_err *err)
{
    XA_RETURN_TRY(err, xa_fault_read(&r->fault, err));
    XA_RETURN_TRY(err, share_job(r, err));
    XA_RETURN_TRY(err, open_models(r, err));
    XA_RETURN_TRY(err, same_blas(r, err));
    XA_RETURN_TRY(err, read_manifest(r, err));
    r->setup_done = true;
    xa_fault_at(&r->fault, r->rank, "setup");
    XA_RETURN_TRY(err, share_weights(r, err));
    XA_RETURN_TRY(err, xa_run_open_archive(r, err));
    return xa_run_units(r, err);
}

static void clean(run *r)
{
    xa_err ignored = XA_ERR_INIT;
    xa_sched_free(r->sched);
    xa_stage_free(r->stage);
    if (r->archive && xa_close_archive(r->comm, r->archive, &ignored) != XA_OK)
        xa_log(XA_LOG_WARN, "%s", ignored.message);
    xa_contents_free(r->contents);
    xa_rows_free(r->rows);
    free(r->arena);
    if (r->has_weights)
        xa_shared_free(r->comm, &r->weights);
    xa_lock_release(r->lock);
    xa_loaded_fini(&r->loaded);
    xa_problems_fini(&r->problems);
    free(r->labels_before);
    free(r->annotated_before);
    free(r->annotations_before);
    free(r->todo);
    free(r->reopen);
    free(r->expect);
    free(r->expect_mask);
}

static int exit_code(const run *r, xa_status st)
{
    switch (st) {
    case XA_OK:
        break;
    case XA_INTERRUPTED:
        return XA_EXIT_RESUME;
    default:
        return r->setup_done && !r->refused ? XA_EXIT_FAILED : XA_EXIT_USAGE;
    }
    const double allowed = r->loaded.job.tolerate_is_fraction
                               ? r->loaded.job.tolerate_failed * (double)r->outcome.samples
                               : r->loaded.job.tolerate_failed;
    return (double)r->outcome.failed > allowed ? XA_EXIT_SAMPLES : XA_EXIT_DONE;
}

int xa_run_job(const xa_run_options *o)
{
    run r = {.opt = *o};
    xa_err err = XA_ERR_INIT;
    xa_status st;
    int code;
    r.begun = xa_time();
    xa_signals_install();
    st = xa_comm_start(NULL, NULL, &r.comm, &err);
    if (st != XA_OK) {
        xa_print_error(&err);
        return err.code == XA_INVALID ? XA_EXIT_USAGE : XA_EXIT_FAILED;
    }
    r.rank = xa_comm_rank(r.comm);
    if (r.rank != 0) {
        /* one message is enough: rank 0's */
        if (!freopen("/dev/null", "w", stdout))
            xa_log(XA_LOG_DEBUG, "stdout stays open");
    }
    st = execute(&r, &err);
    if (st != XA_OK && r.rank == 0)
        xa_print_error(&err);
    code = XA_EXIT_DONE;
    if (r.rank == 0 && (st == XA_OK || st == XA_INTERRUPTED) && r.contents) {
        xa_err more = XA_ERR_INIT;
        if (xa_run_report(&r, st, &more) != XA_OK) { /* what was done cannot be read */
            xa_print_error(&more);
            code = XA_EXIT_FAILED;
        }
    }
    code = code == XA_EXIT_DONE ? exit_code(&r, st) : code;
    if (xa_is_lost(r.comm, r.archive, st)) {
        xa_lock_release(r.lock);
        xa_abandon(r.comm, code);
    }
    clean(&r);
    xa_comm_stop(r.comm);
    xa_signals_remove();
    return r.rank == 0 ? code : 0;
}
