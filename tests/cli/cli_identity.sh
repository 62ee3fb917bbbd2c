#!/usr/bin/env bash
# One archive has one set of conventions. Every row of tests/job/identity/settings.txt changes a setting after an interruption and
# before a merge: xaudit names and refuses it, or the result equals a clean run of the changed job. The same for annotations.
. "$(dirname "$0")/lib.sh"

T=$PROJECT/tests/job/identity
mkdir -p app/identity/moved app/identity/copied/images
ln -s "$PROJECT/tests/golden" golden
cd app/identity || exit 1
ln -s "$T"/{base.yaml,wsol.yaml,base.csv,classes.txt,categories.txt,gelu_tanh.json,images,wsol} .
ln -s "$T"/{base.csv,images,wsol} "$PROJECT/tests/golden/keras/tf215/head_softmax_layer.h5" moved
cp "$T/images/b_mask.png" copied/images/

# For each job: an archive of a run that was killed before its last image, and a first slice.
for job in base wsol; do
  (
    XAUDIT_FAULT=settled:1@0 "$XAUDIT" run $job.yaml --output $job.part.h5 --quiet &
    wait $!
  ) >out 2>&1
  rm -f $job.part.h5.lock
  expect 0 "$XAUDIT" info $job.part.h5
  said ' [1-9][0-9]* pending'
  expect 0 "$XAUDIT" run $job.yaml --output $job.1.h5 --slice 1/2 --quiet
done

# row N JOB SETTING PARTS SET..: tries a changed job on both, and writes N.verdict
row() {
  local n=$1 job=$2 setting=$3 parts=$4 code slice
  shift 4
  local set=()
  for s in "$@"; do set+=(--set "$s"); done
  cp $job.part.h5 $n.h5
  "$XAUDIT" run $job.yaml "${set[@]}" --output $n.h5 --quiet >$n.run 2>&1
  code=$?
  # what will be refused is one image; where batches are larger, as many as half of them have
  local second=12/12
  [ "$parts" = none ] && second=2/2
  for second in $second 2/2; do
    "$XAUDIT" run $job.yaml "${set[@]}" --output $n.2.h5 --slice $second --quiet >$n.slice 2>&1
    slice=$?
    [ $slice = 2 ] || break
  done
  if [ $slice != 0 ]; then
    echo "the second slice of the changed job ended with $slice" >$n.verdict
  elif [ "$parts" = none ]; then
    if [ $code != 0 ]; then
      echo "exit code $code where a run goes on" >$n.verdict
    elif ! "$XAUDIT" merge $job.1.h5 $n.2.h5 -o $n.whole.h5 >$n.merge 2>&1; then
      echo "its slice is not merged" >$n.verdict
    elif ! "$XAUDIT" run $job.yaml "${set[@]}" --output $n.clean.h5 --quiet >$n.run 2>&1; then
      echo "the clean run failed" >$n.verdict
    else
      echo same >$n.verdict
    fi
  elif [ $code != 2 ] || ! grep -q 'was made with other settings' $n.run; then
    echo "exit code $code after an interruption, expected a refusal" >$n.verdict
  elif "$XAUDIT" merge $job.1.h5 $n.2.h5 -o $n.whole.h5 >$n.merge 2>&1; then
    echo "its slice was merged" >$n.verdict
  elif ! grep -q 'were made with other settings' $n.merge; then
    echo "merge says something else" >$n.verdict
  else
    # a part that moved is told of; which models, explainers and metrics there are says one line
    grep -qE "(: |; )(${parts// /|})\." $n.run || echo "nothing of $parts is told" >$n.verdict
    [ -e $n.verdict ] || echo refused >$n.verdict
  fi
  rm -f $n.2.h5 $n.h5.lock
}

# cell COLUMN LINE TEXT: prints base.csv with one cell replaced
cell() {
  awk -F, -v OFS=, -v column="$1" -v line="$2" -v text="$3" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) k = i }
    NR == line { $k = text }
    { print }' base.csv
}

# Under a sanitizer only a few rows: test_identity_settings compares the texts of all.
few='^(job.threads|input.size|explainer.relu|metric.k|column.x0)$'
n=0
while IFS='|' read -r job setting parts sets; do
  case $job in '#'* | '') continue ;; esac
  n=$((n + 1))
  read -r job <<<"$job"
  read -r setting <<<"$setting"
  [ -z "${XA_SANITIZED:-}" ] || [[ $setting =~ $few ]] || continue
  read -r parts <<<"$parts"
  set=()
  while read -r -d '|' s || [ -n "$s" ]; do set+=("$s"); done <<<"$sets"
  set[-1]=${set[-1]%$'\n'}
  echo "$job" "$setting" "$parts" "${set[@]}" >$n.row
  if [ "${setting#column.}" != "$setting" ]; then
    cell "${setting#column.}" "${set[0]%%=*}" "${set[0]#*=}" >$n.csv
    set=("manifest=$n.csv")
  fi
  row $n "$job" "$setting" "$parts" "${set[@]}" &
  while [ "$(jobs -r | wc -l)" -ge 4 ]; do wait -n; done
done <"$T/settings.txt"
wait
[ $n -ge 90 ] || fail "$n rows were found in settings.txt"

