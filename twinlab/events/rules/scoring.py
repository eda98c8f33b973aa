"""Precision, recall and delay of found exceptions compared with a known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.events.reading import duration_ns

__all__ = ["Score", "score"]

_FIRST, _LAST = np.iinfo(np.int64).min // 2, np.iinfo(np.int64).max // 2


@dataclass(frozen=True)
class Score:
    """Precision, recall and delay of found spans."""

    # Share of the found ones that are true, and of the true ones that were found; NaN if there are none.
    precision: float
    recall: float
    f1: float
    # Numbers of found and true spans, and of each how many have a counterpart.
    found: int
    truth: int
    found_matched: int
    matched: int
    # Mean time from the true beginning to when the first of its counterparts was raised; NaT if nothing matched.
    mean_delay: pd.Timedelta

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f}, F1 {self.f1:.3f}: {self.found_matched} of {self.found} "
            f"found are true, {self.matched} of {self.truth} true ones found, raised {self.mean_delay} after they began"
        )


def score(found: pd.DataFrame, truth: pd.DataFrame, *, slack: str = "10min") -> Score:
    """Compare found exceptions with the truth.

    A found span matches a true one if both have the same asset (or the same event, if both name one; and the same rule, if
    both name one) and they overlap, or are at most ``slack`` apart. One may match several: a true span found in two parts
    counts once as found, and both parts count as true.

    Parameters
    ----------
    found, truth : DataFrame
        ``asset`` or ``event_id``, and ``since, until`` or ``start, end``; optionally ``rule``, and ``raised`` of what was
        found. NaT is an unknown beginning, or no end yet. Naive UTC.
    slack : str
        A duration.

    Raises
    ------
    SchemaError
        If a column is missing or ``slack`` is no duration.

    >>> span = {"asset": ["a"], "since": pd.to_datetime(["2026-01-01"]), "until": pd.to_datetime(["2026-01-02"])}
    >>> score(pd.DataFrame(span), pd.DataFrame(span)).f1
    1.0
    """
    near = duration_ns(slack)
    ours, theirs = _spans(found, "found"), _spans(truth, "truth")
    keys = ["rule"] if "rule" in found and "rule" in truth else []
    by_event = _named(found, "event_id") & _named(truth, "event_id")
    keys.append("event_id" if by_event else "asset")
    for name, table in (("found", found), ("truth", truth)):
        if keys[-1] not in table:
            msg = f"expected the column {keys[-1]} in {name}; it has {', '.join(map(str, table.columns))}"
            raise SchemaError(msg)
    one, other = _group_codes(found, truth, keys)
    pairs = _overlaps(one, ours, other, theirs, near)
    hit_found = np.zeros(len(found), dtype=bool)
    hit_truth = np.zeros(len(truth), dtype=bool)
    hit_found[pairs[0]], hit_truth[pairs[1]] = True, True
    precision = hit_found.mean() if len(found) else np.nan
    recall = hit_truth.mean() if len(truth) else np.nan
    both = precision + recall
    return Score(
        precision=float(precision),
        recall=float(recall),
        f1=float(2 * precision * recall / both) if both > 0 else (np.nan if np.isnan(both) else 0.0),
        found=len(found),
        truth=len(truth),
        found_matched=int(hit_found.sum()),
        matched=int(hit_truth.sum()),
        mean_delay=_delay(found, ours, theirs, pairs),
    )


def _named(table: pd.DataFrame, column: str) -> bool:
    return column in table and bool(len(table)) and bool((table[column].fillna("") != "").all())


def _spans(table: pd.DataFrame, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    for first, last in (("since", "until"), ("start", "end")):
        if first in table and last in table:
            return _ns(table[first], _FIRST), _ns(table[last], _LAST)
    msg = f"expected the columns since and until (or start and end) in {name}; it has {', '.join(map(str, table.columns))}"
    raise SchemaError(msg)


def _ns(column: pd.Series, nothing: int) -> NDArray[np.int64]:
    found = pd.to_datetime(column).to_numpy(dtype="datetime64[ns]")
    return np.where(np.isnat(found), nothing, found.astype("int64"))


def _group_codes(
    found: pd.DataFrame, truth: pd.DataFrame, keys: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    both = pd.concat([found[keys].astype("str"), truth[keys].astype("str")], ignore_index=True)
    codes = both.groupby(keys, sort=False).ngroup().to_numpy().astype(np.int64)
    return codes[: len(found)], codes[len(found) :]


def _overlaps(
    one: NDArray[np.int64],
    ours: tuple[NDArray[np.int64], NDArray[np.int64]],
    other: NDArray[np.int64],
    theirs: tuple[NDArray[np.int64], NDArray[np.int64]],
    near: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of rows of one group whose spans are at most ``near`` apart."""
    left = pd.DataFrame({"group": one, "mine": np.arange(len(one))})
    right = pd.DataFrame({"group": other, "yours": np.arange(len(other))})
    pairs = left.merge(right, on="group")
    mine, yours = pairs["mine"].to_numpy(), pairs["yours"].to_numpy()
    close = (ours[0][mine] <= theirs[1][yours] + near) & (theirs[0][yours] <= ours[1][mine] + near)
    return mine[close], yours[close]


def _delay(
    found: pd.DataFrame,
    ours: tuple[NDArray[np.int64], NDArray[np.int64]],
    theirs: tuple[NDArray[np.int64], NDArray[np.int64]],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> pd.Timedelta:
    """Return the mean time from each true beginning to the first exception raised."""
    told = _ns(found["raised"], _FIRST) if "raised" in found else ours[0]
    mine, yours = pairs
    sure = (told[mine] != _FIRST) & (theirs[0][yours] != _FIRST)
    if not sure.any():
        return pd.Timedelta("NaT")
    first = pd.Series(told[mine[sure]]).groupby(yours[sure]).min()
    delays = first.to_numpy() - theirs[0][first.index.to_numpy()]
    return pd.Timedelta(round(float(delays.mean())), "ns")
