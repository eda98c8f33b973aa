"""A reader that has the twin's security events beside the events of its model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twinlab.events.intrusion.table import SECURITY_EVENT
from twinlab.events.tables import overlapping
from twinlab.model.reader import DelegatingReader

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.reader import TwinReader

__all__ = ["SecurityReader", "in_window"]


class SecurityReader(DelegatingReader):
    """Reads what another reader does, and security events.

    Parameters
    ----------
    reader : TwinReader
    table : callable
        Returns all security events.
    """

    def __init__(self, reader: TwinReader, table: Callable[[], pd.DataFrame]) -> None:
        self._reader, self._table = reader, table

    @property
    def _source(self) -> TwinReader:
        return self._reader

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type that overlap ``[start, stop)``, of some assets if given."""
        if event_type != SECURITY_EVENT or event_type in self.model.event_types:
            return self._reader.events(event_type, start=start, stop=stop, assets=assets)
        return in_window(self._table(), start, stop, assets)


def in_window(table: pd.DataFrame, start: object, stop: object, assets: Sequence[str] | None) -> pd.DataFrame:
    """Return the events that overlap ``[start, stop)``, of some assets if given."""
    found = overlapping(table, start=start, stop=stop)
    if assets is not None:
        found = found[found["asset"].isin(list(assets))]
    return found.reset_index(drop=True)
