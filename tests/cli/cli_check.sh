#!/usr/bin/env bash
# check and info: what they print about the demo, a model and images; the archive is read with h5py.
. "$(dirname "$0")/lib.sh"

expect 0 "$XAUDIT" check "$PROJECT/jobs/demo.yaml" --output fresh.h5
said '0.70 million parameters'
said 'layer xception_compact/block9_sepconv2_act \(chosen by auto\)'
said 'map \[1,8,8\] f32'
said '42 samples, 42 labelled, 42 annotated'
said 'memory: .* per rank'
said 'a run would create it'
said 'ready to run'
# every setting, those that the job leaves out too, and what the models decide as it came out
said '^settings, also'
said '^    job: output fresh.h5, .*frame refuse'
tr -s ' \n' ' ' <out >flat && mv flat out # lines that were broken are whole again
said ' explainer vit/rollout: kind rollout, title none, heads mean, start_layer 0, discard 0'
said ' layer xception_compact/block9_sepconv2_act, relu true'
expect 0 "$XAUDIT" check "$PROJECT/jobs/demo.yaml" --layers --output fresh.h5
said 'conv2d .*relu'
expect 0 "$XAUDIT" check "$PROJECT/jobs/demo.yaml" --output fresh.h5 --set models.0.input.scale=none
said 'warning: .*is that how it was trained'
expect 0 "$XAUDIT" info "$PROJECT/jobs/demo/xception.h5"
said 'Grad-CAM layer by auto: xception_compact/block9_sepconv2_act \[8,8,384\]'
expect 0 "$XAUDIT" info "$PROJECT/jobs/demo/images/airplanes/image_0005.jpg"
said 'jpeg, [0-9]+x[0-9]+, 3 channels'
expect 1 "$XAUDIT" info "$PROJECT/README.md"
said 'README.md'

demo_manifest 3 >manifest.csv
demo_job >job.yaml
expect 0 "$XAUDIT" run job.yaml --quiet
[ ! -s out ] && [ ! -s err ] || fail "--quiet is not quiet"
expect 0 "$XAUDIT" run job.yaml --output j.h5 --json
said '"event":"end".*"done":3'

# plain h5py reads the archive, and Python computes the same digests
cat >read.py <<'PY'
import hashlib, subprocess, sys
import h5py, numpy as np
f = h5py.File("out.h5", "r")
done = f["models/xception/status"][:] == 1
ids = f["samples/id"].asstr()[:][done]
assert list(ids) == ["airplanes/image_0005", "airplanes/image_0010", "airplanes/image_0015"], ids
cam = f["maps/xception/gradcam.label.prob"]
maps = cam["values"][:, 0] * cam["scale"][:][:, None, None]
assert maps.shape == (3, 8, 8) and np.isfinite(maps).all() and (maps >= 0).all() and maps.max() > 0
assert f.attrs["format"] in ("xaudit", b"xaudit")
p = f["models/xception/probs"][:]
assert abs(p.sum(1) - 1).max() < 1e-6
for line in open(sys.argv[1]):
    digest, path = line.split(None, 1)
    data = f[path.strip()][()]
    assert hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest() == digest, path
PY
digest out.h5 >digests.txt
expect 0 /usr/bin/python3 read.py digests.txt
# --probe finds a wrong scaling by trying the others
demo_manifest 20 >manifest.csv
demo_job >probe.yaml
# out.h5 holds three images of another job: --probe answers, but the job is not ready to run
expect 2 "$XAUDIT" check probe.yaml --probe 8
said 'model xception on 8 labelled images'
said 'the archive exists, and this job cannot continue it'
said "output: out.h5 was made with other settings, .*pass.samples: archive '3', job '20'"
not_said 'ready to run'
rm out.h5
expect 0 "$XAUDIT" check probe.yaml --probe 8
said 'model xception on 8 labelled images'
said '100.0 %  scale: tf   as written'
not_said 'is that what it was trained with'
expect 0 "$XAUDIT" check probe.yaml --probe 64 --set models.0.input.scale=none
said 'on 20 labelled images'
said '[0-9]+ % as written, [0-9]+ % with scale: (tf|unit)'
expect 2 "$XAUDIT" check probe.yaml --probe many
cut -d, -f1 manifest.csv >unlabelled.csv
sed 's/^manifest:.*/manifest: unlabelled.csv/; s/target: label/target: predicted/' probe.yaml >unlabelled.yaml
expect 2 "$XAUDIT" check unlabelled.yaml --probe 8
said 'no image is labelled'

# a model ends in plain scores; the strongest channel of an image is its class
expect_python <<'PY'
import random, struct, zlib
random.seed(1)
def png(path, pixels):
    side = len(pixels)
    rows = b"".join(b"\0" + bytes(v for p in row for v in p) for row in pixels)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
                           + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
names = ["red", "green", "blue"]
with open("colours.csv", "w") as out:
    out.write("path,label,kind,x0,y0,x1,y1\n")
    for i in range(18):
        png(f"{i:02}.png", [[[random.randrange(60) + 150 * (c == i % 3) for c in range(3)] for x in range(16)] for y in range(16)])
        out.write(f"{i:02}.png,{names[i % 3]},box,0,0,16,16\n")
PY
cat >colours.yaml <<YAML
manifest: colours.csv
classes: [red, green, blue]
output: colours.h5
models:
  - name: m
    file: $PROJECT/tests/golden/keras/k3/head_linear.h5
    input: { size: [16, 16], resize: pil-nearest, scale: unit }
    explainers: [ { kind: saliency, target: predicted }, { kind: gradcam, layer: auto, target: label } ]
