"""Results of chunks that have finished, put together while a run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.simulate.runs.progress import Progress

__all__ = ["PartialResults"]


class PartialResults:
    """Collects the chunks of a run.

    Examples
    --------
    >>> from twinlab.simulate.runs.progress import Progress
    >>> chunk = xr.Dataset({"late": ("replication", [3.0])}, coords={"replication": [1]})
    >>> part = PartialResults()
    >>> part.add(Progress(1, 2, None, "base", chunk))
    >>> part.data().sizes["scenario"], part.done, part.total
    (1, 1, 2)
    """

    def __init__(self) -> None:
        self._chunks: dict[str, list[xr.Dataset]] = {}
        self.done = 0
        self.total = 0
        self.seconds_left: float | None = None

    def add(self, progress: Progress) -> None:
        """Take over a chunk."""
        self._chunks.setdefault(progress.scenario, []).append(progress.data)
        self.done, self.total, self.seconds_left = progress.done, progress.total, progress.seconds_left

    def data(self) -> xr.Dataset:
        """Return what is there, dims ``scenario, replication, …``; what one scenario lacks is missing."""
        parts = {
            name: xr.concat(chunks, "replication", join="outer", combine_attrs="override").sortby("replication")
            for name, chunks in self._chunks.items()
        }
        return xr.concat(
            [part.expand_dims(scenario=[name]) for name, part in parts.items()],
            "scenario",
            join="outer",
            combine_attrs="override",
        )

    @property
    def text(self) -> str:
        """How far the run is, as a sentence."""
        left = (
            ""
            if self.seconds_left is None
            else tr(", about {seconds_left} s left", seconds_left=max(1, round(self.seconds_left)))
        )
        return tr("{done:,} of {total:,} futures{left}", done=self.done, total=self.total, left=left)
