/* The report: what was done, figures with intervals, charts, images, failures, methods. */
#include "xaudit/report.h"
#include "xaudit/job.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report_internal.h"
#include "xaudit/figure.h"
#include "xaudit/print.h"

void xa_html_text(FILE *out, const char *text)
{
    for (; text && *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '&')
            fputs("&amp;", out);
        else if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '"')
            fputs("&quot;", out);
        else if (c == '\'')
            fputs("&#39;", out);
        else if (c >= 0x20 || c == '\n')
            fputc(c, out);
    }
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- what was done ---- */

static xa_status put_attribute(
    FILE *out, const xa_read *r, const char *path, const char *name, const char *label, xa_err *err)
{
    char *text = NULL;
    XA_RETURN_TRY(err, xa_archive_attr_text(r->archive, path, name, &text, err));
    if (text && *text) {
        fputs("<dt>", out);
        xa_html_text(out, label);
        fputs("</dt><dd>", out);
        xa_html_text(out, text);
        fputs("</dd>", out);
    }
    free(text);
    return XA_OK;
}

/* What a printing function tells, as preformatted text. */
static xa_status put_flow(FILE *out, const xa_summary *s, xa_err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        XA_RETURN_NOMEM(err);
    xa_summary_print_flow(s, memory);
    fclose(memory);
    fputs("<pre>", out);
    xa_html_text(out, text);
    fputs("</pre>\n", out);
    free(text);
    return XA_OK;
}

static xa_status put_provenance(FILE *out, const xa_summary *s, const char *digest, xa_err *err)
{
    static const char *const of_model[][2] = {{"file", "file"},
                                              {"sha256", "SHA-256"},
                                              {"origin", "made by"},
                                              {"resize", "resize"},
                                              {"orientation", "EXIF orientation"},
                                              {"scale", "scale"},
                                              {"head", "head"}};
    const xa_read *r = s->r;
    fputs("<dl>", out);
    XA_RETURN_TRY(err, put_attribute(out, r, "/", "created", "created", err));
    XA_RETURN_TRY(err, put_attribute(out, r, "/", "tool_version", "xaudit", err));
    XA_RETURN_TRY(err, put_attribute(out, r, "/", "identity", "identity", err));
    XA_RETURN_TRY(err, put_attribute(out, r, "/", "manifest_sha256", "manifest, SHA-256", err));
    XA_RETURN_TRY(err, put_attribute(out, r, "/", "evaluated_from", "scored from", err));
    xa_versions v;
    XA_RETURN_TRY(err, xa_versions_read(r->archive, "archive", &v, err));
    fprintf(out,
            "<dt>definitions</dt><dd>metrics %" PRId64 ", scores of maps and checks %" PRId64
            "</dd>",
            v.metrics,
            v.map_scores);
    fprintf(out, "<dt>maps and outputs, SHA-256</dt><dd>%s</dd></dl>\n", digest);
    for (int64_t m = 0; m < r->nmodels; m++) {
        char *path = xa_strdup(xa_field_group(XA_FIELD_MODEL_STATUS, r->models[m].name, NULL).text);
        if (!path)
            XA_RETURN_NOMEM(err);
        xa_status st = XA_OK;
        fputs("<h3>Model ", out);
        xa_html_text(out, r->models[m].name);
        fputs("</h3><dl>", out);
        for (size_t k = 0; st == XA_OK && k < sizeof of_model / sizeof *of_model; k++)
            st = put_attribute(out, r, path, of_model[k][0], of_model[k][1], err);
        free(path);
        XA_RETURN_TRY(err, st);
        fputs("<dt>explainers</dt><dd>", out);
        for (int64_t e = 0; e < r->models[m].nmaps; e++) {
            const xa_read_map *x = &r->models[m].maps[e];
            fputs(e ? ", " : "", out);
            xa_html_text(out, x->name);
            if (x->layer) {
                fputs(" (", out);
                xa_html_text(out, x->layer);
                fputs(")", out);
            }
        }
        fputs("</dd></dl>\n", out);
    }
    return XA_OK;
}

/* ---- figures ---- */

