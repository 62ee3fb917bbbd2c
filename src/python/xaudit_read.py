"""Reads archives of xaudit with numpy and h5py, and nothing else.

    from xaudit_read import Archive
    with Archive("audit.h5") as a:
        done = a.done("xception")                       # [N] bool: which samples are explained
        p = a.probs("xception")[done]                   # [n, C]
        m = a.map_at_image_size("xception", "grad-cam", 0)  # [c, H, W] in the image's own pixels

Rows. /samples, /models/<m> and done() count samples; the maps of an explainer have rows of their
own, since a sample may be explained for several classes or for none. rows() says which sample and
class each is, row_of() finds one.

Pixels. Pixel (x, y) covers [x, x+1) x [y, y+1). The stored frame is the image after its EXIF
orientation is applied; boxes and masks refer to it, and map_at_image_size() is in it.
"""

import hashlib

import h5py
import numpy as np

PENDING, DONE, FAILED, EXCLUDED = range(4)
DEGENERATE, NONFINITE, SATURATED = 1, 2, 4  # bits of a map's flags


def _text(value):
    """An attribute as str, whatever kind of string it is stored as."""
    if isinstance(value, bytes):  # numpy.bytes_ too
        return value.rstrip(b"\0").decode("utf-8")
    return str(value)


def _decoded(array):
    """Fixed-length UTF-8 as an array of str; other types as they are."""
    if array.dtype.kind == "S":
        flat = [item.decode("utf-8") for item in array.ravel().tolist()]
        return np.array(flat, dtype=object).reshape(array.shape)
    return array


def _taps(position, extent):
    """Half-pixel linear interpolation at continuous positions of an axis with `extent` pixels:
    lower and upper index and the weight of the upper, clamped at the edges."""
    at = np.clip(position - 0.5, 0.0, extent - 1.0)
    low = np.floor(at).astype(np.int64)
    return low, np.minimum(low + 1, extent - 1), at - low


def upsample_linear(values, height, width):
    """[..., h, w] to [..., height, width], float64: bilinear between pixel centres, clamped at the
    edges, no antialiasing (as cv2.INTER_LINEAR on floats and torch with align_corners=False)."""
    values = np.asarray(values, dtype=np.float64)
    h, w = values.shape[-2:]
    low, high, part = _taps((np.arange(height) + 0.5) * (h / height), h)
    part = part[:, None]
    values = values[..., low, :] * (1.0 - part) + values[..., high, :] * part
    low, high, part = _taps((np.arange(width) + 0.5) * (w / width), w)
    return values[..., low] * (1.0 - part) + values[..., high] * part


def to_stored_frame(values, affine, height, width, outside=np.nan):
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


