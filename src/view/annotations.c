/* Problems of annotations: counts, first examples, and the lines that report them. */
#include "xaudit/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void xa_frame_text(const int64_t declared[2], const int64_t found[2], char *out, size_t size)
{
    const double x = (double)found[0] / (double)declared[0];
    const int n = snprintf(out,
                           size,
                           "%" PRId64 "x%" PRId64 " declared, %" PRId64 "x%" PRId64 " decoded",
                           declared[0],
                           declared[1],
                           found[0],
                           found[1]);
    if (n > 0 && (size_t)n < size && fabs((double)declared[1] * x - (double)found[1]) <= 1.0)
        snprintf(out + n, size - (size_t)n, ": scaled by %.4g", x);
}

static bool is_frame(int problem)
{
    return (problem >= XA_ANNOTATION_FRAME_TURNED && problem <= XA_ANNOTATION_FRAME_OTHER) ||
           problem == XA_ANNOTATION_BOX_RESCALED;
}

static bool is_mask(int problem)
{
    return strncmp(xa_annotation_problem_name(problem), "mask ", 5) == 0;
}

void xa_annotations_add(xa_annotation_counts *c,
                        int64_t s,
                        const uint8_t *problem,
                        int64_t n,
                        const char *mask,
                        const char *frame)
{
    c->all += n;
    for (int64_t k = 0; k < n; k++) {
        const int p = problem[k] < XA_ANNOTATION_PROBLEMS ? problem[k] : XA_ANNOTATION_PROBLEMS;
        if (p == XA_ANNOTATION_NONE || c->of[p].count++)
            continue;
        c->of[p].sample = s;
        xa_str_sanitise(is_mask(p)    ? mask
                        : is_frame(p) ? frame
                                      : "",
                        c->of[p].why,
                        sizeof c->of[p].why);
    }
}

void xa_annotation_line(const xa_annotation_counts *c, int problem, const char *id, xa_str *out)
{
    const int64_t n = c->of[problem].count;
    const bool used = xa_annotation_used(problem), one = n == 1;
    const char *why = c->of[problem].why;
    xa_str_printf(out,
                  "%" PRId64 " of %" PRId64 " annotations %s: %s; the first is of %s",
                  n,
                  c->all,
                  used ? (one ? "counts, but" : "count, but")
                       : (one ? "is not used" : "are not used"),
                  xa_annotation_problem_name(problem),
                  id);
    if (*why)
        xa_str_printf(out, " (%s)", why);
}

/* The sample's declared and decoded size, where the archive holds them. */
static xa_status frame_of(const xa_read *r, int64_t sample, char *out, size_t size, xa_err *err)
{
    int32_t declared[2], width, height;
    XA_RETURN_TRY(
        err,
        xa_archive_read(
            r->archive, xa_field_path(XA_FIELD_SAMPLE_DECLARED), sample, 1, declared, err));
    XA_RETURN_TRY(
        err,
        xa_archive_read(r->archive, xa_field_path(XA_FIELD_SAMPLE_WIDTH), sample, 1, &width, err));
    XA_RETURN_TRY(err,
                  xa_archive_read(
                      r->archive, xa_field_path(XA_FIELD_SAMPLE_HEIGHT), sample, 1, &height, err));
    const int64_t a[2] = {declared[0], declared[1]}, b[2] = {width, height};
    if (a[0] > 0 && a[1] > 0)
        xa_frame_text(a, b, out, size);
    return XA_OK;
}

/* What more the archive knows of the first of a kind. */
static xa_status
explain(const xa_read *r, int problem, int64_t sample, char *out, size_t size, xa_err *err)
{
    if (is_frame(problem))
        return frame_of(r, sample, out, size, err);
    for (int64_t m = 0; is_mask(problem) && m < r->nmodels && !*out; m++)
        if (r->models[m].status[sample] == XA_SAMPLE_DONE)
            xa_read_text(r->models[m].message, r->models[m].message_bytes, sample, out, size);
    return XA_OK;
}

