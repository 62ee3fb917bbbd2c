/* What attention needs in addition to products: softmax of rows, its derivative, transposition. */
#include "isa_math.h"
#include "isa_table.h"
#include "isa_turn.h"

/* The last columns of a row, filled up. */
XA_INLINE v8 load_part(int64_t n, const float *p, float fill)
{
    v8 v = v8_set(fill);
    memcpy(&v, p, (size_t)n * sizeof(*p));
    return v;
}

XA_INLINE v8 larger(v8 a, v8 b)
{
    return v8_select(v8_gt(a, b), a, b);
}

static float row_maximum(int64_t c, const float *x)
{
    v8 most = v8_set(-INFINITY);
    int64_t j = 0;
    for (; j + 8 <= c; j += 8)
        most = larger(v8_load(x + j), most);
    if (j < c)
        most = larger(load_part(c - j, x + j, -INFINITY), most);
    float m = most[0];
    for (int i = 1; i < 8; i++)
        m = most[i] > m ? most[i] : m;
    return m;
}

/* scale >= 0 finds its maximum where x has it; below, where x has its minimum. */
static float row_scaled_maximum(int64_t c, float scale, const float *x)
{
    if (scale >= 0.0f)
        return row_maximum(c, x);
    float m = x[0];
    for (int64_t j = 1; j < c; j++)
        m = x[j] < m ? x[j] : m;
    return m;
}

void XA_K(xa_softmax)(int64_t rows, int64_t c, float scale, const float *x, float *y)
{
    for (int64_t r = 0; r < rows; r++) {
        const float *xr = x + r * c;
        float *yr = y + r * c;
        const float most = row_scaled_maximum(c, scale, xr);
        const v8 m = v8_set(most), by = v8_set(scale);
        v8 sum = v8_set(0.0f);
        int64_t j = 0;
        for (; j + 8 <= c; j += 8) {
            const v8 e = v8_exp((v8_load(xr + j) - m) * by);
            sum += e;
            v8_store(yr + j, e);
        }
        if (j < c) {
            v8 e = v8_exp((load_part(c - j, xr + j, most) - m) * by);
            for (int i = (int)(c - j); i < 8; i++)
                e[i] = 0.0f;
            sum += e;
            memcpy(yr + j, &e, (size_t)(c - j) * sizeof(*yr));
        }
        const float total = v8_sum(sum);
        for (j = 0; j < c; j++)
            yr[j] = yr[j] / total;
    }
}

void XA_K(xa_softmax_back)(
    int64_t rows, int64_t c, float scale, const float *y, const float *dy, float *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        const float *yr = y + r * c, *dyr = dy + r * c;
        float *dxr = dx + r * c;
        v8 sum = v8_set(0.0f);
        int64_t j = 0;
        for (; j + 8 <= c; j += 8)
            sum = v8_fma(v8_load(yr + j), v8_load(dyr + j), sum);
        if (j < c)
            sum = v8_fma(load_part(c - j, yr + j, 0.0f), load_part(c - j, dyr + j, 0.0f), sum);
        const float total = v8_sum(sum);
        for (j = 0; j < c; j++)
            dxr[j] = scale * yr[j] * (dyr[j] - total);
    }
}

/* Blocks of eight by eight in registers; the remaining values one by one. */
void XA_K(xa_transpose)(int64_t rows, int64_t c, const float *x, int64_t ldx, float *y)
{
    const int64_t whole_rows = rows / 8 * 8, whole = c / 8 * 8;
    for (int64_t j = 0; j < whole; j += 8)
        for (int64_t i = 0; i < whole_rows; i += 8)
            turn_eight(x + i * ldx + j, ldx, y + j * rows + i, rows);
    for (int64_t j = 0; j < c; j++)
        for (int64_t i = j < whole ? whole_rows : 0; i < rows; i++)
            y[j * rows + i] = x[i * ldx + j];
}
