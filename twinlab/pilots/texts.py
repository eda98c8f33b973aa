"""Measures as texts: numbers with units and intervals, what changed, what isn't known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.languages import date_text, local_number, mark, tr
from twinlab.pilots.estimates import Estimate
from twinlab.pilots.measures import LABELS, Measure

if TYPE_CHECKING:
    from twinlab.pilots.baseline import NotedBaseline
    from twinlab.pilots.contents import PilotContents

__all__ = [
    "aim_text",
    "baseline_text",
    "estimate_text",
    "interval_text",
    "number_text",
    "outcome_text",
    "pilot_text",
    "stage_text",
]

_OUTCOMES = {
    "better": mark("▲ better"),
    "worse": mark("▼ worse"),
    "can't tell": mark("● can't tell"),
    "not known": mark("○ not known"),
}


def number_text(value: float, unit: str) -> str:
    """Return a number with its unit.

    >>> number_text(0.125, "%"), number_text(95.0, "s"), number_text(600.0, "s"), number_text(4.5, "min")
    ('12.5 %', '95 s', '10 min', '4.5 min')
    """
    if math.isnan(value):
        return "–"
    if unit == "%":
        return f"{_digits(100 * value)} %"
    if unit == "s" and value >= 180:
        return f"{_digits(value / 60)} min"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    return local_number(f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}")


def interval_text(part: Estimate, unit: str) -> str:
    """Return the interval of an estimate; "–" without one.

    >>> interval_text(Estimate(0.5, 0.25, 0.75, 8), "%")
    '25 % to 75 %'
    """
    if not part.bounded:
        return "–"
    return tr("{low} to {high}", low=number_text(part.low, unit), high=number_text(part.high, unit))


def estimate_text(part: Estimate, unit: str) -> str:
    """Return an estimate with its interval and how many values it is of."""
    if not part.known:
        return tr("not known")
    if not part.bounded:
        return tr("{value} (of {count})", value=number_text(part.value, unit), count=part.count)
    return tr("{value} ({interval}, of {count})", value=number_text(part.value, unit), interval=interval_text(part, unit), count=part.count)  # fmt: skip


def outcome_text(one: Measure) -> str:
    """Return what became of a measure, with a sign, never by colour alone."""
    return tr(_OUTCOMES[one.outcome])


def aim_text(one: Measure) -> str:
    """Return the aim of a measure and whether it was met."""
    if one.aim is None:
        return tr("none agreed")
    value = number_text(one.aim, one.unit)
    wanted = tr("at most {value}", value=value) if one.less_is_better else tr("at least {value}", value=value)
    if not one.during.known:
        return tr("{wanted}: not known", wanted=wanted)
    said = {True: mark("{wanted}: met"), False: mark("{wanted}: not met"), None: mark("{wanted}: can't tell")}[one.met]
    return tr(said, wanted=wanted)


def stage_text(pilot: PilotContents) -> str:
    """Return how far the pilot is."""
    low, high = pilot.settings.bounds("during")
    if pilot.now < low:
        return tr("The pilot hasn't begun.")
    if pilot.now < high:
        day = (pilot.now - low) // pd.Timedelta("1D") + 1
        return tr("Preliminary: day {day} of {days}.", day=day, days=pilot.settings.during.days)
    return tr("The pilot is over.")


def baseline_text(noted: NotedBaseline, begins: pd.Timestamp) -> str:
    """Return whether the baseline was noted before the pilot, and is still the same."""
    if noted.first is None and noted.last is None:
        return tr("The baseline wasn't noted in the twin's journal: nobody knows whether it was changed later.")
    if noted.first is None:
        return tr("The baseline was changed since it was noted in the twin's journal on {day}.", day=date_text(noted.last or begins))  # fmt: skip
    if noted.first >= begins:
        return tr("The baseline was noted in the twin's journal on {day}, when the pilot had begun.", day=date_text(noted.first))  # fmt: skip
    return tr("The baseline was noted in the twin's journal on {day}, before the pilot, and hasn't changed since.", day=date_text(noted.first))  # fmt: skip


def pilot_text(pilot: PilotContents) -> str:
    """Return the state of a pilot as text for a terminal."""
    settings = pilot.settings
    lines = [
        tr("{title}: before {a} to {b}, pilot {c} to {d}", title=pilot.title, a=settings.before.first, b=settings.before.last, c=settings.during.first, d=settings.during.last),
        stage_text(pilot),
        baseline_text(pilot.baseline(), settings.bounds("during")[0]),
    ]  # fmt: skip
    for one in pilot.measures():
        before, during = (estimate_text(part, one.unit) for part in (one.before, one.during))
        lines += ["", f"{tr(LABELS[one.name])}: {outcome_text(one)}"]
        lines += [f"  {tr('before')}  {before}", f"  {tr('during')}  {during}", f"  {tr('aim')}  {aim_text(one)}"]
        lines += [f"  - {note}" for note in (*one.notes, *one.remarks)]
    if todo := pilot.open_items():
        lines += ["", tr("Still to do:"), *(f"  - {one}" for one in todo)]
    return "\n".join(lines)
