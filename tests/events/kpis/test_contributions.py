"""What a number is made of adds up to the number."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import UnknownTermError
from twinlab.events import kpi, kpi_contributions
from twinlab.events.kpis.window_contents import window_contents
from twinlab.model import Kpi
from twinlab.testing import FakeTwin

WARM = Kpi(on="cold_room", formula="time_share(temperature <= 5 degC)", unit="%")
ON_TIME = Kpi(on="trip", formula="share(end_delay <= 5 min)", unit="%")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=4, trips=120)


@pytest.mark.parametrize("every", ["6h", "1d"])
def test_spans_add_up_to_the_share_of_time_and_what_is_not_known_to_its_bounds(twin, every):
    data = kpi(twin, WARM, every=every)
    size = pd.Timedelta(every.replace("d", "D"))
    for place in range(data.sizes["time"]):
        spans = kpi_contributions(twin, WARM, at=data.time.values[place], every=every)["cold_room"]
        total = {
            name: spans.loc[spans["counts_as"] == name, "duration"].sum() / size for name in ("yes", "no", "not known")
        }
        whole = sum(total.values())
        assert 100 * total["yes"] / whole == pytest.approx(float(data.low[place]))
        assert 100 * (total["yes"] + total["not known"]) / whole == pytest.approx(float(data.high[place]))


def test_events_of_a_window_are_those_that_the_share_counts(twin):
    data = kpi(twin, ON_TIME, every="1d")
    for place, at in enumerate(data.time.values):
        said = kpi_contributions(twin, ON_TIME, at=at + np.timedelta64(5, "h"), every="1d")["trip"][
            "counts_as"
        ].value_counts()
        known = said.get("yes", 0) + said.get("no", 0)
        assert known == int(data.samples[place])
        if known:
            assert 100 * said.get("yes", 0) / known == pytest.approx(float(data.value[place]))


def test_a_group_has_its_own_assets_and_events(twin):
    data = kpi(twin, ON_TIME, by="destination", every="1d")
    group = str(data.destination.values[0])
    found = kpi_contributions(twin, ON_TIME, at=data.time.values[1], by="destination", group=group, every="1d")["trip"]
    assert (found["destination"].dropna() == group).all()
    one = kpi_contributions(twin, WARM, at="2026-01-02", by="asset", group="R1", every="1d")["cold_room"]
    assert set(one["asset"]) == {"R1"}
    assert kpi_contributions(twin, WARM, at="2026-01-02", by="asset", group="R77", every="1d")["cold_room"].empty


def test_cells_of_a_mean_are_counted(twin):
    mean = Kpi(on="cold_room", formula="time_mean(temperature)")
    found = kpi_contributions(twin, mean, at="2026-01-02", every="1d")["cold_room"]
    data = kpi(twin, mean, every="1d").sel(time="2026-01-02")
    assert found["known"].sum() / found["cells"].sum() == pytest.approx(float(data.coverage.values.ravel()[0]))


def test_what_groups_nothing_is_refused(twin):
    with pytest.raises(UnknownTermError, match="destination"):
        kpi_contributions(twin, ON_TIME, at="2026-01-02", by="destinaton")


@pytest.mark.parametrize("every", ["6h", "1d", "3d"])
def test_the_window_of_a_number_is_found_by_its_start(twin, every):
    for start in kpi(twin, WARM, every=every, start="2026-01-02").time.values:
        found = window_contents(twin, WARM, start, every=every)
        assert (found.start, found.stop) == (start, start + pd.Timedelta(every.upper() if "d" in every else every))
        spans = kpi_contributions(twin, WARM, at=start, every=every)["cold_room"]
        assert spans["start"].min() == start
