#!/usr/bin/env bash
# A vision transformer from job to archive: attention explainers, their settings and mistakes, the own input of an explainer,
# batches, ranks and another size. The demo's transformer gives what PyTorch gives.
. "$(dirname "$0")/lib.sh"

demo_manifest 5 >manifest.csv
job() { # job BATCH
  cat <<YAML
manifest: manifest.csv
classes: $PROJECT/jobs/demo/classes.txt
output: out.h5
models:
  - name: vit
    file: $PROJECT/jobs/demo/vit.safetensors
    batch: $1
    input: { size: [128, 128], resize: pil-bilinear, scale: tf }
    explainers:
      - attention
      - { kind: attention, heads: none, name: heads }
      - { kind: attention, layer: 1, name: second }
      - { kind: attention, layer: blocks.1.attn, name: second_by_name }
      - { kind: attention, method: rollout }
      - { kind: rollout, profile: seed, name: seed }
      - { kind: rollout, heads: max, start_layer: 2, discard: 0.5, name: discarded }
      - { kind: relevance, target: label }
      - { kind: grad_rollout, target: { class: dolphin } }
      - { kind: attention_gradcam, score: prob }
      - { kind: gmar, score: finer }
      - { kind: legrad, target: label }
      - { kind: attcat, score: logprob }
      - { kind: gradcam, layer: blocks.5.norm1 }
      - { kind: saliency, name: own }
      - { kind: saliency, input: { scale: unit }, name: unit }
      - { kind: rollout, input: { scale: unit }, name: rollout_unit }
  - name: unit
    file: $PROJECT/jobs/demo/vit.safetensors
    batch: $1
    input: { size: [128, 128], resize: pil-bilinear, scale: unit }
    explainers:
      - { kind: saliency, name: own, target: { class: dolphin } }
      - { kind: rollout }
metrics: [pointing_game]
YAML
}
job 1 | sed 's/- { kind: saliency, input/- { kind: saliency, target: { class: dolphin }, input/' >one.yaml
job 4 | sed 's/- { kind: saliency, input/- { kind: saliency, target: { class: dolphin }, input/' >four.yaml
expect 0 "$XAUDIT" check one.yaml
said 'tokens: 1 \+ 8x8 patches, 6 attention layers'
said 'rollout +explains no class'
said 'layer blocks.5.attn \(chosen by auto\)'
said 'layer blocks.5.norm1'
said 'map \[3,8,8\]'
not_said 'assumed' # vit.json says it all
expect 0 "$XAUDIT" run one.yaml --output one.h5 --quiet
not_said 'assumed'
expect 0 ranks 3 "$XAUDIT" run one.yaml --output three.h5 --quiet
expect 0 "$XAUDIT" verify three.h5
said "complete and whole"
digest one.h5 >one.txt
digest three.h5 >three.txt
cmp -s one.txt three.txt || fail "3 ranks give other bytes than 1: $(diff one.txt three.txt | head -n 3)"
expect 0 "$XAUDIT" run four.yaml --output four.h5 --quiet
digest four.h5 >four.txt
cmp -s one.txt four.txt || fail "a batch of 4 gives other bytes than one image at a time: $(diff one.txt four.txt | head -n 3)"

cat >read.py <<'PY'
import csv, sys
import h5py, numpy as np
f = h5py.File("one.h5", "r")
e = f["maps/vit"]
maps = {k: e[k]["values"][:] * e[k]["scale"][:][:, None, None, None] for k in e}
assert all(np.isfinite(v).all() for v in maps.values())
assert maps["heads"].shape == (5, 3, 8, 8), maps["heads"].shape
assert np.allclose(maps["heads"].mean(1), maps["attention"][:, 0], rtol=1e-6)
assert np.array_equal(maps["second"], maps["second_by_name"])
top = maps["rollout"] / maps["rollout"].max((1, 2, 3), keepdims=True)
assert abs(top - maps["seed"]).max() < 1e-6 and maps["seed"].max() == 1
assert abs(top - maps["discarded"] / maps["discarded"].max()).max() > 0.05
assert e["rollout"].attrs["target"].decode() == "none" and (e["rollout"]["target"][:] == -1).all()
labels = f["samples/label"][:]
assert (e["relevance.label"]["target"][:] == labels).all()
assert (e["grad_rollout.class4"]["target"][:] == 4).all()
assert (maps["relevance.label"] >= 0).all() and (maps["attention_gradcam.predicted.prob"] >= 0).all()
# an explainer with an input of its own gives what a model with that input gives
u = f["maps/unit"]
assert np.array_equal(e["unit"]["values"][:], u["own"]["values"][:])
assert np.array_equal(e["rollout_unit"]["values"][:], u["rollout"]["values"][:])
assert not np.array_equal(e["unit"]["values"][:], e["own"]["values"][:])
assert not np.array_equal(e["rollout_unit"]["values"][:], e["rollout"]["values"][:])
assert e["unit"].attrs["input_scale"].decode() == "unit" and "input_scale" not in e["own"].attrs
assert np.isfinite(f["localisation/vit/rollout/pointing_game"][:]).all()
# the same as PyTorch
ref = {r["id"]: [float(r[f"p{i}"]) for i in range(7)] for r in csv.DictReader(open(sys.argv[1]))}
for name, p in zip(f["samples/id"].asstr()[:], f["models/vit/probs"][:]):
    assert abs(np.array(ref[name]) - p).max() < 1e-5, name
