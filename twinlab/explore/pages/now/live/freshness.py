"""Freshness of the sources and assets of a live twin, read at once, and its texts. Pure but for the reading."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.explore.kit.live.ages import SHAPES, asset_age, seconds_text
from twinlab.explore.kit.live.states import age_at, state_text, trouble
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.kit.live.live_twins import LiveTwin, Status

__all__ = ["Freshness", "Key", "SourceText", "read_freshness"]

#: Asset type and asset.
Key = tuple[str, str]


@dataclass(frozen=True)
class SourceText:
    """A source in words."""

    name: str
    #: Whether its rows come as they should: connected and not stale, or ended.
    current: bool
    #: With its shape: "● live", "▲ stale", "… not connected".
    state: str
    #: Since the last row: "4 s ago", or "no row yet".
    age: str
    #: p50 and p99 from the event until the row was durable, or from its receipt where it has no event time.
    latency: str
    gaps: str
    clock: str
    #: What is wrong, "" if nothing is; a source with an error may be current all the same.
    trouble: str


@dataclass(frozen=True)
class Freshness:
    """Status of the historian, and freshness of each asset, at an instant."""

    status: Status
    #: As ``twin.freshness()`` gives it.
    assets: pd.DataFrame
    #: When this was read, ns UTC.
    at_ns: int
    #: Live sources of the mappings.
    names: tuple[str, ...]
    #: Asset types with signals.
    kinds: frozenset[str]

    @cached_property
    def sources(self) -> list[SourceText]:
        """Return all live sources in words, in the order of the mappings."""
        return [self._source(name) for name in self.names]

    @cached_property
    def texts(self) -> dict[Key, str]:
        """Return state and age of the last row of each asset, such as ``● live · 40 s`` or ``▲ stale · 3 h``."""
        ages = zip(self.assets.index, self.assets["state"], self.assets["age"], strict=True)
        return {key: f"{SHAPES[state]} {tr(state)} · {asset_age(age, state)}" for key, state, age in ages}

    @cached_property
    def stale(self) -> dict[Key, str]:
        """Return the state and age of assets that aren't live, in words: ``stale 3 h``."""
        ages = zip(self.assets.index, self.assets["state"], self.assets["age"], strict=True)
        return {key: f"{tr(state)} {asset_age(age, state)}" for key, state, age in ages if state != "live"}

    def text(self, key: Key) -> str:
        """Return state and age of the last row of an asset; "" for one whose type has no signals, unless nothing is live."""
        if self.stopped is not None and key not in self.texts:
            return tr("○ not live")
        return self.texts.get(key) or (tr("○ no live row yet") if key[0] in self.kinds else "")

    def is_stale(self, key: Key) -> bool:
        """Whether the signals of an asset aren't live, or no historian runs."""
        return self.stopped is not None or key in self.stale or (key not in self.texts and key[0] in self.kinds)

    @property
    def newest_age(self) -> str | None:
        """Return the age of the newest row of any source, such as ``4 s``; None before the first."""
        newest = max((one["last_row_ns"] for one in self.status.sources.values()), default=0)
        return age_at(newest, self.at_ns)

    @property
    def stopped(self) -> str | None:
        """Return for how long no historian has run, "" if none ever has; None while one runs."""
        return None if self.status.running else (age_at(self.status.updated_ns, self.at_ns) or "")

    def not_live(self, asset_type: str) -> int:
        """Return the number of assets of a type that aren't live."""
        return sum(kind == asset_type for kind, _ in self.stale)

    def _source(self, name: str) -> SourceText:
        one = self.status.sources.get(name)
        if one is None:
            wrong = (
                tr("added after the historian started; restart it")
                if self.status.running
                else tr("the historian doesn't run")
            )
            return SourceText(name, False, tr("○ not running"), tr("no row yet"), "–", "–", "–", wrong)  # noqa: FBT003  (a field)
        # Gaps that are over say nothing about the present.
        going_on = [gap for gap in one["gaps"] if gap["start_ns"] is not None and gap["stop_ns"] is None]
        wrong, state = tr("the historian doesn't run"), state_text(one, running=self.status.running)
        if self.status.running:
            wrong = trouble({**one, "gaps": going_on}, now_ns=self.at_ns)
            state = tr("▲ rows missing") if going_on and state.endswith("connected") else state
        return SourceText(
            name,
            state.endswith(("connected", "ended")),
            state,
            tr("no row yet") if (age := age_at(one["last_row_ns"], self.at_ns)) is None else tr("{age} ago", age=age),
            _latency(one),
            _gaps(one),
            "–" if one["clock_offset"] is None else _clock(one["clock_offset"], suspect=one["clock_suspect"]),
            wrong,
        )


def read_freshness(twin: LiveTwin) -> Freshness:
    """Read the freshness of a live twin.

    Raises
    ------
    TwinlabError
        If the ledger can't be read.
    """
    names = tuple(name for name, one in twin.mappings.items() if one.live is not None)
    kinds = frozenset(name for name, one in twin.model.asset_types.items() if one.signals)
    return Freshness(twin.live_status(), twin.freshness(), time.time_ns(), names, kinds)


def _latency(source: Mapping[str, Any]) -> str:
    name = "event" if source["event_p50"] is not None else "received"
    p50, p99 = source[f"{name}_p50"], source[f"{name}_p99"]
    return "–" if p50 is None else f"{seconds_text(p50)} / {seconds_text(p99)}"


def _gaps(source: Mapping[str, Any]) -> str:
    return tr("{count:,} not filled", count=len(source["gaps"])) if source["gaps"] else "none"


def _clock(offset: float, *, suspect: bool) -> str:
    text = f"{seconds_text(abs(offset))} {'ahead' if offset > 0 else 'behind'}"
    return f"▲ {text}" if suspect else text
