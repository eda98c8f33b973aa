"""A calibration is added to the text of calibration.yaml; what people wrote there stays."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model import parse_model
from twinlab.model.calibration import (
    Calibration,
    Calibrations,
    check_calibrations,
    dump_calibrations,
    parse_calibrations,
    with_calibration,
)

TEXT = """\
# hall 2
calibrations:
  # first sensor
  - asset: room/3    # by the door
    signal: temperature
    offset: -0.5
    # found by Ann
    reason: too high

  # second
  - {asset: room/4, signal: temperature, gain: 1.1, reason: x}
# end
"""


def one(asset="room/3", **keys):
    return Calibration.model_validate({"asset": asset, "signal": "temperature", "reason": "r", "offset": -1, **keys})


def test_an_entry_is_added_and_every_line_stays():
    made = with_calibration(TEXT, one("room/5"))
    assert made.startswith(TEXT)
    assert made.removeprefix(TEXT).splitlines()[0] == "  - asset: room/5"
    assert len(parse_calibrations(made).calibrations) == 3


def test_an_entry_that_is_replaced_for_a_time_keeps_its_comments_and_goes_on_after_it():
    made = with_calibration(TEXT, one(**{"from": "2026-03-01", "until": "2026-04-01"}), replace=True)
    for comment in ("# hall 2", "# first sensor", "# by the door", "# found by Ann", "# second", "# end"):
        assert comment in made
    first, after, other, added = parse_calibrations(made).calibrations
    assert (str(first.until)[:10], str(after.since)[:10], first.offset, after.offset) == (
        "2026-03-01",
        "2026-04-01",
        -0.5,
        -0.5,
    )
    assert (other.asset, added.offset) == ("room/4", -1)
    gone = with_calibration(made, one(offset=0), replace=True)
    assert [entry.asset for entry in parse_calibrations(gone).calibrations] == ["room/4", "room/3"]
    assert "# second" in gone


def test_an_overlap_is_an_error_that_names_the_other_entry():
    with pytest.raises(SchemaError, match=r"has one at all times \('too high'\); give another span, or replace=True"):
        with_calibration(TEXT, one(**{"from": "2026-03-01"}))


@pytest.mark.parametrize(
    "text",
    ["", "# none yet\n", "calibrations: []\n", "calibrations:  # none\n", "# a\ncalibrations: []  # none\n# b\n"],
)
def test_a_file_without_entries_gets_its_first(text):
    made = with_calibration(text, one())
    assert parse_calibrations(made).calibrations == (one(),)
    assert made.count("#") == text.count("#")


def test_entries_between_brackets_are_written_again_and_comments_go_to_the_top():
    made = with_calibration("calibrations: [{asset: room/4, signal: temperature, gain: 2, reason: x}] # k\n", one())
    assert made.startswith("# k\ncalibrations:\n- asset: room/4\n")


def test_a_broken_file_is_not_edited():
    with pytest.raises(SchemaError, match="calibration.yaml:2: .*unknown key 'offsett'"):
        with_calibration("calibrations:\n- {asset: a/b, signal: t, offsett: 1, reason: r}\n", one())


DAYS = st.integers(0, 30).map(lambda day: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day))


@st.composite
def entries(draw):
    low, high = sorted(draw(st.lists(DAYS, min_size=2, max_size=2, unique=True)))
    ends = draw(st.sampled_from([(low, high), (None, high), (low, None), (None, None)]))
    return one(
        draw(st.sampled_from(["room/3", "room/4"])),
        offset=draw(st.integers(1, 9)),
        **{"from": ends[0], "until": ends[1]},
    )


@settings(max_examples=60)
@given(st.lists(entries(), min_size=1, max_size=5))
def test_at_each_time_the_entry_that_was_added_last_applies(several):
    text = "# kept\n"
    for entry in several:
        text = with_calibration(text, entry, replace=True)
    assert text.startswith("# kept\n")
    found = parse_calibrations(text)
    times = (np.datetime64("2025-12-30", "ns") + np.arange(70) * np.timedelta64(12, "h")).astype(np.int64)
    for asset in ("room/3", "room/4"):
        expected, now = np.zeros(len(times)), np.zeros(len(times))
        for out, part in ((expected, several), (now, found.calibrations)):
            for entry in part:
                since, until = entry.span_ns
                out[(times >= since) & (times < until) & (entry.asset == asset)] = entry.offset
        np.testing.assert_array_equal(now, expected)


REMEDY = "correct its scale or its codes in the mapping"
MODEL = parse_model(
    "{twin: t, asset_types: {room: {signals: {temperature: {unit: degC, resolution: 0.1, cadence: 1h}, "
    "energy: {kind: counter, unit: kWh, resolution: 1, cadence: 1h}}}}}"
)


def test_all_faults_of_a_file_are_named_with_their_lines():
    text = dump_calibrations([one("room/3"), one("roof/3"), one("room/33"), one(signal="energy"), one(signal="temp")])
    found = parse_calibrations(text)
    with pytest.raises(SchemaError) as told:
        check_calibrations(found, MODEL, lambda kind: ["3", "4"])
    assert str(told.value).splitlines() == [
        "calibration.yaml:6: calibrations[1].asset: there is no asset type 'roof'; did you mean 'room'?",
        "calibration.yaml:10: calibrations[2].asset: there is no asset 'room/33'; did you mean '3'?",
        "calibration.yaml:15: calibrations[3].signal: expected a signal of kind gauge, but energy is a counter; "
        + REMEDY,
        "calibration.yaml:19: calibrations[4].signal: room has no signal 'temp'; known: energy, temperature",
    ]
    with pytest.raises(UnknownTermError, match="no asset 'room/9'"):
        check_calibrations(Calibrations(calibrations=(one("room/9"),)), MODEL, lambda kind: ["3"])
    check_calibrations(parse_calibrations(dump_calibrations([one()])), MODEL, lambda kind: ["3"])


@pytest.mark.parametrize("points", [{"2026-01-01": 0, "2026-01-03": 2}, {"2026-01-01": 1, "2026-01-03": 1}, 5])
def test_a_correction_is_constant_between_instants_where_it_does_not_change(points):
    days = (np.datetime64("2025-12-30", "ns") + np.arange(8) * np.timedelta64(1, "D")).astype(np.int64)
    fix = one(offset=points, until="2026-01-05")
    first, last = (grid.ravel() for grid in np.meshgrid(days, days, indexing="ij"))
    first, last = first[first <= last], last[first <= last]
    said = fix.constant_between(first, last)
    for low, high, same in zip(first.tolist(), last.tolist(), said.tolist(), strict=True):
        times = np.linspace(low, high, 97).astype(np.int64)
        inside = (times >= fix.span_ns[0]) & (times < fix.span_ns[1])
        values = np.where(inside, fix.offset_at(times) + 10, 0)
        if same:
            assert len(set(values.tolist())) == 1
        elif isinstance(points, int):
            assert len(set(values.tolist())) == 2
