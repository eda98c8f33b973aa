"""Latitude for longitude, and swapped words."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.harmonise.words import swap_words
from twinlab.model import parse_mapping
from twinlab.quality import findings_frame
from twinlab.quality.unit_faults import fix_text, swapped_positions, swapped_words

HOURS = 24 * 20


def labelled(values: np.ndarray, name: str) -> xr.DataArray:
    instants = np.datetime64("2026-01-05", "ns") + np.arange(len(values)) * np.timedelta64(1, "h")
    coords = {"time": instants, "asset": [f"T{number}" for number in range(values.shape[1])]}
    return xr.DataArray(values, coords, ("time", "asset"), name)


def positions(seed: int, assets: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes and longitudes of trucks that drive about Germany, with gaps."""
    random = np.random.default_rng(seed)
    lat = np.clip(
        51 + random.normal(0, 1.2, assets) + np.cumsum(random.normal(0, 0.05, (HOURS, assets)), axis=0), 47.5, 54.8
    )
    lon = np.clip(
        10 + random.normal(0, 1.2, assets) + np.cumsum(random.normal(0, 0.05, (HOURS, assets)), axis=0), 6.2, 14.8
    )
    gone = random.random(lat.shape) < 0.05
    return np.where(gone, np.nan, lat), np.where(gone, np.nan, lon)


@settings(max_examples=25)
# A truck that travels at the edge of what most do.
@example(5863, 6, 0, HOURS)
@example(617, 7, 100, HOURS)
@example(1751, 0, 100, 400)
@example(9399, 5, 0, 400)
@given(st.integers(0, 10_000), st.integers(0, 7), st.sampled_from([0, 100, 333]), st.sampled_from([400, HOURS]))
def test_swapped_coordinates_are_found_with_their_period_and_right_ones_are_not(
    seed: int, truck: int, first: int, stop: int
) -> None:
    lat, lon = positions(seed)
    assert swapped_positions(labelled(lat, "latitude"), labelled(lon, "longitude")) == []
    seen = lat.copy(), lon.copy()
    seen[0][first:stop, truck], seen[1][first:stop, truck] = lon[first:stop, truck], lat[first:stop, truck]
    (found,) = swapped_positions(labelled(seen[0], "latitude"), labelled(seen[1], "longitude"))
    assert found.asset == f"T{truck}"
    time = labelled(lat, "latitude")["time"].to_numpy()
    known = np.flatnonzero(np.isfinite(lat[:, truck]))
    assert found.since == (None if first == 0 else time[known[known >= first][0]])
    assert found.until == (None if stop == HOURS else time[known[known < stop][-1] + 1])
    assert found.confidence > 0.9


def test_one_fix_a_column_puts_the_coordinates_right() -> None:
    lat, lon = positions(3)
    lat[200:, 5], lon[200:, 5] = lon[200:, 5].copy(), lat[200:, 5].copy()
    (found,) = swapped_positions(labelled(lat, "latitude"), labelled(lon, "longitude"))
    text = """
source: boxes
tables:
  - time: {column: at, zone: UTC}
    asset: {type: truck, column: id}
    columns:
      lat: {signal: latitude}
      lon: {signal: longitude, unit: degree}
"""
    for fix, tag in zip(found.fixes, ("lat", "lon"), strict=True):
        fixed = fix_text(fix, text, tag)
        text = fixed.text
    columns = parse_mapping(text).tables[0].columns
    assert [(one.signal, one.unit, one.assets, one.valid_from) for one in columns["lat"]] == [
        ("longitude", None, ["T5"], str(found.since)[:19] + "Z"), ("latitude", None, None, None)
    ]  # fmt: skip
    assert [(one.signal, one.assets) for one in columns["lon"]] == [("latitude", ["T5"]), ("longitude", None)]
    assert fixed.line.startswith("lon: [{signal: latitude, unit: degree, assets: [T5]")
    (row,) = findings_frame([found.finding(fix=fixed.line)]).to_dict("records")
    assert (row["kind"], row["asset"], row["fix"]) == ("unit", "T5", fixed.line)


def test_where_both_readings_are_possible_nothing_is_claimed() -> None:
    random = np.random.default_rng(1)
    lat, lon = 10 + random.normal(0, 3, (2, HOURS, 6))
    lat[:, 2], lon[:, 2] = lon[:, 2].copy(), lat[:, 2].copy()
    assert swapped_positions(labelled(lat, "latitude"), labelled(lon, "longitude")) == []


def test_one_asset_is_judged_by_the_spans_or_by_what_a_latitude_can_be() -> None:
    lat, lon = positions(2, assets=1)
    assert swapped_positions(labelled(lon, "latitude"), labelled(lat, "longitude")) == []
    spans = {"latitude_span": (46.0, 55.5), "longitude_span": (3.5, 17.5)}
    assert swapped_positions(labelled(lat, "latitude"), labelled(lon, "longitude"), **spans) == []
    assert len(swapped_positions(labelled(lon, "latitude"), labelled(lat, "longitude"), **spans)) == 1
    sydney = labelled(np.full((HOURS, 1), 151.2), "latitude"), labelled(np.full((HOURS, 1), -33.9), "longitude")
    assert len(swapped_positions(*sydney)) == 1


def test_coordinates_that_do_not_fit_are_refused() -> None:
    lat, lon = positions(2)
    with pytest.raises(SchemaError, match="same coordinates"):
        swapped_positions(labelled(lat, "latitude"), labelled(lon[1:], "longitude"))


@given(st.sampled_from(["float32", "int32", "uint32"]), st.integers(0, 2**32 - 1))
def test_swapping_twice_gives_the_number_again(kind: str, bits: int) -> None:
    number = np.array([bits], dtype=np.uint32).view(kind).astype(np.float64)
    once = swap_words(number, kind)
    if np.isfinite(number).all() and np.isfinite(once).all():
        assert swap_words(once, kind)[0] == number[0]


@pytest.mark.parametrize("kind", ["float32", "int32", "uint32"])
@pytest.mark.parametrize("first", [0, 200])
def test_swapped_words_are_found_among_peers_with_their_period(kind: str, first: int) -> None:
    random = np.random.default_rng(4)
    right = 4000 + 400 * np.sin(np.arange(HOURS) / 24)[:, None] + random.normal(0, 30, (HOURS, 6))
    right = np.float32(right).astype(float) if kind == "float32" else np.rint(right)
    assert swapped_words(labelled(right, "power")) == []
    seen = right.copy()
    seen[first:, 3] = swap_words(right[first:, 3], kind)
    (found,) = swapped_words(labelled(seen, "power"))
    assert (found.asset, found.signal, found.until) == ("T3", "power", None)
    assert found.since == (None if first == 0 else labelled(seen, "power")["time"].to_numpy()[first])
    # Positive numbers are the same as int32 and as uint32.
    assert f"words of {'float32' if kind == 'float32' else 'int32'} swapped" in found.evidence
    assert found.fixes == ()


def test_a_broken_sensor_has_no_swapped_words() -> None:
    right = np.float32(2 + np.random.default_rng(5).normal(0, 3, (HOURS, 6))).astype(float)
    for wrong in (0.0, -100.0, 85.1, -9999.0, 1e30, np.nan):
        seen = right.copy()
        seen[100:, 2] = wrong
        assert swapped_words(labelled(seen, "t")) == []
    assert swapped_words(labelled(right[:0], "t")) == []
