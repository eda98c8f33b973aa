"""The source's own status in history: the worst of it and of the quality tests is the flag of a cell."""

import numpy as np
import pytest

import twinlab as tl

MODEL = """
twin: river
origin: 2026-01-01
asset_types:
  gauge:
    signals:
      level: {unit: m, resolution: 0.01, cadence: 1h, expected_span: [0, 5], max_rate: [0.003, 0.01], combine: COMBINE}
"""
MAPPING = """
source: levels
files: ["*.csv"]
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: gauge, id: A}
    columns:
      level: {signal: level, unit: m, status: {column: cd, codes: {P: pass, e: suspect, x: fail}}}
"""


def a_twin(folder, combine="last"):
    (folder / "twin.yaml").write_text(MODEL.replace("COMBINE", combine))
    (folder / "levels.yaml").write_text(MAPPING)
    return tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "levels.yaml")


def write(folder, name, rows):
    path = folder / name
    path.write_text("time,level,cd\n" + "".join(f"2026-01-05 {at},{value},{code}\n" for at, value, code in rows))
    return path


def flags(twin):
    return twin.history("gauge").level_qc.sel(asset="A").dropna("time").sel(time="2026-01-05").values.tolist()


def test_the_worst_of_the_sources_flag_and_the_tests_counts(tmp_path):
    twin = a_twin(tmp_path)
    rows = [
        ("00:00", 1.0, "P"),
        ("01:00", 1.1, "e"),
        ("02:00", 1.2, "x"),
        ("03:00", 9.0, "P"),
        ("04:00", 9.1, "x"),
        ("06:00", 1.0, ""),
    ]
    twin.ingest(write(tmp_path, "a.csv", rows))
    assert flags(twin)[:7] == [1, 3, 4, 3, 4, 9, 1]
    assert twin.history("gauge").level.sel(asset="A", time="2026-01-05T02:00").compute().item() == pytest.approx(1.2)


def test_flags_are_the_same_file_by_file_at_once_and_rebuilt(tmp_path):
    rows = [(f"{hour:02}:00", 1 + hour / 10, "Pex"[hour % 3]) for hour in range(24)]
    for name in ("one", "all"):
        (tmp_path / name).mkdir()
    one, whole = a_twin(tmp_path / "one"), a_twin(tmp_path / "all")
    for number, start in enumerate((0, 16, 8)):
        one.ingest(write(tmp_path, f"{number}.csv", rows[start : start + 8]))
    whole.ingest(write(tmp_path, "whole.csv", rows))
    assert flags(one) == flags(whole) == [1, 3, 4] * 8
    one.rebuild()
    assert flags(one) == flags(whole)


def test_a_corrected_row_has_its_own_flag(tmp_path):
    twin = a_twin(tmp_path)
    twin.ingest(write(tmp_path, "a.csv", [("00:00", 1.0, "e"), ("01:00", 1.0, "e")]))
    twin.ingest(write(tmp_path, "a.csv", [("00:00", 1.0, "P"), ("01:00", 1.0, "e")]))
    assert flags(twin)[:2] == [1, 3]


@pytest.mark.parametrize(("combine", "expected"), [("last", 1), ("mean", 4)])
def test_of_several_values_in_a_cell_those_count_that_make_its_value(tmp_path, combine, expected):
    twin = a_twin(tmp_path, combine)
    twin.ingest(
        write(tmp_path, "a.csv", [("00:00", 1.0, "e"), ("00:20", 1.0, "x"), ("00:40", 1.0, "P"), ("01:00", 1.0, "P")])
    )
    assert flags(twin)[0] == expected


def test_the_flag_is_the_sources_before_the_watermark_has_passed(tmp_path):
    twin = a_twin(tmp_path)
    twin.ingest(write(tmp_path, "a.csv", [("00:00", 1.0, "P"), ("01:00", 1.0, "x")]))
    assert np.asarray(flags(twin))[1] == 4
