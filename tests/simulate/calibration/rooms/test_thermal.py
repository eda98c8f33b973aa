"""Parameters of rooms are found again in their records."""

import numpy as np
import pytest

from tests.simulate.timetable.rooms.known_rooms import EPOCH, STEP, fits, now
from twinlab.simulate.calibration.rooms.doors import failures, spells
from twinlab.simulate.calibration.rooms.records import RoomRecords, long_spells, state_since, without_jumps
from twinlab.simulate.calibration.rooms.thermal import fit_thermal
from twinlab.simulate.timetable.rooms.futures import room_futures


def records(truth, days=40, seed=1):
    """Records of rooms whose true parameters are known, with long openings of doors."""
    made = room_futures(
        truth, now(len(truth.rooms)), until=days * 86_400.0, epoch=EPOCH, seed=seed, replications=np.array([0])
    )
    times = (EPOCH + STEP * np.arange(made.door.shape[1])).astype("M8[s]").astype("M8[ns]")
    running = made.running[0].astype(float)
    return RoomRecords(truth.rooms, times, made.temperature[0], made.door[0].astype(float), running)


TRUTH = fits(rooms=4, swing=np.array([-1.5, -1.5]), open_lasting=np.array([300.0, 300, 300, 300, 3600, 5400]))


def test_rates_cooling_limits_and_the_air_around_are_found_again():
    found = fit_thermal(records(TRUTH))
    assert found.ambient[0] == pytest.approx(20, abs=1.5)
    np.testing.assert_allclose(found.closed, TRUTH.closed, rtol=0.15)
    np.testing.assert_allclose(found.open, TRUTH.open, rtol=0.2)
    np.testing.assert_allclose(found.cooling, TRUTH.cooling, rtol=0.05)
    np.testing.assert_allclose(found.on_above, 4.7, atol=0.15)
    np.testing.assert_allclose(found.off_below, 3.3, atol=0.3)
    np.testing.assert_allclose(found.swing, TRUTH.swing, atol=0.7)
    np.testing.assert_allclose(found.noise, 0.02, rtol=0.3)
    assert found.own.all()


def test_a_room_without_records_is_like_the_others():
    whole = records(TRUTH)
    lost = whole.temperature.copy()
    lost[:, 0] = np.nan
    found = fit_thermal(RoomRecords(whole.rooms, whole.times, lost, whole.door, whole.running))
    assert not found.own[0]
    for name in ("closed", "open", "towards", "cooling", "on_above", "off_below", "noise"):
        assert np.isfinite(getattr(found, name)).all(), name
        assert getattr(found, name)[0] == pytest.approx(np.median(getattr(found, name)[1:]), rel=1e-9), name


def test_a_compressor_that_rests_while_it_is_too_warm_has_failed():
    broken = fits(rooms=2, opening=np.zeros((2, 168)), failing=1 / (5 * 86_400), repair=np.full(5, 6 * 3600.0))
    made = records(broken)
    found = spells(made, failures(made, np.full(2, 4.7)))
    lasting = (found["end"] - found["start"]).dt.total_seconds().dropna()
    assert 6 <= len(found) <= 30
    # It shows once the room is too warm.
    assert lasting.median() == pytest.approx(5 * 3600, abs=2 * 3600)


def test_a_span_in_another_unit_is_left_out_and_a_failure_is_not():
    warm = np.full((300, 2), 4.0)
    warm[50:100, 0] = (4.0 - 32) / 1.8
    warm[50:100, 1] += np.linspace(0, 12, 50)
    warm[100:150, 1] += np.linspace(12, 0, 50)
    found = without_jumps(warm)
    assert np.isnan(found[50:100, 0]).all()
    assert np.isnan(found).sum() == 50


def test_spells_end_where_the_state_does():
    times = np.arange("2026-01-05", "2026-01-05T00:30", 5, dtype="M8[m]").astype("M8[ns]")
    door = np.array([[1, 0], [1, 0], [0, 0], [np.nan, 0], [1, 0], [1, 0.0]])
    table = spells(RoomRecords(("A", "B"), times, door, door, door), door)
    assert table["asset"].tolist() == ["A", "A"]
    assert table["start"].tolist() == [times[0], times[4]]
    assert table["end"].iloc[0] == times[2]
    assert table["end"].isna().tolist() == [False, True]
    since = state_since(np.arange(6.0), door)
    assert since[0] == 4
    assert np.isnan(since[1])
    assert long_spells(door == 1, 2)[:, 0].tolist() == [True, True, False, False, True, True]
    assert not long_spells(door == 1, 3).any()
