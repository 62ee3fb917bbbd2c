/* How the maps of a figure lie over their photographs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "xaudit/figure.h"

enum { FIELD_SIDE = 320 }; /* pixels in which contours are sought: at print size no more are seen */

static double longer(const xa_figure_map *m)
{
    return (double)(m->height > m->width ? m->height : m->width);
}

static xa_status smooth(const xa_figure_map *m, const xa_overlay *o, float *out, xa_err *err)
{
    return xa_map_smooth(m->values, m->height, m->width, o->smooth * longer(m), out, err);
}

/* Appends the smoothed magnitudes of a map to all. */
static xa_status gather(
    const xa_figure_map *m, const xa_overlay *o, float **all, size_t *n, size_t *cap, xa_err *err)
{
    const size_t cells = (size_t)(m->height * m->width);
    XA_RETURN_TRY(err, xa_grow(all, cap, *n + cells, sizeof **all, err));
    XA_RETURN_TRY(err, smooth(m, o, *all + *n, err));
    *n += cells;
    return XA_OK;
}

xa_status xa_figure_tone_of(const xa_figure_rows *f,
                            const xa_figure_column *c,
                            const xa_overlay *over,
                            bool shared,
                            xa_figure_tone *out,
                            xa_err *err)
{
    xa_status st = XA_OK;
    xa_figure_map m = {0};
    float *all = NULL;
    size_t n = 0, cap = 0;
    const bool pixelwise = xa_kind_is_pixelwise(c->map->kind);
    const xa_overlay usual = xa_overlay_defaults(pixelwise);
    *out = (xa_figure_tone){.over = *over, .pixelwise = pixelwise};
    out->over.smooth = over->smooth < 0.0 ? usual.smooth : over->smooth;
    out->over.opacity = over->opacity < 0.0 ? usual.opacity : over->opacity;
    for (int r = 0; r < f->nrows; r++) {
        XA_TRY(err, xa_figure_map_read(f, c, f->sample[r], &m, err));
        if (!m.values)
            continue;
        for (int64_t i = 0; i < m.height * m.width; i++)
            out->is_signed = out->is_signed || m.values[i] < 0.0f;
        out->side = out->over.smooth > 0.0 ? longer(&m) : 0.0;
        out->smoothed = out->over.smooth * out->side;
        if (shared)
            XA_TRY(err, gather(&m, &out->over, &all, &n, &cap, err));
        free(m.values);
        m.values = NULL;
    }
    if (out->is_signed) /* colours of both signs are told apart on grey alone */
        out->over.chroma = 0.0;
    if (n)
        XA_TRY(err, xa_map_percentile(all, (int64_t)n, out->over.percentile, &out->strength, err));
done:
    free(m.values);
    free(all);
    return st;
}

xa_status xa_figure_map_show(const xa_figure_map *m,
                             const xa_figure_tone *tone,
                             const double frame[2],
                             int64_t height,
                             int64_t width,
                             float **t,
                             double *strength,
                             xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t n = height * width;
    const xa_image size = {.width = width, .height = height};
    xa_figure_map seen = *m;
    *t = NULL;
    seen.values = xa_alloc((size_t)(m->height * m->width), sizeof(float));
    float *grown = xa_alloc((size_t)n, sizeof *grown);
    if (!seen.values || !grown)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, smooth(m, &tone->over, seen.values, err));
    *strength = tone->strength;
    if (!(*strength > 0.0))
        XA_TRY(err,
               xa_map_percentile(
                   seen.values, m->height * m->width, tone->over.percentile, strength, err));
    xa_figure_map_grow(&seen, frame, &size, grown);
    for (int64_t i = 0; i < n; i++) /* a map of zeros has no strength and stays one */
        grown[i] = *strength > 0.0 ? (float)((double)grown[i] / *strength) : grown[i] * 0.0f;
    *t = grown;
    grown = NULL;
done:
    free(seen.values);
    free(grown);
    return st;
}

xa_status
xa_figure_half_mass(const xa_figure_map *m, const double frame[2], xa_lines *out, xa_err *err)
{
    xa_status st = XA_OK;
    const double scale = FIELD_SIDE / fmax(frame[0], frame[1]);
    const xa_image size = {.width = (int64_t)fmax(2.0, rint(frame[0] * scale)),
                           .height = (int64_t)fmax(2.0, rint(frame[1] * scale))};
    const int64_t n = size.width * size.height;
    double level;
    *out = (xa_lines){0};
    float *field = xa_alloc((size_t)n, sizeof *field);
    if (!field)
        XA_NOMEM_FAIL(err);
    xa_figure_map_grow(m, frame, &size, field);
    XA_TRY(err, xa_map_level(field, n, 0.5, &level, err));
    if (isfinite(level))
        XA_TRY(err, xa_map_contour(field, size.height, size.width, level, frame, false, out, err));
done:
    free(field);
    return st;
}
