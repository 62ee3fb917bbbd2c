"""Pictures of maps over photographs, as `xaudit figure` draws them (its contours and marks apart).

A map is smoothed (maps of single pixels, by 0.8 % of the longer side), divided by the 99.5th
percentile of its magnitudes, and laid over the muted photograph where it is strong.
"""

from __future__ import annotations

import base64
import os
import struct
import zlib
from typing import Union

import numpy as np

PERCENTILE = 99.5
FLOOR = 0.12  # of the strength: what is weaker is not drawn
CHROMA = 0.35  # of the photograph's colours; maps with both signs lie on grey
SMOOTH = 0.008  # of the map's longer side, for kinds with a value for each pixel
OPACITY = {False: 0.64, True: 0.85}  # of the strongest values; True: a value for each pixel
PIXELWISE = frozenset(
    "saliency gradient gradient_x_input integrated_gradients expected_gradients smoothgrad fullgrad".split()
)

# Ends and stops of maps with both signs, in sRGB.
_DIVERGING = np.array(
    [
        [0x00, 0xC2, 0xFF],
        [0x1F, 0x77, 0xD0],
        [0x6F, 0xA8, 0xDC],
        [0xF2, 0xA6, 0x5A],
        [0xE8, 0x59, 0x0C],
        [0xFF, 0xD2, 0x1F],
    ],
    dtype=np.float64,
)
# matplotlib's inferno, 256 colours of 8 bit, deflated.
_INFERNO = np.frombuffer(zlib.decompress(base64.b64decode(
    "eNoBAAP//AAABAEABQEBBgEBCAIBCgICDAICDgMCEAQDEgQDFAUEFwYEGQcFGwgFHQkGHwoHIgsHJAwIJg0IKQ4JKxAJLREK"
    "MBIKMhQLNBULNxYLORgMPBkMPhsMQRwMQx4MRR8MSCEMSiMMTCQMTyYMUSgLUykLVSsLVy0LWS8KWzEKXDIKXjQKXzYJYTgJ"
    "YjkJYzsJZD0JZT4JZkAKZ0IKaEQKaEUKaUcLakkLakoMa0wMa00NbE8NbFEObFIObVQPbVUPbVcQblkQbloRblwSbl0Sbl8T"
    "bmETbmIUbmQVbmUVbmcWbmkWbmoXbmwYbm0Ybm8ZbnEZbnIabnQabnUbbnccbXgcbXodbXwdbX0ebX8ebIAfbIIgbIQga4Uh"
    "a4cha4giaooiaowjaY0jaY8kaZAlaJIlaJMmZ5UmZ5cnZpgnZpooZZspZJ0pZJ8qY6AqY6IrYqMsYaUsYKYtYKguX6kuXqsv"
    "Xq0wXa4wXLAxW7EyWrMyWrQzWbY0WLc1V7k1Vro2Vbw3VL04U785UsA6UcE6UMM7T8Q8TsY9Tcc+TMg/S8pASstBScxCSM5D"
    "R89ERtBFRdJGRNNHQ9RIQtVKQddLP9hMPtlNPdpOPNtQO91ROt5SON9TN+BVNuFWNeJXNONZM+RaMeVcMOZdL+deLuhgLelh"
    "K+pjKutkKetmKOxnJu1pJe5qJO9sI+9uIfBvIPFxH/FzHfJ0HPN2G/N4GfR5GPV7F/V9FfZ+FPaAE/eCEveEEPiFD/iHDviJ"
    "DPmLC/mMCvmOCfqQCPqSB/qUB/uWBvuXBvuZBvubBvudB/yfB/yhCPyjCfylCvymDPyoDfyqD/ysEfyuEvywFPyyFvy0GPu2"
    "Gvu4Hfu6H/u8Ifu+I/rAJvrCKPrEKvrGLfnHL/nJMvnLNfjNN/jPOvfRPffTQPbVQ/bXRvXZSfXbTPTdT/TfU/ThVvPjWvPl"
    "XfLmYfLoZfLqafHsbfHtcfHvdfHxefLyffL0gvP1hvP2ivT4jvX5kvb6lvj7mvn8nfr9ofz/pNKCO/Y="
)), dtype=np.uint8).reshape(256, 3)


