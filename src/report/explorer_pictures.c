/* The pictures of one image in the explorer: the photograph as JPEG; maps as small grey PNG files,
 * which the page colours; contours and annotations as paths in thousandths of the picture. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explorer.h"

/* Pixels: of photographs; of maps with a value for each pixel; of coarse grids, which a browser
 * would enlarge in steps that are seen; of masks whose outlines are sought. */
enum { PHOTO_SIDE = 320, PHOTO_QUALITY = 82, PIXEL_SIDE = 128, GRID_SIDE = 48, MASK_SIDE = 160 };

void xa__json_text(FILE *out, const char *text)
{
    xa_str valid = {0};
    xa_str_utf8(&valid, text);
    fputc('"', out);
    for (const char *p = valid.data ? valid.data : ""; *p; p++)
        if ((unsigned char)*p < 0x20 || strchr("\"\\<>&'", *p))
            fprintf(out, "\\u%04x", (unsigned)*p);
        else
            fputc(*p, out);
    fputc('"', out);
    xa_str_free(&valid);
}

void xa__data_uri(FILE *out, const char *type, const xa_str *bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes->data;
    const size_t n = bytes->len;
    fprintf(out, "data:image/%s;base64,", type);
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)(i + 1 < n ? p[i + 1] : 0) << 8 |
                           (uint32_t)(i + 2 < n ? p[i + 2] : 0);
        fputc(letters[v >> 18], out);
        fputc(letters[v >> 12 & 63], out);
        fputc(i + 1 < n ? letters[v >> 6 & 63] : '=', out);
        fputc(i + 2 < n ? letters[v & 63] : '=', out);
    }
}

/* Height and width of a grid over the frame whose longer side has `side` cells. */
static void grid_size(const double frame[2], int side, int64_t *h, int64_t *w)
{
    const double scale = side / fmax(frame[0], frame[1]);
    *w = (int64_t)fmax(2.0, rint(frame[0] * scale));
    *h = (int64_t)fmax(2.0, rint(frame[1] * scale));
}

/* Lines in thousandths of the frame; points closer than 4 to the last one are left out. */
static void put_path(FILE *out, const xa_lines *l, const double frame[2])
{
    fputc('"', out);
    for (int i = 0; i < l->n; i++) {
        double last[2] = {-1e9, -1e9};
        const int end = l->first[i + 1] - 1;
        for (int k = l->first[i]; k <= end; k++) {
            const double x = 1000.0 * l->point[k][0] / frame[0];
            const double y = 1000.0 * l->point[k][1] / frame[1];
            if (k > l->first[i] && k < end && hypot(x - last[0], y - last[1]) < 4.0)
                continue;
            fprintf(out, "%s%.0f %.0f", k > l->first[i] ? "L" : "M", x, y);
            last[0] = x;
            last[1] = y;
        }
    }
    fputc('"', out);
}

static xa_status
put_grey(FILE *out, const float *t, bool is_signed, int step, int64_t h, int64_t w, xa_err *err)
{
    xa_status st = XA_OK;
    xa_image im = {0};
    xa_str png = {0};
    XA_TRY(err, xa_image_init(&im, w, h, 1, XA_PIXEL_U8, err));
    for (int64_t i = 0; i < h * w; i++) {
        const double v = isfinite(t[i]) ? fmin(fmax((double)t[i], -1.0), 1.0) : 0.0;
        const double grey = 255.0 * (is_signed ? 0.5 * v + 0.5 : fmax(v, 0.0));
        ((uint8_t *)im.data)[i] = (uint8_t)(lrint(grey) / step * step);
    }
    XA_TRY(err, xa_image_png(&im, &png, err));
    fputc('"', out);
    xa__data_uri(out, "png", &png);
    fputc('"', out);
done:
    xa_image_fini(&im);
    xa_str_free(&png);
    return st;
}

