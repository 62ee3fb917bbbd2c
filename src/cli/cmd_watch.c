/* xaudit watch: how far a run is, seen from another terminal or another host. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

/* One look at the archive. */
typedef struct look {
    int64_t samples, done, failed, excluded, pending; /* images; pending: of any model */
    bool running;                                     /* a run holds the archive */
    char holder[400];                                 /* which run */
    char session[200];                                /* when it began, on how many ranks */
    uint8_t *failed_now; /* [samples] 1: it failed with some model; owned */
} look;

/* The looks of the last minute, from which the rate comes. */
enum { LOOKS = 64 };
typedef struct pace {
    double at[LOOKS];
    int64_t done[LOOKS];
    int n;
} pace;

static void look_fini(look *l)
{
    free(l->failed_now);
    *l = (look){0};
}

/* ---- reading ---- */

static xa_status
read_status(xa_archive *a, const char *model, uint8_t **out, int64_t *n, xa_err *err)
{
    xa_dataset_info info;
    void *data = NULL;
    const xa_path path = xa_field_name(XA_FIELD_MODEL_STATUS, model, NULL, NULL);
    XA_RETURN_TRY(err, xa_archive_read_all(a, path.text, &info, &data, err));
    if (info.type != XA_TYPE_U8 || info.ndim != 1 || (*n >= 0 && info.dim[0] != *n)) {
        free(data);
        XA_RETURN_FAIL(err, XA_FORMAT, "%s: expected a status for each sample", path.text);
    }
    *n = info.dim[0];
    *out = data;
    return XA_OK;
}

static xa_status count(xa_archive *a, look *l, xa_err *err)
{
    xa_status st = XA_OK;
    char **models = NULL;
    int64_t nmodels = 0, n = -1;
    uint8_t *pending = NULL, *excluded = NULL, *status = NULL;
    XA_TRY(err, xa_archive_list(a, XA_GROUP_MODELS, &models, &nmodels, err));
    for (int64_t k = 0; k < nmodels; k++) {
        XA_TRY(err, read_status(a, models[k], &status, &n, err));
        if (!pending) {
            pending = xa_alloc((size_t)n + 1, 1);
            excluded = xa_alloc((size_t)n + 1, 1);
            l->failed_now = xa_alloc((size_t)n + 1, 1);
            if (!pending || !excluded || !l->failed_now)
                XA_NOMEM_FAIL(err);
        }
        for (int64_t i = 0; i < n; i++) {
            pending[i] |= status[i] == XA_SAMPLE_PENDING;
            excluded[i] |= status[i] == XA_SAMPLE_EXCLUDED;
            l->failed_now[i] |= status[i] == XA_SAMPLE_FAILED;
        }
        free(status);
        status = NULL;
    }
    l->samples = n > 0 ? n : 0;
    for (int64_t i = 0; i < l->samples; i++) {
        l->pending += pending[i];
        l->excluded += !pending[i] && excluded[i];
        l->failed += l->failed_now[i];
    }
    l->done = l->samples - l->pending;
done:
    for (int64_t k = 0; models && k < nmodels; k++)
        free(models[k]);
    free(models);
    free(pending);
    free(excluded);
    free(status);
    return st;
}

static xa_status look_at(const char *path, look *l, xa_err *err)
{
    xa_status st = XA_OK;
    xa_archive *a = NULL;
    xa_sessions sessions = {0};
    xa_err held = XA_ERR_INIT;
    *l = (look){0};
    /* Before the counts: a run that ends in between is then seen with all that it did. */
    l->running = xa_lock_look(path, &held) == XA_BUSY;
    const char *advice = strstr(held.message, ": wait for it");
    snprintf(l->holder,
             sizeof l->holder,
             "%.*s",
             l->running ? (int)(advice ? advice - held.message : 390) : 0,
             held.message);
    XA_TRY(err, xa_archive_open_read(path, &a, err));
    XA_TRY(err, count(a, l, err));
    XA_TRY(err, xa_sessions_read(a, &sessions, err));
    if (sessions.n) {
        const xa_session *s = &sessions.list[sessions.n - 1];
        snprintf(l->session,
                 sizeof l->session,
                 "session %d, begun %s, on %d rank%s of %d node%s",
                 (int)sessions.count,
                 s->start,
                 s->ranks,
                 s->ranks == 1 ? "" : "s",
                 s->nodes,
                 s->nodes == 1 ? "" : "s");
    }
done:
    xa_sessions_fini(&sessions);
    if (a) {
        xa_err closing = XA_ERR_INIT;
        const xa_status closed = xa_archive_close(a, &closing);
        if (st == XA_OK && closed != XA_OK)
            st = XA_ERR(err, closed, "%s", closing.message);
    }
    if (st != XA_OK)
        look_fini(l);
    return st;
}

