/* What an archive says about each run that worked on it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "run_internal.h"
#include "xaudit/record.h"

/* ---- processors ---- */

/* The name in /proc/cpuinfo, or at least the architecture. */
static void processor(char *out, size_t size)
{
    struct utsname machine;
    char *text = NULL;
    size_t bytes = 0;
    const char *name = NULL;
    if (xa_read_file("/proc/cpuinfo", (size_t)64 << 20, &text, &bytes, NULL) == XA_OK)
        name = strstr(text, "model name");
    name = name ? strchr(name, ':') : NULL;
    if (name) {
        name += 1 + strspn(name + 1, " \t");
        char *line = xa_strndup(name, strcspn(name, "\n"));
        xa_str_sanitise(line ? line : "", out, size);
        free(line);
    } else {
        snprintf(out, size, "%s", uname(&machine) == 0 ? machine.machine : "unknown processor");
    }
    free(text);
}

xa_status xa__run_processors(xa__run *r, xa_err *err)
{
    enum { KINDS = 4 }; /* that are named; the others are counted */
    char own[128];
    bool named = false;
    xa_str list = {0};
    xa_status st = XA_OK;
    void *name = NULL;
    const int ranks = xa_comm_size(r->comm);
    processor(own, sizeof own);
    for (int k = 0; k < KINDS; k++) {
        int64_t first = named ? ranks : r->rank, same;
        size_t size = 0;
        XA_TRY(err, xa_comm_min_i64(r->comm, &first, err));
        if (first == ranks)
            break;
        free(name);
        name = NULL;
        if (first == r->rank && (name = xa_strdup(own)))
            size = strlen(own) + 1;
        XA_TRY(err, xa_comm_broadcast(r->comm, (int)first, &name, &size, err));
        same = !named && name && !strcmp(name, own);
        named = named || same;
        XA_TRY(err, xa_comm_sum_i64(r->comm, &same, err));
        xa_str_printf(&list,
                      "%s%s (%" PRId64 " rank%s)",
                      k ? "; " : "",
                      name ? (const char *)name : "",
                      same,
                      same == 1 ? "" : "s");
    }
    int64_t more = !named;
    XA_TRY(err, xa_comm_sum_i64(r->comm, &more, err));
    if (more)
        xa_str_printf(&list, "; others (%" PRId64 ")", more);
    snprintf(r->processors, sizeof r->processors, "%s", list.data ? list.data : "");
done:
    free(name);
    xa_str_free(&list);
    return st;
}

/* ---- sessions ---- */

static xa_status write_text(xa__run *r, int field, size_t bytes, const char *text, xa_err *err)
{
    char row[XA_SESSION_LONG] = "";
    const size_t n = strnlen(text, bytes);
    memcpy(row, text, n);
    return xa_archive_write(r->archive, field, r->session, 1, row, err);
}

xa_status xa__run_session_time(xa__run *r, xa_err *err)
{
    const double seconds = xa_time() - r->begun;
    if (r->session >= XA_SESSIONS)
        return XA_OK;
    return xa_archive_write(r->archive, r->contents->session_seconds, r->session, 1, &seconds, err);
}

/* Writes the libraries that read and write for the run; BLAS and MPI are in the session's text. */
static xa_status write_libraries(xa__run *r, xa_err *err)
{
    char hdf5[64], image[160], text[XA_SESSION_LONG];
    xa_archive_library(hdf5, sizeof hdf5);
    xa_image_libraries(image, sizeof image);
    snprintf(text,
             sizeof text,
             "%s, %s, %s %s",
             hdf5,
             image,
#ifdef __clang__
             "clang",
             __clang_version__
#else
             "gcc",
             __VERSION__
#endif
    );
    return write_text(r, r->contents->session_libraries, XA_SESSION_LONG, text, err);
}

xa_status xa__run_session(xa__run *r, bool end, xa_err *err)
{
    const xa_contents *c = r->contents;
    char now[24], library[64], text[XA_SESSION_TEXT];
    const uint8_t state = end && r->result.end == XA_SCHED_DONE ? 2 : 1;
    xa_time_iso(now);
    if (end) {
        if (r->session < XA_SESSIONS)
            XA_RETURN_TRY(err, write_text(r, c->session_end, XA_SESSION_TIME, now, err));
        XA_RETURN_TRY(err, xa__run_session_time(r, err));
        XA_RETURN_TRY(err, xa_archive_write(r->archive, c->run_state, 0, 1, &state, err));
        return xa_archive_sync(r->archive, err);
    }
    if (r->resumed) {
        xa_archive *reader = NULL;
        xa_status st;
        xa_sessions earlier = {0};
        XA_RETURN_TRY(err, xa_archive_open_read(r->loaded.job.output, &reader, err));
        st = xa_archive_read(
            reader, xa_field_path(XA_FIELD_RUN_SESSION_COUNT), 0, 1, &r->session, err);
        if (st == XA_OK)
            st = xa_sessions_read(reader, &earlier, err);
        if (earlier.core_hours > 0.0)
            r->core_seconds = 3600.0 * earlier.core_hours;
        xa_sessions_fini(&earlier);
        XA_RETURN_TRY(err, xa_archive_close(reader, NULL));
        XA_RETURN_TRY(err, st);
        if (r->session < 0)
            r->session = 0;
    }
    const int32_t count = r->session + 1, ranks = xa_comm_size(r->comm),
                  nodes = xa_comm_nodes(r->comm), threads = r->loaded.job.threads;
    XA_RETURN_TRY(err, xa_archive_write(r->archive, c->session_count, 0, 1, &count, err));
    XA_RETURN_TRY(err, xa_archive_write(r->archive, c->run_state, 0, 1, &state, err));
    if (r->session >= XA_SESSIONS)
        return XA_OK; /* it is counted, but the table is full */
    xa_comm_library(library, sizeof library);
    snprintf(text,
             sizeof text,
             "xaudit %s; %s kernels; %s; %s",
             xa_tool_version(),
             xa_isa_name(r->loaded.job.audit.isa),
             xa_blas_config(),
             library);
    XA_RETURN_TRY(err, xa_archive_write(r->archive, c->session_ranks, r->session, 1, &ranks, err));
    XA_RETURN_TRY(err, xa_archive_write(r->archive, c->session_nodes, r->session, 1, &nodes, err));
    XA_RETURN_TRY(err,
                  xa_archive_write(r->archive, c->session_threads, r->session, 1, &threads, err));
    XA_RETURN_TRY(err, xa__run_session_time(r, err));
    XA_RETURN_TRY(err, write_libraries(r, err));
    XA_RETURN_TRY(err, write_text(r, c->session_cpu, XA_SESSION_LONG, r->processors, err));
    XA_RETURN_TRY(err, write_text(r, c->session_start, XA_SESSION_TIME, now, err));
    XA_RETURN_TRY(err, write_text(r, c->session_host, XA_SESSION_HOST, xa_comm_host(r->comm), err));
    return write_text(r, c->session_text, XA_SESSION_TEXT, text, err);
}
