"""Settings of a pilot: ``pilot.yaml``, with its twin, its two spans, three questions, who takes part, and what is aimed at."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinlab.errors import SourceError
from twinlab.model.basics import Duration, Model, Term, yaml_text
from twinlab.model.load import parse_as
from twinlab.model.terms import nearest
from twinlab.model.yamltext import read_text

__all__ = ["FILE_NAME", "Aim", "PilotQuestion", "PilotSettings", "Span", "read_settings"]

FILE_NAME = "pilot.yaml"
#: The phases of a pilot.
Phase = Literal["before", "during"]


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        msg = f"expected a day such as 2026-03-02, got {text!r}"
        raise ValueError(msg) from None
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        msg = f"expected a time zone such as Europe/Berlin or UTC, got {text!r}{nearest(text, available_timezones())}"
        raise ValueError(msg)
    return text


Day = Annotated[str, BeforeValidator(yaml_text), AfterValidator(_day)]


class Span(Model):
    """Days from the first to the last, both included."""

    first: Day
    """First day."""
    last: Day
    """Last day."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.days < 1:
            msg = f"expected the first day not after the last one, got {self.first} and {self.last}; swap them"
            raise ValueError(msg)
        return self

    @property
    def days(self) -> int:
        """Number of days."""
        return (date.fromisoformat(self.last) - date.fromisoformat(self.first)).days + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and date.fromisoformat(self.first) <= day <= date.fromisoformat(self.last)


class PilotQuestion(Model):
    """One of the questions that the pilot is about."""

    question: str = Field(min_length=1)
    """The question, for people."""
    ask: str | None = None
    """The same in words that ``twin.ask`` understands; its answer is in the report."""
    decides: str = ""
    """What is done differently once it is answered."""


class Aim(Model):
    """What is aimed at, agreed before the pilot: at most (of `found_first` at least) so much. A measure without an aim has none to meet."""

    time_to_find: Duration | None = None
    """Median time of a search."""
    found_first: float | None = Field(default=None, ge=0, le=1)
    """Share of complaints whose exception was known before."""
    false_alarms: float | None = Field(default=None, ge=0, le=1)
    """Share of alarms that were none."""
    cleaning_time: Duration | None = None
    """Median time a day."""


class PilotSettings(Model):
    """A pilot, as ``pilot.yaml`` states it."""

    twin: str = Field(min_length=1)
    """Folder of the twin, relative to this file, or its URL."""
    title: str = ""
    """Name for people; that of the twin by default."""
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Time zone of all days and times of the pilot's files."""
    before: Span
    """When the baseline is measured."""
    during: Span
    """The pilot itself."""
    questions: list[PilotQuestion] = Field(min_length=1)
    """What it is about; three."""
    people: dict[Term, str] = Field(default_factory=dict)
    """Role -> what it does in the pilot. Roles are enough, names aren't needed."""
    files: list[str] = Field(default_factory=list)
    """Which files or sources the twin is made of."""
    search: Term | None = None
    """Asset type that people look for; the twin's own part of a search is timed with it."""
    alarm_window: Duration = "1d"
    """How long before a complaint an alert may have been over and still counts as found."""
    aims: Aim = Field(default_factory=Aim)
    """What is aimed at."""

    @model_validator(mode="after")
    def _baseline_first(self) -> Self:
        if date.fromisoformat(self.before.last) >= date.fromisoformat(self.during.first):
            msg = (
                f"expected the baseline to end before the pilot begins, got {self.before.last} and {self.during.first}: "
                "what is measured during the pilot is no baseline"
            )
            raise ValueError(msg)
        return self

    def phase(self, day: date) -> Phase | None:
        """Return whether a day belongs to the baseline or the pilot; None for another day."""
        return "before" if day in self.before else "during" if day in self.during else None

    def bounds(self, phase: Phase) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return beginning and end of a phase, half-open, naive UTC."""
        span = self.before if phase == "before" else self.during
        zone = ZoneInfo(self.zone)
        low, high = (
            pd.Timestamp(day).tz_localize(zone, ambiguous=True, nonexistent="shift_forward").tz_convert("UTC")
            for day in (date.fromisoformat(span.first), date.fromisoformat(span.last) + timedelta(days=1))
        )
        return low.tz_localize(None), high.tz_localize(None)


def read_settings(folder: Path) -> PilotSettings:
    """Read the ``pilot.yaml`` of a folder.

    Raises
    ------
    SourceError
        If there is none.
    SchemaError
        With a line for each fault.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        msg = f"there is no {FILE_NAME} in {folder}; make one: twinlab pilot {folder} --twin TWIN"
        raise SourceError(msg)
    return parse_as(PilotSettings, read_text(path), str(path), first="twin:")
