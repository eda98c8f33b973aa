"""From a suspected unit to the corrected history: the fix's line, a revision, and nothing suspected any more."""

from pathlib import Path

import numpy as np
import pandas as pd

import twinlab as tl
from twinlab.quality import fix_text, suspect_units

MODEL = """
twin: fleet
origin: 2026-01-01
asset_types:
  truck:
    signals:
      speed: {unit: km/h, resolution: 0.1, cadence: 1h, sensor_span: [0, 250]}
"""
MAPPING = """\
source: boxes
tables:
  - time: {column: at, zone: UTC}
    asset: {type: truck, column: id}
    columns:
      # As the maker says.
      kmh: {signal: speed, unit: km/h}
"""


def test_a_suspects_line_corrects_the_history_of_its_asset_alone(tmp_path: Path) -> None:
    hours, names = 24 * 16, [f"T{number}" for number in range(6)]
    right = np.random.default_rng(3).normal(80, 5, (hours, len(names))).round(1)
    written = right.copy()
    written[200:, 4] = (right[200:, 4] / 1.609344).round(1)
    times = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(hours), "h")
    rows = pd.DataFrame({"at": np.repeat(times, len(names)), "id": names * hours, "kmh": written.ravel()})
    rows.to_csv(tmp_path / "boxes.csv", index=False)
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "boxes.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "fleet", model=tmp_path / "twin.yaml", mappings=[tmp_path / "boxes.yaml"])
    twin.ingest(tmp_path / "boxes.csv")

    (suspect,) = suspect_units(twin.history("truck").speed)
    assert (suspect.asset, suspect.since) == ("T4", times[200].to_datetime64())
    fix = fix_text(suspect, (tmp_path / "fleet" / "mapping" / "boxes.yaml").read_text(), "kmh")
    assert "# As the maker says." in fix.text
    twin.remap("boxes", fix.text, reason=suspect.evidence).promote()

    after = twin.history("truck").speed
    assert np.nanmax(np.abs(after.sel(time=times, asset=names).to_numpy() - right)) < 0.16
    assert suspect_units(after) == []
