"""`Twin.check` finds numbers whose words are swapped, and the fix reads them right."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.harmonise.words import swap_words

MODEL = """
twin: meters
origin: 2026-01-01T00:00:00Z
asset_types:
  meter:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 10min SPAN}
      energy: {kind: counter, unit: kWh, resolution: 1, cadence: 10min}
"""
MAPPING = """source: bus
files: ["bus*.csv"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: meter, column: meter}
    columns:
      temp: {signal: temperature, scale: 0.5}  # registers 30 and 31
      energy: {signal: energy, unit: kWh}
"""
TIMES = pd.date_range("2026-01-05", periods=6 * 24 * 7, freq="10min", tz="UTC")
SWITCH = 400


@pytest.fixture(params=[", sensor_span: [-40, 60]", ""], ids=["span", "peers"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tl.Twin:
    rng = np.random.default_rng(7)
    parts = []
    for place, meter in enumerate("ABCD"):
        values = np.float32(40.3 + place + rng.normal(0, 1, len(TIMES))).astype(np.float64)
        if meter == "B":
            values[SWITCH:] = swap_words(values[SWITCH:], "float32")
        energy = np.cumsum(rng.integers(1, 5, len(TIMES))) + 1000.0
        if meter == "C":
            # A gap is no reason to look for words.
            values[100:160] = np.nan
        rows = {"time": TIMES.strftime("%Y-%m-%dT%H:%M:%SZ"), "meter": meter, "temp": values, "energy": energy}
        parts.append(pd.DataFrame(rows))
    (tmp_path / "twin.yaml").write_text(MODEL.replace(" SPAN", request.param))
    (tmp_path / "bus.yaml").write_text(MAPPING)
    pd.concat(parts).to_csv(tmp_path / "bus.csv", index=False)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=[tmp_path / "bus.yaml"])
    twin.ingest(tmp_path / "bus.csv")
    return twin


def test_swapped_words_are_found_with_the_line_that_puts_them_right(made: tl.Twin) -> None:
    report = made.check()
    table = report.table
    found = table[table.evidence.str.contains("words of float32")]
    assert found[["kind", "source", "tag", "asset", "signal"]].to_numpy().tolist() == [
        ["unit", "bus", "temp", "B", "temperature"]
    ]
    row = int(found.index[0])
    switch = TIMES[SWITCH].tz_localize(None)
    assert found.since.iloc[0] == switch
    assert found.fix.iloc[0].startswith(
        "temp: [{signal: temperature, scale: 0.5, swapped_words: float32, valid_from: '2026-01-07T18:40:00Z', assets: [B]}, "
    )
    rev = made.remap("bus", report.fixed_mapping(row))
    try:
        fixed = rev.history("meter", signals=["temperature"], assets=["B"]).temperature.squeeze()
        # A number that is NaN with its words swapped was written as nothing.
        assert int(fixed.notnull().sum()) >= 0.99 * len(TIMES)
        assert 15 < float(fixed.min()) < float(fixed.max()) < 26
        assert rev.diff().cells["first"].min() == switch
    finally:
        rev.discard()
