#!/usr/bin/env bash
# xaudit verify names every damaged row, whatever was damaged, and finds nothing in undamaged archives, finished or not.
. "$(dirname "$0")/lib.sh"

cat >damage.py <<'PY'
"""damage.py FROM TO DATASET INDEX VALUE: a copy with one item of a dataset overwritten in place;
INDEX a flat item number; VALUE a number, or ^ to flip the item's lowest bit."""
import shutil, sys
import h5py, numpy as np
source, target, path, index, value = sys.argv[1:]
with h5py.File(source, "r") as f:
    d = f[path]
    offset, item = d.id.get_offset(), d.dtype
    flat = np.ascontiguousarray(d[...]).reshape(-1)
assert offset is not None and int(index) < flat.size
if value == "^":
    raw = bytearray(flat[int(index)].tobytes())
    raw[0] ^= 1
else:
    raw = np.array([float(value)]).astype(item).tobytes() if item.kind == "f" else np.array([int(value)]).astype(item).tobytes()
    assert raw != flat[int(index)].tobytes(), "nothing would change"
shutil.copyfile(source, target)
with open(target, "r+b") as f:
    f.seek(offset + int(index) * item.itemsize)
    f.write(raw)
PY

# images of our own: some are replaced below
mkdir images
demo_manifest 4 | while IFS=, read -r path rest; do
  case $path in
  path) echo "$path,$rest" ;;
  *)
    cp -n "$path" "images/$(basename "$(dirname "$path")")_$(basename "$path")"
    echo "images/$(basename "$(dirname "$path")")_$(basename "$path"),$rest"
    ;;
  esac
done >manifest.csv
cp -r "$PROJECT/jobs/demo/masks" masks
sed -i "s#$PROJECT/jobs/demo/masks/#masks/#" manifest.csv
: >empty.jpg
echo "empty.jpg,bad,airplanes,,,,,,,,,,,," >>manifest.csv
echo "nowhere.jpg,out,airplanes,,,,,,,,,,,,blurred" >>manifest.csv
demo_job | sed 's/{ kind: saliency, score: logit, target: predicted }/&\n      - { kind: saliency, score: prob, target: predicted, store: f16 }/' >job.yaml
expect 3 "$XAUDIT" run job.yaml --output good.h5 --quiet
expect 0 "$XAUDIT" verify good.h5
said '6 samples, 1 models, 3 explainers: 4 rows done, 12 maps with their checksums; complete and whole'
/usr/bin/python3 -c 'import h5py; f = h5py.File("good.h5"); assert f["maps/xception/saliency.predicted.prob/values"].dtype == "f2"' \
  || fail "no f16 maps among those tested"

