"""The protocol of a model, shown on a small real one: a balance that earns interest."""

import numpy as np
import xarray as xr

from twinlab import simulate
from twinlab.simulate.protocol import BatchModel


class Decay:
    """An amount that halves each hour; its state is an amount and an instant."""

    name = "decay"

    def content_hash(self) -> str:
        return "decay-1"

    def initial_state(self, *, start, seed=0, replication=0) -> xr.Dataset:
        start = np.datetime64(start, "ns")
        variables = {
            "start": start,
            "time": start,
            "seed": np.int64(seed),
            "replication": np.int64(replication),
            "amount": 8.0,
        }
        return xr.Dataset(variables, attrs={"model": self.name, "model_hash": self.content_hash()})

    def advance(self, state, *, until, step, trace=False) -> simulate.Advanced:
        times = np.arange(state["time"].values, np.datetime64(until, "ns"), np.timedelta64(step, "ns"))
        hours = (times - state["time"].values) / np.timedelta64(1, "h")
        amount = float(state["amount"]) * 0.5**hours
        passed = (np.datetime64(until, "ns") - state["time"].values) / np.timedelta64(1, "h")
        later = state.assign(time=np.datetime64(until, "ns"), amount=float(state["amount"]) * 0.5**passed)
        return simulate.Advanced(later, xr.Dataset({"amount": ("time", amount)}, coords={"time": times}))


def test_a_class_with_the_methods_is_a_model_without_inheriting_anything():
    assert isinstance(Decay(), simulate.Model)
    assert not isinstance(Decay(), BatchModel)
    assert not isinstance(object(), simulate.Model)


def test_a_run_in_two_parts_equals_the_unbroken_run():
    model, hour = Decay(), np.timedelta64(1, "h")
    start = model.initial_state(start=np.datetime64("2026-01-01"))
    whole = model.advance(start, until=np.datetime64("2026-01-01T04:00"), step=hour)
    first = model.advance(start, until=np.datetime64("2026-01-01T01:00"), step=hour)
    second = model.advance(first.state, until=np.datetime64("2026-01-01T04:00"), step=hour)
    assert second.state.identical(whole.state)
    assert xr.concat([first.results, second.results], "time").identical(whole.results)
    assert start["amount"] == 8.0
    assert whole.events == {}
