"""What a pilot knows: its settings, what people entered, and the measures computed from these and its twin."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.reading import instant_ns
from twinlab.languages import mark, tr
from twinlab.model.basics import parse_duration
from twinlab.pilots.baseline import NotedBaseline, baseline_hash, note_baseline, noted_baseline
from twinlab.pilots.entered import COMPLAINTS, ENTERED, MEASUREMENTS, read_complaints, read_measurements
from twinlab.pilots.found import first_alerts, judged_alerts
from twinlab.pilots.lookups import LookupTimes, lookup_times
from twinlab.pilots.measures import LABELS, Measure, Observed, measures, measures_table
from twinlab.pilots.settings import FILE_NAME, PilotSettings, read_settings

if TYPE_CHECKING:
    from twinlab.ask import Answer
    from twinlab.twin import Twin

__all__ = ["PilotAnswer", "PilotContents"]

#: An entry of the journal that says until when alerts have been looked for.
_LOOKED = "alerts_looked"


@dataclass(frozen=True)
class PilotAnswer:
    """One of the pilot's questions, with the twin's answer to it."""

    question: str
    decides: str
    answer: Answer | None
    """None if no words for the twin are given."""


class PilotContents:
    """Settings of a pilot, what people entered, and measures computed from these and the twin.

    Files are read once; open it again after a change.

    Parameters
    ----------
    folder : Path
        With ``pilot.yaml``, ``measurements.csv`` and ``complaints.csv``.
    now : instant, optional
        Naive is UTC; by default the present. What is later isn't known.
    """

    def __init__(self, folder: Path, *, now: object = None) -> None:
        self.folder = folder
        self.settings: PilotSettings = read_settings(folder)
        self.now = pd.Timestamp(time.time_ns() if now is None else instant_ns(now))

    @cached_property
    def twin(self) -> Twin:
        """The twin.

        Raises
        ------
        SourceError
            If there is none where ``pilot.yaml`` says.
        """
        from twinlab.twin import open_twin  # noqa: PLC0415  (settings are read without it)

        named = self.settings.twin
        return open_twin(named if "://" in named else self.folder / named)

    @property
    def title(self) -> str:
        """Name for people."""
        return self.settings.title or self.twin.model.title or self.twin.model.twin

    @cached_property
    def entered(self) -> pd.DataFrame:
        """What people measured; see `twinlab.pilots.entered.read_measurements`."""
        return read_measurements(self.folder, self.settings)

    @cached_property
    def complaints(self) -> pd.DataFrame:
        """Complaints of customers; see `twinlab.pilots.entered.read_complaints`."""
        model = self.twin.model
        return read_complaints(
            self.folder, self.settings, types=lambda name: name in model.asset_types or name in model.event_types
        )

    @cached_property
    def alerts(self) -> pd.DataFrame:
        """The twin's alerts that were raised in the pilot, with ``judged`` ("right", "false", "") and ``by``."""
        low, high = self.settings.bounds("during")
        table = self.observed.alerts
        mine = table[(table["noted"] >= low) & (table["noted"] < high)]
        return judged_alerts(mine, self.observed.verdicts).reset_index(drop=True)

    @cached_property
    def found(self) -> pd.DataFrame:
        """Complaints of the pilot, with the alert that came before each, if one did."""
        window = pd.Timedelta(parse_duration(self.settings.alarm_window), "ns")
        later = self.complaints[self.complaints["phase"] == "during"].reset_index(drop=True)
        return first_alerts(later, self.observed.alerts, window=window, asset_of_event=self.observed.asset_of_event)

    @cached_property
    def observed(self) -> Observed:
        """What the twin knows of the pilot's span."""
        twin = self.twin
        alerts = twin.alerts()
        # In the pilot's span only what had been raised by `now`.
        alerts = alerts[alerts["noted"] <= self.now].reset_index(drop=True)
        looked = [pd.Timestamp(int(one.payload["until"])) for one in twin.ledger.journal.entries(_LOOKED)]
        return Observed(
            alerts=alerts,
            verdicts=twin.annotations(kind="exception"),
            asset_of_event=_assets_of_events(twin, alerts),
            has_alerts=bool(twin.model.alerts),
            looked=looked,
            unknown=_unknown(twin, self.complaints),
        )

    def measures(self) -> list[Measure]:
        """Return the four measures, before and during the pilot.

        Raises
        ------
        SchemaError
            If a row of what people entered is wrong; names file, row and column.
        """
        return measures(self.settings, self.entered, self.complaints, self.observed, now=self.now)

    def table(self) -> pd.DataFrame:
        """Return the measures as a table, a row each."""
        return measures_table(self.measures())

    def note_baseline(self) -> NotedBaseline:
        """Note the baseline in the twin's journal, so that a later change of it is seen.

        Raises
        ------
        SchemaError
            If nothing was measured before.
        HistoryConflictError
            If another process locked the journal for too long.
        """
        rows = int((self.entered["phase"] == "before").sum() + (self.complaints["phase"] == "before").sum())
        if not rows:
            span = self.settings.before
            msg = (
                f"expected rows of {span.first} to {span.last} in {self.folder / MEASUREMENTS} or {COMPLAINTS}, got none: "
                "measure before the pilot begins"
            )
            raise SchemaError(msg)
        note_baseline(self.twin.ledger.journal, self.folder.resolve().name, self._digest, rows)
        return self.baseline()

    def baseline(self) -> NotedBaseline:
        """Return whether the baseline was noted, when, and whether it is still the same."""
        return noted_baseline(self.twin.ledger.journal, self.folder.resolve().name, self._digest)

    @property
    def _digest(self) -> str:
        return baseline_hash(self.entered, self.complaints)

    def open_items(self) -> list[str]:
        """Return what is still to be filled in or measured, a sentence each; none if nothing is."""
        settings = self.settings
        found = [] if len(settings.questions) >= 3 else [tr("{file}: state three questions", file=FILE_NAME)]
        found += [
            tr(
                "{file}: say what is done differently once “{question}” is answered",
                file=FILE_NAME,
                question=one.question,
            )
            for one in settings.questions
            if not one.decides
        ]
        found += [tr("{file}: say what the {role} does", file=FILE_NAME, role=role) for role, does in settings.people.items() if not does]  # fmt: skip
        aims = settings.aims
        found += [tr("{file}: agree on an aim for “{measure}”", file=FILE_NAME, measure=tr(label)) for name, label in LABELS.items() if getattr(aims, name) is None]  # fmt: skip
        there = set(self.entered.loc[self.entered["phase"] == "before", "measure"])
        lacking = [name for name in ENTERED if name not in there]
        found += [tr("{file}: measure {names} before the pilot", file=MEASUREMENTS, names=", ".join(lacking))] if lacking else []  # fmt: skip
        if not (self.complaints["phase"] == "before").any():
            found.append(tr("{file}: enter the complaints of the time before", file=COMPLAINTS))
        if not self.twin.model.alerts:
            found.append(tr("twin.yaml: state alerts, otherwise the twin reports nothing by itself"))
        noted = self.baseline()
        if noted.first is None:
            again = mark("note the baseline again, it was changed: twinlab pilot {folder} --baseline")
            first = mark("note the baseline before the pilot begins: twinlab pilot {folder} --baseline")
            found.append(tr(again if noted.changed else first, folder=self.folder))
        return found

    def answers(self) -> list[PilotAnswer]:
        """Ask the twin the pilot's questions, as of the end of the pilot, or of now if that is earlier."""
        until = min(self.settings.bounds("during")[1], self.now)
        return [
            PilotAnswer(one.question, one.decides, None if one.ask is None else self.twin.ask(one.ask, now=until))
            for one in self.settings.questions
        ]

    def usage(self) -> pd.DataFrame:
        """Return how often the twin's pages were used in the weeks of the pilot; see `Twin.usage`."""
        span = self.settings.during
        table: pd.DataFrame = self.twin.usage()
        # A week belongs to it if it has a day of the pilot.
        first = pd.Timestamp(span.first)
        monday = first - pd.Timedelta(first.day_of_week, "D")
        return table.loc[table["start"].between(monday, pd.Timestamp(span.last))].reset_index(drop=True)

    def lookup_times(self, *, count: int = 20) -> LookupTimes | None:
        """Time the twin's own part of searches: where assets are, as ``search`` of ``pilot.yaml`` states; None without it."""
        if self.settings.search is None:
            return None
        return lookup_times(
            self.twin, self.settings.search, at=min(self.settings.bounds("during")[1], self.now), count=count
        )


