#!/usr/bin/env bash
# ONNX classifiers from job to archive: layers by module names, attention explainers, weights beside the file as a part of the
# identity, another size than the export's, several ranks, and what is refused.
. "$(dirname "$0")/lib.sh"

{ echo path && find "$PROJECT/jobs/demo/images" -type f | sort | head -n 5; } >manifest.csv
cp "$PROJECT"/tests/golden/onnx/{resnet.dy.onnx,resnet.dy.onnx.data,vit.ts.onnx} .
job() { # job HEAD SIZE
  cat <<YAML
manifest: manifest.csv
output: out.h5
models:
  - name: resnet
    file: resnet.dy.onnx
    head: $1
    input: { size: [$2, $2], resize: pil-bilinear, scale: torch }
    explainers:
      - saliency
      - { kind: gradcam, layer: auto }
      - { kind: layercam, layer: layer1 }
  - name: vit
    file: vit.ts.onnx
    head: none
    input: { size: [24, 24], resize: pil-bilinear, scale: torch }
    explainers:
      - rollout
      - relevance
      - { kind: gradcam, layer: blocks.1.norm1 }
YAML
}
job softmax 24 >job.yaml
expect 0 "$XAUDIT" info resnet.dy.onnx
said 'ONNX'
said '5 classes'
said 'Write `head: softmax`'
said 'layer1.0.conv2 +Conv +\[6,6,8\]'
expect 0 "$XAUDIT" check job.yaml
said 'layer layer2.0.relu \(chosen by auto\), map \[1,3,3\]'
said 'layer layer1, map \[1,6,6\]'
said 'tokens: 1 \+ 3x3 patches, 2 attention layers'
not_said 'warning'

# the same bytes for any number of ranks
expect 0 "$XAUDIT" run job.yaml --output one.h5
expect 0 ranks 3 "$XAUDIT" run job.yaml --output three.h5
digest one.h5 | grep -v /run/ >one.digest
digest three.h5 | grep -v /run/ >three.digest
expect 0 cmp one.digest three.digest
expect 0 "$XAUDIT" verify one.h5

# other weights beside the file are another model: no run continues with them
expect 137 env XAUDIT_FAULT=settled "$XAUDIT" run job.yaml
[ -f out.h5 ] || fail "the interrupted run left no archive"
cp resnet.dy.onnx.data whole.data
printf '\001' | dd of=resnet.dy.onnx.data bs=1 seek=5001 conv=notrunc 2>/dev/null
cmp -s whole.data resnet.dy.onnx.data && printf '\002' | dd of=resnet.dy.onnx.data bs=1 seek=5001 conv=notrunc 2>/dev/null
expect 2 "$XAUDIT" run job.yaml
said 'pass.*resnet.*config_sha256'
mv whole.data resnet.dy.onnx.data
expect 0 "$XAUDIT" run job.yaml
digest out.h5 | grep -v /run/ >out.digest
expect 0 cmp one.digest out.digest

# a size other than the export's is a warning; plain scores need a head; what a file lacks is named
job softmax 32 | sed 's/out.h5/size.h5/' >size.yaml
expect 0 "$XAUDIT" check size.yaml
said 'its file says an input of 24 x 24'
job softmax 24 | sed '/head: softmax/d' >bare.yaml
expect 2 "$XAUDIT" check bare.yaml
said 'head: softmax'
rm resnet.dy.onnx.data
expect 2 "$XAUDIT" check job.yaml
said 'resnet.dy.onnx.data'
job softmax 24 | sed 's/layer: layer1 }/layer: layer9 }/; s/resnet.dy.onnx/vit.ts.onnx/; s/layer: auto/layer: blocks.0/; s/out.h5/wrong.h5/' >wrong.yaml
expect 2 "$XAUDIT" check wrong.yaml
said 'layer9'

# several inputs and outputs: differences, the best classes, both directions, and outputs that are no classes
cp "$PROJECT"/tests/golden/onnx/targets.{onnx,png,npy} .
printf 'path,label,class,kind,x0,y0,x1,y1\ntargets.png,dog,dog,box,1,1,9,9\n' >targets.csv
cat >targets.yaml <<'YAML'
manifest: targets.csv
output: targets.h5
classes: from-file
models:
  - name: two
    file: targets.onnx
    head: softmax
    output_name: classes
    inputs: { gain: 0.5, meta: targets.npy }
    input: from-file
    explainers:
      - { kind: gradcam, layer: features.2, target: { class: cat, minus: ant }, name: apart }
      - { kind: saliency, target: { top: 3 } }
      - { kind: saliency, target: { class: bee }, direction: down }
  - name: values
    file: targets.onnx
    head: regression
    output_name: values
    inputs: { gain: 0.5, meta: targets.npy }
    input: { size: [16, 16], resize: cv2-linear, scale: unit }
    explainers:
      - { kind: saliency, target: { unit: 1 } }
