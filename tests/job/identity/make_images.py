#!/usr/bin/env python3
"""The small images, mask and WSOL metadata of this folder: 16-bit grey pictures of a bright spot, nobody's photographs.

    python3 make_images.py
"""
import math
import os
import struct
import zlib

WIDTH, HEIGHT = 24, 20


def png(path, bits, value):
    """Grey pixels value(x, y) as a PNG."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    form = ">H" if bits == 16 else ">B"
    rows = b"".join(b"\0" + b"".join(struct.pack(form, value(x, y)) for x in range(WIDTH)) for y in range(HEIGHT))
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, 0, 0, 0, 0)) +
                  chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


os.chdir(os.path.dirname(os.path.abspath(__file__)))
for folder in "images", "wsol":
    os.makedirs(folder, exist_ok=True)
names = "abcdefghijkl"
centres = [(10, 7), (12, 10), (13, 12), (8, 10), (7, 8), (14, 8), (9, 9), (15, 11), (6, 6), (17, 12), (11, 14), (13, 6)]
for k, (name, (cx, cy)) in enumerate(zip(names, centres)):
    png(f"images/{name}.png", 16, lambda x, y: int(
        6000 + 40000 * math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 30) + 500 * ((x + y // 2 + k) % 4)))
far = lambda x, y: (x - 12) ** 2 + (y - 10) ** 2
png("images/b_mask.png", 8, lambda x, y: 255 if far(x, y) < 25 else 128 if far(x, y) < 49 else 0)
with open("wsol/image_ids.txt", "w") as ids, open("wsol/class_labels.txt", "w") as labels, \
        open("wsol/image_sizes.txt", "w") as sizes, open("wsol/localization.txt", "w") as places:
    for k, name in enumerate(names):
        ids.write(f"images/{name}.png\n")
        labels.write(f"images/{name}.png,{k % 5}\n")
        sizes.write(f"images/{name}.png,{WIDTH},{HEIGHT}\n")
        places.write(f"images/{name}.png,images/b_mask.png,\n" if name == "b" else f"images/{name}.png,3,2,{14 + k},12\n")
