/* Winograd's minimal filtering for 3x3 kernels: the transforms of one tile, vectorised over
 * channels.
 *
 * m x m outputs of a correlation with 3x3 weights g from (m+2) x (m+2) inputs d (Lavin and Gray
 * 2016, equation 8):
 *
 *   Y = A^T [ (G g G^T) * (B^T d B) ] A        (m+2)^2 products a channel instead of 9 m^2
 *
 * and the input gradient is its adjoint, from the same transformed weights: dd = B [ U * (A dY A^T)
 * ] B^T, tiles added where they overlap.
 *
 * F(2x2) interpolates at 0, 1, -1 and infinity; F(4x4) at 0, +-sqrt(1/2), +-sqrt(2) and infinity,
 * whose constants are smaller than those of 0, +-1, +-2: rounding errors are a third. Sums are
 * plain additions, so that every instruction set gives the same bytes. A value that is not finite
 * spoils its whole tile.
 */
#include "isa_build.h"
#include "isa_table.h"

#define XA_ROOT_HALF 0.70710678118654752f
#define XA_ROOT_TWO 1.41421356237309505f

enum { MOST = 6 };

/* t = B^T d. */
XA_INLINE void split(const int m, const vw *d, vw *t)
{
    if (m == 2) {
        t[0] = d[0] - d[2];
        t[1] = d[1] + d[2];
        t[2] = d[2] - d[1];
        t[3] = d[1] - d[3];
        return;
    }
    const vw a = vw_set(XA_ROOT_HALF), b = vw_set(XA_ROOT_TWO), two = vw_set(2.0f),
             half = vw_set(0.5f), five = vw_set(2.5f);
    const vw ea = d[4] - two * d[2], oa = a * (d[3] - two * d[1]);
    const vw eb = d[4] - half * d[2], ob = b * (d[3] - half * d[1]);
    t[0] = d[0] - five * d[2] + d[4];
    t[1] = ea + oa;
    t[2] = ea - oa;
    t[3] = eb + ob;
    t[4] = eb - ob;
    t[5] = d[1] - five * d[3] + d[5];
}

/* d = B t. */
XA_INLINE void split_back(const int m, const vw *t, vw *d)
{
    if (m == 2) {
        d[0] = t[0];
        d[1] = t[1] - t[2] + t[3];
        d[2] = t[1] + t[2] - t[0];
        d[3] = -t[3];
        return;
    }
    const vw a = vw_set(XA_ROOT_HALF), b = vw_set(XA_ROOT_TWO), two = vw_set(2.0f),
             half = vw_set(0.5f), five = vw_set(2.5f);
    const vw sa = t[1] + t[2], da = a * (t[1] - t[2]), sb = t[3] + t[4], db = b * (t[3] - t[4]);
    d[0] = t[0];
    d[1] = t[5] - (two * da + half * db);
    d[2] = -five * t[0] - (two * sa + half * sb);
    d[3] = da + db - five * t[5];
    d[4] = t[0] + (sa + sb);
    d[5] = t[5];
}

/* y = A^T t. */
XA_INLINE void join(const int m, const vw *t, vw *y)
{
    if (m == 2) {
        y[0] = t[0] + t[1] + t[2];
        y[1] = t[1] - t[2] - t[3];
        return;
    }
    const vw a = vw_set(XA_ROOT_HALF), b = vw_set(XA_ROOT_TWO), two = vw_set(2.0f),
             half = vw_set(0.5f);
    const vw sa = t[1] + t[2], da = a * (t[1] - t[2]), sb = t[3] + t[4], db = b * (t[3] - t[4]);
    y[0] = t[0] + (sa + sb);
    y[1] = da + db;
    y[2] = half * sa + two * sb;
    y[3] = t[5] + (half * da + two * db);
}

/* t = A y. */
XA_INLINE void join_back(const int m, const vw *y, vw *t)
{
    if (m == 2) {
        t[0] = y[0];
        t[1] = y[0] + y[1];
        t[2] = y[0] - y[1];
        t[3] = -y[1];
        return;
    }
    const vw a = vw_set(XA_ROOT_HALF), b = vw_set(XA_ROOT_TWO), two = vw_set(2.0f),
             half = vw_set(0.5f);
    const vw ea = y[0] + half * y[2], oa = a * (y[1] + half * y[3]);
    const vw eb = y[0] + two * y[2], ob = b * (y[1] + two * y[3]);
    t[0] = y[0];
    t[1] = ea + oa;
    t[2] = ea - oa;
    t[3] = eb + ob;
    t[4] = eb - ob;
    t[5] = y[3];
}

/* One of the four over the columns, then over the rows, of a square of `from` x `from` vectors. */
#define XA_BOTH_WAYS(step, from, to)            \
    do {                                        \
        vw column[MOST], half_way[MOST][MOST];  \
        for (int x_ = 0; x_ < (from); x_++) {   \
            for (int y_ = 0; y_ < (from); y_++) \
                column[y_] = in[y_][x_];        \
            vw turned[MOST];                    \
            step(m, column, turned);            \
            for (int y_ = 0; y_ < (to); y_++)   \
                half_way[y_][x_] = turned[y_];  \
        }                                       \
        for (int y_ = 0; y_ < (to); y_++)       \
            step(m, half_way[y_], out[y_]);     \
    } while (0)

