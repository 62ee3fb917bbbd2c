/* Weights of a vision transformer as the operators need them, made of the file's tensors. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vit.h"

static const xa__stensor *tensor_of(const xa__vit *v, int t)
{
    return &v->file->tensors[t];
}

/* How many values the tensors of a piece must have. */
static int64_t values_of(const xa__vit *v, const xa__vit_piece *p)
{
    int64_t n = 0;
    for (int i = 0; i < p->ntensors; i++)
        n += xa_shape_count(&tensor_of(v, p->tensor[i])->shape);
    return n;
}

static bool fits(const xa__vit *v, const xa__vit_piece *p, const xa_shape *shape)
{
    const xa_shape *s = &tensor_of(v, p->tensor[0])->shape;
    switch (p->kind) {
    case XA__PIECE_VECTOR:
        return s->ndim == 1 && p->first + p->rows <= s->dim[0] && p->rows == xa_shape_count(shape);
    case XA__PIECE_LINEAR:
        return s->ndim == 2 && s->dim[1] == shape->dim[0] && p->rows == shape->dim[1] &&
               p->first + p->rows <= s->dim[0];
    case XA__PIECE_CONV:
        return s->ndim == 4 && s->dim[0] == shape->dim[3] && s->dim[1] == shape->dim[2] &&
               s->dim[2] == shape->dim[0] && s->dim[3] == shape->dim[1];
    case XA__PIECE_JOIN:
        return values_of(v, p) == xa_shape_count(shape);
    case XA__PIECE_POSITION:
        return (s->ndim == 2 || (s->ndim == 3 && s->dim[0] == 1)) &&
               xa_shape_last(s) == shape->dim[1];
    }
    return false;
}

xa_status xa__vit_weight(xa__vit *v,
                         xa_graph *g,
                         const xa__vit_piece *piece,
                         const xa_shape *shape,
                         int *id,
                         xa_err *err)
{
    char a[96], b[96];
    const xa__stensor *t = tensor_of(v, piece->tensor[0]);
    if (!fits(v, piece, shape))
        XA_RETURN_FAIL(err,
                       XA_SHAPE,
                       "%s: tensor \"%s\" is %s, which does not fit a weight of %s (rows %" PRId64
                       " to %" PRId64 " of it)",
                       v->file->path,
                       t->name,
                       xa_shape_text(&t->shape, a, sizeof a),
                       xa_shape_text(shape, b, sizeof b),
                       piece->first,
                       piece->first + piece->rows);
    XA_RETURN_TRY(err, xa_grow(&v->pieces, &v->piece_cap, v->npieces + 1, sizeof *v->pieces, err));
    v->pieces[v->npieces] = *piece;
    for (int i = 0; i < piece->ntensors; i++) {
        const xa_shape *s = &tensor_of(v, piece->tensor[i])->shape;
        v->read[piece->tensor[i]] += piece->kind == XA__PIECE_VECTOR   ? piece->rows
                                     : piece->kind == XA__PIECE_LINEAR ? piece->rows * s->dim[1]
                                                                       : xa_shape_count(s);
    }
    return xa_graph_add_weight(g, t->name, shape, (int64_t)v->npieces++, NULL, id, err);
}

static xa_status
read_linear(xa__vit *v, const xa__vit_piece *p, const xa_shape *s, float *dst, xa_err *err)
{
    const int64_t in = s->dim[0], out = s->dim[1];
    float *raw = xa_alloc((size_t)(in * out), sizeof *raw);
    if (!raw)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", v->file->path);
    const xa_status st = xa__sfile_read(v->file, p->tensor[0], p->first * in, in * out, raw, err);
    for (int64_t i = 0; st == XA_OK && i < out; i++)
        for (int64_t k = 0; k < in; k++)
            dst[k * out + i] = raw[i * in + k];
    free(raw);
    return st;
}

static xa_status
read_conv(xa__vit *v, const xa__vit_piece *p, const xa_shape *s, float *dst, xa_err *err)
{
    const int64_t h = s->dim[0], w = s->dim[1], in = s->dim[2], out = s->dim[3];
    const int64_t n = xa_shape_count(s);
    float *raw = xa_alloc((size_t)n, sizeof *raw);
    if (!raw)
        XA_RETURN_FAIL(err, XA_NOMEM, "%s: out of memory", v->file->path);
    const xa_status st = xa__sfile_read(v->file, p->tensor[0], 0, n, raw, err);
    for (int64_t o = 0; st == XA_OK && o < out; o++)
        for (int64_t c = 0; c < in; c++)
            for (int64_t i = 0; i < h * w; i++)
                dst[(i * in + c) * out + o] = raw[(o * in + c) * h * w + i];
    free(raw);
    return st;
}

/* Rows of the prefix stay; the grid is interpolated to the wanted one by the library's own rule
 * (timm: antialiased bicubic, transformers: bicubic). */
static xa_status
read_position(xa__vit *v, const xa__vit_piece *p, const xa_shape *s, float *dst, xa_err *err)
{
    const int64_t d = v->width, front = v->position_rows - v->file_h * v->file_w;
    const int64_t grid = v->file_h * v->file_w * d, patches = v->grid_h * v->grid_w;
    float *rest = dst + (s->dim[0] - patches) * d; /* registers have no position */
    xa_image from = {0}, to = {0};
    xa_status st = XA_OK;
    XA_TRY(err, xa__sfile_read(v->file, p->tensor[0], 0, front * d, dst, err));
    memset(dst + front * d, 0, (size_t)((s->dim[0] - patches - front) * d) * sizeof *dst);
    if (v->file_h == v->grid_h && v->file_w == v->grid_w)
        return xa__sfile_read(v->file, p->tensor[0], front * d, grid, rest, err);
    XA_TRY(err, xa_image_init(&from, v->file_w, v->file_h, (int)d, XA_PIXEL_F32, err));
    XA_TRY(err, xa__sfile_read(v->file, p->tensor[0], front * d, grid, from.data, err));
    XA_TRY(err, xa_image_resize(&from, v->grid_w, v->grid_h, v->dialect->interpolation, &to, err));
    memcpy(rest, to.data, (size_t)(patches * d) * sizeof *dst);
done:
    xa_image_fini(&from);
    xa_image_fini(&to);
    return st;
}

xa_status xa__vit_read_piece(xa__vit *v, const xa_weight *w, float *dst, xa_err *err)
{
    if (w->source < 0 || (size_t)w->source >= v->npieces)
        XA_RETURN_FAIL(err, XA_NOT_FOUND, "weight \"%s\" is not in %s", w->name, v->file->path);
    const xa__vit_piece *p = &v->pieces[w->source];
    switch (p->kind) {
    case XA__PIECE_VECTOR:
        return xa__sfile_read(v->file, p->tensor[0], p->first, p->rows, dst, err);
    case XA__PIECE_LINEAR:
        return read_linear(v, p, &w->shape, dst, err);
    case XA__PIECE_CONV:
        return read_conv(v, p, &w->shape, dst, err);
    case XA__PIECE_JOIN:
        for (int i = 0; i < p->ntensors; i++) {
            const int64_t n = xa_shape_count(&tensor_of(v, p->tensor[i])->shape);
            XA_RETURN_TRY(err, xa__sfile_read(v->file, p->tensor[i], 0, n, dst, err));
            dst += n;
        }
        return XA_OK;
    case XA__PIECE_POSITION:
        return read_position(v, p, &w->shape, dst, err);
    }
    return XA_OK;
}