# damaged DATASET INDEX VALUE PATTERN: changes one value, and expects one finding with that pattern
damaged() {
  /usr/bin/python3 damage.py good.h5 bad.h5 "$1" "$2" "$3" || fail "could not damage $1"
  expect 1 "$XAUDIT" verify bad.h5
  said "^damage: .*$4"
  said '; 1 damaged$'
}
X=models/xception
S=maps/xception/saliency.predicted
H=maps/xception/saliency.predicted.prob
G=maps/xception/gradcam.label.prob
name='model xception, explainer'
damaged $G/values $((2 * 64 + 5)) ^ "$name gradcam.label.prob, map row 2 of sample row 2 \(.*\): checksum"
damaged $S/values $((3 * 16384 + 16383)) ^ "$name saliency.predicted, map row 3 .*checksum"
damaged $H/values 7 ^ "$name saliency.predicted.prob, map row 0 .*checksum"
damaged $G/checksum 1 ^ "gradcam.label.prob, map row 1 .*checksum"
damaged $H/scale 1 3 'saliency.predicted.prob, map row 1 .*no power of two'
damaged $S/scale 1 2 'saliency.predicted, map row 1 .*scale is not 1'
damaged $H/scale 2 1 'saliency.predicted.prob, map row 2 .*maximum'
damaged $S/maximum 0 ^ 'saliency.predicted, map row 0 .*maximum'
damaged $G/flags 0 2 'gradcam.label.prob, map row 0 .*flags'
damaged $G/target 3 7 'gradcam.label.prob, map row 3 .*target'
damaged $G/target 3 -1 'gradcam.label.prob, map row 3 .*target'
damaged $G/sample 5 6 'gradcam.label.prob, map row 5 .*sample is 6'
damaged $X/logits 8 5 'model xception, row 1 \(.*\): its probabilities'
damaged $X/probs 8 0.5 'model xception, row 1 .*probabilities'
damaged $X/probs 8 nan 'model xception, row 1 .*not finite'
damaged $X/predicted 2 7 'model xception, row 2 .*not one of the model'
damaged $X/predicted 2 6 'model xception, row 2 .*not that of its probabilities'
damaged $X/affine 6 nan 'model xception, row 1 .*affine'
damaged $X/status 3 4 'model xception, row 3 .*status'
damaged $X/status 3 2 'model xception, row 3 .*at no stage'
damaged $X/status 4 3 'model xception, row 4 \(bad\).*excluded'
damaged $X/status 5 0 'model xception, row 5 \(out\).*excluded'
damaged $X/stage 0 2 'model xception, row 0 .*stage'
damaged $X/stage 4 0 'model xception, row 4 \(bad\).*no stage'
damaged samples/width 0 0 'model xception, row 0 .*no size'
damaged samples/labels/offset 6 5 '/samples/labels/offset: row 6'
damaged samples/labels/value 0 -2 '/samples/labels/value: row 0'
damaged samples/annotations/offset 6 9 '/samples/annotations/offset: row 6'
damaged samples/annotations/kind 0 3 '/samples/annotations: row 0: its kind'
damaged eval/sample 3 9 '/eval: row 3: sample 9 of 6'
damaged eval/class 3 -1 '/eval: row 3'
damaged run/state 0 9 '/run/state'
# what only checksums can find
L=localisation/xception/saliency.predicted/pointing_game
damaged $L 1 ^ '/checksums/localisation/xception/saliency.predicted: row 1 of sample row 1 '
damaged baselines/xception/centre/pointing_game 2 ^ '/checksums/baselines/xception/centre/pointing_game: row 2 of sample row 2 '
damaged pairs/xception/saliency.predicted__gradcam.label.prob/spearman 0 ^ '/checksums/pairs/.*: row 0 of sample row 0 '
damaged $S/peak 3 ^ '/checksums/maps/xception/saliency.predicted: row 1 of sample row 1 '
damaged $G/scores/gini 2 ^ '/checksums/maps/xception/gradcam.label.prob: row 2 '
damaged $X/affine 6 ^ '/checksums/models/xception: row 1 '
damaged $X/logits 8 ^ '(/checksums/logits/xception: row|model xception, row) 1 '
damaged $X/stage 4 3 '/checksums/models/xception: row 4 of sample row 4 \(bad\)'
damaged samples/width 2 ^ '/checksums/samples: row 2 '
damaged samples/pixel_hash 3 ^ '/checksums/samples: row 3 '
damaged checksums/samples 1 ^ '/checksums/samples: row 1 '
damaged checksums/models/xception 3 ^ '/checksums/models/xception: row 3 '
said 'run JOB --redo-damaged'
damaged eval/class 0 7 '/eval/class: row 0: class 7 of 7'
damaged samples/labels/value 1 7 '/samples/labels/value: row 1: class 7 of 7'
for table in samples/annotations/box samples/annotations/class samples/labels/value samples/group samples/id eval/class; do
  damaged $table 1 ^ "/$table: the table is not what its checksum says"
done
expect 1 "$XAUDIT" table bad.h5
said '/eval/class is not what its checksum says; restore a copy'

# several at once: each is reported
/usr/bin/python3 damage.py good.h5 one.h5 $G/values 0 ^
/usr/bin/python3 damage.py one.h5 two.h5 $S/values 20000 ^
expect 1 "$XAUDIT" verify two.h5
said 'gradcam.label.prob, map row 0'
said 'saliency.predicted, map row 1'
said '; 2 damaged$'

