#!/usr/bin/env bash
# Mistakes in a job, a model, a manifest or an archive: the message names the file and the cause, exit 2, and nothing is lost.
. "$(dirname "$0")/lib.sh"

demo_manifest 3 >manifest.csv
demo_job >job.yaml

expect 2 "$XAUDIT"
expect 2 "$XAUDIT" rnu job.yaml
said 'did you mean "run"'
expect 2 "$XAUDIT" run
expect 2 "$XAUDIT" run job.yaml --limit none
expect 2 "$XAUDIT" run nowhere.yaml
said 'nowhere.yaml'
expect 2 ranks 2 "$XAUDIT" run job.yaml --probe 4
[ "$(grep -c 'unknown option --probe: it belongs to check; run has --output' err)" = 1 ] || fail "not told once"
expect 2 "$XAUDIT" check job.yaml --redo-damaged
expect 0 "$XAUDIT" run --help
expect 0 "$XAUDIT" help verify
expect 2 "$XAUDIT" help verfiy
said 'did you mean "verify"'
expect 0 "$XAUDIT" help settings
said '^  tolerate_failed  .*failed samples'
expect 0 "$XAUDIT" help settings metric.k
said 'only of  *top_k'
expect 2 "$XAUDIT" help settings metric.toleranse
said 'did you mean "tolerance"'
expect 0 "$XAUDIT" --help
said 'Exit codes'
expect 0 "$XAUDIT" --version

# all mistakes are reported at once, each with its line
sed 's/pil-bilinear/pil-bilinaer/; s/kind: gradcam,/kind: gradcam, layr: x,/; s/scale: tf/scale: tff/' job.yaml >bad.yaml
expect 2 "$XAUDIT" check bad.yaml
said 'bad.yaml:7: resize: .*did you mean pil-bilinear'
said 'bad.yaml:7: scale: '
said 'bad.yaml:10: explainer: unknown setting "layr"; did you mean "layer"'
expect 2 ranks 2 "$XAUDIT" run bad.yaml
[ "$(grep -c 'bad.yaml:7: resize' err)" = 1 ] || fail "not told once"

sed 's/pil-bilinear/bilinear/' job.yaml >bad.yaml
expect 2 "$XAUDIT" check bad.yaml
said 'bad.yaml:7: resize: "bilinear" has three meanings .*pil-bilinear .*cv2-linear .*tf-bilinear'
not_said 'did you mean'
expect 2 "$XAUDIT" check job.yaml --set models.xception.batch=2
said '"xception" is not an index of that list, which has 1 entry from 0; the one of that name is 0'
expect 2 "$XAUDIT" check job.yaml --set 'models[0].batch=2'
said 'written with dots'
expect 2 "$XAUDIT" check job.yaml --set threads=1 batch=2
said -- '--set batch=2'

# models
sed 's#file: .*#file: nomodel.h5#' job.yaml >nomodel.yaml
expect 2 "$XAUDIT" run nomodel.yaml
said 'nomodel.h5'
head -c 100000 "$PROJECT/jobs/demo/xception.h5" >cut.h5
sed 's#file: .*#file: cut.h5#' job.yaml >cut.yaml
expect 2 ranks 2 "$XAUDIT" run cut.yaml
said 'cut.h5'
sed "s#file: .*#file: $PROJECT/jobs/demo/images/airplanes/image_0005.jpg#" job.yaml >jpeg.yaml
expect 2 "$XAUDIT" run jpeg.yaml
expect 2 "$XAUDIT" run job.yaml --set models.0.explainers.1.layer=block9_sepconv2_atc
said 'did you mean "xception_compact/block9_sepconv2_act"'
expect 2 "$XAUDIT" run job.yaml --set models.0.input.size=128
expect 2 "$XAUDIT" run job.yaml --set 'models.0.input.size=[128,'
said 'set models.0.input.size=.128,: not valid YAML'
expect 0 "$XAUDIT" check job.yaml --set 'models.0.input.size=[96, 160]' --set 'metrics=[{kind: pointing_game, tolerance: 15px}]'
said 'input .96,160,3.'