def _assets_of_events(twin: Twin, alerts: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return which asset each event of an alert is of, as type/id."""
    found: dict[tuple[str, str], str] = {}
    for kind, group in alerts[alerts["event_id"] != ""].groupby("event_type"):
        spec = twin.model.event_types.get(str(kind))
        if spec is None or spec.asset is None:
            continue
        low, high = group["since"].min(), group["noted"].max()
        around = pd.Timedelta("7D")
        events = twin.events(str(kind), start=None if pd.isna(low) else low - around, stop=high + around)
        mine = events[events["event_id"].isin(set(group["event_id"]))]
        found |= {(str(kind), one): f"{spec.asset}/{asset}" for one, asset in zip(mine["event_id"], mine["asset"], strict=True)}  # fmt: skip
    return found


def _unknown(twin: Twin, complaints: pd.DataFrame) -> frozenset[tuple[str, str]]:
    """Return the assets and events that complaints name and the twin doesn't have."""
    unknown: set[tuple[str, str]] = set()
    for kind, group in complaints[complaints["phase"] == "during"].groupby("kind"):
        asked = set(group["id"])
        if kind in twin.model.asset_types:
            known = set(twin.assets(str(kind)).index.astype(str))
        else:
            low, high = group["time"].min() - pd.Timedelta("60D"), group["time"].max() + pd.Timedelta("60D")
            known = set(twin.events(str(kind), start=low, stop=high)["event_id"])
        unknown |= {(str(kind), one) for one in asked - known}
    return frozenset(unknown)
