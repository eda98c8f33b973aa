"""Everything that is stored beside a fitted model: read from the twin as it was known when the training ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.scoring import AnomalyModel
from twinlab.predict.backtests.result import Backtest
from twinlab.predict.conformal.predictor import FittedConformal
from twinlab.predict.delay.fitted import FittedDelay
from twinlab.predict.delay.predictor import DelayPredictor
from twinlab.predict.failure.fitted import FittedFailure
from twinlab.predict.failure.predictor import FailurePredictor
from twinlab.predict.known.knowledge import ByEventTime, Knowledge
from twinlab.predict.known.reading import default_knowledge, read_state
from twinlab.predict.models.drift import Reference
from twinlab.predict.models.evaluation import evaluated, held_out
from twinlab.predict.models.format import model_hash, to_arrays
from twinlab.predict.models.inputs import input_table, sources_of, units_of
from twinlab.predict.models.stored import ModelRecord, StoredModel
from twinlab.predict.predictions.schema import target_of
from twinlab.predict.protocol.durations import instant
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import CantTell, Fitted, Predictor
from twinlab.predict.protocol.state import State

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["Training", "prepared", "recipe_of", "training_of"]

#: Assets and inputs that a sentence names.
_NAMED: Final = 3


@dataclass(frozen=True)
class Training:
    """What a fitted model was trained on.

    Parameters
    ----------
    inputs : Inputs
        What it reads.
    start, stop : datetime64
        ``stop`` is the instant at which the data were known.
    """

    inputs: Inputs
    start: np.datetime64
    stop: np.datetime64


def training_of(
    fitted: object,
    *,
    asset_type: str | None = None,
    step: str | None = None,
    training: tuple[object, object] | None = None,
) -> Training:
    """Return what a model was trained on: what it says itself, or of a model of anomalies what is given.

    Raises
    ------
    SchemaError
        If it is no model that twinlab stores, or lacks what it can't say itself.
    """
    if isinstance(fitted, Fitted):
        if asset_type is not None or step is not None or training is not None:
            msg = (
                "expected asset_type=, step= and training= of a model of anomalies only: a fitted predictor has its own"
            )
            raise SchemaError(msg)
        return Training(fitted.inputs, *fitted.training)
    if not isinstance(fitted, AnomalyModel):
        msg = f"expected a fitted predictor or a model of anomalies, got a {type(fitted).__name__}"
        raise SchemaError(msg)
    if asset_type is None or step is None or training is None:
        msg = "expected asset_type=, step= (of the cells that it scores) and training=(start, stop) beside a model of anomalies"
        raise SchemaError(msg)
    start, stop = (instant(one, what="training") for one in training)
    if start >= stop:
        msg = f"expected a training window that ends after its start, got {start} to {stop}"
        raise SchemaError(msg)
    return Training(Inputs(asset_type, fitted.signals, step=step, window=step), start, stop)


def recipe_of(fitted: object) -> Predictor | None:
    """Return the parameters that a fitted predictor was fitted with; None if they aren't known.

    A predictor of delays or failures keeps the hash of its parameters: the usual ones with its settings are they if they have this hash.
    """
    found = getattr(fitted, "of", None)
    if isinstance(found, Predictor):
        return found
    usual: Predictor | None = None
    if isinstance(fitted, FittedDelay):
        usual = DelayPredictor(
            fitted.settings, predicts=fitted.predicts, calibration=fitted.calibration, name=fitted.name
        )
    elif isinstance(fitted, FittedFailure):
        usual = FailurePredictor(fitted.settings, fitted.within, name=fitted.name)
    return usual if usual is not None and usual.content_hash() == getattr(fitted, "parameters", "") else None


def prepared(
    twin: TwinReader,
    name: str,
    fitted: Any,  # noqa: ANN401  (a fitted predictor or a model of anomalies)
    training: Training,
    *,
    owner: str,
    predictor: Predictor | None = None,
    knowledge: Knowledge | None = None,
    limits: Sequence[str] = (),
    cpu_seconds: float | None = None,
) -> tuple[StoredModel, ModelRecord]:
    """Return a model as it is stored, with what is known of it.

    Parameters
    ----------
    twin : TwinReader
    name : str
    fitted : Fitted or AnomalyModel
    training : Training
    owner : str
        Who answers for it.
    predictor : Predictor, optional
        Its parameters, by default those that it keeps itself.
    knowledge : Knowledge, optional
        The rule by which it was fitted; by default by ingest time if the twin has a ledger.
    limits : sequence of str
        What it can't answer, beside what twinlab knows.
    cpu_seconds : float, optional
        Of the fit.

    Raises
    ------
    SchemaError
        If nothing was known of the twin when the training ended, or the model can't predict from it.
    """
    rule = default_knowledge(twin) if knowledge is None else knowledge
    recipe = recipe_of(fitted) if predictor is None else predictor
    state = _training_state(twin, training, rule)
    what = _predicted(fitted, state)
    reference, why = _reference(fitted, state, training)
    found: Backtest | CantTell = CantTell("a model of anomalies has no true values to be scored with")
    if isinstance(fitted, Fitted):
        found = held_out(twin, fitted, recipe, beside={}, start=training.stop, knowledge=rule)
    rows, times, outcomes = evaluated(found)
    stored = StoredModel(fitted, training.inputs, rule, _storable(recipe), reference, outcomes)
    facts = state.facts
    record = ModelRecord(
        name=name,
        version=model_hash(fitted),
        kind=type(fitted).__name__,
        model=getattr(fitted, "name", type(getattr(fitted, "detector", fitted)).__name__),
        asset_type=training.inputs.asset_type,
        step=training.inputs.step,
        target=what[0],
        units=what[1],
        lead_times=tuple(getattr(recipe, "lead_times", ())),
        start=str(training.start),
        stop=str(training.stop),
        added=datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
        owner=owner,
        inputs=_input_names(fitted, training.inputs),
        assets=tuple(state.asset_ids),
        input_units=units_of(state),
        twin_model=str(facts.get("twin_model", "")),
        mappings=dict(facts.get("mappings", {})),  # type: ignore[call-overload]
        sources=sources_of(getattr(twin, "mappings", {}), training.inputs),
        position=dict(facts.get("position", {})),  # type: ignore[call-overload]
        scores=rows,
        scored=times,
        limits=(*_limits(fitted, recipe, rule, state, quantiles=what[2]), *limits),
        cpu_seconds=cpu_seconds,
        reference=why,
    )
    return stored, record


def _storable(recipe: Predictor | None) -> Predictor | None:
    """Return parameters that can be stored; None of those with a function of the user's own."""
    if recipe is None:
        return None
    try:
        to_arrays(recipe)
    except SchemaError:
        return None
    return recipe


