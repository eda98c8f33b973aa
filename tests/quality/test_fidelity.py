"""How far values are from true ones: errors by their definition, coverage, flags, delays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from twinlab.errors import UnitError, UnknownTermError
from twinlab.quality import arrival_delays, signal_fidelity

ASSETS = ["a", "b"]


def dataset(values: object, *, name: str = "temperature", flags: object = None, **about: object) -> xr.Dataset:
    array = np.asarray(values, dtype=np.float64)
    coords = {"time": pd.date_range("2026-03-01", periods=len(array), freq="1min"), "asset": ASSETS[: array.shape[1]]}
    found = xr.Dataset({name: (("time", "asset"), array, {"units": "degC", **about})}, coords)
    if flags is not None:
        found[f"{name}_qc"] = (("time", "asset"), np.asarray(flags))
    return found


CELLS = hnp.arrays(np.float64, (7, 2), elements=st.floats(-100, 100) | st.just(np.nan))
FLAGS = hnp.arrays(np.uint8, (7, 2), elements=st.sampled_from([1, 2, 3, 4, 9]))


@given(CELLS, CELLS, FLAGS, st.floats(0, 50))
def test_errors_are_those_of_the_cells_that_both_have(
    true: np.ndarray, seen: np.ndarray, flags: np.ndarray, tolerance: float
) -> None:
    found = signal_fidelity(
        dataset(seen, flags=flags), dataset(true), tolerances={"temperature": tolerance}
    ).loc["temperature"]  # fmt: skip
    pairs = [(s - t, f) for s, t, f in zip(seen.ravel(), true.ravel(), flags.ravel(), strict=True) if s == s and t == t]  # noqa: PLR0124
    assert found.cells == np.isfinite(true).sum()
    assert found.compared == len(pairs)
    if not pairs:
        assert np.isnan([found["mae"], found["wrong"], found["max_unflagged"]]).all()
        return
    sizes = np.array([abs(error) for error, _ in pairs])
    assert found["mae"] == pytest.approx(sizes.mean())
    assert found["bias"] == pytest.approx(np.mean([error for error, _ in pairs]), abs=1e-9)
    assert found["rmse"] == pytest.approx(np.sqrt((sizes**2).mean()))
    assert found["max"] == sizes.max()
    wrong = [flag for (_, flag), size in zip(pairs, sizes, strict=True) if size > tolerance * (1 + 1e-6)]
    assert found["wrong"] == pytest.approx(len(wrong) / len(pairs))
    if wrong:
        assert found["wrong_flagged"] == pytest.approx(sum(flag in (3, 4) for flag in wrong) / len(wrong))
    unflagged = [size for (_, flag), size in zip(pairs, sizes, strict=True) if flag not in (3, 4)]
    assert unflagged == [] or found["max_unflagged"] == max(unflagged)


def test_cells_that_the_history_lacks_lower_the_coverage() -> None:
    true = dataset(np.ones((4, 2)))
    seen = dataset([[1.0], [1.0], [np.nan]])
    found = signal_fidelity(seen, true).loc["temperature"]
    assert (found.cells, found.compared, found.coverage) == (8, 2, 0.25)
    by = signal_fidelity(seen, true, by_asset=True)
    assert by.coverage.to_dict() == {("temperature", "a"): 0.5, ("temperature", "b"): 0.0}


def test_truth_in_another_unit_is_converted() -> None:
    found = signal_fidelity(dataset([[20.0]]), dataset([[68.0]], units="degF")).loc["temperature"]
    assert (found.unit, found["max"]) == ("degC", pytest.approx(0, abs=1e-12))
    with pytest.raises(UnitError, match=r"the truth of 'temperature' is in 'km', which can't be converted to 'degC'"):
        signal_fidelity(dataset([[20.0]]), dataset([[68.0]], units="km"))


def test_states_are_right_or_wrong_and_have_no_error() -> None:
    about = {"kind": "state", "units": None}
    seen, true = dataset([[0.0], [1.0], [1.0]], name="door", **about), dataset([[0.0], [1.0], [0.0]], name="door")
    found = signal_fidelity(seen, true).loc["door"]
    assert found.unit == ""
    assert found.wrong == pytest.approx(1 / 3)
    assert np.isnan([found["bias"], found["max"]]).all()


def test_errors_up_to_the_resolution_are_not_wrong() -> None:
    true = dataset([[4.0], [4.0]])
    assert signal_fidelity(dataset([[4.1], [4.3]], resolution=0.1), true).loc["temperature"].wrong == 0.5
    assert signal_fidelity(dataset([[4.1], [4.3]]), true).loc["temperature"].wrong == 1.0


def test_unknown_signals_are_named() -> None:
    with pytest.raises(UnknownTermError, match=r"got 'temprature'; did you mean 'temperature'\?"):
        signal_fidelity(dataset([[1.0]]), dataset([[1.0]]), tolerances={"temprature": 1.0})
    with pytest.raises(UnknownTermError, match="got 'speed'"):
        signal_fidelity(dataset([[1.0]]), dataset([[1.0]], name="speed"))


def test_a_delay_is_that_of_the_first_observation_of_a_true_row() -> None:
    minute = np.datetime64("2026-03-01", "ns") + np.arange(4) * np.timedelta64(1, "m")
    second = np.timedelta64(1, "s")
    truth = pd.DataFrame({"asset": ["a", "a", "b", "a"], "time": minute, "recorded": minute + 100 * second})
    arrivals = pd.DataFrame({
        "asset": ["a", "a", "a", "a", "b", "c"], "signal": "speed",
        # Of the first row twice, later of the first row than `within`, before the last row happened, of the third, of no row.
        "time": [minute[0], minute[0] + 5 * second, minute[0] + 59 * second, minute[3], minute[2], minute[1]],
        "ingest_time": [minute[0] + 107 * second, minute[0] + 103 * second, minute[2], minute[3], minute[2] + 160 * second, minute[3]],
    })  # fmt: skip
    found = arrival_delays(arrivals, truth, within=np.timedelta64(30, "s"))
    assert found[["asset", "time", "delay"]].values.tolist() == [
        ["a", pd.Timestamp(minute[0]), 3.0],
        ["b", pd.Timestamp(minute[2]), 60.0],
    ]
