#!/usr/bin/env bash
# The engine's kernels and operators on NEON: cross-compiled for aarch64 and run under qemu, against their reference twins.
#   tests/nn/aarch64.sh
# Needs Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user; cmocka of that architecture is only unpacked, nothing
# of the system changes. A plain cblas_sgemm stands in for OpenBLAS, which these processors
# do not use, and a plain hash for xxhash. Exit code 77: skipped.
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$XA_ROOT"
skip() {
  echo "XA_SKIPPED aarch64: $1"
  exit 77
}
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do command -v $tool >/dev/null || skip "needs $tool"; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial "$work"/root
chmod -R 755 "$work"
apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache"
  -o Dir::State::status=/dev/null)
(cd "$work" && "${apt[@]}" update && "${apt[@]}" download libcmocka0 libcmocka-dev) >"$work/apt.log" 2>&1 || skip "cmocka for arm64 cannot be had: $(tail -n 1 "$work/apt.log")"
for deb in "$work"/*.deb; do dpkg -x "$deb" "$work/root"; done

cat >"$work/cblas.h" <<'C'
typedef int blasint;
enum CBLAS_ORDER { CblasRowMajor = 101 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112 };
static inline void cblas_sgemm(enum CBLAS_ORDER o, enum CBLAS_TRANSPOSE ta, enum CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k,
    float alpha, const float *a, blasint lda, const float *b, blasint ldb, float beta, float *c, blasint ldc)
{
    (void)o; (void)ta; (void)alpha; (void)beta;
    for (blasint i = 0; i < m; i++)
        for (blasint j = 0; j < n; j++) {
            double s = 0.0;
            for (blasint q = 0; q < k; q++)
                s += (double)a[i * lda + q] * (double)(tb == CblasTrans ? b[j * ldb + q] : b[q * ldb + j]);
            c[i * ldc + j] = (float)s;
        }
}
static inline void openblas_set_num_threads(int n) { (void)n; }
static inline char *openblas_get_config(void) { return "none"; }
static inline char *openblas_get_corename(void) { return "none"; }
C
cat >"$work/hash.c" <<'C'
#include "xaudit/util.h"
uint64_t xa_hash64(const void *data, size_t n, uint64_t seed) /* the cases' seeds alone need it */
{
    uint64_t h = 14695981039346656037u ^ seed;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    return h;
}
C
flags="-D_GNU_SOURCE -std=gnu11 -O2 -ffunction-sections -Wl,--gc-sections -ffp-contract=off -Wno-psabi -Iinclude -Isrc/nn -Isrc/util -Itests -I$work -I$work/root/usr/include -DXA_ISA_SUFFIX=_base"
kernels=$(sed -n 's/set(XA_KERNEL_FILES \(.*\))/\1/p' src/nn/kernels/files.cmake)
nn="src/nn/*.c src/nn/ops/*.c src/nn/kernels/gemm.c src/nn/kernels/bf16.c src/nn/kernels/isa.c tests/nn/ref_*.c"
for k in $kernels; do nn="$nn src/nn/kernels/$k"; done
util="src/util/memory.c src/util/string.c src/util/status.c src/util/random.c src/util/clock.c src/util/text.c src/util/path.c src/util/parse.c src/util/log.c $work/hash.c"
cc() { # OUT SOURCE..
  local out=$1
  shift
  # shellcheck disable=SC2086
  aarch64-linux-gnu-gcc $flags -o "$out" "$@" $nn $util -L"$work/root/usr/lib/aarch64-linux-gnu" -lcmocka -lm
}
for t in kernels windows products bf16; do cc "$work/$t" "tests/nn/test_$t.c" tests/nn/kernel_fixture.c; done
cc "$work/separable" tests/nn/test_separable.c tests/nn/plan_fixture.c
cc "$work/ops" tests/nn/test_ops.c tests/nn/test_ops_{values,ways}.c tests/nn/op_fixture.c tests/nn/op_{reference,windows,rows,elementwise,places}.c
for t in kernels windows products bf16 separable ops; do
  LD_LIBRARY_PATH=$work/root/usr/lib/aarch64-linux-gnu qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/$t" >"$work/$t.log" 2>&1 ||
    { grep -vE 'OK|RUN' "$work/$t.log" | head -n 30; exit 1; }
  grep PASSED "$work/$t.log"
done
