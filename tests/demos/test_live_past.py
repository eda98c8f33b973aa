"""The files that a plant's systems have written up to its present."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.demos.live_past import past_mappings, write_past
from twinlab.model.mapping import Mapping
from twinlab.plant import ParcelSize, Plant, simulate_network, write_files

SIZE = ParcelSize(hubs=3, trucks=5, cold_rooms=3, forklifts=2, parcels_a_week=30, weeks=2, seed=5)
#: Wednesday of the second week, 09:07:30 UTC.
PRESENT = SIZE.span[0] + 9 * 86_400 + 9 * 3_600 + 450


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("past")


@pytest.fixture(scope="module")
def files(folder: Path) -> list[Path]:
    plant = Plant(SIZE)
    return write_past(plant, plant.advance(PRESENT), folder / "past", workbooks=folder / "dispatch")


def content(path: Path) -> list[str]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("cp1252").splitlines()


def test_past_files_are_the_beginnings_of_the_files_of_all_weeks(files: list[Path], folder: Path) -> None:
    whole = {path.name: path for path in write_files(simulate_network(SIZE), folder / "whole").files}
    names = {path.name for path in files}
    assert names == {name for name in whole if name.endswith((".csv", ".gz"))}
    shorter = 0
    for path in files:
        past, all_weeks = content(path), content(whole[path.name])
        assert past == all_weeks[: len(past)]
        shorter += len(past) < len(all_weeks)
    # All but those of the first week.
    assert shorter == len([name for name in names if "2026-01-05" not in name])


def test_the_workbook_has_what_was_known_at_the_present(files: list[Path], folder: Path) -> None:
    assert files
    (book,) = (folder / "dispatch").glob("*.xlsx")
    assert book.name == f"disposition_{datetime.fromtimestamp(PRESENT, UTC):%Y-%m-%d}.xlsx"
    model = Path(tl.demos.__file__).parent / "parcel"
    twin = tl.create(folder / "book", model=model / "twin.yaml", mappings=model / "mapping" / "dispatch.yaml")
    twin.ingest(book)
    trips = twin.events("trip")
    present = datetime.fromtimestamp(PRESENT, UTC).replace(tzinfo=None)
    assert (trips["start"].dropna() <= present).all()
    assert (trips["planned_start"] > present).any()
    assert trips["start"].notna().any()


def test_rules_that_servers_continue_end_at_the_present() -> None:
    found = {name: Mapping.model_validate(one) for name, one in past_mappings(PRESENT).items()}
    ends = {
        name: {rule.valid_until for table in one.tables for rules in table.columns.values() for rule in rules}
        for name, one in found.items()
    }
    until = f"{datetime.fromtimestamp(PRESENT, UTC):%Y-%m-%dT%H:%M:%S}"
    assert ends == {"fleetbox": {until}, "roadtrace": {until}, "fridges": {until}, "forklifts": {until}}
