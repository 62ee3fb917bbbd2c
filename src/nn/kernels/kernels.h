/* Kernels: pure functions on pointers and extents. Private to nn.
 *
 * Every file of this folder that is listed in XA_KERNEL_FILES (files.cmake) is compiled once per
 * instruction set (ISA), with XA_ISA_SUFFIX defined; kernel names get the suffix through XA_K().
 * They are plain loops that the compiler vectorises, with XA_FMA for fused multiply-adds, so that
 * base and AVX2 have the same source. The table xa_kernels holds the functions of one ISA; the plan
 * chooses it from the processor's feature bits, never by timing.
 *
 * Each kernel has a reference twin in tests/nn/kernels_ref.h: the obvious loops with sums in
 * double, which define what it computes, and which the tests compare it with.
 *
 * Row contract: an output row (pixel) never depends on the other rows of the call.
 * NaN and infinities are carried through; denormals are not flushed but in the chains of gemm_bf16,
 * which says so.
 */
#ifndef XAUDIT_NN_KERNELS_H
#define XAUDIT_NN_KERNELS_H

#include "xaudit/nn.h"

/* ReLU bits: one bit per element, rows (pixels) of C channels padded to whole bytes: bit c%8 of
 * byte row*((C+7)/8) + c/8 is 1 where the gradient passes. */
static inline size_t xa_bits_row(int64_t channels)
{
    return (size_t)(channels + 7) / 8;
}
static inline size_t xa_bits_bytes(int64_t rows, int64_t channels)
{
    return (size_t)rows * xa_bits_row(channels);
}

/* Depthwise geometry: one sample x [H,W,C] -> y [OH,OW,C*M]. */
typedef struct xa_dw_shape {
    int64_t h, w, c, m, oh, ow;
    int64_t kh, kw, sh, sw, dh, dw, pad_top, pad_left;
} xa_dw_shape;

/* Pooling geometry: one sample x [H,W,C] -> y [OH,OW,C]. */
typedef struct xa_pool_shape {
    int64_t h, w, c, oh, ow;
    int64_t kh, kw, sh, sw, pad_top, pad_left;
    bool counted; /* means: padding counts, as far as it is said (pad_bottom, pad_right) */
    int64_t pad_bottom, pad_right;
} xa_pool_shape;
/* Windows of at most this many elements keep the place of their maximum in one byte, others in four
 * (native uint32_t). */
enum { XA_POOL_BYTE_WINDOW = 256 };

/* Rows of a product, read where they lie: row i is `count` pieces of `length` floats, piece p at
 * at[p * stride + i]. */
typedef struct xa_pieces {
    int64_t count, length, stride;
    const float *const *at;
} xa_pieces;
/* What follows a product while its sums are in the first cache: y = act(sum + bias + residual), as
 * `epilogue` does; residual has c's row stride, bits are rows of N. Each may be NULL. */
typedef struct xa_finish {
    const float *bias, *residual;
    const xa_activation *act;
    uint8_t *bits;
} xa_finish;
enum { XA_GEMM_ROWS = 288, XA_GEMM_DEPTH = 384 };

/* A matrix in bfloat16, the upper half of a float: pieces of [L,N] that rows' pieces are multiplied
 * by, in panels (xa_bf16_pack). */
typedef struct xa_bf16_matrix {
    const uint16_t *panels;
    int64_t pieces;       /* there are in it */
    const int64_t *which; /* the piece that meets each of the rows' pieces; NULL: as they come */
} xa_bf16_matrix;
enum { XA_BF16_DEPTH = 768, XA_BF16_ROWS_BYTES = XA_GEMM_ROWS * 1600 };

/* ---- function types: each is written once, here -------------------------------------------------
 *
 * XA_KERNEL_LIST makes the table, the declarations of every instruction set (isa_table.h), those of
 * the reference twins (tests/nn/kernels_ref.h) and the list of tests from them. A new kernel is a
 * type here, its name in the list, its function in a file of XA_KERNEL_FILES, its twin and its
 * test.
 */