XA_INLINE vw load_some(const float *p, int64_t n)
{
    vw v = {0};
    memcpy(&v, p, (size_t)n * sizeof(*p));
    return v;
}
XA_INLINE void store_some(float *p, vw v, int64_t n)
{
    memcpy(p, &v, (size_t)n * sizeof(*p));
}

/* n channels from j: XA_LANES of them, or the last few. */
XA_INLINE void split_some(
    const int m, int64_t j, int64_t n, const float *const *pixels, float *points, int64_t apart)
{
    vw in[MOST][MOST], out[MOST][MOST];
    for (int i = 0; i < (m + 2) * (m + 2); i++)
        in[i / (m + 2)][i % (m + 2)] =
            n == XA_LANES ? vw_load(pixels[i] + j) : load_some(pixels[i] + j, n);
    XA_BOTH_WAYS(split, m + 2, m + 2);
    for (int i = 0; i < (m + 2) * (m + 2); i++)
        store_some(points + i * apart + j, out[i / (m + 2)][i % (m + 2)], n);
}

XA_INLINE void split_back_some(
    const int m, int64_t j, int64_t n, const float *points, int64_t apart, float *const *pixels)
{
    vw in[MOST][MOST], out[MOST][MOST];
    for (int i = 0; i < (m + 2) * (m + 2); i++)
        in[i / (m + 2)][i % (m + 2)] =
            n == XA_LANES ? vw_load(points + i * apart + j) : load_some(points + i * apart + j, n);
    XA_BOTH_WAYS(split_back, m + 2, m + 2);
    for (int i = 0; i < (m + 2) * (m + 2); i++)
        if (pixels[i]) {
            const vw before = n == XA_LANES ? vw_load(pixels[i] + j) : load_some(pixels[i] + j, n);
            store_some(pixels[i] + j, before + out[i / (m + 2)][i % (m + 2)], n);
        }
}

XA_INLINE void join_some(
    const int m, int64_t j, int64_t n, const float *points, int64_t apart, float *const *pixels)
{
    vw in[MOST][MOST], out[MOST][MOST];
    for (int i = 0; i < (m + 2) * (m + 2); i++)
        in[i / (m + 2)][i % (m + 2)] =
            n == XA_LANES ? vw_load(points + i * apart + j) : load_some(points + i * apart + j, n);
    XA_BOTH_WAYS(join, m + 2, m);
    for (int i = 0; i < m * m; i++)
        if (pixels[i])
            store_some(pixels[i] + j, out[i / m][i % m], n);
}

XA_INLINE void join_back_some(
    const int m, int64_t j, int64_t n, const float *const *pixels, float *points, int64_t apart)
{
    vw in[MOST][MOST], out[MOST][MOST];
    for (int i = 0; i < m * m; i++)
        in[i / m][i % m] = n == XA_LANES ? vw_load(pixels[i] + j) : load_some(pixels[i] + j, n);
    XA_BOTH_WAYS(join_back, m, m + 2);
    for (int i = 0; i < (m + 2) * (m + 2); i++)
        store_some(points + i * apart + j, out[i / (m + 2)][i % (m + 2)], n);
}

/* All channels of a tile, for either size. */
#define XA_ALL_CHANNELS(call, c, ...)                    \
    do {                                                 \
        int64_t j_ = 0;                                  \
        if (m == 4)                                      \
            for (; j_ + XA_LANES <= (c); j_ += XA_LANES) \
                call(4, j_, XA_LANES, __VA_ARGS__);      \
        else                                             \
            for (; j_ + XA_LANES <= (c); j_ += XA_LANES) \
                call(2, j_, XA_LANES, __VA_ARGS__);      \
        if (j_ < (c) && m == 4)                          \
            call(4, j_, (c)-j_, __VA_ARGS__);            \
        else if (j_ < (c))                               \
            call(2, j_, (c)-j_, __VA_ARGS__);            \
    } while (0)

void XA_K(xa_winograd_split)(
    int m, int64_t c, const float *const *pixels, float *points, int64_t apart)
{
    XA_ALL_CHANNELS(split_some, c, pixels, points, apart);
}

void XA_K(xa_winograd_split_back)(
    int m, int64_t c, const float *points, int64_t apart, float *const *pixels)
{
    XA_ALL_CHANNELS(split_back_some, c, points, apart, pixels);
}

void XA_K(xa_winograd_join)(
    int m, int64_t f, const float *points, int64_t apart, float *const *pixels)
{
    XA_ALL_CHANNELS(join_some, f, points, apart, pixels);
}

void XA_K(xa_winograd_join_back)(
    int m, int64_t f, const float *const *pixels, float *points, int64_t apart)
{
    XA_ALL_CHANNELS(join_back_some, f, pixels, points, apart);
}
