"""Coverage of the 90 % intervals of calibrated timetables on held-out days of both demo twins."""

import pytest

import twinlab as tl
from twinlab.simulate import calibrate, fidelity

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

CASES = {
    "parcel": (
        "Europe/Berlin",
        ("2026-01-05", "2026-03-09"),
        ("2026-03-09", "2026-04-05"),
        {"at": "06:00", "horizon": "1d"},
    ),
    "nyc": (None, ("2013-01-01", "2013-10-01"), ("2013-10-01", "2014-01-01"), {"at": "11:00", "horizon": "18h"}),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_intervals_contain_what_happened_on_days_that_the_model_does_not_know(name):
    zone, fitted, held_out, options = CASES[name]
    twin = tl.demo(name)
    found = fidelity(twin, calibrate(twin, fitted, zone=zone), held_out, replications=200, **options)
    low, high = found.coverage_interval
    note(f"fidelity_{name}", coverage=found.coverage, low=low, high=high, values=len(found.scores))
    assert 0.85 <= found.coverage <= 0.95
