#!/usr/bin/env bash
# xaudit cluster: clusters of maps beside their source, the same bytes for any number of ranks; of an evaluation; what is refused.
# That a planted group is found: tests/cluster.
. "$(dirname "$0")/lib.sh"

demo_manifest 20 >manifest.csv
demo_job 64 >job.yaml
expect 0 "$XAUDIT" run job.yaml --quiet
cp out.h5 before.h5

expect 0 "$XAUDIT" cluster out.h5 --over all
said '^xception, saliency.predicted$'
said 'all classes: 20 maps in 2 clusters \(3 neighbours; eigengap [0-9.]+, between [0-9.]+ and [0-9.]+\)'
said 'out.eval.h5 holds them'
cmp out.h5 before.h5 || fail "the source was touched"
[ ! -e out.eval.h5.part ] || fail "out.eval.h5.part is left"
expect 0 "$XAUDIT" verify out.eval.h5
expect 0 "$XAUDIT" summary out.eval.h5
digest out.h5 | awk '{print $1, $NF}' | sort >a.txt
digest out.eval.h5 | awk '{print $1, $NF}' | sort >e.txt
comm -23 a.txt e.txt >lost.txt
[ ! -s lost.txt ] || fail "not in the archive of clusters: $(head -3 lost.txt)"
expect 0 ranks 3 "$XAUDIT" cluster out.h5 --over all --as three.h5 --quiet
digest three.h5 | awk '{print $1, $NF}' | sort >t.txt
cmp e.txt t.txt || fail "clusters depend on the number of ranks"

expect_python <<'PY'
import h5py, numpy as np
f = h5py.File("out.eval.h5", "r")
for name, g in f["clusters/xception"].items():
    rows = f["maps/xception"][name]["sample"].shape[0]
    done = g["status"][:] == 1
    zero = f["maps/xception"][name]["flags"][:] & 1 == 1
    assert done.shape == (rows,) and ((g["status"][:] == 3) == ~done).all()
    assert (done | zero).all() and done.sum() >= 16
    assert (g["group"][:] == np.where(done, 0, -1)).all() and g["class"][:].tolist() == [-1]
    number = g["cluster"][:]
    assert ((number >= 0) == done).all()
    rows = int(done.sum())
    number = number[done]
    assert sorted(set(number)) == list(range(g["count"][0]))
    sizes = np.bincount(number)
    assert (np.diff(sizes) <= 0).all(), sizes
    value = g["eigenvalue"][0][:rows]
    assert abs(value[0]) < 1e-9 and (np.diff(value) >= 0).all() and value[-1] <= 2
    e = g["embedding"][:][done][:, :rows]
    assert abs(np.linalg.norm(e, axis=0) - 1).max() < 1e-5
    # the mean of what was compared, from the maps themselves
    scale = f["maps/xception"][name]["scale"][:][done]
    v = f["maps/xception"][name]["values"][:][done].astype(float) * scale[:, None, None, None]
    a = abs(v.sum(1))
    h, w = g["mean"].shape[2:]
    if a.shape[1] % h == 0 and a.shape[2] % w == 0:
        a = a.reshape(rows, h, a.shape[1] // h, w, a.shape[2] // w).sum((2, 4))
        a /= a.sum((1, 2), keepdims=True)
        for k in range(len(sizes)):
            assert abs(a[number == k].mean(0) - g["mean"][0, k]).max() < 1e-6
PY

expect 0 "$XAUDIT" figure out.eval.h5 --plot clusters -o clusters.svg
for text in 'cluster 0' 'all classes' '% wrong'; do
  grep -q "$text" clusters.svg || fail "the chart of clusters does not say $text"
done
expect 2 "$XAUDIT" figure out.h5 --plot clusters -o none.svg
said 'no clusters of the maps of xception: .xaudit cluster. makes them'

# class by class: this small audit has too few maps of each, and says so
expect 0 "$XAUDIT" cluster out.h5 --as class.h5 --explainer saliency.predicted
said '20 maps are in no cluster, since their class has fewer than 16'
not_said 'gradcam'
expect 0 "$XAUDIT" cluster out.h5 --as some.h5 --over all --maps 16
said '4 maps were not sampled'

# clusters beside the scores of an evaluation
expect 0 "$XAUDIT" evaluate out.h5 --as scores.h5 --metrics '[energy]' --quiet
expect 0 "$XAUDIT" cluster scores.h5 --as both.h5 --over all
said 'on the object 0\.[0-9]+'
expect 0 "$XAUDIT" verify both.h5

expect 2 "$XAUDIT" cluster out.h5
said 'out.eval.h5 exists already: --fresh renames it, --as names another file'
expect 0 "$XAUDIT" cluster out.h5 --over all --fresh --quiet
expect 2 "$XAUDIT" cluster out.h5 --as no.h5 --explainer lime
said 'has no explainer lime'
expect 2 "$XAUDIT" cluster missing.h5
expect 2 "$XAUDIT" cluster out.h5 --as no.h5 --least 5 --most 3
said 'least 5 is more than --most 3'
[ ! -e no.h5 ] || fail "a refused command wrote"
finish
