#!/usr/bin/env python3
"""Localisation scores by the references, on maps of our own, as golden_metric.inc.

    make_metric.py --wsol FOLDER > golden_metric.inc

FOLDER holds evaluation.py and util.py of wsolevaluation (https://github.com/clovaai/wsolevaluation). Also needed: torch, quantus 0.6.0,
scikit-learn, opencv-python 4. Only numbers computed on the maps below are kept.

box_v2, box_v1   best overlap at each of the thresholds int(t * 255) = 0..254, all contours and the largest one
pxap             MaskEvaluator's average precision with 1000 thresholds, of one image, 0..1
auc              sklearn.metrics.roc_auc_score
mass, rank, top  quantus RelevanceMassAccuracy, RelevanceRankAccuracy, TopKIntersection (k = 50); NAN where a tie leaves them to chance
otsu             intersection over union of cv2.threshold(THRESH_OTSU) of uint8(255 * map), with the mask
"""
import argparse
import sys
import types
import warnings

import cv2
import numpy as np

warnings.filterwarnings("ignore")


def reference(folder):
    """wsolevaluation's functions; what they do not need is not imported."""
    class Anything(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})
    for name in ("munch", "data_loaders", "config", "inference"):
        sys.modules[name] = Anything(name)
    sys.path.insert(0, folder)
    np.float = float  # of numpy before 1.24
    np.int = int
    import evaluation
    return evaluation


def maps():
    """name, [h,w] float32 in 0..1, boxes x0 y0 x1 y1 in whole pixels of the map."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:18, 0:24].astype(float)

    def done(v):
        v = np.asarray(v, np.float32)
        return ((v.astype(np.float64) - v.min()) / (float(v.max()) - float(v.min()))).astype(np.float32)
    blob = np.exp(-((x - 8) ** 2 + (y - 9) ** 2) / 20)
    yield "blob", done(blob), [(3, 4, 13, 14)]
    yield "noise", done(rng.random((18, 24))), [(3, 4, 13, 14), (15, 1, 22, 9)]
    yield "two", done(blob + 0.9 * np.exp(-((x - 19) ** 2 + (y - 4) ** 2) / 6)), [(15, 0, 23, 8), (0, 12, 6, 17)]
    ring = np.exp(-(np.hypot(x - 11, y - 8) - 6) ** 2 / 3) + 0.4 * np.exp(-np.hypot(x - 11, y - 8) ** 2)
    yield "ring", done(ring + 0.02 * rng.random(ring.shape)), [(6, 3, 16, 13)]
    yield "rings", done(ring + 0.8 * np.exp(-(np.hypot(x - 11, y - 8) - 2.5) ** 2) + 0.1 * rng.random(ring.shape)), [(8, 5, 14, 11)]
    lines = np.zeros((18, 24))
    lines[3, 2:22] = 1.0
    lines[9:13, 5:9] = 0.8
    lines[12:17, 15:18] = 0.6
    lines[5:16, 20] = 0.9
    yield "lines", done(lines + 0.001 * rng.random(lines.shape)), [(14, 11, 18, 17)]
    coarse = cv2.resize(rng.random((5, 6)).astype(np.float32), (24, 18), interpolation=cv2.INTER_CUBIC)
    yield "coarse", done(coarse), [(2, 2, 12, 10), (10, 8, 23, 17)]
    steps = np.floor(6 * cv2.resize(rng.random((6, 8)).astype(np.float32), (24, 18), interpolation=cv2.INTER_LINEAR))
    yield "steps", done(steps), [(4, 3, 15, 12)]


def box_values(wsol, scoremap, boxes, every):
    thresholds = [(g + 0.5) / 255 for g in range(255)]  # int(t * 255) = g
    predicted, _ = wsol.compute_bboxes_from_scoremaps(scoremap.astype(np.float64), thresholds, multi_contour_eval=every)
    return [wsol.calculate_multiple_iou(p, np.array(boxes)).max() for p in predicted]


def pxap(wsol, scoremap, mask):
    e = wsol.MaskEvaluator.__new__(wsol.MaskEvaluator)
    e.num_bins, e.split = 1000 + 2, ""
    e.threshold_list_right_edge = np.append(np.arange(0, 1, .001), [1.0, 2.0, 3.0])
    e.gt_true_score_hist = np.histogram(scoremap[mask], bins=e.threshold_list_right_edge)[0].astype(float)
    e.gt_false_score_hist = np.histogram(scoremap[~mask], bins=e.threshold_list_right_edge)[0].astype(float)
    sys.stdout, kept = sys.stderr, sys.stdout
    try:
        return wsol.MaskEvaluator.compute(e) / 100
    finally:
        sys.stdout = kept


def quantus_values(scoremap, mask):
    import quantus
    a, s = scoremap[None, None].astype(np.float64), mask[None, None].astype(float)
    x, y = np.zeros_like(a), np.zeros(1, int)

    class Model:
        pass
    out = []
    for metric in (quantus.RelevanceMassAccuracy(abs=False, normalise=False, disable_warnings=True),
                   quantus.RelevanceRankAccuracy(abs=False, normalise=False, disable_warnings=True),
                   quantus.TopKIntersection(k=50, abs=False, normalise=False, disable_warnings=True)):
        k = 50 if "Top" in type(metric).__name__ else int(mask.sum())
        ordered = np.sort(scoremap.ravel())[::-1]
        if ordered[k - 1] == ordered[k] and "Mass" not in type(metric).__name__:
            out.append(float("nan"))  # a tie straddles the k-th place: quantus takes either pixel
            continue
        out.append(float(np.ravel(metric(model=None, x_batch=x, y_batch=y, a_batch=a, s_batch=s, channel_first=True))[0]))
    return out


def row(values, form="{:.17g}"):
    return "{" + ", ".join(form.format(v) for v in values) + "}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wsol", required=True)
    wsol = reference(parser.parse_args().wsol)
    from sklearn.metrics import roc_auc_score
    print("/* Made by make_metric.py: what the references say of these maps. */")
    print("enum { GOLDEN_W = 24, GOLDEN_H = 18, GOLDEN_LEVELS = 255 };")
    print("typedef struct golden_metric {\n    const char *name;\n    float map[GOLDEN_H * GOLDEN_W];\n    int nboxes;\n    double box[2][4];")
    print("    double box_v2[GOLDEN_LEVELS], box_v1[GOLDEN_LEVELS];\n    double pxap, auc, mass, rank, top, otsu;\n} golden_metric;")
    print("static const golden_metric golden[] = {")
    for name, scoremap, boxes in maps():
        mask = np.zeros(scoremap.shape, bool)
        for x0, y0, x1, y1 in boxes:
            mask[y0:y1, x0:x1] = True  # of a half-open box
        _, binary = cv2.threshold((scoremap.astype(np.float64) * 255).astype(np.uint8), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        binary = binary.astype(bool)
        mass, rank, top = quantus_values(scoremap, mask)
        print('    {"' + name + '",')
        print("     {" + ", ".join(float(v).hex() + "f" for v in scoremap.ravel()) + "},")
        print(f"     {len(boxes)}, {{" + ", ".join(row(b, "{}") for b in boxes) + "},")
        for every in (True, False):
            print("     " + row(box_values(wsol, scoremap, boxes, every)) + ",")
        print("     " + ", ".join("NAN" if v != v else f"{v:.17g}" for v in (pxap(wsol, scoremap, mask), roc_auc_score(mask.ravel(), scoremap.ravel()), mass, rank, top,
                                                        (binary & mask).sum() / (binary | mask).sum())) + "},")
    print("};")


if __name__ == "__main__":
    main()
