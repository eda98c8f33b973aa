"""Rounds of the predictions that ``twin.yaml`` states: what is due is fitted, predicted and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from twinlab.errors import SchemaError, TwinlabError, UnknownTermError
from twinlab.model.reader import TwinReader
from twinlab.model.terms import nearest
from twinlab.predict.known.knowledge import ByIngest
from twinlab.predict.known.reading import default_knowledge, read_state
from twinlab.twin.predict.delays import delay_table, fit_delay
from twinlab.twin.predict.round_notes import note_rounds

if TYPE_CHECKING:
    from twinlab.model.predictions import rule
    from twinlab.predict.delay import FittedDelay
    from twinlab.predict.known.knowledge import Knowledge
    from twinlab.twin.predict.models import TwinModels
    from twinlab.twin.predict.stored import TwinPredictions

__all__ = ["PredictingTwin", "PredictionRound", "run_rounds"]

#: Events are looked for in so many days, for the newest instant of the data.
_RECENT: Final = np.timedelta64(7, "D")
#: After so many times the longest pause of these days a source may have stopped.
_LONGER: Final = 2
#: Who is named in the decisions about models.
_AUTHOR: Final = "twin.yaml"


class PredictingTwin(TwinReader, Protocol):
    """A twin that stores predictions and models."""

    @property
    def predictions(self) -> TwinPredictions:
        """Stored predictions."""

    @property
    def models(self) -> TwinModels:
        """Stored models."""


@dataclass(frozen=True)
class PredictionRound:
    """What one round did.

    Parameters
    ----------
    stored : mapping of str to datetime64
        Rules whose predictions were stored, with their issue times.
    waiting : tuple of str
        Rules that aren't due, or have no event to predict.
    fitted : tuple of str
        Rules whose model was fitted.
    failed : mapping of str to str
        Why rules failed; what others predicted is stored.
    """

    stored: Mapping[str, np.datetime64]
    waiting: tuple[str, ...]
    fitted: tuple[str, ...]
    failed: Mapping[str, str]

    def __str__(self) -> str:
        parts = [
            f"{name}: predicted at {np.datetime_as_string(at, 'm')}{' with a new fit' if name in self.fitted else ''}"
            for name, at in self.stored.items()
        ]
        parts += [f"{name}: nothing due" for name in self.waiting]
        return "; ".join([*parts, *(f"{name}: {text}" for name, text in self.failed.items())]) or "nothing to predict"


def run_rounds(
    twin: PredictingTwin,
    names: Sequence[str] | None = None,
    *,
    now: np.datetime64,
    again: bool = False,
    knowledge: Knowledge | None = None,
) -> PredictionRound:
    """Predict what is due, see `twinlab.Twin.run_predictions`."""
    rules = twin.model.predictions
    unknown = [name for name in names or () if name not in rules]
    if unknown:
        msg = f"unknown prediction {unknown[0]!r}{nearest(unknown[0], rules)}; `predictions:` of twin.yaml has them"
        raise UnknownTermError(msg)
    stored: dict[str, np.datetime64] = {}
    waiting, fitted, failed = [], [], {}
    for name in rules if names is None else names:
        try:
            one = _Rule(twin, name, rules[name], knowledge)
            at = one.issue_time(now)
            if not again and not one.due(at):
                waiting.append(name)
                continue
            if one.predict(at):
                fitted.append(name)
            if twin.predictions.last_issue(name) == at:
                stored[name] = at
            else:
                # Nothing is planned within the next hours.
                waiting.append(name)
        except (TwinlabError, OSError) as error:
            failed[name] = " ".join(str(error).split())
    note_rounds(twin.predictions.path, now, [*stored, *failed], failed)
    return PredictionRound(stored, tuple(waiting), tuple(fitted), failed)


@dataclass(frozen=True)
class _Rule:
    """One rule of a twin."""

    twin: PredictingTwin
    name: str
    rule: rule.PredictionRule
    knowledge: Knowledge | None

    def issue_time(self, now: np.datetime64) -> np.datetime64:
        """Return the instant to predict at: now if what is known is known by ingest time, else the newest instant of the data.

        Raises
        ------
        SchemaError
            If no event of the last days has begun, or none for longer than usual: all that is planned would look overdue.
        """
        table = self.twin.events(self.rule.delay, start=now - _RECENT, stop=now)
        times = np.concatenate([table["start"].dropna().to_numpy(), table["end"].dropna().to_numpy()])
        times = np.sort(times[times <= now].astype("datetime64[ns]"))
        if not len(times):
            msg = f"no event of {self.rule.delay!r} began in the 7 days before {np.datetime_as_string(now, 'm')}"
            raise SchemaError(msg)
        newest: np.datetime64 = times[-1]
        if not isinstance(self.knowledge or default_knowledge(self.twin), ByIngest):
            return min(newest, now)
        usual = np.timedelta64(max(self.rule.every_ns, *np.diff(times.astype("int64")).tolist()), "ns")
        if now - newest > _LONGER * usual:
            msg = (
                f"no event of {self.rule.delay!r} began or ended since {np.datetime_as_string(newest, 'm')}, longer than twice the longest pause of the last "
                "week: its source may have stopped, and all that is planned would look overdue"
            )
            raise SchemaError(msg)
        present: np.datetime64 = now.astype("datetime64[ns]")
        return present

    def due(self, at: np.datetime64) -> bool:
        """Whether the last prediction is old enough."""
        last = self.twin.predictions.last_issue(self.name)
        return last is None or bool(at - last >= np.timedelta64(self.rule.every_ns, "ns"))

    def predict(self, at: np.datetime64) -> bool:
        """Store the predictions of an instant; return whether a model was fitted for it."""
        fitted, new = self._model(at)
        state = read_state(self.twin, fitted.inputs, at, knowledge=self.knowledge)
        # Errors that came since the fit move the intervals; they aren't stored, since the events that they come from are.
        fitted = fitted.update(state)
        delay_table(
            self.twin, self.rule.delay, at=at, fitted=fitted, knowledge=self.knowledge, store=self.name,
            stored=self.twin.predictions,
        )  # fmt: skip
        return new

    def _model(self, at: np.datetime64) -> tuple[FittedDelay, bool]:
        """Return the model in use, and whether it was fitted now: the first one, or one in place of a model that is too old."""
        models, name = self.twin.models, self.name
        first = name not in models
        if not first:
            age = at - np.datetime64(models.record(name).stop, "ns")
            if np.timedelta64(0) <= age < np.timedelta64(self.rule.refit_ns, "ns"):
                return models.open(name), False
        given = {} if self.rule.training is None else {"training": self.rule.training}
        fitted = fit_delay(self.twin, self.rule.delay, known=at, knowledge=self.knowledge, **given)
        if first:
            models.add(name, fitted, owner=_AUTHOR, knowledge=self.knowledge, reason=f"predictions.{name}")
        else:
            proposal = models.propose(name, fitted, author=_AUTHOR)
            proposal.promote(author=_AUTHOR, reason=f"predictions.{name}.refit: {self.rule.refit}")
        return fitted, True
