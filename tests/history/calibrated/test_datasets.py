"""Calibrated variables of a history: lazy, right in every window, and equal to the signal where nothing is calibrated."""

import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from twinlab.errors import SchemaError
from twinlab.history.calibrated.cells import CalibratedCells
from twinlab.history.calibrated.datasets import with_calibrated
from twinlab.history.read.direct import computed, source_of
from twinlab.model import Calibration, Calibrations

MODEL = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h, expected_span: [-5, 7], sensor_span: [-40, 40]}
      door: {kind: state, cadence: 1h, states: {0: closed, 1: open}}
"""
MAPPING = """
source: log
files: ["log.csv"]
tables:
  - table: log
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      t: {signal: temperature, unit: degC}
      d: {signal: door, states: {"0": closed, "1": open}}
"""
DAY = datetime(2026, 1, 3, tzinfo=UTC)
HOURS = 96
STEPS = ("6h", "1d", "1h")


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cold")
    rng = np.random.default_rng(1)
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "log.yaml").write_text(MAPPING)
    rows = []
    for hour in range(HOURS):
        for room in ("2", "10", "B"):
            value = 99.0 if rng.random() < 0.1 else round(rng.normal(3, 4), 1)
            text = "" if rng.random() < 0.15 or (room == "B" and 30 <= hour < 50) else value
            rows.append(f"{(DAY + timedelta(hours=hour)):%Y-%m-%d %H:%M},{room},{text},{hour % 2}")
    (folder / "log.csv").write_text("time,room,t,d\n" + "\n".join(rows) + "\n")
    made = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "log.yaml")
    made.ingest(folder / "log.csv")
    return made


def of(twin, calibrations, **how):
    found = Calibrations(calibrations=tuple(calibrations))
    return with_calibrated(twin.history("room", **how), found, "room", twin.model.asset_types["room"].signals)


def one(asset="room/10", **keys):
    return Calibration.model_validate({"asset": asset, "signal": "temperature", "reason": "reads too high", **keys})


def test_only_the_asset_and_span_of_a_calibration_are_corrected(twin):
    data = of(twin, [one(offset=-0.5, gain=2, **{"from": "2026-01-04", "until": "2026-01-05"})])
    plain, fixed = data.temperature.values, data.temperature_calibrated.values
    place = [str(a) for a in data.asset.values].index("10")
    inside = (data.time.values >= np.datetime64("2026-01-04")) & (data.time.values < np.datetime64("2026-01-05"))
    np.testing.assert_allclose(fixed[inside, place], plain[inside, place] * 2 - 0.5)
    fixed[inside, place] = plain[inside, place]
    np.testing.assert_array_equal(fixed, plain)
    assert "door_calibrated" not in data


def test_without_calibrations_the_variable_is_the_signal(twin):
    data = of(twin, [one(asset="truck/10", offset=1), one(asset="room/77", offset=1)])
    assert source_of(data.temperature_calibrated.variable._data) == source_of(data.temperature.variable._data)
    np.testing.assert_array_equal(data.temperature_calibrated.values, data.temperature.values)
    assert data.temperature_calibrated.attrs["calibrations"] == "none: equal to the signal"
    step = of(twin, [], step="1d")
    np.testing.assert_array_equal(step.temperature_calibrated_max.values, step.temperature_max.values)


def test_attributes_say_what_was_done_and_the_signal_keeps_its_own(twin):
    data = of(twin, [one(offset=k, until=f"2026-01-0{k + 1}", **{"from": f"2026-01-0{k}"}) for k in range(1, 6)])
    found = data.temperature_calibrated.attrs
    assert found["units"] == "degC"
    assert found["ancillary_variables"] == "temperature_qc"
    assert found["long_name"] == "temperature, calibrated"
    assert found["calibrations"].startswith("5 applied on read (room/10: reads too high; ")
    assert found["calibrations"].endswith("and 2 more)")
    assert "resolution" not in found
    assert data.temperature.attrs["resolution"] == 0.1
    assert "calibrations" not in data.temperature.attrs


def test_values_stay_lazy_and_a_selection_reads_what_is_selected(twin, monkeypatch):
    data = of(twin, [one(offset=1)])
    lazy = data.temperature_calibrated
    assert lazy.chunks is not None
    read = []
    whole = CalibratedCells.rectangle
    monkeypatch.setattr(
        CalibratedCells, "rectangle", lambda self, a, b, columns: read.append(b - a) or whole(self, a, b, columns)
    )
    assert source_of(lazy.variable._data) is not None
    assert read == []
    np.testing.assert_allclose(lazy.sel(asset="10", time="2026-01-03T01:00"), 1.1)
    assert read == [1]
    copied = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(computed(data).temperature_calibrated.values, copied.temperature_calibrated.values)


def test_a_signal_with_the_variables_name_is_an_error(twin):
    data = twin.history("room", signals=["temperature"]).assign(temperature_calibrated=0.0)
    with pytest.raises(SchemaError, match="a signal of this name; rename it"):
        with_calibrated(data, Calibrations(), "room", twin.model.asset_types["room"].signals)


INSTANTS = st.integers(0, HOURS * 2).map(lambda n: (DAY + timedelta(minutes=30 * n)).isoformat())
NUMBERS = st.floats(-5, 5).map(lambda x: round(x, 2))
GAINS = st.sampled_from([1.0, 0.5, 2.0])


@st.composite
def calibrations(draw):
    sign = draw(st.sampled_from([1, -1]))
    bounds = sorted(draw(st.lists(INSTANTS, min_size=2, max_size=4, unique=True)))
    spans = list(zip(bounds, bounds[1:], strict=False))
    if draw(st.booleans()):
        spans[-1] = (spans[-1][0], None)
    return [
        one(
            asset=draw(st.sampled_from(["room/10", "room/B"])),
            gain=draw(
                GAINS.map(lambda g: g * sign) | st.dictionaries(INSTANTS, GAINS.map(lambda g: g * sign), min_size=1)
            ),
            offset=draw(NUMBERS | st.dictionaries(INSTANTS, NUMBERS, min_size=1, max_size=3)),
            **{"from": low, "until": high},
        )
        for low, high in spans
    ]


@settings(max_examples=25)
@given(calibrations(), st.sampled_from(STEPS))
def test_windows_are_those_of_the_calibrated_cells(twin, several, step):
    data = of(twin, several, signals=["temperature"], step=step)
    cells = computed(of(twin, several, signals=["temperature"]))
    good = np.isin(cells.temperature_qc.values, (1, 3)) & ~np.isnan(cells.temperature_calibrated.values)
    values = np.where(good, cells.temperature_calibrated.values, np.nan)
    # Cells begin at midnight and end with a day, so that they fill the windows.
    parts = values.reshape(len(data.time), -1, 3)
    count = (~np.isnan(parts)).sum(axis=1)
    low, high, total = (np.full(count.shape, np.nan) for _ in range(3))
    for place in zip(*np.nonzero(count), strict=True):
        part = parts[place[0], :, place[1]]
        low[place], high[place], total[place] = np.nanmin(part), np.nanmax(part), np.nansum(part)
    expected = {"min": low, "max": high, "sum": total, "mean": total / np.where(count, count, 1)}
    for what, values in expected.items():
        np.testing.assert_allclose(data[f"temperature_calibrated_{what}"], values, rtol=1e-9, atol=1e-9)
    together = computed(data)
    np.testing.assert_array_equal(together.temperature_calibrated_min, data.temperature_calibrated_min)
