#!/usr/bin/env bash
# Scaling on one machine: two ranks beside two independent processes, and what hand-out and archive cost.
# Writes results/scale.md. Uses the demo's model and photographs, each repeated.
#   tests/bench/scale.sh [repeats]
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh
repeats=${1:-40}
build=${XA_BENCH_BUILD:-build-bench}
# shellcheck disable=SC2086
xa_packages $XA_PACKAGES python3-h5py libcmocka-dev
xa_build "$build" -DCMAKE_BUILD_TYPE=Release -DXAUDIT_BENCH=ON
xaudit=$PWD/$build/xaudit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# manifest FILE REPEATS: the demo's photographs under new ids
manifest() {
  head -n 1 jobs/demo/manifest.csv >"$1"
  for i in $(seq "$2"); do
    tail -n +2 jobs/demo/manifest.csv |
      sed "s#^\([^,]*\),\([^,]*\),#\1,\2/$i,#; s#images/#$PWD/jobs/demo/images/#; s#masks/#$PWD/jobs/demo/masks/#"
  done >>"$1"
}
manifest "$work/all.csv" "$repeats"
manifest "$work/half.csv" $((repeats / 2))
for m in all half; do
  sed "s#demo/manifest.csv#$work/$m.csv#; s#demo/classes#$PWD/jobs/demo/classes#; s#file: demo#file: $PWD/jobs/demo#; /^metrics/,\$d" \
    jobs/demo.yaml >"$work/$m.yaml"
done

# The last line of --json: seconds between the first grant and the end.
seconds() { python3 -c 'import json,sys; print(json.loads([l for l in open(sys.argv[1]) if "\"end\"" in l][-1])["seconds"])' "$1"; }

{
  echo "# Scaling on one machine"
  echo
  echo "$((42 * repeats)) photographs, the demo's model (saliency and Grad-CAM, no metrics). Made by"
  echo
  echo "    tests/bench/scale.sh $repeats"
  echo
  echo "Seconds between the first grant and the end of the archive, rounds taken in turn. *Two processes*: each with"
  echo "half of the images and an archive of its own, at the same time; the slower one counts. *Outside*: the share of"
  echo "two ranks' time that is not spent on an image's decoding, model, and explainers (/run/seconds): hand-out,"
  echo "manifest rows, archive, syncs, the wait at the end."
  echo
  echo "| round | two ranks s | two processes s | two ranks at | ms an image | outside |"
  echo "|---|---|---|---|---|---|"
  for round in 1 2 3; do
    rm -f "$work"/*.h5
    mpirun --bind-to core -n 2 "$xaudit" run "$work/all.yaml" --output "$work/r.h5" --json >"$work/r.json"
    OMP_NUM_THREADS=1 taskset -c 0 "$xaudit" run "$work/half.yaml" --output "$work/a.h5" --json >"$work/a.json" &
    OMP_NUM_THREADS=1 taskset -c 1 "$xaudit" run "$work/half.yaml" --output "$work/b.h5" --json >"$work/b.json"
    wait
    /usr/bin/python3 - "$round" "$(seconds "$work/r.json")" "$(seconds "$work/a.json")" "$(seconds "$work/b.json")" "$work/r.h5" <<'PY'
import sys
import h5py
round_, ranks, a, b = int(sys.argv[1]), *map(float, sys.argv[2:5])
spent = float(h5py.File(sys.argv[5], "r")["run/seconds"][:].astype("f8").sum())
n = h5py.File(sys.argv[5], "r")["run/seconds"].shape[0]
two = max(a, b)
print(f"| {round_} | {ranks:.2f} | {two:.2f} | {100 * two / ranks:.1f} % | {1e3 * spent / n:.1f} | {100 * (1 - spent / (2 * ranks)):.1f} % |")
PY
  done
} | tee "$work/scale.md"
cp "$work/scale.md" results/scale.md
