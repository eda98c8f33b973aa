"""Limits that depend on the asset: each asset is judged as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model import AssetType, PropertySpec, Signal
from twinlab.quality import flag_cells, signal_flags

SPANS = st.tuples(st.integers(-8, 0), st.integers(1, 8)).map(lambda span: tuple(map(float, span)))
TESTS = st.sampled_from(
    [
        {},
        {"spike": (1, 3)},
        {"max_rate": (0.02, 0.1), "flat_line": "3min", "gap": "2min"},
        {"kind": "counter", "wraps_at": 7},
        {"heartbeat": "4min", "tests": {"spike": {"suspect": 1, "fail": 3}}},
    ]
)
PROPERTIES = {"low": PropertySpec(dtype="number", unit="m"), "high": PropertySpec(dtype="integer", unit="cm")}
ASSETS = ("A", "B2", "B3", "C")
ENTRIES = st.dictionaries(st.sampled_from(["A", "B2", "/^B/", "/[23]$/", "C"]), SPANS, max_size=3)


@st.composite
def spans_of_assets(draw):
    given = {"assets": draw(ENTRIES)}
    if draw(st.booleans()):
        given["from"] = draw(st.sampled_from([["low", "high"], ["low", 5], [-6, "high"]]))
    if not given["assets"] and "from" not in given:
        return draw(SPANS | st.none())
    default = draw(st.none() | SPANS)
    return given if default is None else {**given, "default": default}


def expected_span(span, asset, properties):
    """The span of one asset, by the sentences of the documentation."""
    if not isinstance(span, dict):
        return span
    if asset in span["assets"]:
        return span["assets"][asset]
    for name, one in span["assets"].items():
        if (name == "/^B/" and asset.startswith("B")) or (name == "/[23]$/" and asset[-1] in "23"):
            return one
    if "from" in span:
        low, high = (properties.get(asset, {}).get(one) if isinstance(one, str) else one for one in span["from"])
        # `high` is in cm.
        high = high / 100 if high is not None and isinstance(span["from"][1], str) else high
        if low is not None and high is not None and low < high:
            return float(low), float(high)
    return span.get("default")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.none() | st.integers(-9, 9), min_size=4, max_size=4), min_size=1, max_size=24),
    spans_of_assets(),
    spans_of_assets(),
    TESTS,
    st.dictionaries(
        st.sampled_from(ASSETS),
        st.fixed_dictionaries({}, optional={"low": st.integers(-8, 3), "high": st.integers(-800, 800) | st.none()}),
    ),
    st.integers(0, 3),
)
def test_each_asset_is_judged_as_if_it_were_alone_with_its_own_span(rows, sensor, expected, tests, properties, margin):
    values = np.array(rows, dtype=float)
    margin = min(margin, len(values) - 1)
    # The model refuses an expected span beyond the sensor's; this is about what is judged.
    signal = Signal(unit="m", resolution=0.5, **tests).model_copy(
        update={
            "sensor_span": Signal(resolution=0.5, sensor_span=sensor).sensor_span,
            "expected_span": Signal(resolution=0.5, expected_span=expected).expected_span,
        }
    )
    spec = AssetType.model_construct(signals={"x": signal}, properties=PROPERTIES)
    limits = spec.limits("x", ASSETS, properties)
    together = flag_cells(values, signal=signal, margin_before=margin, limits_of_assets=limits)
    for column, asset in enumerate(ASSETS):
        spans = {
            name: expected_span(span, asset, properties)
            for name, span in (("sensor_span", sensor), ("expected_span", expected))
        }
        alone = flag_cells(values[:, [column]], signal=signal.model_copy(update=spans), margin_before=margin)
        assert together[:, column].tolist() == alone[:, 0].tolist(), (asset, spans)


def test_labelled_flags_need_one_span_for_all():
    hours = np.datetime64("2026-01-01", "ns") + np.arange(4) * np.timedelta64(1, "h")
    signal = Signal(unit="m", resolution=0.5, cadence="1h", expected_span={"assets": {"A": [0, 1]}})
    with pytest.raises(
        SchemaError, match="expected one span for all assets, got expected_span that depends on the asset"
    ):
        signal_flags(xr.DataArray(np.zeros(4), {"time": hours}, "time"), signal=signal)


def test_a_signal_whose_span_depends_on_the_asset_is_not_judged_without_the_limits():
    signal = Signal(unit="m", resolution=0.5, sensor_span={"assets": {"A": [0, 1]}})
    with pytest.raises(SchemaError, match="expected the limits of 2 assets, since sensor_span of the signal depends"):
        flag_cells(np.zeros((3, 2)), signal=signal)
    with pytest.raises(SchemaError, match=r"got shape \(4, 3\)"):
        flag_cells(np.zeros((3, 2)), signal=signal, limits_of_assets=np.zeros((4, 3)))
