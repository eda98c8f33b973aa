"""Assets named by the file, the folder or the sheet that their rows are in."""

import openpyxl
import pytest
from pydantic import ValidationError

import twinlab as tl
from twinlab.model.mapping import AssetRule

MODEL = """
twin: river
origin: 2026-01-01
asset_types:
  gauge:
    signals:
      level: {unit: m, resolution: 0.01, cadence: 1h}
"""
MAPPING = """
source: levels
files: ["*.csv", "*.xlsx"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: gauge, ASSET}
    columns:
      level: {signal: level, unit: m}
"""


def a_twin(folder, asset):
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "levels.yaml").write_text(MAPPING.replace("ASSET", asset))
    return tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "levels.yaml")


def write(path, value):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(f"time,level\n2026-01-05 00:00,{value}\n2026-01-05 01:00,{value}\n")
    return path


def levels(twin):
    found = twin.history("gauge").level.sel(time="2026-01-05T00:00").compute()
    return dict(zip(found.asset.values.tolist(), found.values.tolist(), strict=True))


def test_a_files_name_is_the_asset_and_a_pattern_takes_a_part_of_it(tmp_path):
    twin = a_twin(tmp_path, r"name_of: file, pattern: '^site_(?P<id>\w+?)_\d{4}$'")
    report = twin.ingest(write(tmp_path / "site_north_2025.csv", 1), write(tmp_path / "site_south_2025.csv", 2))
    assert levels(twin) == {"north": 1, "south": 2}
    assert not report.parts[0].unknown
    twin.rebuild()
    assert levels(twin) == {"north": 1, "south": 2}


def test_a_name_that_does_not_match_is_reported_with_the_pattern(tmp_path):
    twin = a_twin(tmp_path, r"name_of: file, pattern: '^site_(?P<id>\w+)$'")
    report = twin.ingest(write(tmp_path / "other.csv", 1))
    assert "the name of the file 'other' doesn't match the pattern" in str(report)


def test_files_of_one_name_in_two_folders_are_two_assets(tmp_path):
    twin = a_twin(tmp_path, "name_of: folder")
    twin.ingest(write(tmp_path / "north" / "log.csv", 1), write(tmp_path / "south" / "log.csv", 2))
    assert levels(twin) == {"north": 1, "south": 2}
    report = twin.ingest(write(tmp_path / "north" / "log.csv", 3))
    assert report.parts[0].retracted == 2
    assert levels(twin) == {"north": 3, "south": 2}


def test_sheets_are_assets(tmp_path):
    book = openpyxl.Workbook()
    for number, name in enumerate(("north", "south")):
        sheet = book.active if number == 0 else book.create_sheet()
        sheet.title = name
        sheet.append(["time", "level"])
        sheet.append(["2026-01-05 00:00", number + 1.5])
        sheet.append(["2026-01-05 01:00", number + 1.5])
    book.save(tmp_path / "levels.xlsx")
    twin = a_twin(tmp_path, "name_of: sheet")
    twin.ingest(tmp_path / "levels.xlsx")
    assert levels(twin) == {"north": 1.5, "south": 2.5}


def test_rows_without_a_folder_say_so(tmp_path):
    import pandas as pd

    twin = a_twin(tmp_path, "name_of: folder")
    frame = pd.DataFrame({"time": ["2026-01-05 00:00"], "level": [1.0]})
    report = twin.ingest(tl.sources.frame(frame, name="levels"))
    assert "without the name of a folder" in str(report)


@pytest.mark.parametrize(
    "rule", [{}, {"id": "a", "name_of": "file"}, {"column": "c", "name_of": "sheet"}, {"id": "a", "pattern": "b"}]
)
def test_an_asset_has_one_way_to_be_named(rule):
    with pytest.raises(ValidationError, match="expected exactly one of id, column or name_of|'pattern' is not used"):
        AssetRule.model_validate({"type": "gauge", **rule})


def test_a_mapping_without_the_key_is_written_as_before():
    assert "name_of" not in AssetRule(type="gauge", id="a").model_dump()
