#!/usr/bin/env bash
# Attention maps of ViT-B/32 and B/16 beside PyTorch on one core; writes results/bench_vit.md.
#   tests/bench/vit.sh [compare_vit.py options: --rounds N --core N --out FILE]
#
# A throw-away Python environment is made in build-bench/ unless XA_TORCH_PYTHON names a Python with torch and numpy.
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh
build=${XA_BENCH_BUILD:-build-bench}

# shellcheck disable=SC2086
xa_packages $XA_PACKAGES libcmocka-dev python3-venv
xa_say "building into $build/"
xa_build "$build" -DCMAKE_BUILD_TYPE=Release -DXA_BENCH=ON
torch=${XA_TORCH_PYTHON:-}
if [ -z "$torch" ]; then
  torch=$build/venv-torch/bin/python
  if [ ! -x "$torch" ]; then
    python3 -m venv "$build/venv-torch"
    "$torch" -m pip install --quiet torch==2.13.0 numpy h5py
  fi
fi
exec "$torch" tests/bench/compare_vit.py --build "$build" --torch "$torch" --out results/bench_vit.md "$@"
