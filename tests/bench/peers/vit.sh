#!/usr/bin/env bash
# Attention maps of ViT-B/32 and B/16 beside PyTorch and vit-keras on one core; writes results/bench_vit.md.
#   tests/bench/peers/vit.sh [compare_vit.py options: --rounds N --core N --out FILE]
#
# Throw-away Python environments are made in build-bench/ unless these name a Python that has what is needed:
#   XA_TORCH_PYTHON      torch 2.13.0, numpy
#   XA_VIT_KERAS_PYTHON  tensorflow 2.15, vit-keras
#   XA_TIMM_PYTHON       timm and the torch and torchvision it takes
set -euo pipefail
XA_ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$XA_ROOT"
. jobs/setup.sh
. tests/bench/peers/python.sh
build=${XA_BENCH_BUILD:-build-bench}
# shellcheck disable=SC2086
xa_packages $XA_PACKAGES libcmocka-dev python3-venv
xa_say "building into $build/"
xa_build "$build" -DCMAKE_BUILD_TYPE=Release -DXAUDIT_BENCH=ON
torch=${XA_TORCH_PYTHON:-$(python_with "$build/venv-torch" torch,captum,numpy,h5py torch==2.13.0 captum grad-cam numpy h5py)}
keras=${XA_VIT_KERAS_PYTHON:-$(python_with "$build/venv-vit-keras" tensorflow,vit_keras tensorflow-cpu==2.15.1 vit-keras==0.1.2 tensorflow-addons opencv-python-headless)}
timm=${XA_TIMM_PYTHON:-$(python_with "$build/venv-timm" timm,torch timm numpy)}
exec "$torch" tests/bench/peers/compare_vit.py --build "$build" --torch "$torch" --keras "$keras" --timm "$timm" --out results/bench_vit.md "$@"
