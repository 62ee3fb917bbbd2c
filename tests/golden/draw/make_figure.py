#!/usr/bin/env python3
"""Colour tables and overlays by the libraries themselves.

    make_figure.py tables  > src/draw/colormap_tables.inc        matplotlib's colour maps, 8 bit
    make_figure.py overlay > tests/golden/draw/golden_overlay.inc   keras.io's display_gradcam on an image and a map of our own

Needs matplotlib, pillow, numpy, and for `overlay` keras (keras.utils).
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


if __name__ == "__main__":
    {"tables": tables, "overlay": overlay}[sys.argv[1]]()
