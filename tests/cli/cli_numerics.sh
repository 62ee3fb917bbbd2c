#!/usr/bin/env bash
# numerics strict, fast, bf16-gradient and bf16: each gives the same bytes for any number of ranks (and bf16 for any batch);
# fast differs from strict by rounding only, bf16-gradient has its scores, bf16 differs within the bounds of bfloat16. An archive
# has one of them.
. "$(dirname "$0")/lib.sh"
demo_manifest 12 >manifest.csv
demo_job | sed 's/^metrics:.*/metrics: [pointing_game, energy, roc_auc]/' >job.yaml
echo "numerics: fast" | cat job.yaml - >fast.yaml
expect 0 "$XAUDIT" run job.yaml --output strict.h5 --quiet
expect 0 "$XAUDIT" run fast.yaml --output fast.h5 --quiet
expect 0 ranks 2 "$XAUDIT" run fast.yaml --output fast2.h5 --quiet
digest fast.h5 | cmp - <(digest fast2.h5) || fail "fast numerics depend on the number of ranks"
expect 2 "$XAUDIT" run fast.yaml --output strict.h5 --quiet
said "numerics: archive '4, strict', job '4, fast'"
expect 2 "$XAUDIT" check job.yaml --set numerics=quick
said 'numerics: expected one of strict, fast, bf16-gradient, bf16; found quick'
expect 0 "$XAUDIT" info fast.h5 --methods
said "Winograd's minimal filtering .1."
expect 0 "$XAUDIT" info strict.h5 --methods
not_said Winograd
not_said bfloat16
for n in bf16-gradient bf16; do
  expect 0 "$XAUDIT" run job.yaml --set numerics=$n --output $n.h5 --quiet
  expect 0 ranks 2 "$XAUDIT" run job.yaml --set numerics=$n --output $n-2.h5 --quiet
  digest $n.h5 | cmp - <(digest $n-2.h5) || fail "numerics $n depend on the number of ranks"
  expect 0 "$XAUDIT" info $n.h5 --methods
  said 'rounded to bfloat16'
done
expect 0 "$XAUDIT" check job.yaml --set numerics=bf16
said 'numerics bf16 round the values that its ReLUs decide by: maps of "saliency.predicted"'
expect 0 "$XAUDIT" check job.yaml --set numerics=bf16-gradient
not_said 'ReLUs decide'
expect 0 "$XAUDIT" check job.yaml --numerics 6
said 'strict: [0-9.]* s an image, 1.00 times as fast as strict'
said 'bf16-gradient: .* s an image'
said 'scores differ by at most 0 of the largest, 0 of 6 predictions flipped'
said 'saliency.predicted: rank correlation of maps 0.9'
said 'energy: [+-]0.0'
said 'recommended: numerics: '
expect 2 "$XAUDIT" run job.yaml --set numerics=bf16 --output strict.h5 --quiet
said "numerics: archive '4, strict', job '4, bf16/pair'"
expect_python <<'PY'
import h5py, numpy as np
a, b = h5py.File("strict.h5"), h5py.File("fast.h5")
def pair(name):
    x, y = (f[name][:].astype(float) for f in (a, b))
    assert (np.isnan(x) == np.isnan(y)).all(), name
    return x, y
x, y = pair("models/xception/logits")
assert 0 < np.abs(x - y).max() < 1e-5 * np.abs(x).max(), "logits"
assert (a["models/xception/predicted"][:] == b["models/xception/predicted"][:]).all()
x, y = pair("maps/xception/gradcam.label.prob/values")
assert 0 < np.abs(x - y).max() < 1e-4 * np.abs(x).max(), "Grad-CAM"
# an activation next to its threshold may flip, and with it single pixels of a gradient
x, y = pair("maps/xception/saliency.predicted/values")
assert 0 < np.abs(x - y).mean() < 5e-3 * np.abs(x).mean(), "saliency"
for e in ("saliency.predicted", "gradcam.label.prob"):
    for k in ("energy", "roc_auc"):
        x, y = pair(f"localisation/xception/{e}/{k}")
        assert np.nanmax(np.abs(x - y)) < 2e-3, (e, k)
def compare(name, low, high):
    x, y = pair(name)
    d = np.abs(x - y)[~np.isnan(x)]
    assert low <= d.max() and d.max() <= high * np.nanmax(np.abs(x)), (name, d.max(), np.nanmax(np.abs(x)))
b = h5py.File("bf16-gradient.h5")
assert (a["models/xception/logits"][:] == b["models/xception/logits"][:]).all(), "bf16-gradient has the logits of strict"
compare("maps/xception/gradcam.label.prob/values", 0, 2e-2) # its gradient passes one row a sample alone
x, y = pair("maps/xception/saliency.predicted/values")
assert 0 < np.sqrt(((x - y) ** 2).sum() / (x ** 2).sum()) < 0.05, "saliency"
b = h5py.File("bf16.h5")
compare("models/xception/logits", 1e-9, 5e-2)
compare("maps/xception/gradcam.label.prob/values", 1e-9, 0.1)
x, y = pair("maps/xception/saliency.predicted/values")
x, y = x.ravel(), y.ravel()
assert np.corrcoef(x[~np.isnan(x)], y[~np.isnan(y)])[0, 1] > 0.8, "saliency"
PY
finish
