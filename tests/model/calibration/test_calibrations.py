"""Calibrations: what a file may state, and that values are corrected in their span and nowhere else."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model.calibration import (
    Calibration,
    Calibrations,
    calibrated,
    dump_calibrations,
    load_calibrations,
    parse_calibrations,
)

TEXT = """\
calibrations:
- asset: cold_room/3
  signal: temperature
  from: 2026-03-01T00:00:00Z
  until: 2026-03-05T00:00:00Z
  offset: {2026-03-01T00:00:00Z: 0, 2026-03-03T00:00:00Z: -1}
  interval: [-1.2, -0.8]
  reason: drifts by 0.5 degC a day from 2026-03-01
"""
DAYS = np.datetime64("2026-02-28", "ns") + np.arange(8) * np.timedelta64(1, "D")


def plain(values: list[float]) -> xr.DataArray:
    return xr.DataArray(np.array(values), {"time": DAYS[: len(values)]}, "time", attrs={"units": "degC"}, name="t")


def one(**keys: object) -> Calibration:
    return Calibration.model_validate({"asset": "cold_room/3", "signal": "temperature", "reason": "r", **keys})


def test_a_file_reads_and_is_written_back_equal(tmp_path):
    found = parse_calibrations(TEXT)
    written = dump_calibrations(found)
    # Instants are quoted, so that every YAML reader reads them as text.
    assert written.replace("'", "") == TEXT
    assert parse_calibrations(written) == found
    (tmp_path / "calibration.yaml").write_text(TEXT, encoding="utf-8")
    assert load_calibrations(tmp_path / "calibration.yaml") == found
    assert found.of("cold_room/3", "temperature") == found.calibrations
    assert found.of("cold_room/3", "pressure") == found.of("cold_room/4", "temperature") == ()
    assert parse_calibrations("") == parse_calibrations(dump_calibrations([])) == Calibrations()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            ("  until: 2026-03-05T00:00:00Z", "  until: 2026-03-01"),
            "calibration.yaml:2.*expected `from` before `until`",
        ),
        (("[-1.2, -0.8]", "[1, 0]"), r"expected an interval \[low, high\]"),
        (("interval", "intervall"), "calibration.yaml:7: .*unknown key 'intervall'"),
        (
            ("cold_room/3", "three"),
            "calibration.yaml:2: .*expected an asset as type/id, such as cold_room/3, got 'three'",
        ),
        (("00:00Z: -1}", "00:00Z: .inf}"), "calibration.yaml:6: .*expected a finite number"),
        (
            ("  reason: drifts by 0.5 degC a day from 2026-03-01", "  gain: 0\n  reason: r"),
            "one sign and not zero, got 0",
        ),
        (
            (
                "  reason: drifts by 0.5 degC a day from 2026-03-01",
                "  gain: {2026-03-01: 1, 2026-03-02: -1}\n  reason: r",
            ),
            "one sign and not zero, got 1, -1",
        ),
        (("  reason: drifts by 0.5 degC a day from 2026-03-01", "  reason: ''"), "a reason in words"),
        (("  reason: drifts by 0.5 degC a day from 2026-03-01\n", ""), "the key 'reason', which is missing"),
        (("{2026-03-01T00:00:00Z: 0, 2026-03-03T00:00:00Z: -1}", "{}"), "expected at least one point"),
    ],
)
def test_a_fault_is_named_with_its_line(edit, message):
    assert edit[0] in TEXT
    with pytest.raises(SchemaError, match=message):
        parse_calibrations(TEXT.replace(*edit))


def test_two_calibrations_of_one_signal_may_not_overlap():
    twice = TEXT + TEXT.removeprefix("calibrations:\n").replace("from: 2026-03-01T00", "from: 2026-03-04T23")
    with pytest.raises(SchemaError, match=r"calibration.yaml:9: .*entry 1 of the list overlaps entry 2"):
        parse_calibrations(twice)
    first, second = one(until="2026-03-05"), one(**{"from": "2026-03-05"})
    assert len(parse_calibrations(dump_calibrations([first, second])).calibrations) == 2
    with pytest.raises(SchemaError, match=r"two that overlap: 'r' and 's'"):
        calibrated(plain([1.0]), [one(), one(reason="s", **{"from": "2026-03-01"})])


def test_values_are_corrected_in_the_span_alone():
    values = plain([5.0, 5, 5, 5, np.nan, 5, 5, 5])
    fix = parse_calibrations(TEXT).calibrations[0]
    found = calibrated(values, fix)
    np.testing.assert_allclose(found, [5, 5, 4.5, 4, np.nan, 5, 5, 5])
    assert found.attrs == values.attrs
    assert found.name == "t"
    np.testing.assert_allclose(values[:4], 5)


def test_gain_comes_before_offset_and_may_change():
    fix = one(gain={"2026-02-28": 1, "2026-03-02": 2}, offset=-1)
    np.testing.assert_allclose(calibrated(plain([2.0, 2, 2, 2]), fix), [1, 2, 3, 3])


@pytest.mark.parametrize("lazy", [False, True])
def test_each_asset_has_its_own_calibration(lazy):
    table = xr.DataArray(np.full((8, 3), 5.0), {"time": DAYS, "asset": ["2", "3", "4"]}, ("time", "asset"))
    given_ = table.chunk(time=3, asset=2) if lazy else table
    found = calibrated(given_, [one(until="2026-03-02", offset=1), one(asset="cold_room/9", offset=7)])
    assert (found.chunks is not None) == lazy
    np.testing.assert_allclose(found.sel(asset="3"), [6, 6, 5, 5, 5, 5, 5, 5])
    np.testing.assert_allclose(found.sel(asset=["2", "4"]), 5)
    np.testing.assert_allclose(calibrated(given_.T, one(offset=1)).sel(asset="3"), 6)
    np.testing.assert_allclose(calibrated(given_.sel(asset="4"), one(offset=1)), 5)
    np.testing.assert_allclose(calibrated(given_.sel(asset="3"), one(offset=1)), 6)


def test_whole_numbers_become_floats_and_other_shapes_are_refused():
    whole = xr.DataArray(np.array([1, 2]), {"time": DAYS[:2]}, "time")
    np.testing.assert_allclose(calibrated(whole, one(offset=0.5)), [1.5, 2.5])
    assert calibrated(whole, []).dtype == np.float64
    with pytest.raises(SchemaError, match="expected a coordinate 'time'"):
        calibrated(xr.DataArray([1.0], dims="x"), one())
    with pytest.raises(SchemaError, match="of one signal, got pressure, temperature"):
        calibrated(whole, [one(), one(signal="pressure", asset="cold_room/4")])


INSTANTS = st.integers(0, 10**6).map(lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))


@given(
    points=st.dictionaries(INSTANTS, NUMBERS, min_size=1, max_size=4),
    reason=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip),
    gain=st.floats(0.01, 100),
)
def test_any_calibration_survives_its_text(points, reason, gain):
    found = one(offset=points, gain=gain, reason=reason)
    assert parse_calibrations(dump_calibrations([found])).calibrations == (found,)


@given(offset=NUMBERS, gain=st.floats(0.5, 2))
def test_the_inverse_calibration_gives_the_values_back(offset, gain):
    values = plain([1.0, -2, 3, np.nan])
    there = calibrated(values, one(offset=offset, gain=gain))
    back = calibrated(there, one(offset=-offset / gain, gain=1 / gain))
    np.testing.assert_allclose(back, values, rtol=1e-9, atol=1e-9 * (1 + abs(offset)))
