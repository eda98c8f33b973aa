"""Fitted models on issue times after their training, beside baselines: a backtest without a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.backtests.result import THEN, Backtest
from twinlab.predict.backtests.run import backtest
from twinlab.predict.baselines.defaults import default_baselines
from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.models.outcomes import Outcomes
from twinlab.predict.protocol.durations import duration, text_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import CantTell, Fitted, Predictor
from twinlab.predict.protocol.state import State

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["end_of", "evaluated", "held_out"]

#: Issue times at most: each reads the twin as it was known then.
_MOST: Final = 30
#: With fewer issue times nothing is said.
_LEAST: Final = 3


@dataclass(frozen=True)
class _Fitted:
    """A fitted predictor in the place of one that is to be fitted."""

    fitted: Fitted
    name: str

    @property
    def inputs(self) -> Inputs:
        # A fit would read the training span; what is read here is of no use.
        return replace(self.fitted.inputs, training=self.fitted.inputs.window)

    def content_hash(self) -> str:
        return self.fitted.content_hash()

    def fit(self, state: State) -> Fitted:  # noqa: ARG002  (as the protocol has it)
        return self.fitted


def end_of(twin: TwinReader, inputs: Inputs) -> np.datetime64:
    """Return the last instant of which a twin knows something that a model reads, a multiple of its step.

    Raises
    ------
    SchemaError
        If it knows nothing.
    """
    ends = []
    kinds = {inputs.asset_type: inputs.variables, **inputs.others}
    for kind, names in kinds.items():
        if names:
            times = twin.history(kind)["time"].values[-2:].astype("datetime64[ns]")
            # The newest cell ends a cadence after its start.
            ends += [times[-1] + (times[-1] - times[0])] if len(times) else []
    for kind in inputs.events if not ends else ():
        table = twin.events(kind)
        known = [table[name].max() for name in ("end", "start") if name in table]
        ends += [np.datetime64(one, "ns") for one in known if str(one) != "NaT"][:1]
    if not ends:
        msg = f"the twin knows nothing of {inputs.asset_type!r} that the model reads"
        raise SchemaError(msg)
    last, step = max(ends), inputs.step_ns
    whole: np.datetime64 = last - (int(last.astype("int64")) % int(step.astype("int64"))) * np.timedelta64(1, "ns")
    return whole


def held_out(
    twin: TwinReader,
    fitted: Fitted,
    predictor: Predictor | None,
    *,
    beside: Mapping[str, Fitted],
    start: np.datetime64,
    knowledge: Knowledge,
) -> Backtest | CantTell:
    """Return the predictions of fitted models at issue times after an instant, with the true values, beside default baselines.

    Parameters
    ----------
    twin : TwinReader
    fitted : Fitted
        What is compared with the others.
    predictor : Predictor, optional
        Its parameters; of one that states target and lead times, the baselines are fitted at ``start``.
    beside : mapping of str to Fitted
        Other fitted models by name.
    start : datetime64
        Nothing of what was known after it was used for a fit.
    knowledge : Knowledge
        What was known at each issue time.

    Returns
    -------
    Backtest or CantTell
        Why there is no comparison: no time after the training, or true values that twinlab doesn't know.
    """
    inputs, step = fitted.inputs, fitted.inputs.step_ns
    leads = [duration(one, what="lead_times") for one in getattr(predictor, "lead_times", ())]
    stop = end_of(twin, inputs) - max(leads, default=step)
    start += (-int(start.astype("datetime64[ns]").astype("int64")) % int(step.astype("int64"))) * np.timedelta64(
        1, "ns"
    )
    count = int((stop - start) // step) + 1 if stop >= start else 0
    if count < _LEAST:
        reason = f"nothing that was predicted after the training, which ended at {np.datetime_as_string(start, 'm')}, is known yet"
        return CantTell(reason)
    # A step of the cells that isn't a divisor of the day, so that issue times are at all hours.
    every = max(1, -(-count // _MOST))
    every += int(every > 1 and _DAY % (every * int(step.astype("int64"))) == 0)
    baselines = _baselines(predictor)
    models: dict[str, Any] = {name: _Fitted(one, name) for name, one in beside.items()} | baselines
    try:
        return backtest(
            _Fitted(fitted, "proposed" if beside else fitted.name), twin, start, stop + np.timedelta64(1, "ns"), every=text_of(step * every),
            baselines=models, knowledge=knowledge, final=False, workers=1, progress=False,
        )  # fmt: skip
    except SchemaError as error:
        return CantTell(f"it can't be scored: {error}")


_DAY: Final = 86400 * 10**9


def _baselines(predictor: Predictor | None) -> dict[str, Predictor]:
    """Return the baselines that a predictor states, or those of its target."""
    if predictor is None or not (hasattr(predictor, "baselines") or hasattr(predictor, "target")):
        return {}
    return default_baselines(predictor)  # type: ignore[arg-type]


def evaluated(found: Backtest | CantTell) -> tuple[tuple[dict[str, Any], ...], str, Outcomes | None]:
    """Return scores as rows, from when until when they are or why there are none, and the outcomes of the model."""
    if isinstance(found, CantTell):
        return (), str(found), None
    data: xr.Dataset = found.predictions[found.model, THEN]
    rows = tuple(
        {str(name): value if isinstance(value, str) else _finite(value) for name, value in row.items()}
        for row in found.scores().to_dict("records")
    )
    issued = data["issue_time"].values
    days = [np.datetime_as_string(one, "m") for one in (issued.min(), issued.max())] if issued.size else ["", ""]
    times = f"{len(np.unique(issued))} issue times from {days[0]} to {days[1]}, after the training"
    return rows, times, Outcomes.of(data, found.truth)


def _finite(value: Any) -> float | None:  # noqa: ANN401  (a number of any type)
    return float(value) if np.isfinite(value) else None
