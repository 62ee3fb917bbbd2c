#!/usr/bin/env python3
"""Hits and pixel counts by wsolevaluation's own evaluators, on maps and boxes of our own, as golden_wsol.inc.

    make_wsol.py --wsol FOLDER > golden_wsol.inc

FOLDER holds wsolevaluation (https://github.com/clovaai/wsolevaluation). Also needed: torch, opencv-python 4.

Maps, sizes and boxes follow from a seed by whole-number arithmetic (class Case here, make_case in test_metric_wsol.c), so that only what the
reference says of them is kept. A map goes the reference's way: to double, cv2.resize INTER_CUBIC, normalize_scoremap, accumulate, at 1000
thresholds. Hits at the grey levels g = int(t * 255) are kept as the levels at which they begin and end; PxAP as the average precision of
each map alone, the histogram's sum over bin * count (to find a pixel in another bin), and the average precision of all maps together.
"""
import argparse
import contextlib
import io
import os
import sys
import tempfile
import types

import cv2
import numpy as np

CASES = 200
SIDES = (224, 64, 96, 57)
KINDS = 8  # of maps


class Random:
    def __init__(self, seed):
        self.state = seed * 2654435761 % 2**32

    def below(self, n):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) % n

    def between(self, low, high):
        return low + self.below(high - low + 1)


