#!/usr/bin/env bash
# Comparisons with known answers: scores are written into an archive of small images, and every p and every p adjusted by Holm
# is also computed here from its definition.
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 - "$PROJECT" <<'PY' || fail "no images"
import sys, zlib, struct
def png(path, value):
    raw = b"".join(b"\0" + bytes([value, 255 - value, 90]) * 8 for _ in range(8))
    chunk = lambda t, d: struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
with open("manifest.csv", "w") as f:
    f.write("path,id,label,kind,x0,y0,x1,y1,group,clinic\n")
    for i in range(60):
        png(f"{i}.png", i * 4)
        f.write(f"{i}.png,i{i},{i % 2},box,1,1,6,6,{'' if i >= 48 else 'g%d' % (i // 4)},{['north', 'Süd', ''][(i // 4) % 3 if i < 56 else 2]}\n")
PY
cat >job.yaml <<YAML
manifest: manifest.csv
output: a.h5
label_as: index
models:
  - name: m
    file: $PROJECT/tests/golden/keras/k3/compiled.h5
    input: { size: [14, 12], resize: pil-nearest, scale: unit }
    explainers:
      - { kind: saliency, target: label, name: x }
      - { kind: gradient, target: label, name: y }
      - { kind: gradient_x_input, target: label, name: z }
metrics: [energy, pointing_game, roc_auc]
checks: [average_drop]
YAML
expect 0 "$XAUDIT" run job.yaml --quiet
expect 0 "$XAUDIT" summary a.h5 --metric average_drop
said 'average_drop  \(mean; max'
said 'over maps'
not_said 'energy'
cp a.h5 two.h5
expect_python <<'PY'
import h5py, numpy as np
rng = np.random.default_rng(4)
with h5py.File("a.h5", "r+") as f:
    del f["checksums"]  # of what is written over: format 1.0 has none
    f.attrs["format_version"] = np.bytes_("1.0")
    g = f["localisation/m"]
    assert f["eval/sample"].shape == (60,)
    y = rng.uniform(0.2, 0.7, 60)
    x = y + 0.1 + 0.02 * rng.normal(size=60)
    x[:5] = np.nan
    z = y + 0.05 * rng.normal(size=60)
    clinic = f["samples/extra/clinic"].asstr()[:]
    z[clinic == "Süd"] += 0.2
    for name, v in (("x", x), ("y", y), ("z", z)):
        g[name]["energy"][:] = v
        hit = rng.uniform(size=60) < {"x": 0.9, "y": 0.3, "z": 0.35}[name]
        g[name]["pointing_game"][:] = hit
        g[name]["roc_auc"][:] = 0.75  # all ties
PY
expect 0 "$XAUDIT" summary a.h5 --compare
said 'energy: a - b over the same pairs'
said "p .Holm. is adjusted over these 3 comparisons"
said 'not compared: 5 undefined in a alone'
said 'left out, which flatters that one'
said 'all the same +1.0000 +1.0000'
said 'In 3 of them no group differs'
said 'until Holm.s decision at 0.05 is clear'
expect 0 "$XAUDIT" summary a.h5 --compare --csv
cp out compared.csv
expect 0 "$XAUDIT" summary a.h5 --compare --json
cp out compared.json
expect 0 "$XAUDIT" summary a.h5 --compare --csv --metric energy,pointing_game --explainer x --explainer y
cp out some.csv
expect 0 "$XAUDIT" summary a.h5 --between clinic --csv
cp out between.csv
expect 0 "$XAUDIT" summary a.h5 --between clinic --json --metric energy
cp out between.json
expect 0 "$XAUDIT" summary a.h5 --between clinic
said 'm  energy: a - b, parts of the images by clinic'
said 'z +Süd +north +20 +20 '
expect 0 "$XAUDIT" summary a.h5 --between correct
expect_python <<'PY'
import csv, json
import h5py, numpy as np

f = h5py.File("a.h5")
group = f["samples/group"].asstr()[:]
group = np.unique([g or "alone %d" % i for i, g in enumerate(group)], return_inverse=True)[1]
rows = list(csv.DictReader(open("compared.csv")))
assert rows and all(None not in r and None not in r.values() for r in rows)
assert [r["metric"] for r in rows if r["model_a"] != "m" or r["model_b"] != "m"] == []
rng = np.random.default_rng(1)

def holm(p):
    order, out, most = np.argsort(p, kind="stable"), np.empty(len(p)), 0
    for i, k in enumerate(order):
        most = max(most, min(1, (len(p) - i) * p[k]))
        out[k] = most
    return out

for metric in ("energy", "pointing_game", "roc_auc", "average_drop"):
    family = [r for r in rows if r["metric"] == metric]
    assert len(family) == 3 and all(r["comparisons"] == "3" for r in family) and len({r["family"] for r in family}) == 1, family
    for r in family:
        if metric == "average_drop":
            continue
        a, b = (f[f"localisation/m/{r['explainer_' + k]}/{metric}"][:] for k in "ab")
        d = np.nan_to_num(a - b)
        s = np.array([d[group == k].sum() for k in range(group.max() + 1)])
        assert int(r["differing_groups"]) == (s != 0).sum()
        if metric == "energy":  # 24 groups: random ways
            ways = np.abs((rng.integers(0, 2, (20000, len(s))) * 2 - 1) @ s) >= abs(s.sum()) - 1e-9
            assert r["exact"] == "no" and abs(float(r["p"]) - ways.mean()) < 0.012 and int(r["permutations"]) >= 9999, r
            assert float(r["p"]) >= 1 / (1 + int(r["permutations"])) - 1e-12
        else:  # whole sums: all ways, as a polynomial
            ways = np.array([1.0])
            for k in np.abs(s).astype(int):
                ways = np.convolve(ways, np.r_[1, np.zeros(k - 1), 1] / 2) if k else ways
            up = np.arange(len(ways)) * 2 - np.abs(s).sum()
            assert r["exact"] == "yes" and abs(float(r["p"]) - ways[np.abs(up) >= abs(s.sum())].sum()) < 1e-9, r
    family = [r for r in family if r["p"]]  # average_drop of signed maps is not defined
    for r, want in zip(family, holm([float(r["p"]) for r in family])):
        assert abs(float(r["p_holm"]) - want) < 1e-9 and (r["decision"] == "significant") == (want <= 0.05), (r, want)
