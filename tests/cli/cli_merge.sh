#!/usr/bin/env bash
# xaudit merge: merged slices equal the undivided run in every byte and attribute; models and explainers of one manifest come
# into one archive; what does not fit is refused with the reason.
. "$(dirname "$0")/lib.sh"

{ # several classes an image, masks, an image that is missing, one that is excluded, further columns
  demo_manifest 10 | awk -F, -v OFS=, 'NR == 1 {print $0, "light"} NR > 1 {if ($2 ~ "0015") $15 = "blurred"; print $0, "day" $2}'
  echo "$WORK/missing.jpg,missing,dolphin,dolphin,box,1,1,9,9,,,,,test,,night"
  demo_manifest 14 | tail -n 8 | sed 's/$/,dusk/'
} >manifest.csv
{
  demo_job 64 | sed '/^metrics:/d; s/target: label }/target: label }\n      - { kind: gradcam, layer: auto, target: annotated, name: annotated, store: f16 }/'
  echo 'metrics: [pointing_game, { kind: box_acc, profile: wsol }, { kind: pxap, profile: wsol }]'
} | sed 's/    input:/    batch: 2\n    input:/' >job.yaml
expect 3 "$XAUDIT" run job.yaml --output whole.h5 --quiet
expect 0 "$XAUDIT" run job.yaml --output s1.h5 --slice 1/3 --quiet
expect 0 ranks 2 "$XAUDIT" run job.yaml --output s2.h5 --slice 2/3 --quiet
expect 3 ranks 3 "$XAUDIT" run job.yaml --output s3.h5 --slice 3/3 --quiet
expect 0 "$XAUDIT" merge s3.h5 s1.h5 s2.h5 -o merged.h5
said 'merged.h5: 3 slices, 15 samples, 1 model, 3 explainers'
for f in whole merged; do digest $f.h5 | grep ' /' | grep -v ' /run/' >$f.txt; done
[ "$(wc -l <whole.txt)" -gt 50 ] || fail "too few datasets"
cmp whole.txt merged.txt || fail "the merged archive is not the undivided run's"
expect 0 "$XAUDIT" verify merged.h5
expect_python <<'PY'
import h5py, numpy as np
a, b = h5py.File("whole.h5"), h5py.File("merged.h5")
free = {"created"}
def attributes(f):
    out = {}
    def add(name, o):
        for k, v in o.attrs.items():
            out[name, k] = np.asarray(v).tobytes() if not isinstance(v, (str, bytes)) else v
    add("/", f)
    f.visititems(add)
    return {k: v for k, v in out.items() if k[1] not in free}
x, y = attributes(a), attributes(b)
assert x == y, [k for k in set(x) | set(y) if x.get(k) != y.get(k)]
assert len(x) > 100 and len(b["models/xception/status"]) == 15
assert list(np.unique(b["models/xception/status"][:])) == [1, 2, 3]
n = b["run/sessions/count"][0]
assert n == 3 and b["run/sessions/ranks"][:n].tolist() == [1, 2, 3] and b["run/state"][0] == 2
assert not b["run/sessions/ranks"][n:].any()
PY
# the result is an archive of the job: a run finds nothing left to do
cp merged.h5 again.h5
expect 3 "$XAUDIT" run job.yaml --output again.h5 --quiet
cmp <(digest again.h5 | grep ' /' | grep -v ' /run/' | awk '{print $1}') <(awk '{print $1}' whole.txt) || fail "a further run changed it"
# two slices, with the default names
expect 0 "$XAUDIT" run job.yaml --slice 1/2 --quiet
expect 3 "$XAUDIT" run job.yaml --slice 2/2 --quiet
expect 0 "$XAUDIT" merge out.1-of-2.h5 out.2-of-2.h5 -o two.h5
cmp <(digest two.h5 | grep ' /' | grep -v ' /run/' | awk '{print $1}') <(awk '{print $1}' whole.txt) || fail "two slices are another run"

