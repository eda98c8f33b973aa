"""The forecast of a twin's storage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import twinlab as tl
from twinlab.cli.commands import group
from twinlab.history.retention.storage_use import StorageUse
from twinlab.model.storage.price import StorageRule
from twinlab.twin.retention.forecast import HORIZONS, StorageForecast

PRICE = StorageRule(price="0.02 EUR/GB/month")


def _use(days: float) -> StorageUse:
    return StorageUse(
        ledger=6 * 10**9, files=10**9, cells=2 * 10**9, rollups=10**9, tables=10**9, other=5 * 10**8, days=days
    )


def test_bytes_grow_at_the_mean_rate_and_earlier_states_do_not() -> None:
    found = StorageForecast(_use(365.25), PRICE)
    year = found.bytes_in("1 year")
    assert year == pytest.approx({"ledger": 14e9, "history": 6e9, "rollups": 2e9, "other": 5e8})
    assert found.cost_in("1 year") is not None
    assert found.table().loc["EUR/month", "1 year"] == pytest.approx(22.5 * 0.02)
    assert "22.5 GB = 0.45 EUR/month in 1 year" in found.line


@pytest.mark.parametrize(("days", "told"), [(0.0, []), (6.9, []), (10.0, ["1 month"]), (40.0, ["1 month", "1 year"])])
def test_a_young_twin_does_not_tell_what_it_can_not_know(days: float, told: list[str]) -> None:
    found = StorageForecast(_use(days), PRICE)
    assert [horizon for horizon in HORIZONS if found.bytes_in(horizon) is not None] == told
    untold = [horizon for horizon in HORIZONS if horizon not in told]
    assert found.line.index("too few days of data for") < found.line.index(untold[-1])
    assert found.table()[untold].loc["total"].isna().all()
    assert "too few days" in found._repr_html_()


def test_status_and_repr_show_the_forecast(tmp_path: Path) -> None:
    rows = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=40 * 24, freq="1h").strftime("%Y-%m-%dT%H:%MZ")})
    rows["level (m)"] = np.round(np.sin(np.arange(len(rows))), 2)
    rows.to_csv(tmp_path / "gauge.csv", index=False)
    twin = tl.create(tmp_path / "pilot", files=[tmp_path / "gauge.csv"])
    twin.ingest(tmp_path / "gauge.csv")
    assert "storage:" not in repr(twin)
    assert "1 year" in twin._repr_html_()
    assert "without a price" in str(twin.forecast_storage())
    (twin.folder / "twin.yaml").write_text(
        (twin.folder / "twin.yaml").read_text(encoding="utf-8") + "\nstorage: {price: 0.02 EUR/GB/month}\n",
        encoding="utf-8",
    )
    opened = tl.open(twin.folder)
    assert not opened.edits()
    assert "EUR/month in 1 year" in repr(opened)
    said = CliRunner().invoke(group, ["status", str(twin.folder)]).output
    assert said.count("EUR/month in 1 year") == 1
    assert opened.forecast_storage().use.days == pytest.approx(40, abs=0.1)


def test_a_twin_without_data_says_so(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text("twin: pilot\nstorage: {price: 0.02 EUR/GB/month}\n", encoding="utf-8")
    assert "no data" in repr(tl.create(tmp_path / "pilot", model=tmp_path / "twin.yaml"))
