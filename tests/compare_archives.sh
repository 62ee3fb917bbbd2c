#!/usr/bin/env bash
# Two xaudit programs write the same archives: tests/compare_archives.sh BEFORE AFTER [PROJECT]
#
# For a change that must not move a number, a byte or an attribute: BEFORE is the program of the commit before it. Both run
# the same jobs (the demo's, one with every metric, check, baseline and dataset, merged slices, an evaluation), alone and on
# three ranks. Equal must be: the paths, types, extents and bytes of every dataset and every attribute outside /run, and the
# digests that both programs print of one archive. Free is only what says when and by which program an archive was made.
set -u
[ $# -ge 2 ] || { echo "usage: $0 BEFORE AFTER [PROJECT]" >&2; exit 2; }
before=$(realpath "$1") after=$(realpath "$2")
project=$(realpath "${3:-$(dirname "$0")/..}")
set -- "$after" "$project"
. "$project/tests/cli/lib.sh"

golden=$project/tests/golden
identity=$project/tests/job/identity/images

demo_manifest 6 >manifest.csv
demo_job 64 >demo.yaml

# Every kind of metric and explainer target, both storages, two models of which one has another input, baselines (made for
# every job with metrics), pairs of explainers, checks, thumbnails, an excluded sample, one that fails, further columns.
sed "s#\.\./\.\./app/identity/images#$identity#g" "$golden/archive/manifest.csv" |
  awk -F, -v OFS=, '$2 == "k" { $15 = "blurred" } { print $0, NR == 1 ? "clinic" : "c" NR % 3 }' >all.csv
echo "$WORK/missing.png,missing,1,1,box,1,1,9,9,,,,p7,test,,night,c0" >>all.csv
cat >all.yaml <<YAML
manifest: all.csv
output: out.h5
classes: [ant, bee, cat, dog, eel]
store: { thumbnails: 24 }
models:
  - name: cnn
    file: $golden/keras/tf215/head_softmax_layer.h5
    batch: 2
    input: { size: [14, 12], resize: pil-bilinear, scale: tf, depth: div257 }
    explainers:
      - { kind: saliency, target: predicted }
      - { kind: saliency, target: label, store: f16, name: half }
      - { kind: gradcam, layer: auto, score: prob, target: annotated }
  - name: one
    file: $golden/keras/tf215/head_softmax_layer.h5
    batch: 1
    input: { size: [14, 12], resize: pil-bilinear, scale: tf, depth: div257 }
    explainers:
      - { kind: gradcam, layer: auto, score: prob, target: label }
metrics: [pointing_game, energy, relevance_mass, relevance_rank, { kind: top_k, k: 5 }, roc_auc, average_focus,
  { kind: iou, threshold: otsu }, { kind: box_iou, threshold: 0.5 }, gt_known, top1, top5, { kind: box_acc, profile: wsol },
  { kind: pxap, profile: wsol }]
checks: [average_drop, random_logit]
YAML
# No metrics, no labels of a file: what is left out must be left out by both.
sed '/^metrics/d' demo.yaml >bare.yaml

cat >equal.py <<'PY'
import sys, h5py, numpy as np
free = {"created", "tool_version"}
a, b = h5py.File(sys.argv[1]), h5py.File(sys.argv[2])

def contents(f):
    out = {}
    def add(name, o):
        if name == "run" or name.startswith("run/"):
            return
        for key, value in o.attrs.items():
            if key not in free:
                out[name + "@" + key] = (str(np.asarray(value).dtype), np.shape(value), np.asarray(value).tobytes())
        if isinstance(o, h5py.Dataset):
            out[name] = (o.dtype.str, o.shape, o.id.get_type().get_size(), o[...].tobytes())
    add("/", f)
    f.visititems(add)
    return out

x, y = contents(a), contents(b)
differ = sorted(k for k in set(x) | set(y) if x.get(k) != y.get(k))
for k in differ[:20]:
    print(f"{k}: {'only after' if k not in x else 'only before' if k not in y else 'differs'}")
datasets = sum("@" not in k for k in x)
print(f"{sys.argv[1]} and {sys.argv[2]}: {datasets} datasets, {len(x) - datasets} attributes, {len(differ)} differ")
assert datasets > 25, "too few datasets to say anything"
sys.exit(bool(differ))
PY

same() { # BEFORE.h5 AFTER.h5
  /usr/bin/python3 equal.py "$1" "$2" || bad=1
  "$before" info --digest "$1" >digest.before || bad=1
  "$after" info --digest "$1" >digest.after || bad=1
  cmp digest.before digest.after || { echo "$1: the programs print other digests" >&2; bad=1; }
}

bad=0
for job in demo all bare; do
  want=0
  [ $job = all ] && want=3 # one sample fails
  expect $want "$before" run $job.yaml --output $job.before.h5 --quiet
  expect $want "$after" run $job.yaml --output $job.after.h5 --quiet
  expect $want ranks 3 "$after" run $job.yaml --output $job.ranks.h5 --quiet
  same $job.before.h5 $job.after.h5
  same $job.before.h5 $job.ranks.h5
  expect 0 "$after" verify $job.before.h5
done
for p in before after; do
  for k in 1 2; do
    "${!p}" run all.yaml --output $p.$k.h5 --slice $k/2 --quiet >/dev/null 2>&1
  done
  expect 0 "${!p}" merge $p.1.h5 $p.2.h5 -o $p.merged.h5
  # one source for both, since the new archive says its name
  expect 0 "${!p}" evaluate all.before.h5 --metrics all.yaml --as $p.evaluated.h5 --quiet
done
same before.merged.h5 after.merged.h5
same before.evaluated.h5 after.evaluated.h5
# a run that was begun by one and is finished by the other is a run
expect 3 "$before" run all.yaml --output joint.h5 --quiet
expect 3 "$after" run all.yaml --output joint.h5 --quiet --retry-failed
same all.before.h5 joint.h5
[ $bad = 0 ] || { echo "the archives differ" >&2; exit 1; }
echo "the archives are equal"
