/* What was done: the flow of images, provenance, the job, failures, the methods text. */
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"
#include "xaudit/figure.h"
#include "xaudit/job.h"

/* ---- text of other printers ---- */

typedef struct memory {
    FILE *file;
    char *text;
    size_t size;
} memory;

static xa_status memory_open(memory *m, xa_err *err)
{
    *m = (memory){0};
    m->file = open_memstream(&m->text, &m->size);
    if (!m->file)
        XA_RETURN_NOMEM(err);
    return XA_OK;
}

/* Writes what was printed as preformatted text. */
static void memory_close(memory *m, FILE *out)
{
    fclose(m->file);
    XA__PUT(out, xa__report_page_preformatted, "text", m->text);
    free(m->text);
}

xa_status xa__report_flow(FILE *out, const xa_summary *s, xa_err *err)
{
    memory m;
    XA_RETURN_TRY(err, memory_open(&m, err));
    xa_summary_print_flow(s, m.file);
    memory_close(&m, out);
    return XA_OK;
}

xa_status xa__report_methods(FILE *out, const char *archive, xa_err *err)
{
    memory m;
    XA_RETURN_TRY(err, memory_open(&m, err));
    const xa_status st = xa_print_methods(archive, m.file, err);
    memory_close(&m, out);
    XA_RETURN_TRY(err, st);
    return XA_OK;
}

xa_status xa__report_job(FILE *out, const xa_read *r, xa_err *err)
{
    char *job = NULL;
    XA_RETURN_TRY(err, xa_archive_text(r->archive, XA_FIELD_JOB_TEXT, &job, err));
    if (job)
        XA__PUT(out, xa__report_page_job, "text", job);
    free(job);
    return XA_OK;
}

/* ---- provenance ---- */

/* An attribute of the archive and its name on the page. */
typedef struct fact {
    const char *attribute, *name;
} fact;

static xa_status
put_facts(FILE *out, const xa_read *r, const char *path, const fact *f, size_t n, xa_err *err)
{
    for (size_t k = 0; k < n; k++) {
        char *text = NULL;
        XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, path, f[k].attribute, &text, err));
        if (text && *text)
            XA__PUT(out, xa__report_page_fact, "name", f[k].name, "value", text);
        free(text);
    }
    return XA_OK;
}

static xa_status put_model(FILE *out, const xa_read *r, const xa_read_model *m, xa_err *err)
{
    static const fact facts[] = {{"file", "file"},
                                 {"sha256", "SHA-256"},
                                 {"origin", "made by"},
                                 {"resize", "resize"},
                                 {"orientation", "EXIF orientation"},
                                 {"scale", "scale"},
                                 {"head", "head"}};
    xa_status st = XA_OK;
    xa_str explainers = {0};
    const xa_path path = xa_field_group(XA_FIELD_MODEL_STATUS, m->name, NULL);
    XA__PUT(out, xa__report_page_model, "name", m->name);
    fputs(xa__report_page_facts, out);
    XA_TRY(err, put_facts(out, r, path.text, facts, sizeof facts / sizeof *facts, err));
    for (int64_t e = 0; e < m->nmaps; e++) {
        const xa_read_map *x = &m->maps[e];
        xa_str_printf(&explainers, "%s%s", e ? ", " : "", x->name);
        if (x->layer)
            xa_str_printf(&explainers, " (%s)", x->layer);
    }
    XA__PUT(out, xa__report_page_fact, "name", "explainers", "value", explainers.data);
    fputs(xa__report_page_facts_end, out);
done:
    xa_str_free(&explainers);
    return st;
}

xa_status xa__report_provenance(FILE *out, const xa_summary *s, xa_err *err)
{
    static const fact facts[] = {{"created", "created"},
                                 {"tool_version", "xaudit"},
                                 {"identity", "identity"},
                                 {"manifest_sha256", "manifest, SHA-256"},
                                 {"evaluated_from", "scored from"}};
    const xa_read *r = s->r;
    char digest[XA_SHA256_HEX], definitions[96];
    xa_versions v;
    XA_RETURN_TRY(err, xa_figure_digest(r, digest, err));
    XA_RETURN_TRY(err, xa_versions_read(r->archive, "archive", &v, err));
    snprintf(definitions,
             sizeof definitions,
             "metrics %" PRId64 ", scores of maps and checks %" PRId64,
             v.metrics,
             v.map_scores);
    fputs(xa__report_page_facts, out);
    XA_RETURN_TRY(err, put_facts(out, r, "/", facts, sizeof facts / sizeof *facts, err));
    XA__PUT(out, xa__report_page_fact, "name", "definitions", "value", definitions);
    XA__PUT(out, xa__report_page_fact, "name", "maps and outputs, SHA-256", "value", digest);
    fputs(xa__report_page_facts_end, out);
    for (int64_t m = 0; m < r->nmodels; m++)
        XA_RETURN_TRY(err, put_model(out, r, &r->models[m], err));
    return XA_OK;
}

/* ---- failures ---- */

void xa__report_failures(FILE *out, const xa_read *r, bool anonymise)
{
    enum { MOST = 200 };
    int64_t n = 0;
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t i = 0; i < r->samples; i++) {
            const xa_read_model *x = &r->models[m];
            char id[256], message[512];
            if (x->status[i] != XA_SAMPLE_FAILED || n++ >= MOST)
                continue;
            if (n == 1)
                fputs(xa__report_page_failures_head, out);
            xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
            xa_read_text(x->message, x->message_bytes, i, message, sizeof message);
            XA__PUT(out,
                    xa__report_page_failure,
                    "id",
                    anonymise ? xa_path_last(id) : id,
                    "model",
                    x->name,
                    "stage",
                    xa_read_stage_name(x->stage[i]),
                    "why",
                    anonymise ? "" : message);
        }
    xa__number shown, all;
    if (n > 0)
        fputs(xa__report_page_table_end, out);
    if (n > MOST)
        XA__PUT(out,
                xa__report_page_failures_more,
                "shown",
                xa__whole(&shown, MOST),
                "all",
                xa__whole(&all, n));
    if (n == 0)
        fputs(xa__report_page_no_failure, out);
}