static void put_interval(FILE *out, const xa_interval *f)
{
    if (!f->n) {
        fputs("<td class=n>-</td>", out);
        return;
    }
    fprintf(out, "<td class=n data-v=\"%.9g\">%.4f ", f->value, f->value);
    if (f->kind == XA_INTERVAL_NONE)
        fprintf(out,
                "<abbr title=\"%s\">%s</abbr></td>",
                xa_stats_no_interval(f->why),
                xa_no_interval_short(f));
    else
        fprintf(
            out, "[%.4f, %.4f]%s</td>", f->low, f->high, f->kind == XA_INTERVAL_WILSON ? " w" : "");
}

/* All series of one model and metric. */
static xa_status put_table(
    FILE *out, const xa_summary *s, const xa_stats_plan *plan, const xa_series *like, xa_err *err)
{
    const bool scores = like->is == XA_SERIES_SCORES || like->is == XA_SERIES_CHECK;
    fputs("<h3>", out);
    xa_html_text(out, like->model);
    fputs(": ", out);
    xa_html_text(out, like->metric);
    fputs("</h3>\n<p class=soft>", out);
    xa_html_text(out, like->conventions ? like->conventions : "conventions not stored");
    fprintf(out,
            "</p>\n<div class=scroll tabindex=0><table "
            "class=sort><thead><tr><th><button>explainer</button></th>"
            "<th class=n><button>n</button></th><th class=n><button>undefined</button></th>"
            "<th class=n><button>%s [95&nbsp;%%]</button></th>",
            like->is == XA_SERIES_CHECK ? "over maps"
            : scores                    ? "over pairs"
                                        : "over the data set");
    if (scores)
        fputs("<th class=n><button>over classes [95&nbsp;%]</button></th>", out);
    fputs("</tr></thead><tbody>\n", out);
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        xa_figure f;
        if (x->model != like->model || strcmp(x->metric, like->metric) != 0)
            continue;
        XA_RETURN_TRY(err, xa_summary_figure(s, x, plan, -1, &f, err));
        fprintf(out, "<tr%s><td>", x->baseline ? " class=b" : "");
        xa_html_text(out, x->explainer);
        fprintf(out,
                "%s</td><td class=n>%" PRId64 "</td><td class=n>%" PRId64 "</td>",
                x->baseline ? " (baseline)" : "",
                f.micro.n,
                f.micro.undefined);
        put_interval(out, &f.micro);
        if (scores)
            put_interval(out, &f.macro);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    return XA_OK;
}

static xa_status put_figures(FILE *out, const xa_summary *s, const xa_stats_plan *plan, xa_err *err)
{
    for (int i = 0; i < s->nseries; i++) {
        const xa_series *x = &s->series[i];
        bool first = !x->baseline;
        for (int k = 0; k < i && first; k++)
            first = s->series[k].model != x->model || strcmp(s->series[k].metric, x->metric) != 0;
        if (first)
            XA_RETURN_TRY(err, put_table(out, s, plan, x, err));
    }
    if (s->nseries == 0)
        fputs("<p>No localisation scores: no metric was asked for, or no image is annotated.</p>\n",
              out);
    else
        fprintf(
            out,
            "<p class=soft>Expanded percentile bootstrap, %" PRId64 " replicates, seed %" PRIu64
            ", %s drawn "
            "together; w: Wilson's interval, of a rate over single images or of a rate of 0 or 1; "
            "no interval where too few groups tell one.</p>\n",
            plan->replicates,
            plan->seed,
            s->grouped ? "groups" : "units of an image");
    return XA_OK;
}

/* ---- charts ---- */

