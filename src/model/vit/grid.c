/* The grid of patches: that of the position embedding, and that of the job's input size. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "vit.h"

/* The root of n; 0 if n is not the square of a number above 0. */
static int64_t square_root(int64_t n)
{
    const int64_t r = n > 0 ? (int64_t)(sqrt((double)n) + 0.5) : 0;
    return r * r == n ? r : 0;
}

/* Does a grid of h x w fit the rows of the position embedding, with or without rows for the prefix?
 */
static bool fits_rows(const xa__vit *v, int position, int64_t h, int64_t w)
{
    const bool given =
        v->position == XA__VIT_POSITION_UNTOLD || v->position == position || !v->prefix;
    const int64_t front = position == XA__VIT_POSITION_ALL     ? v->prefix
                          : position == XA__VIT_POSITION_CLASS ? 1
                                                               : 0;
    const int64_t rows = v->position_rows - front;
    return given && h > 0 && w > 0 && h * w == rows;
}

/* The file's grid: as its config says; else a square one, if one fits; else that of the job's size.
 * A grid with rows for the prefix is tried before the same without. */
static xa_status read_grid(xa__vit *v, xa_model *m, int64_t job_h, int64_t job_w, xa_err *err)
{
    const int64_t given_h = v->file_h, given_w = v->file_w;
    const bool of_class = v->position == XA__VIT_POSITION_CLASS;
    const int full = of_class ? XA__VIT_POSITION_CLASS : XA__VIT_POSITION_ALL;
    const int64_t all = square_root(v->position_rows - (of_class ? 1 : v->prefix)),
                  apart = square_root(v->position_rows);
    const struct {
        int64_t h, w;
        int position;
        bool given, guess;
    } tries[] = {{given_h, given_w, full, true, false},
                 {given_h, given_w, XA__VIT_POSITION_PATCHES, true, false},
                 {all, all, full, false, false},
                 {job_h, job_w, full, false, true},
                 {apart, apart, XA__VIT_POSITION_PATCHES, false, false},
                 {job_h, job_w, XA__VIT_POSITION_PATCHES, false, true}};
    const bool either = !given_h && v->prefix && fits_rows(v, full, all, all) &&
                        fits_rows(v, XA__VIT_POSITION_PATCHES, apart, apart);
    v->file_h = v->file_w = 0;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        if (tries[i].given != (given_h > 0) ||
            !fits_rows(v, tries[i].position, tries[i].h, tries[i].w))
            continue;
        v->file_h = tries[i].h;
        v->file_w = tries[i].w;
        v->position = tries[i].position;
        if (tries[i].guess || either)
            return xa__model_assume(
                m,
                err,
                "a position embedding of %" PRId64 "x%" PRId64
                " patches%s: no file says so; \"img_size\" in config.json would",
                v->file_h,
                v->file_w,
                either ? " and the tokens before them" : "");
        return XA_OK;
    }
    if (given_h && !v->file_h)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: its img_size makes a grid of %" PRId64 "x%" PRId64
                       " patches, but the position embedding has %" PRId64 " rows (%" PRId64
                       " tokens are no patches)",
                       v->config,
                       given_h,
                       given_w,
                       v->position_rows,
                       v->prefix);
    return XA_OK;
}

static xa_status other_grid(const xa__vit *v, const xa_shape *in, xa_err *err)
{
    char fitting[160];
    if (v->file_h)
        snprintf(fitting,
                 sizeof fitting,
                 "%" PRId64 "x%" PRId64 "; use size: [%" PRId64 ", %" PRId64 "]",
                 v->file_h,
                 v->file_w,
                 v->file_h * v->patch_h,
                 v->file_w * v->patch_w);
    else
        snprintf(
            fitting, sizeof fitting, "%" PRId64 " rows; use a size that fits", v->position_rows);
    XA_RETURN_FAIL(err,
                   XA_SHAPE,
                   "%s: an input of %" PRId64 "x%" PRId64 " makes a grid of %" PRId64 "x%" PRId64
                   " patches, but its position embedding has %s, or interpolate_positions: true to "
                   "have it interpolated as %s does",
                   v->file->path,
                   in->dim[0],
                   in->dim[1],
                   v->grid_h,
                   v->grid_w,
                   fitting,
                   v->dialect->name);
}

xa_status xa__vit_choose_grid(xa__vit *v, xa_model *m, const xa_model_options *opt, xa_err *err)
{
    XA_RETURN_TRY(err, read_grid(v, m, opt->height / v->patch_h, opt->width / v->patch_w, err));
    const int64_t own_h = v->file_h * v->patch_h, own_w = v->file_w * v->patch_w;
    const int64_t h = opt->height ? opt->height : own_h, w = opt->width ? opt->width : own_w;
    v->grid_h = h / v->patch_h;
    v->grid_w = w / v->patch_w;
    m->file_input = (xa_shape){.ndim = 3, .dim = {own_h, own_w, v->channels}};
    m->input_shape = (xa_shape){.ndim = 3, .dim = {h, w, v->channels}};
    if (!h || !w)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: its position embedding of %" PRId64
                       " rows is no square grid; give the size it is to be run at",
                       v->file->path,
                       v->position_rows);
    if (h % v->patch_h || w % v->patch_w)
        XA_RETURN_FAIL(err,
                       XA_INVALID,
                       "%s: an input of %" PRId64 "x%" PRId64
                       " is no whole number of patches of %" PRId64 "x%" PRId64,
                       v->file->path,
                       h,
                       w,
                       v->patch_h,
                       v->patch_w);
    if (v->grid_h == v->file_h && v->grid_w == v->file_w)
        return XA_OK;
    return opt->interpolate_positions && v->file_h ? XA_OK : other_grid(v, &m->input_shape, err);
}
