#!/usr/bin/env bash
# bfloat16 beside float32, and beside PyTorch's bfloat16 where a Python with torch is given: products shape by shape, and whole
# passes (saliency and Grad-CAM) of Keras models. Writes results/bf16.md. On a quiet machine:
#   tests/bench/bf16.sh BUILD [--python PYTHON] [--job JOB.yaml IMAGES] [MODEL.h5[:SIZE] ..]
# BUILD is a build with XAUDIT_BENCH=ON. One core, CPU time, turns taken. --job: what the numerics change of a job's scores and maps.
set -euo pipefail
[ $# -ge 1 ] || { sed -n 2,5p "$0"; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
shift
python=
if [ "${1:-}" = --python ]; then
  python=$2
  shift 2
fi
job=
if [ "${1:-}" = --job ]; then
  job=$2 images=$3
  shift 3
fi
out=$root/results/bf16.md
new=$(mktemp)
trap 'rm -f "$new"' EXIT
core="taskset -c $(taskset -pc $$ | sed -E 's/.*[ ,-]([0-9]+)$/\1/')"
{
  echo "# Products in bfloat16"
  echo
  echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), one core, load average $(cut -d' ' -f1 /proc/loadavg) at the beginning. Made by"
  echo
  echo "    tests/bench/bf16.sh BUILD${python:+ --python PYTHON}${job:+ --job JOB $images}${*:+ MODEL:SIZE}"
  echo
  echo "GFLOP/s of one product, best CPU time:"
  echo
  $core "$build/tests/bench/bench_bf16"
  if [ -n "$python" ]; then
    echo
    echo "PyTorch's \`mm\` in bfloat16, one thread told:"
    echo
    OMP_NUM_THREADS=1 $core "$python" "$root/tests/bench/bf16_torch.py"
  fi
  for m in "$@"; do
    size=${m##*:}
    [ "$size" != "$m" ] || size=
    echo
    echo "Whole passes of $(basename "${m%%:*}")${size:+ at $size}, saliency and Grad-CAM by bench_engine: CPU seconds an image, the best of"
    echo "three rounds in turns, and MB of packed weights:"
    echo
    for round in 1 2 3; do
      for n in strict fast bf16-gradient bf16; do
        $core "$build/tests/bench/bench_engine" "${m%%:*}" ${size:+--size "$size"} --numerics "$n"
      done
    done | /usr/bin/python3 -c '
import json, sys
rows = {}
for run in map(json.loads, sys.stdin):
    best, weights = rows.get(run["numerics"], (9e9, 0))
    rows[run["numerics"]] = min([best, *run["cpu"]]), run["weight_mb"]
print("| numerics | s an image | times as fast as strict | weights |\n| --- | --- | --- | --- |")
strict = rows["strict"][0]
for name, (best, weights) in rows.items():
    print(f"| {name} | {best:.3f} | {strict / best:.2f} | {weights:.0f} |")'
  done
  if [ -n "$job" ]; then
    echo
    echo "What they change of a job, by \`xaudit check JOB --numerics $images\`:"
    echo
    $core "$build/xaudit" check "$job" --numerics "$images" | sed -n '/^numerics on/,/^recommended/p' | sed 's/^/    /'
  fi
} >"$new"
cp "$new" "$out"
echo "$out"
