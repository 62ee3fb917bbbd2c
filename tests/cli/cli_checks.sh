#!/usr/bin/env bash
# Checks with settings: golden figures, the same bytes for every batch, rank, slice and interruption, samples in turn,
# damage that verify finds, mistakes.
. "$(dirname "$0")/lib.sh"

golden=$PROJECT/tests/golden/faithfulness
cp "$golden/manifest.csv" manifest.csv
ln -s "$golden/images" images
cat >job.yaml <<EOF
manifest: manifest.csv
output: one.h5
models:
  - name: cnn
    file: $golden/tiny_cnn.h5
    batch: 1
    input: { size: [16, 16], resize: tf-nearest, scale: tf }
    explainers:
      - { kind: gradient, channels: sum, absolute: true, name: grad }
      - { kind: gradient, channels: none, store: f16, name: raw }
      - { kind: gradcam, name: cam }
      - { kind: integrated_gradients, steps: 4, name: ig }
  - name: vit
    file: $golden/tiny_vit.safetensors
    batch: 2
    input: { size: [16, 16], resize: tf-nearest, scale: tf }
    explainers: [{ kind: rollout, name: rollout }]
checks:
  - average_drop
  - { kind: deletion, baseline: zero, ties: first }
  - { kind: insertion, ties: first, images: 0 }
  - { kind: road, noise: 0, ties: first, images: 3 }
  - { kind: road, images: 2, name: noisy }
  - { kind: irof, cells: 4, ties: first, images: 0 }
  - { kind: sensitivity_n, baseline: uniform, draws: 3 }
  - { kind: infidelity, draws: 3 }
  - { kind: max_sensitivity, draws: 3 }
  - complexity
EOF
expect 0 "$XAUDIT" run job.yaml
expect 0 "$XAUDIT" verify one.h5
digest one.h5 | grep -v /run >whole
[ "$(grep -c '/checks/' whole)" -gt 100 ] || fail "a digest of $(grep -c '/checks/' whole) datasets of checks"

same() { # NAME: an archive with the same bytes
  expect 0 "$XAUDIT" verify "$1.h5"
  digest "$1.h5" | grep -v /run | diff whole - >out || fail "$1.h5 is not one.h5"
}
expect 0 "$XAUDIT" run job.yaml --output batch.h5 --set models.0.batch=3 --set models.1.batch=1 --quiet
same batch
expect 0 ranks 2 "$XAUDIT" run job.yaml --output ranks.h5 --quiet
same ranks
(
  XAUDIT_FAULT=settled:1@0 "$XAUDIT" run job.yaml --output resumed.h5 --quiet &
  wait $!
) >out 2>&1
rm -f resumed.h5.lock
expect 0 "$XAUDIT" run job.yaml --output resumed.h5 --quiet
same resumed
expect 0 "$XAUDIT" run job.yaml --slice 1/2 --output half.h5 --quiet
expect 0 "$XAUDIT" run job.yaml --slice 2/2 --output rest.h5 --quiet
expect 0 "$XAUDIT" merge half.h5 rest.h5 -o merged.h5
same merged

# Figures against float64, statuses, turns
expect 0 "$XAUDIT" run job.yaml --output more.h5 --set checks.3.images=0 --quiet
expect_python one.h5 more.h5 "$golden/expected.h5" <<'PY'
import sys
import h5py, numpy as np
one, more, golden = (h5py.File(p) for p in sys.argv[1:])
def figures(f, e, c):
    g = f[f"checks/cnn/{e}/{c}"]
    names = g.attrs["figures"].decode().split(",")
    return dict(zip(names, g["figures"][()].T)), g["status"][()], g
for e, m in (("grad", "gradient"), ("cam", "gradcam")):
    for c, g, within in (("deletion", "deletion_zero.prob.auc", 1e-5), ("insertion", "insertion_blur.prob.auc", 1e-5)):
        have, status, _ = figures(one, e, c)
        want = golden[f"cnn/checks.{m}.{g}"][()]
        rows = slice(0, 3) if e == "cam" else slice(0, 4) # image 3: its enlarged map has equal values
        assert (status == 1).all() and np.abs(have["auc"] - want)[rows].max() < within, (e, c, have["auc"], want)
    have, status, g = figures(one, e, "irof")
    assert (status == 1).all() and np.abs(have["aoc"] - golden[f"cnn/checks.{m}.irof.aoc"][()]).max() < 1e-5, (e, have["aoc"])
    ratio = g["probs"][:, 0] / g["probs"][:, 0, :1]
    assert np.abs(ratio - golden[f"cnn/checks.{m}.irof.curve"][()]).max() < 1e-5