PY
expect 0 /usr/bin/python3 read.py "$PROJECT/jobs/demo/reference_vit.csv"

# Mistakes are reported all at once, with their lines.
cat >wrong.yaml <<YAML
manifest: manifest.csv
output: wrong.h5
models:
  - name: vit
    file: $PROJECT/jobs/demo/vit.safetensors
    input: { size: [128, 128], resize: pil-bilinear, scale: tf }
    explainers:
      - { kind: rollout, target: label }
      - { kind: attention, method: rolout, name: b }
      - { kind: gradcam, heads: max, name: c }
      - { kind: rollout, discard: 1.5, name: d }
      - { kind: saliency, input: { size: [64, 64] }, name: e }
      - { kind: relevance, layer: 3, name: f }
      - { kind: rollout, profile: seed, heads: max, name: g }
YAML
expect 2 "$XAUDIT" check wrong.yaml
said 'wrong.yaml:8: target: a setting of saliency, .*, not of rollout'
said 'wrong.yaml:9: .*rolout \(did you mean rollout'
said 'wrong.yaml:10: heads: a setting of attention, .*, not of gradcam'
said 'wrong.yaml:11: .*discard'
said 'wrong.yaml:12: .*another size list the model'
said 'wrong.yaml:13: layer: .*, not of relevance'
said 'wrong.yaml:14: .*attention_map'
one() { # a job with one explainer: one MODEL SIZE EXPLAINER
  printf 'manifest: manifest.csv\nclasses: %s/jobs/demo/classes.txt\noutput: x.h5\nmodels:\n  - name: m\n    file: %s\n    input: { size: %s, resize: pil-bilinear, scale: tf }\n    explainers: [%s]\n' "$PROJECT" "$1" "$2" "$3" >x.yaml
}
one "$PROJECT/jobs/demo/xception.h5" '[128, 128]' 'rollout'
expect 2 "$XAUDIT" check x.yaml
said 'vision transformer'
one "$PROJECT/jobs/demo/vit.safetensors" '[128, 128]' '{ kind: rollout, start_layer: 6 }'
expect 2 "$XAUDIT" check x.yaml
said '6 attention layers \(0 to 5\)'
one "$PROJECT/jobs/demo/vit.safetensors" '[128, 128]' '{ kind: attention, layer: 9 }'
expect 2 "$XAUDIT" check x.yaml
said 'numbered 0 to 5'
# Without a configuration beside the model, info, check and run print once what they assume.
cp "$PROJECT/jobs/demo/vit.safetensors" bare.safetensors
one bare.safetensors '[128, 128]' 'rollout'
told_once() {
  for text in '3 heads, each 64 wide' 'activation gelu' 'norms before attention' 'pooling token' 'epsilon 1e-06' 'a softmax head'; do
    said "assumed: $text"
    [ "$(cat out err | grep -c "assumed: $text")" = 1 ] || fail "an assumption is not told once: $text"
  done
}
expect 0 "$XAUDIT" info bare.safetensors
told_once
expect 0 "$XAUDIT" check x.yaml
told_once
expect 0 ranks 2 "$XAUDIT" run x.yaml --limit 1 --quiet
told_once
echo '{ "num_heads": 6 }' >bare.json
expect 2 "$XAUDIT" run x.yaml --limit 1 --quiet # the archive is of another model now
said 'config_sha256'
echo '{ "num_head": 3 }' >bare.json
expect 2 "$XAUDIT" check x.yaml
said 'the key "num_head" .*did you mean "num_heads"'
rm bare.json x.h5
one "$PROJECT/jobs/demo/vit.safetensors" '[160, 128]' 'rollout'
expect 2 "$XAUDIT" check x.yaml
said '10x8 patches.*has 8x8'
expect 0 "$XAUDIT" run x.yaml --set models.0.interpolate_positions=true --quiet
finish
