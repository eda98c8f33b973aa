"""How columns of a source become an instant: formats, parts, clock times, counts since a start, and zones."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from twinlab.model.basics import Duration, ExtendedModel, MissingCode, Model, Term, Unit, yaml_text

__all__ = ["Text", "TimeRule", "ZoneOf", "check_format", "fixed_offset"]

Text = Annotated[str, BeforeValidator(yaml_text, json_schema_input_type=str | float | bool)]
_Formats = str | list[str]
_EventTime = Literal["start", "end", "planned_start", "planned_end"]
_DatePart = Literal["year", "month", "day"]
_OFFSET = re.compile(r"(?:(?:UTC|GMT)\s*)?([+\-\u2212])(\d{1,2})(?::?(\d\d))?")
_NAMED_FORMATS = ("iso", "excel1900", "excel1904", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
_PARTS = ("year", "month", "day", "hour", "minute", "second")


def check_format(form: str) -> None:
    """Check a format of times: one of the named ones, or a strptime format.

    Raises
    ------
    ValueError
        If it has no directive, or one that strptime doesn't know.

    >>> check_format("%d.%m.%Y %H:%M")
    """
    if form in _NAMED_FORMATS:
        return
    if "%" not in form:
        msg = f"expected {', '.join(_NAMED_FORMATS)} or a strptime format such as '%d.%m.%Y %H:%M', got {form!r}"
        raise ValueError(msg)
    try:
        datetime.strptime("", form)  # noqa: DTZ007  (only the format is tested)
    except (ValueError, re.error) as error:
        if "does not match format" not in str(error):
            msg = f"expected a strptime format such as '%d.%m.%Y %H:%M', got {form!r}: {error}"
            raise ValueError(msg) from None


def fixed_offset(name: str) -> int | None:
    """Return the seconds east of Greenwich of a fixed offset used as a zone; None if the text is none.

    >>> fixed_offset("-05:00"), fixed_offset("GMT-05:00"), fixed_offset("UTC+5:30"), fixed_offset("Europe/Berlin")
    (-18000, -18000, 19800, None)
    """
    match = _OFFSET.fullmatch(name.strip())
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    if minutes > 14 * 60 or int(match[3] or 0) > 59:
        return None
    return 60 * minutes if match[1] == "+" else -60 * minutes


class ZoneOf(Model):
    """A time zone that depends on the row: the zone property of the asset that a column names."""

    column: str
    """Column with the id of the asset."""
    asset_type: Term
    """Type of that asset."""
    property: Term
    """Its property with the IANA zone."""
    also: dict[str, str] = Field(default_factory=dict)
    """Zones of assets that the source's own table lacks or has wrong: asset id -> IANA zone. Wins over the
    property."""


class TimeRule(ExtendedModel):
    """How columns become an instant. Give `column` with `format`, or `parts`, or a date with `clock`, or `elapsed`."""

    added_keys: ClassVar[frozenset[str]] = frozenset(
        {"clock_format", "date_pattern", "elapsed", "step", "since", "zone_column", "zones"}
    )

    column: str | None = None
    """One column with date and time."""
    format: _Formats = "iso"
    """"iso" (also with a trailing Z or offset), "excel1900", "excel1904", "epoch_s", "epoch_ms", "epoch_us",
    "epoch_ns", or strptime formats, tried in this order ("%d.%m.%Y %H:%M")."""
    parts: dict[Literal["year", "month", "day", "hour", "minute", "second"], str] | None = None
    """Columns of year, month, day, hour, minute, second. Hour, minute and second alone need a `date` or a
    `date_pattern`."""
    clock: str | None = None
    """Column of the clock time as an HHMM integer ("517", 2400 is midnight at the day's end), "HH:MM" or "HH.MM.SS"."""
    clock_format: _Formats | None = None
    """strptime formats of the clock time, tried in this order ("%I:%M:%S %p"), where the usual ones don't fit."""
    date: Annotated[dict[_DatePart, str] | str | None, BeforeValidator(yaml_text)] = None
    """The clock's day: columns of year, month, day, or one fixed day such as 2026-01-05 ..."""
    date_column: str | None = None
    """... or one column with the date, written in `format` ..."""
    date_pattern: str | None = None
    r"""... or a regular expression over the table's name (a file's name without its suffix, or a sheet's name) with
    groups year, month and day: "(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)" ..."""
    after: _EventTime | None = None
    """... or the first such clock time at or after another time of this event ("planned_start") ..."""
    near: _EventTime | None = None
    """... or the one nearest to another time of this event plus a column's duration ("planned_start" + dep_delay)."""
    plus: str | None = None
    """Column whose duration is added to the time that `near` names, such as a delay."""
    plus_unit: Unit = "min"
    """Unit of `plus`."""
    elapsed: str | None = None
    """Column that counts from a start: seconds, hours, cycles. Needs `since`, `date` or `date_pattern`."""
    step: Duration = "1s"
    """How long one count of `elapsed` lasts."""
    since: Annotated[str | None, BeforeValidator(yaml_text)] = None
    """The instant at which `elapsed` is 0, an ISO time on the source's clock: "2026-01-05T08:00"."""
    missing: list[MissingCode] = Field(default_factory=list)
    """Numbers or texts in these columns that stand for "no time" (or "no delay")."""
    zone: str | None = None
    """IANA zone of the source's clock, "UTC", a fixed offset such as "-05:00", "offset" if every value has its
    own, or "unknown": read as UTC, and an open question until somebody states it."""
    zone_of: ZoneOf | None = None
    """The zone depends on an asset that the row names: a property of that asset."""
    zone_column: str | None = None
    """Column that states the zone of each row's clock: "EST", "CET", "Z", "-05:00", "Europe/Berlin"."""
    zones: dict[Text, str] = Field(default_factory=dict)
    """Meaning of the codes in `zone_column`: code -> IANA zone or fixed offset. IANA zones, offsets, Z and UTC need no
    entry; abbreviations do, since most have several meanings."""
    ambiguous: Literal["refuse", "earlier", "later", "order"] = "refuse"
    """The repeated hour of autumn: refuse (count it as unparseable), take the earlier or the later instant, or
    follow the order of the rows (the second pass begins where the clock steps back)."""
    nonexistent: Literal["refuse", "shift_forward"] = "refuse"
    """The missing hour of spring: refuse, or shift by the hour that was left out."""
    shift: Duration | None = None
    """Added to every time, to correct a source's clock that is known to be off ("-5min" written as {shift: 5min,
    sign: -1})."""
    shift_sign: Literal[1, -1] = 1
    """-1 subtracts the `shift`."""

    @field_validator("format", "clock_format")
    @classmethod
    def _formats_can_be_read(cls, value: _Formats | None) -> _Formats | None:
        for form in [value] if isinstance(value, str) else value or []:
            check_format(form)
        return value

    @field_validator("date")
    @classmethod
    def _date_is_whole(cls, value: dict[_DatePart, str] | str | None) -> dict[_DatePart, str] | str | None:
        if isinstance(value, dict):
            _need_parts(value, ("year", "month", "day"), "date")
        elif value is not None:
            try:
                date.fromisoformat(value)
            except ValueError:
                msg = f"expected a day such as 2026-01-05, or columns {{year: …, month: …, day: …}}, got {value!r}"
                raise ValueError(msg) from None
        return value

    @field_validator("date_pattern")
    @classmethod
    def _pattern_has_groups(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            msg = f"expected a regular expression with groups year, month and day, got {pattern!r}: {error}"
            raise ValueError(msg) from error
        lacking = [part for part in ("year", "month", "day") if part not in groups]
        if lacking:
            msg = f"the pattern {pattern!r} lacks the groups {', '.join(f'(?P<{part}>…)' for part in lacking)}"
            raise ValueError(msg)
        return pattern

    @field_validator("since")
    @classmethod
    def _since_is_a_time(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                datetime.fromisoformat(value)
            except ValueError:
                msg = f"expected an ISO time such as 2026-01-05T08:00, got {value!r}"
                raise ValueError(msg) from None
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("column", "parts", "clock", "elapsed") if getattr(self, name) is not None]
        if len(ways) != 1:
            msg = f"expected exactly one of column, parts, clock or elapsed, got {ways or 'none'}"
            raise ValueError(msg)
        days = [
            name for name in ("date", "date_column", "date_pattern", "after", "near") if getattr(self, name) is not None
        ]
        self._day_fits(ways[0], days)
        if sum(x is not None for x in (self.zone, self.zone_of, self.zone_column)) != 1:
            msg = "expected exactly one of zone (such as 'UTC' or 'Europe/Berlin'), zone_of or zone_column"
            raise ValueError(msg)
        if self.zones and self.zone_column is None:
            msg = "zones gives the codes of a zone_column a meaning; state zone_column, or remove zones"
            raise ValueError(msg)
        return self

    def _day_fits(self, way: str, days: list[str]) -> None:
        """Refuse a way to get the day that the rule doesn't use, or that it lacks."""
        if way == "clock" and len(days) != 1:
            msg = "a clock time needs exactly one of date, date_column, date_pattern, after or near, to know its day"
            raise ValueError(msg)
        if way == "parts":
            self._parts_fit(days)
        if way == "elapsed" and sum((self.since is not None, *(True for _ in days))) != 1:
            msg = (
                f"elapsed needs exactly one of since, date or date_pattern, to know when it is 0, got {days or 'none'}"
            )
            raise ValueError(msg)
        if way == "elapsed" and not {"date", "date_pattern"}.issuperset(days):
            msg = f"elapsed counts from since, date or date_pattern; remove {', '.join(days)}"
            raise ValueError(msg)
        if way == "elapsed" and isinstance(self.date, dict):
            msg = "elapsed counts from one day: write it as date: 2026-01-05, not as columns"
            raise ValueError(msg)
        if way != "elapsed" and self.since is not None:
            msg = "since is the instant at which `elapsed` is 0; state elapsed, or remove since"
            raise ValueError(msg)
        if way != "clock" and self.clock_format is not None:
            msg = "clock_format is the format of `clock`; state clock, or remove clock_format"
            raise ValueError(msg)

    def _parts_fit(self, days: list[str]) -> None:
        parts = {str(part) for part in self.parts or {}}
        if days:
            if len(days) > 1 or days[0] not in ("date", "date_pattern") or isinstance(self.date, dict):
                msg = f"parts take their day from the columns year, month and day, or from one of date: 2026-01-05 and date_pattern; got {', '.join(days)}"
                raise ValueError(msg)
            both = sorted(parts & {"year", "month", "day"})
            if both:
                msg = f"the day is given twice, by {days[0]} and by the parts {', '.join(both)}; remove one of them"
                raise ValueError(msg)
        order = _PARTS[3:] if days else _PARTS
        last = max((order.index(part) for part in parts if part in order), default=0)
        lacking = [part for part in order[: last + 1] if part not in parts]
        if lacking:
            hint = "" if days else "; where the file has no date, state a fixed day (date: 2026-01-05) or date_pattern"
            msg = f"the parts {', '.join(sorted(parts, key=_PARTS.index)) or 'none'} lack {', '.join(lacking)}{hint}"
            raise ValueError(msg)


def _need_parts(given: dict[_DatePart, str], needed: tuple[str, ...], key: str) -> None:
    lacking = [part for part in needed if part not in given]
    if lacking:
        msg = f"{key} lacks {', '.join(lacking)}; expected the columns {{year: …, month: …, day: …}}"
        raise ValueError(msg)
