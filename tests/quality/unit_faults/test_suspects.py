"""Suspects: what is found, what isn't, and what a fix does to it."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnitError
from twinlab.model.units import convert
from twinlab.quality import findings_frame, suspect_units
from twinlab.quality.unit_faults import Suspect

HOUR = np.timedelta64(1, "h")
#: Kind of a signal -> unit, and units that may be written instead.
SIGNALS = {
    "temperature": ("degC", ("degF", "K")),
    "speed": ("km/h", ("mph", "m/s")),
    "battery": ("%", ("1",)),
    "pressure": ("kPa", ("psi", "bar")),
    "energy": ("kWh", ("Wh",)),
}


def fleet(kind: str, seed: int, *, assets: int = 12, days: int = 21) -> xr.DataArray:
    """Return hourly values of assets of one type that differ by some percent, with a daily cycle, noise and gaps."""
    random = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    daily = np.sin(2 * np.pi * hours / 24)[:, None]
    noise = random.normal(0.0, 1.0, (hours.size, assets))
    own = random.uniform(-1.7, 1.7, assets)
    if kind == "temperature":
        season = 0.2 * hours[:, None] / 24
        values = 4.0 + season + 0.5 * own + 1.5 * daily + 0.4 * noise
    elif kind == "speed":
        values = np.where(random.random(noise.shape) < 0.4, 0.0, np.clip(75 + 2 * own + 6 * noise, 1, 95))
    elif kind == "battery":
        values = 60 + 2 * own + 25 * daily + 5 * noise
    elif kind == "pressure":
        values = 700 * (1 + 0.03 * own) + 20 * daily + 6 * noise
    else:
        values = 40 * np.exp(0.15 * own) * (1.2 + daily) * np.exp(0.1 * noise) + 1.0
    values[random.random(values.shape) < 0.03] = np.nan
    instants = np.datetime64("2026-01-05", "ns") + hours * HOUR
    coords = {"time": instants, "asset": [f"A{number:02d}" for number in range(assets)]}
    return xr.DataArray(values, coords, ("time", "asset"), kind, {"units": SIGNALS[kind][0]})


def with_fault(array: xr.DataArray, asset: int, written: str, since: int = 0) -> xr.DataArray:
    """Return values as read where an asset writes another unit from a row on."""
    values = array.to_numpy().copy()
    values[since:, asset] = convert(values[since:, asset], array.attrs["units"], written)
    return array.copy(data=values)


def fixed(array: xr.DataArray, suspect: Suspect) -> xr.DataArray:
    """Return values as read after the fix."""
    time = array["time"].to_numpy()
    here = np.ones(len(time), dtype=bool)
    here &= True if suspect.since is None else time >= suspect.since
    here &= True if suspect.until is None else time < suspect.until
    values = array.to_numpy().copy()
    at = array.get_index("asset").get_loc(suspect.asset)
    values[here, at] = suspect.hypothesis.apply(values[here, at])
    return array.copy(data=values)


kinds, seeds = st.sampled_from(sorted(SIGNALS)), st.integers(0, 10_000)


@settings(max_examples=40)
@given(kinds, seeds, st.integers(2, 25), st.integers(3, 40))
def test_a_clean_series_of_peers_is_never_suspected(kind: str, seed: int, assets: int, days: int) -> None:
    assert suspect_units(fleet(kind, seed, assets=assets, days=days)) == []


@st.composite
def faults(draw: st.DrawFn) -> tuple[xr.DataArray, xr.DataArray, int, str, int]:
    """Clean values, values as read, the asset, the unit it writes, and the row from which it does."""
    kind = draw(kinds)
    clean = fleet(kind, draw(seeds))
    asset, written = draw(st.integers(0, 11)), draw(st.sampled_from(SIGNALS[kind][1]))
    since = draw(st.sampled_from([0, 24 * 7 + 5, 24 * 14 + 17]))
    return clean, with_fault(clean, asset, written, since), asset, written, since


@settings(max_examples=25)
@given(faults())
def test_a_wrong_unit_is_found_and_its_fix_removes_the_suspicion(
    case: tuple[xr.DataArray, xr.DataArray, int, str, int],
) -> None:
    _, seen, asset, written, since = case
    found = suspect_units(seen)
    assert {one.asset for one in found} == {f"A{asset:02d}"}
    assert (found[0].hypothesis.written, found[0].rank, found[0].until) == (written, 1, None)
    assert (found[0].since is None) == (since == 0)
    if since:
        assert abs(found[0].since - seen["time"].to_numpy()[since]) <= 12 * HOUR
    assert suspect_units(fixed(seen, found[0])) == []


@settings(max_examples=15)
@given(faults(), st.randoms(use_true_random=False))
def test_the_order_of_the_assets_does_not_matter(
    case: tuple[xr.DataArray, xr.DataArray, int, str, int], random: np.random.Generator
) -> None:
    seen = case[1]
    order = list(range(seen.sizes["asset"]))
    random.shuffle(order)
    here, there = suspect_units(seen), suspect_units(seen.isel(asset=order))
    assert [(one.asset, one.hypothesis, one.since, one.until, one.evidence) for one in here] == [
        (one.asset, one.hypothesis, one.since, one.until, one.evidence) for one in there
    ]
    assert [one.confidence for one in here] == pytest.approx([one.confidence for one in there])


def test_lazy_values_give_the_same_and_only_a_sample_is_computed() -> None:
    seen = with_fault(fleet("speed", 1, days=60), 3, "mph")
    counted: list[int] = []

    def block(values: np.ndarray) -> np.ndarray:
        counted.append(values.size)
        return values

    lazy = seen.copy(data=da.map_blocks(block, da.from_array(seen.to_numpy(), chunks=(240, 12)), dtype=float))
    counted.clear()
    assert suspect_units(lazy) == suspect_units(seen)
    assert sum(counted) <= 2 * seen.size


def test_a_fault_of_a_period_in_the_middle_has_both_ends() -> None:
    clean = fleet("temperature", 4, days=40)
    values = with_fault(clean, 5, "degF", 240).to_numpy().copy()
    values[600:, 5] = clean.to_numpy()[600:, 5]
    (found,) = suspect_units(clean.copy(data=values))
    assert (found.asset, found.hypothesis.written) == ("A05", "degF")
    assert (found.since, found.until) == (clean["time"].to_numpy()[240], clean["time"].to_numpy()[600])
    assert found.fix.keys() == {
        "signal": "temperature", "unit": "degF", "valid_from": "2026-01-15T00:00:00Z", "valid_until": "2026-01-30T00:00:00Z"
    }  # fmt: skip


def test_several_assets_with_the_same_fault_are_all_found() -> None:
    seen = fleet("speed", 7, assets=30)
    for asset in (2, 9, 21, 28):
        seen = with_fault(seen, asset, "mph")
    assert {(one.asset, one.hypothesis.written) for one in suspect_units(seen)} == {
        (name, "mph") for name in ("A02", "A09", "A21", "A28")
    }


def test_two_kinds_of_assets_are_no_fault_of_the_rarer_one() -> None:
    rooms = fleet("temperature", 3, assets=20)
    rooms[:, 15:] = rooms[:, 15:] - 24.0
    assert suspect_units(rooms) == []


def test_without_peers_the_span_decides_and_two_explanations_are_both_named() -> None:
    # 39 as read of a room that has 4 °C: °F, or tenths of a degree.
    random = np.random.default_rng(1)
    values = 39.2 + random.normal(0, 0.5, (480, 1))
    coords = {"time": np.datetime64("2026-01-05", "ns") + np.arange(480) * HOUR, "asset": ["R1"]}
    alone = xr.DataArray(values, coords, ("time", "asset"), "temperature", {"units": "degC"})
    assert suspect_units(alone) == []
    found = suspect_units(alone, sensor_span=(-40, 30), expected_span=(-25, 15))
    assert [one.hypothesis.written for one in found][0] == "degF"
    assert {one.hypothesis.factor for one in found} >= {1.0, 0.1}
    assert all(one.confidence < 0.8 for one in found)
    assert found[0].confidence > found[1].confidence
    assert [one.rank for one in found] == list(range(1, len(found) + 1))


def test_a_coupled_signal_of_the_same_quantity_needs_no_peers() -> None:
    wheels = fleet("speed", 11, assets=1)
    gps = wheels + np.random.default_rng(2).normal(0, 1.0, wheels.shape)
    assert suspect_units(wheels, coupled=gps) == []
    (found,) = suspect_units(with_fault(wheels, 0, "mph"), coupled=gps)
    assert (found.asset, found.hypothesis.written, found.since) == ("A00", "mph", None)
    assert "in the coupled signal" in found.evidence


def test_a_declared_unit_of_each_asset_is_what_is_doubted() -> None:
    speeds = fleet("speed", 5)
    values = speeds.to_numpy().copy()
    # Declared as mph and converted, but km/h was written.
    values[:, 4] = convert(values[:, 4], "mph", "km/h")
    declared = {"A04": "mph", "A05": "mph"}
    (found,) = suspect_units(speeds.copy(data=values), declared=declared)
    assert (found.asset, found.fix.declared, found.fix.unit) == ("A04", "mph", "km/h")


def test_a_counter_is_judged_by_its_rises() -> None:
    rises = np.clip(fleet("speed", 6).to_numpy(), 0, None)
    totals = fleet("speed", 6).copy(data=np.nancumsum(rises, axis=0) + np.linspace(1e4, 5e5, 12)).rename("odometer")
    totals.attrs["units"] = "km"
    assert suspect_units(totals, counter=True) == []
    (found,) = suspect_units(with_fault(totals, 8, "mile"), counter=True)
    assert (found.asset, found.hypothesis.written) == ("A08", "mile")


def test_the_evidence_is_a_sentence_with_numbers_and_a_finding_has_it() -> None:
    (found,) = suspect_units(with_fault(fleet("temperature", 4), 5, "degF", 240))
    assert found.evidence == (
        "median 43.31 from 2026-01-15T00:00Z, 4.079 before it, from 6.505 to 7.79 among 11 peers; "
        "read as degF instead of degC it is 6.283"
    )
    (row,) = findings_frame([found.finding(source="fridges")]).to_dict("records")
    assert (row["kind"], row["source"], row["asset"], row["signal"]) == ("unit", "fridges", "A05", "temperature")
    assert row["confidence"] > 0.9


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"unit": "smoots"}, UnitError, "unknown unit"),
        ({"declared": "kPa"}, UnitError, "different things"),
        ({"sensor_span": (5, 1)}, SchemaError, "sensor_span as"),
        ({"expected_span": np.zeros((2, 3))}, SchemaError, "each of 12 assets"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(wrong: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        suspect_units(fleet("temperature", 1), **wrong)


def test_arrays_that_do_not_fit_are_refused() -> None:
    array = fleet("temperature", 1)
    with pytest.raises(SchemaError, match="expected the unit"):
        suspect_units(array.drop_attrs())
    with pytest.raises(SchemaError, match="dimensions 'time' and 'asset'"):
        suspect_units(array.rename(asset="room"))
    with pytest.raises(SchemaError, match="coordinate 'asset'"):
        suspect_units(array.drop_vars("asset"))
    with pytest.raises(SchemaError, match="expected numbers"):
        suspect_units(array.astype(str))


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_series_that_are_empty_or_short_are_no_suspects(rows: int) -> None:
    assert suspect_units(fleet("temperature", 1).isel(time=slice(rows))) == []
    assert suspect_units(fleet("temperature", 1).where(False)) == []
