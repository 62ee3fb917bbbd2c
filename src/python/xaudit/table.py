"""The archive as a tidy table: a line per image, model, map and annotated class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

import numpy as np

from .archive import CATEGORY, DEGENERATE, DONE, NONFINITE, _STATUS, decoded, text

if TYPE_CHECKING:
    from .archive import Archive

_MANIFEST = ("path", "split", "group", "exclude")


def _class_text(names: List[str], categories: Dict[int, Tuple[str, List[int]]], c: int) -> str:
    if c >= CATEGORY and c in categories:
        return categories[c][0]
    return names[c] if 0 <= c < len(names) else str(c)


class _Explainer:
    """The columns of one explainer, read once."""

    def __init__(self, archive: "Archive", model: str, name: str):
        group = archive.file[f"maps/{model}/{name}"]
        attrs = archive.attributes(group.name)
        self.name = name
        self.sample, self.target = group["sample"][...], group["target"][...]
        self.flags, self.maximum, self.peak = group["flags"][...], group["maximum"][...], group["peak"][...]
        self.unit = "unit" in str(attrs.get("target", ""))
        self.minus = int(attrs.get("minus", -1))
        self.down = attrs.get("direction", "up") == "down"
        self.facts = {k: group["scores"][k][...] for k in group.get("scores", {})}
        if "completeness" in group:
            self.facts["completeness"] = group["completeness"][...]
        self.scores = {
            k: archive.file[f"localisation/{model}/{name}/{k}"][...] for k in archive.metrics(model, name)
        }

    def rows_of(self, sample: int) -> range:
        """Rows of a sample follow one another."""
        first = int(np.searchsorted(self.sample, sample, "left"))
        return range(first, int(np.searchsorted(self.sample, sample, "right")))

    def target_text(self, row: int, names: List[str], categories: Dict[int, Any]) -> str:
        c = int(self.target[row])
        if c < 0:
            return ""
        out = f"unit {c}" if self.unit else _class_text(names, categories, c)
        if self.minus >= 0:
            out += " - " + _class_text(names, categories, self.minus)
        return out + (" (down)" if self.down else "")


def _row_of_pair(x: _Explainer, sample: int, target: int) -> Optional[int]:
    """The map row that was scored for a class: the one that explains it, else the sample's only one."""
    rows = x.rows_of(sample)
    for row in rows:
        if int(x.target[row]) == target:
            return row
    return rows[0] if len(rows) == 1 else None


def columns(archive: "Archive") -> Dict[str, np.ndarray]:
    """Columns of text (object) and of float64, NaN where there is no value."""
    categories = archive.categories()
    ids, labels = archive.ids, archive.labels()
    pair_sample, pair_class = archive.scores.pairs
    samples = archive.samples()
    manifest = {name: samples[name] for name in _MANIFEST}
    manifest.update({n[len("extra/") :]: v for n, v in samples.items() if n.startswith("extra/")})
    models = []
    for model in archive.models:
        group = archive.file[f"models/{model}"]
        models.append(
            {
                "name": model,
                "names": archive.class_names(model),
                "status": group["status"][...],
                "message": decoded(group["message"][...]),
                "predicted": group["predicted"][...],
                "logits": group["logits"][...] if categories else None,
                "probs": group["probs"][...],
                "values": text(group.attrs.get("head", "")) == "regression",
                "maps": [_Explainer(archive, model, name) for name in archive.explainers(model)],
            }
        )
    metrics: List[str] = []
    facts: List[str] = []
    for m in models:
        for x in m["maps"]:
            metrics += [k for k in x.scores if k not in metrics]
            facts += [k for k in x.facts if k not in facts]
    words = ["id", "label", "model", "status", "message", "predicted", "explainer", "target", "annotated_class"]
    numbers = ["prob_predicted", "prob_target", "degenerate", "nonfinite", "maximum", "peak_x", "peak_y"]
    order = words[:6] + ["prob_predicted"] + words[6:8] + numbers[1:] + words[8:]
    lines: List[Dict[str, Any]] = []

    def line(m: Dict[str, Any], i: int, x: Optional[_Explainer], row: Optional[int], pair: Optional[int]) -> None:
        names, done = m["names"], int(m["status"][i]) == DONE

        def probability(c: int) -> float:
            return float(m["probs"][i, c]) if 0 <= c < m["probs"].shape[1] else np.nan

        out: Dict[str, Any] = {
            "id": ids[i],
            "label": "|".join(_class_text(names, categories, c) for c in labels[i]),
            "model": m["name"],
            "status": _STATUS[int(m["status"][i])],
            "message": m["message"][i],
            "explainer": x.name if x else "",
        }
        if done:
            c = int(m["predicted"][i])
            out["predicted"] = "" if m["values"] else _class_text(names, categories, c)
            out["prob_predicted"] = probability(c)
        if x and done and row is not None:
            out["target"] = x.target_text(row, names, categories)
            out["prob_target"] = probability(int(x.target[row]))
            out["degenerate"] = float(bool(x.flags[row] & DEGENERATE))
            out["nonfinite"] = float(bool(x.flags[row] & NONFINITE))
            out["maximum"] = float(x.maximum[row])
            out["peak_x"], out["peak_y"] = (float(v) for v in x.peak[row])
            for name, values in x.facts.items():
                out["fact." + name] = float(values[row])
        if pair is not None:
            out["annotated_class"] = _class_text(names, categories, int(pair_class[pair]))
            if x:
                for name, values in x.scores.items():
                    out["metric." + name] = float(values[pair])
        for name, values in manifest.items():
            out["manifest." + name] = values[i]
        lines.append(out)

    def target_of(m: Dict[str, Any], i: int, c: int) -> int:
        if c < CATEGORY:
            return c
        members = categories[c][1]
        logits = m["logits"][i, members]
        return int(members[int(np.argmax(logits))]) if np.isfinite(logits).all() else -1

    for i in range(len(ids)):
        pairs = range(int(np.searchsorted(pair_sample, i, "left")), int(np.searchsorted(pair_sample, i, "right")))
        for m in models:
            if not m["maps"]:
                line(m, i, None, None, None)
            for x in m["maps"]:
                if len(pairs):
                    for q in pairs:
                        line(m, i, x, _row_of_pair(x, i, target_of(m, i, int(pair_class[q]))), q)
                elif len(x.rows_of(i)):
                    for row in x.rows_of(i):
                        line(m, i, x, row, None)
                else:
                    line(m, i, x, None, None)

    out: Dict[str, np.ndarray] = {}

    def add(name: str, key: str, origin: str, is_text: bool) -> None:
        name = f"{origin}.{name}" if name in out else name  # a taken name says where it is from
        if is_text:
            column = np.empty(len(lines), dtype=object)
            column[:] = [one.get(key, "") for one in lines]
        else:
            column = np.array([one.get(key, np.nan) for one in lines], dtype=np.float64)
        out[name] = column

    for name in order:
        add(name, name, "", name in words)
    for name in metrics:
        add(name, "metric." + name, "metric", False)
    for name in facts:
        add(name, "fact." + name, "fact", False)
    for name in manifest:
        add(name, "manifest." + name, "manifest", True)
    return out
