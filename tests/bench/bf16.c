/* Products in bfloat16 beside those of float32, one thread, shape by shape, every instruction set
 * of this processor. Turns are taken within each repetition, the best CPU time of each counts.
 *
 *   bench_bf16 [SECONDS A SHAPE]      default 0.4; prints a table in Markdown
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/kernels.h"
#include "xaudit/nn.h"

typedef struct shape {
    const char *where;
    int64_t m, k, n;
} shape;
static const shape shapes[] = {{"all in cache", 288, 384, 64},
                               {"Xception 512 block2", 64009, 128, 128},
                               {"Xception 512 block3", 16129, 256, 256},
                               {"Xception 512 middle", 1024, 728, 728},
                               {"Xception 512 block14", 256, 1536, 2048},
                               {"ResNet50 conv4", 196, 1024, 256},
                               {"ResNet50 conv5", 49, 2048, 512},
                               {"3x3 rows, 64 channels", 3136, 576, 64},
                               {"ViT-B/16 QKV", 197, 768, 2304},
                               {"ViT-B/16 MLP", 197, 3072, 768}};
enum { SHAPES = sizeof shapes / sizeof *shapes, WAYS = 4 };

/* float32 of the best set; then bfloat16 of each. */
static const xa_isa isas[WAYS] = {XA_ISA_AUTO, XA_ISA_AVX2, XA_ISA_AVX512, XA_ISA_AVX512_BF16};

static float *noise(int64_t n, uint64_t stream)
{
    float *p = xa_alloc_aligned((size_t)n * sizeof *p);
    for (int64_t i = 0; p && i < n; i++)
        p[i] = (float)(xa_random_unit(1, stream, (uint64_t)i) - 0.5);
    return p;
}

typedef struct operands {
    float *x, *w, *panels, *y;
    uint16_t *rounded;
    void *rows;
} operands;

static void pass(const xa_kernels *k, bool bf16, const shape *s, const operands *o)
{
    const float *at[XA_GEMM_ROWS];
    const xa_bf16_matrix b = {.panels = o->rounded, .pieces = 1};
    for (int64_t r = 0; r < s->m; r += XA_GEMM_ROWS) {
        const int64_t m = s->m - r < XA_GEMM_ROWS ? s->m - r : XA_GEMM_ROWS;
        for (int64_t i = 0; i < m; i++)
            at[i] = o->x + (r + i) * s->k;
        const xa_pieces a = {.count = 1, .length = s->k, .at = at};
        if (bf16)
            k->gemm_bf16(m, s->n, &a, &b, o->rows, o->y + r * s->n, s->n, NULL);
        else
            k->gemm_panels(m, s->n, &a, o->panels, o->y + r * s->n, s->n, NULL);
    }
}

/* GFLOP/s of each way, 0: not of this processor. False: out of memory. */
static bool measure(const shape *s, double seconds, double out[WAYS])
{
    operands o = {
        .x = noise(s->m * s->k, 1), .w = noise(s->k * s->n, 2), .y = noise(s->m * s->n, 3)};
    o.panels = xa_alloc_aligned(xa_panels_count(s->k, s->n) * sizeof(float));
    o.rounded = xa_alloc_aligned(xa_bf16_count(1, s->k, s->n) * sizeof(uint16_t));
    o.rows = xa_alloc_aligned(XA_BF16_ROWS_BYTES);
    const bool there = o.x && o.w && o.y && o.panels && o.rounded && o.rows;
    double best[WAYS] = {0};
    if (there) {
        const xa_bf16_source from = {.at = o.w, .depth = s->n, .column = 1};
        xa_panels_pack(s->k, s->n, o.w, s->n, o.panels);
        xa_bf16_pack(&from, 1, s->k, s->n, o.rounded);
        const double end = xa_cpu_time() + seconds;
        do {
            for (int w = 0; w < WAYS; w++) {
                const xa_isa isa = w ? isas[w] : xa_isa_detect();
                if (!xa_isa_supported(isa))
                    continue;
                const double start = xa_cpu_time();
                pass(xa_kernels_get(isa), w > 0, s, &o);
                const double took = xa_cpu_time() - start;
                if (best[w] == 0.0 || took < best[w])
                    best[w] = took;
            }
        } while (xa_cpu_time() < end);
    }
    for (int w = 0; w < WAYS; w++)
        out[w] = best[w] > 0.0 ? 2e-9 * (double)(s->m * s->k * s->n) / best[w] : 0.0;
    free(o.x);
    free(o.w);
    free(o.y);
    free(o.panels);
    free(o.rounded);
    free(o.rows);
    return there;
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? atof(argv[1]) : 0.4;
    if (!(seconds > 0.0) || !xa_isa_fused(XA_ISA_AUTO))
        return 1;
    printf("| rows, depth, columns | | float32 (%s) | bf16 avx2 | bf16 avx512 | bf16 avx512bf16 | "
           "best bf16 / float32 |\n| --- | --- | --- | --- | --- | --- | --- |\n",
           xa_isa_name(xa_isa_detect()));
    for (int i = 0; i < SHAPES; i++) {
        double g[WAYS], most = 0.0;
        if (!measure(&shapes[i], seconds, g))
            return 1;
        printf("| %lld, %lld, %lld | %s | %.0f |",
               (long long)shapes[i].m,
               (long long)shapes[i].k,
               (long long)shapes[i].n,
               shapes[i].where,
               g[0]);
        for (int w = 1; w < WAYS; w++) {
            most = g[w] > most ? g[w] : most;
            if (g[w] > 0.0)
                printf(" %.0f |", g[w]);
            else
                printf(" not here |");
        }
        printf(" %.2f |\n", most / g[0]);
        fflush(stdout);
    }
    return 0;
}
