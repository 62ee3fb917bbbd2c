#!/usr/bin/env bash
# Time of the metrics on one core, and of `xaudit evaluate` beside plain reading; writes results/metrics.md.
#   tests/bench/metrics.sh
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh
build=${XA_BENCH_BUILD:-build-bench}
xa_build "$build" -DCMAKE_BUILD_TYPE=Release -DXAUDIT_BENCH=ON
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench=$build/tests/bench/bench_metrics

# the demo's saliency maps, enlarged to many: an archive of 128x128 f32 maps
awk -F, -v OFS=, -v root="$XA_ROOT/jobs/demo/" '
  NR == 1 {print; next}
  {$1 = root $1; if ($10) $10 = root $10; id[NR] = $2; line[NR] = $0}
  END {for (k = 0; k < 6; k++) for (i = 2; i <= NR; i++) {$0 = line[i]; $2 = id[i] "-" k; print}}' \
  jobs/demo/manifest.csv >"$work/manifest.csv"
cat >"$work/job.yaml" <<YAML
manifest: manifest.csv
classes: $XA_ROOT/jobs/demo/classes.txt
output: maps.h5
models:
  - name: xception
    file: $XA_ROOT/jobs/demo/xception.h5
    input: { size: [128, 128], resize: pil-bilinear, scale: tf }
    explainers:
      - { kind: saliency, score: logit, target: label }
metrics: [pointing_game]
YAML
"$build/xaudit" run "$work/job.yaml" --quiet
evaluate() { # NAME METRICS
  rm -f "$work/e.h5"
  "$build/xaudit" evaluate "$work/maps.h5" --as "$work/e.h5" --metrics "$2" |
    sed -nE "s#.* ([0-9.]+ [kMG]B) of maps read in ([0-9.]+) s \(([^)]*)\).*#| $1 | \1 | \2 s | \3 |#p"
}
{
  echo "# Time of the metrics"
  echo
  echo "$(lscpu | sed -nE 's/^Model name: *//p' | head -1), one core, gcc -O3. Made by"
  echo
  echo "    tests/bench/metrics.sh"
  echo
  echo "One map of noise that is denser on the object (the worst case of components), least of 30 repeats; metrics that look at"
  echo "the same scene share it, and its order and largest component. box_acc is at all 256 grey levels."
  for side in 128 299 512; do
    echo
    echo "A map of $side x $side:"
    echo
    taskset -c 0 "$bench" "$side" 30
  done
  echo
  echo "## xaudit evaluate"
  echo
  echo "$(cut -d, -f2 "$work/manifest.csv" | tail -n +2 | sort -u | wc -l) images, 128x128 f32 maps, one rank; every pair is scored five times: the explainer, its shuffled map, the mean"
  echo "map of its class, centre and full. Maps count as often as they are read. Reading them alone (page cache):"
  echo "$(dd if="$work/maps.h5" of=/dev/null bs=1M 2>&1 | sed -nE 's/.*, ([0-9.]+ [kMG]B\/s)$/\1/p')."
  echo
  echo "| metrics | maps read | time | |"
  echo "| --- | --- | --- | --- |"
  evaluate "pointing_game" "[pointing_game]"
  evaluate "energy" "[energy]"
  evaluate "the demo's four" "[pointing_game, energy, { kind: iou, threshold: otsu }, { kind: box_acc, profile: wsol }]"
} >results/metrics.md
cat results/metrics.md
