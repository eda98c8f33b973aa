"""Channels of the parcel plant with planted wrong units, and how many of them are found."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from twinlab.plant import ParcelSize, simulate_network
from twinlab.plant.network.network import Network
from twinlab.plant.network.unit_faults import CHANNELS, Channel, channel_values, declared_unit, plant_unit_faults
from twinlab.quality.unit_faults import Suspect, suspect_units

#: As in the demo's twin.yaml: what sensors can report, and what operation shows.
SPANS: dict[str, dict[str, tuple[float, float]]] = {
    "speed": {"sensor_span": (0, 150), "expected_span": (0, 100)},
    "fuel": {"sensor_span": (0, 700)},
    "odometer": {"sensor_span": (0, 2_000_000)},
    "temperature": {"sensor_span": (-40, 40), "expected_span": (-25, 15)},
    "battery": {"sensor_span": (0, 100)},
    "load": {"sensor_span": (0, 3000), "expected_span": (0, 1600)},
}


@dataclass
class Score:
    """What was found of what was planted."""

    planted: int = 0
    found: int = 0
    clean: int = 0
    suspected: int = 0
    wrong_samples: list[float] = field(default_factory=list)
    """Share of a channel's values that its fix leaves or makes wrong, of each channel with the right unit first."""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    """Faults that weren't found with the right fix first, and clean channels that are suspected."""


def array_of(network: Network, channel: Channel, assets: np.ndarray) -> tuple[xr.DataArray, dict[str, str]]:
    """Return a channel's values in the signal's unit and the declared units of its assets."""
    seconds, values = channel_values(network, channel)
    names = [network.asset(channel.asset_type, asset) for asset in assets.tolist()]
    instants = (seconds * 10**9).astype("datetime64[ns]")
    coords = {"time": instants, "asset": names}
    array = xr.DataArray(values[assets].T, coords, ("time", "asset"), channel.signal, {"units": channel.unit})
    declared = {
        name: declared_unit(network, channel, asset) for name, asset in zip(names, assets.tolist(), strict=True)
    }
    return array, declared


def suspects_of(array: xr.DataArray, declared: dict[str, str]) -> list[Suspect]:
    signal = str(array.name)
    return suspect_units(array, declared=declared, counter=signal == "odometer", **SPANS[signal])


def wrong_after_fix(series: xr.DataArray, suspect: Suspect, start: np.datetime64) -> float:
    """Return the share of values that the fix leaves wrong or makes wrong; those that it doesn't change are right."""
    known = series.dropna("time")
    time_, seen = known["time"].to_numpy(), known.to_numpy()
    fixed = np.ones(len(time_), dtype=bool)
    fixed &= True if suspect.since is None else time_ >= suspect.since
    fixed &= True if suspect.until is None else time_ < suspect.until
    differs = np.abs(suspect.hypothesis.apply(seen) - seen) > 1e-9
    return float((((time_ >= start) != fixed) & differs).mean())


def score(size: ParcelSize, *, faulty: int, clean: int) -> Score:
    """Plant faults beside clean channels, as many of each signal as there are, and count what is found."""
    network = plant_unit_faults(simulate_network(size), faulty)
    planted = [fault for fault in network.faults if "factor" in fault.details]
    # The plant's own wrong unit, of all rooms of a hub for a week, is neither of the planted ones nor clean.
    own = {fault.asset for fault in network.faults if fault.kind == "unit_swap" and "factor" not in fault.details}
    result, left = Score(), clean
    for number, channel in enumerate(CHANNELS):
        faults = {fault.asset: fault for fault in planted if fault.signal == channel.signal}
        every = len(channel_values(network, channel)[1])
        share = -(-left // (len(CHANNELS) - number))
        right = [
            one for one in range(every) if one not in faults and not (channel.signal == "temperature" and one in own)
        ]
        right = right[:: max(1, len(right) // share)][:share]
        left -= len(right)
        array, declared = array_of(network, channel, np.array(sorted([*faults, *right])))
        began = time.process_time()
        found = {one.asset: one for one in suspects_of(array, declared) if one.rank == 1}
        result.seconds += time.process_time() - began
        names = {network.asset(channel.asset_type, asset): fault for asset, fault in faults.items()}
        result.planted += len(names)
        result.clean += len(right)
        for name, one in found.items():
            if name not in names:
                result.suspected += 1
                result.wrong.append(f"{name} {channel.signal} clean: {one.hypothesis.text} {one.confidence:.2f}")
        for name, fault in names.items():
            suspect = found.get(name)
            start = np.datetime64(fault.start, "s")
            is_right = suspect is not None and (suspect.fix.unit, suspect.fix.factor) == (
                fault.details["written"], 1.0 / float(fault.details["factor"])
            )  # fmt: skip
            if suspect is None or not is_right:
                result.wrong.append(
                    f"{name} {channel.signal} {fault.details} from {start}: {suspect and suspect.hypothesis.text}"
                )
                continue
            still = wrong_after_fix(array.sel(asset=name), suspect, start)
            result.wrong_samples.append(still)
            if still > 0.01:
                what = f"{still:.1%} of values still wrong; found {suspect.since} to {suspect.until}"
                result.wrong.append(f"{name} {channel.signal} {fault.details} from {start}: {what}")
                continue
            result.found += 1
    return result