# a wrong offset, sizes that differ, a missing dataset
/usr/bin/python3 damage.py good.h5 bad.h5 samples/labels/offset 2 4096
expect 1 "$XAUDIT" verify bad.h5
said '^damage: /samples/labels/offset: row 2: 4096 after 1, of 6'
/usr/bin/python3 - <<'PY'
import h5py, shutil
for name, path in (("lost.h5", "models/xception/probs"), ("short.h5", "maps/xception/saliency.predicted/checksum"),
                   ("pairs.h5", "localisation/xception/saliency.predicted/pointing_game")):
    shutil.copyfile("good.h5", name)
    with h5py.File(name, "r+") as f:
        rows = f[path][:3]
        del f[path]
        if name != "lost.h5":
            f[path] = rows
PY
expect 1 "$XAUDIT" verify lost.h5
said '^damage: /models/xception/probs'
expect 1 "$XAUDIT" verify short.h5
said '^damage: /maps/xception/saliency.predicted/checksum: expected u32 \[6\], found u32 \[3\]'
expect 1 "$XAUDIT" verify pairs.h5
said '^damage: /localisation/xception/saliency.predicted/pointing_game: expected a row for each of 4 pairs, found 3'

# rows that are not done are not damage, whatever they hold
/usr/bin/python3 damage.py good.h5 pending.h5 $X/status 2 0
/usr/bin/python3 damage.py pending.h5 half.h5 $G/values 128 ^
expect 0 "$XAUDIT" verify half.h5
said '^missing: model xception: 1 of 6 samples pending, from row 2 '
said 'whole so far, and some samples are still to be computed'
expect 3 "$XAUDIT" run job.yaml --output half.h5 --quiet
expect 0 "$XAUDIT" verify half.h5
said 'complete and whole'
[ "$(digest half.h5)" = "$(digest good.h5)" ] || fail "other bytes after redoing a row"

# the sums are what archive.h says, computed in Python with the library's own XXH3
/usr/bin/python3 damage.py good.h5 bad.h5 $L 1 ^
/usr/bin/python3 damage.py bad.h5 two.h5 $S/peak 3 ^
expect_python "$PROJECT/src/python" <<'PY'
import ctypes, sys, types
library = ctypes.CDLL("libxxhash.so.0")
hash64 = library.XXH3_64bits_withSeed
hash64.restype, hash64.argtypes = ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)
sys.modules["xxhash"] = types.SimpleNamespace(xxh3_64_intdigest=lambda raw, seed=0: hash64(raw, len(raw), seed))
sys.path.insert(0, sys.argv[1])
import xaudit
assert xaudit.Archive("good.h5").verify_rows() == []
assert xaudit.Archive("two.h5").verify_rows() == [
    ("/checksums/localisation/xception/saliency.predicted", 1), ("/checksums/maps/xception/saliency.predicted", 1)]
import h5py, shutil
shutil.copyfile("good.h5", "without.h5")
with h5py.File("without.h5", "r+") as f:
    del f["checksums"]
try:
    xaudit.Archive("without.h5").verify_rows()
    assert False, "lost checksums go unnoticed"
except ValueError as error:
    assert "checksums are lost" in str(error), error
with h5py.File("without.h5", "r+") as f:
    f.attrs["format_version"] = "1.0"
assert xaudit.Archive("without.h5").verify_rows() == []
PY

