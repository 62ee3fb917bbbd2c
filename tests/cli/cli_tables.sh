#!/usr/bin/env bash
# Every column of a table has the right name: explainers with different metrics, two columns of one name, two models, and names
# with umlauts.
. "$(dirname "$0")/lib.sh"

{
  printf 'path,id,label,kind,x0,y0,x1,y1,energy,Größe\n'
  i=0
  for p in "$PROJECT"/jobs/demo/images/*/*.jpg; do
    i=$((i + 1))
    [ $((i % 5)) = 0 ] || continue
    echo "$p,Möwe_$i,$(basename "$(dirname "$p")"),box,10,20,$((100 + i)),140,e$i,\"a,$i\""
    [ $i = 20 ] && break
  done
} >manifest.csv
demo_job | sed '/saliency/d; s/^metrics:.*/metrics: [energy, { kind: box_acc, profile: wsol }]\nchecks: [average_drop]/' >a.yaml
demo_job | sed '/gradcam/d; s/^metrics:.*/metrics: [pointing_game, { kind: iou, threshold: otsu }, { kind: energy, name: label }]\nchecks: [random_logit]/' >b.yaml
expect 0 "$XAUDIT" run a.yaml --output a.h5 --quiet
expect 0 "$XAUDIT" run b.yaml --output b.h5 --quiet
expect 0 "$XAUDIT" merge a.h5 b.h5 -o o.h5
expect 0 "$XAUDIT" table o.h5 --csv
cp out table.csv
expect_python <<'PY'
import csv, h5py, numpy as np

rows = list(csv.reader(open("table.csv", encoding="utf-8", newline="")))
head, f = rows[0], h5py.File("o.h5")
assert len(set(head)) == len(head), "two columns of one name"
assert "metric.label" in head and "manifest.energy" in head and "Größe" in head, head
ids = [i.decode() for i in f["samples/id"][:]]
seen = 0
for r in rows[1:]:
    assert len(r) == len(head), (len(r), len(head))
    d, m = dict(zip(head, r)), f["localisation/xception"]
    i = ids.index(d["id"])
    k = list(f[f"maps/xception/{d['explainer']}/sample"][:]).index(i)
    q = list(f["eval/sample"][:]).index(i)
    for name in ("energy", "pointing_game", "iou", "box_acc", "metric.label"):
        stored = m[d["explainer"]].get(name.removeprefix("metric."))
        assert (d[name] == "") == (stored is None or np.isnan(stored[q])), (d["explainer"], name, d[name])
        assert d[name] == "" or abs(float(d[name]) - stored[q]) < 1e-8
        seen += d[name] != ""
    for name in ("average_drop", "increase", "average_gain", "random_logit"):
        stored = f[f"maps/xception/{d['explainer']}/scores"].get(name)
        assert (d[name] == "") == (stored is None or np.isnan(stored[k])), (d["explainer"], name, d[name])
        assert d[name] == "" or abs(float(d[name]) - stored[k]) < 1e-8
        seen += d[name] != ""
    assert d["manifest.energy"] == "e" + d["id"].split("_")[1] and d["Größe"] == "a," + d["id"].split("_")[1]
assert len(rows) == 9 and seen > 25, (len(rows), seen)
PY
# the explorer of the report: each score has its metric and explainer
expect 0 "$XAUDIT" report o.h5 -o o.html
expect_python <<'PY'
import json, re, h5py, numpy as np
f = h5py.File("o.h5")
pages, seen = open("o.html", encoding="utf-8").read(), 0
d = json.loads(re.search(r'<script type="application/json" id=data>(.*?)</script>', pages, re.S).group(1))
stored_ids, of_pair = [i.decode() for i in f["samples/id"][:]], f["eval/sample"][:].tolist()
assert len(d["ids"]) >= 2 and all(i.startswith("Möwe_") for i in d["ids"])
titles = {"iou": "IoU", "box_iou": "box IoU", "roc_auc": "ROC AUC", "box_acc": "MaxBoxAcc", "pxap": "PxAP", "top_k": "top k"}
names = {m for e in f["localisation/xception"].values() for m in e}
assert sorted(d["metrics"]) == sorted(titles.get(m, m.replace("_", " ")) for m in names), (d["metrics"], names)
for m in names:
    for e, x in enumerate(d["explainers"]):
        have = f["localisation/xception"][x["key"]]
        for row, id in enumerate(d["ids"]):
            v = d["score"][d["metrics"].index(titles.get(m, m.replace("_", " ")))][e][row]
            stored = np.nan
            if m in have:  # the mean over the classes annotated in the image
                of = [have[m][q] for q, i in enumerate(of_pair) if i == stored_ids.index(id)]
                stored = np.mean([o for o in of if np.isfinite(o)]) if np.isfinite(of).any() else np.nan
            assert v is None if np.isnan(stored) else abs(v - stored) < 6e-4, (m, x["key"], id, v, stored)
            seen += 1
assert seen >= 20, seen
assert "average_drop" in pages and "random_logit" in pages
PY
expect 0 "$XAUDIT" summary o.h5 --latex
said 'average[\]_drop'
expect 0 "$XAUDIT" info o.h5 --methods
said 'Each map was checked by average_drop'
said 'pointing_game .*energy|energy .*pointing_game'
# xaudit table: columns are aligned whatever the letters
expect 0 "$XAUDIT" table o.h5
cp out look.txt
expect_python <<'PY'
lines = [l for l in open("look.txt", encoding="utf-8").read().split("\n") if l.startswith(("Möwe", "image"))]
assert len(lines) == 5
at = lines[0].index("predicted")
assert all(l[at - 1] == " " and l[at] != " " for l in lines), lines
PY
# two models: LaTeX names the model of each row
demo_job | sed '/saliency/d; s/name: xception/name: second_net/; s/^metrics:.*/metrics: [energy]/' >c.yaml
expect 0 "$XAUDIT" run c.yaml --output c.h5 --quiet
expect 0 "$XAUDIT" merge a.h5 c.h5 -o two.h5
expect 0 "$XAUDIT" summary two.h5 --latex
grep -v '^%' out >body
[ "$(grep -c '^xception & gradcam' body)" -ge 2 ] || fail "LaTeX does not name the first model"
grep -q '^second\\_net & gradcam' body || fail "LaTeX does not name the second model"
finish
