"""The present state: never from later, with its flag and its time, whatever the signals' cadences."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import present
from twinlab.events.present_state import latest_values
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

DAY = np.datetime64("2026-01-01", "ns")
MINUTE = np.timedelta64(60, "s")
MODEL = TwinModel.model_validate(
    {
        "twin": "pumps",
        "origin": "2026-01-01",
        "asset_types": {
            "pump": {
                "signals": {
                    "pressure": {"unit": "bar", "resolution": 0.1, "cadence": "1min"},
                    "level": {"unit": "m", "resolution": 0.1, "cadence": "5min"},
                    "valve": {"kind": "state", "cadence": "1min", "states": {0: "shut", 1: "open"}},
                }
            },
            "site": {"properties": {"town": {}}},
        },
    }
)
NAN, OK, BAD, GONE = np.nan, Flag.PASS, Flag.FAIL, Flag.MISSING


def twin(*, minutes=60, assets=("1", "2"), **cells):
    """Pumps whose cells are missing but for ``signal={(row, column): (value, flag)}``."""
    parts = []
    for names, step in ((("pressure", "valve"), 1), (("level",), 5)):
        rows = minutes // step
        data = {}
        for name in names:
            value, flag = np.full((rows, len(assets)), NAN), np.full((rows, len(assets)), GONE, "uint8")
            for (row, column), (number, judged) in cells.get(name, {}).items():
                value[row, column], flag[row, column] = number, judged
            data[name] = (("time", "asset"), value)
            data[f"{name}_qc"] = (("time", "asset"), flag)
        time = DAY + np.arange(rows) * step * MINUTE
        parts.append(xr.Dataset(data, coords={"time": time, "asset": np.array(assets, dtype=object)}))
    frame = pd.DataFrame(index=pd.Index(["1", "2", "3"], name="asset"))
    return FakeTwin(MODEL, histories={"pump": parts}, assets={"pump": frame, "site": frame})


def at(minute):
    return DAY + minute * MINUTE


def test_what_was_observed_later_is_not_told():
    pumps = twin(pressure={(10, 0): (1.0, OK), (30, 0): (2.0, OK)})
    now = present(pumps, "pump", at=at(29))
    assert now.loc["1", "pressure"] == 1.0
    assert now.loc["1", "pressure_time"] == at(10)
    assert present(pumps, "pump", at=at(30)).loc["1", "pressure"] == 2.0


def test_a_failed_observation_is_told_with_its_flag():
    now = present(twin(pressure={(10, 0): (1.0, OK), (11, 0): (99.0, BAD)}), "pump", at=at(20))
    assert now.loc["1", ["pressure", "pressure_qc"]].tolist() == [99.0, Flag.FAIL]


def test_a_state_keeps_what_it_was_before_an_observation_failed():
    now = present(twin(valve={(10, 0): (1, OK), (11, 0): (0, BAD)}), "pump", at=at(20))
    assert now.loc["1", ["valve", "valve_qc"]].tolist() == [1.0, Flag.FAIL]
    assert now.loc["1", "valve_time"] == at(11)


def test_every_asset_is_listed_and_of_those_never_heard_nothing_is_told():
    now = present(twin(pressure={(10, 0): (1.0, OK)}), "pump", at=at(20))
    assert now.index.tolist() == ["1", "2", "3"]
    assert now.loc["3", "pressure_qc"] == Flag.MISSING
    assert pd.isna(now.loc["3", "pressure_time"])
    assert np.isnan(now.loc["2", "pressure"])


def test_signals_of_several_cadences_come_together():
    now = present(twin(pressure={(17, 0): (1.0, OK)}, level={(3, 0): (4.0, OK)}), "pump", at=at(18))
    assert now.loc["1", ["pressure", "level"]].tolist() == [1.0, 4.0]
    assert now.loc["1", "level_time"] == at(15)


def test_a_cell_that_was_not_judged_yet_counts():
    now = present(twin(pressure={(17, 0): (1.0, Flag.NOT_EVALUATED)}), "pump", at=at(18))
    assert now.loc["1", ["pressure", "pressure_qc"]].tolist() == [1.0, Flag.NOT_EVALUATED]


def test_what_lies_further_back_than_asked_is_not_told():
    pumps = twin(pressure={(10, 0): (1.0, OK)})
    assert np.isnan(present(pumps, "pump", at=at(20), within="5min").loc["1", "pressure"])


def test_some_assets_and_signals_in_the_order_asked_for():
    now = present(twin(level={(3, 1): (4.0, OK)}), "pump", at=at(20), assets=["2", "1"], signals=["level"])
    assert now.index.tolist() == ["2", "1"]
    assert now.columns.tolist() == ["level", "level_qc", "level_time"]
    assert now["level"].tolist()[0] == 4.0


def test_assets_without_signals_have_no_columns():
    now = present(twin(), "site", at=at(20))
    assert now.shape == (3, 0)


def test_a_time_with_a_zone_is_taken_as_utc():
    pumps = twin(pressure={(10, 0): (1.0, OK)})
    assert np.isnan(present(pumps, "pump", at="2026-01-01T01:05+01:00").loc["1", "pressure"])
    assert present(pumps, "pump", at="2026-01-01T01:10+01:00").loc["1", "pressure"] == 1.0


def test_what_the_twin_does_not_know_is_refused_with_the_nearest():
    with pytest.raises(UnknownTermError, match="did you mean 'pump'"):
        present(twin(), "pumps", at=at(1))
    with pytest.raises(UnknownTermError, match="did you mean 'pressure'"):
        present(twin(), "pump", at=at(1), signals=["presure"])
    with pytest.raises(SchemaError, match="instant"):
        present(twin(), "pump", at="soon")
    with pytest.raises(SchemaError, match="instant"):
        present(twin(), "pump", at=pd.NaT)
    with pytest.raises(SchemaError, match="duration"):
        present(twin(), "pump", at=at(1), within="long")


CELL = st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([OK, Flag.SUSPECT, BAD, Flag.NOT_EVALUATED]))
CELLS = st.dictionaries(st.tuples(st.integers(0, 39), st.integers(0, 1)), CELL, max_size=12)


@settings(max_examples=40)
@given(CELLS, st.integers(0, 45), st.sampled_from([1, 7, 60]), st.booleans())
def test_it_is_what_a_walk_back_through_the_cells_finds(cells, minute, within, stepwise):
    pumps = twin(minutes=40, pressure=cells)
    with pytest.MonkeyPatch.context() as patch:
        if stepwise:
            # As for very long look-backs: the newest cells first.
            patch.setattr(latest_values, "_AT_ONCE", 0)
            patch.setattr(latest_values, "_FIRST_CELLS", 1)
        now = present(pumps, "pump", at=at(minute), signals=["pressure"], within=f"{within}min")
    for column, asset in enumerate(("1", "2")):
        rows = [row for row, place in cells if place == column and minute - within <= row <= minute]
        if not rows:
            assert np.isnan(now.loc[asset, "pressure"])
            continue
        value, flag = cells[max(rows), column]
        assert now.loc[asset].tolist() == [value, flag, pd.Timestamp(at(max(rows)))]