/* c[M,N] = a[M,K] * b[K,N] (leading dimensions lda, ldb, ldc; c is overwritten). Every element is
 * one fused multiply-add chain in ascending k: any M gives the same row, and equal rows give equal
 * results wherever they stand (flat image regions tie exactly, as in exact arithmetic). */
typedef void xa_kernel_gemm_rows(int64_t m,
                                 int64_t n,
                                 int64_t k,
                                 const float *a,
                                 int64_t lda,
                                 const float *b,
                                 int64_t ldb,
                                 float *c,
                                 int64_t ldc);
/* c[M,N] = finish(a b), b [K,N] in panels (xa_panels_pack), K = a->count * a->length, at most
 * XA_GEMM_ROWS rows. Every element is summed over blocks of XA_GEMM_DEPTH in ascending k, each a
 * fused multiply-add chain from zero. finish may be NULL. */
typedef void xa_kernel_gemm_panels(int64_t m,
                                   int64_t n,
                                   const xa_pieces *a,
                                   const float *panels,
                                   float *c,
                                   int64_t ldc,
                                   const xa_finish *finish);
/* c[M,width] = sum over pieces p of a_p[M,N] (rows first[p] .. first[p]+width-1 of b)^T, N =
 * a->length, b [K,N] in panels: the product with the transpose, and the input gradient of
 * convolutions, whose taps are such rows. */
typedef void xa_kernel_gemm_panels_nt(int64_t m,
                                      int64_t k,
                                      const xa_pieces *a,
                                      const float *panels,
                                      const int64_t *first,
                                      int64_t width,
                                      float *c,
                                      int64_t ldc);

/* c[M,N] = finish(sum over pieces p of round(a_p)[M,L] b_w(p)[L,N]), L = a->length, w = b->which, b
 * in bfloat16 panels, at most XA_GEMM_ROWS rows. Rows are rounded to bfloat16 (nearest even;
 * denormals become zeros of their sign) in `rows`, XA_BF16_ROWS_BYTES of scratch, 64-byte aligned.
 * finish may be NULL.
 *
 * Every element is summed over blocks of XA_BF16_DEPTH in ascending depth, where each piece counts
 * as xa_bf16_even(L) steps, the last of an odd one being 0 times 0. A block is one chain from zero,
 * as the instruction vdpbf16ps has it: of each pair the odd element first, c = fma(a1, b1, c), then
 * c = fma(a0, b0, c), each rounded to nearest even; operands that are denormal count as zeros of
 * their sign, and so do results that are below the smallest normal number after rounding (on
 * AArch64: before). All else, the sum of the blocks and what follows, is float32 as everywhere, and
 * flushes nothing. Sets with fused multiply-adds give the same bytes, NaN's payload apart; sets
 * without have no such kernel (NULL). */
typedef void xa_kernel_gemm_bf16(int64_t m,
                                 int64_t n,
                                 const xa_pieces *a,
                                 const xa_bf16_matrix *b,
                                 void *rows,
                                 float *c,
                                 int64_t ldc,
                                 const xa_finish *finish);

/* Winograd's transforms of one tile of 3x3 filtering, m 2 or 4 (winograd.c): point p lies at points
 * + p*apart, c channels each. split makes B^T d B of the (m+2)^2 pixels; join makes A^T t A, m^2
 * pixels, and skips those that are NULL. The adjoints: split_back adds to its pixels and skips
 * those that are NULL; join_back reads m^2 pixels. */
typedef void xa_kernel_winograd_split(
    int m, int64_t c, const float *const *pixels, float *points, int64_t apart);
typedef void xa_kernel_winograd_split_back(
    int m, int64_t c, const float *points, int64_t apart, float *const *pixels);
typedef void
xa_kernel_winograd_join(int m, int64_t f, const float *points, int64_t apart, float *const *pixels);
typedef void xa_kernel_winograd_join_back(
    int m, int64_t f, const float *const *pixels, float *points, int64_t apart);

/* y[r,c] = act(y[r,c] + bias[c] + residual[r,c]); bias, residual, bits may be NULL. act is LINEAR
 * or RELU; NaN stays NaN. ld is the row stride of y and residual. */
typedef void xa_kernel_epilogue(int64_t rows,
                                int64_t c,
                                float *y,
                                int64_t ld,
                                const float *bias,
                                const float *residual,
                                const xa_activation *act,
                                uint8_t *bits);