class Picture:
    """8-bit RGB, [height, width, 3]. A notebook shows it; save() writes a PNG."""

    def __init__(self, array: np.ndarray):
        self.array = np.ascontiguousarray(array, dtype=np.uint8)
        if self.array.ndim != 3 or self.array.shape[2] != 3:
            raise ValueError(f"a picture is [height, width, 3], found {self.array.shape}")

    def png(self) -> bytes:
        """The picture as a PNG file."""
        height, width = self.array.shape[:2]

        def chunk(kind: bytes, data: bytes) -> bytes:
            body = kind + data
            return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

        rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each begins with its filter: none
        rows[:, 1:] = self.array.reshape(height, 3 * width)
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6))
            + chunk(b"IEND", b"")
        )

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the picture as a PNG file."""
        name = os.fspath(path)
        if not name.lower().endswith(".png"):
            raise ValueError(f"{name}: pictures are saved as .png")
        with open(name, "wb") as file:
            file.write(self.png())

    def _repr_png_(self) -> bytes:
        return self.png()

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)

    def __repr__(self) -> str:
        return f"<picture of {self.array.shape[1]} x {self.array.shape[0]} pixels>"


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian cut at 3 sigma, columns first; edges are mirrored, or held where the side is
    shorter than the kernel."""
    reach = int(np.ceil(3.0 * sigma)) if sigma > 0.0 else 0
    if reach == 0:
        return values
    kernel = np.exp(-0.5 * np.arange(-reach, reach + 1) ** 2 / (sigma * sigma))
    kernel /= kernel.sum()
    for axis in (0, 1):
        n = values.shape[axis]
        widths = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(values, widths, "edge") if n <= reach else np.pad(values, widths, "reflect")
        out = np.zeros(values.shape)
        for k in range(2 * reach + 1):
            part = padded[k : k + n] if axis == 0 else padded[:, k : k + n]
            out += kernel[k] * part
        values = out.astype(np.float32).astype(np.float64)
    return values


def tone(values: np.ndarray, pixelwise: bool) -> np.ndarray:
    """[h, w] smoothed as its kind is shown and divided by its strength; zeros where it has none."""
    values = np.asarray(values, dtype=np.float64)
    if pixelwise:
        values = _smooth(values, SMOOTH * max(values.shape))
    finite = np.abs(values[np.isfinite(values)])
    strength = float(np.percentile(finite, PERCENTILE)) if finite.size else 0.0
    return values / strength if strength > 0.0 else values * 0.0


def blend(photograph: np.ndarray, strength: np.ndarray, pixelwise: bool, signed: bool) -> Picture:
    """A photograph [H, W, 3] of 8-bit values under a map [H, W] of tone(), NaN where there is none.
    signed: the map has negative values."""
    photograph = np.asarray(photograph, dtype=np.float64)
    t = np.where(np.isfinite(strength), strength, 0.0)
    # luma by the weights of Rec. 709 on sRGB values
    luma = (photograph @ np.array([0.2126, 0.7152, 0.0722]))[..., None]
    muted = luma + (0.0 if signed else CHROMA) * (photograph - luma)
    s = np.clip((np.minimum(np.abs(t), 1.0) - FLOOR) / (1.0 - FLOOR), 0.0, None)
    opacity = (OPACITY[pixelwise] * s * s * (3.0 - 2.0 * s))[..., None]
    if signed:
        at = 5.0 * (np.clip(t, -1.0, 1.0) + 1.0) / 2.0
        low = np.minimum(at.astype(np.int64), 4)
        part = (at - low)[..., None]
        colour = np.rint((1.0 - part) * _DIVERGING[low] + part * _DIVERGING[low + 1])
    else:
        colour = _INFERNO[(256.0 * (0.30 + 0.67 * np.clip(t, 0.0, 1.0))).astype(np.int64)]
    return Picture(np.rint((1.0 - opacity) * muted + opacity * colour))