static xa_status put_chart(FILE *out,
                           xa_summary *s,
                           const xa_stats_plan *plan,
                           const char *model,
                           xa_plot_kind kind,
                           int number,
                           xa_err *err)
{
    xa_status st = XA_OK;
    xa_plot_page page = {0};
    xa_str svg = {0};
    char prefix[16];
    const xa_plotting with = {
        .s = s, .plan = plan, .model = model, .width_mm = 170.0, .font_pt = 8.0};
    st = xa_plot_make(&with, kind, &page, err);
    if (st == XA_NOT_FOUND || (st == XA_OK && page.is_panel)) { /* nothing of this kind here */
        *err = (xa_err)XA_ERR_INIT;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    snprintf(prefix, sizeof prefix, "p%d-", number);
    st = xa_chart_svg(&page.chart, prefix, &svg, err);
    if (st == XA_UNSUPPORTED) { /* built without figures: the tables say it all */
        *err = (xa_err)XA_ERR_INIT;
        st = XA_OK;
        goto done;
    }
    XA_TRY(err, st);
    fputs("<figure>", out);
    fwrite(svg.data, 1, svg.len, out);
    fputs("<figcaption>", out);
    xa_html_text(out, model);
    fputs(": ", out);
    xa_html_text(out, xa_plot_what(kind));
    fputs("</figcaption></figure>\n", out);
done:
    xa_plot_page_free(&page);
    xa_str_free(&svg);
    return st;
}

static xa_status
put_charts(FILE *out, xa_summary *s, xa_summary *by_class, const xa_stats_plan *plan, xa_err *err)
{
    int number = 0;
    for (int64_t m = 0; m < s->r->nmodels; m++)
        for (int k = 0; k < XA_PLOT_KINDS; k++)
            XA_RETURN_TRY(
                err,
                put_chart(out,
                          k == XA_PLOT_CLASSES ? by_class : s,
                          plan,
                          k == XA_PLOT_CLASSES ? by_class->r->models[m].name : s->r->models[m].name,
                          (xa_plot_kind)k,
                          number++,
                          err));
    return XA_OK;
}

/* ---- failures, methods, job ---- */

static void put_failures(FILE *out, const xa_read *r, bool anonymise)
{
    enum { MOST = 200 };
    static const char *const stages[] = {
        "", "reading", "decoding", "preprocessing", "model", "explaining"};
    int64_t n = 0;
    for (int64_t m = 0; m < r->nmodels; m++)
        for (int64_t i = 0; i < r->samples; i++) {
            const xa_read_model *x = &r->models[m];
            char id[256], message[512];
            if (x->status[i] != XA_SAMPLE_FAILED || n++ >= MOST)
                continue;
            if (n == 1)
                fputs("<div class=scroll tabindex=0><table "
                      "class=sort><thead><tr><th><button>image</button></th>"
                      "<th><button>model</button></th><th><button>stage</button></th>"
                      "<th><button>why</button></th></tr></thead><tbody>\n",
                      out);
            xa_read_text(r->id, r->id_bytes, i, id, sizeof id);
            xa_read_text(x->message, x->message_bytes, i, message, sizeof message);
            fputs("<tr><td>", out);
            xa_html_text(out, anonymise ? last_part(id) : id);
            fputs("</td><td>", out);
            xa_html_text(out, x->name);
            fprintf(out, "</td><td>%s</td><td>", x->stage[i] < 6 ? stages[x->stage[i]] : "");
            xa_html_text(out, anonymise ? "" : message); /* it names files */
            fputs("</td></tr>\n", out);
        }
    if (n > 0)
        fputs("</tbody></table></div>\n", out);
    if (n > MOST)
        fprintf(out, "<p>The first %d of %" PRId64 ".</p>\n", (int)MOST, n);
    if (n == 0)
        fputs("<p>No image failed.</p>\n", out);
}

static xa_status put_methods(FILE *out, const char *archive, xa_err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        XA_RETURN_NOMEM(err);
    const xa_status st = xa_print_methods(archive, memory, err);
    fclose(memory);
    fputs("<pre>", out);
    xa_html_text(out, text);
    fputs("</pre>\n", out);
    free(text);
    XA_RETURN_TRY(err, st);
    return XA_OK;
}

static xa_status put_job(FILE *out, const xa_read *r, xa_err *err)
{
    char *job = NULL;
    XA_RETURN_TRY(err, xa_archive_text(r->archive, XA_FIELD_JOB_TEXT, &job, err));
    if (job) {
        fputs("<details><summary>The job</summary><pre>", out);
        xa_html_text(out, job);
        fputs("</pre></details>\n", out);
    }
    free(job);
    return XA_OK;
}

/* ---- the page ---- */

static void put_head(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          out);
    xa_html_text(out, title);
    fputs("</title>\n", out);
    fputs(xa_report_head, out);
    fputs("</head><body><header><h1>", out);
    xa_html_text(out, title);
    fputs("</h1>\n<nav aria-label=\"Contents\"><a href=\"#done\">What was done</a><a "
          "href=\"#figures\">Figures</a><a href=\"#charts\">Charts</a><a "
          "href=\"#images\">Images</a><a href=\"#failures\">Failures</a><a "
          "href=\"#methods\">Methods</a></nav></header>\n<main>\n",
          out);
}