/* out[r,c] = bit ? dy[r,c] : slope*dy[r,c]; out may be dy. */
typedef void xa_kernel_mask(
    int64_t rows, int64_t c, const float *dy, const uint8_t *bits, float slope, float *out);
/* out = a + b, n elements; out may be a or b. */
typedef void xa_kernel_add(int64_t n, const float *a, const float *b, float *out);
/* y[r,c] = x[r,c]*scale[c] + shift[c]; shift may be NULL; y may be x. */
typedef void xa_kernel_affine(
    int64_t rows, int64_t c, const float *x, const float *scale, const float *shift, float *y);

/* Depthwise rows [row0, row1) of one sample's output; y points at row row0; w [KH,KW,C,M]. There is
 * no bias. */
typedef void xa_kernel_depthwise(
    const xa_dw_shape *s, const float *x, const float *w, int64_t row0, int64_t row1, float *y);
/* Rows [row0, row1) of one sample's input gradient; dx points at row row0. Each element gathers
 * what the outputs above it contribute. */
typedef void xa_kernel_depthwise_back(
    const xa_dw_shape *s, const float *dy, const float *w, int64_t row0, int64_t row1, float *dx);

/* Output rows [row0, row1) of one sample; y and argmax point at row row0. argmax gets the place
 * ky*KW + kx of the first of equal maxima, as uint8_t or uint32_t (XA_POOL_BYTE_WINDOW); it is NULL
 * if no gradient will be asked for. A NaN in the window is its maximum. */
typedef void xa_kernel_max_pool(
    const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y, void *argmax);
/* Rows [row0, row1) of the input gradient; dx points at row row0, dy and argmax at the sample. */
typedef void xa_kernel_max_pool_back(const xa_pool_shape *s,
                                     const float *dy,
                                     const void *argmax,
                                     int64_t row0,
                                     int64_t row1,
                                     float *dx);
/* Mean of the window's elements that lie inside x. */
typedef void
xa_kernel_avg_pool(const xa_pool_shape *s, const float *x, int64_t row0, int64_t row1, float *y);
typedef void xa_kernel_avg_pool_back(
    const xa_pool_shape *s, const float *dy, int64_t row0, int64_t row1, float *dx);

/* y[r,:] = (x[r,:] - mean)/sqrt(variance + epsilon)*gamma + beta over the last axis; mean and
 * reciprocal root, as used, go to stats[r,2]. rms: the mean is taken as 0. Sums in double. */
typedef void xa_kernel_layer_norm(int64_t rows,
                                  int64_t c,
                                  float epsilon,
                                  bool rms,
                                  const float *x,
                                  const float *gamma,
                                  const float *beta,
                                  float *y,
                                  float *stats);
typedef void xa_kernel_layer_norm_back(int64_t rows,
                                       int64_t c,
                                       bool rms,
                                       const float *x,
                                       const float *gamma,
                                       const float *stats,
                                       const float *dy,
                                       float *dx);

/* y[r,:] = softmax(scale * x[r,:]) over c columns; y may be x. */
typedef void xa_kernel_softmax(int64_t rows, int64_t c, float scale, const float *x, float *y);
/* dx = scale * y*(dy - sum(dy*y)) by rows; dx may be dy. */
typedef void xa_kernel_softmax_back(
    int64_t rows, int64_t c, float scale, const float *y, const float *dy, float *dx);
/* y[c, rows] = x[rows, c] transposed; ldx is x's row stride. */
typedef void xa_kernel_transpose(int64_t rows, int64_t c, const float *x, int64_t ldx, float *y);

/* Elementwise activations except RELU: y = f(x); y may be x. */
typedef void xa_kernel_activate(int64_t n, const xa_activation *act, const float *x, float *y);
/* dx = f'(x)*dy; v is x or y as xa_activation_saves says. dx may be dy. */
typedef void xa_kernel_activate_back(
    int64_t n, const xa_activation *act, const float *v, const float *dy, float *dx);

/* ---- the table ------------------------------------------------------------------------------- */

