"""Limits learnt from data: against quantiles computed slowly, robust, and equal to what the test then flags."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model import Signal
from twinlab.model.yamltext import read_yaml
from twinlab.quality import climatology_flags, learn_limits


def _year(seed: int = 1, assets: int = 3) -> xr.DataArray:
    random = np.random.default_rng(seed)
    times = pd.date_range("2025-01-01", "2026-01-01", freq="h", inclusive="left", unit="ns")
    season = 10 - 8 * np.cos(2 * np.pi * (times.day_of_year - 15) / 365)
    day = 3 * np.sin(2 * np.pi * (times.hour - 9) / 24)
    values = (season + day).to_numpy()[:, None] + random.normal(0, 1, (times.size, assets))
    coords = {"time": times.to_numpy(), "asset": list("abcdefgh")[:assets]}
    return xr.DataArray(values, coords, ("time", "asset"), "t", {"units": "degC"})


@settings(max_examples=20, deadline=None)
@given(
    by=st.sampled_from([(), ("month",), ("hour",), ("season", "hour"), ("month", "hour")]),
    hours=st.sampled_from([1, 4, 12, 24]),
    zone=st.sampled_from(["UTC", "America/New_York"]),
)
def test_each_part_has_its_own_quantiles(by: tuple, hours: int, zone: str) -> None:
    data = _year()
    found = learn_limits(data, by=by, hours=hours, zone=zone, least=80)
    local = pd.DatetimeIndex(data.time.to_numpy(), tz="UTC").tz_convert(zone)
    part = local.hour // hours if "hour" in by else np.zeros(local.size, int)
    group = local.month if "month" in by else local.month % 12 // 3 if "season" in by else np.zeros(local.size, int)
    assert len(found.spans) == len(set(zip(group, part, strict=True)))
    for span in found.spans:
        inside = data.to_numpy()[span.covers(local.month.to_numpy(), local.hour.to_numpy())]
        low, middle, high = np.quantile(inside, [0.05, 0.5, 0.95])
        expected = middle + 3 * (low - middle), middle + 3 * (high - middle)
        # Outwards, by at most a hundredth of the span.
        assert 0 <= expected[0] - span.suspect[0] + 1e-9 <= 0.011 * (high - low) * 3 + 2e-9
        assert 0 <= span.suspect[1] - expected[1] + 1e-9 <= 0.011 * (high - low) * 3 + 2e-9
    flags = climatology_flags(data, spans=found.spans, zone=zone)
    assert int((flags == 3).sum()) == round(found.share_outside * found.samples)
    assert set(np.unique(flags)) <= {1, 3} and found.samples == data.size and found.series == 3


def test_a_percent_of_wrong_values_leave_the_limits_as_they_are() -> None:
    clean, wrong = _year(), _year()
    rows = np.random.default_rng(4).random(wrong.shape) < 0.015
    wrong = wrong.where(~rows, 400.0)
    learnt = learn_limits(wrong)
    for one, other in zip(learn_limits(clean).spans, learnt.spans, strict=True):
        assert abs(one.suspect[0] - other.suspect[0]) < 1.2 and abs(one.suspect[1] - other.suspect[1]) < 6
    flags = climatology_flags(wrong, spans=learnt.spans)
    assert (flags.to_numpy()[rows] == 3).all() and (flags.to_numpy()[~rows] == 1).mean() > 0.9999
    # Flagged values aren't learnt from at all.
    known = learn_limits(wrong, flags=xr.where(wrong == 400.0, 4, 1).astype("uint8"))
    assert known.samples == int((~rows).sum())


def test_a_part_with_few_values_has_the_span_of_its_season() -> None:
    data = _year(assets=1)
    hour, month = data.time.dt.hour, data.time.dt.month
    data = data.where((hour < 20) & (month != 2))
    found = learn_limits(data, by=["month", "hour"])
    parts = {(span.months, span.hours) for span in found.spans}
    assert ((1,), (0, 24)) in parts and ((1,), (0, 4)) in parts and ((1,), (20, 24)) not in parts
    assert not any(months == (2,) for months, _ in parts)
    everything = _year(assets=1)
    flags = climatology_flags(everything, spans=found.spans).to_numpy()[:, 0]
    # Every value is judged: evenings by the span of their month, February by that of all months at its hour.
    assert set(np.unique(flags)) == {1}


def test_the_text_is_what_the_model_reads() -> None:
    found = learn_limits(_year(), by=["season"], zone="Europe/Berlin")
    text = found.yaml()
    assert text.startswith(
        "# learnt from 26,280 values of 3 series, 2025-01-01 to 2025-12-31; the 0.05 and 0.95 quantiles"
    )
    tests = read_yaml(text, name="x").data
    assert tests == {"climatology": found.options()}
    signal = Signal(unit="degC", resolution=0.1, cadence="1h", tests=tests)
    assert signal.tests["climatology"]["zone"] == "Europe/Berlin"


def test_a_constant_and_infinite_values_are_no_hindrance() -> None:
    data = _year(assets=1)
    constant = data.copy(data=np.full(data.shape, 5.0))
    constant[3] = np.inf
    low, high = learn_limits(constant, by=()).spans[0].suspect
    assert low <= 5 <= high and high - low < 0.1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"by": ["week"]}, "choice of 'month'"),
        ({"by": ["month", "season"]}, "choice of 'month'"),
        ({"hours": 5}, "divisor of 24"),
        ({"quantiles": (0.6, 0.9)}, "below and above 0.5"),
        ({"margin": 0.5}, "margin >= 1"),
        ({"zone": "Mars"}, "time zone"),
        ({"least": 10**6}, "at least 1000000 values to learn limits from, got 26280"),
    ],
)
def test_wrong_arguments_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        learn_limits(_year(), **wrong)
