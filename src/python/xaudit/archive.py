"""An archive: what is in it, which images, their maps, scores and pictures."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import h5py
import numpy as np

from . import geometry, picture
from .picture import Picture

PENDING, DONE, FAILED, EXCLUDED = range(4)
DEGENERATE, NONFINITE, SATURATED = 1, 2, 4  # bits of a map's flags
CATEGORY = 1 << 24  # class indices from here on are sets of classes: Archive.categories()
_STATUS = ("pending", "done", "failed", "excluded")
_BLOCK = 32 << 20  # bytes of maps that are read at once


class NotThisArchive(ValueError):
    """The file is not an archive of xaudit, or of a release that is not known."""


class NotInArchive(KeyError):
    """There is no such model, explainer, image or map; the message names what there is."""

    def __str__(self) -> str:  # KeyError would print quotes and \\n
        return str(self.args[0]) if self.args else ""


def text(value: Any) -> str:
    """An attribute as str, whatever kind of string it is stored as."""
    if isinstance(value, bytes):  # numpy.bytes_ too
        return value.rstrip(b"\0").decode("utf-8")
    return str(value)


def decoded(array: np.ndarray) -> np.ndarray:
    """Fixed-length UTF-8 as an array of str; other types as they are."""
    if array.dtype.kind == "S":
        flat = [item.decode("utf-8") for item in array.ravel().tolist()]
        return np.array(flat, dtype=object).reshape(array.shape)
    return array


def _opened(path: str) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False)  # a run in progress is no obstacle
    except (TypeError, ValueError):  # h5py or HDF5 without the option
        return h5py.File(path, "r")


def _choose(wanted: str, names: Sequence[str], what: str) -> str:
    """`wanted` if it is among `names`."""
    if wanted in names:
        return wanted
    near = difflib.get_close_matches(str(wanted), names, 3, 0.5)
    shown = near if near and len(names) > 12 else list(names)[:50]
    raise NotInArchive(f"no {what} {wanted!r}; there is: {', '.join(shown) if shown else 'none'}")


@dataclass(frozen=True)
class Map:
    """One map. values is [c, h, w] float64, raw (value = stored * scale); target the class that it
    explains, or -1."""

    archive: "Archive"
    model: str
    explainer: str
    row: int
    sample: int
    id: str
    target: int
    flags: int
    values: np.ndarray

    def reduced(self) -> np.ndarray:
        """[h, w]: the largest magnitude over channels; one channel as it is."""
        return reduced(self.values)

    def at_image_size(self, outside: float = np.nan) -> np.ndarray:
        """[c, height, width] float64 in the stored frame, as Archive.map_at_image_size()."""
        return self.archive._at_image_size(self.model, self.sample, self.values, outside)

    def overlay(self) -> Picture:
        """The map over its photograph."""
        return self.archive._overlay(self)


@dataclass(frozen=True)
class MeanMap:
    """The mean of maps, each divided by its largest magnitude (as /class_means of `xaudit evaluate`).
    values is [h, w] on the explainer's grid; count maps are in it, left_out were zero or not finite."""

    archive: "Archive"
    model: str
    explainer: str
    values: np.ndarray
    count: int
    left_out: int
    samples: np.ndarray

    def overlay(self, background: str = "mean", most: int = 200) -> Picture:
        """The mean map over the mean of its photographs (of the first `most` of them), both in the
        model's input frame; background "grey": over grey, without reading any image."""
        height, width = self.archive.input_size(self.model)
        if background == "grey":
            photograph = np.full((height, width, 3), 128.0)
        elif background == "mean":
            photograph = self.archive._mean_photograph(self.model, self.samples[:most], height, width)
        else:
            raise ValueError(f"background {background!r}: expected 'mean' or 'grey'")
        pixelwise = self.archive._pixelwise(self.model, self.explainer)
        shown = geometry.upsample_linear(picture.tone(self.values, pixelwise), height, width)
        return picture.blend(photograph, shown, pixelwise, bool((self.values < 0).any()))


def reduced(values: np.ndarray) -> np.ndarray:
    """[c, h, w] to [h, w]: the largest magnitude over channels; one channel as it is."""
    return values[0] if values.shape[0] == 1 else np.abs(values).max(axis=0)


