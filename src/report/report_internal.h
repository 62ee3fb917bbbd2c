/* What the files of the report share. */
#ifndef XAUDIT_REPORT_REPORT_INTERNAL_H
#define XAUDIT_REPORT_REPORT_INTERNAL_H

#include <inttypes.h>

#include "assets.h" /* made from assets/: xa__report_page_<piece>, xa__report_page_css, .._js */
#include "xaudit/chart.h"
#include "xaudit/print.h"
#include "xaudit/report.h"

/* A piece of page.html with its holes: names and values, both text. */
#define XA__PUT(out, piece, ...) xa_fill(out, piece, XA_ESCAPE_HTML, __VA_ARGS__, NULL)

/* A number as text, in the buffer that is given. */
typedef struct xa__number {
    char text[48];
} xa__number;
const char *xa__whole(xa__number *room, int64_t v);
const char *xa__real(xa__number *room, int decimals, double v); /* "%.*f" */

/* ---- facts.c: what was done ---- */

/* What became of the images of the manifest; what the archive says of itself and its models. */
XA_MUST_USE xa_status xa__report_flow(FILE *out, const xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__report_provenance(FILE *out, const xa_summary *s, xa_err *err);
XA_MUST_USE xa_status xa__report_job(FILE *out, const xa_read *r, xa_err *err);
XA_MUST_USE xa_status xa__report_methods(FILE *out, const char *archive, xa_err *err);
/* anonymise: without messages, which name files, and without the folders of ids. */
void xa__report_failures(FILE *out, const xa_read *r, bool anonymise);

/* ---- verdicts.c ---- */

/* The metric that the page begins with: energy, else the first whose values are no hits; NULL: the
 * archive has no scores. */
const char *xa__report_main_metric(const xa_summary *s);
/* The baseline NAME, or EXPLAINER.NAME, beside a series; NULL: there is none. */
const xa_series *xa__report_reference(const xa_summary *s, const xa_series *x, const char *name);
/* Is a series better than a reference? BEATS: the interval of the paired difference lies above 0;
 * WORSE: below. */
typedef enum xa__beats {
    XA__NO_REFERENCE,
    XA__NO_INTERVAL,
    XA__NOT_SHOWN,
    XA__WORSE,
    XA__BEATS
} xa__beats;
XA_MUST_USE xa_status xa__report_beats(const xa_summary *s,
                                       const xa_series *x,
                                       const char *reference,
                                       const xa_stats_plan *plan,
                                       xa__beats *out,
                                       xa_err *err);
/* "Grad-CAM (label)", with " of MODEL" where there are several. */
void xa__report_name(const xa_read *r, const char *model, const char *explainer, xa_str *out);
void xa__report_title(const xa_summary *s, const xa_series *x, xa_str *out);
/* The sentences that the page begins with. */
typedef struct xa__finding {
    const char *mark;    /* yes, part, no: whether explainers are better; plain: no comparison */
    const char *against; /* the beginning of the sentence: "Against a blob at the centre:" */
    char *text;          /* the rest of it; owned */
} xa__finding;
typedef struct xa__findings {
    xa_str headline;
    xa__finding *list;
    size_t n, cap;
} xa__findings;
XA_MUST_USE xa_status xa__findings_make(const xa_summary *s,
                                        const xa_stats_plan *plan,
                                        xa__findings *out,
                                        xa_err *err);
void xa__findings_fini(xa__findings *f);
/* Takes over the text; mark and against live as long as the program. */
XA_MUST_USE xa_status xa__findings_add(
    xa__findings *to, const char *mark, const char *against, xa_str *text, xa_err *err);
/* The headline, what beats which reference, accuracy and failures, as HTML. */
XA_MUST_USE xa_status xa__report_verdicts(FILE *out,
                                          const xa_summary *s,
                                          const xa_stats_plan *plan,
                                          xa_err *err);

/* ---- off_object.c ---- */

/* A table of right answers whose map peaks off the object, a row for each explainer that has a
 * pointing game; nothing where none has. */
XA_MUST_USE xa_status xa__report_off_object(
    FILE *out, const xa_summary *s, const xa_stats_plan *plan, bool anonymise, xa_err *err);

/* ---- scores.c ---- */

/* Begins an explainer's row of this table, and of that of the checks: its title behind the colour
 * of its *number, which is counted on. colour: "e0" to "e5". */
enum { XA__COLOUR_BYTES = 8 };
void xa__report_row_head(FILE *out,
                         const xa_read_map *x,
                         int *number,
                         char colour[XA__COLOUR_BYTES]);
/* One table of all explainers and metrics, a value and an interval bar in each cell. */
XA_MUST_USE xa_status xa__report_scores(FILE *out,
                                        const xa_summary *s,
                                        const xa_stats_plan *plan,
                                        xa_err *err);

/* ---- checks.c ---- */

bool xa__report_has_checks(const xa_summary *s);
/* The section of checks: a table of all explainers and checks, each with its difference to a random
 * map, and what they object to; nothing where the archive has none. */
XA_MUST_USE xa_status xa__report_checks(FILE *out,
                                        const xa_summary *s,
                                        const xa_stats_plan *plan,
                                        xa_err *err);
/* Adds the finding "Against the model: the checks object to 3 of 6 explainers". */
XA_MUST_USE xa_status xa__report_objections(xa__findings *to,
                                            const xa_summary *s,
                                            const xa_stats_plan *plan,
                                            xa_err *err);
/* The bar's pixel of a value in [0, 1]. */
const char *xa__report_bar(xa__number *room, double v);

/* ---- tables.c, charts.c, explorer.c ---- */

/* A table for every metric of a model, with intervals. */
XA_MUST_USE xa_status xa__report_tables(FILE *out,
                                        const xa_summary *s,
                                        const xa_stats_plan *plan,
                                        xa_err *err);
/* Every chart that the archive has something for. by_class: the same archive, divided by class. */
XA_MUST_USE xa_status xa__report_charts(
    FILE *out, xa_summary *s, xa_summary *by_class, const xa_stats_plan *plan, xa_err *err);
/* All images, with the pictures of as many as fit into one file. *missing grows by the images that
 * are not there or have other pixels than the audited ones. */
XA_MUST_USE xa_status xa__report_explorer(
    FILE *out, const xa_report_options *opt, const xa_summary *s, int64_t *missing, xa_err *err);

#endif
