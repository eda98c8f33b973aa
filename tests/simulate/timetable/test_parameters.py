"""A timetable model as arrays, and back."""

import numpy as np
import pytest
import xarray as xr

from tests.simulate.timetable.test_trips import fitted
from twinlab.errors import CorruptionError
from twinlab.simulate.timetable.entities import Demand
from twinlab.simulate.timetable.model import TimetableModel
from twinlab.simulate.timetable.names import Names
from twinlab.simulate.timetable.parameters import model_of, parameters_of

DEMAND = Demand(
    np.ones((2, 168)), np.array([[0, 1.0], [1.0, 0]]), 3600.0, 0.0, 600.0, 3, np.arange(5.0), np.nan, ((1, 0.0, 1e4, 1.2),)
)  # fmt: skip


@pytest.mark.parametrize("demand", [None, DEMAND])
@pytest.mark.parametrize("spread", [0.0, 0.8])
def test_a_model_is_the_same_after_a_round_trip_through_zarr(tmp_path, demand, spread):
    model = TimetableModel("m", Names("hub", "truck", "trip"), ("A", "B"), fitted(spread=spread), demand)
    parameters_of(model).to_zarr(tmp_path / "m", consolidated=False, zarr_format=3)
    back = model_of(xr.open_zarr(tmp_path / "m", consolidated=False, chunks=None).load())
    assert back.content_hash() == model.content_hash()
    assert (back.demand is None) == (demand is None)
    assert back.fits.start.effects.spread == model.fits.start.effects.spread


def test_lost_parameters_are_refused():
    model = TimetableModel("m", Names("hub", "truck", "trip"), ("A", "B"), fitted(), None)
    with pytest.raises(CorruptionError, match="quantiles"):
        model_of(parameters_of(model).drop_vars("fits.start.quantiles"))
