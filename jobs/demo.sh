#!/usr/bin/env bash
# The demo on a fresh Debian or Ubuntu: installs packages, builds, runs on 2 ranks and says what it found.
#   jobs/demo.sh
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh

# shellcheck disable=SC2086
xa_packages $XA_PACKAGES
xa_say "building into build/"
xa_build build -DXAUDIT_TESTS=OFF

xa_say "running on 2 ranks: mpirun -n 2 build/xaudit run jobs/demo.yaml --fresh"
mpirun --bind-to none -n 2 build/xaudit run jobs/demo.yaml --fresh

xa_say "what maps of other images and class means would score: xaudit evaluate results/demo.h5 --fresh"
build/xaudit evaluate results/demo.h5 --fresh

xa_say "a figure and a report"
for format in png pdf; do
  build/xaudit figure results/demo.h5 -o results/demo.$format --model xception --pick best --metric energy -n 3 --show both --width 120mm
done
build/xaudit report results/demo.eval.h5 -o results/demo.html --title "The demo"

xa_say "findings: xaudit summary results/demo.eval.h5 --findings"
build/xaudit summary results/demo.eval.h5 --findings

xa_say "where to look"
cat <<TXT
  results/demo.html                               the report: verdicts, scores, charts, all images; open it in a browser
  results/demo.pdf                                a figure; more with build/xaudit figure --help
  results/demo.h5                                 the archive: build/xaudit info, table, summary; pip install ./src/python
  build/xaudit check jobs/demo.yaml               what such a job costs, and every setting as it was read
Your own model: copy jobs/demo.yaml, change file, size, scale and manifest, and run build/xaudit check my.yaml
TXT
