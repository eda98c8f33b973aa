"""Simulated futures that are stored beside the twin, never in its history."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from twinlab.history.read.reader import HistoryReader
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.twin.simulation.catalogue import TwinCatalogue

__all__ = ["StoredRunMethods"]


class StoredRunMethods:
    """Stored runs of a twin."""

    folder: Path
    mappings: Mapping[str, SourceMapping]

    @property
    def scenarios(self) -> TwinCatalogue:
        """Stored runs, in the folder ``scenarios`` of the twin: ``table()``, ``open``, ``compare``, ``rerun``, ``delete``."""
        from twinlab.twin.simulation.catalogue import TwinCatalogue  # noqa: PLC0415  (reading needs none)

        return TwinCatalogue(self.folder / "scenarios", self)

    def _run_facts(self) -> dict[str, Any]:
        """Return what a stored run states about its twin: rows of each source, and hashes of model and mappings."""
        from twinlab.history.build.mapping_context import content_hash  # noqa: PLC0415  (as the history does)

        reader = cast("HistoryReader", self.reader)  # type: ignore[attr-defined]  # the twin's
        return {
            "position": {name: int(rows) for name, rows in reader.position().items()},
            "model": content_hash(reader.model),
            "mappings": {name: content_hash(one) for name, one in sorted(self.mappings.items())},
        }
