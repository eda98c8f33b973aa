"""The parcel demo: any size, built once, with its files and the truth beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.demos import ParcelSize, cache_folder, parcel_files, parcel_size, recipes
from twinlab.errors import SchemaError, SourceError

TINY = ParcelSize(hubs=3, trucks=2, cold_rooms=3, forklifts=1, parcels_a_week=20, weeks=1, start="2025-10-20")


@pytest.fixture(scope="module")
def tiny() -> tl.Twin:
    return tl.demo("parcel", size=TINY)


def test_the_same_size_is_built_once_and_another_beside_it(tiny: tl.Twin) -> None:
    assert tl.demo("parcel", size=TINY).folder == tiny.folder
    assert tiny.folder.parent == cache_folder()
    other = tl.demo("parcel", size=ParcelSize(**{**TINY.to_dict(), "seed": 2}))  # type: ignore[arg-type]
    assert other.folder != tiny.folder


def test_two_who_ask_at_once_wait_for_one_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built = []
    build = recipes._build

    def counted(*arguments: Any) -> None:
        built.append(arguments)
        build(*arguments)

    monkeypatch.setenv("TWINLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(recipes, "_build", counted)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: tl.demo("parcel", size=TINY).folder, range(2))
    assert one == two
    assert len(built) == 1


def test_the_messy_files_and_the_truth_stand_beside_the_twin(tiny: tl.Twin) -> None:
    found = parcel_files(tiny)
    assert [path.name for path in found.truth] == ["faults.csv", "hand_edits.csv", "situations.csv"]
    assert found.files[0].name == "erp.sqlite"
    assert {path.suffix for path in found.files} == {".sqlite", ".csv", ".gz", ".xlsx"}


def test_the_repeated_hour_of_autumn_is_told_apart(tiny: tl.Twin) -> None:
    night = tiny.history("cold_room", signals=["door"], start="2025-10-26T00:00", stop="2025-10-26T02:00")
    assert int(night.door.notnull().sum()) == 3 * 24


def test_every_rule_and_position_of_the_model_names_what_there_is(tiny: tl.Twin) -> None:
    assert set(tiny.model.rules) >= {"too_warm", "door_open", "silent_truck", "late_leg", "low_battery"}
    assert tiny.model.asset_types["truck"].position == ("latitude", "longitude")
    assert {name for name, link in tiny.model.relationships.items() if link.locates} == {
        "carried_by", "held_at", "part_of", "works_at"
    }  # fmt: skip


def test_every_signal_and_property_has_a_title_and_signals_an_owner(tiny: tl.Twin) -> None:
    for kind in tiny.model.asset_types.values():
        assert kind.title
        assert all(signal.title and signal.owner for signal in kind.signals.values())
        assert all(prop.title for name, prop in kind.properties.items() if name not in ("latitude", "longitude"))


def test_another_demo_has_one_size_only() -> None:
    with pytest.raises(SchemaError, match="one size"):
        tl.demo("nyc", size=TINY)


def test_files_of_another_twin_are_refused_with_what_was_expected(nyc_folder: tl.Twin) -> None:
    with pytest.raises(SourceError, match="parcel"):
        parcel_files(nyc_folder)


@pytest.fixture
def nyc_folder(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    source = tl.demo("parcel", size=TINY).folder / "twin.yaml"
    return tl.create(tmp_path_factory.mktemp("bare") / "twin", model=source)


def test_options_of_the_command_line_choose_the_size() -> None:
    assert parcel_size() is None
    assert parcel_size(small=True) == ParcelSize.small()
    assert parcel_size(small=True, weeks=3, seed=4) == ParcelSize(
        hubs=12, trucks=12, cold_rooms=6, forklifts=6, parcels_a_week=300, weeks=3, seed=4, start="2026-03-23"
    )


def test_a_size_that_cannot_be_is_one_line_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "parcel", "--weeks", "0", "--no-browser"]) == 1
    assert "at least 1 for weeks, got 0" in capsys.readouterr().err
