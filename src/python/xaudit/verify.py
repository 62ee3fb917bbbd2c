"""Stored values against their checksums. Needs the package xxhash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, List, Tuple

import h5py
import numpy as np

if TYPE_CHECKING:
    from .archive import Archive


def _xxhash(what: str) -> Any:
    try:
        import xxhash
    except ImportError as error:
        raise ImportError(f"{what} needs the Python package xxhash") from error
    return xxhash


def digest(archive: "Archive", path: str) -> str:
    """SHA-256 of a dataset's bytes."""
    return hashlib.sha256(archive.file[path][...].tobytes()).hexdigest()


def maps(archive: "Archive") -> List[Tuple[str, str, int]]:
    """The done map rows that differ from their checksum."""
    xxhash = _xxhash("verify()")
    bad = []
    for model in archive.models:
        done = archive.done(model)
        for explainer in archive.explainers(model):
            group = archive.file[f"maps/{model}/{explainer}"]
            samples, sums = group["sample"][...], group["checksum"][...]
            values = archive._values(model, explainer)
            for row in np.flatnonzero(done[samples]):
                found = xxhash.xxh3_64_intdigest(values[row].tobytes())
                if found & 0xFFFFFFFF != int(sums[row]):
                    bad.append((model, explainer, int(row)))
    return bad


def _covered(archive: "Archive", path: str) -> List[str]:
    """The datasets whose rows the checksums at `path` ("/checksums/...") are of."""
    group, kind = path[len("/checksums/") :], path.split("/")[2]
    if kind == "samples":
        return [f"/samples/{name}" for name in ("width", "height", "pixel_hash")]
    if kind == "thumbnails":
        return ["/samples/thumbnail", "/samples/thumbnail_size"]
    if kind == "logits":
        return [f"/models/{group.split('/')[1]}/logits"]
    if kind in ("baselines", "baseline_statistics"):
        return [f"/{group}"]
    left = {"models": ("logits", "class_names"), "maps": ("values", "sample")}.get(kind, ())
    found: List[str] = []
    for name, member in archive.file[group].items():
        if isinstance(member, h5py.Dataset):
            found += [] if name in left else [f"/{group}/{name}"]
        elif kind == "maps":
            found += [f"/{group}/{name}/{score}" for score in member]
    return found


def rows(archive: "Archive") -> List[Tuple[str, int]]:
    """The rows of done and failed samples that differ from their checksums."""
    xxhash = _xxhash("verify_rows()")
    paths: List[str] = []
    bad: List[Tuple[str, int]] = []
    file = archive.file
    if "checksums" not in file and "evaluated_from" not in file.attrs:
        version = file.attrs["format_version"]
        version = version.decode() if isinstance(version, bytes) else str(version)
        if int(version.split(".")[1]) >= 1:  # 1.0 had none
            raise ValueError(f"{file.filename}: its checksums are lost; restore a copy")
    if "checksums" in file:
        file["checksums"].visititems(
            lambda name, o: paths.append(f"/checksums/{name}") if isinstance(o, h5py.Dataset) else None
        )
    status = {m: np.isin(file[f"models/{m}/status"][...], (1, 2)) for m in archive.models}
    for path in sorted(paths):
        parts = path.split("/")[2:]
        stored = file[path][...]
        made = np.zeros(len(stored), dtype=np.uint64)  # sums of 32 bits, which wrap around
        for covered in _covered(archive, path):
            seed, values = xxhash.xxh3_64_intdigest(covered.encode()), file[covered]
            for row in range(len(stored)):
                one = np.asarray(values[row]) if values.ndim > 1 else values[row : row + 1]
                made[row] += np.uint64(xxhash.xxh3_64_intdigest(one.tobytes(), seed=seed) & 0xFFFFFFFF)
        made = (made & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        written = status[parts[1]] if len(parts) > 1 else np.any(list(status.values()), axis=0)
        if parts[0] in ("maps", "checks"):
            written = written[file[f"maps/{parts[1]}/{parts[2]}/sample"][...]]
        elif parts[0] in ("localisation", "statistics", "baselines", "baseline_statistics"):
            written = written[file["eval/sample"][...]]
        bad += [(path, int(row)) for row in np.flatnonzero(written & (made != stored))]
    return bad