class Scores(Mapping):
    """Scores of maps against annotations: scores[model, explainer, metric] is [Q] float64, one value
    per row of `pairs`; NaN is undefined or not done."""

    def __init__(self, archive: "Archive"):
        self._archive = archive

    @property
    def pairs(self) -> Tuple[np.ndarray, np.ndarray]:
        """(sample, annotated class), each [Q]."""
        group = self._archive.file.get("eval")
        if group is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        return group["sample"][...], group["class"][...]

    def __iter__(self) -> Iterator[Tuple[str, str, str]]:
        for model in self._archive.models:
            for explainer in self._archive.explainers(model):
                for metric in self._archive.metrics(model, explainer):
                    yield model, explainer, metric

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, key: Tuple[str, str, str]) -> np.ndarray:
        if not isinstance(key, tuple) or len(key) != 3:
            raise NotInArchive(f"scores[model, explainer, metric], found {key!r}")
        model, explainer = self._archive._pair(key[0], key[1])
        metric = _choose(key[2], self._archive.metrics(model, explainer), "metric")
        return self._archive.file[f"localisation/{model}/{explainer}/{metric}"][...]

    def __repr__(self) -> str:
        return "scores of " + ", ".join("/".join(key) for key in self)


class Archive:
    """An archive. Close it, or use it in `with`.

    Rows. Masks, /samples, /models/<m> and done() count samples; the maps of an explainer have rows
    of their own, since a sample may be explained for several classes or for none. rows() says which
    sample and class each is, row_of() finds one.

    Where a method takes `model` and there is one model, None stands for it.
    """

    def __init__(
        self,
        path: Union[str, "os.PathLike[str]"],
        image_root: Optional[Union[str, "os.PathLike[str]"]] = None,
    ):
        self.path = os.fspath(path)
        self._sources: Dict[str, h5py.File] = {}
        self.file = _opened(self.path)
        attrs = self.file.attrs
        found = text(attrs["format"]) if "format" in attrs else "no format"
        version = text(attrs["format_version"]) if "format_version" in attrs else ""
        if found != "xaudit" or version.split(".")[0] != "1":
            self.close()
            raise NotThisArchive(
                f"{self.path}: expected an archive of xaudit, format 1.x, found {found} {version}"
            )
        root = image_root if image_root is not None else text(attrs.get("image_root", "."))
        self.image_root = os.fspath(root)
        self._ids: Optional[Dict[str, int]] = None

    def close(self) -> None:
        """Closes the file."""
        for source in self._sources.values():
            source.close()
        self.file.close()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self.file["samples/id"].shape[0])

    def __repr__(self) -> str:
        return f"<archive {self.path}: {len(self)} images, models {', '.join(self.models)}>"

    def _repr_html_(self) -> str:
        from . import notebook

        return notebook.html(self)

    # ---- what is in it ------------------------------------------------------------------------

    def _names(self, group: str) -> List[str]:
        return sorted(self.file[group]) if group in self.file else []

    @property
    def models(self) -> List[str]:
        """Names of the models."""
        return self._names("models")

    def explainers(self, model: Optional[str] = None) -> List[str]:
        """Names of the explainers that have maps of the model."""
        return self._names(f"maps/{self._model(model)}")

    def metrics(self, model: str, explainer: str) -> List[str]:
        """Names of the metrics by which the explainer's maps are scored."""
        return self._names(f"localisation/{model}/{explainer}")

    def checks(self, model: str, explainer: str) -> List[str]:
        """Names of the checks of the explainer's maps against the model."""
        return self._names(f"checks/{model}/{explainer}")

    def _model(self, model: Optional[str]) -> str:
        names = self.models
        if model is not None:
            return _choose(model, names, "model")
        if len(names) != 1:
            raise NotInArchive(f"several models: name one of {', '.join(names)}")
        return names[0]

    def _pair(self, model: Optional[str], explainer: str) -> Tuple[str, str]:
        model = self._model(model)
        return model, _choose(explainer, self.explainers(model), f"explainer of {model}")

    def attributes(self, path: str) -> Dict[str, Any]:
        """Attributes of a group or dataset as a dict, texts as str."""
        out: Dict[str, Any] = {}
        for name, value in self.file[path].attrs.items():
            if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
                value = [text(item) for item in value.ravel()]
            elif isinstance(value, (bytes, str)):
                value = text(value)
            out[name] = value
        return out

    def job(self) -> str:
        """The job as YAML text. Beyond the 64 KiB of an attribute it is a dataset."""
        if "job" in self.file.attrs:
            return text(self.file.attrs["job"])
        return text(self.file["job"][0])

    # ---- images -------------------------------------------------------------------------------

    def samples(self) -> Dict[str, np.ndarray]:
        """The samples as a dict of columns, each [N]: id, path, label, ..., the manifest's further
        columns as "extra/<column>", and every model's status as "status/<model>"."""
        group = self.file["samples"]
        out = {}
        for name, item in group.items():
            if isinstance(item, h5py.Dataset):
                out[name] = decoded(item[...])
        for name in self._names("samples/extra"):
            out[f"extra/{name}"] = decoded(group[f"extra/{name}"][...])
        for model in self.models:
            out[f"status/{model}"] = self.status(model)
        return out

    @property
    def ids(self) -> np.ndarray:
        """[N] str: the names of the samples."""
        return decoded(self.file["samples/id"][...])

    def index(self, id: str) -> int:
        """The row of a sample in /samples."""
        if self._ids is None:
            self._ids = {name: i for i, name in enumerate(self.ids)}
        if id not in self._ids:
            _choose(id, list(self._ids), "image")
        return self._ids[id]

    def row(self, id: str) -> Dict[str, Any]:
        """What is known of a sample: its columns of the manifest, its labels and, per model, what the
        model answered."""
        i = self.index(id)
        out: Dict[str, Any] = {}
        group = self.file["samples"]
        for name, item in group.items():
            if isinstance(item, h5py.Dataset) and item.ndim == 1 and name != "label":
                out[name] = text(item[i]) if item.dtype.kind == "S" else item[i].item()
        for name in self._names("samples/extra"):
            out[name] = text(group[f"extra/{name}"][i])
        out["labels"] = [self.class_name(c) for c in self.labels()[i]]
        out["models"] = {}
        for model in self.models:
            rows = self.file[f"models/{model}"]
            answer: Dict[str, Any] = {"status": _STATUS[int(rows["status"][i])], "message": text(rows["message"][i])}
            predicted = int(rows["predicted"][i])
            if predicted >= 0:
                answer["predicted"] = self.class_name(predicted, model)
                answer["probability"] = float(rows["probs"][i, predicted])
            out["models"][model] = answer
        return out

    def labels(self) -> List[List[int]]:
        """The labels of each sample, as classes (or sets of them: categories())."""
        offset = self.file["samples/labels/offset"][...]
        value = self.file["samples/labels/value"][...].tolist()
        return [value[offset[i] : offset[i + 1]] for i in range(len(offset) - 1)]

    def categories(self) -> Dict[int, Tuple[str, List[int]]]:
        """Sets of classes that stand where a class does (samples' labels, annotations, pairs of
        /eval), as {index: (name, classes)}; a map's target is always a class."""
        if "eval" not in self.file:
            return {}
        lines = text(self.file["eval"].attrs.get("categories", "")).splitlines()
        return {
            CATEGORY + k: (line.split("\t")[1], [int(c) for c in line.split("\t")[0].split("|")])
            for k, line in enumerate(lines)
        }

    def class_names(self, model: Optional[str] = None) -> List[str]:
        """Names of the model's classes; numbers where the job had no names."""
        model = self._model(model)
        path = f"models/{model}/class_names"
        if path in self.file:
            return [str(name) for name in decoded(self.file[path][...])]
        return [str(c) for c in range(self.file[f"models/{model}/logits"].shape[1])]

    @property
    def classes(self) -> List[str]:
        """Names of the classes, which all models must share."""
        names = [self.class_names(model) for model in self.models]
        if any(n != names[0] for n in names):
            raise ValueError("the models have other classes each: ask class_names(model)")
        return names[0] if names else []

    def class_name(self, index: int, model: Optional[str] = None) -> str:
        """The name of a class, or of a set of classes."""
        if index >= CATEGORY:
            return self.categories()[index][0]
        names = self.class_names(model if model is not None else self.models[0])
        return names[index] if 0 <= index < len(names) else str(index)

    def _class_index(self, name: Union[str, int], model: Optional[str]) -> int:
        if isinstance(name, (int, np.integer)):
            return int(name)
        names = self.class_names(model if model is not None else self.models[0])
        for index, (category, _) in self.categories().items():
            if category == name:
                return index
        return names.index(_choose(name, names, "class"))

    def _has(self, label: int, answer: int) -> bool:
        """An answer is right for a label: it is it, or in it."""
        if label < CATEGORY:
            return label == answer
        return answer in self.categories()[label][1]

    def correct(self, model: Optional[str] = None) -> np.ndarray:
        """[N] int8: 1 the model's answer is a label of the sample, 0 it is not, -1 no label or no
        answer."""
        predicted = self.predicted(model)
        out = np.full(len(self), -1, dtype=np.int8)
        for i, labels in enumerate(self.labels()):
            if labels and predicted[i] >= 0:
                out[i] = any(self._has(label, int(predicted[i])) for label in labels)
        return out

    def where(
        self,
        model: Optional[str] = None,
        *,
        label: Optional[Union[str, int]] = None,
        predicted: Optional[Union[str, int]] = None,
        correct: Optional[bool] = None,
        **columns: str,
    ) -> np.ndarray:
        """[N] bool: the samples that the model is done with and for which all of it holds. `columns`
        are columns of the manifest: split="test", site="A". Masks are joined by & and |."""
        model = self._model(model)
        keep = self.done(model)
        if label is not None:
            wanted = self._class_index(label, model)
            keep &= np.array([wanted in labels for labels in self.labels()], dtype=bool)
        if predicted is not None:
            keep &= self.predicted(model) == self._class_index(predicted, model)
        if correct is not None:
            keep &= self.correct(model) == int(correct)
        for name, value in columns.items():
            path = f"samples/{name}" if f"samples/{name}" in self.file else f"samples/extra/{name}"
            if path not in self.file or self.file[path].ndim != 1:
                have = [n for n, d in self.file["samples"].items() if getattr(d, "ndim", 0) == 1]
                _choose(name, have + self._names("samples/extra"), "column of the manifest")
            keep &= decoded(self.file[path][...]) == value
        return keep

    # ---- models -------------------------------------------------------------------------------

    def input_size(self, model: Optional[str] = None) -> Tuple[int, int]:
        """(height, width) of the model's input."""
        height, width = self.file[f"models/{self._model(model)}"].attrs["input_size"]
        return int(height), int(width)

    def status(self, model: Optional[str] = None) -> np.ndarray:
        """[N] uint8: PENDING, DONE, FAILED, EXCLUDED."""
        return self.file[f"models/{self._model(model)}/status"][...]

    def done(self, model: Optional[str] = None) -> np.ndarray:
        """[N] bool: the samples whose rows are whole."""
        return self.status(model) == DONE

    def logits(self, model: Optional[str] = None) -> np.ndarray:
        """[N, C] float32, NaN where not done."""
        return self.file[f"models/{self._model(model)}/logits"][...]

    def probs(self, model: Optional[str] = None) -> np.ndarray:
        """[N, C] float32, NaN where not done."""
        return self.file[f"models/{self._model(model)}/probs"][...]

    def predicted(self, model: Optional[str] = None) -> np.ndarray:
        """[N] int32, -1 where not done."""
        return self.file[f"models/{self._model(model)}/predicted"][...]

    def messages(self, model: Optional[str] = None) -> np.ndarray:
        """[N] str: why a sample failed, else empty."""
        return decoded(self.file[f"models/{self._model(model)}/message"][...])

    # ---- scores -------------------------------------------------------------------------------

    @property
    def scores(self) -> Scores:
        """Scores of maps against annotations: scores[model, explainer, metric]."""
        return Scores(self)

    def check(self, model: str, explainer: str, check: str) -> Dict[str, Any]:
        """A check of the maps against the model: status [R], figures {name: [R]}, and where they are
        stored scores and probs [R, blocks, points], with the names of blocks."""
        model, explainer = self._pair(model, explainer)
        check = _choose(check, self.checks(model, explainer), "check")
        group = self.file[f"checks/{model}/{explainer}/{check}"]
        out: Dict[str, Any] = {"status": group["status"][...], "figures": {}, "blocks": []}
        if "figures" in group:
            names = self.attributes(f"{group.name}/figures").get("figures", [])
            names = names.split() if isinstance(names, str) else list(names)
            values = group["figures"][...]
            out["figures"] = {name: values[:, k] for k, name in enumerate(names)}
        for name in ("scores", "probs"):
            if name in group:
                out[name] = group[name][...]
                blocks = self.attributes(f"{group.name}/{name}").get("blocks", [])
                out["blocks"] = blocks.split() if isinstance(blocks, str) else list(blocks)
        return out

    def table(self) -> Dict[str, np.ndarray]:
        """Columns of a tidy table, a line per image, model, map and annotated class, as
        `xaudit table --csv` has them."""
        from . import table

        return table.columns(self)

    def frame(self) -> Any:
        """table() as a pandas.DataFrame. Needs pandas."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError("frame() needs the package pandas; table() does without") from error
        return pandas.DataFrame(self.table())

    # ---- maps ---------------------------------------------------------------------------------

    def rows(self, model: Optional[str], explainer: str) -> Tuple[np.ndarray, np.ndarray]:
        """(sample, target), each [R]: what each map row explains; target -1: not done."""
        model, explainer = self._pair(model, explainer)
        group = self.file[f"maps/{model}/{explainer}"]
        return group["sample"][...], group["target"][...]

    def row_of(
        self, model: Optional[str], explainer: str, sample: int, target: Optional[int] = None
    ) -> int:
        """The first map row of a sample (of the class `target`, if given)."""
        samples, targets = self.rows(model, explainer)
        fits = samples == sample
        if target is not None:
            fits &= targets == target
        found = np.flatnonzero(fits)
        if found.size == 0:
            wanted = f"sample {sample}" + ("" if target is None else f", class {target}")
            raise NotInArchive(f"maps/{model}/{explainer}: no row for {wanted}")
        return int(found[0])

    def _values(self, model: str, explainer: str) -> h5py.Dataset:
        """The stored maps; an evaluation has a link to those of the archive that it was made from."""
        path = f"maps/{model}/{explainer}/values"
        link = self.file.get(path, getlink=True)
        if not isinstance(link, h5py.ExternalLink):
            return self.file[path]
        name = os.path.join(os.path.dirname(self.path), link.filename)
        if name not in self._sources:
            try:
                self._sources[name] = _opened(name)
            except OSError as error:
                raise NotInArchive(f"{self.path} has scores of the maps of {name}, which is missing: {error}") from error
        return self._sources[name][link.path]

    def maps(
        self, model: Optional[str], explainer: str, where: Optional[np.ndarray] = None
    ) -> Iterator[Map]:
        """The maps of an explainer, one after the other, read in blocks: of all samples that are
        done, or of those of the mask `where` [N]."""
        model, explainer = self._pair(model, explainer)
        group, values = self.file[f"maps/{model}/{explainer}"], self._values(model, explainer)
        samples, targets = group["sample"][...], group["target"][...]
        flags, scale = group["flags"][...], group["scale"][...]
        keep = self.done(model)
        if where is not None:
            where = np.asarray(where)
            if where.dtype != bool or where.shape != keep.shape:
                raise ValueError(
                    f"where: expected {len(keep)} booleans, one per sample, found "
                    f"{where.dtype} {where.shape}"
                )
            keep = keep & where
        wanted, ids = np.flatnonzero(keep[samples]), self.ids
        step = max(1, _BLOCK // max(1, int(np.prod(values.shape[1:])) * values.dtype.itemsize))
        at = 0
        while at < len(wanted):
            end = at + 1  # rows that follow one another are read at once
            while end < len(wanted) and end - at < step and wanted[end] == wanted[end - 1] + 1:
                end += 1
            block = values[wanted[at] : wanted[end - 1] + 1].astype(np.float64)
            for k in range(at, end):
                row = int(wanted[k])
                i = int(samples[row])
                yield Map(
                    self, model, explainer, row, i, ids[i], int(targets[row]), int(flags[row]),
                    block[k - at] * float(scale[row]),
                )  # fmt: skip
            at = end

    def _sample_of(self, model: str, explainer: str, row: int) -> int:
        """The sample of a map row, which must be done: rows that are not hold anything."""
        sample = int(self.file[f"maps/{model}/{explainer}/sample"][row])
        status = int(self.file[f"models/{model}/status"][sample])
        if status != DONE:
            raise ValueError(
                f"maps/{model}/{explainer}: row {row} has no map: its sample is {_STATUS[status]}"
            )
        return sample

    def map(self, model: Optional[str], explainer: str, row: int) -> np.ndarray:
        """[c, h, w] float64: the raw map of a row, values*scale."""
        model, explainer = self._pair(model, explainer)
        self._sample_of(model, explainer, row)
        scale = float(self.file[f"maps/{model}/{explainer}/scale"][row])
        return self._values(model, explainer)[row].astype(np.float64) * scale

    def _at_image_size(
        self, model: str, sample: int, values: np.ndarray, outside: float
    ) -> np.ndarray:
        return geometry.to_stored_frame(
            geometry.upsample_linear(values, *self.input_size(model)),
            self.file[f"models/{model}/affine"][sample],
            int(self.file["samples/height"][sample]),
            int(self.file["samples/width"][sample]),
            outside,
        )

    def map_at_image_size(
        self, model: Optional[str], explainer: str, row: int, outside: float = np.nan
    ) -> np.ndarray:
        """[c, height, width] float64 in the stored frame: the map upsampled to the model's input,
        then carried to the image through the sample's affine map (stretched, cropped or padded
        alike). Pixels outside of a crop become `outside` (NaN; 0 for pictures)."""
        model, explainer = self._pair(model, explainer)
        sample = self._sample_of(model, explainer, row)
        return self._at_image_size(model, sample, self.map(model, explainer, row), outside)

    def mean_map(
        self, model: Optional[str], explainer: str, where: Optional[np.ndarray] = None
    ) -> MeanMap:
        """The mean of maps, each over its largest magnitude; of all samples, or of those of `where`."""
        model, explainer = self._pair(model, explainer)
        total: Optional[np.ndarray] = None
        count, left_out, samples = 0, 0, []
        for m in self.maps(model, explainer, where):
            cells = m.reduced()
            largest = float(np.abs(cells).max())
            if m.flags & (DEGENERATE | NONFINITE) or not 0.0 < largest < np.inf:
                left_out += 1
                continue
            total = cells / largest if total is None else total + cells / largest
            count += 1
            samples.append(m.sample)
        if total is None:
            raise NotInArchive(
                f"maps/{model}/{explainer}: none to take a mean of"
                + (f" ({left_out} are zero or not finite)" if left_out else "")
            )
        return MeanMap(
            self, model, explainer, total / count, count, left_out, np.unique(np.array(samples))
        )

    # ---- pictures -----------------------------------------------------------------------------

    def photograph(self, sample: Union[int, str]) -> np.ndarray:
        """[height, width, 3] uint8: the image in the stored frame, read from its file (needs Pillow),
        or the picture that the archive keeps of it (smaller)."""
        from . import photograph

        return photograph.read(self, self.index(sample) if isinstance(sample, str) else int(sample))

    def _mean_photograph(
        self, model: str, samples: np.ndarray, height: int, width: int
    ) -> np.ndarray:
        from . import photograph

        return photograph.mean(self, model, samples, height, width)

    def _pixelwise(self, model: str, explainer: str) -> bool:
        kind = text(self.file[f"maps/{model}/{explainer}"].attrs.get("kind", ""))
        return kind in picture.PIXELWISE

    def _overlay(self, m: Map) -> Picture:
        photograph = self.photograph(m.sample)
        pixelwise = self._pixelwise(m.model, m.explainer)
        values = m.reduced()
        shown = geometry.map_at_picture(
            picture.tone(values, pixelwise),
            self.input_size(m.model),
            self.file[f"models/{m.model}/affine"][m.sample],
            (int(self.file["samples/height"][m.sample]), int(self.file["samples/width"][m.sample])),
            photograph.shape[:2],
        )
        return picture.blend(photograph, shown, pixelwise, bool((values < 0).any()))

    def overlay(
        self, id: str, model: Optional[str] = None, explainer: Optional[str] = None
    ) -> Picture:
        """The first map of an image over its photograph, as `xaudit figure` draws it."""
        model = self._model(model)
        names = self.explainers(model)
        if explainer is None and len(names) != 1:
            raise NotInArchive(f"several explainers of {model}: name one of {', '.join(names)}")
        model, explainer = self._pair(model, names[0] if explainer is None else explainer)
        row = self.row_of(model, explainer, self.index(id))
        group = self.file[f"maps/{model}/{explainer}"]
        values = self.map(model, explainer, row)
        return self._overlay(
            Map(self, model, explainer, row, self.index(id), id, int(group["target"][row]),
                int(group["flags"][row]), values)
        )  # fmt: skip

    # ---- checksums ----------------------------------------------------------------------------

    def digest(self, path: str) -> str:
        """SHA-256 of a dataset's bytes, as `xaudit info --digest` prints it."""
        from . import verify

        return verify.digest(self, path)

    def verify(self) -> List[Tuple[str, str, int]]:
        """Compares every done map row with its checksum: a list of (model, explainer, row) that
        differ. Needs the package xxhash (Debian: python3-xxhash)."""
        from . import verify

        return verify.maps(self)

    def verify_rows(self) -> List[Tuple[str, int]]:
        """Compares the rows of done and failed samples (outputs, scores, statistics, ...) with
        their checksums: a list of (checksums, row) that differ. ValueError where an archive of
        format 1.1 or later has lost them. Needs the package xxhash."""
        from . import verify

        return verify.rows(self)
