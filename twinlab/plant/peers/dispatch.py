"""The dispatcher's workbook, saved every night: the trips of the week before and after, with some cells edited by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twinlab._files import write_atomically
from twinlab.plant.files.dispatch import KINDS_OF_EDITS, Edit, write_workbook
from twinlab.plant.files.maintenance import write_maintenance
from twinlab.plant.files.truth import write_edits
from twinlab.plant.network.clocks import DAY, to_local
from twinlab.plant.peers.peer import Moment
from twinlab.plant.steps.simulate import network_of

__all__ = ["NightlyDispatch"]

#: Share of the trips whose rows are edited by hand.
_EDITED = 0.02


class NightlyDispatch:
    """A folder that gets ``disposition_2026-03-24.xlsx`` at the end of each local day.

    In a plant with failures, the workshops' maintenance logs are saved there, too.

    Parameters
    ----------
    folder : path
        Where the workbooks are saved.
    truth : path, optional
        Folder that gets ``hand_edits.csv``: the manual edits in the newest workbook, with the true values.
    """

    name = "dispatch"

    def __init__(self, folder: str | Path, *, truth: str | Path | None = None) -> None:
        self._folder = Path(folder)
        self._truth = None if truth is None else Path(truth)
        self._day = 0
        self._wear = False
        #: The edits in the newest workbook.
        self.edits: list[Edit] = []

    async def start(self, moment: Moment) -> None:
        """Make the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._day, self._wear = _local_day(moment.plant.time), moment.wear is not None

    async def publish(self, moment: Moment) -> None:
        """Save the workbook of the last day that has ended in this step."""
        day = _local_day(moment.step.end)
        if day == self._day:
            return
        self._day = day
        plant, trips = moment.plant, moment.plant.timetable.trips
        shown = np.flatnonzero(np.abs(trips.planned_start - plant.time) < 7 * DAY)
        done = ~trips.cancelled & (trips.end < plant.time)
        drawn = plant.size.random("nightly dispatch").random(len(trips))
        hand = {
            trip: KINDS_OF_EDITS[int(drawn[trip] / _EDITED * len(KINDS_OF_EDITS))]
            for trip in shown.tolist()
            if done[trip] and drawn[trip] < _EDITED
        }
        name = f"disposition_{np.datetime64(day - 1, 'D')}.xlsx"
        network = network_of(plant, moment.step)

        def save(draft: Path) -> None:
            self.edits = write_workbook(network, draft, hand=hand, trips=shown, until=plant.time)

        write_atomically(self._folder / name, save)
        write_maintenance(network, self._folder, until=plant.time)
        if self._truth is not None:
            write_edits(self.edits, self._truth)

    async def stop(self) -> None:
        """Do nothing: files are written at once."""

    @property
    def address(self) -> dict[str, object]:
        """The folder."""
        return {"endpoint": str(self._folder), "wear": self._wear}


def _local_day(seconds: int) -> int:
    """Return the local day of an instant, as days since 1970."""
    return int(to_local(np.array([seconds]))[0] // DAY)