have, status, g = figures(more, "grad", "road")
assert np.abs(have["difference"] - golden["cnn/checks.gradient.road.difference"][()]).max() < 1e-3
assert np.abs(g["scores"][:, 0, :5] - golden["cnn/checks.gradient.road.morf.logit"][()]).max() < 3e-3
have, _, _ = figures(one, "grad", "complexity")
assert np.abs(have["share"] * 256 - golden["cnn/effective_complexity"][()]).max() < 1e-9
# curves begin or end with the image itself, the differences are those of the curves' areas, blocks are named
have, status, g = figures(one, "grad", "deletion")
p = golden["cnn/probability"][()]
assert np.abs(g["probs"][:, 0, 0] - p).max() < 1e-6 and np.abs(figures(one, "grad", "insertion")[2]["probs"][:, 0, -1] - p).max() < 1e-6
assert g.attrs["blocks"].decode() == "map,random,edges,centre"
area = np.trapezoid(g["probs"][()], axis=2) / 16 if hasattr(np, "trapezoid") else np.trapz(g["probs"][()], axis=2) / 16
for b, r in enumerate(("random", "edges", "centre")):
    assert np.abs(have["minus_" + r] - (area[:, 0] - area[:, 1 + b])).max() < 1e-6
# rivals do not depend on the map
assert (g["scores"][:, 1:] == figures(one, "cam", "deletion")[2]["scores"][:, 1:]).all()
# not asked of these maps
assert (figures(one, "grad", "infidelity")[1] == 5).all() and (figures(one, "raw", "infidelity")[1] == 1).all()
have, status, _ = figures(one, "ig", "max_sensitivity") # an explainer that asks is asked about every moved input
assert (status == 1).all() and (have["max"] >= have["mean"]).all() and (have["mean"] > 0).all() and (have["max"] < 1).all()
assert (figures(one, "ig", "infidelity")[1] == 1).all()
# more images add rows to those of fewer
few, many = figures(one, "grad", "road"), figures(more, "grad", "road")
assert sorted(few[1]) == [1, 1, 1, 2] and (many[1] == 1).all()
done = few[1] == 1
assert (few[2]["scores"][()][done] == many[2]["scores"][()][done]).all() and np.isnan(few[2]["scores"][()][~done]).all()
noisy = figures(one, "grad", "noisy")
assert sum(noisy[1] == 1) == 2 and done[noisy[1] == 1].all()
assert (noisy[2]["scores"][()][noisy[1] == 1] != few[2]["scores"][()][noisy[1] == 1]).all()
# a forward-only map of a transformer, and of its predicted class
g = one["checks/vit/rollout/max_sensitivity"]
assert (g["status"][()] == 1).all() and (g["figures"][:, 0] > 0).all() and (g["figures"][:, 0] < 1).all()
PY
expect 0 "$XAUDIT" summary one.h5
said 'cnn  deletion.auc '
said 'minus random'
said '^  grad  .* 4     0   [0-9.]+ .* [-+][0-9.]+ too few groups'
said '^  grad  +[0-9.]+ \(n [1-3]\) +[0-9.]+ +[0-9.]+ +[0-9.]+$' # the normalised curve is that of fewer images
said 'undefined: 4 not defined for this map'
said 'cnn/grad .* deletion: not judged: too few groups for an interval: fewer than 5'
not_said 'deletion.minus_random'
expect 0 "$XAUDIT" summary one.h5 --metric road.difference # the difference to the random map stands beside it all the same
said '^  grad  .* 3     0   [0-9.]+ .* [-+][0-9.]+ too few groups'
expect 0 "$XAUDIT" summary one.h5 --metric deletion.minus_random # alone it has a table
said 'cnn  deletion.minus_random '
expect 0 "$XAUDIT" summary one.h5 --compare
said 'deletion.auc: a - b over the same images and classes; smaller is better'
said 'vit|cnn/cam' # of one model
not_said 'minus_random|base_keeps'
expect 0 "$XAUDIT" summary one.h5 --latex
said 'deletion.auc \[95\\,\\%\] & random & edges & centre & \$-\$ random \[95'
not_said 'minus'
expect 0 "$XAUDIT" info --methods one.h5
said 'road \[[0-9]+\] \(half the difference .*; ties first; noise 0; images 3\); sensitivity_n'
said '^\[[0-9]+\] Rong et al.: A consistent and efficient'
said 'No objection is no proof'
expect 0 "$XAUDIT" report one.h5 -o report.html --no-images
grep -q '<h2 id="checks">Do the maps follow the model' report.html || fail "the report has no section of checks"
grep -q 'leaves the class in 50 % of the images' report.html || fail "the report does not say what checks object to"
expect 0 "$XAUDIT" figure one.h5 --plot removal --model cnn -o removal.pdf
expect 0 "$XAUDIT" summary one.h5 --json --metric deletion.auc
cp out summary.json
expect 0 "$XAUDIT" summary one.h5 --csv --metric deletion.auc
cp out summary.csv
expect 0 "$XAUDIT" table one.h5 --csv
cp out table.csv
expect 0 "$XAUDIT" table one.h5 --json
cp out table.json
expect 2 "$XAUDIT" table one.h5 --json --csv
expect_python one.h5 summary.json summary.csv table.csv table.json <<'PY'
import csv, json, sys
import h5py, numpy as np
f = h5py.File(sys.argv[1])
g = f["checks/cnn/cam/deletion"]
area = lambda b: float(np.mean(np.convolve([.5, .5], [1]) @ np.stack([g["probs"][:, b, :-1].sum(1), g["probs"][:, b, 1:].sum(1)]) / 16))
rows = {(r["model"], r["explainer"]): r for r in csv.DictReader(open(sys.argv[3]))}
for b, name in enumerate(("cam", "cam.random", "cam.edges", "cam.centre")): # rivals stand beside, as baselines
    r = rows["cnn", name]
    assert r["baseline"] == ("yes" if b else "no") and abs(float(r["value"]) - area(b)) < 1e-6, (name, r["value"], area(b))
