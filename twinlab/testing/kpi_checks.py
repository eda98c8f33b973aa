"""Conformance check of a kind of KPI: what twinlab relies on when it computes somebody's KPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.kpis.compute import kpi as compute
from twinlab.model.flags import Flag
from twinlab.model.kpis.definition import Kpi
from twinlab.model.reader import DelegatingReader
from twinlab.testing.fake_twin import FakeTwin

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["check_kpi"]


def check_kpi(
    kpi: Kpi | Mapping[str, object],
    *,
    twin: TwinReader | None = None,
    by: str | None = None,
    every: str | None = None,
    start: object = None,
    stop: object = None,
) -> None:
    """Check that a KPI, and so its kind, computes as pages, exports and alerts rely on it.

    It fits the twin's model and has a title, a definition and a unit; the value is inside its bounds, and there is one; a part of
    the span gives the same numbers as the whole; and where a third of the cells and of the events' ends isn't known, the bounds
    contain the value of all of them.

    Parameters
    ----------
    kpi : Kpi or mapping
        A KPI of the kind to check, as ``twin.yaml`` has it.
    twin : TwinReader, optional
        A twin with data for it; by default `FakeTwin.example`.
    by, every, start, stop
        As `twinlab.Twin.kpi`.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.
    pydantic.ValidationError
        If the KPI breaks its schema.

    >>> check_kpi({"on": "station", "definition": "Time above 10 degC.", "formula": "time_share(temperature > 10 degC)",
    ...            "unit": "%"}, twin=FakeTwin.example(days=3, trips=10))
    """
    made = kpi if isinstance(kpi, Kpi) else Kpi.model_validate(kpi)
    reader = FakeTwin.example() if twin is None else twin
    faults = made.faults(reader.model)
    _check(not faults, f"the KPI doesn't fit the twin's model: {'; '.join(f'{key}: {text}' for key, text in faults)}")
    whole = made.complete("checked")
    _check(bool(whole.definition), "the KPI has no definition in words; write one, or give its kind one")
    data = compute(reader, made, by=by, every=every, start=start, stop=stop)
    _check_numbers(data)
    times = data["time"].values
    if len(times) > 2:
        part = compute(reader, made, by=by, every=every, start=times[1], stop=times[-1])
        both = data.isel(time=slice(1, -1))
        if by is not None:
            both = both.sel({by: part[by].values})
        same = np.allclose(part["value"].values, both["value"].values, equal_nan=True)
        _check(same, "a part of the span gives other values than the whole; look only at the window's own data")
    step = np.timedelta64(1, "ns") + (times[-1] - times[0])
    lost = compute(_Gaps(reader), made, by=by, every=every, start=times[0], stop=times[0] + step)
    for name in ("low", "high"):
        _check(name in lost, f"the KPI has no {name}")
    full = data if by is None else data.sel({by: lost[by].values})
    value = full["value"].values
    exists = ~np.isnan(value) & ~np.isnan(lost["low"].values)
    slack = 1e-9 * np.maximum(np.abs(value), 1.0)
    inside = (lost["low"].values <= value + slack) & (lost["high"].values >= value - slack)
    _check(
        bool(inside[exists].all()),
        "where a third of the data isn't known, the bounds don't contain the value of all data",
    )


def _check_numbers(data: xr.Dataset) -> None:
    value, low, high = (data[name].values for name in ("value", "low", "high"))
    known = ~np.isnan(value)
    _check(bool(known.any()), "the KPI has no value at all; give a twin and a span with data for it")
    inside = (low[known] <= value[known]) & (value[known] <= high[known])
    _check(bool(inside.all()), "a value is outside its bounds")
    coverage = data["coverage"].values
    shares = coverage[~np.isnan(coverage)]
    _check(bool(((shares >= 0) & (shares <= 1 + 1e-12)).all()), "a coverage isn't a share from 0 to 1")


class _Gaps(DelegatingReader):
    """A twin that lacks a third of its cells and of its events' ends."""

    def __init__(self, twin: TwinReader) -> None:
        self._twin = twin

    @property
    def _source(self) -> TwinReader:
        return self._twin

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history without a third of the cells."""
        data = self._twin.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        lost = data["time"].values.astype("datetime64[ns]").astype("int64") // (3600 * 10**9) % 3 == 0
        found = {}
        for name in data.data_vars:
            empty = np.uint8(Flag.MISSING) if str(name).endswith("_qc") else np.nan
            found[name] = data[name].where(~lost[:, None], empty).astype(data[name].dtype)
        return data.assign(found)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events without a third of their ends."""
        table = self._twin.events(event_type, start=start, stop=stop, assets=assets)
        lost = np.arange(len(table)) % 3 == 0
        lost[-1:] = False  # the latest is what says up to when all is known
        return table.assign(end=table["end"].mask(lost))


def _check(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise AssertionError(message)
