"""What a notebook shows of an archive."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, List

import numpy as np

from .archive import DONE, FAILED

if TYPE_CHECKING:
    from .archive import Archive


def _mean(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return f"{known.mean():.3f}" if known.size else "–"


def html(archive: "Archive") -> str:
    """Models with their accuracy, and the mean of every score (without its interval)."""
    out: List[str] = [f"<p><b>{escape(archive.path)}</b>: {len(archive)} images</p>"]
    for model in archive.models:
        status, right = archive.status(model), archive.correct(model)
        known = right >= 0
        facts = [f"{int((status == DONE).sum())} done"]
        if (status == FAILED).any():
            facts.append(f"{int((status == FAILED).sum())} failed")
        if known.any():
            share = 100.0 * float((right[known] == 1).mean())
            facts.append(f"accuracy {share:.1f} % of {int(known.sum())} labelled images")
        out.append(f"<p>model <b>{escape(model)}</b>: {', '.join(facts)}</p>")
        explainers = archive.explainers(model)
        metrics = sorted({k for e in explainers for k in archive.metrics(model, e)})
        if not metrics:
            out.append(f"<p>explainers: {escape(', '.join(explainers)) or 'none'}</p>")
            continue
        head = "".join(f"<th>{escape(k)}</th>" for k in metrics)
        out.append(f"<table><thead><tr><th>explainer</th>{head}</tr></thead><tbody>")
        for e in explainers:
            have = archive.metrics(model, e)
            cells = (_mean(archive.scores[model, e, k]) if k in have else "–" for k in metrics)
            out.append(
                f"<tr><td>{escape(e)}</td>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
            )
        out.append("</tbody></table>")
    if any(True for _ in archive.scores):
        out.append("<p>Means over all pairs; <code>xaudit summary</code> gives intervals.</p>")
    return "".join(out)
