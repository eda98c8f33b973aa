"""Findings of cells that are missing: gaps, and assets that have fallen silent; from rollups."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from twinlab.quality.findings import Finding
from twinlab.twin.checking.channels import Channels
from twinlab.twin.checking.report_lines import duration_text, minute_text, percent_text

__all__ = ["missing_findings"]

Ints = npt.NDArray[np.int64]

#: Share of missing cells from which on they are a finding, and the shortest gap that always is one, in hours.
_MISSING_SHARE, _MISSING_HOURS = 0.01, 24


def missing_findings(channels: Channels) -> Iterator[Finding]:
    """Yield a finding of the kind "missing" for each asset with a gap.

    Missing cells count from the asset's first value until the last one of any asset, so that an asset that has fallen
    silent is found. They are a finding from 1 % on, or with a gap of a day.
    """
    valued, missing = channels.valued(), channels.count("missing")
    rows = np.flatnonzero(valued.any(axis=1))
    times = channels.windows["time"].to_numpy().astype("datetime64[ns]")
    for place, asset in enumerate(channels.assets):
        own = np.flatnonzero(valued[:, place])
        if own.size:
            inside = slice(int(own[0]), int(rows[-1]) + 1)
            found = _gap(channels, missing[inside, place], valued[inside, place], times[inside], asset)
            if found is not None:
                yield found


def _gap(
    channels: Channels, missing: Ints, present: Ints, times: npt.NDArray[np.datetime64], asset: str
) -> Finding | None:
    number, all_cells = int(missing.sum()), int(missing.sum() + present.sum())
    empty = (missing > 0) & (present == 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], empty.astype(np.int8), [0]])))
    runs = edges.reshape(-1, 2)
    longest = int((runs[:, 1] - runs[:, 0]).max()) if runs.size else 0
    enough = longest * channels.window >= np.timedelta64(_MISSING_HOURS, "h")
    if not number or (number / all_cells < _MISSING_SHARE and not enough):
        return None
    at = np.flatnonzero(missing)
    last = int(at[-1])
    since, until = times[int(at[0])], None if last == len(times) - 1 else times[last] + channels.window
    texts = [f"{number:,} of {all_cells:,} cells are missing ({percent_text(number / all_cells)})"]
    if longest:
        begin = times[int(runs[(runs[:, 1] - runs[:, 0]).argmax(), 0])]
        texts.append(f"the longest gap of {duration_text(longest * channels.window)} begins {minute_text(begin)}")
    if not present[last:].any():
        # The newest windows may not be evaluated yet.
        until, end = None, times[int(np.flatnonzero(present)[-1])] + channels.window
        texts.append(f"no value since {minute_text(end)}, though other assets have")
    return Finding("missing", "", "", asset, channels.name, since, until, 1.0, "; ".join(texts))
