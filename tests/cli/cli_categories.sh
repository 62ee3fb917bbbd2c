#!/usr/bin/env bash
# A category stands for several classes of the model: the member with the highest logit is explained, an answer inside the
# category is right, and it keeps its name in every table, through slices, resumed runs, merge and evaluate.
. "$(dirname "$0")/lib.sh"

T=$PROJECT/tests/job/identity
ln -s "$T/images" .
cp "$PROJECT/tests/golden/keras/tf215/head_softmax_layer.h5" cnn.h5
printf '%s\n' ant bee cat dog elk >classes.txt
cat >categories.txt <<'EOF'
# the words of COCO and those of the model
insect: ant | bee
pet: cat|dog
elk: elk
EOF
cat >manifest.csv <<'EOF'
path,id,label,class,x0,y0,x1,y1,group
images/a.png,a,insect,,3,2,17,12,p1
images/b.png,b,pet|elk,elk|dog,1,1,20,18,p1
images/b.png,b,,pet,2,2,9,9,p1
images/c.png,c,elk,dog|elk,5,5,20,18,p2
images/d.png,d,pet,insect,1,4,15,15,p2
images/e.png,e,pet,cat,2,2,12,14,p3
images/f.png,f,insect,ant|bee,6,1,22,15,p3
EOF
cat >job.yaml <<'EOF'
manifest: manifest.csv
classes: classes.txt
categories: categories.txt
output: out.h5
models:
  - name: cnn
    file: cnn.h5
    batch: 2
    input: { size: [14, 12], resize: pil-bilinear, scale: { div: 255 }, depth: { window: [0, 60000] } }
    explainers:
      - { kind: gradcam, layer: auto, target: annotated, name: cam }
      - { kind: saliency, target: label, name: label }
      - { kind: gradient, target: predicted, name: answer }
metrics: [energy, top1]
checks: [average_drop]
EOF

expect 0 "$XAUDIT" check job.yaml
expect 0 "$XAUDIT" run job.yaml
said 'chance 3[0-9.]+ %' # of the sets' sizes
right=$(grep -oE 'accuracy [0-9.]+ % \([0-9]+ of [0-9]+' "$WORK/out" "$WORK/err" | sed 's/.*(//')
expect 0 "$XAUDIT" verify out.h5
said 'complete and whole'

expect_python "$right" "$PROJECT/src/python" <<'PY'
import sys, h5py, numpy as np
sys.path.insert(0, sys.argv[2])
from xaudit import Archive
with Archive("out.h5") as a:
    assert a.categories()[(1 << 24) + 2] == ("dog|elk", [3, 4])
f, base = h5py.File("out.h5"), 1 << 24
assert f["eval"].attrs["categories"] in ("0|1\tinsect\n2|3\tpet\n3|4\tdog|elk\n", b"0|1\tinsect\n2|3\tpet\n3|4\tdog|elk\n")
members = [[0, 1], [2, 3], [3, 4]]
sample, of = f["eval/sample"][:].tolist(), f["eval/class"][:].tolist()
# one row per image and category
assert list(zip(sample, of)) == [(0, base), (1, base + 1), (1, base + 2), (2, base + 2), (3, base), (4, 2), (5, base)]
z, p, predicted = f["models/cnn/logits"][:], f["models/cnn/probs"][:], f["models/cnn/predicted"][:]
one = lambda i, c: c if c < base else max(members[c - base], key=lambda k: (z[i, k], -k))
cam = f["maps/cnn/cam"]
assert cam["sample"][:].tolist() == sample and cam["target"][:].tolist() == [one(i, c) for i, c in zip(sample, of)]
offset, value = f["samples/labels/offset"][:], f["samples/labels/value"][:]
owner = np.repeat(np.arange(6), np.diff(offset)).tolist()
assert value.tolist() == [base, 4, base + 1, 4, base + 1, base + 1, base]
assert f["maps/cnn/label/target"][:].tolist() == [one(i, c) for i, c in zip(owner, value.tolist())]
# an answer inside the category is right
inside = lambda i, c: predicted[i] == c if c < base else predicted[i] in members[c - base]
right = [any(inside(i, c) for c in value[offset[i]:offset[i + 1]]) for i in range(6)]
assert sys.argv[1] == f"{sum(right)} of 6" == "2 of 6", (sys.argv[1], right)
# the map of the category's class is scored for the category; top1 is undefined or 0 where the answer is outside
energy, top = f["localisation/cnn/cam/energy"][:], f["localisation/cnn/cam/top1"][:]
assert np.isfinite(energy).all()
assert all(t == 0 for t, i, c in zip(top, sample, of) if not inside(i, c)) and len({bool(inside(i, c)) for i, c in zip(sample, of)}) == 2
PY

