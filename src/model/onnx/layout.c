#include "layout.h"

#include <string.h>

static void append(xa__onnx_layout *l, int axis, int64_t extent)
{
    if (extent == 1)
        return;
    l->axis[l->natoms] = axis;
    l->extent[l->natoms] = extent;
    l->order[l->natoms] = l->natoms;
    l->natoms++;
}

xa__onnx_layout xa__layout_plain(const xa__onnx_shape *s)
{
    xa__onnx_layout l = {.rank = s->rank};
    for (int i = 0; i < s->rank; i++)
        append(&l, i, s->dim[i]);
    return l;
}

xa__onnx_layout xa__layout_image(int64_t c, int64_t h, int64_t w)
{
    xa__onnx_layout l = {.rank = 4};
    append(&l, 1, c);
    append(&l, 2, h);
    append(&l, 3, w);
    if (c > 1) {
        for (int i = 0; i + 1 < l.natoms; i++)
            l.order[i] = i + 1;
        l.order[l.natoms - 1] = 0;
    }
    return l;
}

xa__onnx_shape xa__layout_shape(const xa__onnx_layout *l)
{
    xa__onnx_shape s = {.rank = l->rank};
    for (int i = 0; i < l->rank; i++)
        s.dim[i] = xa__layout_extent(l, i);
    return s;
}

int64_t xa__layout_extent(const xa__onnx_layout *l, int axis)
{
    int64_t n = 1;
    for (int i = 0; i < l->natoms; i++)
        if (l->axis[i] == axis)
            n *= l->extent[i];
    return n;
}

int64_t xa__layout_count(const xa__onnx_layout *l)
{
    int64_t n = 1;
    for (int i = 0; i < l->natoms; i++)
        n *= l->extent[i];
    return n;
}

bool xa__layout_is_plain(const xa__onnx_layout *l)
{
    for (int i = 0; i < l->natoms; i++)
        if (l->order[i] != i)
            return false;
    return true;
}

int xa__layout_atoms(const xa__onnx_layout *l, int axis, int *n)
{
    int first = 0;
    while (first < l->natoms && l->axis[first] < axis)
        first++;
    *n = 0;
    while (first + *n < l->natoms && l->axis[first + *n] == axis)
        ++*n;
    return first;
}

int xa__layout_position(const xa__onnx_layout *l, int atom)
{
    int i = 0;
    while (l->order[i] != atom)
        i++;
    return i;
}

bool xa__layout_split(xa__onnx_layout *l, int atom, int64_t inner)
{
    if (inner == 1 || inner == l->extent[atom])
        return true;
    if (l->natoms == XA__ONNX_ATOMS)
        return false;
    const int at = xa__layout_position(l, atom);
    for (int i = l->natoms; i > atom + 1; i--) {
        l->axis[i] = l->axis[i - 1];
        l->extent[i] = l->extent[i - 1];
    }
    l->axis[atom + 1] = l->axis[atom];
    l->extent[atom + 1] = inner;
    l->extent[atom] /= inner;
    for (int i = 0; i < l->natoms; i++)
        l->order[i] += l->order[i] > atom;
    for (int i = l->natoms; i > at + 1; i--)
        l->order[i] = l->order[i - 1];
    l->order[at + 1] = atom + 1;
    l->natoms++;
    return true;
}

/* Takes an atom out; its extent is lost. */
static void remove_atom(xa__onnx_layout *l, int atom)
{
    const int at = xa__layout_position(l, atom);
    for (int i = at; i + 1 < l->natoms; i++)
        l->order[i] = l->order[i + 1];
    for (int i = atom; i + 1 < l->natoms; i++) {
        l->axis[i] = l->axis[i + 1];
        l->extent[i] = l->extent[i + 1];
    }
    l->natoms--;
    for (int i = 0; i < l->natoms; i++)
        l->order[i] -= l->order[i] > atom;
}

void xa__layout_join(xa__onnx_layout *l)
{
    for (int i = 0; i + 1 < l->natoms;) {
        if (l->axis[i] == l->axis[i + 1] &&
            xa__layout_position(l, i) + 1 == xa__layout_position(l, i + 1)) {
            l->extent[i] *= l->extent[i + 1];
            remove_atom(l, i + 1);
        } else {
            i++;
        }
    }
}