metrics: [energy, top1, top5]
YAML
plain='it ends in plain scores: the last layer, "means" \(GlobalAveragePooling2D\).*`head: softmax`.*`head: multilabel`.*`head: none`'
expect 0 "$XAUDIT" info "$PROJECT/tests/golden/keras/k3/head_linear.h5"
said "$plain"
expect 2 "$XAUDIT" check colours.yaml
said "$plain"
expect 2 "$XAUDIT" run colours.yaml
said "$plain"
[ ! -e colours.h5 ] || fail "an archive of plain scores was made"

# head: none gives scores and no probabilities, and the class by the scores
none="--set models.0.head=none"
expect 0 "$XAUDIT" check colours.yaml $none --probe 18
said '100.0 %  scale: unit   as written'
not_said 'another order'
not_said 'the file says'
expect 2 "$XAUDIT" check colours.yaml $none --set models.0.explainers.0.score=prob
said 'score prob needs probabilities, and `head: none` gives none'
expect 2 "$XAUDIT" check colours.yaml $none --set models.0.explainers.1.score=logprob
said 'score logprob needs probabilities'
expect 2 "$XAUDIT" run colours.yaml $none --set 'checks=[average_drop]'
said 'average_drop compares probabilities, and `head: none` gives none'
expect 2 "$XAUDIT" check colours.yaml --set models.0.head=linear
said 'none'
expect 0 "$XAUDIT" run colours.yaml $none
said 'accuracy 100.0 % \(18 of 18'
expect 0 "$XAUDIT" verify colours.h5
expect 0 "$XAUDIT" table colours.h5
said '00.png +red +red +- '
not_said 'nan'
expect 0 "$XAUDIT" info colours.h5 --methods
said 'plain scores without probabilities, 3 classes'
expect 0 "$XAUDIT" report colours.h5 -o colours.html
! grep -qi '[^a-z]nan[^a-z]' colours.html || fail "the report shows a probability that is none"
expect 0 "$XAUDIT" figure colours.h5 -o colours.png --pick best --metric energy -n 2
expect 2 "$XAUDIT" figure colours.h5 --plot confidence --metric energy -o confidence.png
said 'no probabilities \(head: none\)'
expect 0 "$XAUDIT" evaluate colours.h5 --metrics '[top1, top5]'
expect 0 "$XAUDIT" verify colours.eval.h5
expect_python <<'PY'
import h5py, numpy as np
f = h5py.File("colours.h5")
g = f["models/m"]
assert g.attrs["head"] in ("none", b"none")
assert np.isnan(g["probs"][:]).all() and np.isfinite(g["logits"][:]).all()
assert (g["predicted"][:] == np.arange(18) % 3).all()
PY
# top1 uses the scores: with the names in another order no answer is right, though every box is
expect 0 "$XAUDIT" run colours.yaml $none --set 'classes=[green, blue, red]' --output turned.h5 --quiet \
  --set models.0.explainers.0.name=an_explainer_whose_name_is_longer_than_the_column_of_paths
expect 0 "$XAUDIT" info turned.h5 # types stand below one another all the same
[ "$(sed '1,/^datasets/d' out | grep -c .)" -gt 40 ] || fail "info lists few datasets"
[ "$(sed '1,/^datasets/d; s/ \[.*//' out | awk '{ print length($0) }' | sort -u | wc -l)" = 1 ] || fail "info's types are not in one column"
expect 0 "$XAUDIT" evaluate turned.h5 --metrics '[gt_known, top1]'
for a in turned.h5 turned.eval.h5; do
  "$XAUDIT" table $a --csv >turned.csv || fail "table $a"
  expect_python <<'PY'
import csv
rows = list(csv.DictReader(l for l in open("turned.csv") if not l.startswith("#")))
assert len(rows) == 36 and {r["top1"] for r in rows} == {"0"}, {r["top1"] for r in rows}
assert "gt_known" not in rows[0] or "1" in {r["gt_known"] for r in rows}, "no box is right, which tells nothing"
PY
done

# names in another order, and a size that differs from the file's
softmax="--set models.0.head=softmax"
expect 0 "$XAUDIT" check colours.yaml $softmax --output fresh.h5 --set 'classes=[green, red, blue]' --probe 18
said 'warning: class names seem to be in another order: green <-> red .*; 100 % of these 12 images fit then, 0 % as it is'
not_said 'is that what it was trained with'
expect 0 "$XAUDIT" run colours.yaml $softmax --set 'classes=[green, blue, red]' --output order.h5
said 'm: warning: class names seem to be in another order: green -> blue, blue -> red, red -> green'
not_said 'that is what guessing gives'
expect 0 "$XAUDIT" check colours.yaml $softmax --output fresh.h5 --set 'models.0.input.size=[24, 16]'
said 'warning: model "m": its file says an input of 16 x 16 \(height x width\), and the job says size: \[24, 16\]'
expect 0 "$XAUDIT" run colours.yaml $softmax --set 'models.0.input.size=[24, 16]' --output size.h5
said 'warning: model "m": its file says an input of 16 x 16'
expect 1 "$XAUDIT" info "$PROJECT/tests/golden/foreign/model.onnx"
said 'its input "x" is \[1,2\], expected \[batch, channels, height, width\]'
expect 2 "$XAUDIT" check colours.yaml --set "models.0.file=$PROJECT/tests/golden/foreign/checkpoint.pth"
said 'a PyTorch checkpoint.*safetensors'
finish
