"""Calendars of servers, profiles by hour of the week, and spans of bad weather."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinlab.model.basics import yaml_text
from twinlab.simulate.definition import Definition
from twinlab.simulate.network.quantities import in_unit

__all__ = ["DAYS", "Calendar", "Clock", "Day", "Profile", "Shift", "Weather", "Zone", "minutes_of"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK: Final = re.compile(r"(\d\d):(\d\d)")


def minutes_of(clock: str) -> int:
    """Return a time of day in minutes; "24:00" is the end of the day.

    >>> minutes_of("06:30")
    390
    """
    match = _CLOCK.fullmatch(clock)
    found = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= found <= 24 * 60:
        msg = f"expected a time of day from '00:00' to '24:00', got {clock!r}"
        raise ValueError(msg)
    return found


def _clock(text: object) -> object:
    # YAML 1.1 reads 06:30 as a number in base 60.
    return (
        f"{text // 60:02}:{text % 60:02}" if isinstance(text, int) and not isinstance(text, bool) else yaml_text(text)
    )


def _is_clock(text: str) -> str:
    minutes_of(text)
    return text


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"expected a time zone of the IANA list, such as 'Europe/Berlin' or 'UTC', got {name!r}"
        raise ValueError(msg) from error
    return name


Clock = Annotated[str, BeforeValidator(_clock), AfterValidator(_is_clock)]
Zone = Annotated[str, AfterValidator(_is_zone)]


class Shift(Definition):
    """Servers that work at some times of some days."""

    start: Clock = Field(alias="from")
    """Local time of day: "06:00"."""
    stop: Clock = Field(alias="to")
    """Local time of day, exclusive. Before `from`: on the next day."""
    servers: int = Field(ge=0, le=100_000)
    """How many servers, or transporters, work in it."""
    days: tuple[Day, ...] = DAYS
    """Days on which the shift begins."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.days:
            msg = "expected at least one day in `days`, such as [mon, tue]"
            raise ValueError(msg)
        if self.start == self.stop:
            msg = f"expected a shift of some length, got one from {self.start} to {self.stop}; a whole day is from 00:00 to 24:00"
            raise ValueError(msg)
        if minutes_of(self.start) == 24 * 60:
            msg = "expected a shift that begins before 24:00; write '00:00' and the next day"
            raise ValueError(msg)
        return self

    @property
    def lasting_minutes(self) -> int:
        """Length on a day without a change of the clock, minutes."""
        length = minutes_of(self.stop) - minutes_of(self.start)
        return length if length > 0 else length + 24 * 60


class Calendar(Definition):
    """Number of servers in the course of the week. Shifts that overlap add up; outside all shifts there are none."""

    zone: Zone = "UTC"
    """Time zone of the shifts."""
    shifts: tuple[Shift, ...] = Field(min_length=1)
    """Shifts; those that overlap add up."""


class Profile(Definition):
    """Factors by hour of the week, or of the day."""

    zone: Zone = "UTC"
    """Time zone of the hours."""
    factors: tuple[float, ...]
    """168 factors from Monday 00:00 on, or 24 for each day alike."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(self.factors) not in {24, 168}:
            msg = (
                f"expected 24 or 168 factors (hours of the day, or of the week from Monday on), got {len(self.factors)}"
            )
            raise ValueError(msg)
        if not all(0 <= factor < 1e6 for factor in self.factors) or not any(self.factors):
            msg = "expected factors of at least 0, and one above 0"
            raise ValueError(msg)
        return self

    @property
    def by_hour(self) -> tuple[float, ...]:
        """168 factors."""
        return self.factors if len(self.factors) == 168 else self.factors * 7


class Weather(Definition):
    """A span in which travel takes longer."""

    start: str = Field(alias="from")
    """Instant (UTC, such as "2026-01-05T06:00"), or time since the start of the simulation ("6 h")."""
    stop: str = Field(alias="to")
    """The same, exclusive."""
    travel_factor: float = Field(gt=0, le=1000)
    """Factor on travel times of trips that begin in the span."""
    transporters: tuple[str, ...] | None = None
    """Names of the groups it concerns; without it all."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        kinds = {type(_instant_or_seconds(text)) for text in (self.start, self.stop)}
        if len(kinds) != 1 or _instant_or_seconds(self.start) >= _instant_or_seconds(self.stop):  # type: ignore[operator]
            msg = f"expected two instants or two times since the start, in rising order, got {self.start!r} and {self.stop!r}"
            raise ValueError(msg)
        return self

    def seconds(self, start: datetime) -> tuple[float, float]:
        """Return the span in seconds since a start (naive UTC)."""
        first, second = (_instant_or_seconds(text) for text in (self.start, self.stop))
        if isinstance(first, datetime) and isinstance(second, datetime):
            return (first - start).total_seconds(), (second - start).total_seconds()
        return float(first), float(second)  # type: ignore[arg-type]


def _instant_or_seconds(text: str) -> datetime | float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return in_unit(text, "s")
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
