"""The past of a plant that runs now: its own files up to the present, and the mappings that they are read with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from twinlab.demos.live_mappings import file_mapping
from twinlab.plant import Plant
from twinlab.plant.files.dispatch import write_workbook
from twinlab.plant.files.loggers import write_loggers
from twinlab.plant.files.maintenance import write_maintenance
from twinlab.plant.files.telematics import write_telematics
from twinlab.plant.network.clocks import DAY
from twinlab.plant.steps.plant import Step
from twinlab.plant.steps.simulate import network_of

__all__ = ["past_mappings", "write_past"]

#: Sources of files; servers have their signals from the present on.
_SOURCES = ("fleetbox", "roadtrace", "fridges", "forklifts")


def past_mappings(present: int, *, wear: bool = False) -> dict[str, dict[str, Any]]:
    """Return the mapping of each source of files; its rules end at the present (UTC seconds).

    ``wear``: with the columns that a plant with failures has besides.

    >>> sorted(past_mappings(1_800_000_000))
    ['fleetbox', 'forklifts', 'fridges', 'roadtrace']
    """
    out: dict[str, dict[str, Any]] = {}
    for name in _SOURCES:
        found = file_mapping(name, wear=wear)
        for rule in _rules(found):
            rule["valid_until"] = f"{datetime.fromtimestamp(present, UTC):%Y-%m-%dT%H:%M:%S}"
        out[name] = found
    return out


def _rules(mapping: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for table in mapping["tables"]:
        yield from table["columns"].values()


def write_past(plant: Plant, step: Step, folder: Path, *, workbooks: Path) -> list[Path]:
    """Write what a plant's systems have recorded up to its present; return the files to ingest.

    Parameters
    ----------
    plant : Plant
        At its present.
    step : Step
        From the begin of its plan to the present.
    folder : Path
        Gets the files of cold rooms, trucks and forklifts.
    workbooks : Path
        Gets the dispatcher's workbook and the maintenance logs of this moment, which live sources read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workbooks.mkdir(parents=True, exist_ok=True)
    network = network_of(plant, step)
    trips = plant.timetable.trips
    shown = np.flatnonzero(np.abs(trips.planned_start - plant.time) < 7 * DAY)
    book = workbooks / f"disposition_{datetime.fromtimestamp(plant.time, UTC):%Y-%m-%d}.xlsx"
    write_workbook(network, book, hand={}, trips=shown, until=plant.time)
    write_maintenance(network, workbooks, until=plant.time)
    return [*write_loggers(network, folder), *write_telematics(network, folder, until=plant.time)]