# slices that do not fit
expect 2 "$XAUDIT" merge s1.h5 s3.h5 -o x.h5
said 'samples 4 to 9 are in none of the archives'
expect 2 "$XAUDIT" merge s1.h5 s2.h5 -o x.h5
said 'samples 10 to 14 are in none'
expect 2 "$XAUDIT" merge s1.h5 s2.h5 out.2-of-2.h5 -o x.h5
said 's2.h5 and out.2-of-2.h5 overlap|out.2-of-2.h5 and s2.h5 overlap'
expect 2 "$XAUDIT" merge s1.h5 s1.h5 s2.h5 s3.h5 -o x.h5
said 's1.h5 and s1.h5 overlap'
sed 's/scale: tf/scale: unit/' job.yaml >other.yaml
expect 0 "$XAUDIT" run other.yaml --output other.h5 --slice 2/3 --quiet
expect 2 "$XAUDIT" merge s1.h5 other.h5 s3.h5 -o x.h5
said "s1.h5 and other.h5 were made with other settings, 1 differs: pass.model.xception/scale: s1.h5 'tf', other.h5 'unit'"
sed 's/metrics: .pointing_game,/metrics: [/' job.yaml >fewer.yaml
expect 0 "$XAUDIT" run fewer.yaml --output fewer.h5 --slice 2/3 --quiet
expect 2 "$XAUDIT" merge s1.h5 fewer.h5 s3.h5 -o x.h5
said "1 differs: scores.metrics: s1.h5 'pointing_game box_acc pxap', fewer.h5 'box_acc pxap'"
expect 2 "$XAUDIT" merge fewer.h5 s1.h5 s3.h5 -o x.h5
said 'scores.metrics'
expect 2 "$XAUDIT" merge s1.h5 whole.h5 -o x.h5
said 's1.h5 is a slice of a manifest and whole.h5 is not'
/usr/bin/python3 -c "
import h5py, shutil
shutil.copy('s2.h5', 'pending.h5')
h5py.File('pending.h5', 'r+')['models/xception/status'][0] = 0"
expect 2 "$XAUDIT" merge s1.h5 pending.h5 s3.h5 -o x.h5
said 'pending.h5: 1 samples of model xception are not done yet'
expect 2 "$XAUDIT" merge s1.h5 s2.h5 s3.h5 -o merged.h5
said 'merged.h5 exists already'
expect 2 "$XAUDIT" merge s1.h5 -o x.h5
expect 2 "$XAUDIT" merge s1.h5 s2.h5
expect 2 "$XAUDIT" merge s1.h5 nowhere.h5 -o x.h5
expect 2 "$XAUDIT" merge s1.h5 job.yaml -o x.h5
expect 2 "$XAUDIT" run job.yaml --output x.h5 --slice 4/3 --quiet
said 'expected I/N'
expect 2 "$XAUDIT" run job.yaml --output x.h5 --slice 2/99 --quiet
said 'at most 8 slices'
expect 2 "$XAUDIT" run job.yaml --output x.h5 --slice 1/2 --limit 3 --quiet
expect 2 "$XAUDIT" run job.yaml --output s1.h5 --slice 2/3 --quiet
said 'slice'
ls ./*.part x.h5 2>/dev/null && fail "something is left"

# a further explainer of the model, and another model
sed 's/kind: gradcam, layer: auto, score: prob, target: label/kind: layercam, layer: auto, target: label/; /annotated/d; /saliency/d' job.yaml >cam.yaml
sed '/annotated/d; s/name: xception/name: second/' job.yaml >second.yaml
expect 3 "$XAUDIT" run cam.yaml --output cam.h5 --quiet
expect 3 "$XAUDIT" run second.yaml --output second.h5 --quiet
cp whole.h5 before.h5
expect 0 "$XAUDIT" merge whole.h5 cam.h5 second.h5 -o all.h5
said 'all.h5: 3 archives of one manifest, 15 samples, 2 models, 6 explainers'
cmp whole.h5 before.h5 || fail "merge touched its source"
expect 0 "$XAUDIT" verify all.h5
expect 0 "$XAUDIT" summary all.h5
said 'layercam.label'
said '^second +pointing_game'
for f in whole cam second; do
  digest $f.h5 | grep -E ' /(maps|localisation|statistics|models|pairs)/' | sort >part.txt
  digest all.h5 | sort | comm -23 part.txt - >lost.txt
  [ ! -s lost.txt ] || fail "$f.h5 is not whole in all.h5: $(head -2 lost.txt)"
done
expect 2 "$XAUDIT" run job.yaml --output all.h5 --quiet
expect 0 "$XAUDIT" evaluate all.h5 --metrics '[energy]' --quiet
expect 2 "$XAUDIT" merge all.eval.h5 whole.h5 -o x.h5
said 'all.eval.h5 holds an evaluation'
expect 2 "$XAUDIT" merge whole.h5 whole.h5 -o x.h5
said 'both hold maps of xception/'
expect 3 "$XAUDIT" run other.yaml --output other2.h5 --quiet
expect 2 "$XAUDIT" merge whole.h5 other2.h5 -o x.h5
said "whole.h5 and other2.h5 are of jobs that differ in what both have, 1 differs: pass.model.xception/scale: whole.h5 'tf', other2.h5 'unit'"
# metrics of one name must be the same in both, and so must annotations and class names; each may have further metrics
sed 's/pointing_game,/{ kind: pointing_game, tolerance: 9px },/' cam.yaml >tolerant.yaml
expect 3 "$XAUDIT" run tolerant.yaml --output tolerant.h5 --quiet
expect 2 "$XAUDIT" merge whole.h5 tolerant.h5 -o x.h5
said "scores.metric.pointing_game/tolerance.px: whole.h5 '0', tolerant.h5 '9'"
sed 's/pointing_game,/energy,/' cam.yaml >energy.yaml
expect 3 "$XAUDIT" run energy.yaml --output energy.h5 --quiet
expect 0 "$XAUDIT" merge whole.h5 energy.h5 -o beside.h5
expect 0 "$XAUDIT" verify beside.h5
# a merged archive is merged again, and keeps the identities of all that it was made from
expect 2 "$XAUDIT" merge beside.h5 tolerant.h5 -o x.h5
said "scores.metric.pointing_game/tolerance.px: beside.h5 '0', tolerant.h5 '9'"
expect 0 "$XAUDIT" merge beside.h5 second.h5 -o three.h5
expect_python <<'PY'
import h5py
f = h5py.File("three.h5")
lines = f.attrs["identity_text"].decode().splitlines()
assert [l for l in lines if l.startswith("merged.")] == [f"merged.{i} = of these" for i in range(3)], lines[:3]
assert any(l.startswith("1.scores.metric.energy/") for l in lines) and any(l.startswith("2.pass.model.second/") for l in lines)
PY
sed '2s/,box,[0-9]*/,box,1/; 3s/,box,[0-9]*/,box,1/' manifest.csv >boxes.csv
cmp -s manifest.csv boxes.csv && fail "no box was changed"
sed 's/^manifest:.*/manifest: boxes.csv/' cam.yaml >boxes.yaml
expect 3 "$XAUDIT" run boxes.yaml --output boxes.h5 --quiet
expect 2 "$XAUDIT" merge whole.h5 boxes.h5 -o x.h5
said 'annotations/box differs|scores.manifest.boxes: changed'
sed '2s/,test,/,train,/; 3s/,test,/,train,/' manifest.csv >split.csv
cmp -s manifest.csv split.csv && fail "no split was changed"
sed 's/^manifest:.*/manifest: split.csv/' cam.yaml >split.yaml
expect 3 "$XAUDIT" run split.yaml --output split.h5 --quiet
expect 2 "$XAUDIT" merge whole.h5 split.h5 -o x.h5
said 'scores.manifest.splits: changed'
sed "s#^classes:.*#classes: classes.txt#" cam.yaml >names.yaml
sed '$s/.*/another/' "$PROJECT/jobs/demo/classes.txt" >classes.txt
expect 3 "$XAUDIT" run names.yaml --output names.h5 --quiet
expect 2 "$XAUDIT" merge whole.h5 names.h5 -o x.h5
said 'scores.class_names: changed'
# slices with different annotations
sed 's/^manifest:.*/manifest: boxes.csv/' job.yaml >boxes.yaml
expect 0 "$XAUDIT" run boxes.yaml --output boxes2.h5 --slice 2/3 --quiet
expect 2 "$XAUDIT" merge s1.h5 boxes2.h5 s3.h5 -o x.h5
said 's1.h5 and boxes2.h5 were made with other settings, 1 differs: scores.manifest.boxes: changed'
head -n 9 manifest.csv >short.csv
sed 's/^manifest:.*/manifest: short.csv/; s/name: xception/name: third/' job.yaml >short.yaml
expect 0 "$XAUDIT" run short.yaml --output short.h5 --quiet
expect 2 "$XAUDIT" merge whole.h5 short.h5 -o x.h5
said 'whole.h5 has 15 samples and short.h5 4'
finish
