"""Why an event will be late, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from twinlab.predict.delay.chains import Propagated
from twinlab.predict.delay.features import Planned
from twinlab.predict.delay.plan import NEVER, Floats
from twinlab.predict.features.cases import Cases
from twinlab.predict.protocol.estimator import FittedEstimator

__all__ = ["Effects", "texts"]

#: An effect below this isn't named, minutes.
_LEAST: Final = 2.0
#: Reasons that are named.
_MOST: Final = 3
#: Signals of a linked asset that are named.
_SIGNALS: Final = 2


@dataclass(frozen=True)
class Effects:
    """Minutes by which each kind of features changes the expected delay, against the usual values of these features.

    Parameters
    ----------
    kinds : tuple of str
    minutes : array (case, kind)
    """

    kinds: tuple[str, ...]
    minutes: Floats

    @classmethod
    def of(cls, model: FittedEstimator, x: Floats, usual: Floats, kinds: Sequence[str]) -> Effects:
        """Return the effects of kinds of features: the expected delay less the one with usual values in their place."""
        names = tuple(dict.fromkeys(kinds))
        out = np.zeros((len(x), len(names)))
        if not len(x):
            return cls(names, out)
        middle = model.predict(x)[:, 1]
        for place, name in enumerate(names):
            columns = np.array([kind == name for kind in kinds])
            out[:, place] = middle - model.predict(np.where(columns, usual, x))[:, 1]
        return cls(names, out)

    def largest(self, place: int) -> list[tuple[str, float]]:
        """Return the kinds with the largest effects on a case, at most three."""
        order = np.argsort(-np.abs(self.minutes[place]))[:_MOST]
        return [
            (self.kinds[kind], float(self.minutes[place, kind]))
            for kind in order
            if abs(self.minutes[place, kind]) >= _LEAST
        ]


def texts(
    planned: Planned,
    cases: Cases,
    ahead: Propagated,
    effects: Effects,
    *,
    names: Sequence[str],
    x: Floats,
    usual: Floats,
) -> list[str]:
    """Return the reasons of each case, such as ``"event before 35 min late, asset ready at 15:20 (+18 min)"``; times are UTC."""
    table = planned.plan.table.iloc[cases.asset]
    out = []
    for place in range(len(cases)):
        said = []
        for kind, minutes in effects.largest(place):
            values = {name: (one, common) for name, one, common in zip(names, x[place], usual, strict=True)}
            text = _text(kind, planned, table.iloc[place], ahead.take(place), values=values)
            said.append(f"{text} ({minutes:+.0f} min)")
        out.append("; ".join(said) or "nothing unusual is known")
    return out


def _text(
    kind: str, planned: Planned, row: pd.Series, ahead: Propagated, *, values: Mapping[str, tuple[float, float]]
) -> str:
    """Return what a kind of features says of a case; ``values`` are the features, each with its usual value."""
    x = {name: one for name, (one, _) in values.items()}
    if kind == "before":
        if ahead.ready[0] >= NEVER:
            return "no event before"
        ready = pd.Timestamp(int(ahead.ready[0])).strftime("%H:%M")
        late = ahead.late[0]
        found = planned.plan.table["event_id"].iloc[ahead.before[0]]
        return f"event before ({found}) {_late(late)}, {row[planned.settings.chain]} ready at {ready}"
    if kind == "own":
        so_far = x["start delay so far"]
        return (
            f"begun {_late(so_far)}"
            if x["begun"]
            else f"not begun, {so_far:.0f} min overdue"
            if so_far
            else "the time until its planned start"
        )
    if kind == "schedule":
        return "time of day, weekday and planned duration"
    if kind.startswith("signals of "):
        link = kind.removeprefix("signals of ")
        return f"{planned.settings.surroundings[link][0]} {row[link]}: {_unusual(link, planned, values) or 'no value'}"
    who = "all events" if kind == "all" else " ".join(f"{link} {row[link]}" for link in kind.split(" + "))
    recent, waiting = x[f"{kind}: start delay, 3 h"], x[f"{kind}: waiting"]
    said = [] if np.isnan(recent) else [f"{_late(recent)} on average in the last 3 h"]
    if waiting:
        said.append(f"{waiting:.0f} overdue")
    if not said:
        said.append(f"{_late(x[f'{kind}: end delay, 21 d'])} on average in the last 21 d")
    return f"{who} {', '.join(said)}"


def _unusual(link: str, planned: Planned, values: Mapping[str, tuple[float, float]]) -> str:
    """Return the signals of a linked asset that differ most from their usual values, with units."""
    asset_type, signals = planned.settings.surroundings[link]
    found = []
    for name in signals:
        value, usual = values[f"{link} {name}"]
        if np.isnan(value):
            continue
        apart = abs(value - usual) / max(abs(usual), 1.0) if not np.isnan(usual) else 0.0
        unit = planned.state.others[asset_type][name].attrs.get("units", "")
        unit = "" if unit == "1" else unit
        text = f"{name.removesuffix('_mean').replace('_', ' ')} {value:.3g} {unit}"
        found.append((apart, text.strip()))
    return ", ".join(text for _, text in sorted(found, key=lambda one: -one[0])[:_SIGNALS])


def _late(minutes: float) -> str:
    if np.isnan(minutes):
        return "of unknown delay"
    return (
        f"{minutes:.0f} min late"
        if round(minutes) > 0
        else "on time"
        if round(minutes) == 0
        else f"{-minutes:.0f} min early"
    )
