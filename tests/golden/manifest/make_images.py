#!/usr/bin/env python3
"""The images and masks of the fixtures beside this file (Pillow, numpy). Everything else here is written by hand.

    python3 make_images.py
"""
import os

import numpy
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def save(image, path, **how):
    path = os.path.join(HERE, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image.save(path, **how)


def photo(path, w, h):
    save(Image.new("L", (w, h), 90), path, **({"quality": 50, "optimize": True} if path[-3:].lower() != "png" else {}))


def mask(path, w, h, box, value=255, mode="L"):
    m = numpy.zeros((h, w), numpy.uint8)
    m[box[1]:box[3], box[0]:box[2]] = value
    image = Image.fromarray(m)
    save(image.convert("1") if mode == "1" else image, path)


for p in ("folder/images/cat/a.jpg", "folder/images/cat/deep/b.png", "folder/images/dog, big/c.JPG"):
    photo(p, 6, 4)
photo("voc/JPEGImages/2007_000001.jpg", 20, 12)
photo("voc/JPEGImages/2007_000003.jpg", 20, 12)
palette = numpy.zeros((12, 20), numpy.uint8)
palette[1:5, 2:9] = 8   # cat
palette[6:11, 10:18] = 12  # dog
palette[5, :] = 255
image = Image.fromarray(palette, mode="P")
image.putpalette([v for i in range(256) for v in (i * 7 % 256, i * 13 % 256, i * 29 % 256)])
save(image, "voc/SegmentationClass/2007_000001.png")
photo("coco/images/b.jpg", 20, 12)
photo("coco/images/sub/a.jpg", 16, 16)
for p in ("001.Albatross/A_1.jpg", "002.Auklet/B_2.jpg"):
    photo("cub/images/" + p, 30, 20)
mask("cub/segmentations/001.Albatross/A_1.png", 30, 20, (3, 4, 9, 10), 204)
for p in ("val/a.jpg", "val/b.jpg"):
    photo("wsol/images/" + p, 20, 10)
mask("wsol/masks/a_0.png", 10, 5, (1, 1, 4, 3))
mask("wsol/masks/a_ignore.png", 20, 10, (0, 8, 20, 10))
photo("imagenet/images/ILSVRC2012_val_00000001.JPEG", 50, 37)
photo("imagenet/images/ILSVRC2012_val_00000002.JPEG", 50, 37)
photo("openimages/images/train_0/00a1.jpg", 40, 30)
photo("openimages/images/train_1/00b2.jpg", 10, 10)
mask("openimages/masks/0/00a1_m0.png", 10, 15, (2, 3, 5, 9), mode="1")
for i in (1, 2, 3):
    photo("isic/images/part_%d/ISIC_000%d.jpg" % (i % 2 + 1, i), 12, 9)
mask("isic/masks/ISIC_0001_segmentation.png", 12, 9, (4, 2, 8, 7))
soft = Image.new("L", (12, 9), 0)  # as a redistributed set has them: edges between black and white
for i, value in enumerate((40, 127, 128, 255)):
    soft.paste(value, (3 + i, 2 + i, 11 - i, 9 - i))
save(soft, "isic/masks/ISIC_0002_segmentation.png")
photo("chexlocalize/images/patient1/study1/view1_frontal.jpg", 6, 4)
photo("chexlocalize/images/patient2_study1_view1_frontal.jpg", 5, 3)
photo("nih/images_001/images/00000013_005.png", 32, 24)
photo("nih/images_001/images/00000013_026.png", 32, 24)
for n in ("one", "two"):
    photo("csv/images/%s.jpg" % n, 10, 8)
