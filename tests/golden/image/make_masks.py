"""Masks as people save them: JPEG, colours, alpha, soft edges; masks/expected.txt has for each file
"file lossy status pixels varies": read with lossy_labels or without, the status, how many pixels Pillow's grey values have
above 127, and whether the alpha channel varies.

    venv/bin/python make_masks.py        # Pillow 13
"""
import pathlib

import numpy as np
from PIL import Image, ImageFilter

out = pathlib.Path(__file__).parent / "masks"
out.mkdir(exist_ok=True)
lines = []
disc = np.zeros((32, 40), np.uint8)
y, x = np.mgrid[:32, :40]
disc[(x - 17) ** 2 + (y - 14) ** 2 < 81] = 255
hard = Image.fromarray(disc)
soft = hard.filter(ImageFilter.GaussianBlur(1.5))
white = Image.fromarray(np.full_like(disc, 255))


def add(name, im, lossy, status, varies=0, **save):
    im.save(out / name, **save)
    grey = np.array(Image.open(out / name).convert("LA" if "A" in im.mode else "L"))
    grey = grey[..., 0] if grey.ndim == 3 else grey
    for way in lossy:
        pixels = int((grey > 127).sum()) if status[way] == "ok" else 0
        lines.append(f"{name} {way} {status[way]} {pixels} {varies}")


both, any_way = (0, 1), {0: "ok", 1: "ok"}
jpeg = {0: "unsupported", 1: "ok"}
add("grey.jpg", hard, both, jpeg, quality=75)
add("soft.jpg", soft, both, jpeg, quality=60)
add("rgb_grey.jpg", Image.merge("RGB", (hard,) * 3), both, jpeg, quality=75)
add("colour.jpg", Image.merge("RGB", (hard, white, hard)), both, {0: "unsupported", 1: "unsupported"}, quality=75)
add("soft.png", soft, both, any_way)
add("rgb_grey.png", Image.merge("RGB", (hard,) * 3), both, any_way)
add("rgb_nearly_grey.png", Image.merge("RGB", (soft, soft, Image.fromarray(np.array(soft) // 2 * 2))), both,
    {0: "unsupported", 1: "unsupported"})
add("rgba_opaque.png", Image.merge("RGBA", (hard,) * 3 + (white,)), both, any_way)
add("rgba_alpha.png", Image.merge("RGBA", (white,) * 3 + (hard,)), both, {0: "invalid", 1: "invalid"})
add("la_alpha.png", Image.merge("LA", (white, soft)), both, {0: "invalid", 1: "invalid"})
add("rgba_both.png", Image.merge("RGBA", (hard,) * 3 + (soft,)), both, any_way, varies=1)
add("la_both.png", Image.merge("LA", (hard, soft)), both, any_way, varies=1)
add("all_object.png", white, both, any_way)
(out / "expected.txt").write_text("\n".join(lines) + "\n")
