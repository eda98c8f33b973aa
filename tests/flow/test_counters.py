"""A counter from the file to its increments: transients, a reset, and sums at every step."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

MODEL = """\
twin: plant
origin: 2026-01-01
asset_types:
  meter:
    signals:
      energy: {kind: counter, unit: kWh, resolution: 0.1, cadence: 15min}
"""
MAPPING = """\
source: meters
files: ["*.csv"]
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: meter, column: meter}
    columns:
      kwh: {signal: energy, unit: kWh}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "meters.yaml").write_text(MAPPING)
    return tmp_path


def readings(cells: int = 400) -> tuple[np.ndarray, float]:
    """Return what a meter showed, with a transient zero, a spike and a reset, and what it counted."""
    shown = 13_423.7 + 0.5 * np.arange(cells)
    shown[250:] = 0.5 * np.arange(cells - 250)
    shown[50], shown[120] = 0.0, 99_999.0
    return np.round(shown, 1), round(0.5 * 249 + 0.5 * (cells - 251), 1)


def ingest(folder, name: str, shown, start: int = 0):
    times = pd.Timestamp("2026-01-05") + pd.to_timedelta(15 * (start + np.arange(len(shown))), "min")
    pd.DataFrame({"time": times, "meter": "M1", "kwh": shown}).to_csv(folder / name, index=False)
    if not (folder / "twin").exists():
        tl.create(folder / "twin", model=folder / "twin.yaml")
        (folder / "twin" / "mapping" / "meters.yaml").write_text((folder / "meters.yaml").read_text())
    twin = tl.open(folder / "twin")
    twin.ingest(folder / name)
    return twin


def test_increments_add_up_to_what_the_meter_counted_at_every_step(folder):
    shown, counted = readings()
    twin = ingest(folder, "all.csv", shown)
    flags = twin.history("meter").energy_qc.values.ravel()
    assert np.flatnonzero(flags == 4).tolist() == [50, 120]
    for step in ("15min", "1h", "2h", "4h", "1d"):
        rises = twin.history("meter", step=step).energy_increase.values.ravel()
        assert round(float(np.nansum(rises)), 6) == counted, step
    hours = twin.history("meter", step="1h").energy_increase.values.ravel()
    days = twin.history("meter", step="1d").energy_increase.values.ravel()
    np.testing.assert_allclose([np.nansum(hours[n * 24 : n * 24 + 24]) for n in range(len(days))], days, atol=1e-9)


def test_a_window_that_begins_at_a_transient_counts_on_from_the_reading_before_it(folder):
    shown, _ = readings()
    twin = ingest(folder, "all.csv", shown)
    start = pd.Timestamp("2026-01-05") + pd.Timedelta("15min") * 48
    part = twin.history("meter", step="1h", start=start, stop=start + pd.Timedelta("1h")).energy_increase
    assert part.values.ravel().tolist() == [2.0]


def test_pieces_in_any_order_give_the_same_flags_and_increments(folder, tmp_path_factory):
    shown, _ = readings()
    whole = ingest(folder, "all.csv", shown).history("meter")
    other = tmp_path_factory.mktemp("pieces")
    for name in ("twin.yaml", "meters.yaml"):
        (other / name).write_text((folder / name).read_text())
    for low in (200, 0, 51, 300, 121, 50, 120):
        high = min(n for n in (50, 51, 120, 121, 200, 300, 400) if n > low)
        twin = ingest(other, f"part{low}.csv", shown[low:high], low)
    np.testing.assert_array_equal(twin.history("meter").energy.values, whole.energy.values)
    np.testing.assert_array_equal(twin.history("meter").energy_qc.values, whole.energy_qc.values)


def test_a_replaced_meter_joins_two_runs_at_every_step(folder):
    columns = """\
      kwh:
        - {signal: energy, unit: kWh, valid_until: "2026-01-06T00:00Z"}
        - {signal: energy, unit: kWh, valid_from: "2026-01-06T00:00Z"}
"""
    text = (folder / "meters.yaml").read_text()
    (folder / "meters.yaml").write_text(text[: text.index("      kwh:")] + columns)
    shown = 500 + 0.5 * np.arange(300)
    # The new meter has counted elsewhere before; it reads first at 02:00.
    shown[96:] = 90_000 + 0.5 * np.arange(204)
    kept = np.r_[0:96, 104:300]
    times = pd.Timestamp("2026-01-05") + pd.to_timedelta(15 * kept, "min")
    pd.DataFrame({"time": times, "meter": "M1", "kwh": shown[kept]}).to_csv(folder / "all.csv", index=False)
    tl.create(folder / "twin", model=folder / "twin.yaml")
    (folder / "twin" / "mapping" / "meters.yaml").write_text((folder / "meters.yaml").read_text())
    twin = tl.open(folder / "twin")
    twin.ingest(folder / "all.csv")
    for step in ("15min", "1h", "1d"):
        rises = twin.history("meter", step=step).energy_increase.values
        assert round(float(np.nansum(rises)), 6) == 0.5 * (95 + 195), step
    for hour in range(24, 30):
        start = pd.Timestamp("2026-01-05") + pd.Timedelta(hours=hour)
        part = twin.history("meter", step="1h", start=start, stop=start + pd.Timedelta("1h")).energy_increase.values
        expected = np.nan if hour < 26 else 1.5 if hour == 26 else 2.0
        np.testing.assert_array_equal(part, [[expected]])
