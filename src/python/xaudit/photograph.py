"""The images of an archive: their files, or the pictures that the archive keeps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional

import numpy as np

from .geometry import to_input_frame

if TYPE_CHECKING:
    from .archive import Archive


def _stored(archive: "Archive", sample: int) -> Optional[np.ndarray]:
    """The picture that the archive keeps (job: store), or None."""
    if "samples/thumbnail" not in archive.file:
        return None
    height, width = archive.file["samples/thumbnail_size"][sample]
    if height < 1 or width < 1:
        return None
    return archive.file["samples/thumbnail"][sample][:height, :width]


def _from_file(archive: "Archive", sample: int, name: str) -> np.ndarray:
    from PIL import Image, ImageOps

    with Image.open(name) as file:
        image: Image.Image = file
        if image.mode in ("I", "F") or image.mode.startswith("I;"):
            raise ValueError(f"{name}: {image.mode} pixels are not 8 bit; xaudit figure shows them")
        if archive.attributes("samples/pixel_hash").get("orientation", "applied") == "applied":
            image = ImageOps.exif_transpose(image)
        array = np.asarray(image.convert("RGB"))
    expected = (int(archive.file["samples/height"][sample]), int(archive.file["samples/width"][sample]))
    if array.shape[:2] != expected:
        raise ValueError(
            f"{name}: expected the audited image of {expected[1]} x {expected[0]} pixels, found "
            f"{array.shape[1]} x {array.shape[0]}"
        )
    return array


def read(archive: "Archive", sample: int) -> np.ndarray:
    """[height, width, 3] uint8 of a sample: from its file, else what the archive keeps."""
    path = archive.file["samples/path"][sample].decode("utf-8")
    name = os.path.join(archive.image_root, path)
    kept = _stored(archive, sample)
    try:
        return _from_file(archive, sample, name)
    except ImportError as error:
        if kept is None:
            raise ImportError(f"reading {name} needs the package pillow") from error
    except FileNotFoundError as error:
        if kept is None:
            raise FileNotFoundError(
                f"{name}: no such image; xaudit.open(path, image_root=FOLDER) says where images are"
            ) from error
    return kept


def mean(archive: "Archive", model: str, samples: np.ndarray, height: int, width: int) -> np.ndarray:
    """[height, width, 3] float64: the mean of photographs in the model's input frame; mid grey where
    none has a pixel."""
    total, count = np.zeros((height, width, 3)), np.zeros((height, width, 1))
    for sample in samples:
        image = read(archive, int(sample))
        affine = np.array(archive.file[f"models/{model}/affine"][sample])
        frame = (archive.file["samples/height"][sample], archive.file["samples/width"][sample])
        affine[0] *= image.shape[1] / float(frame[1])  # a kept picture is smaller than the frame
        affine[1] *= image.shape[0] / float(frame[0])
        one = to_input_frame(image, affine, height, width)
        seen = np.isfinite(one[..., :1])
        total += np.where(seen, one, 0.0)
        count += seen
    return np.where(count > 0, total / np.maximum(count, 1), 128.0)
