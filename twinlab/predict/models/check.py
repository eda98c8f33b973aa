"""Whether a model still fits its twin: units and mappings, drift of inputs, coverage and errors, and a verdict with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.known.reading import facts_of, read_state
from twinlab.predict.models.drift import drift_table
from twinlab.predict.models.inputs import input_table, unit_changes, units_of
from twinlab.predict.models.outcomes import CHANCE, Coverage, Outcomes, coverage_of, growth_of_errors, has_grown
from twinlab.predict.models.stored import ModelRecord, StoredModel
from twinlab.predict.protocol.durations import text_of
from twinlab.predict.protocol.predictor import Fitted
from twinlab.predict.protocol.state import State

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["ModelCheck", "changed_mappings", "checked", "checked_outcomes", "outcomes_together", "predictions_of"]

Answer = Literal["fine", "retrain proposed", "can't tell", "refused"]
#: The worst answer of the parts is that of the whole.
_WORST: Final[tuple[Answer, ...]] = ("refused", "retrain proposed", "can't tell", "fine")
#: Issue times of the newest predictions whose outcomes are compared.
_NEWEST: Final = 60


@dataclass(frozen=True)
class ModelCheck:
    """The state of a model.

    Parameters
    ----------
    name, version : str
    at : datetime64
        End of the newest span of inputs.
    parts : mapping of str to (answer, reason)
        ``definitions`` (units and mappings), ``inputs``, ``coverage`` and ``errors``.
    inputs : DataFrame
        As of `drift_table`; empty where inputs can't be compared.
    coverage : Coverage, optional
        Of the newest predictions with a known outcome.
    false_alarms : float
        Share of checks of a model to which nothing has happened that propose a retraining, about.
    """

    name: str
    version: str
    at: np.datetime64
    parts: dict[str, tuple[Answer, str]]
    inputs: pd.DataFrame = field(default_factory=pd.DataFrame)
    coverage: Coverage | None = None
    false_alarms: float = 0.0

    @property
    def verdict(self) -> Answer:
        """``fine``, ``retrain proposed``, ``can't tell`` or ``refused``."""
        answers = [one for one, _ in self.parts.values()]
        return next(one for one in _WORST if one in answers)

    @property
    def reason(self) -> str:
        """Why, in words."""
        return "; ".join(dict.fromkeys(why for one, why in self.parts.values() if one == self.verdict))

    def table(self) -> pd.DataFrame:
        """Return the answer to each part: ``part, answer, reason``."""
        return pd.DataFrame(
            [(part, *found) for part, found in self.parts.items()], columns=["part", "answer", "reason"]
        )

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"

    def __repr__(self) -> str:
        lines = [f"<ModelCheck {self.name} {self.version[:10]} at {np.datetime_as_string(self.at, 'm')}> {self}"]
        lines += [f"  {part}: {answer}: {why}" for part, (answer, why) in self.parts.items()]
        lines.append(
            f"  of models to which nothing has happened about {self.false_alarms:.1%} are proposed to be retrained"
        )
        return "\n".join(lines)


def predictions_of(data: xr.Dataset, version: str) -> xr.Dataset | None:
    """Return the predictions of one version among stored ones, None if there are none."""
    if "model_hash" not in data.coords:
        return data if data.attrs.get("model_hash") == version else None
    along = data["model_hash"].dims[0]
    rows = np.flatnonzero(data["model_hash"].values == version)
    return data.isel({along: rows}) if len(rows) else None


def changed_mappings(twin: TwinReader, record: ModelRecord) -> list[str]:
    """Return the sources of what a model reads whose mapping isn't the one of the training."""
    now: dict[str, str] = facts_of(twin).get("mappings", {})  # type: ignore[assignment]
    return sorted(name for name in record.sources if now.get(name) != record.mappings.get(name))


def checked(
    twin: TwinReader, record: ModelRecord, stored: StoredModel, outcomes: Outcomes | None, *, at: np.datetime64
) -> ModelCheck:
    """Return the state of a model.

    Parameters
    ----------
    twin : TwinReader
    record : ModelRecord
    stored : StoredModel
    outcomes : Outcomes, optional
        Of its stored predictions whose truth is known.
    at : datetime64
        End of the newest span of inputs.
    """
    parts: dict[str, tuple[Answer, str]] = {}
    state = _newest(twin, stored, at)
    if isinstance(state, State):
        parts["definitions"] = _definitions(twin, record, state)
    inputs = pd.DataFrame()
    if "definitions" in parts and parts["definitions"][0] == "refused":
        parts["inputs"] = ("can't tell", "values of other units or mappings aren't compared")
    elif isinstance(state, str):
        parts["inputs"] = ("can't tell", state)
    else:
        parts["inputs"], inputs = _inputs(stored, record, state)
    false_alarms = stored.reference.false_alarms if stored.reference is not None else 0.0
    coverage = None
    if isinstance(stored.fitted, Fitted):
        found, coverage = checked_outcomes(outcomes, stored.outcomes)
        parts |= found
        false_alarms += CHANCE / 2 * len(found)
    return ModelCheck(record.name, record.version, at, parts, inputs, coverage, false_alarms)