significant = {(r["metric"], r["explainer_a"], r["explainer_b"]) for r in rows if r["decision"] == "significant"}
assert {("energy", "x", "y"), ("pointing_game", "x", "y"), ("pointing_game", "x", "z")} <= significant, significant
one = next(r for r in rows if r["metric"] == "energy" and r["explainer_a"] == "x")
assert (one["only_a_undefined"], one["only_b_undefined"], one["both_undefined"]) == ("5", "0", "0") and one["n"] == "55"
# CSV and JSON hold the same list; filters do not change the families that p is adjusted for
j = json.load(open("compared.json"))
assert j["alpha"] == 0.05 and [list(c) for c in j["comparisons"]] == [list(r) for r in rows]
assert all(str(c[k]) == r[k] for c, r in zip(j["comparisons"], rows) for k in ("metric", "explainer_b", "n", "decision", "loss"))
some = list(csv.DictReader(open("some.csv")))
assert [(r["metric"], r["explainer_a"], r["explainer_b"], r["comparisons"]) for r in some] == [
    ("energy", "x", "y", "1"), ("pointing_game", "x", "y", "1")], some
# parts of the data set: their means, one that differs and one that does not
clinic, parts = f["samples/extra/clinic"].asstr()[:], list(csv.DictReader(open("between.csv")))
for r in parts:
    if r["metric"] in ("energy", "pointing_game", "roc_auc") and r["baseline"] == "no":
        v = f[f"localisation/m/{r['explainer']}/{r['metric']}"][:]
        for k in "ab":
            assert abs(float(r["value_" + k]) - np.nanmean(v[clinic == r["part_" + k]])) < 1e-8, r
by = {(r["metric"], r["explainer"]): r for r in parts}
assert by["energy", "z"]["decision"] == "significant" and float(by["energy", "z"]["low"]) > 0.05, by["energy", "z"]
assert by["energy", "y"]["decision"] == "not significant" and by["roc_auc", "y"]["p"] == "1"
assert {c["metric"] for c in json.load(open("between.json"))["comparisons"]} == {"energy"}
PY
# results depend on the data only
expect 0 "$XAUDIT" summary a.h5 --compare --csv --seed 1
cmp -s out compared.csv || fail "the same seed gives other numbers"
# pairs of explainers of two models, if requested
sed 's/- name: m/- name: other/' job.yaml >other.yaml
expect 0 "$XAUDIT" run other.yaml --output b.h5 --quiet
expect 0 "$XAUDIT" merge two.h5 b.h5 -o both.h5
expect 0 "$XAUDIT" summary both.h5 --compare --csv --metric energy
[ "$(wc -l <out)" = 7 ] || fail "within a model: 2 x 3 comparisons"
expect 0 "$XAUDIT" summary both.h5 --compare --across --csv --metric energy
[ "$(grep -c ',15,' out)" -ge 15 ] || fail "across models: 15 comparisons in one family"
expect 0 "$XAUDIT" summary both.h5 --compare --csv --metric energy --model other
[ "$(grep -c other/ out)" = 0 ] && [ "$(grep -c '^energy,other' out)" = 3 ] || fail "--model does not choose"
# too few replicates to decide, and too few groups
expect 0 "$XAUDIT" summary a.h5 --between class --permutations 100
said 'warning: [0-9]+ of them are not decided after 10 replicates: more are needed \(--permutations\)'
expect_python <<'PY'
import h5py, numpy as np
with h5py.File("two.h5", "r+") as f:
    del f["checksums"]  # of what is written over: format 1.0 has none
    f.attrs["format_version"] = np.bytes_("1.0")
    v = np.random.default_rng(3).uniform(size=60)
    for k, e in enumerate("xyz"):
        f[f"localisation/m/{e}/energy"][:] = v
        f[f"localisation/m/{e}/energy"][:12] += 0.1 * k  # three groups differ
PY
expect 0 "$XAUDIT" summary two.h5 --compare --metric energy
said '3 of them cannot be significant at 0.05 whatever they show: so few groups differ that p cannot fall below 0.25'
# xaudit says if there is nothing to compare; twelve groups and twelve images without a group are enough
expect 0 "$XAUDIT" summary a.h5 --compare --explainer x
said 'There is nothing to compare: no metric has two explainers of one model'
not_said 'warning'
expect 2 "$XAUDIT" summary a.h5 --between split
said 'no scored image has a value of it; two parts are needed'
# mistakes
expect 2 "$XAUDIT" summary a.h5 --metric energi
said 'no series has this name; there are: .*energy'
expect 2 "$XAUDIT" summary a.h5 --explainer x,
expect 2 "$XAUDIT" summary a.h5 --between nothing
said 'expected class, correct, size, group, split, clinic'
expect 2 "$XAUDIT" summary a.h5 --between clinic --compare
expect 2 "$XAUDIT" summary a.h5 --across
expect 2 "$XAUDIT" summary a.h5 --compare --latex
expect 2 "$XAUDIT" summary a.h5 --permutations 5
expect 0 "$XAUDIT" summary --help
said '--between COLUMN'
finish
