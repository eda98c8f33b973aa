"""`twin.simulate`: futures from the present state, with the twin's own KPIs."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.calibrated import calibrate

START = "2026-01-28T06:00"


@pytest.fixture(scope="module")
def results(parcel, calibrated):
    return parcel.simulate(start=START, horizon="2d", replications=8, trace=3, calibrated=calibrated, progress=False)


def test_results_list_what_was_assumed(results):
    assert any("under way" in text for text in results.assumed)
    assert "assumed" in repr(results)
    assert results.data.sizes["replication"] == 8


def test_kpis_are_those_of_the_twin_on_the_simulated_events(parcel, results):
    found = results.kpi("on_time_delivery", by="destination", every="1d")
    assert found.value.dims[:2] == ("scenario", "replication")
    assert found.sizes["replication"] == 3
    day = found.sel(time="2026-01-29", scenario="base").value
    legs = results.events("leg")
    legs = legs[(legs["planned_end"] >= "2026-01-29") & (legs["planned_end"] < "2026-01-30")]
    in_time = (legs["end"] - legs["planned_end"]) <= pd.Timedelta("15min")
    plain = in_time.groupby([legs["replication"], legs["destination"]]).mean() * 100
    for (replication, hub), value in plain.items():
        assert day.sel(replication=replication, destination=hub).item() == pytest.approx(value)
    # The same day in the history has the same groups.
    assert set(parcel.kpi("on_time_delivery", by="destination", every="1d").destination.values) >= set(
        found.destination.values
    )


def test_conditions_work_on_simulated_events_and_signals(results):
    late = results.find("leg.end_delay > 10 min", on="leg")
    assert set(late.columns[:2]) == {"scenario", "replication"}
    assert ((late["end"] - late["planned_end"]) > pd.Timedelta("10min")).all()
    busy = results.find("waiting > 40", on="hub")
    signal = results.history("hub").waiting
    assert len(busy) > 0
    assert bool((signal > 40).any())


def test_a_run_in_two_pieces_is_the_run_in_one(calibrated, parcel):
    from twinlab.simulate.calibration.start_state import start_state

    model, state = calibrated.model, start_state(parcel, calibrated, START).state
    step = np.timedelta64(1, "h")
    middle, end = np.datetime64("2026-01-29T03:00"), np.datetime64("2026-01-30T06:00")
    whole = model.advance(state, until=end, step=step)
    first = model.advance(state, until=middle, step=step)
    second = model.advance(first.state, until=end, step=step)
    signals = [name for name in whole.results if "time" in whole.results[name].dims]
    for name in signals:
        pieces = np.concatenate([first.results[name].to_numpy(), second.results[name].to_numpy()])
        assert np.array_equal(pieces, whole.results[name].to_numpy(), equal_nan=True), name
    assert second.state.identical(whole.state)


def test_replications_do_not_depend_on_how_many_there_are(calibrated, parcel):
    few = parcel.simulate(start=START, horizon="1d", replications=3, calibrated=calibrated, progress=False)
    many = few.extend(6, progress=False)
    alone = parcel.simulate(start=START, horizon="1d", replications=6, calibrated=calibrated, progress=False)
    assert many.data.equals(alone.data)
    assert many.assumed == few.assumed


def test_results_without_events_say_how_to_get_them(calibrated, parcel):
    bare = parcel.simulate(start=START, horizon="1d", replications=2, trace=0, calibrated=calibrated, progress=False)
    with pytest.raises(SchemaError, match="trace="):
        bare.kpi("on_time_delivery")


def test_calibration_uses_its_window_only(parcel):
    class Cut:
        """The twin, with nonsense after the window."""

        def __getattr__(self, name):
            return getattr(parcel, name)

        def events(self, event_type, **options):
            table = parcel.events(event_type, **options)
            later = table["start"] >= "2026-01-24"
            return table.assign(
                start=table["start"].where(~later, table["start"] + pd.Timedelta("9h")),
                end=table["end"].where(~(table["end"] >= "2026-01-24"), table["end"] + pd.Timedelta("90h")),
            )

    window = ("2026-01-05", "2026-01-24")
    assert calibrate(parcel, window).model.content_hash() == calibrate(Cut(), window).model.content_hash()


def test_the_demo_is_found_as_it_was_made(calibrated):
    demand = calibrated.model.demand
    assert demand.promise == pytest.approx(14 * 3600, abs=1)
    assert demand.rate.sum() * 1.0 == pytest.approx(500, rel=0.1)
    assert 3 * 3600 <= demand.delivery.min() < demand.delivery.max() <= 14 * 3600 + 1
    assert not calibrated.model.fits.start.effects.spread