# every table shows the names
expect 0 "$XAUDIT" summary out.h5 --by class
said '^ .*insect'
said '^ .*dog.elk'
expect 0 "$XAUDIT" summary out.h5 --by correct
expect 0 "$XAUDIT" table out.h5
said 'insect'
expect 0 "$XAUDIT" table out.h5 --csv
cp "$WORK/out" table.csv
expect_python <<'PY'
import csv, h5py, numpy as np
f = h5py.File("out.h5")
rows = [r for r in csv.DictReader(open("table.csv")) if r["explainer"] == "cam"]
assert [r["annotated_class"] for r in rows] == ["insect", "pet", "dog|elk", "dog|elk", "insect", "cat", "insect"], rows
assert rows[1]["label"] == "elk|pet" or rows[1]["label"] == "pet|elk"
names = ["ant", "bee", "cat", "dog", "elk"]
assert [r["target"] for r in rows] == [names[t] for t in f["maps/cnn/cam/target"][:]], rows
PY
expect 0 "$XAUDIT" info out.h5 --methods
said 'Of the categories, 3 stand for sets of classes'
expect 0 "$XAUDIT" check --probe 6 job.yaml
said '33.3 %  scale: custom +as written'
expect 0 "$XAUDIT" report out.h5 -o report.html
grep -q 'dog|elk' report.html || fail 'the report names the category'
expect 0 "$XAUDIT" figure out.h5 --class pet --image-root . -o pet.png
expect 0 "$XAUDIT" figure out.h5 --plot confidence -o confidence.pdf

# The same in slices, on two ranks, with the categories in another order, and evaluated again
digest out.h5 | grep -vE '/run|seconds' >whole
expect 0 "$XAUDIT" run job.yaml --slice 1/2 --output one.h5
expect 0 "$XAUDIT" run job.yaml --slice 2/2 --output two.h5
expect 0 "$XAUDIT" merge one.h5 two.h5 -o merged.h5
expect 0 ranks 2 "$XAUDIT" run job.yaml --output ranks.h5
(
  XAUDIT_FAULT=settled:1@0 "$XAUDIT" run job.yaml --output resumed.h5 --quiet &
  wait $!
) >out 2>&1
rm -f resumed.h5.lock
expect 0 "$XAUDIT" run job.yaml --output resumed.h5
sed 's/name: cnn/name: net/' job.yaml >net.yaml
expect 0 "$XAUDIT" run net.yaml --output net.h5
expect 0 "$XAUDIT" merge out.h5 net.h5 -o both.h5
expect 0 "$XAUDIT" verify both.h5
expect 0 "$XAUDIT" summary both.h5 --by class
said 'dog.elk'
for other in merged ranks resumed; do
  expect 0 "$XAUDIT" verify $other.h5
  digest $other.h5 | grep -vE '/run|seconds' | diff whole - >out || fail "$other.h5 is not out.h5"
done
expect 0 "$XAUDIT" evaluate out.h5 --metrics '[energy, top1]' --as again.h5
expect 0 "$XAUDIT" verify again.h5
expect_python <<'PY'
import h5py, numpy as np
a, b, c = h5py.File("out.h5"), h5py.File("again.h5"), h5py.File("merged.h5")
assert a["eval"].attrs["categories"] == b["eval"].attrs["categories"] == c["eval"].attrs["categories"]
for explainer in ("cam", "label", "answer"):
    for metric in ("energy", "top1"):
        path = f"localisation/cnn/{explainer}/{metric}"
        assert np.array_equal(a[path][:], b[path][:], equal_nan=True), path
PY
expect 0 "$XAUDIT" summary out.h5 again.h5
expect 0 "$XAUDIT" summary again.h5 --by class

# A different set under the same name needs another archive
sed 's/ant | bee/ant | cat/' categories.txt >other.txt
expect 2 "$XAUDIT" run job.yaml --set categories=other.txt
said 'was made with other settings'
expect 0 "$XAUDIT" run job.yaml --set categories=other.txt --slice 2/2 --output two.h5 --fresh
expect 2 "$XAUDIT" merge one.h5 two.h5 -o wrong.h5
said 'annotated_classes'

# Mistakes
sed 's/dog|elk/dog|elf/' manifest.csv >bad.csv
expect 2 "$XAUDIT" check job.yaml --set manifest=bad.csv
said 'bad.csv:5: .*"elf" is not a class of this job; did you mean "elk"'
echo 'pet: cat | elf' >bad.txt
expect 2 "$XAUDIT" check job.yaml --set categories=bad.txt
said 'bad.txt:1: category "pet": class "elf" is not a class'
expect 2 "$XAUDIT" check job.yaml --set categories=nowhere.txt
said 'nowhere.txt'
sed -E 's/dog\|elk/4|9/; s/elk\|dog/4|3/; s/,(insect|pet|cat|elk|pet\|elk|ant\|bee),/,1,/; s/,(insect|pet|cat|ant\|bee),/,1|0,/' \
  manifest.csv >numbers.csv
sed '/^classes:/d; /^categories:/d; s/manifest.csv/numbers.csv/' job.yaml >numbers.yaml
expect 2 "$XAUDIT" check numbers.yaml
said 'numbers.csv:5: class 9, but model "cnn" has classes 0 to 4'
expect_python <<'PY'
import h5py, shutil
for name, text in (("beyond", "0|1\tinsect\n2|3\tpet\n3|9\tdog|elk\n"), ("form", "1|0\tinsect\n"), ("few", "0|1\tinsect\n")):
    shutil.copy("out.h5", name + ".h5")
    with h5py.File(name + ".h5", "r+") as f:
        f["eval"].attrs["categories"] = text
PY
for name in beyond form few; do
  expect 1 "$XAUDIT" verify $name.h5
  expect 1 "$XAUDIT" table $name.h5
  said 'eval|labels'
done
echo "$checks checks"
