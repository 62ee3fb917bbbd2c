#!/usr/bin/env bash
# Archives of all releases (tests/golden/archive): every reader reads them and prints the numbers that their release printed.
# An archive with other definitions is not continued, merged or silently compared.
. "$(dirname "$0")/lib.sh"

G=$PROJECT/tests/golden/archive
mkdir -p golden/archive golden/keras/tf215 app/identity
cp "$G/job.yaml" "$G/manifest.csv" golden/archive/
cp "$PROJECT/tests/golden/keras/tf215/head_softmax_layer.h5" golden/keras/tf215/
cp -r "$PROJECT/tests/job/identity/images" app/identity/
cd golden/archive || exit 1
this=$("$XAUDIT" --version | awk '{ print $2 }')

found=0
for file in "$G"/archive-*.h5.gz; do
  v=$(basename "$file" .h5.gz)
  v=${v#archive-}
  found=$((found + 1))
  gzip -dc "$file" >$v.h5
  cp $v.h5 before.h5
  # Readers
  expect 0 "$XAUDIT" info $v.h5
  said "tool_version +$v"
  said '12 samples: 12 done'
  expect 0 "$XAUDIT" info --digest $v.h5
  expect 0 "$XAUDIT" verify $v.h5
  said 'complete and whole'
  expect 0 "$XAUDIT" summary $v.h5
  said '^cnn +energy'
  said '^  saliency.predicted +12 +0'
  expect 0 "$XAUDIT" summary $v.h5 --csv
  cp "$WORK/out" $v.summary.csv
  expect_python "$G/archive-$v.summary.csv" $v.summary.csv <<'PY'
import csv, sys
def rows(path):
    return {(r["model"], r["explainer"], r["metric"], r["part"]): r for r in csv.DictReader(l for l in open(path) if not l.startswith("#"))}
then, now = rows(sys.argv[1]), rows(sys.argv[2])
assert len(then) >= 18
for k, r in then.items(): # intervals may be others' methods; the figures are the archive's
    for column in "figure", "conventions", "n", "undefined", "clusters", "value", "macro":
        assert r[column] == now[k][column], (k, column, r[column], now[k][column])
PY
  expect 0 "$XAUDIT" summary $v.h5 --compare
  expect 0 "$XAUDIT" table $v.h5
  expect 0 "$XAUDIT" table $v.h5 --csv
  cp "$WORK/out" $v.csv
  if [ $v = 0.1.0 ]; then # whoever lays two tables beside one another is told
    said 'warning: 0.1.0.h5: its metrics follow definitions 1 \(xaudit 0.1.0\), and this release follows [0-9]+: .*; `xaudit evaluate 0.1.0.h5`'
    expect 0 "$XAUDIT" summary $v.h5
    said 'its metrics follow definitions 1'
    expect 0 "$XAUDIT" info $v.h5
    said 'definitions +metrics 1, scores of maps and checks 1 \(this release'
  fi
  expect 0 "$XAUDIT" figure $v.h5 --id a -o $v.png --image-root "$PWD"
  expect 0 "$XAUDIT" report $v.h5 -o $v.html --image-root "$PWD"
  expect 0 "$XAUDIT" evaluate $v.h5 --metrics job.yaml --as $v.new.h5 --image-root "$PWD" --quiet
  expect 0 "$XAUDIT" summary $v.new.h5
  expect 0 "$XAUDIT" verify $v.new.h5
  said 'complete and whole'
  cmp $v.h5 before.h5 || fail "reading $v.h5 changed it"
  expect_python "$G/archive-$v.csv" $v.csv $v.h5 <<'PY'
import csv, h5py, sys, numpy as np
def rows(path):
    return list(csv.DictReader(l for l in open(path) if not l.startswith("#")))
then, now = rows(sys.argv[1]), rows(sys.argv[2])
assert len(then) == len(now) == 24
compared = set()
for a, b in zip(then, now):
    assert a["id"] == b["id"] and a["explainer"] == b["explainer"]
    for k in set(a) & set(b):
        assert a[k] == b[k], (k, a[k], b[k])
        compared.add(k)
assert compared >= {"energy", "iou", "box_acc", "pxap", "pointing_game", "predicted", "maximum", "light"}, compared
with h5py.File(sys.argv[3]) as f: # and what h5py finds
    ids = [i.decode() for i in f["samples/id"][:]]
    pair = {ids[s]: q for q, s in enumerate(f["eval/sample"][:])}
    for r in now:
        v = f[f"localisation/cnn/{r['explainer']}/energy"][pair[r["id"]]]
        assert (r["energy"] == "" and np.isnan(v)) or abs(float(r["energy"]) - v) < 1e-8
PY
  # Writers: the release that made it goes on with it; others do where nothing has changed meanwhile.
  "$XAUDIT" run job.yaml --output $v.h5 --quiet >"$WORK/out" 2>"$WORK/err"
  code=$?
  checks=$((checks + 1))
  if [ $code != 0 ]; then
    [ $code = 2 ] || fail "exit code $code of a run on an archive of xaudit $v; before $v is released, its archive is made again: make_archive.sh"
    said "$v.h5 was begun by xaudit $v, and this is xaudit $this: their numbers cannot be in one archive|pass.arithmetic"
    said '--fresh'
  fi
  if "$XAUDIT" summary $v.h5 $v.new.h5 >"$WORK/out" 2>"$WORK/err"; then
    definitions=same
  else
    definitions=other
    said "$v.h5 has .* of definitions [0-9]+ \(xaudit $v\), and .*`echo $v.new.h5` .*of definitions [0-9]+ \(xaudit $this\)"
    said "xaudit evaluate $v.h5. scores its maps by this release"
  fi
  checks=$((checks + 1))
  [ $v != "$this" ] || [ $definitions = same ] || fail "this release's archive is of other definitions"
  # 0.1.0 kept too little to be merged or continued by anybody else
  if [ $v = 0.1.0 ]; then
    [ $code = 2 ] || fail "an archive of 0.1.0 was continued"
    [ $definitions = other ] || fail "numbers of 0.1.0 were compared with those of $this"
    cp $v.h5 second.h5
    expect 2 "$XAUDIT" merge $v.h5 second.h5 -o merged.h5
    said "0.1.0.h5 was made by xaudit 0.1.0, whose numbers are not those of this release"
  fi
done
# an archive of a later release, and one whose version makes no sense
"$XAUDIT" run job.yaml --output now.h5 --quiet >"$WORK/out" 2>"$WORK/err" || fail "the job fails"
/usr/bin/python3 - <<'PY'
import h5py, shutil
for name, version in ("later.h5", 99), ("nonsense.h5", -5.0):
    shutil.copy("now.h5", name)
    with h5py.File(name, "r+") as f:
        f.attrs["metric_definitions"] = version
        t = f.attrs["identity_text"]
        f.attrs["identity_text"] = t.replace(b"scores.definitions = ", b"scores.definitions = 9")
PY
expect 1 "$XAUDIT" summary now.h5 later.h5
said 'later.h5 is of a later release than this'
expect 0 "$XAUDIT" summary later.h5
said 'its metrics follow definitions 99'
expect 2 "$XAUDIT" run job.yaml --output later.h5 --quiet
said "later.h5 was begun by another build of xaudit $this, and this is a build with other definitions: their numbers cannot be in one archive .*finish it with the build that began it; .xaudit evaluate later.h5. scores its maps by this build.*--fresh"
expect 2 "$XAUDIT" merge now.h5 later.h5 -o merged.h5
said 'later.h5 was made by xaudit'
expect 1 "$XAUDIT" summary now.h5 nonsense.h5
said 'nonsense.h5: the attribute metric_definitions of / is -5, expected a version'
expect 0 "$XAUDIT" summary now.h5 now.h5
[ $found -ge 1 ] || fail "no archive is stored"
finish
