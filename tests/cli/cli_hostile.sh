#!/usr/bin/env bash
# Archives whose tables do not fit together, as in a damaged or forged file: they are refused with the name of the table, and
# nothing is read beyond an end.
. "$(dirname "$0")/lib.sh"

demo_manifest 4 >manifest.csv
demo_job >job.yaml
expect 0 "$XAUDIT" run job.yaml --quiet

# damage NAME PYTHON: a copy of the archive, changed through h5py as `f`
damage() {
  cp out.h5 "$1.h5"
  /usr/bin/python3 - "$1.h5" <<PY || fail "no damage done: $1"
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], "r+")
def put(path, data):
    del f[path]
    f[path] = data
$2
f.close()
PY
}

refused() {
  damage "$1" "$2"
  expect 1 "$XAUDIT" table "$1.h5"
  said "$3"
  expect 1 "$XAUDIT" table "$1.h5" --csv
  expect 1 "$XAUDIT" info "$1.h5"
  said "$3"
}

labels=/samples/labels
model=/models/xception
maps=/maps/xception/gradcam.label.prob
h5ls -r out.h5 >tables.txt 2>/dev/null
grep -q "$maps/sample" tables.txt || maps=$(sed -n 's#^\(/maps/xception/gradcam[^ ]*\)/sample .*#\1#p' tables.txt | head -n 1)
[ -n "$maps" ] || fail "no Grad-CAM maps in the archive"

refused offsets "f['$labels/offset'][2] = 10**12" 'labels/offset: row 2'
refused backwards "f['$labels/offset'][1] = -1" 'labels/offset: row 1'
refused few "put('$labels/offset', np.arange(3, dtype='i8'))" 'labels/offset: extent 0 is 3'
refused scalar "put('/samples/id', np.bytes_('x'))" 'samples/id: 0 dimensions'
refused pairs "f['/eval/sample'][0] = 4" 'eval/sample: row 0 is 4'
refused class "f['$model/predicted'][1] = 7" 'predicted: row 1 is 7'
refused nobody "f['$model/predicted'][1] = -1" 'predicted: row 1 is -1'
refused probs "put('$model/probs', np.zeros((4, 2, 2), dtype='f4'))" 'probs: 3 dimensions'
refused status "put('$model/status', np.ones(1, dtype='u1'))" 'status: extent 0 is 1'
refused kind "put('$model/status', np.ones(4, dtype='f8'))" 'status: expected u8, found f64'
refused rows "f['$maps/sample'][0] = -5" 'row 0 is -5'
refused peak "put('$maps/peak', np.zeros((4, 1), dtype='f4'))" 'peak: extent 1 is 1'
refused flags "put('$maps/flags', np.zeros(0, dtype='u1'))" 'flags: extent 0 is 0'
refused name "f.move('$model', '/models/a\x1b[31mb')" 'no name of format 1'

# checksums with wrong extents, with far too many rows, of something that is no dataset, of a damaged table
refused sums "put('/checksums/models/xception', np.zeros(9, dtype='u4'))" '/checksums/models/xception has 9 rows'
refused many "del f['/checksums/samples']; f.create_dataset('/checksums/samples', (10**12,), dtype='u4', chunks=(4096,))" \
  '/checksums/samples has 1000000000000 rows'
expect 1 "$XAUDIT" verify many.h5
said 'damage: /checksums/samples: 1000000000000 rows'
refused covered "put('$maps/scale', np.ones(3, dtype='f4'))" 'scale has 3 rows, its checksums'
damage group "del f['/checksums/samples']; f.create_group('/checksums/samples/samples')"
expect 1 "$XAUDIT" table group.h5
said 'the checksums /checksums/samples are not there'
damage two "f['/samples/id'].attrs['checksum'] = np.arange(3); f['/samples/path'].attrs['checksum'] = 'x'"
expect 0 "$XAUDIT" table two.h5
refused table "f['/samples/group'][0] = b'p'" 'the table /samples/group is not what its checksum says'

damage extra "put('/samples/split', np.array([b'a'], dtype='S1'))"
expect 1 "$XAUDIT" table extra.h5 --csv
said 'samples/split: expected a text for each sample'

# sessions are for people only: what is wrong in them is left out
damage sessions "put('/run/sessions/count', np.full(9, 10**12, dtype='i8')); put('/run/sessions/end', np.array([b'x']))"
expect 0 "$XAUDIT" info sessions.h5
not_said 'session 1'
damage escapes "f['/run/sessions/text'][0] = b'\x1b[31mred'"
expect 0 "$XAUDIT" info escapes.h5
said 'session 1'
grep -q "$(printf '\033')" out && fail "an escape sequence was printed"
finish
