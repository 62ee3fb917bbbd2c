"""Golden values of tests/stats from statsmodels, SciPy and scikit-learn.

    python make_stats.py    (writes golden_stats.h and golden_curve.h beside itself)

Only small inputs: they are written beside their results.
"""
import pathlib
import sys

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint


def text(values):
    return ", ".join(repr(float(v)) for v in values)


def array(kind, name, values):
    if kind != "double":
        return "static const %s %s[] = {%s};" % (kind, name, ", ".join(str(int(v)) for v in values))
    return "static const double %s[] = {%s};" % (name, text(values))


def begin(name):
    sys.stdout = open(pathlib.Path(__file__).parent / name, "w")
    print("/* Made by make_stats.py: statsmodels %s, SciPy %s, scikit-learn %s. */" % (
        statsmodels.__version__, scipy.__version__, sklearn.__version__))
    print("/* clang-format off */")
    print("#include <stdint.h>")


rng = np.random.default_rng(20260131)
begin("golden_stats.h")

print("static const double golden_wilson[][5] = { /* hits, n, level, low, high */")
for hits, n, level in [(0, 10, .95), (10, 10, .95), (3, 10, .95), (1, 1, .95), (19, 20, .95), (950, 1000, .95),
                       (0, 7, .99), (7, 7, .9), (123, 456, .999), (1, 3, .5)]:
    low, high = proportion_confint(hits, n, alpha=1 - level, method="wilson")
    print("    {%s}," % text([hits, n, level, low, high]))
print("};")

for i, p in enumerate([[.01, .04, .03, .005], [.5, .6, .9], [.02, .02, .02, .9, 1e-5],
                       rng.uniform(size=12) ** 3]):
    print(array("double", "golden_holm_p%d" % i, p))
    print(array("double", "golden_holm_a%d" % i, multipletests(p, method="holm")[1]))

smooth = rng.normal(size=25)
ties = rng.integers(0, 4, size=30)
for i, (x, y) in enumerate([(smooth, smooth + rng.normal(size=25)), (ties, ties + rng.integers(0, 3, size=30)),
                            (np.maximum(rng.normal(size=49), 0), np.maximum(rng.normal(size=49), 0)),
                            (np.arange(5), -np.arange(5) ** 3)]):
    print(array("double", "golden_spearman_x%d" % i, x))
    print(array("double", "golden_spearman_y%d" % i, y))
    print("static const double golden_spearman_r%d = %r;" % (i, float(spearmanr(x, y).statistic)))

print("/* clang-format on */")
begin("golden_curve.h")
# Pixels of pooled maps: their grey level, whether they are foreground.
for i, shape in enumerate([(2.0, 1.0), (1.0, 1.0)]):
    truth = rng.uniform(size=200) < .3
    level = np.floor(256 * np.where(truth, rng.beta(*shape, size=200), rng.beta(1, 2, size=200))).astype(int)
    print(array("uint8_t", "golden_ap_level%d" % i, level))
    print(array("uint8_t", "golden_ap_truth%d" % i, truth))
    print("static const double golden_ap_value%d = %r;" % (i, float(average_precision_score(truth, level))))
print("/* clang-format on */")
