"""The picture of an answer: curves of few assets, a timeline of events, bars of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.explore.charts.reading import plan_reading
from twinlab.languages import tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.ask import Answer
    from twinlab.model.reader import TwinReader

__all__ = ["answer_picture"]

#: Assets that are drawn as curves, and names that are drawn as bars.
_CURVES, _BARS = 5, 15
_HEIGHT = 280
_WIDTHS = ("1h", "6h", "1d", "7d", "28d")
#: Windows of a timeline.
_WINDOWS = 60


def answer_picture(answer: Answer, twin: TwinReader) -> hv.core.Dimensioned | None:
    """Return the picture of an answer; None if its table has nothing that a picture would show.

    Parameters
    ----------
    answer : Answer
    twin : TwinReader
        The reader that was asked.
    """
    call: Any = None if answer.plan is None else answer.plan.call
    table = answer.table
    if call is None or not answer.answered or table.empty:
        return None
    if call.do == "summary" and len(table) <= _CURVES and call.statistic != "latest" and answer.other is None:
        return _curves(call, [str(one) for one in table["asset"]], twin)
    if call.do in ("find", "rule") and "start" in table:
        return _timeline(table)
    return _bars(answer, table)


def _curves(call: Any, assets: list[str], twin: TwinReader) -> hv.core.Dimensioned:
    from twinlab.explore.charts.plots import band_curve, signal_curve  # noqa: PLC0415  (HoloViews loads with the first chart)

    spec = twin.model.asset_types[call.on].signals[call.signal]
    start, stop = pd.Timestamp(call.span.start), pd.Timestamp(call.span.stop)
    how = plan_reading(
        (stop - start).value,
        cadence_ns=spec.cadence_ns,
        steps=twin.steps(call.on, call.signal),
        merge_raw=False,
        bins=250,
        limit=1_000,
    )
    data = twin.history(call.on, signals=[call.signal], assets=assets, start=start, stop=stop, step=how.step)
    if how.step is None:
        return signal_curve(data[call.signal], flags=data.get(f"{call.signal}_qc"), height=_HEIGHT)
    name = next((one for one in (f"{call.signal}_mean", f"{call.signal}_increase") if one in data), None)
    if name is None:
        return band_curve(data, call.signal, height=_HEIGHT)
    # Without the bands of several assets, which would hide each other here.
    return signal_curve(data[name], title=f"{how.title}: {name.removeprefix(f'{call.signal}_')}", height=_HEIGHT)


def _timeline(table: pd.DataFrame) -> hv.core.Dimensioned | None:
    from twinlab.events.statistics.timelines import timeline  # noqa: PLC0415  (loads with the first chart)
    from twinlab.explore.charts.events.windows import timeline_bars  # noqa: PLC0415

    known = table.dropna(subset=["start"])
    if len(known) < 2:
        return None
    span = known["start"].max() - known["start"].min()
    fits = (one for one in _WIDTHS if span / pd.Timedelta(one.replace("d", "D")) <= _WINDOWS)
    return timeline_bars(timeline(known, next(fits, _WIDTHS[-1])), title=tr("Events that began"))


def _bars(answer: Answer, table: pd.DataFrame) -> hv.core.Dimensioned | None:
    from twinlab.explore.charts.kpis.value_bars import value_bars  # noqa: PLC0415  (HoloViews loads with the first chart)

    column = next((one for one in ("value", "duration") if one in table), None)
    name = next((str(one) for one in table.columns if one not in ("value", "low", "high", "start", "end")), None)
    if column is None or name is None or len(table) < 2:
        return None
    shown = table.head(_BARS)
    values, unit = shown[column], answer.unit
    if pd.api.types.is_timedelta64_dtype(values):
        values, unit = pd.to_timedelta(values).dt.total_seconds() / 60, "min"
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(numbers).any():
        return None
    names = [f"{one:%Y-%m-%d %H:%M}" if isinstance(one, pd.Timestamp) else str(one) for one in shown[name]]
    more = len(table) - len(shown)
    return value_bars(
        names,
        numbers.tolist(),
        label=column,
        unit=unit,
        title=tr("The first {shown:,} of {count:,}", shown=_BARS, count=len(table)) if more else "",
    )
