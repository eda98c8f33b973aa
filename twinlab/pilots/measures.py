"""The four measures of a pilot, before and during it, each with its definition, its interval and what isn't known.

Pure functions on tables: what people entered, the alerts of the twin, and the verdicts on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from twinlab.languages import mark, tr
from twinlab.model.basics import parse_duration
from twinlab.pilots.estimates import FEWEST, Estimate, Outcome, change, median, met, share
from twinlab.pilots.found import first_alerts, judged_alerts
from twinlab.pilots.settings import PilotSettings

__all__ = ["DEFINITIONS", "LABELS", "Measure", "Observed", "measures", "measures_table"]

LABELS = {
    "time_to_find": mark("Time to find"),
    "found_first": mark("Found before the customer complained"),
    "false_alarms": mark("False alarms"),
    "cleaning_time": mark("Cleaning data"),
}
DEFINITIONS = {
    "time_to_find": mark(
        "Median time from the question where something is until the answer is given to who asked, by a stopwatch. One row of measurements.csv is one search."
    ),
    "found_first": mark(
        "Share of the complaints in complaints.csv whose exception was known before the complaint. Before the pilot: somebody had noticed it "
        "earlier (column noticed). During it: the twin had raised an alert about the same asset or event earlier, which wasn't withdrawn, and wasn't over "
        "for longer than alarm_window when the customer complained."
    ),
    "false_alarms": mark(
        "Share of alarms that were none. Before the pilot: as counted in measurements.csv. During it: of the alerts that the twin raised, "
        "those that a person rejected, or that later data withdrew without a person's verdict. Alerts without a verdict widen the interval: the lower "
        "end takes all of them for right, the upper end for false."
    ),
    "cleaning_time": mark(
        "Median time a day that people spend on cleaning data by hand, as entered in measurements.csv. One row is one day."
    ),
}
#: Measures of which more is better.
_MORE = ("found_first",)
_UNITS = {"time_to_find": "s", "found_first": "%", "false_alarms": "%", "cleaning_time": "min"}
#: Before, during, what isn't known, what else the data say.
_Parts = tuple[Estimate, Estimate, list[str], list[str]]


@dataclass(frozen=True)
class Observed:
    """What the twin knows of a pilot's span."""

    alerts: pd.DataFrame
    """Alerts of `Twin.alerts`, those raised in another span, too."""
    verdicts: pd.DataFrame
    """Annotations of exceptions."""
    asset_of_event: Mapping[tuple[str, str], str]
    """Which asset an event of an alert is of."""
    has_alerts: bool
    """Whether the model states any."""
    looked: Sequence[pd.Timestamp] = ()
    """When alerts were looked for."""
    unknown: frozenset[tuple[str, str]] = frozenset()
    """What complaints are about and the twin doesn't have."""


@dataclass(frozen=True)
class Measure:
    """One measure before and during a pilot. Shares are between 0 and 1."""

    name: str
    unit: str
    """Of ``before``, ``during`` and ``aim``; of shares "%", though they are numbers between 0 and 1."""
    before: Estimate
    during: Estimate
    outcome: Outcome
    aim: float | None
    met: bool | None
    """None if there is no aim, or the numbers are too few to say."""
    notes: tuple[str, ...]
    """What isn't known, and what limits the numbers."""
    remarks: tuple[str, ...] = ()
    """What else the data say."""

    @property
    def less_is_better(self) -> bool:
        """Whether a smaller number is better."""
        return self.name not in _MORE


def measures(
    settings: PilotSettings, entered: pd.DataFrame, complaints: pd.DataFrame, observed: Observed, *, now: pd.Timestamp
) -> list[Measure]:
    """Return the four measures.

    Parameters
    ----------
    settings : PilotSettings
    entered : DataFrame
        As `twinlab.pilots.entered.read_measurements` returns it.
    complaints : DataFrame
        As `twinlab.pilots.entered.read_complaints` returns it.
    observed : Observed
    now : Timestamp
        Naive UTC; what is later than that isn't known yet.
    """
    low, high = settings.bounds("during")
    alerts = observed.alerts
    mine = alerts[(alerts["noted"] >= low) & (alerts["noted"] < high)]
    judged = judged_alerts(mine, observed.verdicts)
    made = {
        "time_to_find": _timed(entered, "time_to_find"),
        "found_first": _found_first(settings, complaints, observed, now),
        "false_alarms": _false_alarms(entered, judged, observed),
        "cleaning_time": _timed(entered, "cleaning_time"),
    }
    aims = settings.aims
    wanted = {
        "time_to_find": None if aims.time_to_find is None else parse_duration(aims.time_to_find) / 1e9,
        "found_first": aims.found_first,
        "false_alarms": aims.false_alarms,
        "cleaning_time": None if aims.cleaning_time is None else parse_duration(aims.cleaning_time) / 60e9,
    }
    return [_measure(name, parts, wanted[name]) for name, parts in made.items()]


def measures_table(found: Sequence[Measure]) -> pd.DataFrame:
    """Return measures as a table, a row each: numbers before and during, their intervals, change and aim."""
    rows = [
        {
            "measure": one.name, "unit": "1" if one.unit == "%" else one.unit,
            **{f"{phase}{end}": getattr(part, name) for phase, part in (("before", one.before), ("during", one.during)) for end, name in (("", "value"), ("_low", "low"), ("_high", "high"), ("_count", "count"))},
            "outcome": one.outcome, "aim": math.nan if one.aim is None else one.aim,
            "met": {True: "yes", False: "no", None: ""}[one.met], "notes": " ".join((*one.notes, *one.remarks)),
        }
        for one in found
    ]  # fmt: skip
    return pd.DataFrame(rows).set_index("measure")


