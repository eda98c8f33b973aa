"""Several values of one asset at one instant in one file are counted, and suspect where they differ."""

import numpy as np

import twinlab as tl

HEAD = "time,room,temperature (degC)\n"
ROWS = [f"2026-01-01 00:0{minute},{room},{20 + minute / 10}\n" for minute in range(6) for room in "AB"]
TWICE = ["2026-01-01 00:02,A,99.0\n", "2026-01-01 00:03,B,20.3\n"]


def made(folder, **files: list[str]):
    folder.mkdir(exist_ok=True)
    paths = []
    for name, rows in files.items():
        paths.append(folder / f"rooms_{name}.csv")
        paths[-1].write_text(HEAD + "".join(rows))
    draft = folder / "rooms_draft.csv"
    draft.write_text(HEAD + "".join(ROWS))
    twin = tl.create(folder / "twin", files=[draft])
    (mapping,) = (folder / "twin" / "mapping").glob("*.yaml")
    text = mapping.read_text().replace("table: rooms_draft", 'table: "*"').replace("rooms_draft.csv", "rooms_*.csv")
    mapping.write_text(text)
    twin = tl.open(folder / "twin")
    return twin, [twin.ingest(path) for path in paths]


def flags(twin) -> np.ndarray:
    (kind,) = twin.model.asset_types
    return twin.history(kind).temperature_qc.values


def test_rows_at_one_instant_are_counted_with_an_example_and_suspect_where_they_differ(tmp_path):
    twin, (report,) = made(tmp_path / "x", one=ROWS + TWICE)
    (note,) = [note for note in report.notes if "share asset and time" in note]
    assert "4 rows of 2 assets" in note
    assert "2 differ and are suspect" in note
    assert "rows 6 and 14, room/A, temperature at 2026-01-01 00:02:00 UTC: 20.2 and 99" in note
    assert np.argwhere(flags(twin) == 3).tolist() == [[2, 0]]
    (kind,) = twin.model.asset_types
    assert twin.history(kind).temperature.values[2, 0] == 99.0


def test_a_value_in_a_later_file_is_a_correction_and_settles_the_instant(tmp_path):
    twin, reports = made(tmp_path / "x", one=ROWS, two=TWICE)
    assert not [note for report in reports for note in report.notes if "share asset" in note]
    assert (flags(twin) != 3).all()
    twin, _ = made(tmp_path / "y", one=ROWS + TWICE, two=["2026-01-01 00:02,A,20.2\n"])
    assert (flags(twin) != 3).all()


def test_files_in_any_order_give_the_flags_of_a_rebuild(tmp_path):
    late = [row.replace("00:0", "01:0") for row in ROWS]
    other = [row.replace("00:0", "01:0") for row in TWICE]
    first, _ = made(tmp_path / "x", one=ROWS + TWICE, two=late + other)
    second, _ = made(tmp_path / "y", two=late + other, one=ROWS + TWICE)
    assert (flags(first) == 3).sum() == 2
    np.testing.assert_array_equal(flags(first), flags(second))
    first.rebuild()
    np.testing.assert_array_equal(flags(first), flags(second))
