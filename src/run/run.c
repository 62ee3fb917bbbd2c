/* The phases of a run, from the job to the exit code. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_internal.h"

/* ---- start-up: all ranks agree on the status of every phase ---- */

/* Rank 0 reads the job and reports mistakes; the others get its bytes and parse the same text. */
static xa_status share_job(xa__run *r, xa_err *err)
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
    XA_TRY(err, xa__run_name_slice(r, err));
done:
    free(text);
    return st;
}

static xa_status open_models(xa__run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    const xa_isa own = xa_isa_detect();
    int64_t least = (int64_t)own;
    XA_RETURN_TRY(err, xa_comm_min_i64(r->comm, &least, err));
    /* instruction sets with fused multiply-adds give the same bytes, so each rank takes its best */
    r->loaded.job.audit.isa = xa_isa_fused((xa_isa)least) ? own : (xa_isa)least;
    xa_blas_set_threads(r->loaded.job.threads);
    xa_status st = xa_audit_create(&r->loaded.job.audit, &r->loaded.audit, &mine);
    return xa_comm_agree(r->comm, st, &mine, err);
}

/* On mixed nodes BLAS would choose different kernels, and results would depend on the rank that
 * computed them. */
static xa_status same_blas(xa__run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    if (xa_isa_fused(r->loaded.job.audit.isa))
        return XA_OK; /* products are the engine's own, not BLAS's */
    void *name = r->rank == 0 ? xa_strdup(xa_blas_core()) : NULL;
    size_t size = r->rank == 0 && name ? strlen(name) + 1 : 0;
    XA_TRY(err, xa_comm_broadcast(r->comm, 0, &name, &size, err));
    if (strcmp(name, xa_blas_core()) != 0)
        st = XA_ERR(
            &mine,
            XA_MISMATCH,
            "BLAS chose the %s kernels here and %s on rank 0, so that results would depend on "
            "the node: set OPENBLAS_CORETYPE to kernels that all nodes can run (Haswell)",
            xa_blas_core(),
            (const char *)name);
    st = xa_comm_agree(r->comm, st, &mine, err);
done:
    free(name);
    return st;
}

/* All ranks compare with the same images; frees the list. */
static xa_status share_references(xa__run *r, xa_str *list, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    void *text = list->data;
    size_t size = list->len;
    if (!xa_audit_needs_references(r->loaded.audit))
        return XA_OK;
    XA_TRY(err, xa_comm_broadcast(r->comm, 0, &text, &size, err));
    st = xa_audit_set_references(r->loaded.audit, text, size, &mine);
    st = xa_comm_agree(r->comm, st, &mine, err);
done:
    if (r->rank != 0)
        free(text);
    return st;
}

static xa_status read_manifest(xa__run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    xa_str references = {0}; /* rank 0 */
    if (r->rank == 0) {
        r->problems.errors = 0;
        xa_problems_fini(&r->problems);
        st = xa_load_manifest(&r->loaded, r->opt.limit, &r->problems, &mine);
        if (st == XA_OK && xa_audit_needs_references(r->loaded.audit))
            st =
                xa_audit_choose_references(r->loaded.audit, r->loaded.manifest, &references, &mine);
        if (st == XA_OK) {
            xa_counts_of(r->loaded.manifest, &r->counts);
            st = xa__run_take_slice(r, &mine);
        }
        if (st == XA_OK) {
            xa_check_classes(&r->loaded, &r->problems);
            xa_check_advice(&r->loaded, &r->problems);
            if (r->problems.errors)
                st = XA_INVALID;
        }
        xa_print_problems(&r->problems);
        if (st == XA_INVALID && r->problems.errors) /* all were printed already */
            st = XA_ERR(&mine,
                        XA_INVALID,
                        "%s has %zu mistake%s",
                        r->opt.job,
                        r->problems.errors,
                        r->problems.errors == 1 ? "" : "s");
    }
    XA_TRY(err, xa_comm_agree(r->comm, st, &mine, err));
    XA_TRY(err, share_references(r, &references, err));
    void *bytes = &r->counts;
    if (r->rank != 0)
        bytes = NULL;
    size_t size = r->rank == 0 ? sizeof r->counts : 0;
    XA_TRY(err, xa_comm_broadcast(r->comm, 0, &bytes, &size, err));
    if (r->rank != 0) {
        if (size == sizeof r->counts)
            memcpy(&r->counts, bytes, size);
        free(bytes);
    }
done:
    xa_str_free(&references);
    return st;
}

/* Packs the weights once per node. */
static xa_status share_weights(xa__run *r, xa_err *err)
{
    xa_err mine = XA_ERR_INIT;
    xa_status st = XA_OK;
    /* a model may have no weights, but a shared block has at least some bytes */
    const size_t weights = xa_audit_weight_bytes(r->loaded.audit);
    XA_RETURN_TRY(
        err,
        xa_shared_alloc(r->comm, weights ? weights : XA_ALIGN, "the weights", &r->weights, err));
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

static xa_status execute(xa__run *r, xa_err *err)
{
    XA_RETURN_TRY(err, xa__fault_read(&r->fault, err));
    XA_RETURN_TRY(err, share_job(r, err));
    XA_RETURN_TRY(err, open_models(r, err));
    XA_RETURN_TRY(err, same_blas(r, err));
    XA_RETURN_TRY(err, read_manifest(r, err));
    r->setup_done = true;
    xa__fault_at(&r->fault, r->rank, "setup");
    XA_RETURN_TRY(err, share_weights(r, err));
    XA_RETURN_TRY(err, xa__stored_open(r, err));
    XA_RETURN_TRY(err, xa__run_open_archive(r, err));
    return xa__run_units(r, err);
}

static void clean(xa__run *r)
{
    xa_err ignored = XA_ERR_INIT;
    xa_sched_free(r->sched);
    xa_stage_free(r->stage);
    xa__stored_close(r->stored);
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
    xa_manifest_free(r->held);
    free(r->packed_before);
    free(r->labels_before);
    free(r->annotated_before);
    free(r->annotations_before);
    free(r->todo);
    free(r->reopen);
    free(r->expect);
    free(r->expect_mask);
}

static int exit_code(const xa__run *r, xa_status st)
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
    xa__run r = {.opt = *o};
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
    xa_signals_install(); /* MPI may have taken one */
    r.rank = xa_comm_rank(r.comm);
    if (r.rank != 0) {
        /* rank 0 prints for all */
        if (!freopen("/dev/null", "w", stdout))
            xa_log(XA_LOG_DEBUG, "stdout stays open");
    }
    st = execute(&r, &err);
    if (st != XA_OK && r.rank == 0)
        xa_print_error(&err);
    code = XA_EXIT_DONE;
    if (r.rank == 0 && (st == XA_OK || st == XA_INTERRUPTED) && r.contents) {
        xa_err more = XA_ERR_INIT;
        if (xa__run_report(&r, st, &more) != XA_OK) { /* the archive cannot be read */
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