def _measure(name: str, parts: _Parts, aim: float | None) -> Measure:
    before, during, notes, remarks = parts
    less = name not in _MORE
    outcome = change(before, during, less_is_better=less)
    reached = met(during, aim, less_is_better=less)
    few = [
        tr(text, count=part.count, fewest=FEWEST)
        for part, text in (
            (before, mark("Before: {count} values, which give no interval; at least {fewest} are needed.")),
            (during, mark("During: {count} values, which give no interval; at least {fewest} are needed.")),
        )
        if part.known and not part.bounded
    ]
    return Measure(name, _UNITS[name], before, during, outcome, aim, reached, (*few, *notes), tuple(remarks))


def _timed(entered: pd.DataFrame, name: str) -> _Parts:
    """Return medians of what people timed."""
    mine = entered[entered["measure"] == name]
    before, during = (median(mine.loc[mine["phase"] == phase, "value"].tolist()) for phase in ("before", "during"))
    notes = [] if before.known else [tr("Before the pilot nobody measured it, so that nothing can be compared.")]
    notes += [] if during.known else [tr("During the pilot nobody measured it: the twin can't see it.")]
    return before, during, notes, []


def _found_first(settings: PilotSettings, complaints: pd.DataFrame, observed: Observed, now: pd.Timestamp) -> _Parts:
    earlier, later = (complaints[complaints["phase"] == phase] for phase in ("before", "during"))
    noticed = (earlier["noticed"] < earlier["time"]).sum()
    window = pd.Timedelta(parse_duration(settings.alarm_window), "ns")
    found = first_alerts(later, observed.alerts, window=window, asset_of_event=observed.asset_of_event)
    hits = found[found["alert"] != ""]
    notes: list[str] = []
    remarks: list[str] = []
    if earlier.empty:
        notes.append(tr("No complaint of the time before the pilot was entered, so that nothing can be compared."))
    if not observed.has_alerts:
        notes.append(tr("twin.yaml states no alerts: the twin found nothing because nobody asked it to."))
        during = share(0, 0)
    else:
        during = share(len(hits), len(later))
        notes += (
            []
            if len(later)
            else [tr("No complaint of the pilot was entered: either there was none, or nobody wrote it down.")]
        )
        notes += _looked_notes(settings, observed.looked, now)
    if len(hits):
        remarks.append(tr("The alert came {minutes:,.0f} min before the complaint (median of those found).", minutes=hits["lead"].dt.total_seconds().median() / 60))  # fmt: skip
    others = later[(found["alert"] == "") & (later["noticed"] < later["time"])]
    if len(others):
        remarks.append(tr("Complaints that the twin didn't find first and people had noticed: {count}.", count=len(others)))  # fmt: skip
    absent = sum((row.kind, row.id) in observed.unknown for row in later.itertuples())
    if absent:
        notes.append(tr("Complaints about something that the twin doesn't have: {count}. They count as not found.", count=absent))  # fmt: skip
    return share(int(noticed), len(earlier)), during, notes, remarks


def _looked_notes(settings: PilotSettings, looked: Sequence[pd.Timestamp], now: pd.Timestamp) -> list[str]:
    """Return for how long nobody looked for alerts, if that was more than a day."""
    low, high = settings.bounds("during")
    end = min(high, now)
    times = [low, *sorted(one for one in looked if low < one < end), end]
    gap, after = max(((b - a, a) for a, b in pairwise(times)), default=(pd.Timedelta(0), low))
    if gap <= pd.Timedelta("1D"):
        return []
    text = tr("For {hours:,.0f} h from {after:%Y-%m-%d} on nobody looked for alerts (twinlab alerts TWIN --every 1min).", hours=gap / pd.Timedelta("1h"), after=after)  # fmt: skip
    return [text]


def _false_alarms(entered: pd.DataFrame, judged: pd.DataFrame, observed: Observed) -> _Parts:
    counted = entered[entered["phase"] == "before"].groupby("measure")["value"].sum()
    before = share(int(counted.get("false_alarms", 0)), int(counted.get("alarms", 0)))
    numbers = judged["judged"].value_counts()
    false, right, unsaid = (int(numbers.get(name, 0)) for name in ("false", "right", ""))
    during = share(false, false + right, unknown=unsaid)
    notes = [] if before.known else [tr("Before the pilot nobody counted alarms, so that nothing can be compared.")]
    if not observed.has_alerts:
        notes.append(tr("twin.yaml states no alerts, so that none was raised."))
    elif judged.empty:
        notes.append(tr("The twin raised no alert during the pilot."))
    elif unsaid:
        notes.append(tr("Alerts without a verdict: {unsaid} of {every}; people can still give one on page Now.", unsaid=unsaid, every=len(judged)))  # fmt: skip
    by_data = int(((judged["judged"] == "false") & (judged["by"] == "later data")).sum())
    remarks = []
    if by_data:
        remarks.append(tr("Of the false alarms, {count} were withdrawn by later data, the others rejected by people.", count=by_data))  # fmt: skip
    return before, during, notes, remarks
