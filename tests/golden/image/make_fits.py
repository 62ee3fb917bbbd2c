"""Writes fits.pack: torchvision's Resize + CenterCrop and Pillow's ImageOps.pad on small images.

    python3 make_fits.py      (see README.md for versions)
"""
import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# Transforms of PIL images need none of torchvision's compiled operators. Its __init__ fails where
# those do not load (a torchvision built for another torch), so the package is entered beside it.
package = types.ModuleType("torchvision")
package.__path__ = list(importlib.util.find_spec("torchvision").submodule_search_locations)
sys.modules["torchvision"] = package
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize
from pack import Pack

HERE = Path(__file__).resolve().parent
# height, width, short side, crop height, crop width
CROPS = [(37, 53, 20, 16, 16), (53, 37, 20, 17, 15), (40, 40, 20, 20, 20), (33, 61, 24, 24, 30),
         (21, 80, 16, 16, 64), (30, 45, 30, 23, 28), (25, 26, 20, 15, 15), (50, 20, 12, 20, 16),
         (9, 31, 12, 14, 14)]
# height, width, to height, to width
PADS = [(37, 53, 32, 32), (53, 37, 32, 32), (20, 20, 31, 24), (7, 50, 40, 33), (50, 9, 16, 24),
        (48, 64, 24, 32), (13, 29, 30, 30)]


def image(h, w, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (h, w, 3)).astype(np.uint8)


def main():
    pack = Pack(HERE / "fits.pack", "make_fits.py")
    for n, (h, w, short, ch, cw) in enumerate(CROPS):
        a = image(h, w, n)
        f = Compose([Resize(short, InterpolationMode.BILINEAR), CenterCrop((ch, cw))])
        pack.add(a, **{"in": f"crop{n}"})
        pack.add(np.array(f(Image.fromarray(a))), out=f"crop{n}", kind="crop", short=short)
    for n, (h, w, th, tw) in enumerate(PADS):
        a = image(h, w, 100 + n)
        r = ImageOps.pad(Image.fromarray(a), (tw, th), Image.Resampling.BILINEAR, color=(9, 9, 9))
        pack.add(a, **{"in": f"pad{n}"})
        pack.add(np.array(r), out=f"pad{n}", kind="pad", value=9)
    pack.close()
    print(pack.count, "records")


if __name__ == "__main__":
    main()
