"""Random numbers by counter, against known answers; draws, against their means, variances and scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from twinlab.simulate.kernel.loops.draws import draw, normal_quantile
from twinlab.simulate.kernel.loops.random import philox, uniform
from twinlab.simulate.kernel.plan_records import DISTRIBUTION
from twinlab.simulate.network import distributions as d

#: From the file kat_vectors of Random123: counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
CASES = [
    (d.Constant(value="4 s"), None),
    (d.Exponential(mean="3 s"), stats.expon(scale=3)),
    (d.Uniform(low="1 s", high="3 s"), stats.uniform(1, 2)),
    (d.Triangular(low="1 s", mode="2 s", high="5 s"), stats.triang(0.25, 1, 4)),
    (d.Normal(mean="1 s", sd="2 s"), stats.truncnorm(-0.5, np.inf, 1, 2)),
    (d.LogNormal(mean="10 s", cv=0.5), stats.lognorm(math.sqrt(math.log(1.25)), scale=10 / math.sqrt(1.25))),
    (d.Gamma(mean="10 s", cv=2), stats.gamma(0.25, scale=40)),
    (d.Gamma(mean="10 s", cv=0.3), stats.gamma(1 / 0.09, scale=0.9)),
    (d.Erlang(mean="9 s", phases=3), stats.gamma(3, scale=3)),
    (d.Weibull(shape=0.7, scale="5 s"), stats.weibull_min(0.7, scale=5)),
]


def drawn(one: d.TimeDistribution, count: int, *, owner: int = 1) -> np.ndarray:
    row = np.zeros(1, DISTRIBUTION)
    row["kind"] = one.code
    for field, value in zip("abc", one.parameters, strict=False):
        row[field] = value
    values = np.array(one.values_seconds or (0.0,))
    u = np.uint64
    return np.array([draw(row, values, 0, u(i), u(owner), u(2), u(4), u(9), u(3)) for i in range(count)])


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_philox_gives_the_known_answers(counter, key, result):
    assert tuple(int(word) for word in philox(*map(np.uint64, (*counter, *key)))) == result


def test_a_uniform_number_is_never_0_or_1():
    assert 0 < uniform(np.uint64(0), np.uint64(0)) < 1e-15
    # 53 bits would be rounded up to 1.
    assert 1 - 2e-16 < uniform(np.uint64(2**32 - 1), np.uint64(2**32 - 1)) < 1


def test_the_normal_quantile_agrees_with_scipy():
    u = np.array([1e-300, 1e-20, 1e-5, 0.01, 0.3, 0.5, 0.9, 1 - 1e-10])
    np.testing.assert_allclose([normal_quantile(x) for x in u], stats.norm.ppf(u), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(("one", "theory"), CASES, ids=lambda case: getattr(case, "kind", ""))
def test_draws_follow_the_distribution(one, theory):
    numbers = drawn(one, 4000)
    if theory is None:
        assert set(numbers) == {one.mean_seconds}
        return
    assert one.mean_seconds == pytest.approx(theory.mean(), rel=1e-9)
    assert one.variance == pytest.approx(theory.var(), rel=1e-9)
    # The counters are fixed, so that this can't fail by chance.
    assert stats.kstest(numbers, theory.cdf).pvalue > 0.001
    assert numbers.min() >= 0


def test_an_empirical_distribution_draws_its_values_equally_often():
    one = d.Empirical(values=(3, 1, 2, 2), unit="min")
    assert (one.mean_seconds, one.variance) == (120.0, 1800.0)
    values, counts = np.unique(drawn(one, 4000), return_counts=True)
    assert values.tolist() == [60.0, 120.0, 180.0]
    assert stats.chisquare(counts, [1000, 2000, 1000]).pvalue > 0.001


def test_two_owners_have_unrelated_numbers():
    one, other = (drawn(d.Exponential(mean="1 s"), 4000, owner=owner) for owner in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05
