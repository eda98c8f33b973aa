"""Scores of stored predictions, of grids and of events."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from tests.predict.conftest import HOUR, INPUTS, START, history, state_of
from twinlab.errors import SchemaError
from twinlab.predict.predictions.joining import join
from twinlab.predict.predictions.of_events import event_predictions
from twinlab.predict.predictions.schema import predictions, reasons
from twinlab.predict.predictions.scoring import long_table, score_predictions
from twinlab.predict.protocol.predictor import CantTell

MODEL = SimpleNamespace(name="m", inputs=INPUTS, training=(START, START), content_hash=lambda: "0f" * 8)


def grid(values, state=None, **options):
    given = {"target": "t", "units": "degC", "lead_times": [HOUR, 2 * HOUR], "quantiles": (0.1, 0.5, 0.9)} | options
    return predictions(values, state=state or state_of(history(48)), fitted=MODEL, **given)


def test_scores_count_only_places_with_a_number_and_a_true_value():
    values = np.broadcast_to([1.0, 2.0, 3.0], (2, 2, 3)).copy()
    data = grid(values, refused={(0, 1): CantTell("too few cases")})
    assert reasons(data).values.ravel().tolist() == ["", "too few cases", "", ""]
    assert np.isnan(data.t.sel(asset="B").values[0, 0]).all()
    truth = xr.zeros_like(data.t.isel(quantile=0, drop=True))
    truth[0, 0, 0], truth[0, 1, 0], truth[0, 1, 1] = 2.5, 5.0, np.nan
    table = score_predictions(data, truth)
    assert table["cases"].tolist() == [1, 1]
    assert table["cant_tell"].tolist() == [0.5, 0.0]
    assert table["mae"].tolist() == [0.5, 3.0]
    assert table["coverage"].tolist() == [1.0, 0.0]
    assert score_predictions(data, truth, by=())["cases"].item() == 2
    by_group = score_predictions(data, truth, by=("group",), groups={"A": "cold", "B": "warm"})
    assert by_group.set_index("group")["cases"].to_dict() == {"cold": 2, "warm": 0}
    with pytest.raises(SchemaError, match="none for 'B'"):
        score_predictions(data, truth, by=("group",), groups={"A": "cold"})
    assert long_table(data, truth)["reason"].tolist() == ["", "too few cases", "", ""]


def test_predictions_of_events_are_scored_by_lead_class_and_by_their_coordinates():
    state = state_of(history(48))
    data = event_predictions(
        np.array([0.9, 0.2, 0.6]),
        state=state,
        fitted=MODEL,
        target="late",
        units="1",
        event_ids=["f1", "f2", "f3"],
        assets=["A", "B", "A"],
        lead_times=[HOUR, np.timedelta64(150, "m"), 5 * HOUR],
        coords={"carrier": np.array(["x", "y", "x"], object)},
    )
    truth = xr.DataArray([1.0, 0.0, 0.0], dims="event_id", coords={"event_id": ["f1", "f2", "f3"]})
    table = score_predictions(data, truth, by=("lead_time",), lead_edges=("0h", "2h"))
    assert table["cases"].tolist() == [1, 2]
    by_carrier = score_predictions(data, truth, by=("carrier",)).set_index("carrier")
    assert by_carrier["observed"].to_dict() == {"x": 0.5, "y": 0.0}
    assert score_predictions(data, truth, by=())["auc"].item() == 1.0
    later = data.assign_coords(issue_time=data.issue_time + HOUR)
    both = join([later, data])
    assert both.sizes["case"] == 6
    assert score_predictions(both, truth, by=())["cases"].item() == 6
    with pytest.raises(SchemaError, match="same issue time"):
        join([data, data])


def test_joined_predictions_keep_reasons_and_attributes_that_differ():
    first = grid(np.ones((2, 2, 3)), refused={(1, 0): CantTell("a")})
    state = state_of(history(49))
    second = grid(np.ones((2, 2, 3)), state, refused={(0, 0): CantTell("b")}).assign_attrs(model_hash="11" * 8)
    both = join([second, first])
    assert reasons(both).values.reshape(2, 4).tolist() == [["", "", "a", ""], ["b", "", "", ""]]
    assert both["model_hash"].values.tolist() == ["0f" * 8, "11" * 8]
    # Once more: what has become a coordinate stays one.
    third = grid(np.ones((2, 2, 3)), state_of(history(50)))
    assert join([both, third])["model_hash"].values.tolist() == ["0f" * 8, "11" * 8, "0f" * 8]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_attrs(deep=False), "training_start"),
        (lambda d: d.assign(t=-d.t * d["quantile"]), "rise with their level"),
        (lambda d: d.assign(t=d.t * np.nan), "exactly where"),
        (lambda d: d.assign_coords(quantile=[0.1, 0.5, 1.5]), "between 0 and 1"),
        (lambda d: d.assign_coords(asset=["A", "A"]), "each asset once"),
        (lambda d: d.isel(lead_time=[1, 0]), "rising lead_time"),
    ],
)
def test_what_doesnt_follow_the_schema_is_refused(change, message):
    from twinlab.predict.predictions.schema import check_predictions

    with pytest.raises(SchemaError, match=message):
        check_predictions(change(grid(np.ones((2, 2, 3)))))
