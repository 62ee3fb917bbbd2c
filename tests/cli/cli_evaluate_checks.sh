#!/usr/bin/env bash
# evaluate --checks over stored maps: the bytes of a run that had asked for the checks at once, for any number of ranks
# and interruption; other models, settings, pixels and unfinished archives are refused.
. "$(dirname "$0")/lib.sh"

golden=$PROJECT/tests/golden/faithfulness
sed 's#images/#pictures/#' "$golden/manifest.csv" >manifest.csv
cp -r "$golden/images" pictures
cp "$golden/tiny_cnn.h5" cnn.h5
chmod -R u+w pictures cnn.h5
cat >job.yaml <<EOF
manifest: manifest.csv
output: plain.h5
models:
  - name: cnn
    file: cnn.h5
    batch: 2
    input: { size: [16, 16], resize: tf-nearest, scale: tf }
    explainers:
      - { kind: gradient, channels: none, store: f16, name: raw }
      - { kind: gradcam, target: { top: 2 }, name: cam }
      - { kind: gradcam, score: finer, name: finer }
      - { kind: integrated_gradients, steps: 4, target: label, name: ig }
      - { kind: gradient, channels: l2, input: { resize: tf-bilinear, scale: unit }, name: other }
  - name: vit
    file: $golden/tiny_vit.safetensors
    batch: 1
    input: { size: [16, 16], resize: tf-nearest, scale: tf }
    explainers: [{ kind: rollout, name: rollout }, { kind: attcat, name: attcat }]
metrics: [energy]
EOF
checks='[average_drop, { kind: irof, cells: 3, images: 2 }, { kind: deletion, steps: 4, images: 3 }, { kind: road, images: 2 }, { kind: sensitivity_n, draws: 2 },
  { kind: infidelity, draws: 2 }, { kind: max_sensitivity, draws: 2 }, complexity]'
checks=$(tr -d '\n' <<<"$checks")
expect 0 "$XAUDIT" run job.yaml --quiet
expect 0 "$XAUDIT" run job.yaml --output whole.h5 --set "checks=$checks" --quiet
digest whole.h5 | grep -v /run >whole
[ "$(grep -c '/checks/' whole)" -gt 100 ] || fail "a digest of $(grep -c '/checks/' whole) datasets of checks"
evaluate() { # ARGUMENTS..
  "$XAUDIT" evaluate plain.h5 --checks "$checks" --job job.yaml --quiet "$@"
}
same() { # ARCHIVE: it has the bytes of the run
  expect 0 "$XAUDIT" verify "$1"
  digest "$1" | grep -v /run | diff whole - >out || fail "$1 is not whole.h5"
}
cp plain.h5 before.h5
expect 0 evaluate
same plain.checks.h5
cmp plain.h5 before.h5 || fail "the archive that is evaluated was changed"
expect 0 ranks 2 "$XAUDIT" evaluate plain.h5 --checks "$checks" --job job.yaml --quiet --as ranks.h5
same ranks.h5
(
  XAUDIT_FAULT=settled:1@0 evaluate --as resumed.h5 &
  wait $!
) >out 2>&1
rm -f resumed.h5.lock
expect 0 evaluate --as resumed.h5
same resumed.h5
expect 0 evaluate --as resumed.h5 # nothing is left to do
same resumed.h5
# an evaluation of the same run will do, too, and so will an archive with more checks
expect 0 "$XAUDIT" evaluate plain.h5 --quiet --metrics '[energy]'
expect 0 "$XAUDIT" evaluate plain.eval.h5 --checks "$checks" --job job.yaml --quiet --as again.h5
same again.h5
expect 0 "$XAUDIT" evaluate whole.h5 --checks '[complexity]' --job job.yaml --quiet --as fewer.h5
expect 0 "$XAUDIT" run job.yaml --output fewer_run.h5 --set 'checks=[complexity]' --quiet
digest fewer.h5 | grep -v /run >fewer
digest fewer_run.h5 | grep -v /run | diff fewer - >out || fail "fewer checks"
# random_logit is kept where it was made, and refused where it was not
expect 0 "$XAUDIT" run job.yaml --output logit.h5 --set 'checks=[random_logit]' --quiet
expect 0 "$XAUDIT" evaluate logit.h5 --checks '[random_logit, complexity]' --job job.yaml --quiet
expect 0 "$XAUDIT" run job.yaml --output logit_run.h5 --set 'checks=[random_logit, complexity]' --quiet
digest logit.checks.h5 | grep -v /run >logit
digest logit_run.h5 | grep -v /run | diff logit - >out || fail "random_logit of stored maps"
expect 2 "$XAUDIT" evaluate plain.h5 --checks '[random_logit]' --job job.yaml --as no.h5
said 'random_logit compares maps with those of another class, which plain.h5 does not hold'

# Refused: no job, wrong checks, other settings, other weights, an unfinished run, damage, other pixels
expect 2 "$XAUDIT" evaluate plain.h5 --checks '[complexity]'
said 'needs --job JOB.yaml'
expect 2 "$XAUDIT" evaluate plain.h5 --checks '[irofs]' --job job.yaml --as no.h5
said 'check: expected one of'
sed 's/steps: 4/steps: 5/' job.yaml >other.yaml
expect 2 "$XAUDIT" evaluate plain.h5 --checks '[complexity]' --job other.yaml --as no.h5
said 'holds maps that this job would not make, 1 setting differs: maps.cnn/ig'
expect_python <<'PY'
import h5py
with h5py.File("cnn.h5", "r+") as f:
    found = []
    f["model_weights"].visititems(lambda n, o: found.append(o) if isinstance(o, h5py.Dataset) and o.ndim > 1 else None)
    found[0][...] = -found[0][()]
PY
expect 2 "$XAUDIT" evaluate plain.h5 --checks '[complexity]' --job job.yaml --as no.h5
said 'holds maps that this job would not make, 1 setting differs: pass.model.cnn'
cp "$golden/tiny_cnn.h5" cnn.h5
chmod u+w cnn.h5
(
  XAUDIT_FAULT=settled:1@0 "$XAUDIT" run job.yaml --output half.h5 --quiet &
  wait $!
) >out 2>&1
rm -f half.h5.lock
expect 2 "$XAUDIT" evaluate half.h5 --checks '[complexity]' --job job.yaml --as no.h5
said 'half.h5 is not finished'
cp plain.h5 bad.h5
chmod u+w bad.h5
expect_python bad.h5 <<'PY'
import sys
import h5py
with h5py.File(sys.argv[1], "r+") as f:
    f["maps/cnn/cam/values"][3] += 1
PY
expect 1 "$XAUDIT" evaluate bad.h5 --checks '[complexity]' --job job.yaml --as damaged.h5
said 'maps/cnn/cam/values: the map of image .* is damaged'
cp pictures/1.png pictures/2.png
expect 1 "$XAUDIT" evaluate plain.h5 --checks '[complexity]' --job job.yaml --as pixels.h5
said 'has other pixels than when its maps were made'
finish