def _training_state(twin: TwinReader, training: Training, rule: Knowledge) -> State:
    inputs, stop = training.inputs, training.stop.astype("datetime64[ns]")
    longest = max(stop - training.start.astype("datetime64[ns]"), inputs.window_ns)
    return read_state(twin, inputs, stop, knowledge=rule, span=longest)


def _predicted(fitted: Any, state: State) -> tuple[str, str, bool]:  # noqa: ANN401
    """Return name and unit of what is predicted, and whether it has quantiles, by predicting once."""
    if not isinstance(fitted, Fitted):
        return "anomalies", "1", False
    data = fitted.predict(state.at(state.issue_time, window=fitted.inputs.window_ns))
    return str(data.attrs["target"]), str(target_of(data).attrs["units"]), "quantile" in data.dims


def _reference(fitted: object, state: State, training: Training) -> tuple[Reference | None, str]:
    table = input_table(fitted, state).since(training.start)
    if not table.names:
        return None, "it reads events alone, whose drift isn't measured"
    try:
        return Reference.of(table.names, table.times, table.values), ""
    except SchemaError as error:
        return None, str(error)


def _input_names(fitted: object, inputs: Inputs) -> tuple[str, ...]:
    inner = fitted.inner if isinstance(fitted, FittedConformal) else fitted
    features = getattr(getattr(inner, "of", None), "features", None)
    if features is not None:
        return tuple(one.name for one in features)
    own = getattr(inner, "names", None)
    if isinstance(own, tuple):
        return own
    others = [f"{name} of {kind}" for kind, names in inputs.others.items() for name in names]
    return (*inputs.variables, *others, *(f"events {kind}" for kind in inputs.events))


def _limits(fitted: Any, recipe: Predictor | None, rule: Knowledge, state: State, *, quantiles: bool) -> list[str]:  # noqa: ANN401
    """Return what a model can't answer, in sentences."""
    ids = state.asset_ids
    some = ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")
    out = [f"{len(ids)} assets were in its training{f' ({some})' if ids else ''}: of others it may have no number."]
    leads = getattr(recipe, "lead_times", ())
    if leads:
        out.append(f"Nothing beyond a lead time of {leads[-1]}, and nothing between its lead times.")
    promised = isinstance(fitted, FittedConformal) or hasattr(fitted, "intervals")
    if quantiles and not promised:
        out.append(
            "Its quantiles are those of its fit: no coverage is promised; predict.Conformal around it measures one."
        )
    if isinstance(rule, ByEventTime):
        out.append("It was fitted by event time: corrections that came later are in its training.")
    out.append(
        "What is unlike its training: values beyond those that it has seen, another mode of operation, an action that nobody took before."
    )
    out.append("Causes: a feature that a prediction follows needn't be why.")
    return out
