/* Map and region on one grid. Every fit is a scale and a shift, so columns and rows are
 * independent. */
#include "metric_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "component.h"

xa_status xa__work_fit(xa__work *w, size_t pixels, size_t boxes, xa_err *err)
{
    if (pixels > w->room) {
        xa__work bigger = {.box = w->box,
                           .boxes = w->boxes,
                           .exact = w->exact,
                           .exact_room = w->exact_room,
                           .strip = w->strip,
                           .strip_room = w->strip_room};
        w->box = NULL;
        w->exact = NULL;
        w->strip = NULL;
        xa__work_fini(w);
        bigger.value = xa_alloc(pixels, sizeof *bigger.value);
        bigger.scratch = xa_alloc(pixels, sizeof *bigger.scratch);
        bigger.where = xa_alloc(pixels, 1);
        bigger.grey = xa_alloc(pixels, 1);
        bool have = bigger.value && bigger.scratch && bigger.where && bigger.grey;
        for (int i = 0; i < 3; i++) {
            bigger.keys[i] = xa_alloc(pixels, sizeof *bigger.keys[i]);
            have = have && bigger.keys[i];
        }
        bigger.parent = xa_alloc(pixels, sizeof *bigger.parent);
        bigger.order = xa_alloc(pixels, sizeof *bigger.order);
        bigger.component = xa_alloc(pixels, sizeof *bigger.component);
        *w = bigger;
        w->room = pixels;
        if (!have || !w->parent || !w->order || !w->component) {
            xa__work_fini(w);
            XA_RETURN_FAIL(
                err, XA_NOMEM, "metrics: out of memory for a scene of %zu pixels", pixels);
        }
    }
    return xa_grow(&w->box, &w->boxes, boxes + 1, sizeof *w->box, err);
}

void xa__work_fini(xa__work *w)
{
    free(w->value);
    free(w->scratch);
    free(w->where);
    free(w->grey);
    for (int i = 0; i < 3; i++)
        free(w->keys[i]);
    free(w->parent);
    free(w->order);
    free(w->component);
    free(w->box);
    free(w->exact);
    free(w->strip);
    *w = (xa__work){0};
}

void xa__reduce_channels(const xa_score_map *m, float *out)
{
    const int64_t n = m->height * m->width;
    memcpy(out, m->values, (size_t)n * sizeof *out);
    for (int64_t c = 1; c < m->channels; c++)
        for (int64_t i = 0; i < n; i++)
            if (fabsf(m->values[c * n + i]) > fabsf(out[i]))
                out[i] = m->values[c * n + i];
    for (int64_t i = 0; m->channels > 1 && i < n; i++)
        out[i] = fabsf(out[i]);
}

void xa__scene_size(const xa_metric_spec *spec,
                    const xa_region *r,
                    const xa_score_map *m,
                    int64_t *width,
                    int64_t *height)
{
    switch (spec->at) {
    case XA_AT_MAP:
        *width = m->width;
        *height = m->height;
        break;
    case XA_AT_GRID:
        *width = *height = spec->grid;
        break;
    case XA_AT_INPUT:
        *width = m->input_width;
        *height = m->input_height;
        break;
    default:
        *width = r->width;
        *height = r->height;
    }
}

/* The mean of in[0..n) over [from, to); a cell counts by the share that is covered. */
static double span_mean(const float *in, int64_t n, int64_t stride, double from, double to)
{
    double sum = 0.0;
    for (int64_t i = (int64_t)from; i < n && (double)i < to; i++) {
        const double low = fmax(from, (double)i), high = fmin(to, (double)i + 1.0);
        sum += (high - low) * (double)in[i * stride];
    }
    return sum / (to - from);
}

void xa__area_mean(const float *in, int64_t h, int64_t w, float *out, int64_t oh, int64_t ow)
{
    if (h == oh && w == ow) {
        memcpy(out, in, (size_t)(h * w) * sizeof *in);
        return;
    }
    for (int64_t y = 0; y < oh; y++)
        for (int64_t x = 0; x < ow; x++) {
            const double y0 = (double)y * (double)h / (double)oh;
            const double y1 = (double)(y + 1) * (double)h / (double)oh;
            const double x0 = (double)x * (double)w / (double)ow;
            const double x1 = (double)(x + 1) * (double)w / (double)ow;
            double sum = 0.0;
            for (int64_t j = (int64_t)y0; j < h && (double)j < y1; j++) {
                const double low = fmax(y0, (double)j), high = fmin(y1, (double)j + 1.0);
                sum += (high - low) * span_mean(in + j * w, w, 1, x0, x1);
            }
            out[y * ow + x] = (float)(sum / (y1 - y0));
        }
}

