"""Counts and shares of the flags of every signal over a window, worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.views.heatmap.reading import FLAGS, whole_bins
from twinlab.history.read.direct import computed
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.explore.charts.reading import Window
    from twinlab.model.reader import TwinReader

__all__ = ["flag_counts", "summary_step", "worst_first"]

#: Least number of rollup cells in a window, so that the whole cells at its ends change the counts little.
_CELLS = 24
#: Order of the columns; a phone shows only the first few.
_ORDER = ("asset_type", "signal", "what", "not_pass", "fail", "suspect", "missing", "pass", "not_evaluated", "coverage")
_NAMES = tuple(flag.name.lower() for flag in FLAGS)


def summary_step(twin: TwinReader, asset_type: str, signal: str, window: Window) -> str | None:
    """Return the coarsest rollup step with enough cells in a window; None for raw samples."""
    span = int((window[1] - window[0]).astype("timedelta64[ns]").astype("int64"))
    fitting = [s for s in twin.steps(asset_type, signal) if span >= _CELLS * parse_duration(s)]
    return fitting[-1] if fitting else None


def flag_counts(twin: TwinReader, window: Window) -> pd.DataFrame:
    """Count the samples of each signal of each asset type, by flag, in whole cells of a rollup.

    Returns
    -------
    DataFrame
        One row for each signal that has samples or should have them, worst first: ``asset_type``, ``signal``, ``what``
        (title), ``not_pass`` (failed, missing and suspect samples, percent of those due), ``fail``, ``suspect``,
        ``missing``, ``pass``, ``not_evaluated`` (samples), ``coverage`` (received samples, percent of those due),
        ``assets`` (number).
    """
    rows = [row for kind in twin.model.asset_types for row in _of_type(twin, kind, window)]
    columns = ["asset_type", "signal", "what", "assets", "fail", "missing", "suspect", "pass", "not_evaluated"]
    return worst_first(pd.DataFrame(rows, columns=columns))


def worst_first(counts: pd.DataFrame) -> pd.DataFrame:
    """Add ``coverage`` and ``not_pass`` in percent, and sort by the shares of failed, missing and suspect samples.

    >>> counts = pd.DataFrame({"fail": [0, 1], "missing": [2, 0], "suspect": 0, "pass": [8, 9], "not_evaluated": 0})
    >>> worst_first(counts)[["fail", "coverage", "not_pass"]].values.tolist()
    [[1.0, 100.0, 10.0], [0.0, 80.0, 20.0]]
    """
    received = counts["pass"] + counts["suspect"] + counts["fail"]
    due = (received + counts["missing"]).astype(float).replace(0.0, np.nan)
    bad = counts["suspect"] + counts["fail"] + counts["missing"]
    out = counts.assign(coverage=100.0 * received / due, not_pass=100.0 * bad / due)
    out = out[[*(name for name in _ORDER if name in out), *(name for name in out if name not in _ORDER)]]
    keys = [(counts[name] / due).fillna(-1.0).to_numpy() for name in ("suspect", "missing", "fail")]
    return out.iloc[np.lexsort([-key for key in keys])].reset_index(drop=True)


def _of_type(twin: TwinReader, asset_type: str, window: Window) -> Iterator[dict[str, object]]:
    spec = twin.model.asset_types[asset_type]
    by_step: dict[tuple[str, str | None], list[str]] = {}
    for name, signal in spec.signals.items():
        by_step.setdefault((signal.cadence, summary_step(twin, asset_type, name, window)), []).append(name)
    for (_, step), names in by_step.items():
        width = spec.signals[names[0]].cadence_ns if step is None else parse_duration(step)
        start, stop = whole_bins(window, np.timedelta64(width, "ns"))
        data = twin.history(asset_type, signals=names, start=start, stop=stop, step=step)
        wanted = [v for name in names for v in _variables(name, step) if v in data]
        data = computed(data[wanted])
        for name in names:
            counts = _counts(data, name)
            if counts is not None and any(counts.values()):
                title = f"{spec.title or readable_name(asset_type)}: {spec.signals[name].title or readable_name(name)}"
                row: dict[str, object] = {"asset_type": asset_type, "signal": name, "what": title}
                yield row | {"assets": data.sizes["asset"]} | counts


def _variables(signal: str, step: str | None) -> list[str]:
    return [f"{signal}_qc"] if step is None else [f"{signal}_{name}" for name in _NAMES]


def _counts(data: xr.Dataset, signal: str) -> dict[str, int] | None:
    if f"{signal}_qc" in data:
        flags = data[f"{signal}_qc"].values
        return {name: int((flags == flag).sum()) for name, flag in zip(_NAMES, FLAGS, strict=True)}
    if f"{signal}_{Flag.PASS.name.lower()}" not in data:
        return None
    return {name: int(data[f"{signal}_{name}"].values.sum()) for name in _NAMES}
