#!/bin/sh
# Makes an environment with Keras, runs reference.py in it with the arguments given, and removes it again.
#
#   tests/parity/run.sh MODEL.h5 IMAGE ... -o ref.h5 --size 299 299 --scale tf --resize pil-bilinear
#
# PYTHON        interpreter, 3.9 to 3.11 for tf.keras 2.15 (default: python3.11, else python3)
# PARITY_KERAS  2 (default: tf.keras 2.15, reads files of Keras 2.0 and later) or 3
# PARITY_VENV   folder to keep the environment in, used again if it exists
set -eu

here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$(command -v python3.11 || command -v python3)} || {
    echo "run.sh: no python3; set PYTHON" >&2
    exit 1
}
case ${PARITY_KERAS:-2} in
2) requirements=$here/requirements.txt ;;
3) requirements=$here/requirements-keras3.txt ;;
*)
    echo "run.sh: PARITY_KERAS=$PARITY_KERAS: 2 or 3" >&2
    exit 2
    ;;
esac

if [ -n "${PARITY_VENV:-}" ]; then
    venv=$PARITY_VENV
else
    venv=$(mktemp -d "${TMPDIR:-/tmp}/parity-venv.XXXXXX")
    trap 'rm -rf "$venv"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
fi

if [ ! -f "$venv/ready" ] || ! cmp -s "$requirements" "$venv/ready"; then
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$venv/ready"
fi
"$venv/bin/python" "$here/reference.py" "$@"
