"""Relations in time: the parcels that were in a truck that was too warm, over 13 weeks, against a plain loop over legs.

100 trucks at 5 minutes (2.6 million cells), 100,000 parcels with three legs each. The plain loop looks up the spans of each
leg's truck by bisection; both find the same events.
"""

from __future__ import annotations

import bisect
import sys
import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.events import find
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.benchmark

TRUCKS, PARCELS, LEGS, DAYS = 100, 100_000, 3, 91
START = np.datetime64("2026-01-01", "ns")
MODEL = TwinModel.model_validate(
    {
        "twin": "parcels",
        "origin": "2026-01-01",
        "asset_types": {
            "truck": {"signals": {"temperature": {"unit": "degC", "resolution": 0.1, "cadence": "5min"}}},
            "parcel": {},
        },
        "event_types": {"leg": {"asset": "parcel", "links": {"truck": "truck"}}},
    }
)
WARM = "truck.temperature > 8 degC"


def twin() -> FakeTwin:
    rng = np.random.default_rng(1)
    cells = DAYS * 288
    daily = 2 * np.sin(np.arange(cells) / 288 * 2 * np.pi)
    drift = rng.normal(0, 0.3, (cells, TRUCKS)).cumsum(axis=0)
    temperature = np.round(
        5 + daily[:, None] + drift - pd.DataFrame(drift).rolling(288, min_periods=1).mean().to_numpy(), 1
    )
    trucks = [f"T{k}" for k in range(TRUCKS)]
    axis = START + np.arange(cells) * np.timedelta64(300, "s")
    first = rng.integers(0, (DAYS - 3) * 86_400, PARCELS)
    starts = first[:, None] + np.arange(LEGS) * 50_000 + rng.integers(0, 20_000, (PARCELS, LEGS))
    ends = starts + rng.integers(3_600, 30_000, (PARCELS, LEGS))
    count = PARCELS * LEGS
    nat = np.full(count, np.datetime64("NaT", "ns"))
    legs = pd.DataFrame(
        {
            "event_id": [f"L{k}" for k in range(count)],
            "type": "leg",
            "asset": np.repeat([f"P{k}" for k in range(PARCELS)], LEGS),
            "start": START + starts.ravel() * np.timedelta64(1, "s"),
            "end": START + ends.ravel() * np.timedelta64(1, "s"),
            "planned_start": nat,
            "planned_end": nat,
            "truck": np.array(trucks)[rng.integers(0, TRUCKS, count)],
        }
    )
    return FakeTwin(
        MODEL,
        histories={
            "truck": xr.Dataset({"temperature": (("time", "asset"), temperature)}, {"time": axis, "asset": trucks})
        },
        events={"leg": legs},
        assets={
            "truck": pd.DataFrame(index=pd.Index(trucks, name="asset")),
            "parcel": pd.DataFrame(index=pd.Index([f"P{k}" for k in range(PARCELS)], name="asset")),
        },
    )


def plain(reader: FakeTwin) -> list[tuple[str, int, int]]:
    """Return (parcel, start, end) by a loop over legs; legs of a parcel don't overlap here."""
    warm = find(reader, WARM)
    by_truck: dict[str, tuple[list[int], list[int]]] = {}
    stop = int((START + np.timedelta64(DAYS, "D")).astype("int64"))
    for truck, first, last in zip(warm["asset"], warm["start"].to_numpy(), warm["end"].to_numpy(), strict=True):
        starts, ends = by_truck.setdefault(truck, ([], []))
        starts.append(int(first.astype("datetime64[ns]").astype("int64")))
        ends.append(stop if np.isnat(last) else int(last.astype("datetime64[ns]").astype("int64")))
    out = []
    legs = reader.events("leg")
    for parcel, truck, first, last in zip(
        legs["asset"], legs["truck"], legs["start"].astype("int64"), legs["end"].astype("int64"), strict=True
    ):
        starts, ends = by_truck.get(truck, ([], []))
        k = bisect.bisect_right(ends, first)
        while k < len(starts) and starts[k] < last:
            out.append((parcel, max(starts[k], first), min(ends[k], last)))
            k += 1
    return sorted(out)


def test_parcels_in_trucks_that_were_too_warm() -> None:
    reader = twin()
    expression = f"parcel in truck where {WARM}"
    find(reader, expression, stop=START + np.timedelta64(1, "D"))
    seconds = []
    for _ in range(3):
        began = time.process_time()
        found = find(reader, expression)
        seconds.append(time.process_time() - began)
    began = time.process_time()
    expected = plain(reader)
    loop = time.process_time() - began
    ours = sorted(zip(found["asset"], found["start"].astype("int64"), found["end"].astype("int64"), strict=True))
    merged: list[tuple[str, int, int]] = []
    for one in expected:
        if merged and merged[-1][0] == one[0] and one[1] <= merged[-1][2]:
            merged[-1] = (one[0], merged[-1][1], max(merged[-1][2], one[2]))
        else:
            merged.append(one)
    assert ours == merged
    sys.stdout.write(
        f"{PARCELS * LEGS:,} legs, {len(found):,} events: {sorted(seconds)[1]:.2f} s of processor time; plain loop {loop:.2f} s\n"
    )