/* X(name). Each list has its test file: test_products, test_windows, test_kernels, test_bf16. */
#define XA_PRODUCT_KERNEL_LIST(X) \
    X(gemm_rows)                  \
    X(gemm_panels)                \
    X(gemm_panels_nt)             \
    X(winograd_split)             \
    X(winograd_split_back)        \
    X(winograd_join)              \
    X(winograd_join_back)
#define XA_WINDOW_KERNEL_LIST(X) \
    X(depthwise)                 \
    X(depthwise_back)            \
    X(max_pool)                  \
    X(max_pool_back)             \
    X(avg_pool)                  \
    X(avg_pool_back)
#define XA_ROW_KERNEL_LIST(X) \
    X(epilogue)               \
    X(mask)                   \
    X(add)                    \
    X(affine)                 \
    X(layer_norm)             \
    X(layer_norm_back)        \
    X(softmax)                \
    X(softmax_back)           \
    X(transpose)              \
    X(activate)               \
    X(activate_back)
#define XA_FLOAT_KERNEL_LIST(X) \
    XA_PRODUCT_KERNEL_LIST(X)   \
    XA_WINDOW_KERNEL_LIST(X)    \
    XA_ROW_KERNEL_LIST(X)
/* test_bf16; only in sets with fused multiply-adds */
#define XA_BF16_KERNEL_LIST(X) X(gemm_bf16)
#define XA_KERNEL_LIST(X) XA_FLOAT_KERNEL_LIST(X) XA_BF16_KERNEL_LIST(X)

/* One instruction set's kernels. */
typedef struct xa_kernels {
    xa_isa isa;
    /* Multiply-adds round once: results are those of every other fused instruction set. */
    bool fused;
#define X(name) xa_kernel_##name *name;
    XA_KERNEL_LIST(X)
#undef X
} xa_kernels;

const xa_kernels *xa_kernels_get(xa_isa isa); /* NULL if not built in */

/* Panels: columns 16p .. 16p+15 of b [K,N] together as [K][16], the last filled up with zeros; ldb
 * is b's row stride. */
enum { XA_PANEL = 16 };
static inline size_t xa_panels_count(int64_t k, int64_t n)
{
    return (size_t)(k * ((n + XA_PANEL - 1) / XA_PANEL * XA_PANEL));
}
void xa_panels_pack(int64_t k, int64_t n, const float *b, int64_t ldb, float *panels);

/* Panels of bfloat16: columns 16p .. 16p+15 of all pieces [L,N] together as [pieces][L/2][16][2],
 * pairs along the depth, L filled up to an even number and the last panel to 16 columns with zeros.
 * A line of 64 bytes is what vdpbf16ps reads, and 16 lines are a tile of AMX. */
static inline int64_t xa_bf16_even(int64_t length)
{
    return (length + 1) / 2 * 2;
}
static inline size_t xa_bf16_count(int64_t pieces, int64_t length, int64_t n)
{
    return (size_t)(pieces * xa_bf16_even(length) * ((n + XA_PANEL - 1) / XA_PANEL * XA_PANEL));
}
/* Where the value of piece p, depth d, column j lies: at[p*piece + d*depth + j*column]; it is
 * multiplied, in double, by scale_column[j] or scale_depth[d] where that is not NULL. */
typedef struct xa_bf16_source {
    const float *at;
    int64_t piece, depth, column;
    const double *scale_column, *scale_depth;
} xa_bf16_source;
/* Each value is rounded once, from double. */
void xa_bf16_pack(
    const xa_bf16_source *from, int64_t pieces, int64_t length, int64_t n, uint16_t *panels);
/* To nearest even; denormals become zeros of their sign, NaN stays NaN. */
uint16_t xa_bf16_of(double v);

/* BLAS (kernels/gemm.c, the only file that includes cblas.h), one thread. The result depends on the
 * shape (m,n,k) of the call, so callers fix m by the graph. trans_b: b is [N,K]. */
void xa_gemm_tile(bool trans_b,
                  int64_t m,
                  int64_t n,
                  int64_t k,
                  const float *a,
                  int64_t lda,
                  const float *b,
                  int64_t ldb,
                  float *c,
                  int64_t ldc);

#endif
