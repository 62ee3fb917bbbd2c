#!/usr/bin/env bash
# check and info: what they say of the demo, of a model, of images; the archive read by h5py.
. "$(dirname "$0")/lib.sh"

expect 0 "$XAUDIT" check "$PROJECT/jobs/demo.yaml" --output fresh.h5
said '0.70 million parameters'
said 'layer xception_compact/block9_sepconv2_act \(chosen by auto\)'
said 'map \[1,8,8\] f32'
said '42 samples, 42 labelled, 42 annotated'
said 'memory: .* a rank'
said 'would be created'
said 'ready to run'
expect 0 "$XAUDIT" check "$PROJECT/jobs/demo.yaml" --layers
said 'conv2d .*relu'
expect 0 "$XAUDIT" check "$PROJECT/jobs/demo.yaml" --set models.0.input.scale=none
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

# README's lines, and the digests recomputed in Python
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
# the wrong scaling is found by trying the others
demo_manifest 20 >manifest.csv
demo_job >probe.yaml
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
finish
