"""Sensitivity: known indices of known functions."""

import numpy as np
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate import morris, sobol

pytest.importorskip("SALib")

PI = dict.fromkeys(("x", "y", "z"), (-np.pi, np.pi))


def ishigami(design):
    return np.sin(design["x"]) + 7 * np.sin(design["y"]) ** 2 + 0.1 * design["z"] ** 4 * np.sin(design["x"])


def test_sobol_indices_of_ishigami_s_function_are_the_known_ones():
    found = sobol(PI, ishigami, samples=4096)
    # Ishigami and Homma 1990, in closed form.
    np.testing.assert_allclose(found["first"], [0.3139, 0.4424, 0.0], atol=0.03)
    np.testing.assert_allclose(found["total"], [0.5576, 0.4424, 0.2437], atol=0.03)
    assert (found["total_low"] < found["total"]).all()
    assert found["parameter"].values.tolist() == ["x", "y", "z"]
    assert found.attrs["points"] == 4096 * 5


def test_morris_effects_of_a_linear_function_are_its_slopes_and_have_no_spread():
    ranges = {"x": (0, 2), "y": (0, 1), "z": (5, 6)}
    found = morris(ranges, lambda design: 3 * design["x"] - design["y"], trajectories=5)
    np.testing.assert_allclose(found["signed"], [6.0, -1.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(found["effect"], [6.0, 1.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(found["spread"], 0.0, atol=1e-9)
    product = morris({"x": (0, 1), "y": (0, 1)}, lambda design: design["x"] * design["y"], trajectories=30)
    assert (product["spread"] > 0.1).all()


def test_replications_are_averaged_point_by_point():
    def simulated(design):
        noise = np.random.default_rng(1).normal(size=8)
        values = design["x"].to_numpy()[:, None] + noise
        coords = {"scenario": list(design.index), "replication": range(8)}
        return xr.Dataset({"delay": (("scenario", "replication"), values), "n": ("replication", noise)}, coords=coords)

    found = morris({"x": (0, 1), "y": (0, 1)}, simulated, kpi="delay")
    np.testing.assert_allclose(found["signed"], [1.0, 0.0], atol=1e-9)


def test_the_same_seed_gives_the_same_indices():
    assert sobol(PI, ishigami, samples=16).identical(sobol(PI, ishigami, samples=16))
    assert sobol(PI, ishigami, samples=16, seed=3).identical(sobol(PI, ishigami, samples=16, seed=3))
    assert not sobol(PI, ishigami, samples=16).equals(sobol(PI, ishigami, samples=16, seed=1))
    assert morris(PI, ishigami).identical(morris(PI, ishigami))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sobol(PI, ishigami, samples=100), "a power of two"),
        (lambda: sobol(PI, ishigami, level=0), "level between 0 and 1"),
        (lambda: sobol({"x": (1, 0)}, ishigami), "parameter 'x'"),
        (lambda: sobol({"x": (0, 1)}, lambda d: d["x"] * np.nan, samples=4), "each of 12 points, got 12 missing"),
        (lambda: sobol({"x": (0, 1)}, lambda d: [1.0], samples=4), r"each of 12 points, got \(1,\) as shape"),
        (
            lambda: sobol({"x": (0, 1)}, lambda d: d["x"] * 0, samples=4),
            "depends on a parameter, got 0 at all 12 points",
        ),
        (lambda: morris(PI, ishigami, trajectories=1), "at least 2 trajectories"),
    ],
)
def test_what_does_not_fit_is_an_error(call, message):
    with pytest.raises(SchemaError, match=message):
        call()


def test_without_salib_the_error_names_the_extra(monkeypatch):
    from twinlab.simulate.experiments import sensitivity

    monkeypatch.setattr(sensitivity.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"twinlab-kit\[simulate\]"):
        morris(PI, ishigami)
