#!/usr/bin/env python3
"""Golden masks of the COCO mask API (pycocotools, numpy).

    python3 make_coco.py        # writes coco_polygons.txt, coco_runs.txt, coco/coco.json, coco/masks.txt beside this file

coco_polygons.txt: per case "height width npoints x y ... : rle", where rle are the API's uncompressed
run lengths. coco_runs.txt: "height width counts : runs". coco/coco.json with coco/masks.txt: an instances
file with both kinds of run lengths, crowds and polygons, and the mask of every (image, category,
crowd) as run lengths.
"""
import json
import os
import random

import numpy
from pycocotools import mask as api

HERE = os.path.dirname(os.path.abspath(__file__))


def runs(binary):
    flat = numpy.asarray(binary, numpy.uint8).flatten(order="F")
    out, value, n = [], 0, 0
    for v in flat:
        if v != value:
            out.append(n)
            value, n = v, 0
        n += 1
    return out + [n]


def raster(polygon, h, w):
    return api.decode(api.frPyObjects([polygon], h, w))[:, :, 0]


def polygons(r):
    sizes = [(1, 1), (1, 9), (9, 1), (7, 5), (16, 16), (33, 20), (48, 64)]
    for k in range(260):
        h, w = sizes[k % len(sizes)]
        n = r.choice([3, 3, 4, 5, 8, 20])
        kind = k % 6
        if kind == 0:  # inside, two decimals as in COCO
            p = [(round(r.uniform(0, w), 2), round(r.uniform(0, h), 2)) for _ in range(n)]
        elif kind == 1:  # far over the edges
            p = [(round(r.uniform(-2 * w, 3 * w), 2), round(r.uniform(-2 * h, 3 * h), 2)) for _ in range(n)]
        elif kind == 2:  # whole and half coordinates: ties
            p = [(r.randint(-1, 2 * w + 1) / 2, r.randint(-1, 2 * h + 1) / 2) for _ in range(n)]
        elif kind == 3:  # repeated points, closed as some tools do
            p = [(round(r.uniform(0, w), 1), round(r.uniform(0, h), 1)) for _ in range(n)]
            p = [q for q in p for _ in range(2)] + p[:1]
        elif kind == 4:  # thin
            x, y = r.uniform(0, w), r.uniform(0, h)
            p = [(x, y), (x + r.uniform(0, 1), y), (x + r.uniform(0, 40), y + r.uniform(0, 40))]
        else:  # fine steps
            p = [(r.uniform(-0.3, w + 0.3), r.uniform(-0.3, h + 0.3)) for _ in range(n)]
        yield h, w, [float(c) for q in p for c in q]


def main():
    r = random.Random(2026)
    with open(os.path.join(HERE, "coco_polygons.txt"), "w") as f:
        for h, w, p in polygons(r):
            rle = runs(raster(p, h, w))
            f.write("%d %d %d %s : %s\n" % (h, w, len(p) // 2, " ".join(map(repr, p)), " ".join(map(str, rle))))
    with open(os.path.join(HERE, "coco_runs.txt"), "w") as f:
        for k in range(60):
            h, w = r.randint(1, 40), r.randint(1, 40)
            share = r.choice([0.0, 0.02, 0.5, 0.98, 1.0])
            m = numpy.array([[r.random() < share for _ in range(w)] for _ in range(h)], numpy.uint8)
            if k % 3 == 0:
                m[:] = 0
                m[h // 4 : h // 2 + 1, w // 3 : w // 2 + 1] = 1
            counts = api.encode(numpy.asfortranarray(m))["counts"].decode()
            f.write("%d %d %s : %s\n" % (h, w, counts, " ".join(map(str, runs(m)))))

    images = [{"id": 9, "file_name": "b.jpg", "width": 20, "height": 12},
              {"id": 3, "file_name": "sub/a.jpg", "width": 16, "height": 16}]
    size = {9: (12, 20), 3: (16, 16)}
    categories = [{"id": 7, "name": "cat"}, {"id": 2, "name": "traffic light"}]
    annotations = []

    def add(image, category, box, segmentation, crowd=0):
        annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": category,
                            "bbox": box, "segmentation": segmentation, "iscrowd": crowd, "area": 1.0})

    blob = numpy.zeros((12, 20), numpy.uint8)
    blob[2:5, 3:9] = 1
    blob[4:11, 8:10] = 1
    add(9, 7, [1.5, 2, 8.25, 7], [[1.5, 2.0, 9.75, 2.0, 9.75, 9.0, 1.5, 9.0]])
    add(3, 2, [0, 0, 5, 5], [[0, 0, 5, 0, 2.5, 5.2], [10, 10, 15.5, 10.25, 15, 15]])
    add(9, 7, [10, 1, 15, 20], [[10, 1, 25, 1, 25, 21, 10.3, 20.1]])  # over the edge
    add(9, 2, [3, 2, 7, 9], {"size": [12, 20], "counts": runs(blob)}, 1)
    add(9, 2, [3, 2, 7, 9], {"size": [12, 20],
                            "counts": api.encode(numpy.asfortranarray(blob[::-1]))["counts"].decode()})
    with open(os.path.join(HERE, "coco/coco.json"), "w") as f:
        json.dump({"info": {"year": 2026}, "annotations": annotations, "images": images,
                   "categories": categories}, f, indent=0)
    union = {}
    for a in annotations:
        h, w = size[a["image_id"]]
        s = a["segmentation"]
        if isinstance(s, list):
            m = api.decode(api.merge(api.frPyObjects(s, h, w)))
        else:
            m = api.decode(api.frPyObjects(s, h, w) if isinstance(s["counts"], list) else s)
        key = (a["image_id"], a["category_id"], a["iscrowd"])
        union[key] = union.get(key, 0) | m
    with open(os.path.join(HERE, "coco/masks.txt"), "w") as f:
        for (image, category, crowd), m in union.items():
            f.write("%d %d %d : %s\n" % (image, category, crowd, " ".join(map(str, runs(m)))))


main()
