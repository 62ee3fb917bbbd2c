/* The engine's packed products beside OpenBLAS, one thread, shape by shape: rows of the model lists
 * times their weights, and the product with the transpose. Turns are taken within each repetition,
 * the best of each counts.
 *
 *   bench_gemm [SECONDS A SHAPE]      default 0.4; prints a table in Markdown
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/kernels.h"
#include "xaudit/nn.h"

typedef struct shape {
    const char *where;
    int64_t m, k, n;
} shape;

/* One whose operands stay in the first two caches; pointwise products of Xception 512 and 299,
 * ResNet50, DenseNet121, MobileNetV2 and ViT, and convolutions as rows. */
static const shape shapes[] = {{"all in cache", 288, 192, 32},
                               {"Xception 512 block2 1", 64009, 64, 128},
                               {"Xception 512 block2 2", 64009, 128, 128},
                               {"Xception 512 block3 1", 16129, 128, 256},
                               {"Xception 512 block3 2", 16129, 256, 256},
                               {"Xception 512 block4 1", 4096, 256, 728},
                               {"Xception 512 block4 2", 4096, 728, 728},
                               {"Xception 512 middle", 1024, 728, 728},
                               {"Xception 512 block13", 1024, 728, 1024},
                               {"Xception 512 block14 1", 256, 1024, 1536},
                               {"Xception 512 block14 2", 256, 1536, 2048},
                               {"Xception 299 block2", 21609, 64, 128},
                               {"Xception 299 middle", 361, 728, 728},
                               {"Xception 299 block14", 100, 1536, 2048},
                               {"ResNet50 conv2", 3136, 64, 256},
                               {"ResNet50 conv2 back", 3136, 256, 64},
                               {"ResNet50 conv3", 784, 128, 512},
                               {"ResNet50 conv4", 196, 256, 1024},
                               {"ResNet50 conv4 back", 196, 1024, 256},
                               {"ResNet50 conv5", 49, 512, 2048},
                               {"ResNet50 conv5 back", 49, 2048, 512},
                               {"DenseNet121 block1", 3136, 64, 128},
                               {"DenseNet121 block3", 196, 512, 128},
                               {"DenseNet121 block4", 49, 992, 128},
                               {"MobileNetV2 expand", 12544, 16, 96},
                               {"MobileNetV2 project", 3136, 144, 24},
                               {"MobileNetV2 last", 49, 320, 1280},
                               {"ViT-B/32 tokens", 50, 768, 768},
                               {"ViT-B/32 MLP", 50, 768, 3072},
                               {"ViT-B/16 QKV", 197, 768, 2304},
                               {"ViT-B/16 MLP", 197, 3072, 768},
                               {"3x3 rows, 64 channels", 3136, 576, 64},
                               {"3x3 rows, 256 channels", 196, 2304, 256},
                               {"stem rows", 16129, 27, 32},
                               {"odd", 777, 391, 213}};

static float *noise(int64_t n, uint64_t stream)
{
    float *p = xa_alloc_aligned((size_t)n * sizeof *p);
    for (int64_t i = 0; p && i < n; i++)
        p[i] = (float)(xa_random_unit(1, stream, (uint64_t)i) - 0.5);
    return p;
}

/* All rows through the engine's kernel, as linear.c cuts them. */
static void ours(const xa_kernels *k,
                 bool transpose,
                 const shape *s,
                 const float *a,
                 const float *panels,
                 float *c)
{
    static const int64_t first = 0;
    const float *at[XA_GEMM_ROWS];
    const int64_t depth = transpose ? s->n : s->k, width = transpose ? s->k : s->n;
    for (int64_t r = 0; r < s->m; r += XA_GEMM_ROWS) {
        const int64_t m = s->m - r < XA_GEMM_ROWS ? s->m - r : XA_GEMM_ROWS;
        for (int64_t i = 0; i < m; i++)
            at[i] = a + (r + i) * depth;
        const xa_pieces p = {.count = 1, .length = depth, .at = at};
        if (transpose)
            k->gemm_panels_nt(m, s->k, &p, panels, &first, s->k, c + r * width, width);
        else
            k->gemm_panels(m, s->n, &p, panels, c + r * width, width, NULL);
    }
}

static double best_of(double best, double start)
{
    const double t = xa_cpu_time() - start;
    return best == 0.0 || t < best ? t : best;
}

static void
measure(const xa_kernels *k, const shape *s, double seconds, double out[2][2], double *apart)
{
    float *x = noise(s->m * (s->k > s->n ? s->k : s->n), 1), *b = noise(s->k * s->n, 2);
    float *panels = xa_alloc_aligned(xa_panels_count(s->k, s->n) * sizeof(float));
    float *c = noise(s->m * (s->k > s->n ? s->k : s->n), 3);
    float *d = noise(s->m * (s->k > s->n ? s->k : s->n), 4);
    *apart = 0.0;
    if (x && b && panels && c && d) {
        xa_panels_pack(s->k, s->n, b, s->n, panels);
        for (int transpose = 0; transpose < 2; transpose++) {
            const int64_t depth = transpose ? s->n : s->k, width = transpose ? s->k : s->n;
            const double end = xa_cpu_time() + seconds;
            out[transpose][0] = out[transpose][1] = 0.0;
            do {
                double start = xa_cpu_time();
                ours(k, transpose, s, x, panels, c);
                out[transpose][0] = best_of(out[transpose][0], start);
                start = xa_cpu_time();
                xa_gemm_tile(transpose, s->m, width, depth, x, depth, b, s->n, d, width);
                out[transpose][1] = best_of(out[transpose][1], start);
            } while (xa_cpu_time() < end);
            for (int64_t i = 0; i < s->m * width; i++)
                if (fabs((double)c[i] - (double)d[i]) > *apart)
                    *apart = fabs((double)c[i] - (double)d[i]);
        }
    }
    free(x);
    free(b);
    free(panels);
    free(c);
    free(d);
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? atof(argv[1]) : 0.4;
    const xa_kernels *k = xa_kernels_get(xa_isa_detect());
    xa_machine machine;
    xa_blas_set_threads(1);
    if (!(seconds > 0.0) || xa_machine_measure(1.0, &machine, NULL) != XA_OK)
        return 1;
    printf("# Packed products beside OpenBLAS\n\n"
           "%s kernels, FMA peak of the core %.0f GFLOP/s; %s. One thread, turns taken, best of "
           "each. Made by\n\n"
           "    build-bench/tests/bench/bench_gemm > results/gemm.md\n\n"
           "| rows, depth, columns | | forward GFLOP/s | OpenBLAS | ratio | transposed GFLOP/s | "
           "OpenBLAS | ratio |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
           xa_isa_name(k->isa),
           machine.flops * 1e-9,
           xa_blas_config());
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape *s = &shapes[i];
        double t[2][2], apart;
        measure(k, s, seconds, t, &apart);
        if (!(apart < 1e-3)) {
            fprintf(stderr, "bench_gemm: %s: the products differ by %g\n", s->where, apart);
            return 1;
        }
        const double g = 2e-9 * (double)s->m * (double)s->k * (double)s->n;
        printf("| %lld, %lld, %lld | %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f |\n",
               (long long)s->m,
               (long long)s->k,
               (long long)s->n,
               s->where,
               g / t[0][0],
               g / t[0][1],
               t[0][1] / t[0][0],
               g / t[1][0],
               g / t[1][1],
               t[1][1] / t[1][0]);
        fflush(stdout);
    }
    return 0;
}
