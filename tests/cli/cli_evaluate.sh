#!/usr/bin/env bash
# xaudit evaluate: the numbers of the run, the same for any number of ranks; baselines as numpy computes them; thresholds of
# another split; what is refused. The source does not change.
. "$(dirname "$0")/lib.sh"

{
  printf 'path,label,kind,x0,y0,x1,y1,group,split,mask\n'
  i=0
  for p in "$PROJECT"/jobs/demo/images/*/*.jpg; do
    class=$(basename "$(dirname "$p")")
    i=$((i + 1))
    split=$([ $((i % 3)) = 0 ] && echo val || echo test)
    if [ $i = 5 ]; then
      echo "$p,$class,none,,,,,g$((i / 3)),$split,"
    else
      echo "$p,$class,box,$((i % 7 * 4)),20,$((120 + i)),140,g$((i / 3)),$split,"
    fi
    [ $i = 14 ] && break
  done
  echo "$WORK/missing.jpg,$class,box,1,1,9,9,g0,val,"
} >manifest.csv
cat >metrics.yaml <<'YAML'
metrics:
  - pointing_game
  - { kind: energy, at: map }
  - { kind: iou, threshold: otsu, at: image }
  - top1
  - { kind: box_acc, profile: wsol, from_split: val }
  - { kind: box_acc, name: same, profile: wsol }
  - { kind: pxap, profile: wsol }
YAML
{ demo_job | sed '/^metrics:/d' && cat metrics.yaml; } >job.yaml
expect 3 "$XAUDIT" run job.yaml --output a.h5 --quiet
cp a.h5 before.h5

# the metrics of the archive give its own numbers again, and all its tables and maps are there
expect 0 "$XAUDIT" evaluate a.h5
said '13 of 13 pairs of image and class scored by 7 metrics for 2 explainers'
[ ! -e a.eval.h5.part ] || fail "a.eval.h5.part is left"
cmp a.h5 before.h5 || fail "the source was touched"
digest a.h5 | sort >a.txt
digest a.eval.h5 | sort >e.txt
comm -23 <(awk '{print $1, $NF}' a.txt) <(awk '{print $1, $NF}' e.txt) >lost.txt
[ ! -s lost.txt ] || fail "not in the evaluation: $(head -3 lost.txt)"
expect 0 "$XAUDIT" verify a.eval.h5
expect 2 "$XAUDIT" evaluate a.h5
said 'a.eval.h5 exists already'
cp a.eval.h5 first.h5
expect 0 "$XAUDIT" evaluate a.h5 --fresh --quiet
said 'the earlier archive is now a.eval.h5.1'
mkdir -p moved && cp a.eval.h5 moved/
# without its source beside it, though the working folder has a file of that name
expect 1 "$XAUDIT" verify moved/a.eval.h5
said 'moved/a.eval.h5 needs the archive it was made from, .* "moved/a.h5" is not there'
not_said 'damage'
cmp a.eval.h5.1 first.h5 || fail "--fresh changed what it set aside"
expect 0 ranks 3 "$XAUDIT" evaluate a.h5 --as three.h5 --quiet
digest three.h5 | sort >t.txt
cmp e.txt t.txt || fail "scores depend on the number of ranks"
expect 0 "$XAUDIT" evaluate a.h5 --as seed.h5 --seed 7 --quiet
digest seed.h5 | sort | diff e.txt - >changed.txt && fail "the seed shuffles nothing"
grep '^[<>]' changed.txt | grep -v shuffled && fail "the seed moves more than what is shuffled"

# an evaluation of an evaluation links to the first archive, from another folder, too
mkdir sub
expect 0 "$XAUDIT" evaluate a.eval.h5 --as sub/b.h5 --metrics '[energy]' --quiet
expect 0 "$XAUDIT" verify sub/b.h5
mv a.eval.h5 moved.h5
expect 0 "$XAUDIT" verify sub/b.h5
expect 0 "$XAUDIT" summary sub/b.h5 --csv
said '^xception,gradcam.label.prob,no,energy'
mv moved.h5 a.eval.h5

# summaries and comparisons of an evaluation
expect 0 "$XAUDIT" summary a.eval.h5
said 'not better than'
said 'gradcam.label.prob.shuffled \(baseline\)'
said 'BoxAccV2; .*grey level chosen on split val'
expect 0 "$XAUDIT" summary a.eval.h5 --csv
cp out figures.csv
expect 0 "$XAUDIT" summary a.eval.h5 --compare --csv
cp out compared.csv
expect 0 "$XAUDIT" summary a.eval.h5 --from-split val --csv
grep ',same,' out | sed 's/,same,/,box_acc,/; s/,at the .*//' >cli.csv
grep ',box_acc,' figures.csv | sed 's/,at the .*//' >own.csv
[ "$(cut -d, -f1-5 cli.csv)" = "$(cut -d, -f1-5 own.csv)" ] || fail "--from-split is not from_split"
expect 2 "$XAUDIT" summary a.eval.h5 --from-split nowhere
said 'no scored image is of the split "nowhere"'

# what is refused
expect 2 "$XAUDIT" run job.yaml --output a.eval.h5 --quiet
said 'holds an evaluation of a.h5'
expect 2 "$XAUDIT" evaluate a.h5 --as x.h5 --metrics '[nonsense]'
said 'nonsense'
expect 2 "$XAUDIT" evaluate a.h5 --as x.h5 --metrics '[]'
said 'no metrics'
expect 2 "$XAUDIT" evaluate a.h5 --as x.h5 --metrics nowhere.yaml
said 'nowhere.yaml'
expect 2 "$XAUDIT" evaluate nothing.h5
expect 2 "$XAUDIT" evaluate job.yaml
expect 2 "$XAUDIT" evaluate a.h5 b.h5
expect 2 "$XAUDIT" evaluate a.h5 --as no/folder/x.h5
[ ! -e x.h5 ] || fail "x.h5 was made"

# masks that moved are reported and counted, exit 3; --image-root finds them
demo_manifest 14 >manifest.csv
sed "s#$PROJECT/jobs/demo/##g" manifest.csv >m2.csv
mkdir data && cp -r "$PROJECT/jobs/demo/images" "$PROJECT/jobs/demo/masks" data/ && mv m2.csv data/manifest.csv
demo_job | sed 's#^manifest:.*#manifest: data/manifest.csv#' >masks.yaml
expect 0 "$XAUDIT" run masks.yaml --output m.h5 --quiet
mv data elsewhere
expect 3 "$XAUDIT" evaluate m.h5 --metrics '[pointing_game]' --as gone.h5
said 'pairs of image and class were not scored, since their region cannot be read; the first: .*masks/'
expect 0 "$XAUDIT" evaluate m.h5 --metrics '[pointing_game]' --as found.h5 --image-root elsewhere
digest m.h5 | grep /localisation/ | sort >m.txt
digest found.h5 | grep /localisation/ | sort | cmp m.txt - || fail "--image-root gives other scores"

expect_python <<'PY'
import csv
import h5py, numpy as np

f = h5py.File("a.eval.h5")
sample, classes = f["eval/sample"][:], f["eval/class"][:]
done = f["models/xception/status"][:] == 1
box, offset = f["samples/annotations/box"][:], f["samples/annotations/offset"][:]
affine, size = f["models/xception/affine"][:], f["models/xception"].attrs["input_size"]
e = "gradcam.label.prob"
m = f[f"maps/xception/{e}"]
assert f.get(f"maps/xception/{e}/values", getlink=True).filename == "a.h5"
values = m["values"][:, 0].astype(float) * m["scale"][:][:, None, None]
rows, target = m["sample"][:], m["target"][:]
h, w = values.shape[1:]

def energy(v, i):  # at the map's grid, positive
    (a, _, b), (_, d, g) = affine[i]
    x = a * (np.arange(w) + 0.5) * size[1] / w + b
    y = d * (np.arange(h) + 0.5) * size[0] / h + g
    x0, y0, x1, y1 = box[offset[i]]
    inside = ((y >= y0) & (y < y1))[:, None] & ((x >= x0) & (x < x1))[None]
    v = np.maximum(v, 0)
    return v[inside].sum() / v.sum() if v.sum() > 0 else np.nan

own, shuffled, mean = (f[p][:] for p in (
    f"localisation/xception/{e}/energy", f"baselines/xception/{e}.shuffled/energy", f"baselines/xception/{e}.class_mean/energy"))
counts, means = f[f"class_means/xception/{e}/count"][:], f[f"class_means/xception/{e}/mean"][:]
made = [r for r in range(len(rows)) if done[rows[r]] and np.isfinite(m["scale"][r])]
unit = {r: values[r] / np.abs(values[r]).max() for r in made if np.abs(values[r]).max() > 0}
for c in range(len(counts)):
    mine = [unit[r] for r in unit if target[r] == c]
    assert counts[c] == len(mine)
    assert np.isnan(means[c]).all() if not mine else np.abs(means[c] - np.mean(mine, 0)).max() < 1e-6
seen = 0
for q, (i, c) in enumerate(zip(sample, classes)):
    if not done[i]:
        assert np.isnan([own[q], shuffled[q], mean[q]]).all()
        continue
    r = [r for r in made if rows[r] == i and target[r] == c]
    assert len(r) == 1 and (abs(own[q] - energy(values[r[0]], i)) < 1e-6 or np.isnan(own[q])), q
    others = [energy(values[k], i) for k in made if rows[k] != i]
    assert np.nanmin(np.abs(np.array(others) - shuffled[q])) < 1e-6 or np.isnan(shuffled[q]), q
    rest = [unit[k] for k in unit if target[k] == c and rows[k] != i]
    want = energy(np.mean(rest, 0), i) if rest else np.nan
    assert np.isnan(mean[q]) and np.isnan(want) or abs(mean[q] - want) < 1e-6, (q, mean[q], want)
    seen += np.isfinite(mean[q]) and np.isfinite(shuffled[q])
assert seen >= 10

# the grey level is chosen on split val, the accuracy is of the others; MaxBoxAccV2 is computed here on the same images
split = f["samples/split"].asstr()[:][sample]
figures = {(r["explainer"], r["metric"]): r for r in csv.DictReader(open("figures.csv"))}
for x in (e, "saliency.predicted"):
    bits = np.unpackbits(f[f"statistics/xception/{x}/box_acc"][:], axis=-1, bitorder="little")
    ok = np.isfinite(f[f"localisation/xception/{x}/box_acc"][:])
    val, test = ok & (split == "val"), ok & (split != "val")
    assert val.sum() > 2 and test.sum() > 5
    at = bits[val].sum(0).argmax(-1)
    want = np.mean([bits[test][:, d, at[d]].mean() for d in range(3)])
    r = figures[x, "box_acc"]
    assert abs(float(r["value"]) - want) < 1e-8 and int(r["n"]) == test.sum() and r["figure"] == "BoxAccV2", r
    r = figures[x, "same"]
    assert r["figure"] == "MaxBoxAccV2" and abs(float(r["value"]) - bits[ok].mean(0).max(-1).mean()) < 1e-8
# differences of figures over the data set
for r in csv.DictReader(open("compared.csv")):
    a, b = figures[r["explainer_a"], r["metric"]], figures[r["explainer_b"], r["metric"]]
    if r["metric"] in ("box_acc", "same", "pxap"):
        assert abs(float(r["difference"]) - (float(a["value"]) - float(b["value"]))) < 1e-8, r
        assert float(r["low"]) <= float(r["difference"]) + 1e-12 and 0 < float(r["p"]) <= 1
assert {r["metric"] for r in csv.DictReader(open("compared.csv"))} == {"pointing_game", "energy", "iou", "top1", "box_acc", "same", "pxap"}
PY
finish
