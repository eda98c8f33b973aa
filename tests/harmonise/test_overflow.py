"""A value that doesn't fit the storage of its signal is never silently missing."""

import numpy as np
import pytest

import twinlab as tl
from twinlab.model.signal import Signal

FINE = """time,meter,pressure
2026-01-01 00:00,A,2200.123457
2026-01-01 00:01,A,-2147.483648
2026-01-01 00:02,A,2100.5
2026-01-01 00:03,A,3.25
"""


def test_a_draft_stores_a_fine_resolution_wide_enough(tmp_path):
    file = tmp_path / "meters.csv"
    file.write_text(FINE)
    twin = tl.create(tmp_path / "twin", files=[file])
    assert "storage: int64" in (tmp_path / "twin" / "twin.yaml").read_text()
    report = twin.ingest(file)
    assert report.unparseable == 0
    (kind,) = twin.model.asset_types
    (name,) = twin.model.asset_types[kind].signals
    values = twin.history(kind)[name].values.ravel()
    np.testing.assert_array_equal(values, [2200.123457, -2147.483648, 2100.5, 3.25])


def test_a_value_that_does_not_fit_is_a_problem_with_row_signal_and_remedy(tmp_path):
    file = tmp_path / "meters.csv"
    file.write_text(FINE)
    tl.create(tmp_path / "twin", files=[file])
    model = tmp_path / "twin" / "twin.yaml"
    lines = model.read_text().splitlines(keepends=True)
    model.write_text("".join(line for line in lines if "storage:" not in line))
    twin = tl.open(tmp_path / "twin")
    report = twin.ingest(file)
    assert report.unparseable == 2
    assert [(problem.row, problem.column, problem.text) for problem in report.problems] == [
        (2, "pressure", "2200.123457"),
        (3, "pressure", "-2147.483648"),
    ]
    (kind,) = twin.model.asset_types
    (name,) = twin.model.asset_types[kind].signals
    assert f"{kind}.{name} can't store this value: write `storage: int64`" in report.problems[0].reason
    assert any(f"2 cells of {kind}.{name} are empty" in note for note in report.notes)
    assert "meters.csv" in report.text()
    # The exact values are still there, and the remedy restores them.
    assert 2200.123457 in twin.observations(f"{kind}/A", name)["value"].tolist()
    model.write_text("".join(lines))
    twin = tl.open(tmp_path / "twin")
    twin.ingest(file)
    assert twin.history(kind)[name].values.ravel()[0] == 2200.123457


def test_a_stream_reports_overflows_too():
    import pyarrow as pa

    from twinlab.harmonise import Context, harmonise
    from twinlab.model.mapping import Mapping
    from twinlab.model.twinmodel import TwinModel

    class Frame:
        kind, rows, record_type = "observations", 2, None

        def batch(self):
            return pa.RecordBatch.from_pydict(
                {
                    "tag": ["p", "p"],
                    "source_time": pa.array([0, 60_000_000_000], pa.timestamp("ns")).cast(pa.int64()),
                    "time_basis": ["utc", "utc"],
                    "value": [1.5, -9e9],
                }
            )

        def ordinals(self):
            return np.arange(2, dtype=np.int64)

    signal = {"unit": "bar", "resolution": 0.001}
    model = TwinModel.model_validate({"twin": "t", "asset_types": {"pump": {"signals": {"pressure": signal}}}})
    rules = {"p": {"asset": "pump/1", "signal": "pressure", "unit": "bar"}}
    mapping = Mapping.model_validate({"source": "s", "stream": {"zone": "UTC", "tags": rules}})
    found = harmonise(Frame(), mapping, Context(model))
    assert found.problem_count == 1
    assert found.problems[0].text == "-9000000000.0"
    assert len(found.claims) == 2


def test_storage_can_be_stated_and_older_models_have_the_same_text():
    assert Signal(resolution=0.1).storage_dtype == np.int32
    assert Signal(resolution=0.1, storage="int64").storage_dtype == np.int64
    assert Signal(resolution=1e-9, sensor_span=(0, 10), storage="int32").storage_dtype == np.int32
    assert "storage" not in Signal(resolution=0.1).model_dump()
    with pytest.raises(ValueError, match="remove `storage: int64`"):
        Signal(kind="state", states={0: "off"}, storage="int64")
