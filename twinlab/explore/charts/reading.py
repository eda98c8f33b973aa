"""Reading for a chart: the coarsest sufficient rollup for a window, or raw samples for a short one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.errors import TwinlabError
from twinlab.explore.charts.scale import duration_text, step_text
from twinlab.history.read.direct import computed
from twinlab.languages import date_text, tr
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader

__all__ = [
    "BINS",
    "MAX_POINTS",
    "READING_ERRORS",
    "Plan",
    "coarsen",
    "data_span",
    "latest_time",
    "newest_time",
    "plan_reading",
]

#: Number of bins of a chart, about one per two pixels of a common screen.
BINS = 500
#: Largest number of points of a curve.
MAX_POINTS = 2_000

#: Exceptions of reading a twin, which a page shows as a message.
READING_ERRORS = (TwinlabError, OSError, ValueError, KeyError)

#: Start and stop of a window, naive UTC, half-open.
Window = tuple[np.datetime64, np.datetime64]


def as_window(start: Any, stop: Any) -> Window:
    """Return two times as a window in nanoseconds.

    >>> as_window("2026-01-01", "2026-01-02")[1]
    np.datetime64('2026-01-02T00:00:00.000000000')
    """
    return np.datetime64(start, "ns"), np.datetime64(stop, "ns")


@dataclass(frozen=True)
class Plan:
    """How a window is read: the step, and the number of cells that are merged into one drawn cell."""

    # Step of the rollup; None for raw samples.
    step: str | None
    # Number of cells merged into one drawn cell.
    factor: int
    # Width of a cell before merging, nanoseconds.
    cell_ns: int

    @property
    def raw(self) -> bool:
        """Whether raw samples are drawn."""
        return self.step is None and self.factor == 1

    @property
    def title(self) -> str:
        """The plan as text: ``hourly rollup``, ``raw samples, 1 min``."""
        width = duration_text(self.cell_ns * self.factor)
        if self.step is None:
            return (
                tr("raw samples, {width}", width=width)
                if self.factor == 1
                else tr("{width} bins of raw samples", width=width)
            )
        if self.factor == 1:
            return tr("{step} rollup", step=step_text(self.step))
        return tr("{width} bins of the {step} rollup", width=width, step=step_text(self.step))


def plan_reading(
    span_ns: int,
    *,
    cadence_ns: int,
    steps: Sequence[str],
    merge_raw: bool = True,
    bins: int = BINS,
    limit: int = MAX_POINTS,
) -> Plan:
    """Return the plan for a window of ``span_ns`` nanoseconds.

    Raw samples if the window has at most ``limit`` cells; else the coarsest of ``steps`` with a cell per bin, or raw
    samples if there is none (the finest step with ``merge_raw=False``, for states and counters). Cells are then merged
    by an integer factor to at most ``limit``.

    >>> plan_reading(3600 * 10**9, cadence_ns=60 * 10**9, steps=("15min", "1h")).title
    'raw samples, 1 min'
    >>> plan_reading(90 * 86400 * 10**9, cadence_ns=60 * 10**9, steps=("15min", "1h", "1d")).title
    '2 h bins of the hourly rollup'
    """
    if span_ns <= limit * cadence_ns:
        return Plan(None, 1, cadence_ns)
    fitting = [step for step in steps if span_ns >= bins * parse_duration(step)]
    finest = None if merge_raw or not steps else steps[0]
    step = fitting[-1] if fitting else finest
    cell = cadence_ns if step is None else parse_duration(step)
    return Plan(step, max(1, -(-span_ns // (cell * limit))), cell)


def cover(window: Window, plan: Plan) -> Window:
    """Return the span of whole drawn cells that cover a window, and one more on either side for lines to the edge.

    >>> hour = Plan("1h", 1, 3600 * 10**9)
    >>> ends = cover((np.datetime64("2026-01-01T05:10", "ns"), np.datetime64("2026-01-01T05:20", "ns")), hour)
    >>> [str(t)[11:16] for t in ends]
    ['04:00', '07:00']
    """
    width = np.timedelta64(plan.cell_ns * plan.factor, "ns")
    epoch = np.datetime64(0, "ns")
    start = epoch + ((window[0].astype("datetime64[ns]") - epoch) // width - 1) * width
    stop = epoch + (-(-(window[1].astype("datetime64[ns]") - epoch) // width) + 1) * width
    return start, stop


def coarsen(data: xr.Dataset, signal: str | Sequence[str], *, factor: int, cell_ns: int) -> xr.Dataset:
    """Merge ``factor`` neighbouring cells of raw samples or of a rollup into one, exactly.

    Parameters
    ----------
    data : Dataset, dims ``time, asset``
        Raw samples (``<signal>``, ``<signal>_qc``) or a rollup (``<signal>_mean`` …).
    signal : str or sequence of str
        Names of the signals.
    factor : int
        Number of cells merged into one; windows are multiples since 1970.
    cell_ns : int
        Width of a cell of ``data``, nanoseconds.

    Returns
    -------
    Dataset
        Variables of a rollup over windows of ``factor`` cells; mean over good and suspect samples.
    """
    import xarray as xr  # noqa: PLC0415

    if not isinstance(signal, str):
        each = [coarsen(data, one, factor=factor, cell_ns=cell_ns) for one in signal]
        return each[0] if len(each) == 1 else xr.merge(each, join="exact")
    window = data.time.values.astype("datetime64[ns]").astype("int64") // (cell_ns * factor)
    labels, first = np.unique(window, return_index=True)
    time = (labels * cell_ns * factor).astype("datetime64[ns]")
    merged = _merge_raw(data, signal, first) if signal in data else _merge_rollup(data, signal, first)
    parts = [data[name].attrs for name in (signal, f"{signal}_mean", f"{signal}_increase") if name in data]
    attrs = parts[0] if parts else {}
    coords = {"time": time, "asset": data.asset.values}
    for name in data.coords:
        if str(name) == f"{signal}_state":
            coords[str(name)] = data[name].values
    dims = ("time", "asset", f"{signal}_state")
    # All variables at once, since each later assignment would align them again.
    variables = {
        name: (dims[: values.ndim], values, {} if name.endswith(_COUNTS) else dict(attrs))
        for name, values in merged.items()
    }
    return xr.Dataset(variables, coords)


_FLAGS = tuple(flag.name.lower() for flag in Flag)
_SAMPLED = ("_pass", "_suspect", "_fail")
_COUNTS = (*(f"_{name}" for name in _FLAGS), "_count", "_share")


def _merge_raw(data: xr.Dataset, signal: str, first: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
    values, flags = data[signal].values.astype(float), data[f"{signal}_qc"].values
    good = np.isin(flags, (Flag.PASS, Flag.SUSPECT)) & np.isfinite(values)
    out: dict[str, NDArray[np.generic]] = {
        f"{signal}_{name}": np.add.reduceat(flags == flag, first, axis=0, dtype="int64")
        for name, flag in zip(_FLAGS, Flag, strict=True)
    }
    if first.size == 0:
        return out
    return out | _gauge(
        signal,
        low=np.minimum.reduceat(np.where(good, values, np.inf), first, axis=0),
        high=np.maximum.reduceat(np.where(good, values, -np.inf), first, axis=0),
        total=np.add.reduceat(np.where(good, values, 0.0), first, axis=0),
        count=np.add.reduceat(good, first, axis=0, dtype="int64"),
    )


def _merge_rollup(data: xr.Dataset, signal: str, first: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
    out: dict[str, NDArray[np.generic]] = {}
    for part in (*_FLAGS, "increase"):
        if f"{signal}_{part}" in data:
            out[f"{signal}_{part}"] = np.add.reduceat(np.nan_to_num(data[f"{signal}_{part}"].values), first, axis=0)
    if f"{signal}_share" in data:
        sizes = np.diff(np.append(first, data.sizes["time"]))[:, None, None]
        out[f"{signal}_share"] = np.add.reduceat(np.nan_to_num(data[f"{signal}_share"].values), first, axis=0) / sizes
    if f"{signal}_mean" in data:
        low, high = data[f"{signal}_min"].values, data[f"{signal}_max"].values
        out |= _gauge(
            signal,
            low=np.minimum.reduceat(np.where(np.isnan(low), np.inf, low), first, axis=0),
            high=np.maximum.reduceat(np.where(np.isnan(high), -np.inf, high), first, axis=0),
            total=np.add.reduceat(np.nan_to_num(data[f"{signal}_sum"].values), first, axis=0),
            count=np.add.reduceat(data[f"{signal}_count"].values, first, axis=0, dtype="int64"),
        )
    return out


def _gauge(
    signal: str,
    *,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    total: NDArray[np.float64],
    count: NDArray[np.int64],
) -> dict[str, NDArray[np.generic]]:
    known = count > 0
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=known)
    return {
        f"{signal}_mean": mean,
        f"{signal}_min": np.where(known, low, np.nan),
        f"{signal}_max": np.where(known, high, np.nan),
        f"{signal}_sum": total,
        f"{signal}_count": count,
    }


def data_span(twin: TwinReader, *, asset_type: str, signal: str, assets: Sequence[str] | None = None) -> Window | None:
    """Return the span in which a signal has samples, in cells of its coarsest rollup; None without samples."""
    steps = twin.steps(asset_type, signal)
    spec = twin.model.asset_types[asset_type].signals[signal]
    step = steps[-1] if steps else None
    data = twin.history(asset_type, signals=[signal], assets=assets, step=step)
    filled = _filled(data, signal)
    if not filled.any():
        return None
    time = data.time.values[filled]
    width = spec.cadence_ns if step is None else parse_duration(step)
    return time[0].astype("datetime64[ns]"), time[-1].astype("datetime64[ns]") + np.timedelta64(width, "ns")


def _filled(data: xr.Dataset, signal: str) -> NDArray[np.bool_]:
    """Return which cells of the time axis have a sample of any asset."""
    if signal in data:
        return np.isfinite(data[signal].values).any(axis=1)
    present = [
        data[f"{signal}_{part}"].values > 0 for part in ("pass", "suspect", "fail") if f"{signal}_{part}" in data
    ]
    if not present:
        return np.zeros(data.sizes.get("time", 0), bool)
    return np.logical_or.reduce(present).any(axis=1)


def latest_time(twin: TwinReader) -> np.datetime64 | None:
    """Return the time of the newest sample of any signal; without samples that of the newest event, None without either.

    Reads the coarsest rollups, then raw samples of the newest cell with data; signals of one cadence are read together.
    """
    best: np.datetime64 | None = None
    for asset_type, spec in twin.model.asset_types.items():
        groups: dict[str, list[str]] = {}
        for name, signal in spec.signals.items():
            groups.setdefault(signal.cadence, []).append(name)
        for names in groups.values():
            found = newest_time(twin, asset_type, signals=names)
            if found is not None and (best is None or found > best):
                best = found
    return _newest_event_time(twin) if best is None else best


def _newest_event_time(twin: TwinReader) -> np.datetime64 | None:
    """Return the newest start or end of any event, else the newest planned time; later than now doesn't count."""
    now = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "ns")
    tables = [twin.events(name) for name in twin.model.event_types]
    for columns in (("start", "end"), ("planned_start", "planned_end")):
        times = [table[name].to_numpy(dtype="datetime64[ns]") for table in tables for name in columns if name in table]
        past = [found.max() for found in (one[one <= now] for one in times) if found.size]
        if past:
            return max(past)
    return None


