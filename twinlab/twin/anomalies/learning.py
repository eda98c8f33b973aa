"""What is usual for the assets of a type is learnt from a twin's history; later spans are searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.events import find_events
from twinlab.predict.anomaly.fitted import FittedAnomalies
from twinlab.predict.anomaly.limits import limit_within
from twinlab.predict.anomaly.pca import Pca
from twinlab.predict.anomaly.scoring import fit
from twinlab.predict.anomaly.tracking import Hysteresis
from twinlab.predict.anomaly.values import full_turns, signal_names, units_of
from twinlab.predict.protocol.durations import instant

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.predict.anomaly.scoring import Detector

__all__ = ["anomaly_table", "base_signals", "fit_anomalies", "watch_start", "with_flags"]

#: By default, what is searched is the last week, and what is usual is learnt from the four weeks before.
_SEARCHED, _USUAL = pd.Timedelta(days=7), pd.Timedelta(days=28)
#: What a gateway has scored isn't learnt from.
_SCORED = ("anomaly", "unusual")
#: Rows that are learnt from at least; of fewer no spread is known.
_LEAST_ROWS = 20
#: Signals and assets that an error names.
_NAMED = 4
#: Share of the usual span that the detector learns from; the rest of it gives the limit.
_LEARNT = 2 / 3


def fit_anomalies(
    twin: TwinReader,
    asset_type: str,
    *,
    usual: tuple[object, object] | None = None,
    signals: Sequence[str] | None = None,
    step: str | None = None,
    detector: Detector | None = None,
    hysteresis: Hysteresis | None = None,
    per_100_asset_weeks: float = 50.0,
) -> FittedAnomalies:
    """Learn what is usual for the assets of a type, see `twinlab.Twin.fit_anomalies`."""
    history = _history(twin, asset_type, signals, step)
    high = _end(history) if usual is None else _stamp(usual[1], "usual")
    low = high - _USUAL if usual is None else _stamp(usual[0], "usual")
    if not low < high:
        msg = f"expected a usual span that begins before it ends, got {low} to {high}"
        raise SchemaError(msg)
    before = _between(history, low, high)
    _check_rows(before, history, asset_type, (low, high))
    cut = int(before.sizes["time"] * _LEARNT)
    names, assets, cant_tell = _usable(
        before.isel(time=slice(cut)), _names(before, signals, rollups=step is not None), signals
    )
    if not names or not assets:
        reason = "; ".join(f"{name}: {why}" for name, why in list(cant_tell.items())[:_NAMED]) or "no numeric signal"
        msg = f"{asset_type!r} from {low} to {high}: nothing can be learnt ({reason}); choose another usual span or other signals"
        raise SchemaError(msg)
    before = before[with_flags(before, names)].sel(asset=assets)
    rule = hysteresis or Hysteresis()
    model = fit(before.isel(time=slice(cut)), signals=names, detector=detector)
    quiet, state = model.score(before.isel(time=slice(cut, None)))
    budget = limit_within(quiet, per_100_asset_weeks=per_100_asset_weeks, hysteresis=rule)
    model = replace(model, limit=max(budget.limit, 1.0), state=state)
    return FittedAnomalies(
        asset_type, step, model, rule, per_100_asset_weeks, budget, (str(low), str(high)), cant_tell, detector or Pca()
    )


def anomaly_table(
    twin: TwinReader,
    asset_type: str,
    *,
    start: object = None,
    stop: object = None,
    usual: tuple[object, object] | None = None,
    fitted: FittedAnomalies | None = None,
    signals: Sequence[str] | None = None,
    step: str | None = None,
    **options: Any,  # noqa: ANN401  (of `fit_anomalies`)
) -> pd.DataFrame:
    """Return the anomalies of an asset type's history, see `twinlab.Twin.anomalies`."""
    if fitted is not None:
        if fitted.asset_type != asset_type:
            msg = f"expected what was learnt of {asset_type!r}, got that of {fitted.asset_type!r}"
            raise SchemaError(msg)
        step = fitted.step
        signals = base_signals(fitted)
    history = _history(twin, asset_type, signals, step)
    end = _end(history) if stop is None else _stamp(stop, "stop")
    begin = end - _SEARCHED if start is None else _stamp(start, "start")
    given = fitted.usual if fitted is not None else usual or (begin - _USUAL, begin)
    low, high = _stamp(given[0], "usual"), _stamp(given[1], "usual")
    if not (low < high <= begin < end):
        msg = (
            f"expected a usual span that ends before the start, and a start before the stop, got usual {low} to {high}, "
            f"start {begin} and stop {end}"
        )
        raise SchemaError(msg)
    known = fitted or fit_anomalies(twin, asset_type, usual=(low, high), signals=signals, step=step, **options)
    searched = _between(history, begin, end)
    scores, _ = known.model.score(searched[with_flags(searched, known.model.signals)])
    found = find_events(scores, known.hysteresis)
    found.attrs.update(known.attrs())
    found.attrs["cant_tell"] |= _not_scored(scores, (begin, end))
    return found