xa__onnx_layout xa__layout_transpose(const xa__onnx_layout *l, const int *order)
{
    xa__onnx_layout t = {.rank = l->rank, .natoms = l->natoms};
    int to[XA__ONNX_ATOMS], n = 0;
    for (int a = 0; a < l->rank; a++) {
        int count;
        const int first = xa__layout_atoms(l, order[a], &count);
        for (int i = first; i < first + count; i++) {
            t.axis[n] = a;
            t.extent[n] = l->extent[i];
            to[i] = n++;
        }
    }
    for (int i = 0; i < l->natoms; i++)
        t.order[i] = to[l->order[i]];
    return t;
}

bool xa__layout_reshape(const xa__onnx_layout *l, const xa__onnx_shape *to, xa__onnx_layout *out)
{
    xa__onnx_layout r = *l;
    int atom = 0;
    xa__layout_join(&r); /* of the old axes: what a split leaves can be joined again */
    r.rank = to->rank;
    for (int a = 0; a < to->rank; a++) {
        int64_t need = to->dim[a];
        while (need > 1) {
            if (atom == r.natoms)
                return false;
            if (r.extent[atom] > need) {
                if (r.extent[atom] % need || !xa__layout_split(&r, atom, r.extent[atom] / need))
                    return false;
            } else if (need % r.extent[atom]) {
                return false;
            }
            need /= r.extent[atom];
            r.axis[atom++] = a;
        }
    }
    if (atom != r.natoms)
        return false;
    xa__layout_join(&r);
    *out = r;
    return true;
}

xa__onnx_layout xa__layout_replace(const xa__onnx_layout *l, int axis, int64_t extent)
{
    xa__onnx_layout r = *l;
    int n;
    const int first = xa__layout_atoms(&r, axis, &n);
    while (n > 1)
        remove_atom(&r, first + --n);
    if (n == 1 && extent > 1) {
        r.extent[first] = extent;
    } else if (n == 1) {
        remove_atom(&r, first);
    } else if (extent > 1) {
        /* nothing tells where: the slowest */
        for (int i = r.natoms; i > first; i--) {
            r.axis[i] = r.axis[i - 1];
            r.extent[i] = r.extent[i - 1];
        }
        r.axis[first] = axis;
        r.extent[first] = extent;
        for (int i = r.natoms; i > 0; i--)
            r.order[i] = r.order[i - 1] + (r.order[i - 1] >= first);
        r.order[0] = first;
        r.natoms++;
    }
    return r;
}

xa__onnx_layout xa__layout_drop(const xa__onnx_layout *l, int axis, bool keep)
{
    xa__onnx_layout r = xa__layout_replace(l, axis, 1);
    if (keep)
        return r;
    for (int i = 0; i < r.natoms; i++)
        r.axis[i] -= r.axis[i] > axis;
    r.rank--;
    return r;
}

bool xa__layout_together(const xa__onnx_layout *l, int axis, bool in_order)
{
    int n;
    const int first = xa__layout_atoms(l, axis, &n);
    if (n == 0)
        return true;
    int at = l->natoms;
    for (int i = 0; i < n; i++) {
        const int p = xa__layout_position(l, first + i);
        at = p < at ? p : at;
    }
    for (int i = 0; i < n; i++) {
        const int atom = l->order[at + i];
        if (in_order ? atom != first + i : (atom < first || atom >= first + n))
            return false;
    }
    return true;
}

void xa__layout_last(const xa__onnx_layout *l, unsigned last, int *order)
{
    int n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < l->natoms; i++)
            if ((int)(last >> l->axis[l->order[i]] & 1) == pass)
                order[n++] = l->order[i];
}

xa_shape xa__layout_natural(const xa__onnx_layout *l)
{
    int64_t dim[XA__ONNX_ATOMS];
    int n = 0;
    for (int i = 0; i < l->natoms; i++) {
        const int a = l->order[i];
        if (i && a == l->order[i - 1] + 1 && l->axis[a] == l->axis[a - 1])
            dim[n - 1] *= l->extent[a];
        else
            dim[n++] = l->extent[a];
    }
    xa_shape s = {.ndim = n};
    while (s.ndim > XA_MAX_DIMS) {
        dim[0] *= dim[1];
        memmove(dim + 1, dim + 2, (size_t)(s.ndim - 2) * sizeof *dim);
        s.ndim--;
    }
    for (int i = 0; i < s.ndim; i++)
        s.dim[i] = dim[i];
    if (s.ndim == 0)
        s = (xa_shape){.ndim = 1, .dim = {1}};
    return s;
}

void xa__layout_strides(const xa__onnx_layout *l, int64_t *stride)
{
    int64_t n = 1;
    for (int i = l->natoms - 1; i >= 0; i--) {
        stride[i] = n;
        n *= l->extent[i];
    }
}
