/* What is wrong with annotations, and boxes in the frame of the decoded image. */
#include <math.h>

#include "xaudit/manifest.h"

static const struct {
    const char *name, *meaning;
    bool used;
} problems[] = {
#define X(name, text, used, meaning) {text, meaning, used},
    XA_ANNOTATION_PROBLEM_LIST(X)
#undef X
};

static bool is_known(int problem)
{
    return problem >= 0 && problem < XA_ANNOTATION_PROBLEMS;
}

const char *xa_annotation_problem_name(int problem)
{
    return is_known(problem) ? problems[problem].name : "unknown";
}

const char *xa_annotation_problem_meaning(int problem)
{
    return is_known(problem) ? problems[problem].meaning : "a later version's reason";
}

bool xa_annotation_used(int problem)
{
    return is_known(problem) && problems[problem].used;
}

xa_annotation_problem xa_sample_frame(const xa_sample *s, const xa_frame *f)
{
    const double w = (double)f->width, h = (double)f->height;
    if (s->width <= 0 || s->height <= 0 || (s->width == f->width && s->height == f->height))
        return XA_ANNOTATION_NONE;
    if (s->width == f->height && s->height == f->width)
        return f->orientation >= 5 ? XA_ANNOTATION_FRAME_TURNED : XA_ANNOTATION_FRAME_SWAPPED;
    /* Is the image a copy by one factor, with its sides rounded up or down to whole pixels? */
    const double down = fabs((double)s->height * w / (double)s->width - h);
    const double across = fabs((double)s->width * h / (double)s->height - w);
    if (down > 1.0 && across > 1.0)
        return XA_ANNOTATION_FRAME_OTHER;
    return f->rescale ? XA_ANNOTATION_BOX_RESCALED : XA_ANNOTATION_FRAME_SCALED;
}

static double clip(double v, double high)
{
    return v < 0.0 ? 0.0 : v > high ? high : v;
}

xa_annotation_problem
xa_annotation_box(const xa_sample *s, const xa_annotation *a, const xa_frame *f, double box[4])
{
    const double w = (double)f->width, h = (double)f->height;
    const double slack =
        1e-6 * (w > h ? w : h); /* rounding of coordinates does not put a box beyond the image */
    double b[4] = {a->x0, a->y0, a->x1, a->y1};
    xa_annotation_problem found = xa_sample_frame(s, f);
    box[0] = box[1] = box[2] = box[3] = 0.0;
    if (b[2] <= 1.0 && b[3] <= 1.0 && f->width > 2 && f->height > 2)
        return XA_ANNOTATION_BOX_NORMALISED;
    if (!xa_annotation_used(found))
        return found;
    if (found == XA_ANNOTATION_BOX_RESCALED)
        for (int i = 0; i < 4; i++)
            b[i] *= i % 2 ? h / (double)s->height : w / (double)s->width;
    if (found == XA_ANNOTATION_NONE &&
        (b[0] < -slack || b[1] < -slack || b[2] > w + slack || b[3] > h + slack))
        found = XA_ANNOTATION_BOX_CLIPPED;
    for (int i = 0; i < 4; i++)
        b[i] = clip(b[i], i % 2 ? h : w);
    if (!(b[2] > b[0] && b[3] > b[1]))
        return XA_ANNOTATION_BOX_OUTSIDE;
    for (int i = 0; i < 2; i++)
        if (!(ceil(b[i] - 0.5) + 0.5 < b[i + 2]))
            return XA_ANNOTATION_BOX_THIN;
    for (int i = 0; i < 4; i++)
        box[i] = b[i];
    return found;
}
