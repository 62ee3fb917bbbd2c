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
if [ -n "${PARITY_VENV:-}" ]; then
    venv=$PARITY_VENV
else
    venv=$(mktemp -d "${TMPDIR:-/tmp}/parity-venv.XXXXXX")
    trap 'rm -rf "$venv"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
fi
if [ ! -f "$venv/ready" ] || ! cmp -s "$requirements" "$venv/ready"; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$venv/ready"
fi
"$venv/bin/python" -W ignore "$here/peers.py" "$@"
