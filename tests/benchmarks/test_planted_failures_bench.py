"""Planted failures of the parcel network: alarms 1 to 7 days ahead, by the anomalies of daily features, on networks not seen before.

Features, detector and hysteresis were chosen on the network of seed 1, the spans on those of seeds 2 to 4, the
difference to other assets on that of seed 6; the figures are those of seeds 8 to 10. What is learnt from each network are its
first 24 days, without the weeks before failures that its maintenance logs have by day 49; days 24 to 35 give the limit for the budget of 1 false alarm
per 100 asset-weeks: wear that has begun by then is known from the logs two weeks later. The last 6 weeks are judged. Features are of what sensors report, with their faults.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.plant import FailureRates, Network, ParcelSize, simulate_network
from twinlab.plant.network.failures.failure import Failure
from twinlab.predict.anomaly import Hysteresis, RobustZ, find_events, fit, limit_within

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

DAY = 86_400
#: Days that are learnt from, up to which the limit is found, and from which on alarms are judged.
LEARNT, QUIET, JUDGED = 24, 35, 49
RULE = Hysteresis(begin=2, end=3, release=0.7)


@dataclass
class Tally:
    """Failures, those with an alarm 1 to 7 days ahead, false alarms, and weeks of assets."""

    failures: int = 0
    found: int = 0
    false: int = 0
    asset_weeks: float = 0.0


def daily(network: Network, time: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the mean of each day, [day, asset], of values [asset, time] where they are wanted."""
    begin, stop = network.size.span
    bounds = np.searchsorted(time, begin + DAY * np.arange((stop - begin) // DAY + 1))
    kept = np.where(wanted, values, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.array([np.nanmean(kept[:, low:high], axis=1) for low, high in zip(bounds, bounds[1:], strict=False)])


def apart(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return values [day, asset] less the asset's level, less the median of the day in its group: weather and weekday concern all.

    Without the levels, the median would jump to the next asset's level whenever one in the middle begins to fail.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: np.ndarray = values - np.nanmedian(values[:LEARNT], axis=0)
        for group in np.unique(groups):
            own = groups == group
            found[:, own] -= np.nanmedian(found[:, own], axis=1, keepdims=True)
    return found


def dataset(network: Network, features: dict[str, np.ndarray]) -> xr.Dataset:
    days, assets = next(iter(features.values())).shape
    time = (network.size.span[0] + DAY * np.arange(days)).astype("M8[s]")
    coordinates = {"time": time, "asset": [str(asset) for asset in range(assets)]}
    return xr.Dataset({name: (("time", "asset"), values) for name, values in features.items()}, coordinates)


def rooms(network: Network) -> xr.Dataset:
    """Duty while the door has been closed for an hour, current of the running compressor, change of the temperature."""
    assert network.condition is not None
    room, known, frozen = network.rooms, ~network.logged.silent, network.rooms.frozen
    on, opened = room.compressor == 1, room.door == 1
    closed = ~opened
    for back in range(1, 13):
        closed[:, back:] &= ~opened[:, :-back]
    change = np.abs(np.diff(network.logged.temperature, axis=1, prepend=np.nan))
    features = {
        "duty": daily(network, room.time, on.astype(float), known & closed),
        "current": daily(network, room.time, network.condition.current, known & on),
        "change": np.log(daily(network, room.time, change, known & ~opened & np.isfinite(change))),
    }
    return dataset(network, {name: apart(values, frozen) for name, values in features.items()})


def forklifts(network: Network) -> xr.Dataset:
    """Voltage while driving, less what charge and load explain, and the fall of the charge."""
    assert network.condition is not None
    lift = network.forklifts
    driving = ~network.forklift_silent & (lift.mode == 1)
    voltage = network.condition.voltage - 4.1 * lift.battery / 100 + 0.9 * lift.load / 1000
    fall = np.diff(lift.battery, axis=1, prepend=np.nan)
    before = np.roll(driving, 1, axis=1)
    return dataset(
        network,
        {
            "voltage": daily(network, lift.time, voltage, driving),
            "fall": daily(network, lift.time, fall, driving & before),
        },
    )


def trucks(network: Network) -> xr.Dataset:
    """Temperatures of brakes and coolant at more than 60 km/h."""
    assert network.condition is not None
    tracks, begin = network.tracks, network.size.span[0]
    fast = (tracks.speed > 60) & ~network.reported.silent
    table = pd.DataFrame({
        "day": (tracks.time[fast] - begin) // DAY, "truck": tracks.truck[fast],
        "brake": network.condition.temperatures.brake[fast], "coolant": network.condition.temperatures.coolant[fast],
    }).groupby(["day", "truck"]).mean()  # fmt: skip
    days, together = 7 * network.size.weeks, np.zeros(network.size.trucks)
    features = {
        name: table[name].unstack().reindex(index=range(days), columns=range(network.size.trucks)).to_numpy()
        for name in ("brake", "coolant")
    }
    return dataset(network, {name: apart(values, together) for name, values in features.items()})


def usual(history: xr.Dataset, failures: list[Failure]) -> xr.Dataset:
    """Return a span without the days before logged failures and during them."""
    found = history.copy(deep=True)
    for one in failures:
        day = found["time"].values.astype(np.int64)
        worn = (day >= one.failed - 25 * DAY) & (day < one.repaired + DAY)
        for values in found.data_vars.values():
            values.values[worn, one.asset] = np.nan
    return found


def judge(network: Network, history: xr.Dataset, failures: list[Failure], detector: RobustZ | None) -> Tally:
    """Count what a detector finds in the last weeks; without one every asset has an alarm on every eighth day."""
    begin, stop = network.size.span
    first = begin + JUDGED * DAY
    known = [one for one in failures if one.failed < first]
    learnt, quiet = (usual(history.isel(time=part), known) for part in (slice(LEARNT), slice(LEARNT, QUIET)))
    enough = np.all([np.isfinite(values.values).sum(axis=0) >= 8 for values in learnt.data_vars.values()], axis=0)
    kept = np.flatnonzero(enough).tolist()
    later = history.isel(time=slice(JUDGED, None), asset=kept)
    if detector is None:
        alarms = [(str(asset), day, day + DAY) for asset in kept for day in range(first, stop, 8 * DAY)]
    else:
        model = fit(learnt.isel(asset=kept), detector=detector, follow=0)
        budget = limit_within(model.score(quiet.isel(asset=kept))[0], per_100_asset_weeks=1, hysteresis=RULE)
        events = find_events(model.with_limit(max(budget.limit, 1.0)).score(later)[0], RULE)
        # The features of a day are known at its end.
        starts, ends = (events[name].to_numpy().astype("M8[s]") for name in ("start", "end"))
        alarms = [
            (asset, int(start.astype(int)) + DAY, stop if np.isnat(end) else int(end.astype(int)) + DAY)
            for asset, start, end in zip(events["asset"], starts, ends, strict=True)
        ]
    return count(network, failures, alarms, kept=kept)


def count(network: Network, failures: list[Failure], alarms: list[tuple[str, int, int]], *, kept: list[int]) -> Tally:
    """Count alarms (asset, first second, first second after) of the last weeks, of the assets that are watched."""
    begin, stop = network.size.span
    first = begin + JUDGED * DAY
    tally = Tally(asset_weeks=len(kept) * (stop - first) / (7 * DAY))
    for one in failures:
        if (
            one.kind != "power"
            and one.asset in kept
            and one.failed >= first + 3 * DAY
            and one.failed < stop
            and one.onset >= begin
        ):
            tally.failures += 1
            tally.found += any(
                int(asset) == one.asset and one.onset <= start <= one.failed - DAY and end >= one.failed - 7 * DAY
                for asset, start, end in alarms
            )
    for asset, start, _ in alarms:
        tally.false += not any(
            one.asset == int(asset) and one.onset <= start < one.repaired + 3 * DAY for one in failures
        )
    return tally


def test_alarms_ahead_of_planted_failures() -> None:
    ours, always = Tally(), Tally()
    for seed in (8, 9, 10):
        network = simulate_network(
            ParcelSize(hubs=12, trucks=60, cold_rooms=40, forklifts=60, parcels_a_week=50, seed=seed, failures=FailureRates())
        )  # fmt: skip
        assert network.condition is not None
        for asset_type, features in (("cold_room", rooms), ("forklift", forklifts), ("truck", trucks)):
            history = features(network)
            own = [one for one in network.condition.disturbances.failures if one.asset_type == asset_type]
            for total, detector in ((ours, RobustZ()), (always, None)):
                found = judge(network, history, own, detector)
                if detector is not None:
                    note(f"seed {seed} {asset_type}", **vars(found))
                for name, value in vars(found).items():
                    setattr(total, name, getattr(total, name) + value)
    for title, total in (("robust z", ours), ("an alarm every eighth day", always)):
        note(title, recall=total.found / total.failures, failures=total.failures,
             false_per_100_asset_weeks=100 * total.false / total.asset_weeks, asset_weeks=total.asset_weeks)  # fmt: skip
    assert ours.found >= 0.9 * ours.failures
    assert 100 * ours.false <= ours.asset_weeks