xa_status xa_annotations_count(const xa_read *r, xa_annotation_counts *out, xa_err *err)
{
    *out = (xa_annotation_counts){0};
    for (int64_t i = 0; r->problem && i < r->samples; i++) {
        const int64_t k = r->annotation_offset[i];
        xa_annotations_add(out, i, r->problem + k, r->annotation_offset[i + 1] - k, "", "");
    }
    for (int p = 1; p <= XA_ANNOTATION_PROBLEMS; p++)
        if (out->of[p].count)
            XA_RETURN_TRY(
                err, explain(r, p, out->of[p].sample, out->of[p].why, sizeof out->of[p].why, err));
    return XA_OK;
}

xa_status xa_print_annotations(const xa_read *r, const char *indent, FILE *out, xa_err *err)
{
    xa_annotation_counts c;
    xa_str line = {0};
    char id[200];
    XA_RETURN_TRY(err, xa_annotations_count(r, &c, err));
    for (int p = 1; p <= XA_ANNOTATION_PROBLEMS; p++) {
        if (!c.of[p].count)
            continue;
        line.len = 0;
        xa_read_text(r->id, r->id_bytes, c.of[p].sample, id, sizeof id);
        xa_annotation_line(&c, p, id, &line);
        fprintf(out, "%s%s\n", indent, line.failed ? "out of memory" : line.data);
    }
    xa_str_free(&line);
    return XA_OK;
}

/* ---- boxes as they were scored ---- */

xa_status xa_frames_read(const xa_read *r, int64_t first, int64_t n, xa_frames *out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_dataset_info info;
    char *rule = NULL;
    const size_t room = (size_t)n + 1;
    xa_frames f = {.declared = xa_alloc(room, sizeof *f.declared),
                   .width = xa_alloc(room, sizeof *f.width),
                   .height = xa_alloc(room, sizeof *f.height)};
    if (!f.declared || !f.width || !f.height)
        XA_FAIL(err, XA_NOMEM, "out of memory for the frames of %" PRId64 " samples", n);
    XA_TRY(
        err,
        xa_archive_read(r->archive, xa_field_path(XA_FIELD_SAMPLE_WIDTH), first, n, f.width, err));
    XA_TRY(err,
           xa_archive_read(
               r->archive, xa_field_path(XA_FIELD_SAMPLE_HEIGHT), first, n, f.height, err));
    /* archives before 1.1 declare none */
    if (xa_archive_dataset(r->archive, xa_field_path(XA_FIELD_SAMPLE_DECLARED), &info, NULL) ==
        XA_OK) {
        if (info.type != XA_TYPE_I32 || info.ndim != 2 || info.dim[1] != 2)
            XA_FAIL(err, XA_FORMAT, "%s: expected two per sample", info.path);
        XA_TRY(err, xa_archive_read(r->archive, info.path, first, n, f.declared, err));
        XA_TRY(err, xa_archive_attr_text(r->archive, XA_GROUP_ANNOTATIONS, "frame", &rule, err));
        f.rescale = rule && !strcmp(rule, "rescale");
    }
    *out = f;
    f = (xa_frames){0};
done:
    xa_frames_fini(&f);
    free(rule);
    return st;
}

void xa_frames_fini(xa_frames *f)
{
    free(f->declared);
    free(f->width);
    free(f->height);
    *f = (xa_frames){0};
}

bool xa_frames_box(const xa_frames *f, int64_t i, const double stored[4], double out[4])
{
    const xa_annotation a = {.kind = XA_ANNOTATION_BOX,
                             .x0 = stored[0],
                             .y0 = stored[1],
                             .x1 = stored[2],
                             .y1 = stored[3]};
    const xa_sample s = {.width = f->declared[i][0], .height = f->declared[i][1]};
    const xa_frame to = {.width = f->width[i], .height = f->height[i], .rescale = f->rescale};
    return to.width > 0 && to.height > 0 &&
           xa_annotation_used((int)xa_annotation_box(&s, &a, &to, out));
}
