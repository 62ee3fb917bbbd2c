/* Where the elements of a value lie: logical axes, physical order. Private to model.
 *
 * A graph of ONNX says NCHW and transposes and reshapes at will; the engine computes in NHWC and
 * on rows. Each axis of a value is a product of atoms, indivisible factors of an extent; the memory
 * holds the atoms in some order. Transposing permutes axes, reshaping regroups atoms (splitting
 * some): neither moves a byte. Extents of 1 have no atoms, so that the batch of one vanishes from
 * merges with heads or windows.
 *
 * Atoms are kept in logical order: those of axis 0, outermost first, then those of axis 1, ...
 */
#ifndef XAUDIT_MODEL_ONNX_LAYOUT_H
#define XAUDIT_MODEL_ONNX_LAYOUT_H

#include "model.h"

enum { XA__ONNX_ATOMS = 20 };

typedef struct xa__onnx_layout {
    int rank;
    int natoms;
    int axis[XA__ONNX_ATOMS];       /* of the atom, ascending */
    int64_t extent[XA__ONNX_ATOMS]; /* above 1 */
    int order[XA__ONNX_ATOMS];      /* atom at memory position i, the slowest first */
} xa__onnx_layout;

/* Memory in logical order, an atom an axis. */
xa__onnx_layout xa__layout_plain(const xa__onnx_shape *s);
/* [1,C,H,W] as H, W, C. */
xa__onnx_layout xa__layout_image(int64_t c, int64_t h, int64_t w);
xa__onnx_shape xa__layout_shape(const xa__onnx_layout *l);
int64_t xa__layout_extent(const xa__onnx_layout *l, int axis);
int64_t xa__layout_count(const xa__onnx_layout *l);
bool xa__layout_is_plain(const xa__onnx_layout *l);
/* First atom of an axis; *n of them. */
int xa__layout_atoms(const xa__onnx_layout *l, int axis, int *n);
/* Memory position of an atom. */
int xa__layout_position(const xa__onnx_layout *l, int atom);

/* Splits an atom: `inner` is the extent of its faster part. False: no atom is left to have. */
bool xa__layout_split(xa__onnx_layout *l, int atom, int64_t inner);
/* Joins neighbours of an axis that are neighbours in memory. */
void xa__layout_join(xa__onnx_layout *l);
/* Output axis i is input axis order[i]. */
xa__onnx_layout xa__layout_transpose(const xa__onnx_layout *l, const int *order);
/* Regroups the atoms, splitting where needed. False where no split reaches the new extents: memory
 * must be in logical order first. */
bool xa__layout_reshape(const xa__onnx_layout *l, const xa__onnx_shape *to, xa__onnx_layout *out);
/* The axis replaced by one atom of another extent (none, if that is 1) at the place in memory of
 * its first atom. */
xa__onnx_layout xa__layout_replace(const xa__onnx_layout *l, int axis, int64_t extent);
/* Without the atoms of an axis; the axis stays, with extent 1, or goes. */
xa__onnx_layout xa__layout_drop(const xa__onnx_layout *l, int axis, bool keep);

/* Whether the atoms of an axis lie one after the other in memory, in logical order (`in_order`) or
 * in any. */
bool xa__layout_together(const xa__onnx_layout *l, int axis, bool in_order);
/* The order in which the atoms of `last` axes (a bit each) come last, in their present order, and
 * all others before them, in theirs. */
void xa__layout_last(const xa__onnx_layout *l, unsigned last, int *order);
/* Extents as the engine is to see them: an axis whose atoms lie in logical order is one extent. At
 * most XA_MAX_DIMS; the slowest are joined beyond. */
xa_shape xa__layout_natural(const xa__onnx_layout *l);
/* Distance of each atom in a tensor of the same extents in logical order; [natoms]. */
void xa__layout_strides(const xa__onnx_layout *l, int64_t *stride);

#endif