# every reader finds damage in what it reads and names the command that mends it; the run does, too, and mends it
whole=$(digest good.h5)
refused_by_readers() {
  for reader in info table summary "table --csv" "info --methods" "evaluate --as x.h5" "report -o x.html" "figure -o x.png"; do
    # shellcheck disable=SC2086
    set -- $reader
    expect 1 "$XAUDIT" "$1" bad.h5 "${@:2}"
    said 'run JOB --redo-damaged'
  done
  expect 1 "$XAUDIT" run job.yaml --output bad.h5 --quiet
  said 'run JOB --redo-damaged'
}
mended() {
  expect 3 "$XAUDIT" run job.yaml --output bad.h5 --quiet --redo-damaged
  expect 0 "$XAUDIT" verify bad.h5
  said 'complete and whole'
  [ "$(digest bad.h5)" = "$whole" ] || fail "other bytes after mending"
}
/usr/bin/python3 damage.py good.h5 bad.h5 $X/status 3 7
refused_by_readers
said 'its status is none of 0 to 3'
mended
/usr/bin/python3 damage.py good.h5 one.h5 $L 1 ^
/usr/bin/python3 damage.py one.h5 two.h5 $G/peak 1 ^
/usr/bin/python3 damage.py two.h5 one.h5 $X/status 4 3
/usr/bin/python3 damage.py one.h5 two.h5 run/state 0 77
/usr/bin/python3 damage.py two.h5 bad.h5 samples/pixel_hash 0 ^
refused_by_readers
mended
# what only summaries read
/usr/bin/python3 damage.py good.h5 bad.h5 baselines/xception/centre/pointing_game 2 ^
expect 0 "$XAUDIT" table bad.h5
expect 1 "$XAUDIT" summary bad.h5
said 'centre/pointing_game says, the first is row 2 '
# the values of a map: found where maps are read
/usr/bin/python3 damage.py good.h5 bad.h5 $G/values 128 ^
expect 0 "$XAUDIT" table bad.h5
expect 0 "$XAUDIT" run job.yaml --output bad.h5 --quiet --set tolerate_failed=1
for reader in "evaluate --as x.h5" "report -o x.html" "figure -o x.png -n 6"; do
  # shellcheck disable=SC2086
  set -- $reader
  expect 1 "$XAUDIT" "$1" bad.h5 "${@:2}"
  said 'explainer gradcam.label.prob, map row 2 .*run JOB --redo-damaged'
done
mended
# tables from the manifest are written once, and no run mends them
/usr/bin/python3 damage.py good.h5 bad.h5 samples/labels/value 0 -2
expect 1 "$XAUDIT" run job.yaml --output bad.h5 --quiet --redo-damaged
said '/samples/labels/value: row 0.*--fresh'

