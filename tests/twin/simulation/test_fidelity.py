"""Scores of a model on days that it wasn't fitted to."""

import shutil

import numpy as np
import pytest

import twinlab as tl
from twinlab.errors import SchemaError
from twinlab.simulate.calibration.calibrated import calibrate
from twinlab.simulate.calibration.fidelity import fidelity

HELD_OUT = ("2026-01-26", "2026-01-31")


@pytest.fixture(scope="module")
def scored(parcel, calibrated):
    return fidelity(parcel, calibrated, HELD_OUT, at="06:00", horizon="1d", replications=60)


def test_intervals_contain_most_of_what_happened(scored):
    assert scored.scores["start"].nunique() == 4
    assert 0.7 <= scored.coverage <= 1
    low, high = scored.coverage_interval
    assert low <= scored.coverage <= high
    assert "90%" in scored.words


def test_reality_is_that_of_the_event_tables(parcel, scored):
    trips = parcel.events("trip")
    for start, part in scored.scores.groupby("start"):
        day = trips[(trips["planned_start"] >= start) & (trips["planned_start"] <= start + np.timedelta64(1, "D"))]
        late = ((day["start"] - day["planned_start"]) / np.timedelta64(1, "m")).dropna()
        real = part.set_index("quantity")["real"]["mean_departure_delay"]
        assert real == pytest.approx(late.mean(), abs=1.0)


def test_residuals_are_reality_minus_simulation(scored):
    residuals = scored.residuals()
    assert residuals["hub_waiting"].dims == ("start", "hub")
    error = scored.table().loc["hub_waiting", "error"]
    assert float(residuals["hub_waiting"].mean()) == pytest.approx(-error)


def test_results_state_the_fidelity_of_their_model(parcel, calibrated, scored):
    options = {"start": "2026-01-28", "horizon": "6h", "replications": 2, "calibrated": calibrated, "progress": False}
    bare = parcel.simulate(**options)
    assert bare.fidelity is None
    assert "not scored: twin.score_simulation(start=…)" in repr(bare)
    results = parcel.simulate(fidelity=scored, **options)
    assert scored.words in repr(results)
    assert scored.words in results._repr_html_()
    more = results.extend(3, progress=False)
    assert more.fidelity is scored
    other = calibrate(parcel, ("2026-01-05", "2026-01-20"))
    with pytest.raises(SchemaError, match="scores another model"):
        parcel.simulate(fidelity=scored, **{**options, "calibrated": other})


def test_days_of_the_fit_are_refused(parcel, calibrated):
    with pytest.raises(SchemaError, match="overlaps the one of the fits"):
        fidelity(parcel, calibrated, ("2026-01-12", "2026-01-16"))


def test_the_model_of_a_start_is_scored_on_the_days_before_it_and_the_score_is_kept(parcel, tmp_path):
    copy = tl.open(shutil.copytree(parcel.folder, tmp_path / "twin"))
    options = {"start": "2026-01-28", "horizon": "6h", "replications": 2, "progress": False}
    assert copy.simulate(**options).fidelity is None
    score = copy.score_simulation(start="2026-01-28", days=4, every=2, replications=10)
    assert score.window == (np.datetime64("2026-01-24", "ns"), np.datetime64("2026-01-28", "ns"))
    assert score.fitted.endswith("to 2026-01-24")
    fitting = tl.open(copy.folder)
    fitted = fitting.fit_simulation(start="2026-01-28")
    kept = fitting.simulate(**options)
    assert kept.calibrated is fitted
    assert kept.fidelity.words == score.words
    assert copy.simulate(**{**options, "start": "2026-01-27"}).fidelity is None
    with pytest.raises(SchemaError, match="give fewer `days`"):
        copy.score_simulation(start="2026-01-28", days=100_000)
