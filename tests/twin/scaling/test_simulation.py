"""Queues of workers, requests and historians: the busiest stage is the one that arithmetic names, and times are near its work."""

from __future__ import annotations

import pytest

from twinlab.errors import SchemaError
from twinlab.twin.scaling.simulation import Ingest, Scan, simulate_ingest, simulate_scan

CASES = (
    ("cores", Scan(1e11, 0.5, 2e-8, workers=4)),
    ("link", Scan(1e11, 0.5, 2e-8, workers=400, bandwidth=1e9)),
    ("requests", Scan(1e11, 0.5, 2e-8, workers=400, connections=1, latency=0.5, bandwidth=1e12)),
)


@pytest.mark.parametrize(("stage", "scan"), CASES)
def test_a_long_run_takes_as_long_as_its_busiest_stage(stage: str, scan: Scan) -> None:
    found = simulate_scan(scan)
    servers, seconds = scan.stages[stage]
    assert found.bottleneck == stage
    assert found.busy[stage] > 0.9
    assert found.seconds == pytest.approx(scan.tasks * seconds / servers, rel=0.08)


def test_more_workers_help_until_the_link_is_full() -> None:
    times = [simulate_scan(Scan(1e11, 0.5, 2e-8, workers=workers)).seconds for workers in (4, 16, 400, 4000)]
    assert times[0] > 3 * times[1] > 6 * times[2]
    assert times[3] == pytest.approx(times[2], rel=0.08)


def test_an_ingest_waits_for_its_historian_or_its_commits() -> None:
    one = simulate_ingest(Ingest(1e9, 5e-8, 3e-7))
    assert one.bottleneck == "historians"
    assert one.seconds == pytest.approx(300, rel=0.08)
    far = simulate_ingest(Ingest(1e9, 5e-8, 3e-7, historians=64, commit=0.05))
    assert far.bottleneck == "writers"
    assert far.seconds == pytest.approx(10_000 * 0.055, rel=0.08)


def test_numbers_are_above_zero() -> None:
    with pytest.raises(SchemaError, match="expected workers above 0, got 0"):
        Scan(1e9, 0.5, 2e-8, workers=0)
    with pytest.raises(SchemaError, match="expected rows above 0"):
        Ingest(float("nan"), 1e-8, 1e-8)