def newest_time(twin: TwinReader, asset_type: str, *, signals: Sequence[str]) -> np.datetime64 | None:
    """Return the time of the newest sample of signals with one cadence, None without samples."""
    signals = list(signals)
    step = next(reversed(twin.steps(asset_type, signals[0])), None)
    data = twin.history(asset_type, signals=signals, step=step)
    wanted = [name for name in data.data_vars if str(name).endswith(_SAMPLED)] if step else list(data.data_vars)
    if not wanted:
        # Without data there is no rollup.
        return None
    data = computed(data[wanted])
    times = [data.time.values[_filled(data, name)] for name in signals]
    newest = max((t[-1] for t in times if t.size), default=None)
    if newest is None or step is None:
        return newest
    stop = newest + np.timedelta64(parse_duration(step), "ns")
    signals = [name for name, t in zip(signals, times, strict=True) if t.size and t[-1] == newest]
    for start, end in _newest_first(twin, asset_type, signals, (newest, stop)):
        raw = computed(twin.history(asset_type, signals=signals, start=start, stop=end)[signals])
        found = [raw.time.values[filled][-1] for name in signals if (filled := _filled(raw, name)).any()]
        if found:
            return max(found)
    return None


def _newest_first(twin: TwinReader, asset_type: str, signals: Sequence[str], window: Window) -> Iterator[Window]:
    """Yield the parts of a window that may have samples, the newest first, each of few cells."""
    from twinlab.history.layout.grid import search_step  # noqa: PLC0415  (only pages of long histories need it)

    specs = twin.model.asset_types[asset_type].signals
    cadence = specs[signals[0]].cadence_ns
    step = search_step(twin.steps(asset_type, signals[0]), cadence)
    if step is None or window[1] - window[0] <= np.timedelta64(parse_duration(step), "ns"):
        yield window
        return
    data = twin.history(asset_type, signals=signals, start=window[0], stop=window[1], step=step)
    # The newest samples may not be evaluated yet, and a state lasts until its next observation.
    counts = [f"{name}_{part}" for name in signals for part in ("pass", "suspect", "fail", "not_evaluated")]
    data = computed(data[counts])
    held = any(specs[name].kind == "state" for name in signals)
    busy = np.logical_or.reduce([(data[name].values > 0).any(axis=1) for name in counts]) | held
    for start in data.time.values[busy][::-1]:
        yield max(start, window[0]), min(start + np.timedelta64(parse_duration(step), "ns"), window[1])