def _newest(twin: TwinReader, stored: StoredModel, at: np.datetime64) -> State | str:
    """Return the state with the newest span, or why there is none."""
    span = np.timedelta64(stored.reference.span if stored.reference is not None else 0, "ns")
    try:
        return read_state(twin, stored.inputs, at, knowledge=stored.knowledge, span=stored.inputs.window_ns + span)
    except SchemaError as error:
        return str(error)


def _definitions(twin: TwinReader, record: ModelRecord, state: State) -> tuple[Answer, str]:
    units = unit_changes(record.input_units, units_of(state))
    if units:
        return "refused", f"{'; '.join(units)}: its numbers have no meaning until it is trained again"
    sources = changed_mappings(twin, record)
    if sources:
        names = ", ".join(map(repr, sources))
        return (
            "refused",
            f"the mapping of {names} has changed since the training, and the history with it: train it again",
        )
    return "fine", "units and mappings are those of the training"


def _inputs(stored: StoredModel, record: ModelRecord, state: State) -> tuple[tuple[Answer, str], pd.DataFrame]:
    reference, none = stored.reference, pd.DataFrame()
    if reference is None:
        return ("can't tell", record.reference), none
    span = np.timedelta64(reference.span, "ns")
    first = state.issue_time - span
    if first < np.datetime64(record.stop):
        lasting = text_of(span)
        return ("can't tell", f"{lasting} after the training are needed, which ended at {record.stop[:16]}"), none
    table = input_table(stored.fitted, state).since(first)
    if table.names != reference.names:
        return ("can't tell", "the model reads other inputs than when it was stored; add it again"), none
    if not len(table.values):
        return ("can't tell", f"nothing is known of its inputs from {np.datetime_as_string(first, 'm')} on"), none
    found = drift_table(reference, table.values)
    drifted = found[found["drifted"]]
    if drifted.empty:
        worst = found.iloc[0]
        return (
            "fine",
            f"the newest {text_of(span)} are like training; {worst['input']} differs most (PSI {worst['psi']:.2g})",
        ), found
    one = drifted.iloc[0]
    more = f", and {len(drifted) - 1} more" if len(drifted) > 1 else ""
    text = (
        f"{one['input']} has drifted: PSI {one['psi']:.2g} (large from 0.25), and {one['times']:.1f} times as far from training as any {text_of(span)} of it; "
        f"by chance up to {one['limit']:.1f} times{more}"
    )
    return ("retrain proposed", text), found


def checked_outcomes(
    now: Outcomes | None, before: Outcomes | None
) -> tuple[dict[str, tuple[Answer, str]], Coverage | None]:
    """Return the answers on coverage and errors, and the coverage.

    Parameters
    ----------
    now : Outcomes, optional
        Of stored predictions of the version; None without any.
    before : Outcomes, optional
        Of those with which the model was scored when it was stored.
    """
    if now is None or not len(now.issued):
        why = "no stored prediction of this version has a known outcome; twin.predictions.issue stores them"
        return {"coverage": ("can't tell", why), "errors": ("can't tell", why)}, None
    newest = now.since(int(now.issued[-_NEWEST:][0]))
    if not newest.enough:
        why = f"{len(newest.issued)} issue times have a known outcome; at least {newest.needed} are needed"
        return {"coverage": ("can't tell", why), "errors": ("can't tell", why)}, None
    parts: dict[str, tuple[Answer, str]] = {}
    coverage = None
    if not np.isnan(now.promised):
        coverage = coverage_of(newest)
        text = (
            f"{coverage.now:.0%} of the outcomes of {coverage.issue_times} issue times were inside ({coverage.low:.0%} to {coverage.high:.0%}), "
            f"{coverage.promised:.0%} were promised"
        )
        parts["coverage"] = ("retrain proposed" if coverage.below else "fine", text)
    if before is None or not before.enough:
        # The oldest half of what is stored, without the newest, is what errors were like.
        rest = Outcomes(now.issued[:-_NEWEST], now.loss[:-_NEWEST], now.inside[:-_NEWEST], now.promised, now.horizon)
        before = rest
    if not before.enough:
        parts["errors"] = (
            "can't tell",
            f"{len(before.issued)} earlier issue times have a known outcome to compare with; at least {before.needed} are needed",
        )
        return parts, coverage
    factor, p = growth_of_errors(before, newest)
    grown = has_grown(factor, p)
    text = f"errors are {factor:.2f} times those of {len(before.issued)} earlier issue times (p {p:.2g})"
    parts["errors"] = ("retrain proposed" if grown else "fine", text)
    return parts, coverage


def outcomes_together(parts: Sequence[Outcomes]) -> Outcomes | None:
    """Return the outcomes of several stored predictions as one; None of none."""
    known = [one for one in parts if len(one.issued)]
    if not known:
        return None
    order = np.argsort(np.concatenate([one.issued for one in known]), kind="stable")
    issued, loss, inside = (
        np.concatenate([getattr(one, name) for one in known])[order] for name in ("issued", "loss", "inside")
    )
    return Outcomes(issued, loss, inside, known[0].promised, max(one.horizon for one in known))
