#!/usr/bin/env bash
# 1, 2, 3, 4 and 8 ranks give the same bytes, also with fewer images than ranks, and from any working folder.
. "$(dirname "$0")/lib.sh"

demo_manifest 7 >manifest.csv
demo_job >job.yaml
expect 0 "$XAUDIT" run job.yaml --output one.h5
digest one.h5 >one.txt
[ "$(wc -l <one.txt)" -gt 20 ] || fail "a digest of $(wc -l <one.txt) datasets"
for n in 2 3 4 8; do
  expect 0 ranks $n "$XAUDIT" run job.yaml --output "n$n.h5" --quiet
  digest "n$n.h5" | cmp - one.txt || fail "$n ranks give other bytes"
done
mkdir elsewhere
cd elsewhere || exit 1
expect 0 ranks 2 "$XAUDIT" run ../job.yaml --output there.h5 --quiet
digest there.h5 | cmp - ../one.txt || fail "another working folder gives other bytes"
cd ..

# batches of 4: the identity differs, and the rows do not depend on the other images of a batch
expect 0 "$XAUDIT" run job.yaml --output batch4.h5 --set models.0.batch=4 --quiet
digest batch4.h5 | cmp - one.txt || fail "a batch of 4 gives other bytes"

# explainers that ask about perturbed inputs: any ranks, batch and interruption
G="$PROJECT/tests/golden/faithfulness"
cat >asks.yaml <<YAML
manifest: $G/manifest.csv
output: asks.h5
checks: [random_logit]
models:
  - name: cnn
    file: $G/tiny_cnn.h5
    input: { size: [16, 16], resize: pil-bilinear, scale: tf }
    explainers:
      - { kind: integrated_gradients, target: label, steps: 5, baseline: uniform }
      - { kind: expected_gradients, draws: 3 }
      - { kind: smoothgrad, draws: 4 }
      - { kind: smoothgrad, draws: 7, statistic: variance, target: { class: 2 }, name: vargrad }
      - { kind: rise, draws: 9 }
      - { kind: occlusion, cells: 3 }
      - { kind: scorecam, top_channels: 5 }
      - { kind: ablationcam }
YAML
expect 0 "$XAUDIT" run asks.yaml --quiet
digest asks.h5 >asks.txt
expect 0 ranks 3 "$XAUDIT" run asks.yaml --output asks3.h5 --quiet
digest asks3.h5 | cmp - asks.txt || fail "3 ranks give other maps of perturbed inputs"
for n in 3 8; do
  expect 0 "$XAUDIT" run asks.yaml --output "asks.b$n.h5" --set models.0.batch=$n --quiet
  digest "asks.b$n.h5" | cmp - asks.txt || fail "a batch of $n gives other maps of perturbed inputs"
done
(
  XAUDIT_FAULT=settled:1@0 "$XAUDIT" run asks.yaml --output part.h5 --quiet &
  wait $!
) >out 2>&1
rm -f part.h5.lock
expect 0 "$XAUDIT" info part.h5
said ' [1-9][0-9]* pending'
expect 0 ranks 2 "$XAUDIT" run asks.yaml --output part.h5 --quiet
digest part.h5 | cmp - asks.txt || fail "a run that was interrupted gives other maps of perturbed inputs"
for s in 1 2; do expect 0 "$XAUDIT" run asks.yaml --output "s$s.h5" --slice $s/2 --quiet; done
expect 0 "$XAUDIT" merge s1.h5 s2.h5 -o merged.h5
digest merged.h5 | cmp - asks.txt || fail "slices give other maps of perturbed inputs"
expect 0 "$XAUDIT" run asks.yaml --output other.h5 --set seed=2 --quiet
digest other.h5 | cmp -s - asks.txt && fail "another seed draws the same"
expect 0 "$XAUDIT" summary asks.h5
said 'integrated_gradients.label: the values of [0-4] of 4 maps'
expect 0 "$XAUDIT" check asks.yaml --output new.h5 --set models.0.explainers.4.draws=500
said 'most of it "rise.predicted" .*lower its `draws`'
said '500 random masks of 8 x 8 cells: 500 forward passes'

expect 0 "$XAUDIT" table one.h5
said 'airplanes/image_0005'
said 'xaudit summary'
expect 0 "$XAUDIT" summary one.h5
said '7 annotated'
said 'gradcam.label.prob +7 +0'
expect 0 "$XAUDIT" table one.h5 --csv
[ "$(wc -l <out)" = 15 ] || fail "csv of $(wc -l <out) lines, expected 15"
expect 0 "$XAUDIT" info one.h5
said '7 samples: 7 done, 0 failed'
finish
