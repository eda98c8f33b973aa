"""What is predicted of planned events, and from what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from twinlab.errors import SchemaError
from twinlab.predict.protocol.durations import duration, text_of
from twinlab.predict.protocol.events import EventColumns
from twinlab.predict.protocol.inputs import Inputs

__all__ = ["DelaySettings"]

#: Hours before an issue time that features read: delays of 21 days, and the events before.
_WINDOW = "24d"


@dataclass(frozen=True)
class DelaySettings:
    """What is predicted of planned events, and from what.

    Parameters
    ----------
    event_type : str
    asset_type : str
        Of its assets.
    of : "end" or "start"
        Whether the delay of the end (arrival) or of the start (departure) is predicted.
    late : str
        Delay from which an event is late.
    chain : str
        Column with what does one event after another: the asset, or a link such as ``"truck"``.
    places : tuple of str, optional
        Links with where an event begins and ends.
    links : tuple of str
        Links whose delays in the last hours and weeks are features; known with the plan.
    group : str, optional
        Link, or the asset, by which intervals differ, such as the origin or the carrier; by default one interval for all.
    surroundings : mapping of link to (asset type, variables)
        Signals of linked assets that are features.
    step : str
        Width of the cells of these.
    zone : str
        IANA time zone of the hour of the day.
    turnaround : str, optional
        Least span between two events of a chain; by default what one gap in ten stays below.
    leads : tuple of str
        Spans before the planned start at which training cases are issued.
    under_way : bool
        Whether events that are overdue or under way are predicted, too.
    training : str
        Span before the fit whose events are used.
    ahead : str
        Events that are planned to start within it are predicted.
    """

    event_type: str
    asset_type: str
    of: Literal["end", "start"] = "end"
    late: str = "15min"
    chain: str = "asset"
    places: tuple[str, str] | None = None
    links: tuple[str, ...] = ()
    group: str | None = None
    surroundings: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    step: str = "1h"
    zone: str = "UTC"
    turnaround: str | None = None
    leads: tuple[str, ...] = ("10h", "5h", "2h", "30min")
    under_way: bool = True
    training: str = "365d"
    ahead: str = "12h"

    def __post_init__(self) -> None:
        if not self.leads:
            msg = "expected at least one span before the planned start in leads, got none"
            raise SchemaError(msg)
        for name in ("late", "ahead"):
            duration(getattr(self, name), what=name)
        if self.group is not None and self.group not in (*self.links, "asset"):
            msg = f"expected group= as the asset or one of the links {', '.join(self.links) or '(none)'}, got {self.group!r}"
            raise SchemaError(msg)
        unknown = [link for link in self.surroundings if link not in self.links]
        if unknown:
            msg = f"surroundings of {unknown[0]!r}, which isn't one of the links {', '.join(self.links) or '(none)'}"
            raise SchemaError(msg)

    @property
    def inputs(self) -> Inputs:
        """What is read of a twin."""
        others: dict[str, tuple[str, ...]] = {}
        for kind, names in self.surroundings.values():
            others[kind] = tuple(dict.fromkeys((*others.get(kind, ()), *names)))
        known = tuple(dict.fromkeys((*self.links, *(() if self.chain == "asset" else (self.chain,)))))
        return Inputs(
            self.asset_type,
            step=self.step,
            window=_WINDOW,
            training=self.training,
            others=others,
            events=(self.event_type,),
            columns={self.event_type: EventColumns(planned=known)},
            # Events that are planned an hour after one are a feature of it.
            ahead=text_of(duration(self.ahead, what="ahead") + duration("2h", what="ahead")),
            on_grid=False,
        )
