#!/usr/bin/env bash
# The demo on a fresh Debian or Ubuntu: installs packages, builds, runs on 2 ranks and prints a first table.
#   jobs/demo.sh
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh

# shellcheck disable=SC2086
xa_packages $XA_PACKAGES
xa_say "building into build/"
xa_build build -DXAUDIT_TESTS=OFF

xa_say "what will run: xaudit check jobs/demo.yaml"
build/xaudit check jobs/demo.yaml

xa_say "running on 2 ranks: mpirun -n 2 build/xaudit run jobs/demo.yaml --fresh"
mpirun --bind-to none -n 2 build/xaudit run jobs/demo.yaml --fresh

xa_say "a first table: xaudit table results/demo.h5"
build/xaudit table results/demo.h5

xa_say "what other maps would score: xaudit evaluate results/demo.h5 --fresh"
build/xaudit evaluate results/demo.h5 --fresh

xa_say "the data set with 95 % intervals and baselines: xaudit summary results/demo.eval.h5"
build/xaudit summary results/demo.eval.h5

xa_say "a figure: results/demo.png, and the same as PDF"
build/xaudit figure results/demo.h5 -o results/demo.png --model xception --pick best --metric energy -n 3 --show both --width 120mm
build/xaudit figure results/demo.h5 -o results/demo.pdf --model xception --pick best --metric energy -n 3 --show both --width 120mm

xa_say "one page with everything: results/demo.html"
build/xaudit report results/demo.eval.h5 -o results/demo.html --title "The demo"

xa_say "done"
cat <<TXT
The archive is results/demo.h5. Look into it:
  build/xaudit info results/demo.h5              what it holds
  build/xaudit table results/demo.h5 --csv       one tidy line per image and explainer
  results/demo.html                              tables, charts, images: open it in a browser
  build/xaudit figure --help                     overlays and panels as PNG, TIFF, PDF, SVG
  build/xaudit summary results/demo.h5 --compare which explainer is better, and how sure that is
  python3 -c "import h5py; h5py.File('results/demo.h5').visit(print)"    (package python3-h5py)
Your own model: copy jobs/demo.yaml, change file, size, scale and manifest, and run
  build/xaudit check my.yaml
TXT
