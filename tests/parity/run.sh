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

. "$here/venv.sh"
"$venv/bin/python" "$here/reference.py" "$@"
