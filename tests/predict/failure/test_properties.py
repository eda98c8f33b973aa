"""Failures, for any input: lists of what to do follow from costs, probabilities never fall with the span, and calibration keeps the order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.predict.failure import FailurePredictor, maintenance_list
from twinlab.predict.failure.lives import lives_of
from twinlab.predict.protocol.registry import named_predictor

START = np.datetime64("2026-01-01", "ns")
DAY = np.timedelta64(1, "D")
CHANCE = st.one_of(st.none(), st.floats(0, 1))
ROWS = st.lists(st.tuples(CHANCE, CHANCE), min_size=1, max_size=8)
COST = st.floats(0, 1e6)


def table(chances):
    reasons = ["too few values" if one is None else "" for one in chances]
    values = [np.nan if one is None else one for one in chances]
    return pd.DataFrame({"asset": [f"A{k}" for k in range(len(chances))], "probability": values, "cant_tell": reasons})


def ordered(rows):
    """Risks within a short and a long span: the latter are no lower."""
    soon = [None if later is None else min(near or 0.0, later) for near, later in rows]
    return table(soon), table([later for _, later in rows])


@settings(max_examples=40)
@given(ROWS, COST, COST)
def test_what_to_do_follows_from_the_costs_and_each_asset_has_one_line(rows, acting, failing):
    soon, later = ordered(rows)
    found = maintenance_list(soon, later, acting=acting, failing=failing).set_index("asset")
    assert sorted(found.index) == sorted(later["asset"])
    for near, far, asset in zip(soon["probability"], later["probability"], later["asset"], strict=True):
        action = found.loc[asset, "action"]
        if np.isnan(far):
            assert action == "can't tell"
        elif failing and near * failing > acting * (1 + 1e-9):
            assert action == "act now"
        elif failing and far * failing > acting * (1 + 1e-9):
            assert action in ("act now", "plan")
        elif failing and far * failing < acting * (1 - 1e-9):
            assert action in ("watch", "none")
    order = [("act now", "plan", "watch", "none", "can't tell").index(one) for one in found["action"]]
    assert order == sorted(order)


@settings(max_examples=40)
@given(ROWS, COST, st.floats(1e-6, 1e6), st.floats(1.0, 10.0))
def test_a_failure_that_costs_more_never_makes_acting_less_urgent(rows, acting, failing, more):
    soon, later = ordered(rows)
    urgency = {"act now": 0, "plan": 1, "watch": 2, "none": 2, "can't tell": 3}
    before, after = (
        maintenance_list(soon, later, acting=acting, failing=cost).set_index("asset")["action"]
        for cost in (failing, failing * more)
    )
    assert all(urgency[after[asset]] <= urgency[before[asset]] for asset in before.index)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 5)), max_size=12), st.integers(5, 45))
def test_lives_are_the_days_until_the_next_failure_that_was_known(rows, known):
    table = pd.DataFrame(
        [
            {"asset": f"A{asset}", "start": START + day * DAY, "end": START + (day + lasts) * DAY}
            for asset, day, lasts in rows
        ],
        columns=["asset", "start", "end"],
    )
    for name in ("start", "end"):
        table[name] = table[name].astype("datetime64[ns]")
    at = START + known * DAY
    table = table[table["start"] <= at]
    table["end"] = table["end"].where(table["end"] <= at)
    issued = START + np.arange(known) * DAY
    found = lives_of(table, issued, ["A0", "A1", "A2"], known=at)
    for row, when in enumerate(issued):
        for place, asset in enumerate(("A0", "A1", "A2")):
            later = table.loc[(table["asset"] == asset) & (table["start"] > when), "start"]
            if found.down[row, place]:
                continue
            assert found.ended[row, place] == bool(len(later))
            expected = (later.min() if len(later) else pd.Timestamp(at)) - pd.Timestamp(when)
            assert found.days[row, place] == pytest.approx(expected / pd.Timedelta(days=1))


def test_the_predictor_of_failures_has_a_name_and_options():
    options = {
        "asset_type": "pump",
        "event_type": "pump_failure",
        "gauges": ["vibration"],
        "states": {"running": {"0": "off", "1": "on"}},
    }
    found = named_predictor("failure", options | {"within": ["5d"], "every": "12h"})
    assert isinstance(found, FailurePredictor)
    assert found.within == ("5d",) and found.settings.every == "12h"
    assert "vibration while running is on" in [one.name for one in found.settings.indicators]
    with pytest.raises(SchemaError, match="at least one indicator"):
        named_predictor("failure", options | {"gauges": [], "states": {}})
    with pytest.raises(UnknownTermError, match="did you mean 'failure'"):
        named_predictor("failures", options)
