/* The report: what was done, figures with intervals, charts, images, failures, methods. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report_internal.h"
#include "xaudit/job.h"

/* Sections of the page, in their order. by_class: the archive, divided by class. */
static xa_status put_sections(FILE *out,
                              const xa_report_options *opt,
                              xa_summary *s,
                              xa_summary *by_class,
                              const xa_stats_plan *plan,
                              int64_t *missing,
                              xa_err *err)
{
    XA_RETURN_TRY(err, xa__report_verdicts(out, s, plan, err));
    fputs(xa__report_page_figures, out);
    XA_RETURN_TRY(err, xa__report_scores(out, s, plan, err));
    fputs(xa__report_page_tables, out);
    XA_RETURN_TRY(err, xa__report_tables(out, s, plan, err));
    fputs(xa__report_page_tables_end, out);
    XA_RETURN_TRY(err, xa__report_checks(out, s, plan, err));
    fputs(xa__report_page_charts, out);
    XA_RETURN_TRY(err, xa__report_charts(out, s, by_class, plan, err));
    fputs(xa__report_page_images, out);
    if (opt->images)
        XA_RETURN_TRY(err, xa__report_explorer(out, opt, s, missing, err));
    else
        fputs(xa__report_page_images_left_out, out);
    fputs(xa__report_page_failures, out);
    xa__report_failures(out, s->r, opt->anonymise);
    XA_RETURN_TRY(err, xa__report_off_object(out, s, plan, opt->anonymise, err));
    fputs(xa__report_page_methods, out);
    XA_RETURN_TRY(err, xa__report_methods(out, opt->archive, err));
    fputs(xa__report_page_drawing, out);
    fputs(xa__report_page_done, out);
    XA_RETURN_TRY(err, xa__report_flow(out, s, err));
    XA_RETURN_TRY(err, xa__report_provenance(out, s, err));
    if (!opt->anonymise)
        XA_RETURN_TRY(err, xa__report_job(out, s->r, err));
    fputs(xa__report_page_done_end, out);
    return XA_OK;
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
    char *title = NULL; /* the job's */
    XA_TRY(err, xa_summary_open(opt->archive, NULL, &s, err));
    XA_TRY(err, xa_versions_warn(s->r->archive, opt->archive, err));
    XA_TRY(err, xa_summary_open(opt->archive, "class", &by_class, err));
    XA_TRY(err, xa_archive_attr_text(s->r->archive, "/", "title", &title, err));
    XA__PUT(out,
            xa__report_page_head,
            "title",
            opt->title ? opt->title
            : title    ? title
                       : xa_path_last(opt->archive),
            "style",
            xa__report_page_css,
            "more_style",
            xa__report_explorer_css,
            "more",
            xa__report_has_checks(s) ? "<a href=\"#checks\">Checks</a>" : "");
    XA_TRY(err, put_sections(out, opt, s, by_class, &plan, missing, err));
    XA__PUT(out,
            xa__report_page_tail,
            "script",
            xa__report_page_js,
            "more_script",
            xa__report_explorer_js);
done:
    free(title);
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
        XA_FAIL(err, XA_INVALID, "%s exists and is not a regular file", opt->output);
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
