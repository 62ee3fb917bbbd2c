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
python=${PYTHON:-python3}
. "$here/venv.sh"
if [ "$what" = reference ]; then
    "$venv/bin/python" "$here/torch_reference.py" "$@"
else
    "$venv/bin/python" "$here/export_all.py" "$@"
fi
