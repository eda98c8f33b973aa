"""Fits of distributions: families found again, goodness of fit, censored values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate.calibration.censored import kaplan_meier
from twinlab.simulate.calibration.distributions import fit_distribution
from twinlab.simulate.calibration.families import FAMILIES

DRAWS = {
    "exponential": lambda random, n: random.exponential(600, n),
    "lognormal": lambda random, n: random.lognormal(6, 0.5, n),
    "gamma": lambda random, n: random.gamma(4, 100, n),
    "weibull": lambda random, n: 500 * random.weibull(3.0, n),
}


@pytest.mark.parametrize("family", sorted(DRAWS))
def test_the_family_that_values_come_from_fits(family):
    values = DRAWS[family](np.random.default_rng(3), 800)
    fit = fit_distribution(values)
    assert fit.fits
    assert fit_distribution(values, candidates=[family, "empirical"]).family == family
    # The fitted quantiles are near those of the values, whichever family was chosen.
    assert np.allclose(fit.quantile([0.1, 0.5, 0.9]), np.quantile(values, [0.1, 0.5, 0.9]), rtol=0.08)
    assert fit.mean == pytest.approx(values.mean(), rel=0.03)


@pytest.mark.parametrize(
    ("family", "peer"), [("gamma", stats.gamma), ("weibull", stats.weibull_min), ("lognormal", stats.lognorm)]
)
def test_parameters_are_those_of_scipy(family, peer):
    values = DRAWS[family](np.random.default_rng(5), 400)
    ours, (shape, _, scale) = FAMILIES[family].fit(values), peer.fit(values, floc=0)
    theirs = (np.log(scale), shape) if family == "lognormal" else (shape, scale)
    assert np.allclose(ours, theirs, rtol=1e-3)
    assert np.allclose(FAMILIES[family].cdf(values, ours), peer.cdf(values, shape, 0, scale), atol=1e-3)


@pytest.mark.parametrize("family", sorted(FAMILIES))
@given(u=st.floats(0.001, 0.999), scale=st.floats(0.5, 5))
def test_quantile_is_the_inverse_of_the_distribution_function(family, u, scale):
    parameters = np.array([scale, 1.3])[: len(FAMILIES[family].names)]
    x = FAMILIES[family].quantile(np.array([u]), parameters)
    assert FAMILIES[family].cdf(x, parameters)[0] == pytest.approx(u, rel=1e-6)


def test_what_fits_no_family_is_kept_as_it_is():
    random = np.random.default_rng(2)
    values = np.concatenate([random.normal(600, 20, 300), random.normal(1500, 50, 300)])
    fit = fit_distribution(values)
    assert (fit.family, fit.fits) == ("empirical", False)
    assert "doesn't fit" in fit.words
    assert np.allclose(fit.quantile([0.25, 0.75]), np.quantile(values, [0.25, 0.75]), rtol=0.01)
    assert fit.cdf(fit.quantile(0.3)) == pytest.approx(0.3)


def test_the_test_rejects_a_true_family_about_as_rarely_as_it_says():
    rejected = [
        not fit_distribution(
            np.random.default_rng(number).lognormal(0, 0.7, 60),
            candidates=["lognormal", "empirical"],
            bootstrap=99,
            seed=number,
        ).fits
        for number in range(120)
    ]
    assert np.mean(rejected) <= 0.1


def test_censored_lifetimes_give_the_parameters_of_all_lifetimes():
    random = np.random.default_rng(4)
    lasting, limit = 100 * random.weibull(1.8, 600), random.uniform(20, 200, 600)
    fit = fit_distribution(np.minimum(lasting, limit), censored=limit < lasting, candidates=["weibull"], bootstrap=19)
    assert fit.parameters["shape"] == pytest.approx(1.8, rel=0.12)
    assert fit.parameters["scale"] == pytest.approx(100, rel=0.08)
    assert fit.censored == np.count_nonzero(limit < lasting)
    # Without the censored values, long ones are missed.
    assert fit_distribution(lasting[limit >= lasting], candidates=["weibull"]).mean < 0.85 * fit.mean


@given(st.lists(st.tuples(st.floats(0.1, 50), st.booleans()), min_size=1, max_size=30))
def test_kaplan_meier_is_that_of_scipy(pairs):
    values = np.array([value for value, _ in pairs])
    censored = np.array([cut for _, cut in pairs])
    times, ended = kaplan_meier(values, censored)
    if censored.all():
        assert not len(times)
        return
    theirs = stats.ecdf(stats.CensoredData.right_censored(values, censored)).cdf
    assert np.allclose(ended, theirs.evaluate(times))


def test_the_unknown_tail_of_censored_values_is_stated():
    fit = fit_distribution([1.0, 2.0, 3.0, 4.0], censored=[False, False, True, True], candidates=["empirical"])
    assert "50% hadn't ended" in fit.words
    assert fit.quantile(1.0) == 4.0


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([], {}, "at least one value"),
        ([float("nan")], {}, "at least one value"),
        ([1.0, float("inf")], {}, "1 infinite"),
        ([1.0, 2.0], {"censored": [True, True]}, "all 2 values are censored"),
        ([1.0, 2.0], {"censored": [True]}, "each of 2 values, got 1"),
        ([0.0, 2.0], {"candidates": ["gamma"]}, "1 values are zero or negative"),
    ],
)
def test_values_that_say_nothing_are_refused(values, options, message):
    with pytest.raises(SchemaError, match=message):
        fit_distribution(values, **options)


def test_an_unknown_family_is_named():
    with pytest.raises(UnknownTermError, match="lognormal"):
        fit_distribution([1.0], candidates=["lognorma"])


def test_whole_minutes_are_no_reason_to_reject():
    values = np.maximum(np.round(np.random.default_rng(6).exponential(300, 900) / 60), 1) * 60
    assert (
        fit_distribution(values, candidates=["exponential", "empirical"], resolution=60).p_value
        > fit_distribution(values, candidates=["exponential", "empirical"]).p_value
    )
