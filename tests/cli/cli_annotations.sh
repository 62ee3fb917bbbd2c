#!/usr/bin/env bash
# check, run, summary and evaluate count annotations that cannot be used, or are changed, with their reason: the same for any
# number of ranks and in slices. None of them is scored silently.
. "$(dirname "$0")/lib.sh"

photo=$PROJECT/jobs/demo/images/airplanes/image_0005.jpg # 395 x 176
/usr/bin/python3 - <<'PY'
import struct, zlib
def png(name, width, height, value):
    raw = b"".join(b"\0" + bytes(value(x, y) for x in range(width)) for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
inside = lambda x, y: 100 < x < 200 and 50 < y < 90
png("good.png", 395, 176, lambda x, y: 255 * inside(x, y))
png("soft.png", 395, 176, lambda x, y: x % 100 * inside(x, y))
png("empty.png", 395, 176, lambda x, y: 0)
png("small.png", 32, 24, lambda x, y: 255 * (x > 9))
PY
echo 'no image' >broken.png
cp "$photo" photo.jpg
{
  echo 'path,id,label,kind,x0,y0,x1,y1,mask,ignore_mask'
  line() { echo "photo.jpg,$1,airplanes,$2"; }
  line plain 'box,10,10,200,100,,'
  line clipped 'box,-4,10,200,100,,'
  line outside 'box,400,10,500,100,,'
  line fractions 'box,0.1,0.2,0.6,0.7,,'
  line missing 'mask,,,,,nowhere.png,'
  line broken 'mask,,,,,broken.png,'
  line small 'mask,,,,,small.png,'
  line soft 'mask,,,,,soft.png,'
  line empty 'mask,,,,,empty.png,'
  line ignored 'box,10,10,200,100,,nowhere.png'
  line two 'box,10,10,200,100,,'
  line two 'box,500,10,600,100,,'
  line good 'mask,,,,,good.png,'
} >manifest.csv
demo_job | sed '/kind: saliency/d; s/score: prob/score: logit/; s/^metrics:.*/metrics: [energy]/' >job.yaml

expect 0 "$XAUDIT" check job.yaml
said 'manifest.csv:3: warning: 1 of 13 annotations counts, but: box clipped; the first is of clipped'
said 'manifest.csv:5: warning: 1 of 13 annotations is not used: box looks normalised; the first is of fractions'
said '2 of 13 annotations are not used: mask missing; the first is of missing .*nowhere.png'
expect 0 "$XAUDIT" run job.yaml
for text in '1 of 13 annotations counts, but: box clipped; the first is of clipped' \
  '2 of 13 annotations are not used: box outside the image; the first is of outside' \
  '1 of 13 annotations is not used: box looks normalised' \
  '2 of 13 annotations are not used: mask missing; the first is of missing \(mask: .*nowhere.png' \
  '1 of 13 annotations is not used: mask unreadable; the first is of broken' \
  '1 of 13 annotations is not used: mask of another size; the first is of small .*32x24.*395x176' \
  '1 of 13 annotations counts, but: mask with several values; the first is of soft' \
  '1 of 13 annotations is not used: mask without an object; the first is of empty'; do
  said "$text"
done
expect 0 "$XAUDIT" summary out.h5
said '2 of 13 annotations are not used: mask missing'
said 'undefined: 1 box outside the image, 1 box looks normalised, 2 mask missing, 1 mask unreadable, 1 mask of another size, 1 mask without an object$'
expect 0 "$XAUDIT" summary out.h5 --csv
said '^xception,gradcam.label,no,energy.*"1 box outside the image, 1 box looks normalised, 2 mask missing'
expect_python <<'PY'
import h5py, numpy as np
f = h5py.File("out.h5")
data = f["samples/annotations/problem"]
names = [t.decode() if isinstance(t, bytes) else t for t in data.attrs["problems"]]
ids = f["samples/id"].asstr()[:]
offset = f["samples/annotations/offset"][:]
found = {i: [names[p] for p in data[offset[k]:offset[k + 1]]] for k, i in enumerate(ids)}
assert found == {"plain": ["none"], "clipped": ["box clipped"], "outside": ["box outside the image"],
                 "fractions": ["box looks normalised"], "missing": ["mask missing"], "broken": ["mask unreadable"],
                 "small": ["mask of another size"], "soft": ["mask with several values"],
                 "empty": ["mask without an object"], "ignored": ["mask missing"],
                 "two": ["none", "box outside the image"], "good": ["none"]}, found
energy = f["localisation/xception/gradcam.label/energy"][:]
defined = {ids[s] for s, e in zip(f["eval/sample"][:], energy) if np.isfinite(e)}
assert defined == {"plain", "clipped", "soft", "two", "good"}, defined
same = {ids[s]: e for s, e in zip(f["eval/sample"][:], energy)}
assert same["two"] == same["plain"]
PY

# boxes in per cent or thousandths of the image, where a manifest has pixels
{
  echo 'path,id,label,x0,y0,x1,y1'
  for i in 1 2 3 4 5 6 7 8 9 10; do echo "photo.jpg,p$i,airplanes,$i,5,$((i + 60)),95"; done
} >percent.csv
sed 's/manifest.csv/percent.csv/' job.yaml >percent.yaml
expect 0 "$XAUDIT" check percent.yaml --output fresh.h5
said 'percent.csv:2: warning: no coordinate of 10 boxes is above 100, though their images are larger: are they per cent of the image'
sed -i 's/,70,95$/,180,95/' percent.csv
expect 0 "$XAUDIT" check percent.yaml --output fresh.h5
not_said 'per cent'

# the same for any number of ranks, and in slices
expect 0 ranks 3 "$XAUDIT" run job.yaml --output r3.h5 --json
said '"event":"end".*"annotations":13,"annotations_unused":8,'
expect 0 "$XAUDIT" run job.yaml --output s1.h5 --slice 1/2 --quiet
expect 0 "$XAUDIT" run job.yaml --output s2.h5 --slice 2/2 --quiet
expect 0 "$XAUDIT" merge s1.h5 s2.h5 -o merged.h5
for f in out r3 merged; do digest $f.h5 | grep -E '/samples/annotations/|/localisation/' >$f.txt; done
grep -q '/samples/annotations/problem' out.txt || fail "problems are not in the digest"
cmp out.txt r3.txt || fail "three ranks say something else"
cmp out.txt merged.txt || fail "slices say something else"

# a run without metrics has not read the masks; an archive merged with one that has knows them
sed '/^metrics:/d; s/name: xception/name: bare/' job.yaml >bare.yaml
expect 0 "$XAUDIT" run bare.yaml --output bare.h5
said 'box outside the image'
not_said 'mask '
expect 0 "$XAUDIT" merge bare.h5 out.h5 -o both.h5
cmp <(digest both.h5 | grep annotations/problem) <(grep annotations/problem out.txt) || fail "merged models lost problems"

# evaluate reads masks again: it uses one that was repaired, and not one that is missing now
cp good.png nowhere.png
rm good.png
expect 3 ranks 2 "$XAUDIT" evaluate out.h5
expect 0 "$XAUDIT" summary out.eval.h5
said '1 of 13 annotations is not used: mask missing; the first is of good'
said 'undefined: 1 box outside the image, 1 box looks normalised, 1 mask missing, 1 mask unreadable'
expect 0 "$XAUDIT" verify out.eval.h5
# a declared size differs from the image's: the boxes are left out with that reason, or rescaled if one image is a scaled copy
/usr/bin/python3 - <<'PY'
import struct
photo = open("photo.jpg", "rb").read()
tiff = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x112, 3, 1, 6, 0) + b"\0\0\0\0"
exif = b"Exif\0\0" + tiff
open("turned.jpg", "wb").write(photo[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + photo[2:])
PY
{
  echo 'path,id,label,x0,y0,x1,y1,image_width,image_height'
  echo 'photo.jpg,plain,airplanes,10,10,200,100,,'
  echo 'photo.jpg,same,airplanes,10,10,200,100,395,176'
  echo 'photo.jpg,double,airplanes,20,20,400,200,790,352'
  echo 'photo.jpg,double,,0,0,1000,300,,'
  echo 'turned.jpg,turned,airplanes,10,10,200,100,395,176'
  echo 'photo.jpg,swapped,airplanes,10,10,100,100,176,395'
  echo 'photo.jpg,other,airplanes,10,10,200,100,500,335'
} >frames.csv
sed 's/manifest.csv/frames.csv/' job.yaml >frames.yaml
expect 0 "$XAUDIT" check frames.yaml --output fresh.h5
said 'frames.csv:4: warning: 2 of 7 annotations are not used: frame scaled; the first is of double \(790x352 declared, 395x176 decoded: scaled by 0.5\)'
expect 0 "$XAUDIT" run frames.yaml --output frames.h5
said '1 of 7 annotations is not used: frame turned by EXIF; the first is of turned \(395x176 declared, 176x395 decoded\)'
said '1 of 7 annotations is not used: frame with its sides swapped; the first is of swapped \(176x395 declared'
said '1 of 7 annotations is not used: frame of another size; the first is of other \(500x335 declared, 395x176 decoded\)'
said '2 of 7 annotations are not used: frame scaled; the first is of double \(790x352 declared, 395x176 decoded: scaled by 0.5\)'
expect 2 "$XAUDIT" run frames.yaml --output frames.h5 --set frame=rescale
said "frame: archive 'refuse', job 'rescale'"
expect 2 "$XAUDIT" run frames.yaml --output x.h5 --set frame=maybe
said 'frame: expected refuse or rescale; found maybe'
sed -i '/^photo.jpg,double,,/d' frames.csv
expect 0 "$XAUDIT" run frames.yaml --output rescaled.h5 --set frame=rescale
said '1 of 6 annotations counts, but: box rescaled; the first is of double'
expect 0 "$XAUDIT" evaluate rescaled.h5
expect 0 "$XAUDIT" evaluate frames.h5
expect_python <<'PY'
import h5py, numpy as np
def energies(name):
    f = h5py.File(name)
    ids = f["samples/id"].asstr()[:]
    return {ids[s]: e for s, e in zip(f["eval/sample"][:], f["localisation/xception/gradcam.label/energy"][:])}
for name in ("rescaled.h5", "rescaled.eval.h5"):
    e = energies(name)
    assert e["double"] == e["same"] == e["plain"] and np.isfinite(e["plain"]), e
    assert all(np.isnan(e[i]) for i in ("turned", "swapped", "other")), e
for name in ("frames.h5", "frames.eval.h5"):
    e = energies(name)
    assert e["same"] == e["plain"] and np.isnan(e["double"]), e
def problems(name):
    f = h5py.File(name)["samples/annotations/problem"]
    names = [t.decode() if isinstance(t, bytes) else t for t in f.attrs["problems"]]
    return [names[i] for i in f[:]]
assert problems("frames.h5") == problems("frames.eval.h5")
assert problems("frames.h5")[4] == "frame turned by EXIF"
assert h5py.File("frames.h5")["samples/declared_size"][:].tolist()[2] == [790, 352]
PY

# figures and sizes use the boxes as they were scored
expect 0 "$XAUDIT" summary rescaled.h5 --by size
said '10 to 30 %  *3 '
not_said '30 % and more  *[1-9]'
for id in same double other; do
  expect 0 "$XAUDIT" figure rescaled.h5 -o $id.svg --id $id --no-contours
  grep -o '<path[^>]*stroke:rgb(7\.[^>]*' $id.svg | grep -oE ' d="[^"]*"' >$id.txt
done
# left:right of the box, to a tenth: the pictures have a different width if labels have different lengths
ratio() { awk '{printf "%.1f ", $5 / $2; exit}' $1.txt; }
[ "$(ratio same)" = "$(ratio double)" ] || fail "figure: a box that was rescaled is drawn elsewhere"
[ "$(wc -l <same.txt)" -gt "$(wc -l <other.txt)" ] || fail "figure: a box that was left out is drawn"

expect_python <<'PY'
import h5py
with h5py.File("out.h5", "r+") as f:
    f["samples/annotations/problem"][3] = 99
PY
expect 1 "$XAUDIT" verify out.h5
said 'samples/annotations/problem: row 3: there is no problem 99'
expect 0 "$XAUDIT" summary out.h5
said '1 of 13 annotations is not used: unknown; the first is of fractions'
finish