def instant_text(when: np.datetime64) -> str:
    """Return an instant as ``2026-01-31 14:02``, with seconds unless they are zero."""
    stamp = pd.Timestamp(when)
    return stamp.strftime("%Y-%m-%d %H:%M:%S" if stamp.second else "%Y-%m-%d %H:%M")


def shown_instant(when: np.datetime64) -> str:
    """Return an instant to be read, not typed: as `instant_text`, with the day as the reader's language writes it.

    >>> shown_instant(np.datetime64("2026-01-31T14:02"))
    '2026-01-31 14:02'
    """
    stamp = pd.Timestamp(when)
    return date_text(stamp, "%Y-%m-%d %H:%M:%S" if stamp.second else "%Y-%m-%d %H:%M")


def iso_text(when: np.datetime64) -> str:
    """Return an instant in full precision, for generated code.

    >>> iso_text(np.datetime64("2026-01-31T14:02:00.5", "ns"))
    '2026-01-31T14:02:00.500000'
    """
    return pd.Timestamp(when).isoformat()


def same_on_screen(a: Window, b: Window) -> bool:
    """Whether two windows differ by less than a pixel of a wide screen.

    >>> day = (np.datetime64("2026-01-01", "ns"), np.datetime64("2026-01-02", "ns"))
    >>> same_on_screen(day, (day[0], day[1] + np.timedelta64(20, "s"))), same_on_screen(day, (day[0], day[0]))
    (True, False)
    """
    span = (b[1] - b[0]).astype("timedelta64[ns]").astype("int64")
    return all(abs((x - y).astype("timedelta64[ns]").astype("int64")) <= span / 2000 for x, y in zip(a, b, strict=True))
