#!/usr/bin/env bash
# Speed and memory of the engine beside PyTorch and Keras; writes results/peers.md. Under an hour.
#   tests/bench/peers/run.sh [compare.py options: --rounds N --images N --models a,b --core N --out FILE]
#
# The models are made once and kept in XA_BENCH_MODELS (build-bench/models). Two throw-away Python environments are made in
# build-bench/ unless these name a Python that has what is needed:
#   XA_TORCH_PYTHON   torch 2.13.0, captum, grad-cam, numpy, h5py
#   XA_KERAS_PYTHON   tensorflow 2.15
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh
. tests/bench/peers/python.sh
build=${XA_BENCH_BUILD:-build-bench}
models=${XA_BENCH_MODELS:-$build/models}
# shellcheck disable=SC2086
xa_packages $XA_PACKAGES libcmocka-dev python3-venv
xa_say "building into $build/"
xa_build "$build" -DCMAKE_BUILD_TYPE=Release -DXAUDIT_BENCH=ON
torch=${XA_TORCH_PYTHON:-$(python_with "$build/venv-torch" torch,captum,numpy,h5py torch==2.13.0 captum grad-cam numpy h5py)}
keras=${XA_KERAS_PYTHON:-$(python_with "$build/venv-keras" tensorflow tensorflow-cpu==2.15.1)}
xa_say "models in $models/"
"$keras" tests/bench/peers/make_models.py "$models" 2>/dev/null
xa_say "measuring"
exec "$torch" tests/bench/peers/compare.py "$models" --build "$build" --torch "$torch" --keras "$keras" --out results/peers.md "$@"
