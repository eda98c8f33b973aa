"""Events of finders on a view of a twin, as it was known at some time or under other definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab.events.finders.state import event_table
from twinlab.events.finders.updating import found_anew
from twinlab.events.tables import overlapping

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.reader import TwinReader

__all__ = ["chosen", "events_on_view"]


def events_on_view(
    view: TwinReader, name: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the events of a finder of the view's model, searched in all cells of the view; nothing is stored.

    Parameters
    ----------
    view : TwinReader
    name : str
        Of the finder.
    start, stop : instant, optional
        Only events that overlap ``[start, stop)``.
    assets : sequence of str, optional
        Ids: only events of these assets.

    Returns
    -------
    DataFrame
        As `twinlab.Twin.events`. Ids are made of asset and start: an event whose start later data moved has another one here.
    """
    finder = view.model.events[name]
    state = found_anew(view, finder, finder.condition(view.model), {})
    return chosen(event_table(state, name, finder), start, stop, assets)


def chosen(table: pd.DataFrame, start: object, stop: object, assets: Sequence[str] | None) -> pd.DataFrame:
    """Return the events of a table that overlap a span and are of some assets."""
    table = overlapping(table, start=start, stop=stop)
    if assets is not None:
        table = table[table["asset"].isin(list(assets))]
    return table.reset_index(drop=True)