texts = {(j["model"], j["explainer"]): j["text"] for j in json.load(open(sys.argv[2]))["objections"]}
assert texts["cnn", "cam"] == ["deletion: not judged: too few groups for an interval: fewer than 5"], texts
table = [r for r in csv.DictReader(open(sys.argv[4])) if r["model"] == "cnn" and r["explainer"] == "cam"]
assert [float(r["deletion.auc"]) for r in table] == [float("%.9g" % v) for v in g["figures"][:, 0]]
assert [r["infidelity.status"] for r in table] == ["not defined"] * 4 and all(r["infidelity.scaled"] == "" for r in table)
said = [r for r in json.load(open(sys.argv[5])) if r["model"] == "cnn" and r["explainer"] == "cam"]
assert len(said) == len(table)
for a, b in zip(said, table): # the same values: numbers are numbers, what is not there is null
    assert list(a) == list(b) and all(b[k] == ("" if v is None else v if isinstance(v, str) else "%.9g" % v) for k, v in a.items()), (a, b)
assert said[0]["infidelity.scaled"] is None and isinstance(said[0]["deletion.auc"], float) and said[0]["label"] == table[0]["label"]
assert sorted(r["road.status"] for r in table) == ["done"] * 3 + ["not sampled"]
PY
expect 0 "$XAUDIT" summary one.h5 --metric road.difference --csv
said '^cnn,grad,no,road.difference,mean,.*,all,3,0,3,3.9'

# Costs are told first: deletion of 5 maps (4 + 3 rivals and 1 + 3) x 16 steps
expect 0 "$XAUDIT" check job.yaml --output new.h5
cost() { # WHAT IMAGES FORWARD BACKWARD
  said "^ +$1 +$2 +$3 +$4\\*? "
}
cost 'check deletion' 4 112 0
cost 'check deletion' 4 64 0
cost 'check road' 3 70 0
cost 'check sensitivity_n' 4 12 0
cost 'check infidelity' 4 0 0 # of the transformer: its map is a grid
cost 'check max_sensitivity' 4 18 15 # three moved images, and of each what ig asks: 5 passes, 4 of them with a gradient
cost 'explainer ig' 4 6 4 # four points of the path and its beginning, and the image masked by the map
cost 'explainer grad' 4 1 1
cost 'explainer raw' 4 1 0 # shares the pass of grad
said 'shares the backward pass of an explainer above'
said 'check "deletion" costs [0-9]+ times the plain run of model "cnn": if that is too much, lower its `images` or `steps`'

expect 0 "$XAUDIT" check job.yaml --output new.h5 --probe 4
said 'model cnn on one core here, measured: [0-9.]+ ms a forward pass of an image and [0-9.]+ ms a backward pass'
said 'GFLOP   s/image  core hours  archive'
said '^ +check deletion +4 +112 +0 +[0-9.]+ +[0-9.]+ +[0-9.e-]+ +[0-9.e-]+  '

# A sample that fails is in its turn, or not sampled; areas in a table are marked by their direction
sed 's#^images/2.png#images/none.png#' manifest.csv >broken.csv
for images in 1 4; do
  expect 3 "$XAUDIT" run job.yaml --output "broken$images.h5" --set manifest=broken.csv --set checks.1.images=$images --quiet
