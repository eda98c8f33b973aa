"""Coverage and errors from predictions whose truth is known: as promised, or worse."""

import numpy as np
import pytest
import xarray as xr

from tests.predict.conftest import START
from twinlab.predict.models.check import checked_outcomes, outcomes_together, predictions_of
from twinlab.predict.models.outcomes import Outcomes, coverage_of, growth_of_errors, has_grown
from twinlab.predict.predictions.joining import join
from twinlab.predict.predictions.schema import CANT_TELL

LEADS = np.array([6, 12], "timedelta64[h]").astype("timedelta64[ns]")


def predictions(count, *, spread=1.0, seed=0, begin=0, version="v1", assets=20):
    """Intervals of 90 % of a normal error of scale 1, and the truth with an error of ``spread``."""
    rng = np.random.default_rng(seed)
    issued = START + np.arange(begin, begin + count) * np.timedelta64(6, "h")
    true = rng.normal(0, spread, (count, 2, assets))
    values = np.broadcast_to([-1.645, 0.0, 1.645], (*true.shape, 3)).copy()
    coords = {
        "issue_time": issued.astype("datetime64[ns]"),
        "lead_time": LEADS,
        "asset": np.array([f"A{k}" for k in range(assets)], object),
    }
    dims = tuple(coords)
    attrs = dict.fromkeys(("target", "model", "model_hash", "training_start", "training_stop"), "")
    data = xr.Dataset(
        {"t": ((*dims, "quantile"), values, {"units": "degC", "kind": "quantiles"}), CANT_TELL: (dims, np.zeros(true.shape, "uint16"), {"reasons": [""]})},
        coords={**coords, "quantile": [0.05, 0.5, 0.95]},
        attrs=attrs | {"target": "t", "model_hash": version},
    )  # fmt: skip
    return data, xr.DataArray(true, dims=dims, coords=coords)


def outcomes(count, **options):
    return Outcomes.of(*predictions(count, **options))


def test_coverage_is_that_of_the_widest_interval_against_its_promise():
    found = coverage_of(outcomes(60))
    assert found.promised == pytest.approx(0.9)
    assert found.low < 0.9 < found.high
    assert not found.below
    worse = coverage_of(outcomes(60, spread=1.6))
    assert worse.below
    assert worse.now < 0.75


def test_kept_promises_are_hardly_ever_reported_as_broken():
    # Few assets, so that chance is large; 0.5 % of 200 is 1.
    reports = [coverage_of(outcomes(40, seed=seed, assets=2)).below for seed in range(200)]
    assert sum(reports) <= 4


def test_errors_that_have_grown_are_found_and_others_are_not():
    before = outcomes(40, seed=1)
    factor, p = growth_of_errors(before, outcomes(40, seed=2))
    assert factor == pytest.approx(1, abs=0.1)
    assert not has_grown(factor, p)
    factor, p = growth_of_errors(before, outcomes(40, seed=2, spread=2))
    assert factor == pytest.approx(2, abs=0.2)
    assert has_grown(factor, p)
    factor, p = growth_of_errors(before, outcomes(40, seed=2, spread=0.5))
    assert not has_grown(factor, p)


def test_the_check_compares_with_earlier_outcomes_or_says_that_it_cannot():
    parts, coverage = checked_outcomes(outcomes(40, spread=2, seed=3), outcomes(40))
    assert {part: answer for part, (answer, _) in parts.items()} == {
        "coverage": "retrain proposed",
        "errors": "retrain proposed",
    }
    assert coverage.issue_times == 40
    parts, _ = checked_outcomes(outcomes(40, seed=3), None)
    assert parts["coverage"][0] == "fine"
    assert parts["errors"][0] == "can't tell"
    assert "at least 12 are needed" in parts["errors"][1]
    parts, none = checked_outcomes(outcomes(5), outcomes(40))
    assert none is None
    assert "5 issue times have a known outcome; at least 12" in parts["coverage"][1]


def test_long_ago_outcomes_are_what_errors_are_compared_with_if_there_are_no_others():
    old, new = predictions(80, seed=1), predictions(60, seed=2, begin=80, spread=2)
    data, truth = join([old[0], new[0]]), xr.concat([old[1], new[1]], "issue_time")
    parts, _ = checked_outcomes(Outcomes.of(data, truth), None)
    assert parts["errors"][0] == "retrain proposed"
    assert "80 earlier issue times" in parts["errors"][1]


def test_a_probability_has_errors_and_no_coverage():
    data, truth = predictions(30)
    chance = data.isel(quantile=1, drop=True)
    chance["t"] = (chance["t"] * 0 + 0.25).assign_attrs(units="1", kind="probability")
    found = Outcomes.of(chance, xr.zeros_like(truth))
    assert np.allclose(found.loss, 0.0625)
    parts, coverage = checked_outcomes(found, found)
    assert set(parts) == {"errors"}
    assert coverage is None


def test_only_the_predictions_of_a_version_count():
    one, two = predictions(3)[0], predictions(4, begin=3, version="v2")[0]
    both = join([one, two])
    assert predictions_of(both, "v1").sizes["issue_time"] == 3
    assert predictions_of(both, "v2").sizes["issue_time"] == 4
    assert predictions_of(both, "v3") is None
    assert predictions_of(one, "v1").sizes["issue_time"] == 3
    assert predictions_of(one, "v2") is None


def test_outcomes_that_are_not_known_yet_do_not_count():
    data, truth = predictions(10)
    found = Outcomes.of(data, truth.where(truth["issue_time"] < truth["issue_time"].values[4]))
    assert len(found.issued) == 4
    assert not found.enough
    none = Outcomes.of(data, truth * np.nan)
    assert outcomes_together([none]) is None
    together = outcomes_together([outcomes(5, begin=9), found, none])
    assert len(together.issued) == 9
    assert (np.diff(together.issued) > 0).all()
