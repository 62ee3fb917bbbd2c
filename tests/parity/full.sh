#!/usr/bin/env bash
# Keras beside xaudit on full-size models and real photographs; writes results/parity.md.
#
#   tests/parity/full.sh FOLDER PHOTO.png ... [-- MODEL.h5:SIZE:SCALE:RESIZE[:HEAD] ...]
#
# FOLDER        is kept: models (models.py), references, archives
# MODEL...      further Keras classifiers to compare, e.g. xception_caltech7.h5:299:tf:pil-bilinear
# PARITY_TRUNK  a trained Xception whose weights the seed model's trunk takes
# PARITY_VENV   folder of the Python environment (default: FOLDER/venv); PYTHON: 3.9 to 3.11
# XAUDIT        default: build/xaudit
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
xaudit=$(realpath "${XAUDIT:-$root/build/xaudit}")
export TF_ENABLE_ONEDNN_OPTS=0 TF_CPP_MIN_LOG_LEVEL=3
[ $# -ge 2 ] || {
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
work=$(realpath -m "$1")
shift
photos=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  photos+=("$(realpath "$1")")
  shift
done
[ "${1:-}" = -- ] && shift
mkdir -p "$work"

venv=${PARITY_VENV:-$work/venv}
if [ ! -x "$venv/bin/python" ]; then
  "${PYTHON:-python3.11}" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-vit.txt"
fi
python=$venv/bin/python
# shellcheck disable=SC2086
"$python" "$here/models.py" "$work" ${PARITY_TRUNK:+--trunk "$PARITY_TRUNK"}

printf '%s\n' path "${photos[@]}" >"$work/manifest.csv"
report=$work/parity.md
{
  echo "# Keras beside xaudit on full-size models"
  echo
  echo "tf.keras 2.15.1 (oneDNN off), vit-keras 0.1.2, one process; ${#photos[@]} photographs where no other number is given; $("$xaudit" --version)."
  echo "Every block is what the command above it printed. How exact float32 can be is told in README.md."
} >"$report"
failed=0

# one MODEL NAME SIZE SCALE RESIZE HEAD PHOTOS...: reference by Keras, then check --against
one() {
  local model=$1 name=$2 size=$3 scale=$4 resize=$5 head=$6
  shift 6
  [ -f "$work/$name.ref.h5" ] || "$python" "$here/reference.py" "$model" "$@" -o "$work/$name.ref.h5" --size "$size" "$size" \
    --scale "$scale" --resize "$resize" --float64 ${head:+--head "$head"} >"$work/$name.log" 2>&1
  printf '%s\n' path "$@" >"$work/$name.csv"
  cat >"$work/$name.yaml" <<Y
manifest: $name.csv
output: $name.out.h5
models:
  - name: $name
    file: $model
    ${head:+head: $head}
    input: { size: [$size, $size], resize: $resize, scale: $scale }
    explainers: [saliency, gradcam]
Y
  {
    echo
    echo "## $(basename "$model") at ${size}x$size, $# photographs"
    echo
    echo "    tests/parity/reference.py $(basename "$model") PHOTO... -o ref.h5 --size $size $size --scale $scale --resize $resize --float64${head:+ --head $head}"
    echo "    xaudit check JOB --against ref.h5"
    echo
    echo '```'
  } >>"$report"
  "$xaudit" check "$work/$name.yaml" --against "$work/$name.ref.h5" >"$work/$name.txt" 2>&1 || failed=1
  sed -n '/against\|^reference/I,$p' "$work/$name.txt" | sed "s#$work/##g; s#$root/##g" >>"$report"
  echo '```' >>"$report"
}

mapfile -t demo < <(ls "$root"/jobs/demo/images/*/*.jpg)
one "$root/jobs/demo/xception.h5" demo 128 tf pil-bilinear "" "${demo[@]}"
one "$work/Xcep3.h5" Xcep3 512 tf pil-nearest "" "${photos[@]}"
for spec in "$@"; do
  IFS=: read -r model size scale resize head <<<"$spec"
  one "$(realpath "$model")" "$(basename "${model%.*}")_$size" "$size" "$scale" "$resize" "${head:-}" "${photos[@]}"
done

# pipeline NAME TITLE JOB-LINES...: the listings in Python, the job, the comparison
pipeline() {
  local name=$1 title=$2 job=$3
  shift 3
  [ -f "$work/$name.listing.h5" ] || "$python" "$here/seed.py" listing "$@" "${photos[@]}" -o "$work/$name.listing.h5" >"$work/$name.log" 2>&1
  rm -f "$work/$name.h5"
  "$xaudit" run "$job" --output "$work/$name.h5" --quiet
  {
    echo
    echo "## $title"
    echo
    echo "    tests/parity/seed.py listing ${*//$work\//} PHOTO... -o listing.h5"
    echo "    xaudit run JOB --output $name.h5"
    echo "    tests/parity/seed.py compare listing.h5 $name.h5"
    echo
    echo '```'
  } >>"$report"
  "$python" "$here/seed.py" compare "$work/$name.listing.h5" "$work/$name.h5" >>"$report" || failed=1
  echo '```' >>"$report"
}
sed "s#^manifest: .*#manifest: manifest.csv#; s#scale: none#scale: tf#" "$root/jobs/seed-both.yaml" >"$work/seed-both.yaml"
sed "s#^manifest: .*#manifest: manifest.csv#; s#vit-b32#vit-b16#" "$root/jobs/seed-vit.yaml" >"$work/seed-vit.yaml"
pipeline both "Seed listings: Xception with preprocess_input, ViT-B/32 attention_map" "$work/seed-both.yaml" \
  --xception "$work/Xcep3.h5" --preprocess --vit "$work/vit-b32.h5"
pipeline b16 "Seed listing: ViT-B/16 attention_map" "$work/seed-vit.yaml" --vit "$work/vit-b16.h5"
{
  echo
  echo "Made by \`tests/parity/full.sh FOLDER PHOTO... -- MODEL:SIZE:SCALE:RESIZE...\`."
} >>"$report"
cp "$report" "$root/results/parity.md"
[ "$failed" = 0 ] || {
  echo "some figures are beyond their limits: $report" >&2
  exit 1
}
