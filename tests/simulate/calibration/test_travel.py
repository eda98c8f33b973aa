"""Times of travel by link, hour and weather."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.travel import travel_times


def trips(seed=0, count=3000):
    """Trips of two links, slow at 8 and in storms, with a lognormal factor."""
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2026-03-02") + pd.to_timedelta(random.integers(0, 28 * 24 * 60, count), unit="min")
    far, storm = random.random(count) < 0.4, random.random(count) < 0.1
    seconds = np.where(far, 14_400, 7200) * np.where(start.hour == 8, 1.3, 1.0) * np.where(storm, 1.5, 1.0)
    seconds = seconds * random.lognormal(0, 0.05, count)
    table = pd.DataFrame({"origin": "A", "destination": np.where(far, "C", "B"), "start": start})
    table["end"] = table["start"] + pd.to_timedelta(seconds, unit="s")
    return table, pd.Series(np.where(storm, "storm", "calm"))


def test_effects_of_link_hour_and_weather_are_found_apart():
    table, weather = trips()
    found = travel_times(table, weather=weather)
    assert found.expected("A", "C", 3) / found.expected("A", "B", 3) == pytest.approx(2, rel=0.01)
    assert found.by_hour[8] / found.by_hour[3] == pytest.approx(1.3, rel=0.03)
    assert found.by_weather == {"calm": 1.0, "storm": pytest.approx(1.5, rel=0.02)}
    assert found.expected("A", "B", 3, "storm") == pytest.approx(7200 * 1.5, rel=0.03)
    assert found.scatter.quantile(0.84) == pytest.approx(1.05, rel=0.01)


def test_a_link_without_trips_is_named():
    with pytest.raises(SchemaError, match="from 'B' to 'A'"):
        travel_times(trips()[0]).expected("B", "A", 3)


def test_trips_that_have_not_ended_and_missing_columns_are_refused():
    table = trips(count=5)[0]
    with pytest.raises(SchemaError, match="none of 5 trips"):
        travel_times(table.assign(end=pd.NaT))
    with pytest.raises(SchemaError, match="destination not found"):
        travel_times(table.drop(columns="destination"))
