"""The methods of `twinlab.Twin` that concern finders of ``twin.yaml``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.twin.finders.store import FinderStore
from twinlab.twin.finders.views import chosen

if TYPE_CHECKING:
    from twinlab.history import HistoryReader

__all__ = ["FinderMethods"]


class FinderMethods:
    """Keep the events of finders up to date; of `twinlab.Twin`."""

    _finder_store: FinderStore

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

    def update_events(self) -> dict[str, pd.DataFrame]:
        """Bring the stored events of all finders (``events:`` in ``twin.yaml``) up to date.

        Only where cells have changed a condition is searched again. `ingest` does it; after a `writer`'s batches call it as often
        as events are to be stored: `events` is current without it.

        Returns
        -------
        dict of str to DataFrame
            For each finder what became of its events: ``change`` (moved, split, withdrawn, appeared), ``event_id`` and
            ``event_id_before``. Ids stay; annotations follow what was split, and those of withdrawn events are marked.

        Raises
        ------
        HistoryConflictError
            If another process updates them for more than a minute.
        """
        return self._finder_store.update(self.reader)

    def _found_events(self, name: str, start: object, stop: object, assets: Sequence[str] | None) -> pd.DataFrame:
        table = self._finder_store.events(self.reader, name, self.reader.model.events[name])
        return chosen(table, start, stop, assets)