metrics: [energy]
checks: [random_logit]
YAML
expect 0 "$XAUDIT" check targets.yaml
said 'target class 2 minus class 0, layer features.2'
said 'target the 3 best classes'
said 'target class 1, downwards'
said '3 classes, regression head'
said 'its file notes resize: pil-bilinear, and the job says cv2-linear, which is what counts'
not_said 'its file notes scale'
expect 0 ranks 2 "$XAUDIT" run targets.yaml
expect 0 "$XAUDIT" verify targets.h5
said 'complete and whole'
expect 0 "$XAUDIT" table targets.h5 --csv
said 'apart,cat - ant,'
said 'saliency.top3,dog,'
said 'saliency.class1.down,bee \(down\),'
said 'saliency.unit1,unit 1,,'
expect 0 "$XAUDIT" table targets.h5
expect 0 "$XAUDIT" info targets.h5 --methods
said 'of the logit of class 2 minus class 0'
said 'of the logit of unit 1'
said 'regression, 3 outputs'
expect 0 "$XAUDIT" evaluate targets.h5
expect 0 "$XAUDIT" summary targets.eval.h5
expect 0 "$XAUDIT" report targets.eval.h5 -o targets.html
sed 's/inputs: .*/inputs: { gain: 0.5 }/' targets.yaml >wrong.yaml
expect 2 "$XAUDIT" check wrong.yaml
said 'has 2 inputs, "image", "meta"'
expect 0 "$XAUDIT" info targets.onnx
said 'assumed: input "gain", float32 \[1\], is 0: give it in the job'
said 'assumed: output "classes" of "classes", "values" is explained'
sed 's/{ unit: 1 }/predicted/; s/name: apart/score: prob/; s/class: bee/class: 5/' targets.yaml >wrong.yaml
expect 2 "$XAUDIT" check wrong.yaml
said 'class 5, but the model has 5 classes'
sed 's/file: targets.onnx/file: vit.ts.onnx/' targets.yaml >wrong.yaml
expect 2 "$XAUDIT" check wrong.yaml
said 'vit.ts.onnx notes no xaudit.input'

# the exporter needs torch only when it exports: its help, what it refuses, and the words it has for preprocessing
exporter=$PROJECT/src/python/xaudit_export.py
expect 0 python3 "$exporter" --help
said 'hf-vision:FOLDER or NAME'
expect 1 python3 "$exporter" resnet50 -o x.onnx
said 'resnet50: expected torchvision:, timm:'
expect 1 python3 "$exporter" no_such_module:net -o x.onnx
said 'No module named'
expect 0 python3 - "$(dirname "$exporter")" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import xaudit_export as x
imagenet = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
assert x.scaling(**imagenet) == "torch" and x.scaling([0.5] * 3, [0.5] * 3) == "tf" and x.scaling([0.0], [1.0]) == "unit"
assert x.scaling([0.48145466] * 3, [0.26862954] * 3) == {"div": 255, "mean": [0.48145466] * 3, "std": [0.26862954] * 3}
assert x.input_of_timm({"input_size": (3, 224, 224), "interpolation": "bicubic", "crop_pct": 0.9, **imagenet}) == {
    "size": [224, 224], "resize": "pil-bicubic", "fit": {"short": 248, "crop": [224, 224]}, "scale": "torch"}
assert x.input_of_transformers({"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}, "resample": 3,
    "do_center_crop": True, "rescale_factor": 1 / 255, "image_mean": imagenet["mean"], "image_std": imagenet["std"]}) == {
    "size": [224, 224], "resize": "pil-bicubic", "fit": {"short": 256, "crop": [224, 224]}, "scale": "torch"}
assert x.input_of_transformers({"size": {"shortest_edge": 224}, "crop_pct": 0.875, "resample": 2})["fit"]["short"] == 256
assert x.input_of_transformers({"size": {"height": 224, "width": 224}, "resample": 2, "do_normalize": False}) == {
    "size": [224, 224], "resize": "pil-bilinear", "fit": "stretch", "scale": "unit"}
for wrong in ({"size": {"height": 224, "width": 224}, "rescale_factor": 1.0}, {"size": {"longest_edge": 300}},
              {"size": {"height": 224, "width": 224}, "resample": 5}):
    try:
        x.input_of_transformers(wrong)
    except x.Stop:
        continue
    raise SystemExit(f"{wrong} is read")
PY

finish
