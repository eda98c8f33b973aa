"""What is known of a cell: silence that a heartbeat allows, lifetimes, limits of the assets, several cadences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.events import kpi
from twinlab.model import Kpi, TwinModel
from twinlab.testing import FakeTwin

DAY = np.datetime64("2026-03-02", "ns")
MODEL = TwinModel.model_validate(
    {
        "twin": "tanks",
        "origin": "2026-03-01",
        "asset_types": {
            "tank": {
                "lifetime": {"from": "built", "until": "scrapped"},
                "properties": {
                    "built": {"dtype": "time"},
                    "scrapped": {"dtype": "time"},
                    "height": {"dtype": "number", "unit": "cm"},
                },
                "signals": {
                    "level": {
                        "unit": "m", "resolution": 0.1, "cadence": "1h", "heartbeat": "4h",
                        "sensor_span": {"from": [0, "height"], "default": [0, 9]},
                    },
                    "inflow": {"unit": "m³/h", "resolution": 0.1, "cadence": "30min", "expected_span": [0, 2]},
                },
            }
        },
    }
)  # fmt: skip


def twin(level: list[float], flags: list[int], *, built: str | None = None, scrapped: str | None = None) -> FakeTwin:
    """Return a day of one tank, whose hours are given."""
    hours = DAY + np.arange(24) * np.timedelta64(1, "h")
    halves = DAY + np.arange(48) * np.timedelta64(30, "m")
    return FakeTwin(
        MODEL,
        histories={
            "tank": [
                xr.Dataset(
                    {
                        "level": (("time", "asset"), np.array(level)[:, None]),
                        "level_qc": (("time", "asset"), np.array(flags, dtype="uint8")[:, None]),
                    },
                    {"time": hours, "asset": ["T1"]},
                ),
                xr.Dataset({"inflow": (("time", "asset"), np.ones((48, 1)))}, {"time": halves, "asset": ["T1"]}),
            ]
        },
        assets={
            "tank": pd.DataFrame(
                {"built": pd.to_datetime([built]), "scrapped": pd.to_datetime([scrapped]), "height": [350.0]},
                index=pd.Index(["T1"], name="asset"),
            )
        },
    )


def day(formula: str, given: FakeTwin) -> dict[str, float]:
    found = kpi(given, Kpi(on="tank", formula=formula), start=DAY, stop=DAY + np.timedelta64(1, "D"))
    return {name: float(found[name][0]) for name in ("value", "low", "high", "coverage", "samples")}


NAN = float("nan")


def test_silence_that_a_heartbeat_allows_is_the_last_value_and_no_gap():
    # A report every three hours; nothing is missing between them.
    level = [2.0 if hour % 3 == 0 else NAN for hour in range(24)]
    flags = [1 if hour % 3 == 0 else 2 for hour in range(24)]
    found = day("time_mean(level)", twin(level, flags))
    assert found == {"value": 2.0, "low": 2.0, "high": 2.0, "coverage": 1.0, "samples": 24.0}
    assert day("time_share(level < 3 m)", twin(level, flags))["low"] == 1.0
    # The first five hours look back on the day before, of which nothing is known.
    assert day("time_share(mean(level) over 6h == 2 m)", twin(level, flags))["low"] == pytest.approx(19 / 24)


def test_after_a_bad_report_nothing_is_known_until_the_next():
    level = [2.0 if hour % 3 == 0 else NAN for hour in range(24)]
    flags = [1 if hour % 3 == 0 else 2 for hour in range(24)]
    flags[12] = 3
    found = day("time_mean(level)", twin(level, flags))
    # Three hours from the suspect report on: from empty to the tank's height of 3.5 m.
    assert found["low"] == pytest.approx((21 * 2 + 3 * 0) / 24)
    assert found["high"] == pytest.approx((21 * 2 + 3 * 3.5) / 24)
    assert (found["value"], found["samples"]) == (2.0, 24.0)


def test_outside_its_lifetime_nothing_is_missing_of_an_asset():
    level = [NAN] * 6 + [2.0] * 12 + [NAN] * 6
    flags = [2] * 6 + [1] * 12 + [9] * 6
    alive = twin(level, flags, built="2026-03-02T06:00", scrapped="2026-03-02T18:00")
    found = day("time_mean(level)", alive)
    assert found == {"value": 2.0, "low": 2.0, "high": 2.0, "coverage": 1.0, "samples": 12.0}
    assert day("time_share(level > 1 m)", alive)["low"] == 1.0
    always = day("time_mean(level)", twin(level, flags))
    assert (always["low"], always["high"]) == (1.0, (12 * 2 + 12 * 3.5) / 24)


def test_signals_of_two_cadences_are_compared_at_the_finer_one():
    level = [1.0] * 12 + [3.0] * 12
    found = day("time_share(level > 2 m and inflow >= 1 m³/h)", twin(level, [1] * 24))
    assert found == {"value": 0.5, "low": 0.5, "high": 0.5, "coverage": 1.0, "samples": 48.0}


def test_without_a_sensor_span_what_is_expected_limits_what_is_not_known():
    level = [1.0] * 24
    given = twin(level, [1] * 24)
    given._histories["tank"][1]["inflow"].values[:24] = NAN
    found = day("total(inflow)", given)
    assert found["low"] == pytest.approx(12)
    assert found["high"] == pytest.approx(12 + 24)
