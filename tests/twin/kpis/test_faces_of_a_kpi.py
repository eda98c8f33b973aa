"""A KPI of a real twin: every face shows the same number, and views of earlier times and revisions have theirs."""

from __future__ import annotations

from pathlib import Path

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.events import kpi_table
from twinlab.events.alerts.causes import caused
from twinlab.explore.charts.kpis.kpi import kpi_chart
from twinlab.model import load_model
from twinlab.model.alerts.alert import Alert

MODEL = """
twin: rooms
origin: 2026-03-01
asset_types:
  room:
    properties: {limit: {dtype: number, unit: degC}}
    signals:
      warmth: {unit: degC, resolution: 0.1, cadence: 15min, sensor_span: [-20, 40]}
      mode: {kind: state, states: {0: standby, 1: running, 2: maintenance}, cadence: 15min}
kpis:
  cold_chain:
    title: Cold-chain compliance
    owner: Quality
    definition: Share of time at or below 8 °C.
    on: room
    formula: time_share(warmth <= 8 degC)
    unit: "%"
    target: ">= 95 %"
  uptime: {on: room, uptime: {signal: mode, states: [running, standby]}}
"""
MAPPING = """
source: {source}
files: ["{source}*.csv"]
tables:
  - table: "*"
    time: {{column: time, zone: UTC}}
    asset: {{type: room, column: room}}
    columns:
      warmth: {{signal: warmth, unit: degC}}
      mode: {{signal: mode, states: {states}}}
"""
DAYS, CELLS = 4, 96


