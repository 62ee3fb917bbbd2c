"""Golden values of tests/stats/test_significance.c: p values and intervals by SciPy and statsmodels.

    python make_significance.py    (writes golden_significance.h beside itself)
"""
import pathlib
import sys

import numpy as np
import scipy
import statsmodels
from scipy.stats import binomtest, bootstrap, norm, permutation_test, t as student
from sklearn.metrics import average_precision_score
from statsmodels.stats.proportion import confint_proportions_2indep


def array(kind, name, values):
    values = np.asarray(values).ravel()
    words = [repr(float(v)) if np.isfinite(v) else "NAN" for v in values] if kind == "double" else [str(int(v)) for v in values]
    print("static const %s %s[] = {%s};" % (kind, name, ", ".join(words)))


def number(name, value):
    print("static const double %s = %r;" % (name, float(value)))


def flip(sums, resamples=np.inf, seed=1):
    """Two-sided p of the mean of `sums` when signs are turned."""
    return permutation_test((np.asarray(sums),), lambda x, axis: np.abs(np.mean(x, axis=axis)), permutation_type="samples",
                            alternative="greater", n_resamples=resamples, vectorized=True,
                            rng=np.random.default_rng(seed)).pvalue


def by_group(group, values):
    return np.array([values[group == g].sum() for g in np.unique(group)])


rng = np.random.default_rng(20260715)
sys.stdout = open(pathlib.Path(__file__).parent / "golden_significance.h", "w")
print("/* Made by make_significance.py: SciPy %s, statsmodels %s. */" % (scipy.__version__, statsmodels.__version__))
print("/* clang-format off */\n#include <math.h>\n#include <stdint.h>")

# level, groups, t, tail of the expanded percentile interval
rows = []
for level in (0.9, 0.95, 0.99):
    for g in (2, 3, 5, 6, 10, 11, 20, 51, 200, 2001, 5000, 100000):
        q = student.ppf(0.5 + level / 2, g - 1)
        rows.append([level, g, q, norm.cdf(-np.sqrt(g / (g - 1)) * q)])
array("double", "golden_student", rows)

# paired, by groups, all ways counted: micro, macro
n = 40
group, klass = rng.integers(0, 11, n), rng.integers(0, 3, n)
a, b = rng.uniform(size=n), rng.uniform(size=n) - 0.12
a[5] = np.nan
d = a - b
ok = np.isfinite(d)
array("double", "golden_flip_a", a)
array("double", "golden_flip_b", b)
array("int64_t", "golden_flip_group", group)
array("int64_t", "golden_flip_class", klass)
number("golden_flip_p", flip(by_group(group[ok], d[ok])))
macro = np.array([d[i] / (ok & (klass == klass[i])).sum() if ok[i] else 0 for i in range(n)])
number("golden_flip_macro_p", flip(by_group(group[ok], macro[ok])))
# each unit for itself, random ways
number("golden_flip_random_p", flip(d[ok], 400000))
# rates: whole sums, few groups (all ways), many (the sign test)
hit_a, hit_b = rng.integers(0, 2, n), rng.integers(0, 2, n)
hit_a[:14] = 1
array("double", "golden_rate_a", hit_a)
array("double", "golden_rate_b", hit_b)
number("golden_rate_p", flip(by_group(group, (hit_a - hit_b).astype(float))))
number("golden_sign_108_0", binomtest(108, 108).pvalue)
number("golden_sign_61_39", binomtest(61, 100).pvalue)

# intervals: expanded percentile of SciPy's own bootstrap; groups of unequal size by their sums
sums, sizes = by_group(group, np.nan_to_num(a)), by_group(group, np.ones(n))
for name, data, statistic, g in (
        ("golden_mean_interval", (b,), lambda x, axis: np.mean(x, axis=axis), n),
        ("golden_group_interval", (by_group(group, b), sizes), lambda s, k, axis: s.sum(axis=axis) / k.sum(axis=axis), 11)):
    tail = norm.cdf(-np.sqrt(g / (g - 1)) * student.ppf(0.975, g - 1))
    r = bootstrap(data, statistic, n_resamples=400000, confidence_level=1 - 2 * tail, method="percentile", paired=True,
                  vectorized=True, batch=10000, rng=np.random.default_rng(3))
    array("double", name, r.confidence_interval)

# two parts: over indices, so that groups move as wholes
def studentised(s, k, side):
    """side [.., clusters]: true in the first part"""
    m = [(s * w).sum(-1) / (k * w).sum(-1) for w in (side, ~side)]
    var = sum((((s - m[j][..., None] * k) * w) ** 2).sum(-1) / (k * w).sum(-1) ** 2 for j, w in enumerate((side, ~side)))
    return np.abs(m[0] - m[1]) / np.sqrt(var)


def between(s, k, first, resamples=np.inf):
    index = np.arange(len(s))
    def statistic(x, y, axis):
        side = np.zeros(x.shape[:-1] + (len(s),), bool)
        np.put_along_axis(side, x.astype(int), True, -1)
        return studentised(s, k, side)
    return permutation_test((index[first], index[~first]), statistic, permutation_type="independent", alternative="greater",
                            n_resamples=resamples, vectorized=True, rng=np.random.default_rng(2)).pvalue


part = (group >= 6).astype(int)  # whole groups
array("int64_t", "golden_part", part)
first = np.array([part[group == g][0] == 0 for g in np.unique(group)])
number("golden_between_p", between(by_group(group, b), by_group(group, np.ones(n)), first))
alone = rng.integers(0, 2, n)
array("int64_t", "golden_alone", alone)
number("golden_between_random_p", between(b, np.ones(n), alone == 0, 400000))
hits = [(hit_a[alone == s].sum(), (alone == s).sum()) for s in (0, 1)]
array("double", "golden_newcombe", confint_proportions_2indep(*hits[0], *hits[1], method="newcomb", compare="diff"))

# figures over thresholds: hits of 9 units at 2 levels, pixels of 7
bits = rng.uniform(size=(2, 9, 2, 256)) < np.array([.55, .5])[:, None, None, None]
array("uint8_t", "golden_boxes_a", np.packbits(bits[0], axis=-1, bitorder="little"))
array("uint8_t", "golden_boxes_b", np.packbits(bits[1], axis=-1, bitorder="little"))
pixels = 60
level = (256 * rng.uniform(size=(2, 7, pixels)) ** np.array([1, 1.2])[:, None, None]).astype(int)
truth = rng.uniform(size=(7, pixels)) < .3 + .4 * (level[0] / 256 > .5)
array("uint8_t", "golden_pixels_a", level[0])
array("uint8_t", "golden_pixels_b", level[1])
array("uint8_t", "golden_pixels_truth", truth)


def swap(figure, n):
    """Two-sided p of figure(first) - figure(second), [units] saying of which side each is taken."""
    def statistic(x, y):
        return abs(figure(x // n, x % n) - figure(y // n, y % n))
    return permutation_test((np.arange(n), np.arange(n) + n), statistic, permutation_type="samples", alternative="greater",
                            n_resamples=np.inf, vectorized=False).pvalue


# box accuracy: hits at each side's own best threshold of each level, kept by all ways
best = bits.mean(1).argmax(-1)
hits_there = np.array([[bits[s, :, d, best[s, d]] for d in range(2)] for s in range(2)]).sum(1)
number("golden_boxes_p", flip((hits_there[0] - hits_there[1]).astype(float)))
number("golden_boxes_groups", (hits_there[0] != hits_there[1]).sum())
number("golden_pixels_p", swap(lambda s, u: average_precision_score(truth[u].ravel(), level[s, u].ravel()), 7))
print("/* clang-format on */")