done
expect_python broken1.h5 broken4.h5 <<'PY'
import sys
import h5py
one, four = (h5py.File(p)["checks/cnn/grad/deletion/status"][()] for p in sys.argv[1:])
assert sorted(one) in ([1, 2, 2, 2], [2, 2, 2, 3]), one
assert list(four) == [1, 1, 3, 1], four
PY
expect 0 "$XAUDIT" verify broken1.h5
expect 0 "$XAUDIT" summary broken4.h5 --metric deletion.base_keeps --csv
said '^cnn,grad,no,deletion.base_keeps,mean,.*,all,3,1,3,0,'

# Scores that are not finite cost a check its row, and nothing else: a nearly white image is near 0 here, black overflows
expect_python <<'PY'
import struct, zlib
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + bytes(255 - (y * x * (c + 3) % 7 == 1) for x in range(16) for c in range(3)) for y in range(16))
open("white.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)) +
                              chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PY
printf 'path,label\nwhite.png,1\n' >white.csv
expect 0 "$XAUDIT" run job.yaml --output white.h5 --set manifest=white.csv --set checks.1.baseline=black \
  --set 'models.0.input.scale={ div: 2.55e-36, mean: 1e38, std: 1 }' --quiet
expect 0 "$XAUDIT" verify white.h5
expect_python white.h5 <<'PY'
import sys
import h5py, numpy as np
g = h5py.File(sys.argv[1])["checks/cnn/grad"]
assert g["deletion/status"][0] == 4 and np.isnan(g["deletion/figures"][0]).all(), g["deletion/status"][0]
assert np.isfinite(g["deletion/probs"][0, 0, 0]) and np.isnan(g["deletion/scores"][0, 0, -1])
assert g["insertion/status"][0] == 1 and np.isfinite(g["insertion/figures"][0, 0])
assert g["complexity/status"][0] == 1
PY

# How far maps move, of explainers that ask: without noise SmoothGrad is the gradient; one draw, many draws and batches alike
cat >moved.yaml <<EOF
manifest: manifest.csv
output: moved.h5
models:
  - name: cnn
    file: $golden/tiny_cnn.h5
    batch: 1
    input: { size: [16, 16], resize: tf-nearest, scale: tf }
    explainers:
      - { kind: gradient, channels: none, name: grad }
      - { kind: smoothgrad, sigma: 0, draws: 2, channels: none, name: still }
      - { kind: scorecam, top_channels: 2, name: score }
      - { kind: ablationcam, top_channels: 2, name: ablation }
      - { kind: rise, draws: 5, name: rise }
      - { kind: occlusion, name: occlusion }
      - { kind: expected_gradients, draws: 3, name: expected }
      - { kind: integrated_gradients, steps: 2, input: { resize: tf-bilinear, scale: unit }, name: other }
checks: [{ kind: max_sensitivity, draws: 3 }]
EOF
expect 0 "$XAUDIT" run moved.yaml --quiet
expect 0 "$XAUDIT" run moved.yaml --output moved3.h5 --set models.0.batch=3 --quiet
digest moved.h5 | grep -v /run >moved
digest moved3.h5 | grep -v /run | diff moved - >out || fail "how far maps move depends on the batch"
expect_python moved.h5 <<'PY'
import sys
import h5py, numpy as np
f = h5py.File(sys.argv[1])["checks/cnn"]
of = lambda e: (f[e]["max_sensitivity/status"][()], f[e]["max_sensitivity/figures"][()])
for e in f:
    status, v = of(e)
    assert (status == 1).all() and np.isfinite(v).all() and (v[:, 0] >= v[:, 1]).all() and (v[:, 1] > 0).all(), (e, status, v)
assert np.abs(of("still")[1] - of("grad")[1]).max() < 1e-6, (of("still")[1], of("grad")[1])
PY

# Damage
cat >damage.py <<'PY'
import sys
import h5py
with h5py.File(sys.argv[1], "r+") as f:
    f[sys.argv[2]][0] += 1
PY
for what in figures scores probs status; do
  cp one.h5 bad.h5
  chmod u+w bad.h5
  /usr/bin/python3 damage.py bad.h5 checks/cnn/cam/deletion/$what || fail "could not damage $what"
  expect 1 "$XAUDIT" verify bad.h5
  said 'checksums/checks/cnn/cam/deletion: row 0 of sample'
  expect 1 "$XAUDIT" summary bad.h5
done

# Mistakes
for wrong in 'checks=[irofs] | check: expected one of' 'checks=[weights] | check: expected one of' \
  'checks.1.draws=3 | draws: a setting of' 'checks=[road, road] | two checks are called "road"' \
  'checks=[{ kind: average_drop, images: 3 }] | average_drop: this check has no settings' \
  'checks=[{ images: 3 }] | `kind` is missing' 'checks.1.steps=0 | steps: expected'; do
  expect 2 "$XAUDIT" run job.yaml --output wrong.h5 --set "${wrong%% | *}"
  said "${wrong##* | }"
done
finish
