"""Reads archives of xaudit. It needs numpy and h5py; pandas and Pillow only where a method says so.

    import xaudit
    a = xaudit.open("demo.h5")
    wrong = a.where("xception", label="kangaroo", correct=False)
    a.mean_map("xception", "gradcam.label", wrong).overlay()

`Archive` says what can be asked for. An archive may be finished, killed or still being written.
"""

from __future__ import annotations

import os
from typing import Optional, Union

from ._version import __version__
from .archive import (
    DEGENERATE,
    DONE,
    EXCLUDED,
    FAILED,
    NONFINITE,
    PENDING,
    SATURATED,
    Archive,
    Map,
    MeanMap,
    NotInArchive,
    NotThisArchive,
)
from .geometry import to_stored_frame, upsample_linear
from .picture import Picture

__all__ = [
    "Archive",
    "DEGENERATE",
    "DONE",
    "EXCLUDED",
    "FAILED",
    "Map",
    "MeanMap",
    "NONFINITE",
    "NotInArchive",
    "NotThisArchive",
    "PENDING",
    "Picture",
    "SATURATED",
    "__version__",
    "open",
    "to_stored_frame",
    "upsample_linear",
]


def open(  # noqa: A001  xaudit.open() is what one types
    path: Union[str, "os.PathLike[str]"], image_root: Optional[Union[str, "os.PathLike[str]"]] = None
) -> Archive:
    """Opens an archive. `image_root` is the folder of the images, where it is another one than the
    one that the run had."""
    return Archive(path, image_root)
