"""The dispatcher's workbook: one sheet per week, planned and actual local times, edited by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xlsxwriter

from twinlab.plant.network.clocks import Ints, to_local
from twinlab.plant.network.network import Network
from twinlab.plant.network.towns import TOWNS

__all__ = ["KINDS_OF_EDITS", "Edit", "write_dispatch", "write_workbook"]

#: Manual edits: a vague time, a truck written in another way that software still reads or not, a note, a remark.
KINDS_OF_EDITS = ("about", "spelt readable", "spelt unreadable", "note", "remark")
_COLUMNS = (
    "Tour", "LKW", "Von", "Nach", "Abfahrt Plan", "Abfahrt Ist", "Ankunft Plan", "Ankunft Ist", "Status", "Bemerkung"
)  # fmt: skip
_PLANNED, _DEPARTED, _ARRIVED = 4, 5, 7
_REMARKS = ("Fahrer krank, Ersatz da", "Rampe 4 statt 2", "Kunde angerufen", "Papiere fehlen", "Stau A7", "Tor defekt")

#: What dispatchers write about a delay of at least this many minutes, by its cause.
_REMARKED = 20
_CAUSES = {
    "hub_limit": "Rampen voll", "knock_on": "LKW kam spät", "breakdown": "Panne", "weather": "Sturm", "congestion": "Stau Stadt"
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """A manual edit of a cell: the new text, the true value, and whether software can still read it."""

    kind: str
    sheet: str
    row: int
    column: str
    trip: str
    text: str
    truth: str
    readable: bool


def write_dispatch(network: Network, folder: Path) -> tuple[Path, list[Edit]]:
    """Write the workbook; return its path and the manual edits."""
    path = folder / "disposition.xlsx"
    every = np.arange(len(network.trips))
    return path, write_workbook(network, path, hand=_rows_to_edit(network), trips=every, until=network.size.span[1])


def write_workbook(network: Network, path: Path, *, hand: Mapping[int, str], trips: Ints, until: int) -> list[Edit]:
    """Write a workbook of some trips as they are at ``until`` (UTC seconds); return the manual edits.

    ``hand`` has the kind of edit of each trip that is edited, one of `KINDS_OF_EDITS`.
    """
    edits: list[Edit] = []
    with xlsxwriter.Workbook(str(path)) as book:
        # The creation time is the only part of the file that depends on the current date.
        book.set_properties({"title": "Disposition", "author": "Disposition", "created": datetime(2026, 1, 1)})  # noqa: DTZ001
        forms = {
            "time": book.add_format({"num_format": "dd.mm.yyyy hh:mm"}),
            "head": book.add_format({"bold": True, "bottom": 1}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "hand": book.add_format({"bg_color": "#FFF2CC", "num_format": "dd.mm.yyyy hh:mm"}),
        }
        rows = _rows(network, until)
        for label, own in _weeks(network, trips):
            _sheet(
                network, book, forms, label=label, trips=[(trip, rows[trip]) for trip in own], hand=hand, edits=edits
            )
    return edits


def _weeks(network: Network, trips: Ints) -> Iterator[tuple[str, list[int]]]:
    """Yield the names of the sheets with their trips, by the calendar week of the planned departure."""
    found: dict[str, list[int]] = {}
    wall = to_local(network.trips.planned_start[trips])
    for trip, day in zip(trips.tolist(), wall.astype("M8[s]").astype("M8[D]").tolist(), strict=True):
        year, week, _ = day.isocalendar()
        found.setdefault(f"KW{week:02d} {year}", []).append(trip)
    yield from found.items()


def _rows_to_edit(network: Network) -> dict[int, str]:
    """Return the trips whose rows are edited by hand, with the kind of edit."""
    random, trips = network.size.random("dispatch"), network.trips
    done = np.flatnonzero(~trips.cancelled & (trips.end > 0) & (trips.end < network.size.span[1]))
    each = max(2, round(0.004 * len(done)))
    chosen = random.permutation(done)[: each * len(KINDS_OF_EDITS)].tolist()
    return {trip: KINDS_OF_EDITS[place % len(KINDS_OF_EDITS)] for place, trip in enumerate(chosen)}


def _sheet(
    network: Network,
    book: Any,  # noqa: ANN401  (xlsxwriter ships no types)
    forms: dict[str, Any],
    *,
    label: str,
    trips: list[tuple[int, list[datetime | str]]],
    hand: Mapping[int, str],
    edits: list[Edit],
) -> None:
    sheet = book.add_worksheet(label)
    sheet.set_column("A:D", 13)
    sheet.set_column("E:H", 17)
    sheet.set_column("I:J", 24)
    sheet.write(0, 0, f"Disposition {label}", forms["title"])
    sheet.write_row(2, 0, _COLUMNS, forms["head"])
    sheet.freeze_panes(3, 1)
    row, day = 3, ""
    for trip, cells in trips:
        today = f"{cells[_PLANNED]:%j}"
        # A blank row separates days.
        row += day not in ("", today)
        day = today
        edited = _edit(network, trip, cells, hand[trip], at=(label, row)) if trip in hand else []
        for column, value in enumerate(cells):
            form = forms["hand"] if any(edit.column == _COLUMNS[column] for edit in edited) else None
            if isinstance(value, datetime):
                sheet.write_datetime(row, column, value, form or forms["time"])
            elif value:
                sheet.write_string(row, column, value, form)
        for edit in edited:
            if edit.kind == "note":
                sheet.write_comment(row, 1, edit.text, {"author": "Dispo"})
        edits += edited
        row += 1


def _rows(network: Network, stop: int) -> list[list[datetime | str]]:
    """Return the cells of the row of every trip at ``stop``, before manual edits."""
    trips = network.trips
    left = ~trips.cancelled & (trips.start < stop)
    there = left & (trips.end < stop)
    remarks = [
        f"Stau, {jam} min" if seen and jam > 60 else ""
        for jam, seen in zip(trips.jam.tolist(), there.tolist(), strict=True)
    ]
    if network.condition is not None:
        for one in network.condition.disturbances.delays:
            if there[one.trip] and one.minutes >= _REMARKED and not remarks[one.trip]:
                remarks[one.trip] = f"{_CAUSES[one.cause]}, {one.minutes} min"
    status = np.where(trips.cancelled, "storniert", np.where(there, "erledigt", np.where(left, "unterwegs", "geplant")))
    names = [town.name for town in TOWNS]
    columns: tuple[Sequence[datetime | str], ...] = (
        trips.ids(),
        [network.truck(truck) for truck in trips.truck.tolist()],
        [names[hub] for hub in trips.origin.tolist()],
        [names[hub] for hub in trips.destination.tolist()],
        _clocks(trips.planned_start, np.ones_like(left)),
        _clocks(trips.start, left),
        _clocks(trips.planned_end, np.ones_like(left)),
        _clocks(trips.end, there),
        status.tolist(),
        remarks,
    )
    return [list(row) for row in zip(*columns, strict=True)]


def _clocks(seconds: Ints, known: npt.NDArray[np.bool_]) -> list[datetime | str]:
    """Return local times; an empty text where the time isn't known yet."""
    wall = to_local(seconds).astype("M8[s]").tolist()
    return [when if yes else "" for when, yes in zip(wall, known.tolist(), strict=True)]


