"""From the cells of a map to the pixels of an image. Pixel (x, y) covers [x, x+1) x [y, y+1)."""

from __future__ import annotations

from typing import Tuple

import numpy as np


def _taps(position: np.ndarray, extent: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half-pixel linear interpolation at continuous positions of an axis with `extent` pixels:
    lower and upper index and the weight of the upper, clamped at the edges."""
    at = np.clip(position - 0.5, 0.0, extent - 1.0)
    low = np.floor(at).astype(np.int64)
    return low, np.minimum(low + 1, extent - 1), at - low


def upsample_linear(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """[..., h, w] to [..., height, width], float64: bilinear between pixel centres, clamped at the
    edges, no antialiasing (as cv2.INTER_LINEAR on floats and torch with align_corners=False)."""
    values = np.asarray(values, dtype=np.float64)
    h, w = values.shape[-2:]
    low, high, part = _taps((np.arange(height) + 0.5) * (h / height), h)
    part = part[:, None]
    values = values[..., low, :] * (1.0 - part) + values[..., high, :] * part
    low, high, part = _taps((np.arange(width) + 0.5) * (w / width), w)
    return values[..., low] * (1.0 - part) + values[..., high] * part


def to_stored_frame(
    values: np.ndarray, affine: np.ndarray, height: int, width: int, outside: float = np.nan
) -> np.ndarray:
    """[..., h, w] in the model's input frame to [..., height, width] in the stored frame, float64.

    affine [2, 3] maps input to stored coordinates (continuous, of pixel corners). Each pixel centre
    of the image is carried back and the map is interpolated there, bilinear with clamped edges.
    Pixels that the model never saw (outside of a crop) become `outside`.
    """
    values = np.asarray(values, dtype=np.float64)
    affine = np.asarray(affine, dtype=np.float64)
    h, w = values.shape[-2:]
    back = np.linalg.inv(affine[:, :2])
    out = np.empty(values.shape[:-2] + (height, width))
    edge = 1e-3  # pixels; older archives hold the affine map in single precision
    columns = np.arange(width) + 0.5 - affine[0, 2]
    for first in range(0, height, 256):  # in strips, for large images
        rows = (np.arange(first, min(first + 256, height)) + 0.5 - affine[1, 2])[:, None]
        x = back[0, 0] * columns + back[0, 1] * rows
        y = back[1, 0] * columns + back[1, 1] * rows
        x0, x1, px = _taps(x, w)
        y0, y1, py = _taps(y, h)
        strip = (values[..., y0, x0] * (1.0 - px) + values[..., y0, x1] * px) * (1.0 - py)
        strip += (values[..., y1, x0] * (1.0 - px) + values[..., y1, x1] * px) * py
        unseen = (x < -edge) | (x > w + edge) | (y < -edge) | (y > h + edge)
        strip[..., unseen] = outside
        out[..., first : first + 256, :] = strip
    return out


def to_input_frame(image: np.ndarray, affine: np.ndarray, height: int, width: int) -> np.ndarray:
    """[H, W, c] in the stored frame to [height, width, c] float64 in the model's input frame: each
    pixel centre of the input is carried to the image and interpolated there, bilinear; NaN where the
    image ends (padding). For pictures: the model's own resampling is not repeated."""
    image = np.asarray(image, dtype=np.float64)
    affine = np.asarray(affine, dtype=np.float64)
    h, w = image.shape[:2]
    columns = np.arange(width) + 0.5
    rows = (np.arange(height) + 0.5)[:, None]
    x = affine[0, 0] * columns + affine[0, 1] * rows + affine[0, 2]
    y = affine[1, 0] * columns + affine[1, 1] * rows + affine[1, 2]
    x0, x1, px = _taps(x, w)
    y0, y1, py = _taps(y, h)
    px, py = px[..., None], py[..., None]
    out = (image[y0, x0] * (1.0 - px) + image[y0, x1] * px) * (1.0 - py)
    out += (image[y1, x0] * (1.0 - px) + image[y1, x1] * px) * py
    out[(x < 0) | (x > w) | (y < 0) | (y > h)] = np.nan
    return out


def map_at_picture(
    values: np.ndarray,
    input_size: Tuple[int, int],
    affine: np.ndarray,
    frame: Tuple[int, int],
    size: Tuple[int, int],
) -> np.ndarray:
    """[h, w] on the grid of a map to [height, width] = size, a picture of the stored frame of
    (height, width) = frame pixels: each pixel centre of the picture is carried to the map's own grid
    and interpolated there once, bilinear; NaN outside of the model's input. affine is diagonal:
    images are only scaled and shifted."""
    values = np.asarray(values, dtype=np.float64)

    def taps(n_out: int, extent: int, scale: float, shift: float, cells: int, n: int):
        at = ((np.arange(n_out) + 0.5) * extent / n_out - shift) / scale
        unseen = (at < -1e-3) | (at > cells + 1e-3)
        q = np.clip(at / cells * n - 0.5, 0.0, n - 1.0)
        low = q.astype(np.int64)
        return low, np.minimum(low + 1, n - 1), q - low, unseen

    x0, x1, px, off_x = taps(size[1], frame[1], affine[0, 0], affine[0, 2], input_size[1], values.shape[1])
    y0, y1, py, off_y = taps(size[0], frame[0], affine[1, 1], affine[1, 2], input_size[0], values.shape[0])
    top = values[np.ix_(y0, x0)] * (1.0 - px) + values[np.ix_(y0, x1)] * px
    low = values[np.ix_(y1, x0)] * (1.0 - px) + values[np.ix_(y1, x1)] * px
    out = top * (1.0 - py)[:, None] + low * py[:, None]
    out[off_y] = np.nan
    out[:, off_x] = np.nan
    return out
