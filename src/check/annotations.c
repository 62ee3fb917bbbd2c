/* Annotations that cannot be used, seen in headers of images and in some masks. */
#include <inttypes.h>
#include <stdlib.h>

#include "xaudit/check.h"
#include "xaudit/view.h"

enum { HEADERS = 1000, MASKS = 100 }; /* that are read, so that check takes seconds */

static bool has_masks(const xa_sample *s)
{
    for (int32_t k = 0; k < s->nannotations; k++)
        if (s->annotations[k].mask || s->annotations[k].ignore_mask)
            return true;
    return false;
}

static bool is_annotated(const xa_sample *s)
{
    return s->nannotations > 0 && !s->exclude;
}

/* Boxes of images that are well above 100 (or 1000) pixels wide and high, and how many of them stay
 * below that number. */
enum { SCALES = 2, ENOUGH = 10 };
static const double scales[SCALES] = {100.0, 1000.0};
typedef struct within {
    int64_t boxes[SCALES], inside[SCALES];
    int64_t line; /* of the first such sample in the manifest */
} within;

static void note_scale(within *w, const xa_sample *s, const xa_image *im)
{
    for (int k = 0; k < SCALES; k++) {
        const double most = (double)(s->width > 0 && s->height > 0
                                         ? (s->width < s->height ? s->width : s->height)
                                         : (im->width < im->height ? im->width : im->height));
        for (int32_t i = 0; most > 1.5 * scales[k] && i < s->nannotations; i++) {
            const xa_annotation *a = &s->annotations[i];
            if (a->kind != XA_ANNOTATION_BOX)
                continue;
            w->line = w->line ? w->line : s->line;
            w->boxes[k]++;
            w->inside[k] += a->x1 <= scales[k] && a->y1 <= scales[k];
        }
    }
}

/* Warns if all boxes stay below 100 or 1000: if they were pixels, some would reach farther. */
static void check_scale(const within *w, const xa_manifest *m, xa_problems *problems)
{
    for (int k = 0; k < SCALES; k++)
        if (w->boxes[k] >= ENOUGH && w->inside[k] == w->boxes[k] &&
            !(k > 0 && w->inside[0] == w->boxes[0] && w->boxes[0] >= ENOUGH)) {
            xa_problems_add(problems,
                            m->file,
                            w->line,
                            true,
                            "no coordinate of %" PRId64 " boxes is above %g, though their images "
                            "are larger: are they %s? A manifest has pixels",
                            w->boxes[k],
                            scales[k],
                            k ? "thousandths of the image" : "per cent of the image");
        }
}

/* Compares the annotations of a sample with the header of its image. A header that cannot be read
 * is reported elsewhere. */
static xa_status look_at(const xa_loaded *l,
                         const xa_sample *s,
                         int64_t i,
                         bool masks,
                         xa_annotation_counts *c,
                         within *w,
                         xa_err *err)
{
    xa_status st = XA_OK;
    xa_image im = {0};
    xa_err unread = XA_ERR_INIT;
    char why[XA_ERR_MESSAGE], sizes[160] = "";
    uint8_t *problem = NULL;
    if (xa_image_probe(s->file, &l->job.audit.decode, &im, &unread) != XA_OK)
        return XA_OK;
    const xa_frame frame = {.width = im.width,
                            .height = im.height,
                            .orientation =
                                l->job.audit.decode.ignore_orientation ? 1 : im.orientation,
                            .rescale = l->job.audit.rescale_frames,
                            .ignore_orientation = l->job.audit.decode.ignore_orientation};
    problem = xa_alloc((size_t)s->nannotations, 1);
    if (!problem)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_audit_examine(s, &frame, masks, problem, why, err));
    if (s->width > 0 && s->height > 0) {
        const int64_t declared[2] = {s->width, s->height}, found[2] = {im.width, im.height};
        xa_frame_text(declared, found, sizes, sizeof sizes);
    }
    note_scale(w, s, &im);
    xa_annotations_add(c, i, problem, s->nannotations, why, sizes);
done:
    xa_image_fini(&im);
    free(problem);
    return st;
}

xa_status xa_check_annotations(const xa_loaded *l, xa_problems *problems, xa_err *err)
{
    const xa_manifest *m = l->manifest;
    xa_annotation_counts c = {0};
    within scale = {0};
    xa_str line = {0};
    xa_status st = XA_OK;
    int64_t all = 0, masked = 0, looked = 0, read = 0, at = 0, mask_at = 0;
    for (int64_t i = 0; i < m->count; i++) {
        all += is_annotated(&m->samples[i]);
        masked += is_annotated(&m->samples[i]) && has_masks(&m->samples[i]);
    }
    for (int64_t i = 0; i < m->count; i++) {
        const xa_sample *s = &m->samples[i];
        if (!is_annotated(s))
            continue;
        const bool with = has_masks(s);
        const bool decode = with && (masked <= MASKS || mask_at * MASKS / masked >= read);
        mask_at += with;
        if (at++ * HEADERS / (all > HEADERS ? all : HEADERS) < looked && !decode)
            continue;
        looked++;
        read += decode;
        XA_TRY(err, look_at(l, s, i, decode, &c, &scale, err));
    }
    for (int p = 1; p < XA_ANNOTATION_PROBLEMS; p++) {
        if (!c.of[p].count)
            continue;
        const xa_sample *s = &m->samples[c.of[p].sample];
        char id[200];
        line.len = 0;
        xa_str_sanitise(s->id, id, sizeof id);
        xa_annotation_line(&c, p, id, &line);
        if (looked < all || read < masked)
            xa_str_printf(&line,
                          "; %" PRId64 " of %" PRId64 " annotated images were read, and masks of "
                          "%" PRId64 " of %" PRId64,
                          looked,
                          all,
                          read,
                          masked);
        xa_str_printf(&line, ": %s", xa_annotation_problem_meaning(p));
        if (!line.failed)
            xa_problems_add(problems, m->file, s->line, true, "%s", line.data);
    }
    check_scale(&scale, m, problems);
done:
    xa_str_free(&line);
    return st;
}
