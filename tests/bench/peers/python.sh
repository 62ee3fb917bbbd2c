# python_with FOLDER MODULES PACKAGE..: a Python that can import MODULES, made in FOLDER from PACKAGES if it is not there.
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