def _edit(network: Network, trip: int, cells: list[datetime | str], kind: str, *, at: tuple[str, int]) -> list[Edit]:
    """Change a row as a person would; return the edits."""
    random = network.size.random(f"hand {trip}")
    truck, number = str(cells[1]), int(network.trips.truck[trip]) + 1
    column, text, readable = 1, "", True
    if kind == "about":
        column, readable = (_DEPARTED if random.random() < 0.5 else _ARRIVED), False
        when = cells[column]
        text = f"{('ca.', '~', 'gegen')[random.integers(3)]} {when:%H:%M}" if isinstance(when, datetime) else "?"
    elif kind == "spelt readable":
        text = (f"LKW {truck}", f"{truck} (Ersatz)", f" {truck} ", f"{truck}!")[random.integers(4)]
    elif kind == "spelt unreadable":
        text, readable = (f"T {number}", f"t{number}", f"Lkw {number}", f"{number}er")[random.integers(4)], False
    else:
        text = _REMARKS[random.integers(len(_REMARKS))]
        column = 9
    truth = value.isoformat(" ") if isinstance(value := cells[column], datetime) else value
    if kind != "note":
        cells[column] = text
    name = _COLUMNS[1] if kind == "note" else _COLUMNS[column]
    return [Edit(kind, at[0], at[1] + 1, name, str(cells[0]), text, truth, readable)]