/* Says why samples failed that had not failed at the look before. */
static xa_status tell_failures(const char *path, const look *before, const look *now, xa_err *err)
{
    xa_status st = XA_OK;
    xa_read *r = NULL;
    bool any = false;
    for (int64_t i = 0; i < now->samples && !any; i++)
        any = now->failed_now[i] && !(before->failed_now && before->failed_now[i]);
    if (!any)
        return XA_OK;
    XA_TRY(err, xa_read_open_outcome(path, &r, err));
    int told = 0;
    for (int64_t i = 0; i < now->samples && i < r->samples; i++) {
        if (!now->failed_now[i] || (before->failed_now && before->failed_now[i]))
            continue;
        if (told++ == 10) {
            puts("  ... and more; xaudit info names them all");
            break;
        }
        char id[200], why[XA_MESSAGE_BYTES + 1];
        xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
        for (int64_t k = 0; k < r->nmodels; k++)
            if (r->models[k].status[i] == XA_SAMPLE_FAILED) {
                const xa_read_model *m = &r->models[k];
                xa_read_text(m->message, m->message_bytes, i, why, sizeof why);
                printf("  failed: %s: %s\n", id, why);
                break;
            }
    }
done:
    xa_read_close(r);
    return st;
}

/* ---- rate ---- */

static void pace_add(pace *p, double at, int64_t done)
{
    while (p->n == LOOKS || (p->n > 2 && at - p->at[0] > 60.0)) {
        memmove(p->at, p->at + 1, (size_t)(p->n - 1) * sizeof *p->at);
        memmove(p->done, p->done + 1, (size_t)(p->n - 1) * sizeof *p->done);
        p->n--;
    }
    p->at[p->n] = at;
    p->done[p->n++] = done;
}

/* Images a second since the first look that is kept; NaN from one look alone. */
static double pace_rate(const pace *p)
{
    const double seconds = p->n > 1 ? p->at[p->n - 1] - p->at[0] : 0.0;
    return seconds > 0.0 ? (double)(p->done[p->n - 1] - p->done[0]) / seconds : NAN;
}

/* ---- printing ---- */

static void tell(const look *l, const pace *p, bool terminal)
{
    char bar[40], left[32];
    const double rate = pace_rate(p);
    const double part = l->samples ? (double)l->done / (double)l->samples : 1.0;
    if (terminal)
        printf("\r%s ", xa_bar_text(part, 30, bar, sizeof bar));
    printf("%" PRId64 " of %" PRId64 " images", l->done, l->samples);
    if (l->failed)
        printf(", %" PRId64 " failed", l->failed);
    if (l->excluded)
        printf(", %" PRId64 " excluded", l->excluded);
    if (isfinite(rate))
        printf(", %.2f images/s, %s left",
               rate,
               xa_duration_text(rate > 0.0 ? (double)l->pending / rate : -1.0, left, sizeof left));
    fputs(terminal ? "\033[K" : "\n", stdout);
    fflush(stdout);
}

/* The end of it: nothing is pending, or nobody works on what is. */
static int verdict(const char *path, const look *l)
{
    if (l->pending) {
        printf("%s: no run works on it, and %" PRId64
               " images are to be computed: xaudit run JOB.yaml goes on with it\n",
               path,
               l->pending);
        return XA_EXIT_RESUME;
    }
    printf("%s: complete: %" PRId64 " images done, %" PRId64 " failed, %" PRId64 " excluded\n",
           path,
           l->done - l->failed - l->excluded,
           l->failed,
           l->excluded);
    return XA_EXIT_DONE;
}

static void wait_for(double seconds)
{
    const struct timespec t = {.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    (void)nanosleep(&t, NULL);
}

int xa_cmd_watch(const xa_args *a)
{
    const char *path = a->positional[0];
    const double every = xa__args_number(a, XA_OPT_WATCH_EVERY);
    const bool once = xa__args_has(a, XA_OPT_ONCE), terminal = isatty(STDOUT_FILENO) && !once;
    xa_err err = XA_ERR_INIT;
    look before = {0}, now = {0};
    pace p = {.n = 0};
    int code = XA_EXIT_DONE;
    for (bool first = true;; first = false) {
        if (look_at(path, &now, &err) != XA_OK)
            goto failed;
        pace_add(&p, xa_time(), now.done);
        if (first)
            printf("%s: %s\n", path, now.session[0] ? now.session : "no session yet");
        if (now.failed > before.failed) {
            if (terminal)
                fputs("\r\033[K", stdout);
            if (tell_failures(path, &before, &now, &err) != XA_OK)
                goto failed;
        }
        const bool over = !now.running;
        if (over || once || first || now.done != before.done || terminal)
            tell(&now, &p, terminal);
        if (over || once) {
            if (terminal)
                putchar('\n');
            if (over)
                code = verdict(path, &now);
            else
                printf("%s\n", now.holder);
            break;
        }
        look_fini(&before);
        before = now;
        now = (look){0};
        wait_for(every);
    }
    look_fini(&before);
    look_fini(&now);
    return code;
failed:
    look_fini(&before);
    look_fini(&now);
    xa_print_error(&err);
    return XA_EXIT_FAILED;
}
