#!/usr/bin/env bash
# xaudit figure: every format, the choice of images, moved and changed images, and figures made again.
. "$(dirname "$0")/lib.sh"

demo_manifest 8 | sed "s#$PROJECT/jobs/demo/images#photos#" | sed "s#$PROJECT/jobs/demo/masks#$PROJECT/jobs/demo/masks#" >manifest.csv
cp -r "$PROJECT/jobs/demo/images" photos
demo_job >job.yaml
expect 0 "$XAUDIT" run job.yaml --output a.h5 --quiet
if "$XAUDIT" figure a.h5 -o x.png --index 0 2>&1 | grep -q 'built without figures'; then
  echo "XA_SKIPPED figures: built without cairo"
  exit 0
fi
id=$(sed -n 2p manifest.csv | cut -d, -f2)
for end in png tiff pdf svg; do expect 0 "$XAUDIT" figure a.h5 -o f.$end --id "$id" --width 120mm --dpi 150; done
expect 0 "$XAUDIT" info f.png
said '709x[0-9]+, 3 channels' # 120 mm at 150 dpi
expect 0 "$XAUDIT" info f.tiff
said 'tiff, 709x'
if command -v pdftotext >/dev/null; then
  expect 0 pdftotext f.pdf - # text is text
  said 'Grad-CAM'
  said 'label, probability'
  said 'xception [01]\.[0-9][0-9]'
  said '99.5th percentile of the map'
  expect 0 pdffonts f.pdf
  said 'yes yes yes'
fi
grep -q '^1 of 8 images of a.h5. Columns: photograph; ' f.caption.txt || fail "no caption beside the figure"
grep -q 'Made by: xaudit figure a.h5 --output f.svg' f.caption.txt || fail "the caption does not tell how the figure was made"
# the same command gives the same bytes; --again changes one option
cp f.png first.png
expect 0 "$XAUDIT" figure a.h5 -o f.png --id "$id" --width 120mm --dpi 150
cmp f.png first.png || fail "two figures of one command differ"
for end in png tiff pdf svg; do
  expect 0 "$XAUDIT" figure --again f.$end -o again.png --width 60mm --colormap turbo
  expect 0 "$XAUDIT" info again.png
  said '355x'
done
expect 2 "$XAUDIT" figure --again manifest.csv -o again.png
said 'no command of xaudit figure'
# --again from another folder, and of a figure that was moved; without -o it replaces the figure
mkdir -p away
(cd away && "$XAUDIT" figure --again ../f.png -o here.png --width 60mm) || fail "not from another folder"
[ -s away/here.png ] || fail "the figure is not where it was asked for"
expect 0 "$XAUDIT" figure --again f.png
cmp f.png first.png || fail "another figure of the same command"
mkdir away/deep && mv away/here.png away/deep/moved.png
(cd away/deep && "$XAUDIT" figure --again moved.png -o x.png 2>"$WORK/err") && fail "an archive that is not there"
said 'which is no longer there: name the archive as in xaudit figure --again moved.png ARCHIVE'
(cd away/deep && "$XAUDIT" figure --again moved.png ../../a.h5 -o x.png) || fail "an archive named anew"
# several ids after one option
second=$(sed -n 4p manifest.csv | cut -d, -f2)
expect 0 "$XAUDIT" figure a.h5 -o many.png --id "$id" "$second"
expect 0 "$XAUDIT" figure a.h5 -o each.png --id "$id" --id "$second"
expect 0 "$XAUDIT" figure -o last.png --id "$id" "$second" a.h5
/usr/bin/python3 - <<'PY' || fail "ids behind one option are other images"
import zlib, struct
def pixels(name):
    data = open(name, "rb").read()
    at, out = 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        out += data[at + 8:at + 8 + n] if kind == b"IDAT" else b""
        at += 12 + n
    return zlib.decompress(out)
