"""Failures of a twin's assets: risk, remaining life, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.predictions.costs import Amount
from twinlab.model.terms import nearest
from twinlab.predict.failure.fitted import COLUMNS, FittedFailure
from twinlab.predict.failure.indicators import default_indicators
from twinlab.predict.failure.maintenance import Costs, maintenance_list
from twinlab.predict.failure.predictor import FailurePredictor
from twinlab.predict.failure.settings import FailureSettings
from twinlab.predict.known.knowledge import ByEventTime, Knowledge
from twinlab.predict.known.reading import read_state
from twinlab.predict.protocol.durations import duration, instant, text_of

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.predict.protocol.state import State

__all__ = ["default_settings", "fit_failure", "maintenance_table", "risk_table"]


def default_settings(twin: TwinReader, asset_type: str, **given: Any) -> FailureSettings:  # noqa: ANN401
    """Return the settings for an asset type: its failures, and indicators of its signals.

    Raises
    ------
    UnknownTermError
        If the model has no such asset type, or no one event type that is its failures.
    SchemaError
        If it has no signal that can be used.
    """
    spec = twin.model.asset_types.get(asset_type)
    if spec is None:
        msg = f"unknown asset type {asset_type!r}{nearest(asset_type, twin.model.asset_types)}"
        raise UnknownTermError(msg)
    event_type = str(given.pop("event_type", "") or _failures_of(twin, asset_type))
    if event_type not in twin.model.event_types:
        msg = f"unknown event type {event_type!r}{nearest(event_type, twin.model.event_types)}"
        raise UnknownTermError(msg)
    signals = {
        name: one
        for name, one in spec.signals.items()
        if one.kind != "counter" and one.role == "measurement" and name not in (spec.position or ())
    }
    if not signals:
        msg = f"{asset_type!r} has no signals besides positions and counters; failures can't be seen coming"
        raise SchemaError(msg)
    cadence = Counter(one.cadence_ns for one in signals.values()).most_common(1)[0][0]
    same = {name: one for name, one in signals.items() if one.cadence_ns == cadence}
    states = {
        name: {float(code): label for code, label in (one.states or {}).items()}
        for name, one in same.items()
        if one.kind == "state"
    }
    gauges = [name for name, one in same.items() if one.kind == "gauge"]
    texts = [name for name, one in twin.model.event_types[event_type].properties.items() if one.dtype == "text"]
    options: dict[str, Any] = {
        "indicators": default_indicators(gauges, states),
        "step": text_of(np.timedelta64(cadence, "ns")),
        "ending": tuple(texts[:2]),
    }
    return FailureSettings(event_type, asset_type, **(options | given))


def _failures_of(twin: TwinReader, asset_type: str) -> str:
    found = [name for name, one in twin.model.event_types.items() if one.asset == asset_type and "failure" in name]
    if len(found) != 1:
        of_type = [name for name, one in twin.model.event_types.items() if one.asset == asset_type]
        msg = (
            f"expected one event type of {asset_type!r} with 'failure' in its name, got {', '.join(found) or 'none'}; pass event_type=, one of "
            f"{', '.join(of_type) or 'none: record failures as events first'}"
        )
        raise UnknownTermError(msg)
    return found[0]


def fit_failure(
    twin: TwinReader, asset_type: str, *, known: object, knowledge: Knowledge | None = None, **settings: object
) -> FittedFailure:
    """Fit a predictor of failures, see `twinlab.Twin.fit_failure`."""
    predictor = FailurePredictor(default_settings(twin, asset_type, **settings))
    at, rule = _when(twin, predictor.settings, known, knowledge)
    return predictor.fit(_training_state(twin, predictor, at, rule))


def _training_state(twin: TwinReader, predictor: FailurePredictor, at: np.datetime64, rule: Knowledge | None) -> State:
    inputs = predictor.inputs
    return read_state(twin, inputs, at, knowledge=rule, span=inputs.training_ns)


def _when(
    twin: TwinReader, settings: FailureSettings, at: object, knowledge: Knowledge | None
) -> tuple[np.datetime64, Knowledge | None]:
    """Return an instant, by default the end of the history, and what was known then."""
    if at is not None:
        return instant(at, what="at"), knowledge
    times = twin.history(settings.asset_type, signals=list(settings.inputs.variables))["time"].values
    if not times.size:
        msg = f"{settings.asset_type!r} has no history"
        raise SchemaError(msg)
    # All that is known now is known at the end of the history.
    return times[-1].astype("datetime64[ns]") + duration(settings.step, what="step"), knowledge or ByEventTime()


def risk_table(
    twin: TwinReader,
    asset_type: str,
    *,
    within: str,
    at: object,
    fitted: FittedFailure | None = None,
    knowledge: Knowledge | None = None,
) -> pd.DataFrame:
    """Return the risks of the assets of a type, see `twinlab.Twin.failure_risk`."""
    return _risks(twin, asset_type, (within,), at=at, fitted=fitted, knowledge=knowledge)[0]


def _risks(
    twin: TwinReader,
    asset_type: str,
    spans: tuple[str, ...],
    *,
    at: object,
    fitted: FittedFailure | None,
    knowledge: Knowledge | None,
) -> list[pd.DataFrame]:
    """Return the risks within several spans."""
    for span in spans:
        duration(span, what="within")
    settings = default_settings(twin, asset_type) if fitted is None else fitted.settings
    when, rule = _when(twin, settings, at, knowledge)
    if fitted is None:
        predictor = FailurePredictor(settings)
        training = _training_state(twin, predictor, when, rule)
        reason = predictor.refusal(training)
        if reason:
            return [_without_numbers(training.asset_ids, reason) for _ in spans]
        fitted = predictor.fit(training)
    elif settings.asset_type != asset_type or np.datetime64(fitted.training[1]) > when:
        msg = (
            f"expected a predictor of {asset_type!r} that was fitted to what was known at {when}, got one of "
            f"{settings.asset_type!r} fitted at {fitted.training[1]}; fit it with known={str(when)!r} or earlier"
        )
        raise SchemaError(msg)
    state = read_state(twin, fitted.inputs, when, knowledge=rule)
    return [fitted.table(state, within=span) for span in spans]


def _without_numbers(assets: list[str], reason: str) -> pd.DataFrame:
    """Return a table in which no asset has a number."""
    out = pd.DataFrame({"asset": assets}).reindex(columns=list(COLUMNS))
    out[["drivers", "nearest_case"]] = ""
    out["cant_tell"] = reason
    return out


def maintenance_table(
    twin: TwinReader,
    asset_type: str,
    *,
    within: str,
    soon: str,
    acting: str | Costs | None,
    failing: str | Costs | None,
    limit: float,
    at: object,
    fitted: FittedFailure | None,
    knowledge: Knowledge | None,
) -> pd.DataFrame:
    """Return what to do about each asset, see `twinlab.Twin.maintenance_list`."""
    if duration(soon, what="soon") > duration(within, what="within"):
        msg = f"expected soon= to be at most within={within!r}, got {soon!r}"
        raise SchemaError(msg)
    near, far = _risks(twin, asset_type, (soon, within), at=at, fitted=fitted, knowledge=knowledge)
    stated = twin.model.maintenance.get(asset_type)
    if stated is not None:
        # What is passed comes before what the model states.
        acting = _stated(stated.acting) if acting is None else acting
        failing = _stated(stated.failing) if failing is None else failing
    found = maintenance_list(
        near,
        far,
        acting=_costs(twin, asset_type, acting, "acting"),
        failing=_costs(twin, asset_type, failing, "failing"),
        limit=limit,
        usual=far.attrs.get("usual", 0.0),
    )
    found.attrs["currency"] = "" if stated is None else stated.currency
    return found


def _stated(text: str) -> str | float:
    """Return a cost that `twin.yaml` states: an amount, or the name of a property."""
    amount = Amount.parse(text)
    return text if amount is None else amount.value


def _costs(twin: TwinReader, asset_type: str, given: str | Costs | None, what: str) -> Costs | None:
    """Return costs; those of a property by asset."""
    if not isinstance(given, str):
        return given
    table = twin.assets(asset_type)
    if given not in table.columns:
        msg = f"{what}: {asset_type!r} has no property {given!r}{nearest(given, map(str, table.columns))}"
        raise UnknownTermError(msg)
    values: Mapping[Any, Any] = pd.to_numeric(table[given], errors="coerce").dropna().to_dict()
    return {str(asset): float(value) for asset, value in values.items()}