/* Where the centre of stored pixel i lies on an axis of the map: between two cells, with the weight
 * of the second; false if the model did not see it. */
static bool tap(int64_t i,
                double scale,
                double shift,
                int64_t input,
                int64_t cells,
                int64_t at[2],
                double *part)
{
    const double p = ((double)i + 0.5 - shift) / scale; /* in pixels of the model's input */
    if (p < -1e-3 || p > (double)input + 1e-3)
        return false;
    double q = p * (double)cells / (double)input - 0.5;
    q = q < 0.0 ? 0.0 : q > (double)cells - 1.0 ? (double)cells - 1.0 : q;
    at[0] = (int64_t)q;
    at[1] = at[0] + 1 < cells ? at[0] + 1 : at[0];
    *part = q - (double)at[0];
    return true;
}

static void to_image(const xa_score_map *m, const float *map, xa__scene *s)
{
    for (int64_t y = 0; y < s->height; y++) {
        int64_t v[2], u[2];
        double py, px;
        float *out = s->value + y * s->width;
        uint8_t *where = s->where + y * s->width;
        if (!tap(y, m->affine[1][1], m->affine[1][2], m->input_height, m->height, v, &py)) {
            memset(out, 0, (size_t)s->width * sizeof *out);
            memset(where, XA__UNSEEN, (size_t)s->width);
            continue;
        }
        const float *top = map + v[0] * m->width, *low = map + v[1] * m->width;
        for (int64_t x = 0; x < s->width; x++) {
            out[x] = 0.0f;
            if (!tap(x, m->affine[0][0], m->affine[0][2], m->input_width, m->width, u, &px)) {
                where[x] = XA__UNSEEN;
                continue;
            }
            const double a = (double)top[u[0]] * (1.0 - px) + (double)top[u[1]] * px;
            const double b = (double)low[u[0]] * (1.0 - px) + (double)low[u[1]] * px;
            out[x] = (float)(a * (1.0 - py) + b * py);
        }
    }
}

static xa_status
cubic(const float *map, int64_t h, int64_t w, float *out, int64_t oh, int64_t ow, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image in = {0}, grown = {0};
    XA_TRY(err, xa_image_init(&in, w, h, 1, XA_PIXEL_F32, err));
    memcpy(in.data, map, (size_t)(h * w) * sizeof *map);
    XA_TRY(err, xa_image_resize(&in, ow, oh, XA_RESAMPLE_CV2_CUBIC, &grown, err));
    memcpy(out, grown.data, (size_t)(oh * ow) * sizeof *out);
done:
    xa_image_fini(&in);
    xa_image_fini(&grown);
    return st;
}

/* Interpolated in double, as by wsolevaluation. A map of a single value is kept, since rounded
 * weights would give it a pattern. */
static xa_status
cubic_exact(const xa_score_map *m, const float *map, xa__work *w, xa__scene *s, xa_err *err)
{
    bool one = true;
    XA_RETURN_TRY(err, xa_grow(&w->exact, &w->exact_room, (size_t)s->count, sizeof(double), err));
    for (int64_t i = 1; i < m->height * m->width; i++)
        one = one && map[i] == map[0];
    if (one)
        for (int64_t i = 0; i < s->count; i++)
            w->exact[i] = (double)map[0];
    else
        XA_RETURN_TRY(
            err, xa_upsample_cubic(map, m->height, m->width, w->exact, s->height, s->width, err));
    s->exact = w->exact;
    return XA_OK;
}

static void take_sign_exact(xa_metric_sign sign, double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = sign == XA_SIGN_ABS ? fabs(v[i]) : sign == XA_SIGN_POSITIVE ? fmax(v[i], 0.0) : v[i];
}

static void take_sign(xa_metric_sign sign, float *v, int64_t n)
{
    if (sign == XA_SIGN_POSITIVE)
        for (int64_t i = 0; i < n; i++)
            v[i] = v[i] > 0.0f ? v[i] : 0.0f;
    else if (sign == XA_SIGN_ABS)
        for (int64_t i = 0; i < n; i++)
            v[i] = fabsf(v[i]);
}

/* The scene's pixels whose centre lies in [from, to): the first, and one past the last. */
static void centres(double from, double to, int64_t n, int64_t *first, int64_t *end)
{
    const double a = ceil(from - 0.5), b = ceil(to - 0.5);
    *first = a < 0.0 ? 0 : a > (double)n ? n : (int64_t)a;
    *end = b < 0.0 ? 0 : b > (double)n ? n : (int64_t)b;
}

