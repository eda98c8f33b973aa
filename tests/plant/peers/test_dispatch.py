"""The dispatcher's nightly workbooks."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from twinlab.plant import ParcelSize, Plant
from twinlab.plant.network.clocks import to_local
from twinlab.plant.peers.dispatch import NightlyDispatch
from twinlab.plant.peers.peer import moment_of

SIZE = ParcelSize(hubs=4, trucks=25, cold_rooms=1, forklifts=1, parcels_a_week=20, weeks=1, seed=4)


@pytest.fixture(scope="module")
def nightly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plant, NightlyDispatch]:
    folder, plant = tmp_path_factory.mktemp("dispatch"), Plant(SIZE)
    (folder / "truth").mkdir()
    peer = NightlyDispatch(folder / "sheets", truth=folder / "truth")

    async def run() -> None:
        await peer.start(moment_of(plant, plant.advance(plant.time)))
        for _ in range(6 * 24):
            await peer.publish(moment_of(plant, plant.advance(plant.time + 3600)))

    asyncio.run(run())
    return folder / "sheets", plant, peer


def rows(path: Path) -> dict[str, list[object]]:
    book = openpyxl.load_workbook(path)
    return {row[0]: list(row) for sheet in book for row in sheet.iter_rows(min_row=4, values_only=True) if row[0]}


def test_a_workbook_is_saved_each_night_with_what_is_known_then(
    nightly: tuple[Path, Plant, NightlyDispatch],
) -> None:
    folder, plant, _ = nightly
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"disposition_2026-01-{day:02d}.xlsx" for day in range(5, 11)]
    early, later = rows(folder / names[1]), rows(folder / names[-1])
    trips = plant.timetable.trips
    wall = to_local(trips.planned_start).astype("M8[s]").astype("M8[D]")
    left = [
        name
        for name, at, gone in zip(trips.ids(), wall, trips.cancelled, strict=True)
        if at == np.datetime64("2026-01-09") and not gone
    ]
    assert left
    assert {early[name][8] for name in left} == {"geplant"}
    assert {early[name][5] for name in left} == {None}
    assert {later[name][8] for name in left} <= {"erledigt", "unterwegs"}


def test_some_rows_are_edited_by_hand_and_stay_so(nightly: tuple[Path, Plant, NightlyDispatch]) -> None:
    folder, _, peer = nightly
    paths = sorted(folder.iterdir())
    assert peer.edits
    with (folder.parent / "truth" / "hand_edits.csv").open(newline="", encoding="utf-8") as stream:
        assert [(row["trip"], row["text"]) for row in csv.DictReader(stream)] == [
            (one.trip, one.text) for one in peer.edits
        ]
    for edit in peer.edits:
        if edit.kind == "spelt unreadable":
            shown = [rows(path).get(edit.trip, [None, None])[1] for path in paths]
            first = shown.index(edit.text)
            assert set(shown[first:]) == {edit.text}
