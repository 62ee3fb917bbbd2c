"""Makes golden.h: 48 points, and what scikit-learn makes of them.

pip install scikit-learn==1.7.2; python make.py >golden.h
"""
import numpy as np
import sklearn
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import SpectralClustering
from sklearn.neighbors import kneighbors_graph

N, D, K, V = 48, 6, 6, 6
rng = np.random.default_rng(3)
centre = np.repeat(np.eye(D)[[0, 2, 4]] * 1.1, [20, 16, 12], axis=0)
x = (centre + rng.normal(0, 0.33, (N, D)))[rng.permutation(N)].astype(np.float32)
a = kneighbors_graph(x, K, include_self=False).toarray()
w = (a + a.T) / 2
value, vector = np.linalg.eigh(laplacian(w, normed=True))
assert np.diff(value[: V + 1]).min() > 1e-4, value  # each vector is its own
label = SpectralClustering(3, affinity="precomputed", random_state=0, n_init=20).fit_predict(w)


def rows(name, kind, values, text):
    print(f"static const {kind} {name} = {{")
    for row in values:
        print("    " + ("{%s}," if np.ndim(row) else "%s,") % (", ".join(map(text, row)) if np.ndim(row) else text(row)))
    print("};")


print(f"/* Made by make.py with scikit-learn {sklearn.__version__}. */")
print("/* clang-format off */")
print(f"enum {{ XA_GOLDEN_N = {N}, XA_GOLDEN_D = {D}, XA_GOLDEN_K = {K}, XA_GOLDEN_V = {V} }};")
print("static const float golden_x[] = {")
for row in x:
    print("    " + " ".join(f"{v:.9g}f," if "." in f"{v:.9g}" else f"{v:.9g}.0f," for v in row))
print("};")
rows(f"golden_near[{N}][{N // 8}]", "unsigned char", np.packbits(a.astype(bool), axis=1, bitorder="little"), str)
rows("golden_value[]", "double", value[:V], lambda v: f"{v:.17g}")
rows(f"golden_vector[{V}][{N}]", "double", vector[:, :V].T, lambda v: f"{v:.7g}")
print("static const int golden_label[] = {" + ", ".join(map(str, label)) + "};")
