"""What is asked of a twin: a maintenance list, forecasts from several instants, a test on the past; as arguments and as Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.languages import tr

__all__ = ["FailureTest", "ForecastRequest", "RiskRequest", "cost_of", "instant_code"]

_IMPORT = "from twinlab import predict\n"
_BY_EVENT = "knowledge=predict.ByEventTime()"


def instant_code(when: np.datetime64 | None) -> str:
    """Return an instant as Python.

    >>> instant_code(np.datetime64("2026-03-01")), instant_code(None)
    ("'2026-03-01T00:00:00'", 'None')
    """
    return repr(None if when is None else pd.Timestamp(when).isoformat())


def cost_of(text: str) -> float | str | None:
    """Return a cost as a number, or as the name of a property of the assets; None where none is stated.

    >>> cost_of("1,500"), cost_of(" overhaul "), cost_of("")
    (1500.0, 'overhaul', None)
    """
    stripped = text.strip()
    try:
        return float(stripped.replace(",", ""))
    except ValueError:
        return stripped or None


@dataclass(frozen=True)
class RiskRequest:
    """A maintenance list.

    Parameters
    ----------
    asset_type : str
    within : str
        Span that is planned for.
    acting, failing : float, str or None
        Costs, or the property of the assets that has them.
    at : datetime64, optional
        Issue time; by default the end of the history.
    by_event_time : bool
        Whether what was known is read by event time: nothing had arrived by then.
    """

    asset_type: str
    within: str = "7d"
    acting: float | str | None = None
    failing: float | str | None = None
    at: np.datetime64 | None = None
    by_event_time: bool = False

    @property
    def soon(self) -> str:
        """Span until the next occasion to act, at most the span that is planned for."""
        return "1d" if self.within in ("1d", "2d") else "2d"

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``twin.maintenance_list``, without what was known."""
        given = {"within": self.within, "soon": self.soon, "acting": self.acting, "failing": self.failing}
        return {**given, "at": self.at}

    def code(self, open_code: str) -> str:
        """Return Python that computes the list as ``data``."""
        given = [repr(self.asset_type), f"within={self.within!r}", f"soon={self.soon!r}"]
        given += [f"{name}={value!r}" for name in ("acting", "failing") if (value := getattr(self, name)) is not None]
        if self.at is not None:
            given.append(f"at={instant_code(self.at)}")
        if self.by_event_time:
            given.append(_BY_EVENT)
        return (
            f"{_IMPORT if self.by_event_time else ''}{open_code}\n\ndata = twin.maintenance_list({', '.join(given)})\n"
        )


@dataclass(frozen=True)
class ForecastRequest:
    """Forecasts of a signal, of counts of events, or of a KPI: the newest, and earlier ones as they would have been issued.

    Parameters
    ----------
    of : "signal", "events" or "kpi"
    name : str
        The signal, the event type or the KPI.
    asset_type : str
        Of a signal.
    by : str
        What events are counted by: ``"asset"`` or a link.
    horizon : str
    at : datetime64, optional
        Newest issue time; by default the end of what is known.
    past : int
        Earlier issue times, one horizon apart.
    by_event_time : bool
        As in `RiskRequest`, for the earlier issue times and ``at``.
    issued : tuple of datetime64
        The earlier issue times, once the newest is known.
    """

    of: Literal["signal", "events", "kpi"]
    name: str
    asset_type: str = ""
    by: str = ""
    horizon: str = "48h"
    at: np.datetime64 | None = None
    past: int = 3
    by_event_time: bool = False
    issued: tuple[np.datetime64, ...] = ()

    def _call(self) -> tuple[str, tuple[str, ...], dict[str, str]]:
        """Return the method of a twin, its names and its options."""
        match self.of:
            case "events":
                return "forecast_events", (self.name,), {"by": self.by, "horizon": self.horizon}
            case "kpi":
                return "forecast_kpi", (self.name,), {"horizon": self.horizon}
        return "forecast", (self.asset_type, self.name), {"horizon": self.horizon}

    def forecast(self, twin: Any, *, at: np.datetime64 | None = None, **given: Any) -> Any:
        """Return the forecast of an issue time."""
        method, names, options = self._call()
        when = {} if at is None else {"at": at}
        return getattr(twin, method)(*names, **options, **when, **given)

    def code(self, open_code: str) -> str:
        """Return Python that computes the forecasts as ``data``."""
        method, names, options = self._call()
        given = ", ".join([*map(repr, names), *(f"{name}={value!r}" for name, value in options.items())])
        extra = f", {_BY_EVENT}" if self.by_event_time else ""
        newest = f"twin.{method}({given})"
        if self.at is not None:
            newest = f"twin.{method}({given}, at={instant_code(self.at)}{extra})"
        earlier = ", ".join(instant_code(one) for one in self.issued)
        return (
            f"{_IMPORT}{open_code}\n\nearlier = [{earlier}]\n"
            f"parts = [twin.{method}({given}, at=at{extra}) for at in earlier]\ndata = predict.join([*parts, {newest}])\n"
        )


@dataclass(frozen=True)
class FailureTest:
    """A test of failure probabilities on the past: a fit at an instant, predictions of the span after it.

    Parameters
    ----------
    asset_type : str
    known : datetime64
        Nothing that became known later is fitted to.
    issued : tuple of datetime64
        Issue times after it.
    by_event_time : bool
        As in `RiskRequest`.
    """

    asset_type: str
    known: np.datetime64
    issued: tuple[np.datetime64, ...] = field(default=())
    by_event_time: bool = True

    #: The span of the probabilities.
    WITHIN = np.timedelta64(7, "D")

    @classmethod
    def of(cls, asset_type: str, span: tuple[np.datetime64, np.datetime64], *, by_event_time: bool) -> FailureTest:
        """Return a test on the newest quarter of a history.

        Parameters
        ----------
        asset_type : str
        span : (datetime64, datetime64)
            Of the history.
        by_event_time : bool

        Raises
        ------
        SchemaError
            If the history is too short.
        """
        day = np.timedelta64(1, "D")
        first, last = (one.astype("datetime64[D]") for one in span)
        known = first + (last - first) * 3 // 4
        issued = np.arange(known, last - cls.WITHIN + day, day)
        if known - first < 4 * cls.WITHIN or len(issued) < 1:
            msg = tr(
                "a test on the past needs five weeks of history of {asset_type!r}, and failures in it; there is {first} to {last}",
                asset_type=asset_type,
                first=first,
                last=last,
            )
            raise SchemaError(msg)
        step = -(-len(issued) // 28)
        return cls(
            asset_type, known.astype("datetime64[ns]"), tuple(issued[::step].astype("datetime64[ns]")), by_event_time
        )

    def code(self, open_code: str) -> str:
        """Return Python that computes the reliability as ``data``."""
        rule = _BY_EVENT if self.by_event_time else "knowledge=predict.ByIngest()"
        issued = ", ".join(repr(str(one.astype("datetime64[D]"))) for one in self.issued)
        return (
            f"{_IMPORT}{open_code}\n\nfitted = twin.fit_failure({self.asset_type!r}, known={instant_code(self.known)}, {rule})\n"
            f"issued = [{issued}]\n"
            f"found = predict.join([predict.predict_at(fitted, twin, issue_time=at, {rule}) for at in issued])\n"
            "data = predict.reliability_table(found, predict.truth_of(twin, found))\n"
        )
