#!/usr/bin/env bash
# Speed and memory of the engine beside PyTorch on one core; writes results/bench.md.
#   tests/bench/run.sh [MODEL.h5] [compare.py options: --rounds N --images N --size N --core N --out FILE]
#
# Without MODEL.h5 the full-size Xception of make_xception.py is made first (kept in build-bench/). Two throw-away
# Python environments are made in build-bench/ unless these name a Python that has what is needed:
#   XA_TORCH_PYTHON   torch 2.13.0, numpy, h5py
#   XA_KERAS_PYTHON   tensorflow 2.15 (only to make the model)
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh
build=${XA_BENCH_BUILD:-build-bench}

model=""
case "${1:-}" in
  "" | --*) ;;
  *)
    model=$1
    shift
    ;;
esac

# A Python that can import MODULES, made in FOLDER from PACKAGES if it is not there.
python_with() {
  local folder=$1 modules=$2
  shift 2
  if [ ! -x "$folder/bin/python" ]; then
    xa_say "a Python environment with $*: $folder" >&2
    python3 -m venv "$folder" >&2
    "$folder/bin/python" -m pip install --quiet "$@" >&2
  fi
  "$folder/bin/python" -c "import $modules" >&2
  echo "$folder/bin/python"
}

# shellcheck disable=SC2086
xa_packages $XA_PACKAGES libcmocka-dev python3-venv
xa_say "building into $build/"
xa_build "$build" -DCMAKE_BUILD_TYPE=Release -DXA_BENCH=ON

torch=${XA_TORCH_PYTHON:-$(python_with "$build/venv-torch" torch,numpy,h5py torch==2.13.0 numpy h5py)}
if [ -z "$model" ]; then
  model=$build/xception512.h5
  if [ ! -s "$model" ]; then
    keras=${XA_KERAS_PYTHON:-$(python_with "$build/venv-keras" tensorflow tensorflow-cpu==2.15.1)}
    xa_say "making $model"
    "$keras" tests/bench/make_xception.py "$model.part.h5"
    mv "$model.part.h5" "$model"
  fi
fi
xa_say "measuring on one core"
exec "$torch" tests/bench/compare.py "$model" --build "$build" --torch "$torch" --out results/bench.md "$@"
