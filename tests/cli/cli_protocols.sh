#!/usr/bin/env bash
# How a protocol treats maps of zeros, flags and tiny boxes shows in scores, reasons and tables, after run and after evaluate.
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 - <<'PY'
import struct, zlib
def png(name, width, height, value):
    raw = b"".join(b"\0" + bytes(v for x in range(width) for v in value(x, y)) for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
png("noise.png", 48, 56, lambda x, y: ((x * 37 + y * 91) % 251, (x * x + y * 7) % 253, (x * y * 13) % 241))
png("black.png", 48, 56, lambda x, y: (0, 0, 0))  # gradient x input of it is zero everywhere
PY
cat >manifest.csv <<'CSV'
path,id,label,kind,x0,y0,x1,y1,flags
noise.png,plain,0,box,8,8,40,48,
noise.png,difficult,0,box,8,8,40,48,difficult
noise.png,both,0,box,8,8,40,48,difficult
noise.png,both,0,box,40,4,44,8,
noise.png,crowd,0,box,8,8,40,48,crowd
noise.png,object,0,box,8,8,40,48,crowd
noise.png,object,0,box,16,16,32,32,
noise.png,tiny,0,box,25,29,26,30,
black.png,zeros,0,box,8,8,40,48,
CSV
cat >job.yaml <<YAML
manifest: manifest.csv
output: out.h5
models:
  - name: cnn
    file: $PROJECT/tests/golden/keras/tf215/head_softmax_layer.h5
    input: { size: [14, 12], resize: pil-bilinear, scale: unit }
    explainers: [{ kind: gradient_x_input, target: label, channels: sum, name: gxi }]
metrics: &metrics
  - { kind: pointing_game, profile: torchray, tolerance: 100px }
  - { kind: pointing_game, name: skipped, difficult: skip, tolerance: 100px }
  - energy
  - { kind: energy, name: with_crowds, crowd: keep }
  - iou
  - average_focus
  - { kind: relevance_mass, sign: abs }
  - { kind: box_acc, profile: wsol }
  - { kind: pxap, profile: wsol }
YAML
sed -i 's/metrics: &metrics/metrics:/' job.yaml
expect 0 "$XAUDIT" run job.yaml
expect 0 "$XAUDIT" summary out.h5
said 'cnn/gxi: 1 of 7 maps are all zero, and are scored as such'
said '1 all its annotations are difficult'
said '1 all its annotations are crowds'
said 'skipped where all is difficult, crowds count'
said 'difficult objects count, crowds are ignored'
cat >check_scores.py <<'PY'
import h5py, numpy as np, sys
f = h5py.File(sys.argv[1])
g = f["localisation/cnn/gxi"]
ids = f["samples/id"].asstr()[:][f["eval/sample"][:]]
score = {name: dict(zip(ids, g[name][:])) for name in g}
def undefined(name):
    return {i for i, v in score[name].items() if not np.isfinite(v)}
assert undefined("pointing_game") == {"difficult"}, undefined("pointing_game")
assert undefined("skipped") == {"difficult", "crowd"}, undefined("skipped")
assert undefined("energy") == undefined("iou") == undefined("average_focus") == {"crowd", "tiny"}
assert undefined("with_crowds") == {"tiny"} and undefined("relevance_mass") == {"crowd", "tiny", "zeros"}
assert undefined("box_acc") == {"crowd"}  # a box of a pixel, between the input's pixel centres, is a box
assert undefined("pxap") == {"crowd", "tiny"}
assert [score[n]["zeros"] for n in ("pointing_game", "energy", "iou", "average_focus")] == [0, 0, 0, 0]
assert score["energy"]["difficult"] == score["energy"]["plain"] == score["with_crowds"]["crowd"]
assert score["with_crowds"]["object"] == score["with_crowds"]["plain"]
# an object in a crowd: the other pixels of the crowd are in neither sum
v = np.maximum(f["maps/cnn/gxi/values"][0, 0].astype(float), 0) * f["maps/cnn/gxi/scale"][0]
inside = np.zeros((14, 12), bool); crowd = inside.copy()
inside[4:8, 4:8] = True; crowd[2:12, 2:10] = True
assert abs(score["energy"]["object"] - v[inside].sum() / v[inside | ~crowd].sum()) < 1e-12
hist = f["statistics/cnn/gxi/pxap"]
assert hist.shape == (7, 2, 1001)
zero = list(ids).index("zeros")
assert hist[zero, :, 0].tolist() == [88, 80] and hist[zero].sum() == 168  # all in the lowest bin
assert abs(score["pxap"]["zeros"] - 80 / 168) < 1e-12
PY
expect_python out.h5 <check_scores.py
sed -n '/^metrics:/,$p' job.yaml | sed 1d >metrics.yaml
expect 0 "$XAUDIT" evaluate out.h5 --metrics metrics.yaml
expect_python out.eval.h5 <check_scores.py
cmp <("$XAUDIT" info --digest out.h5 | grep -E '/(localisation|statistics)/cnn/gxi/') \
  <("$XAUDIT" info --digest out.eval.h5 | grep -E '/(localisation|statistics)/cnn/gxi/') || fail "evaluate scores otherwise"

# signed values cancel in a sum and are no share of it: a job must ask for that explicitly
sed 's/{ kind: relevance_mass, sign: abs }/relevance_mass/' job.yaml >signed.yaml
expect 2 "$XAUDIT" check signed.yaml
said 'relevance_mass: the maps of cnn/gxi have values below 0'
expect 0 "$XAUDIT" check signed.yaml --output fresh.h5 --set 'metrics.6={ kind: relevance_mass, sign: signed }'
expect 0 "$XAUDIT" check signed.yaml --output fresh.h5 --set models.0.explainers.0.absolute=true
expect 2 "$XAUDIT" evaluate out.h5 --as signed --metrics '[relevance_mass]'
said 'relevance_mass: the maps of cnn/gxi have values below 0'
expect 0 "$XAUDIT" evaluate out.h5 --as signed --metrics '[{ kind: relevance_mass, sign: signed }]'

# words that these settings refuse
expect 2 "$XAUDIT" check job.yaml --set metrics.2.difficult=yes
said 'difficult'
expect 2 "$XAUDIT" check job.yaml --set 'metrics.3.crowd=skip'
said 'crowd: expected keep or ignore'
finish
