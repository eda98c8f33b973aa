"""What the page computes in the background: each step reports what it does, and stops when the reader cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import SchemaError, TwinlabError
from twinlab.explore.views.outlook.requests import FailureTest, RiskRequest
from twinlab.languages import tr

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.session import Shared

__all__ = ["CancelledError", "Risks", "Steps", "arrived_later", "compute_risks", "knowledge_of", "run_test"]


class CancelledError(TwinlabError):
    """The reader has cancelled."""


@dataclass(frozen=True)
class Steps:
    """Where a computation reports how far it is.

    Parameters
    ----------
    progress : callable
        Called with (done, of, text).
    cancel : Event
    """

    progress: Callable[[tuple[int, int, str]], None]
    cancel: threading.Event

    def at(self, done: int, of: int, text: str) -> None:
        """Report a step that begins.

        Raises
        ------
        CancelledError
            If the reader has cancelled.
        """
        if self.cancel.is_set():
            msg = tr("Cancelled.")
            raise CancelledError(msg)
        self.progress((done, of, text))


@dataclass(frozen=True)
class Risks:
    """A maintenance list and where it comes from.

    Parameters
    ----------
    request : RiskRequest
    table : DataFrame
        Of ``twin.maintenance_list``.
    issued : datetime64
    newest : datetime64
        End of the history when it was computed.
    positions : DataFrame or None
        Latitude and longitude by asset; None where assets have no place.
    """

    request: RiskRequest
    table: pd.DataFrame
    issued: np.datetime64
    newest: np.datetime64
    positions: pd.DataFrame | None


def end_of_history(twin: Any, asset_type: str, signal: str) -> np.datetime64:
    """Return the end of the history of a type.

    Raises
    ------
    SchemaError
        If there is none.
    """
    times = twin.history(asset_type, signals=[signal])["time"].values
    if not len(times):
        msg = tr("{asset_type!r} has no history yet", asset_type=asset_type)
        raise SchemaError(msg)
    step = times[1] - times[0] if len(times) > 1 else np.timedelta64(0, "ns")
    return np.datetime64(times[-1] + step, "ns")


def arrived_later(twin: Any, asset_type: str, signal: str, at: np.datetime64) -> bool:
    """Return whether nothing of a type had arrived by an instant, as of a twin that was loaded from files long after."""
    if not hasattr(twin, "as_of"):
        return True
    return not twin.as_of(at).history(asset_type, signals=[signal]).sizes["time"]


def knowledge_of(by_event_time: bool) -> dict[str, Any]:  # noqa: FBT001  (one argument)
    """Return what was known as an argument: by event time, or as the twin has it."""
    from twinlab.predict.known.knowledge import ByEventTime  # noqa: PLC0415

    return {"knowledge": ByEventTime()} if by_event_time else {}


def compute_risks(twin: Any, shared: Shared, request: RiskRequest, steps: Steps) -> Risks:
    """Return a maintenance list; the fit is reused for other spans and costs."""
    kind = request.asset_type
    signal = next(iter(twin.model.asset_types[kind].signals))
    steps.at(0, 3, tr("What was known is read …"))
    newest = end_of_history(twin, kind, signal)
    late = request.at is not None and arrived_later(twin, kind, signal, request.at)
    request = replace(request, by_event_time=late)
    given = request.arguments() | knowledge_of(late)
    steps.at(1, 3, tr("The past failures of {value}s are learnt …", value=kind.replace("_", " ")))
    fitted = _fit(twin, shared, request)
    steps.at(2, 3, tr("The risk of each asset is computed …"))
    table = twin.maintenance_list(kind, fitted=fitted, **given)
    issued = newest if request.at is None else request.at
    return Risks(request, table, issued, newest, _positions(twin, kind, issued))


def _fit(twin: Any, shared: Shared, request: RiskRequest) -> Any:
    """Return a fit; None where there are too few failures, which the list then says."""
    key: Hashable = ("outlook fit", request.asset_type, str(request.at), request.by_event_time)

    def fit() -> Any:
        try:
            return twin.fit_failure(request.asset_type, known=request.at, **knowledge_of(request.by_event_time))
        except SchemaError:
            return None

    return shared.cached(key, fit)


def _positions(twin: Any, asset_type: str, at: np.datetime64) -> pd.DataFrame | None:
    from twinlab.events.present_state.places import positions  # noqa: PLC0415

    found = positions(twin, asset_type, at=at - np.timedelta64(1, "s"))
    return found if found["latitude"].notna().any() else None


def run_test(twin: Any, asset_type: str, steps: Steps) -> tuple[FailureTest, xr.Dataset, xr.DataArray]:
    """Return probabilities of failure that were issued again in the newest quarter of the history, and what happened."""
    from twinlab.predict.known.knowledge import ByEventTime, ByIngest  # noqa: PLC0415
    from twinlab.predict.known.running import predict_at  # noqa: PLC0415
    from twinlab.predict.predictions.joining import join  # noqa: PLC0415
    from twinlab.predict.targets.truth import truth_of  # noqa: PLC0415

    signal = next(iter(twin.model.asset_types[asset_type].signals))
    times = twin.history(asset_type, signals=[signal])["time"].values
    if not len(times):
        msg = tr("{asset_type!r} has no history yet", asset_type=asset_type)
        raise SchemaError(msg)
    test = FailureTest.of(asset_type, (times[0], times[-1]), by_event_time=True)
    test = replace(test, by_event_time=arrived_later(twin, asset_type, signal, test.known))
    rule = ByEventTime() if test.by_event_time else ByIngest()
    many = len(test.issued) + 2
    steps.at(0, many, tr("Fitted to what was known on {known} …", known=str(test.known)[:10]))
    fitted = twin.fit_failure(asset_type, known=test.known, knowledge=rule)
    parts = []
    for place, at in enumerate(test.issued):
        steps.at(place + 1, many, tr("Probabilities as of {at} …", at=str(at)[:10]))
        parts.append(predict_at(fitted, twin, issue_time=at, knowledge=rule))
    steps.at(many - 1, many, tr("What happened is read …"))
    data = join(parts)
    return test, data, truth_of(twin, data)
