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

finish
