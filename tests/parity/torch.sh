#!/bin/sh
# PyTorch beside xaudit, in an environment that is removed again.
#
#   tests/parity/torch.sh reference MODEL model.onnx IMAGE ... -o ref.h5 [--layer NAME] [--float64]    torch_reference.py
#   tests/parity/torch.sh export build/xaudit           exports a small model of every kind, and checks a job of each
#
# PYTHON        interpreter, 3.10 or later (default: python3)
# PARITY_VENV   folder to keep the environment in, used again if it exists
set -eu

here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/requirements-torch.txt
case ${1:-} in
reference | export) what=$1 ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
shift
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
if [ "$what" = reference ]; then
    "$venv/bin/python" "$here/torch_reference.py" "$@"
else
    "$venv/bin/python" "$here/export_all.py" "$@"
fi
