"""True values: of signals, and of events that begin."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.predict.conftest import HOUR, INPUTS, START, TARGET, history, state_of
from twinlab.errors import SchemaError
from twinlab.predict import ByEventTime, Climatology, EventTarget, Inputs, SeasonalNaive, fit_on, predict_at, truth_of

VISIT = EventTarget("visit")


def test_a_signals_cell_ends_at_the_valid_time():
    state = state_of(history(100))
    true = TARGET.truth(state, [START + 50 * HOUR], [HOUR, 60 * HOUR])
    assert true.values[0, 0].tolist() == state.history.temperature.values[50].tolist()
    assert np.isnan(true.values[0, 1]).all()
    with pytest.raises(SchemaError, match="at which a cell of 3600 seconds ends"):
        TARGET.truth(state, [START + np.timedelta64(30, "m")], [HOUR])


@given(st.lists(st.integers(0, 99), max_size=8), st.integers(1, 40))
def test_an_event_counts_if_it_begins_after_the_issue_time_within_the_lead(starts, lead):
    stamps = pd.to_datetime([START + one * HOUR for one in starts]) if starts else pd.DatetimeIndex([])
    table = pd.DataFrame({"asset": "A", "start": stamps, "end": pd.NaT, "planned_start": pd.NaT, "planned_end": pd.NaT})
    state = state_of(history(100), events={"visit": table})
    issued = [START + k * HOUR for k in range(0, 100, 7)]
    true = VISIT.truth(state, issued, [lead * HOUR]).values[:, 0]
    for k, when in enumerate(range(0, 100, 7)):
        if when + lead > 100:
            assert np.isnan(true[k]).all()
        else:
            assert true[k].tolist() == [float(any(when < one <= when + lead for one in starts)), 0.0]


def test_true_values_of_stored_predictions_are_read_from_the_twin(twin):
    issue = START + 480 * HOUR
    fitted = fit_on(SeasonalNaive(INPUTS, TARGET, ("1h", "5h")), twin, known=issue)
    true = truth_of(twin, predict_at(fitted, twin, issue_time=issue))
    data = twin.history("room").temperature.values
    assert np.array_equal(true.values[0], data[[480, 484]])
    inputs = Inputs("room", ("temperature",), training="10d", events=("visit",))
    share = Climatology(inputs, VISIT, ("1d", "60d"), train_every="6h")
    at = "2026-01-03T09:00"
    made = predict_at(share.fit(read(twin, inputs, at)), twin, issue_time=at)
    found = truth_of(twin, made).sel(asset="A").values.ravel()
    # Sixty days aren't over yet.
    assert found[0] == 1.0
    assert np.isnan(found[1])
    with pytest.raises(SchemaError, match="pass truth="):
        truth_of(twin, made.assign_attrs(truth="other"))


def read(twin, inputs, at):
    from twinlab.predict import read_state

    return read_state(twin, inputs, np.datetime64(at, "ns"), knowledge=ByEventTime())
