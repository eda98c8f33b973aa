"""Tiles of the Now page: counts of exceptions, assets and events. Pure; `tile_buttons` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.kit.exception_text import age_text, severity_text
from twinlab.languages import local_number, tr, trn
from twinlab.model.rules import SEVERITIES

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.present import Now
    from twinlab.explore.pages.now.live.freshness import Freshness
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Tile", "filters", "tile_table", "tiles"]


@dataclass(frozen=True)
class Tile:
    """One tile."""

    #: Filter of the table: ``severity:high``, ``type:room``, ``event:trip``; "" for a tile that filters nothing.
    filter: str
    title: str
    #: The number in large type.
    main: str
    detail: str
    #: Whether the tile reports something wrong.
    alarming: bool = False
    #: Whether what it counts isn't live, which its detail then says.
    stale: bool = False


def filters(model: TwinModel) -> list[str]:
    """Return the filters of all tiles that a twin may have."""
    return [
        *(f"severity:{name}" for name in reversed(SEVERITIES)),
        *(f"type:{name}" for name in model.asset_types),
        *(f"event:{name}" for name in model.event_types),
    ]


def tiles(
    now: Now,
    model: TwinModel,
    *,
    newest: np.datetime64 | None = None,
    freshness: Freshness | None = None,
    paused: bool = False,
) -> list[Tile]:
    """Return the tiles of an instant: severities from high to low, asset types, event types, age of the newest data.

    Parameters
    ----------
    now : Now
    model : TwinModel
    newest : datetime64, optional
        Time of the newest sample of the twin, to show how far ``now`` is behind it.
    freshness : Freshness, optional
        Of a live twin: assets that aren't live are counted, and the age is that of the newest row.
    paused : bool
        Whether the page is paused: it then has no age.
    """
    out = [
        Tile(
            f"severity:{name}",
            severity_text(name),
            local_number(f"{count:,}"),
            trn("exception", "exceptions", count),
            count > 0,
        )
        for name, count in now.severities.items()
        if model.rules
    ]
    for kind, cover in now.coverage.items():
        title = model.asset_types[kind].title or readable_name(kind)
        total = cover.reporting + cover.silent
        detail = tr("reporting") + (tr(" · {silent:,} silent", silent=cover.silent) if cover.silent else "")
        main = tr("{reporting:,} of {total:,}", reporting=cover.reporting, total=total)
        old = 0 if freshness is None else freshness.not_live(kind)
        stopped = freshness is not None and freshness.stopped is not None
        if old:
            detail += tr(" · {old:,} not live", old=old)
        out.append(
            Tile(f"type:{kind}", _capital(title), main, detail, cover.silent > 0, stale=stopped or 0 < total <= old)
        )
    for kind, count in now.counts.items():
        title = model.event_types[kind].title or readable_name(kind)
        waiting = tr(" · {not_ended:,} not ended", not_ended=count.not_ended) if count.not_ended else ""
        detail = tr("on time · {late:,} late{waiting}", late=count.late, waiting=waiting)
        out.append(Tile(f"event:{kind}", _capital(title), local_number(f"{count.on_time:,}"), detail, count.late > 0))
    if paused:
        return [*out, Tile("", tr("Paused"), "❚❚", tr("nothing changes"))]
    return [*out, _freshness(now.at, newest) if freshness is None else _newest_row(freshness)]


def tile_table(shown: Sequence[Tile]) -> pd.DataFrame:
    """Return tiles as a table for a file."""
    return pd.DataFrame([(one.title, one.main, one.detail) for one in shown], columns=["tile", "number", "detail"])


def _newest_row(freshness: Freshness) -> Tile:
    """Return the tile of a live twin: age of the newest row, and how many sources work."""
    if freshness.stopped is not None:
        since = tr("for {stopped}", stopped=freshness.stopped) if freshness.stopped else tr("yet")
        return Tile(
            "",
            tr("Not live"),
            freshness.newest_age or "–",
            tr("no historian has run {since}", since=since),
            alarming=True,
            stale=True,
        )
    bad = sum(not one.current for one in freshness.sources)
    total = len(freshness.names)
    detail = tr("{bad:,} of {total:,} sources current", bad=total - bad, total=total)
    return Tile("", tr("Newest row"), freshness.newest_age or "–", detail, bad > 0, stale=bad == total)


def _freshness(at: np.datetime64 | None, newest: np.datetime64 | None) -> Tile:
    if at is None or newest is None:
        return Tile("", tr("Newest data"), "–", tr("no data yet"))
    back = pd.Timestamp(newest) - pd.Timestamp(at)
    if back > pd.Timedelta(minutes=1):
        return Tile("", tr("Looking back"), age_text(back), tr("before the newest data"))
    age = pd.Timestamp.now("UTC").tz_localize(None) - pd.Timestamp(newest)
    return Tile("", tr("Age of the data"), age_text(age), tr("since the newest"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
