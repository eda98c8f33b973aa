"""What annotations say of cells: a code for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["CODES", "AnnotatedSpan", "codes_of", "spans_of_signal"]

#: Codes of cells, and their meanings.
CODES = {"none": 0, "comment": 1, "accepted": 2, "rejected": 3}
_VERDICTS = {"accept": CODES["accepted"], "reject": CODES["rejected"]}


@dataclass(frozen=True, slots=True)
class AnnotatedSpan:
    """A span [start, stop) of one asset (id) with a code, in ns since 1970."""

    asset: str
    start: int
    stop: int
    code: int


def spans_of_signal(annotations: pd.DataFrame, asset_type: str, signal: str) -> tuple[AnnotatedSpan, ...]:
    """Return the spans of one signal that have a verdict or a note, in the order in which they apply: the last one counts.

    A comment doesn't cover a verdict.
    """
    mine = annotations[
        (annotations["kind"] == "span")
        & (annotations["signal"] == signal)
        & annotations["asset"].str.startswith(f"{asset_type}/")
    ]
    found = []
    times = [mine[name].to_numpy("datetime64[ns]").astype(np.int64).tolist() for name in ("start", "stop")]
    texts = [mine[name].astype(object).tolist() for name in ("asset", "verdict", "note")]
    for asset, verdict, note, start, stop in zip(*texts, *times, strict=True):
        code = _VERDICTS.get(verdict, CODES["comment"] if note else CODES["none"])
        if code:
            found.append(AnnotatedSpan(asset.partition("/")[2], start, stop, code))
    return tuple(sorted(found, key=lambda one: one.code != CODES["comment"]))


def codes_of(times: NDArray[np.int64], spans: tuple[AnnotatedSpan, ...]) -> NDArray[np.uint8]:
    """Return the code of each cell of one asset, by the start of the cell in ns since 1970.

    >>> codes_of(np.arange(4), (AnnotatedSpan("3", 1, 3, 3), AnnotatedSpan("3", 2, 3, 2))).tolist()
    [0, 3, 2, 0]
    """
    out = np.zeros(times.shape, dtype=np.uint8)
    for one in spans:
        out[(times >= one.start) & (times < one.stop)] = one.code
    return out
