"""A stored model: what was fitted, what it reads, how to fit it again, and what its training looked like."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from twinlab.errors import CorruptionError
from twinlab.predict.anomaly.recipe import AnomalyRecipe
from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.models.drift import Reference
from twinlab.predict.models.outcomes import Outcomes
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import Predictor

__all__ = ["ModelRecord", "StoredModel"]


@dataclass(frozen=True)
class ModelRecord:
    """What is known of one version of a model, as text and numbers.

    Parameters
    ----------
    name : str
        Of the model in the twin.
    version : str
        Hash of what it predicts; predictions have it as ``model_hash``.
    kind : str
        Class of what was fitted, such as ``"FittedDelay"``.
    model : str
        Name of the model itself, such as the estimator's.
    asset_type, target, units, step : str
        What it predicts; empty where it doesn't say.
    lead_times : tuple of str
    start, stop : str
        Training window, UTC; stop is the instant at which its data were known.
    added : str
        When it was stored, UTC.
    owner : str
        Who answers for it.
    inputs : tuple of str
        Names of its features, or of the variables and events that it reads.
    assets : tuple of str
        Assets of the training.
    input_units : mapping of str to str
        Unit of each variable that it reads, as in training.
    twin_model : str
        Hash of the twin's model as it was known at ``stop``.
    mappings : mapping of str to str
        Hashes of the mappings.
    sources : tuple of str
        Those whose mapping gives what it reads.
    position : mapping of str to int
        Rows of each source that were known.
    scores : tuple of mappings
        Scores after the training beside baselines, a row a model.
    scored : str
        From when until when, or why there are no scores.
    limits : tuple of str
        What it can't answer.
    cpu_seconds : float
        Of the fit; NaN if it wasn't measured here.
    reference : str
        Why its inputs can't be compared with training; empty if they can.
    """

    name: str
    version: str
    kind: str
    model: str
    asset_type: str
    target: str
    units: str
    step: str
    lead_times: tuple[str, ...]
    start: str
    stop: str
    added: str
    owner: str
    inputs: tuple[str, ...]
    assets: tuple[str, ...]
    input_units: dict[str, str]
    twin_model: str
    mappings: dict[str, str]
    sources: tuple[str, ...]
    position: dict[str, int]
    scores: tuple[dict[str, Any], ...] = ()
    scored: str = ""
    limits: tuple[str, ...] = ()
    cpu_seconds: float | None = None
    reference: str = ""
    libraries: dict[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {name: value for name, value in asdict(self).items() if name != "libraries"}

    @classmethod
    def of(cls, facts: dict[str, Any], *, where: str) -> ModelRecord:
        """Return the record of facts that were read.

        Raises
        ------
        CorruptionError
            If they aren't those of a model; names ``where`` they are from.
        """
        try:
            lists = {name: tuple(value) for name, value in facts.items() if isinstance(value, list)}
            return cls(**(facts | lists))
        except TypeError as error:
            msg = f"the model {where} can't be read: its facts aren't those of a stored model ({error}); fit it again"
            raise CorruptionError(msg) from error


@dataclass(frozen=True)
class StoredModel:
    """A fitted model with what its check and its next fit need.

    Parameters
    ----------
    fitted : object
        A fitted predictor, or a model of anomalies.
    inputs : Inputs
        What it reads of a twin.
    knowledge : Knowledge
        The rule of what was known, by which it was fitted.
    predictor : Predictor, optional
        Its parameters, to fit it again.
    reference : Reference, optional
        Inputs of training.
    outcomes : Outcomes, optional
        Of the predictions on which it was scored.
    """

    fitted: Any
    inputs: Inputs
    knowledge: Knowledge
    predictor: Predictor | AnomalyRecipe | None = None
    reference: Reference | None = None
    outcomes: Outcomes | None = None
