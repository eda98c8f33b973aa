"""State of a view as the query of a URL, and back; a wrong value becomes a message, never an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pandas as pd

from twinlab.languages import tr
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window

__all__ = ["Link", "format_link", "known_or_problem", "merge_problems", "parse_instant", "parse_link", "unknown_text"]

#: Key of a text in the query -> field of `Link`.
_TEXTS = {
    "page": "page",
    "type": "asset_type",
    "event": "event_type",
    "layout": "layout",
    "compare": "compare",
    "find": "find",
    "heat": "heat",
    "part": "part",
    "kpi": "kpi",
    "by": "by",
    "every": "every",
    "when": "when",
    "lasting": "lasting",
    "gap": "gap",
    "horizon": "horizon",
    "futures": "replications",
    "scenarios": "scenarios",
    "budget": "budget",
    "within": "within",
    "acting": "acting",
    "failing": "failing",
    "stored": "stored",
    "ask": "ask",
}
_SWITCHES = {"flags": "show_flags", "full": "full_range", "in_view": "in_view"}
_KEYS = (*_TEXTS, "signal", "asset", "from", "to", "at", *_SWITCHES)


@dataclass(frozen=True)
class Link:
    """State of a view as given by a link; None for what the link leaves out."""

    page: str | None = None
    asset_type: str | None = None
    signals: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None
    window: Window | None = None
    # The shown instant, UTC.
    at: np.datetime64 | None = None
    show_flags: bool | None = None
    full_range: bool | None = None
    event_type: str | None = None
    in_view: bool | None = None
    # Layout of a page, and the period for comparison; their values depend on the page.
    layout: str | None = None
    compare: str | None = None
    # Search text.
    find: str | None = None
    # Content of a heat map; see `twinlab.explore.HeatExplorer`.
    heat: str | None = None
    # Part of a page that has several.
    part: str | None = None
    # A KPI, what it is grouped by, and the width of its windows.
    kpi: str | None = None
    by: str | None = None
    every: str | None = None
    # A condition whose events are found, how long they last at least, and the gap that joins two.
    when: str | None = None
    lasting: str | None = None
    gap: str | None = None
    # A simulation: its length, the futures of each scenario, the scenarios as YAML, and the most that a run may take.
    horizon: str | None = None
    replications: str | None = None
    scenarios: str | None = None
    budget: str | None = None
    # Risks: the span that is planned for, and the costs of acting and of a failure, as numbers or properties.
    within: str | None = None
    acting: str | None = None
    failing: str | None = None
    # Name of stored predictions.
    stored: str | None = None
    # A question in words, whose plan is shown.
    ask: str | None = None
    # One message for each part that could not be parsed.
    problems: tuple[str, ...] = field(default=())

    @property
    def signal(self) -> str | None:
        """The first signal."""
        return self.signals[0] if self.signals else None

    def carried(self) -> Link:
        """Return the part of the state that pages share: asset type, assets, window and instant."""
        return Link(asset_type=self.asset_type, assets=self.assets, window=self.window, at=self.at)


def format_link(link: Link) -> str:
    """Return the query of a link with its question mark; "" for an empty link.

    >>> format_link(Link(asset_type="room", assets=("3", "4")))
    '?type=room&asset=3&asset=4'
    """
    pairs = [(key, str(value)) for key, name in _TEXTS.items() if (value := getattr(link, name)) is not None]
    pairs += [("signal", signal) for signal in link.signals or ()]
    pairs += [("asset", asset) for asset in link.assets or ()]
    if link.window is not None:
        pairs += [(key, _seconds(t)) for key, t in zip(("from", "to"), link.window, strict=True)]
    if link.at is not None:
        pairs.append(("at", _seconds(link.at)))
    for key, name in _SWITCHES.items():
        flag = getattr(link, name)
        if flag is not None:
            pairs.append((key, "1" if flag else "0"))
    return f"?{urlencode(pairs, safe=':')}" if pairs else ""


def parse_link(query: str) -> Link:
    """Parse the query of a link. Wrong values are left out, with a message in ``problems``; names aren't checked here.

    >>> parse_link("?type=room&from=yesterday").problems[0]
    "from='yesterday' isn't a time such as 2013-02-12T06:00 (UTC); ignored"
    """
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    problems = [f"{key!r} isn't part of a link{nearest(key, _KEYS)} Ignored." for key, _ in pairs if key not in _KEYS]
    one = dict(reversed(pairs))
    window, wrong = _window(one)
    at = parse_instant(one["at"]) if "at" in one else None
    if "at" in one and at is None:
        wrong.append(_no_time("at", one["at"]))
    switches: dict[str, Any] = {}
    for key, name in _SWITCHES.items():
        switches[name] = {"1": True, "0": False}.get(one.get(key, ""))
        if key in one and switches[name] is None:
            wrong.append(f"{key}={one[key]!r} is neither 1 nor 0; ignored")
    fields: dict[str, Any] = {name: one.get(key) for key, name in _TEXTS.items()}
    for name in ("asset", "signal"):
        fields[f"{name}s"] = tuple(value for key, value in pairs if key == name) or None
    return Link(window=window, at=at, problems=(*problems, *wrong), **fields, **switches)


def unknown_text(what: str) -> str:
    """Return the beginning of the message about a name that a link has and the twin hasn't.

    >>> unknown_text("asset")
    'unknown asset'
    """
    return tr("unknown {what}", what=tr(what))


def known_or_problem(value: str | None, known: Iterable[str], what: str, problems: list[str]) -> str | None:
    """Return ``value`` if it's known; else return None and add a message to ``problems``."""
    names = list(known)
    if value is None or value in names:
        return value
    problems.append(f"{unknown_text(what)} {value!r}{nearest(value, names)}")
    return None


def _window(one: Mapping[str, str]) -> tuple[Window | None, list[str]]:
    wrong: list[str] = []
    ends: list[np.datetime64] = []
    for key in ("from", "to"):
        if key in one:
            when = parse_instant(one[key])
            if when is None:
                wrong.append(_no_time(key, one[key]))
            else:
                ends.append(when)
    if wrong or not ends:
        return None, wrong
    if len(ends) == 1:
        return None, [tr("a link needs both from= and to=; the window is ignored")]
    if ends[0] >= ends[1]:
        return None, [
            tr(
                "from={from_value!r} isn't before to={to!r}; the window is ignored",
                from_value=one["from"],
                to=one["to"],
            )
        ]
    return (ends[0], ends[1]), []


def _no_time(key: str, text: str) -> str:
    return tr("{key}={text!r} isn't a time such as 2013-02-12T06:00 (UTC); ignored", key=key, text=text)


def _seconds(when: np.datetime64) -> str:
    return str(pd.Timestamp(when).floor("s").isoformat())


def parse_instant(text: str) -> np.datetime64 | None:
    """Return a time as UTC, None if it can't be read.

    >>> str(parse_instant("2013-02-12T06:00+01:00"))[:16]
    '2013-02-12T05:00'
    """
    if text.strip().casefold() in ("", "nat", "nan", "none"):
        # pandas would parse these as NaT, without an error.
        return None
    try:
        stamp = pd.Timestamp(text)
    except ValueError:
        return None
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    return np.datetime64(stamp.value, "ns")


def merge_problems(groups: Sequence[Sequence[str]]) -> str:
    """Return messages as one text."""
    return " · ".join(problem for group in groups for problem in group)
