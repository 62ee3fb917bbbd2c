#!/usr/bin/env bash
# numerics strict and fast: each gives the same bytes for any number of ranks; fast differs from strict by rounding only, in the
# scores, the maps and their metrics. An archive has one of the two.
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
said 'numerics: expected strict or fast; found quick'
expect 0 "$XAUDIT" info fast.h5 --methods
said "Winograd's minimal filtering .1."
expect 0 "$XAUDIT" info strict.h5 --methods
not_said Winograd
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
PY
finish
