"""The methods of `Twin` that give others its state: of then, and for the workers of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from twinlab.events.reading import instant_ns
from twinlab.twin.sharing.opening import as_of_opening, folder_opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinlab.compute.handles import Opening
    from twinlab.history import HistoryReader
    from twinlab.twin.calibrations.readers import AsOfReader

__all__ = ["SharingMethods"]


class SharingMethods:
    """A twin as it was known at some time, and how the workers of a Dask cluster open it."""

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

        def _note_all(self) -> None: ...

        def _as_of(self, reader: HistoryReader, known: object, opening: Callable[[], Opening]) -> AsOfReader: ...

    def as_of(self, known: object, *, mapping: Literal["then", "current"] = "then") -> AsOfReader:
        """Return the twin as it was known at an ingest time, with mapping and calibrations of ``"then"`` or ``"current"``."""
        self._note_all()
        reader = self.reader.as_of(known, mapping=mapping)
        return self._as_of(
            reader,
            None if mapping == "current" else known,
            lambda: as_of_opening(self.opening(), instant_ns(known), mapping),
        )

    def opening(self) -> Opening:
        """Return how the workers of a Dask cluster open this twin, at the state that it has now."""
        return folder_opening(self)  # type: ignore[arg-type]  # a twin, of which this is a base
