"""A twin whose trips, and what they carry, go on as one replication of a simulation has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.model.reader import DelegatingReader, TwinReader

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SimulatedReader"]


class SimulatedReader(DelegatingReader):
    """Reads a twin up to an instant, and one replication of a simulation from then on.

    Parameters
    ----------
    twin : TwinReader
    events : mapping of event type to DataFrame
        Events of the replication, in the schema of the twin's.
    past : mapping of event type to DataFrame
        Events of the twin that were planned before the start.
    stop : datetime64
        End of the simulation.
    """

    def __init__(
        self,
        twin: TwinReader,
        events: Mapping[str, pd.DataFrame],
        past: Mapping[str, pd.DataFrame],
        stop: np.datetime64,
    ) -> None:
        self._twin, self._stop = twin, stop
        self._tables = {name: _joined(past[name], table) for name, table in events.items()}

    @property
    def _source(self) -> TwinReader:
        return self._twin

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type that overlap ``[start, stop)``, of some assets if given."""
        if event_type not in self._tables:
            return self._twin.events(event_type, start=start, stop=stop, assets=assets)
        table = self._tables[event_type]
        begin = table["start"].fillna(table["planned_start"])
        # Without an end, what has begun goes on; what hasn't is where it was planned.
        end = table["end"].where(table["start"].notna(), table["planned_end"]).fillna(pd.Timestamp(self._stop))
        kept = pd.Series(data=True, index=table.index)
        if start is not None:
            kept &= (end > pd.Timestamp(start)) | (begin >= pd.Timestamp(start))  # type: ignore[arg-type]
        if stop is not None:
            kept &= begin < pd.Timestamp(stop)  # type: ignore[arg-type]
        if assets is not None:
            kept &= table["asset"].isin(list(assets))
        return table[kept].reset_index(drop=True)


def _joined(past: pd.DataFrame, simulated: pd.DataFrame) -> pd.DataFrame:
    """Return the events of the past that the simulation has no later version of, and the simulated ones."""
    before = past[~past["event_id"].isin(simulated["event_id"])]
    whole = pd.concat([before, simulated.reindex(columns=past.columns)], ignore_index=True)
    return whole.astype({name: kind for name, kind in past.dtypes.items() if str(kind).startswith("datetime")})