/* Does the scene cover the whole frame along this axis, up to single precision? */
static bool is_whole(double step, double first, int64_t n, int64_t frame)
{
    return fabs(first) < 1e-6 && fabs(step * (double)n - (double)frame) <= 1e-6 * (double)frame;
}

/* One axis of the scene over the frame: which pixel of the frame a pixel of the scene reads, and
 * where a coordinate of the frame lies in the scene. */
typedef struct axis {
    double step, first;
    int64_t n, frame;
    bool wsol, whole;
} axis;

static axis axis_of(const xa_metric_spec *spec, double step, double first, int64_t n, int64_t frame)
{
    return (axis){step, first, n, frame, spec->wsol, spec->wsol && is_whole(step, first, n, frame)};
}

/* The frame's pixel at the centre of scene pixel i; wsolevaluation resizes masks by
 * cv2.INTER_NEAREST, which takes the pixel at its corner. */
static int64_t looks_at(const axis *a, int64_t i)
{
    if (a->whole) {
        const int64_t at = (int64_t)floor((double)i * (1. / ((double)a->n / (double)a->frame)));
        return at < a->frame ? at : a->frame - 1;
    }
    return (int64_t)floor(((double)i + (a->wsol ? 0.0 : 0.5)) * a->step + a->first);
}

static double lies_at(const axis *a, double v)
{
    if (a->whole) /* multiplied first, so that the result is whole where the reference's is */
        return v * (double)a->n / (double)a->frame;
    return (v - a->first) / a->step;
}

static void mark_masks(const xa_metric_spec *spec, const xa_region *r, xa__scene *s)
{
    const axis across = axis_of(spec, s->step_x, s->left, s->width, r->width);
    const axis down = axis_of(spec, s->step_y, s->top, s->height, r->height);
    for (int64_t y = 0; r->mask && y < s->height; y++) {
        const int64_t v = looks_at(&down, y);
        if (v < 0 || v >= r->height)
            continue;
        for (int64_t x = 0; x < s->width; x++) {
            const int64_t u = looks_at(&across, x);
            uint8_t *where = &s->where[y * s->width + x];
            if (u < 0 || u >= r->width || xa__left_out(*where))
                continue;
            const uint8_t is = r->mask[v * r->width + u];
            if (is == XA_REGION_INSIDE || (is == XA_REGION_CROWD && !spec->ignore_crowd))
                *where = XA__REGION;
            else if (is != XA_REGION_NONE && *where != XA__REGION)
                *where = XA__IGNORED;
        }
    }
}

static double clip(double v, double high)
{
    return v < 0.0 ? 0.0 : v > high ? high : v;
}

/* A box of the frame in pixels of the scene; false if no part of it is in view. */
static bool place_box(const axis *across, const axis *down, const double box[4], double b[4])
{
    for (int k = 0; k < 4; k++)
        b[k] = clip(lies_at(k % 2 ? down : across, box[k]), (double)(k % 2 ? down->n : across->n));
    return b[2] > b[0] && b[3] > b[1];
}

/* Pixels whose centre lies in b become `to` if they are `from`. */
static void paint(xa__scene *s, const double b[4], uint8_t from, uint8_t to)
{
    int64_t x0, x1, y0, y1;
    centres(b[0], b[2], s->width, &x0, &x1);
    centres(b[1], b[3], s->height, &y0, &y1);
    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0; x < x1; x++)
            if (s->where[y * s->width + x] == from)
                s->where[y * s->width + x] = to;
}

/* Brings boxes to the scene and marks their pixels, before masks do, so that they are not ignored.
 */
static void mark_boxes(const xa_metric_spec *spec, const xa_region *r, xa__work *w, xa__scene *s)
{
    const axis across = axis_of(spec, s->step_x, s->left, s->width, r->width);
    const axis down = axis_of(spec, s->step_y, s->top, s->height, r->height);
    s->box = w->box;
    s->nboxes = 0;
    for (int i = 0; i < r->nboxes + (spec->ignore_crowd ? 0 : r->ncrowds); i++) {
        double *b = s->box[s->nboxes];
        if (!place_box(&across, &down, r->boxes[i], b))
            continue;
        paint(s, b, XA__BACKGROUND, XA__REGION);
        if (spec->wsol)
            for (int k = 0; k < 4; k++)
                b[k] = trunc((k % 2 ? down : across).whole ? b[k] : b[k] + 1e-9);
        s->nboxes++;
    }
}

