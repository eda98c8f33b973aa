"""The section ``security`` of ``twin.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from twinlab.model.basics import Duration, Model, parse_duration

__all__ = ["DAYS", "SecurityRule"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE = 60 * 10**9


class SecurityRule(Model):
    """How intrusions are looked for; each setting has a default."""

    hours: tuple[str, str] = ("06:00", "20:00")
    """When commands are usual, from and to, local time; a command at another time is an event. From later than to means over midnight."""
    days: tuple[Day, ...] = DAYS
    """Days on which commands are usual."""
    zone: str = "UTC"
    """Zone of ``hours``, such as ``Europe/Berlin``."""
    learn: Duration = "1d"
    """How long after the first line of the log clients, addresses and rates are learnt; what is new in this time is no event."""
    addresses: tuple[str, ...] = ()
    """Address ranges, such as ``10.1.0.0/16``, that clients may connect from without being reported as new there."""
    merge: Duration = "30min"
    """Findings of one rule and subject at most so far apart are one event."""
    off: tuple[str, ...] = ()
    """Names of rules that aren't searched for."""
    sensors: tuple[str, ...] = ()
    """Signals, such as ``cold_room.temperature``, of which false values are looked for; none by default."""
    usual: Duration = "7d"
    """Span before a searched day that false values are judged by."""
    factor: Annotated[float, Field(ge=1.0)] = 1.8
    """How many times the largest deviation of the usual span a false value deviates."""

    @model_validator(mode="after")
    def _valid(self) -> Self:
        from ipaddress import ip_network  # noqa: PLC0415  (seldom needed)

        minutes = [_minutes(text) for text in self.hours]
        if None in minutes or minutes[0] == minutes[1]:
            msg = f"hours: expected two different times such as ['06:00', '20:00'], got {list(self.hours)}"
            raise ValueError(msg)
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            msg = f"zone: expected a zone such as Europe/Berlin, got {self.zone!r}"
            raise ValueError(msg) from error
        for text in self.addresses:
            try:
                ip_network(text)
            except ValueError as error:
                msg = f"addresses: expected ranges such as 10.1.0.0/16, got {text!r} ({error})"
                raise ValueError(msg) from error
        for text in self.sensors:
            if text.count(".") != 1:
                msg = f"sensors: expected signals such as cold_room.temperature, got {text!r}"
                raise ValueError(msg)
        return self

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end of ``hours``, minutes of the day."""
        first, last = (_minutes(text) or 0 for text in self.hours)
        return first, last

    @property
    def learn_ns(self) -> int:
        """How long is learnt, nanoseconds."""
        return parse_duration(self.learn)

    @property
    def merge_ns(self) -> int:
        """How far apart findings of one event are, nanoseconds."""
        return parse_duration(self.merge)

    @property
    def usual_ns(self) -> int:
        """Length of the usual span, nanoseconds."""
        return parse_duration(self.usual)


def _minutes(text: str) -> int | None:
    hours, _, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and len(minutes) == 2):
        return None
    found = int(hours) * 60 + int(minutes)
    return found if int(minutes) < 60 and found <= 24 * 60 else None
