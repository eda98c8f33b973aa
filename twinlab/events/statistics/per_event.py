"""Statistics of a signal during each event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnitError
from twinlab.events.algebra.event_spans import spans_of
from twinlab.events.algebra.spans import NEVER, NOT_A_TIME, Integers
from twinlab.events.reading import USABLE, instant_ns
from twinlab.events.statistics.cells import SignalCells, cells_of, tiles
from twinlab.events.statistics.kernels import add_cells
from twinlab.model.flags import FLAG_SEVERITY
from twinlab.model.units import convert

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["event_statistics"]

_HOUR = 3600e9
_MILDEST_FIRST = tuple(reversed(FLAG_SEVERITY))
#: By number of flag: whether its value counts, and how bad it is (0: no cell).
_IS_USABLE = np.isin(np.arange(256), USABLE)
_RANK = np.zeros(256, dtype=np.uint8)
_RANK[[flag.value for flag in _MILDEST_FIRST]] = np.arange(1, len(_MILDEST_FIRST) + 1)


def event_statistics(
    source: TwinReader | xr.Dataset,
    events: pd.DataFrame,
    signal: str,
    *,
    above: float | str | pd.Series | None = None,
    below: float | str | pd.Series | None = None,
    on: str | None = None,
    asset: str = "asset",
    now: object = None,
) -> pd.DataFrame:
    """Return statistics of a signal during each event.

    A cell counts for the part of it that is in the event. Usable are values that pass, are suspect, or aren't evaluated yet.

    Parameters
    ----------
    source : twin, or Dataset with a regular axis ``time``
        Other dimensions of a Dataset count as assets, as in `twinlab.events.find`; its flags are in ``<signal>_qc``; without them values pass and NaN is missing.
    events : DataFrame
        With ``start``, ``end`` and the column of assets. One without a start has no statistics.
    signal : str
        A gauge or a counter.
    above, below : number, text such as "8 degC", or Series, optional
        Limits of the integrals; numbers are in the signal's unit. A Series has one for each event.
    on : str, optional
        Asset type of the signal. By default what the type of the events says, or the only one with the signal.
    asset : str
        Column of ``events`` with the assets, such as a link: ``asset="van"`` for the van of a delivery.
    now : instant, optional
        An event that isn't over counts up to then; by default up to the end of the data.

    Returns
    -------
    DataFrame
        With the index of ``events``: ``duration``; ``mean`` (weighted by time), ``min``, ``max`` and ``peak``, the time of the
        first cell with the highest value; ``integral_above`` and ``integral_below`` if there are limits, in the signal's unit
        times hours; ``coverage``, the share of the duration with a usable value; ``worst_flag``. Without a usable value
        they are missing and the coverage is 0. ``attrs["units"]`` has the unit of each.

    Raises
    ------
    UnknownTermError
        If there is no such signal, asset type or column.
    SchemaError
        If the signal is a state, a limit isn't a number with a unit, or a Series has another index.
    UnitError
        If the unit of a limit isn't one of the signal.

    >>> from twinlab.testing import FakeTwin
    >>> twin = FakeTwin.example(days=2, trips=10)
    >>> day = pd.DataFrame({"asset": ["ST1"], "start": pd.to_datetime(["2026-01-01"]), "end": pd.to_datetime(["2026-01-02"])})
    >>> found = event_statistics(twin, day, "temperature", on="station", above="20 degC")
    >>> found.columns.tolist()
    ['duration', 'mean', 'min', 'max', 'peak', 'integral_above', 'coverage', 'worst_flag']
    """
    cells = cells_of(source, events, signal, on=on, asset=asset)
    start, end, column = _times(cells, events, asset, now)
    size = len(events)
    limits = {name: _limits(limit, events, cells.unit, name) for name, limit in (("above", above), ("below", below))}
    sums, extremes = np.zeros((size, 4)), np.full((size, 2), np.nan)
    peak, worst = np.full(size, NOT_A_TIME), np.zeros(size, dtype=np.uint8)
    # An instant has the cell that it is in.
    last = np.maximum(end, start + 1)
    first_cell = np.clip((start - cells.first_ns) // cells.cadence_ns, 0, cells.size)
    stop_cell = np.clip(-((cells.first_ns - last) // cells.cadence_ns), 0, cells.size)
    for tile in tiles(cells, column, first_cell, stop_cell):
        add_cells(
            tile.rows, column, tile.first_column, start, last, cells.first_ns + tile.first * cells.cadence_ns, cells.cadence_ns,
            tile.values, tile.flags, _IS_USABLE, _RANK, limits["above"], limits["below"], sums, extremes, peak, worst,
        )  # fmt: skip
    length = np.where(column == -2, np.nan, (last - start).astype(np.float64))
    with np.errstate(invalid="ignore"):
        mean = np.where(sums[:, 0] > 0, sums[:, 1] / sums[:, 0], np.nan)
        coverage = sums[:, 0] / length
    duration = np.where(column == -2, NOT_A_TIME, end - start).view("timedelta64[ns]")
    columns: dict[str, object] = {"duration": duration, "mean": mean, "min": extremes[:, 0], "max": extremes[:, 1]}
    columns["peak"] = peak.view("datetime64[ns]")
    for place, name, limit in ((2, "above", above), (3, "below", below)):
        if limit is not None:
            known = (sums[:, 0] > 0) & np.isfinite(limits[name])
            # What lasts no time adds up to nothing.
            columns[f"integral_{name}"] = np.where(known, sums[:, place] / _HOUR * (end > start), np.nan)
    columns["coverage"] = coverage
    names = pd.Index([flag.name.lower() for flag in _MILDEST_FIRST])
    columns["worst_flag"] = pd.Categorical.from_codes(worst.astype(np.int64) - 1, categories=names, ordered=True)
    found = pd.DataFrame(columns, index=events.index)
    units = dict.fromkeys(("mean", "min", "max"), cells.unit) | {"coverage": "1"}
    units |= {name: f"{cells.unit} h" for name in ("integral_above", "integral_below") if name in columns}
    found.attrs["units"] = units
    return found


def _times(cells: SignalCells, events: pd.DataFrame, asset: str, now: object) -> tuple[Integers, Integers, Integers]:
    """Return start, end and column of each event; the column is -1 for an unknown asset, -2 for an event without a time."""
    (spans,) = spans_of(events, by="all")
    latest = cells.stop_ns if now is None else instant_ns(now)
    timeless = spans.key < 0
    start = np.where(timeless, cells.first_ns, spans.start)
    end = np.where(timeless, start, spans.end)
    end = np.where(end == NEVER, np.maximum(latest, start), end)
    column = cells.assets.get_indexer(pd.Index(events[asset].astype("str")))
    return start, end, np.where(timeless, -2, np.where(events[asset].isna(), -1, column)).astype(np.int64)


def _limits(limit: float | str | pd.Series | None, events: pd.DataFrame, unit: str, name: str) -> NDArray[np.float64]:
    """Return a limit for each event in the signal's unit; NaN, which nothing is above or below, for none."""
    if isinstance(limit, pd.Series):
        if not limit.index.equals(events.index):
            msg = f"{name}: expected a Series with the index of the events, such as one of their columns"
            raise SchemaError(msg)
        return limit.to_numpy(dtype=np.float64, na_value=np.nan)
    found = np.nan if limit is None else _number(limit, unit, name)
    return np.full(len(events), found)


def _number(limit: float | str, unit: str, name: str) -> float:
    if not isinstance(limit, str):
        return float(limit)
    number, _, given = limit.strip().partition(" ")
    try:
        value = float(number)
    except ValueError:
        msg = f"{name}: expected a number with a unit such as '8 degC', got {limit!r}"
        raise SchemaError(msg) from None
    try:
        return float(convert([value], given.strip(), unit)[0]) if given.strip() else value
    except UnitError as error:
        msg = f"{name}={limit!r}: {error}"
        raise UnitError(msg) from error
