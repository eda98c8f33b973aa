"""A corrected value beside the raw one: two versions of one signal, of which history shows the one with the higher priority."""

import twinlab as tl

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
files: ["*.csv"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: gauge, id: A}
    columns:
      level_raw: {signal: level, unit: m}
      level_corrected: {signal: level, unit: cm, priority: 1}
"""


def test_the_corrected_value_is_in_history_and_both_are_observations(tmp_path):
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "levels.yaml").write_text(MAPPING)
    rows = "time,level_raw,level_corrected\n2026-01-05 00:00,1.0,110\n2026-01-05 01:00,1.2,\n2026-01-05 02:00,,130\n"
    (tmp_path / "a.csv").write_text(rows)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "levels.yaml")
    report = twin.ingest(tmp_path / "a.csv")
    level = twin.history("gauge").sel(asset="A", time=slice("2026-01-05T00", "2026-01-05T02")).compute()
    assert level.level.values.tolist() == [1.1, 1.2, 1.3]
    assert level.level_qc.values.tolist() == [1, 1, 1]
    assert "differ" not in str(report)
    both = twin.observations("gauge/A", "level")
    first = both[both.time == "2026-01-05T00:00"].sort_values("priority")
    assert first[["value", "tag"]].values.tolist() == [[1.0, "level_raw@gauge/A"], [1.1, "level_corrected@gauge/A"]]
