"""Pumps that fail, whose risks are fitted once."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.predict.failure.conftest import DAYS, PREDICTOR, failures_of, history_of
from tests.twin.predict.test_failures import MODEL
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.predict.known.running import fit_on
from twinlab.testing import FakeTwin
from twinlab.twin.predict.methods import PredictMethods

SIGNALS = ("vibration", "noise")


class PumpTwin(PredictMethods, FakeTwin):
    """A twin in memory that predicts, with the small models of the tests of failures."""

    fits = 0

    def fit_failure(self, asset_type: str, *, known: object, knowledge: object = None, **settings: object) -> Any:
        type(self).fits += 1
        when = known if known is not None else self.history(asset_type)["time"].values[-1]
        return fit_on(PREDICTOR, self, known=pd.Timestamp(when).floor("6h"), knowledge=knowledge or ByEventTime())


def pump_twin(folder: Any, **changes: object) -> PumpTwin:
    failures = failures_of()
    history = history_of(failures)
    model = {**MODEL, "asset_types": {**MODEL["asset_types"]}}
    kept = {name: one for name, one in MODEL["asset_types"]["pump"]["signals"].items() if name in SIGNALS}
    places = {"latitude": {"dtype": "number", "unit": "deg"}, "longitude": {"dtype": "number", "unit": "deg"}}
    model["asset_types"]["pump"] = {**MODEL["asset_types"]["pump"], "signals": kept, "properties": {"overhaul": {"dtype": "number"}, **places}, "position": ["latitude", "longitude"]}  # fmt: skip
    given: dict[str, Any] = {"histories": {"pump": history}, "events": {"pump_failure": failures}} | changes
    ids = [f"P{k}" for k in range(10)]
    assets = pd.DataFrame({"overhaul": 300.0, "latitude": 50.0 + pd.RangeIndex(10) / 10, "longitude": 8.0}, index=ids)
    twin = PumpTwin(TwinModel.model_validate(model), assets={"pump": assets}, **given)
    twin.folder = folder
    return twin


@pytest.fixture(scope="session")
def pumps(tmp_path_factory: pytest.TempPathFactory) -> PumpTwin:
    """Ten pumps for seventy days."""
    pytest.importorskip("lightgbm")
    assert DAYS == 70
    return pump_twin(tmp_path_factory.mktemp("pumps"))