/* A map as {"m": picture, "s": 1 if it is signed, "c": contour}, or null. */
static xa_status
put_map(FILE *out, const xa__explorer *x, int column, int row, const double frame[2], xa_err *err)
{
    xa_status st = XA_OK;
    const xa_figure_column *c = &x->f->column[column];
    const bool pixelwise = xa_kind_is_pixelwise(c->map->kind);
    xa_figure_tone tone = {.pixelwise = pixelwise, .over = xa_overlay_defaults(pixelwise)};
    xa_figure_map m = {0};
    xa_lines lines = {0};
    float *t = NULL;
    int64_t h, w;
    double strength;
    XA_TRY(err, xa_figure_map_read(x->f, c, x->f->sample[row], &m, err));
    if (!m.values) {
        fputs("null", out);
        goto done;
    }
    for (int64_t i = 0; i < m.height * m.width; i++)
        tone.is_signed = tone.is_signed || m.values[i] < 0.0f;
    grid_size(frame, pixelwise ? PIXEL_SIDE : GRID_SIDE, &h, &w);
    XA_TRY(err, xa_figure_map_show(&m, &tone, frame, h, w, &t, &strength, err));
    fputs("{\"m\":", out);
    /* a quarter of the greys is enough for single pixels, and compresses */
    XA_TRY(err, put_grey(out, t, tone.is_signed, pixelwise ? 4 : 1, h, w, err));
    if (tone.is_signed)
        fputs(",\"s\":1", out);
    if (!pixelwise && !tone.is_signed) {
        XA_TRY(err, xa_figure_half_mass(&m, frame, &lines, err));
        fputs(",\"c\":", out);
        put_path(out, &lines, frame);
    }
    fputc('}', out);
done:
    xa_lines_fini(&lines);
    free(m.values);
    free(t);
    return st;
}

/* The boxes, in thousandths, and the outline of all masks. A mask that cannot be read has none. */
static xa_status
put_truth(FILE *out, const xa__explorer *x, int64_t sample, const double frame[2], xa_err *err)
{
    xa_status st = XA_OK;
    double(*box)[4] = NULL;
    int n = 0;
    bool any = false;
    int64_t h, w;
    xa_lines lines = {0};
    xa_err why = XA_ERR_INIT;
    grid_size(frame, MASK_SIDE, &h, &w);
    float *field = xa_alloc((size_t)(2 * h * w), sizeof *field);
    if (!field)
        XA_NOMEM_FAIL(err);
    XA_TRY(err, xa_figure_boxes(x->f, sample, &box, &n, err));
    fputs(",\"b\":[", out);
    for (int i = 0; i < n; i++)
        fprintf(out,
                "%s[%.0f,%.0f,%.0f,%.0f]",
                i ? "," : "",
                1000.0 * box[i][0] / frame[0],
                1000.0 * box[i][1] / frame[1],
                1000.0 * box[i][2] / frame[0],
                1000.0 * box[i][3] / frame[1]);
    fputs("]", out);
    if (xa_figure_masked(x->f, sample, h, w, field, &any, &why) == XA_OK && any) {
        XA_TRY(err, xa_map_smooth(field, h, w, 1.0, field + h * w, err));
        XA_TRY(err, xa_map_contour(field + h * w, h, w, 0.5, frame, true, &lines, err));
        fputs(",\"o\":", out);
        put_path(out, &lines, frame);
    }
done:
    xa_lines_fini(&lines);
    free(field);
    free(box);
    return st;
}

xa_status xa__explorer_pictures(FILE *out, const xa__explorer *x, int row, xa_err *err)
{
    xa_status st = XA_OK;
    const int64_t sample = x->f->sample[row];
    xa_image photo = {0};
    xa_str jpeg = {0};
    xa_err why = XA_ERR_INIT;
    double frame[2];
    const xa_status read =
        xa_figure_image_read(x->f, x->f->column[0].model, sample, PHOTO_SIDE, &photo, frame, &why);
    if (read != XA_OK) {
        ++*x->missing;
        fprintf(out,
                "{\"why\":\"%s\"}",
                read == XA_MISMATCH ? "the image here has other pixels than the audited one"
                                    : "image not found");
        return XA_OK;
    }
    XA_TRY(err, xa_image_jpeg(&photo, PHOTO_QUALITY, &jpeg, err));
    fputs("{\"p\":\"", out);
    xa__data_uri(out, "jpeg", &jpeg);
    fprintf(out, "\",\"ar\":%.4f,\"e\":[", frame[0] / frame[1]);
    for (int c = 0; c < x->columns; c++) {
        fputs(c ? "," : "", out);
        XA_TRY(err, put_map(out, x, c, row, frame, err));
    }
    fputc(']', out);
    XA_TRY(err, put_truth(out, x, sample, frame, err));
    fputc('}', out);
done:
    xa_image_fini(&photo);
    xa_str_free(&jpeg);
    return st;
}