bad=0
for f in *.row; do
  checks=$((checks + 1))
  v=$(cat "${f%.row}.verdict" 2>/dev/null)
  case $v in
  refused | same) ;;
  *)
    bad=$((bad + 1))
    echo "settings.txt: $(cat "$f"): ${v:-nothing}" >&2
    cat "${f%.row}".{run,slice,merge} 2>/dev/null | sed 's/^/    /' >&2
    ;;
  esac
done
[ $bad = 0 ] || fail "$bad rows of settings.txt are neither refused nor as a clean run"

# A run that was resumed has all numbers of a clean run, and merged slices have those of the undivided run.
expect_python <<'PY'
import glob, h5py, numpy as np
# attributes that say where an archive comes from, and do not affect a number
provenance = {"created", "job", "manifest_sha256", "image_root", "file", "title"}

def contents(path):
    out = {}
    def add(name, o):
        if name.startswith("run"):
            return
        for k, v in o.attrs.items():
            if k not in provenance:
                out[name, k] = np.asarray(v).tobytes()
        if isinstance(o, h5py.Dataset):
            out[name] = o.shape, o[...].tobytes()
    with h5py.File(path, "r") as f:
        add("/", f)
        f.visititems(add)
    return out

found = 0
for clean in glob.glob("*.clean.h5"):
    n = clean.split(".")[0]
    want = contents(clean)
    assert len(want) > 200
    for other in n + ".h5", n + ".whole.h5":
        have = contents(other)
        differ = [k for k in set(want) | set(have) if want.get(k) != have.get(k)]
        assert not differ, (open(n + ".row").read(), other, differ[:5])
        found += 1
assert found >= 2
PY

# Options of the command
cp base.part.h5 limit.h5
expect 2 "$XAUDIT" run base.yaml --output limit.h5 --limit 3 --quiet
said 'pass.samples: archive .12., job .3.'
cp base.part.h5 slice.h5
expect 2 "$XAUDIT" run base.yaml --output slice.h5 --slice 1/2 --quiet
said 'slice: archive nothing'
cp base.part.h5 comment.h5
{ echo '# a comment'; sed 's/^threads.*/threads:   1  # as before/' base.yaml; } >comment.yaml
expect 0 "$XAUDIT" run comment.yaml --output comment.h5 --quiet

# A raised limit: failed images are read again, and all is as in a clean run. A lowered limit is refused.
sed 's/max_samples: 100/max_samples: 100, max_pixels: 479/' base.yaml >small.yaml
expect 3 "$XAUDIT" run small.yaml --output limits.h5 --quiet
expect 0 "$XAUDIT" info limits.h5
said '12 failed'
expect 2 "$XAUDIT" run base.yaml --output limits.h5 --quiet
said "1 differs: pass.max_pixels: archive '479', job '[0-9]+'; --retry-failed continues it"
expect 2 "$XAUDIT" check base.yaml --output limits.h5
expect 0 "$XAUDIT" check base.yaml --output limits.h5 --retry-failed
expect 0 "$XAUDIT" run base.yaml --output limits.h5 --quiet --retry-failed
expect 0 "$XAUDIT" run base.yaml --output clean.h5 --quiet
for f in limits clean; do digest $f.h5 | grep ' /' | grep -v ' /run/' >$f.txt; done
cmp limits.txt clean.txt || fail "limits raised for failed images: not as a clean run"
expect 2 "$XAUDIT" run small.yaml --output clean.h5 --quiet --retry-failed
said "pass.max_pixels"
not_said '--retry-failed continues it'

# The message names the old and the new value, what changed in the manifest, and what to do.
cp base.part.h5 say.h5
expect 2 "$XAUDIT" run base.yaml --output say.h5 --set metrics.0.tolerance=3px --quiet
said "1 differs: scores.metric.pointing_game/tolerance.px: archive '1', job '3'; finish it with the metrics that it began with"
said 'xaudit evaluate say.h5 --metrics base.yaml'
said '--fresh'
cell x0 2 4 | sed 's/,p1,/,p7,/' >both.csv
expect 2 "$XAUDIT" run base.yaml --output say.h5 --set manifest=both.csv --quiet
said '2 differ: scores.manifest.boxes: changed; scores.manifest.groups: changed'
not_said 'xaudit evaluate'
expect 2 "$XAUDIT" run base.yaml --output say.h5 --set checks='[random_logit]' --quiet
said "scores.checks: archive 'deletion imputed sensitivity_n max_sensitivity', job 'random_logit'"
not_said 'xaudit evaluate'
expect 2 "$XAUDIT" run base.yaml --output say.h5 --set metrics='[energy]' --quiet
said "1 differs: scores.metrics: archive 'pointing_game iou box_acc top_k mass', job 'energy'"
expect 0 "$XAUDIT" run base.yaml --output say.h5 --set metrics='[energy]' --quiet --fresh
expect 2 "$XAUDIT" check base.yaml --output limit.h5 --set metrics.3.k=4
said 'the archive exists, and this job cannot continue it'
said "base.yaml: output: limit.h5 was made with other settings"
said "scores.metric.top_k/k: archive '9', job '4'"
said 'give another --output, or begin anew with .xaudit run --fresh.'
not_said 'ready to run'
expect 0 "$XAUDIT" check base.yaml --output limit.h5 --set metrics.3.k=4 --fresh
said 'a run would begin it anew'
finish