# manifests
printf 'path,label\n%s,aeroplane\n' "$PROJECT/jobs/demo/images/airplanes/image_0005.jpg" >manifest2.csv
sed 's/manifest.csv/manifest2.csv/' job.yaml >labels.yaml
expect 2 ranks 2 "$XAUDIT" run labels.yaml
said 'manifest2.csv:2: .*aeroplane.*airplanes'
[ "$(grep -c aeroplane err)" = 1 ] || fail "one mistake told twice"
said 'labels.yaml has 1 mistake$'
[ ! -e out.h5 ] || fail "an archive was made"

# archives
expect 0 "$XAUDIT" run job.yaml --quiet
digest out.h5 >before.txt
expect 2 "$XAUDIT" run job.yaml --set models.0.input.scale=unit
said "model.xception/scale: archive 'tf', job 'unit'"
expect 2 "$XAUDIT" run job.yaml --output "$PROJECT/jobs/demo/xception.h5"
said 'xception.h5'
echo "notes" >notes.h5
expect 2 "$XAUDIT" run job.yaml --output notes.h5
[ "$(cat notes.h5)" = notes ] || fail "a foreign file was touched"
digest out.h5 | cmp - before.txt || fail "the archive was touched"
expect 0 "$XAUDIT" run job.yaml --fresh --set models.0.input.scale=unit --quiet
digest out.h5.1 | cmp - before.txt || fail "--fresh lost the earlier archive"
# a/../b is printed and stored as b
mkdir -p jobs results
sed 's#output: .*#output: ../results/tidy.h5#; s#manifest: .*#manifest: ../manifest.csv#' job.yaml >jobs/tidy.yaml
expect 0 "$XAUDIT" run jobs/tidy.yaml
said '^results/tidy.h5: 3 images'
not_said '[.][.]/'
# only rank 0 knows the mistake, and no rank hangs
expect 2 ranks 2 "$XAUDIT" run job.yaml --output nofolder/out.h5
said 'nofolder'
# a model whose loader does not turn images: all models of a job share one frame, and the archive says which
echo "path" >turned.csv && echo "$PROJECT/tests/golden/image/files/orientation6.jpg" >>turned.csv
demo_job 64 | sed "s/^manifest:.*/manifest: turned.csv/; s/scale: tf/scale: tf, orientation: ignore/; s/ label }/ predicted }/" >turned.yaml
expect 0 "$XAUDIT" run turned.yaml --output lying.h5 --quiet
expect 0 "$XAUDIT" run turned.yaml --output upright.h5 --set models.0.input.orientation=apply --quiet
expect_python <<'PY'
import h5py
lying, upright = (h5py.File(f)["samples"] for f in ("lying.h5", "upright.h5"))
assert (lying["width"][0], lying["height"][0]) == (33, 19), lying["width"][0]
assert (upright["width"][0], upright["height"][0]) == (19, 33)
PY
expect 0 "$XAUDIT" figure lying.h5 -o lying.png --index 0
expect 0 "$XAUDIT" info lying.h5 --methods
said 'EXIF orientation of images was ignored'
expect 2 "$XAUDIT" run turned.yaml --set models.0.input.orientation=sideways
said 'orientation: expected apply or ignore; found sideways'
for wrong in label_as=id tolerate_failed=few store.thumbnails=big models.0.input.size=[64] models.0.input.fit=bend; do
  expect 2 "$XAUDIT" check turned.yaml --set "$wrong"
  said "expected .*, found ${wrong#*=}|expected .*; found ${wrong#*=}|expected .*, found a list"
done
{ sed '/^metrics/d' turned.yaml; sed -n '/^  - name/,/^metrics/p' turned.yaml | sed 's/name: xception/name: other/; s/orientation: ignore/orientation: apply/'; } >both.yaml
expect 2 "$XAUDIT" run both.yaml --output x.h5
said 'model "other" needs the orientation of the first'
finish
