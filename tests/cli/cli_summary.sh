#!/usr/bin/env bash
# xaudit summary: every number equals an independent computation in numpy; and what is refused.
. "$(dirname "$0")/lib.sh"

{ # groups, a further column, and one image without an annotation
  printf 'path,label,kind,x0,y0,x1,y1,group,light\n'
  i=0
  for p in "$PROJECT"/jobs/demo/images/*/*.jpg; do
    class=$(basename "$(dirname "$p")")
    i=$((i + 1))
    if [ $i = 5 ]; then
      echo "$p,$class,none,,,,,g$((i / 3)),day"
    else
      echo "$p,$class,box,$((i % 7 * 4)),20,$((120 + i)),140,g$((i / 3)),$([ $((i % 2)) = 0 ] && echo day || echo night)"
    fi
    [ $i = 14 ] && break
  done
  echo "$WORK/missing.jpg,$class,box,1,1,9,9,g0,day"
} >manifest.csv
{
  demo_job | sed '/^metrics:/d'
  cat <<'YAML'
metrics:
  - pointing_game
  - { kind: pointing_game, name: torchray, profile: torchray }
  - energy
  - { kind: energy, name: at7, at: { grid: 7 }, sign: abs }
  - relevance_rank
  - roc_auc
  - { kind: iou, threshold: otsu, at: image }
  - { kind: gt_known, profile: gradcam-paper }
  - top1
  - { kind: box_acc, profile: wsol }
  - { kind: pxap, profile: wsol }
YAML
} >job.yaml
expect 3 "$XAUDIT" run job.yaml --output a.h5 --quiet
expect 3 ranks 3 "$XAUDIT" run job.yaml --output b.h5 --quiet
digest a.h5 >a.txt
digest b.h5 >b.txt
grep -v '/run/' a.txt >a.one
grep -v '/run/' b.txt >b.one
cmp a.one b.one || fail "scores depend on the number of ranks"
expect 0 "$XAUDIT" verify a.h5
expect 0 "$XAUDIT" summary a.h5
said '15 images in the manifest, [0-9]+ groups; 14 annotated'
said 'model xception: 14 done, 1 failed, 0 excluded'
said 'warning: [0-9]+ groups: intervals of fewer than 20'
said 'undefined: 1 image not done'
expect 0 "$XAUDIT" summary a.h5 --csv
cp out figures.csv
expect 0 "$XAUDIT" summary a.h5 --by light --csv
cp out light.csv
expect 0 "$XAUDIT" summary a.h5 --by class --json
cp out class.json
expect 0 "$XAUDIT" summary a.h5 --compare --csv
cp out compared.csv
for by in correct size group split; do expect 0 "$XAUDIT" summary a.h5 --by $by; done
expect 0 "$XAUDIT" summary a.h5 --against gradcam.label.prob
said 'xception/saliency.predicted +xception/gradcam.label.prob'
expect 0 "$XAUDIT" summary a.h5 --against centre
said 'xception/gradcam.label.prob +xception/centre'
expect 0 "$XAUDIT" summary a.h5 --latex
said '\\textbf'
said 'roc\\_auc'
expect_python <<'PY'
import csv, json
import h5py, numpy as np

f = h5py.File("a.h5")
everything = list(csv.DictReader(open("figures.csv")))
rows = {(r["explainer"], r["metric"]): r for r in everything if r["baseline"] == "no"}
sample, classes = f["eval/sample"][:], f["eval/class"][:]
assert len(sample) == 14 and len(rows) == 22
for (explainer, metric), r in rows.items():
    v = f[f"localisation/xception/{explainer}/{metric}"][:]
    ok = np.isfinite(v)
    assert int(r["n"]) == ok.sum() == 13 and int(r["undefined"]) == 1, r
    value = float(r["value"])
    if r["figure"] == "MaxBoxAccV2":
        bits = np.unpackbits(f[f"statistics/xception/{explainer}/{metric}"][:][ok], axis=-1, bitorder="little")
        want = bits.mean(0).max(-1).mean()
    elif r["figure"] == "PxAP":
        background, region = f[f"statistics/xception/{explainer}/{metric}"][:][ok].astype(float).sum(0)[:, ::-1].cumsum(-1)
        recall, some = region / region[-1], region + background > 0
        precision = np.where(some, region / np.maximum(region + background, 1), 0)
        want = (np.diff(recall, prepend=0) * precision).sum()
    else:
        want = v[ok].mean()
        macro = np.mean([v[ok & (classes == c)].mean() for c in np.unique(classes[ok])])
        assert abs(float(r["macro"]) - macro) < 1e-8, r
    assert abs(value - want) < 1e-8, (r, want)
    if r["no_interval"]:  # five groups: a rate has less than two of the rarer
        assert r["low"] == r["high"] == "" and r["interval"] == "none" and "too few groups" in r["no_interval"], r
        assert r["figure"] != "PxAP" and (r["figure"] != "mean" or np.isin(v[ok], (0, 1)).all()), r
        assert int(r["clusters"]) * min(value, 1 - value) < 2, r
    else:
        assert float(r["low"]) <= value + 1e-12 and value <= float(r["high"]) + 1e-12 and r["conventions"], r
# the baselines: what a map that looks at the usual place would score
for r in everything:
    if r["baseline"] == "yes" and r["figure"] == "mean":
        v = f[f"baselines/xception/{r['explainer']}/{r['metric']}"][:]
        assert int(r["n"]) == np.isfinite(v).sum() and (int(r["n"]) == 0 or abs(float(r["value"]) - np.nanmean(v)) < 1e-8), r
area, centre = f["baselines/xception/full/energy"][:], f["baselines/xception/centre/pointing_game"][:]
for q in range(13):
    i = sample[q]
    w, h = int(f["samples/width"][i]), int(f["samples/height"][i])
    x0, y0, x1, y1 = f["samples/annotations/box"][f["samples/annotations/offset"][i]]
    assert abs(area[q] - (x1 - x0) * (y1 - y0) / (w * h)) < 0.02
    assert centre[q] == (x0 <= w / 2 < x1 and y0 <= h / 2 < y1)
assert np.isnan(f["baselines/xception/full/pointing_game"][:]).all()
# agreement of the two explainers by ranks on the coarser grid
pair = f["pairs/xception/saliency.predicted__gradcam.label.prob"]
a, b = f["maps/xception/saliency.predicted"], f["maps/xception/gradcam.label.prob"]
assert all(a["sample"][i] == i and b["sample"][i] == i for i in range(14))
def ranks(v):
    order, s = np.argsort(v, kind="stable"), np.sort(v)
    return (np.searchsorted(s, v, "left") + np.searchsorted(s, v, "right") + 1) / 2
for i in range(14):
    x = a["values"][i, 0].astype(float) * a["scale"][i]
    y = b["values"][i, 0].astype(float) * b["scale"][i]
    if not y.any():
        assert np.isnan(pair["spearman"][i])
        continue
    k = x.shape[0] // y.shape[0]
    x = x.reshape(y.shape[0], k, y.shape[1], k).mean((1, 3)).astype(np.float32)
    want = np.corrcoef(ranks(x.ravel()), ranks(y.ravel()))[0, 1]
    assert abs(pair["spearman"][i] - want) < 1e-6, (i, pair["spearman"][i], want)
light = f["samples/extra/light"].asstr()[:][sample]
for r in csv.DictReader(open("light.csv")):
    if r["figure"] == "mean" and r["part"] != "all" and r["baseline"] == "no":
        v = f[f"localisation/xception/{r['explainer']}/{r['metric']}"][:][light == r["part"]]
        assert abs(float(r["value"]) - np.nanmean(v)) < 1e-8, r
assert any(x["part"] == "airplanes" for x in json.load(open("class.json"))["figures"])
for r in csv.DictReader(open("compared.csv")):
    if r["metric"] == "pxap":
        continue  # a figure of the data set: cli_evaluate
    a = f[f"localisation/xception/{r['explainer_a']}/{r['metric']}"][:]
    b = f[f"localisation/xception/{r['explainer_b']}/{r['metric']}"][:]
    if r["metric"] == "box_acc":  # each side's hits at its own best grey levels
        both = np.isfinite(a - b)
        def at_best(e):
            bits = np.unpackbits(f[f"statistics/xception/{e}/box_acc"][:], axis=2, bitorder="little").astype(float)
            best = bits[both].mean(0).argmax(1)
            return np.where(both, np.mean([bits[:, l, t] for l, t in enumerate(best)], axis=0), np.nan)
        a, b = at_best(r["explainer_a"]), at_best(r["explainer_b"])
    d = (a - b)[np.isfinite(a - b)]
    assert abs(float(r["difference"]) - d.mean()) < 1e-8, r
    if r["metric"] != "box_acc":
        assert int(r["win"]) == (d > 0).sum() and int(r["tie"]) == (d == 0).sum(), r
    assert float(r["p"]) <= float(r["p_holm"]) <= 1, r
    # five groups: every way to turn them round is counted
    g = np.unique(f["samples/group"][:][sample], return_inverse=True)[1][np.isfinite(a - b)]
    sums = np.array([d[g == k].sum() for k in np.unique(g)])
    ways = np.array(np.meshgrid(*[[-1, 1]] * len(sums))).reshape(len(sums), -1)
    want = (np.abs(sums @ ways) >= abs(sums.sum()) - 1e-9).mean()
    assert r["exact"] == "yes" and abs(float(r["p"]) - want) < 1e-9, (r, want)
    assert (r["only_a_undefined"], r["only_b_undefined"], r["both_undefined"]) == ("0", "0", "1"), r
# energy at the pixels of the map, computed by hand: the box in the model's input, by pixel centres
e = f["maps/xception/saliency.predicted"]
for q in range(13):
    i = sample[q]
    k = f["samples/annotations/offset"][i]
    x0, y0, x1, y1 = f["samples/annotations/box"][k]
    a = f["models/xception/affine"][i].astype(float)
    m = np.maximum(e["values"][i, 0].astype(float) * e["scale"][i], 0)
    h, w = m.shape
    X, Y = a[0, 0] * (np.arange(w) + .5) + a[0, 2], a[1, 1] * (np.arange(h) + .5) + a[1, 2]
    inside = ((Y >= y0) & (Y < y1))[:, None] & ((X >= x0) & (X < x1))[None]
    got = f["localisation/xception/saliency.predicted/energy"][q]
    assert abs(got - m[inside].sum() / m.sum()) < 1e-9, (q, got)
    g = np.sort(np.abs(m).ravel())
    n = g.size
    gini = ((2 * np.arange(1, n + 1) - n - 1) * g).sum() / (n * g.sum())
    assert abs(e["scores/gini"][i] - gini) < 1e-6
PY
expect 0 "$XAUDIT" table a.h5 # the first look tells the pointing game, whatever other metrics there are
said 'xaudit summary'
[ "$(grep -o outside out | wc -l)" = "$(/usr/bin/python3 -c "
import h5py
f = h5py.File('a.h5')['localisation/xception']
print(sum(int((f[e]['pointing_game'][:] == 0).sum()) for e in f))")" ] || fail "inside or outside is not the pointing game's"
expect 0 "$XAUDIT" info a.h5 --methods
said 'Model xception \(xception.h5; Keras 2.15.0 \(tensorflow\), functional; SHA-256 a8d9f2032dc8cc8d'
said '14 of 15 images were explained; the predicted class was a label of'
said "gradcam.label.prob \(gradcam \[[0-9]\]\), of the labelled class's prob, layer xception_compact/block9_sepconv2_act"
said '^\[[0-9]\] Selvaraju et al.: Grad-CAM'
said 'groups drawn together'
expect 2 "$XAUDIT" summary a.h5 --by lights
said 'expected class, correct, size, group, split, light'
expect 2 "$XAUDIT" summary a.h5 --against nothing
said 'there are: xception/gradcam.label.prob, xception/saliency.predicted'
expect 2 "$XAUDIT" summary a.h5 --csv --json
expect 2 "$XAUDIT" summary
expect 1 "$XAUDIT" summary manifest.csv
# two archives, joined by id, class and pixels: another score, half of the images, and one image changed
head -n 8 manifest.csv >half.csv
mkdir -p other
cp "$(sed -n 4p manifest.csv | cut -d, -f1)" other/changed.jpg
sed "3s#^[^,]*#$WORK/other/changed.jpg#" half.csv | awk -F, -v OFS=, 'NR == 1 {print $0, "id"} NR > 1 {print $0, "i" NR}' >second.csv
awk -F, -v OFS=, 'NR == 1 {print $0, "id"} NR > 1 {print $0, "i" NR}' manifest.csv >first.csv
sed 's/^manifest:.*/manifest: first.csv/' job.yaml >first.yaml
sed 's/^manifest:.*/manifest: second.csv/; s/score: logit, target: predicted/score: prob, target: predicted, name: saliency.predicted/; s/grid: 7/grid: 6/' job.yaml >second.yaml
expect 3 "$XAUDIT" run first.yaml --output first.h5 --quiet
expect 0 "$XAUDIT" run second.yaml --output second.h5 --quiet
expect 0 "$XAUDIT" summary first.h5 second.h5
said '5 pairs of image and class are in both with the same pixels; of the other pairs of a, 8 are not in b, 1 have different pixels'
said 'gradcam.label.prob .* 0/5/0'
said '2 comparisons left out: their conventions differ'
said '^box_acc: a - b'
not_said '^at7: a - b'
expect 2 "$XAUDIT" summary first.h5 second.h5 --by class
# settings that do not change anything, and settings out of bounds
sed 's/  - roc_auc/  - { kind: roc_auc, tolerance: 15px }/; s/  - energy/  - { kind: energy, profile: wsol }/; s/  - top1/  - { kind: top1, iou: 2 }/; s/grid: 7/grid: 0/' job.yaml >bad.yaml
expect 2 "$XAUDIT" check bad.yaml
said 'tolerance: a setting of pointing_game, not of roc_auc'
said 'profile wsol does not define energy'
said 'iou: expected levels above 0 and up to 1'
said 'grid: expected a whole number from 1 to 512'
finish