def rows(room: str, modes: tuple[str, str, str], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time = pd.date_range("2026-03-02", periods=DAYS * CELLS, freq="15min")
    return pd.DataFrame(
        {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "room": room,
            "warmth": np.round(rng.normal(6, 2, len(time)), 1),
            "mode": np.array(modes)[rng.integers(0, 3, len(time))],
        }
    )


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> tuple[tl.Twin, pd.DataFrame]:
    """A twin of two sources that spell their states differently, with a hole of half a day; and its rows."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "mapping").mkdir()
    spelt = {"acme": ("0", "1", "9"), "bolt": ("RUN", "IDLE", "SERVICE")}
    codes = {
        "acme": '{"0": standby, "1": running, "9": maintenance}',
        "bolt": "{RUN: running, IDLE: standby, SERVICE: maintenance}",
    }
    for source, states in codes.items():
        (folder / "mapping" / f"{source}.yaml").write_text(MAPPING.format(source=source, states=states))
    twin = tl.create(folder / "pilot", model=folder / "twin.yaml", mappings=folder / "mapping")
    tables = [rows(room, spelt[source], seed) for seed, (source, room) in enumerate([("acme", "R1"), ("bolt", "R2")])]
    hole = slice(CELLS + 20, CELLS + 20 + CELLS // 2)
    for source, table in zip(spelt, tables, strict=True):
        kept = table.drop(index=table.index[hole]) if source == "acme" else table
        kept.to_csv(folder / f"{source}.csv", index=False)
        twin.ingest(folder / f"{source}.csv")
    return twin, pd.concat(tables).assign(time=lambda table: pd.to_datetime(table.time).dt.tz_localize(None))


def test_chart_table_alert_excel_parquet_csv_and_export_have_the_numbers_of_the_dataset(given, tmp_path: Path) -> None:
    twin, _ = given
    data = twin.kpi("cold_chain", by="asset")
    numbers = ["value", "low", "high", "coverage", "samples"]
    table = kpi_table(data)
    assert len(table) == DAYS * 2
    for name in numbers:
        np.testing.assert_array_equal(table[name], data[name].values.ravel())
    readers = {".xlsx": pd.read_excel, ".parquet": pd.read_parquet, ".csv": pd.read_csv}
    for suffix, read in readers.items():
        path = twin.export("kpi/cold_chain", tmp_path / f"kpi{suffix}", by="asset")
        found = read(path)
        for name in numbers:
            np.testing.assert_allclose(found[name].to_numpy(dtype=float), table[name], rtol=1e-12)
        assert found["target"].tolist() == table["target"].tolist()
    about = pd.read_excel(tmp_path / "kpi.xlsx", sheet_name="definition").set_index("key")["value"]
    assert about[["owner", "units", "target"]].tolist() == ["Quality", "%", ">= 95 %"]
    # Each room misses the target on each day; an alert shows the last one.
    alert = Alert.model_validate({"kpi": "cold_chain", "by": "asset"})
    stop = int(data.time.values[-1].astype("datetime64[ns]").astype("int64")) + DAYS * 86400 * 10**9
    raised = caused(twin, alert, start_ns=stop - 86400 * 10**9, stop_ns=stop)
    assert dict(zip(raised["asset"], raised["value"], strict=True)) == {
        str(room): float(data.value.sel(asset=room)[-1]) for room in data.asset.values
    }
    charts = list(kpi_chart(data))
    assert len(charts) == 2
    for place, chart in enumerate(charts):
        settled, _, values, target = list(chart)
        for name in ("value", "low", "high", "coverage"):
            np.testing.assert_array_equal(settled.dimension_values(name), data[name].values[:, place])
        np.testing.assert_array_equal(values.dimension_values("value"), data.value.values[:, place])
        assert set(target.dimension_values("value")) == {95.0}
    assert hv.renderer("bokeh").get_plot(kpi_chart(data)) is not None


def test_the_numbers_are_those_of_pandas_and_the_hole_is_in_the_bounds(given) -> None:
    twin, table = given
    data = twin.kpi("cold_chain", by="asset")
    true = 100 * (table.warmth <= 8).groupby([table.time.dt.floor("D"), table.room]).mean().unstack()
    known = (data.high - data.low).values == 0
    assert known.sum() == DAYS * 2 - 1
    np.testing.assert_allclose(data.value.values[known], true.to_numpy()[known])
    hole = data.sel(asset="R1").isel(time=1)
    assert hole.low <= true["R1"].iloc[1] <= hole.high
    assert hole.coverage == 0.5
    assert hole.high - hole.low == pytest.approx(50)
    assert kpi_table(data).query("asset == 'R1'")["target"].tolist()[1] in ("not known", "missed")


def test_two_sources_that_spell_their_states_differently_are_mapped_to_one_uptime(given) -> None:
    twin, table = given
    up = table["mode"].isin(["0", "1", "RUN", "IDLE"])
    true = 100 * up.groupby([table.time.dt.floor("D"), table.room]).mean().unstack()
    data = twin.kpi("uptime", by="asset")
    known = (data.high - data.low).values == 0
    assert known.sum() == DAYS * 2 - 1
    np.testing.assert_allclose(data.value.values[known], true.to_numpy()[known])


def test_a_kpi_as_of_an_earlier_time_is_what_was_known_then(given) -> None:
    twin, _ = given
    first = twin.observations("room/R2", "warmth")["ingest_time"].min()
    then = twin.as_of(first - pd.Timedelta("1ms")).kpi("cold_chain", by="asset")
    now = twin.kpi("cold_chain", by="asset")
    assert then.asset.values.tolist() == ["R1"]
    np.testing.assert_array_equal(then.sel(asset="R1").value, now.sel(asset="R1").value)


def test_a_kpi_of_a_revision_is_under_its_definitions(given) -> None:
    twin, _ = given
    text = (twin.folder / "mapping" / "bolt.yaml").read_text()
    revision = twin.remap("bolt", text.replace("unit: degC", "unit: degC, offset: 3"))
    try:
        now, then = twin.kpi("cold_chain", by="asset"), revision.kpi("cold_chain", by="asset")
        assert (then.sel(asset="R2").value < now.sel(asset="R2").value).all()
        np.testing.assert_array_equal(then.sel(asset="R1").value, now.sel(asset="R1").value)
    finally:
        revision.discard()


def test_a_kpi_that_is_added_to_twin_yaml_is_there_without_a_rebuild(given) -> None:
    twin, _ = given
    path = twin.folder / "twin.yaml"
    before = path.read_text()
    snapshot = twin.history("room").attrs["snapshot"]
    path.write_text(before + '  warmest: {on: room, formula: time_max(warmth), target: "< 14 degC"}\n')
    try:
        assert "warmest" in load_model(path).kpis
        fresh = tl.open(twin.folder)
        assert fresh.edits() == []
        assert fresh.kpi("warmest").attrs["target_value"] == 14
        assert fresh.history("room").attrs["snapshot"] == snapshot
    finally:
        path.write_text(before)
