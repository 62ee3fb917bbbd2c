#!/usr/bin/env bash
# The three jobs jobs/seed-*.yaml give what the Keras and vit-keras listings give that they stand for. The results of the listings
# are in tests/golden/seed (made by tests/parity/seed.py listing).
. "$(dirname "$0")/lib.sh"

echo path >manifest.csv
ls "$PROJECT"/tests/golden/seed/*.png >>manifest.csv
xception=(--set "models.0.file=$PROJECT/jobs/demo/xception.h5" --set models.0.input.size.0=128 --set models.0.input.size.1=128
  --set models.0.explainers.0.layer=xception_compact)
vit() {
  printf '%s\n' --set "models.$1.file=$PROJECT/tests/golden/keras/tf215/vit_nested.h5" --set "models.$1.input.size.0=32" --set "models.$1.input.size.1=32"
}
mapfile -t alone < <(vit 0)
mapfile -t second < <(vit 1)
here() { # the job with the manifest of this folder
  sed "s#^manifest: .*#manifest: $WORK/manifest.csv#" "$PROJECT/jobs/$1" >"$1"
}
for job in seed-xception seed-vit seed-both; do here $job.yaml; done
expect 0 "$XAUDIT" run seed-xception.yaml "${xception[@]}" --output x.h5 --quiet
expect 0 "$XAUDIT" run seed-vit.yaml "${alone[@]}" --output v.h5 --quiet
expect 0 ranks 2 "$XAUDIT" run seed-both.yaml "${xception[@]}" "${second[@]}" --output both.h5 --quiet
for archive in x.h5 v.h5 both.h5; do
  expect 0 "$XAUDIT" verify $archive
  said "complete and whole"
done
for archive in x.h5 v.h5 both.h5; do
  expect 0 /usr/bin/python3 "$PROJECT/tests/parity/seed.py" compare "$PROJECT/tests/golden/seed/listing.h5" $archive
  [ $archive = v.h5 ] || said 'heatmap .*\(limit 1e-04\)'
  [ $archive = x.h5 ] || said 'mask .*\(limit 1e-04\)'
  cat out
done
# a wrong resampler gives other results
expect 0 "$XAUDIT" run seed-vit.yaml "${alone[@]}" --set models.0.input.resize=cv2-area --output w.h5 --quiet
expect 1 /usr/bin/python3 "$PROJECT/tests/parity/seed.py" compare "$PROJECT/tests/golden/seed/listing.h5" w.h5
finish