class Archive:
    """An archive, finished, killed or still being written. Close it, or use it in `with`."""

    def __init__(self, path):
        try:
            self.file = h5py.File(path, "r", locking=False)  # a run in progress is no obstacle
        except (TypeError, ValueError):  # h5py or HDF5 without the option
            self.file = h5py.File(path, "r")
        attrs = self.file.attrs
        found = _text(attrs["format"]) if "format" in attrs else "no format"
        version = _text(attrs["format_version"]) if "format_version" in attrs else ""
        if found != "xaudit" or version.split(".")[0] != "1":
            self.close()
            raise ValueError(
                f"{path}: expected an archive of xaudit, format 1.x, found {found} {version}"
            )

    def close(self):
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    # ---- what is in it ------------------------------------------------------------------------

    def _names(self, group):
        return sorted(self.file[group]) if group in self.file else []

    def models(self):
        """Names of the models."""
        return self._names("models")

    def explainers(self, model):
        """Names of the explainers that have maps of `model`."""
        return self._names(f"maps/{model}")

    def attributes(self, path):
        """Attributes of a group or dataset as a dict, texts as str."""
        out = {}
        for name, value in self.file[path].attrs.items():
            if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
                value = [_text(item) for item in value.ravel()]
            elif isinstance(value, (bytes, str)):
                value = _text(value)
            out[name] = value
        return out

    def job(self):
        """The job as YAML text. Beyond the 64 KiB of an attribute it is a dataset."""
        if "job" in self.file.attrs:
            return _text(self.file.attrs["job"])
        return _text(self.file["job"][0])

    def samples(self):
        """The samples as a dict of columns, each [N]: id, path, label, ..., the manifest's further
        columns as "extra/<column>", and every model's status as "status/<model>"."""
        group = self.file["samples"]
        out = {}
        for name, item in group.items():
            if isinstance(item, h5py.Dataset):
                out[name] = _decoded(item[...])
        for name in self._names("samples/extra"):
            out[f"extra/{name}"] = _decoded(group[f"extra/{name}"][...])
        for model in self.models():
            out[f"status/{model}"] = self.status(model)
        return out

    def categories(self):
        """Sets of classes that stand where a class does (samples' labels, annotations, pairs of
        /eval), as {index: (name, classes)}; a map's target is always a class."""
        lines = _text(self.file["eval"].attrs.get("categories", "")).splitlines()
        return {
            (1 << 24) + k: (line.split("\t")[1], [int(c) for c in line.split("\t")[0].split("|")])
            for k, line in enumerate(lines)
        }

    # ---- models -------------------------------------------------------------------------------

    def status(self, model):
        """[N] uint8: PENDING, DONE, FAILED, EXCLUDED."""
        return self.file[f"models/{model}/status"][...]

    def done(self, model):
        """[N] bool: the samples whose rows are whole."""
        return self.status(model) == DONE

    def logits(self, model):
        """[N, C] float32, NaN where not done."""
        return self.file[f"models/{model}/logits"][...]

    def probs(self, model):
        """[N, C] float32, NaN where not done."""
        return self.file[f"models/{model}/probs"][...]

    def predicted(self, model):
        """[N] int32, -1 where not done."""
        return self.file[f"models/{model}/predicted"][...]

    def messages(self, model):
        """[N] str: why a sample failed, else empty."""
        return _decoded(self.file[f"models/{model}/message"][...])

    # ---- maps ---------------------------------------------------------------------------------

    def rows(self, model, explainer):
        """(sample, target), each [R]: what each map row explains; target -1: not done."""
        group = self.file[f"maps/{model}/{explainer}"]
        return group["sample"][...], group["target"][...]

    def row_of(self, model, explainer, sample, target=None):
        """The first map row of a sample (of the class `target`, if given)."""
        samples, targets = self.rows(model, explainer)
        fits = samples == sample
        if target is not None:
            fits &= targets == target
        found = np.flatnonzero(fits)
        if found.size == 0:
            wanted = f"sample {sample}" + ("" if target is None else f", class {target}")
            raise KeyError(f"maps/{model}/{explainer}: no row for {wanted}")
        return int(found[0])

    def _sample_of(self, model, explainer, row):
        """The sample of a map row, which must be done: rows that are not hold anything."""
        sample = int(self.file[f"maps/{model}/{explainer}/sample"][row])
        status = int(self.file[f"models/{model}/status"][sample])
        if status != DONE:
            word = ("pending", "done", "failed", "excluded")[status]
            raise ValueError(f"maps/{model}/{explainer}: row {row} has no map: its sample is {word}")
        return sample

    def map(self, model, explainer, row):
        """[c, h, w] float64: the raw map of a row, values*scale."""
        self._sample_of(model, explainer, row)
        group = self.file[f"maps/{model}/{explainer}"]
        return group["values"][row].astype(np.float64) * float(group["scale"][row])

    def map_at_image_size(self, model, explainer, row, outside=np.nan):
        """[c, height, width] float64 in the stored frame: the map upsampled to the model's input,
        then carried to the image through the sample's affine map (stretched, cropped or padded
        alike). Pixels outside of a crop become `outside` (NaN; 0 for pictures)."""
        sample = self._sample_of(model, explainer, row)
        height, width = (int(v) for v in self.file[f"models/{model}"].attrs["input_size"])
        return to_stored_frame(
            upsample_linear(self.map(model, explainer, row), height, width),
            self.file[f"models/{model}/affine"][sample],
            int(self.file["samples/height"][sample]),
            int(self.file["samples/width"][sample]),
            outside,
        )

    # ---- checks -------------------------------------------------------------------------------

    def digest(self, path):
        """SHA-256 of a dataset's bytes, as `xaudit info --digest` prints it."""
        return hashlib.sha256(self.file[path][...].tobytes()).hexdigest()

    def verify(self):
        """Compares every done map row with its checksum: a list of (model, explainer, row) that
        differ. Needs the package xxhash (Debian: python3-xxhash)."""
        try:
            import xxhash
        except ImportError as error:
            raise ImportError("verify() needs the Python package xxhash") from error
        bad = []
        for model in self.models():
            done = self.done(model)
            for explainer in self.explainers(model):
                group = self.file[f"maps/{model}/{explainer}"]
                samples, sums = group["sample"][...], group["checksum"][...]
                for row in np.flatnonzero(done[samples]):
                    found = xxhash.xxh3_64_intdigest(group["values"][row].tobytes())
                    if found & 0xFFFFFFFF != int(sums[row]):
                        bad.append((model, explainer, int(row)))
        return bad

    def _covered(self, path):
        """The datasets whose rows the checksums at `path` ("/checksums/...") are of."""
        group, kind = path[len("/checksums/"):], path.split("/")[2]
        if kind == "samples":
            return [f"/samples/{name}" for name in ("width", "height", "pixel_hash")]
        if kind == "thumbnails":
            return ["/samples/thumbnail", "/samples/thumbnail_size"]
        if kind == "logits":
            return [f"/models/{group.split('/')[1]}/logits"]
        if kind in ("baselines", "baseline_statistics"):
            return [f"/{group}"]
        left = {"models": ("logits", "class_names"), "maps": ("values", "sample")}.get(kind, ())
        found = []
        for name, member in self.file[group].items():
            if isinstance(member, h5py.Dataset):
                found += [] if name in left else [f"/{group}/{name}"]
            elif kind == "maps":
                found += [f"/{group}/{name}/{score}" for score in member]
        return found

    def verify_rows(self):
        """Compares the rows of done and failed samples (outputs, scores, statistics, ...) with
        their checksums: a list of (checksums, row) that differ. ValueError where an archive of
        format 1.1 or later has lost them. Needs the package xxhash."""
        try:
            import xxhash
        except ImportError as error:
            raise ImportError("verify_rows() needs the Python package xxhash") from error
        paths, bad = [], []
        attrs = self.file.attrs
        if "checksums" not in self.file and "evaluated_from" not in attrs:
            if int(_text(attrs["format_version"]).split(".")[1]) >= 1:  # 1.0 had none
                raise ValueError(f"{self.file.filename}: its checksums are lost; restore a copy")
        if "checksums" in self.file:
            self.file["checksums"].visititems(
                lambda name, o: paths.append(f"/checksums/{name}") if isinstance(o, h5py.Dataset) else None)
        status = {m: np.isin(self.file[f"models/{m}/status"][...], (1, 2)) for m in self.models()}
        for path in sorted(paths):
            parts = path.split("/")[2:]
            stored = self.file[path][...]
            made = np.zeros(len(stored), dtype=np.uint32)
            for covered in self._covered(path):
                seed, rows = xxhash.xxh3_64_intdigest(covered.encode()), self.file[covered]
                for row in range(len(stored)):
                    raw = np.asarray(rows[row]).tobytes() if rows.ndim > 1 else rows[row : row + 1].tobytes()
                    made[row] += np.uint32(xxhash.xxh3_64_intdigest(raw, seed=seed) & 0xFFFFFFFF)
            written = status[parts[1]] if len(parts) > 1 else np.any(list(status.values()), axis=0)
            if parts[0] == "maps":
                written = written[self.file[f"maps/{parts[1]}/{parts[2]}/sample"][...]]
            elif parts[0] in ("localisation", "statistics", "baselines", "baseline_statistics"):
                written = written[self.file["eval/sample"][...]]
            bad += [(path, int(row)) for row in np.flatnonzero(written & (made != stored))]
        return bad
