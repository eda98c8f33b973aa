"""Findings from the flags of the history: failed, suspect and missing cells of each asset, from rollups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab.model.flags import Flag
from twinlab.quality.findings import Finding
from twinlab.twin.checking.channels import Channels
from twinlab.twin.checking.report_lines import percent_text

__all__ = ["flag_findings"]

Ints = npt.NDArray[np.int64]

#: A flag "fail" says that a value is wrong, "suspect" that it may be.
_CONFIDENCE: Final = {"fail": 1.0, "suspect": 0.5}
#: Share of missing cells from which on they are a finding, and the shortest gap that always is one, in windows.
_MISSING_SHARE, _MISSING_WINDOWS = 0.01, 24


def flag_findings(channels: Channels) -> Iterator[Finding]:
    """Yield the findings of one signal: at most one of each kind ("fail", "suspect", "missing") an asset.

    Missing cells count from the asset's first value until the last one of any asset, so that an asset that has fallen
    silent is found. They are a finding from 1 % on, or with a gap of a day.
    """
    counts = {flag: channels.count(flag) for flag in ("pass", "suspect", "fail", "missing")}
    valued = counts["pass"] + counts["suspect"] + counts["fail"]
    rows = np.flatnonzero(valued.any(axis=1))
    if not rows.size:
        return
    times = channels.windows["time"].to_numpy().astype("datetime64[ns]")
    for place, asset in enumerate(channels.assets):
        present = valued[:, place]
        own = np.flatnonzero(present)
        if not own.size:
            continue
        for flag in ("fail", "suspect"):
            found = _flagged(channels, flag, counts[flag][:, place], int(present.sum()), times, place, asset)
            if found is not None:
                yield found
        inside = slice(int(own[0]), int(rows[-1]) + 1)
        gap = _missing(channels, counts["missing"][inside, place], present[inside], times[inside], asset)
        if gap is not None:
            yield gap


def _flagged(  # noqa: PLR0917
    channels: Channels, flag: str, counts: Ints, present: int, times: npt.NDArray[np.datetime64], place: int, asset: str
) -> Finding | None:
    at = np.flatnonzero(counts)
    if not at.size:
        return None
    number = int(counts.sum())
    since, until = _span(times, at, channels)
    texts = [
        f"{number:,} of {present:,} values {'fail' if flag == 'fail' else 'are suspect'} ({percent_text(number / present)})"
    ]
    texts.append(f"in {at.size:,} of {len(times):,} windows of {_hours(channels.window)}")
    values = _examples(channels, flag, times[at[counts[at].argmax()]], place)
    if values:
        texts.append(values)
    return Finding(flag, "", "", asset, channels.name, since, until, _CONFIDENCE[flag], ", ".join(texts))


def _examples(channels: Channels, flag: str, worst: np.datetime64, place: int) -> str:
    """Return which values have a flag in the window with most of them, and the spans that the model states."""
    signal, name = channels.signal, channels.name
    part = channels.cells.isel(asset=place).sel(time=slice(worst, worst + channels.window - np.timedelta64(1, "ns")))
    flags = part[f"{name}_qc"].to_numpy()
    values = part[name].to_numpy()[flags == Flag[flag.upper()].value]
    if not values.size:
        return ""
    if signal.states is not None:
        codes = sorted({int(one) for one in values if np.isfinite(one)})
        return f"states {', '.join(signal.states.get(code, str(code)) for code in codes)}" if codes else ""
    known = values[np.isfinite(values.astype(np.float64))]
    if not known.size:
        return ""
    low, high = float(known.min()), float(known.max())
    unit = "" if signal.unit == "1" else f" {signal.unit}"
    text = f"{low:.6g}{unit}" if low == high else f"{low:.6g} to {high:.6g}{unit}"
    asset = channels.assets[place]
    limits = channels.kind.limits(name, [asset], channels.properties)[:, 0]
    for first, what in ((0, "the sensor's span"), (2, "the expected span")):
        span = limits[first : first + 2]
        if np.isfinite(span).any() and (low < span[0] or high > span[1]):
            return f"such as {text} (outside {what}, {span[0]:.6g} to {span[1]:.6g})"
    return f"such as {text}"


def _missing(
    channels: Channels, missing: Ints, present: Ints, times: npt.NDArray[np.datetime64], asset: str
) -> Finding | None:
    number, all_cells = int(missing.sum()), int(missing.sum() + present.sum())
    empty = (missing > 0) & (present == 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], empty.astype(np.int8), [0]])))
    runs = edges.reshape(-1, 2)
    longest = int((runs[:, 1] - runs[:, 0]).max()) if runs.size else 0
    enough = longest * channels.window >= np.timedelta64(_MISSING_WINDOWS, "h")
    if not number or (number / all_cells < _MISSING_SHARE and not enough):
        return None
    since, until = _span(times, np.flatnonzero(missing), channels)
    silent = not present[int(np.flatnonzero(missing)[-1]) :].any()
    texts = [f"{number:,} of {all_cells:,} cells are missing ({percent_text(number / all_cells)})"]
    if longest:
        begin = times[int(runs[(runs[:, 1] - runs[:, 0]).argmax(), 0])]
        texts.append(f"the longest gap of {_hours(longest * channels.window)} begins {_minute(begin)}")
    if silent:
        # The newest windows may not be evaluated yet.
        until, last = None, times[int(np.flatnonzero(present)[-1])] + channels.window
        texts.append(f"no value since {_minute(last)}, though other assets have")
    return Finding("missing", "", "", asset, channels.name, since, until, 1.0, "; ".join(texts))


def _span(
    times: npt.NDArray[np.datetime64], at: Ints, channels: Channels
) -> tuple[np.datetime64, np.datetime64 | None]:
    """Return the begin of the first window and the end of the last one, None if that is the last of all."""
    last = int(at[-1])
    return times[int(at[0])], None if last == len(times) - 1 else times[last] + channels.window


def _hours(span: np.timedelta64) -> str:
    hours = float(span / np.timedelta64(1, "h"))
    if hours >= 48:
        return f"{hours / 24:.3g} days"
    return f"{hours:.3g} h" if hours >= 1 else f"{60 * hours:.3g} min"


def _minute(at: np.datetime64) -> str:
    return str(at.astype("datetime64[m]")).replace("T", " ")
