"""How many assets report at an instant."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.explore.kit.present import Coverage, now_at
from twinlab.explore.kit.session import Shared
from twinlab.model import TwinModel
from twinlab.testing import FakeTwin

SILENT = {"silent": {"on": "sensor", "silent": "2h"}}


@pytest.mark.parametrize("rules", [{}, SILENT])
def test_an_asset_neither_reports_nor_is_silent_outside_its_lifetime(rules):
    model = {
        "twin": "t",
        "origin": "2026-01-01",
        "asset_types": {
            "sensor": {
                "properties": {"installed": {"dtype": "time"}, "removed": {"dtype": "time"}},
                "lifetime": {"from": "installed", "until": "removed"},
                "signals": {"level": {"unit": "m", "resolution": 0.1, "cadence": "1min"}},
            }
        },
        "rules": rules,
    }
    hours = pd.date_range("2026-01-01", periods=601, freq="1min")
    # A reports, B fell silent, C fell silent and was removed at 06:00, D exists from 12:00 on.
    levels = np.full((601, 4), np.nan)
    levels[:, 0], levels[:100, 1:3], levels[0, 3] = 1.0, 1.0, 1.0
    data = xr.Dataset(
        {"level": (("time", "asset"), levels)}, {"time": hours, "asset": np.array([*"ABCD"], dtype=object)}
    )
    lives = {"installed": [None, None, None, "2026-01-01T12:00"], "removed": [None, None, "2026-01-01T06:00", None]}
    assets = pd.DataFrame(lives, index=pd.Index([*"ABCD"], name="asset"), dtype="datetime64[ns]")
    shared = Shared(FakeTwin(TwinModel.model_validate(model), histories={"sensor": data}, assets={"sensor": assets}))
    at = [now_at(shared, np.datetime64(when)).coverage["sensor"] for when in ("2026-01-01T05:00", "2026-01-01T09:00")]
    assert at == [Coverage(1, 2), Coverage(1, 1)]
