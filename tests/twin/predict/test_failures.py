"""`twin.failure_risk` and `twin.maintenance_list`: settings that follow from the model, tables, costs, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.predict.failure.conftest import DAY, DAYS, PREDICTOR, START, failures_of, history_of
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.predict.known.running import fit_on
from twinlab.testing import FakeTwin
from twinlab.twin.predict.failures import default_settings, fit_failure, maintenance_table, risk_table

MODEL = {
    "twin": "pumps",
    "origin": "2026-01-01",
    "asset_types": {
        "pump": {
            "properties": {"overhaul": {"dtype": "number"}},
            "signals": {
                "vibration": {"unit": "mm/s", "cadence": "1h", "resolution": 0.01},
                "noise": {"unit": "dB", "cadence": "1h", "resolution": 0.1},
                "running": {"kind": "state", "states": {0: "off", 1: "on"}, "cadence": "1h"},
                "hours": {"kind": "counter", "unit": "h", "cadence": "1h", "resolution": 1},
            },
        },
        "site": {},
    },
    "event_types": {
        "pump_failure": {"asset": "pump", "properties": {"part": {"dtype": "text"}}},
        "visit": {"asset": "site"},
    },
}
AT = "2026-03-02"
KNOWN = ByEventTime()
OPTIONS = {"within": "5d", "at": AT, "knowledge": KNOWN}


def twin_of(**changes: object) -> FakeTwin:
    failures = failures_of()
    history = history_of(failures)
    history["running"] = xr.ones_like(history["vibration"]).assign_attrs(units="1")
    model = changes.pop("model", TwinModel.model_validate(MODEL))
    given = {"histories": {"pump": history}, "events": {"pump_failure": failures}} | changes
    assets = pd.DataFrame({"overhaul": 300.0}, index=[f"P{k}" for k in range(10)])
    return FakeTwin(model, assets={"pump": assets}, **given)


@pytest.fixture(scope="module")
def fitted():
    pytest.importorskip("lightgbm")
    return fit_on(PREDICTOR, twin_of(), known="2026-02-20", knowledge=KNOWN)


def test_settings_follow_from_the_model():
    found = default_settings(twin_of(), "pump")
    assert (found.event_type, found.step, found.ending) == ("pump_failure", "1h", ("part",))
    names = [one.name for one in found.indicators]
    assert "vibration while running is on" in names
    assert not any("hours" in name for name in names)
    with pytest.raises(UnknownTermError, match="pump"):
        default_settings(twin_of(), "pumpe")
    with pytest.raises(UnknownTermError, match="got none; pass event_type=, one of visit"):
        default_settings(twin_of(), "site")
    with pytest.raises(UnknownTermError, match="pump_failure"):
        default_settings(twin_of(), "pump", event_type="pump_failur")


def test_a_fit_that_is_reused_and_one_that_knows_too_much(fitted):
    found = risk_table(twin_of(), "pump", **OPTIONS, fitted=fitted)
    assert list(found["probability"]) == sorted(found["probability"], reverse=True)
    with pytest.raises(SchemaError, match="fit it with known='2026-02-01"):
        risk_table(twin_of(), "pump", **(OPTIONS | {"at": "2026-02-01"}), fitted=fitted)


def test_by_default_the_risk_is_that_at_the_end_of_the_history(fitted):
    found = risk_table(twin_of(), "pump", within="5d", at=None, fitted=fitted)
    end = risk_table(twin_of(), "pump", within="5d", at=START + DAYS * DAY, fitted=fitted, knowledge=KNOWN)
    pd.testing.assert_frame_equal(found, end)


def test_too_few_failures_give_a_table_without_numbers():
    pytest.importorskip("lightgbm")
    few = twin_of(events={"pump_failure": failures_of().head(3)})
    settings = {"indicators": PREDICTOR.settings.indicators}
    with pytest.raises(SchemaError, match="3 past failures"):
        fit_failure(few, "pump", known=AT, knowledge=KNOWN, **settings)
    found = risk_table(few, "pump", **OPTIONS)
    assert (found["cant_tell"] == "3 past failures (pump_failure); at least 5 are needed").all()
    assert len(found) == 10


def test_the_maintenance_list_has_costs_of_acting_and_of_waiting(fitted):
    def table(**costs: object) -> pd.DataFrame:
        return maintenance_table(
            twin_of(),
            "pump",
            **OPTIONS,
            soon="2d",
            limit=0.5,
            fitted=fitted,
            **({"acting": None, "failing": None} | costs),
        )

    stated = table(acting="overhaul", failing=5000)
    assert set(stated["action"]) <= {"act now", "plan", "watch", "none", "can't tell"}
    acting = stated["action"].isin(["act now", "plan"])
    assert acting.any()
    assert (stated["cost_of_waiting"] >= 300)[acting].all()
    assert np.allclose(stated["cost_of_waiting"], 5000 * stated["probability"])
    unstated = table()
    assert (unstated["cost_note"] == "no cost stated").all()
    assert unstated["cost_of_waiting"].isna().all()
    costs = {"maintenance": {"pump": {"acting": "overhaul", "failing": "5000 EUR"}}}
    model = TwinModel.model_validate(MODEL | costs)
    options = OPTIONS | {"soon": "2d", "limit": 0.5, "fitted": fitted}
    by_model = maintenance_table(twin_of(model=model), "pump", **options, acting=None, failing=None)
    pd.testing.assert_frame_equal(by_model, stated)
    assert by_model.attrs["currency"] == "EUR"
    passed = maintenance_table(twin_of(model=model), "pump", **options, acting=1.0, failing=2.0)
    assert (passed["cost_of_acting"] == 1.0).all()
    with pytest.raises(UnknownTermError, match="no property 'overhoul'"):
        table(acting="overhoul", failing=1)
    with pytest.raises(SchemaError, match="at least 0"):
        table(acting=-1.0, failing=1)
