"""Files, folders and sheets of one layout whose names are the assets."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.harmonise import draft
from twinlab.harmonise.drafting.kinds.file_names import assets_of_files, assets_of_sheets
from twinlab.model.load import parse_mapping


def write(path, base, *, header="time,temp_c", year=2024):
    """One day of hourly values that begin at ``base``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *(f"{year}-01-01T{i:02d}:00Z,{base + i}.5" for i in range(24))]))
    return path


@pytest.mark.parametrize(
    ("names", "ids", "pattern", "files"),
    [
        (["kitchen.csv", "cellar.csv"], ("kitchen", "cellar"), None, ("kitchen.csv", "cellar.csv")),
        (["house1.csv", "house2.csv"], ("house1", "house2"), None, ("house1.csv", "house2.csv")),
        (["log_a.csv", "log_b.csv"], ("a", "b"), "^log_(?P<id>.+?)$", ("log_*.csv",)),
        (["a (raw).csv", "b (raw).csv"], ("a", "b"), r"^(?P<id>.+?) \(raw\)$", ("* (raw).csv",)),
        (["x_north_2020-01-01_2020-12-31.csv", "x_south_2021-01-01_2021-12-31.csv"], ("north", "south"),
         r"^x_(?P<id>.+?)_[\d._-]+_[\d._-]+$", ("x_*_*_*.csv",)),
    ],
)  # fmt: skip
def test_the_part_in_which_names_of_files_differ_is_the_asset(names, ids, pattern, files):
    found = assets_of_files([Path("data") / name for name in names], [])
    assert (found.name_of, found.ids, found.pattern, found.files) == ("file", ids, pattern, files)


@pytest.mark.parametrize(
    "names", [["site_2019.csv", "site_2020.csv"], ["temperature.csv", "humidity.csv"], ["a.csv", "a.csv"]]
)
def test_names_of_dates_and_quantities_are_no_assets(names):
    assert assets_of_files([Path("data") / name for name in names], []) is None


def test_sheets_named_by_months_or_numbers_are_no_assets():
    assert (
        assets_of_sheets(["2019", "2020"])
        is assets_of_sheets(["Jan", "Feb"])
        is assets_of_sheets(["Sheet1", "Sheet2"])
        is None
    )


def values(folder, files):
    """Create a twin from files without an edit, ingest them, and return asset -> its values."""
    twin = tl.create(folder / "twin", files=files)
    twin.ingest(*files)
    (kind,) = twin.model.asset_types
    data = twin.history(kind)
    return {str(asset): data["temperature"].sel(asset=asset).values[:24].tolist() for asset in data["asset"].values}


def test_a_house_a_file_comes_in_as_one_asset_each_without_an_edit(tmp_path):
    files = [write(tmp_path / f"{name}.csv", base) for name, base in (("kitchen", 0), ("cellar", 100), ("attic", 200))]
    expected = {
        name: (base + np.arange(24) + 0.5).tolist() for name, base in (("kitchen", 0), ("cellar", 100), ("attic", 200))
    }
    assert values(tmp_path, files) == expected


def test_a_site_a_folder_comes_in_as_one_asset_each_without_an_edit(tmp_path):
    files = [write(tmp_path / site / "log.csv", base) for site, base in (("north", 0), ("south", 50))]
    assert {name: found[0] for name, found in values(tmp_path, files).items()} == {"north": 0.5, "south": 50.5}


def test_years_of_several_sites_are_one_source(tmp_path):
    files = [
        write(tmp_path / f"log_{site}_{year}.csv", base, year=year)
        for site, base in (("a", 0), ("b", 50))
        for year in (2019, 2020)
    ]
    made = draft(files, name="x")
    (mapping,) = (parse_mapping(text, name) for name, text in made.mappings.items())
    assert mapping.files == ["log_*_*.csv"]
    assert {name: found[0] for name, found in values(tmp_path, files).items()} == {"a": 0.5, "b": 50.5}


def test_a_boiler_a_sheet_is_one_asset_each_of_the_type_in_the_list(tmp_path):
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        for base, sheet in ((0, "B-1"), (50, "B-2")):
            hours = pd.date_range("2024-01-01", periods=24, freq="h")
            pd.DataFrame({"time": hours, "temp (°C)": base + np.arange(24) + 0.5}).to_excel(
                book, sheet_name=sheet, index=False
            )
        pd.DataFrame({"boiler": ["B-1", "B-2"], "maker": ["x", "y"]}).to_excel(book, sheet_name="List", index=False)
    found = values(tmp_path, [tmp_path / "book.xlsx"])
    assert {name: row[0] for name, row in found.items()} == {"B-1": 0.5, "B-2": 50.5}


def test_files_of_one_layout_whose_rows_name_the_asset_use_the_column(tmp_path):
    for k, name in enumerate(("north", "south")):
        rows = [f"2024-01-01T{i:02d}:00Z,S{k},{i}.5" for i in range(24)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["time,station,temp_c", *rows]))
    made = draft([tmp_path], name="x")
    (mapping,) = (parse_mapping(text, name) for name, text in made.mappings.items())
    assert (mapping.tables[0].asset.column, mapping.tables[0].asset.name_of) == ("station", None)


def test_files_whose_own_rows_share_their_instants_are_separate_sources(tmp_path):
    for name in ("train", "test"):
        rows = [f"2024-01-01T{i // 2:02d}:00Z,{i}.5" for i in range(24)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["time,temp_c", *rows]))
    assert len(draft([tmp_path], name="x").mappings) == 2
