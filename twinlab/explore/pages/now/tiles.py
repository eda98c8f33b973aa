"""Tiles of the Now page: counts of exceptions, assets and events. Pure; `tile_buttons` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.kit.exception_text import SEVERITY_SYMBOLS, age_text

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.present import Now
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Tile", "tiles"]


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


def tiles(now: Now, model: TwinModel, *, newest: np.datetime64 | None = None) -> list[Tile]:
    """Return the tiles of an instant: severities from high to low, asset types, event types, age of the newest data.

    Parameters
    ----------
    now : Now
    model : TwinModel
    newest : datetime64, optional
        Time of the newest sample of the twin, to show how far ``now`` is behind it.
    """
    out = [
        Tile(
            f"severity:{name}", f"{SEVERITY_SYMBOLS[name]} {name}", f"{count:,}", _plural(count, "exception"), count > 0
        )
        for name, count in now.severities.items()
        if model.rules
    ]
    for kind, cover in now.coverage.items():
        title = model.asset_types[kind].title or readable_name(kind)
        total = cover.reporting + cover.silent
        detail = "reporting" + (f" · {cover.silent:,} silent" if cover.silent else "")
        main = f"{cover.reporting:,} of {total:,}"
        out.append(Tile(f"type:{kind}", _capital(title), main, detail, cover.silent > 0))
    for kind, count in now.counts.items():
        title = model.event_types[kind].title or readable_name(kind)
        waiting = f" · {count.not_ended:,} not ended" if count.not_ended else ""
        detail = f"on time · {count.late:,} late{waiting}"
        out.append(Tile(f"event:{kind}", _capital(title), f"{count.on_time:,}", detail, count.late > 0))
    out.append(_freshness(now.at, newest))
    return out


def _freshness(at: np.datetime64 | None, newest: np.datetime64 | None) -> Tile:
    if at is None or newest is None:
        return Tile("", "Newest data", "–", "no data yet")
    back = pd.Timestamp(newest) - pd.Timestamp(at)
    if back > pd.Timedelta(minutes=1):
        return Tile("", "Looking back", age_text(back), "before the newest data")
    age = pd.Timestamp.now("UTC").tz_localize(None) - pd.Timestamp(newest)
    return Tile("", "Age of the data", age_text(age), "since the newest")


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
