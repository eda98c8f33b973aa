"""Build the workshop's twin."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from twinlab.learn.workshop.files import write_corrected, write_drives, write_loggers, write_rooms
from twinlab.learn.workshop.records import write_records
from twinlab.twin import create

__all__ = ["build_workshop"]


def build_workshop(folder: Path) -> None:
    """Build the twin in a new folder, with what forklifts reported in the last hour, its audit and its keys."""
    recipe = Path(str(files("twinlab.learn.workshop")))
    twin = create(folder, model=recipe / "twin.yaml", mappings=recipe / "mapping")
    source = folder / "files"
    source.mkdir()
    twin.ingest(write_rooms(source), write_loggers(source))
    twin.ingest(write_corrected(source), write_drives(source, datetime.now(UTC)))
    twin.close()
    write_records(folder)
