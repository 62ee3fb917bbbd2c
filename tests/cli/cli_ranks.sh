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
