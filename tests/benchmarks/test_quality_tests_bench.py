"""Quality tests: throughput of each against ioos_qc with equal flags, and all of them on a year of 1,000 assets by minutes.

TWINLAB_BENCH_SAMPLES sets the size of the second (525,600,000 by default), TWINLAB_BENCH_OUT takes the figures as JSON. Against
ioos_qc: CPU time of all threads, and time on the clock, since arrays of this size are judged in parts on all cores here and on
one there. The fleet: samples/s on two cores are twice those of one core's CPU time, since pieces are judged independently.
"""

from __future__ import annotations

import os
import resource
import time
import warnings
from collections.abc import Callable

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from ioos_qc import argo, qartod

from twinlab import quality as q

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

MINUTE = np.timedelta64(60, "s")
SAMPLES = 10_000_000
# Geodesics by geographiclib take 15 µs each.
POSITIONS = 200_000
SPANS = [
    q.SeasonSpan((4, 16), (-10, 30), months=[1, 2, 3, 10, 11, 12]),
    q.SeasonSpan((6, 18), (-5, 35), months=list(range(4, 10))),
]


def _series(samples: int) -> xr.DataArray:
    random = np.random.default_rng(1)
    values = 10 + 5 * np.sin(np.arange(samples) / 1440 * 2 * np.pi) + random.normal(0, 0.3, samples)
    rows = random.random(samples) < 0.003
    values[rows] += random.normal(0, 20, rows.sum())
    values = np.round(values, 2)
    starts = random.integers(0, samples - 100, samples // 5_000)
    for start in starts:
        values[start : start + 40] = values[start]
    return xr.DataArray(values, {"time": np.datetime64("2000-01-01", "ns") + np.arange(samples) * MINUTE}, "time")


def _timed(work: Callable[[], object], times: int) -> tuple[float, float, object]:
    """Return the least processor time and the least time on the clock, and the result."""
    cpu, clock = [], []
    for _ in range(times):
        began, start = time.process_time(), time.perf_counter()
        found = work()
        cpu.append(time.process_time() - began)
        clock.append(time.perf_counter() - start)
    return min(cpu), min(clock), found


def test_each_test_against_ioos_qc() -> None:
    warnings.simplefilter("ignore")
    series = _series(SAMPLES)
    values, times = series.to_numpy(), series.time.to_numpy()
    zeros = np.zeros(SAMPLES)
    random = np.random.default_rng(2)
    north, east = np.cumsum(random.normal(0, 0.004, (2, POSITIONS)), axis=1) % 1 + np.array([[40.0], [-74.0]])
    track = xr.Dataset({"lat": ("time", north), "lon": ("time", east)}, {"time": times[:POSITIONS]})
    months = [{"tspan": tuple(part), "period": "month", "vspan": span.suspect, "fspan": span.fail}
              for span, part in ((SPANS[0], (1, 3)), (SPANS[0], (10, 12)), (SPANS[1], (4, 9)))]  # fmt: skip
    pairs = {
        "gross range": (lambda: q.range_flags(series, fail_span=(-5, 25), suspect_span=(3, 17)),
                        lambda: qartod.gross_range_test(values, (-5, 25), (3, 17))),
        "spike": (lambda: q.spike_flags(series, suspect=2, fail=8), lambda: qartod.spike_test(values, 2, 8)),
        "rate of change": (lambda: q.rate_flags(series, suspect=0.02, fail=0.1),
                           lambda: qartod.rate_of_change_test(values, times, 0.02, 0.1)),
        "flat line": (lambda: q.flat_line_flags(series, duration="15min"),
                      lambda: qartod.flat_line_test(values, times, 900, 10**9, tolerance=1e-9)),
        "attenuated, std": (lambda: q.attenuated_flags(series, window="30min", suspect=0.2001, fail=0.01, least=15),
                            lambda: qartod.attenuated_signal_test(values, times, 0.2001, 0.01, 1_800, 15)),
        "attenuated, range": (lambda: q.attenuated_flags(series, window="30min", suspect=0.7, fail=0.01, by="range", least=15),
                              lambda: qartod.attenuated_signal_test(values, times, 0.7, 0.01, 1_800, 15, check_type="range")),
        "climatology": (lambda: q.climatology_flags(series, spans=SPANS),
                        lambda: qartod.climatology_test(months, values, times, zeros)),
        "location": (lambda: q.location_flags(track.lat, track, longitude="lon", jump=2_000),
                     lambda: qartod.location_test(east, north, 2_000, "wgs84")),
        "speed": (lambda: q.speed_flags(track.lat, track, longitude="lon", suspect=15, fail=300),
                  lambda: argo.speed_test(east, north, times[:POSITIONS], 15, 300)),
    }  # fmt: skip
    for name, (ours, theirs) in pairs.items():
        ours()
        mine, mine_clock, flags = _timed(ours, 7)
        peer, peer_clock, expected = _timed(theirs, 3)
        # The first and last values, and the ends of runs and windows, aren't evaluated by one of both.
        known = flags.to_numpy() != 2
        same = flags.to_numpy()[known] == np.ma.getdata(expected)[known]
        # A great circle and a geodesic differ by up to 0.6 %.
        assert known.mean() > 0.9999 and same.mean() >= (0.995 if name in {"location", "speed"} else 1), name
        sums = {flag: int((flags.to_numpy()[known] == flag).sum()) for flag in (1, 3, 4)}
        note(
            f"ioos_{name}",
            ours=mine,
            ioos_qc=peer,
            ratio=peer / mine,
            ours_clock=mine_clock,
            ioos_qc_clock=peer_clock,
            ratio_clock=peer_clock / mine_clock,
            samples=flags.size,
            equal=float(same.mean()),
            **{f"flag_{k}": v for k, v in sums.items()},
        )


def _fleet(samples: int, assets: int = 1_000, step: int = 4_320) -> dict[str, xr.DataArray]:
    """A year by minutes of many assets, lazy: pieces of three days that are copied from one, with times of their own."""
    size = samples // assets
    random = np.random.default_rng(3)
    day = 5 * np.sin(np.arange(step) / 1440 * 2 * np.pi)[:, None]
    base = {
        "t": np.round(10 + day + random.normal(0, 0.3, (step, assets)), 1),
        "speed": np.round(np.abs(random.normal(50, 10, (step, assets))), 1),
        "odometer": np.round(np.cumsum(np.full((step, assets), 50 / 60.0), axis=0), 1),
        "lat": 40 + np.cumsum(random.normal(0, 1e-4, (step, assets)), axis=0),
        "lon": -74 + np.cumsum(random.normal(0, 1e-4, (step, assets)), axis=0),
        "door": (random.random((step, assets)) < 0.02).astype(float),
        "compressor": (np.arange(step) // 20 % 2 + np.zeros((assets, 1), int)).T.astype(float),
    }
    for table in base.values():
        table[random.random(table.shape) < 0.03] = np.nan
    coords = {"time": np.datetime64("2025-01-01", "ns") + np.arange(size) * MINUTE, "asset": np.arange(assets)}
    pieces = (tuple(min(step, size - start) for start in range(0, size, step)), (assets,))
    found = {}
    for name, table in base.items():
        lazy = da.map_blocks(lambda block_info, table=table: table[: block_info[None]["chunk-shape"][0]],
                             chunks=pieces, dtype=float, meta=np.empty((0, 0)))  # fmt: skip
        found[name] = xr.DataArray(lazy, coords, ("time", "asset"), name)
    found["speed"].attrs["units"], found["odometer"].attrs["units"] = "km/h", "km"
    return found


def test_all_tests_on_a_year_of_a_fleet() -> None:
    samples = int(os.environ.get("TWINLAB_BENCH_SAMPLES", 525_600_000))
    data = _fleet(samples)
    t, door, lat = data["t"], data["door"], data["lat"]
    others = xr.Dataset({name: one for name, one in data.items() if name != "t"})
    allowed = {0: [1], 1: [0]}
    tests = {
        "range": lambda: q.range_flags(t, fail_span=(-40, 60), suspect_span=(0, 20)),
        "spike": lambda: q.spike_flags(t, suspect=2, fail=8),
        "rate": lambda: q.rate_flags(t, suspect=0.02, fail=0.1),
        "flat_line": lambda: q.flat_line_flags(t, duration="30min"),
        "missing": lambda: q.missing_flags(t),
        "gap": lambda: q.gap_flags(t, gap="10min"),
        "counter": lambda: q.counter_flags(data["odometer"], within="10min"),
        "state": lambda: q.state_flags(door, codes=[0, 1]),
        "climatology": lambda: q.climatology_flags(t, spans=SPANS, zone="Europe/Berlin"),
        "attenuated (std)": lambda: q.attenuated_flags(t, window="1h", suspect=0.2),
        "attenuated (range)": lambda: q.attenuated_flags(t, window="1h", suspect=0.6, by="range"),
        "transition": lambda: q.transition_flags(door, allowed=allowed),
        "chatter": lambda: q.chatter_flags(door, window="10min", most=4),
        "completeness": lambda: q.completeness_flags(t, period="1h"),
        "cadence": lambda: q.cadence_flags(t, expected="1min", gap="10min"),
        "summer_time": lambda: q.summer_time_flags(t, zone="Europe/Berlin"),
        "peers": lambda: q.peer_flags(t, resolution=0.1),
        "multivariate": lambda: q.multivariate_flags(t, others, coefficients={"speed": 0.1}, intercept=5, suspect=6),
        "conditional": lambda: q.conditional_flags(t, others, given="door", spans=[q.ConditionalSpan((0, 0), (5, 15)), q.ConditionalSpan((1, 1), (5, 20))]),
        "location": lambda: q.location_flags(lat, others, longitude="lon", box=(-75, 39, -73, 41), jump=1_000),
        "speed": lambda: q.speed_flags(lat, others, longitude="lon", suspect=40),
        "consistency": lambda: q.consistency_flags(data["speed"], others, counter="odometer", over="30min", suspect=20),
        "response": lambda: q.response_flags(t, others, when={"compressor": [1], "door": [0]}, never="rises", by=1, lasting="10min"),
        "clock": lambda: q.clock_flags(t, shift="30min", period="1d", largest="6h", resolution="10min"),
    }  # fmt: skip
    asked = os.environ.get("TWINLAB_BENCH_TESTS")
    total = 0.0
    with dask.config.set(scheduler="threads", num_workers=2):
        small = {name: int(make()[:2_000, :8].count()) for name, make in tests.items()}
        assert small
        began = time.process_time()
        int(sum(data[name].sum() for name in ("t",)).compute())
        reading = time.process_time() - began
        for name, make in tests.items():
            if asked and name not in asked.split(","):
                continue
            began, clock = time.process_time(), time.perf_counter()
            bad = int((make() >= 3).sum().compute())
            cpu, wall = time.process_time() - began, time.perf_counter() - clock
            total += cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            note(f"fleet_{name}", samples_per_s=samples / (cpu / 2), cpu=cpu, wall=wall, peak_gib=peak, bad=bad)
    note("fleet_all", samples=samples, cpu=total, ns_per_sample=total / samples * 1e9, copying=reading)
