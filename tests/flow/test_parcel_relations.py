"""Parcels of the demo that were in a truck that was too fast, against a plain loop over the links of each parcel."""

import pandas as pd
import pytest

import twinlab as tl
from twinlab.demos import ParcelSize

FAST = "truck.speed > 80 km/h"
NEVER = 2**62


@pytest.fixture(scope="module")
def twin() -> tl.Twin:
    return tl.demo("parcel", size=ParcelSize.small())


def nanoseconds(when: pd.Timestamp) -> int:
    return NEVER if pd.isna(when) else when.as_unit("ns").value


def plain(twin: tl.Twin) -> list[tuple[str, int, int]]:
    trucks: dict[str, list[tuple[int, int]]] = {}
    for row in twin.find(FAST).itertuples():
        trucks.setdefault(row.asset, []).append((nanoseconds(row.start), nanoseconds(row.end)))
    links: dict[str, list[tuple[int, int, str]]] = {}
    for row in twin.relationships("carried_by").itertuples():
        links.setdefault(row.source, []).append((nanoseconds(row.valid_from), nanoseconds(row.valid_until), row.target))
    found = []
    for parcel, spans in links.items():
        inside = []
        for first, last, truck in spans:
            following = min((one[0] for one in spans if one[0] > first), default=NEVER)
            end = following if last == NEVER else last
            inside += [(max(a, first), min(b, end)) for a, b in trucks.get(truck, []) if a < end and b > first]
        union: list[tuple[int, int]] = []
        for a, b in sorted(inside):
            if union and a <= union[-1][1]:
                union[-1] = (union[-1][0], max(b, union[-1][1]))
            else:
                union.append((a, b))
        found += [(parcel, a, b) for a, b in union]
    return sorted(found)


def test_parcels_were_in_a_truck_that_was_too_fast(twin: tl.Twin) -> None:
    found = twin.find(f"parcel in truck where {FAST}")
    assert len(found) > 100
    ours = [(row.asset, nanoseconds(row.start), nanoseconds(row.end)) for row in found.itertuples()]
    assert sorted(ours) == plain(twin)
