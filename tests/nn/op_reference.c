#include "op_reference.h"

static const op_family *const families[] = {&op_windows, &op_rows, &op_elementwise, &op_places};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

int op_case_count(void)
{
    int n = 0;
    for (int f = 0; f < FAMILIES; f++)
        n += families[f]->count;
    return n;
}

const op_case *op_case_at(int i)
{
    int f = 0;
    while (i >= families[f]->count)
        i -= families[f++]->count;
    return &families[f]->cases[i];
}

op_formula *op_formula_of(xa_op op)
{
    for (int f = 0; f < FAMILIES; f++)
        if (families[f]->formulas[op])
            return families[f]->formulas[op];
    return NULL;
}

void op_reference(const op_case *c,
                  const xa_shape *out,
                  const double *const *x,
                  const double *const *w,
                  double *y)
{
    op_formula *formula = op_formula_of(c->op);
    for (int64_t i = 0; i < xa_shape_count(out); i++) {
        op_point p = {.out = out, .i = i};
        int64_t rest = i;
        for (int d = out->ndim - 1; d >= 0; d--) {
            p.o[d] = rest % out->dim[d];
            rest /= out->dim[d];
        }
        y[i] = formula(c, &p, x, w);
    }
}

int64_t op_ravel(const xa_shape *s, const int64_t index[XA_MAX_DIMS])
{
    int64_t at = 0;
    for (int d = 0; d < s->ndim; d++)
        at = at * s->dim[d] + (s->dim[d] == 1 ? 0 : index[d]);
    return at;
}

int64_t op_pixel(const xa_shape *s, int64_t y, int64_t x, int64_t c)
{
    return (y * s->dim[1] + x) * s->dim[2] + c;
}

bool op_in_image(const xa_shape *s, int64_t y, int64_t x)
{
    return y >= 0 && y < s->dim[0] && x >= 0 && x < s->dim[1];
}
