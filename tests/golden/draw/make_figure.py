#!/usr/bin/env python3
"""Colour tables and overlays by the libraries themselves.

    make_figure.py tables  > src/draw/colormap_tables.inc        matplotlib's colour maps, 8 bit
    make_figure.py overlay > tests/golden/draw/golden_overlay.inc   keras.io's display_gradcam on an image and a map of our own
    make_figure.py shown > tests/golden/draw/golden_shown.inc    a map smoothed by scipy, its percentiles by numpy, its contours by
                                                                 contourpy, and colours by matplotlib

Needs matplotlib, pillow, numpy, for `overlay` keras (keras.utils), for `shown` scipy.
"""
import sys

import numpy as np


def tables():
    import matplotlib
    print(f"/* Made by tests/golden/draw/make_figure.py: matplotlib {matplotlib.__version__}'s tables, 8 bit. */")
    for name in ("viridis", "inferno", "cividis", "turbo", "jet"):
        colours = (matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).round().astype(int)
        print(f"static const uint8_t {name}[256][3] = {{")
        for at in range(0, 256, 8):
            print("    " + ", ".join("{%d, %d, %d}" % tuple(c) for c in colours[at:at + 8]) + ",")
        print("};")


def display_gradcam(img, heatmap, alpha=0.4):
    """As in keras.io's example, from the image as array on."""
    import matplotlib as mpl
    import keras
    heatmap = np.uint8(255 * heatmap)
    jet = mpl.colormaps["jet"]
    jet_colors = jet(np.arange(256))[:, :3]
    jet_heatmap = jet_colors[heatmap]
    jet_heatmap = keras.utils.array_to_img(jet_heatmap)
    jet_heatmap = jet_heatmap.resize((img.shape[1], img.shape[0]))
    jet_heatmap = keras.utils.img_to_array(jet_heatmap)
    superimposed_img = jet_heatmap * alpha + img
    return np.asarray(keras.utils.array_to_img(superimposed_img))


def overlay():
    rng = np.random.default_rng(3)
    print("/* Made by tests/golden/draw/make_figure.py. */\n#include <stdint.h>")
    for k, (height, width, h, w) in enumerate(((30, 44, 4, 5), (17, 16, 16, 16), (40, 24, 7, 7))):
        y, x = np.mgrid[0:height, 0:width]
        image = np.stack([(x * 5 + y * 3) % 256, (y * 7) % 256, rng.integers(0, 256, (height, width))], -1).astype(np.uint8)
        heatmap = np.maximum(rng.normal(0.2, 0.5, (h, w)), 0).astype(np.float32)
        heatmap /= heatmap.max()
        result = display_gradcam(image.astype(np.float32), heatmap)
        print(f"enum {{ H{k} = {height}, W{k} = {width}, h{k} = {h}, w{k} = {w} }};")
        print(f"static const uint8_t image{k}[] = {{" + ",".join(map(str, image.ravel())) + "};")
        print(f"static const float map{k}[] = {{" + ",".join(float(v).hex() + "f" for v in heatmap.ravel()) + "};")
        print(f"static const uint8_t overlay{k}[] = {{" + ",".join(map(str, result.ravel())) + "};")


def floats(name, values):
    print(f"static const float {name}[] = {{" + ",".join(float(np.float32(v)).hex() + "f" for v in np.ravel(values)) + "};")


def doubles(name, values):
    print(f"static const double {name}[] = {{" + ",".join(float(v).hex() for v in np.ravel(values)) + "};")


def shown():
    import contourpy
    import matplotlib
    import scipy.ndimage
    from matplotlib.colors import LinearSegmentedColormap
    rng = np.random.default_rng(5)
    h, w = 13, 17
    field = scipy.ndimage.gaussian_filter(rng.normal(0, 1, (h, w)), 1.1).astype(np.float32)
    print("/* Made by tests/golden/draw/make_figure.py. */\n#include <stdint.h>")
    print(f"enum {{ FH = {h}, FW = {w} }};")
    floats("field", field)
    # radius round(3 * 1.3) = 4; mirror: reflected at the edge's centre
    floats("smoothed", scipy.ndimage.gaussian_filter(field.astype(float), 1.3, mode="mirror", truncate=3.0))
    doubles("percentiles", np.percentile(np.abs(field.astype(float)), [0, 50, 99.5, 100]))
    v = np.sort(np.clip(field.astype(float), 0, None).ravel())[::-1]
    doubles("half", [v[np.searchsorted(np.cumsum(v), 0.5 * v.sum())]])
    # lines at 0.1 in a frame of 100 x 80, those alone that are worth drawing
    fw, fh, level = 100.0, 80.0, 0.1
    gx, gy = (np.arange(w) + 0.5) * fw / w, (np.arange(h) + 0.5) * fh / h
    kept = []
    for line in contourpy.contour_generator(gx, gy, field.astype(float), corner_mask=False).lines(level):
        x, y = line.T
        if np.allclose(line[0], line[-1]):
            worth = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2 >= 0.01 * fw * fh
        else:
            worth = max(np.ptp(x) / fw, np.ptp(y) / fh) >= 0.11
        if worth:
            kept.append((np.hypot(*np.diff(line, axis=0).T).sum(), len(line)))
    kept.sort()
    doubles("lengths", [k[0] for k in kept])
    print("static const int points[] = {" + ",".join(str(k[1]) for k in kept) + "};")
    stops = ["#00c2ff", "#1f77d0", "#6fa8dc", "#f2a65a", "#e8590c", "#ffd21f"]
    both = (LinearSegmentedColormap.from_list("", stops)(np.arange(256))[:, :3] * 255).round().astype(int)
    print("static const uint8_t diverging[256][3] = {" + ",".join("{%d,%d,%d}" % tuple(c) for c in both) + "};")


if __name__ == "__main__":
    {"tables": tables, "overlay": overlay, "shown": shown}[sys.argv[1]]()
