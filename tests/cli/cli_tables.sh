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
# the galleries of the report: each score has its metric and explainer
expect 0 "$XAUDIT" report o.h5 -o o.html
expect_python <<'PY'
import re, h5py, numpy as np
f = h5py.File("o.h5")
ids, pages, seen = [i.decode() for i in f["samples/id"][:]], open("o.html", encoding="utf-8").read(), 0
for table in re.findall(r"<table class=sort>.*?</table>", pages, re.S):
    head = re.findall(r"<th[^>]*>(.*?)</th>", table, re.S)
    for row in re.findall(r"<tr><td>(Möwe_.*?)</tr>", table, re.S):
        cells = ["Möwe_" + row[5:].split("</td>")[0]] + re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
        assert len(cells) == len(head), (len(cells), len(head))
        q = list(f["eval/sample"][:]).index(ids.index(cells[0]))
        for h, c in zip(head, cells):
            if "<br>" not in h:
                continue
            metric, explainer = re.sub(r"</?button>", "", h).split("<br>")
            stored = f[f"localisation/xception/{explainer}/{metric}"][q]
            assert c == ("-" if np.isnan(stored) else f"{stored:.3f}"), (metric, explainer, c, stored)
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
