"""What waits at a place, from a twin in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.control.proposals.effects.outcome import Unknown
from twinlab.control.proposals.effects.queues import Queue
from twinlab.control.proposals.situation.memory import Memory
from twinlab.control.proposals.situation.queues import queue_now
from twinlab.model import parse_model
from twinlab.model.commands import QueueEffect
from twinlab.testing import FakeTwin

NOW = np.datetime64("2026-03-02T09:00", "ns")
MODEL = parse_model(
    "{twin: x, asset_types: {hub: {}, box: {properties: {cold: {dtype: boolean}}}, lift: {signals: {top: {unit: km/h, resolution: 0.1, "
    "cadence: 10min}}}}, relationships: {at: {from: lift, to: hub, locates: true}, held: {from: box, to: hub, locates: true}}, "
    "event_types: {leg: {asset: box, links: {to: hub}}}}"
)
OPTIONS = QueueEffect(
    kind="queue",
    place="at",
    waiting="held",
    only="cold",
    arrivals="leg",
    link="to",
    distance=100,
    handling="40s",
    most=10,
)


def _twin(legs: list[tuple[Any, ...]]) -> FakeTwin:
    times = pd.date_range("2026-03-02T08:00", NOW, freq="10min")
    top = xr.Dataset(
        {"top": (("time", "asset"), np.full((len(times), 2), 7.2))}, coords={"time": times, "asset": ["L1", "L2"]}
    )
    since = pd.Timestamp("2026-03-02T08:00")
    links = {
        "at": [("L1", "H", since, pd.NaT), ("L2", "H", since, pd.NaT)],
        "held": [("B1", "H", since, pd.NaT), ("B2", "H", since, pd.NaT), ("B3", "H", since, pd.Timestamp("2026-03-02T08:30"))],
    }  # fmt: skip
    columns = ["event_id", "type", "asset", "start", "end", "planned_start", "planned_end", "to"]
    events = pd.DataFrame(legs, columns=columns)
    for name in columns[3:7]:
        events[name] = events[name].astype("datetime64[ns]")
    return FakeTwin(
        MODEL,
        histories={"lift": top},
        assets={
            "hub": pd.DataFrame(index=pd.Index(["H"], name="asset")), "lift": pd.DataFrame(index=pd.Index(["L1", "L2"], name="asset")),
            "box": pd.DataFrame({"cold": [True, False, True]}, index=pd.Index(["B1", "B2", "B3"], name="asset")),
        },
        relationships={
            name: pd.DataFrame(rows, columns=["source", "target", "valid_from", "valid_until"]) for name, rows in links.items()
        },
        events={"leg": events},
    )  # fmt: skip


def _now(twin: FakeTwin, asset: str = "L1") -> Queue | Unknown:
    return queue_now(twin, "lift", asset, OPTIONS, speed="top", now=NOW, memory=Memory())


def test_what_waits_is_there_now_and_of_the_kind_that_counts() -> None:
    found = _now(_twin([]))
    assert isinstance(found, Queue)
    assert (found.place, found.waiting, found.arrivals, found.others) == ("H", 1, (), (2.0,))


def test_what_is_late_is_expected_as_late() -> None:
    def at(text: str) -> pd.Timestamp:
        return pd.Timestamp(f"2026-03-02T{text}")

    found = _now(
        _twin([("1", "leg", "B3", at("08:10"), pd.NaT, at("08:00"), at("09:20"), "H"), ("2", "leg", "B2", pd.NaT, pd.NaT, at("08:30"), at("09:00"), "H")])
    )  # fmt: skip
    assert isinstance(found, Queue)
    # Ten minutes late; the other one isn't cold.
    assert found.arrivals == ((1800.0, 1),)


def test_an_asset_that_is_nowhere_can_not_be_judged() -> None:
    twin = _twin([])
    twin._relationships["at"] = twin._relationships["at"].iloc[1:]
    found = _now(twin)
    assert isinstance(found, Unknown)
    assert "is at no hub now" in found.reason