# images that were replaced, removed or damaged
expect 0 "$XAUDIT" verify good.h5 --images
said '4 images were read again; 0 are not'
said '^masks of 4 annotations were read again; 0 are not'
set -- images/*
cp "$1" first.jpg
cp "$2" "$1"
expect 1 "$XAUDIT" verify --images good.h5
said "^image: row 0 .*$1: its pixels are not those that were audited"
said '4 images were read again; 1 are not'
rm "$1"
mv "$3" third.jpg
head -c 2000 third.jpg >"$3"
expect 1 "$XAUDIT" verify --images good.h5
said "^image: row 0 .*$1"
said "^image: row 2 .*$3"
said '2 images were read again; 2 are not'
mkdir elsewhere elsewhere/images
cp -r masks elsewhere
cp "$2" "$4" elsewhere/images
cp first.jpg "elsewhere/$1"
cp third.jpg "elsewhere/$3"
expect 0 "$XAUDIT" verify good.h5 --image-root elsewhere
cp third.jpg "$3"
# ... a run that reads the image of a done or a damaged row again: nothing is overwritten
sed 's/scale: tf }/scale: tf }\n    batch: 2/' job.yaml >two.yaml
cp first.jpg "$1"
expect 3 "$XAUDIT" run two.yaml --output pair.h5 --quiet
cp "$2" "$1"
/usr/bin/python3 damage.py pair.h5 bad.h5 $X/status 1 0
before=$(digest bad.h5)
expect 1 "$XAUDIT" run two.yaml --output bad.h5 --quiet
said "image .*$1.* was audited before, and now its pixels differ"
[ "$(digest bad.h5)" = "$before" ] || fail "something was overwritten"
rm "$1"
expect 1 "$XAUDIT" run two.yaml --output bad.h5 --quiet
said "image .*$1.* was audited before, and now "
[ "$(digest bad.h5)" = "$before" ] || fail "something was overwritten"
/usr/bin/python3 damage.py pair.h5 bad.h5 $X/status 0 9
before=$(digest bad.h5)
expect 1 "$XAUDIT" run two.yaml --output bad.h5 --quiet --redo-damaged
said "image .*$1.* was audited before"
[ "$(digest bad.h5)" = "$before" ] || fail "something was overwritten"
cp first.jpg "$1"
expect 3 "$XAUDIT" run two.yaml --output bad.h5 --quiet --redo-damaged
[ "$(digest bad.h5)" = "$(digest pair.h5)" ] || fail "other bytes after mending"

# masks that were painted over or removed are found if their hash is stored
cat >paint.py <<'PY'
"""paint.py MASK: its left half is the object now."""
import struct, sys, zlib
width, height = struct.unpack(">II", open(sys.argv[1], "rb").read()[16:24])
raw = (b"\0" + b"\1" * (width // 2) + b"\0" * (width - width // 2)) * height
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
with open(sys.argv[1], "wb") as f:
    f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
PY
mask=$(sed -n 's/.*,\(masks[^,]*\),.*/\1/p' manifest.csv | head -n 1)
cp "$mask" earlier.png
/usr/bin/python3 paint.py "$mask"
expect 1 "$XAUDIT" verify --images pair.h5
said "^mask: row 0 .*$mask: its pixels are not those that were scored with"
said '^4 images were read again; 0 are not'
said '^masks of 4 annotations were read again; 1 are not'
# ... a run that reads it again: the other image of its batch is pending, failed or damaged
refused() {
  before=$(digest bad.h5)
  expect 1 "$XAUDIT" run two.yaml --output bad.h5 --quiet "$@"
  said "mask .*$mask of image .* was used before, and now "
  [ "$(digest bad.h5)" = "$before" ] || fail "something was overwritten"
}
/usr/bin/python3 damage.py pair.h5 pending.h5 $X/status 1 0
cp pending.h5 bad.h5
refused
expect 1 ranks 2 "$XAUDIT" run two.yaml --output bad.h5 --quiet
said "mask .*$mask of image .* was used before, and now its pixels differ"
/usr/bin/python3 damage.py pair.h5 bad.h5 $X/status 0 9
refused --redo-damaged
# ... by an evaluation, with the same metrics and with others
expect 1 "$XAUDIT" evaluate pair.h5 --as painted.h5
said "mask .*$mask of image .* is not the one that the archive was scored with: .*--fresh"
[ ! -e painted.h5 ] || fail "an evaluation of two masks is there"
expect 1 ranks 2 "$XAUDIT" evaluate pair.h5 --metrics '[energy]' --as painted.h5
# ... and by a merge of two runs, one before and one after the change
sed 's/name: xception/name: again/' two.yaml >again.yaml
expect 3 "$XAUDIT" run again.yaml --output again.h5 --quiet
expect 2 "$XAUDIT" merge pair.h5 again.h5 -o both.h5
said 'pair.h5 and again.h5: image .* was scored with different masks'
rm "$mask"
cp pending.h5 bad.h5
refused
/usr/bin/python3 damage.py pair.h5 bad.h5 $X/status 0 9
refused --redo-damaged
expect 1 "$XAUDIT" verify --images pair.h5
said "^mask: row 0 .*$mask"
said '^masks of 3 annotations were read again; 1 are not'
cp earlier.png "$mask"
expect 3 "$XAUDIT" run two.yaml --output bad.h5 --quiet --redo-damaged
[ "$(digest bad.h5)" = "$(digest pair.h5)" ] || fail "other bytes after mending"
cp pending.h5 bad.h5
expect 3 "$XAUDIT" run two.yaml --output bad.h5 --quiet
[ "$(digest bad.h5)" = "$(digest pair.h5)" ] || fail "other bytes after a resume"
# a run without metrics reads no masks: their hashes are 0, and the first command that reads the masks stores them
sed '/^metrics/d; s/name: xception/name: plain/' two.yaml >plain.yaml
expect 3 "$XAUDIT" run plain.yaml --output plain.h5 --quiet
/usr/bin/python3 paint.py "$mask"
expect 0 "$XAUDIT" verify --images plain.h5
not_said '^masks'
expect 0 "$XAUDIT" evaluate plain.h5 --metrics '[pointing_game]' --as painted.h5
cp earlier.png "$mask"
expect 1 "$XAUDIT" verify --images painted.h5
said "^mask: row 0 .*$mask"
expect 0 "$XAUDIT" merge plain.h5 pair.h5 -o both.h5
/usr/bin/python3 - <<'PY' || fail "a merge has lost the hashes of masks"
import h5py
a, b = (h5py.File(name)["samples/annotations/mask_hash"][...] for name in ("pair.h5", "both.h5"))
assert (a == b).all() and (a != 0).sum() == 4
PY