assert pixels("many.png") == pixels("each.png") == pixels("last.png")
PY
# choices
expect 0 "$XAUDIT" figure a.h5 -o best.png --pick best --metric pointing_game -n 2 --explainer gradcam.label.prob --show both --scale shared
expect 0 "$XAUDIT" figure a.h5 -o worst.png --pick worst -n 3
expect 0 "$XAUDIT" figure a.h5 -o median.png --pick median -n 1
expect 0 "$XAUDIT" figure a.h5 -o random.png --pick random --seed 7 --class airplanes -n 2
expect 0 "$XAUDIT" figure a.h5 -o named.svg --index 0 --explainer saliency.predicted --explainer gradcam.label.prob --names gradcam.label.prob="Our map" --photo full --no-contours
python3 - named.svg <<'PY' || fail "columns are not in the order asked for, or a name is missing"
import sys
text = open(sys.argv[1]).read()
assert 0 < text.index(">Saliency<") < text.index(">Our map<")
PY
expect 2 "$XAUDIT" figure a.h5 -o x.png --index 0 --names gradcam
said 'expected EXPLAINER=TEXT'
expect 0 "$XAUDIT" figure a.h5 -o two.png --index 0 --index 3 --style keras --explainer gradcam.label.prob
expect 0 "$XAUDIT" figure a.h5 -o three.png --index 1 --style relevant --explainer gradcam.label.prob
expect 0 "$XAUDIT" figure a.h5 -o anonymous.svg --index 2 --anonymise --image-root "$WORK"
grep -q "$WORK\|image_0" anonymous.svg anonymous.caption.txt && fail "an anonymous figure tells a path or an id"
# images that moved, changed or are missing are named, and the rest is drawn
mv photos elsewhere
expect 3 "$XAUDIT" figure a.h5 -o moved.png --index 0 --index 1
said 'photos/airplanes'
mkdir -p base && mv elsewhere base/photos
expect 0 "$XAUDIT" figure a.h5 -o moved.png --index 0 --index 1 --image-root base
cp base/photos/butterfly/image_0005.jpg "base/$(sed -n 2p manifest.csv | cut -d, -f1)"
expect 3 "$XAUDIT" figure a.h5 -o changed.png --index 0 --index 1 --image-root base
said 'its pixels are not those that were audited'
[ -s changed.png ] || fail "the rest of the figure is not there"
# what is refused
expect 2 "$XAUDIT" figure a.h5 -o x.png --id nobody
said 'no sample has the id "nobody"'
expect 2 "$XAUDIT" figure a.h5 -o x.png --index 99
said 'it has samples 0 to'
expect 2 "$XAUDIT" figure a.h5 -o x.png --explainer lime
said 'it has xception/gradcam.label.prob, xception/saliency.predicted'
expect 2 "$XAUDIT" figure a.h5 -o x.png --pick best --metric iou
said 'it has pointing_game'
expect 2 "$XAUDIT" figure a.h5 -o x.bmp --index 1 --image-root base
said 'ending in .png, .tiff, .pdf or .svg'
expect 2 "$XAUDIT" figure a.h5 -o x.png --index 1 --width 12mm --image-root base
said 'make it at least'
expect 2 "$XAUDIT" figure a.h5 -o x.png --colormap rainbow
expect 2 "$XAUDIT" figure a.h5 -o x.png --width 3km
expect 2 "$XAUDIT" figure a.h5 -o x.png --preset nature
said 'nature-1col'
expect 2 "$XAUDIT" figure a.h5
expect 1 "$XAUDIT" figure a.h5 -o nowhere/x.png --index 1 --image-root base
said 'nowhere/x.png'
expect 1 "$XAUDIT" figure manifest.csv -o x.png
# an archive without annotations, and an unfinished one
cut -d, -f1-3 manifest.csv >plain.csv
sed 's/^manifest:.*/manifest: plain.csv/; /^metrics:/d' job.yaml >plain.yaml
cp -r "$PROJECT/jobs/demo/images" photos
expect 0 "$XAUDIT" run plain.yaml --output plain.h5 --quiet
expect 0 "$XAUDIT" figure plain.h5 -o plain.pdf --pick first -n 3
expect 2 "$XAUDIT" figure plain.h5 -o plain.pdf --pick best
# outlines of masks are on every picture, the grid of patches is on the image only; a missing mask is reported
demo_manifest 4 >outlined.csv
sed 's/^manifest:.*/manifest: outlined.csv/' job.yaml >outlined.yaml
expect 0 "$XAUDIT" run outlined.yaml --output outlined.h5 --quiet
expect 0 "$XAUDIT" figure outlined.h5 -n 2 -o with.svg
expect 0 "$XAUDIT" figure outlined.h5 -n 2 --no-boxes -o without.svg
[ "$(wc -c <with.svg)" -gt $(($(wc -c <without.svg) + 2000)) ] || fail "no outlines are drawn"
expect 0 "$XAUDIT" figure outlined.h5 -n 2 --patches -o patches.svg
cmp -s with.svg patches.svg && fail "--patches draws nothing"
sed "s#$PROJECT/jobs/demo/masks#$WORK/masks#" outlined.csv >gone.csv
cp -r "$PROJECT/jobs/demo/masks" masks
sed 's/^manifest:.*/manifest: gone.csv/' job.yaml >gone.yaml
expect 0 "$XAUDIT" run gone.yaml --output gone.h5 --quiet
rm -r masks
expect 3 "$XAUDIT" figure gone.h5 -n 2 -o gone.png
said 'masks/.*image_'
expect 0 "$XAUDIT" figure outlined.h5 --pick disagree -n 1 -o disagree.png
finish
