"""What models read, as rows with an instant; and which sources give it."""

import numpy as np
import pytest
import xarray as xr

import twinlab as tl
from tests.predict.conftest import HOUR, INPUTS, START, TARGET, history, state_of
from twinlab.model.load import parse_mapping
from twinlab.predict.models.inputs import input_table, sources_of, unit_changes, units_of

P = tl.predict

MAPPINGS = {
    "wide": "source: wide\ntables:\n  - {time: {column: t, zone: UTC}, asset: {type: room, column: r}, columns: {x: {signal: temperature}}}\n",
    "stream": "source: stream\nstream: {tags: {a: {signal: temperature, asset: hall/1}}}\n",
    "visits": "source: visits\ntables:\n  - {events: [{type: visit, key: [id], asset: {type: truck, column: r}, start: {column: t, zone: UTC}}]}\n",
}


@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        (P.Inputs("room"), ("wide",)),
        (P.Inputs("hall"), ("stream",)),
        (P.Inputs("shed"), ()),
        (P.Inputs("room", others={"hall": ("temperature",)}), ("stream", "wide")),
        (P.Inputs("shed", events=("visit",)), ("visits",)),
    ],
)
def test_sources_are_those_that_give_values_or_events_of_what_is_read(inputs, wanted):
    mappings = {name: parse_mapping(text) for name, text in MAPPINGS.items()}
    assert sources_of(mappings, inputs) == wanted


def test_inputs_of_features_are_features_without_calendar_and_lead_time():
    features = (P.Lag("temperature"), P.Calendar("hour"), P.LeadTime())
    estimator = P.CallableEstimator("mean", lambda x, y, names: y.mean(), lambda m, x: np.full(len(x), m))
    state = state_of(history(300))
    fitted = P.FeaturePredictor(INPUTS, TARGET, features, estimator, ("6h", "12h"), train_every="6h").fit(state)
    table = input_table(fitted, state)
    assert table.names == ("temperature 0s before issue_time",)
    last = state.history["temperature"].sel(asset="B").values
    when = int((START + 96 * HOUR).astype("datetime64[ns]").astype("int64"))
    assert table.values[table.times == when].ravel()[1] == last[95]
    recent = table.since(START + 290 * HOUR)
    assert set(np.unique(recent.times)) <= set(np.unique(table.times))
    assert recent.times.min() >= int((START + 290 * HOUR).astype("datetime64[ns]").astype("int64"))


def test_inputs_of_other_models_are_cells_of_all_types_that_they_read():
    halls = history(300, ("H",), seed=2)
    state = state_of(history(300), others={"hall": halls})
    table = input_table(object(), state)
    assert table.names == ("temperature", "temperature of hall")
    assert table.values.shape == (600, 2)
    assert np.array_equal(table.values[::2, 1], halls["temperature"].values[:, 0])
    assert units_of(state) == {"temperature": "degC", "temperature of hall": "degC"}


def test_a_model_that_reads_events_alone_has_no_inputs_to_compare():
    empty = xr.Dataset(coords={"time": np.empty(0, "datetime64[ns]"), "asset": np.array(["A"], object)})
    table = input_table(object(), P.State(START, empty, HOUR))
    assert table.names == ()
    assert len(table.since(START).times) == 0


def test_units_that_have_changed_are_named():
    assert unit_changes({"a": "degC", "b": "bar"}, {"a": "degF", "c": "m"}) == [
        "a is in degF now, the model was trained on degC"
    ]
