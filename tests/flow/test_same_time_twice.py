"""Several values of one asset at one instant in one file are counted, and suspect where they differ."""

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import twinlab as tl
from twinlab.harmonise import frames
from twinlab.harmonise.shared_instants import Clashes
from twinlab.history.build.rows import source_view
from twinlab.history.index import index_file

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


# -- in several frames of one file --------------------------------------------------------------------------------------
VALUES = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from("AB"), st.sampled_from([20.0, 20.05, 20.5, 99.0]), st.sampled_from(["", "40", "80"])),
    min_size=1,
    max_size=12,
)  # fmt: skip
MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
      humidity: {unit: "%", resolution: 1, cadence: 1min}
"""
MAPPING = """
source: rooms
tables:
  - table: rooms
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      temp: {signal: temperature, unit: degC}
      rh: {signal: humidity, unit: "%"}
"""


def appended(twin, rows, cuts, *, file_id="f" * 64, first=0):
    """Append rows as frames of one file, cut before the rows ``cuts``."""
    edges = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    with twin.ledger.writer("rooms") as writer:
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            minute, room, temp, rh = zip(*rows[low:high], strict=True)
            columns = {
                "time": [f"2026-01-01 00:0{one}" for one in minute],
                "room": list(room),
                "temp": list(temp),
                "rh": [float(one) if one else None for one in rh],
            }
            schema = pa.schema(
                [("time", pa.string()), ("room", pa.string()), ("temp", pa.float64()), ("rh", pa.float64())]
            )
            writer.append_records(
                "rooms",
                pa.RecordBatch.from_pydict(columns, schema=schema),
                file_id=file_id,
                row_numbers=np.arange(low, high) + first,
            )


def split_twin(folder, rows, cuts, *, at_once=True):
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "rooms.yaml").write_text(MAPPING)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "rooms.yaml")
    if at_once:
        appended(twin, rows, cuts)
        return twin, twin.rebuild().sources["rooms"].shared
    for number, row in enumerate(rows):
        # A reader or another process may bring the history up to date in the middle of a file.
        appended(twin, [row], [], first=number)
        tl.open(twin.folder).ingest()
    return tl.open(twin.folder), None


def outcome(twin):
    found = twin.history("room").compute()
    return {name: found[name].values.tolist() for name in ("temperature_qc", "humidity_qc")}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=VALUES, cuts=st.lists(st.integers(1, 11), max_size=4))
def test_flags_and_counts_are_equal_for_any_size_of_batches(tmp_path_factory, rows, cuts):
    folder = tmp_path_factory.mktemp("split")
    whole, counted = split_twin(folder / "whole", rows, [])
    parts, of_parts = split_twin(folder / "parts", rows, cuts)
    assert outcome(whole) == outcome(parts)
    assert (counted is None) == (of_parts is None)
    if counted is not None:
        assert (counted.rows, counted.differing) == (of_parts.rows, of_parts.differing)
        assert counted.assets == of_parts.assets
    assert outcome(tl.open(parts.folder)) == outcome(parts)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=VALUES)
def test_flags_are_equal_if_the_history_was_brought_up_to_date_within_the_file(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("split")
    whole, _ = split_twin(folder / "whole", rows, [])
    parts, _ = split_twin(folder / "parts", rows, [], at_once=False)
    assert outcome(whole) == outcome(parts)
    parts.rebuild()
    assert outcome(whole) == outcome(parts)


def test_a_value_is_not_suspect_before_the_other_one_has_come(tmp_path):
    twin, _ = split_twin(tmp_path, [(0, "A", 20.0, "")], [])
    known = twin.observations("room/A", "temperature").ingest_time[0]
    appended(twin, [(0, "A", 99.0, "")], [], first=1)
    twin = tl.open(twin.folder)
    assert twin.history("room").temperature_qc.values.tolist() == [[3]]
    assert twin.as_of(known).history("room").temperature_qc.values.tolist() != [[3]]


def test_an_index_of_an_earlier_version_is_computed_again_by_a_rebuild(tmp_path, monkeypatch):
    rows = [(0, "A", 20.0, ""), (1, "A", 21.0, ""), (0, "A", 99.0, "")]
    folder = tmp_path / "old"
    with monkeypatch.context() as patch:
        # An earlier version compared nothing.
        patch.setattr(index_file, "_FORMAT", 1)
        patch.setattr(frames, "mark_shared_instants", lambda parts, _model: (list(parts), None))
        patch.setattr(source_view, "compare_frames", lambda _given, _model: (Clashes(), None))
        twin, _ = split_twin(folder, rows, [1])
        assert not (flags_of(twin) == 3).any()
    twin = tl.open(twin.folder)
    twin.rebuild()
    assert np.argwhere(flags_of(twin) == 3).tolist() == [[0, 0]]


def flags_of(twin):
    return twin.history("room").temperature_qc.values
