"""The fitted models of a twin: stored beside it, with cards, checks, and proposals that are promoted or discarded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from twinlab.errors import CorruptionError, SchemaError, SourceError, TwinlabError, UnitError
from twinlab.predict.anomaly.fitted import FittedAnomalies
from twinlab.predict.anomaly.recipe import AnomalyRecipe
from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.known.reading import read_state
from twinlab.predict.models.card import ModelCard
from twinlab.predict.models.check import ModelCheck, checked, outcomes_together, predictions_of
from twinlab.predict.models.evaluation import end_of
from twinlab.predict.models.inputs import unit_changes
from twinlab.predict.models.outcomes import Outcomes
from twinlab.predict.models.store import SHORT, ModelStore
from twinlab.predict.models.stored import ModelRecord
from twinlab.predict.models.storing import prepared, training_of
from twinlab.predict.protocol.durations import duration, instant
from twinlab.predict.protocol.predictor import Predictor
from twinlab.predict.targets.truth import truth_of
from twinlab.twin.predict.anomaly_models import learnt_again, unpacked
from twinlab.twin.predict.model_proposal import ModelProposal
from twinlab.twin.predict.stored import TwinPredictions

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["TwinModels"]

#: Columns of `TwinModels.table` and their types.
_COLUMNS: Final = {
    **dict.fromkeys(("name", "version", "proposed", "target", "asset_type", "model"), "str"),
    **dict.fromkeys(("start", "stop"), "datetime64[ns]"),
    "score": "str",
    **dict.fromkeys(("value", "baseline"), "float64"),
    "owner": "str",
    "added": "datetime64[ns]",
    "bytes": "int64",
    "fault": "str",
}


class TwinModels(ModelStore):
    """The stored models of a twin: `table`, `add`, `open`, `card`, `check`, `retrain`, `propose`, `rollback`.

    Parameters
    ----------
    path : path
        Folder of the models.
    twin : TwinReader
    predictions : TwinPredictions
        Stored predictions, whose outcomes are checked.
    """

    def __init__(self, path: str | Path, twin: TwinReader, predictions: TwinPredictions) -> None:
        super().__init__(path)
        self._twin, self._predictions = twin, predictions

    # -- what there is
    def table(self) -> pd.DataFrame:
        """Return a row for each model.

        Columns ``name, version`` (in use), ``proposed`` (a version that awaits a decision, empty if none), ``target, asset_type, model, start, stop``
        (training), ``score`` (``mae`` or ``brier``), ``value`` of it and ``baseline`` (the best baseline's; both on issue times after the training, NaN
        without any), ``owner, added, bytes``, and ``fault`` (why it can't be read).
        """
        return pd.DataFrame([self._row(name) for name in self.names], columns=list(_COLUMNS)).astype(_COLUMNS)

    def _row(self, name: str) -> dict[str, object]:
        try:
            record = self.record(name)
            waiting = self.proposals(name)
            size = self.size(name, record.version)
        except (CorruptionError, SourceError) as error:
            nothing: dict[str, object] = {
                key: "" if kind == "str" else 0 if kind == "int64" else None for key, kind in _COLUMNS.items()
            }
            return nothing | {"name": name, "fault": str(error)}
        score, value, baseline = _best(record.scores)
        same = ("version", "target", "asset_type", "model", "start", "stop", "owner", "added")
        return {
            "name": name,
            **{key: getattr(record, key) for key in same},
            "proposed": waiting[-1] if waiting else "",
            "score": score,
            "value": value,
            "baseline": baseline,
            "bytes": size,
            "fault": "",
        }

    def card(self, name: str, version: str | None = None) -> ModelCard:
        """Return the card of a model: data, window, inputs, scores beside baselines, what it can't answer, and its owner.

        Parameters
        ----------
        name : str
        version : str, optional
            By default the one in use; its first digits are enough.

        Raises
        ------
        UnknownTermError
            If there is no such model or version; shows the nearest name.
        CorruptionError
            If its file can't be read.
        """
        record = self.record(name, version)
        return ModelCard(record, self.state(name, record.version), self.decisions(name))

    def open(self, name: str, version: str | None = None) -> Any:  # noqa: ANN401  (any kind of model)
        """Return a fitted model, to predict with: for ``fitted=`` of the twin's methods and `TwinPredictions.issue`.

        Parameters
        ----------
        name : str
        version : str, optional
            By default the one in use.

        Raises
        ------
        UnknownTermError
            If there is no such model or version; shows the nearest name.
        CorruptionError
            If its file can't be read.
        UnitError
            If a unit that it reads has changed since its training: its numbers would be wrong.
        """
        record, stored = self.record(name, version), self.read(name, version)
        changed = unit_changes(record.input_units, self._units(record))
        if changed:
            msg = (
                f"the model {name!r} can't be used: {'; '.join(changed)}; train it again: twin.models.retrain({name!r})"
            )
            raise UnitError(msg)
        return stored.fitted

    def _units(self, record: ModelRecord) -> dict[str, str]:
        """Return the present unit of each variable that a model reads; no cell is read."""
        out = {}
        for label in record.input_units:
            name, _, kind = label.partition(" of ")
            data = self._twin.history(kind or record.asset_type)
            if name not in data:
                data = self._twin.history(kind or record.asset_type, step=record.step)
            if name in data:
                out[label] = str(data[name].attrs.get("units", ""))
        return out

    # -- adding
    def add(
        self,
        name: str,
        fitted: Any,  # noqa: ANN401  (any kind of model)
        *,
        owner: str,
        predictor: Predictor | None = None,
        asset_type: str | None = None,
        step: str | None = None,
        training: tuple[object, object] | None = None,
        knowledge: Knowledge | None = None,
        limits: Sequence[str] = (),
        reason: str = "",
    ) -> ModelCard:
        """Store a fitted model under a new name; it is in use from then on.

        Parameters
        ----------
        name : str
        fitted : Fitted, FittedAnomalies or AnomalyModel
            `twinlab.Twin.fit_anomalies` returns a FittedAnomalies, which has its parameters, and where it was learnt.
        owner : str
            Who answers for it.
        predictor : Predictor, optional
            Its parameters, for `retrain`; by default those that it keeps itself. With a function of your own they aren't stored.
        asset_type, step, training
            Of a model of anomalies: the type, the step of the cells that it scores, and ``(start, stop)`` of what it was learnt from.
        knowledge : Knowledge, optional
            The rule by which it was fitted; by default by ingest time if the twin has a ledger.
        limits : sequence of str
            What it can't answer, beside what twinlab states on the card.
        reason : str
            For the list of decisions.

        Returns
        -------
        ModelCard

        Raises
        ------
        SchemaError
            If the name is taken, the owner is empty, a part of the model can't be stored, or nothing was known of the twin when its training ended.
        """
        if not owner.strip():
            msg = f"expected who answers for the model {name!r}, got owner={owner!r}"
            raise SchemaError(msg)
        recipe: Any = predictor
        if isinstance(fitted, FittedAnomalies):
            parts = unpacked(fitted, self._twin)
            fitted, recipe = parts.model, parts.recipe
            asset_type, step, training = parts.asset_type, parts.step, parts.training
        facts = training_of(fitted, asset_type=asset_type, step=step, training=training)
        stored, record = prepared(
            self._twin, name, fitted, facts, owner=owner, predictor=recipe, knowledge=knowledge, limits=limits
        )
        self.write(stored, record, what="added", author=owner, reason=reason)
        return self.card(name)

    def propose(
        self,
        name: str,
        fitted: Any,  # noqa: ANN401  (any kind of model)
        *,
        predictor: Predictor | None = None,
        training: tuple[object, object] | None = None,
        author: str = "",
        reason: str = "",
        cpu_seconds: float | None = None,
    ) -> ModelProposal:
        """Store another version of a model, beside the one in use; nobody uses it until it is promoted.

        Parameters
        ----------
        name : str
        fitted : Fitted or AnomalyModel
        predictor : Predictor, optional
            As in `add`.
        training : (instant, instant), optional
            Of a model of anomalies.
        author, reason : str
            Who proposes it, and why.
        cpu_seconds : float, optional
            Of the fit, for the diff.

        Raises
        ------
        UnknownTermError
            If there is no model of that name.
        SchemaError
            If this version is in use or proposed already.
        """
        now, current = self.record(name), self.read(name)
        recipe: Any = predictor
        if isinstance(fitted, FittedAnomalies):
            parts = unpacked(fitted, self._twin)
            fitted, recipe, training = parts.model, parts.recipe, parts.training
        own = {} if training is None else {"asset_type": now.asset_type, "step": now.step, "training": training}
        facts = training_of(fitted, **own)  # type: ignore[arg-type]
        stored, record = prepared(
            self._twin, name, fitted, facts, owner=now.owner, predictor=recipe, knowledge=current.knowledge, cpu_seconds=cpu_seconds,
        )  # fmt: skip
        self.write(stored, record, what="proposed", author=author, reason=reason)
        return self.proposal(name, record.version)

    def retrain(
        self, name: str, *, known: object = None, test: str = "14d", author: str = "", reason: str = ""
    ) -> ModelProposal:
        """Fit a model again, with the same parameters, to what was known later, and propose it.

        Parameters
        ----------
        name : str
        known : instant, optional
            Nothing that became known later is used; by default the end of the history less ``test``.
        test : duration
            Newest span that isn't fitted to, so that both versions can be compared on it.
        author, reason : str
            Who proposes it, and why.

        Raises
        ------
        SchemaError
            If the model was stored without its parameters, or nothing has become known since its training.
        """
        stored, record = self.read(name), self.record(name)
        if stored.predictor is None:
            msg = f"the model {name!r} was stored without its parameters; fit it and propose it: twin.models.propose({name!r}, fitted)"
            raise SchemaError(msg)
        inputs, recipe = stored.inputs, stored.predictor
        at = end_of(self._twin, inputs) - duration(test, what="test") if known is None else instant(known, what="known")
        if at <= np.datetime64(record.stop):
            msg = f"expected data that became known after the training of {name!r}, which ended at {record.stop[:16]}, got known={np.datetime_as_string(at, 'm')}"
            raise SchemaError(msg)
        began = time.process_time()
        fitted: Any
        if isinstance(recipe, AnomalyRecipe):
            fitted = learnt_again(self._twin, recipe, span=(record.start, record.stop), until=at)
        else:
            inputs = recipe.inputs
            fitted = recipe.fit(read_state(self._twin, inputs, at, knowledge=stored.knowledge, span=inputs.training_ns))
        seconds = time.process_time() - began
        own = None if isinstance(recipe, AnomalyRecipe) else recipe
        return self.propose(name, fitted, predictor=own, author=author, reason=reason, cpu_seconds=seconds)

    def proposal(self, name: str, version: str | None = None) -> ModelProposal:
        """Return a proposed version of a model, by default the one that is open.

        Raises
        ------
        SchemaError
            If none is open, or several are and none is named.
        """
        if version is None:
            waiting = self.proposals(name)
            if len(waiting) != 1:
                known = (
                    f"{', '.join(one[:SHORT] for one in waiting)}; name one of them"
                    if waiting
                    else "none; twin.models.retrain makes one"
                )
                msg = f"expected one proposal of {name!r}, got {known}"
                raise SchemaError(msg)
            version = waiting[0]
        return ModelProposal(self, self._twin, name, self.record(name, version).version)

    def rollback(self, name: str, *, author: str = "", reason: str = "") -> str:
        """Use the version again that was in use before the last promotion; returns it.

        Raises
        ------
        SchemaError
            If there is no promotion to take back.
        """
        return super().rollback(name, author=author, reason=reason)

    # -- checking
    def check(self, name: str, *, at: object = None) -> ModelCheck:
        """Return whether a model still fits its twin, with the reason.

        Parameters
        ----------
        name : str
        at : instant, optional
            End of the newest span of inputs; by default the end of the history.

        Returns
        -------
        ModelCheck
            ``fine``; ``retrain proposed`` if inputs have drifted, intervals contain fewer outcomes than promised, or errors have grown; ``can't tell``
            if too little is known; ``refused`` if units or mappings have changed since the training.

        Raises
        ------
        UnknownTermError
            If there is no such model; shows the nearest name.
        """
        record, stored = self.record(name), self.read(name)
        when = end_of(self._twin, stored.inputs) if at is None else instant(at, what="at")
        return checked(self._twin, record, stored, self._outcomes(record.version), at=when)

    def _outcomes(self, version: str) -> Outcomes | None:
        """Return the outcomes of the stored predictions of a version."""
        found = []
        for name in self._predictions.names:
            try:
                data = predictions_of(self._predictions.open(name), version)
                if data is not None:
                    found.append(Outcomes.of(data, truth_of(self._twin, data)))
            except TwinlabError:
                # Predictions that can't be read, or whose truth twinlab doesn't know, say nothing of this model.
                continue
        return outcomes_together(found)

    def __repr__(self) -> str:
        table = self.table()
        if table.empty:
            return f"TwinModels {self.path}: no models"
        shown = table[
            ["name", "version", "proposed", "target", "asset_type", "stop", "score", "value", "baseline", "owner"]
        ]
        shown = shown.assign(version=shown["version"].str[:SHORT], proposed=shown["proposed"].str[:SHORT])
        lines = [f"TwinModels {self.path}: {len(table)} models", shown.to_string(index=False, na_rep="")]
        return "\n".join([*lines, *table["fault"][table["fault"] != ""]])


def _best(scores: Sequence[dict[str, Any]]) -> tuple[str, float | None, float | None]:
    """Return the name of the score, the model's and the best baseline's value."""
    if not scores:
        return "", None, None
    name = "brier" if "brier" in scores[0] else "mae"
    others = [one[name] for one in scores[1:] if one.get(name) is not None]
    return name, scores[0].get(name), min(others, default=None)