static xa_status put_page(FILE *out, const xa_report_options *opt, int64_t *missing, xa_err *err)
{
    const xa_stats_plan plan = {.seed = 1,
                                .stream = 1,
                                .replicates = 1000,
                                .level = 0.95,
                                .draws = xa_stats_draws_create()};
    xa_status st = XA_OK;
    xa_summary *s = NULL, *by_class = NULL;
    char digest[XA_SHA256_HEX];
    XA_TRY(err, xa_summary_open(opt->archive, NULL, &s, err));
    XA_TRY(err, xa_versions_tell(s->r->archive, opt->archive, err));
    XA_TRY(err, xa_summary_open(opt->archive, "class", &by_class, err));
    XA_TRY(err, xa_figure_digest(s->r, digest, err));
    put_head(out, opt->title ? opt->title : last_part(opt->archive));
    fputs("<h2 id=\"done\">What was done</h2>\n", out);
    XA_TRY(err, put_flow(out, s, err));
    XA_TRY(err, put_provenance(out, s, digest, err));
    if (!opt->anonymise)
        XA_TRY(err, put_job(out, s->r, err));
    fputs("<h2 id=\"figures\">Figures over the data set</h2>\n", out);
    XA_TRY(err, put_figures(out, s, &plan, err));
    fputs("<h2 id=\"charts\">Charts</h2>\n", out);
    XA_TRY(err, put_charts(out, s, by_class, &plan, err));
    fputs("<h2 id=\"images\">Images</h2>\n<p class=soft>Overlays: half image, half map in viridis, "
          "each map on its own scale. A head sorts its table.</p>\n",
          out);
    for (int64_t m = 0; opt->images && m < s->r->nmodels; m++) {
        if (s->r->nmodels > 1) {
            fputs("<h3>Model ", out);
            xa_html_text(out, s->r->models[m].name);
            fputs("</h3>\n", out);
        }
        XA_TRY(err, xa_report_gallery(out, opt, s, &s->r->models[m], missing, err));
    }
    fputs("<h2 id=\"failures\">Failures</h2>\n", out);
    put_failures(out, s->r, opt->anonymise);
    fputs("<h2 id=\"methods\">Methods</h2>\n", out);
    XA_TRY(err, put_methods(out, opt->archive, err));
    fputs("</main>\n", out);
    fputs(xa_report_tail, out);
    fputs("</body></html>\n", out);
done:
    xa_stats_draws_free(plan.draws);
    xa_summary_close(s);
    xa_summary_close(by_class);
    return st;
}

xa_status xa_report_write(const xa_report_options *opt, int64_t *missing, xa_err *err)
{
    xa_status st = XA_OK;
    FILE *out = NULL;
    char *part = xa_strfmt("%s.part", opt->output);
    *missing = 0;
    if (!part)
        XA_NOMEM_FAIL(err);
    struct stat there;
    if (stat(opt->output, &there) == 0 && !S_ISREG(there.st_mode))
        XA_FAIL(err, XA_INVALID, "%s is there and is no file", opt->output);
    out = fopen(part, "wbe");
    if (!out)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", opt->output, strerror(errno));
    XA_TRY(err, put_page(out, opt, missing, err));
    errno = 0;
    const bool bad = fflush(out) != 0 || ferror(out) || fsync(fileno(out)) != 0;
    const int cause = errno;
    if (bad)
        XA_FAIL(err,
                cause == ENOSPC ? XA_NOSPACE : XA_IO,
                "%s: cannot write: %s",
                opt->output,
                strerror(cause ? cause : EIO));
    if (rename(part, opt->output) != 0)
        XA_FAIL(err, XA_IO, "%s: cannot write: %s", opt->output, strerror(errno));
done:
    if (out)
        fclose(out);
    if (st != XA_OK && out)
        unlink(part);
    free(part);
    return st;
}
