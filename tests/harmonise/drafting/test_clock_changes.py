"""What the days on which clocks change show about the zone of a clock."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.harmonise import draft
from twinlab.harmonise.claims import NAT
from twinlab.harmonise.drafting.times.changes import clock_changes
from twinlab.harmonise.times.zones import MISSING, Zones
from twinlab.model.load import parse_mapping


def wall(start: str, stop: str, minutes: int = 10) -> np.ndarray:
    step = np.timedelta64(minutes, "m")
    return np.arange(np.datetime64(start), np.datetime64(stop), step).astype("M8[ns]").astype(np.int64)


def test_times_that_a_zone_leaves_out_are_named_with_the_zone() -> None:
    found = clock_changes(wall("2026-03-29T01:00", "2026-03-29T02:00", 5))
    assert found.evidence == (
        "12 rows at 2026-03-29 01:00 to 01:55 don't exist in Europe/London, Europe/Lisbon, Europe/Dublin"
    )
    assert (found.times, found.fitting) == (("2026-03-29T01:00",), ())


def test_an_hour_that_is_there_twice_names_the_zones_that_repeat_it() -> None:
    both = [wall("2025-10-26T00:00", "2025-10-26T03:00"), wall("2025-10-26T02:00", "2025-10-26T05:00")]
    found = clock_changes(np.concatenate(both))
    assert found.evidence.startswith("the clock steps back within 2025-10-26 02:00 to 02:59, as in Europe/Berlin, ")
    assert found.fitting[0] == "Europe/Berlin"


def test_a_zone_that_repeats_one_hour_and_leaves_out_another_does_not_fit() -> None:
    autumn = [wall("2025-10-26T00:00", "2025-10-26T03:00"), wall("2025-10-26T02:00", "2025-10-26T05:00")]
    found = clock_changes(np.concatenate([*autumn, wall("2026-03-29T00:00", "2026-03-29T05:00")]))
    assert found.fitting == ()


@pytest.mark.parametrize(
    "times",
    [
        np.array([], dtype=np.int64),
        np.full(3, NAT),
        wall("2026-01-01", "2026-01-03"),
        wall("2020-01-01", "2027-01-01", 1440),
    ],
    ids=["none", "unknown", "winter", "dates"],
)
def test_without_a_time_on_such_a_day_there_is_no_evidence(times: np.ndarray) -> None:
    assert clock_changes(times) == clock_changes(np.array([], dtype=np.int64))


@given(
    st.sampled_from(["Europe/Berlin", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"]),
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
)
def test_the_zone_in_which_times_were_written_is_never_ruled_out(zone: str, start: datetime) -> None:
    utc = (np.datetime64(start, "h") + np.arange(24 * 120)).astype("M8[ns]").astype(np.int64)
    zones = Zones([zone])
    found = clock_changes(zones.to_local(utc))
    shown = np.array(found.times, "M8[ns]").astype(np.int64)
    assert not (zones.lookup(shown).kind == MISSING).any() if len(shown) else True


def test_a_draft_asks_for_the_zone_with_this_evidence(tmp_path) -> None:
    rows = "".join(f"2026-03-29 0{place // 12}:{5 * (place % 12):02},{place / 3:.1f}\n" for place in range(60))
    (tmp_path / "cars.csv").write_text("when,speed (mph)\n" + rows, encoding="utf-8")
    mapping = parse_mapping(draft([tmp_path / "cars.csv"], name="fleet").mappings["cars"])
    (question,) = mapping.questions
    assert question.at == "tables[0].time.zone"
    assert "12 rows at 2026-03-29 01:00 to 01:55 don't exist in Europe/London" in question.evidence
    assert "2026-03-29T01:00" in question.times
