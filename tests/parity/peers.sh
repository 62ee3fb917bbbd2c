#!/bin/sh
# peers.py in an environment that is removed again.
#
#   tests/parity/peers.sh build/xaudit FOLDER --photos A.jpg .. [--rise CLONE] [--xception FILE.h5] [--vit FILE.safetensors]
#
# PYTHON        interpreter, 3.10 or later (default: python3)
# PARITY_VENV   folder to keep the environment in, used again if it exists
set -eu

here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/requirements-peers.txt
python=${PYTHON:-python3}
. "$here/venv.sh"
"$venv/bin/python" -W ignore "$here/peers.py" "$@"