# the archive has lost checksums that its format has: all of them, or those of one kind
expect_python <<'PY'
import h5py, shutil
for name, lost in ("lost.h5", "checksums"), ("lost_one.h5", "checksums/maps/xception/saliency.predicted"):
    shutil.copy("good.h5", name)
    with h5py.File(name, "r+") as f:
        del f[lost]
PY
for name in lost lost_one; do
  expect 1 "$XAUDIT" verify $name.h5
  said 'damage: /checksums/.*: these checksums are not there'
  expect 1 "$XAUDIT" summary $name.h5
  said "$name.h5 is damaged: the checksums /checksums/.* are not there; restore a copy, or begin anew with xaudit run JOB --fresh"
done
said 'the checksums /checksums/maps/xception/saliency.predicted are not there'
expect 1 "$XAUDIT" table lost.h5
expect 1 "$XAUDIT" evaluate lost.h5 --as x.h5
expect 1 "$XAUDIT" run job.yaml --output lost.h5 --quiet --redo-damaged
said 'restore a copy, or begin anew with --fresh'
expect 0 "$XAUDIT" evaluate good.h5 --as lost_new.h5 --quiet
expect_python <<'PY' # an evaluation's own checksums stay, some and then all that it copied are lost
import h5py, shutil
for name, lost in ("lost_copy.h5", ["models"]), ("lost_copies.h5", ["samples", "models", "logits", "maps", "pairs", "thumbnails"]):
    shutil.copy("lost_new.h5", name)
    with h5py.File(name, "r+") as f:
        lost = [group for group in lost if group in f["checksums"]]
        assert lost
        for group in lost:
            del f["checksums"][group]
        assert "localisation" in f["checksums"]
with h5py.File("lost_new.h5", "r+") as f:
    del f["checksums"]
PY
for name in lost_copy lost_copies; do
  expect 1 "$XAUDIT" verify $name.h5
  said '^damage: /checksums/(models|samples|logits|maps).*: these checksums are not there'
done
expect 1 "$XAUDIT" summary lost_new.h5
said 'the checksums /checksums/.* are not there; it holds an evaluation of good.h5: .* again with --fresh'

# an archive of the format without these checksums
cp good.h5 old.h5
expect_python <<'PY'
import h5py, numpy as np
with h5py.File("old.h5", "r+") as f:
    del f["checksums"]
    f.attrs["format_version"] = np.bytes_("1.0")
    def unsum(name, o): # the tables' own
        if "checksum" in o.attrs:
            del o.attrs["checksum"]
    f.visititems(unsum)
PY
expect 0 "$XAUDIT" verify old.h5
said '^note: no checksums of scores: written by an older version'
expect 0 "$XAUDIT" summary old.h5 --replicates 100
expect 0 "$XAUDIT" evaluate old.h5 --as new.h5
expect 0 "$XAUDIT" verify new.h5
said '^note: no checksums of '
expect 0 "$XAUDIT" evaluate good.h5 --as new.h5 --fresh
expect 0 "$XAUDIT" verify new.h5
not_said '^note:'
/usr/bin/python3 damage.py new.h5 bad.h5 $L 1 ^
expect 1 "$XAUDIT" table bad.h5
said 'evaluate it again with --fresh'

# something that is no archive
head -c 20000 good.h5 >cut.h5
expect 1 "$XAUDIT" verify cut.h5
said 'cut.h5'
expect 1 "$XAUDIT" verify missing.h5
expect 2 "$XAUDIT" verify
expect 2 "$XAUDIT" verify good.h5 good.h5
finish
