"""Conformance check of a model of a system: what runs, experiments and the scenario store rely on."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.simulate.protocol import Advanced, BatchModel, Model
from twinlab.simulate.states.files import load_state, save_state
from twinlab.simulate.states.forks import fork

__all__ = ["check_model"]

_COLUMNS = ("event_id", "type", "asset", "start", "end")


def check_model(
    model: Model,
    *,
    start: str = "2026-01-05T00:00",
    step: str = "1h",
    cells: int = 8,
    cuts: Sequence[int] = (1, 3, 7),
    seed: int = 7,
    random: bool = True,
    forks: bool = True,
) -> None:
    """Check that a model starts, advances, resumes and forks as twinlab relies on it.

    The state and the results have the names, dims and attributes of the protocol; a state that was advanced is unchanged; a run with
    stops in between, whose states are saved and loaded, equals the unbroken run, bit for bit; a replication depends on nothing
    but seed and number; a `BatchModel` returns what `advance` does.

    Parameters
    ----------
    model : Model
        The model.
    start : str
        Start of the runs, UTC.
    step : str
        Width of a cell.
    cells : int
        Length of the runs, in cells.
    cuts : sequence of int
        Where a run is interrupted, in cells after the start.
    seed : int
        Seed of the runs.
    random : bool
        Whether replications differ.
    forks : bool
        Whether states after the start can be forked.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.
    """
    _check(isinstance(model, Model), f"{type(model).__name__} lacks a method of twinlab.simulate.Model")
    _check(bool(model.name), "the model has no name")
    found = model.content_hash()
    _check(re.fullmatch(r"[0-9a-f]{16,}", found) is not None, f"the content hash isn't hexadecimal: {found!r}")
    _check(model.content_hash() == found, "the content hash isn't the same twice")
    begin = np.datetime64(start, "ns")
    run = _Run(model, begin, np.timedelta64(pd.Timedelta(step).value, "ns"), cells)
    state = model.initial_state(start=begin, seed=seed, replication=3)
    _check_state(model, state, begin, seed, 3)
    same = model.initial_state(start=begin, seed=seed, replication=3)
    _check(state.identical(same), "the initial state isn't the same twice")
    whole = run.to(state, cells)
    _check(state.identical(same), "advance has changed the state that it was given")
    _check_state(model, whole.state, run.at(cells), seed, 3, start=begin)
    _check_results(whole.results, run.times(0, cells))
    _check_same(run.to(state, cells), whole, "the second time")
    for cut in cuts:
        _check_same(run.broken(state, (cut,)), whole, f"after a stop at cell {cut}")
    _check_same(run.broken(state, tuple(cuts)), whole, "after several stops")
    _check_replications(run, seed, whole, random=random)
    if forks:
        _check_forks(run, state, random=random)
    _check_events(run, state)
    if isinstance(model, BatchModel):
        _check_batch(run, state)


class _Run:
    def __init__(self, model: Model, start: np.datetime64, step: np.timedelta64, cells: int) -> None:
        self.model, self.start, self.step, self.cells = model, start, step, cells

    def at(self, cell: int) -> np.datetime64:
        return self.start + cell * self.step

    def times(self, first: int, last: int) -> np.ndarray:
        return np.array([self.at(cell) for cell in range(first, last)])

    def to(self, state: xr.Dataset, cell: int) -> Advanced:
        return self.model.advance(state, until=self.at(cell), step=self.step)

    def broken(self, state: xr.Dataset, cuts: tuple[int, ...]) -> Advanced:
        """Advance with stops, at each of which the state is saved and loaded; signals of all parts, KPIs of the last."""
        parts = []
        for cut in (*cuts, self.cells):
            done = self.to(state, cut)
            parts.append(done.results)
            with tempfile.TemporaryDirectory() as folder:
                save_state(done.state, f"{folder}/state.zarr")
                state = load_state(f"{folder}/state.zarr")
        signals = [part[[name for name in part if "time" in part[name].dims]] for part in parts]
        return Advanced(state, xr.concat(signals, "time", data_vars="all") if signals[0] else xr.Dataset())


def _check_state(
    model: Model,
    state: xr.Dataset,
    time: np.datetime64,
    seed: int,
    replication: int,
    *,
    start: np.datetime64 | None = None,
) -> None:
    wanted = {"start": time if start is None else start, "time": time, "seed": seed, "replication": replication}
    for name, value in wanted.items():
        _check(name in state.variables, f"the state has no variable {name!r}")
        _check(state[name].ndim == 0, f"the state's {name!r} isn't a scalar")
        kind = "datetime64[ns]" if name in ("start", "time") else "int64"
        _check(state[name].dtype == kind, f"the state's {name!r} is {state[name].dtype}, not {kind}")
        _check(bool(state[name].values == value), f"the state's {name!r} is {state[name].values}, not {value}")
    attrs = {"model": model.name, "model_hash": model.content_hash()}
    for name, text in attrs.items():
        _check(
            state.attrs.get(name) == text, f"the state's attribute {name!r} is {state.attrs.get(name)!r}, not {text!r}"
        )
    objects = [
        name for name, values in state.variables.items() if values.dtype.kind == "O" and not _texts(values.values)
    ]
    _check(not objects, f"the state has Python objects, which can't be saved: {objects}")


def _texts(values: np.ndarray) -> bool:
    return all(isinstance(value, str) for value in values.ravel())


def _check_results(results: xr.Dataset, times: np.ndarray) -> None:
    _check(len(results.data_vars) > 0, "the results are empty")
    for name, values in results.data_vars.items():
        _check("units" in values.attrs, f"the result {name!r} has no attribute 'units'")
        if "time" not in values.dims:
            _check(values.ndim == 0, f"the result {name!r} has dims {values.dims}, without 'time'")
            better = values.attrs.get("better")
            _check(
                better in (None, "higher", "lower"), f"the KPI {name!r} has better={better!r}, not 'higher' or 'lower'"
            )
            continue
        _check(np.array_equal(values["time"].values, times), f"the times of {name!r} aren't the starts of the cells")
        more = [dim for dim in values.dims if dim != "time"]
        _check(len(more) <= 1, f"the signal {name!r} has dims {values.dims}; expected 'time' and an asset type")
        if more:
            kind = values.attrs.get("asset_type")
            _check(kind == more[0], f"the signal {name!r} has dim {more[0]!r}, and asset_type={kind!r}")
            _check(
                str(name) == f"{kind}_{values.attrs.get('signal')}",
                f"the signal {name!r} isn't called <asset_type>_<signal>",
            )


def _check_same(found: Advanced, wanted: Advanced, when: str) -> None:
    _check(found.state.identical(wanted.state), f"the state is another one {when}")
    signals = [{name for name, v in each.results.data_vars.items() if "time" in v.dims} for each in (found, wanted)]
    _check(signals[0] == signals[1], f"there are other signals {when}: {sorted(map(str, signals[0] ^ signals[1]))}")
    for name, values in found.results.data_vars.items():
        same = values.identical(wanted.results[name])
        _check(same, f"the result {name!r} is another one {when}")


def _check_replications(run: _Run, seed: int, whole: Advanced, *, random: bool) -> None:
    states = [
        run.model.initial_state(start=run.start, seed=s, replication=r)
        for s, r in ((seed, 4), (seed + 1, 3), (seed, 3))
    ]
    other, reseeded, again = (run.to(state, run.cells) for state in states)
    _check_same(again, whole, "after other replications were run")
    if random:
        _check(not other.results.equals(whole.results), "replications 3 and 4 have the same results")
        _check(not reseeded.results.equals(whole.results), "two seeds have the same results")


def _check_forks(run: _Run, state: xr.Dataset, *, random: bool) -> None:
    middle = run.cells // 2
    half = run.to(state, middle).state
    kept = run.to(half, run.cells)
    forks = [fork(half, replication=number) for number in (11, 12, 11)]
    ends = [run.to(fork, run.cells) for fork in forks]
    _check_same(ends[2], ends[0], "in a second fork to the same replication")
    _check_same(run.to(half, run.cells), kept, "after the state was forked")
    later = run.to(forks[0], run.cells - 1).state
    _check(run.to(later, run.cells).state.identical(ends[0].state), "a fork that is resumed ends in another state")
    if random:
        reseeded = run.to(fork(half, replication=11, seed=int(half["seed"]) + 1), run.cells)
        _check(not ends[0].results.equals(reseeded.results), "forks with two seeds have the same results")
        _check(not ends[0].results.equals(ends[1].results), "forks to replications 11 and 12 have the same results")


def _check_events(run: _Run, state: xr.Dataset) -> None:
    traced = run.model.advance(state, until=run.at(run.cells), step=run.step, trace=True)
    _check_same(traced, run.to(state, run.cells), "with trace=True")
    for kind, table in traced.events.items():
        missing = [name for name in _COLUMNS if name not in table.columns]
        _check(not missing, f"the event table {kind!r} lacks the columns {missing}")


def _check_batch(run: _Run, state: xr.Dataset) -> None:
    assert isinstance(run.model, BatchModel)
    numbers = [5, 3, 9]
    many = run.model.advance_many(state, replications=numbers, until=run.at(run.cells), step=run.step)
    for number in numbers:
        alone = run.to(fork(state, replication=number), run.cells).results
        batch = many.sel(replication=number)
        for name, values in alone.data_vars.items():
            same = np.array_equal(batch[name].transpose(*values.dims).values, values.values, equal_nan=True)
            _check(same, f"the result {name!r} of replication {number} isn't that of advance")


def _check(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise AssertionError(message)