/* Comes last: a pixel of an annotated object is not ignored because of a crowd's box. */
static void ignore_crowds(const xa_metric_spec *spec, const xa_region *r, xa__scene *s)
{
    const axis across = axis_of(spec, s->step_x, s->left, s->width, r->width);
    const axis down = axis_of(spec, s->step_y, s->top, s->height, r->height);
    double b[4];
    for (int i = r->nboxes; spec->ignore_crowd && i < r->nboxes + r->ncrowds; i++)
        if (place_box(&across, &down, r->boxes[i], b))
            paint(s, b, XA__BACKGROUND, XA__IGNORED);
}

/* The range of the map, before pixels are ignored: the whole map is stretched. */
static void take_range(xa__scene *s)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < s->count; i++) {
        const double v = xa__value(s, i);
        if (xa__left_out(s->where[i]))
            continue;
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    s->low = low;
    s->high = high;
}

/* The counts of pixels, the peak, and, if there are no boxes, the box around the masks. */
static void take_stock(xa__scene *s, bool wsol)
{
    int64_t x0 = s->width, y0 = s->height, x1 = -1, y1 = -1;
    int64_t region = 0, seen = 0, argmax = -1;
    float high = -INFINITY; /* a variable of its own, since a store to *s might alias the values */
    for (int64_t y = 0; y < s->height; y++) {
        const float *value = s->value + y * s->width;
        const uint8_t *where = s->where + y * s->width;
        int64_t first = s->width, last = -1;
        for (int64_t x = 0; x < s->width; x++) {
            const float v = value[x];
            if (xa__left_out(where[x]))
                continue;
            seen++;
            if (v > high) {
                high = v;
                argmax = y * s->width + x;
            }
            if (where[x] == XA__REGION) {
                region++;
                first = x < first ? x : first;
                last = x;
            }
        }
        if (last >= 0) {
            x0 = first < x0 ? first : x0;
            x1 = last > x1 ? last : x1;
            y0 = y < y0 ? y : y0;
            y1 = y;
        }
    }
    s->region = region;
    s->seen = seen;
    s->argmax = argmax;
    if (s->nboxes == 0 && s->region > 0) {
        const double past = wsol ? 0.0 : 1.0;
        double *b = s->box[s->nboxes++];
        b[0] = (double)x0;
        b[1] = (double)y0;
        b[2] = (double)x1 + past;
        b[3] = (double)y1 + past;
    }
}

xa_status xa__scene_make(const xa_metric_spec *spec,
                         const xa_region *r,
                         const xa_score_map *m,
                         xa__work *w,
                         xa__scene *s,
                         xa_err *err)
{
    *s = (xa__scene){.value = w->value, .where = w->where};
    w->largest.known = w->sorted = false;
    xa__scene_size(spec, r, m, &s->width, &s->height);
    s->count = s->width * s->height;
    s->left = s->top = 0.0;
    s->step_x = s->step_y = 1.0;
    if (spec->at != XA_AT_IMAGE) {
        s->step_x = m->affine[0][0] * (double)m->input_width / (double)s->width;
        s->step_y = m->affine[1][1] * (double)m->input_height / (double)s->height;
        s->left = m->affine[0][2];
        s->top = m->affine[1][2];
    }
    const float *map = m->values;
    if (m->channels > 1) {
        xa__reduce_channels(m, w->scratch);
        map = w->scratch;
    }
    memset(s->where, XA__BACKGROUND, (size_t)s->count);
    if (spec->at == XA_AT_IMAGE)
        to_image(m, map, s);
    else if (s->width == m->width && s->height == m->height)
        memcpy(s->value, map, (size_t)s->count * sizeof *map);
    else if (spec->at == XA_AT_GRID)
        xa__area_mean(map, m->height, m->width, s->value, s->height, s->width);
    else if (spec->cubic && spec->wsol)
        XA_RETURN_TRY(err, cubic_exact(m, map, w, s, err));
    else if (spec->cubic)
        XA_RETURN_TRY(err, cubic(map, m->height, m->width, s->value, s->height, s->width, err));
    else
        xa_upsample_linear(map, m->height, m->width, s->value, s->height, s->width);
    if (s->exact) {
        take_sign_exact(spec->sign, w->exact, s->count);
        for (int64_t i = 0; i < s->count; i++)
            s->value[i] = (float)s->exact[i];
    } else {
        take_sign(spec->sign, s->value, s->count);
    }
    take_range(s);
    mark_boxes(spec, r, w, s);
    mark_masks(spec, r, s);
    ignore_crowds(spec, r, s);
    take_stock(s, spec->wsol);
    return XA_OK;
}