def _check_rows(
    before: xr.Dataset, history: xr.Dataset, asset_type: str, span: tuple[pd.Timestamp, pd.Timestamp]
) -> None:
    """Check that there are assets, and rows enough to learn from and to set a limit.

    Raises
    ------
    SchemaError
        If there aren't.
    """
    if not history.sizes["asset"]:
        msg = f"{asset_type!r} has no asset that something can be learnt of; ingest rows of one"
        raise SchemaError(msg)
    if before.sizes["time"] < _LEAST_ROWS:
        first, last = (str(one)[:16] for one in (history["time"].values[0], history["time"].values[-1]))
        msg = (
            f"expected at least {_LEAST_ROWS} rows of {asset_type!r} to learn from, got {before.sizes['time']} from {span[0]} to {span[1]}; "
            f"the history is from {first} to {last}: choose usual= within it, or search later"
        )
        raise SchemaError(msg)


def _not_scored(scores: xr.Dataset, span: tuple[pd.Timestamp, pd.Timestamp]) -> dict[str, str]:
    """Return the assets of which no row could be scored, and why: that nothing was found of them says nothing."""
    nothing = ~np.isfinite(scores["index"].transpose("time", "asset").values).any(axis=0)
    text = f"more than half of its signals are missing in each row from {span[0]} to {span[1]}"
    return dict.fromkeys(map(str, scores["asset"].values[nothing]), text)


def base_signals(fitted: FittedAnomalies) -> list[str]:
    """Return the names of the history's signals that were learnt, of rollups without the statistic."""
    return [name.removesuffix("_mean") if fitted.step is not None else name for name in fitted.model.signals]


def with_flags(history: xr.Dataset, names: Sequence[str]) -> list[str]:
    """Return names of signals with those of their flags, where there are any."""
    return [each for name in names for each in (name, f"{name}_qc") if each in history]


def watch_start(asset_type: str, fitted: FittedAnomalies, start: object) -> int:
    """Return the first row that is scored, ns UTC."""
    if fitted.asset_type != asset_type:
        msg = f"expected what was learnt of {asset_type!r}, got that of {fitted.asset_type!r}"
        raise SchemaError(msg)
    end = _stamp(fitted.usual[1], "usual")
    begin = end if start is None else _stamp(start, "start")
    if begin < end:
        msg = f"expected a start at {end} or later, where the usual span ends, got {begin}"
        raise SchemaError(msg)
    return int(begin.as_unit("ns").value)


def _history(twin: TwinReader, asset_type: str, signals: Sequence[str] | None, step: str | None) -> xr.Dataset:
    history = twin.history(asset_type, signals=signals, step=step)
    if history.sizes["time"] == 0:
        msg = f"{asset_type!r} has no history"
        raise SchemaError(msg)
    return history


def _stamp(when: object, what: str) -> pd.Timestamp:
    return pd.Timestamp(instant(when, what=f"anomalies: {what}"))


def _end(history: xr.Dataset) -> pd.Timestamp:
    """Return the end of the last cell."""
    times = history["time"].values[-2:]
    return pd.Timestamp(times[-1]) + pd.Timedelta(times[-1] - times[0] if len(times) > 1 else 1)


def _between(history: xr.Dataset, start: pd.Timestamp, stop: pd.Timestamp) -> xr.Dataset:
    times = history["time"].values
    inside = slice(*np.searchsorted(times, [start.to_datetime64(), stop.to_datetime64()]).tolist())
    return history.isel(time=inside).compute()


def _names(history: xr.Dataset, signals: Sequence[str] | None, *, rollups: bool) -> list[str]:
    """Return the variables to search: of rollups the means."""
    if signals is not None:
        return [f"{name}_mean" if rollups else name for name in signals]
    positions = ("latitude", "longitude")
    names = [
        name
        for name in signal_names(history)
        if (not rollups or name.endswith("_mean")) and name.removesuffix("_mean") not in (*positions, *_SCORED)
    ]
    # A mean of angles as numbers isn't their direction.
    turns = full_turns(names, units_of(history, names))
    return [name for name, turn in zip(names, turns, strict=True) if not (rollups and turn)]


def _usable(
    learnt: xr.Dataset, names: list[str], signals: Sequence[str] | None
) -> tuple[list[str], list[str], dict[str, str]]:
    """Return the variables and the assets that have something to learn from, and why the others haven't.

    Signals that were asked for are kept: `fit` says what is wrong with them.
    """
    cant_tell: dict[str, str] = {}
    if signals is None:
        for name in list(names):
            values = learnt[name].values
            if not np.isfinite(values).any() or np.nanmax(values) == np.nanmin(values):
                names.remove(name)
                cant_tell[name] = (
                    f"it has {'one value' if np.isfinite(values).any() else 'no value'} in the span that is learnt from"
                )
    known = [str(one) for one in learnt["asset"].values]
    empty = np.zeros(len(known), dtype=bool)
    for name in names:
        empty |= ~np.isfinite(learnt[name].transpose("time", "asset").values).any(axis=0)
    of_assets = dict(zip(known, empty.tolist(), strict=True))
    cant_tell |= {
        asset: "a signal has no value in the span that is learnt from" for asset, none in of_assets.items() if none
    }
    return names, [asset for asset, none in of_assets.items() if not none], cant_tell
