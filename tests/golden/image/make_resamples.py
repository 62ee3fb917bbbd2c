"""Writes resamples.pack: images resized by Pillow, OpenCV and TensorFlow, and depth.pack: window
limits by numpy.percentile.

    python3 make_resamples.py      (see README.md for versions)

Records in=NAME are inputs (uint8; the float32 input is value*1.0009765625 - 3, exact in float32).
Records how=... from=NAME are results. OpenCV runs its own code, not Intel's IPP, which some builds
contain; the script prints how far IPP is from it.
"""
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import cv2
import numpy as np
import tensorflow as tf
from PIL import Image
from pack import Pack

HERE = Path(__file__).resolve().parent
PIL = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
       "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
CV2 = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC,
       "area": cv2.INTER_AREA}
TF = ["nearest", "bilinear", "bicubic"]
# height, width, to height, to width, channels: 1x1, lines, odd ratios, halves, thirds, up, down, both
SIZES = [(1, 1, 5, 7, 3), (5, 1, 3, 9, 1), (1, 6, 4, 3, 3), (3, 3, 1, 1, 1), (37, 53, 20, 31, 3),
         (21, 17, 40, 31, 3), (32, 32, 16, 16, 3), (32, 30, 16, 15, 1), (32, 30, 16, 15, 2),
         (30, 45, 10, 15, 3), (40, 40, 10, 20, 1), (50, 40, 17, 23, 3), (7, 9, 7, 20, 3),
         (9, 9, 30, 9, 1), (120, 2, 30, 5, 1), (17, 30, 40, 11, 3), (64, 63, 13, 20, 3),
         (33, 20, 11, 20, 4), (16, 16, 29, 29, 5), (4, 4, 57, 5, 1)]


def image(h, w, c, seed):
    """Edges, a gradient and noise: overshoot is clipped somewhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w]
    v = (x * 5 + y * 3)[..., None] % 256 * 0.5 + 127 * ((x // 3 + y // 4) % 2)[..., None]
    v = np.where(rng.random((h, w, c)) < 0.3, rng.integers(0, 256, (h, w, c)), v)
    return np.clip(v, 0, 255).astype(np.uint8)


def by_pil(a, h, w, mode):
    return np.stack([np.array(Image.fromarray(a[..., k]).resize((w, h), mode))
                     for k in range(a.shape[2])], -1)


def by_cv2(a, h, w, mode):
    if a.shape[2] <= 4:
        return cv2.resize(a, (w, h), interpolation=mode).reshape(h, w, -1)
    return np.stack([cv2.resize(np.ascontiguousarray(a[..., k]), (w, h), interpolation=mode)
                     for k in range(a.shape[2])], -1)


def by_tf(a, h, w, mode):
    return tf.image.resize(a, (h, w), mode, antialias=False).numpy()


def make_resamples():
    pack = Pack(HERE / "resamples.pack", "make_resamples.py")
    ipp = {}
    for n, (h, w, th, tw, c) in enumerate(SIZES):
        a = image(h, w, c, n)
        name = f"{h}x{w}x{c}_{n}"
        pack.add(a, **{"in": name})
        for kind, b in (("uint8", a), ("float32", (a * 1.0009765625 - 3).astype(np.float32))):
            jobs = [(f"pil-{k}", by_pil, m) for k, m in PIL.items()]
            jobs += [(f"cv2-{k}", by_cv2, m) for k, m in CV2.items()]
            jobs += [(f"tf-{m}", by_tf, m) for m in TF]
            for how, f, m in jobs:
                cv2.ipp.setUseIPP(False)
                r = f(b, th, tw, m)
                pack.add(r, how=how, **{"from": name}, type=kind)
                if f is by_cv2:
                    cv2.ipp.setUseIPP(True)
                    d = np.abs(f(b, th, tw, m).astype(float) - r)
                    ipp.setdefault((how, kind), []).append(d.reshape(-1))
    pack.close()
    print(pack.count, "records")
    for k, v in ipp.items():
        d = np.concatenate(v)
        print("with IPP", *k, "largest difference", d.max(), "share", (d > 0).mean())


def make_depth():
    pack = Pack(HERE / "depth.pack", "make_resamples.py")
    rng = np.random.default_rng(11)
    for t in ("uint16", "int16", "uint32", "int32", "float32", "float64", "int8"):
        if t.startswith("float"):
            a = (rng.standard_normal((23, 31, 1)) * 1e3).astype(t)
        else:
            i = np.iinfo(t)
            a = rng.integers(i.min, i.max, (23, 31, 1), endpoint=True).astype(t)
        pack.add(a, **{"in": t})
        for low, high in ((1, 99), (0, 100), (2.5, 97.3), (50, 60)):
            # numpy's percentile in double, then the window in double
            p, q = np.percentile(a.astype(np.float64), [low, high])
            e = np.clip((a.astype(np.float64) - p) / (q - p), 0, 1) * 255
            pack.add(e.astype(np.float32), out=t, low=low, high=high)
    pack.close()


if __name__ == "__main__":
    make_depth()
    make_resamples()
