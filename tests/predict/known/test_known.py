"""What was known at an instant, by event time."""

import numpy as np
import pandas as pd
import pytest

from tests.predict.conftest import HOUR, INPUTS, START
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.predict import ByEventTime, ByIngest, EventColumns, Inputs, read_state

NOON = np.datetime64("2026-01-03T11:00", "ns")


def table(twin, at, **columns):
    view = ByEventTime().view(twin, np.datetime64(at, "ns"), columns={"visit": EventColumns(**columns)})
    return view.events("visit").set_index("event_id")


def test_an_event_is_known_as_far_as_it_has_come(twin):
    planned = table(twin, "2026-01-02")
    assert planned.index.tolist() == ["v1", "v2", "v3"]
    assert planned[["start", "end", "reason", "result"]].isna().all(axis=None)
    under_way = table(twin, NOON).loc["v1"]
    assert under_way["start"] == pd.Timestamp("2026-01-03T10:00")
    assert pd.isna([under_way["end"], under_way["result"]]).all()
    assert table(twin, "2026-01-03T12:00").loc["v1", "result"] == "good"


def test_columns_are_known_when_it_is_stated(twin):
    assert table(twin, "2026-01-02", planned=("reason",))["reason"].tolist() == ["check", "repair", "check"]
    begun = table(twin, NOON, started=("reason",))["reason"]
    assert begun["v1"] == "check"
    assert begun[["v2", "v3"]].isna().all()
    assert table(twin, NOON, ahead="1d").index.tolist() == ["v1"]
    with pytest.raises(SchemaError, match=r"EventColumns of 'visit': no columns 'reasons'; known: .*reason"):
        table(twin, NOON, planned=("reasons",))


@pytest.mark.parametrize("latency", [0, 1, 5])
def test_a_cell_is_known_a_latency_after_its_end(twin, latency):
    at = START + 100 * HOUR
    state = read_state(twin, INPUTS, at, knowledge=ByEventTime(latency=f"{latency}h"))
    assert state.history.time.values[-1] == at - (latency + 1) * HOUR
    assert state.latency == latency * HOUR


def test_values_that_failed_a_test_are_missing(twin):
    from twinlab.model.flags import Flag
    from twinlab.testing import FakeTwin

    data = twin.history("room")
    flags = data.temperature_qc.copy()
    flags[50, 0] = Flag.FAIL
    bad = FakeTwin(twin.model, histories={"room": data.assign(temperature_qc=flags)})
    state = read_state(bad, INPUTS, START + 60 * HOUR)
    assert np.isnan(state.history.temperature.sel(time=START + 50 * HOUR)).values.tolist() == [True, False]


def test_rollups_are_read_where_the_step_is_coarser(twin):
    state = read_state(twin, Inputs("room", ("temperature_mean", "temperature_max"), step="4h"), START + 96 * HOUR)
    wanted = twin.history("room", step="4h").temperature_mean.values[:24]
    assert np.array_equal(state.history.temperature_mean.values, wanted)


def test_what_cant_be_read_is_named(twin):
    with pytest.raises(SchemaError, match="multiple of the step 1h"):
        read_state(twin, INPUTS, np.datetime64("2026-01-03T10:30"))
    with pytest.raises(UnknownTermError, match=r"signal of 'room', got 'temprature'.*did you mean 'temperature'"):
        read_state(twin, Inputs("room", ("temprature",)), START + 60 * HOUR)
    with pytest.raises(UnknownTermError, match="no variable 'temperature_q90'"):
        read_state(twin, Inputs("room", ("temperature_q90",), step="4h"), START + 60 * HOUR)
    with pytest.raises(UnknownTermError, match="did you mean 'room'"):
        read_state(twin, Inputs("rooms", ("temperature",)), START + 60 * HOUR)
    with pytest.raises(SchemaError, match="has no `as_of`; pass knowledge="):
        read_state(twin, INPUTS, START + 60 * HOUR, knowledge=ByIngest())
    with pytest.raises(SchemaError, match="nothing was known of temperature.*longer window"):
        read_state(twin, INPUTS, START)