class Case:
    """The same draws in the same order as make_case in test_metric_wsol.c."""
    COMMON = ((640, 480), (500, 375), (375, 500), (333, 500), (1024, 768), (448, 448), (224, 224), (672, 672))

    def __init__(self, number):
        r = Random(number + 1)
        self.side = SIDES[number % 4]
        self.width, self.height = self.COMMON[r.below(8)]
        if r.below(3) == 0:
            self.width, self.height = r.between(20, 1500), r.between(20, 1500)
        self.h, self.w = r.between(1, 16), r.between(1, 16)
        if r.below(4) == 0:
            self.h, self.w = 7, 7
        kind = r.below(KINDS)
        v = np.zeros((self.h, self.w), np.int64)
        blobs = [(r.between(0, self.w - 1), r.between(0, self.h - 1), r.between(1, 6), r.between(200, 4000)) for _ in range(3)]
        for y in range(self.h):
            for x in range(self.w):
                for bx, by, slope, top in blobs:
                    v[y, x] += max(0, top - ((x - bx) ** 2 + (y - by) ** 2) * 64 * slope)
                v[y, x] += r.below(64) if kind != 1 else 0
        if kind == 2:
            v -= 1500
        elif kind == 3:
            v[:] = 0
        elif kind == 4:
            v[:] = 777
        elif kind == 5:
            v = v // 500 * 500
        self.map = v.astype(np.float32) / np.float32(1024)
        self.boxes = []
        bx, by, slope, top = max(blobs, key=lambda b: b[3])
        if r.below(5) > 0:  # a box about the brightest blob, at half its height
            reach = 0
            while (reach + 1) ** 2 * 128 * slope <= top:
                reach += 1
            dx, dy = r.below(self.width // 16 + 1), r.below(self.height // 16 + 1)
            self.boxes.append((max(0, (bx - reach) * self.width // self.w - dx), max(0, (by - reach) * self.height // self.h + dy),
                               min(self.width, (bx + reach + 1) * self.width // self.w), min(self.height, (by + reach + 1) * self.height // self.h)))
            if self.boxes[0][3] <= self.boxes[0][1]:
                self.boxes.pop()
        for _ in range(r.between(1 - len(self.boxes), 2)):
            x0, y0 = r.below(self.width - 1), r.below(self.height - 1)
            bw, bh = r.between(1, self.width - x0), r.between(1, self.height - y0)
            tiny = r.below(6)
            if tiny == 0:
                bw = bh = 1
            elif tiny == 1:
                x0 = y0 = 0
                bw = bh = min(self.width, self.height, 4)
            self.boxes.append((x0, y0, x0 + bw, y0 + bh))
        # the mask: a rectangle; what is ignored: another, the map's maximum often in it
        self.mask = self.boxes[0]
        x0, y0 = r.below(self.width - 1), r.below(self.height - 1)
        self.ignore = (x0, y0, r.between(x0 + 1, self.width), r.between(y0 + 1, self.height)) if r.below(3) else None


def reference(folder):
    """wsolevaluation's modules; what they import and never use here is left out."""
    class Anything(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})
    for name in ("munch", "config"):
        sys.modules[name] = Anything(name)
    sys.path.insert(0, folder)
    np.float, np.int = float, int  # of numpy before 1.24
    import evaluation
    import inference
    return evaluation, inference


def scoremap(inference, case):
    cam = case.map.astype(float)
    if (case.map == case.map[0, 0]).all():  # a map of one value: what normalize_scoremap means by a constant one
        return np.zeros((case.side, case.side))
    return inference.normalize_scoremap(cv2.resize(cam, (case.side, case.side), interpolation=cv2.INTER_CUBIC))


def hits(evaluation, case, cam, every):
    evaluation._RESIZE_LENGTH = case.side
    thresholds = list(np.arange(0, 1, .001))
    e = evaluation.BoxEvaluator.__new__(evaluation.BoxEvaluator)
    evaluation.LocalizationEvaluator.__init__(e, None, "CUB", "val", thresholds, [30, 50, 70], "", every)
    e.image_ids, e.resize_length, e.cnt = ["a"], case.side, 0
    e.num_correct = {d: np.zeros(len(thresholds)) for d in e.iou_threshold_list}
    e.image_sizes = {"a": (case.width, case.height)}
    e.gt_bboxes = e._load_resized_boxes({"a": case.boxes})
    e.accumulate(cam, "a")
    out = []
    for d in e.iou_threshold_list:
        bits = np.zeros(257, bool)
        for t, hit in zip(thresholds, e.num_correct[d]):
            bits[int(t * 255)] = hit > 0
        out.append(np.flatnonzero(bits[1:] != bits[:-1]) + 1 if not bits[0] else np.concatenate([[0], np.flatnonzero(bits[1:] != bits[:-1]) + 1]))
    return out


def mask_evaluator(evaluation, side):
    thresholds = list(np.arange(0, 1, .001))
    e = evaluation.MaskEvaluator.__new__(evaluation.MaskEvaluator)
    evaluation.LocalizationEvaluator.__init__(e, None, "OpenImages", "val", thresholds, [], "", False)
    e.num_bins = len(thresholds) + 2
    e.threshold_list_right_edge = np.append(thresholds, [1.0, 2.0, 3.0])
    e.gt_true_score_hist, e.gt_false_score_hist = np.zeros(e.num_bins), np.zeros(e.num_bins)
    return e


def compute(e):
    with np.errstate(invalid="ignore"), contextlib.redirect_stdout(io.StringIO()):
        return e.compute() / 100


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wsol", required=True)
    evaluation, inference = reference(parser.parse_args().wsol)
    os.chdir(tempfile.mkdtemp())
    rows, pxap, whole = [], [], None
    for number in range(CASES):
        case = Case(number)
        cam = scoremap(inference, case)
        rows.append([hits(evaluation, case, cam, every) for every in (True, False)])
        evaluation._RESIZE_LENGTH = case.side
        image = np.zeros((case.height, case.width), np.uint8)
        image[case.mask[1]:case.mask[3], case.mask[0]:case.mask[2]] = 255
        cv2.imwrite("mask.png", image)
        image[:] = 0
        if case.ignore:
            image[case.ignore[1]:case.ignore[3], case.ignore[0]:case.ignore[2]] = 255
        cv2.imwrite("ignore.png", image)
        e = mask_evaluator(evaluation, case.side)
        e.mask_root, e.mask_paths, e.ignore_paths = ".", {"a": ["mask.png"]}, {"a": "ignore.png"}
        e.accumulate(cam, "a")
        bins = np.arange(e.num_bins)
        sums = [int(h.sum()) for h in (e.gt_true_score_hist, e.gt_false_score_hist)] + [int((h * bins).sum()) for h in (e.gt_true_score_hist, e.gt_false_score_hist)]
        pxap.append((compute(e) if sums[0] else float("nan"), sums))
        if sums[0]:
            whole = whole or mask_evaluator(evaluation, case.side)
            whole.gt_true_score_hist += e.gt_true_score_hist
            whole.gt_false_score_hist += e.gt_false_score_hist
    print("/* Made by make_wsol.py: what wsolevaluation says of the maps, boxes and masks of make_case. */")
    print(f"enum {{ WSOL_CASES = {CASES} }};")
    print("/* For every case, all contours and the largest, IoU 0.3, 0.5, 0.7: how many changes, and the grey levels of the changes. */")
    print("static const uint8_t wsol_changes[] = {")
    for case in rows:
        print("    " + ", ".join(", ".join(str(v) for v in [len(change), *change]) for every in case for change in every) + ",")
    print("};")
    print("typedef struct wsol_mask {\n    double pxap;\n    int64_t region, background, region_bins, background_bins;\n} wsol_mask;")
    print("static const wsol_mask wsol_masks[WSOL_CASES] = {")
    for value, sums in pxap:
        print("    {" + ("NAN" if value != value else f"{value:.17g}") + ", " + ", ".join(map(str, sums)) + "},")
    print("};")
    print(f"static const double wsol_pxap_of_all = {compute(whole):.17g};")


if __name__ == "__main__":
    main()
